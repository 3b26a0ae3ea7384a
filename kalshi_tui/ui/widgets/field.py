"""A text field of a form. Some letters may mean a command in it instead of text."""

from typing import Final

from textual.widgets import Input

from kalshi_tui.ui.commands import is_typed

LONGEST_ENTRY: Final = 16
PRINTED: Final = r"[ -~¢]*"
"""What a field takes. Whole or not at all: a pasted text with control characters must not become another number."""


class Field(Input):
    """Takes what is typed, but not ``letters``: those are left to the commands of the screen. A paste is all text."""

    def __init__(self, *, id: str, letters: str = "", longest: int = LONGEST_ENTRY, value: str = "") -> None:  # noqa: A002 - Textual's own word
        super().__init__(value, id=id, max_length=longest, restrict=PRINTED, compact=True)
        self._letters = frozenset(letters)

    def takes(self, key: str) -> bool:
        """Say whether a key is text here."""
        return is_typed(key) and key not in self._letters

    def check_consume_key(self, key: str, character: str | None) -> bool:
        """Tell Textual the same, so that the letters reach the screen's bindings."""
        return self.takes(key) and super().check_consume_key(key, character)

    def write(self, text: str) -> None:
        """Replace what is written, as a command does."""
        self.value = text
        self.cursor_position = len(text)
