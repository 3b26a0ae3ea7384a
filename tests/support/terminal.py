"""A real pseudo-terminal with a screen that a test can read."""

import os
import signal
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from unicodedata import east_asian_width

import pexpect
import pyte

from kalshi_tui.session.persisted import PersistedFile
from kalshi_tui.ui.dialogs.welcome import WELCOME_FILE, WelcomeFile

ROOT = Path(__file__).resolve().parents[2]
WAIT_S = 30.0
PUMP_S = 0.05
END_S = 5.0
TERMINAL = {"TERM": "xterm-256color", "COLORTERM": "truecolor", "LANG": "C.UTF-8"}
NOT_PASSED_ON = ("KALSHI", "NO_COLOR", "TEXTUAL", "COLUMNS", "LINES")
"""Beginnings of what of the environment would change the program or override the terminal's own size."""


def environment_of(home: Path, terminal: Mapping[str, str]) -> dict[str, str]:
    """Return the environment for a program that is to find no home but this one, and this terminal."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith((*NOT_PASSED_ON, *TERMINAL))}
    folders = {"HOME": str(home), "XDG_DATA_HOME": str(home / "data"), "XDG_CONFIG_HOME": str(home / "config")}
    folders["XDG_STATE_HOME"] = str(home / "state")
    return kept | folders | dict(terminal)


def been_here(home: Path, arguments: Sequence[str] = ()) -> None:
    """Let the program find that it has been started before: no welcome."""
    named = dict(pairwise(arguments)).get("--data")
    folder = Path(named) if named else home / "data" / "kalshi-tui" / "practice"
    PersistedFile(folder, WELCOME_FILE, WelcomeFile).write(WelcomeFile(seen=True))


class Terminal:
    """Runs kalshi-tui in a pseudo-terminal and keeps what a person would see, and every byte that was written."""

    def __init__(
        self,
        arguments: Sequence[str],
        home: Path,
        columns: int = 80,
        rows: int = 24,
        *,
        module: str = "kalshi_tui",
        terminal: Mapping[str, str] = TERMINAL,
        first: bool = False,
        program: Sequence[str] = (),
        folder: Path = ROOT,
    ) -> None:
        """Start it; ``first``: as on the very first day, with the welcome.

        ``program`` is another one than this checkout's module, ``folder`` where it is started.
        """
        if not first:
            been_here(home, arguments)
        self.raw = bytearray()
        self.screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self.screen)
        command = [*(program or (sys.executable, "-m", module)), *arguments]
        self.child = pexpect.spawn(
            command[0],
            command[1:],
            dimensions=(rows, columns),
            env=environment_of(home, terminal),
            cwd=folder,
            timeout=None,
        )

    def pump(self, within_s: float = PUMP_S) -> None:
        """Take what the program has written so far, waiting a moment for it."""
        try:
            written = self.child.read_nonblocking(65536, timeout=within_s)
            self.raw += written
            self._stream.feed(written)
        except pexpect.TIMEOUT:
            pass
        except pexpect.EOF:
            self.child.wait()

    def wait(self, what: str, seen: Callable[[str], bool], within_s: float = WAIT_S) -> str:
        """Wait until the screen satisfies ``seen`` and give its text; fail with the screen otherwise."""
        deadline = time.monotonic() + within_s
        while time.monotonic() < deadline:
            self.pump()
            text = self.text()
            if seen(text):
                return text
            if not self.child.isalive():
                break
        raise AssertionError(f"never saw {what}; the screen was:\n{self.text()}")

    def wait_text(self, *texts: str, within_s: float = WAIT_S) -> str:
        """Wait until all the texts stand on the screen."""
        return self.wait(" and ".join(texts), lambda screen: all(text in screen for text in texts), within_s)

    def text(self) -> str:
        """Return the screen as lines of text."""
        return "\n".join("".join(row).rstrip() for row in self.cells())

    def cells(self) -> list[list[str]]:
        """Return what stands in each cell; the second cell of a wide character is empty.

        Not pyte's own `display`: that fails where half of a wide character was drawn over, which terminals blank.
        """
        rows = []
        for y in range(self.screen.lines):
            row = [self.screen.buffer[y][x].data for x in range(self.screen.columns)]
            wide = [False, *(east_asian_width(data[:1] or " ") in "WF" for data in row)]
            rows.append([data or ("" if wide[x] else " ") for x, data in enumerate(row)])
        return rows

    def press(self, *keys: str) -> None:
        """Send keys as a terminal does."""
        named = {"enter": "\r", "escape": "\x1b", "tab": "\t", "down": "\x1b[B", "up": "\x1b[A"}
        named |= {"backtab": "\x1b[Z", "home": "\x1b[H", "end": "\x1b[F", "pagedown": "\x1b[6~"}
        for key in keys:
            self.child.send(named.get(key, key))

    def resize(self, columns: int, rows: int) -> None:
        """Change the terminal's size, as a window manager would."""
        self.child.setwinsize(rows, columns)
        self.screen.resize(rows, columns)

    def close_window(self) -> None:
        """Take the terminal away, as closing its window does."""
        process = self.child.ptyproc
        process.fileobj.close()
        # Else pexpect closes the number once more when it is thrown away, and by then it may be another terminal's.
        process.closed = self.child.closed = True
        process.fd = self.child.child_fd = -1

    def end(self) -> None:
        """End the program if it runs still, as a closed window does, else by force."""
        child = self.child
        if child.isalive():
            for number in (signal.SIGCONT, signal.SIGHUP):
                child.kill(number)
            deadline = time.monotonic() + END_S
            while child.isalive() and time.monotonic() < deadline:
                # Nobody looks at it any more, but a full terminal would hold up the end.
                with suppress(pexpect.TIMEOUT, pexpect.EOF, ValueError):
                    child.read_nonblocking(65536, timeout=PUMP_S)
        if child.isalive():
            child.kill(signal.SIGKILL)
            # The time that pexpect gives a killed process by itself is too short on a busy machine.
            child.wait()
        child.close()

    def ended(self, within_s: float = WAIT_S) -> int:
        """Wait for the program's end and give its exit code."""
        deadline = time.monotonic() + within_s
        while self.child.isalive() and time.monotonic() < deadline:
            self.pump()
        assert not self.child.isalive(), f"still running; the screen was:\n{self.text()}"
        self.child.close()
        return int(self.child.exitstatus if self.child.exitstatus is not None else -self.child.signalstatus)
