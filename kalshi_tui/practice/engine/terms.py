"""What a series, an event and a market of the practice world are by their terms: all that trading does not change."""

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from kalshi_tui.domain.book import Side
from kalshi_tui.domain.fees import FeeSchedule
from kalshi_tui.domain.price import CENT_GRID, Price, PriceGrid, PriceRange

LINEAR_CENT: Final = "linear_cent"
DECI_CENT: Final = "deci_cent"
TAPERED_DECI_CENT: Final = "tapered_deci_cent"
COMBO_STRUCTURE: Final = "center_deci_edge_centi_cent"
"""The grid of combos (docs/kalshi-api.md, section 18)."""

GRIDS: Final[dict[str, PriceGrid]] = {
    LINEAR_CENT: CENT_GRID,
    DECI_CENT: PriceGrid((PriceRange(0, 10_000, 10),)),
    TAPERED_DECI_CENT: PriceGrid(
        (PriceRange(0, 1_000, 10), PriceRange(1_000, 9_000, 100), PriceRange(9_000, 10_000, 10))
    ),
    COMBO_STRUCTURE: PriceGrid((PriceRange(0, 100, 1), PriceRange(100, 9_900, 10), PriceRange(9_900, 10_000, 1))),
}
"""The price grids that a market here can have, by the exchange's label (docs/kalshi-api.md, section 3)."""
LEGAL_PRICES: Final[dict[str, tuple[tuple[Price, ...], tuple[Price, ...]]]] = {
    label: (grid.prices, grid.complement().prices) for label, grid in GRIDS.items()
}
"""By label, the legal prices of YES and of NO, ascending."""


@dataclass(frozen=True, slots=True)
class SeriesDefinition:
    """A kind of question that recurs; it sets the fees of its markets."""

    ticker: str
    title: str
    category: str
    frequency: str = "custom"
    tags: tuple[str, ...] = ()
    fee_type: str = "quadratic"
    fee_multiplier: Decimal = Decimal(1)
    exchange_index: int = 0
    settlement_sources: tuple[tuple[str, str], ...] = ()
    """Pairs of name and address."""


@dataclass(frozen=True, slots=True)
class EventDefinition:
    """A question with one or more markets; of ``mutually_exclusive`` ones at most one ends YES."""

    ticker: str
    series_ticker: str
    title: str
    sub_title: str = ""
    category: str = ""
    mutually_exclusive: bool = False
    exchange_index: int = 0
    strike_ms: int = 0
    fee_type_override: str = ""
    fee_multiplier_override: Decimal | None = None
    collection_ticker: str = ""
    """Of a combo's event: the collection that it was made in."""


def event_fee_schedule(series: SeriesDefinition, event: EventDefinition) -> FeeSchedule:
    """Return the fees of an event's markets: its own overrides win over the series' (docs/kalshi-api.md, section 9)."""
    multiplier = series.fee_multiplier if event.fee_multiplier_override is None else event.fee_multiplier_override
    return FeeSchedule.of(event.fee_type_override or series.fee_type, multiplier)


@dataclass(frozen=True, slots=True)
class OrderFlow:
    """How the simulated participants treat a market. No part of the exchange's terms.

    ``fair`` is the price they start from, 1/10,000 dollar; ``weight`` the market's share of all flow; ``depth`` the
    number of levels a maker keeps on a side; ``size`` the usual contracts of a level; ``spread`` the ticks between bid
    and ask in calm. ``volatility`` is how far the event's fair values move in a minute, in 1/1,000 of a standard
    deviation. ``shape`` is ``both`` (quoted on both sides), ``bids`` or ``asks`` (one side only), or ``empty``.
    ``index`` names the price index that decides the market, if one does. Otherwise the market ends YES if its event's
    draw, a number from 0 to 9,999, lies in ``wins_from`` to ``wins_to``, the end excluded.
    """

    fair: Price = 5_000
    weight: int = 10
    depth: int = 12
    size: int = 400
    spread: int = 1
    volatility: int = 40
    shape: str = "both"
    fractional: bool = False
    index: str = ""
    wins_from: int = 0
    wins_to: int = 5_000


@dataclass(frozen=True, slots=True)
class LegDefinition:
    """One part of a combo: a market, and the outcome that it has to have."""

    ticker: str
    event_ticker: str
    side: Side


@dataclass(frozen=True, slots=True)
class CollectionDefinition:
    """Which events can be combined with each other, and how many of them."""

    ticker: str
    series_ticker: str
    title: str
    description: str
    functional_description: str
    event_tickers: tuple[str, ...]
    open_ms: int
    close_ms: int
    size_min: int = 2
    size_max: int = 4
    exchange_index: int = 1
    structure: str = COMBO_STRUCTURE


@dataclass(frozen=True, slots=True)
class MarketDefinition:
    """One yes/no contract by its terms. Times are Unix ms; strikes are decimals in the unit of the question."""

    ticker: str
    event_ticker: str
    series_ticker: str
    title: str
    yes_sub_title: str
    no_sub_title: str
    open_ms: int
    close_ms: int
    expected_expiration_ms: int
    """When the result becomes known; the world's outcome source is asked from then on."""
    latest_expiration_ms: int
    created_ms: int = 0
    exchange_index: int = 0
    structure: str = LINEAR_CENT
    """The label of the price grid at the start; `GRIDS` has its ranges."""
    market_type: str = "binary"
    rules_primary: str = ""
    rules_secondary: str = ""
    strike_type: str = "custom"
    floor_strike: Decimal | None = None
    cap_strike: Decimal | None = None
    can_close_early: bool = True
    early_close_condition: str = ""
    settlement_timer_s: int = 300
    fees: FeeSchedule = field(default_factory=lambda: FeeSchedule.of("quadratic", 1))
    """Worked out from the event's override or the series."""
    rank: int = 1_000
    """Markets of a lower rank are listed first."""
    flow: OrderFlow = field(default_factory=OrderFlow)
    collection_ticker: str = ""
    """Of a combo: the collection that it was made in."""
    legs: tuple[LegDefinition, ...] = ()
    """Of a combo: its parts; they decide it."""
    is_provisional: bool = False


@dataclass(frozen=True, slots=True)
class Catalog:
    """The terms that an exchange starts with; events and markets in the order in which they are listed."""

    series: tuple[SeriesDefinition, ...] = ()
    events: tuple[EventDefinition, ...] = ()
    markets: tuple[MarketDefinition, ...] = ()
    collections: tuple[CollectionDefinition, ...] = ()
