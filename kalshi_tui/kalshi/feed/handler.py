"""`FeedHandler`: the interface that the stream calls as frames come; nothing is queued in between.

Plain calls, not event objects: a call costs a tenth of an allocation at 20,000 frames a second.
"""

from collections.abc import Callable, Sequence
from typing import Protocol

from kalshi_tui.domain.book import Side
from kalshi_tui.domain.link import LinkState
from kalshi_tui.domain.market import Quote, Trade
from kalshi_tui.domain.order import Fill, Order
from kalshi_tui.domain.position import Position
from kalshi_tui.domain.price import Count, Price

Levels = Sequence[tuple[Price, Count]]
ApplyDelta = Callable[[Side, Price, Count], object]
"""Changes one level of one book by a signed count. Raises BookError, changing nothing, if that cannot be."""


class FeedHandler(Protocol):
    """Takes a stream's contents. Only `snapshot` and what it returns may raise, and only `BookError`.

    A `BookError` tells the stream that the book cannot be true; it makes the whole subscription stale and repairs it.
    """

    def snapshot(self, ticker: str, yes: Levels, no: Levels) -> ApplyDelta:
        """Replace a book, trust it, and return what takes its changes. Raises BookError if the levels cannot be a book.

        The returned function is called until the book is stale or replaced: no book is looked up for a change.
        """

    def stale(self, tickers: Sequence[str], why: str) -> None:
        """Stop trusting these books until their next snapshot; ``why`` is a sentence for the log."""

    def quote(self, ticker: str, quote: Quote) -> None:
        """Take a market's ticker frame. ``previous`` and ``volume_24h`` do not come this way: keep the known ones."""

    def trade(self, trade: Trade) -> None:
        """Take a public trade."""

    def fill(self, fill: Fill) -> None:
        """Take a fill of the account. It may come twice, before or after the order's own change."""

    def order(self, order: Order) -> None:
        """Take a change of one of the account's orders."""

    def position(self, position: Position) -> None:
        """Take a market's position as the exchange has it."""

    def lifecycle(self, ticker: str, event_type: str) -> None:
        """Take a change of a market's status, dates or grid (``event_type``, the exchange's word): read it again."""

    def event_fees(self, event_ticker: str, fee_type: str, multiplier: int | None) -> None:
        """Take an event's new fee overrides, the multiplier in 1/1,000,000; an empty type and None clear them."""

    def link(self, state: LinkState, detail: str) -> None:
        """Take the connection's state. On LIVE after an absence the account has to be reconciled by REST."""
