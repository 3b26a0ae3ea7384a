"""The exchange's JSON, field by field: WebSocket frames and commands, REST bodies.

docs/kalshi-api.md, sections 4 to 10.

These structs mirror the exchange and say nothing of what it means; `translate` does that. Both sides use them: the
client to decode, the practice exchange to encode. Prices, counts and money stay the decimal strings that they are.

- A field that may be absent is ``UNSET`` when it is, and is then not written either; null is ``None``.
- A field that the exchange always sends has a default all the same where a reader can do without it, and is always
  written.
- Fields that are not listed here are passed over when read. Words (statuses, sides, types) are plain strings, so that
  a new one is not an error before `translate` has looked at it; the one exception is a delta's side.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from decimal import Decimal
from typing import Any, Final, TypeVar

import msgspec
from msgspec import UNSET, Struct, UnsetType

from kalshi_tui.domain.book import Side

OptionalText = str | UnsetType
NullableText = str | UnsetType | None
OptionalInt = int | UnsetType
NullableInt = int | UnsetType | None
OptionalFlag = bool | UnsetType
NullableNumber = Decimal | UnsetType | None

Level = tuple[str, str]
"""A price in dollars and a count of contracts."""
Levels = list[Level]

REST_PREFIX: Final = "/trade-api/v2"
WS_PATH: Final = "/trade-api/ws/v2"
HEARTBEAT: Final = b"heartbeat"
"""The body of the server's WebSocket pings, one every 10 s (docs/kalshi-api.md, section 5)."""


class ErrorCode:
    """The codes of WebSocket error frames (docs/kalshi-api.md, section 5)."""

    GENERAL: Final = 1
    PARAMS_REQUIRED: Final = 2
    CHANNELS_REQUIRED: Final = 3
    SIDS_REQUIRED: Final = 4
    UNKNOWN_COMMAND: Final = 5
    ALREADY_SUBSCRIBED: Final = 6
    UNKNOWN_SID: Final = 7
    UNKNOWN_CHANNEL: Final = 8
    AUTHENTICATION_REQUIRED: Final = 9
    CHANNEL_ERROR: Final = 10
    """Ends the subscription: subscribe anew."""
    INVALID_PARAMETER: Final = 11
    EXACTLY_ONE_SID: Final = 12
    UNSUPPORTED_ACTION: Final = 13
    MARKET_REQUIRED: Final = 14
    ACTION_REQUIRED: Final = 15
    MARKET_NOT_FOUND: Final = 16
    INTERNAL: Final = 17
    TIMEOUT: Final = 18
    BUFFER_OVERFLOW: Final = 25
    """Ends the subscription: subscribe anew."""
    MARKET_LIMIT: Final = 26
    COMMAND_RATE: Final = 27


class Channel:
    """The channels' names (docs/kalshi-api.md, section 5)."""

    BOOK: Final = "orderbook_delta"
    TICKER: Final = "ticker"
    TRADE: Final = "trade"
    FILL: Final = "fill"
    ORDERS: Final = "user_orders"
    POSITIONS: Final = "market_positions"
    LIFECYCLE: Final = "market_lifecycle_v2"
    ORDER_GROUPS: Final = "order_group_updates"


class _WireObject(Struct, frozen=True):
    """A JSON object."""


class _WireLeaf(Struct, frozen=True, gc=False):
    """A JSON object without lists or maps in it: it can be part of no cycle, so the collector need not look at it."""


# WebSocket, server to client. Every frame has `type`; the ones that belong to a subscription have `sid`.


class SubscribedMsg(_WireLeaf, frozen=True, kw_only=True):
    """Which subscription id a channel got."""

    channel: str
    sid: int


class SubscribedFrame(_WireObject, frozen=True, kw_only=True, tag="subscribed"):
    """The answer to `subscribe`, one for each channel; takes no number of the sequence."""

    id: OptionalInt = UNSET
    msg: SubscribedMsg


class UnsubscribedFrame(_WireLeaf, frozen=True, kw_only=True, tag="unsubscribed"):
    """The answer to `unsubscribe`, one for each sid; takes the sid's next number."""

    id: OptionalInt = UNSET
    sid: int
    seq: OptionalInt = UNSET


class OkMsg(_WireObject, frozen=True, kw_only=True):
    """The markets of a subscription after `update_subscription` (left out with ``skip_ticker_ack``)."""

    market_tickers: list[str] | UnsetType | None = UNSET
    market_ids: list[str] | UnsetType | None = UNSET


class OkFrame(_WireObject, frozen=True, kw_only=True, tag="ok"):
    """The answer to `update_subscription` (takes the sid's next number) and to `list_subscriptions` (takes none)."""

    id: OptionalInt = UNSET
    sid: OptionalInt = UNSET
    seq: OptionalInt = UNSET
    msg: OkMsg | list[SubscribedMsg] | UnsetType | None = UNSET


class ErrorMsg(_WireLeaf, frozen=True, kw_only=True):
    """What went wrong; ``code`` is one of `Code`."""

    code: int
    msg: str = ""
    market_ticker: OptionalText = UNSET
    market_id: OptionalText = UNSET


