"""Translate markets, events and series (docs/kalshi-api.md, sections 3, 8 and 9)."""

from collections.abc import Callable, Iterable
from decimal import Decimal
from functools import lru_cache
from typing import Final

from msgspec import UnsetType

from kalshi_tui.domain.book import Side
from kalshi_tui.domain.fee_changes import EventFeeChange, SeriesFeeChange
from kalshi_tui.domain.fees import MAX_MULTIPLIER, MULTIPLIER_UNIT, FeeSchedule, FeeType
from kalshi_tui.domain.market import ComboLeg, Event, Market, MarketStatus, Quote
from kalshi_tui.domain.price import CENT_GRID, PRICE_UNIT, NumberError, Price, PriceGrid, PriceRange, parse_price
from kalshi_tui.kalshi import wire
from kalshi_tui.kalshi.replies import SeriesTerms
from kalshi_tui.kalshi.translate.cleaning import (
    MAX_ID_LENGTH,
    MAX_PARAGRAPH_LENGTH,
    TranslationError,
    clean,
    parse_id,
    text_or_empty,
)
from kalshi_tui.kalshi.translate.numbers import (
    count_or_none,
    int_or_zero,
    parse_money_field,
    parse_price_field,
    parse_time_ms,
    trade_price_or_none,
)
from kalshi_tui.kalshi.translate.quotes import parse_quote_side
from kalshi_tui.kalshi.translate.spare import SpareFieldError, translate_without_spare

FLOOR_BOUNDS: Final = "floor"
"""The exchange's word for a market with a settlement floor (docs/kalshi-api.md, section 16)."""


@lru_cache(maxsize=1024)
def _build_grid(ranges: tuple[tuple[str, str, str], ...]) -> PriceGrid:
    return PriceGrid(PriceRange(parse_price(start), parse_price(end), parse_price(step)) for start, end, step in ranges)


def grid(ranges: Iterable[wire.PriceRange] | UnsetType | None, structure: str = "") -> PriceGrid:
    """Return a market's price grid; equal grids are one object. Raises TranslationError.

    Without ranges only the plain cent structure is known by its name (docs/kalshi-api.md, section 3).
    """
    key = tuple((each.start, each.end, each.step) for each in ranges) if ranges else ()
    if not key:
        if structure in {"", "linear_cent"}:
            return CENT_GRID
        raise TranslationError(f"A market of structure {clean(structure, 40)!r} came without its price ranges.")
    try:
        return _build_grid(key)
    except NumberError as error:
        raise TranslationError(f"price_ranges: {clean(str(error))}") from None


def market(
    source: wire.Market, event: wire.Event | None = None, fees: FeeSchedule | None = None, series_ticker: str = ""
) -> Market:
    """Translate a market (docs/kalshi-api.md, section 8). Raises TranslationError.

    ``event`` gives it a title and its series, if it is known.
    """
    bid, bid_size = parse_quote_side(source.yes_bid_dollars, source.yes_bid_size_fp, 0, "yes_bid")
    ask, ask_size = parse_quote_side(source.yes_ask_dollars, source.yes_ask_size_fp, PRICE_UNIT, "yes_ask")
    own_title = text_or_empty(source.title)
    title = event.title if event is not None and event.title else own_title
    return Market(
        ticker=parse_id(source.ticker, "market ticker"),
        event_ticker=parse_id(source.event_ticker, "event ticker"),
        series_ticker=series_ticker or (clean(event.series_ticker, MAX_ID_LENGTH) if event is not None else ""),
        title=clean(title),
        yes_sub_title=clean(source.yes_sub_title or text_or_empty(source.subtitle)),
        no_sub_title=clean(source.no_sub_title),
        status=MarketStatus.of(source.status),
        grid=grid(source.price_ranges, source.price_level_structure),
        price_level_structure=clean(source.price_level_structure, MAX_ID_LENGTH),
        exchange_index=int_or_zero(source.exchange_index),
        open_ms=parse_time_ms(source.open_time),
        close_ms=parse_time_ms(source.close_time),
        expected_expiration_ms=_time_or_zero(source.expected_expiration_time),
        rules_primary=clean(source.rules_primary, MAX_PARAGRAPH_LENGTH),
        rules_secondary=clean(source.rules_secondary, MAX_PARAGRAPH_LENGTH),
        result=clean(source.result, MAX_ID_LENGTH),
        settlement_value=(
            parse_money_field(source.settlement_value_dollars, "settlement_value")
            if source.settlement_value_dollars
            else None
        ),
        can_close_early=source.can_close_early,
        settlement_floor=_settlement_floor(source),
        fees=fees,
        collection_ticker=clean(source.mve_collection_ticker, MAX_ID_LENGTH),
        legs=_combo_legs(source.mve_selected_legs),
        is_provisional=source.is_provisional is True,
        quote=Quote(
            yes_bid=bid,
            yes_ask=ask,
            yes_bid_size=bid_size,
            yes_ask_size=ask_size,
            last=trade_price_or_none(source.last_price_dollars, "last_price"),
            previous=trade_price_or_none(source.previous_price_dollars, "previous_price"),
            volume=count_or_none(source.volume_fp, "volume"),
            volume_24h=count_or_none(source.volume_24h_fp, "volume_24h"),
            open_interest=count_or_none(source.open_interest_fp, "open_interest"),
        ),
    )


