"""The characters that charts are made of: block characters, and ASCII for terminals that have no others."""

from dataclasses import dataclass
from enum import Enum
from typing import Final


class ChartKind(Enum):
    """How a market's history is drawn."""

    CANDLES = "candles"
    LINE = "line"


class CandlePart(Enum):
    """What of a candle covers one level of a cell."""

    NONE = 0
    WICK = 1
    BODY = 2


CellGlyphs = dict[tuple[CandlePart, ...], str]
"""The character for a cell, by what covers its levels, from the lowest up."""
_N, _W, _B = CandlePart


@dataclass(frozen=True, slots=True)
class ChartGlyphs:
    """A set of characters. A candle that closed lower than it opened differs by its shape, not by color alone."""

    levels: int
    """How many levels a cell can tell apart."""
    up: CellGlyphs
    down: CellGlyphs
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
    crosshair_vertical: str
    crosshair_horizontal: str
    """The crosshair."""
    legend: str
    """What the marks of candles mean, in a few words."""


_WICK_GLYPHS: Final[CellGlyphs] = {(_N, _N): " ", (_W, _N): "╷", (_N, _W): "╵", (_W, _W): "│"}

BLOCK_GLYPHS: Final = ChartGlyphs(
    levels=2,
    up=_WICK_GLYPHS | {(_B, _B): "█", (_B, _N): "▄", (_N, _B): "▀", (_B, _W): "▄", (_W, _B): "▀"},
    down=_WICK_GLYPHS | {(_B, _B): "┃", (_B, _N): "╻", (_N, _B): "╹", (_B, _W): "╽", (_W, _B): "╿"},
    bars="▁▂▃▄▅▆▇█",
    middle="·",
    flat="─",
    rise="│",
    leave_up="╯",
    reach_up="╭",
    leave_down="╮",
    reach_down="╰",
    crosshair_vertical="┊",
    crosshair_horizontal="┄",
    legend="█ up ┃ down",
)


def _ascii_glyphs(body: str) -> CellGlyphs:
    return {(_N,): " ", (_W,): "|", (_B,): body}


ASCII_GLYPHS: Final = ChartGlyphs(
    levels=1,
    up=_ascii_glyphs("O"),
    down=_ascii_glyphs("#"),
    bars=".:#",
    middle=".",
    flat="-",
    rise="|",
    leave_up="+",
    reach_up="+",
    leave_down="+",
    reach_down="+",
    crosshair_vertical=":",
    crosshair_horizontal="_",
    legend="O up # down",
)
