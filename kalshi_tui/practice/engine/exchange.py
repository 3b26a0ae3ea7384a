"""The practice exchange's engine: orders, accounts, markets. Pure and deterministic.

No I/O, no asyncio, no wall clock: time comes from the injected ``clock``, randomness from the seed. Each operation
runs to its end, appends what it did to a queue of events (`Exchange.drain_events`), and either returns a result or
raises `Rejection` with nothing changed. Rules: docs/kalshi-api.md, sections 4 and 6 to 10.

The layers below, each with one concern: `core` (state, ids, events), `trading` (matching and money), `lifecycle`
(markets' lives, pauses), and here the operations that an account may ask for.
"""

from collections.abc import Iterable
from typing import Final

from kalshi_tui.domain.market import MarketStatus
from kalshi_tui.domain.order import SelfTrade, TimeInForce
from kalshi_tui.domain.price import COUNT_UNIT, PRICE_UNIT, Count, Money
from kalshi_tui.practice.engine.accounts import EngineAccount
from kalshi_tui.practice.engine.core import (
    HOUSE_ACCOUNT_ID,
    SHARDS,
    Catalog,
    MarketOutcome,
    OutcomeSource,
)
from kalshi_tui.practice.engine.events import GroupChange
from kalshi_tui.practice.engine.lifecycle import binary_outcome, scalar_outcome
from kalshi_tui.practice.engine.listing import ListedMarket
from kalshi_tui.practice.engine.order_groups import EngineOrderGroup
from kalshi_tui.practice.engine.orders import BOOK_SIDES, EngineOrder, side_index
from kalshi_tui.practice.engine.queries import Queries
from kalshi_tui.practice.engine.records import (
    AmendRequest,
    CancelResult,
    DecreaseResult,
    GroupRecord,
    OrderRequest,
    PlaceResult,
)
from kalshi_tui.practice.engine.rejection import (
    Rejection,
    invalid_order,
    market_inactive,
    not_found,
)
from kalshi_tui.practice.engine.restore import Restores

__all__ = [
    "HOUSE_ACCOUNT_ID",
    "SHARDS",
    "Catalog",
    "Exchange",
    "MarketOutcome",
    "OutcomeSource",
    "Rejection",
    "binary_outcome",
    "scalar_outcome",
]

MAX_COUNT: Final = 1_000_000_000 * COUNT_UNIT
"""An order for more contracts than this is a slip of the finger."""
MAX_GROUP_LIMIT: Final = 1_000_000 * COUNT_UNIT


