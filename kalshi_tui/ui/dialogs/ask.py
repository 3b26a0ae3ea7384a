"""A question with a yes and a no, for what cannot be taken back."""

from collections.abc import Callable

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Static

from kalshi_tui.presentation.lines import make_printable
from kalshi_tui.session.interface import TradingSession
from kalshi_tui.ui.command import Scope
from kalshi_tui.ui.key_presses import presses_of
from kalshi_tui.ui.widgets.command_screen import CommandModal
from kalshi_tui.ui.widgets.key_bar import KeyBar


class AskScreen(CommandModal[bool]):
    """Shows a question; dismissed with True for yes. Enter does not answer: a held key must not decide.

    With ``timer_ms``, the application's steady clock, a yes typed before the question was shown does not count.
    """

    SCOPE = Scope.ASK

    def __init__(
        self, session: TradingSession, subject: str, question: str, timer_ms: Callable[[], int] | None = None
    ) -> None:
        super().__init__(session)
        self._asked_ms = timer_ms() if timer_ms is not None else None
        self._subject = subject
        self._question = question

    def compose(self) -> ComposeResult:
        """Lay out the question and the keys."""
        with Vertical(classes="dialog") as box:
            box.border_title = Content(f"{self.session.venue.value} - {self._subject}")
            yield Static(Content(make_printable(self._question)), id="question")
            yield KeyBar()

    def answer(self, yes: int) -> None:
        """Close with the answer; a yes counts only if its key was pressed for it."""
        press = presses_of(self.app).presses.latest
        if not yes:
            self.dismiss(False)
        elif press is not None and self._asked_ms is not None and press.at_ms < self._asked_ms:
            self._ignore(f"{press.name} ignored: it was pressed before the question. Read it, then press {press.name}.")
        else:
            self.decide(lambda: self.dismiss(True), self._ignore)

    def _ignore(self, why: str) -> None:
        self.query_one("#question", Static).update(Content(f"{make_printable(self._question)}\n{why}"))
