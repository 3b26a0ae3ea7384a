"""Matching: how an order takes, rests and leaves, and what a fill does to the money.

docs/kalshi-api.md, sections 6 and 9.
"""

from typing import Final

from kalshi_tui.domain.fees import CENT, FeeAccumulator, FeeSchedule
from kalshi_tui.domain.order import SelfTrade, TimeInForce
from kalshi_tui.domain.price import COUNT_UNIT, PRICE_UNIT, Count, Money, Price
from kalshi_tui.domain.update_reason import UpdateReason
from kalshi_tui.practice.engine.book_policy import BookPolicy
from kalshi_tui.practice.engine.events import (
    BookChanged,
    ClientIdUsed,
    GroupChange,
    GroupChanged,
    OrderChanged,
    OrderFilled,
    PositionChanged,
    TradePrinted,
)
from kalshi_tui.practice.engine.model import BOOK_SIDES, OUTCOME_SIDES, EngineOrder, EngineOrderGroup
from kalshi_tui.practice.engine.order_book import OrderLevel
from kalshi_tui.practice.engine.records import FillRecord, OrderStatus, PlaceResult, TradeRecord
from kalshi_tui.practice.engine.rejection import Rejection, invalid_order
from kalshi_tui.practice.engine.state import EngineState

UNPUBLISHED_FEE: Final = CENT
"""What a contract costs where the fee type has no published figure."""
_FOK_KILLED_CODE: Final = "fill_or_kill_insufficient_resting_volume"


