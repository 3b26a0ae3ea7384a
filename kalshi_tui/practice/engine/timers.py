"""The engine's time: a clock that never runs backwards, and what is due at a later time."""

import heapq
from collections.abc import Callable
from itertools import count

TimerAction = Callable[[int], None]
"""What to do when something is due, called with the time that it is done at."""
_Timer = tuple[int, int, TimerAction]
"""When it is due, a number that keeps the order of equals, the action."""


class EngineClock:
    """Time in Unix milliseconds, read from ``read_ms``; ``now`` is the time of the last operation."""

    def __init__(self, read_ms: Callable[[], int]) -> None:
        self.read_ms = read_ms
        self.now = read_ms()
        self._timers: list[_Timer] = []
        self._timer_numbers = count()

    def advance(self) -> int:
        """Read the clock and do what has become due, each at the time it was due. Return the time."""
        now = max(self.now, self.read_ms())
        timers = self._timers
        while timers and timers[0][0] <= now:
            due, _, act = heapq.heappop(timers)
            # Each at its own time, so that a clock that jumps past an hour leaves the same history as one that ran.
            self.now = max(self.now, due)
            act(self.now)
        self.now = now
        return now

    def schedule_at(self, due_ms: int, act: TimerAction) -> None:
        """Do something at a time. A timer cannot be taken back: the action checks whether it still applies."""
        heapq.heappush(self._timers, (due_ms, next(self._timer_numbers), act))

    def clear_timers(self) -> None:
        """Forget all that was to be done."""
        self._timers.clear()

    @property
    def next_due_ms(self) -> int | None:
        """When `advance` next has something to do, None for never."""
        return self._timers[0][0] if self._timers else None
