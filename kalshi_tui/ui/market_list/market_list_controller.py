"""What the desk does with the market list: follow the selected market, watch lists, filter, sort, go to a market."""

from collections.abc import Callable
from typing import Final

from textual.timer import Timer
from textual.widget import Widget

from kalshi_tui.session.interface import TradingSession
from kalshi_tui.session.notices import Severity
from kalshi_tui.ui.desk.desk_view import DeskPanes, DeskView
from kalshi_tui.ui.desk.layout_controller import LayoutController
from kalshi_tui.ui.desk.selection import DeskSelection
from kalshi_tui.ui.dialogs.ask import AskScreen
from kalshi_tui.ui.dialogs.naming import TextPromptScreen
from kalshi_tui.ui.event.details_screen import DetailsScreen
from kalshi_tui.ui.ladder.pane import LadderPane
from kalshi_tui.ui.market_list.finder_screen import FinderScreen
from kalshi_tui.ui.market_list.view import MarketSort
from kalshi_tui.ui.market_list.watch_lists import MAX_LIST_NAME_LENGTH, WatchLists

FOLLOW_DELAY_MS: Final = 120
"""How long the cursor rests on a market until it is followed; the keyboard's own repeat is faster."""
NO_WATCH_LIST_TEXT: Final = "All markets are shown: this works in a watch list."


