"""A feed handler that keeps real books and remembers all else that it was given."""

from collections.abc import Sequence
from functools import partial

from kalshi_tui.domain.book import Book, Side
from kalshi_tui.domain.link import LinkState
from kalshi_tui.domain.market import Quote, Trade
from kalshi_tui.domain.order import Fill, Order
from kalshi_tui.domain.position import Position
from kalshi_tui.domain.price import Count, Price
from kalshi_tui.kalshi.feed.handler import ApplyDelta
from kalshi_tui.kalshi.feed.subscription import Happening, Report

KEY_ID = "7b1f9c1e-2f3a-4d51-9c39-0d9b1f6d2a11"


class BookHandler:
    """A feed handler that keeps real books and remembers all else that it was told."""

    def __init__(self) -> None:
        self.books: dict[str, Book] = {}
        self.good: set[str] = set()
        self.whys: list[str] = []
        self.quotes: dict[str, Quote] = {}
        self.trades: list[Trade] = []
        self.fills: list[Fill] = []
        self.orders: list[Order] = []
        self.positions: list[Position] = []
        self.events: list[tuple[str, str]] = []
        self.links: list[tuple[LinkState, str]] = []

    def snapshot(
        self, ticker: str, yes: Sequence[tuple[Price, Count]], no: Sequence[tuple[Price, Count]]
    ) -> ApplyDelta:
        self.books.setdefault(ticker, Book()).snapshot(yes, no)
        self.good.add(ticker)
        return partial(self._change, ticker)

    def _change(self, ticker: str, side: Side, price: Price, delta: Count) -> None:
        if ticker not in self.good:
            raise AssertionError(f"a change for {ticker}, which is not trusted")
        self.books[ticker].apply(side, price, delta)

    def stale(self, tickers: Sequence[str], why: str) -> None:
        self.good.difference_update(tickers)
        self.whys.append(why)

    def quote(self, ticker: str, quote: Quote) -> None:
        self.quotes[ticker] = quote

    def trade(self, trade: Trade) -> None:
        self.trades.append(trade)

    def fill(self, fill: Fill) -> None:
        self.fills.append(fill)

    def order(self, order: Order) -> None:
        self.orders.append(order)

    def position(self, position: Position) -> None:
        self.positions.append(position)

    def event_fees(self, event_ticker: str, fee_type: str, multiplier: int | None) -> None:
        """Ignore changes of fees."""

    def lifecycle(self, ticker: str, event_type: str) -> None:
        self.events.append((ticker, event_type))

    def link(self, state: LinkState, detail: str) -> None:
        self.links.append((state, detail))


class Reports(list[Report]):
    """What the feed told of its health."""

    def of(self, happening: Happening) -> list[Report]:
        return [report for report in self if report.happening is happening]
