"""Which executions are known, and what they add up to for each order."""

from collections import deque
from dataclasses import dataclass
from typing import Final

from kalshi_tui.domain.order import Fill
from kalshi_tui.domain.price import Count, Money

TRADE_ID_CAPACITY: Final = 10_000
"""How many trade ids are remembered, so that an execution counts once, however often and by whatever way it comes."""


@dataclass(slots=True)
class UnreportedExecutions:
    """Executions that no position contains yet: counts, and what they cost at the most (1/1,000,000 dollar)."""

    bids: Count = 0
    bid_cost: Money = 0
    asks: Count = 0
    ask_cost: Money = 0


class ExecutionLog:
    """The executions that have come, each once."""

    def __init__(self) -> None:
        self._filled_counts: dict[str, Count] = {}
        self._trade_ids: set[str] = set()
        self._trade_ids_by_age: deque[str] = deque()

    def knows(self, fill: Fill) -> bool:
        """Return whether this execution has come before."""
        return fill.trade_id in self._trade_ids

    def add(self, fill: Fill) -> None:
        """Add an execution, and forget the oldest trade id beyond the capacity."""
        self._filled_counts[fill.order_id] = self._filled_counts.get(fill.order_id, 0) + fill.count
        self._trade_ids.add(fill.trade_id)
        self._trade_ids_by_age.append(fill.trade_id)
        if len(self._trade_ids_by_age) > TRADE_ID_CAPACITY:
            self._trade_ids.discard(self._trade_ids_by_age.popleft())

    def filled_count(self, order_id: str) -> Count:
        """Return the sum of an order's known executions."""
        return self._filled_counts.get(order_id, 0)
