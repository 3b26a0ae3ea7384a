"""A real pseudo-terminal with a screen that a test can read."""

import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pexpect
import pyte

from kalshi_tui.session.kept import Kept
from kalshi_tui.ui.screens.welcome import FILE, Welcomed

WAIT_S = 30.0
NOT_PASSED_ON = ("KALSHI", "NO_COLOR", "TEXTUAL", "COLUMNS", "LINES")
"""Beginnings of what of the environment would change the program or override the terminal's own size."""


class Terminal:
    """Runs kalshi-tui in a pseudo-terminal and keeps what a person would see."""

    def __init__(
        self, arguments: Sequence[str], home: Path, columns: int = 80, rows: int = 24, *, first: bool = False
    ) -> None:
        """Start it; ``first``: as on the very first day, with the welcome."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith(NOT_PASSED_ON)}
        environment |= {"TERM": "xterm-256color", "COLORTERM": "truecolor", "HOME": str(home), "LANG": "C.UTF-8"}
        environment |= {"XDG_DATA_HOME": str(home / "data"), "XDG_CONFIG_HOME": str(home / "config")}
        if not first:
            folder = home / "data" / "kalshi-tui" / "practice"
            Kept(folder, FILE, Welcomed).write(Welcomed(seen=True))
        self.screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self.screen)
        self.child = pexpect.spawn(
            sys.executable,
            ["-m", "kalshi_tui", *arguments],
            dimensions=(rows, columns),
            env=environment,
            timeout=None,
        )

    def pump(self) -> None:
        """Take what the program has written so far, waiting a moment for it."""
        try:
            self._stream.feed(self.child.read_nonblocking(65536, timeout=0.05))
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
        """Give the screen as lines of text."""
        return "\n".join(line.rstrip() for line in self.screen.display)

    def press(self, *keys: str) -> None:
        """Send keys as a terminal does."""
        named = {"enter": "\r", "escape": "\x1b", "tab": "\t", "down": "\x1b[B", "up": "\x1b[A"}
        for key in keys:
            self.child.send(named.get(key, key))

    def resize(self, columns: int, rows: int) -> None:
        """Change the terminal's size, as a window manager would."""
        self.child.setwinsize(rows, columns)
        self.screen.resize(rows, columns)

    def close_window(self) -> None:
        """Take the terminal away, as closing its window does."""
        os.close(self.child.child_fd)

    def ended(self, within_s: float = WAIT_S) -> int:
        """Wait for the program's end and give its exit code."""
        deadline = time.monotonic() + within_s
        while self.child.isalive() and time.monotonic() < deadline:
            self.pump()
        assert not self.child.isalive(), f"still running; the screen was:\n{self.text()}"
        self.child.close()
        return int(self.child.exitstatus if self.child.exitstatus is not None else -self.child.signalstatus)
