"""From the command to the first live book, and memory, beside an empty Textual application in the same run."""

import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

import httpx
import pexpect

from benchmarks.measure import Figure, memory_kb, processor_s
from kalshi_tui.runtime.launch import PracticeProcess
from kalshi_tui.session.persisted import PersistedFile
from kalshi_tui.ui.dialogs import welcome
from kalshi_tui.ui.market_list.watch_lists import MAX_MARKETS_PER_LIST, WATCH_LISTS_FILE

TURNS = 5
EMPTY = "from textual.app import App\nclass Empty(App[None]):\n def on_mount(self): self.{then}\nEmpty().run()"
ENDS = EMPTY.format(then="exit()")
STAYS = EMPTY.format(then="title = 'empty'")
LEVEL = re.compile(rb"YES bid.*?0\.\d\d", re.DOTALL)
SETTLES_S = 6.0
WATCHED = 1_000
AT_REST_S = 8.0


def kept_folder(home: Path) -> Path:
    """Return the folder in which the program keeps what belongs to practice."""
    return home / "data" / "kalshi-tui" / "practice"


def environment(home: Path) -> dict[str, str]:
    """Return the environment of a program that has been started before, in a terminal with all colors."""
    folder = kept_folder(home)
    folder.mkdir(parents=True, exist_ok=True)
    PersistedFile(folder, welcome.WELCOME_FILE, welcome.WelcomeFile).write(welcome.WelcomeFile(seen=True))
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("KALSHI", "XDG", "TEXTUAL"))}
    folders = {"HOME": home, "XDG_DATA_HOME": home / "data", "XDG_CONFIG_HOME": home / "config"}
    terminal = {"TERM": "xterm-256color", "COLORTERM": "truecolor", "LANG": "C.UTF-8"}
    return kept | terminal | {name: str(path) for name, path in folders.items()}


def spawn(arguments: list[str], home: Path, more: Mapping[str, str] = MappingProxyType({})) -> "pexpect.spawn[bytes]":
    """Run Python in a terminal of the usual size."""
    return pexpect.spawn(
        sys.executable, arguments, env=environment(home) | dict(more), dimensions=(50, 140), timeout=60
    )


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


class AtRest(NamedTuple):
    """A program that has come to rest."""

    memory_mb: float
    """Resident."""
    share: float
    """Of a core, in percent."""


def settled(arguments: list[str], home: Path, more: Mapping[str, str] = MappingProxyType({})) -> AtRest:
    """Start a program, wait until it has come to rest, and measure it there."""
    child = spawn(arguments, home, more)
    until = time.perf_counter() + SETTLES_S
    while time.perf_counter() < until:
        drained(child)
    before, start = processor_s(child.pid), time.perf_counter()
    while time.perf_counter() < start + AT_REST_S:
        drained(child)
    share = (processor_s(child.pid) - before) / (time.perf_counter() - start) * 100
    memory = memory_kb(child.pid)
    child.close(force=True)
    return AtRest(memory / 1024, share)


def settled_on(home: Path, *world: str, watched: int = 0) -> AtRest:
    """Measure the program on a practice exchange of its own, with so many markets on watch lists."""
    process = PracticeProcess(["--data", str(home / "exchange"), *world])
    try:
        ready = process.wait_until_ready(60)
        keys = {"KALSHI_API_KEY_ID": ready.api_key_id, "KALSHI_PRIVATE_KEY_PATH": str(ready.private_key_path)}
        if watched:
            watch(kept_folder(home), ready.rest_url, watched)
        return settled(["-m", "kalshi_tui", "--rest-url", ready.rest_url], home, keys)
    finally:
        process.stop()


def watch(folder: Path, rest_url: str, count: int) -> None:
    """Put so many markets on watch lists, as full as they may be."""
    query: dict[str, str | int] = {"limit": count, "status": "open"}
    reply = httpx.get(f"{rest_url}/markets", params=query, trust_env=False, timeout=30)
    tickers = [market["ticker"] for market in reply.json()["markets"]]
    assert len(tickers) == count, len(tickers)
    lists = [
        {"name": f"List {start}", "tickers": tickers[start : start + MAX_MARKETS_PER_LIST]}
        for start in range(0, count, MAX_MARKETS_PER_LIST)
    ]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / WATCH_LISTS_FILE).write_text(json.dumps({"lists": lists, "shown": "List 0"}))


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
        empty = settled(["-c", STAYS], home)
        twelve = settled_on(home / "twelve", "--markets", "12")
        watching = settled_on(home / "watching", "--markets", str(WATCHED), watched=WATCHED)
        quiet = settled_on(home / "quiet", "--quiet-market")
        usual = settled_on(home / "usual")
    reference, other = "an empty Textual app, start to exit", "an empty Textual app"
    few, many, mb = "resident memory, 12 markets", f"resident memory, {WATCHED:,} watched markets", empty.memory_mb
    return [
        Figure("kalshi-tui --help", reference, help_s, empty_s, "s", bound=0.5),
        Figure("from command to first live book", reference, open_s, empty_s, "s", bound=3),
        Figure(few, other, twelve.memory_mb, mb, "MB", bound=2.2),
        Figure(many, other, watching.memory_mb, mb, "MB", bound=3),
        Figure("share of a core at rest, quiet market", "the goal's 3", quiet.share, 3.0, "%", bound=1),
        Figure("share of a core, the usual practice market", "the goal at rest", usual.share, 3.0, "%"),
    ]
