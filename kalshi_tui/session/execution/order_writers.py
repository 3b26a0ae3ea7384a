"""One writer an order: a renewal of its expiry and a change by the trader never run at the same time.

Every amendment carries price and count. If a renewal were under way while the trader changes the order, the one that
arrives last would win, and could bring back the price or count of before.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

MAX_WAIT_S: Final = 5.0


class WriterBusyError(Exception):
    """Report that another request about the order has no answer yet. Nothing was sent."""


class OrderWriters:
    """Holds which orders are being written to, by order id."""

    def __init__(self) -> None:
        self._locks: dict[str, asyncio.Lock] = {}

    def is_busy(self, order_id: str) -> bool:
        """Return whether a request about an order is under way."""
        return order_id in self._locks

    @asynccontextmanager
    async def exclusive(self, order_id: str, max_wait_s: float = MAX_WAIT_S) -> AsyncIterator[None]:
        """Be the only writer of an order in an ``async with`` block. Raises WriterBusyError after ``max_wait_s``."""
        lock = self._locks.setdefault(order_id, asyncio.Lock())
        try:
            async with asyncio.timeout(max_wait_s):
                await lock.acquire()
        except TimeoutError:
            raise WriterBusyError from None
        try:
            yield
        finally:
            lock.release()
            # Nobody holds it and nobody waits: without this there would be a lock for every order of the day.
            if not lock.locked() and not getattr(lock, "_waiters", None):
                self._locks.pop(order_id, None)
