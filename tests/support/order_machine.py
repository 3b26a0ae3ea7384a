"""A trader, a line and an exchange that do anything in any order, as Hypothesis draws it, and what has to hold then.

Each run ends with all trouble over: then there is at most one order for each intent, every order is known, and what is
known is what the exchange has: state, reason, positions and cash of each subaccount on each shard. What the program
renews by itself never passes the trader's own expiry and never brings back a price or a count.
"""

import asyncio
import json
import shutil
import tempfile
import uuid
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from kalshi_tui.domain.book import Side
from kalshi_tui.domain.link import LinkState
from kalshi_tui.domain.order import Action, BookSide, Order, OrderState, OrderTerms, TimeInForce
from kalshi_tui.domain.price import MONEY_UNIT
from kalshi_tui.domain.update_reason import UpdateReason
from kalshi_tui.practice.engine.model import EngineOrder
from kalshi_tui.practice.engine.records import OrderRecord, OrderStatus
from kalshi_tui.practice.engine.rejection import Rejection
from kalshi_tui.practice.server.archive_tier import ARCHIVED_AFTER_MS, ArchivedKind
from kalshi_tui.session.execution.risk_checks import Risk, RiskReason
from kalshi_tui.session.interface import OrderResult
from kalshi_tui.session.options import DeadManOptions, SessionOptions
from tests.support.session_rig import BY_TRADER, CASH, HEAL_S, US, Rig, Trouble

PRICES = st.sampled_from([3_900, 4_000, 4_100])
COUNTS = st.sampled_from([100, 250, 1_000])
STALE = Risk(RiskReason.STALE_BOOK)
TROUBLES = st.one_of(st.just(Trouble.NONE), st.sampled_from(Trouble))
SHARDS = st.sampled_from([0, 0, 2])
NUMBERS = st.sampled_from([None, None, 1, 2])
EXPIRIES = st.sampled_from([None, None, None, 20, 45])
LITTLE = 3 * MONEY_UNIT
"""Enough for the smaller orders."""
FIFTEEN_DAYS_MS = 15 * 86_400_000
IN_MEMORY = Path("/dev/shm")


