"""From the command to the first live book, and memory, beside an empty Textual application in the same run."""

import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import pexpect

from benchmarks.measure import Figure, memory_kb, processor_s

TURNS = 5
EMPTY = "from textual.app import App\nclass Empty(App[None]):\n def on_mount(self): self.{then}\nEmpty().run()"
ENDS = EMPTY.format(then="exit()")
STAYS = EMPTY.format(then="title = 'empty'")
LEVEL = re.compile(rb"YES bid.*?0\.\d\d", re.DOTALL)
SETTLES_S = 4.0
AT_REST_S = 8.0


def environment(home: Path) -> dict[str, str]:
    """Give the environment of a program that has been started before, in a terminal with all colours."""
    folder = home / "data" / "kalshi-tui" / "practice"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "welcome.json").write_text('{"seen": true}')
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("KALSHI", "XDG", "TEXTUAL"))}
    folders = {"HOME": home, "XDG_DATA_HOME": home / "data", "XDG_CONFIG_HOME": home / "config"}
    terminal = {"TERM": "xterm-256color", "COLORTERM": "truecolor", "LANG": "C.UTF-8"}
    return kept | terminal | {name: str(path) for name, path in folders.items()}


def spawn(arguments: list[str], home: Path) -> "pexpect.spawn[bytes]":
    """Run Python in a terminal of the usual size."""
    return pexpect.spawn(sys.executable, arguments, env=environment(home), dimensions=(50, 140), timeout=60)


def helped(home: Path) -> float:
    """Time the help."""
    start = time.perf_counter()
    command = [sys.executable, "-m", "kalshi_tui", "--help"]
    subprocess.run(command, env=environment(home), stdout=subprocess.DEVNULL, check=True)  # noqa: S603 - our own
    return time.perf_counter() - start


def emptied(home: Path) -> float:
    """Time an empty application from its start to its exit."""
    start = time.perf_counter()
    child = spawn(["-c", ENDS], home)
    child.expect(pexpect.EOF)
    child.close()
    return time.perf_counter() - start


def opened(home: Path) -> float:
    """Time the program from its command to the first price of a live book on the screen."""
    start = time.perf_counter()
    child = spawn(["-m", "kalshi_tui", "--seed", "7"], home)
    child.expect(LEVEL)
    taken = time.perf_counter() - start
    child.close(force=True)
    return taken


def settled(arguments: list[str], home: Path, *keys: str) -> tuple[float, float]:
    """Give the resident memory in KB of a program that has come to rest, and its share of a core there in percent."""
    child = spawn(arguments, home)
    until = time.perf_counter() + SETTLES_S
    while time.perf_counter() < until:
        drained(child)
    for key in keys:
        child.send(key)
        drained(child)
    before, start = processor_s(child.pid), time.perf_counter()
    while time.perf_counter() < start + AT_REST_S:
        drained(child)
    share = (processor_s(child.pid) - before) / (time.perf_counter() - start) * 100
    memory = memory_kb(child.pid)
    child.close(force=True)
    return float(memory), share


def drained(child: "pexpect.spawn[bytes]") -> None:
    """Take what a terminal would take."""
    try:
        child.read_nonblocking(65_536, timeout=0.1)
    except pexpect.TIMEOUT:
        return


def medians(home: Path, *works: Callable[[Path], float]) -> list[float]:
    """Do these turn by turn, and give the median of each."""
    taken: list[list[float]] = [[] for _ in works]
    for _ in range(TURNS):
        for times, work in zip(taken, works, strict=True):
            times.append(work(home))
    return [statistics.median(times) for times in taken]


def run() -> list[Figure]:
    """Measure start and memory."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        help_s, empty_s, open_s = medians(home, helped, emptied, opened)
        ours_kb, ours_share = settled(["-m", "kalshi_tui", "--seed", "7"], home)
        empty_kb, _ = settled(["-c", STAYS], home)
    reference = "an empty Textual app, start to exit"
    return [
        Figure("kalshi-tui --help", reference, help_s, empty_s, "s", bound=0.5),
        Figure("from command to first live book", reference, open_s, empty_s, "s", bound=3),
        Figure("resident memory, practice", "an empty Textual app", ours_kb / 1024, empty_kb / 1024, "MB", bound=2.2),
        Figure("share of a core, practice market", "the goal at rest", ours_share, 3.0, "%", note="about 60 frames/s"),
    ]
