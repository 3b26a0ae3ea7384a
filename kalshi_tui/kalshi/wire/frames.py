"""WebSocket frames and commands (docs/kalshi-api.md, section 5).

Server to client: a `Frame` is told apart by ``type``; one that belongs to a subscription has ``sid``. Client to server:
a `Command`.
"""

from decimal import Decimal
from enum import Enum
from typing import Any, Final

from msgspec import UNSET, UnsetType

from kalshi_tui.domain.book import Side
from kalshi_tui.kalshi.wire.common import (
    LevelTexts,
    NullableInt,
    NullableNumber,
    NullableText,
    OptionalFlag,
    OptionalInt,
    OptionalText,
    PriceRange,
    WireLeaf,
    WireObject,
)

HEARTBEAT: Final = b"heartbeat"
"""The body of the server's WebSocket pings, one every 10 s (docs/kalshi-api.md, section 5)."""


class BookReading(Enum):
    """In which prices the NO levels of a book's frames stand (docs/kalshi-api.md, section 4)."""

    YES_PRICES = "yes"
    """A NO bid at 0.30 stands at 0.70, as with ``use_yes_price``."""
    NO_PRICES = "no"


SendingTime = NullableInt
"""Unix milliseconds at which a frame was queued for the network (docs/kalshi-api.md, section 5); often absent."""


class ErrorCode:
    """The codes of error frames; 6, 16 and 17 are retired (docs/kalshi-api.md, section 5)."""

    GENERAL: Final = 1
    PARAMS_REQUIRED: Final = 2
    CHANNELS_REQUIRED: Final = 3
    SIDS_REQUIRED: Final = 4
    UNKNOWN_COMMAND: Final = 5
    UNKNOWN_SID: Final = 7
    UNKNOWN_CHANNEL: Final = 8
    AUTHENTICATION_REQUIRED: Final = 9
    CHANNEL_ERROR: Final = 10
    """Ends the subscription: subscribe again."""
    INVALID_PARAMETER: Final = 11
    EXACTLY_ONE_SID: Final = 12
    UNSUPPORTED_ACTION: Final = 13
    MARKET_REQUIRED: Final = 14
    ACTION_REQUIRED: Final = 15
    TIMEOUT: Final = 18
    SHARD_FACTOR_TOO_SMALL: Final = 19
    SHARD_FACTOR_REQUIRED: Final = 20
    SHARD_KEY_OUT_OF_RANGE: Final = 21
    SHARD_FACTOR_TOO_LARGE: Final = 22
    MATCH_IDS_REQUIRED: Final = 23
    INDEX_IDS_REQUIRED: Final = 24
    BUFFER_OVERFLOW: Final = 25
    """Ends the subscription: subscribe again."""
    MARKET_LIMIT: Final = 26
    COMMAND_RATE: Final = 27
    UNDERLYINGS_REQUIRED: Final = 28


class Channel:
    """The channels' names (docs/kalshi-api.md, section 5)."""

    BOOK: Final = "orderbook_delta"
    TICKER: Final = "ticker"
    TRADE: Final = "trade"
    FILL: Final = "fill"
    ORDERS: Final = "user_orders"
    POSITIONS: Final = "market_positions"
    LIFECYCLE: Final = "market_lifecycle_v2"
    COMBO_LIFECYCLE: Final = "multivariate_market_lifecycle"
    ORDER_GROUPS: Final = "order_group_updates"


class SubscribedMsg(WireLeaf, frozen=True, kw_only=True):
    """The subscription id of a channel."""

    channel: str
    sid: int


class SubscribedFrame(WireObject, frozen=True, kw_only=True, tag="subscribed"):
    """The reply to ``subscribe``, one for each channel; it has no sequence number."""

    id: OptionalInt = UNSET
    msg: SubscribedMsg


class UnsubscribedFrame(WireLeaf, frozen=True, kw_only=True, tag="unsubscribed"):
    """The reply to ``unsubscribe``, one for each sid; it takes the sid's next sequence number."""

    id: OptionalInt = UNSET
    sid: int
    seq: OptionalInt = UNSET


class OkMsg(WireObject, frozen=True, kw_only=True):
    """The markets of a subscription after `update_subscription` (left out with ``skip_ticker_ack``)."""

    market_tickers: list[str] | UnsetType | None = UNSET
    market_ids: list[str] | UnsetType | None = UNSET


