"""Hours of a busy feed, as fast as they can be taken: what is held must not grow."""

import os
import sys

from benchmarks.frames import following, frames
from benchmarks.measure import Figure, memory_kb
from kalshi_tui.session.store import Store

A_SECOND = 2_000
HOURS = 1
FRAME_EVERY = 100
"""Messages between two frames of the screen, at twenty frames a second."""


def run(hours: int = HOURS) -> list[Figure]:
    """Take so many hours' deltas; compare the memory at the end with that after the first tenth."""
    snapshots, deltas = frames()
    store = Store(lambda: 0)
    protocol = following(store)
    wanted = hours * 3_600 * A_SECOND
    # The same day again and again: its numbers go on, and each of its rounds begins with its snapshots.
    done, early, seq = 0, 0, 0
    while done < wanted:
        for number, frame in enumerate((*snapshots, *deltas)):
            seq += 1
            protocol.receive(frame.replace(b'"seq":%d,' % (number + 1), b'"seq":%d,' % seq, 1))
            if number % FRAME_EVERY == 0:
                store.drain()
        done += len(deltas)
        early = early or (memory_kb(os.getpid()) if done * 10 >= wanted else 0)
    assert all(live.good for live in store.books.values())
    late = memory_kb(os.getpid())
    return [
        Figure(
            f"memory after {hours} h at {A_SECOND:,}/s", "after the first tenth", late / 1024, early / 1024, "MB", 1.05
        )
    ]


if __name__ == "__main__":
    for figure in run(int(sys.argv[1]) if len(sys.argv) > 1 else 8):
        print(figure.line())
