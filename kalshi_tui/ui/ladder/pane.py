"""The price ladder of one market: rows that stand still, and a cursor that holds on to a price."""

from textual.events import Click, MouseScrollDown, MouseScrollUp
from textual.message import Message

from kalshi_tui.domain.book import Book, Side
from kalshi_tui.domain.link import BookTrust
from kalshi_tui.domain.market import Market
from kalshi_tui.domain.order import to_yes_price
from kalshi_tui.domain.price import PRICE_UNIT, Price, PriceGrid
from kalshi_tui.presentation.lines import (
    Line,
    Span,
    Tone,
    fit,
    line,
)
from kalshi_tui.presentation.names import short_label, unknown_market_text
from kalshi_tui.presentation.order_text import position_text
from kalshi_tui.session.changes import StoreChanges, Topic
from kalshi_tui.session.store import Store
from kalshi_tui.ui.ladder.rows import (
    LadderSnapshot,
    PriceLadder,
    doubled_market_price,
    off_grid_prices,
    own_orders_by_row,
)
from kalshi_tui.ui.ladder.view import ladder_column_heading, ladder_header, ladder_lines
from kalshi_tui.ui.widgets.line_view import LineView

HEADER_LINES = 4
"""Lines above the first row."""
WHEEL_SCROLL_ROWS = 3
"""Rows that one turn of the wheel scrolls."""
REDRAW_TOPICS = frozenset({Topic.ORDERS, Topic.MARKETS, Topic.POSITIONS})


