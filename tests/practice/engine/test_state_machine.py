"""Random lives of a small exchange, every invariant checked after every step, against models of a few lines each."""

from collections import defaultdict
from contextlib import suppress
from dataclasses import replace
from random import Random
from typing import NamedTuple

import pytest
from hypothesis import HealthCheck, settings, strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from kalshi_tui.domain.book import Book
from kalshi_tui.domain.fees import FeeAccumulator
from kalshi_tui.domain.order import BookSide, SelfTrade, TimeInForce
from kalshi_tui.domain.position import Position
from kalshi_tui.domain.price import PRICE_UNIT
from kalshi_tui.practice.engine.events import (
    EngineEvent,
    OrderFilled,
    PositionSettled,
    TradePrinted,
)
from kalshi_tui.practice.engine.exchange import Exchange
from kalshi_tui.practice.engine.list_filter import ListFilter
from kalshi_tui.practice.engine.market_outcome import binary_outcome, scalar_outcome
from kalshi_tui.practice.engine.model import EngineOrder, side_index
from kalshi_tui.practice.engine.records import (
    AmendRequest,
    FillRecord,
    OrderRequest,
    OrderStatus,
    PlaceResult,
)
from kalshi_tui.practice.engine.rejection import Rejection
from tests.support.budget import examples
from tests.support.engine import (
    CRYPTO,
    FINE,
    GTC,
    IOC,
    PLAIN,
    STANDARD,
    Clock,
    as_published,
    catalog,
    move_cash,
    rebuild,
)

TICKERS = (PLAIN, FINE, CRYPTO)
TRADERS = ("ann", "bob", "cat")
PURSE = 8_000_000
tickers = st.sampled_from(TICKERS)
traders = st.sampled_from(TRADERS)
sides = st.sampled_from(list(BookSide))
counts = st.one_of(st.integers(1, 500), st.integers(1, 20).map(lambda whole: whole * 100))
# Prices from a narrow band meet often; the rest find the edges of the grids.
ticks = st.one_of(st.integers(40, 60), st.integers(1, 99))


def price_of(ticker: str, tick: int, fine: int) -> int:
    """Return a legal price near a cent: some of a cent finer where the grid has it."""
    cents = tick * 100
    if ticker == FINE or (ticker == CRYPTO and (cents < 1_000 or cents > 9_000)):
        return min(9_990, cents + fine * 10)
    return cents


class Maker(NamedTuple):
    """A resting order as the model of matching sees it."""

    account: str
    own: int
    remaining: int
    group: str = ""


def expected_fills(
    makers: list[Maker],
    account: str,
    own: int,
    count: int,
    mode: SelfTrade,
    group: str = "",
    room: dict[str, int] | None = None,
) -> tuple[list[tuple[int, int]], bool]:
    """Match an order against resting ones in the plainest way: the fills (own price, count), and whether it stopped.

    ``room`` is what each order group may still match; the orders of one that passes it are gone from then on.
    """
    fills: list[tuple[int, int]] = []
    room = dict(room or {})
    for maker in sorted(makers, key=lambda each: -each.own):
        if not count or maker.own + own < PRICE_UNIT:
            break
        if room.get(maker.group, 0) < 0:
            continue
        if maker.account == account:
            if mode is SelfTrade.TAKER_AT_CROSS:
                return fills, True
            continue
        taken = min(count, maker.remaining)
        fills.append((maker.own, taken))
        count -= taken
        for grouped in (group, maker.group):
            if grouped in room:
                room[grouped] -= taken
        if room.get(group, 0) < 0:
            return fills, True
    return fills, False


