"""The lists below: orders, positions, fills, tape, log, one at a time."""

from textual.app import ComposeResult
from textual.containers import Vertical

from kalshi_tui.session.store import Dirty, Store
from kalshi_tui.ui.lines import Line, Span, Tone, length, line, spread_out
from kalshi_tui.ui.panes import Item, Tab, columns, items, key_of, pane_changed, pane_rows, tab_bar
from kalshi_tui.ui.widgets.line_view import LineView


class LowerPane(Vertical):
    """Shows one list; the cursor stays on its order or fill while others come and go above it."""

    def __init__(self, store: Store) -> None:
        super().__init__(id="lower")
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
        """Show the tape of another market."""
        self._ticker = ticker
        if self.tab is Tab.TAPE:
            self.redraw()

    def open_tab(self, tab: Tab) -> None:
        """Show another list, from its first item."""
        self.tab = tab
        self._keys = []
        self.list.move_to(0)
        self.redraw()
        self.list.move_to(next((place for place, key in enumerate(self._keys) if key), 0))

    def frame(self, dirty: Dirty) -> None:
        """Draw if what changed can be seen."""
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
        tabs, room = tab_bar(self._store, self.tab), self._tabs.room
        fits = length(tabs) + length(self._ages) < room
        self._tabs.show([spread_out(tabs, self._ages, room) if fits else tabs])

    def redraw(self) -> None:
        """Draw; the cursor follows its item, for an x must not hit whatever moved under it."""
        self._draw_tabs()
        self._heading.show([line(Span(" " + columns(self.tab, self.list.room), Tone.HEAD))])
        chosen = self._key()
        rows = pane_rows(self._store, self.tab, self._ticker, self.list.room)
        self._keys = [key for key, _ in rows]
        self.list.show([content for _, content in rows])
        if chosen and chosen in self._keys:
            self.list.move_to(self._keys.index(chosen))
