"""Order entry: create, cancel, amend and decrease, as an account asks for them.

docs/kalshi-api.md, section 6; the codes of rejections: docs/kalshi-api.md, section 10.
"""

from typing import Final

from kalshi_tui.domain.market import MarketStatus
from kalshi_tui.domain.order import SelfTrade, TimeInForce
from kalshi_tui.domain.price import COUNT_UNIT, PRICE_UNIT, Count
from kalshi_tui.domain.update_reason import UpdateReason
from kalshi_tui.practice.engine.matching import Matcher
from kalshi_tui.practice.engine.model import BOOK_SIDES, EngineAccount, EngineOrder, ListedMarket, side_index
from kalshi_tui.practice.engine.order_groups import OrderGroups
from kalshi_tui.practice.engine.pauses import ExchangePauses
from kalshi_tui.practice.engine.records import (
    AmendRequest,
    CancelResult,
    DecreaseResult,
    OrderRequest,
    PlaceResult,
)
from kalshi_tui.practice.engine.rejection import (
    Rejection,
    invalid_order,
    market_inactive,
    not_found,
)
from kalshi_tui.practice.engine.state import EngineState

MAX_COUNT: Final = 1_000_000_000 * COUNT_UNIT
"""An order for more contracts than this is a slip of the finger."""

CANCEL_ALL_MINUTE_MS: Final = 60_000
LATE_CANCEL_DELAY_MS: Final = 1_000
"""How long after it came an order of that minute is canceled: its sender has been told that it rests."""

DedupeMode = str
"""``open``: a client_order_id is rejected while its order is open; ``ever``: for ever after."""


