"""What a command of the trader's is: one definition for key, key bar, palette and help."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Final

from kalshi_tui.ui.situation import Situation, always


class Scope(Enum):
    """The screen on which a command works. The values head its part of the help."""

    DESK = "On the desk"
    TICKET = "In the order ticket"
    REVIEW = "In the review of an order"
    WORD = "At a word to be typed"
    AMEND = "In the change of an order"
    REHEARSE = "By ^p on the desk, in practice: trouble to rehearse"
    ASK = "At a question"
    HELP = "Where a text is read, as here"
    TOO_SMALL = "On a terminal that is too small"


@dataclass(frozen=True, slots=True)
class Command:
    """One thing that the trader can do: ``method`` with ``do_`` before it is the method of the screen."""

    id: str
    keys: str
    """Textual's key names, with commas between; the first is the one shown. Empty: by the palette alone."""
    method: str
    label: str
    """The word or two of key bar and palette."""
    help: str
    """The sentence of palette and help."""
    scope: Scope = Scope.DESK
    argument: int | str | None = None
    in_bar: bool = False
    """Whether the key bar shows it while it works."""
    in_palette: bool = True
    why_not: Callable[[Situation], str] = always
    """Say in a sentence why it does not work now; empty if it does."""

    @property
    def first_key(self) -> str:
        """The key as a person reads it."""
        name = self.keys.split(",")[0]
        return KEY_NAMES.get(name, name.replace("ctrl+", "^"))

    @property
    def all_keys(self) -> str:
        """All its keys as a person reads them."""
        return " ".join(KEY_NAMES.get(name, name.replace("ctrl+", "^")) for name in self.keys.split(","))


KEY_NAMES: Final = {
    "slash": "/",
    "question_mark": "?",
    "enter": "enter",
    "escape": "esc",
    "down": "↓",
    "up": "↑",
    "pagedown": "pgdn",
    "pageup": "pgup",
}
