"""The lower pane: one of orders, positions, fills, tape, log, chart, settlements, alerts."""

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.events import DescendantBlur, DescendantFocus

from kalshi_tui.domain.price import Count
from kalshi_tui.presentation.lines import (
    Line,
    Span,
    Tone,
    cell_count,
    justify,
    line,
)
from kalshi_tui.session.changes import StoreChanges
from kalshi_tui.session.store import Store
from kalshi_tui.ui.chart.state import ChartState
from kalshi_tui.ui.lists.panes import (
    ListItem,
    Tab,
    column_heading,
    is_affected,
    item_key,
    list_items,
    pane_rows,
    tab_bar,
)
from kalshi_tui.ui.widgets.line_view import LineView


class LowerPane(Vertical):
    """Shows one list; the cursor stays on its order or fill while others come and go above it."""

    def __init__(self, store: Store, *, plain_chart: bool = False) -> None:
        super().__init__(id="lower")
        self.chart = ChartState(store, plain=plain_chart)
        self.min_count: Count = 0
        """The least count of the trades that the tape shows, but for the trader's own."""
        self._store = store
        self._ticker = ""
        self._link_ages: Line = ()
        self._item_keys: list[str] = []
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
    def selected_item(self) -> ListItem | None:
        """The item drawn under the cursor, as now known. By its key: the list may have changed since it was drawn."""
        key = self._selected_key()
        return next((item for item in list_items(self._store, self.tab) if key and item_key(item) == key), None)

    def _selected_key(self) -> str:
        place = self.list.cursor or 0
        return self._item_keys[place] if place < len(self._item_keys) else ""

    def show_market(self, ticker: str) -> None:
        """Show tape and chart of another market."""
        self._ticker = ticker
        self.chart.show_market(ticker)
        if self.tab in {Tab.TAPE, Tab.CHART}:
            self.redraw()

    def set_min_count(self, min_count: Count) -> None:
        """Show trades of so many contracts or more, and the trader's own."""
        self.min_count = min_count
        if self.tab is Tab.TAPE:
            self.redraw()

    def open_tab(self, tab: Tab) -> None:
        """Show another list, from its first item."""
        self.tab = tab
        self._item_keys = []
        self.list.move_cursor_to(0)
        if tab is Tab.CHART:
            # It has a crosshair instead of a line that is chosen.
            self.list.cursor = None
            self.redraw()
            return
        self.redraw()
        self.list.move_cursor_to(next((place for place, key in enumerate(self._item_keys) if key), 0))

    def frame(self, dirty: StoreChanges) -> None:
        """Draw if what changed can be seen."""
        if self.tab is Tab.CHART and self.chart.is_stale:
            self._draw_chart()
        if is_affected(self._store, self.tab, self._ticker, dirty):
            self.redraw()
        elif dirty.topics:
            self._draw_tabs()

    def show_link_ages(self, ages: Line) -> None:
        """Show at the end of the tabs how old the link's last signs of life are: there is room at any width."""
        if ages != self._link_ages:
            self._link_ages = ages
            self._draw_tabs()

    def _draw_tabs(self) -> None:
        room = self._tabs.line_width
        tabs = tab_bar(self._store, self.tab, short=True, tight=True)
        for short, tight in ((False, False), (True, False), (True, True)):
            fitting = tab_bar(self._store, self.tab, short=short, tight=tight)
            if cell_count(fitting) + cell_count(self._link_ages) <= room:
                tabs = justify(fitting, self._link_ages, room)
                break
        self._tabs.show([tabs])

    def _draw_chart(self) -> None:
        self._heading.show([self.chart.heading(self._heading.line_width)])
        self.list.show(
            self.chart.render_lines(self.list.line_width, self.list.size.height, focused=self.list.has_focus)
        )

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
        self._heading.show(
            [line(Span(" " + column_heading(self._store, self.tab, self.list.line_width, self.min_count), Tone.HEAD))]
        )
        chosen = self._selected_key()
        rows = pane_rows(self._store, self.tab, self._ticker, self.list.line_width, self.min_count)
        self._item_keys = [key for key, _ in rows]
        self.list.show([content for _, content in rows])
        if chosen and chosen in self._item_keys:
            self.list.move_cursor_to(self._item_keys.index(chosen))
