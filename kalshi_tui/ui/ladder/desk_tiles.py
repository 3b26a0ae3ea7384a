"""What the desk does with the room it has: ladders side by side, the share of the market list, saved layouts."""

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from textual import on
from textual.events import DescendantFocus

from kalshi_tui.session.interface import Desk
from kalshi_tui.session.notices import Weight
from kalshi_tui.ui.availability import Situation
from kalshi_tui.ui.desk.layouts import MOST_TILES, Layout, Layouts
from kalshi_tui.ui.dialogs.naming import NamingScreen
from kalshi_tui.ui.keys import key
from kalshi_tui.ui.ladder.desk_ladder import LadderDesk
from kalshi_tui.ui.ladder.pane import LadderPane
from kalshi_tui.ui.ladder.tiles import Tiles
from kalshi_tui.ui.market_list.watch_lists import LONGEST_NAME
from kalshi_tui.ui.ui_settings import Wishes

SHARES: Final = {"usual": "", "all": "-list-wide", "none": "-list-none"}
"""How much of the width the market list has, and the class of the style sheet for it."""
BESIDE_TILES: Final = 46
"""Cells of the market list while ladders stand side by side."""
WIDE_FROM: Final = 118
"""From this width on the tape has a column of its own."""


class TileDesk(LadderDesk):
    """Carries out the commands on ladders side by side and on layouts."""

    def __init__(self, desk: Desk, clock_ms: Callable[[], int], timer_ms: Callable[[], int], wishes: Wishes) -> None:
        self._layouts = Layouts(wishes.kept_folder)
        self._tiles = Tiles(desk.store)
        self._share = "usual"
        super().__init__(desk, clock_ms, timer_ms, wishes)

    def situation(self) -> Situation:
        """Add what of the layouts decides which commands work."""
        named = self._layouts.now.name
        return replace(
            super().situation(),
            layouts=bool(self._layouts.names),
            tiled=self._watch.ticker in self._tiles.tickers,
            layout=named if named in self._layouts.names else "",
        )

    def _wanted_tickers(self) -> list[str]:
        return list(dict.fromkeys([*self._layouts.now.tiles, *super()._wanted_tickers()]))

    def books_looked_at(self, ticker: str) -> list[str]:
        """Give the markets whose books are on the screen while this one is the chosen one."""
        return list(dict.fromkeys([ticker, *self._tiles.tickers]))

    @on(DescendantFocus)
    def _tile_focused(self, event: DescendantFocus) -> None:
        """Let the market of the ladder that has the focus be the chosen one: all commands mean it."""
        if isinstance(event.widget, LadderPane) and event.widget in self._tiles.seen:
            self._watch.look_at(event.widget.ticker)

    # Commands.

    def do_tile(self) -> None:
        """Put the chosen market's ladder beside the others, or take it away."""
        tickers, ticker = self._tiles.tickers, self._watch.ticker
        if ticker in tickers:
            tickers.remove(ticker)
            if isinstance(self.focused, LadderPane) and self.focused.ticker == ticker:
                self._focus_somewhere()
        elif len(tickers) >= MOST_TILES:
            self.refuse(f"There are {MOST_TILES} ladders already.")
            return
        else:
            tickers.append(ticker)
        self._set_tiles(tickers)
        if ticker in tickers and len(self._tiles.seen) < len(tickers):
            more = "" if self._share == "none" else f"; {key('wide')} gives the width of the market list"
            self.refuse(f"The ladder of {ticker} has no room yet: it comes with a wider screen{more}.")
        self._note_layout()

    def do_wide(self) -> None:
        """Give the market list all the width, none of it, or its usual share."""
        names = list(SHARES)
        self._set_share(names[(names.index(self._share) + 1) % len(names)])
        self._note_layout()

    def do_filter(self) -> None:
        """Open the filter; a list that is hidden comes back, so that it is seen what is typed and found."""
        if self._share == "none":
            self._set_share("usual")
            self._note_layout()
        self._watch.open_filter()

    def do_next_layout(self) -> None:
        """Take the next saved layout."""
        layout = self._layouts.following()
        if layout is not None:
            self._show_list(layout.watch_list)
            self.take(layout)
            self._store.notify(Weight.INFO, f"Layout: {layout.name}.")
            self._note_layout(layout.name)

    def do_save_layout(self) -> None:
        """Ask for a name and save the desk as it is."""
        screen = NamingScreen(
            self.desk,
            "save layout",
            "What is this layout called? One of the same name is replaced.",
            lambda text: self._layouts.save(text, self._layout()),
            longest=LONGEST_NAME,
            value=self._layouts.now.name,
        )
        self.app.push_screen(screen, lambda _: self._note_layout())

    def do_delete_layout(self) -> None:
        """Forget the layout in use."""
        name = self._layouts.now.name
        self._layouts.delete(name)
        self._store.notify(Weight.INFO, f"The layout {name} is forgotten; the desk stays as it is.")
        self._note_layout()

    # The room there is.

    def _layout(self, name: str | None = None) -> Layout:
        return Layout(
            name=self._layouts.now.name if name is None else name,
            tiles=tuple(self._tiles.tickers),
            ladder=bool(self._ladder.display),
            share=self._share,
            watch_list=self._lists.shown,
        )

    def _note_layout(self, name: str | None = None) -> None:
        self._layouts.note(self._layout(name))
        self._tell_trouble()
        self.draw_keys()

    def take(self, layout: Layout) -> None:
        """Arrange the panes so."""
        if bool(self._ladder.display) != layout.ladder:
            self.do_view()
        self._share = layout.share if layout.share in SHARES else "usual"
        self._set_tiles(list(layout.tiles))
        self._set_share(self._share)

    def _show_list(self, name: str) -> None:
        if self._lists.shown != name:
            self._lists.show(name)
            self._watch.list_anew()

    def _set_tiles(self, tickers: list[str]) -> None:
        self._tiles.set_tickers(tickers)
        self.give_room(self.size.width)
        self.desk.keep_listed(list(dict.fromkeys([*tickers, *super()._wanted_tickers()])))
        if self._watch.ticker:
            self.desk.look_at(self.books_looked_at(self._watch.ticker))
        self.call_after_refresh(self.redraw)

    def _set_share(self, share: str) -> None:
        self._share = share
        for name, css in SHARES.items():
            if css:
                self.set_class(name == share, css)
        self.give_room(self.size.width)
        if self.focused is not None and not self.focused.display:
            self._focus_somewhere()
        if share == "none" and self.focused is self._watch.list:
            self.set_focus(self._middle)
        if share == "all" and not self._in_lower:
            self.set_focus(self._watch.list)
        self.call_after_refresh(self.redraw)

    def _focus_somewhere(self) -> None:
        """Give the focus to where one begins: what is not shown never has it."""
        self.set_focus(self._middle if self._share == "none" else self._watch.list)

    def give_room(self, width: int) -> None:
        """Show as many ladders side by side as a screen of this width has room for."""
        left = {"usual": BESIDE_TILES if width >= WIDE_FROM else width * 45 // 100, "none": 0}.get(self._share, width)
        shown = self._tiles.make_room(width - left)
        self.set_class(shown > 0, "-tiles")
        if isinstance(self.focused, LadderPane) and not self.focused.display:
            self._focus_somewhere()
