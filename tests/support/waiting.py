"""Waiting for a condition of somebody else's, with a bound that only a defect reaches."""

import asyncio
from collections.abc import Callable
from typing import Final

GENEROUS_S: Final = 60.0
"""A busy machine takes seconds for what an idle one does at once; only what never comes takes this long."""


async def until(condition: Callable[[], object], within_s: float = GENEROUS_S) -> None:
    """Wait until something is so."""
    async with asyncio.timeout(within_s):
        while not condition():
            await asyncio.sleep(0.005)