class Exchange(Queries, Restores):
    """A whole exchange. See the module's text, and `Core.__init__` for the arguments."""

    # -- creating ----------------------------------------------------------------------------------------------------

    def create_order(self, account_id: str, request: OrderRequest) -> PlaceResult:
        """Place an order. Raises Refusal; the codes are in docs/kalshi-api.md, section 10."""
        now = self._advance_clock()
        self._require_trading_active()
        order = self._build_order(self.account(account_id), request, now)
        return self._submit(order, now)

    def batch_create(self, account_id: str, requests: Iterable[OrderRequest]) -> list[PlaceResult | Rejection]:
        """Place several orders, one after the other; a refused one stops none of the rest."""
        results: list[PlaceResult | Rejection] = []
        for request in requests:
            try:
                results.append(self.create_order(account_id, request))
            except Rejection as refusal:
                results.append(refusal)
        return results

    def _require_trading_active(self) -> None:
        self._require_exchange_active()
        if not self.trading_active:
            raise Rejection(
                503, "trading_paused", "trading is paused", "placing and amending orders is not possible now"
            )

    def _require_exchange_active(self) -> None:
        if not self.exchange_active:
            raise Rejection(503, "exchange_paused", "exchange is paused", "nothing is possible now")

    def _find_routed_market(self, ticker: str, exchange_index: int | None) -> ListedMarket:
        """Return the market on the shard that the request goes to (docs/kalshi-api.md, section 6)."""
        if not ticker:
            raise Rejection(400, "missing_parameters", "missing parameters", "ticker")
        listing = self.listing(ticker)
        if exchange_index is not None and exchange_index not in {-1, listing.shard}:
            raise Rejection(404, "market_not_found", "market not found", f"{ticker} is not on that exchange_index")
        return listing

    def _require_open(self, listing: ListedMarket) -> None:
        if listing.status is not MarketStatus.ACTIVE:
            raise market_inactive(listing.ticker)

    def _build_order(self, account: EngineAccount, request: OrderRequest, now: int) -> EngineOrder:
        """Make an order of a request whose terms are legal, whatever the book holds. Raises Refusal."""
        listing = self._find_routed_market(request.ticker, request.exchange_index)
        _require_valid_terms(request, now)
        self._require_open(listing)
        _require_valid_price_and_count(listing, request.price, request.count)
        side = side_index(request.side)
        holding = account.holding(listing)
        count = request.count
        if request.reduce_only:
            count = min(count, holding.position if side else -holding.position)
            if count <= 0:
                raise invalid_order("reduce_only order would not reduce a position")
        if request.group_id:
            group = self._find_group(account, request.group_id)
            if group.exchange_index != listing.shard:
                raise invalid_order("the order group is on another exchange_index")
            if group.triggered:
                raise invalid_order("the order group is triggered: reset it first")
        self._require_unused_client_id(account, request.client_order_id)
        return EngineOrder(
            self.new_id(),
            account,
            listing,
            holding,
            side,
            PRICE_UNIT - request.price if side else request.price,
            count,
            now,
            request.tif,
            request.self_trade,
            request.client_order_id,
            post_only=request.post_only,
            cancel_on_pause=request.cancel_on_pause,
            group_id=request.group_id,
            expires_ms=request.expires_ms or 0,
        )

    def _require_unused_client_id(self, account: EngineAccount, client_order_id: str) -> None:
        used = account.client_ids.get(client_order_id) if client_order_id else None
        if used is None:
            return
        if self.dedupe == "ever" or used in account.resting_orders:
            raise Rejection(409, "order_already_exists", "order already exists", client_order_id)

    # -- canceling --------------------------------------------------------------------------------------------------

    def cancel_order(
        self, account_id: str, order_id: str, ticker: str = "", exchange_index: int | None = None
    ) -> CancelResult:
        """Cancel a resting order. Without ``ticker`` and ``exchange_index`` only shard 0 is looked at.

        Raises Refusal: 404 for one that is gone or elsewhere, 409 in a closed market, 503 in an exchange pause.
        """
        now = self._advance_clock()
        self._require_exchange_active()
        order = self._find_open_order(account_id, order_id, ticker, exchange_index)
        return self._cancel_one(order, now)

    def batch_cancel(
        self, account_id: str, items: Iterable[tuple[str, str, int | None]]
    ) -> list[CancelResult | Rejection]:
        """Cancel several orders, given as order_id, market ticker ("" for none), exchange_index (None for none)."""
        results: list[CancelResult | Rejection] = []
        for order_id, ticker, exchange_index in items:
            try:
                results.append(self.cancel_order(account_id, order_id, ticker, exchange_index))
            except Rejection as refusal:
                results.append(refusal)
        return results

    def cancel_all(self, account_id: str, exchange_index: int | None = None) -> list[CancelResult]:
        """Cancel every resting order of an account, on one shard or all; closed markets' are left to the sweep."""
        now = self._advance_clock()
        self._require_exchange_active()
        return [
            self._cancel_one(order, now)
            for order in list(self.account(account_id).resting_orders.values())
            if order.listing.status in {MarketStatus.ACTIVE, MarketStatus.INACTIVE}
            and (exchange_index in {None, -1} or order.listing.shard == exchange_index)
        ]

    def _cancel_one(self, order: EngineOrder, now: int) -> CancelResult:
        left = self._cancel(order, now, "canceled by the account")
        self._update_quote(order.listing, now)
        self._flush_balances(now)
        return CancelResult(order.order_id, order.client_order_id, left, now)

    def _find_open_order(self, account_id: str, order_id: str, ticker: str, exchange_index: int | None) -> EngineOrder:
        if exchange_index is not None and exchange_index >= 0:
            shard = exchange_index
        else:
            shard = self.listing(ticker).shard if ticker else 0
        order = self.account(account_id).resting_orders.get(order_id)
        if order is None or order.listing.shard != shard:
            raise not_found("order not found")
        if order.listing.status not in {MarketStatus.ACTIVE, MarketStatus.INACTIVE}:
            raise market_inactive(order.listing.ticker)
        return order

    # -- changing ----------------------------------------------------------------------------------------------------

    def amend_order(self, account_id: str, order_id: str, request: AmendRequest) -> PlaceResult:
        """Change a resting order's price and total count. A new price or a greater size loses its place in the queue.

        It may trade at once. Raises Refusal, with nothing changed.
        """
        now = self._advance_clock()
        self._require_trading_active()
        listing = self._find_routed_market(request.ticker, request.exchange_index)
        order = self._find_open_order(account_id, order_id, request.ticker, request.exchange_index)
        if order.listing is not listing or BOOK_SIDES[order.side] is not request.side:
            raise invalid_order("ticker and side must be the order's own")
        if request.client_order_id and request.client_order_id != order.client_order_id:
            raise invalid_order("client_order_id is not the order's own")
        self._require_open(listing)
        _require_valid_price_and_count(listing, request.price, request.count)
        if request.count <= order.filled:
            raise invalid_order("count must be more than what is filled: already filled + wanted remaining")
        if request.updated_client_order_id and request.updated_client_order_id != order.client_order_id:
            self._require_unused_client_id(order.account, request.updated_client_order_id)
        return self._amend_order(order, request, now)

    def _amend_order(self, order: EngineOrder, request: AmendRequest, now: int) -> PlaceResult:
        own = PRICE_UNIT - request.price if order.side else request.price
        remaining = request.count - order.filled
        before, filled, fees = order.remaining, order.filled, order.taker_fees
        value = 0
        if own == order.outcome_price and remaining <= before:
            if remaining < before:
                self._reduce(order, before - remaining, now)
                order.initial = request.count
        else:
            value = self._requeue(order, own, remaining, now)
        new_id = request.updated_client_order_id
        if new_id and new_id != order.client_order_id:
            self._change_client_order_id(order, new_id)
        order.updated_ms = now
        self._emit_order_change(order)
        self._update_quote(order.listing, now, traded=order.filled > filled)
        self._flush_balances(now)
        return PlaceResult(
            order.order_id,
            order.client_order_id,
            order.filled - filled,
            order.remaining,
            value,
            order.taker_fees - fees,
            now,
            changed=order.filled > filled or order.remaining != before,
        )

    def decrease_order(
        self,
        account_id: str,
        order_id: str,
        *,
        reduce_by: Count | None = None,
        reduce_to: Count | None = None,
        ticker: str = "",
        exchange_index: int | None = None,
    ) -> DecreaseResult:
        """Make a resting order smaller, by or to a count; it keeps its place; at 0 it is canceled. Raises Refusal."""
        now = self._advance_clock()
        self._require_exchange_active()
        if (reduce_by is None) == (reduce_to is None):
            raise invalid_order("exactly one of reduce_by and reduce_to must be given")
        order = self._find_open_order(account_id, order_id, ticker, exchange_index)
        target = max(0, order.remaining - reduce_by) if reduce_by is not None else reduce_to or 0
        if target > order.remaining:
            raise invalid_order("reduce_to is more than what remains")
        if target == 0:
            self._cancel_one(order, now)
        elif target < order.remaining:
            self._reduce(order, order.remaining - target, now)
            order.updated_ms = now
            self._emit_order_change(order)
            self._update_quote(order.listing, now)
            self._flush_balances(now)
        return DecreaseResult(order.order_id, order.client_order_id, order.remaining, now)

    # -- order groups ------------------------------------------------------------------------------------------------

    def create_group(self, account_id: str, limit: Count, exchange_index: int = 0) -> GroupRecord:
        """Make an order group with a limit of matched contracts per rolling 15 s. Raises Refusal 400 on a bad limit."""
        self._advance_clock()
        self._require_exchange_active()
        _require_group_limit(limit)
        if exchange_index not in SHARDS:
            raise Rejection(400, "bad_request", "bad request", "no such exchange_index")
        group = EngineOrderGroup(self.new_id(), account_id, exchange_index, limit)
        self.groups[group.group_id] = group
        self._emit_group_change(group, GroupChange.CREATED)
        return group.to_record()

    def order_groups(self, account_id: str) -> list[GroupRecord]:
        """Return an account's groups, oldest first."""
        return [group.to_record() for group in self.groups.values() if group.account_id == account_id]

    def order_group(self, account_id: str, group_id: str) -> GroupRecord:
        """Return one group. Raises Refusal 404."""
        return self._find_group(self.account(account_id), group_id).to_record()

    def reset_group(self, account_id: str, group_id: str) -> None:
        """Open a triggered group again and forget what matched. Raises Refusal 404."""
        self._advance_clock()
        self._require_exchange_active()
        group = self._find_group(self.account(account_id), group_id)
        group.reset()
        self._emit_group_change(group, GroupChange.RESET)

    def trigger_group(self, account_id: str, group_id: str) -> None:
        """Cancel a group's orders and close it until it is reset. Raises Refusal 404."""
        now = self._advance_clock()
        self._require_exchange_active()
        self._trigger_group(self._find_group(self.account(account_id), group_id), now)
        self._flush_balances(now)

    def set_group_limit(self, account_id: str, group_id: str, limit: Count) -> None:
        """Set a group's limit; one below what has matched within 15 s triggers it. Raises Refusal 404 or 400."""
        now = self._advance_clock()
        self._require_exchange_active()
        _require_group_limit(limit)
        group = self._find_group(self.account(account_id), group_id)
        group.limit = limit
        if not group.triggered and group.matched_in_window(now) > limit:
            self._trigger_group(group, now)
            self._flush_balances(now)
        else:
            self._emit_group_change(group, GroupChange.LIMIT)

    def delete_group(self, account_id: str, group_id: str) -> None:
        """Cancel a group's orders and remove it. Raises Refusal 404."""
        now = self._advance_clock()
        self._require_exchange_active()
        group = self._find_group(self.account(account_id), group_id)
        group.deleted = True
        self._trigger_group(group, now)
        del self.groups[group_id]
        self._flush_balances(now)

    def _find_group(self, account: EngineAccount, group_id: str) -> EngineOrderGroup:
        group = self.groups.get(group_id)
        if group is None or group.account_id != account.account_id:
            raise not_found("order group not found")
        return group

    # -- money -------------------------------------------------------------------------------------------------------

    def transfer(self, account_id: str, source: int, target: int, amount: Money) -> None:
        """Move cash between two shards. Raises Refusal 400 for a shard or an amount that cannot be."""
        now = self._advance_clock()
        self._require_exchange_active()
        account = self.account(account_id)
        if source not in account.cash or target not in account.cash or source == target:
            raise Rejection(
                400, "bad_request", "bad request", "source and target must be two different exchange_indexes"
            )
        if amount <= 0 or amount % account.precision:
            raise Rejection(400, "bad_request", "bad request", "the amount must be more than 0, in whole $0.0001")
        if amount > account.available(source):
            raise Rejection(400, "insufficient_balance", "insufficient balance", "not enough cash on the source")
        for shard, change in ((source, -amount), (target, amount)):
            account.cash[shard] += change
            self.deposited[shard] += change
            self._mark_balance_changed(account, shard)
        self._flush_balances(now)