class Life(RuleBasedStateMachine):
    """See the module's text."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.folder = Path(tempfile.mkdtemp(dir=IN_MEMORY if IN_MEMORY.is_dir() else None))
        self.own_expiries: dict[str, set[int]] = {}
        """When the trader wants orders to end, Unix seconds, 0 for never; several where a change has no answer."""
        self.without_word: dict[str, int] = {}
        """When orders were sent without the word for the minute after a cancel of all."""
        self.tickers: dict[int, str] = {}
        self.been_away = False
        self.faults: list[str] = []
        """What the exchange saw that must not be."""

    @initialize(
        dedupe=st.sampled_from(["open", "ever"]),
        lag_ms=st.sampled_from([0, 0, 3_000, 10_000]),
        cancel_all=st.booleans(),
        by_name=st.sampled_from([0, 1, 50]),
        minute=st.booleans(),
        rolling_s=st.sampled_from([None, 30, 60]),
        archived_s=st.sampled_from([None, 15, 60]),
        gap_s=st.sampled_from([0, 25, -25]),
        locked=st.sampled_from([None, None, None, 1]),
        poor=st.sampled_from([None, None, 0, 2]),
    )
    def begin(
        self,
        dedupe: str,
        lag_ms: int,
        cancel_all: bool,
        by_name: int,
        minute: bool,
        rolling_s: int | None,
        archived_s: int | None,
        gap_s: int,
        locked: int | None,
        poor: int | None,
    ) -> None:
        async def begin() -> None:
            options = SessionOptions(max_canceled_by_name=by_name, dead_man=DeadManOptions(rolling_expiry_s=rolling_s))
            cash = {shard: LITTLE if shard == poor else CASH for shard in (0, 2)}
            self.rig = rig = Rig(
                self.folder, dedupe=dedupe, cancel_all=cancel_all, options=options, locked=locked, cash=cash
            )
            # The first is on both shards, the second on shard 0 alone.
            for shard in (0, 0, 2):
                rig.exchange.subaccounts.create(US, shard)
            for number, shard in ((1, 0), (2, 0), (1, 2)):
                cents = cash[shard] // MONEY_UNIT * 100 // 3
                rig.exchange.subaccounts.transfer(US, str(uuid.uuid4()), 0, number, cents, shard)
            archive = rig.server.archive
            archive.after_ms = dict.fromkeys(ArchivedKind, archived_s * 1000 if archived_s else ARCHIVED_AFTER_MS)
            archive.gap_ms = gap_s * 1000
            rig.exchange.order_entry.has_cancel_all_minute = minute
            self._watch_late_cancels()
            rig.line.watch = self._watch
            rig.server.commit()
            self._find_markets()
            await rig.start()
            await rig.pass_time(0.5)
            rig.lag(lag_ms)

        self.loop.run_until_complete(begin())

    @rule(
        shard=SHARDS,
        subaccount=NUMBERS,
        side=st.sampled_from(Side),
        action=st.sampled_from(Action),
        price=PRICES,
        count=COUNTS,
        tif=st.sampled_from([TimeInForce.GTC, TimeInForce.GTC, TimeInForce.IOC, TimeInForce.FOK]),
        post_only=st.booleans(),
        cancel_on_pause=st.booleans(),
        expires=EXPIRIES,
        word=st.booleans(),
        trouble=TROUBLES,
    )
    def submit(
        self,
        shard: int,
        subaccount: int | None,
        side: Side,
        action: Action,
        price: int,
        count: int,
        tif: TimeInForce,
        post_only: bool,
        cancel_on_pause: bool,
        expires: int | None,
        word: bool,
        trouble: Trouble,
    ) -> None:
        rests = tif is TimeInForce.GTC
        own = price if side is Side.YES else 10_000 - price
        wanted = OrderTerms(
            self.tickers[shard],
            side,
            action,
            own,
            count,
            tif,
            post_only and rests,
            expires_s=self.rig.clock.now_ms // 1000 + expires if expires and rests else None,
            cancel_on_pause=cancel_on_pause and rests,
            subaccount=None if self.rig.locked else subaccount,
        )

        async def submit() -> None:
            self._submit(wanted, trouble, word=word)
            await self.rig.spin()

        self.loop.run_until_complete(submit())

    @rule(shard=SHARDS, subaccount=NUMBERS, price=PRICES, expires=EXPIRIES, trouble=TROUBLES)
    def orders_rest(
        self, shard: int, subaccount: int | None, price: int, expires: int | None, trouble: Trouble
    ) -> None:
        """Let an order rest; the trouble is for what the program sends next."""
        expires_s = self.rig.clock.now_ms // 1000 + expires if expires else None
        number = None if self.rig.locked else subaccount
        wanted = OrderTerms(
            self.tickers[shard], Side.YES, Action.BUY, price, 250, expires_s=expires_s, subaccount=number
        )

        async def rest() -> None:
            self.rig.line.troubles.clear()
            self._submit(wanted, Trouble.NONE)
            await self.rig.spin()
            self.rig.deliver()
            self.rig.line.troubles.append(trouble)

        self.loop.run_until_complete(rest())

    @rule(shard=SHARDS, price=PRICES, count=COUNTS, trouble=TROUBLES, turns=st.integers(0, 60))
    def submit_and_be_killed(self, shard: int, price: int, count: int, trouble: Trouble, turns: int) -> None:
        """Kill the program at any of its awaits, and start it again."""
        wanted = OrderTerms(self.tickers[shard], Side.YES, Action.BUY, price, count)
        self._run_and_kill(lambda: self._submit(wanted, trouble), turns)

    @rule(number=st.integers(0, 3), price=PRICES, left=COUNTS, turns=st.integers(0, 60), trouble=TROUBLES)
    def amend_and_be_killed(self, number: int, price: int, left: int, turns: int, trouble: Trouble) -> None:
        if (order := self._resting(number)) is not None:
            self._run_and_kill(lambda: self._amend(order, price, left, None, trouble), turns)

    @rule(turns=st.integers(0, 60), trouble=TROUBLES)
    def cancel_all_and_be_killed(self, turns: int, trouble: Trouble) -> None:
        def cancel_all() -> None:
            self.rig.line.troubles.append(trouble)
            self.rig.begin(self.rig.session.cancel_all())

        self._run_and_kill(cancel_all, turns)

    @rule(seconds=st.sampled_from([0, 5, 40]), trouble=TROUBLES)
    def the_program_is_away(self, seconds: int, trouble: Trouble) -> None:
        """Nobody renews what it has left, and what a renewal on its way does comes as it may."""

        async def away() -> None:
            self.rig.line.troubles.append(trouble)
            await self.rig.pass_time(1)
            await self.rig.kill()
            self.rig.line.troubles.clear()
            await self.rig.pass_time(seconds, 1_000)
            self.rig.deliver("none")
            await self.rig.start()
            await self.rig.spin()

        self.loop.run_until_complete(away())

    @rule(side=st.sampled_from(BookSide), price=PRICES, lag_ms=st.sampled_from([0, 3_000]))
    @precondition(lambda self: not self.been_away)
    def weeks_go_by(self, side: BookSide, price: int, lag_ms: int) -> None:
        """What ended before is in the archive alone, and markets have closed."""

        async def away() -> None:
            rig = self.rig
            await rig.kill()
            rig.line.troubles.clear()
            await rig.spin()
            rig.trade(side, price, 500)
            rig.clock.advance(FIFTEEN_DAYS_MS)
            rig.world.step()
            rig.lag(lag_ms)
            self.been_away = True
            self._find_markets()
            rig.deliver("none")
            await rig.start()
            await rig.spin()

        self.loop.run_until_complete(away())

    @rule(number=st.integers(0, 3), turns=st.integers(0, 40), trouble=TROUBLES)
    def cancel_and_be_killed(self, number: int, turns: int, trouble: Trouble) -> None:
        if (order := self._resting(number)) is not None:

            def cancel() -> None:
                self.rig.line.troubles.append(trouble)
                self.rig.begin(self.rig.session.cancel(order))

            self._run_and_kill(cancel, turns)

    @rule(shard=SHARDS, side=st.sampled_from(BookSide), price=PRICES, count=COUNTS)
    def somebody_else_trades(self, shard: int, side: BookSide, price: int, count: int) -> None:
        self.rig.trade(side, price, count, self.tickers[shard])

    @rule(number=st.integers(0, 3))
    def an_order_is_canceled_elsewhere(self, number: int) -> None:
        resting = self._resting_there()
        if resting:
            record = resting[number % len(resting)]
            with suppress(Rejection):
                self.rig.exchange.order_entry.cancel(record.account_id, record.order_id, record.ticker)
            self.rig.server.commit()

    @rule(source=st.sampled_from([0, 2]), cents=st.sampled_from([100, 100_000]))
    def cash_is_moved(self, source: int, cents: int) -> None:
        with suppress(Rejection):
            self.rig.exchange.shard_transfers.request(US, source, 2 - source, cents * MONEY_UNIT // 100)
        self.rig.server.commit()

    @rule(word=st.sampled_from(["MadeUpCancel", "ReduceOnlyCancel", "MarginCancel"]))
    def the_next_end_has_an_odd_reason(self, word: str) -> None:
        self.rig.odd_reasons.append(word)

    @rule()
    def the_exchange_does_not_know_a_state(self) -> None:
        self.rig.unknown_left = 1

    @rule(shard=SHARDS)
    def a_market_pauses_and_goes_on(self, shard: int) -> None:
        with suppress(Rejection):
            self.rig.exchange.lifecycle.deactivate(self.tickers[shard])
            self.rig.exchange.lifecycle.activate(self.tickers[shard])
        self.rig.server.commit()

    @rule(number=st.sampled_from([None, 0, 1, 2]))
    def another_subaccount_is_chosen(self, number: int | None) -> None:
        if not self.rig.locked:
            self.rig.session.store.account.choose_subaccount(number)

    @rule(number=st.integers(0, 3), trouble=TROUBLES)
    def cancel(self, number: int, trouble: Trouble) -> None:
        if (order := self._resting(number)) is not None:
            self._do(self.rig.session.cancel, trouble, order)

    @rule(
        number=st.integers(0, 3),
        price=PRICES,
        left=COUNTS,
        expires=st.sampled_from([None, None, 0, 15, 45]),
        trouble=TROUBLES,
    )
    def amend(self, number: int, price: int, left: int, expires: int | None, trouble: Trouble) -> None:
        if (order := self._resting(number)) is not None:

            async def amend() -> None:
                self._amend(order, price, left, expires, trouble)
                await self.rig.spin()

            self.loop.run_until_complete(amend())

    @rule(number=st.integers(0, 3), expires=st.sampled_from([0, 15, 45]), trouble=TROUBLES)
    def amend_only_the_expiry(self, number: int, expires: int, trouble: Trouble) -> None:
        if (order := self._resting(number)) is not None:
            self.amend_as(order, expires, trouble)

    def amend_as(self, order: Order, expires: int, trouble: Trouble) -> None:
        async def amend() -> None:
            self._amend(order, order.yes_price, order.remaining, expires, trouble)
            await self.rig.spin()

        self.loop.run_until_complete(amend())

    @rule(shard=st.sampled_from([None, 0, 2]), subaccount=st.sampled_from([None, 0, 1]), trouble=TROUBLES)
    def cancel_all(self, shard: int | None, subaccount: int | None, trouble: Trouble) -> None:
        ticker = "" if shard is None else self.tickers[shard]
        self._do(self.rig.session.cancel_all, trouble, ticker, None if self.rig.locked else subaccount)

    @rule(number=st.integers(0, 3), price=PRICES, left=COUNTS, trouble=TROUBLES)
    @precondition(lambda self: self.rig.options.dead_man.rolling_expiry_s)
    def a_change_meets_a_renewal(self, number: int, price: int, left: int, trouble: Trouble) -> None:
        async def meet() -> None:
            rig = self.rig
            rig.line.troubles.clear()
            rig.line.troubles.append(trouble)
            for _ in range(30):
                if not rig.line.troubles:
                    break
                await rig.pass_time(0.5)
            rig.line.troubles.clear()
            if (order := self._resting(number)) is not None:
                self._amend(order, price, left, None, Trouble.NONE)
            await rig.pass_time(3)

        self.loop.run_until_complete(meet())

    @rule(seconds=st.sampled_from([1, 30, 61]), price=PRICES, trouble=TROUBLES)
    def an_order_follows_a_cancel_of_all(self, seconds: int, price: int, trouble: Trouble) -> None:
        async def follow() -> None:
            rig = self.rig
            rig.line.troubles.clear()
            rig.line.troubles.append(trouble)
            rig.begin(rig.session.cancel_all())
            await rig.pass_time(seconds, 1_000)
            rig.line.troubles.clear()
            self._submit(OrderTerms(self.tickers[0], Side.YES, Action.BUY, price, 100), Trouble.NONE, word=False)
            await rig.pass_time(2)

        self.loop.run_until_complete(follow())

    @rule(number=st.integers(0, 3), word=st.sampled_from(["MadeUpCancel", "ReduceOnlyCancel"]))
    def an_end_is_told_after_it_was_read(self, number: int, word: str) -> None:
        async def told() -> None:
            self.rig.deliver()
            self.rig.odd_reasons.append(word)
            self.an_order_is_canceled_elsewhere(number)
            await self.rig.pass_time(35, 2_500)
            self.rig.deliver()

        self.loop.run_until_complete(told())

    @rule(trouble=TROUBLES)
    def send_again_what_never_arrived(self, trouble: Trouble) -> None:
        rig = self.rig
        for order in list(rig.session.store.orders.values()):
            if (wanted := rig.session.resendable_terms(order)) is not None:
                agreed = frozenset(each.risk for each in rig.session.check_risks(wanted, order))
                self.without_word.pop(order.client_order_id, None)
                self._do(rig.session.submit, trouble, wanted, order.client_order_id, agreed)
                return

    @rule(how=st.sampled_from(["all", "twice", "reversed", "none"]))
    def frames_come(self, how: str) -> None:
        self.rig.deliver(how)
        self.loop.run_until_complete(self.rig.spin())

    @rule(seconds=st.sampled_from([0.5, 3, 8]))
    def time_passes(self, seconds: float) -> None:
        self.loop.run_until_complete(self.rig.pass_time(seconds))

    @rule(seconds=st.sampled_from([1, 10]))
    def no_name_can_be_resolved(self, seconds: int) -> None:
        self.rig.line.down_until_ms = self.rig.clock.now_ms + seconds * 1_000

    @rule(seconds=st.sampled_from([1, 5]))
    def the_link_is_lost_and_comes_back(self, seconds: int) -> None:
        """What the stream told meanwhile is never told again."""

        async def lost() -> None:
            self.rig.session.store.link(LinkState.WAITING, "lost")
            await self.rig.pass_time(seconds)
            self.rig.deliver("none")
            self.rig.session.store.link(LinkState.LIVE, "")
            await self.rig.spin()

        self.loop.run_until_complete(lost())

    @rule(lag_ms=st.sampled_from([0, 3_000, 10_000]))
    def reads_lag(self, lag_ms: int) -> None:
        self.rig.lag(lag_ms)

    @rule(shard=st.sampled_from([None, 0, 2]), whole=st.sampled_from([False, False, True]))
    def a_pause_begins(self, shard: int | None, whole: bool) -> None:
        """A pause of trading, or of everything, on one shard or all."""
        pauses = self.rig.exchange.pauses
        (pauses.pause_exchange if whole else pauses.pause_trading)(shard=shard)
        self.rig.server.commit()

    @rule(shard=st.sampled_from([None, 0, 2]))
    def trading_goes_on(self, shard: int | None) -> None:
        self.rig.exchange.pauses.resume_exchange(shard)
        self.rig.exchange.pauses.resume_trading(shard)
        self.rig.server.commit()

    def teardown(self) -> None:
        """Let all trouble end, and compare."""
        try:
            # Hypothesis also makes lives that it gives up before they begin.
            if hasattr(self, "rig"):
                self.loop.run_until_complete(self._end())
        finally:
            self.loop.close()
            shutil.rmtree(self.folder)

    async def _end(self) -> None:
        try:
            await self.rig.heal()
            self.rig.deliver("none")
            resting = self._resting_there()
            began_s = self.rig.clock.now_ms // 1000
            await self.rig.heal()
            self.rig.check()
            self._check_expiries(resting, began_s)
            assert not self.faults, self.faults
        finally:
            await self.rig.close()
            await asyncio.sleep(0)

    def _check_expiries(self, resting: list[OrderRecord], began_s: int) -> None:
        """Fail if an order ends at another time than the trader said, or one that could be renewed has ended."""
        records = {record.order_id: record for record in self.rig.theirs()}
        rolling_s = self.rig.options.dead_man.rolling_expiry_s
        for record in records.values():
            if record.status is OrderStatus.RESTING and not rolling_s:
                own = self.own_expiries[record.client_order_id]
                assert record.expires_ms // 1000 in own, f"{record}, the trader said {own}"
        for before in resting:
            record, own = records[before.order_id], self.own_expiries[before.client_order_id]
            if record.status is OrderStatus.CANCELED and record.update_reason == UpdateReason.EXPIRY.value:
                assert any(0 < each < began_s + 2 * HEAL_S for each in own), f"not renewed: {record}, {own}"

    def _find_markets(self) -> None:
        """Choose a market on each shard, one that does not close soon where there is one."""
        listed = [each for each in self.rig.exchange.markets.visible() if each.status.tradable]
        listed.sort(key=lambda each: (each.close_ms, each.ticker))
        # After weeks there is none on some shards: then what is sent there is rejected.
        self.tickers |= {each.shard: each.ticker for each in listed}
        self.rig.ticker = self.tickers[0]

    def _watch_late_cancels(self) -> None:
        """Note a fault where an order that was sent without the word is canceled because of a call before it."""
        entry, rig = self.rig.exchange.order_entry, self.rig
        cancel_late = entry._cancel_late

        def noted(order: EngineOrder, now: int) -> None:
            sent_ms = self.without_word.get(order.client_order_id)
            if order.is_resting and sent_ms is not None:
                calls = [at for at, how, path in rig.line.handed if how == "DELETE" and path.endswith("/events/orders")]
                if not any(sent_ms <= at for at in calls):
                    self.faults.append(f"{order.order_id}, sent at {sent_ms} without the word, was canceled: {calls}")
            cancel_late(order, now)

        entry._cancel_late = noted  # type: ignore[method-assign]  # watched on the way

    def _watch(self, method: str, path: str, content: bytes) -> Callable[[int], None] | None:
        """Look at a command as the exchange takes it up, and at what it has done."""
        if method != "POST" or path.endswith("/decrease"):
            return None
        body = json.loads(content)
        rolling_s = self.rig.options.dead_man.rolling_expiry_s
        if (name := body.get("client_order_id")) and rolling_s and "expiration_time" in body:
            own, sent_s = self.own_expiries[name], body["expiration_time"]
            if not sent_s or (0 not in own and sent_s > max(own)):
                self.faults.append(f"{path}: expires at {sent_s}, the trader said {own}")
        if not path.endswith("/amend") or BY_TRADER.get():
            return None
        order_id = path.split("/")[-2]
        before = self.rig.exchange.queries.order(US, order_id)

        def answered(status: int) -> None:
            now = self.rig.exchange.queries.order(US, order_id)
            changed = (now.price, now.initial, now.filled) != (before.price, before.initial, before.filled)
            if changed or (status == 200 and now.remaining != before.remaining):
                self.faults.append(f"a renewal has changed {before} to {now}")

        return answered

    def _submit(self, wanted: OrderTerms, trouble: Trouble, *, word: bool = True) -> None:
        before = set(self.rig.intents)
        self.rig.submit(wanted, trouble, without=() if word else {RiskReason.AFTER_CANCEL_ALL})
        (name,) = self.rig.intents.keys() - before
        self.own_expiries[name] = {wanted.expires_s or 0}
        if not word:
            self.without_word[name] = self.rig.clock.now_ms

    def _amend(self, order: Order, price: int, left: int, expires: int | None, trouble: Trouble) -> None:
        rig = self.rig
        rig.line.troubles.append(trouble)
        agreed = frozenset({STALE, *(Risk(RiskReason.SIMILAR_ORDER, each) for each in rig.intents)})
        expires_s = rig.clock.now_ms // 1000 + expires if expires else expires
        own = self.own_expiries[order.client_order_id]
        before = set(own)
        if expires_s is not None:
            own.add(expires_s)

        def done(task: "asyncio.Task[OrderResult]") -> None:
            if expires_s is None or task.cancelled():
                return
            if task.result().refused:
                # The rejection of another command: the change was made all the same.
                if not any(order.order_id in each for each in rig.line.misled):
                    own.intersection_update(before)
            elif task.result().sentence.startswith("Changed"):
                own.intersection_update({expires_s})

        task = rig.begin(rig.session.amend(order, price, left, agreed, expires_s=expires_s))
        task.add_done_callback(done)

    def _run_and_kill(self, begin: Callable[[], object], turns: int) -> None:
        """Begin something, kill the program so many turns of the loop later, and start it again."""

        async def killed() -> None:
            rig = self.rig
            begin()
            for _ in range(turns):
                await asyncio.sleep(0)
            await rig.kill()
            rig.line.troubles.clear()
            await rig.spin()
            rig.deliver("none")
            await rig.start()
            await rig.spin()

        self.loop.run_until_complete(killed())

    def _resting_there(self) -> list[OrderRecord]:
        return [record for record in self.rig.theirs() if record.status is OrderStatus.RESTING]

    def _resting(self, number: int) -> Order | None:
        resting = [order for order in self.rig.session.store.working_orders() if order.state is OrderState.RESTING]
        return resting[number % len(resting)] if resting else None

    def _do(self, work: Callable[..., Awaitable[Any]], trouble: Trouble, *arguments: object) -> None:
        async def do() -> None:
            self.rig.line.troubles.append(trouble)
            self.rig.begin(work(*arguments))
            await self.rig.spin()

        self.loop.run_until_complete(do())
