"""The screen of a terminal that is too small for the desk."""

from functools import partial
from typing import Final

from textual.app import ComposeResult
from textual.content import Content
from textual.widgets import Static

from kalshi_tui.session.interface import TradingSession
from kalshi_tui.session.notices import Severity
from kalshi_tui.ui.command import Scope
from kalshi_tui.ui.widgets.command_screen import CommandModal

MIN_TERMINAL_WIDTH: Final = 72
MIN_TERMINAL_HEIGHT: Final = 22


class TooSmallScreen(CommandModal[None]):
    """Covers everything and says what size is needed. Nothing below is lost; it closes by itself when there is room.

    It asks about live orders itself: a dialog over it could not be read.
    """

    SCOPE = Scope.TOO_SMALL

    def __init__(self, session: TradingSession) -> None:
        super().__init__(session)
        self.question_shown = False
        """Whether the question about live orders waits for its answer."""
        self._sentence = Static(id="too-small")

    def compose(self) -> ComposeResult:
        """Show the sentence."""
        yield self._sentence

    def on_mount(self) -> None:
        """Show the size that is needed."""
        self.update_message()

    def on_resize(self) -> None:
        """Show the new size."""
        self.update_message()

    def show_reason(self, reason: str) -> None:
        """Show nothing: a key without a meaning here is not logged."""

    def update_message(self) -> None:
        """Write the sentence for the size as it is now."""
        width, height = self.app.size
        needed = (
            f"kalshi-tui needs at least {MIN_TERMINAL_WIDTH}x{MIN_TERMINAL_HEIGHT}; this terminal is {width}x{height}."
        )
        live = len(self.session.store.working_orders())
        fate = "; canceled first" if self.session.cancels_on_quit else ""
        what = f"{live} order{'s' if live > 1 else ''} may be live{fate}. Press y to quit all the same."
        advice = what if self.question_shown else "Enlarge it or press q."
        self._sentence.update(Content(f"{self.session.venue.value}\n{needed} {advice}"))

    def quit(self) -> None:
        """End the program; ask first if something is live."""
        if self.session.store.working_orders():
            self.question_shown = True
            self.update_message()
        else:
            self.app.exit()

    def confirm_quit(self) -> None:
        """End the program though something is live."""
        self.decide(self.app.exit, partial(self.session.store.notify, Severity.INFO))