class Matcher:
    """Carries orders out against the books. Its callers have checked that the terms are legal and the market trades."""

    def __init__(self, state: EngineState, policy: BookPolicy) -> None:
        self._clock = state.clock
        self._ids = state.ids
        self._ledger = state.ledger
        self._tape = state.markets.tape
        self._groups = state.groups
        self._emit = state.event_log.emit
        self.update_quote = policy.update_quote
        self._pending_group_matches: list[tuple[EngineOrder, Count]] = []

    # -- a new order -------------------------------------------------------------------------------------------------

    def submit(self, order: EngineOrder, now: int) -> PlaceResult:
        """Match an order whose terms are legal, and rest or drop what is left.

        Raises Rejection, with nothing changed, if it is post-only and would take, cannot be paid, or cannot fill whole.
        """
        listing, account = order.listing, order.account
        crosses = listing.book.would_cross(order.side, order.outcome_price)
        if crosses and order.post_only:
            # Before the client order id is used up: a post-only order that would take leaves no trace.
            raise invalid_order("post only cross")
        if order.tif is TimeInForce.FOK and not (crosses and self._can_fill_completely(order)):
            # A killed order uses up its client order id all the same: with ``--dedupe ever`` a second one is rejected.
            if account.keeps_history and order.client_order_id:
                account.client_ids[order.client_order_id] = ""
                self._emit(ClientIdUsed(account.account_id, order.client_order_id, ""))
            raise Rejection(409, _FOK_KILLED_CODE, "fill or kill insufficient resting volume", listing.ticker)
        if account.margined:
            self._hold_collateral(order, as_taker=crosses)
        # From here on the order is taken. Whatever can reject it comes before, so that a rejection changes nothing.
        if account.keeps_history:
            account.orders[order.order_id] = order
            if order.client_order_id:
                account.client_ids[order.client_order_id] = order.order_id
                self._emit(ClientIdUsed(account.account_id, order.client_order_id, order.order_id))
        if order.group_id:
            self._groups[order.group_id].orders[order.order_id] = order
        value = self.match_or_rest(order, now, crosses=crosses)
        self.update_quote(listing, now, traded=order.filled > 0)
        self._ledger.flush_balances(now)
        return PlaceResult(
            order.order_id, order.client_order_id, order.filled, order.remaining, value, order.taker_fees, now
        )

    def match_or_rest(self, order: EngineOrder, now: int, *, crosses: bool) -> Money:
        """Match an order that is accounted for, and rest or drop what is left. Return the YES value of its fills."""
        value = self._match(order, now) if crosses else 0
        # Filled first: a trigger by the last fill finds nothing left to cancel.
        if not order.remaining:
            self._finish_order(order, OrderStatus.EXECUTED, now)
        elif order.status is OrderStatus.CANCELED:
            # It met an order of its own account, or its group was triggered by its own fill: no rest may stay.
            self._finish_order(order, OrderStatus.CANCELED, now)
        elif order.tif is not TimeInForce.GTC:
            # The stream has no word for the rest of an order that may not rest: its last change is its fill, if any.
            self._finish_order(order, OrderStatus.CANCELED, now)
        else:
            self._rest(order, now)
        return value

    def _hold_collateral(self, order: EngineOrder, *, as_taker: bool) -> None:
        """Hold what the order could cost. Raises Rejection, with nothing changed, if the account lacks it."""
        account, holding = order.account, order.holding
        order.fee_reserve = fee_reserve(order, order.remaining, taker=as_taker)
        # Register first, then look: what an order needs depends on the position and on all open orders of the market.
        holding.register(order)
        account.update_held(holding)
        shard = order.listing.shard
        if account.available(shard) < 0:
            holding.unregister(order)
            account.update_held(holding)
            raise Rejection(
                400, "insufficient_balance", "insufficient balance", "not enough cash on this exchange_index"
            )
        self._ledger.mark_balance_changed(account, shard)

    def _can_fill_completely(self, order: EngineOrder) -> bool:
        """Return whether the book can fill an order whole, without its own member's orders."""
        side = order.listing.book.sides[1 - order.side]
        wanted = order.remaining
        for maker_price in reversed(side.prices):
            if maker_price + order.outcome_price < PRICE_UNIT:
                # YES and NO together pay 1 dollar: two prices that sum to less do not cross, nor do any below.
                return False
            maker = side.levels[maker_price].head
            while maker is not None:
                if maker.account.member_id != order.account.member_id:
                    wanted -= maker.remaining
                    if wanted <= 0:
                        return True
                elif order.self_trade is SelfTrade.TAKER_AT_CROSS:
                    # Matching would stop here with the order filled in part.
                    return False
                maker = maker.next
        return False

    # -- matching ----------------------------------------------------------------------------------------------------

    def _match(self, order: EngineOrder, now: int) -> Money:
        """Fill an order against the book, best price first, oldest first. Return the YES value of its fills."""
        side = order.listing.book.sides[1 - order.side]
        floor = PRICE_UNIT - order.outcome_price
        value = 0
        while order.remaining and side.prices and side.prices[-1] >= floor:
            level = side.levels[side.prices[-1]]
            maker = level.head
            assert maker is not None  # noqa: S101  # an empty level is no level
            if maker.account.member_id == order.account.member_id:
                # No two subaccounts of a member trade with each other: the resting order goes, or the new one ends.
                if order.self_trade is SelfTrade.MAKER:
                    self.cancel(maker, now, UpdateReason.SELF_TRADE)
                    continue
                order.status = OrderStatus.CANCELED
                order.update_reason = UpdateReason.SELF_TRADE
                break
            count = min(order.remaining, maker.remaining)
            value += count * self.execute_trade(order, maker, level, count, now)
            if order.status is OrderStatus.CANCELED:  # its group was triggered by this fill
                break
        # A fill-or-kill order must fill whole. A group that its first fill triggered would cancel the makers that the
        # rest was promised from, so the groups are counted only now.
        for filled, count in self._pending_group_matches:
            self._count_group_match(filled, count, now)
        self._pending_group_matches.clear()
        return value

    def execute_trade(
        self, taker: EngineOrder, maker: EngineOrder, level: OrderLevel[EngineOrder], count: Count, now: int
    ) -> Price:
        """Carry out one trade at the maker's price. Return the YES price."""
        listing = taker.listing
        maker_price = level.outcome_price
        price = PRICE_UNIT - maker_price if maker.side else maker_price
        # Open interest is the YES contracts held: what this trade changes of the two holdings is its change.
        interest = max(taker.holding.position, 0) + max(maker.holding.position, 0)
        # Release the collateral first: the reserve that stays is computed from the old ``remaining``, and the fee is
        # limited to what is available after the release.
        if taker.account.margined:
            taker.holding.reduce(taker, count, fee_reserve(taker, taker.remaining - count, taker=taker.fee_reserve > 0))
        if maker.account.margined:
            maker.holding.reduce(maker, count, fee_reserve(maker, maker.remaining - count, taker=False))
        taker.remaining -= count
        taker.filled += count
        taker.update_reason = maker.update_reason = UpdateReason.TRADE
        listing.book.sides[maker.side].reduce(maker, count)
        maker.filled += count
        account = taker.account
        self._emit(
            BookChanged(
                listing.ticker,
                OUTCOME_SIDES[maker.side],
                maker_price,
                -count,
                now,
                account.account_id if account.keeps_history else None,
                taker.client_order_id or None,
            )
        )
        taker_fee = self._settle_fill(taker, PRICE_UNIT - maker_price, count, now, is_taker=True)
        maker_fee = self._settle_fill(maker, maker_price, count, now, is_taker=False)
        interest = max(taker.holding.position, 0) + max(maker.holding.position, 0) - interest
        trade = TradeRecord(self._ids.new_id(), listing.ticker, price, count, BOOK_SIDES[taker.side], now)
        listing.apply_trade(trade, interest)
        self._tape.append(trade)
        self._emit(TradePrinted(trade))
        if account.keeps_history:
            self._emit_fill(taker, trade, taker_fee, is_taker=True)
        if maker.account.keeps_history:
            self._emit_fill(maker, trade, maker_fee, is_taker=False)
        if not maker.remaining:
            self._finish_order(maker, OrderStatus.EXECUTED, now)
        elif maker.account.keeps_history:
            maker.updated_ms = now
            self._emit(OrderChanged(maker.to_record()))
        if taker.tif is TimeInForce.FOK:
            self._pending_group_matches += [(order, count) for order in (taker, maker) if order.group_id]
        else:
            self._count_group_match(taker, count, now)
            self._count_group_match(maker, count, now)
        return price

    def _settle_fill(
        self, order: EngineOrder, outcome_price: Price, count: Count, now: int, *, is_taker: bool
    ) -> Money:
        """Move the money of one side of a trade. Return its fee."""
        listing, account, holding = order.listing, order.account, order.holding
        shard = listing.shard
        trade_fee = charged_fee(listing.fees, outcome_price, count, taker=is_taker)
        change = holding.apply_fill(order.side, outcome_price, count, 0)
        account.cash[shard] += change
        self._ledger.escrow[shard] -= change
        # The accumulator carries what rounding took too much from one fill of an order to the next. Skip it only where
        # nothing is rounded and no earlier fill was; otherwise the order would never get back what it overpaid.
        if not trade_fee and change % account.precision == 0 and order.fee_accumulator is None:
            fee = 0
        else:
            accumulator = order.fee_accumulator
            if accumulator is None:
                accumulator = order.fee_accumulator = FeeAccumulator(account.precision)
            fee = accumulator.charge(change, trade_fee).net
        if account.margined:
            account.update_held(holding)
            # Rounding can ask for up to $0.0002 a fill more than was held. What the account lacks of it is forgiven: a
            # balance never falls below zero.
            fee = max(0, min(fee, account.available(shard)))
        if fee:
            account.cash[shard] -= fee
            self._ledger.collected_fees[shard] += fee
            holding.fees_paid += fee
            holding.fee_cost += fee if holding.position else 0
        if is_taker:
            order.taker_cost += outcome_price * count
            order.taker_fees += fee
        else:
            order.maker_cost += outcome_price * count
            order.maker_fees += fee
        holding.updated_ms = now
        self._ledger.mark_balance_changed(account, shard)
        return fee

    def _emit_fill(self, order: EngineOrder, trade: TradeRecord, fee: Money, *, is_taker: bool) -> None:
        holding, account = order.holding, order.account
        fill = FillRecord(
            trade_id=trade.trade_id,
            order_id=order.order_id,
            client_order_id=order.client_order_id,
            account_id=account.account_id,
            ticker=trade.ticker,
            exchange_index=order.listing.shard,
            side=BOOK_SIDES[order.side],
            price=trade.price,
            count=trade.count,
            fee=fee,
            is_taker=is_taker,
            post_position=holding.position,
            ts_ms=trade.ts_ms,
        )
        account.fills.append(fill)
        self._emit(OrderFilled(fill))
        self._emit(PositionChanged(holding.to_record()))

    # -- resting and leaving -----------------------------------------------------------------------------------------

    def _rest(self, order: EngineOrder, now: int) -> None:
        """Put what is left of an order at the end of the queue at its price."""
        account, listing = order.account, order.listing
        if account.margined:
            # The reserve was for a taker's fee; a resting order pays a maker's.
            reserve = fee_reserve(order, order.remaining, taker=False)
            if reserve != order.fee_reserve:
                order.holding.reduce(order, 0, reserve)
            account.update_held(order.holding)
        listing.book.sides[order.side].add(order)
        if account.keeps_history:
            order.queue_number = self._ids.next_queue_number()
            account.resting_orders[order.order_id] = order
            order.updated_ms = now
            self._emit(OrderChanged(order.to_record()))
            self._emit_level_change(order, order.remaining, now)
        else:
            self._emit(
                BookChanged(listing.ticker, OUTCOME_SIDES[order.side], order.outcome_price, order.remaining, now)
            )
        # The timer is never removed: `expire` looks whether the order still rests.
        if order.expires_ms:
            self._clock.schedule_at(order.expires_ms, lambda due: self.expire(order, due))

    def _emit_level_change(self, order: EngineOrder, delta: Count, now: int) -> None:
        account = order.account
        self._emit(
            BookChanged(
                order.listing.ticker,
                OUTCOME_SIDES[order.side],
                order.outcome_price,
                delta,
                now,
                account.account_id if account.keeps_history else None,
                order.client_order_id or None,
            )
        )

    def cancel(self, order: EngineOrder, now: int, reason: UpdateReason) -> Count:
        """Cancel a resting order. Return the count that remained."""
        left = order.remaining
        order.listing.book.sides[order.side].remove(order)
        order.update_reason = reason
        self._emit_level_change(order, -left, now)
        self._finish_order(order, OrderStatus.CANCELED, now)
        return left

    def _finish_order(self, order: EngineOrder, status: OrderStatus, now: int) -> None:
        """End an order that is no longer in the book, and release what it held."""
        order.status = status
        account = order.account
        if account.margined:
            order.holding.unregister(order)
            account.update_held(order.holding)
            self._ledger.mark_balance_changed(account, order.listing.shard)
        # Only after `unregister`, which counts out by what remains.
        order.remaining = 0
        if order.group_id:
            group = self._groups.get(order.group_id)
            if group is not None:
                group.orders.pop(order.order_id, None)
        if account.keeps_history:
            account.resting_orders.pop(order.order_id, None)
            order.updated_ms = now
            self._emit(OrderChanged(order.to_record()))

    def reduce(self, order: EngineOrder, by: Count, now: int) -> None:
        """Make a resting order smaller without losing its place; something must remain."""
        account = order.account
        # The collateral first: it is computed from the ``remaining`` that the book is about to change.
        if account.margined:
            order.holding.reduce(order, by, fee_reserve(order, order.remaining - by, taker=False))
        order.listing.book.sides[order.side].reduce(order, by)
        if account.margined:
            account.update_held(order.holding)
            self._ledger.mark_balance_changed(account, order.listing.shard)
        self._emit_level_change(order, -by, now)

    def requeue(self, order: EngineOrder, outcome_price: Price, remaining: Count, now: int) -> Money:
        """Move a resting order to another price or size, at the end of the queue. Return the YES value of its fills.

        Raises Rejection, with the order where it was, if it is post-only and would take, or cannot be paid for.
        """
        account, listing, holding = order.account, order.listing, order.holding
        crosses = listing.book.would_cross(order.side, outcome_price)
        if crosses and order.post_only:
            raise invalid_order("post only cross")
        old_price, left, reserve = order.outcome_price, order.remaining, order.fee_reserve
        if account.margined:
            # Try the new terms on the sums before the book is touched: a rejected amend must leave the order resting,
            # in its place in the queue and with its collateral.
            holding.unregister(order)
            order.outcome_price, order.remaining = outcome_price, remaining
            try:
                self._hold_collateral(order, as_taker=crosses)
            except Rejection:
                order.outcome_price, order.remaining, order.fee_reserve = old_price, left, reserve
                holding.register(order)
                account.update_held(holding)
                raise
            # Back to the old terms for a moment: the book finds the order by its price.
            order.outcome_price, order.remaining = old_price, left
        listing.book.sides[order.side].remove(order)
        self._emit_level_change(order, -left, now)
        order.outcome_price, order.remaining = outcome_price, remaining
        order.initial = order.filled + remaining
        return self.match_or_rest(order, now, crosses=crosses)

    def change_client_order_id(self, order: EngineOrder, client_order_id: str) -> None:
        """Change an order's client_order_id; the old one stays used."""
        order.client_order_id = client_order_id
        order.account.client_ids[client_order_id] = order.order_id
        self._emit(ClientIdUsed(order.account.account_id, client_order_id, order.order_id))

    def change_expiry(self, order: EngineOrder, expires_ms: int) -> None:
        """Let a resting order end at another time, Unix ms; 0 for never. Its place in the queue stays."""
        order.expires_ms = expires_ms
        if expires_ms:
            # The timer of the earlier time stays: `expire` looks at the order's present time.
            self._clock.schedule_at(expires_ms, lambda due: self.expire(order, due))

    def emit_order_change(self, order: EngineOrder) -> None:
        """Announce an order as it is now, if its account keeps history."""
        if order.account.keeps_history:
            self._emit(OrderChanged(order.to_record()))

    def expire(self, order: EngineOrder, due: int) -> None:
        """Cancel an order whose time has come. The timers of an order that is gone or was prolonged come here too."""
        if order.is_resting and order.expires_ms and order.expires_ms <= due:
            self.cancel(order, due, UpdateReason.EXPIRY)
            self.update_quote(order.listing, due)
            self._ledger.flush_balances(due)

    # -- groups ------------------------------------------------------------------------------------------------------

    def _count_group_match(self, order: EngineOrder, count: Count, now: int) -> None:
        if not order.group_id:
            return
        group = self._groups.get(order.group_id)
        if group is None or group.triggered:
            # A triggered group takes no orders; the fills of one trade must not trigger it twice.
            return
        if group.add_match(count, now):
            self.trigger_group(group, now)
        else:
            self.emit_group_change(group, GroupChange.COUNTED)

    def trigger_group(self, group: EngineOrderGroup, now: int) -> None:
        """Cancel every order of a group and close it to new ones until it is reset."""
        group.triggered = True
        for order in list(group.orders.values()):
            if order.is_resting:
                # None of the stream's words names a group: a cancel by it reads like one by the account.
                self.cancel(order, now, UpdateReason.DECREASE)
                self.update_quote(order.listing, now)
            elif order.remaining:
                # The incoming order, in the middle of its matching: `match_or_rest` ends it.
                order.status = OrderStatus.CANCELED
                order.update_reason = UpdateReason.DECREASE
        self.emit_group_change(group, GroupChange.DELETED if group.deleted else GroupChange.TRIGGERED)

    def emit_group_change(self, group: EngineOrderGroup, change: GroupChange) -> None:
        """Announce a change of an order group."""
        self._emit(GroupChanged(group.to_record(), change))


def charged_fee(fees: FeeSchedule, price: Price, count: Count, *, taker: bool) -> Money:
    """Return a fill's trade fee; where the exchange publishes no figure, a cent a contract stands in for it.

    So a program that takes what it does not know for nothing finds out here.
    """
    fee = fees.trade_fee(price, count, taker=taker)
    return -(-UNPUBLISHED_FEE * count // COUNT_UNIT) if fee is None else fee


def fee_reserve(order: EngineOrder, count: Count, *, taker: bool) -> Money:
    """Return what is held for the fees of ``count``: of all of it in one fill, and the rounding of that fill."""
    if not count:
        return 0
    fee = charged_fee(order.listing.fees, order.outcome_price, count, taker=taker)
    return fee + -(order.outcome_price * count + fee) % order.account.precision
