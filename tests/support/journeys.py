"""Journeys through the real program in a real tmux, whose screens are kept: `python -m tests.support.journeys`.

Each screen is written under docs/screens as text, in both sizes. The world is that of seed 7; prices and times differ
from run to run.
"""

import argparse
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from tests.support.terminal import (
    ROOT,
    WAIT_S,
    been_here,
    environment_of,
)

SCREENS: Final = ROOT / "docs" / "screens"
SIZES: Final = ((80, 24), (140, 50))
NAMES: Final = ("desk", "ladder", "ticket", "review", "filled", "details", "chart", "positions", "help")
SHOWN: Final = "positions-80x24.txt"
OPENING: Final = "# kalshi-tui\n\n```\n"
"""Where the README shows a screen."""
CONFIGURATION: Final = "set -g status off\nset -g default-terminal tmux-256color\nset -g escape-time 0\n"
LADDER: Final = re.compile("YES bid +price +YES ask")
LEVEL: Final = re.compile(r"0\.\d+ +│ 0\.\d+|0\.\d+ │")


class Tmux:
    """The program in a tmux server of its own, which ends with it."""

    def __init__(self, home: Path, columns: int, rows: int, arguments: Sequence[str] = ("--seed", "7")) -> None:
        self._home = home
        # What tmux itself is: the program inside finds the TERM that tmux gives.
        been_here(home, arguments)
        self._environment = environment_of(home, {"TERM": "xterm-256color", "LANG": "C.UTF-8"})
        self._environment["TMUX_TMPDIR"] = str(home)
        self._environment.pop("TMUX", None)
        (home / "tmux.conf").write_text(CONFIGURATION)
        program = [sys.executable, "-m", "kalshi_tui", *arguments]
        size = ["-x", str(columns), "-y", str(rows)]
        self._run("-f", str(home / "tmux.conf"), "new-session", "-d", *size, "-c", str(ROOT), *program)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._run("kill-server", check=False)

    def _run(self, *arguments: str, check: bool = True) -> str:
        command = ["tmux", "-L", "journeys", *arguments]
        done = subprocess.run(command, env=self._environment, check=check, capture_output=True, text=True, timeout=30)
        return done.stdout

    def screen(self) -> str:
        """Return what stands on the screen."""
        return self._run("capture-pane", "-p", check=False)

    def wait(self, what: str, seen: Callable[[str], bool]) -> str:
        """Wait until the screen satisfies ``seen``; fail with the screen otherwise."""
        deadline = time.monotonic() + WAIT_S
        screen = ""
        while time.monotonic() < deadline:
            screen = self.screen()
            if seen(screen):
                return screen
            time.sleep(0.05)
        raise AssertionError(f"never saw {what}; the screen was:\n{screen}")

    def wait_text(self, *texts: str) -> str:
        """Wait until all the texts stand on the screen."""
        return self.wait(" and ".join(texts), lambda screen: all(text in screen for text in texts))

    def press(self, *keys: str) -> None:
        """Send keys by tmux's names, or texts."""
        self._run("send-keys", *keys)

    @property
    def ended(self) -> bool:
        """Whether the program, and with it the server, has ended."""
        return "kalshi" not in self._run("list-panes", "-a", "-F", "#{pane_start_command}", check=False)


def is_live(screen: str) -> bool:
    """Return whether the desk stands there with a book and the account."""
    return "YES bid" in screen and "cash $" in screen and "Red Mesa" in screen and "WAITING" not in screen


def is_alone(screen: str) -> bool:
    """Return whether nothing lies over the desk: its own keys stand below only then."""
    return screen.rstrip().endswith("q Quit")


def title(screen: str) -> str:
    """Return the line on which the chosen market's name stands."""
    return screen.split("\n", 2)[1] if "\n" in screen else ""


def has_levels(screen: str) -> bool:
    """Return whether the book has come."""
    return is_live(screen) and len(LEVEL.findall(screen)) > 8


