"""The engine's live objects: orders, listed markets, holdings, accounts and order groups.

They refer to each other (an order to its market, a market's book to its orders, a holding to both), so they share one
module. The rules are elsewhere: `order_book` has the queues, `collateral` the sums that orders hold, `matching` the
trades.
"""

from collections import deque
from dataclasses import dataclass, field
from typing import Final

from kalshi_tui.domain.book import Side
from kalshi_tui.domain.fees import CENTICENT, FeeAccumulator
from kalshi_tui.domain.market import MarketStatus
from kalshi_tui.domain.order import BookSide, SelfTrade, TimeInForce
from kalshi_tui.domain.price import PRICE_UNIT, Count, Money, Price, PriceGrid
from kalshi_tui.domain.update_reason import UpdateReason
from kalshi_tui.practice.engine.candles import CandleStore
from kalshi_tui.practice.engine.collateral import SideCollateral
from kalshi_tui.practice.engine.order_book import MatchingBook, PriceLevels
from kalshi_tui.practice.engine.records import (
    FillRecord,
    GroupRecord,
    MarketRecord,
    OrderRecord,
    OrderStatus,
    PositionRecord,
    SettlementRecord,
    TradeRecord,
)
from kalshi_tui.practice.engine.terms import GRIDS, EventDefinition, MarketDefinition, SeriesDefinition

BOOK_SIDES: Final = (BookSide.BID, BookSide.ASK)
"""By side index: 0 buys YES, 1 buys NO."""
OUTCOME_SIDES: Final = (Side.YES, Side.NO)
"""By side index: 0 YES, 1 NO."""
DAY_MS: Final = 86_400_000
HOUR_MS: Final = 3_600_000
MARKET_TAPE_LENGTH: Final = 1_000
MAX_SUBACCOUNT: Final = 63
"""The highest number of a subaccount; 0 is the primary."""
MATCH_WINDOW_MS: Final = 15_000
"""The rolling window in which an order group counts matched contracts."""


def account_id_of(member_id: str, subaccount: int) -> str:
    """Return the id of a member's subaccount; that of the primary is the member's own."""
    return f"{member_id}/{subaccount}" if subaccount else member_id


def split_account_id(account_id: str) -> tuple[str, int]:
    """Return the member and the number of the subaccount that an account's id stands for."""
    member_id, _, number = account_id.partition("/")
    return member_id, int(number or 0)


def side_index(side: BookSide) -> int:
    """Return 0 for a bid, 1 for an ask."""
    return 0 if side is BookSide.BID else 1


class EngineOrder:
    """One order. ``outcome_price`` is the price of the outcome that it buys; ``side`` 0 buys YES, 1 buys NO."""

    __slots__ = (
        "account",
        "cancel_on_pause",
        "client_order_id",
        "created_ms",
        "expires_ms",
        "fee_accumulator",
        "fee_reserve",
        "filled",
        "group_id",
        "holding",
        "initial",
        "is_resting",
        "listing",
        "maker_cost",
        "maker_fees",
        "next",
        "order_id",
        "outcome_price",
        "post_only",
        "prev",
        "queue_number",
        "remaining",
        "self_trade",
        "side",
        "status",
        "taker_cost",
        "taker_fees",
        "tif",
        "update_reason",
        "updated_ms",
    )

    def __init__(
        self,
        order_id: str,
        account: "EngineAccount",
        listing: "ListedMarket",
        holding: "Holding",
        side: int,
        outcome_price: Price,
        count: Count,
        now: int,
        tif: TimeInForce = TimeInForce.GTC,
        self_trade: SelfTrade = SelfTrade.MAKER,
        client_order_id: str = "",
        *,
        post_only: bool = False,
        cancel_on_pause: bool = False,
        group_id: str = "",
        expires_ms: int = 0,
    ) -> None:
        self.order_id = order_id
        self.account = account
        self.listing = listing
        self.holding = holding
        self.side = side
        self.outcome_price = outcome_price
        self.initial = count
        self.remaining = count
        self.filled: Count = 0
        self.tif = tif
        self.self_trade = self_trade
        self.client_order_id = client_order_id
        self.post_only = post_only
        self.cancel_on_pause = cancel_on_pause
        self.group_id = group_id
        self.expires_ms = expires_ms
        self.created_ms = now
        self.updated_ms = now
        self.status = OrderStatus.RESTING
        self.update_reason: UpdateReason | None = None
        """Why it changed last, as the stream says it."""
        self.taker_cost: Money = 0
        self.maker_cost: Money = 0
        self.taker_fees: Money = 0
        self.maker_fees: Money = 0
        self.fee_reserve: Money = 0
        self.fee_accumulator: FeeAccumulator | None = None
        self.is_resting = False
        self.queue_number = 0
        self.prev: EngineOrder | None = None
        self.next: EngineOrder | None = None

    @property
    def price(self) -> Price:
        """The price in YES terms."""
        return PRICE_UNIT - self.outcome_price if self.side else self.outcome_price

    def to_record(self) -> OrderRecord:
        """Return the order as it is now."""
        listing = self.listing
        return OrderRecord(
            order_id=self.order_id,
            account_id=self.account.account_id,
            client_order_id=self.client_order_id,
            ticker=listing.ticker,
            event_ticker=listing.terms.event_ticker,
            exchange_index=listing.shard,
            side=BOOK_SIDES[self.side],
            price=self.price,
            initial=self.initial,
            filled=self.filled,
            remaining=self.remaining,
            status=self.status,
            tif=self.tif,
            self_trade=self.self_trade,
            post_only=self.post_only,
            cancel_on_pause=self.cancel_on_pause,
            group_id=self.group_id,
            expires_ms=self.expires_ms,
            taker_cost=self.taker_cost,
            maker_cost=self.maker_cost,
            taker_fees=self.taker_fees,
            maker_fees=self.maker_fees,
            created_ms=self.created_ms,
            updated_ms=self.updated_ms,
            fee_overpaid=self.fee_accumulator.overpaid if self.fee_accumulator else 0,
            queued=self.queue_number,
            update_reason=self.update_reason.value if self.update_reason is not None else "",
        )


