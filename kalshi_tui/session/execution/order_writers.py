"""One writer an order: a renewal of its expiry and a change by the trader never run at the same time.

Every amendment carries price and count. If a renewal were under way while the trader changes the order, the one that
arrives last would win, and could bring back the price or count of before.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final

MAX_WAIT_S: Final = 5.0


class WriterBusyError(Exception):
    """Report that another request about the order has no answer yet. Nothing was sent."""


@dataclass(slots=True)
class _Turn:
    """Whose turn it is to write to one order."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    writers: int = 0
    """Who holds the lock or waits for it."""


class OrderWriters:
    """Holds which orders are being written to, by order id."""

    def __init__(self) -> None:
        self._turns: dict[str, _Turn] = {}

    def is_busy(self, order_id: str) -> bool:
        """Return whether a request about an order is under way."""
        return order_id in self._turns

    @asynccontextmanager
    async def exclusive(self, order_id: str, max_wait_s: float = MAX_WAIT_S) -> AsyncIterator[None]:
        """Be the only writer of an order in an ``async with`` block. Raises WriterBusyError after ``max_wait_s``."""
        turn = self._turns.setdefault(order_id, _Turn())
        turn.writers += 1
        try:
            try:
                async with asyncio.timeout(max_wait_s):
                    await turn.lock.acquire()
            except TimeoutError:
                raise WriterBusyError from None
            try:
                yield
            finally:
                turn.lock.release()
        finally:
            turn.writers -= 1
            # Counted, and not seen from the lock: whoever gives up just as it is handed over would leave the order busy
            # for good, and its expiry would not be renewed again.
            if not turn.writers:
                del self._turns[order_id]
