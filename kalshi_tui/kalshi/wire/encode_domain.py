"""Write what is known as the exchange writes it: domain values in, wire structs and their fields out. Pure.

The practice exchange and recordings (docs/RECORDING.md) share these; `kalshi_tui.kalshi.translate` is the way back.
What the domain has no place for is left out.
"""

from collections.abc import Iterable
from decimal import Decimal
from typing import TypedDict

from msgspec import UNSET

from kalshi_tui.domain.book import Side
from kalshi_tui.domain.fees import MULTIPLIER_UNIT, FeeSchedule, FeeType
from kalshi_tui.domain.market import ComboLeg, Event, Market, Quote, Trade
from kalshi_tui.domain.order import BookSide
from kalshi_tui.domain.price import PRICE_UNIT, Count, Price, PriceGrid, format_count, format_money, format_price
from kalshi_tui.kalshi import wire
from kalshi_tui.kalshi.wire.times import time_text


class TopFields(TypedDict):
    """The best bid and ask of a market, as fields of `wire.Market` and of `wire.TickerMsg`."""

    yes_bid_dollars: str
    yes_bid_size_fp: str
    yes_ask_dollars: str
    yes_ask_size_fp: str


class TradeFields(TypedDict):
    """What `wire.Trade` and `wire.TradeMsg` say alike of a public trade."""

    trade_id: str
    yes_price_dollars: str
    no_price_dollars: str
    count_fp: str
    taker_side: str
    taker_outcome_side: str
    taker_book_side: str


def levels(side: Iterable[tuple[Price, Count]]) -> wire.LevelTexts:
    """Write one side of a book in the order given; the exchange's is ascending, best last."""
    return [(format_price(price), format_count(count)) for price, count in side]


def price_ranges(grid: PriceGrid) -> list[wire.PriceRange]:
    """Write the ranges of a price grid (docs/kalshi-api.md, section 3)."""
    return [
        wire.PriceRange(start=format_price(each.start), end=format_price(each.end), step=format_price(each.step))
        for each in grid.ranges
    ]


def top_fields(bid: Price | None, bid_size: Count, ask: Price | None, ask_size: Count) -> TopFields:
    """Write the best bid and ask; a side without a quote has price 0 or 1 dollar (docs/kalshi-api.md, section 5)."""
    return TopFields(
        yes_bid_dollars=format_price(bid or 0),
        yes_bid_size_fp=format_count(bid_size),
        yes_ask_dollars=format_price(PRICE_UNIT if ask is None else ask),
        yes_ask_size_fp=format_count(ask_size),
    )


def trade_fields(trade_id: str, yes_price: Price, count: Count, *, taker_bid: bool) -> TradeFields:
    """Write a public trade; ``taker_bid`` is whether its taker bought YES."""
    outcome = outcome_word(taker_bid=taker_bid)
    return TradeFields(
        trade_id=trade_id,
        yes_price_dollars=format_price(yes_price),
        no_price_dollars=format_price(PRICE_UNIT - yes_price),
        count_fp=format_count(count),
        taker_side=outcome,
        taker_outcome_side=outcome,
        taker_book_side=BookSide.BID.value if taker_bid else BookSide.ASK.value,
    )


def outcome_word(*, taker_bid: bool) -> str:
    """Return the outcome that a bid or an ask, in YES prices, buys: ``yes`` or ``no``."""
    return Side.YES.value if taker_bid else Side.NO.value


def market(source: Market, quote: Quote) -> wire.Market:
    """Write a market with its current quote."""
    settled = source.settlement_value
    return wire.Market(
        ticker=source.ticker,
        event_ticker=source.event_ticker,
        title=source.title,
        yes_sub_title=source.yes_sub_title,
        no_sub_title=source.no_sub_title,
        open_time=time_text(source.open_ms) if source.open_ms else "",
        close_time=time_text(source.close_ms) if source.close_ms else "",
        expected_expiration_time=(time_text(source.expected_expiration_ms) if source.expected_expiration_ms else UNSET),
        status=source.status.value,
        **top_fields(quote.yes_bid, quote.yes_bid_size, quote.yes_ask, quote.yes_ask_size),
        last_price_dollars=format_price(quote.last or 0),
        previous_price_dollars=format_price(quote.previous or 0),
        volume_fp=None if quote.volume is None else format_count(quote.volume),
        volume_24h_fp=None if quote.volume_24h is None else format_count(quote.volume_24h),
        open_interest_fp=None if quote.open_interest is None else format_count(quote.open_interest),
        result=source.result,
        can_close_early=source.can_close_early,
        settlement_value_dollars=UNSET if settled is None else format_money(settled),
        settlement_bounds_type=UNSET if source.settlement_floor is None else "floor",
        settlement_floor_dollars=UNSET if source.settlement_floor is None else format_price(source.settlement_floor),
        rules_primary=source.rules_primary,
        rules_secondary=source.rules_secondary,
        mve_collection_ticker=source.collection_ticker or UNSET,
        mve_selected_legs=[_combo_leg(leg) for leg in source.legs] or UNSET,
        is_provisional=source.is_provisional or UNSET,
        price_level_structure=source.price_level_structure,
        price_ranges=price_ranges(source.grid),
        exchange_index=source.exchange_index,
    )


def _combo_leg(leg: ComboLeg) -> wire.ComboLeg:
    value = leg.settlement_value
    return wire.ComboLeg(
        event_ticker=leg.event_ticker,
        market_ticker=leg.ticker,
        side=leg.side.value,
        yes_settlement_value_dollars=UNSET if value is None else format_money(value),
    )


def settlement_sources(sources: Iterable[tuple[str, str]]) -> list[wire.SettlementSource]:
    """Write the names and addresses of where results are read."""
    return [wire.SettlementSource(name=name, url=url) for name, url in sources]


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
        settlement_sources=settlement_sources(source.settlement_sources),
        fee_type_override=source.fee_type_override or UNSET,
        fee_multiplier_override=UNSET if multiplier is None else Decimal(multiplier) / MULTIPLIER_UNIT,
        exchange_index=source.exchange_index,
    )


def series(ticker: str, category: str, fees: FeeSchedule | None) -> wire.Series:
    """Write a series with its fees; fees that have not been read are of an unknown type."""
    if fees is None:
        fee_type, multiplier = FeeType.UNKNOWN.value, Decimal(1)
    else:
        known = fees.fee_type is not FeeType.UNKNOWN
        fee_type = fees.fee_type.value if known else fees.word or FeeType.UNKNOWN.value
        multiplier = Decimal(fees.multiplier) / MULTIPLIER_UNIT
    return wire.Series(ticker=ticker, category=category, fee_type=fee_type, fee_multiplier=multiplier)


def trade(source: Trade) -> wire.TradeMsg:
    """Write a public trade."""
    return wire.TradeMsg(
        market_ticker=source.ticker,
        **trade_fields(source.trade_id, source.yes_price, source.count, taker_bid=source.taker_bid),
        ts_ms=source.ts_ms,
    )


def book(ticker: str, yes: Iterable[tuple[Price, Count]], no: Iterable[tuple[Price, Count]]) -> wire.SnapshotMsg:
    """Write a book, its levels given in any order."""
    return wire.SnapshotMsg(market_ticker=ticker, yes_dollars_fp=levels(sorted(yes)), no_dollars_fp=levels(sorted(no)))
