"""What stands below, one at a time: orders, positions, fills, tape, log, chart, settlements, alerts."""

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.events import DescendantBlur, DescendantFocus

from kalshi_tui.domain.price import Count
from kalshi_tui.presentation.lines import (
    Line,
    Span,
    Tone,
    length,
    line,
    spread_out,
)
from kalshi_tui.session.store import Dirty, Store
from kalshi_tui.ui.chart.state import ChartState
from kalshi_tui.ui.lists.panes import (
    Item,
    Tab,
    columns,
    items,
    key_of,
    pane_changed,
    pane_rows,
    tab_bar,
)
from kalshi_tui.ui.widgets.line_view import LineView


class LowerPane(Vertical):
    """Shows one list; the cursor stays on its order or fill while others come and go above it."""

    def __init__(self, store: Store, *, plain_chart: bool = False) -> None:
        super().__init__(id="lower")
        self.chart = ChartState(store, plain=plain_chart)
        self.least: Count = 0
        """The least count of the trades that the tape shows, but for the trader's own."""
        self._store = store
        self._ticker = ""
        self._ages: Line = ()
        self._keys: list[str] = []
        self.tab = Tab.ORDERS
        self._tabs = LineView(id="tabs", classes="one-line")
        self._heading = LineView(id="columns", classes="one-line")
        self.list = LineView(id="list", has_cursor=True)

    def compose(self) -> ComposeResult:
        """Lay out tabs, names, list."""
        yield self._tabs
        yield self._heading
        yield self.list

    @property
    def item(self) -> Item | None:
        """What is drawn under the cursor, as now known. By its key: the list may have changed since it was drawn."""
        key = self._key()
        return next((item for item in items(self._store, self.tab) if key and key_of(item) == key), None)

    def _key(self) -> str:
        place = self.list.cursor or 0
        return self._keys[place] if place < len(self._keys) else ""

    def look_at(self, ticker: str) -> None:
        """Show tape and chart of another market."""
        self._ticker = ticker
        self.chart.look_at(ticker)
        if self.tab in {Tab.TAPE, Tab.CHART}:
            self.redraw()

    def sift(self, least: Count) -> None:
        """Show trades of so many contracts or more, and the trader's own."""
        self.least = least
        if self.tab is Tab.TAPE:
            self.redraw()

    def open_tab(self, tab: Tab) -> None:
        """Show another list, from its first item."""
        self.tab = tab
        self._keys = []
        self.list.move_to(0)
        if tab is Tab.CHART:
            # It has a crosshair instead of a line that is chosen.
            self.list.cursor = None
            self.redraw()
            return
        self.redraw()
        self.list.move_to(next((place for place, key in enumerate(self._keys) if key), 0))

    def frame(self, dirty: Dirty) -> None:
        """Draw if what changed can be seen."""
        if self.tab is Tab.CHART and self.chart.is_stale:
            self._draw_chart()
        if pane_changed(self._store, self.tab, self._ticker, dirty):
            self.redraw()
        elif dirty.topics:
            self._draw_tabs()

    def show_ages(self, ages: Line) -> None:
        """Show at the end of the tabs how old the link's last signs of life are: there is room at any width."""
        if ages != self._ages:
            self._ages = ages
            self._draw_tabs()

    def _draw_tabs(self) -> None:
        room = self._tabs.room
        tabs = tab_bar(self._store, self.tab, short=True, tight=True)
        for short, tight in ((False, False), (True, False), (True, True)):
            fitting = tab_bar(self._store, self.tab, short=short, tight=tight)
            if length(fitting) + length(self._ages) <= room:
                tabs = spread_out(fitting, self._ages, room)
                break
        self._tabs.show([tabs])

    def _draw_chart(self) -> None:
        self._heading.show([self.chart.heading(self._heading.room)])
        self.list.show(self.chart.lines(self.list.room, self.list.size.height, focused=self.list.has_focus))

    @on(DescendantFocus)
    @on(DescendantBlur)
    def _focus_moved(self) -> None:
        if self.tab is Tab.CHART:
            self._draw_chart()

    def redraw(self) -> None:
        """Draw; the cursor follows its item, for an x must not hit whatever moved under it."""
        self._draw_tabs()
        if self.tab is Tab.CHART:
            self._draw_chart()
            return
        self._heading.show([line(Span(" " + columns(self.tab, self.list.room, self.least), Tone.HEAD))])
        chosen = self._key()
        rows = pane_rows(self._store, self.tab, self._ticker, self.list.room, self.least)
        self._keys = [key for key, _ in rows]
        self.list.show([content for _, content in rows])
        if chosen and chosen in self._keys:
            self.list.move_to(self._keys.index(chosen))
