"""Lines of text with tones, made by views and drawn by widgets. Pure values, compared to see what changed."""

import unicodedata
from collections.abc import Iterable
from enum import Enum
from typing import Final, NamedTuple

from rich.cells import cell_len, set_cell_size

MAX_COMBINING_MARKS: Final = 2
"""Combining marks kept on one letter; no language needs more, and a thousand would paint over the lines around it."""


class Tone(Enum):
    """The meaning of a piece of text; the style sheet sets its color. A word or a sign always says the same."""

    PLAIN = "plain"
    DIM = "dim"
    HEAD = "head"
    BID = "bid"
    ASK = "ask"
    BID_BAR = "bid-bar"
    ASK_BAR = "ask-bar"
    OWN = "own"
    GOOD = "good"
    WARN = "warn"
    BAD = "bad"
    UP = "up"
    DOWN = "down"
    VENUE = "venue"
    KEY = "key"
    CURSOR = "cursor"


class Span(NamedTuple):
    """A piece of a line."""

    text: str
    tone: Tone = Tone.PLAIN


Line = tuple[Span, ...]
EMPTY_LINE: Line = ()


def make_printable(text: str) -> str:
    """Make text from outside safe to draw: no control or format characters, no towers of combining marks.

    The sanitizer at the decode boundary does this for all text of the exchange; this covers text that came another way,
    such as settings and files. Each character that cannot be printed becomes U+FFFD, which takes one cell.
    """
    if text.isascii() and text.isprintable():
        return text
    made: list[str] = []
    marks = 0
    for character in text:
        if not character.isprintable():
            made.append(" " if character == "\n" else "\ufffd")
            marks = 0
        elif unicodedata.category(character) in {"Mn", "Me"}:
            marks += 1
            if marks <= MAX_COMBINING_MARKS and made:
                made.append(character)
        else:
            made.append(character)
            marks = 0
    return "".join(made)


def line(*spans: Span | str) -> Line:
    """Return a line; bare strings are plain. Empty pieces are dropped, and what cannot be printed is replaced."""
    made = (Span(span) if isinstance(span, str) else span for span in spans)
    return tuple(
        span if span.text.isprintable() else Span(make_printable(span.text), span.tone) for span in made if span.text
    )


def plain_text(content: Line) -> str:
    """Return a line's text alone."""
    return "".join(span.text for span in content)


def fit(text: str, width: int) -> str:
    """Cut or pad a text to exactly ``width`` cells, with an ellipsis where something was cut."""
    if width <= 0:
        return ""
    text = make_printable(text)
    if cell_len(text) <= width:
        return set_cell_size(text, width)
    return set_cell_size(text, width - 1) + "…"


def wrap(text: str, width: int) -> list[str]:
    """Break a sentence into lines of at most ``width`` cells, at spaces where it can be."""
    made: list[str] = []
    current = ""
    for word in make_printable(text).split():
        joined = f"{current} {word}" if current else word
        if cell_len(joined) <= width:
            current = joined
            continue
        if current:
            made.append(current)
        rest = word
        while cell_len(rest) > width > 1:
            head = set_cell_size(rest, width).rstrip()
            made.append(head)
            rest = rest[len(head) :]
        current = rest
    return [*made, current] if current or not made else made


def right_align(text: str, width: int) -> str:
    """Set a text at the right end of ``width`` cells; cut as `fit` does."""
    missing = width - cell_len(text)
    return " " * missing + text if missing >= 0 else fit(text, width)


def justify(left: Line, right_end: Line, width: int) -> Line:
    """Put one line at the left and one at the right of ``width`` cells; the left gives way, the right never does."""
    room = width - cell_count(right_end)
    return (*cut(left, max(room, 0)), *right_end)


def cell_count(content: Iterable[Span]) -> int:
    """Count the cells of a line."""
    return sum(cell_len(span.text) for span in content)


def cut(content: Line, width: int) -> Line:
    """Cut or pad a line to exactly ``width`` cells, keeping the tones."""
    made: list[Span] = []
    left = width
    too_long = cell_count(content) > width
    for span in content:
        wide = cell_len(span.text)
        if wide < left or (wide == left and not too_long):
            made.append(span)
            left -= wide
            continue
        if left > 0:
            # Something is cut here or further right: the ellipsis says so.
            made.append(Span(fit(span.text + " ", left), span.tone))
            left = 0
        break
    if left > 0:
        made.append(Span(" " * left))
    return tuple(made)
