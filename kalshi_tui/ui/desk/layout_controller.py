"""What the desk does with the room it has: ladders side by side, the width of the market list, saved layouts."""

from typing import Final

from kalshi_tui.session.interface import TradingSession
from kalshi_tui.session.notices import Severity
from kalshi_tui.ui.desk.desk_view import DeskPanes, DeskView
from kalshi_tui.ui.desk.layouts import MAX_TILES, Layout, Layouts
from kalshi_tui.ui.desk.selection import DeskSelection
from kalshi_tui.ui.dialogs.naming import TextPromptScreen
from kalshi_tui.ui.key_labels import key_for
from kalshi_tui.ui.ladder.ladder_controller import LadderController
from kalshi_tui.ui.ladder.pane import LadderPane
from kalshi_tui.ui.market_list.watch_lists import MAX_LIST_NAME_LENGTH, WatchLists

LIST_WIDTH_CLASSES: Final = {"usual": "", "all": "-list-wide", "none": "-list-none"}
"""How much of the width the market list has, and the class of the style sheet for it."""
LIST_WIDTH_BESIDE_TILES: Final = 46
"""Cells of the market list while ladders stand side by side."""
WIDE_LAYOUT_MIN_WIDTH: Final = 118
"""From this width on the tape has a column of its own."""


