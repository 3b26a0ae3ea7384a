"""The price ladder of one market: rows that stand still, and a cursor that holds on to a price."""

from textual.events import Click, MouseScrollDown, MouseScrollUp
from textual.message import Message

from kalshi_tui.domain.book import Book, Side
from kalshi_tui.domain.link import Trust
from kalshi_tui.domain.market import Market
from kalshi_tui.domain.order import yes_price
from kalshi_tui.domain.price import PRICE_UNIT, Price, PriceGrid
from kalshi_tui.presentation.lines import (
    Line,
    Span,
    Tone,
    fit,
    line,
)
from kalshi_tui.presentation.order_text import held_words
from kalshi_tui.session.store import Dirty, Store, Topic
from kalshi_tui.ui.ladder.rows import (
    Ladder,
    Seen,
    middle,
    own_rows,
    strays,
)
from kalshi_tui.ui.ladder.view import ladder_columns, ladder_header, ladder_lines
from kalshi_tui.ui.market_list.view import short_label
from kalshi_tui.ui.widgets.line_view import LineView

HEAD = 4
"""Lines above the first row."""
WHEEL = 3
"""Rows that one turn of the wheel scrolls."""
TOPICS = frozenset({Topic.ORDERS, Topic.MARKETS, Topic.POSITIONS})


