"""Interleaved repetitions of two pieces of work, and their medians."""

import gc
import os
import platform
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

TURNS = 7


@dataclass(frozen=True, slots=True)
class Figure:
    """One comparison: what ours measures and what the reference does, in the same unit, from the same run.

    ``bound`` is the ratio that the goal allows: at the most, or at the least where ``least``.
    """

    name: str
    reference: str
    ours: float
    theirs: float
    unit: str = "us"
    bound: float | None = None
    least: bool = False
    note: str = ""

    @property
    def ratio(self) -> float:
        """How many times the reference's figure ours is."""
        return self.ours / self.theirs

    @property
    def met(self) -> bool | None:
        """Whether the goal is met; None where there is none."""
        if self.bound is None:
            return None
        return self.ratio >= self.bound if self.least else self.ratio <= self.bound

    @property
    def goal(self) -> str:
        """Write the goal."""
        return "" if self.bound is None else f"{'at least' if self.least else 'at most'} {self.bound:g}"

    def line(self) -> str:
        """Write the figure as one line."""
        goal = f"; goal {self.goal}: {'met' if self.met else 'NOT MET'}" if self.goal else ""
        note = f" ({self.note})" if self.note else ""
        return (
            f"{self.name}: {self.ours:,.3f} {self.unit}; {self.reference}: {self.theirs:,.3f} {self.unit}; "
            f"ratio {self.ratio:.2f}{goal}{note}"
        )


def compare(
    name: str,
    ours: Callable[[], object],
    reference_name: str,
    reference: Callable[[], object],
    *,
    items: int,
    bound: float | None = None,
    least: bool = False,
    turns: int = TURNS,
) -> Figure:
    """Run both, turn by turn, and keep the medians of microseconds an item; the machine's mood falls on both alike."""
    taken: tuple[list[float], list[float]] = ([], [])
    for _ in range(turns):
        for times, work in zip(taken, (ours, reference), strict=True):
            times.append(seconds(work) / items * 1e6)
    return Figure(
        name, reference_name, statistics.median(taken[0]), statistics.median(taken[1]), bound=bound, least=least
    )


def seconds(work: Callable[[], object]) -> float:
    """Time one run, from a clean heap."""
    gc.collect()
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def machine() -> str:
    """Return what this ran on."""
    python = f"{platform.python_implementation()} {platform.python_version()}"
    return f"{python}, {platform.system()} {platform.machine()}, {os.cpu_count()} cores"


def memory_kb(pid: int) -> int:
    """Return the resident memory of a process."""
    with open(f"/proc/{pid}/status", encoding="ascii") as file:  # noqa: PTH123 - a file of the kernel's
        return next(int(line.split()[1]) for line in file if line.startswith("VmRSS"))


def processor_s(pid: int) -> float:
    """Return the processor time that a process has used."""
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:  # noqa: PTH123 - a file of the kernel's
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
