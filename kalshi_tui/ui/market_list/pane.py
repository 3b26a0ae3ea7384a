"""The pane of the market list: all markets or a watch list, with filter, column headings and one line a market."""

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
    fit,
    line,
    wrap,
)
from kalshi_tui.presentation.names import unlisted_text
from kalshi_tui.session.changes import StoreChanges, Topic
from kalshi_tui.session.store import Store
from kalshi_tui.ui.key_labels import key_for
from kalshi_tui.ui.market_list.columns import MarketColumns
from kalshi_tui.ui.market_list.flash import PriceFlashes
from kalshi_tui.ui.market_list.view import (
    LazyLines,
    MarketIndex,
    MarketSort,
    flashing_prices,
    market_line,
    market_list_heading,
)
from kalshi_tui.ui.market_list.watch_lists import WatchLists
from kalshi_tui.ui.widgets.field import TextInput
from kalshi_tui.ui.widgets.line_view import LineView

ACCOUNT_TOPICS = frozenset({Topic.ORDERS, Topic.POSITIONS})
SECOND_MS = 1_000
CLOSING_SOON_MS = 3_600_000
"""A market that closes sooner counts down by the second; the others by the minute."""


class MarketListPane(Vertical):
    """Lists the store's markets that pass the filter; posts which one is selected."""

    class MarketSelected(Message):
        """Another market was selected."""

        def __init__(self, ticker: str) -> None:
            self.ticker = ticker
            super().__init__()

    class SparklinesVisible(Message):
        """Other lines than before show a sparkline."""

        def __init__(self, tickers: Sequence[str]) -> None:
            self.tickers = tickers
            super().__init__()

    class LinesVisible(Message):
        """Other lines than before can be seen."""

        def __init__(self, tickers: Sequence[str]) -> None:
            self.tickers = tickers
            super().__init__()

    def __init__(
        self,
        store: Store,
        lists: WatchLists,
        timer_ms: Callable[[], int],
        wanted_columns: Sequence[str] = (),
        *,
        plain: bool = False,
    ) -> None:
        """List all markets, or the watch list that ``lists`` shows; ``wanted`` are the columns of the settings."""
        super().__init__(id="markets")
        self._store = store
        self._watch_lists = lists
        self._wanted_columns = wanted_columns
        self._ascii_only = plain
        self._flashes = PriceFlashes(timer_ms, plain=plain)
        self._now_ms = 0
        self._tickers: list[str] = []
        self._row_by_ticker: dict[str, int] = {}
        self._reported_ticker = ""
        """The market that was last posted as selected."""
        self._ladder_ticker = ""
        """The market of a ladder that had the focus: it stays selected, wherever the cursor is, until this list has the
        focus again or another market is selected."""
        self._reported_known = False
        """Whether that market was known then: a watch list may have one that the exchange does not list."""
        self._filter = ""
        self._columns = MarketColumns.for_width(0, 2)
        self._sort = MarketSort.LISTED
        self._market_index: MarketIndex | None = None
        self._listed_version = -1
        self._order_counts: dict[str, int] = {}
        self._visible_tickers: tuple[str, ...] = ()
        """The markets whose lines can be seen."""
        self._sparkline_tickers: tuple[str, ...] = ()
        self._lines = LazyLines((), self._draw)
        self._filter_input = TextInput(id="filter", placeholder="words in name, ticker, category", compact=True)
        self._heading = LineView(id="market-columns", classes="one-line")
        self.list = LineView(id="market-list", has_cursor=True)
        self._foot = LineView(id="market-foot", classes="one-line")

    def compose(self) -> ComposeResult:
        """Lay out filter, names, list, and a line for what could not be read."""
        self._filter_input.display = False
        yield self._filter_input
        yield self._heading
        yield self.list
        self._foot.display = False
        yield self._foot

    @property
    def ticker(self) -> str:
        """The selected market: of a ladder with the focus, else of the list, else the one whose book is still shown."""
        if self._ladder_ticker:
            return self._ladder_ticker
        place = self.list.cursor or 0
        return self._tickers[place] if place < len(self._tickers) else self._reported_ticker

    @property
    def is_filter_open(self) -> bool:
        """Whether the filter is open."""
        return bool(self._filter_input.display)

    @property
    def is_filter_focused(self) -> bool:
        """Whether the filter is being typed."""
        return self.screen.focused is self._filter_input

    @property
    def sort(self) -> MarketSort:
        """The order of the list."""
        return self._sort

    @property
    def _live(self) -> bool:
        return self._store.connection.state is LinkState.LIVE

    # Drawing.

    def rebuild(self) -> None:
        """Draw another watch list, or a change of this one."""
        self._market_index = None
        self.redraw()

    def redraw(self) -> None:
        """List and draw everything again; the selected market stays selected while it is listed."""
        place = self.list.cursor or 0
        wanted = self._tickers[place] if place < len(self._tickers) else self._reported_ticker
        words = self._filter.lower().split()
        if self._market_index is None or self._listed_version != self._store.market_list_version:
            self._market_index = MarketIndex(self._store, self._sort, self._watch_lists.tickers)
            self._listed_version = self._store.market_list_version
        self._tickers = self._market_index.find(words)
        self._row_by_ticker = {ticker: place for place, ticker in enumerate(self._tickers)}
        self._columns = MarketColumns.for_width(
            self.list.line_width, self._market_index.decimals, self._wanted_columns, plain=self._ascii_only
        )
        self._draw_heading()
        if not self._tickers:
            self._visible_tickers = ()
            self.list.show(self._empty_list_lines(words))
            return
        self._count_orders()
        self._lines = LazyLines(self._tickers, self._draw)
        self.list.show(self._lines, dimmed=not self._live)
        self.list.move_cursor_to(self._row_by_ticker.get(wanted, 0))
        self._update_visible()
        self._report_selection()

    def _empty_list_text(self, words: Sequence[str]) -> str:
        if words:
            unread = unlisted_text(self._store)
            read = " that has been read" if unread else ""
            return f"No market{read} has these words; esc clears. {unread}".rstrip()
        if self._watch_lists.shown:
            return f"Nothing is on this list yet: {key_for('watch')} puts a market on it, {key_for('list')} goes on."
        if self._store.market_data.listing_error and (unread := unlisted_text(self._store)):
            return unread
        return "No market is open." if self._store.is_listed else "Reading the markets..."

    def _empty_list_lines(self, words: Sequence[str]) -> list[Line]:
        tone = Tone.WARN if self._store.market_data.listing_error else Tone.DIM
        return [line(Span(each, tone)) for each in wrap(self._empty_list_text(words), max(self.list.line_width, 20))]

    def frame(self, dirty: StoreChanges) -> None:
        """Draw the changed markets again; the others keep their lines."""
        if Topic.LINK in dirty.topics or self._listed_version != self._store.market_list_version:
            self.redraw()
            return
        if Topic.MARKETS in dirty.topics:
            if not self._tickers:
                self.redraw()
                return
            self._draw_heading()
            # Why a market of a watch list is not known may be another reason now.
            self._redraw_markets([each for each in self._visible_tickers if each not in self._store.markets])
        self._update_visible()
        for ticker in dirty.tickers.intersection(self._visible_tickers):
            self._flashes.update(ticker, flashing_prices(self._store, ticker))
        if dirty.topics & ACCOUNT_TOPICS:
            # Any market's signs may differ.
            self._count_orders()
            self._lines = LazyLines(self._tickers, self._draw)
        else:
            self._redraw_markets(dirty.tickers)
            return
        if self._tickers:
            self.list.show(self._lines, dimmed=not self._live)

    def tick(self, now_ms: int) -> None:
        """Draw what depends on the clock: the time to the close, and signs that have expired."""
        before, self._now_ms = self._now_ms, now_ms
        self._redraw_markets(self._flashes.remove_expired())
        if now_ms // SECOND_MS == before // SECOND_MS:
            return
        self._update_visible()
        if self._columns.has_column("closes"):
            all_of_them = now_ms // (60 * SECOND_MS) != before // (60 * SECOND_MS)
            self._redraw_markets([each for each in self._visible_tickers if all_of_them or self._closes_soon(each)])
        tickers = self._visible_tickers if self._columns.has_column("day") else ()
        if tickers != self._sparkline_tickers:
            self._sparkline_tickers = tickers
            self.post_message(self.SparklinesVisible(tickers))

    def _closes_soon(self, ticker: str) -> bool:
        market = self._store.markets.get(ticker)
        return market is not None and market.expected_end_ms - self._now_ms < CLOSING_SOON_MS

    def _redraw_markets(self, tickers: "Sequence[str] | frozenset[str]") -> None:
        """Draw the lines of these markets again."""
        places = [self._row_by_ticker[each] for each in tickers if each in self._row_by_ticker]
        if places:
            self._lines = self._lines.invalidate(places)
            self.list.show(self._lines, dimmed=not self._live)

    def _update_visible(self) -> None:
        """Take note of which lines can be seen."""
        top = self.list.scroll_offset.y
        seen = tuple(self._tickers[top : top + self.list.size.height])
        if seen != self._visible_tickers:
            self._visible_tickers = seen
            self._flashes.set_visible(seen, partial(flashing_prices, self._store))
            self.post_message(self.LinesVisible(seen))

    def _draw_heading(self) -> None:
        heading = market_list_heading(
            self._columns,
            live=self._live,
            name=self._watch_lists.shown,
            sort=self._sort,
            reading=self._store.listing_progress if not self._store.market_data.listing_error else None,
        )
        self._heading.show([heading])
        unread = self._store.market_data.list_left_out_text
        if self._tickers and self._store.market_data.listing_error:
            unread = f"Not read whole: {self._store.market_data.listing_error}"
        self._foot.display = bool(unread)
        self._foot.show([line(Span(fit(f" {unread}", self.list.line_width), Tone.WARN))] if unread else [])

    def _count_orders(self) -> None:
        self._order_counts = {}
        for order in self._store.working_orders():
            self._order_counts[order.ticker] = self._order_counts.get(order.ticker, 0) + 1

    def _draw(self, ticker: str) -> Line:
        orders, signs = self._order_counts.get(ticker, 0), self._flashes.signs(ticker)
        return market_line(self._store, ticker, self._columns, orders, self._now_ms, signs)

    def next_sort(self) -> None:
        """Sort the list in the next order."""
        self._sort = self._sort.next_sort
        self.rebuild()

    # Selecting.

    def select_market(self, ticker: str) -> None:
        """Select a market. Clear the filter if it hides the market; show all markets if the watch list lacks it."""
        if ticker in self._store.markets and self._listed_version != self._store.market_list_version:
            # It has just come on the list.
            self.redraw()
        if ticker not in self._row_by_ticker and self._filter:
            self.close_filter()
        if ticker not in self._row_by_ticker and self._watch_lists.shown and ticker in self._store.markets:
            self._watch_lists.show("")
            self.rebuild()
        if ticker in self._row_by_ticker:
            self._ladder_ticker = ""
            self.list.move_cursor_to(self._row_by_ticker[ticker])
            self._report_selection()

    def select_ladder_market(self, ticker: str) -> None:
        """Select this market: the cursor goes there if it is listed, and stays where it is if not."""
        self._ladder_ticker = ticker
        if ticker in self._row_by_ticker:
            self.list.move_cursor_to(self._row_by_ticker[ticker])
        self._report_selection()

    def open_filter(self) -> None:
        """Show the filter and focus it."""
        self._filter_input.display = True
        self.screen.set_focus(self._filter_input)

    def close_filter(self) -> None:
        """Clear and hide the filter, and go back to the list if it is shown."""
        self._filter_input.value = self._filter = ""
        self._filter_input.display = False
        if self.display:
            self.screen.set_focus(self.list)
        self.redraw()

    def _report_selection(self) -> None:
        """Post which market is selected, if it is another one than before."""
        ticker = self.ticker
        known = ticker in self._store.markets
        if ticker and (ticker, known) != (self._reported_ticker, self._reported_known):
            self._reported_ticker, self._reported_known = ticker, known
            self.post_message(self.MarketSelected(ticker))

    @on(LineView.CursorMoved)
    def _cursor_moved(self, event: LineView.CursorMoved) -> None:
        event.stop()
        if self._has_focus:
            self._ladder_ticker = ""
        # Otherwise the lines have moved under the cursor, and all keys still act on the ladder that has the focus.
        self._report_selection()

    @on(DescendantFocus)
    def _list_focused(self) -> None:
        """Select the line under the cursor: all keys act on its market now."""
        self._ladder_ticker = ""
        self._report_selection()

    @property
    def _has_focus(self) -> bool:
        return self.screen.focused in {self.list, self._filter_input}

    @on(Input.Changed)
    def _filter_changed(self, event: Input.Changed) -> None:
        event.stop()
        if event.value != self._filter:
            self._filter = event.value
            self.redraw()
