"""A whole Thursday in simulated time: the pause from 03:00 to 05:00 Eastern, and markets that come and go."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest

from kalshi_tui.domain.book import Book, Side
from kalshi_tui.domain.link import LinkState, TradingStatus
from kalshi_tui.domain.market import MarketStatus
from kalshi_tui.domain.order import Action, OrderState, OrderTerms
from kalshi_tui.kalshi.environments import practice_on_port
from kalshi_tui.kalshi.feed.handler import FeedHandler
from kalshi_tui.kalshi.feed.stream import Stream
from kalshi_tui.kalshi.feed.stream_group import ReportListener, StreamGroup
from kalshi_tui.kalshi.rest import RestClient
from kalshi_tui.kalshi.transport.clock import ExchangeClock
from kalshi_tui.practice.server import auth
from kalshi_tui.session.assembly import assemble_session
from kalshi_tui.session.session import Session
from kalshi_tui.session.venue import Venue
from tests.support.cut_proxy import BOUNDS, TIMING
from tests.support.order_sender import sent
from tests.support.practice_server import Serving, serving
from tests.support.simulated_time import Simulated

EASTERN_MIDNIGHT_UTC_H = 5
STEP_MS = 30_000
HOUR = 3_600_000 // STEP_MS


def thursday_midnight_ms() -> int:
    """Return the beginning of a Thursday in New York, in winter."""
    day = datetime(2026, 12, 1, EASTERN_MIDNIGHT_UTC_H, tzinfo=UTC)
    while day.weekday() != 3:
        day += timedelta(days=1)
    return int(day.timestamp() * 1000)


class Day:
    def __init__(self, exchange: Serving, clock: Simulated, session: Session) -> None:
        self.exchange = exchange
        self.clock = clock
        self.session = session
        self.paused = False
        self.ended: set[str] = set()

    def step(self) -> None:
        self.clock.advance(STEP_MS)
        self.exchange.server.world.step()
        self.exchange.server.commit()

    async def until(self, condition: Callable[[], bool], what: str) -> None:
        """Wait in real time; simulated time goes on by seconds, for what waits on it."""
        for _ in range(2_000):
            if condition():
                return
            self.clock.advance(250)
            self.exchange.server.world.step()
            self.exchange.server.commit()
            await asyncio.sleep(0.002)
        listings = self.exchange.exchange.markets.listings
        odd = {
            ticker: (market.status, listings[ticker].status)
            for ticker, market in self.session.store.markets.items()
            if market.status is not listings[ticker].status
        }
        said = [notice.text for notice in list(self.session.store.notices)[:8]]
        raise AssertionError(f"{what} never came; {odd}; {said}")

    def statuses_agree(self) -> bool:
        listings = self.exchange.exchange.markets.listings
        return all(market.status is listings[ticker].status for ticker, market in self.session.store.markets.items())

    def every_open_market_is_listed(self) -> bool:
        visible = self.exchange.exchange.markets.visible()
        # Combos are in no list of open events: they are browsed by collection (docs/kalshi-api.md, section 18).
        opened = {each.ticker for each in visible if each.status.tradable and not each.terms.legs}
        return opened <= self.session.store.markets.keys()

    def book_is_right(self, ticker: str) -> bool:
        live, theirs = self.session.store.book(ticker), Book()
        theirs.snapshot(*self.exchange.exchange.markets.listings[ticker].levels())
        return live.is_good and live.book == theirs

    async def check(self, ticker: str) -> None:
        await self.until(lambda: self.book_is_right(ticker), "the book")
        await self.until(self.statuses_agree, "every status")
        await self.until(self.every_open_market_is_listed, "the list")
        markets = self.session.store.markets
        self.ended |= {ticker for ticker, each in markets.items() if each.status is MarketStatus.FINALIZED}
        hours = TradingStatus.TRADING_PAUSED if self.paused else TradingStatus.OPEN
        await self.until(lambda: self.session.store.hours is hours, "the hours")


@asynccontextmanager
async def a_day() -> AsyncIterator[Day]:
    clock = Simulated(thursday_midnight_ms())
    async with serving(quiet=False, clock=clock, rate=1, ping_interval_s=0.05) as exchange:
        environment, signer = practice_on_port(exchange.port), exchange.signers["alice"]
        exchange_clock = ExchangeClock(clock)

        def a_stream(handler: FeedHandler, listener: ReportListener, *, private: bool) -> Stream:
            return Stream(
                environment, signer, handler, clock=exchange_clock, listener=listener, timing=TIMING, policy=BOUNDS,
                private=private,
            )  # fmt: skip

        session = assemble_session(
            Venue.PRACTICE,
            lambda log: RestClient(environment, signer, clock=exchange_clock, on_left_out=log),
            lambda store, listener: StreamGroup(a_stream, store, listener),
            clock,
            clock.sleep,
        )
        day = Day(exchange, clock, session)
        await session.start()
        try:
            store = session.store
            await day.until(lambda: store.connection.state is LinkState.LIVE and bool(store.markets), "the start")
            yield day
        finally:
            await session.stop()


async def live_through(hours: int) -> None:
    """Live through so many hours of the day, looking at everything each quarter of an hour."""
    async with a_day() as day:
        session, store = day.session, day.session.store
        listings = day.exchange.exchange.markets.visible()
        open_now = [each for each in listings if each.status.tradable and each.yes_bid > 2_000]
        calm = max((each for each in open_now if not each.shard), key=lambda each: each.close_ms).ticker
        session.set_shown_markets([calm])
        terms = OrderTerms(calm, Side.YES, Action.BUY, 100, 500)
        resting = (await sent(session, terms)).order
        assert resting.state is OrderState.RESTING
        for step in range(1, hours * HOUR + 1):
            if step in {3 * HOUR, 5 * HOUR}:
                day.paused = step == 3 * HOUR
                await day.exchange.control("pause_trading" if day.paused else "resume_trading")
            day.step()
            await asyncio.sleep(0)
            if step % (HOUR // 4) == 0:
                await day.check(calm)
            if step == 4 * HOUR:
                refused = await sent(session, terms)
                assert refused.order.state is OrderState.UNKNOWN
                await day.until(lambda: len(store.working_orders()) == 1, "the refused order found not to be there")
                assert store.orders[resting.order_id].state is OrderState.RESTING
        assert store.orders[resting.order_id].state is OrderState.RESTING
        assert (await session.cancel(store.orders[resting.order_id])).order.state is OrderState.CANCELED
        assert len(day.ended) >= 3 * (4 * hours - 4)
        # What is over leaves the list after a while.
        assert len(day.ended & store.markets.keys()) < 20
        assert not [notice.text for notice in store.notices if "failed" in notice.text]


@pytest.fixture(autouse=True)
def leaps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let signatures live through the leaps of simulated time while their request is on its way."""
    monkeypatch.setattr(auth, "CLOCK_TOLERANCE_MS", 600_000)


@pytest.mark.slow
async def test_a_whole_thursday() -> None:
    await live_through(24)