class MarketListController:
    """Carries out the commands on the market list, the watch lists and the selected market."""

    def __init__(
        self,
        session: TradingSession,
        view: DeskView,
        panes: DeskPanes,
        selection: DeskSelection,
        layout: LayoutController,
        watch_lists: WatchLists,
        timer_ms: Callable[[], int],
    ) -> None:
        self._session = session
        self._view = view
        self._panes = panes
        self._market_list = panes.market_list
        self._selection = selection
        self._layout = layout
        self._watch_lists = watch_lists
        self._timer_ms = timer_ms
        self._last_follow_ms = -FOLLOW_DELAY_MS
        self._follow_timer: Timer | None = None

    # The selected market.

    def show_market(self, ticker: str) -> None:
        """Show another market in all panes."""
        self._follow(ticker)
        self._panes.book.show_market(ticker)
        self._panes.ladder.show_market(ticker)
        self._panes.tape.show_market(ticker)
        self._panes.lower.show_market(ticker)

    def _follow(self, ticker: str) -> None:
        """Have a market's book sent: the first at once, those that a held key runs over not at all."""
        now_ms = self._timer_ms()
        rested = now_ms - self._last_follow_ms >= FOLLOW_DELAY_MS
        self._last_follow_ms = now_ms
        if self._follow_timer is not None:
            self._follow_timer.stop()
            self._follow_timer = None
        if rested:
            self._subscribe(ticker)
        else:
            self._follow_timer = self._view.set_timer(
                FOLLOW_DELAY_MS / 1000, lambda: self._subscribe(ticker), name="follow"
            )

    def _subscribe(self, ticker: str) -> None:
        self._session.set_shown_markets(self._layout.visible_books(ticker))

    def select_tile(self, widget: Widget) -> None:
        """Select the market of a ladder beside the others that gets the focus: all commands mean it."""
        if isinstance(widget, LadderPane) and widget in self._panes.tiles.visible_panes:
            self._market_list.select_ladder_market(widget.ticker)

    def audit(self) -> None:
        """Compare the book with a fresh one."""
        self._session.start_audit(self._selection.ticker)

    def show_details(self) -> None:
        """Show what is known of the market."""
        self._view.app.push_screen(DetailsScreen(self._session, self._selection.ticker))

    def find_market(self) -> None:
        """Find a market anywhere, and go there."""

        def found(ticker: str | None) -> None:
            if ticker:
                self._market_list.select_market(ticker)
                self._layout.focus_default_pane()

        self._view.app.push_screen(FinderScreen(self._session), found)

    # The list.

    def open_filter(self) -> None:
        """Open the filter; a hidden list comes back, so that what is typed and found can be seen."""
        self._layout.show_market_list()
        self._market_list.open_filter()

    def next_sort(self) -> None:
        """Take the next order of the list."""
        self._market_list.next_sort()

    def cycle_width(self) -> None:
        """Switch the list between all the width, none of it, and its usual share."""
        self._layout.cycle_list_width()

    # Watch lists.

    def start(self) -> None:
        """Have the markets of the watch lists kept on the desk, and report if the lists could not be read."""
        self._layout.keep_listed()
        self._layout.report_storage_error()

    def next_list(self) -> None:
        """Show the next list."""
        if not self._watch_lists.names:
            self._view.show_reason("There is no watch list yet: make one, or put the chosen market on a first one.")
            return
        self._watch_lists.show_next()
        self._refresh()

    def toggle_watch(self) -> None:
        """Put the selected market on the list, or take it off."""
        self._session.store.notify(Severity.INFO, self._watch_lists.toggle(self._selection.ticker))
        if self._watch_lists.tickers is None:
            # All markets are shown: tens of thousands need not be sorted again for it.
            self._keep_listed()
        else:
            self._refresh()

    def new_list(self) -> None:
        """Ask for the name of a new list, and make it."""
        self._ask_name("new watch list", "What is the new watch list called?", self._watch_lists.create)

    def rename_list(self) -> None:
        """Ask for another name of the list."""
        name = self._watch_lists.shown
        self._ask_name(
            "rename watch list", f"What is the list {name} called from now on?", self._watch_lists.rename, name
        )

    def _ask_name(self, subject: str, prompt: str, accept: Callable[[str], str], value: str = "") -> None:
        """Ask for a name until ``accept`` takes it; the sentence that it returns says why not."""

        def answered(name: str | None) -> None:
            if name:
                self._refresh()

        screen = TextPromptScreen(self._session, subject, prompt, accept, max_length=MAX_LIST_NAME_LENGTH, value=value)
        self._view.app.push_screen(screen, answered)

    def delete_list(self) -> None:
        """Ask, then delete the list."""
        name, markets = self._watch_lists.shown, len(self._watch_lists.tickers or ())

        def answered(yes: bool | None) -> None:
            if yes and self._watch_lists.shown == name:
                self._watch_lists.delete()
                self._refresh()

        what = f"{markets} market{'s' if markets != 1 else ''}"
        question = f"Delete the watch list {name} with its {what}? Orders and positions stay as they are."
        self._view.app.push_screen(AskScreen(self._session, "delete watch list", question), answered)

    def move_market(self, by: int) -> None:
        """Move the selected market in its list."""
        if self._watch_lists.move(self._selection.ticker, by):
            self._market_list.rebuild()
        self._layout.report_storage_error()

    def _refresh(self) -> None:
        self._market_list.rebuild()
        self._keep_listed()

    def _keep_listed(self) -> None:
        self._layout.keep_listed()
        self._layout.report_storage_error()
        self._view.update_key_bar()

    # Why a command does not work now, in a sentence; empty if it does.

    def no_market(self) -> str:
        """Return that no market is selected."""
        return self._selection.no_market_reason()

    def no_watch_list_shown(self) -> str:
        """Return that no watch list is shown."""
        return "" if self._watch_lists.shown else NO_WATCH_LIST_TEXT

    def cannot_toggle_watch(self) -> str:
        """Return why nothing can be put on a list, or taken off.

        A market that the exchange does not know any more can still be taken off.
        """
        return "" if self._selection.ticker in (self._watch_lists.tickers or ()) else self.no_market()

    def cannot_move_market(self) -> str:
        """Return why a market cannot be moved in its list."""
        if self._watch_lists.shown and self._market_list.sort is not MarketSort.LISTED:
            return "The list is sorted: bring it back to the order as listed first."
        return self.no_watch_list_shown()
