"""What a command of the trader's is: one definition for key, key bar, palette and help."""

import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Final

from textual.keys import KEY_NAME_REPLACEMENTS

from kalshi_tui.ui.availability import CommandContext, always_available


class Scope(Enum):
    """The screen on which a command works. The values head its part of the help."""

    DESK = "On the desk"
    TICKET = "In the order ticket"
    REVIEW = "In the review of an order"
    WORD = "At a word to be typed"
    AMEND = "In the change of an order"
    WELCOME = "At the welcome of the first start"
    FIND = "Going to a market"
    NAME = "At a name to be typed"
    REHEARSE = "By ^p on the desk, in practice: trouble to rehearse"
    ALERT = "Where an alert is written"
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
    why_not: Callable[[CommandContext], str] = always_available
    """Say in a sentence why it does not work now; empty if it does."""

    @property
    def first_key(self) -> str:
        """The key as a person reads it."""
        return key_label(self.keys.split(",")[0])

    @property
    def all_keys(self) -> str:
        """All its keys as a person reads them."""
        return " ".join(key_label(name) for name in self.keys.split(","))


def key_for_character(character: str) -> str:
    """Return Textual's name of the key that types a character."""
    if character.isalnum():
        return character
    name = unicodedata.name(character).lower().replace("-", "_").replace(" ", "_")
    return KEY_NAME_REPLACEMENTS.get(name, name)


CHARACTERS_BY_KEY: Final = {key_for_character(chr(code)): chr(code) for code in range(33, 127)}
"""What keys with long names type."""
KEY_LABELS: Final = {
    "enter": "enter",
    "escape": "esc",
    "down": "↓",
    "up": "↑",
    "pagedown": "pgdn",
    "pageup": "pgup",
}


def key_label(name: str) -> str:
    """Write the name of a key as a person reads it."""
    *modifiers, last = name.split("+")
    shown = KEY_LABELS.get(last) or CHARACTERS_BY_KEY.get(last, last)
    return "".join("^" if each == "ctrl" else f"{each}+" for each in modifiers) + shown