class LadderPane(LineView):
    """Every price of the grid a row, bids at the left of it and asks at the right.

    Nothing that the market does moves a row: the window is set when the first snapshot is there, and after that by the
    trader alone. While the ladder has the focus one price is chosen, always one that can be seen.
    """

    class RowSelected(Message):
        """Another price is the chosen one, or none any more."""

    def __init__(self, store: Store, *, tile: bool = False) -> None:
        """Make the ladder that takes the book's place, or a ``tile``: one of several side by side."""
        super().__init__(id=None if tile else "ladder", classes="tile" if tile else None)
        self.can_focus = True
        self._store = store
        self._ticker = ""
        self.side = Side.YES
        self._top_price: Price | None = None
        """The price of the first row shown; None until the window is set."""
        self._previous_row_count = 0
        self._shows_cursor = False
        """Whether the cursor is to be seen."""
        self._cursor_price: Price | None = None
        self._off_grid_prices: set[Price] = set()
        """YES prices off the grid at which something stood; kept, so that no row goes away again."""
        self._grid: PriceGrid | None = None
        self._grid_prices: frozenset[Price] = frozenset()
        self._ladder: PriceLadder | None = None
        self._scanned_book: tuple[Book | None, int] = (None, -1)
        """The book and version of it that has been looked through for prices off the grid."""

    def show_market(self, ticker: str) -> None:
        """Show another market, with its own rows, and no price chosen."""
        if ticker != self._ticker:
            self._ticker = ticker
            self._top_price = self._cursor_price = None
            self._reset_ladder()
        self.redraw()

    @property
    def ticker(self) -> str:
        """The market that is shown."""
        return self._ticker

    @property
    def selected_price(self) -> Price | None:
        """The chosen price, of the outcome shown; None while there is none, or the focus is elsewhere."""
        return self._cursor_price if self._shows_cursor else None

    @property
    def no_price_reason(self) -> str:
        """Why the cursor names no price to trade at; empty if it does."""
        return "" if self.selected_price is not None else "No price of the ladder is chosen: j and k choose one."

    # Choosing and scrolling.

    def move_cursor(self, by: int) -> None:
        """Choose a price so many rows further down, or up for a count below 0; the rows follow only past the edge."""
        ladder, rows = self._ladder, self._row_count
        if ladder is None or not rows:
            return
        top = self._top_row(ladder, rows)
        chosen = self._cursor_price
        before = top + min(rows, len(ladder)) // 2 if chosen is None else ladder.row_of(chosen)
        row = max(0, min(before + by, len(ladder) - 1))
        self._top_price = ladder.price_at(_top_showing_row(top, rows, row))
        self._select(ladder.price_at(row))
        self.redraw()

    def select_price(self, price: Price) -> None:
        """Choose the row of a YES price, as chosen in the book; the rows move only where it would not be seen."""
        self._cursor_price = to_yes_price(self.side, price)
        if self._ladder is not None and self._top_price is not None and self._row_count:
            top = self._top_row(self._ladder, self._row_count)
            self._top_price = self._ladder.price_at(
                _top_showing_row(top, self._row_count, self._ladder.row_of(self._cursor_price))
            )
        self.post_message(self.RowSelected())

    def scroll_rows(self, by: int) -> None:
        """Move the rows; the cursor stays at its price unless that leaves the window."""
        ladder, rows = self._ladder, self._row_count
        if ladder is None or not rows:
            return
        top = ladder.clamp_top(self._top_row(ladder, rows) + by, rows)
        self._top_price = ladder.price_at(top)
        if self._cursor_price is not None:
            row = ladder.row_of(self._cursor_price)
            self._select(ladder.price_at(max(top, min(row, top + rows - 1))))
        self.redraw()

    def center_on_market(self) -> None:
        """Bring the market to the middle; the cursor stays at its price unless that leaves the window."""
        self._top_price = None
        if self._ladder is not None and self._row_count and self._cursor_price is not None:
            # Set at once even where nobody quotes: a window that follows the last trade is none to choose prices in.
            self._top_price = self._ladder.price_at(self._top_row(self._ladder, self._row_count))
        self.redraw()

    def flip_side(self) -> None:
        """Show the same rows as prices of the other outcome; the highest is at the top again."""
        if self._ladder is not None and self._top_price is not None:
            last = self._ladder.window_prices(self._top_row(self._ladder, self._row_count), max(self._row_count, 1))[-1]
            self._top_price = PRICE_UNIT - last
        if self._cursor_price is not None:
            self._cursor_price = PRICE_UNIT - self._cursor_price
        self.side = self.side.other
        self._ladder = None
        self.redraw()

    def on_focus(self) -> None:
        """Show the cursor: where it was, else at the best bid."""
        self._shows_cursor = True
        self.post_message(self.RowSelected())
        self.redraw()

    def on_blur(self) -> None:
        """Hide the cursor, unless it is the terminal that has lost the focus."""
        if self.screen.focused not in {None, self}:
            self._shows_cursor = False
            self.post_message(self.RowSelected())
            self.redraw()

    def on_click(self, event: Click) -> None:
        """Choose the row under the pointer."""
        ladder, place = self._ladder, event.y - HEADER_LINES
        if ladder is not None and 0 <= place < min(self._row_count, len(ladder)):
            top = self._top_row(ladder, self._row_count)
            self._top_price = ladder.price_at(top)
            self._select(ladder.price_at(top + place))
            self.redraw()

    def on_mouse_scroll_down(self, event: MouseScrollDown) -> None:
        """Scroll toward lower prices."""
        event.stop()
        self.scroll_rows(WHEEL_SCROLL_ROWS)

    def on_mouse_scroll_up(self, event: MouseScrollUp) -> None:
        """Scroll toward higher prices."""
        event.stop()
        self.scroll_rows(-WHEEL_SCROLL_ROWS)

    def _select(self, price: Price) -> None:
        if price != self._cursor_price:
            self._cursor_price = price
            self.post_message(self.RowSelected())

    # The rows.

    @property
    def _row_count(self) -> int:
        return max(self.size.height - HEADER_LINES, 0)

    def _reset_ladder(self) -> None:
        self._off_grid_prices, self._grid, self._ladder, self._scanned_book = set(), None, None, (None, -1)

    def _build_ladder(self, market: Market, book: Book) -> PriceLadder:
        """Return the rows: the market's grid, and whatever stands off it."""
        if market.grid is not self._grid and market.grid != self._grid:
            self._reset_ladder()
            self._grid_prices = frozenset(market.grid.prices)
            if self._cursor_price is not None:
                # It keeps its row though the grid has changed: the cursor is not to slip to another price.
                self._off_grid_prices = {to_yes_price(self.side, self._cursor_price)} - self._grid_prices
        self._grid = market.grid
        if self._scanned_book[0] is not book or self._scanned_book[1] != book.version:
            self._scanned_book = book, book.version
            found = off_grid_prices(book, self._grid_prices)
            if not found <= self._off_grid_prices:
                self._off_grid_prices |= found
                self._ladder = None
        if self._ladder is None:
            self._ladder = PriceLadder.from_grid(market.grid, self.side, self._off_grid_prices)
        return self._ladder

    def _top_row(self, ladder: PriceLadder, rows: int) -> int:
        """Return the first row shown: where the window was set, else around the market."""
        if self._top_price is not None:
            return ladder.clamp_top(ladder.row_of(self._top_price), rows)
        quote = self._store.quotes.get(self._ticker)
        last = quote.last if quote is not None else None
        book = self._store.book(self._ticker).book
        around = doubled_market_price(book, self.side, None if last is None else to_yes_price(self.side, last))
        return ladder.top_centered_on(PRICE_UNIT if around is None else around, rows)

    def _update_window(self, ladder: PriceLadder, rows: int) -> int:
        """Set the window if it is time for that, keep its middle when it gets another height, return its first row."""
        top = self._top_row(ladder, rows)
        if not rows:
            return top
        live = self._store.book(self._ticker)
        if self._top_price is None:
            if live.trust is not BookTrust.WAITING and (len(live.book.yes) or len(live.book.no)):
                self._top_price = ladder.price_at(top)
        elif self._previous_row_count not in {0, rows}:
            shown = min(self._previous_row_count, len(ladder))
            top = ladder.clamp_top(ladder.row_of(self._top_price) + (shown - rows) // 2, rows)
            if self._cursor_price is not None:
                top = _top_showing_row(top, rows, ladder.row_of(self._cursor_price))
            self._top_price = ladder.price_at(top)
        self._previous_row_count = rows
        if self._top_price is not None:
            self._keep_cursor_visible(ladder, top, rows)
        return top

    def _keep_cursor_visible(self, ladder: PriceLadder, top: int, rows: int) -> None:
        """Move the cursor into the window: a price that cannot be seen is not to be traded at."""
        chosen = self._cursor_price
        if not self._shows_cursor or (chosen is not None and top <= ladder.row_of(chosen) < top + rows):
            return
        best = self._store.book(self._ticker).book.best_bid(self.side)
        row = ladder.row_of(best.price) if best is not None else -1
        self._select(ladder.price_at(row if top <= row < top + rows else top + min(rows, len(ladder)) // 2))

    # Drawing.

    def frame(self, dirty: StoreChanges) -> None:
        """Draw if this market changed."""
        if self._ticker in dirty.tickers or dirty.topics & REDRAW_TOPICS:
            self.redraw()

    def on_resize(self) -> None:
        """Draw for the new size."""
        self.redraw()

    def redraw(self) -> None:
        """Draw, if shown at all; lines that are as before cost nothing further."""
        market = self._store.markets.get(self._ticker)
        if market is None or not self.display:
            self.show(self._unknown_market_lines() if self.display and self.has_class("tile") else [])
            return
        live, width, rows = self._store.book(self._ticker), self.line_width, self._row_count
        ladder = self._build_ladder(market, live.book)
        top = self._update_window(ladder, rows)
        quote, position = self._store.quotes.get(self._ticker), self._store.positions.get(self._ticker)
        own = own_orders_by_row(self._store.account.orders_in_view(), self._ticker, self._store.queue_positions)
        seen = LadderSnapshot(ladder, live, market, own, quote.last if quote is not None else None, position)
        held = position_text(position, known=self._store.knows_position(self._ticker))
        name = short_label(market, max(width - len(held) - 1, 0))
        title: Line = line(Span(name, Tone.HEAD), Span(f" {held}" if held else "", Tone.OWN))
        self.show(
            [
                title,
                *ladder_header(seen, top, rows, width),
                ladder_column_heading(seen, width),
                *ladder_lines(seen, top, rows, width, self.selected_price),
            ],
            dimmed=live.trust is not BookTrust.GOOD,
        )

    def _unknown_market_lines(self) -> list[Line]:
        """Return a line that names the market: a ladder beside the others is kept even if its market is gone."""
        words = unknown_market_text(self._store, self._ticker)
        return [line(Span(fit(self._ticker, self.line_width), Tone.HEAD)), line(Span(words, Tone.DIM))]


def _top_showing_row(top: int, rows: int, row: int) -> int:
    """Return the first row of the window nearest to the one at ``top`` that has a certain row in it."""
    return min(max(top, row - rows + 1), row)
