"""A long text over the desk, to be read and scrolled."""

from collections.abc import Callable
from typing import Final

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.events import Resize

from kalshi_tui.presentation.lines import Line, make_printable
from kalshi_tui.session.interface import TradingSession
from kalshi_tui.ui.command import Scope
from kalshi_tui.ui.widgets.command_screen import CommandModal
from kalshi_tui.ui.widgets.key_bar import KeyBar
from kalshi_tui.ui.widgets.line_view import LineView

FRAME_HEIGHT: Final = 3
"""The lines of a dialog that are not text: its border's two, and the keys."""
MAX_HEIGHT_PERCENT: Final = 90


class TextScreen(CommandModal[None]):
    """Shows the lines that ``content_lines`` makes for a width; scrolls and closes."""

    SCOPE = Scope.HELP

    def __init__(self, session: TradingSession, subject: str, content_lines: Callable[[int], list[Line]]) -> None:
        super().__init__(session)
        self._subject = subject
        self._content_lines = content_lines
        self._box = Vertical(classes="dialog tall")
        self._text = LineView(id="reading-text")

    def compose(self) -> ComposeResult:
        """Lay out the text; it scrolls."""
        with self._box:
            self._box.border_title = Content(f"{self.session.venue.value} - {make_printable(self._subject)}")
            yield self._text
            yield KeyBar()

    def on_resize(self, event: Resize) -> None:
        """Wrap the text again."""
        del event
        self.call_after_refresh(self.redraw)

    def redraw(self) -> None:
        """Draw; unchanged lines cost nothing. Before layout there is no width to wrap to."""
        if self._text.line_width:
            lines = self._content_lines(self._text.line_width)
            # A text that is shorter than the screen leaves the desk below it in sight.
            fitting = min(len(lines) + FRAME_HEIGHT, self.size.height * MAX_HEIGHT_PERCENT // 100)
            self._box.styles.height = fitting
            self._text.show(lines)

    def scroll_lines(self, lines: int) -> None:
        """Scroll by so many lines."""
        self._text.scroll_relative(y=lines, animate=False)

    def close(self) -> None:
        """Close."""
        self.dismiss(None)