def event(
    source: wire.Event,
    beside: Iterable[wire.Market] | UnsetType | None = None,
    left_out: Callable[[wire.Market, Exception], None] | None = None,
) -> Event:
    """Translate an event with its nested markets, or with those that stood ``beside`` it. Raises TranslationError.

    A market that makes no sense is left out, and ``left_out`` is called with it: it must not hide the others. It is
    called with `SpareFieldError` for a value that a market can do without.
    """
    markets: list[Market] = []
    report = left_out or (lambda _market, _error: None)
    for each in source.markets or beside or ():
        try:
            made, odd = translate_without_spare(lambda given: market(given, source), each)
        except (TranslationError, NumberError) as error:
            report(each, error)
        else:
            markets.append(made)
            for field in odd:
                report(each, SpareFieldError(field))
    return Event(
        event_ticker=parse_id(source.event_ticker, "event ticker"),
        series_ticker=clean(source.series_ticker, MAX_ID_LENGTH),
        title=clean(source.title),
        sub_title=clean(source.sub_title),
        category=clean(source.category, MAX_ID_LENGTH),
        mutually_exclusive=source.mutually_exclusive,
        exchange_index=int_or_zero(source.exchange_index),
        fee_type_override=clean(source.fee_type_override, MAX_ID_LENGTH),
        markets=tuple(markets),
        fee_multiplier_override=parse_multiplier(source.fee_multiplier_override),
        settlement_sources=tuple(
            (clean(each.name), clean(each.url))
            for each in (source.settlement_sources if isinstance(source.settlement_sources, list) else ())
        ),
    )


def _time_or_zero(text: str | UnsetType | None) -> int:
    """Read a time that may be missing; one that makes no sense is not known, and costs nothing else."""
    try:
        return parse_time_ms(text) if text else 0
    except (TranslationError, NumberError):
        return 0


def _combo_legs(legs: Iterable[wire.ComboLeg] | UnsetType | None) -> tuple[ComboLeg, ...]:
    """Read the parts of a combo; none where any of them cannot be read, for the others would be another combo."""
    try:
        return tuple(_combo_leg(each) for each in legs or ())
    except (TranslationError, NumberError):
        return ()


def _combo_leg(leg: wire.ComboLeg) -> ComboLeg:
    side = text_or_empty(leg.side)
    if side not in {Side.YES.value, Side.NO.value}:
        raise TranslationError(f"{clean(side, 40)!r} is no side of a leg.")
    value = leg.yes_settlement_value_dollars
    return ComboLeg(
        ticker=parse_id(leg.market_ticker, "market ticker"),
        event_ticker=parse_id(leg.event_ticker, "event ticker"),
        side=Side(side),
        settlement_value=parse_money_field(value, "yes_settlement_value") if value else None,
    )


def _settlement_floor(source: wire.Market) -> Price | None:
    """Read a market's settlement floor; None where there is none. Raises TranslationError."""
    if text_or_empty(source.settlement_bounds_type) != FLOOR_BOUNDS:
        return None
    return parse_price_field(source.settlement_floor_dollars or "0", "settlement_floor")


def parse_multiplier(number: Decimal | UnsetType | None) -> int | None:
    """Read a fee multiplier in units of 1/`MULTIPLIER_UNIT`, None where there is none. Raises TranslationError."""
    if not isinstance(number, Decimal):
        return None
    # The bound comes first: an exponent of a million makes an integer whose digits take minutes to write out.
    if not number.is_finite() or not 0 <= number <= MAX_MULTIPLIER:
        raise TranslationError("fee_multiplier_override is no multiplier.")
    scaled = number * MULTIPLIER_UNIT
    if scaled != scaled.to_integral_value():
        raise TranslationError("fee_multiplier_override is no multiplier.")
    return int(scaled)


def fee_overrides(fee_type: str | UnsetType | None, multiplier: Decimal | UnsetType | None) -> tuple[str, int | None]:
    """Read an event's new overrides: empty and None where there are none.

    A multiplier that makes no sense makes the fees unknown: what was known before is no longer true.
    """
    try:
        return text_or_empty(fee_type), parse_multiplier(multiplier)
    except TranslationError:
        return FeeType.UNKNOWN.value, None


def series_fee_change(source: wire.SeriesFeeChange) -> SeriesFeeChange:
    """Translate new fees of a series. Raises TranslationError."""
    return SeriesFeeChange(
        series_ticker=parse_id(source.series_ticker, "series ticker"),
        fees=FeeSchedule.of(clean(source.fee_type, MAX_ID_LENGTH), source.fee_multiplier),
        at_ms=parse_time_ms(source.scheduled_ts),
    )


def event_fee_change(source: wire.EventFeeChange) -> EventFeeChange:
    """Translate new fee overrides of an event. Raises TranslationError."""
    fee_type, multiplier = fee_overrides(source.fee_type_override, source.fee_multiplier_override)
    return EventFeeChange(
        event_ticker=parse_id(source.event_ticker, "event ticker"),
        series_ticker=clean(source.series_ticker, MAX_ID_LENGTH),
        fee_type=clean(fee_type, MAX_ID_LENGTH),
        multiplier=multiplier,
        at_ms=parse_time_ms(source.scheduled_ts),
    )


def series(source: wire.Series) -> SeriesTerms:
    """Translate a series and its fees (docs/kalshi-api.md, section 9). Raises TranslationError."""
    return SeriesTerms(
        ticker=parse_id(source.ticker, "series ticker"),
        title=clean(source.title),
        category=clean(source.category, MAX_ID_LENGTH),
        fees=FeeSchedule.of(clean(source.fee_type, MAX_ID_LENGTH), source.fee_multiplier),
        exchange_index=int_or_zero(source.exchange_index),
    )


def event_fees(series_fees: FeeSchedule, event: Event) -> FeeSchedule:
    """Return the fees of an event's markets: each of its overrides replaces that of its series.

    docs/kalshi-api.md, section 9.
    """
    return series_fees.overridden(event.fee_type_override, event.fee_multiplier_override)