class ErrorFrame(_WireObject, frozen=True, kw_only=True, tag="error"):
    """A refused command, or (with ``sid``, and then with the sid's next number) a fault of a subscription."""

    id: OptionalInt = UNSET
    sid: OptionalInt = UNSET
    seq: OptionalInt = UNSET
    msg: ErrorMsg


class SnapshotMsg(_WireObject, frozen=True, kw_only=True):
    """A whole book. The key of an empty side is absent; null has to be read as empty too. Never carries a time."""

    market_ticker: str
    market_id: str = ""
    yes_dollars_fp: Levels | UnsetType | None = UNSET
    no_dollars_fp: Levels | UnsetType | None = UNSET


class SnapshotFrame(_WireObject, frozen=True, kw_only=True, tag="orderbook_snapshot"):
    """A whole book; ``id`` is the command's where `get_snapshot` asked for it."""

    id: OptionalInt = UNSET
    sid: int
    seq: int
    msg: SnapshotMsg


class DeltaMsg(_WireLeaf, frozen=True, kw_only=True):
    """What a book needs to know of a signed change of one level: a tenth less to decode than the whole."""

    market_ticker: str
    price_dollars: str
    delta_fp: str
    side: Side
    ts_ms: int = 0
    """Absent from older deltas."""


class FullDeltaMsg(DeltaMsg, frozen=True, kw_only=True, gc=False):
    """The change as the exchange sends it; order and subaccount where the account's own order did it."""

    market_id: str = ""
    client_order_id: OptionalText = UNSET
    subaccount: OptionalInt = UNSET
    ts: OptionalText = UNSET


class DeltaFrame(_WireLeaf, frozen=True, kw_only=True, tag="orderbook_delta"):
    """One change of one book."""

    sid: int
    seq: int
    msg: DeltaMsg


class TickerMsg(_WireLeaf, frozen=True, kw_only=True):
    """What a quote needs to know of a market's top and totals.

    A side of size 0 is no quote, whatever its price; ``price_dollars`` may be empty.
    """

    market_ticker: str
    price_dollars: str = ""
    yes_bid_dollars: str = ""
    yes_ask_dollars: str = ""
    yes_bid_size_fp: OptionalText = UNSET
    yes_ask_size_fp: OptionalText = UNSET
    last_trade_size_fp: OptionalText = UNSET
    volume_fp: OptionalText = UNSET
    open_interest_fp: OptionalText = UNSET
    dollar_volume: OptionalInt = UNSET
    """Of a recording that is played; the desk has no use for it."""
    ts_ms: int = 0


class FullTickerMsg(TickerMsg, frozen=True, kw_only=True, gc=False):
    """The same as the exchange sends it."""

    market_id: str = ""
    dollar_open_interest: OptionalInt = UNSET
    ts: int | str | UnsetType = UNSET
    time: OptionalText = UNSET


class TickerFrame(_WireLeaf, frozen=True, kw_only=True, tag="ticker"):
    """A market's new top; carries no sequence number."""

    id: OptionalInt = UNSET
    sid: int
    msg: TickerMsg


class TradeMsg(_WireLeaf, frozen=True, kw_only=True):
    """A print of the public tape."""

    trade_id: str
    market_ticker: str
    yes_price_dollars: str
    no_price_dollars: OptionalText = UNSET
    count_fp: str
    taker_side: OptionalText = UNSET
    taker_outcome_side: OptionalText = UNSET
    taker_book_side: OptionalText = UNSET
    is_block_trade: OptionalFlag = UNSET
    ts: int | str | UnsetType = UNSET
    ts_ms: int = 0


class TradeFrame(_WireLeaf, frozen=True, kw_only=True, tag="trade"):
    """A public trade; carries a sequence number (older deployments: none)."""

    sid: int
    seq: OptionalInt = UNSET
    msg: TradeMsg


class FillMsg(_WireLeaf, frozen=True, kw_only=True):
    """An execution of the account's own."""

    trade_id: str
    order_id: str
    client_order_id: NullableText = UNSET
    market_ticker: str
    exchange_index: OptionalInt = UNSET
    is_taker: bool
    side: OptionalText = UNSET
    action: OptionalText = UNSET
    purchased_side: OptionalText = UNSET
    outcome_side: OptionalText = UNSET
    book_side: str
    yes_price_dollars: str
    count_fp: str
    fee_cost: str = "0.000000"
    post_position_fp: OptionalText = UNSET
    subaccount: NullableInt = UNSET
    ts: int | str | UnsetType = UNSET
    ts_ms: int = 0


class FillFrame(_WireLeaf, frozen=True, kw_only=True, tag="fill"):
    """An execution of the account's own; carries no sequence number."""

    sid: int
    msg: FillMsg


class UserOrderMsg(_WireLeaf, frozen=True, kw_only=True):
    """The state of an order of the account's own. Older deployments send the times as RFC 3339 only."""

    order_id: str
    user_id: str = ""
    client_order_id: NullableText = UNSET
    ticker: str
    status: str
    side: OptionalText = UNSET
    is_yes: OptionalFlag = UNSET
    outcome_side: OptionalText = UNSET
    book_side: str
    yes_price_dollars: str
    fill_count_fp: str
    remaining_count_fp: str
    initial_count_fp: str
    taker_fill_cost_dollars: str = "0.000000"
    maker_fill_cost_dollars: str = "0.000000"
    taker_fees_dollars: str = "0.000000"
    maker_fees_dollars: str = "0.000000"
    order_group_id: NullableText = UNSET
    self_trade_prevention_type: NullableText = UNSET
    created_time: NullableText = UNSET
    created_ts_ms: NullableInt = UNSET
    last_update_time: NullableText = UNSET
    last_updated_ts_ms: NullableInt = UNSET
    expiration_time: NullableText = UNSET
    expiration_ts_ms: NullableInt = UNSET
    subaccount_number: NullableInt = UNSET
    exchange_index: OptionalInt = UNSET


