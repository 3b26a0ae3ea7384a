"""From a key to what it paints, in a real pseudo-terminal, while the market is busy; beside an empty application."""

import random
import statistics
import sys
import tempfile
import time
from pathlib import Path

import pexpect

from benchmarks.measure import Figure, processor_s
from benchmarks.start import environment
from kalshi_tui.launch import PracticeProcess

PRESSES = 120
MARKETS = 200
SEED = 5
WITHIN_S = 2.0
SHOWS = {b"5": b"[5 Log", b"7": b"[7 Settl"}
"""What stands in brackets once a key has shown its list: nothing but that key paints it."""
EMPTY = """
from textual.app import App
from textual.widgets import Static
class Empty(App[None]):
    BINDINGS = [("5", "say('[5 Log')", ""), ("7", "say('[7 Settl')", "")]
    def compose(self):
        yield Static("", markup=False)
    def action_say(self, text):
        self.query_one(Static).update(text + "]")
Empty().run()
"""


def pressed(child: "pexpect.spawn[bytes]") -> list[float]:
    """Press keys at uneven times, and give how many milliseconds each took to be painted."""
    chance = random.Random(SEED)
    taken = []
    # The library waits 50 ms before each key unless told.
    child.delaybeforesend = None
    for number in range(PRESSES):
        pause(child, chance.uniform(0.02, 0.12))
        key = b"57"[number % 2 : number % 2 + 1]
        start, seen = time.perf_counter(), b""
        child.send(key)
        while SHOWS[key] not in seen:
            seen += child.read_nonblocking(65_536, timeout=WITHIN_S)
        taken.append((time.perf_counter() - start) * 1e3)
    return sorted(taken)


def pause(child: "pexpect.spawn[bytes]", seconds: float) -> None:
    """Take what is painted for a while."""
    until = time.perf_counter() + seconds
    while (left := until - time.perf_counter()) > 0:
        try:
            child.read_nonblocking(65_536, timeout=left)
        except pexpect.TIMEOUT:
            return


def busy(home: Path, rate: int) -> tuple[list[float], float]:
    """Measure the program at so many messages a second; give the times of the keys and its share of a core."""
    process = PracticeProcess(["--data", str(home / "exchange"), "--rate", str(rate), "--markets", str(MARKETS)])
    try:
        ready = process.ready()
        keys = {"KALSHI_API_KEY_ID": ready.api_key_id, "KALSHI_PRIVATE_KEY_PATH": str(ready.private_key_path)}
        child = pexpect.spawn(
            sys.executable,
            ["-m", "kalshi_tui", "--rest-url", ready.rest_url],
            env=environment(home) | keys,
            dimensions=(50, 140),
            timeout=60,
        )
        pause(child, 5.0)
        before, start = processor_s(child.pid), time.perf_counter()
        taken = pressed(child)
        share = (processor_s(child.pid) - before) / (time.perf_counter() - start) * 100
        child.close(force=True)
        return taken, share
    finally:
        process.end()


def empty(home: Path) -> list[float]:
    """Measure an application that does nothing else."""
    child = pexpect.spawn(sys.executable, ["-c", EMPTY], env=environment(home), dimensions=(50, 140), timeout=60)
    pause(child, 2.0)
    taken = pressed(child)
    child.close(force=True)
    return taken


def at(taken: list[float], percent: int) -> float:
    """Give a percentile."""
    return taken[min(len(taken) * percent // 100, len(taken) - 1)]


def run() -> list[Figure]:
    """Measure at two paces."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        idle = empty(home)
        made = []
        for rate, median_ms, late_ms in ((5_000, 25, 60), (20_000, None, 120)):
            taken, share = busy(home / str(rate), rate)
            what = f"a key to its paint at {rate:,}/s"
            note = f"{share:.0f}% of a core"
            middle = statistics.median(taken)
            reference = "an empty Textual app, median"
            made.append(Figure(f"{what}, median", reference, middle, statistics.median(idle), "ms", note=note))
            if median_ms:
                made.append(Figure(f"{what}, median beside its goal", f"{median_ms} ms", middle, median_ms, "ms", 1))
            late = at(taken, 99)
            made.append(Figure(f"{what}, p99 beside its goal", f"{late_ms} ms", late, late_ms, "ms", 1))
        return made
