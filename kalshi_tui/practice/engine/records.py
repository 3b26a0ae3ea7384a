"""The engine's public values: requests, results and records. Prices, counts and money in the domain's integer units."""

from dataclasses import dataclass
from decimal import Decimal
from enum import Enum

from kalshi_tui.domain.book import Side
from kalshi_tui.domain.market import MarketStatus
from kalshi_tui.domain.order import BookSide, SelfTrade, TimeInForce
from kalshi_tui.domain.price import COUNT_UNIT, PRICE_UNIT, Count, Money, Price
from kalshi_tui.practice.engine.terms import EventDefinition, MarketDefinition, SeriesDefinition


class OrderStatus(Enum):
    """The status of an order. The values are the exchange's words."""

    RESTING = "resting"
    CANCELED = "canceled"
    EXECUTED = "executed"


@dataclass(frozen=True, slots=True)
class OrderRequest:
    """A new order as asked for; ``price`` is always the YES price (docs/kalshi-api.md, section 6).

    ``exchange_index`` None or -1 routes by ticker. ``expires_ms`` is Unix ms, good-till-canceled only.
    """

    ticker: str
    side: BookSide
    count: Count
    price: Price
    tif: TimeInForce = TimeInForce.GTC
    self_trade: SelfTrade = SelfTrade.TAKER_AT_CROSS
    client_order_id: str = ""
    post_only: bool = False
    reduce_only: bool = False
    expires_ms: int | None = None
    cancel_on_pause: bool = False
    group_id: str = ""
    subaccount: int | None = None
    exchange_index: int | None = None


@dataclass(frozen=True, slots=True)
class AmendRequest:
    """A change of a resting order's price and total count: ``count`` = already filled + wanted remaining."""

    ticker: str
    side: BookSide
    price: Price
    count: Count
    client_order_id: str = ""
    """If given, it must be the order's present one."""
    updated_client_order_id: str = ""
    exchange_index: int | None = None
    expires_ms: int | None = None
    """Unix ms; None keeps the order's expiry, 0 clears it."""


@dataclass(frozen=True, slots=True)
class PlaceResult:
    """What became of a create or an amend. ``fill_value`` is the sum of YES price x count over its own fills.

    For an amend ``changed`` tells whether anything filled or the resting size moved; the wire leaves counts out if not.
    """

    order_id: str
    client_order_id: str
    filled: Count
    remaining: Count
    fill_value: Money
    fees: Money
    ts_ms: int
    changed: bool = True

    @property
    def average_fill_price(self) -> Money | None:
        """The mean YES price per contract, 1/1,000,000 dollar, rounded half up; None without fills."""
        return _average_per_contract(self.fill_value, self.filled)

    @property
    def average_fee_paid(self) -> Money | None:
        """The mean fee per contract, 1/1,000,000 dollar, rounded half up; None without fills."""
        return _average_per_contract(self.fees, self.filled)


def _average_per_contract(amount: Money, count: Count) -> Money | None:
    return (2 * amount * COUNT_UNIT + count) // (2 * count) if count else None


@dataclass(frozen=True, slots=True)
class CancelResult:
    """What a cancel took away."""

    order_id: str
    client_order_id: str
    reduced_by: Count
    ts_ms: int


@dataclass(frozen=True, slots=True)
class DecreaseResult:
    """What a decrease left."""

    order_id: str
    client_order_id: str
    remaining: Count
    ts_ms: int


@dataclass(frozen=True, slots=True)
class OrderRecord:
    """An order as it stood at one moment. ``price`` is the YES price; ``expires_ms`` 0 for none.

    The costs are price x count of the outcome that it bought: of NO for an ask.
    """

    order_id: str
    account_id: str
    client_order_id: str
    ticker: str
    event_ticker: str
    exchange_index: int
    side: BookSide
    price: Price
    initial: Count
    filled: Count
    remaining: Count
    status: OrderStatus
    tif: TimeInForce
    self_trade: SelfTrade
    post_only: bool
    cancel_on_pause: bool
    group_id: str
    expires_ms: int
    taker_cost: Money
    maker_cost: Money
    taker_fees: Money
    maker_fees: Money
    created_ms: int
    updated_ms: int
    fee_overpaid: Money = 0
    """The fee accumulator's state, so that rounding goes on across a restart."""
    queued: int = 0
    """Its place in time among all resting orders: at the same price a smaller number trades before a greater one."""
    update_reason: str = ""
    """Why it changed last, in the stream's word; empty for one that has not changed since it came."""

    @property
    def outcome_side(self) -> Side:
        """The outcome that the order is positioned for."""
        return Side.YES if self.side is BookSide.BID else Side.NO

    @property
    def no_price(self) -> Price:
        """The same price in NO terms."""
        return PRICE_UNIT - self.price


@dataclass(frozen=True, slots=True)
class FillRecord:
    """One account's part in one trade. ``trade_id`` doubles as ``fill_id``."""

    trade_id: str
    order_id: str
    client_order_id: str
    account_id: str
    ticker: str
    exchange_index: int
    side: BookSide
    price: Price
    count: Count
    fee: Money
    is_taker: bool
    post_position: Count
    ts_ms: int


@dataclass(frozen=True, slots=True)
class TradeRecord:
    """A print of the public tape; ``price`` is the YES price, ``taker_side`` bid if the taker bought YES."""

    trade_id: str
    ticker: str
    price: Price
    count: Count
    taker_side: BookSide
    ts_ms: int


