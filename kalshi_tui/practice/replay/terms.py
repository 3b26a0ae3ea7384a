"""Series, events and markets of a recording as terms of the practice exchange."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Final

from kalshi_tui.domain.fees import FeeSchedule
from kalshi_tui.domain.market import MarketStatus
from kalshi_tui.domain.price import CENT_GRID, PRICE_UNIT, NumberError, PriceGrid, PriceRange, parse_count, parse_price
from kalshi_tui.kalshi import wire
from kalshi_tui.practice.engine.listing import Listing
from kalshi_tui.practice.engine.terms import (
    GRIDS,
    LINEAR_CENT,
    Event,
    Market,
    Series,
)

FOR_EVER_S: Final = 10 * 366 * 86_400
"""A settlement timer that never runs out: a recorded market settles when the recording says so."""
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def time_ms(text: object) -> int:
    """Read a time of a recording as Unix milliseconds; 0 for none, and for what is no time."""
    if not isinstance(text, str) or not text:
        return 0
    try:
        return (datetime.fromisoformat(text) - _EPOCH) // timedelta(milliseconds=1)
    except (ValueError, TypeError):
        return 0


def series_terms(source: wire.Series) -> Series:
    """Take a series over."""
    return Series(
        source.ticker,
        source.title,
        source.category,
        fee_type=source.fee_type,
        fee_multiplier=source.fee_multiplier,
        exchange_index=_index(source.exchange_index),
    )


def event_terms(source: wire.Event) -> Event:
    """Take an event over."""
    override, multiplier = source.fee_type_override, source.fee_multiplier_override
    return Event(
        source.event_ticker,
        source.series_ticker,
        source.title,
        source.sub_title,
        source.category if isinstance(source.category, str) else "",
        mutually_exclusive=source.mutually_exclusive,
        exchange_index=_index(source.exchange_index),
        fee_type_override=override if isinstance(override, str) else "",
        fee_multiplier_override=multiplier if isinstance(multiplier, Decimal) else None,
    )


def fees_of(series: Series, event: Event) -> FeeSchedule:
    """Give the fees of an event's markets: its own overrides win over the series' (docs/kalshi-api.md, section 9)."""
    multiplier = series.fee_multiplier if event.fee_multiplier_override is None else event.fee_multiplier_override
    return FeeSchedule.of(event.fee_type_override or series.fee_type, multiplier)


def market_terms(source: wire.Market, event: Event, series: Series) -> Market:
    """Take a market's terms over."""
    close_ms = time_ms(source.close_time)
    return Market(
        source.ticker,
        source.event_ticker,
        event.series_ticker,
        source.title if isinstance(source.title, str) else "",
        source.yes_sub_title,
        source.no_sub_title,
        time_ms(source.open_time),
        close_ms,
        close_ms,
        close_ms,
        exchange_index=_index(source.exchange_index),
        structure=source.price_level_structure if source.price_level_structure in GRIDS else LINEAR_CENT,
        rules_primary=source.rules_primary,
        rules_secondary=source.rules_secondary,
        can_close_early=source.can_close_early,
        settlement_timer_s=FOR_EVER_S,
        fees=fees_of(series, event),
    )


def put_grid(listing: Listing, structure: str, ranges: list[wire.PriceRange] | object) -> None:
    """Give a market the grid that was recorded, of a name that is known here or not."""
    listing.structure = structure
    try:
        parts = [
            PriceRange(parse_price(each.start), parse_price(each.end), parse_price(each.step))
            for each in (ranges if isinstance(ranges, list) else ())
        ]
        listing.grid = PriceGrid(parts) if parts else GRIDS.get(structure, CENT_GRID)
    except (NumberError, ValueError):
        listing.grid = GRIDS.get(structure, CENT_GRID)


def put_figures(listing: Listing, source: wire.Market) -> None:
    """Give a market the figures that it had when it was read."""
    put_quote(listing, source)
    last = price_or(source.last_price_dollars, 0)
    listing.last = last or None
    listing.previous = price_or(source.previous_price_dollars, 0) or None
    listing.volume = count_or_0(source.volume_fp)
    listing.base_volume_24h = count_or_0(source.volume_24h_fp)
    listing.hours.clear()
    listing.open_interest = count_or_0(source.open_interest_fp)


def put_quote(listing: Listing, source: "wire.Market | wire.TickerMsg") -> None:
    """Give a market the quote that was told."""
    listing.top = (
        price_or(source.yes_bid_dollars, 0),
        count_or_0(source.yes_bid_size_fp),
        price_or(source.yes_ask_dollars, PRICE_UNIT),
        count_or_0(source.yes_ask_size_fp),
    )


def put_status(listing: Listing, source: wire.Market) -> None:
    """Give a market the status, dates, grid and result that it had when it was read."""
    status = MarketStatus.of(source.status)
    listing.status = MarketStatus.ACTIVE if status is MarketStatus.UNKNOWN else status
    listing.open_ms, listing.close_ms = time_ms(source.open_time), time_ms(source.close_time)
    listing.result = source.result
    value = price_or(source.settlement_value_dollars, -1)
    listing.settlement_value = value if value >= 0 else None
    put_grid(listing, source.price_level_structure, source.price_ranges)


def price_or(text: object, otherwise: int) -> int:
    """Read a price; ``otherwise`` for none, and for what is none."""
    try:
        return parse_price(text) if isinstance(text, str) and text else otherwise
    except NumberError:
        return otherwise


def count_or_0(text: object) -> int:
    """Read a count; 0 for none, and for what is none."""
    try:
        return parse_count(text) if isinstance(text, str) and text else 0
    except NumberError:
        return 0


def _index(value: object) -> int:
    return value if isinstance(value, int) and value >= 0 else 0
