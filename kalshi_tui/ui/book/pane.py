"""The book of one market, live, with a cursor that holds on to a price."""

from textual.events import Click
from textual.message import Message

from kalshi_tui.domain.book import Side
from kalshi_tui.domain.link import Trust
from kalshi_tui.domain.order import yes_price
from kalshi_tui.domain.price import Price
from kalshi_tui.presentation.lines import (
    Line,
    Span,
    Tone,
    line,
)
from kalshi_tui.presentation.order_text import held_words
from kalshi_tui.session.store import Dirty, Store, Topic
from kalshi_tui.ui.book.cursor import (
    Choice,
    entered,
    first,
    no_price,
    shown,
)
from kalshi_tui.ui.book.view import (
    book_columns,
    book_header,
    book_lines,
    own_orders,
    rows_above,
    side_at,
)
from kalshi_tui.ui.market_list.view import short_label
from kalshi_tui.ui.widgets.line_view import LineView

HEAD = 3
"""Lines above the first level."""
TOPICS = frozenset({Topic.ORDERS, Topic.MARKETS, Topic.POSITIONS})


class BookPane(LineView):
    """YES bids and NO bids side by side, best first, with the asks that they imply.

    While it has the focus one level is chosen, on the best bid to begin with. The choice stays at its price whatever
    comes and goes around it, also when nothing stands there any more: a key must not hit a price that moved under it.
    """

    class PriceChosen(Message):
        """Another price is the chosen one, or none any more."""

    def __init__(self, store: Store) -> None:
        super().__init__(id="book")
        self.can_focus = True
        self._store = store
        self._ticker = ""
        self.choice: Choice | None = None

    def look_at(self, ticker: str) -> None:
        """Show another market; no price of it is chosen."""
        if ticker != self._ticker:
            self._ticker, self.choice = ticker, None
        self.redraw()

    @property
    def no_price(self) -> str:
        """Why the cursor names no price to trade at; empty if it does."""
        return no_price(self._store.book(self._ticker).book, self.choice)

    @property
    def ticker(self) -> str:
        """The market that is shown."""
        return self._ticker

    # Choosing.

    def move(self, by: int) -> None:
        """Choose a level further down, or up for a count below 0."""
        book = self._store.book(self._ticker).book
        self._choose(self.choice.moved(book, by) if self.choice is not None else entered(book))

    def choose_at(self, at: Price) -> None:
        """Choose the level at a YES price, as chosen in the ladder, if anything stands there."""
        book = self._store.book(self._ticker).book
        choices = (Choice(side, yes_price(side, at)) for side in (Side.YES, Side.NO))
        self._choose(next((each for each in choices if each.stands(book)), self.choice))

    def turn(self, side: Side) -> None:
        """Choose among the bids for this outcome, in the same row."""
        book = self._store.book(self._ticker).book
        if self.choice is None:
            self._choose(first(book, side))
        elif self.choice.side is not side:
            self._choose(self.choice.across(book))

    def on_focus(self) -> None:
        """Begin on the best bid, unless a price is chosen still."""
        if self.choice is None:
            self._choose(entered(self._store.book(self._ticker).book))

    def on_blur(self) -> None:
        """Give the choice up, unless it is the terminal that has lost the focus: then it comes back to the same."""
        if self.screen.focused not in {None, self}:
            self._choose(None)

    def on_click(self, event: Click) -> None:
        """Choose the level under the pointer."""
        book = self._store.book(self._ticker).book
        side, place = side_at(self.room, event.x), event.y - HEAD
        if place >= 0:
            self._choose(shown(book, side, place + self._above, self.choice) or self.choice)

    def _choose(self, choice: Choice | None) -> None:
        if choice != self.choice:
            self.choice = choice
            self.redraw()
            self.post_message(self.PriceChosen())

    # Drawing.

    @property
    def _rows(self) -> int:
        return max(self.size.height - HEAD, 0)

    @property
    def _above(self) -> int:
        return rows_above(self._store.book(self._ticker), self._rows, self.choice)

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
        width = self.room
        live = self._store.book(market.ticker)
        quote = self._store.quotes.get(market.ticker)
        own = own_orders(self._store.orders.values(), market.ticker)
        held = held_words(self._store.positions.get(market.ticker))
        name = short_label(market, max(width - len(held) - 1, 0))
        title: Line = line(Span(name, Tone.HEAD), Span(f" {held}" if held else "", Tone.OWN))
        levels = book_lines(live, market, own, quote.last if quote else None, width, self._rows, self.choice)
        self.show(
            [title, book_header(live, market, width), book_columns(width, self._above), *levels],
            dimmed=live.trust is not Trust.GOOD,
        )
