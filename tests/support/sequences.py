"""What a program has written to its terminal, taken apart: sequences by their kind, and the text between them."""

import re
from collections.abc import Iterator
from typing import NamedTuple

SEQUENCE = re.compile(
    r"\x1b\[(?P<private>[<=>?]?)(?P<parameters>[0-9:;]*)(?P<between>[ -/]*)(?P<final>[@-~])"
    r"|\x1b(?P<opening>[\]PX^_])(?P<string>.*?)(?:\x07|\x1b\\)"
    r"|\x1b(?P<two>[ -/]*[0-~])"
    r"|(?P<control>[\x00-\x1f\x7f-\x9f])",
    re.DOTALL,
)
"""Control sequences, strings (OSC, DCS, SOS, PM, APC), short escapes, lone control characters."""
STRINGS = {"]": "OSC", "P": "DCS", "X": "SOS", "^": "PM", "_": "APC"}
CONSOLE_FONT = frozenset(
    bytes(range(32, 127)).decode() + bytes(range(128, 256)).decode("cp437") + "☺☻♥♦♣♠•◘○◙♂♀♪♫☼►◄↕‼¶§▬↨↑↓→←∟↔▲▼⌂"
)
"""The characters of code page 437, which the font of a Linux console has, those of its first 32 places included."""


def on_a_console(text: str) -> bool:
    """Return whether a Linux console can draw all of a text."""
    return CONSOLE_FONT.issuperset(text)


class Written(NamedTuple):
    """What was written: each kind of sequence, the parameters of SGR, and the characters outside of sequences."""

    kinds: frozenset[str]
    colors: frozenset[str]
    attributes: frozenset[str]
    text: str

    @property
    def characters(self) -> set[str]:
        """The characters that the terminal was to draw."""
        return set(self.text)


def taken_apart(raw: bytes) -> Written:
    """Read the bytes as a terminal does."""
    data = raw.decode("utf-8")
    kinds: set[str] = set()
    colors: set[str] = set()
    attributes: set[str] = set()
    for found in SEQUENCE.finditer(data):
        if found["final"] == "m" and not found["private"]:
            for color, code in sgr(found["parameters"]):
                (colors if color else attributes).add(code)
        kinds.add(kind(found))
    return Written(frozenset(kinds), frozenset(colors), frozenset(attributes), SEQUENCE.sub("", data))


def kind(found: re.Match[str]) -> str:
    """Name a sequence; where its number says what it does, with the number."""
    if found["control"]:
        return f"control {ord(found['control']):#04x}"
    if found["two"]:
        return f"ESC {found['two']}"
    if found["opening"]:
        return f"{STRINGS[found['opening']]} {found['string']}"
    number = found["parameters"] if found["final"] in "hltnpu" or found["private"] else ""
    return f"CSI {found['private']}{number}{found['between']}{found['final']}"


def sgr(parameters: str) -> Iterator[tuple[bool, str]]:
    """Return the codes of one SGR: whether it is a color, and what was written; ``38;5`` and its like as one."""
    codes = iter(re.split(r"[;:]", parameters or "0"))
    for code in codes:
        if code in {"38", "48", "58"}:
            how = next(codes, "")
            for _ in range(3 if how == "2" else 1):
                next(codes, "")
            yield True, f"{code};{how}"
        else:
            number = int(code or "0")
            yield 30 <= number <= 49 or 90 <= number <= 107, str(number)
