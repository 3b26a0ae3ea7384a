"""From a key to what it paints, in a real pseudo-terminal, while the market is busy; beside an empty application."""

import json
import random
import signal
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import pexpect

from benchmarks.measure import Figure, processor_s
from benchmarks.start import environment
from kalshi_tui.runtime.launch import PracticeProcess

PRESSES = 120
MARKETS = 200
SEED = 5
WITHIN_S = 2.0
SHOWS = {b"5": b"[5 Log", b"7": b"[7 Settl"}
"""What stands in brackets once a key has shown its list: nothing but that key paints it."""
REPORT_WITHIN_S = 60.0


class Goals(NamedTuple):
    """A pace and its goals; 0 where there is none."""

    rate: int
    median_ms: float
    late_ms: float
    loop_ms: float
    share: float


GOALS = (Goals(5_000, 25, 60, 20, 35), Goals(20_000, 0, 120, 0, 0))
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


class Busy(NamedTuple):
    """What was measured while the market was busy."""

    keys_ms: list[float]
    share: float
    """Of a core, in percent."""
    deltas: float
    """Frames of market data a second."""
    report: dict[str, float]
    """What the probe told."""


def busy(home: Path, rate: int) -> Busy:
    """Measure the program at so many messages a second, with every book followed."""
    process = PracticeProcess(["--data", str(home / "exchange"), "--rate", str(rate), "--markets", str(MARKETS)])
    try:
        ready = process.wait_until_ready()
        keys = {"KALSHI_API_KEY_ID": ready.api_key_id, "KALSHI_PRIVATE_KEY_PATH": str(ready.private_key_path)}
        report = home / "report.json"
        child = pexpect.spawn(
            sys.executable,
            ["-m", "benchmarks.probed", str(report), "--rest-url", ready.rest_url],
            env=environment(home) | keys,
            dimensions=(50, 140),
            timeout=60,
        )
        pause(child, 5.0)
        child.kill(signal.SIGUSR1)
        pause(child, 2.0)
        before, start = processor_s(child.pid), time.perf_counter()
        taken = pressed(child)
        seconds = time.perf_counter() - start
        share = (processor_s(child.pid) - before) / seconds * 100
        child.kill(signal.SIGUSR2)
        until = time.perf_counter() + REPORT_WITHIN_S
        while not report.exists() and time.perf_counter() < until:
            pause(child, 0.1)
        told = json.loads(report.read_text())
        child.close(force=True)
        return Busy(taken, share, told["frames"] / (seconds + 2.0), told)
    finally:
        process.stop()


def empty(home: Path) -> list[float]:
    """Measure an application that does nothing else."""
    child = pexpect.spawn(sys.executable, ["-c", EMPTY], env=environment(home), dimensions=(50, 140), timeout=60)
    pause(child, 2.0)
    taken = pressed(child)
    child.close(force=True)
    return taken


def at(taken: list[float], percent: int) -> float:
    """Return a percentile."""
    return taken[min(len(taken) * percent // 100, len(taken) - 1)]


def run() -> list[Figure]:
    """Measure at two paces."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        idle = statistics.median(empty(home))
        return [figure for goals in GOALS for figure in at_pace(home / str(goals.rate), goals, idle)]


def at_pace(home: Path, goals: Goals, idle_ms: float) -> list[Figure]:
    """Measure at one pace."""
    keys_ms, share, pace, told = busy(home, goals.rate)
    what = f"a key to its paint at {goals.rate:,}/s"
    middle, late = statistics.median(keys_ms), at(keys_ms, 99)
    note = f"{share:.0f}% of a core, {pace:,.0f} frames of market data a second, {told['books']} books"
    made = [Figure(f"{what}, median", "an empty Textual app, median", middle, idle_ms, "ms", note=note)]
    if goals.median_ms:
        goal = goals.median_ms
        made.append(Figure(f"{what}, median beside its goal", f"{goal} ms", middle, goal, "ms", 1))
    made.append(Figure(f"{what}, p99 beside its goal", f"{goals.late_ms} ms", late, goals.late_ms, "ms", 1))
    made += [
        Figure(f"{name} at {goals.rate:,}/s", f"the goal's {goal:g}", ours, goal, unit, 1)
        for name, ours, goal, unit in (
            ("lateness of the event loop, p99,", told["late_p99_ms"], goals.loop_ms, "ms"),
            ("share of a core", share, goals.share, "%"),
        )
        if goal
    ]
    right = f"books that are equal to the exchange's after {goals.rate:,}/s, {told['faults']:.0f} faults"
    made.append(Figure(right, "books followed", told["equal"], told["books"], "books", 1, least=True))
    return made