class ExchangeMachine(RuleBasedStateMachine):
    """Traders with little money and a participant with much, on three markets."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = Clock()
        self.books: dict[str, Book] = {ticker: Book() for ticker in TICKERS}
        self.fills: dict[tuple[str, str], Position] = {}
        self.cash: dict[tuple[str, int], int] = defaultdict(int)
        self.accumulators: dict[str, FeeAccumulator] = {}
        self.queues: dict[tuple[str, int, int], list[str]] = {}
        self.groups: list[tuple[str, str]] = []

    @initialize(dedupe=st.sampled_from(["open", "ever"]))
    def build(self, dedupe: str) -> None:
        self.engine = Exchange(catalog(*STANDARD), self.clock, 1, dedupe=dedupe)
        for name in TRADERS:
            self.engine.open_account(name, {0: PURSE, 2: PURSE})
            self.cash[name, 0] = self.cash[name, 2] = PURSE
        self.flow = self.engine.open_account("flow", {0: 10**12, 2: 10**12}, keeps_history=False, margined=False)
        self.flow_orders: list[EngineOrder] = []
        self.absorb()

    # -- the models --------------------------------------------------------------------------------------------------

    def absorb(self) -> list[EngineEvent]:
        """Feed the models what the engine tells."""
        events = self.engine.drain_events()
        rebuild(events, self.books)
        for event in events:
            if isinstance(event, OrderFilled):
                self.note_fill(event.fill)
            elif isinstance(event, PositionSettled):
                settled = event.settlement
                before = self.fills.pop((settled.account_id, settled.ticker))
                assert (settled.yes_count - settled.no_count) == before.count
                paid = before.settled(settled.value)
                assert settled.revenue == paid - paid % 100
                assert settled.yes_cost + settled.no_cost == before.cost
                self.cash[settled.account_id, settled.exchange_index] += settled.revenue
        return events

    def note_fill(self, fill: FillRecord) -> None:
        key = fill.account_id, fill.ticker
        before = self.fills.get(key, Position(fill.ticker))
        after = before.after(fill.side, fill.price, fill.count, fill.fee)
        self.fills[key] = after
        assert fill.post_position == after.count
        own = PRICE_UNIT - fill.price if side_index(fill.side) else fill.price
        against = before.count if side_index(fill.side) else -before.count
        closed = min(max(against, 0), fill.count)
        change = closed * (PRICE_UNIT - own) - (fill.count - closed) * own - fill.fee
        listing = self.engine.markets.listings[fill.ticker]
        accumulator = self.accumulators.setdefault(fill.order_id, FeeAccumulator())
        trade_fee = listing.fees.trade_fee(fill.price, fill.count, taker=fill.is_taker) or 0
        owed = accumulator.charge(change + fill.fee, trade_fee).net
        # Less than owed is paid only by who has nothing left, and never more than rounding can ask for.
        assert fill.fee == owed or 0 <= fill.fee < owed <= fill.fee + 200
        self.cash[fill.account_id, fill.exchange_index] += change

    def makers(self, ticker: str, side: int) -> list[Maker]:
        orders = self.engine.markets.listings[ticker].book.sides[side].orders()
        return [Maker(each.account.account_id, each.outcome_price, each.remaining, each.group_id) for each in orders]

    def room(self) -> dict[str, int]:
        """Return what each open group may still match within its window."""
        now = self.clock.now
        found = {}
        for account, group in self.groups:
            record = self.engine.order_groups.get(account, group)
            if not record.triggered:
                rolling = sum(count for at, count in record.matched if at > now - 15_000)
                found[group] = record.limit - rolling
        return found

    def check_taking(
        self,
        ticker: str,
        account: str,
        side: int,
        own: int,
        count: int,
        mode: SelfTrade,
        makers: list[Maker],
        room: dict[str, int],
        group: str = "",
    ) -> tuple[int, bool]:
        """Compare the trades just printed with the model's; give the count filled and whether it was stopped."""
        fills, stopped = expected_fills(makers, account, own, count, mode, group, room)
        printed = [event.trade for event in self.absorb() if isinstance(event, TradePrinted)]
        wanted = [(PRICE_UNIT - price if side == 0 else price, filled) for price, filled in fills]
        assert [(trade.price, trade.count) for trade in printed] == wanted
        assert all(trade.ticker == ticker and side_index(trade.taker_side) == side for trade in printed)
        return sum(filled for _, filled in fills), stopped

    # -- what can happen ---------------------------------------------------------------------------------------------

    @rule(
        account=traders,
        ticker=tickers,
        side=sides,
        count=counts,
        tick=ticks,
        fine=st.integers(0, 9),
        tif=st.sampled_from([GTC, GTC, GTC, IOC, TimeInForce.FOK]),
        mode=st.sampled_from(list(SelfTrade)),
        flags=st.sampled_from(["", "", "", "post", "reduce", "expire", "pause"]),
        name=st.sampled_from(["", "", "a", "b"]),
    )
    def create(
        self,
        account: str,
        ticker: str,
        side: BookSide,
        count: int,
        tick: int,
        fine: int,
        tif: TimeInForce,
        mode: SelfTrade,
        flags: str,
        name: str,
    ) -> None:
        asked = OrderRequest(
            ticker,
            side,
            count,
            price_of(ticker, tick, fine),
            tif,
            mode,
            name,
            post_only=flags == "post",
            reduce_only=flags == "reduce",
            expires_ms=self.clock.now + 2_000 if flags == "expire" else None,
            cancel_on_pause=flags == "pause",
        )
        self.take(account, asked)

    @precondition(lambda self: self.groups)
    @rule(data=st.data(), side=sides, count=counts, tick=ticks)
    def create_in_group(self, data: st.DataObject, side: BookSide, count: int, tick: int) -> None:
        account, group = data.draw(st.sampled_from(self.groups))
        asked = OrderRequest(PLAIN, side, count, tick * 100, group_id=group)
        with suppress(Rejection):
            self.engine.order_entry.create(account, asked)
        self.absorb()

    @rule(seed=st.integers(0, 2**32), length=st.integers(1, 30))
    def busy_time(self, seed: int, length: int) -> None:
        """A run of orders around one price: what a library of single steps meets too seldom."""
        rng = Random(seed)
        groups: dict[str, list[str]] = defaultdict(list)
        for account, group in self.groups:
            groups[account].append(group)
        center, ticker = rng.randrange(3, 97), rng.choice(TICKERS)
        open_tickers = [each for each in TICKERS if self.engine.markets.listings[each].status.tradable]
        for _ in range(length if open_tickers else 0):
            if ticker not in open_tickers or rng.random() < 0.1:
                ticker = rng.choice(open_tickers)
            tick = min(99, max(1, center + rng.randrange(-2, 3)))
            size = rng.choice((rng.randrange(1, 300), 100 * rng.randrange(1, 12)))
            if rng.random() < 0.4:
                self.participant(ticker, rng.getrandbits(1), size, tick, rng.choice((GTC, GTC, IOC)))
                continue
            account = rng.choice(TRADERS)
            asked = OrderRequest(
                ticker,
                rng.choice(list(BookSide)),
                size,
                price_of(ticker, tick, rng.randrange(10)),
                rng.choice((GTC, GTC, GTC, IOC, TimeInForce.FOK)),
                rng.choice(list(SelfTrade)),
                group_id=rng.choice([*groups[account], ""]) if ticker != CRYPTO else "",
            )
            self.take(account, asked)

    @rule(account=traders, ticker=tickers, side=sides, tick=ticks, fine=st.integers(0, 9), less=st.integers(0, 12))
    def spend_everything(self, account: str, ticker: str, side: BookSide, tick: int, fine: int, less: int) -> None:
        """Order for all the money there is, or a little less: where fees and rounding have to have been thought of."""
        listing = self.engine.markets.listings[ticker]
        price = price_of(ticker, tick, fine)
        own = PRICE_UNIT - price if side_index(side) else price
        count = self.engine.queries.balance(account).available[listing.shard] // own * (100 - less) // 100
        if count > 0 and listing.status.tradable:
            other = side_index(side) ^ 1
            self.participant(ticker, other, count // 2 + 1, tick if side_index(side) else 100 - tick, GTC)
            self.take(account, OrderRequest(ticker, side, count, price))
            self.participant(ticker, other, count + 1, tick if side_index(side) else 100 - tick, IOC)

    def take(self, account: str, asked: OrderRequest) -> None:
        side = side_index(asked.side)
        own = PRICE_UNIT - asked.price if side else asked.price
        makers = self.makers(asked.ticker, 1 - side)
        held = self.fills.get((account, asked.ticker), Position(asked.ticker)).count
        crosses = any(maker.own + own >= PRICE_UNIT for maker in makers)
        count = asked.count
        if asked.reduce_only:
            count = max(0, min(count, held if side else -held))
        before = self.engine.queries.balance(account)
        # Whole or not at all comes before the order groups, which fall only once it is filled.
        room = {} if asked.tif is TimeInForce.FOK else self.room()
        try:
            result = self.engine.order_entry.create(account, asked)
        except Rejection as refusal:
            self.check_refused(refusal, account, before.available, asked, makers)
            return
        assert not (asked.post_only and crosses)
        filled, stopped = self.check_taking(
            asked.ticker, account, side, own, count, asked.self_trade, makers, room, asked.group_id
        )
        assert result.filled == filled
        if asked.tif is TimeInForce.FOK:
            assert result.filled == count
        rests = asked.tif is GTC and not stopped
        assert result.remaining == (count - filled if rests else 0)
        self.check_status(account, result)

    def check_refused(
        self,
        refusal: Rejection,
        account: str,
        available: dict[int, int],
        asked: OrderRequest,
        makers: list[Maker],
    ) -> None:
        events = self.absorb()
        assert not any(isinstance(event, TradePrinted) for event in events)
        assert self.engine.queries.balance(account).available == available
        if refusal.code.startswith("fill_or_kill"):
            side = side_index(asked.side)
            own = PRICE_UNIT - asked.price if side else asked.price
            fills, _ = expected_fills(makers, account, own, asked.count, asked.self_trade)
            assert sum(filled for _, filled in fills) < asked.count

    def check_status(self, account: str, result: PlaceResult) -> None:
        record = self.engine.queries.order(account, result.order_id)
        assert record.remaining == result.remaining
        if result.remaining:
            assert record.status is OrderStatus.RESTING
        elif record.filled == record.initial:
            assert record.status is OrderStatus.EXECUTED
        else:
            assert record.status is OrderStatus.CANCELED

    @rule(ticker=tickers, side=st.integers(0, 1), count=counts, tick=ticks, tif=st.sampled_from([GTC, IOC]))
    def participant(self, ticker: str, side: int, count: int, tick: int, tif: TimeInForce) -> None:
        listing = self.engine.markets.listings[ticker]
        if not listing.status.tradable:
            return
        makers, room = self.makers(ticker, 1 - side), self.room()
        order = self.engine.participant_orders.place(
            self.flow, listing, side, tick * 100, count, self.clock.now, tif=tif
        )
        self.check_taking(ticker, "flow", side, tick * 100, count, SelfTrade.MAKER, makers, room)
        self.flow_orders.append(order)

    @precondition(lambda self: self.flow_orders)
    @rule(data=st.data())
    def participant_withdraws(self, data: st.DataObject) -> None:
        self.engine.participant_orders.cancel(data.draw(st.sampled_from(self.flow_orders)), self.clock.now)
        self.absorb()

    @rule(account=traders, data=st.data())
    def cancel(self, account: str, data: st.DataObject) -> None:
        live = list(self.engine.queries.orders(account, ListFilter(status=OrderStatus.RESTING)))
        if not live:
            return
        order = data.draw(st.sampled_from(live))
        if self.engine.markets.listings[order.ticker].status.tradable:
            result = self.engine.order_entry.cancel(account, order.order_id, order.ticker)
            assert result.reduced_by == order.remaining
        else:
            with suppress(Rejection):
                self.engine.order_entry.cancel(account, order.order_id, order.ticker)
        self.absorb()

    @rule(account=traders)
    def cancel_everything(self, account: str) -> None:
        self.engine.order_entry.cancel_all(account)
        self.absorb()

    @rule(account=traders, data=st.data(), tick=ticks, fine=st.integers(0, 9), count=counts)
    def amend(self, account: str, data: st.DataObject, tick: int, fine: int, count: int) -> None:
        live = list(self.engine.queries.orders(account, ListFilter(status=OrderStatus.RESTING)))
        if not live:
            return
        order = data.draw(st.sampled_from(live))
        price = price_of(order.ticker, tick, fine)
        side = side_index(order.side)
        own = PRICE_UNIT - price if side else price
        makers = self.makers(order.ticker, 1 - side)
        ahead = self.engine.queries.queue_position(account, order.order_id).count_ahead
        total = order.filled + count
        room = self.room()
        try:
            result = self.engine.order_entry.amend(
                account, order.order_id, AmendRequest(order.ticker, order.side, price, total)
            )
        except Rejection:
            assert self.engine.queries.order(account, order.order_id) == order or not order.remaining
            self.absorb()
            return
        keeps = price == order.price and count <= order.remaining
        if keeps:
            assert self.engine.queries.queue_position(account, order.order_id).count_ahead == ahead
            assert (result.filled, result.remaining) == (0, count)
            self.absorb()
            return
        for queue in self.queues.values():
            if order.order_id in queue:
                queue.remove(order.order_id)
        filled, stopped = self.check_taking(
            order.ticker, account, side, own, count, order.self_trade, makers, room, order.group_id
        )
        assert result.filled == filled
        assert result.remaining == (0 if stopped else count - filled)
        if result.remaining:
            level = [maker for maker in self.makers(order.ticker, side) if maker.own == own]
            assert level[-1] == Maker(account, own, result.remaining, order.group_id)

    @rule(account=traders, data=st.data(), by=counts)
    def decrease(self, account: str, data: st.DataObject, by: int) -> None:
        live = list(self.engine.queries.orders(account, ListFilter(status=OrderStatus.RESTING)))
        if not live:
            return
        order = data.draw(st.sampled_from(live))
        ahead = self.engine.queries.queue_position(account, order.order_id).count_ahead
        try:
            result = self.engine.order_entry.decrease(account, order.order_id, reduce_by=by, ticker=order.ticker)
        except Rejection:
            assert not self.engine.markets.listings[order.ticker].status.tradable
        else:
            assert result.remaining == max(0, order.remaining - by)
            if result.remaining:
                assert self.engine.queries.queue_position(account, order.order_id).count_ahead == ahead
        self.absorb()

    @rule(account=traders, source=st.sampled_from([0, 2]), amount=st.integers(1, 300_000))
    def transfer(self, account: str, source: int, amount: int) -> None:
        money = amount * 100
        available = self.engine.queries.balance(account).available[source]
        try:
            move_cash(self.engine, account, source, 2 - source, money)
        except Rejection:
            assert money > available
        else:
            self.cash[account, source] -= money
            self.cash[account, 2 - source] += money
        self.absorb()

    @rule(account=traders, limit=st.integers(1, 8))
    def make_group(self, account: str, limit: int) -> None:
        if len(self.groups) < 4:
            self.groups.append((account, self.engine.order_groups.create(account, limit * 100).group_id))
            self.absorb()

    @precondition(lambda self: self.groups)
    @rule(data=st.data(), what=st.sampled_from(["reset", "trigger", "delete"]))
    def handle_group(self, data: st.DataObject, what: str) -> None:
        account, group = data.draw(st.sampled_from(self.groups))
        if what == "reset":
            self.engine.order_groups.reset(account, group)
        elif what == "trigger":
            self.engine.order_groups.trigger(account, group)
        else:
            self.engine.order_groups.delete(account, group)
            self.groups.remove((account, group))
        self.absorb()

    @rule(ms=st.sampled_from([1, 500, 2_000, 16_000]))
    def time_passes(self, ms: int) -> None:
        self.clock.pass_(ms)
        self.engine.advance()
        self.absorb()

    @rule(ticker=tickers)
    def stop_and_start(self, ticker: str) -> None:
        listing = self.engine.markets.listings[ticker]
        if listing.status.tradable:
            before = listing.levels()
            self.engine.lifecycle.deactivate(ticker)
            assert listing.levels() == before
            with pytest.raises(Rejection, match="MARKET_INACTIVE"):
                self.engine.order_entry.create("ann", OrderRequest(ticker, BookSide.BID, 100, 5_000))
            self.engine.lifecycle.activate(ticker)
            assert listing.levels() == ([], [])
        self.absorb()

    @rule()
    def pause(self) -> None:
        self.engine.pauses.pause_trading()
        assert not any(order.cancel_on_pause for order in self.engine.ledger.resting_orders())
        self.engine.pauses.resume_trading()
        self.absorb()

    @rule(ticker=tickers, value=st.integers(0, PRICE_UNIT), plain=st.booleans(), rare=st.integers(0, 19))
    def settle(self, ticker: str, value: int, plain: bool, rare: int) -> None:
        if rare != 7 or self.engine.markets.listings[ticker].status.value == "finalized":
            return
        self.engine.results.settle(
            ticker, binary_outcome("yes" if value % 2 else "no") if plain else scalar_outcome(value)
        )
        self.absorb()
        for key in [key for key in self.fills if key[1] == ticker]:
            assert self.fills.pop(key).count == 0

    # -- what must always hold ---------------------------------------------------------------------------------------

    @invariant()
    def deltas_rebuild_the_book(self) -> None:
        for ticker in TICKERS:
            yes, no = self.engine.markets.listings[ticker].levels()
            assert as_published(self.books[ticker]) == (yes, no)
            assert not self.books[ticker].crossed

    @invariant()
    def levels_are_the_sums_of_their_orders(self) -> None:
        for ticker in TICKERS:
            for side in self.engine.markets.listings[ticker].book.sides:
                sums: dict[int, int] = defaultdict(int)
                for order in side.orders():
                    assert order.remaining > 0
                    assert order.is_resting
                    sums[order.outcome_price] += order.remaining
                assert sorted(sums.items()) == side.published_levels()

    @invariant()
    def queues_keep_their_order(self) -> None:
        found: dict[tuple[str, int, int], list[str]] = defaultdict(list)
        for ticker in TICKERS:
            for number, side in enumerate(self.engine.markets.listings[ticker].book.sides):
                for order in side.orders():
                    found[ticker, number, order.outcome_price].append(order.order_id)
        for place, queue in found.items():
            stayed = [each for each in self.queues.get(place, []) if each in queue]
            assert queue[: len(stayed)] == stayed
        self.queues = found

    @invariant()
    def money_is_conserved(self) -> None:
        for shard in (0, 2):
            assert self.engine.ledger.total_money(shard) == self.engine.ledger.deposited[shard]

    @invariant()
    def escrow_is_a_dollar_for_each_pair(self) -> None:
        for shard in (0, 2):
            interest = 0
            for ticker in TICKERS:
                listing = self.engine.markets.listings[ticker]
                held = [
                    account.holdings[ticker].position
                    for account in self.engine.ledger.accounts.values()
                    if ticker in account.holdings
                ]
                assert sum(held) == 0
                longs = sum(count for count in held if count > 0)
                assert listing.open_interest == longs
                interest += longs if listing.shard == shard else 0
            assert self.engine.ledger.escrow[shard] == interest * PRICE_UNIT

    @invariant()
    def nobody_is_below_zero(self) -> None:
        for name in TRADERS:
            balance = self.engine.queries.balance(name)
            for shard in (0, 2):
                assert balance.available[shard] >= 0
                assert balance.held[shard] >= 0
                assert self.cash[name, shard] == balance.available[shard] + balance.held[shard]

    @invariant()
    def positions_are_the_sums_of_fills(self) -> None:
        for (name, ticker), model in self.fills.items():
            (found,) = self.engine.queries.positions(name, ListFilter(tickers=(ticker,)))
            settled = Position(
                ticker, found.count, found.exposure, found.realized_pnl, found.fees_paid, found.total_traded
            )
            assert settled == replace(model)

    @invariant()
    def orders_add_up(self) -> None:
        for name in TRADERS:
            for order in self.engine.queries.orders(name):
                fills = list(self.engine.queries.fills(name, ListFilter(order_id=order.order_id)))
                assert order.filled == sum(fill.count for fill in fills)
                assert order.taker_fees + order.maker_fees == sum(fill.fee for fill in fills)
                if order.status is not OrderStatus.RESTING:
                    assert order.remaining == 0


TestExchange = ExchangeMachine.TestCase
TestExchange.settings = settings(
    max_examples=examples(150), stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck)
)


class ExchangeMachineAtLength(ExchangeMachine):
    """The same, many times over."""


TestExchangeAtLength = pytest.mark.nightly(ExchangeMachineAtLength.TestCase)
TestExchangeAtLength.settings = settings(TestExchange.settings, max_examples=3_000, stateful_step_count=60)
