"""Clean texts from outside, and check tickers and ids: the one sanitizer.

A terminal obeys escapes, and terminals disagree about the width of some characters; a text that has passed `clean` can
do no harm on any of them.
"""

import re
import unicodedata
from typing import Final

from msgspec import UnsetType

MAX_LINE_LENGTH: Final = 300
"""Characters kept of a text that stands on one line."""
MAX_PARAGRAPH_LENGTH: Final = 20_000
"""Characters kept of a text that may be long, the rules of a market."""
MAX_ID_LENGTH: Final = 128
"""Characters that a ticker or an id may have at most."""


class TranslationError(ValueError):
    """Report a reply or frame whose content makes no sense. The message names the field and what stood in it."""


_ID_PATTERN: Final = re.compile(rf"[A-Za-z0-9][A-Za-z0-9._:@+~'&!$*=()-]{{0,{MAX_ID_LENGTH - 1}}}", re.ASCII)
_FIRST_REGIONAL_INDICATOR: Final = 0x1F1E6
_REGIONAL_INDICATORS: Final = range(_FIRST_REGIONAL_INDICATOR, _FIRST_REGIONAL_INDICATOR + 26)
"""Regional indicators. Two of them are a flag, or two letters, as the terminal likes."""
_MODIFIERS: Final = frozenset(
    (*range(0xFE00, 0xFE10), *range(0x180B, 0x1810), *range(0xE0100, 0xE01F0), *range(0x1F3FB, 0x1F400), 0x034F)
)
"""Variation selectors, skin tones, the grapheme joiner: they change the character before them, and its width."""
_ZERO_WIDTH_LETTERS: Final = frozenset((*range(0x115F, 0x1200), *range(0xD7B0, 0xD800), 0x3164, 0xFFA0, 0x17B4, 0x17B5))
"""Letters without a width of their own: parts of syllables, and invisible fillers. Characters of the category Mc are
treated like them: half of all terminals give them a cell."""


class _CleaningTable(dict[int, str]):
    """Map each character to what is shown for it, for `str.translate`; filled as characters appear.

    A character that cannot be printed becomes U+FFFD. One whose width terminals disagree about is left out or
    replaced: a line that is one cell too short moves everything to the right of it.
    """

    def __missing__(self, code: int) -> str:
        character = chr(code)
        if code in _MODIFIERS:
            clean = ""
        elif code in _REGIONAL_INDICATORS:
            clean = chr(ord("A") + code - _FIRST_REGIONAL_INDICATOR)
        elif code in _ZERO_WIDTH_LETTERS or unicodedata.category(character) == "Mc":
            clean = "\N{REPLACEMENT CHARACTER}"
        elif character.isprintable():
            clean = character
        elif character in "\n\r\t\v\f\x85" or unicodedata.category(character).startswith("Z"):
            clean = " "
        else:
            clean = "\N{REPLACEMENT CHARACTER}"
        self[code] = clean
        return clean


_cleaning_table: Final = _CleaningTable()


def clean(text: str | UnsetType | None, limit: int = MAX_LINE_LENGTH) -> str:
    """Make a text from outside safe to show. Never raises.

    - Line ends, tabs and other blanks become a space.
    - Every other character that cannot be printed (control characters, escapes, C1, bidi controls, zero-width ones,
      lone surrogates) becomes U+FFFD.
    - A text longer than ``limit`` characters is cut and ends with an ellipsis.
    - Combining characters are composed (NFC); what terminals show in different widths (emoji with variations or skin
      tones, flags, syllables in parts) is made plain.
    - Absent and null are the empty text.
    """
    if not text:
        return ""
    text = _truncate(text, limit)
    if text.isascii():
        return text if text.isprintable() else text.translate(_cleaning_table)
    # Compose again: a character between a letter and its accent may be gone now. Cut again: some letters become
    # longer when they are composed.
    return _truncate(unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).translate(_cleaning_table)), limit)


def _truncate(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "\N{HORIZONTAL ELLIPSIS}"


def parse_id(text: str | UnsetType | None, kind: str) -> str:
    """Return a ticker or an id unchanged. Raises TranslationError unless it is 1 to 128 ASCII characters, no blanks.

    These texts are keys and parts of paths: a cleaned one could name another market.
    """
    if not isinstance(text, str) or _ID_PATTERN.fullmatch(text) is None:
        raise TranslationError(f"{clean(text, 40)!r} is no {kind}.")
    return text


def text_or_empty(text: str | UnsetType | None) -> str:
    """Return a text, the empty one where it is absent or null."""
    return text or ""