class UserOrderFrame(_WireLeaf, frozen=True, kw_only=True, tag="user_order"):
    """News of an order of the account's own; carries no sequence number. The channel is ``user_orders``."""

    sid: int
    msg: UserOrderMsg


class MarketPositionMsg(_WireLeaf, frozen=True, kw_only=True):
    """The account's position in one market: + YES, - NO."""

    user_id: str = ""
    market_ticker: str
    position_fp: str
    position_cost_dollars: str = "0.000000"
    realized_pnl_dollars: str = "0.000000"
    fees_paid_dollars: str = "0.000000"
    position_fee_cost_dollars: str = "0.000000"
    volume_fp: str = "0.00"
    subaccount: NullableInt = UNSET


class MarketPositionFrame(_WireLeaf, frozen=True, kw_only=True, tag="market_position"):
    """A position that changed; carries no sequence number. The channel is ``market_positions``."""

    sid: int
    msg: MarketPositionMsg


class PriceRange(_WireLeaf, frozen=True, kw_only=True):
    """A stretch of a market's price grid, dollar strings."""

    start: str
    end: str
    step: str


class LifecycleMsg(_WireObject, frozen=True, kw_only=True):
    """A change in a market's life. Which of the optional fields come depends on ``event_type``."""

    event_type: str
    market_ticker: str
    exchange_index: OptionalInt = UNSET
    open_ts: NullableInt = UNSET
    close_ts: NullableInt = UNSET
    result: NullableText = UNSET
    determination_ts: NullableInt = UNSET
    settlement_value: NullableText = UNSET
    settled_ts: NullableInt = UNSET
    is_deactivated: OptionalFlag = UNSET
    price_level_structure: OptionalText = UNSET
    price_ranges: list[PriceRange] | UnsetType | None = UNSET
    strike_type: OptionalText = UNSET
    floor_strike: NullableNumber = UNSET
    cap_strike: NullableNumber = UNSET
    yes_sub_title: OptionalText = UNSET
    additional_metadata: dict[str, Any] | UnsetType | None = UNSET


class LifecycleFrame(_WireObject, frozen=True, kw_only=True, tag="market_lifecycle_v2"):
    """A change in a market's life; carries a sequence number (older deployments: none)."""

    sid: int
    seq: OptionalInt = UNSET
    msg: LifecycleMsg


class EventLifecycleMsg(_WireLeaf, frozen=True, kw_only=True):
    """A new event, told on the lifecycle channel."""

    event_ticker: str
    exchange_index: OptionalInt = UNSET
    title: str = ""
    subtitle: str = ""
    collateral_return_type: str = ""
    series_ticker: str = ""
    strike_date: NullableInt = UNSET
    strike_period: NullableText = UNSET


class EventLifecycleFrame(_WireLeaf, frozen=True, kw_only=True, tag="event_lifecycle"):
    """A new event, told on the lifecycle channel."""

    sid: int
    seq: OptionalInt = UNSET
    msg: EventLifecycleMsg


class EventFeeMsg(_WireLeaf, frozen=True, kw_only=True):
    """An event's fee override that changed; null takes it away."""

    event_ticker: str
    fee_type_override: str | None = None
    fee_multiplier_override: Decimal | None = None


class EventFeeFrame(_WireLeaf, frozen=True, kw_only=True, tag="event_fee_update"):
    """An event's fees changed, told on the lifecycle channel."""

    sid: int
    seq: OptionalInt = UNSET
    msg: EventFeeMsg


class OrderGroupMsg(_WireLeaf, frozen=True, kw_only=True):
    """What happened to an order group."""

    event_type: str
    order_group_id: str
    contracts_limit_fp: OptionalText = UNSET
    ts_ms: int = 0


class OrderGroupFrame(_WireLeaf, frozen=True, kw_only=True, tag="order_group_updates"):
    """News of an order group; carries a sequence number."""

    sid: int
    seq: OptionalInt = UNSET
    msg: OrderGroupMsg


Frame = (
    DeltaFrame
    | TickerFrame
    | TradeFrame
    | SnapshotFrame
    | SubscribedFrame
    | UnsubscribedFrame
    | OkFrame
    | ErrorFrame
    | FillFrame
    | UserOrderFrame
    | MarketPositionFrame
    | LifecycleFrame
    | EventLifecycleFrame
    | EventFeeFrame
    | OrderGroupFrame
)
"""Any frame of the stream, told apart by ``type``."""


class Envelope(_WireLeaf, frozen=True, kw_only=True):
    """What can be read of any frame, of a type that is not known too: a number is counted whatever carries it."""

    type: str
    id: OptionalInt = UNSET
    sid: OptionalInt = UNSET
    seq: OptionalInt = UNSET


