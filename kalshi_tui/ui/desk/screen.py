"""The desk: markets at the left, the selected market's book beside, orders and the rest below."""

from collections.abc import Callable
from typing import Final

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content
from textual.events import DescendantFocus, Resize, ScreenResume, ScreenSuspend

from kalshi_tui.presentation.lines import plain_text
from kalshi_tui.session.changes import StoreChanges, Topic
from kalshi_tui.session.interface import TradingSession
from kalshi_tui.session.venue import Venue
from kalshi_tui.ui.book.pane import BookPane
from kalshi_tui.ui.command import AnyCommand, BoundCommand, Scope
from kalshi_tui.ui.command_table import bind_commands
from kalshi_tui.ui.desk.controllers import DeskControllers
from kalshi_tui.ui.desk.desk_view import DeskPanes
from kalshi_tui.ui.desk.selection import DeskSelection
from kalshi_tui.ui.desk.status_view import link_ages_line, status_badges, status_line
from kalshi_tui.ui.dialogs.welcome import WelcomeScreen, should_show_welcome
from kalshi_tui.ui.ladder.pane import LadderPane
from kalshi_tui.ui.ladder.tiles import LadderTiles
from kalshi_tui.ui.lists.pane import LowerPane
from kalshi_tui.ui.lists.tape_pane import TapePane
from kalshi_tui.ui.lists.views import message_lines
from kalshi_tui.ui.market_list.pane import MarketListPane
from kalshi_tui.ui.market_list.watch_lists import WatchLists
from kalshi_tui.ui.ui_settings import UiSettings
from kalshi_tui.ui.widgets.command_screen import CommandScreen
from kalshi_tui.ui.widgets.key_bar import KeyBar
from kalshi_tui.ui.widgets.line_view import LineView

MESSAGE_TOPICS: Final = frozenset({Topic.NOTICES, Topic.ORDERS})


class DeskScreen(CommandScreen[None]):
    """Composes panes and controllers, and hands each frame's changes to the panes. It does no command itself."""

    SCOPE = Scope.DESK

    def __init__(
        self, session: TradingSession, clock_ms: Callable[[], int], timer_ms: Callable[[], int], ui_settings: UiSettings
    ) -> None:
        super().__init__(session)
        watch_lists = WatchLists(ui_settings.data_folder)
        self._store = session.store
        self._data_folder = ui_settings.data_folder
        self.panes = DeskPanes.create(session.store, watch_lists, timer_ms, ui_settings)
        self._selection = DeskSelection(session.store, self, self.panes)
        self._controllers = DeskControllers.create(
            session, self, self.panes, self._selection, watch_lists, clock_ms, timer_ms, ui_settings, self._availability
        )
        self._status = LineView(id="status", classes="one-line")
        self._message = LineView(id="message", classes="one-line")
        self._controllers.markets.start()

    def compose(self) -> ComposeResult:
        """Lay out the panes."""
        yield self._status
        with Horizontal(id="upper"):
            yield self.panes.market_list
            yield self.panes.book
            yield self.panes.ladder
            yield self.panes.tiles
            yield self.panes.tape
        yield self.panes.lower
        yield self._message
        yield KeyBar()

    def on_mount(self) -> None:
        """Begin on the market list."""
        self.set_focus(self.panes.market_list.list)
        self._controllers.layout.restore()
        if self.session.venue is Venue.PRACTICE and should_show_welcome(self._data_folder):

            def answered(trade: bool | None) -> None:
                if trade:
                    self._controllers.orders.start_first_trade()

            self.app.push_screen(WelcomeScreen(self.session), answered)

    def on_resize(self, event: Resize) -> None:
        """Lay out for another size; all widths are taken from the panes."""
        self._controllers.layout.fit_width(event.size.width)
        self.call_after_refresh(self.redraw)

    # Commands.

    @property
    def command_target(self) -> DeskControllers:
        """The controllers: what the commands of the desk act on."""
        return self._controllers

    @property
    def palette_commands(self) -> list[BoundCommand]:
        """The commands that the palette offers: those of the desk, and in practice the rehearsals."""
        rehearsals = bind_commands(Scope.REHEARSE, self._controllers) if self.session.can_inject_faults else []
        return [*super().palette_commands, *rehearsals]

    def _availability(self) -> list[tuple[AnyCommand, str]]:
        return [(each.command, each.why_not()) for each in self.bound_commands.values()]

    @property
    def is_typing(self) -> bool:
        """Whether the filter is being typed."""
        return self.panes.market_list.is_filter_focused

    def ask_to_quit(self) -> None:
        """End the program; ask first if an order may be live."""
        self._controllers.program.quit()

    # Drawing.

    @property
    def _shown_panes(self) -> tuple[MarketListPane, BookPane | LadderPane, LadderTiles, TapePane, LowerPane]:
        panes = self.panes
        return panes.market_list, self._selection.center_pane, panes.tiles, panes.tape, panes.lower

    def redraw(self) -> None:
        """Draw everything."""
        for pane in self._shown_panes:
            pane.redraw()
        self._draw_message()
        self.update_key_bar()

    def frame(self, dirty: StoreChanges) -> None:
        """Draw what changed since the last frame."""
        for pane in self._shown_panes:
            pane.frame(dirty)
        if dirty.topics & MESSAGE_TOPICS:
            self._draw_message()
        self.update_key_bar()

    def draw_status(self, rate: int, now_ms: int) -> None:
        """Draw the top line."""
        session, width, pulse = self.session, self._status.line_width, self.session.link_metrics()
        self.panes.market_list.tick(now_ms)
        badges = status_badges(session.recording_text, session.replay, width)
        self._status.show([status_line(self._store, session.venue, rate, pulse, now_ms, width, badges)])
        self.panes.lower.show_link_ages(link_ages_line(self._store.connection, pulse, delayed=self._store.is_delayed))

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
        self.panes.lower.border_title = Content(f" {plain_text(crowded_out)} " if crowded_out else "")

    @on(ScreenSuspend)
    def _clear_key_bar(self) -> None:
        self.query_one(KeyBar).show([])

    @on(ScreenResume)
    @on(DescendantFocus)
    @on(BookPane.PriceSelected)
    @on(LadderPane.RowSelected)
    @on(LineView.CursorMoved)
    def _refresh_key_bar(self) -> None:
        self.update_key_bar()

    # What the panes report.

    @on(MarketListPane.MarketSelected)
    def _market_selected(self, event: MarketListPane.MarketSelected) -> None:
        self._controllers.markets.show_market(event.ticker)
        self._controllers.lists.request_chart()
        self.update_key_bar()

    @on(MarketListPane.SparklinesVisible)
    def _sparklines_visible(self, event: MarketListPane.SparklinesVisible) -> None:
        self.session.set_shown_sparklines(event.tickers)

    @on(MarketListPane.LinesVisible)
    def _lines_visible(self, event: MarketListPane.LinesVisible) -> None:
        self.session.set_visible_markets(event.tickers)

    @on(DescendantFocus)
    def _tile_focused(self, event: DescendantFocus) -> None:
        self._controllers.markets.select_tile(event.widget)
