"""The characters that charts are made of: block characters, and ASCII for terminals that have no others."""

from dataclasses import dataclass
from enum import Enum
from typing import Final


class Kind(Enum):
    """How a market's history is drawn."""

    CANDLES = "candles"
    LINE = "line"


class Reach(Enum):
    """What of a candle covers one level of a cell."""

    NONE = 0
    WICK = 1
    BODY = 2


Cells = dict[tuple[Reach, ...], str]
"""The character for a cell, by what covers its levels, from the lowest up."""
_N, _W, _B = Reach


@dataclass(frozen=True, slots=True)
class Marks:
    """A set of characters. A candle that closed lower than it opened differs by its shape, not by colour alone."""

    levels: int
    """How many levels a cell can tell apart."""
    up: Cells
    down: Cells
    bars: str
    """A column of volume, from the least to the full cell."""
    middle: str
    """Stands at the middle of bid and ask where nothing traded."""
    flat: str
    rise: str
    leave_up: str
    reach_up: str
    leave_down: str
    reach_down: str
    """The line: level, between two rows, and the corners where it leaves a row and where it gets to one."""
    along: str
    across: str
    """The crosshair."""
    legend: str
    """What the marks of candles mean, in a few words."""


_WICKS: Final[Cells] = {(_N, _N): " ", (_W, _N): "╷", (_N, _W): "╵", (_W, _W): "│"}

BLOCKS: Final = Marks(
    levels=2,
    up=_WICKS | {(_B, _B): "█", (_B, _N): "▄", (_N, _B): "▀", (_B, _W): "▄", (_W, _B): "▀"},
    down=_WICKS | {(_B, _B): "┃", (_B, _N): "╻", (_N, _B): "╹", (_B, _W): "╽", (_W, _B): "╿"},
    bars="▁▂▃▄▅▆▇█",
    middle="·",
    flat="─",
    rise="│",
    leave_up="╯",
    reach_up="╭",
    leave_down="╮",
    reach_down="╰",
    along="┊",
    across="┄",
    legend="█ up ┃ down",
)


def _ascii(body: str) -> Cells:
    return {(_N,): " ", (_W,): "|", (_B,): body}


ASCII: Final = Marks(
    levels=1,
    up=_ascii("O"),
    down=_ascii("#"),
    bars=".:#",
    middle=".",
    flat="-",
    rise="|",
    leave_up="+",
    reach_up="+",
    leave_down="+",
    reach_down="+",
    along=":",
    across="_",
    legend="O up # down",
)