# WebSocket, client to server.


class CommandParams(_WireObject, frozen=True, kw_only=True):
    """The parameters of every command; which of them a command takes is in docs/kalshi-api.md, section 5."""

    channels: list[str] | UnsetType = UNSET
    market_ticker: OptionalText = UNSET
    market_tickers: list[str] | UnsetType = UNSET
    market_id: OptionalText = UNSET
    market_ids: list[str] | UnsetType = UNSET
    sid: OptionalInt = UNSET
    sids: list[int] | UnsetType = UNSET
    action: OptionalText = UNSET
    send_initial_snapshot: OptionalFlag = UNSET
    skip_ticker_ack: OptionalFlag = UNSET
    use_yes_price: OptionalFlag = UNSET
    shard_factor: OptionalInt = UNSET
    shard_key: OptionalInt = UNSET


class Command(_WireObject, frozen=True, kw_only=True):
    """A command: ``subscribe``, ``unsubscribe``, ``update_subscription`` or ``list_subscriptions``.

    ``id`` is 1 or more and unique in the session; 0 or absent means no id.
    """

    id: int = 0
    cmd: str = ""
    params: CommandParams | UnsetType = UNSET


# REST.


class ErrorDetail(_WireLeaf, frozen=True, kw_only=True):
    """Why a request was refused. Programs switch on ``code``; the rest is for people.

    docs/kalshi-api.md, section 10.
    """

    code: str = ""
    message: str = ""
    details: NullableText = UNSET
    service: OptionalText = UNSET


class ErrorBody(_WireObject, frozen=True, kw_only=True):
    """The body of a refusal, in all the shapes that were seen (docs/kalshi-api.md, section 10)."""

    error: ErrorDetail | str | UnsetType | None = UNSET
    code: OptionalText = UNSET
    message: OptionalText = UNSET
    details: NullableText = UNSET


class SettlementSource(_WireLeaf, frozen=True, kw_only=True):
    """Where a result is read off."""

    name: NullableText = UNSET
    url: NullableText = UNSET


class Market(_WireObject, frozen=True, kw_only=True):
    """A market as REST gives it (docs/kalshi-api.md, section 8). ``title`` and ``subtitle`` are deprecated."""

    ticker: str
    event_ticker: str
    market_type: str = "binary"
    title: OptionalText = UNSET
    subtitle: OptionalText = UNSET
    yes_sub_title: str = ""
    no_sub_title: str = ""
    created_time: str = ""
    updated_time: str = ""
    open_time: str
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
    volume_fp: NullableText = "0.00"
    volume_24h_fp: NullableText = "0.00"
    open_interest_fp: NullableText = "0.00"
    notional_value_dollars: NullableText = "1.0000"
    liquidity_dollars: NullableText = UNSET
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
    primary_participant_key: NullableText = UNSET
    price_level_structure: str = ""
    price_ranges: list[PriceRange] | None = msgspec.field(default_factory=list)
    is_provisional: OptionalFlag = UNSET
    exchange_index: OptionalInt = UNSET
    settlement_bounds_type: OptionalText = UNSET


class MarketReply(_WireObject, frozen=True, kw_only=True):
    """``GET /markets/{ticker}``."""

    market: Market


class MarketsReply(_WireObject, frozen=True, kw_only=True):
    """``GET /markets``: a page; an empty cursor ends the list."""

    markets: list[Market] | None
    cursor: str | None = ""


class Event(_WireObject, frozen=True, kw_only=True):
    """An event as REST gives it; ``markets`` only with ``with_nested_markets``."""

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
    available_on_brokers: OptionalFlag = UNSET
    product_metadata: dict[str, Any] | UnsetType | None = UNSET
    settlement_sources: list[SettlementSource] | UnsetType | None = UNSET
    last_updated_ts: NullableText = UNSET
    fee_type_override: NullableText = UNSET
    fee_multiplier_override: NullableNumber = UNSET
    exchange_index: OptionalInt = UNSET


class EventReply(_WireObject, frozen=True, kw_only=True):
    """``GET /events/{event_ticker}``; the markets stand beside the event unless nested ones were asked for."""

    event: Event
    markets: list[Market] | UnsetType | None = UNSET


class EventsReply(_WireObject, frozen=True, kw_only=True):
    """``GET /events``: a page; an empty cursor ends the list."""

    events: list[Event] | None
    milestones: list[Any] | UnsetType | None = UNSET
    cursor: str | None = ""


class Series(_WireObject, frozen=True, kw_only=True):
    """A series: what its events have in common, the fees among it (docs/kalshi-api.md, section 9)."""

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


class SeriesReply(_WireObject, frozen=True, kw_only=True):
    """``GET /series/{series_ticker}``."""

    series: Series


class SeriesListReply(_WireObject, frozen=True, kw_only=True):
    """``GET /series``: all of them, no pages."""

    series: list[Series] | None


class Orderbook(_WireObject, frozen=True, kw_only=True):
    """A book: bids for YES and for NO, ascending, best last; a side may be null, empty or absent.

    docs/kalshi-api.md, section 4.
    """

    yes_dollars: Levels | UnsetType | None = UNSET
    no_dollars: Levels | UnsetType | None = UNSET


