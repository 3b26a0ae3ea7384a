"""One writer an order: a renewal of its expiry and a change by the trader never run at the same time.

Every amendment carries price and count. If a renewal were under way while the trader changes the order, the one that
arrives last would win, and could bring back the price or count of before. So it is with two programs on one journal.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final

from kalshi_tui.session.execution.shared_writers import SharedWriters
from kalshi_tui.session.timing import Sleep, boot_clock_s

MAX_WAIT_S: Final = 5.0
POLL_INTERVAL_S: Final = 0.1


class WriterBusyError(Exception):
    """Report that another request about the order has no answer yet. Nothing was sent.

    ``elsewhere``: it may be of another program on the journal.
    """

    def __init__(self, *, elsewhere: bool = False) -> None:
        self.elsewhere = elsewhere
        super().__init__()


@dataclass(slots=True)
class _Turn:
    """Whose turn it is to write to one order."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    writers: int = 0
    """Who holds the lock or waits for it."""


class OrderWriters:
    """Holds which orders are being written to, by order id."""

    def __init__(
        self,
        shared: SharedWriters | None = None,
        timer_s: Callable[[], float] = boot_clock_s,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        """Take what other programs are asked through, if there may be others, and the timer that they share."""
        self._turns: dict[str, _Turn] = {}
        self._shared = shared
        self._timer_s = timer_s
        self._sleep = sleep

    def is_busy(self, order_id: str) -> bool:
        """Return whether a request about an order is under way."""
        return order_id in self._turns

    @asynccontextmanager
    async def exclusive(
        self, order_id: str, max_wait_s: float = MAX_WAIT_S, *, is_change: bool = True
    ) -> AsyncIterator[None]:
        """Be the only writer of an order in an ``async with`` block. Raises WriterBusyError after ``max_wait_s``.

        A request that is no change is a renewal. It does not wait for another program: its next turn comes.
        """
        turn = self._turns.setdefault(order_id, _Turn())
        turn.writers += 1
        try:
            try:
                async with asyncio.timeout(max_wait_s):
                    await turn.lock.acquire()
            except TimeoutError:
                raise WriterBusyError from None
            try:
                await self._claim(order_id, max_wait_s if is_change else 0.0, is_change=is_change)
                try:
                    yield
                finally:
                    if self._shared is not None:
                        self._shared.release(order_id, self._timer_s(), is_change=is_change)
            finally:
                turn.lock.release()
        finally:
            turn.writers -= 1
            # Counted, and not seen from the lock: whoever gives up just as it is handed over would leave the order busy
            # for good, and its expiry would not be renewed again.
            if not turn.writers:
                del self._turns[order_id]

    async def _claim(self, order_id: str, max_wait_s: float, *, is_change: bool) -> None:
        """Claim an order among all programs. Raises WriterBusyError."""
        deadline_s = self._timer_s() + max_wait_s
        while self._shared is not None and not self._shared.claim(order_id, self._timer_s(), is_change=is_change):
            if self._timer_s() >= deadline_s:
                raise WriterBusyError(elsewhere=True)
            await self._sleep(POLL_INTERVAL_S)
