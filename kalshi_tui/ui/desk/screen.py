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
from kalshi_tui.presentation.lines import plain
from kalshi_tui.session.interface import Desk
from kalshi_tui.session.notices import Weight
from kalshi_tui.session.practice_faults import BY_ID as REHEARSALS
from kalshi_tui.session.store import Dirty, Topic
from kalshi_tui.session.venue import Venue
from kalshi_tui.ui.book.pane import BookPane
from kalshi_tui.ui.commands import Scope, bindings
from kalshi_tui.ui.desk.questions import quit_question
from kalshi_tui.ui.desk.status_view import (
    ages_line,
    badges_of,
    link_words,
    status_line,
)
from kalshi_tui.ui.dialogs.ask import AskScreen
from kalshi_tui.ui.dialogs.help import HelpScreen
from kalshi_tui.ui.dialogs.welcome import WelcomeScreen, is_due
from kalshi_tui.ui.event.details_screen import DetailsScreen
from kalshi_tui.ui.ladder.desk_tiles import WIDE_FROM, TileDesk
from kalshi_tui.ui.lists.panes import Tab
from kalshi_tui.ui.lists.views import message_lines
from kalshi_tui.ui.market_list.pane import WatchPane
from kalshi_tui.ui.theme import NAMES
from kalshi_tui.ui.ui_settings import Wishes
from kalshi_tui.ui.widgets.key_bar import KeyBar
from kalshi_tui.ui.widgets.line_view import LineView

RESTS_AFTER_MS = 120
"""How long the cursor rests on a market until it is followed; the keyboard's own repeat is faster."""
MESSAGE_TOPICS = frozenset({Topic.NOTICES, Topic.ORDERS})


