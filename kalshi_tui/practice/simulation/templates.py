"""What `catalog.toml` holds, as structs that mirror it field by field and check it while it is decoded.

A template has no dates: `catalog` makes series, events and markets of it for a moment in time.
"""

from decimal import Decimal
from enum import Enum
from functools import cache
from importlib.resources import files
from itertools import pairwise
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from kalshi_tui.practice.engine.terms import LINEAR_CENT

CATALOG_FILE: Final = "catalog.toml"

Ticker = Annotated[str, Meta(pattern=r"^KX[A-Z0-9]{1,20}$")]
Suffix = Annotated[str, Meta(pattern=r"^[A-Z0-9]{1,12}$")]
MarketSuffix = Annotated[str, Meta(pattern=r"^[A-Z0-9.-]{1,12}$")]
Text = Annotated[str, Meta(min_length=1, max_length=120)]
Label = Annotated[str, Meta(pattern=r"\{\}", max_length=60)]
"""How a strike is written, ``{}`` standing for the number."""
FairCents = Annotated[float, Meta(gt=0, lt=100)]
"""A fair value in 1/100 dollar. A float: it is where the participants start from, not a price that anybody pays."""
Positive = Annotated[int, Meta(ge=1)]
Structure = Literal["linear_cent", "deci_cent", "tapered_deci_cent"]
FeeTypeName = Literal["quadratic", "quadratic_with_maker_fees"]
ShardNumber = Literal[0, 1, 2, 3]


class Period(Enum):
    """When an event ends, counted from the calendar, so that tickers stay the same within it."""

    DAY = "day"
    TOMORROW = "tomorrow"
    WEEK = "week"
    MONTH = "month"
    YEAR = "year"
    NEXT_YEAR = "next_year"
    FAR = "far"


