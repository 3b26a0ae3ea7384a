"""Hours of a busy feed, as fast as they can be taken: what is held must not grow, and nothing may be left over."""

import asyncio
import os
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

from benchmarks.frames import book_feed, frames
from benchmarks.measure import Figure, memory_kb
from kalshi_tui.runtime.compose import build_session, practice_access
from kalshi_tui.runtime.launch import PracticeProcess, PracticeReady
from kalshi_tui.session.practice_faults import FAULTS_BY_ID
from kalshi_tui.session.store import Store

A_SECOND = 2_000
HOURS = 8
FRAME_EVERY = 100
"""Messages between two frames of the screen, at twenty frames a second."""
RATE = 20_000
CUTS = 4
"""Times that the connection is cut while a session runs."""
SESSIONS = 3
FOLLOWED = 50


def grown(hours: int) -> Figure:
    """Take so many hours' deltas; compare the memory at the end with that after the first tenth."""
    snapshots, deltas = frames()
    store = Store(lambda: 0)
    protocol = book_feed(store)
    wanted = hours * 3_600 * A_SECOND
    # The same day again and again: its numbers go on, and each of its rounds begins with its snapshots.
    done, early, seq = 0, 0, 0
    while done < wanted:
        for number, frame in enumerate((*snapshots, *deltas)):
            seq += 1
            protocol.receive(frame.replace(b'"seq":%d,' % (number + 1), b'"seq":%d,' % seq, 1))
            if number % FRAME_EVERY == 0:
                store.take_changes()
        done += len(deltas)
        early = early or (memory_kb(os.getpid()) if done * 10 >= wanted else 0)
    assert all(live.is_good for live in store.books.values())
    late = memory_kb(os.getpid())
    name = f"memory after {hours} h at {A_SECOND:,}/s"
    return Figure(name, "after the first tenth", late / 1024, early / 1024, "MB", 1.05)


async def session(ready: PracticeReady) -> None:
    """Run a session on a busy exchange, have its connection cut again and again, and stop it."""
    made = build_session(practice_access(ready))
    await made.start()
    store = made.store
    await until(lambda: len(store.markets) >= FOLLOWED)
    tickers = list(store.markets)[:FOLLOWED]
    made.set_shown_markets(tickers)
    for _ in range(CUTS):
        await until(lambda: all(store.book(ticker).is_good for ticker in tickers))
        await until(partial(taken, store, store.frame_count + RATE // 10))
        made.inject_fault(FAULTS_BY_ID["drop"], "")
        await until(lambda: not any(store.book(ticker).is_good for ticker in tickers))
    await made.stop()


def taken(store: Store, frames: int) -> bool:
    """Do a screen's part, and say whether so many frames have come."""
    store.take_changes()
    return store.frame_count >= frames


async def until(condition: Callable[[], object]) -> None:
    """Wait, at the pace of a screen's frames."""
    async with asyncio.timeout(60):
        while not condition():  # noqa: ASYNC110 - the store is looked at, as a screen does
            await asyncio.sleep(0.02)


async def tasks_after(ready: PracticeReady) -> int:
    """Run a session, and count the tasks that are left of it."""
    await session(ready)
    return len(asyncio.all_tasks()) - 1


def left_over() -> list[Figure]:
    """Run sessions one after another; compare handles and tasks with what there was after the first."""
    with tempfile.TemporaryDirectory() as folder:
        process = PracticeProcess(["--data", folder, "--rate", str(RATE)])
        try:
            ready = process.wait_until_ready(60)
            # Libraries open what they keep for good at their first use.
            asyncio.run(session(ready))
            before = handles()
            tasks = [asyncio.run(tasks_after(ready)) for _ in range(SESSIONS)]
            after = handles()
        finally:
            process.stop()
    assert not any(tasks), f"{tasks} tasks are left over"
    note = f"{SESSIONS} sessions, each with {CUTS} cut connections; no task is left over"
    return [Figure("sockets and files open after sessions", "before", after, before, "handles", 1, note=note)]


def handles() -> int:
    """Count the open sockets and files."""
    return len(list(Path("/proc/self/fd").iterdir()))


def run(hours: int = HOURS) -> list[Figure]:
    """Measure both."""
    return [*left_over(), grown(hours)]


if __name__ == "__main__":
    for figure in run(int(sys.argv[1]) if len(sys.argv) > 1 else HOURS):
        print(figure.line())
