"""What differs between an exchange whose books are made by its orders, and one whose books follow a recording."""

from collections.abc import Iterable
from typing import Protocol

from kalshi_tui.practice.engine.events import EventLog, QuoteChanged
from kalshi_tui.practice.engine.model import EngineOrder, ListedMarket
from kalshi_tui.practice.engine.records import MarketRecord


class BookPolicy(Protocol):
    """The answers that the engine's parts ask for where the two kinds of exchange differ."""

    def update_quote(self, listing: ListedMarket, now: int, *, traded: bool = False) -> None:
        """Emit a changed top of the book, or that a trade changed the market's figures."""

    def orders_to_cancel(self, listing: ListedMarket) -> Iterable[EngineOrder]:
        """Return the resting orders that a close, a result or a reactivation cancels."""

    def saved_market(self, record: MarketRecord) -> MarketRecord | None:
        """Return the state to restore a market from, None to leave it as it is."""


class OwnBooks:
    """The books are the exchange's own: every quote comes from its resting orders."""

    def __init__(self, event_log: EventLog) -> None:
        self._event_log = event_log

    def update_quote(self, listing: ListedMarket, now: int, *, traded: bool = False) -> None:
        """Emit a changed top of the book, or that a trade changed the market's figures."""
        top = listing.book.top()
        if top != listing.top:
            listing.top = top
            listing.candles.add_quote(now, top[0], top[2], listing.open_interest)
        elif not traded:
            return
        self._event_log.emit(QuoteChanged(listing.ticker, now))

    def orders_to_cancel(self, listing: ListedMarket) -> Iterable[EngineOrder]:
        """Return all resting orders, in the order in which they would trade."""
        return [order for side in listing.book.sides for order in side.orders()]

    def saved_market(self, record: MarketRecord) -> MarketRecord | None:
        """Return the state as it was saved."""
        return record
