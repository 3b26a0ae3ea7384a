"""What the desk does with its watch lists: show, make, rename, delete, put on, take off, put in order."""

from collections.abc import Callable
from dataclasses import replace

from textual import on

from kalshi_tui.session.interface import Desk
from kalshi_tui.session.notices import Weight
from kalshi_tui.ui.availability import Situation
from kalshi_tui.ui.desk.orders import OrderDesk
from kalshi_tui.ui.dialogs.ask import AskScreen
from kalshi_tui.ui.dialogs.naming import NamingScreen
from kalshi_tui.ui.market_list.finder_screen import FindingScreen
from kalshi_tui.ui.market_list.pane import WatchPane
from kalshi_tui.ui.market_list.view import Sort
from kalshi_tui.ui.market_list.watch_lists import LONGEST_NAME
from kalshi_tui.ui.ui_settings import Wishes


class WatchDesk(OrderDesk):
    """Carries out the commands on the market list and the watch lists."""

    def __init__(self, desk: Desk, clock_ms: Callable[[], int], timer_ms: Callable[[], int], wishes: Wishes) -> None:
        super().__init__(desk, clock_ms, timer_ms, wishes)
        desk.keep_listed(self._wanted_tickers())
        self._tell_trouble()

    def _wanted_tickers(self) -> list[str]:
        """Give the markets that are to stay on the desk, open or not."""
        return self._lists.every_ticker()

    def situation(self) -> Situation:
        """Add what of the lists decides which commands work."""
        return replace(
            super().situation(),
            list_name=self._lists.shown,
            watched=self._watch.ticker in (self._lists.tickers or ()),
            list_sorted=self._watch.sort is not Sort.LISTED,
        )

    @on(WatchPane.PastsSeen)
    def _pasts_seen(self, event: WatchPane.PastsSeen) -> None:
        self.desk.look_at_pasts(event.tickers)

    # Commands.

    def do_next_list(self) -> None:
        """Show the next list."""
        if not self._lists.names:
            self.refuse("There is no watch list yet: make one, or put the chosen market on a first one.")
            return
        self._lists.show_next()
        self._lists_changed()

    def do_watch(self) -> None:
        """Put the chosen market on the list, or take it off."""
        self._store.notify(Weight.INFO, self._lists.turn_over(self._watch.ticker))
        if self._lists.tickers is None:
            # All markets are shown, and tens of thousands need not be put in order for it.
            self._lists_kept()
        else:
            self._lists_changed()

    def do_new_list(self) -> None:
        """Ask for the name of a new list, and make it."""
        self._ask_name("new watch list", "What is the new watch list called?", self._lists.make)

    def do_rename_list(self) -> None:
        """Ask for another name of the list."""
        name = self._lists.shown
        self._ask_name("rename watch list", f"What is the list {name} called from now on?", self._lists.rename, name)

    def _ask_name(self, subject: str, sentence: str, take: Callable[[str], str], value: str = "") -> None:
        """Ask for a name until it is taken: ``take`` says why not."""

        def answered(name: str | None) -> None:
            if name:
                self._lists_changed()

        screen = NamingScreen(self.desk, subject, sentence, take, longest=LONGEST_NAME, value=value)
        self.app.push_screen(screen, answered)

    def do_delete_list(self) -> None:
        """Ask, then delete the list."""
        name, markets = self._lists.shown, len(self._lists.tickers or ())

        def answered(yes: bool | None) -> None:
            if yes and self._lists.shown == name:
                self._lists.delete()
                self._lists_changed()

        what = f"{markets} market{'s' if markets != 1 else ''}"
        question = f"Delete the watch list {name} with its {what}? Orders and positions stay as they are."
        self.app.push_screen(AskScreen(self.desk, "delete watch list", question), answered)

    def do_move_market(self, by: int) -> None:
        """Move the chosen market in its list."""
        if self._lists.move(self._watch.ticker, by):
            self._watch.list_anew()
        self._tell_trouble()

    def do_jump(self) -> None:
        """Find a market anywhere, and go there."""

        def found(ticker: str | None) -> None:
            if ticker:
                self._watch.go_to(ticker)
                self._focus_somewhere()

        self.app.push_screen(FindingScreen(self.desk), found)

    def _focus_somewhere(self) -> None:
        """Give the focus to where one begins."""
        self.set_focus(self._watch.list)

    def _lists_changed(self) -> None:
        self._watch.list_anew()
        self._lists_kept()

    def _lists_kept(self) -> None:
        self.desk.keep_listed(self._wanted_tickers())
        self._tell_trouble()
        self.draw_keys()

    def _tell_trouble(self) -> None:
        if self._lists.trouble:
            self._store.notify(Weight.ERROR, self._lists.trouble)
            self._lists.trouble = ""
