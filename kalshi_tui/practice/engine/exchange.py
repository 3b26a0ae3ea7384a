"""The practice exchange's engine: orders, accounts, markets. Pure and deterministic.

No I/O, no asyncio, no wall clock: time comes from the injected ``clock_ms``, randomness from the seed. Each operation
runs to its end, appends what it did to a queue of events (`Exchange.take_events`), and either returns a result or
raises `Refusal` with nothing changed. Rules: docs/kalshi-api.md, sections 4 and 6 to 10.

The layers below, each with one concern: `core` (state, ids, events), `trading` (matching and money), `lifecycle`
(markets' lives, pauses), and here the operations that an account may ask for.
"""

from collections.abc import Iterable
from typing import Final

from kalshi_tui.domain.market import MarketStatus
from kalshi_tui.domain.order import SelfTrade, TimeInForce
from kalshi_tui.domain.price import COUNT_UNIT, PRICE_UNIT, Count, Money
from kalshi_tui.practice.engine.accounts import Account
from kalshi_tui.practice.engine.core import (
    HOUSE,
    SHARDS,
    Catalog,
    Outcome,
    OutcomeSource,
)
from kalshi_tui.practice.engine.events import GroupChange
from kalshi_tui.practice.engine.lifecycle import scalar, yes_or_no
from kalshi_tui.practice.engine.listing import Listing
from kalshi_tui.practice.engine.order_groups import OrderGroup
from kalshi_tui.practice.engine.orders import SIDES, Order, side_index
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
    Refusal,
    invalid_order,
    market_inactive,
    not_found,
)
from kalshi_tui.practice.engine.restore import Restores

__all__ = [
    "HOUSE",
    "SHARDS",
    "Catalog",
    "Exchange",
    "Outcome",
    "OutcomeSource",
    "Refusal",
    "scalar",
    "yes_or_no",
]

MAX_COUNT: Final = 1_000_000_000 * COUNT_UNIT
"""An order for more contracts than this is a slip of the finger."""
MAX_GROUP_LIMIT: Final = 1_000_000 * COUNT_UNIT


