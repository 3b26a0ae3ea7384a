"""A sentence, a field to be typed into, and what is wrong with that: what a word and a name to be typed share."""

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Input, Label, Static

from kalshi_tui.presentation.lines import (
    Span,
    Tone,
    clean,
    line,
)
from kalshi_tui.session.interface import Desk
from kalshi_tui.ui.widgets.command_screen import CommandModal, Result
from kalshi_tui.ui.widgets.field import Field
from kalshi_tui.ui.widgets.key_bar import KeyBar
from kalshi_tui.ui.widgets.line_view import LineView


class TypedScreen(CommandModal[Result]):
    """Begins in its field; `complain` says what is wrong until something else is typed."""

    def __init__(self, desk: Desk, subject: str, sentence: str, label: str, field: Field) -> None:
        super().__init__(desk)
        self._subject = subject
        self._sentence = sentence
        self._label = label
        self._field = field
        self._said = LineView(classes="one-line")

    def compose(self) -> ComposeResult:
        """Lay out the sentence, the field, what is wrong, the keys."""
        with Vertical(classes="dialog") as box:
            box.border_title = Content(f"{self.desk.venue.value} - {clean(self._subject)}")
            yield Static(Content(clean(self._sentence)), id="question")
            with Horizontal(classes="field"):
                yield Label(Content(self._label))
                yield self._field
            yield self._said
            yield KeyBar()

    def on_mount(self) -> None:
        """Begin in the field."""
        self.set_focus(self._field)
        self.draw_keys()

    @on(Input.Changed)
    def _written(self) -> None:
        self._said.show([])

    def complain(self, why: str) -> None:
        """Say what is wrong with what is typed."""
        self._said.show([line(Span(why, Tone.BAD))])