class OkFrame(WireObject, frozen=True, kw_only=True, tag="ok"):
    """The reply to ``update_subscription``, with the sid's next sequence number, and to ``list_subscriptions``."""

    id: OptionalInt = UNSET
    sid: OptionalInt = UNSET
    seq: OptionalInt = UNSET
    msg: OkMsg | list[SubscribedMsg] | UnsetType | None = UNSET


class ErrorMsg(WireLeaf, frozen=True, kw_only=True):
    """The content of an error; ``code`` is one of `ErrorCode`."""

    code: int
    msg: str = ""
    market_ticker: OptionalText = UNSET
    market_id: OptionalText = UNSET


class ErrorFrame(WireObject, frozen=True, kw_only=True, tag="error"):
    """A rejected command; or, with ``sid`` and the sid's next sequence number, a fault of a subscription."""

    id: OptionalInt = UNSET
    sid: OptionalInt = UNSET
    seq: OptionalInt = UNSET
    msg: ErrorMsg


class SnapshotMsg(WireObject, frozen=True, kw_only=True):
    """A whole book, without a time. An empty side is absent; null has to be read as empty too."""

    market_ticker: str
    market_id: str = ""
    yes_dollars_fp: LevelTexts | UnsetType | None = UNSET
    no_dollars_fp: LevelTexts | UnsetType | None = UNSET


class SnapshotFrame(WireObject, frozen=True, kw_only=True, tag="orderbook_snapshot"):
    """A whole book; ``id`` is that of the command, if ``get_snapshot`` asked for it."""

    id: OptionalInt = UNSET
    sid: int
    seq: int
    sending_ts_ms: SendingTime = UNSET
    msg: SnapshotMsg


class DeltaMsg(WireLeaf, frozen=True, kw_only=True):
    """A signed change of one level, without the fields that a book does not need: a tenth faster to decode."""

    market_ticker: str
    price_dollars: str
    delta_fp: str
    side: Side
    ts_ms: int = 0
    """Unix milliseconds; older deployments do not send it."""


class FullDeltaMsg(DeltaMsg, frozen=True, kw_only=True, gc=False):
    """The change with all its fields; order and subaccount only if the account's own order made it."""

    market_id: str = ""
    client_order_id: OptionalText = UNSET
    subaccount: OptionalInt = UNSET
    ts: OptionalText = UNSET


class DeltaFrame(WireLeaf, frozen=True, kw_only=True, tag="orderbook_delta"):
    """A change of one level of a book."""

    sid: int
    seq: int
    sending_ts_ms: SendingTime = UNSET
    msg: DeltaMsg


class TickerMsg(WireLeaf, frozen=True, kw_only=True):
    """A market's best prices and totals, without the fields that a quote does not need.

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
    """Only a recording that is played needs it."""
    ts_ms: int = 0


class FullTickerMsg(TickerMsg, frozen=True, kw_only=True, gc=False):
    """The best prices and totals with all their fields."""

    market_id: str = ""
    dollar_open_interest: OptionalInt = UNSET
    ts: int | str | UnsetType = UNSET
    time: OptionalText = UNSET


class TickerFrame(WireLeaf, frozen=True, kw_only=True, tag="ticker"):
    """A market's new best prices; it has no sequence number."""

    id: OptionalInt = UNSET
    sid: int
    sending_ts_ms: SendingTime = UNSET
    msg: TickerMsg


class TradeMsg(WireLeaf, frozen=True, kw_only=True):
    """A public trade."""

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


class TradeFrame(WireLeaf, frozen=True, kw_only=True, tag="trade"):
    """A public trade, with a sequence number; older deployments send none."""

    sid: int
    seq: OptionalInt = UNSET
    sending_ts_ms: SendingTime = UNSET
    msg: TradeMsg


class FillMsg(WireLeaf, frozen=True, kw_only=True):
    """A fill of the account."""

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
    fee_cost: str
    post_position_fp: OptionalText = UNSET
    subaccount: NullableInt = UNSET
    ts: int | str | UnsetType = UNSET
    ts_ms: int = 0


class FillFrame(WireLeaf, frozen=True, kw_only=True, tag="fill"):
    """A fill of the account; it has no sequence number."""

    sid: int
    sending_ts_ms: SendingTime = UNSET
    msg: FillMsg


