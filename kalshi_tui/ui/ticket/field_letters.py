"""The letters that are commands in the fields of price and count."""

from dataclasses import dataclass
from enum import Enum
from typing import Final

from kalshi_tui.order_entry.pricing import PricePlacement


class FocusedField(Enum):
    """Which field of a form is typed into, where letters are commands. The values are words of a sentence."""

    NONE = "none"
    PRICE = "price"
    COUNT = "count"


@dataclass(frozen=True, slots=True)
class PriceLetter:
    """A letter that takes the price from the book."""

    id: str
    letter: str
    placement: PricePlacement
    label: str
    help: str


PRICE_LETTER_COMMANDS: Final = (
    PriceLetter("join", "j", PricePlacement.JOIN, "Join", "In the price: join the best on your own side."),
    PriceLetter(
        "improve",
        "i",
        PricePlacement.IMPROVE,
        "Improve",
        "In the price: a tick better than the best on your own side, never crossing.",
    ),
    PriceLetter("take", "t", PricePlacement.TAKE, "Take", "In the price: take the best of the other side."),
    PriceLetter(
        "mid", "m", PricePlacement.MID, "Mid", "In the price: the middle, on the grid and on the side that waits."
    ),
)
PRICE_LETTERS: Final = "".join(each.letter for each in PRICE_LETTER_COMMANDS)
COUNT_LETTERS: Final = "pPmad"
