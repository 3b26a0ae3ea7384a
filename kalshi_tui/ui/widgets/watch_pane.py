"""The watch list: a filter, the columns' names, and a market to a line."""

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.message import Message
from textual.widgets import Input

from kalshi_tui.domain.link import LinkState
from kalshi_tui.session.store import Dirty, Store, Topic
from kalshi_tui.ui.format import decimals_of
from kalshi_tui.ui.lines import Span, Tone, line
from kalshi_tui.ui.watch_view import Columns, in_order, market_label, watch_heading, watch_line
from kalshi_tui.ui.widgets.line_view import LineView

WHOLE = frozenset({Topic.MARKETS, Topic.LINK})
"""What changes every line."""
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
        self._field = Input(id="filter", placeholder="words in name or ticker", compact=True)
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
        markets = self._store.markets
        self._tickers = [
            ticker
            for ticker, market in in_order(markets)
            if all(word in f"{ticker} {market_label(market)}".lower() for word in words)
        ]
        self._places = {ticker: place for place, ticker in enumerate(self._tickers)}
        decimals = max((decimals_of(market.grid) for market in markets.values()), default=2)
        self._columns = Columns.within(self.list.room, decimals)
        self._heading.show([watch_heading(self._columns, live=self._live)])
        if not self._tickers:
            empty = "No market has these words; esc clears." if words else "Reading the markets..."
            self.list.show([line(Span(empty, Tone.DIM))])
            return
        marked = {order.ticker for order in self._store.working()}
        self.list.show(
            [watch_line(self._store, markets[each], self._columns, marked=each in marked) for each in self._tickers],
            dimmed=not self._live,
        )
        self.list.move_to(self._places.get(wanted, 0))
        self._choose()

    def frame(self, dirty: Dirty) -> None:
        """Draw the changed markets anew; the others keep their lines."""
        if dirty.topics & WHOLE:
            self.redraw()
            return
        # After news of the account any market's marks may differ.
        changed = self._tickers if dirty.topics & ACCOUNT else [each for each in dirty.tickers if each in self._places]
        if not changed:
            return
        marked = {order.ticker for order in self._store.working()}
        lines = list(self.list.lines)
        for each in changed:
            market = self._store.markets[each]
            lines[self._places[each]] = watch_line(self._store, market, self._columns, marked=each in marked)
        self.list.show(lines, dimmed=not self._live)

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