class LayoutController:
    """Arranges the panes, and keeps the arrangement for the next start."""

    def __init__(
        self,
        session: TradingSession,
        view: DeskView,
        panes: DeskPanes,
        selection: DeskSelection,
        ladder: LadderController,
        layouts: Layouts,
        watch_lists: WatchLists,
    ) -> None:
        self._session = session
        self._view = view
        self._panes = panes
        self._selection = selection
        self._ladder = ladder
        self._layouts = layouts
        self._watch_lists = watch_lists
        self._list_width = "usual"

    # The panes that are shown.

    @property
    def hides_list(self) -> bool:
        """Whether the market list has no width at all."""
        return self._list_width == "none"

    @property
    def hides_center(self) -> bool:
        """Whether the market list has all the width."""
        return self._list_width == "all"

    def visible_books(self, ticker: str) -> list[str]:
        """Return the markets whose books are on the screen while this one is selected."""
        return list(dict.fromkeys([ticker, *self._panes.tiles.tickers]))

    def focus_default_pane(self) -> None:
        """Return the focus to where the desk begins: a pane that is not shown never has it."""
        self._view.set_focus(self._selection.center_pane if self.hides_list else self._panes.market_list.list)

    # Commands.

    def toggle_tile(self) -> None:
        """Put the selected market's ladder beside the others, or take it away."""
        tiles, ticker = self._panes.tiles, self._selection.ticker
        tickers = tiles.tickers
        if ticker in tickers:
            tickers.remove(ticker)
            focused = self._view.focused
            if isinstance(focused, LadderPane) and focused.ticker == ticker:
                self.focus_default_pane()
        elif len(tickers) >= MAX_TILES:
            self._view.show_reason(f"There are {MAX_TILES} ladders already.")
            return
        else:
            tickers.append(ticker)
        self._set_tiles(tickers)
        if ticker in tickers and len(tiles.visible_panes) < len(tickers):
            more = "" if self.hides_list else f"; {key_for('wide')} gives the width of the market list"
            self._view.show_reason(f"The ladder of {ticker} has no room yet: it comes with a wider screen{more}.")
        self._remember()

    def cycle_list_width(self) -> None:
        """Switch the market list between all the width, none of it, and its usual share."""
        names = list(LIST_WIDTH_CLASSES)
        self._set_list_width(names[(names.index(self._list_width) + 1) % len(names)])
        self._remember()

    def show_market_list(self) -> None:
        """Bring a hidden market list back."""
        if self.hides_list:
            self._set_list_width("usual")
            self._remember()

    def next_layout(self) -> None:
        """Take the next saved layout."""
        layout = self._layouts.next_saved()
        if layout is None:
            return
        if self._watch_lists.shown != layout.watch_list:
            self._watch_lists.show(layout.watch_list)
            self._panes.market_list.rebuild()
        self.apply(layout)
        self._session.store.notify(Severity.INFO, f"Layout: {layout.name}.")
        self._remember(layout.name)

    def save_layout(self) -> None:
        """Ask for a name and save the desk as it is."""
        screen = TextPromptScreen(
            self._session,
            "save layout",
            "What is this layout called? One of the same name is replaced.",
            lambda text: self._layouts.save(text, self._current_layout()),
            max_length=MAX_LIST_NAME_LENGTH,
            value=self._layouts.current.name,
        )
        self._view.app.push_screen(screen, lambda _: self._remember())

    def delete_layout(self) -> None:
        """Forget the layout in use."""
        name = self._layouts.current.name
        self._layouts.delete(name)
        self._session.store.notify(Severity.INFO, f"The layout {name} is forgotten; the desk stays as it is.")
        self._remember()

    # Why a command does not work now, in a sentence; empty if it does.

    def cannot_tile(self) -> str:
        """Return why no ladder can be put there, or taken away.

        That of a market which the exchange does not know any more can still be taken away.
        """
        return "" if self._selection.ticker in self._panes.tiles.tickers else self._selection.no_market_reason()

    def no_saved_layout(self) -> str:
        """Return that no layout is saved."""
        return "" if self._layouts.names else f"No layout is saved yet: {key_for('save-layout')} saves this one."

    def layout_not_saved(self) -> str:
        """Return that the layout in use is not saved."""
        if self._layouts.current.name in self._layouts.names:
            return ""
        return f"This arrangement is no saved layout: {key_for('layout')} goes to one."

    # The room there is.

    def restore(self) -> None:
        """Arrange the panes as the desk was left."""
        self.apply(self._layouts.current)

    def apply(self, layout: Layout) -> None:
        """Arrange the panes so."""
        if bool(self._panes.ladder.display) != layout.ladder:
            self._ladder.toggle()
        self._list_width = layout.share if layout.share in LIST_WIDTH_CLASSES else "usual"
        self._set_tiles(list(layout.tiles))
        self._set_list_width(self._list_width)

    def fit_width(self, width: int) -> None:
        """Show what a screen of this width has room for: the tape's column, and ladders side by side."""
        self._view.set_class(width >= WIDE_LAYOUT_MIN_WIDTH, "-wide")
        self._fit_tiles(width)

    def _fit_tiles(self, width: int) -> None:
        left = {
            "usual": LIST_WIDTH_BESIDE_TILES if width >= WIDE_LAYOUT_MIN_WIDTH else width * 45 // 100,
            "none": 0,
        }.get(self._list_width, width)
        shown = self._panes.tiles.fit_width(width - left)
        self._view.set_class(shown > 0, "-tiles")
        focused = self._view.focused
        if isinstance(focused, LadderPane) and not focused.display:
            self.focus_default_pane()

    def _set_tiles(self, tickers: list[str]) -> None:
        self._panes.tiles.set_tickers(tickers)
        self._fit_tiles(self._view.size.width)
        self.keep_listed(tickers)
        if self._selection.ticker:
            self._session.set_shown_markets(self.visible_books(self._selection.ticker))
        self._view.call_after_refresh(self._view.redraw)

    def keep_listed(self, tiles: list[str] | None = None) -> None:
        """Have the session keep the markets of ladders and watch lists on the desk, open or not.

        Without ``tiles`` they are those of the layout in use: the panes themselves may not be there yet.
        """
        beside = self._layouts.current.tiles if tiles is None else tiles
        self._session.set_watch_list_markets(list(dict.fromkeys([*beside, *self._watch_lists.all_tickers()])))

    def _set_list_width(self, list_width: str) -> None:
        self._list_width = list_width
        for name, css in LIST_WIDTH_CLASSES.items():
            if css:
                self._view.set_class(name == list_width, css)
        self._fit_tiles(self._view.size.width)
        focused = self._view.focused
        if focused is not None and not focused.display:
            self.focus_default_pane()
        if self.hides_list and self._view.focused is self._panes.market_list.list:
            self._view.set_focus(self._selection.center_pane)
        if self.hides_center and not self._selection.in_lower_list:
            self._view.set_focus(self._panes.market_list.list)
        self._view.call_after_refresh(self._view.redraw)

    def _current_layout(self, name: str | None = None) -> Layout:
        return Layout(
            name=self._layouts.current.name if name is None else name,
            tiles=tuple(self._panes.tiles.tickers),
            ladder=bool(self._panes.ladder.display),
            share=self._list_width,
            watch_list=self._watch_lists.shown,
        )

    def _remember(self, name: str | None = None) -> None:
        self._layouts.remember(self._current_layout(name))
        self.report_storage_error()
        self._view.update_key_bar()

    def report_storage_error(self) -> None:
        """Report once that watch lists or layouts could not be read or written."""
        for storage in (self._watch_lists, self._layouts):
            if storage.storage_error:
                self._session.store.notify(Severity.ERROR, storage.storage_error)
                storage.storage_error = ""
