"""A question with a yes and a no, for what cannot be taken back."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Static

from kalshi_tui.session.desk import Desk
from kalshi_tui.ui.commands import Scope, bindings
from kalshi_tui.ui.lines import clean
from kalshi_tui.ui.screens.base import CommandModal
from kalshi_tui.ui.widgets.key_bar import KeyBar


class AskScreen(CommandModal[bool]):
    """Shows a question; dismissed with True for yes. Enter is no answer: a held key must not decide."""

    SCOPE = Scope.ASK
    BINDINGS: ClassVar[list[BindingType]] = bindings(Scope.ASK)

    def __init__(self, desk: Desk, subject: str, question: str) -> None:
        super().__init__(desk)
        self._subject = subject
        self._question = question

    def compose(self) -> ComposeResult:
        """Lay out the question and the keys."""
        with Vertical(classes="dialog") as box:
            box.border_title = Content(f"{self.desk.venue.value} - {self._subject}")
            yield Static(Content(clean(self._question)), id="question")
            yield KeyBar()

    def do_answer(self, yes: int) -> None:
        """Close with the answer."""
        self.dismiss(bool(yes))
