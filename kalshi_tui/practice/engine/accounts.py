"""Accounts: cash on each shard, holdings, and the collateral that resting orders hold.

A resting order holds what its fills could cost: the price of its outcome times the count that would open a position,
and its fees as a maker. A count that would close a position holds nothing; the position covers it, and what closing it
brings pays the fees first. Of several orders on one side the best-priced ones close first, as they would trade first.
Each side is computed as if the other were not there, so no run of fills and cancels, in any order, can take an account
below zero.
"""

from bisect import bisect_left, insort
from dataclasses import dataclass, field

from kalshi_tui.domain.fees import CENTICENT
from kalshi_tui.domain.price import PRICE_UNIT, Count, Money, Price
from kalshi_tui.practice.engine.listing import ListedMarket
from kalshi_tui.practice.engine.orders import EngineOrder
from kalshi_tui.practice.engine.records import FillRecord, PositionRecord, SettlementRecord


class Holding:
    """One account's position and open orders in one market."""

    __slots__ = (
        "account",
        "cost",
        "fee_cost",
        "fees_paid",
        "held",
        "listing",
        "open_cost",
        "open_count",
        "open_fees",
        "open_levels",
        "open_orders",
        "open_prices",
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
        # Sums over the open orders by side, and their counts by price; kept for accounts that post collateral.
        self.open_orders = [0, 0]
        self.open_levels: tuple[dict[Price, Count], dict[Price, Count]] = ({}, {})
        self.open_prices: tuple[list[Price], list[Price]] = ([], [])
        self.open_cost: list[Money] = [0, 0]
        self.open_count: list[Count] = [0, 0]
        self.open_fees: list[Money] = [0, 0]

    def apply_fill(self, side: int, outcome_price: Price, count: Count, fee: Money) -> Money:
        """Book a fill and give what it does to cash, the fee apart.

        Closing gives up cost in proportion, rounded down, so that the last contract takes what is left.
        """
        signed = self.position
        against = signed if side else -signed
        closed = min(against, count) if against > 0 else 0
        opened = count - closed
        change = -outcome_price * opened
        self.fee_cost += fee
        if closed:
            brought = closed * (PRICE_UNIT - outcome_price)
            freed = self.cost * closed // against
            self.cost -= freed
            self.fee_cost -= self.fee_cost * closed // against
            self.realized += brought - freed
            change += brought
        self.cost += opened * outcome_price
        self.position = signed - count if side else signed + count
        self.fees_paid += fee
        self.total_traded += count * outcome_price
        self.volume += count
        return change

    def register(self, order: EngineOrder) -> None:
        """Count an open order in."""
        side = order.side
        self.open_orders[side] += 1
        self.open_fees[side] += order.fee_reserve
        self._adjust_level(side, order.outcome_price, order.remaining)

    def unregister(self, order: EngineOrder) -> None:
        """Count an open order out, with all that it has left."""
        side = order.side
        self.open_orders[side] -= 1
        self.open_fees[side] -= order.fee_reserve
        order.fee_reserve = 0
        self._adjust_level(side, order.outcome_price, -order.remaining)

    def reduce(self, order: EngineOrder, by: Count, fee_reserve: Money) -> None:
        """Count a part of an open order out; called while ``remaining`` is still the old one."""
        side = order.side
        self.open_fees[side] += fee_reserve - order.fee_reserve
        order.fee_reserve = fee_reserve
        self._adjust_level(side, order.outcome_price, -by)

    def _adjust_level(self, side: int, outcome_price: Price, delta: Count) -> None:
        if not delta:
            return
        self.open_cost[side] += outcome_price * delta
        self.open_count[side] += delta
        levels, prices = self.open_levels[side], self.open_prices[side]
        count = levels.get(outcome_price)
        if count is None:
            levels[outcome_price] = delta
            insort(prices, outcome_price)
        elif count + delta:
            levels[outcome_price] = count + delta
        else:
            del levels[outcome_price]
            del prices[bisect_left(prices, outcome_price)]

    def required_collateral(self) -> Money:
        """Return what the open orders have to hold now."""
        return self._required_for_side(0, -self.position) + self._required_for_side(1, self.position)

    def _required_for_side(self, side: int, closable: Count) -> Money:
        fees, cost, count = self.open_fees[side], self.open_cost[side], self.open_count[side]
        if closable <= 0:
            return cost + fees
        if closable >= count:
            return max(0, fees - (count * PRICE_UNIT - cost))
        brought = 0
        levels = self.open_levels[side]
        for own in reversed(self.open_prices[side]):
            closes = min(closable, levels[own])
            cost -= closes * own
            brought += closes * (PRICE_UNIT - own)
            closable -= closes
            if not closable:
                break
        return cost + max(0, fees - brought)

    def to_record(self) -> PositionRecord:
        """Return the position as it stands now."""
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
            resting_orders=sum(self.open_orders),
            updated_ms=self.updated_ms,
        )


@dataclass(slots=True, eq=False)
class EngineAccount:
    """A member. ``kept`` ones have their history recorded and hear of it; simulated participants do not.

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
    """Every order there ever was, oldest first; kept accounts only."""
    resting_orders: dict[str, EngineOrder] = field(default_factory=dict)
    """The resting ones of ``orders``."""
    client_ids: dict[str, str] = field(default_factory=dict)
    """Used client_order_ids with their order_id; empty for one that was killed."""
    fills: list[FillRecord] = field(default_factory=list)
    settlements: list[SettlementRecord] = field(default_factory=list)
    updated_ms: int = 0

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
        """Compute anew what the open orders in one market hold."""
        needed = holding.required_collateral()
        shard = holding.listing.shard
        self.held[shard] = self.held.get(shard, 0) + needed - holding.held
        holding.held = needed
