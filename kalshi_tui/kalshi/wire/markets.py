"""REST replies about markets, events, series, books, public trades and candlesticks (docs/kalshi-api.md, section 8)."""

from decimal import Decimal
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from kalshi_tui.kalshi.wire.common import (
    LevelTexts,
    NullableNumber,
    NullableText,
    OptionalFlag,
    OptionalInt,
    OptionalText,
    PriceRange,
    WireLeaf,
    WireObject,
)


class SettlementSource(WireLeaf, frozen=True, kw_only=True):
    """The name and address of where a result is read."""

    name: NullableText = UNSET
    url: NullableText = UNSET


class ComboLeg(WireLeaf, frozen=True, kw_only=True):
    """One part of a combo (docs/kalshi-api.md, section 18)."""

    event_ticker: NullableText = UNSET
    market_ticker: NullableText = UNSET
    side: NullableText = UNSET
    yes_settlement_value_dollars: NullableText = UNSET


class Market(WireObject, frozen=True, kw_only=True):
    """A market as REST sends it (docs/kalshi-api.md, section 8). ``title`` and ``subtitle`` are deprecated."""

    ticker: str
    event_ticker: str
    market_type: str = "binary"
    title: OptionalText = UNSET
    subtitle: OptionalText = UNSET
    yes_sub_title: str = ""
    no_sub_title: str = ""
    created_time: str = ""
    updated_time: str = ""
    open_time: str = ""
    close_time: str
    expected_expiration_time: NullableText = UNSET
    expiration_time: NullableText = UNSET
    latest_expiration_time: str = ""
    settlement_timer_seconds: int = 0
    status: str
    yes_bid_dollars: NullableText = "0.0000"
    yes_bid_size_fp: NullableText = "0.00"
    yes_ask_dollars: NullableText = "1.0000"
    yes_ask_size_fp: NullableText = "0.00"
    no_bid_dollars: NullableText = "0.0000"
    no_ask_dollars: NullableText = "1.0000"
    last_price_dollars: NullableText = "0.0000"
    previous_yes_bid_dollars: NullableText = "0.0000"
    previous_yes_ask_dollars: NullableText = "0.0000"
    previous_price_dollars: NullableText = "0.0000"
    volume_fp: NullableText = UNSET
    volume_24h_fp: NullableText = UNSET
    open_interest_fp: NullableText = UNSET
    notional_value_dollars: NullableText = "1.0000"
    result: str = ""
    can_close_early: bool = False
    settlement_value_dollars: NullableText = UNSET
    settlement_ts: NullableText = UNSET
    expiration_value: str = ""
    occurrence_datetime: NullableText = UNSET
    fee_waiver_expiration_time: NullableText = UNSET
    early_close_condition: NullableText = UNSET
    strike_type: NullableText = UNSET
    floor_strike: NullableNumber = UNSET
    cap_strike: NullableNumber = UNSET
    functional_strike: NullableText = UNSET
    custom_strike: dict[str, Any] | UnsetType | None = UNSET
    rules_primary: str = ""
    rules_secondary: str = ""
    mve_collection_ticker: NullableText = UNSET
    mve_selected_legs: list[ComboLeg] | UnsetType | None = UNSET
    primary_participant_key: NullableText = UNSET
    price_level_structure: str = ""
    price_ranges: list[PriceRange] | None = msgspec.field(default_factory=list)
    is_provisional: OptionalFlag = UNSET
    exchange_index: OptionalInt = UNSET
    settlement_bounds_type: OptionalText = UNSET
    settlement_floor_dollars: NullableText = UNSET


class MarketReply(WireObject, frozen=True, kw_only=True):
    """``GET /markets/{ticker}``."""

    market: Market


class MarketsReply(WireObject, frozen=True, kw_only=True):
    """``GET /markets``: a page; an empty cursor ends the list."""

    markets: list[Market] | None
    cursor: str | None = ""


class Event(WireObject, frozen=True, kw_only=True):
    """An event as REST sends it; ``markets`` only with ``with_nested_markets``."""

    event_ticker: str
    series_ticker: str = ""
    title: str = ""
    sub_title: str = ""
    collateral_return_type: str = ""
    mutually_exclusive: bool = False
    category: OptionalText = UNSET
    strike_date: NullableText = UNSET
    strike_period: NullableText = UNSET
    markets: list[Market] | UnsetType | None = UNSET
    product_metadata: dict[str, Any] | UnsetType | None = UNSET
    settlement_sources: list[SettlementSource] | UnsetType | None = UNSET
    last_updated_ts: NullableText = UNSET
    fee_type_override: NullableText = UNSET
    fee_multiplier_override: NullableNumber = UNSET
    exchange_index: OptionalInt = UNSET


class EventReply(WireObject, frozen=True, kw_only=True):
    """``GET /events/{event_ticker}``; the markets stand beside the event, in it too if nested ones were asked for."""

    event: Event
    markets: list[Market] | UnsetType | None = UNSET


class EventsReply(WireObject, frozen=True, kw_only=True):
    """``GET /events``: a page; an empty cursor ends the list."""

    events: list[Event] | None
    milestones: list[Any] | UnsetType | None = UNSET
    cursor: str | None = ""


