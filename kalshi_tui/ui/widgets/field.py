"""A text field of a form. Some letters may mean a command in it instead of text."""

from typing import Final

from textual.widgets import Input

from kalshi_tui.ui.command_table import is_text_key

MAX_FIELD_LENGTH: Final = 16
ALLOWED_TEXT_PATTERN: Final = r"[ -~¢]*"
"""What a field takes. Whole or not at all: a pasted text with control characters must not become another number."""


class Field(Input):
    """Accepts what is typed, except ``letters``, which are left to the screen's commands. A paste is all text."""

    def __init__(self, *, id: str, letters: str = "", max_length: int = MAX_FIELD_LENGTH, value: str = "") -> None:  # noqa: A002 - Textual's own word
        super().__init__(value, id=id, max_length=max_length, restrict=ALLOWED_TEXT_PATTERN, compact=True)
        self._letters = frozenset(letters)

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
