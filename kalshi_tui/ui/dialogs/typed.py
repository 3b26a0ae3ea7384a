"""The base of dialogs with one field: a sentence, the field, and what is wrong with its text."""

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Input, Label, Static

from kalshi_tui.presentation.lines import (
    Span,
    Tone,
    line,
    make_printable,
)
from kalshi_tui.session.interface import TradingSession
from kalshi_tui.ui.widgets.command_screen import CommandModal, Result
from kalshi_tui.ui.widgets.field import Field
from kalshi_tui.ui.widgets.key_bar import KeyBar
from kalshi_tui.ui.widgets.line_view import LineView


class PromptScreen(CommandModal[Result]):
    """Starts in its field; `show_error` says what is wrong until something else is typed."""

    def __init__(self, session: TradingSession, subject: str, prompt: str, label: str, field: Field) -> None:
        super().__init__(session)
        self._subject = subject
        self._prompt = prompt
        self._label = label
        self._field = field
        self._error_line = LineView(classes="one-line")

    def compose(self) -> ComposeResult:
        """Lay out the sentence, the field, what is wrong, the keys."""
        with Vertical(classes="dialog") as box:
            box.border_title = Content(f"{self.session.venue.value} - {make_printable(self._subject)}")
            yield Static(Content(make_printable(self._prompt)), id="question")
            with Horizontal(classes="field"):
                yield Label(Content(self._label))
                yield self._field
            yield self._error_line
            yield KeyBar()

    def on_mount(self) -> None:
        """Begin in the field."""
        self.set_focus(self._field)
        self.update_key_bar()

    @on(Input.Changed)
    def _input_changed(self) -> None:
        self._error_line.show([])

    def show_error(self, why: str) -> None:
        """Show what is wrong with what is typed."""
        self._error_line.show([line(Span(why, Tone.BAD))])

    def show_refused(self, sentence: str) -> None:
        """Show why the field did not take what was typed."""
        self.show_error(sentence)
