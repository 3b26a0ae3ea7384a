"""Markets, events and trades in the form of REST and stream, from what is known: the inverse of `translate`.

For recordings (docs/RECORDING.md). What the domain has no place for is left out.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal

from msgspec import UNSET

from kalshi_tui.domain.fees import MULTIPLIER_UNIT, FeeSchedule, FeeType
from kalshi_tui.domain.market import Event, Market, Quote, Trade
from kalshi_tui.domain.price import PRICE_UNIT, Count, Price, format_count, format_money, format_price
from kalshi_tui.kalshi import wire


def format_time(ms: int) -> str:
    """Write Unix milliseconds as RFC 3339; 0, which stands for no time, as the empty text."""
    if not ms:
        return ""
    seconds, rest = divmod(ms, 1_000)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest:03d}Z"


def market(source: Market, quote: Quote) -> wire.Market:
    """Write a market with its quote of now."""
    bid, ask = quote.yes_bid, quote.yes_ask
    settled = source.settlement_value
    return wire.Market(
        ticker=source.ticker,
        event_ticker=source.event_ticker,
        title=source.title,
        yes_sub_title=source.yes_sub_title,
        no_sub_title=source.no_sub_title,
        open_time=format_time(source.open_ms),
        close_time=format_time(source.close_ms),
        status=source.status.value,
        yes_bid_dollars=format_price(bid or 0),
        yes_bid_size_fp=format_count(quote.yes_bid_size),
        yes_ask_dollars=format_price(PRICE_UNIT if ask is None else ask),
        yes_ask_size_fp=format_count(quote.yes_ask_size),
        last_price_dollars=format_price(quote.last or 0),
        previous_price_dollars=format_price(quote.previous or 0),
        volume_fp=format_count(quote.volume),
        volume_24h_fp=format_count(quote.volume_24h),
        open_interest_fp=format_count(quote.open_interest),
        result=source.result,
        can_close_early=source.can_close_early,
        settlement_value_dollars=UNSET if settled is None else format_money(settled),
        rules_primary=source.rules_primary,
        rules_secondary=source.rules_secondary,
        price_level_structure=source.price_level_structure,
        price_ranges=[
            wire.PriceRange(start=format_price(each.start), end=format_price(each.end), step=format_price(each.step))
            for each in source.grid.ranges
        ],
        exchange_index=source.exchange_index,
    )


def event(source: Event) -> wire.Event:
    """Write an event, without its markets."""
    multiplier = source.fee_multiplier_override
    return wire.Event(
        event_ticker=source.event_ticker,
        series_ticker=source.series_ticker,
        title=source.title,
        sub_title=source.sub_title,
        category=source.category,
        mutually_exclusive=source.mutually_exclusive,
        settlement_sources=[wire.SettlementSource(name=name, url=url) for name, url in source.settlement_sources],
        fee_type_override=source.fee_type_override or UNSET,
        fee_multiplier_override=UNSET if multiplier is None else Decimal(multiplier) / MULTIPLIER_UNIT,
        exchange_index=source.exchange_index,
    )


def series(ticker: str, category: str, fees: FeeSchedule | None) -> wire.Series:
    """Write a series with its fees, which are of no known kind where they have not been read."""
    known = fees is not None and fees.fee_type is not FeeType.UNKNOWN
    return wire.Series(
        ticker=ticker,
        category=category,
        fee_type=fees.fee_type.value if fees is not None and known else FeeType.UNKNOWN.value,
        fee_multiplier=Decimal(fees.multiplier) / MULTIPLIER_UNIT if fees is not None and known else Decimal(1),
    )


def trade(source: Trade) -> wire.TradeMsg:
    """Write a print of the tape."""
    side = "yes" if source.taker_bid else "no"
    return wire.TradeMsg(
        trade_id=source.trade_id,
        market_ticker=source.ticker,
        yes_price_dollars=format_price(source.yes_price),
        no_price_dollars=format_price(PRICE_UNIT - source.yes_price),
        count_fp=format_count(source.count),
        taker_side=side,
        taker_outcome_side=side,
        taker_book_side="bid" if source.taker_bid else "ask",
        ts_ms=source.ts_ms,
    )


def book(ticker: str, yes: Sequence[tuple[Price, Count]], no: Sequence[tuple[Price, Count]]) -> wire.SnapshotMsg:
    """Write a book, its levels in any order."""
    return wire.SnapshotMsg(market_ticker=ticker, yes_dollars_fp=_format_levels(yes), no_dollars_fp=_format_levels(no))


def _format_levels(levels: Sequence[tuple[Price, Count]]) -> wire.Levels:
    return [(format_price(price), format_count(count)) for price, count in sorted(levels)]
