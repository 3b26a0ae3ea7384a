"""Which executions are known, and what they add up to for each order."""

from collections import deque
from dataclasses import dataclass
from typing import Final

from kalshi_tui.domain.order import Fill
from kalshi_tui.domain.price import Count, Money

EXECUTION_CAPACITY: Final = 10_000
"""How many executions are remembered, so that each counts once, however often and by whatever way it comes."""


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
        self._known: set[tuple[str, str]] = set()
        self._known_by_age: deque[tuple[str, str]] = deque()

    def knows(self, fill: Fill) -> bool:
        """Return whether this execution has come before."""
        return fill.key in self._known

    def add(self, fill: Fill) -> None:
        """Add an execution, and forget the oldest one beyond the capacity."""
        self._filled_counts[fill.order_id] = self._filled_counts.get(fill.order_id, 0) + fill.count
        self._known.add(fill.key)
        self._known_by_age.append(fill.key)
        if len(self._known_by_age) > EXECUTION_CAPACITY:
            self._known.discard(self._known_by_age.popleft())

    def filled_count(self, order_id: str) -> Count:
        """Return the sum of an order's known executions."""
        return self._filled_counts.get(order_id, 0)
