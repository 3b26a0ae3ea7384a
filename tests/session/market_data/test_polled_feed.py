"""A desk without a key on a server that fails at times: what fails costs that read, and nothing is asked for sooner."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import pytest
from aiohttp import web

from kalshi_tui.domain.alerts import Alert, AlertKind
from kalshi_tui.domain.link import BookTrust, LinkState
from kalshi_tui.kalshi.environments import practice_on_port
from kalshi_tui.kalshi.rest import RestClient
from kalshi_tui.kalshi.transport.clock import ExchangeClock
from kalshi_tui.session.assembly import assemble_session
from kalshi_tui.session.market_data.polled_feed import NO_BOOKS, POLL_INTERVAL_S
from kalshi_tui.session.options import SessionOptions
from kalshi_tui.session.session import Session
from kalshi_tui.session.supervisor import DEFECT_TEXT
from kalshi_tui.session.venue import Venue
from tests.support.practice_server import PREFIX, Serving, lasting_markets, serving
from tests.support.simulated_time import Simulated

START_MS = 1_800_000_000_000
CALM_TURNS = 4
TURN_S = 0.002
WITHOUT_KEY = SessionOptions(read_only=True, without_key=True)


class CountingTransport(httpx.AsyncHTTPTransport):
    """Sends over real sockets, and knows how many answers are awaited."""

    active = 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.active += 1
        try:
            return await super().handle_async_request(request)
        finally:
            self.active -= 1


class Watching:
    """A session without a key, in a time that the test moves, on an exchange whose requests are counted."""

    def __init__(self, exchange: Serving) -> None:
        self.exchange = exchange
        self.clock = Simulated(START_MS)
        self.asked: list[tuple[int, str]] = []
        """When, in simulated milliseconds since the start, and what the exchange was asked for."""
        self.fails: Callable[[str], int] = lambda _: 0
        """Return the status that a request fails with, 0 for none."""
        self._transport = CountingTransport()
        usual = exchange.handle_request

        async def count(request: web.Request, handler: Any) -> web.StreamResponse:
            asked_for = request.path_qs.removeprefix(PREFIX)
            self.asked.append((self.clock.now_ms - START_MS, asked_for))
            if status := self.fails(asked_for):
                return web.json_response({"error": {"code": "odd", "message": "for the test"}}, status=status)
            return await usual(request, handler)

        exchange.handle_request = count
        self.first, self.second, *_ = (each.ticker for each in lasting_markets(exchange))
        self.session: Session = assemble_session(
            Venue.LIVE,
            lambda log: RestClient(
                practice_on_port(exchange.port),
                clock=ExchangeClock(self.clock),
                transport=self._transport,
                read_only=True,
                on_left_out=log,
            ),
            None,
            self.clock,
            self.clock.sleep,
            timer_s=lambda: self.clock.now_ms / 1000,
            options=WITHOUT_KEY,
        )
        self.store = self.session.store

    def link_state(self) -> LinkState:
        return self.store.connection.state

    def book_trust(self, ticker: str) -> BookTrust:
        return self.store.book(ticker).trust

    def gaps_s(self) -> list[tuple[float, str]]:
        """Return the times between two requests for the same thing."""
        last: dict[str, int] = {}
        found = []
        for at_ms, asked_for in self.asked:
            if asked_for in last:
                found.append(((at_ms - last[asked_for]) / 1000, asked_for))
            last[asked_for] = at_ms
        return found

    def times_asked(self, word: str) -> int:
        return sum(word in asked_for for _, asked_for in self.asked)

    async def come_to_rest(self) -> None:
        """Let everything run until it waits for time to pass."""
        calm = 0
        while calm < CALM_TURNS:
            await asyncio.sleep(TURN_S)
            calm = 0 if self._transport.active else calm + 1

    async def pass_time(self, seconds: int) -> None:
        for _ in range(seconds):
            self.clock.advance(1_000)
            await self.come_to_rest()


@pytest.fixture
async def watching() -> AsyncIterator[Watching]:
    async with serving() as exchange:
        made = Watching(exchange)
        await made.session.start()
        await made.come_to_rest()
        made.session.set_shown_markets([made.first, made.second])
        made.session.set_visible_markets([made.first])
        await made.pass_time(2)
        yield made
        await made.session.stop()


async def test_what_fails_costs_that_read_and_nothing_is_asked_for_sooner(watching: Watching) -> None:
    store, first, second = watching.store, watching.first, watching.second
    assert watching.link_state() is LinkState.LIVE
    assert store.book(first).is_good
    assert store.book(second).is_good

    # The book of one market, and the tape of another.
    watching.fails = lambda asked_for: (
        500 * (f"{second}/orderbook" in asked_for) or 503 * (f"trades?ticker={first}" in asked_for)
    )
    before = watching.times_asked(f"{first}/orderbook")
    await watching.pass_time(40)
    assert watching.book_trust(second) is BookTrust.STALE
    assert "could not be read" in store.book(second).why
    assert store.book(first).is_good
    assert 2 <= watching.times_asked(f"{first}/orderbook") - before <= 3
    assert watching.link_state() is LinkState.LIVE
    told = [each.text for each in store.notices if "trades" in each.text]
    assert len(told) == 1, told

    # The quotes: nothing in the list is live then, and the books are still read.
    watching.fails = lambda asked_for: 429 * ("/markets?" in asked_for)
    await watching.pass_time(20)
    assert watching.link_state() is LinkState.WAITING
    assert store.book(first).is_good
    assert store.book(second).is_good

    # Everything, then nothing.
    watching.fails = lambda _: 502
    await watching.pass_time(20)
    assert watching.book_trust(first) is BookTrust.STALE
    watching.fails = lambda _: 0
    await watching.pass_time(40)
    assert watching.link_state() is LinkState.LIVE
    assert store.book(first).is_good
    assert store.book(second).is_good

    gaps = watching.gaps_s()
    assert len(gaps) > 20
    sooner = [each for each in gaps if each[0] < POLL_INTERVAL_S]
    assert not sooner


async def test_a_market_that_comes_back_to_the_screen_is_not_asked_for_again_within_the_cache_time(
    watching: Watching,
) -> None:
    for shown in ([watching.second], [watching.first], [watching.second], [watching.first, watching.second]):
        watching.session.set_shown_markets(shown)
        await watching.pass_time(2)
        assert all(watching.store.book(each).is_good for each in shown)
    assert watching.times_asked("/orderbook") == 2
    assert watching.times_asked("/trades") == 2
    await watching.pass_time(20)
    assert watching.times_asked("/orderbook") == 4
    assert min(gap for gap, _ in watching.gaps_s()) >= POLL_INTERVAL_S


async def test_books_that_are_distrusted_are_read_in_their_turn(watching: Watching) -> None:
    watching.session.parts.stream.resync_books("For the test.")
    assert watching.book_trust(watching.first) is BookTrust.STALE
    await watching.pass_time(5)
    assert watching.times_asked("/orderbook") == 2
    assert watching.book_trust(watching.first) is BookTrust.STALE
    await watching.pass_time(15)
    assert watching.times_asked("/orderbook") == 4
    assert watching.store.book(watching.first).is_good


async def test_an_exchange_that_shows_no_books_without_a_key_says_so(watching: Watching) -> None:
    watching.fails = lambda asked_for: 401 * ("/orderbook" in asked_for)
    await watching.pass_time(20)
    assert watching.store.book(watching.first).why == NO_BOOKS
    assert watching.link_state() is LinkState.LIVE


async def test_the_age_that_is_told_is_that_of_the_oldest_read_on_the_screen(watching: Watching) -> None:
    await watching.pass_time(8)
    age_ms = watching.session.link_metrics().frame_age_ms
    assert age_ms is not None
    assert 8_000 <= age_ms <= 10_000
    watching.fails = lambda asked_for: 500 * (f"{watching.second}/orderbook" in asked_for)
    await watching.pass_time(25)
    age_ms = watching.session.link_metrics().frame_age_ms
    assert age_ms is not None
    assert age_ms >= 33_000


async def test_a_trade_that_is_read_rings_its_alert_once(watching: Watching) -> None:
    alert = Alert(AlertKind.TRADE, watching.first, threshold=100, once=False)
    assert not watching.session.alerts.add(alert)
    await watching.exchange.order(watching.first, "bid", "0.4000", "2.00")
    await watching.pass_time(20)
    assert watching.session.alerts.ring_count == 0
    assert watching.store.book(watching.first).book.best_bid() is not None
    reply = await watching.exchange.order(watching.first, "ask", "0.4000", "2.00", who="bob")
    assert reply.status_code == 201, reply.text
    await watching.pass_time(40)
    assert watching.session.alerts.ring_count == 1


async def test_what_cannot_be_read_is_named_until_it_can_be() -> None:
    async with serving() as exchange:
        watching = Watching(exchange)
        data = watching.store.market_data
        watching.fails = lambda _: 404
        watching.session.set_watch_list_markets(["KXGONE-1"])
        await watching.session.start()
        watching.session.set_shown_markets([watching.first])
        await watching.pass_time(2)
        for why in (data.listing_error, data.tape_error(watching.first), data.ticker_error("KXGONE-1")):
            assert why, "it has failed, and nothing says so"
        watching.fails = lambda _: 0
        await watching.pass_time(32)
        assert (data.listing_error, data.tape_error(watching.first), data.ticker_error("KXGONE-1")) == ("", "", None)
        assert data.is_listed
        await watching.session.stop()


async def test_a_defect_while_the_list_is_read_is_a_reason_too(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: Any, **__: Any) -> None:
        raise TypeError("a defect")

    async with serving() as exchange:
        watching = Watching(exchange)
        with monkeypatch.context() as patched:
            patched.setattr(RestClient, "events", broken)
            patched.setattr(RestClient, "candles", broken)
            await watching.session.start()
            watching.session.set_shown_chart(watching.first, 60)
            await watching.pass_time(2)
            assert watching.store.market_data.listing_error == DEFECT_TEXT
            assert DEFECT_TEXT in watching.store.charts[watching.first, 60].why
        await watching.pass_time(8)
        assert watching.store.is_listed
        assert not watching.store.market_data.listing_error
        await watching.session.stop()
