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


def time_text(ms: int) -> str:
    """Write Unix milliseconds as RFC 3339; 0, which stands for no time, as the empty text."""
    if not ms:
        return ""
    seconds, rest = divmod(ms, 1_000)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest:03d}Z"


def market(known: Market, quote: Quote) -> wire.Market:
    """Write a market with its quote of now."""
    bid, ask = quote.yes_bid, quote.yes_ask
    settled = known.settlement_value
    return wire.Market(
        ticker=known.ticker,
        event_ticker=known.event_ticker,
        title=known.title,
        yes_sub_title=known.yes_sub_title,
        no_sub_title=known.no_sub_title,
        open_time=time_text(known.open_ms),
        close_time=time_text(known.close_ms),
        status=known.status.value,
        yes_bid_dollars=format_price(bid or 0),
        yes_bid_size_fp=format_count(quote.yes_bid_size),
        yes_ask_dollars=format_price(PRICE_UNIT if ask is None else ask),
        yes_ask_size_fp=format_count(quote.yes_ask_size),
        last_price_dollars=format_price(quote.last or 0),
        previous_price_dollars=format_price(quote.previous or 0),
        volume_fp=format_count(quote.volume),
        volume_24h_fp=format_count(quote.volume_24h),
        open_interest_fp=format_count(quote.open_interest),
        result=known.result,
        can_close_early=known.can_close_early,
        settlement_value_dollars=UNSET if settled is None else format_money(settled),
        rules_primary=known.rules_primary,
        rules_secondary=known.rules_secondary,
        price_level_structure=known.price_level_structure,
        price_ranges=[
            wire.PriceRange(start=format_price(each.start), end=format_price(each.end), step=format_price(each.step))
            for each in known.grid.ranges
        ],
        exchange_index=known.exchange_index,
    )


def event(known: Event) -> wire.Event:
    """Write an event, without its markets."""
    multiplier = known.fee_multiplier_override
    return wire.Event(
        event_ticker=known.event_ticker,
        series_ticker=known.series_ticker,
        title=known.title,
        sub_title=known.sub_title,
        category=known.category,
        mutually_exclusive=known.mutually_exclusive,
        settlement_sources=[wire.SettlementSource(name=name, url=url) for name, url in known.settlement_sources],
        fee_type_override=known.fee_type_override or UNSET,
        fee_multiplier_override=UNSET if multiplier is None else Decimal(multiplier) / MULTIPLIER_UNIT,
        exchange_index=known.exchange_index,
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


def trade(known: Trade) -> wire.TradeMsg:
    """Write a print of the tape."""
    side = "yes" if known.taker_bid else "no"
    return wire.TradeMsg(
        trade_id=known.trade_id,
        market_ticker=known.ticker,
        yes_price_dollars=format_price(known.yes_price),
        no_price_dollars=format_price(PRICE_UNIT - known.yes_price),
        count_fp=format_count(known.count),
        taker_side=side,
        taker_outcome_side=side,
        taker_book_side="bid" if known.taker_bid else "ask",
        ts_ms=known.ts_ms,
    )


def book(ticker: str, yes: Sequence[tuple[Price, Count]], no: Sequence[tuple[Price, Count]]) -> wire.SnapshotMsg:
    """Write a book, its levels in any order."""
    return wire.SnapshotMsg(market_ticker=ticker, yes_dollars_fp=_levels(yes), no_dollars_fp=_levels(no))


def _levels(levels: Sequence[tuple[Price, Count]]) -> wire.Levels:
    return [(format_price(price), format_count(count)) for price, count in sorted(levels)]
