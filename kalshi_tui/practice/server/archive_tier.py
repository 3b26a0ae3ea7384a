"""What has left the live endpoints for the archive, and when (docs/kalshi-api.md, section 15)."""

from collections.abc import Callable, Iterable
from enum import Enum
from typing import Final

from kalshi_tui.domain.market import MarketStatus
from kalshi_tui.practice.engine.model import ListedMarket
from kalshi_tui.practice.engine.records import OrderRecord, OrderStatus

ARCHIVED_AFTER_MS: Final = 14 * 86_400_000
"""Two weeks, as on the exchange for orders; how far back it keeps the rest is not known."""
HANDOFF_DELAY_MS: Final = 3_600_000
"""How much later than their cut-off the settled positions of an event move, so that it is only a horizon."""


class ArchivedKind(Enum):
    """What has a cut-off of its own. The values are the exchange's names of the cut-offs."""

    MARKETS = "market_settled_ts"
    TRADES = "trades_created_ts"
    ORDERS = "orders_updated_ts"
    POSITIONS = "market_positions_last_updated_ts"


class ArchiveTier:
    """What is older than a cut-off is in the archive and nowhere else. The cut-offs move with the exchange's clock."""

    def __init__(self, clock_ms: Callable[[], int], after_ms: int = ARCHIVED_AFTER_MS) -> None:
        self._clock_ms = clock_ms
        self.after_ms = dict.fromkeys(ArchivedKind, after_ms)
        """How long after its end a thing leaves the live endpoints, by kind."""
        self.gap_ms = 0
        """How much later it comes to the archive: until then it is nowhere. Below 0 it is in both for so long."""

    def cutoff_ms(self, kind: ArchivedKind) -> int:
        """Return the Unix ms before which things of a kind are gone from the live endpoints."""
        return max(0, self._clock_ms() - self.after_ms[kind])

    def is_live(self, kind: ArchivedKind, ended_ms: int) -> bool:
        """Return whether the live endpoints have a thing that ended at this time."""
        return ended_ms >= self.cutoff_ms(kind)

    def is_archived(self, kind: ArchivedKind, ended_ms: int) -> bool:
        """Return whether the archive has a thing that ended at this time."""
        return ended_ms < self.cutoff_ms(kind) - self.gap_ms

    def has_live_order(self, order: OrderRecord) -> bool:
        """Return whether an order is in the live list. A resting one always is."""
        return order.status is OrderStatus.RESTING or self.is_live(ArchivedKind.ORDERS, order.updated_ms)

    def has_archived_order(self, order: OrderRecord) -> bool:
        """Return whether an order is in the archive."""
        return order.status is not OrderStatus.RESTING and self.is_archived(ArchivedKind.ORDERS, order.updated_ms)

    def has_live_market(self, listing: ListedMarket) -> bool:
        """Return whether a market is among the live ones, with its candles. One that is not settled always is."""
        return not listing.settled_ms or self.is_live(ArchivedKind.MARKETS, listing.settled_ms)

    def has_archived_market(self, listing: ListedMarket) -> bool:
        """Return whether a market is in the archive."""
        return bool(listing.settled_ms) and self.is_archived(ArchivedKind.MARKETS, listing.settled_ms)

    def has_live_positions(self, event_markets: Iterable[ListedMarket]) -> bool:
        """Return whether the settled positions of an event are still live: they move together."""
        settled_ms = _event_settled_ms(event_markets)
        return settled_ms is None or self.is_live(ArchivedKind.POSITIONS, settled_ms + HANDOFF_DELAY_MS)

    def has_archived_positions(self, event_markets: Iterable[ListedMarket]) -> bool:
        """Return whether the archive has the settled positions of an event."""
        settled_ms = _event_settled_ms(event_markets)
        return settled_ms is not None and self.is_archived(ArchivedKind.POSITIONS, settled_ms + HANDOFF_DELAY_MS)


def _event_settled_ms(event_markets: Iterable[ListedMarket]) -> int | None:
    """Return when the last market of an event settled; None while one of them has not."""
    markets = list(event_markets)
    if not markets or any(each.status is not MarketStatus.FINALIZED for each in markets):
        return None
    return max(each.settled_ms for each in markets)
