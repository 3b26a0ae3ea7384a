"""REST requests and replies about orders, queue positions and order groups (docs/kalshi-api.md, section 6)."""

from msgspec import UNSET, UnsetType

from kalshi_tui.kalshi.wire.common import (
    ErrorDetail,
    NullableInt,
    NullableText,
    OptionalFlag,
    OptionalInt,
    OptionalText,
    WireLeaf,
    WireObject,
)


class CreateOrderRequest(WireLeaf, frozen=True, kw_only=True):
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


class CreateOrderReply(WireLeaf, frozen=True, kw_only=True):
    """The result of a new order. Status 201 does not mean that it rests: the counts say it.

    ``order_id`` may be missing from a broken reply; the outcome is then not known.
    """

    order_id: OptionalText = UNSET
    client_order_id: NullableText = UNSET
    fill_count: OptionalText = UNSET
    remaining_count: OptionalText = UNSET
    average_fill_price: NullableText = UNSET
    average_fee_paid: NullableText = UNSET
    ts_ms: NullableInt = UNSET


class BatchCreateItem(WireObject, frozen=True, kw_only=True):
    """One order's outcome in a batch: the reply's fields, or ``error``."""

    order_id: NullableText = UNSET
    client_order_id: NullableText = UNSET
    fill_count: NullableText = None
    remaining_count: NullableText = None
    average_fill_price: NullableText = None
    average_fee_paid: NullableText = None
    ts_ms: NullableInt = None
    error: ErrorDetail | UnsetType | None = UNSET


class BatchCreateRequest(WireObject, frozen=True, kw_only=True):
    """``POST /portfolio/events/orders/batched``."""

    orders: list[CreateOrderRequest]


class BatchCreateReply(WireObject, frozen=True, kw_only=True):
    """The outcomes, in the order of the request."""

    orders: list[BatchCreateItem] | None


class CancelOrderReply(WireLeaf, frozen=True, kw_only=True):
    """``DELETE /portfolio/events/orders/{order_id}``: how much was canceled."""

    order_id: OptionalText = UNSET
    client_order_id: NullableText = UNSET
    reduced_by: OptionalText = UNSET
    ts_ms: NullableInt = UNSET


class BatchCancelItemRequest(WireLeaf, frozen=True, kw_only=True):
    """One order to cancel."""

    order_id: str
    subaccount: OptionalInt = UNSET
    exchange_index: OptionalInt = UNSET
    market_ticker: OptionalText = UNSET


class BatchCancelRequest(WireObject, frozen=True, kw_only=True):
    """``DELETE /portfolio/events/orders/batched``."""

    orders: list[BatchCancelItemRequest]


class BatchCancelItem(WireObject, frozen=True, kw_only=True):
    """One cancel's outcome in a batch."""

    order_id: str
    client_order_id: NullableText = UNSET
    reduced_by: NullableText = "0.00"
    ts_ms: NullableInt = UNSET
    error: ErrorDetail | UnsetType | None = UNSET


class BatchCancelReply(WireObject, frozen=True, kw_only=True):
    """The outcomes, in the order of the request."""

    orders: list[BatchCancelItem] | None


class AmendOrderRequest(WireLeaf, frozen=True, kw_only=True):
    """``POST /portfolio/events/orders/{order_id}/amend``; ``count`` is filled already plus what is to remain."""

    ticker: str
    side: str
    price: str
    count: str
    client_order_id: OptionalText = UNSET
    updated_client_order_id: OptionalText = UNSET
    expiration_time: NullableInt = UNSET
    """Unix seconds; absent keeps the order's own, 0 clears it."""
    exchange_index: OptionalInt = UNSET


class AmendOrderReply(WireLeaf, frozen=True, kw_only=True):
    """The result of an amendment: what it filled at once, and what remains."""

    order_id: OptionalText = UNSET
    client_order_id: NullableText = UNSET
    remaining_count: NullableText = UNSET
    fill_count: NullableText = UNSET
    average_fill_price: NullableText = UNSET
    average_fee_paid: NullableText = UNSET
    ts_ms: NullableInt = UNSET