class ListedMarket:
    """One market, live. ``top`` is YES bid, size, YES ask, size; a side without quotes is 0, 0 or 10,000, 0."""

    __slots__ = (
        "base_volume_24h",
        "book",
        "candles",
        "close_ms",
        "combos",
        "expiration_value",
        "fees",
        "grid",
        "hourly_volume",
        "last_price",
        "last_size",
        "leg_listings",
        "market_id",
        "open_interest",
        "open_ms",
        "previous_ask",
        "previous_bid",
        "previous_price",
        "rank_key",
        "result",
        "settle_ms",
        "settled_ms",
        "settlement_floor",
        "settlement_value",
        "shard",
        "status",
        "structure",
        "tape",
        "terms",
        "ticker",
        "top",
        "updated_ms",
        "visible_ms",
        "volume",
        "volume_value",
    )

    def __init__(self, terms: MarketDefinition, market_id: str) -> None:
        self.terms = terms
        self.ticker = terms.ticker
        self.market_id = market_id
        self.leg_listings: tuple[ListedMarket, ...] = ()
        """Of a combo: its parts, in the order of its legs."""
        self.combos: list[ListedMarket] = []
        """The combos that this market is a part of."""
        self.shard = terms.exchange_index
        self.rank_key = (0, 0)
        self.status = MarketStatus.INITIALIZED
        self.structure = terms.structure
        self.grid: PriceGrid = GRIDS[terms.structure]
        self.fees = terms.fees
        self.settlement_floor: Price | None = None
        """What a YES has been paid already, None in a market without a floor (docs/kalshi-api.md, section 16)."""
        self.open_ms = terms.open_ms
        self.close_ms = terms.close_ms
        self.updated_ms = terms.created_ms
        self.visible_ms = 0
        self.book: MatchingBook[EngineOrder] = MatchingBook()
        self.top: tuple[Price, Count, Price, Count] = (0, 0, PRICE_UNIT, 0)
        self.last_price: Price | None = None
        self.last_size: Count = 0
        self.previous_price: Price | None = None
        self.previous_bid: Price = 0
        self.previous_ask: Price = PRICE_UNIT
        self.volume: Count = 0
        self.volume_value: Money = 0
        self.base_volume_24h: Count = 0
        self.hourly_volume: deque[tuple[int, Count]] = deque()
        self.open_interest: Count = 0
        self.tape: deque[TradeRecord] = deque(maxlen=MARKET_TAPE_LENGTH)
        self.candles = CandleStore()
        self.result = ""
        self.settlement_value: Price | None = None
        self.expiration_value = ""
        self.settle_ms = 0
        self.settled_ms = 0

    @property
    def yes_bid(self) -> Price:
        """The best bid for YES, 0 for none."""
        return self.top[0]

    @property
    def yes_ask(self) -> Price:
        """The best ask for YES, 10,000 for none."""
        return self.top[2]

    def levels(self, depth: int = 0) -> tuple[PriceLevels, PriceLevels]:
        """Return the YES bids and the NO bids as published: ascending, best last, own-outcome prices."""
        yes, no = self.book.sides
        return yes.published_levels(depth), no.published_levels(depth)

    def volume_24h(self, now: int) -> Count:
        """Return what traded in the last 24 hours, to the hour."""
        hours = self.hourly_volume
        while hours and hours[0][0] < now - DAY_MS:
            hours.popleft()
        return self.base_volume_24h + sum(count for _, count in hours)

    def apply_trade(self, trade: TradeRecord, interest_change: Count) -> None:
        """Add a trade to the tape, the volumes and the candles."""
        price, count, now = trade.price, trade.count, trade.ts_ms
        self.tape.append(trade)
        self.last_price = price
        self.last_size = count
        self.volume += count
        self.volume_value += price * count
        self.open_interest += interest_change
        hour = now // HOUR_MS * HOUR_MS
        hours = self.hourly_volume
        if hours and hours[-1][0] == hour:
            hours[-1] = (hour, hours[-1][1] + count)
        else:
            hours.append((hour, count))
        self.candles.add_trade(now, price, count, self.top[0], self.top[2], self.open_interest)

    def set_history(self, last: Price, previous: Price, volume: Count, volume_24h: Count, last_size: Count) -> None:
        """Set what the market had traded before the world began."""
        self.last_price = last
        self.last_size = last_size
        self.previous_price = previous
        self.volume += volume
        self.volume_value += volume * last
        self.base_volume_24h = volume_24h

    def end_day(self) -> None:
        """Make the present quotes those of the previous day."""
        self.previous_price = self.last_price
        self.previous_bid, _, self.previous_ask, _ = self.top

    def to_record(self, event: EventDefinition, series: SeriesDefinition) -> MarketRecord:
        """Return the market's state for a restart."""
        return MarketRecord(
            terms=self.terms,
            event=event,
            series=series,
            status=self.status,
            structure=self.structure,
            close_ms=self.close_ms,
            result=self.result,
            settlement_value=self.settlement_value,
            expiration_value=self.expiration_value,
            settle_ms=self.settle_ms,
            settled_ms=self.settled_ms,
            settlement_floor=self.settlement_floor,
        )

    def mark_price(self) -> Price:
        """Return the price at which a YES is valued: the last trade's, else the middle of the book, else 50 cents."""
        if self.settlement_value is not None:
            return self.settlement_value
        if self.last_price is not None:
            return self.last_price
        return (self.top[0] + self.top[2]) // 2