class LadderPane(LineView):
    """Every price of the grid a row, bids at the left of it and asks at the right.

    Nothing that the market does moves a row: the window is set when the first snapshot is there, and after that by the
    trader alone. While the ladder has the focus one price is chosen, always one that can be seen.
    """

    class RowChosen(Message):
        """Another price is the chosen one, or none any more."""

    def __init__(self, store: Store, *, tile: bool = False) -> None:
        """Make the ladder that takes the book's place, or a ``tile``: one of several side by side."""
        super().__init__(id=None if tile else "ladder", classes="tile" if tile else None)
        self.can_focus = True
        self._store = store
        self._ticker = ""
        self.side = Side.YES
        self._first: Price | None = None
        """The price of the first row shown; None until the window is set."""
        self._rows_before = 0
        self._active = False
        """Whether the cursor is to be seen."""
        self._cursor_price: Price | None = None
        self._strays: set[Price] = set()
        """YES prices off the grid at which something stood; kept, so that no row goes away again."""
        self._grid: PriceGrid | None = None
        self._legal: frozenset[Price] = frozenset()
        self._ladder: Ladder | None = None
        self._checked: tuple[Book | None, int] = (None, -1)
        """The book and version of it that has been looked through for prices off the grid."""

    def look_at(self, ticker: str) -> None:
        """Show another market, with its own rows, and no price chosen."""
        if ticker != self._ticker:
            self._ticker = ticker
            self._first = self._cursor_price = None
            self._forget_rows()
        self.redraw()

    @property
    def ticker(self) -> str:
        """The market that is shown."""
        return self._ticker

    @property
    def price(self) -> Price | None:
        """The chosen price, of the outcome shown; None while there is none, or the focus is elsewhere."""
        return self._cursor_price if self._active else None

    @property
    def no_price(self) -> str:
        """Why the cursor names no price to trade at; empty if it does."""
        return "" if self.price is not None else "No price of the ladder is chosen: j and k choose one."

    # Choosing and scrolling.

    def move(self, by: int) -> None:
        """Choose a price so many rows further down, or up for a count below 0; the rows follow only past the edge."""
        ladder, rows = self._ladder, self._rows
        if ladder is None or not rows:
            return
        top = self._top(ladder, rows)
        chosen = self._cursor_price
        before = top + min(rows, len(ladder)) // 2 if chosen is None else ladder.row(chosen)
        row = max(0, min(before + by, len(ladder) - 1))
        self._first = ladder.price(_with_row(top, rows, row))
        self._choose(ladder.price(row))
        self.redraw()

    def choose_at(self, at: Price) -> None:
        """Choose the row of a YES price, as chosen in the book; the rows move only where it would not be seen."""
        self._cursor_price = yes_price(self.side, at)
        if self._ladder is not None and self._first is not None and self._rows:
            top = self._top(self._ladder, self._rows)
            self._first = self._ladder.price(_with_row(top, self._rows, self._ladder.row(self._cursor_price)))
        self.post_message(self.RowChosen())

    def scroll(self, by: int) -> None:
        """Move the rows; the cursor stays at its price unless that leaves the window."""
        ladder, rows = self._ladder, self._rows
        if ladder is None or not rows:
            return
        top = ladder.top(self._top(ladder, rows) + by, rows)
        self._first = ladder.price(top)
        if self._cursor_price is not None:
            row = ladder.row(self._cursor_price)
            self._choose(ladder.price(max(top, min(row, top + rows - 1))))
        self.redraw()

    def centre(self) -> None:
        """Bring the market to the middle; the cursor stays at its price unless that leaves the window."""
        self._first = None
        if self._ladder is not None and self._rows and self._cursor_price is not None:
            # Set at once even where nobody quotes: a window that follows the last trade is none to choose prices in.
            self._first = self._ladder.price(self._top(self._ladder, self._rows))
        self.redraw()

    def mirror(self) -> None:
        """Show the same rows as prices of the other outcome; the highest is at the top again."""
        if self._ladder is not None and self._first is not None:
            last = self._ladder.window(self._top(self._ladder, self._rows), max(self._rows, 1))[-1]
            self._first = PRICE_UNIT - last
        if self._cursor_price is not None:
            self._cursor_price = PRICE_UNIT - self._cursor_price
        self.side = self.side.other
        self._ladder = None
        self.redraw()

    def on_focus(self) -> None:
        """Show the cursor: where it was, else at the best bid."""
        self._active = True
        self.post_message(self.RowChosen())
        self.redraw()

    def on_blur(self) -> None:
        """Hide the cursor, unless it is the terminal that has lost the focus."""
        if self.screen.focused not in {None, self}:
            self._active = False
            self.post_message(self.RowChosen())
            self.redraw()

    def on_click(self, event: Click) -> None:
        """Choose the row under the pointer."""
        ladder, place = self._ladder, event.y - HEAD
        if ladder is not None and 0 <= place < min(self._rows, len(ladder)):
            top = self._top(ladder, self._rows)
            self._first = ladder.price(top)
            self._choose(ladder.price(top + place))
            self.redraw()

    def on_mouse_scroll_down(self, event: MouseScrollDown) -> None:
        """Scroll towards lower prices."""
        event.stop()
        self.scroll(WHEEL)

    def on_mouse_scroll_up(self, event: MouseScrollUp) -> None:
        """Scroll towards higher prices."""
        event.stop()
        self.scroll(-WHEEL)

    def _choose(self, price: Price) -> None:
        if price != self._cursor_price:
            self._cursor_price = price
            self.post_message(self.RowChosen())

    # The rows.

    @property
    def _rows(self) -> int:
        return max(self.size.height - HEAD, 0)

    def _forget_rows(self) -> None:
        self._strays, self._grid, self._ladder, self._checked = set(), None, None, (None, -1)

    def _rows_of(self, market: Market, book: Book) -> Ladder:
        """Give the rows: the market's grid, and whatever stands off it."""
        if market.grid is not self._grid and market.grid != self._grid:
            self._forget_rows()
            self._legal = frozenset(market.grid.prices)
            if self._cursor_price is not None:
                # It keeps its row though the grid has changed: the cursor is not to slip to another price.
                self._strays = {yes_price(self.side, self._cursor_price)} - self._legal
        self._grid = market.grid
        if self._checked[0] is not book or self._checked[1] != book.version:
            self._checked = book, book.version
            found = strays(book, self._legal)
            if not found <= self._strays:
                self._strays |= found
                self._ladder = None
        if self._ladder is None:
            self._ladder = Ladder.of(market.grid, self.side, self._strays)
        return self._ladder

    def _top(self, ladder: Ladder, rows: int) -> int:
        """Give the first row shown: where the window was set, else around the market."""
        if self._first is not None:
            return ladder.top(ladder.row(self._first), rows)
        quote = self._store.quotes.get(self._ticker)
        last = quote.last if quote is not None else None
        book = self._store.book(self._ticker).book
        around = middle(book, self.side, None if last is None else yes_price(self.side, last))
        return ladder.centred(PRICE_UNIT if around is None else around, rows)

    def _set_window(self, ladder: Ladder, rows: int) -> int:
        """Set the window if it is time for that, keep its middle when it gets another height, give its first row."""
        top = self._top(ladder, rows)
        if not rows:
            return top
        live = self._store.book(self._ticker)
        if self._first is None:
            if live.trust is not Trust.WAITING and (len(live.book.yes) or len(live.book.no)):
                self._first = ladder.price(top)
        elif self._rows_before not in {0, rows}:
            shown = min(self._rows_before, len(ladder))
            top = ladder.top(ladder.row(self._first) + (shown - rows) // 2, rows)
            if self._cursor_price is not None:
                top = _with_row(top, rows, ladder.row(self._cursor_price))
            self._first = ladder.price(top)
        self._rows_before = rows
        if self._first is not None:
            self._keep_in_view(ladder, top, rows)
        return top

    def _keep_in_view(self, ladder: Ladder, top: int, rows: int) -> None:
        """Have the cursor in the window: a price that cannot be seen is not to be traded at."""
        chosen = self._cursor_price
        if not self._active or (chosen is not None and top <= ladder.row(chosen) < top + rows):
            return
        best = self._store.book(self._ticker).book.best_bid(self.side)
        row = ladder.row(best.price) if best is not None else -1
        self._choose(ladder.price(row if top <= row < top + rows else top + min(rows, len(ladder)) // 2))

    # Drawing.

    def frame(self, dirty: Dirty) -> None:
        """Draw if this market changed."""
        if self._ticker in dirty.tickers or dirty.topics & TOPICS:
            self.redraw()

    def on_resize(self) -> None:
        """Draw for the new size."""
        self.redraw()

    def redraw(self) -> None:
        """Draw, if shown at all; lines that are as before cost nothing further."""
        market = self._store.markets.get(self._ticker)
        if market is None or not self.display:
            self.show(self._unknown() if self.display and self.has_class("tile") else [])
            return
        live, width, rows = self._store.book(self._ticker), self.room, self._rows
        ladder = self._rows_of(market, live.book)
        top = self._set_window(ladder, rows)
        quote, position = self._store.quotes.get(self._ticker), self._store.positions.get(self._ticker)
        own = own_rows(self._store.orders.values(), self._ticker, self._store.queue)
        seen = Seen(ladder, live, market, own, quote.last if quote is not None else None, position)
        held = held_words(position)
        name = short_label(market, max(width - len(held) - 1, 0))
        title: Line = line(Span(name, Tone.HEAD), Span(f" {held}" if held else "", Tone.OWN))
        self.show(
            [
                title,
                *ladder_header(seen, top, rows, width),
                ladder_columns(seen, width),
                *ladder_lines(seen, top, rows, width, self.price),
            ],
            dimmed=live.trust is not Trust.GOOD,
        )

    def _unknown(self) -> list[Line]:
        """Say which market's ladder it would be: one beside the others is kept, whatever becomes of its market."""
        words = "is being read..." if self._store.reading is not None else "is not known to the exchange"
        return [line(Span(fit(self._ticker, self.room), Tone.HEAD)), line(Span(words, Tone.DIM))]


def _with_row(top: int, rows: int, row: int) -> int:
    """Give the first row of the window nearest to the one at ``top`` that has a certain row in it."""
    return min(max(top, row - rows + 1), row)
