"""Clocks, and waiting for a time or an event; tests hand in their own clock and sleep."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Final

_BOOT_CLOCK: Final = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


def boot_clock_s() -> float:
    """Return seconds of a clock that never jumps and runs on while the machine sleeps, as `time.monotonic` does not."""
    return time.clock_gettime(_BOOT_CLOCK)


Sleep = Callable[[float], Awaitable[None]]


async def sleep_until_event(sleep: Sleep, seconds: float, event: asyncio.Event) -> bool:
    """Sleep, but not longer than until the event is set; return whether it is. The event is left as it is."""
    waits = [asyncio.ensure_future(sleep(seconds)), asyncio.ensure_future(event.wait())]
    try:
        # Not a task group: it would wait for the longer of the two.
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for each in waits:
            each.cancel()
    return event.is_set()


class SessionTime:
    """This machine's time and the exchange's, in Unix milliseconds, as far as their difference is known."""

    def __init__(self, clock_ms: Callable[[], int]) -> None:
        self.local_ms = clock_ms
        self._skew_ms = 0

    @property
    def skew_ms(self) -> int:
        """The exchange's time minus this machine's, as it was measured last."""
        return self._skew_ms

    def set_skew(self, skew_ms: int) -> None:
        """Note a newer measurement of the difference."""
        self._skew_ms = skew_ms

    def exchange_ms(self) -> int:
        """Return the exchange's time."""
        return self.local_ms() + self._skew_ms
