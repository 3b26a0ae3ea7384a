"""The market list: all markets or a watch list, a filter, the columns' names, and a market to a line."""

from collections.abc import Callable, Sequence
from functools import partial

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.events import DescendantFocus
from textual.message import Message
from textual.widgets import Input

from kalshi_tui.domain.link import LinkState
from kalshi_tui.presentation.lines import (
    Line,
    Span,
    Tone,
    line,
)
from kalshi_tui.session.store import Dirty, Store, Topic
from kalshi_tui.ui.keys import key
from kalshi_tui.ui.market_list.columns import Columns
from kalshi_tui.ui.market_list.flash import Flashes
from kalshi_tui.ui.market_list.view import (
    Lines,
    Listed,
    Sort,
    flashing,
    market_line,
    watch_heading,
)
from kalshi_tui.ui.market_list.watch_lists import WatchLists
from kalshi_tui.ui.widgets.line_view import LineView

ACCOUNT = frozenset({Topic.ORDERS, Topic.POSITIONS})
SECOND_MS = 1_000
SOON_MS = 3_600_000
"""A market that closes sooner counts down by the second; the others by the minute."""


class WatchPane(Vertical):
    """Lists the store's markets that pass the filter; says which one is chosen."""

    class Chosen(Message):
        """Another market is the chosen one."""

        def __init__(self, ticker: str) -> None:
            self.ticker = ticker
            super().__init__()

    class PastsSeen(Message):
        """Other lines than before draw their past day."""

        def __init__(self, tickers: Sequence[str]) -> None:
            self.tickers = tickers
            super().__init__()

    def __init__(
        self,
        store: Store,
        lists: WatchLists,
        timer_ms: Callable[[], int],
        wanted: Sequence[str] = (),
        *,
        plain: bool = False,
    ) -> None:
        """List all markets or the list that ``lists`` shows; ``wanted`` are the columns of the settings."""
        super().__init__(id="markets")
        self._store = store
        self._lists = lists
        self._wanted = wanted
        self._plain = plain
        self._flashes = Flashes(timer_ms, plain=plain)
        self._now_ms = 0
        self._tickers: list[str] = []
        self._places: dict[str, int] = {}
        self._told = ""
        """The market that was last said to be chosen."""
        self._guest = ""
        """The market of a ladder that has had the focus: the chosen one, wherever the cursor stands, until this
        list has the focus again or another market is gone to."""
        self._told_known = False
        """Whether anything was known of it then: a watch list may have what the exchange does not."""
        self._filter = ""
        self._columns = Columns.within(0, 2)
        self._sort = Sort.LISTED
        self._listed: Listed | None = None
        self._version = -1
        self._orders: dict[str, int] = {}
        self._seen: tuple[str, ...] = ()
        """The markets whose lines can be seen."""
        self._pasts: tuple[str, ...] = ()
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
        """The chosen market: of a ladder that has the focus, else of the list, else the one whose book still stands."""
        if self._guest:
            return self._guest
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
    def sort(self) -> Sort:
        """In which order the list is."""
        return self._sort

    @property
    def _live(self) -> bool:
        return self._store.connection.state is LinkState.LIVE

    # Drawing.

    def list_anew(self) -> None:
        """Draw what another watch list, or a change of this one, brings."""
        self._listed = None
        self.redraw()

    def redraw(self) -> None:
        """List and draw everything anew; the chosen market stays so while it is listed."""
        place = self.list.cursor or 0
        wanted = self._tickers[place] if place < len(self._tickers) else self._told
        words = self._filter.lower().split()
        if self._listed is None or self._version != self._store.listed_version:
            self._listed = Listed(self._store, self._sort, self._lists.tickers)
            self._version = self._store.listed_version
        self._tickers = self._listed.having(words)
        self._places = {ticker: place for place, ticker in enumerate(self._tickers)}
        self._columns = Columns.within(self.list.room, self._listed.decimals, self._wanted, plain=self._plain)
        self._draw_heading()
        if not self._tickers:
            self._seen = ()
            self.list.show([line(Span(self._empty_words(words), Tone.DIM))])
            return
        self._mark()
        self._lines = Lines(self._tickers, self._draw)
        self.list.show(self._lines, dimmed=not self._live)
        self.list.move_to(self._places.get(wanted, 0))
        self._look()
        self._choose()

    def _empty_words(self, words: Sequence[str]) -> str:
        if words:
            return "No market has these words; esc clears."
        if self._lists.shown:
            return f"Nothing is on this list yet: {key('watch')} puts a market on it, {key('list')} goes on."
        return "Reading the markets..."

    def frame(self, dirty: Dirty) -> None:
        """Draw the changed markets anew; the others keep their lines."""
        if Topic.LINK in dirty.topics or self._version != self._store.listed_version:
            self.redraw()
            return
        if Topic.MARKETS in dirty.topics:
            self._draw_heading()
        self._look()
        for ticker in dirty.tickers.intersection(self._seen):
            self._flashes.changed(ticker, flashing(self._store, ticker))
        if dirty.topics & ACCOUNT:
            # Any market's marks may differ.
            self._mark()
            self._lines = Lines(self._tickers, self._draw)
        else:
            self._redo(dirty.tickers)
            return
        if self._tickers:
            self.list.show(self._lines, dimmed=not self._live)

    def tick(self, now_ms: int) -> None:
        """Let what goes by the clock go on: the time to the close, and signs that have been seen long enough."""
        before, self._now_ms = self._now_ms, now_ms
        self._redo(self._flashes.ended())
        if now_ms // SECOND_MS == before // SECOND_MS:
            return
        self._look()
        if self._columns.has("closes"):
            all_of_them = now_ms // (60 * SECOND_MS) != before // (60 * SECOND_MS)
            self._redo([each for each in self._seen if all_of_them or self._closes_soon(each)])
        pasts = self._seen if self._columns.has("day") else ()
        if pasts != self._pasts:
            self._pasts = pasts
            self.post_message(self.PastsSeen(pasts))

    def _closes_soon(self, ticker: str) -> bool:
        market = self._store.markets.get(ticker)
        return market is not None and market.close_ms - self._now_ms < SOON_MS

    def _redo(self, tickers: "Sequence[str] | frozenset[str]") -> None:
        """Draw the lines of these markets anew."""
        places = [self._places[each] for each in tickers if each in self._places]
        if places:
            self._lines = self._lines.without(places)
            self.list.show(self._lines, dimmed=not self._live)

    def _look(self) -> None:
        """Take note of which lines can be seen."""
        top = self.list.scroll_offset.y
        seen = tuple(self._tickers[top : top + self.list.size.height])
        if seen != self._seen:
            self._seen = seen
            self._flashes.watch(seen, partial(flashing, self._store))

    def _draw_heading(self) -> None:
        heading = watch_heading(
            self._columns, live=self._live, name=self._lists.shown, sort=self._sort, reading=self._store.reading
        )
        self._heading.show([heading])

    def _mark(self) -> None:
        self._orders = {}
        for order in self._store.working():
            self._orders[order.ticker] = self._orders.get(order.ticker, 0) + 1

    def _draw(self, ticker: str) -> Line:
        orders, signs = self._orders.get(ticker, 0), self._flashes.signs(ticker)
        return market_line(self._store, ticker, self._columns, orders, self._now_ms, signs)

    def sort_anew(self) -> None:
        """Take the next order of the list."""
        self._sort = self._sort.following
        self.list_anew()

    # Choosing.

    def go_to(self, ticker: str) -> None:
        """Choose a market; the filter is cleared if it hides it, and all markets are shown if the watch list does."""
        if ticker not in self._places and self._filter:
            self.close_filter()
        if ticker not in self._places and self._lists.shown and ticker in self._store.markets:
            self._lists.show("")
            self.list_anew()
        if ticker in self._places:
            self._guest = ""
            self.list.move_to(self._places[ticker])
            self._choose()

    def look_at(self, ticker: str) -> None:
        """Let this be the chosen market: the cursor goes there if it is listed, and stays where it is if not."""
        self._guest = ticker
        if ticker in self._places:
            self.list.move_to(self._places[ticker])
        self._choose()

    def open_filter(self) -> None:
        """Show the filter and type into it."""
        self._field.display = True
        self.screen.set_focus(self._field)

    def close_filter(self) -> None:
        """Clear and hide the filter, and go back to the list if it is shown."""
        self._field.value = self._filter = ""
        self._field.display = False
        if self.display:
            self.screen.set_focus(self.list)
        self.redraw()

    def _choose(self) -> None:
        """Tell which market is chosen, if it is another one than before."""
        ticker = self.ticker
        known = ticker in self._store.markets
        if ticker and (ticker, known) != (self._told, self._told_known):
            self._told, self._told_known = ticker, known
            self.post_message(self.Chosen(ticker))

    @on(LineView.CursorMoved)
    def _moved(self, event: LineView.CursorMoved) -> None:
        event.stop()
        if self._has_focus:
            self._guest = ""
        # Else the lines have moved under it: the ladder that has the focus is still the one that all keys mean.
        self._choose()

    @on(DescendantFocus)
    def _focused(self) -> None:
        """Let the line under the cursor be the one that all keys mean: it is marked so from now on."""
        self._guest = ""
        self._choose()

    @property
    def _has_focus(self) -> bool:
        return self.screen.focused in {self.list, self._field}

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        if event.value != self._filter:
            self._filter = event.value
            self.redraw()