class DecreaseOrderRequest(WireLeaf, frozen=True, kw_only=True):
    """``POST /portfolio/events/orders/{order_id}/decrease``: exactly one of ``reduce_by`` and ``reduce_to``."""

    reduce_by: OptionalText = UNSET
    reduce_to: OptionalText = UNSET
    exchange_index: OptionalInt = UNSET
    market_ticker: OptionalText = UNSET


class DecreaseOrderReply(WireLeaf, frozen=True, kw_only=True):
    """The result of a decrease: what remains."""

    order_id: OptionalText = UNSET
    client_order_id: NullableText = UNSET
    remaining_count: NullableText = UNSET
    ts_ms: NullableInt = UNSET


class Order(WireLeaf, frozen=True, kw_only=True):
    """An order as REST sends it; the price is in YES terms, ``side`` and ``action`` are deprecated.

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
    taker_fill_cost_dollars: str
    maker_fill_cost_dollars: str
    taker_fees_dollars: str
    maker_fees_dollars: str
    expiration_time: NullableText = UNSET
    created_time: NullableText = UNSET
    last_update_time: NullableText = UNSET
    self_trade_prevention_type: NullableText = UNSET
    order_group_id: NullableText = UNSET
    cancel_order_on_pause: OptionalFlag = UNSET
    subaccount_number: NullableInt = UNSET
    exchange_index: OptionalInt = UNSET


class OrderReply(WireObject, frozen=True, kw_only=True):
    """``GET /portfolio/orders/{order_id}``."""

    order: Order


class OrdersReply(WireObject, frozen=True, kw_only=True):
    """``GET /portfolio/orders``: a page."""

    orders: list[Order] | None
    cursor: str | None = ""


class QueuePosition(WireLeaf, frozen=True, kw_only=True):
    """How many contracts stand before an order at its price, as a decimal text."""

    order_id: str
    market_ticker: str
    queue_position_fp: str


class QueuePositionsReply(WireObject, frozen=True, kw_only=True):
    """``GET /portfolio/orders/queue_positions``."""

    queue_positions: list[QueuePosition] | None


class QueuePositionReply(WireLeaf, frozen=True, kw_only=True):
    """``GET /portfolio/orders/{order_id}/queue_position``."""

    queue_position_fp: str


class CreateOrderGroupRequest(WireLeaf, frozen=True, kw_only=True):
    """``POST /portfolio/order_groups/create``: the limit in whole contracts or as a count."""

    subaccount: OptionalInt = UNSET
    contracts_limit: OptionalInt = UNSET
    contracts_limit_fp: OptionalText = UNSET
    exchange_index: OptionalInt = UNSET


class CreateOrderGroupReply(WireLeaf, frozen=True, kw_only=True):
    """The new group."""

    order_group_id: str
    subaccount: int = 0
    exchange_index: OptionalInt = UNSET


class OrderGroup(WireLeaf, frozen=True, kw_only=True):
    """A group in the list."""

    id: str
    contracts_limit_fp: OptionalText = UNSET
    is_auto_cancel_enabled: bool
    exchange_index: OptionalInt = UNSET


class OrderGroupsReply(WireObject, frozen=True, kw_only=True):
    """``GET /portfolio/order_groups``."""

    order_groups: list[OrderGroup] | UnsetType | None = UNSET


class OrderGroupReply(WireObject, frozen=True, kw_only=True):
    """``GET /portfolio/order_groups/{id}``: the group and the ids of its orders."""

    is_auto_cancel_enabled: bool
    contracts_limit_fp: OptionalText = UNSET
    orders: list[str] | None
    exchange_index: OptionalInt = UNSET


class OrderGroupLimitRequest(WireLeaf, frozen=True, kw_only=True):
    """``PUT /portfolio/order_groups/{id}/limit``."""

    contracts_limit: OptionalInt = UNSET
    contracts_limit_fp: OptionalText = UNSET