class Holding:
    """One account's position and open orders in one market."""

    __slots__ = (
        "account",
        "cost",
        "fee_cost",
        "fees_paid",
        "held",
        "listing",
        "open_sides",
        "position",
        "realized",
        "total_traded",
        "updated_ms",
        "volume",
    )

    def __init__(self, account: "EngineAccount", listing: ListedMarket) -> None:
        self.account = account
        self.listing = listing
        self.position: Count = 0
        self.cost: Money = 0
        self.realized: Money = 0
        self.fees_paid: Money = 0
        self.fee_cost: Money = 0
        self.total_traded: Money = 0
        self.volume: Count = 0
        self.updated_ms = 0
        self.held: Money = 0
        self.open_sides = (SideCollateral(), SideCollateral())

    def apply_fill(self, side: int, outcome_price: Price, count: Count, fee: Money) -> Money:
        """Book a fill and return the change of cash, without the fee.

        A fill on the other side than the position first closes it, then opens a new one with the rest. A YES costs and
        brings its price less the market's settlement floor.
        """
        floor = self.listing.settlement_floor or 0
        cost_each = outcome_price - (0 if side else floor)
        signed = self.position
        against = signed if side else -signed
        closed = min(against, count) if against > 0 else 0
        opened = count - closed
        change = -cost_each * opened
        self.fee_cost += fee
        if closed:
            brought = closed * (PRICE_UNIT - outcome_price - (floor if side else 0))
            # Closing frees cost in proportion, rounded down: the last contract frees what is left, so that a closed
            # position has a cost of exactly zero.
            freed = self.cost * closed // against
            self.cost -= freed
            self.fee_cost -= self.fee_cost * closed // against
            self.realized += brought - freed
            change += brought
        self.cost += opened * cost_each
        self.position = signed - count if side else signed + count
        self.fees_paid += fee
        self.total_traded += count * outcome_price
        self.volume += count
        return change

    def register(self, order: EngineOrder) -> None:
        """Count an open order in."""
        side = self.open_sides[order.side]
        side.orders += 1
        side.fees += order.fee_reserve
        side.adjust(order.outcome_price, order.remaining)

    def unregister(self, order: EngineOrder) -> None:
        """Count an open order out, with all of its remaining count."""
        side = self.open_sides[order.side]
        side.orders -= 1
        side.fees -= order.fee_reserve
        order.fee_reserve = 0
        side.adjust(order.outcome_price, -order.remaining)

    def reduce(self, order: EngineOrder, by: Count, fee_reserve: Money) -> None:
        """Count a part of an open order out; call it while ``remaining`` is still the old one."""
        side = self.open_sides[order.side]
        side.fees += fee_reserve - order.fee_reserve
        order.fee_reserve = fee_reserve
        side.adjust(order.outcome_price, -by)

    def required_collateral(self) -> Money:
        """Return what the open orders have to hold now."""
        bids, asks = self.open_sides
        return bids.required(-self.position) + asks.required(self.position)

    def to_record(self) -> PositionRecord:
        """Return the position as it is now."""
        terms = self.listing.terms
        return PositionRecord(
            account_id=self.account.account_id,
            ticker=self.listing.ticker,
            event_ticker=terms.event_ticker,
            exchange_index=self.listing.shard,
            count=self.position,
            exposure=self.cost,
            realized_pnl=self.realized,
            fees_paid=self.fees_paid,
            total_traded=self.total_traded,
            volume=self.volume,
            fee_cost=self.fee_cost,
            resting_orders=sum(each.orders for each in self.open_sides),
            updated_ms=self.updated_ms,
        )