class OrderbookReply(_WireObject, frozen=True, kw_only=True):
    """``GET /markets/{ticker}/orderbook``."""

    orderbook_fp: Orderbook


class MarketOrderbook(_WireObject, frozen=True, kw_only=True):
    """One market's book among several."""

    ticker: str
    orderbook_fp: Orderbook


class OrderbooksReply(_WireObject, frozen=True, kw_only=True):
    """``GET /markets/orderbooks``."""

    orderbooks: list[MarketOrderbook] | None


class Trade(_WireLeaf, frozen=True, kw_only=True):
    """A print of the public tape as REST gives it."""

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


class TradesReply(_WireObject, frozen=True, kw_only=True):
    """``GET /markets/trades``: a page, newest first."""

    trades: list[Trade] | None
    cursor: str | None = ""


class QuoteBar(_WireLeaf, frozen=True, kw_only=True):
    """Open, low, high and close of a bid or an ask, dollar strings."""

    open_dollars: str
    low_dollars: str
    high_dollars: str
    close_dollars: str


class PriceBar(_WireLeaf, frozen=True, kw_only=True):
    """Open, low, high and close of what was traded; absent or null where nothing was."""

    open_dollars: NullableText = UNSET
    low_dollars: NullableText = UNSET
    high_dollars: NullableText = UNSET
    close_dollars: NullableText = UNSET
    mean_dollars: NullableText = UNSET
    previous_dollars: NullableText = UNSET
    min_dollars: NullableText = UNSET
    max_dollars: NullableText = UNSET


class Candlestick(_WireObject, frozen=True, kw_only=True):
    """One period of a market's history; ``end_period_ts`` in Unix seconds."""

    end_period_ts: int
    yes_bid: QuoteBar
    yes_ask: QuoteBar
    price: PriceBar
    volume_fp: str
    open_interest_fp: str


class CandlesticksReply(_WireObject, frozen=True, kw_only=True):
    """``GET /series/{series_ticker}/markets/{ticker}/candlesticks``."""

    ticker: str
    candlesticks: list[Candlestick] | None


class MarketCandlesticks(_WireObject, frozen=True, kw_only=True):
    """One market's part of `BatchCandlesticksReply`."""

    market_ticker: str
    candlesticks: list[Candlestick] | None


class BatchCandlesticksReply(_WireObject, frozen=True, kw_only=True):
    """``GET /markets/candlesticks``."""

    markets: list[MarketCandlesticks] | None


class ApiKey(_WireObject, frozen=True, kw_only=True):
    """One key of the account: its id, its name and what it may do. The key itself is nowhere told."""

    api_key_id: str
    name: str = ""
    scopes: list[str] | None = None


class ApiKeysReply(_WireObject, frozen=True, kw_only=True):
    """``GET /api_keys``."""

    api_keys: list[ApiKey] | None


class CreateApiKeyRequest(_WireLeaf, frozen=True, kw_only=True):
    """``POST /api_keys``: a public key of one's own, as PEM. Defaulted so that a server can say what is missing."""

    name: OptionalText = UNSET
    public_key: OptionalText = UNSET
    scopes: list[str] | UnsetType | None = UNSET
    subaccount: NullableInt = UNSET


class CreateApiKeyReply(_WireLeaf, frozen=True, kw_only=True):
    """The id that the exchange gave to a public key."""

    api_key_id: str


class ExchangeIndexStatus(_WireLeaf, frozen=True, kw_only=True):
    """The state of one shard."""

    exchange_index: int
    description: str = ""
    exchange_active: bool
    trading_active: bool
    intra_exchange_transfers_active: bool = False


class ExchangeStatusReply(_WireObject, frozen=True, kw_only=True):
    """``GET /exchange/status``."""

    exchange_active: bool
    trading_active: bool
    intra_exchange_transfers_active: OptionalFlag = UNSET
    exchange_estimated_resume_time: NullableText = UNSET
    exchange_index_statuses: list[ExchangeIndexStatus] | UnsetType | None = UNSET


class DailySchedule(_WireLeaf, frozen=True, kw_only=True):
    """Trading hours of one day, Eastern time, ``HH:MM``."""

    open_time: str
    close_time: str


class WeeklySchedule(_WireObject, frozen=True, kw_only=True):
    """The hours of a week, and from when to when they hold."""

    start_time: str
    end_time: str
    monday: list[DailySchedule]
    tuesday: list[DailySchedule]
    wednesday: list[DailySchedule]
    thursday: list[DailySchedule]
    friday: list[DailySchedule]
    saturday: list[DailySchedule]
    sunday: list[DailySchedule]


class MaintenanceWindow(_WireLeaf, frozen=True, kw_only=True):
    """A planned pause."""

    start_datetime: str
    end_datetime: str


class Schedule(_WireObject, frozen=True, kw_only=True):
    """When the exchange is open."""

    standard_hours: list[WeeklySchedule]
    maintenance_windows: list[MaintenanceWindow]


class ScheduleReply(_WireObject, frozen=True, kw_only=True):
    """``GET /exchange/schedule``."""

    schedule: Schedule


class UserDataTimestampReply(_WireLeaf, frozen=True, kw_only=True):
    """``GET /exchange/user_data_timestamp``: up to when the portfolio reads are true."""

    as_of_time: str


