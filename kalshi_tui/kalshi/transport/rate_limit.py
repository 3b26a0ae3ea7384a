"""The account's rate limits: a token bucket for reads, and one for writes that serves cancels first.

docs/kalshi-api.md, section 10.
"""

import asyncio
import heapq
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from itertools import count
from typing import Final

DEFAULT_COST: Final = 10
CANCEL_COST: Final = 2
DEFAULT_WRITES_PER_SECOND: Final = 100
"""Tokens a second of the lowest tier, until the account's own limits have been read."""
CANCEL_RESERVE: Final = 20
"""Tokens that orders leave for cancels: ten of them go out at once, however many orders were sent just before."""
MAX_ORDER_WAIT_S: Final = 5.0
POLL_INTERVAL_S: Final = 0.02


class TooBusyError(Exception):
    """Report that no tokens came within `MAX_ORDER_WAIT_S`. Nothing was sent."""


@dataclass(slots=True)
class RefillingTokens:
    """Tokens that come back by the clock; what they are for decides whether they may fall below zero."""

    tokens: float
    refilled_at: float
    """Seconds of a timer that never jumps."""

    def refill(self, now_s: float, per_second: float, capacity: float) -> None:
        """Add what has come back since the last time, up to ``capacity``."""
        self.tokens = min(self.tokens + (now_s - self.refilled_at) * per_second, float(capacity))
        self.refilled_at = now_s


class ReadBudget:
    """Hold the tokens for reads: none are counted until the account's limits have been read. No read fails for them."""

    def __init__(
        self,
        *,
        timer_s: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """Start without limits; ``timer_s`` must never jump."""
        self._per_second = self._capacity = 0
        self._timer_s = timer_s
        self._sleep = sleep
        self._bucket = RefillingTokens(0.0, timer_s())

    def set_limits(self, per_second: int, capacity: int) -> None:
        """Use the account's own limits from now on, with a full bucket the first time; 0: the exchange told none."""
        if per_second > 0:
            if not self._per_second:
                self._bucket = RefillingTokens(float(max(capacity, per_second)), self._timer_s())
            self._per_second, self._capacity = per_second, max(capacity, per_second)

    async def acquire(self, cost: int) -> None:
        """Spend ``cost`` tokens, and wait for them if the bucket has not so many."""
        if not self._per_second:
            return
        bucket = self._refilled()
        # Below zero the bucket says who comes first: each read waits for what those before it have taken.
        bucket.tokens -= min(cost, self._capacity)
        if bucket.tokens < 0:
            await self._sleep(-bucket.tokens / self._per_second)

    def empty(self) -> None:
        """Take the bucket for empty: the exchange has refused a read as one too many."""
        bucket = self._refilled()
        bucket.tokens = min(bucket.tokens, 0.0)

    def _refilled(self) -> RefillingTokens:
        self._bucket.refill(self._timer_s(), self._per_second, self._capacity)
        return self._bucket


class WriteBudget:
    """Hold the tokens for writes. Cancels go ahead of waiting orders, and only they may take the last tokens."""

    def __init__(
        self,
        per_second: int = DEFAULT_WRITES_PER_SECOND,
        capacity: int = DEFAULT_WRITES_PER_SECOND,
        *,
        timer_s: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """Start with a full bucket; ``timer_s`` must never jump."""
        self._per_second = per_second
        self._capacity = capacity
        self._timer_s = timer_s
        self._sleep = sleep
        self._bucket = RefillingTokens(float(capacity), timer_s())
        self._waiting: list[tuple[bool, int]] = []
        self._ticket_numbers = count()

    def set_limits(self, per_second: int, capacity: int) -> None:
        """Use the account's own limits from now on; a limit of 0 means that the exchange told none."""
        if per_second > 0:
            self._per_second, self._capacity = per_second, max(capacity, per_second)

    @property
    def per_second(self) -> int:
        """The tokens that come back in a second."""
        return self._per_second

    def read_budget(self) -> ReadBudget:
        """Return a budget for reads that goes by the same clock."""
        return ReadBudget(timer_s=self._timer_s, sleep=self._sleep)

    def full_copy(self) -> "WriteBudget":
        """Return a full bucket with the same limits and clock."""
        return WriteBudget(self._per_second, self._capacity, timer_s=self._timer_s, sleep=self._sleep)

    def wait_deadline_s(self) -> float:
        """Return until when an order that begins to wait now may wait, by the timer of this budget and its copies."""
        return self._timer_s() + MAX_ORDER_WAIT_S

    def can_spare(self, cost: int) -> bool:
        """Return whether ``cost`` tokens are left for what gives way: nobody waits, and one more order need not."""
        needed = min(cost + CANCEL_RESERVE + DEFAULT_COST, self._capacity)
        return not self._waiting and self._refilled().tokens >= needed

    def spend_spare(self, cost: int) -> None:
        """Spend ``cost`` tokens that `can_spare` has. Raises TooBusyError at once if they are not to spare."""
        if not self.can_spare(cost):
            raise TooBusyError
        self._bucket.tokens -= cost

    async def acquire(self, cost: int, *, urgent: bool, deadline_s: float | None = None) -> None:
        """Wait for ``cost`` tokens and spend them. Raises TooBusyError if they do not come in time.

        ``deadline_s`` is a `wait_deadline_s` of before, for one who waits for several budgets.
        A cancel waits as long as it must: to give up on it would leave an order resting.
        """
        turn = (not urgent, next(self._ticket_numbers))
        heapq.heappush(self._waiting, turn)
        deadline_s = self.wait_deadline_s() if deadline_s is None else deadline_s
        try:
            while True:
                bucket = self._refilled()
                # A batch may cost more than the bucket holds: it goes when the bucket is full, or it would never go.
                needed = min(cost + (0 if urgent else CANCEL_RESERVE), self._capacity)
                if self._waiting[0] == turn and bucket.tokens >= needed:
                    bucket.tokens -= cost
                    return
                if not urgent and self._timer_s() >= deadline_s:
                    raise TooBusyError
                await self._sleep(POLL_INTERVAL_S)
        finally:
            self._waiting.remove(turn)
            heapq.heapify(self._waiting)

    def _refilled(self) -> RefillingTokens:
        self._bucket.refill(self._timer_s(), self._per_second, self._capacity)
        return self._bucket