class OrderEntry:
    """Checks what an account asks for, and hands it to the matcher."""

    def __init__(
        self,
        state: EngineState,
        matcher: Matcher,
        pauses: ExchangePauses,
        groups: OrderGroups,
        dedupe: DedupeMode = "open",
    ) -> None:
        if dedupe not in {"open", "ever"}:
            raise ValueError(f"dedupe must be 'open' or 'ever', not {dedupe!r}.")
        self._clock = state.clock
        self._ids = state.ids
        self._ledger = state.ledger
        self._markets = state.markets
        self._matcher = matcher
        self._pauses = pauses
        self._groups = groups
        self._dedupe = dedupe
        self.has_cancel_all_minute = False
        """Whether a cancel of all takes the orders of the minute after it too."""
        self._late_cancels_until_ms: dict[str, int] = {}
        """By account: new orders until then are canceled soon after they came."""

    # -- creating ----------------------------------------------------------------------------------------------------

    def create(self, account_id: str, request: OrderRequest) -> PlaceResult:
        """Place an order. Raises Rejection; the codes are in docs/kalshi-api.md, section 10."""
        now = self._clock.advance()
        self._pauses.require_trading_active(self._find_shard(request.ticker, request.exchange_index))
        order = self._build_order(self._ledger.account(account_id), request, now)
        placed = self._matcher.submit(order, now)
        if order.is_resting and now < self._late_cancels_until_ms.get(account_id, 0):
            self._clock.schedule_at(now + LATE_CANCEL_DELAY_MS, lambda due: self._cancel_late(order, due))
        return placed

    def _cancel_late(self, order: EngineOrder, now: int) -> None:
        """Cancel an order that came in the minute after a cancel of all."""
        if order.is_resting:
            self._cancel_one(order, now)

    def _find_routed_market(self, ticker: str, exchange_index: int | None) -> ListedMarket:
        """Return the market on the shard that the request goes to (docs/kalshi-api.md, section 6)."""
        if not ticker:
            raise Rejection(400, "missing_parameters", "missing parameters", "ticker")
        listing = self._markets.listing(ticker)
        if exchange_index is not None and exchange_index not in {-1, listing.shard}:
            raise Rejection(404, "market_not_found", "market not found", f"{ticker} is not on that exchange_index")
        return listing

    def _build_order(self, account: EngineAccount, request: OrderRequest, now: int) -> EngineOrder:
        """Make an order of a request whose terms are legal, whatever the book holds. Raises Rejection."""
        listing = self._find_routed_market(request.ticker, request.exchange_index)
        _require_valid_terms(request, now)
        _require_open(listing)
        _require_valid_price_and_count(listing, request.price, request.count)
        if listing.shard not in account.cash:
            raise invalid_order(f"subaccount {account.subaccount} does not exist on exchange_index {listing.shard}")
        side = side_index(request.side)
        holding = account.holding(listing)
        count = request.count
        if request.reduce_only:
            # A position the other way round makes this negative: nothing to reduce.
            count = min(count, holding.position if side else -holding.position)
            if count <= 0:
                raise invalid_order("reduce_only order would not reduce a position")
        if request.group_id:
            group = self._groups.find(account.account_id, request.group_id)
            if group.exchange_index != listing.shard:
                raise invalid_order("the order group is on another exchange_index")
            if group.triggered:
                raise invalid_order("the order group is triggered: reset it first")
        self._require_unused_client_id(account, request.client_order_id)
        return EngineOrder(
            self._ids.new_id(),
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
        # The id of a killed order maps to "": used, but by no order that could rest.
        used = account.client_ids.get(client_order_id) if client_order_id else None
        if used is None:
            return
        members = self._ledger.members(account.member_id)
        if self._dedupe == "ever" or any(used in each.resting_orders for each in members):
            raise Rejection(409, "order_already_exists", "order already exists", client_order_id)

    # -- canceling --------------------------------------------------------------------------------------------------

    def cancel(
        self, account_id: str, order_id: str, ticker: str = "", exchange_index: int | None = None
    ) -> CancelResult:
        """Cancel a resting order. Without ``ticker`` and ``exchange_index`` only shard 0 is looked at.

        Raises Rejection: 404 for one that is gone or elsewhere, 409 in a closed market, 503 in an exchange pause.
        """
        now = self._clock.advance()
        order = self._find_open_order(account_id, order_id, ticker, exchange_index)
        return self._cancel_one(order, now)

    def cancel_all(self, account_id: str, exchange_index: int | None = None) -> list[CancelResult]:
        """Cancel every resting order of an account, on one shard or all; the close cancels those of closed markets."""
        now = self._clock.advance()
        account = self._ledger.account(account_id)
        shards = account.cash if exchange_index in {None, -1} else (exchange_index or 0,)
        active = {shard for shard in shards if self._pauses.exchange_active_on(shard)}
        if not active:
            self._pauses.require_exchange_active(next(iter(shards)))
        if self.has_cancel_all_minute:
            self._late_cancels_until_ms[account_id] = now + CANCEL_ALL_MINUTE_MS
        # While one shard is down the orders on it stay, though the reply is a success: the client has to look.
        return [
            self._cancel_one(order, now)
            for order in list(account.resting_orders.values())
            if order.listing.status in {MarketStatus.ACTIVE, MarketStatus.INACTIVE} and order.listing.shard in active
        ]

    def _cancel_one(self, order: EngineOrder, now: int) -> CancelResult:
        left = self._matcher.cancel(order, now, UpdateReason.DECREASE)
        self._matcher.update_quote(order.listing, now)
        self._ledger.flush_balances(now)
        return CancelResult(order.order_id, order.client_order_id, left, now)

    def _find_shard(self, ticker: str, exchange_index: int | None) -> int:
        """Return the shard that a request goes to. Raises Rejection 404 for an unknown ticker that has to route it."""
        if exchange_index is not None and exchange_index >= 0:
            return exchange_index
        # Without a hint the exchange looks on shard 0 alone: an order on another shard is then "not found", though it
        # rests. Clients have to be tested against that.
        return self._markets.listing(ticker).shard if ticker else 0

    def _find_open_order(self, account_id: str, order_id: str, ticker: str, exchange_index: int | None) -> EngineOrder:
        shard = self._find_shard(ticker, exchange_index)
        self._pauses.require_exchange_active(shard)
        order = self._ledger.account(account_id).resting_orders.get(order_id)
        if order is None or order.listing.shard != shard:
            raise not_found("order not found")
        if order.listing.status not in {MarketStatus.ACTIVE, MarketStatus.INACTIVE}:
            raise market_inactive(order.listing.ticker)
        return order

    # -- changing ----------------------------------------------------------------------------------------------------

    def amend(self, account_id: str, order_id: str, request: AmendRequest) -> PlaceResult:
        """Change a resting order's price, total count and expiry. A new price or a greater size loses the queue place.

        A new expiry and a smaller size keep it. A new price may trade at once; a count of what has filled cancels.
        Raises Rejection, with nothing changed.
        """
        now = self._clock.advance()
        listing = self._find_routed_market(request.ticker, request.exchange_index)
        self._pauses.require_trading_active(listing.shard)
        order = self._find_open_order(account_id, order_id, request.ticker, request.exchange_index)
        if order.listing is not listing or BOOK_SIDES[order.side] is not request.side:
            raise invalid_order("ticker and side must be the order's own")
        if request.client_order_id and request.client_order_id != order.client_order_id:
            raise invalid_order("client_order_id is not the order's own")
        _require_open(listing)
        _require_valid_price_and_count(listing, request.price, request.count)
        if request.expires_ms and request.expires_ms <= now:
            raise invalid_order("expiration_time is in the past")
        if request.count < order.filled:
            raise invalid_order("count must not be less than what is filled: already filled + wanted remaining")
        if request.updated_client_order_id and request.updated_client_order_id != order.client_order_id:
            self._require_unused_client_id(order.account, request.updated_client_order_id)
        if request.count == order.filled:
            # Nothing is to remain, so it is a cancel (docs/kalshi-api.md, section 6).
            done = self._cancel_one(order, now)
            return PlaceResult(order.order_id, done.client_order_id, 0, 0, 0, 0, now, changed=True)
        return self._apply_amend(order, request, now)

    def _apply_amend(self, order: EngineOrder, request: AmendRequest, now: int) -> PlaceResult:
        outcome_price = PRICE_UNIT - request.price if order.side else request.price
        remaining = request.count - order.filled
        before, filled, fees = order.remaining, order.filled, order.taker_fees
        value = 0
        # Only a smaller size at the same price keeps the place in the queue.
        if outcome_price == order.outcome_price and remaining <= before:
            if remaining < before:
                self._matcher.reduce(order, before - remaining, now)
                order.initial = request.count
        else:
            value = self._matcher.requeue(order, outcome_price, remaining, now)
        new_id = request.updated_client_order_id
        if new_id and new_id != order.client_order_id:
            self._matcher.change_client_order_id(order, new_id)
        if request.expires_ms is not None and order.is_resting:
            self._matcher.change_expiry(order, request.expires_ms)
        order.updated_ms = now
        if order.is_resting and order.filled == filled:
            order.update_reason = UpdateReason.AMEND
        self._matcher.emit_order_change(order)
        self._matcher.update_quote(order.listing, now, traded=order.filled > filled)
        self._ledger.flush_balances(now)
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

    def decrease(
        self,
        account_id: str,
        order_id: str,
        *,
        reduce_by: Count | None = None,
        reduce_to: Count | None = None,
        ticker: str = "",
        exchange_index: int | None = None,
    ) -> DecreaseResult:
        """Make a resting order smaller, by or to a count; it keeps its place; at 0 it is canceled. Raises Rejection."""
        now = self._clock.advance()
        if (reduce_by is None) == (reduce_to is None):
            raise invalid_order("exactly one of reduce_by and reduce_to must be given")
        order = self._find_open_order(account_id, order_id, ticker, exchange_index)
        target = max(0, order.remaining - reduce_by) if reduce_by is not None else reduce_to or 0
        if target > order.remaining:
            raise invalid_order("reduce_to is more than what remains")
        if target == 0:
            self._cancel_one(order, now)
        elif target < order.remaining:
            self._matcher.reduce(order, order.remaining - target, now)
            order.updated_ms = now
            order.update_reason = UpdateReason.DECREASE
            self._matcher.emit_order_change(order)
            self._matcher.update_quote(order.listing, now)
            self._ledger.flush_balances(now)
        return DecreaseResult(order.order_id, order.client_order_id, order.remaining, now)


def _require_open(listing: ListedMarket) -> None:
    if listing.status is not MarketStatus.ACTIVE:
        raise market_inactive(listing.ticker)


def _require_valid_terms(request: OrderRequest, now: int) -> None:
    """Reject combinations that no order can have (docs/kalshi-api.md, section 10)."""
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
    """Reject a price off the market's grid and a count that no order can have (docs/kalshi-api.md, section 3)."""
    if price not in listing.grid:
        raise invalid_order("price is not on the market's price grid")
    if listing.settlement_floor and price <= listing.settlement_floor:
        raise invalid_order("price is at or below the settlement floor")
    if not 0 < count <= MAX_COUNT:
        raise invalid_order("count must be more than 0" if count <= 0 else "count is too large")
