"""The desk: markets at the left, the chosen market's book beside, orders and the rest below."""

from collections.abc import Callable
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.events import DescendantFocus, Resize, ScreenResume, ScreenSuspend
from textual.timer import Timer

from kalshi_tui.domain.book import Side
from kalshi_tui.presentation.lines import plain_text
from kalshi_tui.session.changes import StoreChanges, Topic
from kalshi_tui.session.interface import TradingSession
from kalshi_tui.session.notices import Weight
from kalshi_tui.session.practice_faults import FAULTS_BY_ID as REHEARSALS
from kalshi_tui.session.venue import Venue
from kalshi_tui.ui.book.pane import BookPane
from kalshi_tui.ui.commands import Scope, bindings
from kalshi_tui.ui.desk.questions import quit_question
from kalshi_tui.ui.desk.status_view import (
    link_ages_line,
    link_text,
    status_badges,
    status_line,
)
from kalshi_tui.ui.dialogs.ask import AskScreen
from kalshi_tui.ui.dialogs.help import HelpScreen
from kalshi_tui.ui.dialogs.welcome import WelcomeScreen, should_show_welcome
from kalshi_tui.ui.event.details_screen import DetailsScreen
from kalshi_tui.ui.ladder.desk_tiles import WIDE_LAYOUT_MIN_WIDTH, TileDesk
from kalshi_tui.ui.lists.panes import Tab
from kalshi_tui.ui.lists.views import message_lines
from kalshi_tui.ui.market_list.pane import MarketListPane
from kalshi_tui.ui.theme import THEME_NAMES
from kalshi_tui.ui.ui_settings import UiSettings
from kalshi_tui.ui.widgets.key_bar import KeyBar
from kalshi_tui.ui.widgets.line_view import LineView

FOLLOW_DELAY_MS = 120
"""How long the cursor rests on a market until it is followed; the keyboard's own repeat is faster."""
MESSAGE_TOPICS = frozenset({Topic.NOTICES, Topic.ORDERS})


