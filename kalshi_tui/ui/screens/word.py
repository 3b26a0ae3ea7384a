"""A question that takes a typed word: no key held down, and no habit, can answer it."""

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Input, Label, Static

from kalshi_tui.session.desk import Desk
from kalshi_tui.ui.commands import Scope, bindings
from kalshi_tui.ui.lines import Span, Tone, clean, line
from kalshi_tui.ui.screens.base import CommandModal
from kalshi_tui.ui.widgets.field import Field
from kalshi_tui.ui.widgets.key_bar import KeyBar
from kalshi_tui.ui.widgets.line_view import LineView


class WordScreen(CommandModal[bool]):
    """Shows a sentence and a field; dismissed with True once exactly the word is typed, with False by escape."""

    SCOPE = Scope.WORD
    BINDINGS: ClassVar[list[BindingType]] = bindings(Scope.WORD)

    def __init__(self, desk: Desk, subject: str, sentence: str, word: str) -> None:
        super().__init__(desk)
        self._subject = subject
        self._sentence = sentence
        self._word = word
        self._field = Field(id="word")
        self._said = LineView(id="word-said", classes="one-line")

    def compose(self) -> ComposeResult:
        """Lay out the sentence, what to type, the field, the keys."""
        with Vertical(classes="dialog") as box:
            box.border_title = Content(f"{self.desk.venue.value} - {self._subject}")
            yield Static(Content(clean(self._sentence)), id="question")
            with Horizontal(classes="field"):
                yield Label(Content(f"Type {self._word}, then Enter: "))
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

    def do_confirm(self) -> None:
        """Close with yes if the word is right; else say how it is written."""
        if self._field.value == self._word:
            self.dismiss(True)
            return
        cased = self._field.value.lower() == self._word.lower()
        how = (
            f"Not quite: capital and small letters count. It is {self._word}."
            if cased
            else f"The word is {self._word}."
        )
        self._said.show([line(Span(how, Tone.BAD))])

    def do_leave(self) -> None:
        """Close; nothing is sent."""
        self.dismiss(False)
