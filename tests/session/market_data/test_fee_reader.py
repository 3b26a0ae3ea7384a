"""Fees in the store: read once, and true through every change that the real practice exchange makes of them."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from kalshi_tui.domain.fees import FeeSchedule, FeeType
from kalshi_tui.domain.link import LinkState
from kalshi_tui.kalshi.environments import practice_on_port
from kalshi_tui.kalshi.feed.stream import Stream
from kalshi_tui.kalshi.order_status import SyncedClock
from kalshi_tui.kalshi.rest import RestClient
from kalshi_tui.session.bus import EventFeesChanged
from kalshi_tui.session.market_data.fee_reader import FeeReader
from kalshi_tui.session.store import Store
from tests.support.cut_proxy import BOUNDS, TIMING
from tests.support.practice_server import Serving, serving
from tests.support.waiting import until

HOUR_MS = 3_600_000


class ExchangeTime(SyncedClock):
    """The exchange's own time, which a test moves."""

    def __init__(self, exchange: Serving) -> None:
        super().__init__()
        self._exchange = exchange

    def now_ms(self) -> int:
        return self._exchange.clock()


class FollowedFees:
    """A store that shows one market and follows its fees."""

    def __init__(self, exchange: Serving, rest: RestClient) -> None:
        self.exchange = exchange
        self.store = Store(exchange.clock)
        self.reader = FeeReader(rest, self.store, lambda _: asyncio.sleep(0.005))
        self.misses_frames = False
        self.store.bus.subscribe(EventFeesChanged, self._event_fees_changed)
        self.ticker = ""
        self.event = ""
        self.series = ""

    def _event_fees_changed(self, told: EventFeesChanged) -> None:
        if not self.misses_frames:
            self.reader.handle_event_fees(told.event_ticker, told.fee_type, told.multiplier)

    @property
    def fees(self) -> FeeSchedule | None:
        return self.store.markets[self.ticker].fees

    async def show(self, rest: RestClient) -> None:
        listing = next(each for each in self.exchange.exchange.markets.visible() if each.status.tradable)
        self.ticker, self.event = listing.ticker, listing.terms.event_ticker
        self.series = listing.terms.series_ticker
        event = await rest.event(self.event)
        self.store.market_data.set_markets(event.markets, [event])
        self.reader.set_shown_markets([self.ticker])
        await self.reader.read(self.ticker)

    async def ask(self, action: str, **keys: Any) -> None:
        reply = await self.exchange.control(action, **keys)
        assert reply.status_code == 200, reply.text


@pytest.fixture
async def followed() -> AsyncIterator[FollowedFees]:
    async with serving() as exchange:
        environment, signer = practice_on_port(exchange.port), exchange.signers["alice"]
        rest = RestClient(environment, signer, clock=ExchangeTime(exchange))
        shown = FollowedFees(exchange, rest)
        await shown.show(rest)
        stream = Stream(environment, signer, shown.store, timing=TIMING, policy=BOUNDS)
        tasks = [asyncio.create_task(stream.run()), asyncio.create_task(shown.reader.run())]
        try:
            await until(lambda: shown.store.connection.state is LinkState.LIVE)
            yield shown
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await rest.close()


async def test_an_events_change_comes_by_the_stream_and_is_cleared_by_it(followed: FollowedFees) -> None:
    before = followed.fees
    await followed.ask("change_event_fees", ticker=followed.event, fee_type="flat", fee_multiplier=0.5)
    await until(lambda: followed.fees == FeeSchedule(FeeType.FLAT, 500_000))
    await followed.ask("change_event_fees", ticker=followed.event)
    await until(lambda: followed.fees == before)


async def test_a_series_change_is_applied_by_the_clock_though_no_event_tells_it(followed: FollowedFees) -> None:
    before = followed.fees
    await followed.ask("change_series_fees", ticker=followed.series, fee_type="quadratic", fee_multiplier=3, ms=HOUR_MS)
    followed.reader.request_reread()
    await until(lambda: followed.reader.scheduled_count == 1)
    assert followed.fees == before
    await followed.ask("advance_clock", ms=HOUR_MS)
    await until(lambda: followed.fees == FeeSchedule(FeeType.QUADRATIC, 3_000_000))


async def test_a_scheduled_event_change_is_applied_though_its_frame_was_missed(followed: FollowedFees) -> None:
    await followed.ask("change_event_fees", ticker=followed.event, fee_type="quadratic", fee_multiplier=2, ms=HOUR_MS)
    followed.reader.request_reread()
    await until(lambda: followed.reader.scheduled_count == 1)
    followed.misses_frames = True
    followed.exchange.clock.advance(HOUR_MS)
    await until(lambda: followed.fees == FeeSchedule(FeeType.QUADRATIC, 2_000_000))


async def test_what_changed_during_an_absence_is_read_again(followed: FollowedFees) -> None:
    followed.misses_frames = True
    await followed.ask("change_series_fees", ticker=followed.series, fee_type="tiered", fee_multiplier=1)
    await followed.ask("change_event_fees", ticker=followed.event, fee_multiplier=2)
    followed.reader.request_reread()
    await until(lambda: followed.fees == FeeSchedule(FeeType.UNKNOWN, 2_000_000))
    assert followed.fees is not None
    assert followed.fees.word == "tiered"
