"""Interleaved repetitions of two pieces of work, and their medians."""

import gc
import os
import platform
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """One comparison: seconds for the same number of items by our code and by the reference."""

    name: str
    reference: str
    items: int
    ours_s: float
    reference_s: float

    @property
    def ratio(self) -> float:
        """How many times the reference's time ours takes."""
        return self.ours_s / self.reference_s

    def line(self) -> str:
        """Write the figure as one line."""
        ours, reference = (seconds / self.items * 1e6 for seconds in (self.ours_s, self.reference_s))
        return f"{self.name}: {ours:.3f} us an item; {self.reference}: {reference:.3f} us; ratio {self.ratio:.2f}"


def compare(
    name: str, ours: Callable[[], object], reference_name: str, reference: Callable[[], object], *, items: int
) -> Figure:
    """Run both, turn by turn, and keep the medians; the machine's mood then falls on both alike."""
    taken: tuple[list[float], list[float]] = ([], [])
    for _ in range(7):
        for times, work in zip(taken, (ours, reference), strict=True):
            gc.collect()
            start = time.perf_counter()
            work()
            times.append(time.perf_counter() - start)
    return Figure(name, reference_name, items, statistics.median(taken[0]), statistics.median(taken[1]))


def machine() -> str:
    """Say what this ran on."""
    python = f"{platform.python_implementation()} {platform.python_version()}"
    return f"{python}, {platform.machine()}, {os.cpu_count()} cores"
