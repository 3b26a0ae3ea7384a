"""What a terminal can show, by its environment variables: how many colors, and which characters."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Final

from rich.color import Color, ColorSystem
from rich.segment import Segment
from rich.style import Style
from textual.color import Color as TextualColor
from textual.filter import LineFilter

COLOR_TERMINAL_SUFFIXES: Final = ("256color", "kitty", "direct")
"""Ends of the names of terminals that have more than 16 colors."""
CONSOLE_TERMINALS: Final = ("linux", "dumb")
"""Terminals that have no title, may print what would set it, and whose font lacks most of what is no letter."""
CONSOLE_GLYPHS: Final = str.maketrans(
    # The font of the Linux console has the characters of code page 437. As many cells for as many.
    dict(zip("…╭╮╰╯┏┓┗┛┃━╺╸", "~┌┐└┘╔╗╚╝║═══", strict=True))
    | dict(zip("▁▂▃▄▅▆▇▔▕▏▎▍▌▋▊▉", "▄▄▄▄███▀▐││▌▌███", strict=True))
    | {"\N{RIGHT-POINTING MAGNIFYING GLASS}": "/ ", "\N{REPLACEMENT CHARACTER}": "?"}
)
STYLE_CACHE_SIZE: Final = 1_024


def has_few_colors(environment: Mapping[str, str]) -> bool:
    """Return whether a terminal has 16 colors at most, as far as is known.

    Ssh passes TERM on, and not COLORTERM.
    """
    name = environment.get("TERM", "")
    if name in CONSOLE_TERMINALS:
        return True
    return not environment.get("COLORTERM") and not name.endswith(COLOR_TERMINAL_SUFFIXES)


def glyph_replacements(environment: Mapping[str, str]) -> dict[int, str] | None:
    """Return a table of substitute characters for `str.translate`; None where none are needed."""
    return CONSOLE_GLYPHS if environment.get("TERM", "") in CONSOLE_TERMINALS else None


class SixteenColorFilter(LineFilter):
    """Reduces colors to the 16 of the terminal itself.

    The few others that Textual mixes are rounded. The terminal's default colors become white on black: beside colors
    chosen for black, they might be unreadable.
    """

    def apply(self, segments: list[Segment], background: TextualColor) -> list[Segment]:
        """Round the colors."""
        del background
        return [Segment(text, _round_style(style), control) for text, style, control in segments]


WHITE: Final = Color.from_ansi(7)
BLACK: Final = Color.from_ansi(0)


@lru_cache(STYLE_CACHE_SIZE)
def _round_style(style: Style | None) -> Style:
    style = style or Style()
    return style + Style.from_color(_nearest_color(style.color, WHITE), _nearest_color(style.bgcolor, BLACK))


def _nearest_color(color: Color | None, default: Color) -> Color:
    return default if color is None or color.is_default else color.downgrade(ColorSystem.STANDARD)


class NoColorFilter(LineFilter):
    """Removes all colors: signs, bold and reverse say the same."""

    def apply(self, segments: list[Segment], background: TextualColor) -> list[Segment]:
        """Keep all but the colors."""
        del background
        return [
            Segment(text, style.without_color if style is not None else None, control)
            for text, style, control in segments
        ]