def _require_valid_terms(request: OrderRequest, now: int) -> None:
    """Refuse combinations that no order can have (docs/kalshi-api.md, section 10)."""
    if request.subaccount:
        raise Rejection(400, "bad_request", "bad request", "this account has no subaccounts: leave it out or give 0")
    if request.reduce_only and request.tif is not TimeInForce.IOC:
        raise invalid_order("reduce_only can only be used with IoC orders")
    if request.expires_ms is not None and request.tif is not TimeInForce.GTC:
        code = "Cannot_specify_both_IoC_and_expiration_timestamp"
        raise Rejection(400, code, "invalid order", "expiration_time works only with good_till_canceled")
    if request.expires_ms is not None and request.expires_ms <= now:
        raise invalid_order("expiration_time is in the past")
    if request.post_only and request.tif is not TimeInForce.GTC:
        raise invalid_order("post_only can only be used with good_till_canceled orders")
    if not isinstance(request.self_trade, SelfTrade):
        raise invalid_order("self_trade_prevention_type")


def _require_valid_price_and_count(listing: ListedMarket, price: int, count: Count) -> None:
    """Refuse a price off the market's grid and a count that no order can have (docs/kalshi-api.md, section 3)."""
    if price not in listing.grid:
        raise invalid_order("price is not on the market's price grid")
    if not 0 < count <= MAX_COUNT:
        raise invalid_order("count must be more than 0" if count <= 0 else "count is too large")


def _require_group_limit(limit: Count) -> None:
    if not COUNT_UNIT <= limit <= MAX_GROUP_LIMIT:
        raise Rejection(400, "bad_request", "bad request", "contracts_limit must lie between 1 and 1,000,000")
