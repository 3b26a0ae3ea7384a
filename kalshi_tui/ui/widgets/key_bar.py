"""The bottom line: the keys that work now."""

from collections.abc import Iterable

from textual.events import Click
from textual.message import Message

from kalshi_tui.presentation.lines import (
    Line,
    Span,
    Tone,
    cell_count,
    line,
)
from kalshi_tui.ui.command import AnyCommand, BoundCommand
from kalshi_tui.ui.command_table import is_text_key
from kalshi_tui.ui.widgets.line_view import LineView

ALWAYS_SHOWN = ("help", "quit")
"""Shown however narrow the line is."""


def fitting_commands(commands: Iterable[BoundCommand], width: int, *, typing: bool = False) -> list[AnyCommand]:
    """Return the commands for which there is room, in the table's order; the later ones are dropped first.

    ``typing``: letters are text now, and no command.
    """
    able = [
        each.command
        for each in commands
        if each.command.in_bar and not each.why_not() and not (typing and is_text_key(each.command.keys))
    ]
    # In the filter every letter is text, the keys of help and quit included.
    room = width - sum(_command_width(command) for command in able if command.id in ALWAYS_SHOWN)
    shown = []
    for command in able:
        if command.id not in ALWAYS_SHOWN:
            room -= _command_width(command)
        if command.id in ALWAYS_SHOWN or room >= 0:
            shown.append(command)
    return shown


def _command_width(command: AnyCommand) -> int:
    return cell_count(_command_line(command))


def _command_line(command: AnyCommand) -> Line:
    return line(Span(f" {command.first_key} ", Tone.KEY), Span(f"{command.label} "))


class KeyBar(LineView):
    """Made from the command table; drawn again only when other keys work than before."""

    class CommandClicked(Message):
        """A command was clicked."""

        def __init__(self, command: AnyCommand) -> None:
            self.command = command
            super().__init__()

    def __init__(self) -> None:
        super().__init__(classes="one-line key-bar")
        self._commands: list[AnyCommand] = []

    def show_keys(self, commands: Iterable[BoundCommand], *, typing: bool = False) -> None:
        """Show the keys that work now."""
        self._commands = fitting_commands(commands, self.size.width, typing=typing)
        self.show([line(*(span for command in self._commands for span in _command_line(command)))])

    def on_click(self, event: Click) -> None:
        """Run the command under the pointer."""
        left = 0
        for command in self._commands:
            left += _command_width(command)
            if event.x < left:
                self.post_message(self.CommandClicked(command))
                return