class DeskScreen(TileDesk):
    """Composes the panes, hands each frame's changes to them, and carries out the commands."""

    SCOPE = Scope.DESK
    BINDINGS: ClassVar[list[BindingType]] = bindings(Scope.DESK)

    def __init__(self, desk: Desk, clock_ms: Callable[[], int], timer_ms: Callable[[], int], wishes: Wishes) -> None:
        super().__init__(desk, clock_ms, timer_ms, wishes)
        self._kept_folder = wishes.kept_folder
        self._followed_ms = -RESTS_AFTER_MS
        self._following: Timer | None = None
        self._status = LineView(id="status", classes="one-line")
        self._message = LineView(id="message", classes="one-line")

    def compose(self) -> ComposeResult:
        """Lay out the panes."""
        yield self._status
        with Horizontal(id="upper"):
            yield self._watch
            yield self._book
            yield self._ladder
            yield self._tiles
            yield self._tape
        yield self._lower
        yield self._message
        yield KeyBar()

    def on_mount(self) -> None:
        """Begin on the market list."""
        self.set_focus(self._watch.list)
        self.take(self._layouts.now)
        if self.desk.venue is Venue.PRACTICE and is_due(self._kept_folder):
            self.app.push_screen(WelcomeScreen(self.desk), self._welcomed)

    def on_resize(self, event: Resize) -> None:
        """Lay out anew; all widths are taken from the panes."""
        self.set_class(event.size.width >= WIDE_FROM, "-wide")
        self.give_room(event.size.width)
        self.call_after_refresh(self.redraw)

    # Drawing.

    def redraw(self) -> None:
        """Draw everything."""
        for pane in (self._watch, self._middle, self._tiles, self._tape, self._lower):
            pane.redraw()
        self._draw_message()
        self.draw_keys()

    def frame(self, dirty: Dirty) -> None:
        """Draw what changed since the last frame."""
        for pane in (self._watch, self._middle, self._tiles, self._tape, self._lower):
            pane.frame(dirty)
        if dirty.topics & MESSAGE_TOPICS:
            self._draw_message()
        self.draw_keys()

    def draw_status(self, rate: int, now_ms: int) -> None:
        """Draw the top line."""
        desk, width, pulse = self.desk, self._status.room, self.desk.pulse()
        self._watch.tick(now_ms)
        badges = badges_of(desk.recording, desk.replay, width)
        self._status.show([status_line(self._store, desk.venue, rate, pulse, now_ms, width, badges)])
        self._lower.show_ages(ages_line(self._store.connection, pulse))

    def draw_keys(self) -> None:
        """Show the keys that work now: none of these while another screen is in front."""
        if self.app.screen is self:
            super().draw_keys()

    def _draw_message(self) -> None:
        """Show which orders are of unknown outcome, else the newest notice, whatever list stands below.

        A notice that has no room beside them goes to the rule above the lists: it may say why a key does not work.
        """
        message, crowded_out = message_lines(self._store, self._message.room)
        self._message.show([message])
        self._lower.border_title = Content(f" {plain(crowded_out)} " if crowded_out else "")

    @on(ScreenSuspend)
    def _covered(self) -> None:
        self.query_one(KeyBar).show([])

    @on(ScreenResume)
    @on(DescendantFocus)
    @on(BookPane.PriceChosen)
    @on(LineView.CursorMoved)
    def _in_front(self) -> None:
        self.draw_keys()

    @on(WatchPane.Chosen)
    def _market_chosen(self, event: WatchPane.Chosen) -> None:
        self._follow(event.ticker)
        self._book.look_at(event.ticker)
        self._ladder.look_at(event.ticker)
        self._tape.look_at(event.ticker)
        self._lower.look_at(event.ticker)
        self.follow_chart()
        self.draw_keys()

    def _follow(self, ticker: str) -> None:
        """Have a market's book sent: the first at once, those that a held key runs over not at all."""
        now = self._timer_ms()
        rested = now - self._followed_ms >= RESTS_AFTER_MS
        self._followed_ms = now
        if self._following is not None:
            self._following.stop()
            self._following = None
        if rested:
            self._look_at(ticker)
        else:
            self._following = self.set_timer(RESTS_AFTER_MS / 1000, lambda: self._look_at(ticker), name="follow")

    def _look_at(self, ticker: str) -> None:
        self.desk.look_at(self.books_looked_at(ticker))

    # Commands.

    def do_move(self, by: int) -> None:
        """Move the cursor of the pane that has the focus."""
        if self._in_middle:
            (self._here if self._in_ladder else self._middle).move(by)
            return
        if self._in_lower and self._lower.tab is Tab.CHART:
            self.do_crosshair(by)
            return
        view = self._lower.list if self._in_lower else self._watch.list
        view.move_to((view.cursor or 0) + by)

    def do_side(self, outcome: str) -> None:
        """Choose among the bids for YES, or among the asks, which are the bids for NO."""
        self._book.turn(Side[outcome])

    def do_go_pane(self, by: int) -> None:
        """Go to another pane: the markets, the book or the ladder, the list below."""
        markets = () if self._share == "none" else (self._watch.list,)
        middle = () if self._share == "all" else (self._middle, *self._tiles.seen)
        panes = (*markets, *middle, self._lower.list)
        now = next((place for place, pane in enumerate(panes) if self.focused is pane), 0)
        self.set_focus(panes[(now + by) % len(panes)])

    def do_show(self, name: str) -> None:
        """Show another list below."""
        self._lower.open_tab(Tab[name])
        self.follow_chart()
        self.draw_keys()

    def do_sort(self) -> None:
        """Take the next order of the market list."""
        self._watch.sort_anew()

    def do_keep_filter(self) -> None:
        """Leave the filter as typed."""
        self._focus_somewhere()

    def do_back(self) -> None:
        """Back out one level: from the book, the ladder or the list below, then from the filter."""
        if self._in_lower or self._in_middle:
            self._focus_somewhere()
        elif self._watch.filtering:
            self._watch.close_filter()

    def do_open(self) -> None:
        """Go to the market of the chosen line below."""
        item = self._lower.item
        if item is not None:
            self._watch.go_to(item if isinstance(item, str) else item.ticker)

    def do_audit(self) -> None:
        """Compare the book with a fresh one."""
        self.desk.audit(self._watch.ticker)

    def do_details(self) -> None:
        """Show what is known of the market."""
        self.app.push_screen(DetailsScreen(self.desk, self._watch.ticker))

    def do_theme(self) -> None:
        """Take the next set of colours."""
        following = NAMES[(NAMES.index(self.app.theme) + 1) % len(NAMES)] if self.app.theme in NAMES else NAMES[0]
        self.app.theme = following
        self._store.notify(Weight.INFO, f'Colours: {following}. To keep them: theme = "{following}" under [screen].')

    def do_link(self) -> None:
        """Say how the connection does; the top line has room for all of it only on a wide terminal."""
        self._store.notify(Weight.INFO, link_words(self._store.connection, self.desk.pulse()))

    def do_rehearse(self, rehearsal: str) -> None:
        """Have the practice exchange make trouble."""
        self.desk.rehearse(REHEARSALS[rehearsal], self._watch.ticker)

    def do_palette(self) -> None:
        """Find a command by its name."""
        self.app.action_command_palette()

    def do_help(self) -> None:
        """Show all keys."""
        self.app.push_screen(HelpScreen(self.desk, self._pane_name(), self.situation()))

    def _pane_name(self) -> str:
        """Name the pane that has the focus."""
        if self._in_lower:
            return f"the list below: {self._lower.tab.value.lower()}"
        if self._in_middle:
            return "the price ladder" if self._in_ladder else "the book"
        return "the filter" if self._watch.typing else "the market list"

    def do_leave(self) -> None:
        """End the program; ask first if something is live."""
        live = len(self._store.working())
        if not live:
            self.app.exit()
            return

        def answered(yes: bool | None) -> None:
            if yes:
                self.app.exit()

        question = quit_question(live, leaves_nothing=self.desk.leaves_nothing)
        self.app.push_screen(AskScreen(self.desk, "quit", question), answered)