class CreateOrderRequest(_WireLeaf, frozen=True, kw_only=True):
    """``POST /portfolio/events/orders`` (docs/kalshi-api.md, section 6). ``price`` is always the YES price.

    ``expiration_time`` in Unix seconds. ``time_in_force``, ``side`` and the rest are defaulted so that a server can say
    what is missing; the exchange requires ticker, side, count, price, time_in_force and self_trade_prevention_type.
    """

    ticker: OptionalText = UNSET
    client_order_id: OptionalText = UNSET
    side: OptionalText = UNSET
    count: OptionalText = UNSET
    price: OptionalText = UNSET
    time_in_force: OptionalText = UNSET
    self_trade_prevention_type: OptionalText = UNSET
    post_only: OptionalFlag = UNSET
    reduce_only: OptionalFlag = UNSET
    expiration_time: NullableInt = UNSET
    cancel_order_on_pause: OptionalFlag = UNSET
    order_group_id: OptionalText = UNSET
    subaccount: OptionalInt = UNSET
    exchange_index: OptionalInt = UNSET


class CreateOrderReply(_WireLeaf, frozen=True, kw_only=True):
    """What an order did at once. 201 does not mean that it rests: the counts say it.

    ``order_id`` may be missing from a broken reply; the outcome is then not known.
    """

    order_id: OptionalText = UNSET
    client_order_id: NullableText = UNSET
    fill_count: OptionalText = UNSET
    remaining_count: OptionalText = UNSET
    average_fill_price: NullableText = UNSET
    average_fee_paid: NullableText = UNSET
    ts_ms: NullableInt = UNSET


class BatchCreateItem(_WireObject, frozen=True, kw_only=True):
    """One order's outcome in a batch: the reply's fields, or ``error``."""

    order_id: NullableText = UNSET
    client_order_id: NullableText = UNSET
    fill_count: NullableText = None
    remaining_count: NullableText = None
    average_fill_price: NullableText = None
    average_fee_paid: NullableText = None
    ts_ms: NullableInt = None
    error: ErrorDetail | UnsetType | None = UNSET


class BatchCreateRequest(_WireObject, frozen=True, kw_only=True):
    """``POST /portfolio/events/orders/batched``."""

    orders: list[CreateOrderRequest]


class BatchCreateReply(_WireObject, frozen=True, kw_only=True):
    """The outcomes, in the order of the request."""

    orders: list[BatchCreateItem] | None


class CancelOrderReply(_WireLeaf, frozen=True, kw_only=True):
    """``DELETE /portfolio/events/orders/{order_id}``: how much was taken off the book."""

    order_id: OptionalText = UNSET
    client_order_id: NullableText = UNSET
    reduced_by: OptionalText = UNSET
    ts_ms: NullableInt = UNSET


class BatchCancelItemRequest(_WireLeaf, frozen=True, kw_only=True):
    """One order to cancel."""

    order_id: str
    subaccount: OptionalInt = UNSET
    exchange_index: OptionalInt = UNSET
    market_ticker: OptionalText = UNSET


class BatchCancelRequest(_WireObject, frozen=True, kw_only=True):
    """``DELETE /portfolio/events/orders/batched``."""

    orders: list[BatchCancelItemRequest]


class BatchCancelItem(_WireObject, frozen=True, kw_only=True):
    """One cancel's outcome in a batch."""

    order_id: str
    client_order_id: NullableText = UNSET
    reduced_by: NullableText = "0.00"
    ts_ms: NullableInt = UNSET
    error: ErrorDetail | UnsetType | None = UNSET


class BatchCancelReply(_WireObject, frozen=True, kw_only=True):
    """The outcomes, in the order of the request."""

    orders: list[BatchCancelItem] | None


class AmendOrderRequest(_WireLeaf, frozen=True, kw_only=True):
    """``POST /portfolio/events/orders/{order_id}/amend``; ``count`` = already filled + wanted remaining."""

    ticker: str
    side: str
    price: str
    count: str
    client_order_id: OptionalText = UNSET
    updated_client_order_id: OptionalText = UNSET
    exchange_index: OptionalInt = UNSET


class AmendOrderReply(_WireLeaf, frozen=True, kw_only=True):
    """What the amended order is now and did at once."""

    order_id: OptionalText = UNSET
    client_order_id: NullableText = UNSET
    remaining_count: NullableText = UNSET
    fill_count: NullableText = UNSET
    average_fill_price: NullableText = UNSET
    average_fee_paid: NullableText = UNSET
    ts_ms: NullableInt = UNSET


class DecreaseOrderRequest(_WireLeaf, frozen=True, kw_only=True):
    """``POST /portfolio/events/orders/{order_id}/decrease``: exactly one of ``reduce_by`` and ``reduce_to``."""

    reduce_by: OptionalText = UNSET
    reduce_to: OptionalText = UNSET
    exchange_index: OptionalInt = UNSET
    market_ticker: OptionalText = UNSET


class DecreaseOrderReply(_WireLeaf, frozen=True, kw_only=True):
    """What is left of a decreased order."""

    order_id: OptionalText = UNSET
    client_order_id: NullableText = UNSET
    remaining_count: NullableText = UNSET
    ts_ms: NullableInt = UNSET


