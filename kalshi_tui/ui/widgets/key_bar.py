"""The bottom line: the keys that work now, and no others."""

from textual.events import Click
from textual.message import Message

from kalshi_tui.presentation.lines import (
    Line,
    Span,
    Tone,
    length,
    line,
)
from kalshi_tui.ui.availability import Situation
from kalshi_tui.ui.commands import Command, Scope, is_typed, of_scope
from kalshi_tui.ui.widgets.line_view import LineView

ALWAYS = ("help", "quit")
"""Shown however narrow the line is."""


def fitting(scope: Scope, now: Situation, width: int) -> list[Command]:
    """Give the commands for which there is room, in the table's order; the later ones give way first."""
    able = [
        command
        for command in of_scope(scope)
        if command.in_bar and not command.why_not(now) and not (now.in_filter and is_typed(command.keys))
    ]
    # What is typed into the filter does nothing else, the keys of help and quit included.
    room = width - sum(_cells(command) for command in able if command.id in ALWAYS)
    shown = []
    for command in able:
        if command.id not in ALWAYS:
            room -= _cells(command)
        if command.id in ALWAYS or room >= 0:
            shown.append(command)
    return shown


def _cells(command: Command) -> int:
    return length(_piece(command))


def _piece(command: Command) -> Line:
    return line(Span(f" {command.first_key} ", Tone.KEY), Span(f"{command.label} "))


class KeyBar(LineView):
    """Made from the command table; drawn again only when other keys work than before."""

    class Pressed(Message):
        """A command was clicked."""

        def __init__(self, command: Command) -> None:
            self.command = command
            super().__init__()

    def __init__(self) -> None:
        super().__init__(classes="one-line key-bar")
        self._commands: list[Command] = []

    def show_keys(self, scope: Scope, now: Situation) -> None:
        """Show the keys that work now."""
        self._commands = fitting(scope, now, self.size.width)
        self.show([line(*(span for command in self._commands for span in _piece(command)))])

    def on_click(self, event: Click) -> None:
        """Do the command under the pointer."""
        left = 0
        for command in self._commands:
            left += _cells(command)
            if event.x < left:
                self.post_message(self.Pressed(command))
                return
