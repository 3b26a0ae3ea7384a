"""Series, events and markets of a recording as terms of the practice exchange."""

from decimal import Decimal
from typing import Final

from kalshi_tui.domain.market import MarketStatus
from kalshi_tui.domain.price import CENT_GRID, PRICE_UNIT, NumberError, PriceGrid, PriceRange, parse_count, parse_price
from kalshi_tui.kalshi import wire
from kalshi_tui.kalshi.wire.times import time_ms
from kalshi_tui.practice.engine.model import ListedMarket
from kalshi_tui.practice.engine.terms import (
    GRIDS,
    LINEAR_CENT,
    EventDefinition,
    MarketDefinition,
    SeriesDefinition,
    event_fee_schedule,
)

UNLIMITED_TIMER_S: Final = 10 * 366 * 86_400
"""A settlement timer that never runs out: a recorded market settles when the recording says so."""


def parse_time_or_zero(text: object) -> int:
    """Read a time of a recording as Unix milliseconds; 0 for none, and for what is no time."""
    try:
        return time_ms(text) if isinstance(text, str) else 0
    except ValueError:
        return 0


def to_series_definition(source: wire.Series) -> SeriesDefinition:
    """Convert a series."""
    return SeriesDefinition(
        source.ticker,
        source.title,
        source.category,
        fee_type=source.fee_type,
        fee_multiplier=source.fee_multiplier,
        exchange_index=_exchange_index(source.exchange_index),
    )


def to_event_definition(source: wire.Event) -> EventDefinition:
    """Convert an event."""
    override, multiplier = source.fee_type_override, source.fee_multiplier_override
    return EventDefinition(
        source.event_ticker,
        source.series_ticker,
        source.title,
        source.sub_title,
        source.category if isinstance(source.category, str) else "",
        mutually_exclusive=source.mutually_exclusive,
        exchange_index=_exchange_index(source.exchange_index),
        fee_type_override=override if isinstance(override, str) else "",
        fee_multiplier_override=multiplier if isinstance(multiplier, Decimal) else None,
    )


def to_market_definition(source: wire.Market, event: EventDefinition, series: SeriesDefinition) -> MarketDefinition:
    """Convert a market's terms."""
    close_ms = parse_time_or_zero(source.close_time)
    return MarketDefinition(
        source.ticker,
        source.event_ticker,
        event.series_ticker,
        source.title if isinstance(source.title, str) else "",
        source.yes_sub_title,
        source.no_sub_title,
        parse_time_or_zero(source.open_time),
        close_ms,
        close_ms,
        close_ms,
        exchange_index=_exchange_index(source.exchange_index),
        structure=source.price_level_structure if source.price_level_structure in GRIDS else LINEAR_CENT,
        rules_primary=source.rules_primary,
        rules_secondary=source.rules_secondary,
        can_close_early=source.can_close_early,
        settlement_timer_s=UNLIMITED_TIMER_S,
        fees=event_fee_schedule(series, event),
    )


def set_grid(listing: ListedMarket, structure: str, ranges: list[wire.PriceRange] | object) -> None:
    """Set the recorded grid of a market, of a name that is known here or not."""
    listing.structure = structure
    try:
        parts = [
            PriceRange(parse_price(each.start), parse_price(each.end), parse_price(each.step))
            for each in (ranges if isinstance(ranges, list) else ())
        ]
        listing.grid = PriceGrid(parts) if parts else GRIDS.get(structure, CENT_GRID)
    except (NumberError, ValueError):
        listing.grid = GRIDS.get(structure, CENT_GRID)


def set_market_data(listing: ListedMarket, source: wire.Market) -> None:
    """Set the figures that a market had when it was read."""
    set_quote(listing, source)
    last = parse_price_or(source.last_price_dollars, 0)
    listing.last_price = last or None
    listing.previous_price = parse_price_or(source.previous_price_dollars, 0) or None
    listing.volume = parse_count_or_zero(source.volume_fp)
    listing.base_volume_24h = parse_count_or_zero(source.volume_24h_fp)
    listing.hourly_volume.clear()
    listing.open_interest = parse_count_or_zero(source.open_interest_fp)


def set_quote(listing: ListedMarket, source: "wire.Market | wire.TickerMsg") -> None:
    """Set the recorded quote of a market."""
    listing.top = (
        parse_price_or(source.yes_bid_dollars, 0),
        parse_count_or_zero(source.yes_bid_size_fp),
        parse_price_or(source.yes_ask_dollars, PRICE_UNIT),
        parse_count_or_zero(source.yes_ask_size_fp),
    )


def set_status(listing: ListedMarket, source: wire.Market) -> None:
    """Set the status, dates, grid and result that a market had when it was read."""
    status = MarketStatus.of(source.status)
    listing.status = MarketStatus.ACTIVE if status is MarketStatus.UNKNOWN else status
    listing.open_ms, listing.close_ms = parse_time_or_zero(source.open_time), parse_time_or_zero(source.close_time)
    listing.result = source.result
    value = parse_price_or(source.settlement_value_dollars, -1)
    listing.settlement_value = value if value >= 0 else None
    set_grid(listing, source.price_level_structure, source.price_ranges)


def parse_price_or(text: object, default: int) -> int:
    """Read a price; ``default`` for none, and for what is none."""
    try:
        return parse_price(text) if isinstance(text, str) and text else default
    except NumberError:
        return default


def parse_count_or_zero(text: object) -> int:
    """Read a count; 0 for none, and for what is none."""
    try:
        return parse_count(text) if isinstance(text, str) and text else 0
    except NumberError:
        return 0


def _exchange_index(value: object) -> int:
    return value if isinstance(value, int) and value >= 0 else 0