class Order(_WireLeaf, frozen=True, kw_only=True):
    """An order as REST gives it; the price is in YES terms, ``side`` and ``action`` are deprecated.

    docs/kalshi-api.md, section 6.
    """

    order_id: str
    user_id: str = ""
    client_order_id: str | None = ""
    ticker: str
    side: OptionalText = UNSET
    action: OptionalText = UNSET
    outcome_side: OptionalText = UNSET
    book_side: str
    type: str = "limit"
    status: str
    yes_price_dollars: str
    no_price_dollars: OptionalText = UNSET
    fill_count_fp: str
    remaining_count_fp: str
    initial_count_fp: str
    taker_fill_cost_dollars: str = "0.000000"
    maker_fill_cost_dollars: str = "0.000000"
    taker_fees_dollars: str = "0.000000"
    maker_fees_dollars: str = "0.000000"
    expiration_time: NullableText = UNSET
    created_time: NullableText = UNSET
    last_update_time: NullableText = UNSET
    self_trade_prevention_type: NullableText = UNSET
    order_group_id: NullableText = UNSET
    cancel_order_on_pause: OptionalFlag = UNSET
    subaccount_number: NullableInt = UNSET
    exchange_index: OptionalInt = UNSET


class OrderReply(_WireObject, frozen=True, kw_only=True):
    """``GET /portfolio/orders/{order_id}``."""

    order: Order


class OrdersReply(_WireObject, frozen=True, kw_only=True):
    """``GET /portfolio/orders``: a page."""

    orders: list[Order] | None
    cursor: str | None = ""


class QueuePosition(_WireLeaf, frozen=True, kw_only=True):
    """How many contracts stand before an order at its price."""

    order_id: str
    market_ticker: str
    queue_position_fp: str


class QueuePositionsReply(_WireObject, frozen=True, kw_only=True):
    """``GET /portfolio/orders/queue_positions``."""

    queue_positions: list[QueuePosition] | None


class QueuePositionReply(_WireLeaf, frozen=True, kw_only=True):
    """``GET /portfolio/orders/{order_id}/queue_position``."""

    queue_position_fp: str


class IndexedBalance(_WireLeaf, frozen=True, kw_only=True):
    """Cash on one shard, dollars."""

    exchange_index: int
    balance: str


class BalanceReply(_WireObject, frozen=True, kw_only=True):
    """``GET /portfolio/balance``: ``balance`` and ``portfolio_value`` in cents, ``updated_ts`` in Unix seconds."""

    balance: int
    balance_dollars: OptionalText = UNSET
    portfolio_value: int = 0
    updated_ts: int = 0
    balance_breakdown: list[IndexedBalance] | UnsetType | None = UNSET


class MarketPosition(_WireLeaf, frozen=True, kw_only=True):
    """A holding in one market: + YES, - NO."""

    ticker: str
    exchange_index: OptionalInt = UNSET
    total_traded_dollars: str = "0.000000"
    position_fp: str
    market_exposure_dollars: str = "0.000000"
    realized_pnl_dollars: str = "0.000000"
    fees_paid_dollars: str = "0.000000"
    resting_orders_count: OptionalInt = UNSET
    last_updated_ts: NullableText = ""


class EventPosition(_WireLeaf, frozen=True, kw_only=True):
    """A holding in all markets of one event."""

    event_ticker: str
    total_cost_dollars: str = "0.000000"
    total_cost_shares_fp: str = "0.00"
    event_exposure_dollars: str = "0.000000"
    realized_pnl_dollars: str = "0.000000"
    fees_paid_dollars: str = "0.000000"


class PositionsReply(_WireObject, frozen=True, kw_only=True):
    """``GET /portfolio/positions``: a page."""

    cursor: NullableText = ""
    market_positions: list[MarketPosition] | None
    event_positions: list[EventPosition] | UnsetType | None = UNSET


class Fill(_WireLeaf, frozen=True, kw_only=True):
    """An execution of the account's as REST gives it; it carries no client order id. ``ts`` in Unix seconds."""

    fill_id: str = ""
    exchange_index: OptionalInt = UNSET
    trade_id: str
    order_id: str
    ticker: str
    market_ticker: str = ""
    side: OptionalText = UNSET
    action: OptionalText = UNSET
    outcome_side: OptionalText = UNSET
    book_side: str
    count_fp: str
    yes_price_dollars: str
    no_price_dollars: OptionalText = UNSET
    is_taker: bool
    created_time: NullableText = UNSET
    fee_cost: str = "0.000000"
    subaccount_number: NullableInt = UNSET
    ts: OptionalInt = UNSET


class FillsReply(_WireObject, frozen=True, kw_only=True):
    """``GET /portfolio/fills``: a page, newest first."""

    fills: list[Fill] | None
    cursor: str | None = ""


class Settlement(_WireLeaf, frozen=True, kw_only=True):
    """What a market paid out. ``revenue`` and ``value`` in whole cents, ``value`` of one YES."""

    ticker: str
    exchange_index: OptionalInt = UNSET
    event_ticker: str = ""
    market_result: str
    yes_count_fp: str = "0.00"
    yes_total_cost_dollars: str = "0.000000"
    no_count_fp: str = "0.00"
    no_total_cost_dollars: str = "0.000000"
    revenue: int
    settled_time: str
    fee_cost: str = "0.000000"
    value: NullableInt = UNSET


