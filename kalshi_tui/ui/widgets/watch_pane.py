"""The watch list: a filter, the columns' names, and a market to a line."""

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.message import Message
from textual.widgets import Input

from kalshi_tui.domain.link import LinkState
from kalshi_tui.session.store import Dirty, Store, Topic
from kalshi_tui.ui.lines import Line, Span, Tone, line
from kalshi_tui.ui.watch_view import Columns, Lines, Listed, Sort, watch_heading, watch_line
from kalshi_tui.ui.widgets.line_view import LineView

ACCOUNT = frozenset({Topic.ORDERS, Topic.POSITIONS})


class WatchPane(Vertical):
    """Lists the store's markets that pass the filter; says which one is chosen."""

    class Chosen(Message):
        """Another market is the chosen one."""

        def __init__(self, ticker: str) -> None:
            self.ticker = ticker
            super().__init__()

    def __init__(self, store: Store) -> None:
        super().__init__(id="markets")
        self._store = store
        self._tickers: list[str] = []
        self._places: dict[str, int] = {}
        self._told = ""
        """The market that was last said to be chosen."""
        self._filter = ""
        self._columns = Columns.within(0, 2)
        self._sort = Sort.LISTED
        self._listed: Listed | None = None
        self._version = -1
        self._marked: set[str] = set()
        self._lines = Lines((), self._draw)
        self._field = Input(id="filter", placeholder="words in name, ticker, category", compact=True)
        self._heading = LineView(id="market-columns", classes="one-line")
        self.list = LineView(id="market-list", has_cursor=True)

    def compose(self) -> ComposeResult:
        """Lay out filter, names, list."""
        self._field.display = False
        yield self._field
        yield self._heading
        yield self.list

    @property
    def ticker(self) -> str:
        """The chosen market; while the list shows none, the one whose book still stands beside it."""
        place = self.list.cursor or 0
        return self._tickers[place] if place < len(self._tickers) else self._told

    @property
    def filtering(self) -> bool:
        """Whether the filter is open."""
        return bool(self._field.display)

    @property
    def typing(self) -> bool:
        """Whether the filter is being typed."""
        return self.screen.focused is self._field

    @property
    def _live(self) -> bool:
        return self._store.connection.state is LinkState.LIVE

    # Drawing.

    def redraw(self) -> None:
        """List and draw everything anew; the chosen market stays so while it is listed."""
        wanted = self.ticker or self._told
        words = self._filter.lower().split()
        if self._listed is None or self._version != self._store.listed_version:
            self._listed, self._version = Listed(self._store, self._sort), self._store.listed_version
        self._tickers = self._listed.having(words)
        self._places = {ticker: place for place, ticker in enumerate(self._tickers)}
        self._columns = Columns.within(self.list.room, self._listed.decimals)
        self._draw_heading()
        if not self._tickers:
            empty = "No market has these words; esc clears." if words else "Reading the markets..."
            self.list.show([line(Span(empty, Tone.DIM))])
            return
        self._mark()
        self._lines = Lines(self._tickers, self._draw)
        self.list.show(self._lines, dimmed=not self._live)
        self.list.move_to(self._places.get(wanted, 0))
        self._choose()

    def frame(self, dirty: Dirty) -> None:
        """Draw the changed markets anew; the others keep their lines."""
        if Topic.LINK in dirty.topics or self._version != self._store.listed_version:
            self.redraw()
            return
        if Topic.MARKETS in dirty.topics:
            self._draw_heading()
        if dirty.topics & ACCOUNT:
            # Any market's marks may differ.
            self._mark()
            self._lines = Lines(self._tickers, self._draw)
        else:
            places = [self._places[each] for each in dirty.tickers if each in self._places]
            if not places:
                return
            self._lines = self._lines.without(places)
        if self._tickers:
            self.list.show(self._lines, dimmed=not self._live)

    def _draw_heading(self) -> None:
        heading = watch_heading(self._columns, live=self._live, sort=self._sort, reading=self._store.reading)
        self._heading.show([heading])

    def _mark(self) -> None:
        self._marked = {order.ticker for order in self._store.working()}

    def _draw(self, ticker: str) -> Line:
        market = self._store.markets.get(ticker)
        if market is None:
            return ()
        return watch_line(self._store, market, self._columns, marked=ticker in self._marked)

    def sort_anew(self) -> None:
        """Take the next order of the list."""
        self._sort = self._sort.following
        self._listed = None
        self.redraw()

    # Choosing.

    def go_to(self, ticker: str) -> None:
        """Choose a market; the filter is cleared if it hides it."""
        if ticker not in self._places:
            self.close_filter()
        if ticker in self._places:
            self.list.move_to(self._places[ticker])
            self._choose()

    def open_filter(self) -> None:
        """Show the filter and type into it."""
        self._field.display = True
        self.screen.set_focus(self._field)

    def close_filter(self) -> None:
        """Clear and hide the filter, and go back to the list."""
        self._field.value = self._filter = ""
        self._field.display = False
        self.screen.set_focus(self.list)
        self.redraw()

    def _choose(self) -> None:
        """Tell which market is chosen, if it is another one than before."""
        ticker = self.ticker
        if ticker and ticker != self._told:
            self._told = ticker
            self.post_message(self.Chosen(ticker))

    @on(LineView.CursorMoved)
    def _moved(self, event: LineView.CursorMoved) -> None:
        event.stop()
        self._choose()

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        if event.value != self._filter:
            self._filter = event.value
            self.redraw()