class Exchange(Queries, Restores):
    """A whole exchange. See the module's text, and `Core.__init__` for the arguments."""

    # -- creating ----------------------------------------------------------------------------------------------------

    def create_order(self, account_id: str, request: OrderRequest) -> PlaceResult:
        """Place an order. Raises Refusal; the codes are in docs/kalshi-api.md, section 10."""
        now = self._tick()
        self._require_trading()
        order = self._legal(self.account(account_id), request, now)
        return self._submit(order, now)

    def batch_create(self, account_id: str, requests: Iterable[OrderRequest]) -> list[PlaceResult | Refusal]:
        """Place several orders, one after the other; a refused one stops none of the rest."""
        results: list[PlaceResult | Refusal] = []
        for request in requests:
            try:
                results.append(self.create_order(account_id, request))
            except Refusal as refusal:
                results.append(refusal)
        return results

    def _require_trading(self) -> None:
        self._require_exchange()
        if not self.trading_active:
            raise Refusal(503, "trading_paused", "trading is paused", "placing and amending orders is not possible now")

    def _require_exchange(self) -> None:
        if not self.exchange_active:
            raise Refusal(503, "exchange_paused", "exchange is paused", "nothing is possible now")

    def _routed(self, ticker: str, exchange_index: int | None) -> Listing:
        """Give the market on the shard that the request goes to (docs/kalshi-api.md, section 6)."""
        if not ticker:
            raise Refusal(400, "missing_parameters", "missing parameters", "ticker")
        listing = self.listing(ticker)
        if exchange_index is not None and exchange_index not in {-1, listing.shard}:
            raise Refusal(404, "market_not_found", "market not found", f"{ticker} is not on that exchange_index")
        return listing

    def _require_open(self, listing: Listing) -> None:
        if listing.status is not MarketStatus.ACTIVE:
            raise market_inactive(listing.ticker)

    def _legal(self, account: Account, request: OrderRequest, now: int) -> Order:
        """Make an order of a request whose terms are legal, whatever the book holds. Raises Refusal."""
        listing = self._routed(request.ticker, request.exchange_index)
        _require_legal_terms(request, now)
        self._require_open(listing)
        _require_legal_numbers(listing, request.price, request.count)
        side = side_index(request.side)
        holding = account.holding(listing)
        count = request.count
        if request.reduce_only:
            count = min(count, holding.position if side else -holding.position)
            if count <= 0:
                raise invalid_order("reduce_only order would not reduce a position")
        if request.group_id:
            group = self._group(account, request.group_id)
            if group.exchange_index != listing.shard:
                raise invalid_order("the order group is on another exchange_index")
            if group.triggered:
                raise invalid_order("the order group is triggered: reset it first")
        self._require_new_id(account, request.client_order_id)
        return Order(
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

    def _require_new_id(self, account: Account, client_order_id: str) -> None:
        used = account.client_ids.get(client_order_id) if client_order_id else None
        if used is None:
            return
        if self.dedupe == "ever" or used in account.live:
            raise Refusal(409, "order_already_exists", "order already exists", client_order_id)

    # -- cancelling --------------------------------------------------------------------------------------------------

    def cancel_order(
        self, account_id: str, order_id: str, ticker: str = "", exchange_index: int | None = None
    ) -> CancelResult:
        """Cancel a resting order. Without ``ticker`` and ``exchange_index`` only shard 0 is looked at.

        Raises Refusal: 404 for one that is gone or elsewhere, 409 in a closed market, 503 in an exchange pause.
        """
        now = self._tick()
        self._require_exchange()
        order = self._open_order(account_id, order_id, ticker, exchange_index)
        return self._cancel_one(order, now)

    def batch_cancel(
        self, account_id: str, items: Iterable[tuple[str, str, int | None]]
    ) -> list[CancelResult | Refusal]:
        """Cancel several orders, given as order_id, market ticker ("" for none), exchange_index (None for none)."""
        results: list[CancelResult | Refusal] = []
        for order_id, ticker, exchange_index in items:
            try:
                results.append(self.cancel_order(account_id, order_id, ticker, exchange_index))
            except Refusal as refusal:
                results.append(refusal)
        return results

    def cancel_all(self, account_id: str, exchange_index: int | None = None) -> list[CancelResult]:
        """Cancel every resting order of an account, on one shard or all; closed markets' are left to the sweep."""
        now = self._tick()
        self._require_exchange()
        return [
            self._cancel_one(order, now)
            for order in list(self.account(account_id).live.values())
            if order.listing.status in {MarketStatus.ACTIVE, MarketStatus.INACTIVE}
            and (exchange_index in {None, -1} or order.listing.shard == exchange_index)
        ]

    def _cancel_one(self, order: Order, now: int) -> CancelResult:
        left = self._cancel(order, now, "cancelled by the account")
        self._requote(order.listing, now)
        self._flush_balances(now)
        return CancelResult(order.order_id, order.client_order_id, left, now)

    def _open_order(self, account_id: str, order_id: str, ticker: str, exchange_index: int | None) -> Order:
        if exchange_index is not None and exchange_index >= 0:
            shard = exchange_index
        else:
            shard = self.listing(ticker).shard if ticker else 0
        order = self.account(account_id).live.get(order_id)
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
        now = self._tick()
        self._require_trading()
        listing = self._routed(request.ticker, request.exchange_index)
        order = self._open_order(account_id, order_id, request.ticker, request.exchange_index)
        if order.listing is not listing or SIDES[order.side] is not request.side:
            raise invalid_order("ticker and side must be the order's own")
        if request.client_order_id and request.client_order_id != order.client_order_id:
            raise invalid_order("client_order_id is not the order's own")
        self._require_open(listing)
        _require_legal_numbers(listing, request.price, request.count)
        if request.count <= order.filled:
            raise invalid_order("count must be more than what is filled: already filled + wanted remaining")
        if request.updated_client_order_id and request.updated_client_order_id != order.client_order_id:
            self._require_new_id(order.account, request.updated_client_order_id)
        return self._amend_order(order, request, now)

    def _amend_order(self, order: Order, request: AmendRequest, now: int) -> PlaceResult:
        own = PRICE_UNIT - request.price if order.side else request.price
        remaining = request.count - order.filled
        before, filled, fees = order.remaining, order.filled, order.taker_fees
        value = 0
        if own == order.own and remaining <= before:
            if remaining < before:
                self._reduce(order, before - remaining, now)
                order.initial = request.count
        else:
            value = self._requeue(order, own, remaining, now)
        new_id = request.updated_client_order_id
        if new_id and new_id != order.client_order_id:
            self._rename(order, new_id)
        order.updated_ms = now
        self._tell_order(order)
        self._requote(order.listing, now, traded=order.filled > filled)
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
        """Make a resting order smaller, by or to a count; it keeps its place; at 0 it is cancelled. Raises Refusal."""
        now = self._tick()
        self._require_exchange()
        if (reduce_by is None) == (reduce_to is None):
            raise invalid_order("exactly one of reduce_by and reduce_to must be given")
        order = self._open_order(account_id, order_id, ticker, exchange_index)
        target = max(0, order.remaining - reduce_by) if reduce_by is not None else reduce_to or 0
        if target > order.remaining:
            raise invalid_order("reduce_to is more than what remains")
        if target == 0:
            self._cancel_one(order, now)
        elif target < order.remaining:
            self._reduce(order, order.remaining - target, now)
            order.updated_ms = now
            self._tell_order(order)
            self._requote(order.listing, now)
            self._flush_balances(now)
        return DecreaseResult(order.order_id, order.client_order_id, order.remaining, now)

    # -- order groups ------------------------------------------------------------------------------------------------

    def create_group(self, account_id: str, limit: Count, exchange_index: int = 0) -> GroupRecord:
        """Make an order group with a limit of matched contracts per rolling 15 s. Raises Refusal 400 on a bad limit."""
        self._tick()
        self._require_exchange()
        _require_group_limit(limit)
        if exchange_index not in SHARDS:
            raise Refusal(400, "bad_request", "bad request", "no such exchange_index")
        group = OrderGroup(self.new_id(), account_id, exchange_index, limit)
        self.groups[group.group_id] = group
        self._tell_group(group, GroupChange.CREATED)
        return group.record()

    def order_groups(self, account_id: str) -> list[GroupRecord]:
        """Give an account's groups, oldest first."""
        return [group.record() for group in self.groups.values() if group.account_id == account_id]

    def order_group(self, account_id: str, group_id: str) -> GroupRecord:
        """Give one group. Raises Refusal 404."""
        return self._group(self.account(account_id), group_id).record()

    def reset_group(self, account_id: str, group_id: str) -> None:
        """Open a triggered group again and forget what matched. Raises Refusal 404."""
        self._tick()
        self._require_exchange()
        group = self._group(self.account(account_id), group_id)
        group.reset()
        self._tell_group(group, GroupChange.RESET)

    def trigger_group(self, account_id: str, group_id: str) -> None:
        """Cancel a group's orders and close it until it is reset. Raises Refusal 404."""
        now = self._tick()
        self._require_exchange()
        self._trigger(self._group(self.account(account_id), group_id), now)
        self._flush_balances(now)

    def limit_group(self, account_id: str, group_id: str, limit: Count) -> None:
        """Set a group's limit; one below what has matched within 15 s triggers it. Raises Refusal 404 or 400."""
        now = self._tick()
        self._require_exchange()
        _require_group_limit(limit)
        group = self._group(self.account(account_id), group_id)
        group.limit = limit
        if not group.triggered and group.rolling(now) > limit:
            self._trigger(group, now)
            self._flush_balances(now)
        else:
            self._tell_group(group, GroupChange.LIMIT)

    def delete_group(self, account_id: str, group_id: str) -> None:
        """Cancel a group's orders and remove it. Raises Refusal 404."""
        now = self._tick()
        self._require_exchange()
        group = self._group(self.account(account_id), group_id)
        group.deleted = True
        self._trigger(group, now)
        del self.groups[group_id]
        self._flush_balances(now)

    def _group(self, account: Account, group_id: str) -> OrderGroup:
        group = self.groups.get(group_id)
        if group is None or group.account_id != account.account_id:
            raise not_found("order group not found")
        return group

    # -- money -------------------------------------------------------------------------------------------------------

    def transfer(self, account_id: str, source: int, target: int, amount: Money) -> None:
        """Move cash between two shards. Raises Refusal 400 for a shard or an amount that cannot be."""
        now = self._tick()
        self._require_exchange()
        account = self.account(account_id)
        if source not in account.cash or target not in account.cash or source == target:
            raise Refusal(400, "bad_request", "bad request", "source and target must be two different exchange_indexes")
        if amount <= 0 or amount % account.precision:
            raise Refusal(400, "bad_request", "bad request", "the amount must be more than 0, in whole $0.0001")
        if amount > account.available(source):
            raise Refusal(400, "insufficient_balance", "insufficient balance", "not enough cash on the source")
        for shard, change in ((source, -amount), (target, amount)):
            account.cash[shard] += change
            self.deposited[shard] += change
            self._money_moved(account, shard)
        self._flush_balances(now)


def _require_legal_terms(request: OrderRequest, now: int) -> None:
    """Refuse combinations that no order can have (docs/kalshi-api.md, section 10)."""
    if request.subaccount:
        raise Refusal(400, "bad_request", "bad request", "this account has no subaccounts: leave it out or give 0")
    if request.reduce_only and request.tif is not TimeInForce.IOC:
        raise invalid_order("reduce_only can only be used with IoC orders")
    if request.expires_ms is not None and request.tif is not TimeInForce.GTC:
        code = "Cannot_specify_both_IoC_and_expiration_timestamp"
        raise Refusal(400, code, "invalid order", "expiration_time works only with good_till_canceled")
    if request.expires_ms is not None and request.expires_ms <= now:
        raise invalid_order("expiration_time is in the past")
    if request.post_only and request.tif is not TimeInForce.GTC:
        raise invalid_order("post_only can only be used with good_till_canceled orders")
    if not isinstance(request.self_trade, SelfTrade):
        raise invalid_order("self_trade_prevention_type")


def _require_legal_numbers(listing: Listing, price: int, count: Count) -> None:
    """Refuse a price off the market's grid and a count that no order can have (docs/kalshi-api.md, section 3)."""
    if price not in listing.grid:
        raise invalid_order("price is not on the market's price grid")
    if not 0 < count <= MAX_COUNT:
        raise invalid_order("count must be more than 0" if count <= 0 else "count is too large")


def _require_group_limit(limit: Count) -> None:
    if not COUNT_UNIT <= limit <= MAX_GROUP_LIMIT:
        raise Refusal(400, "bad_request", "bad request", "contracts_limit must lie between 1 and 1,000,000")
