"""The book of one market, live, with a cursor that stays on its price."""

from textual.events import Click
from textual.message import Message

from kalshi_tui.domain.book import Side
from kalshi_tui.domain.link import BookTrust
from kalshi_tui.domain.order import to_yes_price
from kalshi_tui.domain.price import Price
from kalshi_tui.presentation.lines import (
    Line,
    Span,
    Tone,
    line,
)
from kalshi_tui.presentation.names import short_label
from kalshi_tui.presentation.order_text import position_text
from kalshi_tui.session.changes import StoreChanges, Topic
from kalshi_tui.session.store import Store
from kalshi_tui.ui.book.cursor import (
    SelectedLevel,
    initial_selection,
    no_price_reason,
    select_level,
    select_shown_level,
)
from kalshi_tui.ui.book.view import (
    book_column_heading,
    book_header,
    book_lines,
    own_quantities,
    rows_above,
    side_at_cell,
)
from kalshi_tui.ui.widgets.line_view import LineView

HEADER_LINES = 3
"""Lines above the first level."""
REDRAW_TOPICS = frozenset({Topic.ORDERS, Topic.MARKETS, Topic.POSITIONS})


class BookPane(LineView):
    """YES bids and NO bids side by side, best first, with the asks that they imply.

    While it has the focus one level is selected, at first the best bid. The selection stays on its price whatever comes
    and goes around it, even when that level is gone: a key must not hit a price that moved under it.
    """

    class PriceSelected(Message):
        """Another price is selected, or none any more."""

    def __init__(self, store: Store) -> None:
        super().__init__(id="book")
        self.can_focus = True
        self._store = store
        self._ticker = ""
        self.selected_level: SelectedLevel | None = None

    def show_market(self, ticker: str) -> None:
        """Show another market; no price of it is chosen."""
        if ticker != self._ticker:
            self._ticker, self.selected_level = ticker, None
        self.redraw()

    @property
    def no_price_reason(self) -> str:
        """Why the cursor names no price to trade at; empty if it does."""
        return no_price_reason(self._store.book(self._ticker).book, self.selected_level)

    @property
    def ticker(self) -> str:
        """The market that is shown."""
        return self._ticker

    # Selecting.

    def move_cursor(self, by: int) -> None:
        """Choose a level further down, or up for a count below 0."""
        book = self._store.book(self._ticker).book
        self._select(
            self.selected_level.moved_by(book, by) if self.selected_level is not None else initial_selection(book)
        )

    def select_price(self, price: Price) -> None:
        """Choose the level at a YES price, as chosen in the ladder, if anything stands there."""
        book = self._store.book(self._ticker).book
        choices = (SelectedLevel(side, to_yes_price(side, price)) for side in (Side.YES, Side.NO))
        self._select(next((each for each in choices if each.is_quoted(book)), self.selected_level))

    def select_side(self, side: Side) -> None:
        """Choose among the bids for this outcome, in the same row."""
        book = self._store.book(self._ticker).book
        if self.selected_level is None:
            self._select(select_level(book, side))
        elif self.selected_level.side is not side:
            self._select(self.selected_level.on_other_side(book))

    def on_focus(self) -> None:
        """Begin on the best bid, unless a price is chosen still."""
        if self.selected_level is None:
            self._select(initial_selection(self._store.book(self._ticker).book))

    def on_blur(self) -> None:
        """Drop the selection, unless the terminal itself lost the focus: it then comes back to the same price."""
        if self.screen.focused not in {None, self}:
            self._select(None)

    def on_click(self, event: Click) -> None:
        """Choose the level under the pointer."""
        book = self._store.book(self._ticker).book
        side, place = side_at_cell(self.line_width, event.x), event.y - HEADER_LINES
        if place >= 0:
            self._select(
                select_shown_level(book, side, place + self._rows_above, self.selected_level) or self.selected_level
            )

    def _select(self, selection: SelectedLevel | None) -> None:
        if selection != self.selected_level:
            self.selected_level = selection
            self.redraw()
            self.post_message(self.PriceSelected())

    # Drawing.

    @property
    def _row_count(self) -> int:
        return max(self.size.height - HEADER_LINES, 0)

    @property
    def _rows_above(self) -> int:
        return rows_above(self._store.book(self._ticker), self._row_count, self.selected_level)

    def frame(self, dirty: StoreChanges) -> None:
        """Draw if this market changed."""
        if self._ticker in dirty.tickers or dirty.topics & REDRAW_TOPICS:
            self.redraw()

    def redraw(self) -> None:
        """Draw; unchanged lines cost nothing."""
        market = self._store.markets.get(self._ticker)
        if market is None:
            self.show([])
            return
        width = self.line_width
        live = self._store.book(market.ticker)
        quote = self._store.quotes.get(market.ticker)
        own = own_quantities(self._store.orders.values(), market.ticker)
        held = position_text(self._store.positions.get(market.ticker), known=self._store.knows_position(market.ticker))
        name = short_label(market, max(width - len(held) - 1, 0))
        title: Line = line(Span(name, Tone.HEAD), Span(f" {held}" if held else "", Tone.OWN))
        levels = book_lines(
            live, market, own, quote.last if quote else None, width, self._row_count, self.selected_level
        )
        self.show(
            [title, book_header(live, market, width), book_column_heading(width, self._rows_above), *levels],
            dimmed=live.trust is not BookTrust.GOOD,
        )
