"""Waiting for a time, by a clock that tests may hand in, or for something to happen."""

import asyncio
from collections.abc import Awaitable, Callable

Sleep = Callable[[float], Awaitable[None]]


async def sleep_unless(sleep: Sleep, seconds: float, event: asyncio.Event) -> bool:
    """Wait for so long, but not longer than until the event; say whether it is set. It is left as it is."""
    waits = [asyncio.ensure_future(sleep(seconds)), asyncio.ensure_future(event.wait())]
    try:
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for each in waits:
            each.cancel()
    return event.is_set()
