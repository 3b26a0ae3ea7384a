"""What the desk does with its watch lists: show, make, rename, delete, put on, take off, put in order."""

from collections.abc import Callable
from dataclasses import replace

from textual import on

from kalshi_tui.session.interface import TradingSession
from kalshi_tui.session.notices import Weight
from kalshi_tui.ui.availability import CommandContext
from kalshi_tui.ui.desk.orders import OrderDesk
from kalshi_tui.ui.dialogs.ask import AskScreen
from kalshi_tui.ui.dialogs.naming import TextPromptScreen
from kalshi_tui.ui.market_list.finder_screen import FinderScreen
from kalshi_tui.ui.market_list.pane import MarketListPane
from kalshi_tui.ui.market_list.view import MarketSort
from kalshi_tui.ui.market_list.watch_lists import MAX_LIST_NAME_LENGTH
from kalshi_tui.ui.ui_settings import UiSettings


class WatchDesk(OrderDesk):
    """Carries out the commands on the market list and the watch lists."""

    def __init__(
        self, desk: TradingSession, clock_ms: Callable[[], int], timer_ms: Callable[[], int], ui_settings: UiSettings
    ) -> None:
        super().__init__(desk, clock_ms, timer_ms, ui_settings)
        desk.set_watch_list_markets(self._pinned_tickers())
        self._report_storage_error()

    def _pinned_tickers(self) -> list[str]:
        """Return the markets that are to stay on the desk, open or not."""
        return self._watch_lists.all_tickers()

    def command_context(self) -> CommandContext:
        """Add what of the lists decides which commands work."""
        return replace(
            super().command_context(),
            list_name=self._watch_lists.shown,
            watched=self._market_list.ticker in (self._watch_lists.tickers or ()),
            list_sorted=self._market_list.sort is not MarketSort.LISTED,
        )

    @on(MarketListPane.SparklinesVisible)
    def _sparklines_visible(self, event: MarketListPane.SparklinesVisible) -> None:
        self.desk.set_shown_sparklines(event.tickers)

    # Commands.

    def do_next_list(self) -> None:
        """Show the next list."""
        if not self._watch_lists.names:
            self.show_reason("There is no watch list yet: make one, or put the chosen market on a first one.")
            return
        self._watch_lists.show_next()
        self._refresh_watch_lists()

    def do_watch(self) -> None:
        """Put the chosen market on the list, or take it off."""
        self._store.notify(Weight.INFO, self._watch_lists.toggle(self._market_list.ticker))
        if self._watch_lists.tickers is None:
            # All markets are shown, and tens of thousands need not be put in order for it.
            self._sync_pinned_tickers()
        else:
            self._refresh_watch_lists()

    def do_new_list(self) -> None:
        """Ask for the name of a new list, and make it."""
        self._ask_name("new watch list", "What is the new watch list called?", self._watch_lists.create)

    def do_rename_list(self) -> None:
        """Ask for another name of the list."""
        name = self._watch_lists.shown
        self._ask_name(
            "rename watch list", f"What is the list {name} called from now on?", self._watch_lists.rename, name
        )

    def _ask_name(self, subject: str, prompt: str, accept: Callable[[str], str], value: str = "") -> None:
        """Ask for a name until it is taken: ``take`` says why not."""

        def answered(name: str | None) -> None:
            if name:
                self._refresh_watch_lists()

        screen = TextPromptScreen(self.desk, subject, prompt, accept, max_length=MAX_LIST_NAME_LENGTH, value=value)
        self.app.push_screen(screen, answered)

    def do_delete_list(self) -> None:
        """Ask, then delete the list."""
        name, markets = self._watch_lists.shown, len(self._watch_lists.tickers or ())

        def answered(yes: bool | None) -> None:
            if yes and self._watch_lists.shown == name:
                self._watch_lists.delete()
                self._refresh_watch_lists()

        what = f"{markets} market{'s' if markets != 1 else ''}"
        question = f"Delete the watch list {name} with its {what}? Orders and positions stay as they are."
        self.app.push_screen(AskScreen(self.desk, "delete watch list", question), answered)

    def do_move_market(self, by: int) -> None:
        """Move the chosen market in its list."""
        if self._watch_lists.move(self._market_list.ticker, by):
            self._market_list.rebuild()
        self._report_storage_error()

    def do_jump(self) -> None:
        """Find a market anywhere, and go there."""

        def found(ticker: str | None) -> None:
            if ticker:
                self._market_list.select_market(ticker)
                self._focus_default_pane()

        self.app.push_screen(FinderScreen(self.desk), found)

    def _focus_default_pane(self) -> None:
        """Return the focus to where one begins."""
        self.set_focus(self._market_list.list)

    def _refresh_watch_lists(self) -> None:
        self._market_list.rebuild()
        self._sync_pinned_tickers()

    def _sync_pinned_tickers(self) -> None:
        self.desk.set_watch_list_markets(self._pinned_tickers())
        self._report_storage_error()
        self.update_key_bar()

    def _report_storage_error(self) -> None:
        if self._watch_lists.storage_error:
            self._store.notify(Weight.ERROR, self._watch_lists.storage_error)
            self._watch_lists.storage_error = ""
