"""What the desk does with the room it has: ladders side by side, the share of the market list, saved layouts."""

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from textual import on
from textual.events import DescendantFocus

from kalshi_tui.session.interface import TradingSession
from kalshi_tui.session.notices import Weight
from kalshi_tui.ui.availability import CommandContext
from kalshi_tui.ui.desk.layouts import MAX_TILES, Layout, Layouts
from kalshi_tui.ui.dialogs.naming import TextPromptScreen
from kalshi_tui.ui.keys import key_for
from kalshi_tui.ui.ladder.desk_ladder import LadderDesk
from kalshi_tui.ui.ladder.pane import LadderPane
from kalshi_tui.ui.ladder.tiles import LadderTiles
from kalshi_tui.ui.market_list.watch_lists import MAX_LIST_NAME_LENGTH
from kalshi_tui.ui.ui_settings import UiSettings

LIST_WIDTH_CLASSES: Final = {"usual": "", "all": "-list-wide", "none": "-list-none"}
"""How much of the width the market list has, and the class of the style sheet for it."""
LIST_WIDTH_BESIDE_TILES: Final = 46
"""Cells of the market list while ladders stand side by side."""
WIDE_LAYOUT_MIN_WIDTH: Final = 118
"""From this width on the tape has a column of its own."""


class TileDesk(LadderDesk):
    """Carries out the commands on ladders side by side and on layouts."""

    def __init__(
        self, desk: TradingSession, clock_ms: Callable[[], int], timer_ms: Callable[[], int], ui_settings: UiSettings
    ) -> None:
        self._layouts = Layouts(ui_settings.data_folder)
        self._tiles = LadderTiles(desk.store)
        self._list_width = "usual"
        super().__init__(desk, clock_ms, timer_ms, ui_settings)

    def command_context(self) -> CommandContext:
        """Add what of the layouts decides which commands work."""
        named = self._layouts.current.name
        return replace(
            super().command_context(),
            layouts=bool(self._layouts.names),
            tiled=self._market_list.ticker in self._tiles.tickers,
            layout=named if named in self._layouts.names else "",
        )

    def _pinned_tickers(self) -> list[str]:
        return list(dict.fromkeys([*self._layouts.current.tiles, *super()._pinned_tickers()]))

    def visible_books(self, ticker: str) -> list[str]:
        """Return the markets whose books are on the screen while this one is the chosen one."""
        return list(dict.fromkeys([ticker, *self._tiles.tickers]))

    @on(DescendantFocus)
    def _tile_focused(self, event: DescendantFocus) -> None:
        """Let the market of the ladder that has the focus be the chosen one: all commands mean it."""
        if isinstance(event.widget, LadderPane) and event.widget in self._tiles.visible_panes:
            self._market_list.select_ladder_market(event.widget.ticker)

    # Commands.

    def do_tile(self) -> None:
        """Put the chosen market's ladder beside the others, or take it away."""
        tickers, ticker = self._tiles.tickers, self._market_list.ticker
        if ticker in tickers:
            tickers.remove(ticker)
            if isinstance(self.focused, LadderPane) and self.focused.ticker == ticker:
                self._focus_default_pane()
        elif len(tickers) >= MAX_TILES:
            self.show_reason(f"There are {MAX_TILES} ladders already.")
            return
        else:
            tickers.append(ticker)
        self._set_tiles(tickers)
        if ticker in tickers and len(self._tiles.visible_panes) < len(tickers):
            more = "" if self._list_width == "none" else f"; {key_for('wide')} gives the width of the market list"
            self.show_reason(f"The ladder of {ticker} has no room yet: it comes with a wider screen{more}.")
        self._remember_layout()

    def do_wide(self) -> None:
        """Return the market list all the width, none of it, or its usual share."""
        names = list(LIST_WIDTH_CLASSES)
        self._set_list_width(names[(names.index(self._list_width) + 1) % len(names)])
        self._remember_layout()

    def do_filter(self) -> None:
        """Open the filter; a list that is hidden comes back, so that it is seen what is typed and found."""
        if self._list_width == "none":
            self._set_list_width("usual")
            self._remember_layout()
        self._market_list.open_filter()

    def do_next_layout(self) -> None:
        """Take the next saved layout."""
        layout = self._layouts.next_saved()
        if layout is not None:
            self._show_watch_list(layout.watch_list)
            self.apply_layout(layout)
            self._store.notify(Weight.INFO, f"Layout: {layout.name}.")
            self._remember_layout(layout.name)

    def do_save_layout(self) -> None:
        """Ask for a name and save the desk as it is."""
        screen = TextPromptScreen(
            self.desk,
            "save layout",
            "What is this layout called? One of the same name is replaced.",
            lambda text: self._layouts.save(text, self._current_layout()),
            max_length=MAX_LIST_NAME_LENGTH,
            value=self._layouts.current.name,
        )
        self.app.push_screen(screen, lambda _: self._remember_layout())

    def do_delete_layout(self) -> None:
        """Forget the layout in use."""
        name = self._layouts.current.name
        self._layouts.delete(name)
        self._store.notify(Weight.INFO, f"The layout {name} is forgotten; the desk stays as it is.")
        self._remember_layout()

    # The room there is.

    def _current_layout(self, name: str | None = None) -> Layout:
        return Layout(
            name=self._layouts.current.name if name is None else name,
            tiles=tuple(self._tiles.tickers),
            ladder=bool(self._ladder.display),
            share=self._list_width,
            watch_list=self._watch_lists.shown,
        )

    def _remember_layout(self, name: str | None = None) -> None:
        self._layouts.remember(self._current_layout(name))
        self._report_storage_error()
        self.update_key_bar()

    def apply_layout(self, layout: Layout) -> None:
        """Arrange the panes so."""
        if bool(self._ladder.display) != layout.ladder:
            self.do_view()
        self._list_width = layout.share if layout.share in LIST_WIDTH_CLASSES else "usual"
        self._set_tiles(list(layout.tiles))
        self._set_list_width(self._list_width)

    def _show_watch_list(self, name: str) -> None:
        if self._watch_lists.shown != name:
            self._watch_lists.show(name)
            self._market_list.rebuild()

    def _set_tiles(self, tickers: list[str]) -> None:
        self._tiles.set_tickers(tickers)
        self.fit_tiles(self.size.width)
        self.desk.set_watch_list_markets(list(dict.fromkeys([*tickers, *super()._pinned_tickers()])))
        if self._market_list.ticker:
            self.desk.set_shown_markets(self.visible_books(self._market_list.ticker))
        self.call_after_refresh(self.redraw)

    def _set_list_width(self, list_width: str) -> None:
        self._list_width = list_width
        for name, css in LIST_WIDTH_CLASSES.items():
            if css:
                self.set_class(name == list_width, css)
        self.fit_tiles(self.size.width)
        if self.focused is not None and not self.focused.display:
            self._focus_default_pane()
        if list_width == "none" and self.focused is self._market_list.list:
            self.set_focus(self._center_pane)
        if list_width == "all" and not self._in_lower_list:
            self.set_focus(self._market_list.list)
        self.call_after_refresh(self.redraw)

    def _focus_default_pane(self) -> None:
        """Return the focus to where one begins: what is not shown never has it."""
        self.set_focus(self._center_pane if self._list_width == "none" else self._market_list.list)

    def fit_tiles(self, width: int) -> None:
        """Show as many ladders side by side as a screen of this width has room for."""
        left = {
            "usual": LIST_WIDTH_BESIDE_TILES if width >= WIDE_LAYOUT_MIN_WIDTH else width * 45 // 100,
            "none": 0,
        }.get(self._list_width, width)
        shown = self._tiles.fit_width(width - left)
        self.set_class(shown > 0, "-tiles")
        if isinstance(self.focused, LadderPane) and not self.focused.display:
            self._focus_default_pane()