class DeskScreen(TileDesk):
    """Composes the panes, hands each frame's changes to them, and carries out the commands."""

    SCOPE = Scope.DESK
    BINDINGS: ClassVar[list[BindingType]] = bindings(Scope.DESK)

    def __init__(
        self, desk: TradingSession, clock_ms: Callable[[], int], timer_ms: Callable[[], int], ui_settings: UiSettings
    ) -> None:
        super().__init__(desk, clock_ms, timer_ms, ui_settings)
        self._data_folder = ui_settings.data_folder
        self._last_follow_ms = -FOLLOW_DELAY_MS
        self._follow_timer: Timer | None = None
        self._status = LineView(id="status", classes="one-line")
        self._message = LineView(id="message", classes="one-line")

    def compose(self) -> ComposeResult:
        """Lay out the panes."""
        yield self._status
        with Horizontal(id="upper"):
            yield self._market_list
            yield self._book
            yield self._ladder
            yield self._tiles
            yield self._tape
        yield self._lower_pane
        yield self._message
        yield KeyBar()

    def on_mount(self) -> None:
        """Begin on the market list."""
        self.set_focus(self._market_list.list)
        self.apply_layout(self._layouts.current)
        if self.desk.venue is Venue.PRACTICE and should_show_welcome(self._data_folder):
            self.app.push_screen(WelcomeScreen(self.desk), self._start_first_trade)

    def on_resize(self, event: Resize) -> None:
        """Lay out anew; all widths are taken from the panes."""
        self.set_class(event.size.width >= WIDE_LAYOUT_MIN_WIDTH, "-wide")
        self.fit_tiles(event.size.width)
        self.call_after_refresh(self.redraw)

    # Drawing.

    def redraw(self) -> None:
        """Draw everything."""
        for pane in (self._market_list, self._center_pane, self._tiles, self._tape, self._lower_pane):
            pane.redraw()
        self._draw_message()
        self.update_key_bar()

    def frame(self, dirty: StoreChanges) -> None:
        """Draw what changed since the last frame."""
        for pane in (self._market_list, self._center_pane, self._tiles, self._tape, self._lower_pane):
            pane.frame(dirty)
        if dirty.topics & MESSAGE_TOPICS:
            self._draw_message()
        self.update_key_bar()

    def draw_status(self, rate: int, now_ms: int) -> None:
        """Draw the top line."""
        desk, width, pulse = self.desk, self._status.line_width, self.desk.link_metrics()
        self._market_list.tick(now_ms)
        badges = status_badges(desk.recording_text, desk.replay, width)
        self._status.show([status_line(self._store, desk.venue, rate, pulse, now_ms, width, badges)])
        self._lower_pane.show_link_ages(link_ages_line(self._store.connection, pulse))

    def update_key_bar(self) -> None:
        """Show the keys that work now: none of these while another screen is in front."""
        if self.app.screen is self:
            super().update_key_bar()

    def _draw_message(self) -> None:
        """Show which orders are of unknown outcome, else the newest notice, whatever list stands below.

        A notice that has no room beside them goes to the rule above the lists: it may say why a key does not work.
        """
        message, crowded_out = message_lines(self._store, self._message.line_width)
        self._message.show([message])
        self._lower_pane.border_title = Content(f" {plain_text(crowded_out)} " if crowded_out else "")

    @on(ScreenSuspend)
    def _clear_key_bar(self) -> None:
        self.query_one(KeyBar).show([])

    @on(ScreenResume)
    @on(DescendantFocus)
    @on(BookPane.PriceSelected)
    @on(LineView.CursorMoved)
    def _refresh_key_bar(self) -> None:
        self.update_key_bar()

    @on(MarketListPane.MarketSelected)
    def _market_selected(self, event: MarketListPane.MarketSelected) -> None:
        self._follow_market(event.ticker)
        self._book.show_market(event.ticker)
        self._ladder.show_market(event.ticker)
        self._tape.show_market(event.ticker)
        self._lower_pane.show_market(event.ticker)
        self.request_chart()
        self.update_key_bar()

    def _follow_market(self, ticker: str) -> None:
        """Have a market's book sent: the first at once, those that a held key runs over not at all."""
        now = self._timer_ms()
        rested = now - self._last_follow_ms >= FOLLOW_DELAY_MS
        self._last_follow_ms = now
        if self._follow_timer is not None:
            self._follow_timer.stop()
            self._follow_timer = None
        if rested:
            self._watch_books(ticker)
        else:
            self._follow_timer = self.set_timer(
                FOLLOW_DELAY_MS / 1000, lambda: self._watch_books(ticker), name="follow"
            )

    def _watch_books(self, ticker: str) -> None:
        self.desk.set_shown_markets(self.visible_books(ticker))

    # Commands.

    def do_move(self, by: int) -> None:
        """Move the cursor of the pane that has the focus."""
        if self._in_center:
            (self._active_ladder if self._in_ladder else self._center_pane).move_cursor(by)
            return
        if self._in_lower_list and self._lower_pane.tab is Tab.CHART:
            self.do_crosshair(by)
            return
        view = self._lower_pane.list if self._in_lower_list else self._market_list.list
        view.move_cursor_to((view.cursor or 0) + by)

    def do_side(self, outcome: str) -> None:
        """Choose among the bids for YES, or among the asks, which are the bids for NO."""
        self._book.select_side(Side[outcome])

    def do_go_pane(self, by: int) -> None:
        """Go to another pane: the markets, the book or the ladder, the list below."""
        markets = () if self._list_width == "none" else (self._market_list.list,)
        middle = () if self._list_width == "all" else (self._center_pane, *self._tiles.visible_panes)
        panes = (*markets, *middle, self._lower_pane.list)
        now = next((place for place, pane in enumerate(panes) if self.focused is pane), 0)
        self.set_focus(panes[(now + by) % len(panes)])

    def do_show(self, name: str) -> None:
        """Show another list below."""
        self._lower_pane.open_tab(Tab[name])
        self.request_chart()
        self.update_key_bar()

    def do_sort(self) -> None:
        """Take the next order of the market list."""
        self._market_list.next_sort()

    def do_keep_filter(self) -> None:
        """Leave the filter as typed."""
        self._focus_default_pane()

    def do_back(self) -> None:
        """Back out one level: from the book, the ladder or the list below, then from the filter."""
        if self._in_lower_list or self._in_center:
            self._focus_default_pane()
        elif self._market_list.is_filter_open:
            self._market_list.close_filter()

    def do_open(self) -> None:
        """Go to the market of the chosen line below."""
        item = self._lower_pane.selected_item
        if item is not None:
            self._market_list.select_market(item if isinstance(item, str) else item.ticker)

    def do_audit(self) -> None:
        """Compare the book with a fresh one."""
        self.desk.start_audit(self._market_list.ticker)

    def do_details(self) -> None:
        """Show what is known of the market."""
        self.app.push_screen(DetailsScreen(self.desk, self._market_list.ticker))

    def do_theme(self) -> None:
        """Take the next set of colors."""
        following = (
            THEME_NAMES[(THEME_NAMES.index(self.app.theme) + 1) % len(THEME_NAMES)]
            if self.app.theme in THEME_NAMES
            else THEME_NAMES[0]
        )
        self.app.theme = following
        self._store.notify(Weight.INFO, f'Colors: {following}. To keep them: theme = "{following}" under [screen].')

    def do_link(self) -> None:
        """Return how the connection does; the top line has room for all of it only on a wide terminal."""
        self._store.notify(Weight.INFO, link_text(self._store.connection, self.desk.link_metrics()))

    def do_rehearse(self, rehearsal: str) -> None:
        """Have the practice exchange make trouble."""
        self.desk.inject_fault(REHEARSALS[rehearsal], self._market_list.ticker)

    def do_palette(self) -> None:
        """Find a command by its name."""
        self.app.action_command_palette()

    def do_help(self) -> None:
        """Show all keys."""
        self.app.push_screen(HelpScreen(self.desk, self._pane_name(), self.command_context()))

    def _pane_name(self) -> str:
        """Name the pane that has the focus."""
        if self._in_lower_list:
            return f"the list below: {self._lower_pane.tab.value.lower()}"
        if self._in_center:
            return "the price ladder" if self._in_ladder else "the book"
        return "the filter" if self._market_list.is_filter_focused else "the market list"

    def do_leave(self) -> None:
        """End the program; ask first if something is live."""
        live = len(self._store.working_orders())
        if not live:
            self.app.exit()
            return

        def answered(yes: bool | None) -> None:
            if yes:
                self.app.exit()

        question = quit_question(live, leaves_nothing=self.desk.cancels_on_quit)
        self.app.push_screen(AskScreen(self.desk, "quit", question), answered)
