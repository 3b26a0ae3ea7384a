"""REST replies about balance, positions, fills and settlements (docs/kalshi-api.md, section 7)."""

from msgspec import UNSET, UnsetType

from kalshi_tui.kalshi.wire.common import NullableInt, NullableText, OptionalInt, OptionalText, WireLeaf, WireObject


class IndexedBalance(WireLeaf, frozen=True, kw_only=True):
    """Cash on one shard, dollars."""

    exchange_index: int
    balance: str


class BalanceReply(WireObject, frozen=True, kw_only=True):
    """``GET /portfolio/balance``: ``balance`` and ``portfolio_value`` in cents, ``updated_ts`` in Unix seconds."""

    balance: int
    balance_dollars: OptionalText = UNSET
    portfolio_value: int
    updated_ts: int = 0
    balance_breakdown: list[IndexedBalance] | UnsetType | None = UNSET


class MarketPosition(WireLeaf, frozen=True, kw_only=True):
    """A position in one market: positive for YES, negative for NO."""

    ticker: str
    exchange_index: OptionalInt = UNSET
    total_traded_dollars: str
    position_fp: str
    market_exposure_dollars: str
    realized_pnl_dollars: str
    fees_paid_dollars: str
    resting_orders_count: OptionalInt = UNSET
    last_updated_ts: NullableText = ""


class EventPosition(WireLeaf, frozen=True, kw_only=True):
    """The positions in all markets of one event, summed."""

    event_ticker: str
    total_cost_dollars: str = "0.000000"
    total_cost_shares_fp: str = "0.00"
    event_exposure_dollars: str = "0.000000"
    realized_pnl_dollars: str = "0.000000"
    fees_paid_dollars: str = "0.000000"


class PositionsReply(WireObject, frozen=True, kw_only=True):
    """``GET /portfolio/positions``: a page."""

    cursor: NullableText = ""
    market_positions: list[MarketPosition] | None
    event_positions: list[EventPosition] | UnsetType | None = UNSET


class Fill(WireLeaf, frozen=True, kw_only=True):
    """A fill of the account as REST sends it, without a client order id. ``ts`` in Unix seconds."""

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
    fee_cost: str
    subaccount_number: NullableInt = UNSET
    ts: OptionalInt = UNSET


class FillsReply(WireObject, frozen=True, kw_only=True):
    """``GET /portfolio/fills``: a page, newest first."""

    fills: list[Fill] | None
    cursor: str | None = ""


class Settlement(WireLeaf, frozen=True, kw_only=True):
    """A settlement. ``revenue`` and ``value`` in whole cents, ``value`` of one YES."""

    ticker: str
    exchange_index: OptionalInt = UNSET
    event_ticker: str = ""
    market_result: str
    yes_count_fp: str
    yes_total_cost_dollars: str
    no_count_fp: str
    no_total_cost_dollars: str
    revenue: int
    settled_time: str
    fee_cost: str
    value: NullableInt = UNSET


class SettlementsReply(WireObject, frozen=True, kw_only=True):
    """``GET /portfolio/settlements``: a page."""

    settlements: list[Settlement] | None
    cursor: NullableText = UNSET
