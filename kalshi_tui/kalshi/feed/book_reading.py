"""In which prices the NO levels of the stream's books stand, and whether that is true (docs/kalshi-api.md, section 4).

They are asked for in YES prices. The exchange may ignore that, without a word. A book read the wrong way round is
usually crossed; one that is not is found out by the quote, whose ask is the best NO level of the one reading, and the
worst of the other.
"""

from enum import Enum, auto
from typing import Final

from kalshi_tui.domain.market import Quote
from kalshi_tui.domain.price import PRICE_UNIT
from kalshi_tui.kalshi.feed.command_queue import Levels
from kalshi_tui.kalshi.wire import BookReading

REQUIRED_CONTRADICTIONS: Final = 2
"""One alone may be a book that is crossed for a moment, or a quote that is older than the book."""
MAX_READING_CHANGES: Final = 3
"""So often one connection may change the reading: frames that fit neither are no question of it."""
MAX_SNAPSHOT_REQUESTS: Final = 5
"""So many snapshots one connection may ask for only to compare them with a quote."""
MAX_UNCLEAR_QUOTES: Final = 3
"""After so many quotes that fit neither reading the book has moved on, and a new snapshot is compared."""


class Fit(Enum):
    """What a comparison says about the reading in force."""

    AGREES = auto()
    CONTRADICTS = auto()
    UNCLEAR = auto()


def other_reading(reading: BookReading) -> BookReading:
    """Return the other of the two."""
    return BookReading.NO_PRICES if reading is BookReading.YES_PRICES else BookReading.YES_PRICES


def to_no_prices(levels: Levels, reading: BookReading) -> Levels:
    """Return NO levels as they were sent in NO prices, the terms of the local book."""
    if reading is BookReading.NO_PRICES:
        return levels
    return [(PRICE_UNIT - price, count) for price, count in levels]


def is_crossed(yes: Levels, no: Levels) -> bool:
    """Return whether bids would trade with each other, as they never rest."""
    return bool(yes) and bool(no) and max(yes)[0] + max(no)[0] >= PRICE_UNIT


def fit_levels(yes: Levels, no: Levels) -> Fit:
    """Compare a snapshot with itself: it agrees if it is crossed the other way round alone, NO levels in NO prices."""
    if not yes or not no:
        return Fit.UNCLEAR
    here, there = is_crossed(yes, no), is_crossed(yes, to_no_prices(no, BookReading.YES_PRICES))
    if here is there:
        return Fit.UNCLEAR
    return Fit.CONTRADICTS if here else Fit.AGREES


class ReadingCheck:
    """The reading in force on one stream, and what speaks against it."""

    def __init__(self, reading: BookReading) -> None:
        self.reading = reading
        self.changes = 0
        """How often it was changed on this connection."""
        self._contradictions = 0
        self._requests = 0
        self._edges: dict[str, tuple[tuple[int, int], tuple[int, int], int]] = {}
        """Of snapshots that no quote has confirmed yet: best and worst NO level, and how many quotes were unclear."""
        self._confirmed = False

    def reset_connection(self) -> None:
        """Begin with what was true last: an exchange that ignores the flag goes on doing so."""
        self.changes = self._contradictions = self._requests = 0
        self._edges.clear()
        self._confirmed = False

    @property
    def waits_for_quote(self) -> bool:
        """Whether a quote could still say something."""
        return bool(self._edges)

    def change(self) -> None:
        """Take the other reading from here on."""
        self.reading = other_reading(self.reading)
        self.changes += 1
        self._contradictions = 0
        self._edges.clear()
        self._confirmed = False

    def record(self, fit: Fit) -> bool:
        """Note a comparison; return whether the reading has to be changed."""
        if fit is Fit.AGREES:
            self._contradictions = 0
        elif fit is Fit.CONTRADICTS:
            self._confirmed = False
            self._contradictions += 1
        return self._contradictions >= REQUIRED_CONTRADICTIONS and self.changes < MAX_READING_CHANGES

    def take_snapshot(self, ticker: str, no: Levels, quote: Quote | None) -> Fit:
        """Compare a snapshot's NO levels, in NO prices, with the newest quote; wait for the next if that is unclear."""
        self._edges.pop(ticker, None)
        if not no:
            return Fit.UNCLEAR
        best, worst = max(no), min(no)
        fit = Fit.UNCLEAR if quote is None else _fit_quote(best, worst, quote)
        if fit is Fit.AGREES:
            self._confirm()
        elif fit is Fit.UNCLEAR and not self._confirmed:
            self._edges[ticker] = best, worst, 0
        return fit

    def take_quote(self, ticker: str, quote: Quote) -> Fit | None:
        """Compare a quote with the snapshot before it; None if a new snapshot is needed for that."""
        edges = self._edges.get(ticker)
        if edges is None:
            return Fit.UNCLEAR
        best, worst, unclear = edges
        fit = _fit_quote(best, worst, quote)
        if fit is Fit.AGREES:
            self._confirm()
        elif fit is Fit.CONTRADICTS:
            del self._edges[ticker]
        elif unclear + 1 < MAX_UNCLEAR_QUOTES:
            self._edges[ticker] = best, worst, unclear + 1
        else:
            del self._edges[ticker]
            return None
        return fit

    def may_request_snapshot(self) -> bool:
        """Return whether one more snapshot may be asked for, and count it."""
        self._requests += 1
        return self._requests <= MAX_SNAPSHOT_REQUESTS

    def _confirm(self) -> None:
        # The flag is of the whole subscription: one book that fits speaks for all.
        self._confirmed = True
        self._edges.clear()


def _fit_quote(best: tuple[int, int], worst: tuple[int, int], quote: Quote) -> Fit:
    """Compare the ask and its size with the best NO level, and with what would be the best one the other way round."""
    ask = quote.yes_ask, quote.yes_ask_size
    here, there = ask == (PRICE_UNIT - best[0], best[1]), ask == worst
    if here is there:
        return Fit.UNCLEAR
    return Fit.AGREES if here else Fit.CONTRADICTS
