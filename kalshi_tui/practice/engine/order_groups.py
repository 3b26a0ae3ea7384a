"""Order groups: orders that fall together when too much of them matches too fast (docs/kalshi-api.md, section 6)."""

from collections import deque
from typing import Final

from kalshi_tui.domain.price import Count
from kalshi_tui.practice.engine.orders import EngineOrder
from kalshi_tui.practice.engine.records import GroupRecord

MATCH_WINDOW_MS: Final = 15_000
"""The rolling window in which matched contracts count."""


class EngineOrderGroup:
    """One group, on one shard. When more than ``limit`` matches within 15 s it is triggered, until it is reset."""

    __slots__ = ("account_id", "deleted", "exchange_index", "group_id", "limit", "matched", "orders", "triggered")

    def __init__(self, group_id: str, account_id: str, exchange_index: int, limit: Count) -> None:
        self.group_id = group_id
        self.account_id = account_id
        self.exchange_index = exchange_index
        self.limit = limit
        self.triggered = False
        self.deleted = False
        self.orders: dict[str, EngineOrder] = {}
        self.matched: deque[tuple[int, Count]] = deque()

    def matched_in_window(self, now: int) -> Count:
        """Return what matched within the window that ends now."""
        matched = self.matched
        while matched and matched[0][0] <= now - MATCH_WINDOW_MS:
            matched.popleft()
        return sum(count for _, count in matched)

    def add_match(self, count: Count, now: int) -> bool:
        """Count a match in; tell whether the limit is passed now."""
        self.matched.append((now, count))
        return self.matched_in_window(now) > self.limit

    def reset(self) -> None:
        """Begin anew."""
        self.triggered = False
        self.matched.clear()

    def to_record(self) -> GroupRecord:
        """Return the group as it stands now."""
        return GroupRecord(
            group_id=self.group_id,
            account_id=self.account_id,
            exchange_index=self.exchange_index,
            limit=self.limit,
            triggered=self.triggered,
            order_ids=tuple(self.orders),
            matched=tuple(self.matched),
            deleted=self.deleted,
        )
