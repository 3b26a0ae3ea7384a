"""A trader, a line and an exchange that do anything in any order, as Hypothesis draws it, and what has to hold then.

Each run ends with all trouble over: then there is at most one order for each intent, every order is known, and what is
known is what the exchange has.
"""

import asyncio
import shutil
import tempfile
from pathlib import Path

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from kalshi_tui.domain.book import Side
from kalshi_tui.domain.link import LinkState
from kalshi_tui.domain.order import Action, BookSide, Order, OrderState, OrderTerms, TimeInForce
from kalshi_tui.session.execution.risk_checks import Risk, RiskReason
from kalshi_tui.session.options import SessionOptions
from tests.support.session_rig import Rig, Trouble

PRICES = st.sampled_from([3_900, 4_000, 4_100])
COUNTS = st.sampled_from([100, 250, 1_000])
STALE = Risk(RiskReason.STALE_BOOK)
TROUBLES = st.one_of(st.just(Trouble.NONE), st.sampled_from(Trouble))
IN_MEMORY = Path("/dev/shm")


class Life(RuleBasedStateMachine):
    """See the module's text."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.folder = Path(tempfile.mkdtemp(dir=IN_MEMORY if IN_MEMORY.is_dir() else None))

    @initialize(
        dedupe=st.sampled_from(["open", "ever"]),
        lag_ms=st.sampled_from([0, 0, 3_000, 10_000]),
        cancel_all=st.booleans(),
        by_name=st.sampled_from([0, 1, 50]),
        minute=st.booleans(),
    )
    def begin(self, dedupe: str, lag_ms: int, cancel_all: bool, by_name: int, minute: bool) -> None:
        async def begin() -> None:
            options = SessionOptions(max_canceled_by_name=by_name)
            self.rig = Rig(self.folder, dedupe=dedupe, cancel_all=cancel_all, options=options)
            self.rig.exchange.order_entry.has_cancel_all_minute = minute
            await self.rig.start()
            await self.rig.pass_time(0.5)
            self.rig.lag(lag_ms)

        self.loop.run_until_complete(begin())

    @rule(
        side=st.sampled_from(Side),
        action=st.sampled_from(Action),
        price=PRICES,
        count=COUNTS,
        tif=st.sampled_from([TimeInForce.GTC, TimeInForce.GTC, TimeInForce.IOC, TimeInForce.FOK]),
        post_only=st.booleans(),
        expires=st.sampled_from([None, None, None, 20]),
        trouble=TROUBLES,
    )
    def submit(
        self,
        side: Side,
        action: Action,
        price: int,
        count: int,
        tif: TimeInForce,
        post_only: bool,
        expires: int | None,
        trouble: Trouble,
    ) -> None:
        rests = tif is TimeInForce.GTC
        own = price if side is Side.YES else 10_000 - price
        expires_s = self.rig.clock.now_ms // 1000 + expires if expires and rests else None
        wanted = OrderTerms(self.rig.ticker, side, action, own, count, tif, post_only and rests, expires_s=expires_s)

        async def submit() -> None:
            self.rig.submit(wanted, trouble)
            await self.rig.spin()

        self.loop.run_until_complete(submit())

    @rule(price=PRICES, count=COUNTS, trouble=TROUBLES, turns=st.integers(0, 60))
    def submit_and_be_killed(self, price: int, count: int, trouble: Trouble, turns: int) -> None:
        """Kill the program at any of its awaits, and start it again."""

        async def killed() -> None:
            rig = self.rig
            rig.submit(OrderTerms(rig.ticker, Side.YES, Action.BUY, price, count), trouble)
            for _ in range(turns):
                await asyncio.sleep(0)
            await rig.kill()
            rig.line.troubles.clear()
            await rig.spin()
            rig.deliver("none")
            await rig.start()
            await rig.spin()

        self.loop.run_until_complete(killed())

    @rule(number=st.integers(0, 3), turns=st.integers(0, 40), trouble=TROUBLES)
    def cancel_and_be_killed(self, number: int, turns: int, trouble: Trouble) -> None:
        async def killed() -> None:
            rig = self.rig
            if (order := self._resting(number)) is not None:
                rig.line.troubles.append(trouble)
                rig.begin(rig.session.cancel(order))
            for _ in range(turns):
                await asyncio.sleep(0)
            await rig.kill()
            rig.line.troubles.clear()
            rig.deliver("none")
            await rig.start()
            await rig.spin()

        self.loop.run_until_complete(killed())

    @rule(side=st.sampled_from(BookSide), price=PRICES, count=COUNTS)
    def somebody_else_trades(self, side: BookSide, price: int, count: int) -> None:
        self.rig.trade(side, price, count)

    @rule(number=st.integers(0, 3), trouble=TROUBLES)
    def cancel(self, number: int, trouble: Trouble) -> None:
        if (order := self._resting(number)) is not None:
            self._do(self.rig.session.cancel, trouble, order)

    @rule(number=st.integers(0, 3), price=PRICES, left=COUNTS, trouble=TROUBLES)
    def amend(self, number: int, price: int, left: int, trouble: Trouble) -> None:
        if (order := self._resting(number)) is not None:

            async def amend() -> None:
                self.rig.line.troubles.append(trouble)
                session = self.rig.session
                agreed = frozenset({STALE, *(Risk(RiskReason.SIMILAR_ORDER, each) for each in self.rig.intents)})
                self.rig.begin(session.amend(order, price, left, agreed))
                await self.rig.spin()

            self.loop.run_until_complete(amend())

    @rule(everywhere=st.booleans(), trouble=TROUBLES)
    def cancel_all(self, everywhere: bool, trouble: Trouble) -> None:
        self._do(self.rig.session.cancel_all, trouble, "" if everywhere else self.rig.ticker)

    @rule(trouble=TROUBLES)
    def send_again_what_never_arrived(self, trouble: Trouble) -> None:
        rig = self.rig
        for order in list(rig.session.store.orders.values()):
            if (wanted := rig.session.resendable_terms(order)) is not None:
                agreed = frozenset(each.risk for each in rig.session.check_risks(wanted, order))
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

    @rule()
    @precondition(lambda self: self.rig.exchange.pauses.trading_active)
    def trading_is_paused(self) -> None:
        self.rig.exchange.pauses.pause_trading()
        self.rig.server.commit()

    @rule()
    @precondition(lambda self: not self.rig.exchange.pauses.trading_active)
    def trading_goes_on(self) -> None:
        self.rig.exchange.pauses.resume_trading()
        self.rig.server.commit()

    def teardown(self) -> None:
        """Let all trouble end, and compare."""
        if not hasattr(self, "rig"):
            return
        try:
            self.loop.run_until_complete(self._end())
        finally:
            self.loop.close()
            shutil.rmtree(self.folder)

    async def _end(self) -> None:
        try:
            await self.rig.heal()
            self.rig.deliver("none")
            await self.rig.heal()
            self.rig.check()
        finally:
            await self.rig.close()
            await asyncio.sleep(0)

    def _resting(self, number: int) -> Order | None:
        resting = [order for order in self.rig.session.store.working_orders() if order.state is OrderState.RESTING]
        return resting[number % len(resting)] if resting else None

    def _do(self, work: object, trouble: Trouble, *arguments: object) -> None:
        async def do() -> None:
            self.rig.line.troubles.append(trouble)
            self.rig.begin(work(*arguments))  # type: ignore[operator]  # a command of the session's
            await self.rig.spin()

        self.loop.run_until_complete(do())
