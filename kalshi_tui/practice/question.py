"""What an event of the practice world is before it has dates: a question, and how its markets stand to each other."""

from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from typing import NamedTuple

from kalshi_tui.practice.terms import LINEAR_CENT

MAKER_FEES = "quadratic_with_maker_fees"
WEATHER_SERVICE = ("National Weather Service", "https://www.weather.gov")
LABOR_STATISTICS = ("Bureau of Labor Statistics", "https://www.bls.gov")
PRACTICE_INDEX = ("Practice index", "https://example.com/index")


class Period(Enum):
    """When a question's event ends, reckoned from the calendar, so that tickers stay the same within it."""

    DAY = "day"
    TOMORROW = "tomorrow"
    WEEK = "week"
    MONTH = "month"
    YEAR = "year"
    NEXT_YEAR = "next_year"
    FAR = "far"


class Choice(NamedTuple):
    """One possible winner: its suffix in tickers, its name, the price it starts from in 1/100 dollar."""

    suffix: str
    name: str
    fair: float


def choices(text: str) -> tuple[Choice, ...]:
    """Read choices written as ``SUFFIX price Name; SUFFIX price Name``."""
    found = []
    for part in text.split(";"):
        suffix, fair, name = part.split(maxsplit=2)
        found.append(Choice(suffix, name.strip(), float(fair)))
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Question:
    """One event to be. It is exclusive if it has ``choices``, a ladder if it has ``strikes``, else a single yes or no.

    ``series`` may carry a part after a colon, which then ends the event's ticker. `Flow` explains the figures.
    """

    series: str
    title: str
    category: str
    period: Period
    rank: int = 500
    series_title: str = ""
    """What the series is called, where it is not called as its only question is."""
    fair: float = 50.0
    """For a single: the price it starts from, in 1/100 dollar."""
    choices: tuple[Choice, ...] = ()
    strikes: str = ""
    """For a ladder: its thresholds, rising."""
    centre: float = 0.0
    """For a ladder: where the outcome is expected, in the unit of the strikes."""
    width: float = 1.0
    """For a ladder: the standard deviation of the outcome."""
    unit: str = "{}"
    """How a strike is written, ``{}`` standing for the number."""
    structure: str = LINEAR_CENT
    fee_type: str = "quadratic"
    fee_multiplier: Decimal = Decimal(1)
    fee_override: tuple[str, Decimal] | None = None
    weight: int = 10
    depth: int = 12
    size: int = 300
    spread: int = 1
    volatility: int = 40
    shapes: tuple[str, ...] = ()
    """One for each market; all are quoted on both sides if none is given."""
    fractional: bool = False
    index: str = ""
    exchange_index: int = 0
    market_type: str = "binary"
    settlement_timer_s: int = 300
    tags: tuple[str, ...] = ()
    source: tuple[str, str] = ("The practice exchange", "https://example.com/practice")

    @property
    def exclusive(self) -> bool:
        """Whether exactly one of its markets ends YES."""
        return bool(self.choices)