class UserOrderMsg(WireLeaf, frozen=True, kw_only=True):
    """The state of an order of the account. Older deployments send the times as RFC 3339 only."""

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
    taker_fill_cost_dollars: str
    maker_fill_cost_dollars: str
    taker_fees_dollars: str
    maker_fees_dollars: str
    order_group_id: NullableText = UNSET
    self_trade_prevention_type: NullableText = UNSET
    created_time: NullableText = UNSET
    created_ts_ms: NullableInt = UNSET
    last_update_time: NullableText = UNSET
    last_updated_ts_ms: NullableInt = UNSET
    expiration_time: NullableText = UNSET
    expiration_ts_ms: NullableInt = UNSET
    last_update_reason: NullableText = UNSET
    subaccount_number: NullableInt = UNSET
    exchange_index: OptionalInt = UNSET


class UserOrderFrame(WireLeaf, frozen=True, kw_only=True, tag="user_order"):
    """A change of an order of the account, on the channel ``user_orders``; it has no sequence number."""

    sid: int
    sending_ts_ms: SendingTime = UNSET
    msg: UserOrderMsg


class MarketPositionMsg(WireLeaf, frozen=True, kw_only=True):
    """The account's position in one market: positive for YES, negative for NO."""

    user_id: str = ""
    market_ticker: str
    position_fp: str
    position_cost_dollars: str
    realized_pnl_dollars: str
    fees_paid_dollars: str
    position_fee_cost_dollars: str = "0.000000"
    volume_fp: str = "0.00"
    subaccount: NullableInt = UNSET


class MarketPositionFrame(WireLeaf, frozen=True, kw_only=True, tag="market_position"):
    """A change of a position, on the channel ``market_positions``; it has no sequence number."""

    sid: int
    sending_ts_ms: SendingTime = UNSET
    msg: MarketPositionMsg


class LifecycleMsg(WireObject, frozen=True, kw_only=True):
    """A change in a market's life; ``event_type`` decides which of the optional fields are there."""

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


class LifecycleFrame(WireObject, frozen=True, kw_only=True, tag="market_lifecycle_v2"):
    """A change in a market's life, with a sequence number; older deployments send none."""

    sid: int
    seq: OptionalInt = UNSET
    msg: LifecycleMsg


class EventLifecycleMsg(WireLeaf, frozen=True, kw_only=True):
    """A new event, on the lifecycle channel."""

    event_ticker: str
    exchange_index: OptionalInt = UNSET
    title: str = ""
    subtitle: str = ""
    collateral_return_type: str = ""
    series_ticker: str = ""
    strike_date: NullableInt = UNSET
    strike_period: NullableText = UNSET


class EventLifecycleFrame(WireLeaf, frozen=True, kw_only=True, tag="event_lifecycle"):
    """A new event, on the lifecycle channel."""

    sid: int
    seq: OptionalInt = UNSET
    msg: EventLifecycleMsg


class EventFeeMsg(WireLeaf, frozen=True, kw_only=True):
    """An event's new fee overrides; null removes one."""

    event_ticker: str
    fee_type_override: str | None = None
    fee_multiplier_override: Decimal | None = None


class EventFeeFrame(WireLeaf, frozen=True, kw_only=True, tag="event_fee_update"):
    """A change of an event's fees, on the lifecycle channel."""

    sid: int
    seq: OptionalInt = UNSET
    msg: EventFeeMsg


class OrderGroupMsg(WireLeaf, frozen=True, kw_only=True):
    """A change of an order group."""

    event_type: str
    order_group_id: str
    contracts_limit_fp: OptionalText = UNSET
    ts_ms: int = 0


class OrderGroupFrame(WireLeaf, frozen=True, kw_only=True, tag="order_group_updates"):
    """A change of an order group, with a sequence number."""

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

FRAME_TYPES: Final[frozenset[str]] = frozenset(str(kind.__struct_config__.tag) for kind in Frame.__args__)
"""The ``type`` of every frame that `decode_frame` knows."""


class Envelope(WireLeaf, frozen=True, kw_only=True):
    """The head of any frame, also of an unknown type: its sequence number has to be counted all the same."""

    type: str
    id: NullableInt = UNSET
    sid: NullableInt = UNSET
    seq: NullableInt = UNSET


class CommandParams(WireObject, frozen=True, kw_only=True):
    """The parameters of all commands; docs/kalshi-api.md, section 5, says which command takes which."""

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


class Command(WireObject, frozen=True, kw_only=True):
    """A command: ``subscribe``, ``unsubscribe``, ``update_subscription`` or ``list_subscriptions``.

    ``id`` is 1 or more and unique in the session; 0 or absent means no id.
    """

    id: int = 0
    cmd: str = ""
    params: CommandParams | UnsetType = UNSET