class _Template(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The base of all that is read from the file."""


class IndexTemplate(_Template, frozen=True, kw_only=True):
    """A price index. ``sigma`` is its usual relative move in 15 minutes."""

    name: Suffix
    base_cents: Positive
    sigma: Annotated[float, Meta(gt=0, lt=1)]
    strike_step: Positive
    """The round figure in dollars that the strikes of an index ladder stand around."""


class FlowTemplate(_Template, frozen=True, kw_only=True):
    """How busy the simulated participants are in each market of an event; `terms.Flow` explains the numbers."""

    weight: Positive = 10
    depth: Positive = 12
    size: Positive = 300
    spread: Positive = 1
    volatility: Positive = 40
    fractional: bool = False


class SourceTemplate(_Template, frozen=True, kw_only=True):
    """Who reports the outcome."""

    name: Text
    url: Annotated[str, Meta(pattern=r"^https://")]


class FeesTemplate(_Template, frozen=True, kw_only=True):
    """The fees of one event, where they differ from the series' own."""

    fee_type: FeeTypeName
    fee_multiplier: Decimal


class ChoiceTemplate(msgspec.Struct, frozen=True, forbid_unknown_fields=True, array_like=True):
    """One possible winner, written as a row: ticker suffix, first fair value, name, and who quotes it."""

    suffix: MarketSuffix
    fair: FairCents
    name: Text
    shape: Literal["both", "bids", "asks", "empty"] = "both"


class _EventTemplate(_Template, frozen=True, kw_only=True, tag_field="kind"):
    """What events of every kind have."""

    title: Text
    rank: Annotated[int, Meta(ge=0)]
    suffix: Suffix | Literal[""] = ""
    """What the event's ticker ends with, where a series has more than one event a period."""
    period: Period | None = None
    """The event's own period, where it is not the series'."""
    price_level_structure: Structure = LINEAR_CENT
    settlement_timer_s: Positive = 300
    fee_override: FeesTemplate | None = None
    flow: FlowTemplate = FlowTemplate()


class SingleTemplate(_EventTemplate, frozen=True, kw_only=True, tag="single"):
    """An event with one market."""

    fair: FairCents
    market_type: Literal["binary", "scalar"] = "binary"


class ExclusiveTemplate(_EventTemplate, frozen=True, kw_only=True, tag="exclusive"):
    """An event of whose markets exactly one ends YES."""

    choices: Annotated[tuple[ChoiceTemplate, ...], Meta(min_length=2)]

    def __post_init__(self) -> None:
        """Raise ValueError where two markets would have the same ticker."""
        _require_unique("the suffixes of the choices", [choice.suffix for choice in self.choices])


class LadderTemplate(_EventTemplate, frozen=True, kw_only=True, tag="ladder"):
    """An event with a market for each strike; the outcome is expected at ``mean``, give or take ``deviation``."""

    strikes: Annotated[tuple[Decimal, ...], Meta(min_length=1)]
    mean: float
    deviation: Annotated[float, Meta(gt=0)]
    label: Label

    def __post_init__(self) -> None:
        """Raise ValueError unless the strikes rise."""
        _require_rising("strikes", self.strikes)


class IndexLadderTemplate(_EventTemplate, frozen=True, kw_only=True, tag="index_ladder"):
    """An event with a market for each strike, which a price index decides."""

    index: Suffix
    offsets: Annotated[tuple[Decimal, ...], Meta(min_length=1)]
    """In dollars, from the index at the event's opening."""
    label: Label

    def __post_init__(self) -> None:
        """Raise ValueError unless the offsets rise."""
        _require_rising("offsets", self.offsets)


EventTemplate = SingleTemplate | ExclusiveTemplate | LadderTemplate | IndexLadderTemplate


class SeriesTemplate(_Template, frozen=True, kw_only=True):
    """A series and its events; it sets what they share."""

    ticker: Ticker
    title: Text
    category: Text
    period: Period
    events: Annotated[tuple[EventTemplate, ...], Meta(min_length=1)]
    tags: tuple[Text, ...] = ()
    settlement_source: SourceTemplate = SourceTemplate(name="The practice exchange", url="https://example.com/practice")
    fee_type: FeeTypeName = "quadratic"
    fee_multiplier: Decimal = Decimal(1)
    exchange_index: ShardNumber = 0

    def __post_init__(self) -> None:
        """Raise ValueError where two events would have the same ticker."""
        _require_unique("the suffixes of the events", [event.suffix for event in self.events])


class RecurringTemplate(_Template, frozen=True, kw_only=True):
    """A series with a new market every 15 minutes: whether an index ends above where it began."""

    ticker: Ticker
    name: Text
    index: Suffix
    price_level_structure: Structure
    flow: FlowTemplate


class FillerSeriesTemplate(_Template, frozen=True, kw_only=True):
    """A series of ladders that fill up a large world."""

    ticker: Ticker
    subject: Text
    label: Label


class FillerTemplate(_Template, frozen=True, kw_only=True):
    """What fills up a world that is asked for more markets than the series have."""

    places: Annotated[tuple[Text, ...], Meta(min_length=1)]
    series: Annotated[tuple[FillerSeriesTemplate, ...], Meta(min_length=1)]


class CatalogTemplate(_Template, frozen=True, kw_only=True):
    """The whole file."""

    indexes: tuple[IndexTemplate, ...]
    recurring: tuple[RecurringTemplate, ...]
    filler: FillerTemplate
    series: tuple[SeriesTemplate, ...]

    def __post_init__(self) -> None:
        """Raise ValueError where names are double, or an index is named that is not there."""
        _require_unique("the names of the indexes", [index.name for index in self.indexes])
        _require_unique(
            "the tickers of the series",
            [each.ticker for group in (self.recurring, self.filler.series, self.series) for each in group],
        )
        known = {index.name for index in self.indexes}
        used = [recurring.index for recurring in self.recurring]
        used += [each.index for _, each in self.ranked_events() if isinstance(each, IndexLadderTemplate)]
        for name in used:
            if name not in known:
                raise ValueError(f"no index is named {name}")

    def ranked_events(self) -> list[tuple[SeriesTemplate, EventTemplate]]:
        """Return all events with their series, the lowest rank first."""
        pairs = [(series, event) for series in self.series for event in series.events]
        return sorted(pairs, key=lambda pair: pair[1].rank)


def _require_unique(what: str, names: list[str]) -> None:
    double = next((name for name in names if names.count(name) > 1), None)
    if double is not None:
        raise ValueError(f"{what} must differ, and {double!r} stands there twice")


def _require_rising(what: str, numbers: tuple[Decimal, ...]) -> None:
    if any(left >= right for left, right in pairwise(numbers)):
        raise ValueError(f"{what} must rise")


def decode_catalog(data: bytes) -> CatalogTemplate:
    """Decode a catalog.

    Raises msgspec.ValidationError, which names the path of what is wrong, and msgspec.DecodeError, which names the
    line, for what is no TOML.
    """
    return msgspec.toml.decode(data, type=CatalogTemplate)


@cache
def catalog_template() -> CatalogTemplate:
    """Return the catalog that comes with the program; it is read once, on first use."""
    return decode_catalog((files("kalshi_tui.practice.simulation") / CATALOG_FILE).read_bytes())
