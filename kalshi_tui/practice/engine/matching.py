"""Matching: how an order takes, rests and leaves; what a fill does to the money.

docs/kalshi-api.md, sections 6 and 9.
"""

from typing import Final

from kalshi_tui.domain.fees import FeeAccumulator
from kalshi_tui.domain.order import SelfTrade, TimeInForce
from kalshi_tui.domain.price import PRICE_UNIT, Count, Money, Price
from kalshi_tui.practice.engine.accounts import Account, Holding
from kalshi_tui.practice.engine.core import BOOK_SIDES, Core
from kalshi_tui.practice.engine.events import (
    BookChanged,
    ClientIdUsed,
    Filled,
    GroupChange,
    OrderChanged,
    PositionChanged,
    TradePrinted,
)
from kalshi_tui.practice.engine.listing import Listing
from kalshi_tui.practice.engine.order_book import OrderLevel
from kalshi_tui.practice.engine.order_groups import OrderGroup
from kalshi_tui.practice.engine.orders import SIDES, Order
from kalshi_tui.practice.engine.records import (
    FillRecord,
    OrderStatus,
    PlaceResult,
    TradeRecord,
)
from kalshi_tui.practice.engine.rejection import Refusal, invalid_order

_FOK_KILLED: Final = "fill_or_kill_insufficient_resting_volume"