@dataclass(frozen=True, slots=True)
class PositionRecord:
    """A holding in one market: + YES, - NO. ``exposure`` is what the open contracts cost, fees not included."""

    account_id: str
    ticker: str
    event_ticker: str
    exchange_index: int
    count: Count
    exposure: Money
    realized_pnl: Money
    fees_paid: Money
    total_traded: Money
    volume: Count
    """All contracts bought and sold here."""
    fee_cost: Money
    """The fees paid for the contracts still held, a part of ``fees_paid``."""
    resting_orders: int
    updated_ms: int


@dataclass(frozen=True, slots=True)
class SettlementRecord:
    """What a settled market paid an account. ``result`` is yes, no or scalar; ``value`` the price of a YES.

    ``revenue`` is exact money as paid; ``fee`` what was paid in fees over the position's life, with the
    remainder that rounding kept of a payout.
    """

    account_id: str
    ticker: str
    event_ticker: str
    exchange_index: int
    result: str
    value: Price
    yes_count: Count
    yes_cost: Money
    no_count: Count
    no_cost: Money
    revenue: Money
    fee: Money
    ts_ms: int


@dataclass(frozen=True, slots=True)
class BalanceRecord:
    """An account's money. ``available`` is what can be spent: cash less what resting orders hold, by exchange_index."""

    available: dict[int, Money]
    held: dict[int, Money]
    portfolio_value: Money
    portfolio_by_index: dict[int, Money]
    updated_ms: int

    @property
    def total(self) -> Money:
        """All available cash."""
        return sum(self.available.values())


@dataclass(frozen=True, slots=True)
class SubaccountTransferRecord:
    """Cash that a member moved from one subaccount to another, on one shard."""

    transfer_id: str
    client_transfer_id: str
    member_id: str
    source: int
    target: int
    cents: int
    exchange_index: int
    ts_ms: int


@dataclass(frozen=True, slots=True)
class GroupRecord:
    """An order group. ``active`` is the wire's ``is_auto_cancel_enabled``: not triggered."""

    group_id: str
    account_id: str
    exchange_index: int
    limit: Count
    triggered: bool
    order_ids: tuple[str, ...] = ()
    matched: tuple[tuple[int, Count], ...] = ()
    """Pairs of Unix ms and count matched within the rolling window."""
    deleted: bool = False


class TransferStatus(Enum):
    """How far a transfer of cash is. The values are the exchange's words; it has none for one that failed."""

    PENDING = "pending"
    COMPLETE = "complete"


@dataclass(frozen=True, slots=True)
class ShardTransferRecord:
    """Cash on its way from one shard to another (docs/kalshi-api.md, section 14)."""

    transfer_id: str
    account_id: str
    source: int
    target: int
    amount: Money
    created_ms: int
    status: TransferStatus = TransferStatus.PENDING
    client_transfer_id: str = ""
    failed: bool = False
    """Whether it will never complete, and the money is back where it came from: the exchange does not tell."""
    source_subaccount: int = 0
    target_subaccount: int = 0


@dataclass(frozen=True, slots=True)
class AllocationRecord:
    """How an account's cash is to be spread over the shards: pairs of shard and percent; none for not at all."""

    account_id: str
    percents: tuple[tuple[int, int], ...] = ()
    reservation: str = "sum"


@dataclass(frozen=True, slots=True)
class ScheduledSeriesFees:
    """New fees of a series from a time on."""

    change_id: str
    series_ticker: str
    fee_type: str
    fee_multiplier: Decimal
    scheduled_ms: int


@dataclass(frozen=True, slots=True)
class ScheduledEventFees:
    """New overrides of an event from a time on; None clears one."""

    change_id: str
    event_ticker: str
    series_ticker: str
    fee_type_override: str | None
    fee_multiplier_override: Decimal | None
    scheduled_ms: int


@dataclass(frozen=True, slots=True)
class MarketRecord:
    """A market as it stood at one moment, for a restart; the rest of it comes from the calendar and from trading."""

    terms: MarketDefinition
    event: EventDefinition
    series: SeriesDefinition
    status: MarketStatus
    structure: str
    close_ms: int
    result: str
    settlement_value: Price | None
    expiration_value: str
    settle_ms: int
    settled_ms: int
    settlement_floor: Price | None = None


@dataclass(frozen=True, slots=True)
class SavedState:
    """All that a restart needs of the traders' accounts; orders, fills and settlements oldest first."""

    accounts: tuple[tuple[str, dict[int, Money]], ...] = ()
    markets: tuple[MarketRecord, ...] = ()
    positions: tuple[PositionRecord, ...] = ()
    orders: tuple[OrderRecord, ...] = ()
    fills: tuple[FillRecord, ...] = ()
    settlements: tuple[SettlementRecord, ...] = ()
    client_ids: tuple[tuple[str, str, str], ...] = ()
    """Account, client_order_id, order_id."""
    groups: tuple[GroupRecord, ...] = ()
    subaccount_transfers: tuple[SubaccountTransferRecord, ...] = ()
    netting: tuple[str, ...] = ()
    """The accounts that have netting on."""
    transfers: tuple[ShardTransferRecord, ...] = ()
    allocations: tuple[AllocationRecord, ...] = ()
    fee_changes: tuple[ScheduledSeriesFees | ScheduledEventFees, ...] = ()
    """In the order in which they were asked for."""
    saved_ms: int = 0
    """When the last of it happened."""


@dataclass(frozen=True, slots=True)
class QueuePositionRecord:
    """The count that must be matched before an order gets its first fill."""

    order_id: str
    ticker: str
    count_ahead: Count
