"""The book of one market, live."""

from kalshi_tui.domain.link import Trust
from kalshi_tui.session.store import Dirty, Store, Topic
from kalshi_tui.ui.book_view import book_columns, book_header, book_lines, own_orders
from kalshi_tui.ui.lines import Line, Span, Tone, line
from kalshi_tui.ui.order_text import held_words
from kalshi_tui.ui.watch_view import short_label
from kalshi_tui.ui.widgets.line_view import LineView

HEAD = 3
"""Lines above the first level."""
TOPICS = frozenset({Topic.ORDERS, Topic.MARKETS, Topic.POSITIONS})


class BookPane(LineView):
    """YES bids and NO bids side by side, best first, with the asks that they imply."""

    def __init__(self, store: Store) -> None:
        super().__init__(id="book")
        self._store = store
        self._ticker = ""

    def look_at(self, ticker: str) -> None:
        """Show another market."""
        self._ticker = ticker
        self.redraw()

    def frame(self, dirty: Dirty) -> None:
        """Draw if this market changed."""
        if self._ticker in dirty.tickers or dirty.topics & TOPICS:
            self.redraw()

    def redraw(self) -> None:
        """Draw; lines that are as before cost nothing further."""
        market = self._store.markets.get(self._ticker)
        if market is None:
            self.show([])
            return
        width, rows = self.room, max(self.size.height - HEAD, 0)
        live = self._store.book(market.ticker)
        quote = self._store.quotes.get(market.ticker)
        own = own_orders(self._store.orders.values(), market.ticker)
        held = held_words(self._store.positions.get(market.ticker))
        name = short_label(market, max(width - len(held) - 1, 0))
        title: Line = line(Span(name, Tone.HEAD), Span(f" {held}" if held else "", Tone.OWN))
        levels = book_lines(live, market, own, quote.last if quote else None, width, rows)
        self.show(
            [title, book_header(live, market, width), book_columns(width), *levels], dimmed=live.trust is not Trust.GOOD
        )