@dataclass(slots=True, eq=False)
class EngineAccount:
    """A member. Those that keep history have it recorded and streamed; simulated participants do not.

    ``margined`` ones post collateral. ``cash`` by exchange_index includes what is ``held`` for resting orders.
    ``precision`` is what the balance is rounded to after a fill, $0.0001 for a direct member
    (docs/kalshi-api.md, section 9).
    """

    account_id: str
    cash: dict[int, Money]
    keeps_history: bool = True
    margined: bool = True
    precision: Money = CENTICENT
    held: dict[int, Money] = field(default_factory=dict)
    holdings: dict[str, Holding] = field(default_factory=dict)
    orders: dict[str, EngineOrder] = field(default_factory=dict)
    """Every order there ever was, oldest first; only of accounts that keep history."""
    resting_orders: dict[str, EngineOrder] = field(default_factory=dict)
    """The resting ones of ``orders``."""
    client_ids: dict[str, str] = field(default_factory=dict)
    """Used client_order_ids with their order_id; empty for one that was killed."""
    fills: list[FillRecord] = field(default_factory=list)
    settlements: list[SettlementRecord] = field(default_factory=list)
    settled_positions: dict[str, PositionRecord] = field(default_factory=dict)
    """What was held or traded in markets that have settled, by ticker."""
    updated_ms: int = 0
    member_id: str = ""
    """Whose account this is: all subaccounts of a member have the same."""
    subaccount: int = 0
    netting: bool = False

    def available(self, shard: int) -> Money:
        """Return what can be spent on a shard."""
        return self.cash.get(shard, 0) - self.held.get(shard, 0)

    def holding(self, listing: ListedMarket) -> Holding:
        """Return the account's holding in a market, an empty one at first."""
        found = self.holdings.get(listing.ticker)
        if found is None:
            found = self.holdings[listing.ticker] = Holding(self, listing)
        return found

    def update_held(self, holding: Holding) -> None:
        """Recompute what the open orders in one market hold."""
        needed = holding.required_collateral()
        shard = holding.listing.shard
        self.held[shard] = self.held.get(shard, 0) + needed - holding.held
        holding.held = needed


class EngineOrderGroup:
    """One group, on one shard. When more than ``limit`` matches within 15 s it is triggered, until it is reset."""

    __slots__ = ("account_id", "deleted", "exchange_index", "group_id", "limit", "matched", "orders", "triggered")

    def __init__(self, group_id: str, account_id: str, exchange_index: int, limit: Count) -> None:
        self.group_id = group_id
        self.account_id = account_id
        self.exchange_index = exchange_index
        self.limit = limit
        self.triggered = False
        self.deleted = False
        self.orders: dict[str, EngineOrder] = {}
        self.matched: deque[tuple[int, Count]] = deque()

    def matched_in_window(self, now: int) -> Count:
        """Return what matched within the window that ends now."""
        matched = self.matched
        while matched and matched[0][0] <= now - MATCH_WINDOW_MS:
            matched.popleft()
        return sum(count for _, count in matched)

    def add_match(self, count: Count, now: int) -> bool:
        """Count a match. Return whether the limit is passed now."""
        self.matched.append((now, count))
        return self.matched_in_window(now) > self.limit

    def reset(self) -> None:
        """Open the group again and forget what matched."""
        self.triggered = False
        self.matched.clear()

    def to_record(self) -> GroupRecord:
        """Return the group as it is now."""
        return GroupRecord(
            group_id=self.group_id,
            account_id=self.account_id,
            exchange_index=self.exchange_index,
            limit=self.limit,
            triggered=self.triggered,
            order_ids=tuple(self.orders),
            matched=tuple(self.matched),
            deleted=self.deleted,
        )
