"""The one predicate of all lists: of orders, queue positions, fills, holdings, settlements, trades and markets."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from kalshi_tui.practice.engine.records import OrderStatus


@dataclass(frozen=True, slots=True)
class ListFilter:
    """What an item of a list must be. A field left alone accepts everything; times are Unix ms, both ends included."""

    tickers: Collection[str] = ()
    event_tickers: Collection[str] = ()
    series_ticker: str = ""
    order_id: str = ""
    status: OrderStatus | None = None
    min_ms: int | None = None
    max_ms: int | None = None
    exchange_index: int | None = None
    subaccount: int | None = None
    """The number of one of the member's subaccounts, None for all: it chooses whose items are looked at."""

    def matches(
        self,
        ticker: str,
        event_ticker: str = "",
        *,
        series_ticker: str = "",
        order_id: str = "",
        status: OrderStatus | None = None,
        ts_ms: int = 0,
        exchange_index: int | None = None,
    ) -> bool:
        """Return whether an item with these fields belongs to the list."""
        return (
            (not self.tickers or ticker in self.tickers)
            and (not self.event_tickers or event_ticker in self.event_tickers)
            and (not self.series_ticker or series_ticker == self.series_ticker)
            and (not self.order_id or order_id == self.order_id)
            and (self.status is None or status is self.status)
            and is_within(ts_ms, self.min_ms, self.max_ms)
            and (self.exchange_index is None or exchange_index == self.exchange_index)
        )


EVERYTHING: Final = ListFilter()


def is_within(ts_ms: int, min_ms: int | None, max_ms: int | None) -> bool:
    """Return whether a time lies between two, both included; None for no bound."""
    return (min_ms is None or ts_ms >= min_ms) and (max_ms is None or ts_ms <= max_ms)