class Series(WireObject, frozen=True, kw_only=True):
    """A series: the common terms of its events, such as the fees (docs/kalshi-api.md, section 9)."""

    ticker: str
    frequency: str = ""
    title: str = ""
    category: str = ""
    categories: list[str] | UnsetType = UNSET
    tags: list[str] | None = None
    settlement_sources: list[SettlementSource] | None = None
    contract_url: str = ""
    contract_terms_url: str = ""
    product_metadata: dict[str, Any] | UnsetType | None = UNSET
    fee_type: str
    fee_multiplier: Decimal
    additional_prohibitions: list[str] | None = None
    volume_fp: NullableText = UNSET
    last_updated_ts: NullableText = UNSET
    exchange_index: OptionalInt = UNSET


class SeriesReply(WireObject, frozen=True, kw_only=True):
    """``GET /series/{series_ticker}``."""

    series: Series


class SeriesListReply(WireObject, frozen=True, kw_only=True):
    """``GET /series``: all of them, no pages."""

    series: list[Series] | None


class Orderbook(WireObject, frozen=True, kw_only=True):
    """A book: bids for YES and for NO, ascending, best last; a side may be null, empty or absent.

    docs/kalshi-api.md, section 4.
    """

    yes_dollars: LevelTexts | UnsetType | None = UNSET
    no_dollars: LevelTexts | UnsetType | None = UNSET


class OrderbookReply(WireObject, frozen=True, kw_only=True):
    """``GET /markets/{ticker}/orderbook``."""

    orderbook_fp: Orderbook


class MarketOrderbook(WireObject, frozen=True, kw_only=True):
    """One market's book among several."""

    ticker: str
    orderbook_fp: Orderbook


class OrderbooksReply(WireObject, frozen=True, kw_only=True):
    """``GET /markets/orderbooks``."""

    orderbooks: list[MarketOrderbook] | None


class Trade(WireLeaf, frozen=True, kw_only=True):
    """A public trade as REST sends it."""

    trade_id: str
    ticker: str
    count_fp: str
    yes_price_dollars: str
    no_price_dollars: OptionalText = UNSET
    taker_side: OptionalText = UNSET
    taker_outcome_side: OptionalText = UNSET
    taker_book_side: OptionalText = UNSET
    created_time: str
    is_block_trade: OptionalFlag = UNSET


class TradesReply(WireObject, frozen=True, kw_only=True):
    """``GET /markets/trades``: a page, newest first."""

    trades: list[Trade] | None
    cursor: str | None = ""


class SeriesFeeChange(WireLeaf, frozen=True, kw_only=True):
    """New fees of a series from ``scheduled_ts`` on, an RFC 3339 time."""

    id: str = ""
    series_ticker: str
    fee_type: str
    fee_multiplier: Decimal
    scheduled_ts: str


class SeriesFeeChangesReply(WireObject, frozen=True, kw_only=True):
    """``GET /series/fee_changes``."""

    series_fee_change_arr: list[SeriesFeeChange] | None


class EventFeeChange(WireLeaf, frozen=True, kw_only=True):
    """New fee overrides of an event from ``scheduled_ts`` on; null clears one."""

    id: str = ""
    event_ticker: str
    series_ticker: str = ""
    fee_type_override: str | None = None
    fee_multiplier_override: Decimal | None = None
    scheduled_ts: str


class EventFeeChangesReply(WireObject, frozen=True, kw_only=True):
    """``GET /events/fee_changes``: a page; an empty cursor ends the list."""

    event_fee_changes: list[EventFeeChange] | None
    cursor: str | None = ""


class QuoteBar(WireLeaf, frozen=True, kw_only=True):
    """Open, low, high and close of a bid or an ask, dollar strings."""

    open_dollars: str = ""
    low_dollars: str = ""
    high_dollars: str = ""
    close_dollars: str


class PriceBar(WireLeaf, frozen=True, kw_only=True):
    """Open, low, high and close of the trades; absent or null if there was none."""

    open_dollars: NullableText = UNSET
    low_dollars: NullableText = UNSET
    high_dollars: NullableText = UNSET
    close_dollars: NullableText = UNSET
    mean_dollars: NullableText = UNSET
    previous_dollars: NullableText = UNSET
    min_dollars: NullableText = UNSET
    max_dollars: NullableText = UNSET


class Candlestick(WireObject, frozen=True, kw_only=True):
    """One period of a market's history; ``end_period_ts`` in Unix seconds."""

    end_period_ts: int
    yes_bid: QuoteBar
    yes_ask: QuoteBar
    price: PriceBar
    volume_fp: str
    open_interest_fp: str


class CandlesticksReply(WireObject, frozen=True, kw_only=True):
    """``GET /series/{series_ticker}/markets/{ticker}/candlesticks``."""

    ticker: str
    candlesticks: list[Candlestick] | None


class MarketCandlesticks(WireObject, frozen=True, kw_only=True):
    """The candlesticks of one market of `BatchCandlesticksReply`."""

    market_ticker: str
    candlesticks: list[Candlestick] | None


class BatchCandlesticksReply(WireObject, frozen=True, kw_only=True):
    """``GET /markets/candlesticks``."""

    markets: list[MarketCandlesticks] | None
