"""A short text to be typed, such as a name: enter takes it when nothing speaks against it."""

from collections.abc import Callable
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


class NamingScreen(CommandModal[str]):
    """Asks for a text. ``refuse`` says what is wrong with one; the result is empty if the trader went back."""

    SCOPE = Scope.NAME
    BINDINGS: ClassVar[list[BindingType]] = bindings(Scope.NAME)

    def __init__(
        self, desk: Desk, subject: str, sentence: str, refuse: Callable[[str], str], *, longest: int, value: str = ""
    ) -> None:
        super().__init__(desk)
        self._subject = subject
        self._sentence = sentence
        self._refuse = refuse
        self._field = Field(id="name", longest=longest, value=value)
        self._said = LineView(id="name-said", classes="one-line")

    def compose(self) -> ComposeResult:
        """Lay out the sentence, the field, the keys."""
        with Vertical(classes="dialog") as box:
            box.border_title = Content(f"{self.desk.venue.value} - {clean(self._subject)}")
            yield Static(Content(clean(self._sentence)), id="question")
            with Horizontal(classes="field"):
                yield Label(Content("Name: "))
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

    def do_take(self) -> None:
        """Close with the text; or say what is wrong with it."""
        if why := self._refuse(self._field.value):
            self._said.show([line(Span(why, Tone.BAD))])
            return
        self.dismiss(self._field.value)

    def do_leave(self) -> None:
        """Close without."""
        self.dismiss("")
