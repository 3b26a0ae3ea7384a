"""A text field of a form. Some letters may mean a command in it instead of text."""

from typing import Final

from textual.events import Paste
from textual.message import Message
from textual.widgets import Input

from kalshi_tui.ui.command_table import is_text_key

MAX_FIELD_LENGTH: Final = 16
ALLOWED_TEXT_PATTERN: Final = r"[ -~¢]*"
"""What a field for words takes."""
LINE_BREAK_MARK: Final = "⏎"


class TextInput(Input):
    """A field whose pastes are one line: of several lines, Textual itself would keep the first and drop the rest."""

    LINE_BREAK = " "

    def _on_paste(self, event: Paste) -> None:
        event.prevent_default()
        event.stop()
        self.replace(self.LINE_BREAK.join(event.text.strip("\r\n").splitlines()), *self.selection)


class Field(TextInput):
    """Accepts what is typed, except ``letters``, which are left to the screen's commands. A paste is all text.

    A text is taken whole or not at all, and what is not taken is told with a `Refused`: it must not become another
    number. With ``any_script`` what is no ASCII stays too, and is read as no number.
    """

    LINE_BREAK = LINE_BREAK_MARK

    class Refused(Message):
        """What was typed or pasted was not taken."""

        def __init__(self, sentence: str) -> None:
            super().__init__()
            self.sentence = sentence

    def __init__(
        self,
        *,
        id: str,  # noqa: A002 - Textual's own word
        letters: str = "",
        max_length: int = MAX_FIELD_LENGTH,
        value: str = "",
        any_script: bool = False,
    ) -> None:
        restrict = None if any_script else ALLOWED_TEXT_PATTERN
        super().__init__(value, id=id, max_length=max_length, restrict=restrict, compact=True)
        self._letters = frozenset(letters)

    def replace(self, text: str, start: int, end: int) -> None:
        """Replace a part of the text, or refuse with a reason."""
        if not text.isprintable():
            self._refuse("with characters that cannot be seen")
        elif self.max_length and len(self.value) - abs(end - start) + len(text) > self.max_length:
            self._refuse(f"for {self.max_length} characters at most fit here")
        else:
            super().replace(text, start, end)

    def restricted(self) -> None:
        """Report that a character was rejected."""
        self._refuse("for only letters, digits and signs of a plain keyboard can be used here")

    def _refuse(self, why: str) -> None:
        self.post_message(self.Refused(f"Not taken {why}. The field is as it was."))

    def accepts_key(self, key: str) -> bool:
        """Return whether a key is text here."""
        return is_text_key(key) and key not in self._letters

    def check_consume_key(self, key: str, character: str | None) -> bool:
        """Tell Textual the same, so that the letters reach the screen's bindings."""
        return self.accepts_key(key) and super().check_consume_key(key, character)

    def set_text(self, text: str) -> None:
        """Replace what is written, as a command does."""
        self.value = text
        self.cursor_position = len(text)