class Matching(Core):
    """The core with orders in it."""

    # -- a new order -------------------------------------------------------------------------------------------------

    def _submit(self, order: Order, now: int) -> PlaceResult:
        """Take an order whose terms are legal: match it, and rest or drop what is left.

        Raises Refusal, with nothing changed, if it is post-only and would take, cannot be paid, or cannot fill whole.
        """
        listing, account = order.listing, order.account
        crosses = listing.book.crosses(order.side, order.own)
        if crosses and order.post_only:
            raise invalid_order("post only cross")
        if order.tif is TimeInForce.FOK and not (crosses and self._can_fill(order)):
            if account.kept and order.client_order_id:
                account.client_ids[order.client_order_id] = ""
                self._emit(ClientIdUsed(account.account_id, order.client_order_id, ""))
            raise Refusal(409, _FOK_KILLED, "fill or kill insufficient resting volume", listing.ticker)
        if account.margined:
            self._collateralize(order, taking=crosses)
        if account.kept:
            account.orders[order.order_id] = order
            if order.client_order_id:
                account.client_ids[order.client_order_id] = order.order_id
                self._emit(ClientIdUsed(account.account_id, order.client_order_id, order.order_id))
        if order.group_id:
            self.groups[order.group_id].orders[order.order_id] = order
        value = self._enter(order, now, crosses=crosses)
        self._requote(listing, now, traded=order.filled > 0)
        self._flush_balances(now)
        return PlaceResult(
            order.order_id, order.client_order_id, order.filled, order.remaining, value, order.taker_fees, now
        )

    def _enter(self, order: Order, now: int, *, crosses: bool) -> Money:
        """Match an accounted order and rest or drop what is left; give the YES value of what it filled."""
        value = self._match(order, now) if crosses else 0
        if not order.remaining:
            self._finish(order, OrderStatus.EXECUTED, now)
        elif order.status is OrderStatus.CANCELED:
            self._finish(order, OrderStatus.CANCELED, now)
        elif order.tif is not TimeInForce.GTC:
            order.reason = "unfilled rest"
            self._finish(order, OrderStatus.CANCELED, now)
        else:
            self._rest(order, now)
        return value

    def _collateralize(self, order: Order, *, taking: bool) -> None:
        """Hold what the order could cost. Raises Refusal, with nothing changed, if the account has not got it."""
        account, holding = order.account, order.holding
        order.fee_reserve = self._fee_reserve(order, order.remaining, taker=taking)
        holding.register(order)
        account.rehold(holding)
        shard = order.listing.shard
        if account.available(shard) < 0:
            holding.unregister(order)
            account.rehold(holding)
            raise Refusal(400, "insufficient_balance", "insufficient balance", "not enough cash on this exchange_index")
        self._money_moved(account, shard)

    @staticmethod
    def _fee_reserve(order: Order, count: Count, *, taker: bool) -> Money:
        """Give what is held for the fees of ``count``: all of it in one fill, and the rounding of that fill."""
        if not count:
            return 0
        fees = order.listing.fees
        fee = fees.trade_fee(order.own, count, taker=taker) or 0
        return fee + -(order.own * count + fee) % order.account.precision

    def _can_fill(self, order: Order) -> bool:
        """Tell whether the book can fill an order whole, its own account's orders left out."""
        side = order.listing.book.sides[1 - order.side]
        wanted = order.remaining
        for own in reversed(side.prices):
            if own + order.own < PRICE_UNIT:
                return False
            maker = side.levels[own].head
            while maker is not None:
                if maker.account is not order.account:
                    wanted -= maker.remaining
                    if wanted <= 0:
                        return True
                elif order.self_trade is SelfTrade.TAKER_AT_CROSS:
                    return False
                maker = maker.next
        return False

    # -- matching ----------------------------------------------------------------------------------------------------

    def _match(self, order: Order, now: int) -> Money:
        """Fill an order against the book, best price first, oldest first; give the YES value of its fills."""
        side = order.listing.book.sides[1 - order.side]
        floor = PRICE_UNIT - order.own
        value = 0
        while order.remaining and side.prices and side.prices[-1] >= floor:
            level = side.levels[side.prices[-1]]
            maker = level.head
            assert maker is not None  # noqa: S101  # an empty level is no level
            if maker.account is order.account:
                if order.self_trade is SelfTrade.MAKER:
                    self._cancel(maker, now, "self trade")
                    continue
                order.status = OrderStatus.CANCELED
                order.reason = "self trade"
                break
            count = min(order.remaining, maker.remaining)
            value += count * self._fill(order, maker, level, count, now)
            if order.status is OrderStatus.CANCELED:  # its group was triggered by this fill
                break
        # What was promised whole is filled whole: only then may order groups fall.
        for filled, count in self._to_note:
            self._note_group(filled, count, now)
        self._to_note.clear()
        return value

    def _fill(self, taker: Order, maker: Order, level: OrderLevel, count: Count, now: int) -> Price:
        """Carry out one trade at the maker's price; give the YES price."""
        listing = taker.listing
        own = level.own
        price = PRICE_UNIT - own if maker.side else own
        interest = max(taker.holding.position, 0) + max(maker.holding.position, 0)
        if taker.account.margined:
            taker.holding.shrink(
                taker, count, self._fee_reserve(taker, taker.remaining - count, taker=taker.fee_reserve > 0)
            )
        if maker.account.margined:
            maker.holding.shrink(maker, count, self._fee_reserve(maker, maker.remaining - count, taker=False))
        taker.remaining -= count
        taker.filled += count
        listing.book.sides[maker.side].reduce(maker, count)
        maker.filled += count
        account = taker.account
        self._emit(
            BookChanged(
                listing.ticker,
                BOOK_SIDES[maker.side],
                own,
                -count,
                now,
                account.account_id if account.kept else None,
                taker.client_order_id or None,
            )
        )
        taker_fee = self._settle_fill(taker, PRICE_UNIT - own, count, now, is_taker=True)
        maker_fee = self._settle_fill(maker, own, count, now, is_taker=False)
        interest = max(taker.holding.position, 0) + max(maker.holding.position, 0) - interest
        trade = TradeRecord(self.new_id(), listing.ticker, price, count, SIDES[taker.side], now)
        listing.traded(trade, interest)
        self.tape.append(trade)
        self._emit(TradePrinted(trade))
        if account.kept:
            self._tell_fill(taker, trade, taker_fee, is_taker=True)
        if maker.account.kept:
            self._tell_fill(maker, trade, maker_fee, is_taker=False)
        if not maker.remaining:
            self._finish(maker, OrderStatus.EXECUTED, now)
        elif maker.account.kept:
            maker.updated_ms = now
            self._emit(OrderChanged(maker.record()))
        if taker.tif is TimeInForce.FOK:
            self._to_note += [(order, count) for order in (taker, maker) if order.group_id]
        else:
            self._note_group(taker, count, now)
            self._note_group(maker, count, now)
        return price

    def _settle_fill(self, order: Order, own: Price, count: Count, now: int, *, is_taker: bool) -> Money:
        """Move the money of one side of a trade; give its fee.

        What an account without a cent to spare cannot pay of a fee is forgiven: rounding can ask for up to $0.0002 a
        fill more than was held, and a balance never falls below zero.
        """
        listing, account, holding = order.listing, order.account, order.holding
        shard = listing.shard
        trade_fee = listing.fees.trade_fee(own, count, taker=is_taker) or 0
        change = holding.take(order.side, own, count, 0)
        account.cash[shard] += change
        self.escrow[shard] -= change
        if not trade_fee and change % account.precision == 0 and order.accumulator is None:
            fee = 0
        else:
            accumulator = order.accumulator
            if accumulator is None:
                accumulator = order.accumulator = FeeAccumulator(account.precision)
            fee = accumulator.charge(change, trade_fee).net
        if account.margined:
            account.rehold(holding)
            fee = max(0, min(fee, account.available(shard)))
        if fee:
            account.cash[shard] -= fee
            self.fees[shard] += fee
            holding.fees_paid += fee
            holding.fee_cost += fee if holding.position else 0
        if is_taker:
            order.taker_cost += own * count
            order.taker_fees += fee
        else:
            order.maker_cost += own * count
            order.maker_fees += fee
        holding.updated_ms = now
        self._money_moved(account, shard)
        return fee

    def _tell_fill(self, order: Order, trade: TradeRecord, fee: Money, *, is_taker: bool) -> None:
        holding, account = order.holding, order.account
        fill = FillRecord(
            trade_id=trade.trade_id,
            order_id=order.order_id,
            client_order_id=order.client_order_id,
            account_id=account.account_id,
            ticker=trade.ticker,
            exchange_index=order.listing.shard,
            side=SIDES[order.side],
            price=trade.price,
            count=trade.count,
            fee=fee,
            is_taker=is_taker,
            post_position=holding.position,
            ts_ms=trade.ts_ms,
        )
        account.fills.append(fill)
        self._emit(Filled(fill))
        self._emit(PositionChanged(holding.record()))

    # -- resting and leaving -----------------------------------------------------------------------------------------

    def _rest(self, order: Order, now: int) -> None:
        """Put what is left of an order at the end of its price's queue."""
        account, listing = order.account, order.listing
        if account.margined:
            reserve = self._fee_reserve(order, order.remaining, taker=False)
            if reserve != order.fee_reserve:
                order.holding.shrink(order, 0, reserve)
            account.rehold(order.holding)
        listing.book.sides[order.side].add(order)
        if account.kept:
            order.queued = next(self._turns)
            account.live[order.order_id] = order
            order.updated_ms = now
            self._emit(OrderChanged(order.record()))
            self._tell_level(order, order.remaining, now)
        else:
            self._emit(BookChanged(listing.ticker, BOOK_SIDES[order.side], order.own, order.remaining, now))
        if order.expires_ms:
            self._at(order.expires_ms, lambda due: self._expire(order, due))

    def _tell_level(self, order: Order, delta: Count, now: int) -> None:
        account = order.account
        self._emit(
            BookChanged(
                order.listing.ticker,
                BOOK_SIDES[order.side],
                order.own,
                delta,
                now,
                account.account_id if account.kept else None,
                order.client_order_id or None,
            )
        )

    def _cancel(self, order: Order, now: int, reason: str) -> Count:
        """Take a resting order out; give the count that it had left."""
        left = order.remaining
        order.listing.book.sides[order.side].remove(order)
        order.reason = reason
        self._tell_level(order, -left, now)
        self._finish(order, OrderStatus.CANCELED, now)
        return left

    def _finish(self, order: Order, status: OrderStatus, now: int) -> None:
        """End an order that no longer stands in the book, and give back what it held."""
        order.status = status
        account = order.account
        if account.margined:
            order.holding.unregister(order)
            account.rehold(order.holding)
            self._money_moved(account, order.listing.shard)
        order.remaining = 0
        if order.group_id:
            group = self.groups.get(order.group_id)
            if group is not None:
                group.orders.pop(order.order_id, None)
        if account.kept:
            account.live.pop(order.order_id, None)
            order.updated_ms = now
            self._emit(OrderChanged(order.record()))

    def _reduce(self, order: Order, by: Count, now: int) -> None:
        """Make a resting order smaller where it stands; something must remain."""
        account = order.account
        if account.margined:
            order.holding.shrink(order, by, self._fee_reserve(order, order.remaining - by, taker=False))
        order.listing.book.sides[order.side].reduce(order, by)
        if account.margined:
            account.rehold(order.holding)
            self._money_moved(account, order.listing.shard)
        self._tell_level(order, -by, now)

    def _requeue(self, order: Order, own: Price, remaining: Count, now: int) -> Money:
        """Take a resting order out and enter it anew at another price or size; give the YES value of its new fills.

        Raises Refusal, with the order where it was, if it is post-only and would take, or cannot be paid for.
        """
        account, listing, holding = order.account, order.listing, order.holding
        crosses = listing.book.crosses(order.side, own)
        if crosses and order.post_only:
            raise invalid_order("post only cross")
        old_own, left, reserve = order.own, order.remaining, order.fee_reserve
        if account.margined:
            holding.unregister(order)
            order.own, order.remaining = own, remaining
            try:
                self._collateralize(order, taking=crosses)
            except Refusal:
                order.own, order.remaining, order.fee_reserve = old_own, left, reserve
                holding.register(order)
                account.rehold(holding)
                raise
            order.own, order.remaining = old_own, left
        listing.book.sides[order.side].remove(order)
        self._tell_level(order, -left, now)
        order.own, order.remaining = own, remaining
        order.initial = order.filled + remaining
        return self._enter(order, now, crosses=crosses)

    def _rename(self, order: Order, client_order_id: str) -> None:
        """Give an order another client_order_id; the old one stays used."""
        order.client_order_id = client_order_id
        order.account.client_ids[client_order_id] = order.order_id
        self._emit(ClientIdUsed(order.account.account_id, client_order_id, order.order_id))

    def _tell_order(self, order: Order) -> None:
        if order.account.kept:
            self._emit(OrderChanged(order.record()))

    def _expire(self, order: Order, due: int) -> None:
        if order.resting and order.expires_ms and order.expires_ms <= due:
            self._cancel(order, due, "expired")
            self._requote(order.listing, due)
            self._flush_balances(due)

    # -- groups ------------------------------------------------------------------------------------------------------

    def _note_group(self, order: Order, count: Count, now: int) -> None:
        if not order.group_id:
            return
        group = self.groups.get(order.group_id)
        if group is None or group.triggered:
            return
        if group.note(count, now):
            self._trigger(group, now)
        else:
            self._tell_group(group, GroupChange.COUNTED)

    def _trigger(self, group: OrderGroup, now: int) -> None:
        """Cancel every order of a group and close it to new ones until it is reset."""
        group.triggered = True
        for order in list(group.orders.values()):
            if order.resting:
                self._cancel(order, now, "order group triggered")
                self._requote(order.listing, now)
            elif order.remaining:  # the incoming order: `_enter` ends it
                order.status = OrderStatus.CANCELED
                order.reason = "order group triggered"
        self._tell_group(group, GroupChange.DELETED if group.deleted else GroupChange.TRIGGERED)

    # -- participants ------------------------------------------------------------------------------------------------

    def place(
        self,
        account: Account,
        listing: Listing,
        side: int,
        own: Price,
        count: Count,
        now: int,
        *,
        tif: TimeInForce = TimeInForce.GTC,
    ) -> Order:
        """Place a simulated participant's order: the same matching, no history, no checks of its terms.

        ``own`` is the price of the outcome it buys (``side`` 0 YES, 1 NO) and must be on the market's grid; the market
        must be active. Own resting orders that it meets are cancelled. Money is booked; no collateral is asked.
        """
        order = Order(self.new_id(), account, listing, account.holding(listing), side, own, count, now, tif)
        self._enter(order, now, crosses=listing.book.crosses(side, own))
        self._requote(listing, now, traded=order.filled > 0)
        if self._stale_balances:
            self._flush_balances(now)
        return order

    def withdraw(self, order: Order, now: int) -> None:
        """Cancel a simulated participant's order, if it still rests."""
        if order.resting:
            self._cancel(order, now, "")
            self._requote(order.listing, now)

    def mint(self, listing: Listing, longs: Account, shorts: Account, count: Count, price: Price) -> None:
        """Give one account YES and another NO at a price, without a trade: a world's first open interest."""
        shard = listing.shard
        before = _longs(longs.holding(listing), shorts.holding(listing))
        for account, side, own in ((longs, 0, price), (shorts, 1, PRICE_UNIT - price)):
            change = account.holding(listing).take(side, own, count, 0)
            account.cash[shard] += change
            self.escrow[shard] -= change
        listing.open_interest += _longs(longs.holding(listing), shorts.holding(listing)) - before


def _longs(*holdings: Holding) -> Count:
    return sum(max(each.position, 0) for each in holdings)