def is_paid(screen: str) -> bool:
    """Return whether the cash is that after the fill: it is read again a moment after it."""
    return "$10,000.00" not in screen


def over(word: str) -> Callable[[str], bool]:
    """Return a condition: a box with this word in its title, and closed, lies over the desk."""
    return lambda screen: f"{word} ─" in screen and "╰─" in screen and "esc Close" in screen


def journey(tmux: Tmux, keep: Callable[[str, str], None]) -> None:
    """Go through the program once: look, buy, look at what it brought, leave."""
    tmux.wait("a live desk", is_live)
    tmux.press("j", "j", "j")
    # Past the quarter-hour markets, to one whose price does not run away.
    keep(
        "desk",
        tmux.wait("the calm market's book", lambda screen: "Red Mesa at" in title(screen) and has_levels(screen)),
    )
    tmux.press("v")
    keep("ladder", tmux.wait("the ladder", lambda screen: LADDER.search(screen) is not None and "YES bid 0." in screen))
    tmux.press("v")
    tmux.wait_text("NO bid")
    tmux.press("b")
    tmux.wait("the ticket", over("order ticket"))
    tmux.press("9", "9", "Tab", "1", "0")
    keep("ticket", tmux.wait("the figures", lambda screen: "Worst loss" in screen and "enter Review" in screen))
    tmux.press("Enter")
    keep("review", tmux.wait("the armed key", lambda screen: "ENTER SENDS THIS ORDER" in screen))
    tmux.press("Enter")
    # The price is far through the market.
    tmux.wait_text("Type over, then Enter")
    tmux.press("o", "v", "e", "r", "Enter")
    keep(
        "filled",
        tmux.wait("the fill", lambda screen: "FILLED" in screen and "enter Close" in screen and is_paid(screen)),
    )
    tmux.press("Escape")
    tmux.wait("the desk", is_alone)
    tmux.press("2")
    keep("positions", tmux.wait("the position", lambda screen: "YES 10" in screen and "10 contracts, fees" in screen))
    tmux.press("6")
    keep("chart", tmux.wait("the chart", lambda screen: "[6 Chart]" in screen and any(b in screen for b in "█┃▄▀")))
    tmux.press("d")
    keep("details", tmux.wait("the details", over("the market")))
    tmux.press("Escape")
    tmux.wait("the desk", is_alone)
    tmux.press("?")
    keep("help", tmux.wait("the help", over("keys")))
    tmux.press("Escape")
    tmux.wait("the desk", is_alone)
    tmux.press("q")
    tmux.wait("its end", lambda _: tmux.ended)


def written(folder: Path, size: tuple[int, int]) -> Callable[[str, str], None]:
    """Return what keeps the screens of one size in a folder."""

    def keep(name: str, screen: str) -> None:
        rows = [row.rstrip() for row in screen.split("\n")[: size[1]]]
        (folder / f"{name}-{size[0]}x{size[1]}.txt").write_text("\n".join(rows) + "\n", encoding="utf-8")

    return keep


def show_in_readme(screen: str) -> None:
    """Put a screen in the place of the one that the README shows."""
    path = ROOT / "README.md"
    before, rest = path.read_text(encoding="utf-8").split(OPENING, 1)
    _, after = rest.split("```\n", 1)
    path.write_text(f"{before}{OPENING}{screen}```\n{after}", encoding="utf-8")


def main() -> None:
    """Rebuild all screens."""
    parser = argparse.ArgumentParser(prog="python -m tests.support.journeys", description=__doc__.partition("\n")[0])
    parser.add_argument("--folder", type=Path, default=SCREENS, help="where to (default: docs/screens)")
    folder: Path = parser.parse_args().folder
    folder.mkdir(parents=True, exist_ok=True)
    for size in SIZES:
        with tempfile.TemporaryDirectory() as home, Tmux(Path(home), *size) as tmux:
            journey(tmux, written(folder, size))
    if folder == SCREENS:
        show_in_readme((folder / SHOWN).read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