class SettlementsReply(_WireObject, frozen=True, kw_only=True):
    """``GET /portfolio/settlements``: a page."""

    settlements: list[Settlement] | None
    cursor: NullableText = UNSET


class BucketLimit(_WireLeaf, frozen=True, kw_only=True):
    """A token bucket: tokens a second, and how many it holds."""

    refill_rate: int
    bucket_capacity: int


class UsageGrant(_WireLeaf, frozen=True, kw_only=True):
    """Where a usage tier comes from."""

    exchange_instance: str
    level: str
    expires_ts: NullableInt = UNSET
    source: str


class AccountLimitsReply(_WireObject, frozen=True, kw_only=True):
    """``GET /account/limits``."""

    usage_tier: str
    read: BucketLimit
    write: BucketLimit
    grants: list[UsageGrant] | None = msgspec.field(default_factory=list)


class EndpointCost(_WireLeaf, frozen=True, kw_only=True):
    """What a call costs in tokens, where it is not the default."""

    method: str
    path: str
    cost: int


class EndpointCostsReply(_WireObject, frozen=True, kw_only=True):
    """``GET /account/endpoint_costs``."""

    default_cost: int
    endpoint_costs: list[EndpointCost] | None


class CreateOrderGroupRequest(_WireLeaf, frozen=True, kw_only=True):
    """``POST /portfolio/order_groups/create``: the limit in whole contracts or as a count."""

    subaccount: OptionalInt = UNSET
    contracts_limit: OptionalInt = UNSET
    contracts_limit_fp: OptionalText = UNSET
    exchange_index: OptionalInt = UNSET


class CreateOrderGroupReply(_WireLeaf, frozen=True, kw_only=True):
    """The new group."""

    order_group_id: str
    subaccount: int = 0
    exchange_index: OptionalInt = UNSET


class OrderGroup(_WireLeaf, frozen=True, kw_only=True):
    """A group in the list."""

    id: str
    contracts_limit_fp: OptionalText = UNSET
    is_auto_cancel_enabled: bool
    exchange_index: OptionalInt = UNSET


class OrderGroupsReply(_WireObject, frozen=True, kw_only=True):
    """``GET /portfolio/order_groups``."""

    order_groups: list[OrderGroup] | UnsetType | None = UNSET


class OrderGroupReply(_WireObject, frozen=True, kw_only=True):
    """``GET /portfolio/order_groups/{id}``: the group and the ids of its orders."""

    is_auto_cancel_enabled: bool
    contracts_limit_fp: OptionalText = UNSET
    orders: list[str] | None
    exchange_index: OptionalInt = UNSET


class OrderGroupLimitRequest(_WireLeaf, frozen=True, kw_only=True):
    """``PUT /portfolio/order_groups/{id}/limit``."""

    contracts_limit: OptionalInt = UNSET
    contracts_limit_fp: OptionalText = UNSET


# Reading and writing.

T = TypeVar("T")

DecodeError = msgspec.DecodeError
"""What is not JSON (`msgspec.ValidationError`, its subclass: JSON of another shape)."""

_json_encoder = msgspec.json.Encoder(decimal_format="number")
_frame_decoder: msgspec.json.Decoder[Frame] = msgspec.json.Decoder(Frame)
_envelope_decoder = msgspec.json.Decoder(Envelope)
_command_decoder = msgspec.json.Decoder(Command)
_decoders_by_type: dict[Any, msgspec.json.Decoder[Any]] = {}

decode_frame = _frame_decoder.decode
"""Decode one frame of the stream. Raises DecodeError, also for a ``type`` that is not known: see `decode_envelope`."""

decode_envelope = _envelope_decoder.decode
"""Decode only the type and the numbers of a frame. Raises DecodeError."""


def decode_command(data: bytes | str) -> Command:
    """Decode a client's command, an unknown one too. Raises DecodeError."""
    with _raise_decode_errors():
        return _command_decoder.decode(data)


FRAME_TYPES: Final[frozenset[str]] = frozenset(str(kind.__struct_config__.tag) for kind in Frame.__args__)
"""The ``type`` of every frame that `decode_frame` knows."""


def encode(value: Struct | Mapping[str, Any] | Sequence[Any]) -> bytes:
    """Write JSON; decimals as numbers, absent fields not at all."""
    return _json_encoder.encode(value)


def decode(data: bytes | str, kind: type[T]) -> T:
    """Read JSON as one of these structs. Raises DecodeError; the decoders are made once for each kind."""
    decoder = _decoders_by_type.get(kind)
    if decoder is None:
        decoder = _decoders_by_type[kind] = msgspec.json.Decoder(kind)
    with _raise_decode_errors():
        result: T = decoder.decode(data)
    return result


@contextmanager
def _raise_decode_errors() -> Iterator[None]:
    """Raise DecodeError for what the decoder has other errors for: text that is no UTF-8, nesting without end."""
    try:
        yield
    except (UnicodeError, RecursionError) as error:
        raise DecodeError(f"the text cannot be read ({type(error).__name__})") from error
