"""The connection to the exchange cut at every byte of an order's request and of its reply, on real sockets."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import httpx
import pytest

from kalshi_tui.domain.book import Side
from kalshi_tui.domain.order import Action, OrderState, OrderTerms
from kalshi_tui.kalshi.environments import practice_on_port
from kalshi_tui.kalshi.rest import RestClient, Retry
from kalshi_tui.kalshi.transport.clock import ExchangeClock
from kalshi_tui.practice.server import auth
from kalshi_tui.session.account.order_merge import UNCONFIRMED_STATES
from kalshi_tui.session.execution.journal import Journal
from kalshi_tui.session.execution.order_lookup import OrderLookup
from kalshi_tui.session.execution.risk_checks import RiskChecks
from kalshi_tui.session.execution.submit import OrderExecutor
from kalshi_tui.session.store import Store
from kalshi_tui.session.venue import Venue
from tests.support.practice_server import Clock, Serving, serving

PARTS = 4
ONCE = Retry(attempts=1)
MAX_CUT_POSITION = 4_096


class Scissors:
    """A proxy that lets ``up`` bytes through to the exchange and ``down`` bytes back, then cuts."""

    def __init__(self, port: int) -> None:
        self._port = port
        self.up: int | None = None
        self.down: int | None = None
        self.cut = False

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        up, down = self.up, self.down
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._port)
        with suppress(OSError):
            await asyncio.wait(
                [
                    asyncio.ensure_future(self._carry(reader, far_writer, up)),
                    asyncio.ensure_future(self._carry(far_reader, writer, down)),
                ],
                return_when=asyncio.FIRST_COMPLETED,
            )
        for each in (writer, far_writer):
            each.close()

    async def _carry(self, source: asyncio.StreamReader, feed_handler: asyncio.StreamWriter, left: int | None) -> None:
        while left is None or left > 0:
            data = await source.read(65_536 if left is None else left)
            if not data:
                return
            feed_handler.write(data)
            await feed_handler.drain()
            left = None if left is None else left - len(data)
        self.cut = True


class Cutting:
    def __init__(self, exchange: Serving, scissors: Scissors, port: int, clock: Clock, folder: Path) -> None:
        self.exchange = exchange
        self.scissors = scissors
        self._port = port
        self._clock = clock
        self._folder = folder
        # Time leaps on with each question: one that does not close meanwhile.
        listings = exchange.exchange.markets.visible()
        self.ticker = max(listings, key=lambda each: (each.status.tradable, each.close_ms)).ticker
        self._number = 0

    async def order(self, up: int | None, down: int | None) -> OrderState:
        """Send one order over a line that is cut, and give what is known of it at last: that has to be the truth."""
        self._number += 1
        clock = ExchangeClock(self._clock)
        store = Store(self._clock)
        store.snapshot(self.ticker, [(4_000, 100)], [(4_000, 100)])
        self.scissors.up, self.scissors.down, self.scissors.cut = up, down, False
        # Certificates, of no use on loopback, would take most of the time.
        line = httpx.AsyncHTTPTransport(verify=False)
        signer = self.exchange.signers["alice"]
        async with RestClient(practice_on_port(self._port), signer, clock=clock, transport=line, retry=ONCE) as rest:

            async def later(seconds: float) -> None:
                self._clock.advance(int(seconds * 1000))
                await asyncio.sleep(0)

            order_lookup = OrderLookup(rest, store, later)
            journal = Journal.in_memory()
            risk_checks = RiskChecks(store, Venue.PRACTICE, clock_ms=self._clock)
            executor = OrderExecutor(rest, store, journal, risk_checks, order_lookup)
            name = f"order-{up}-{down}-{self._number}"
            terms = OrderTerms(self.ticker, Side.YES, Action.BUY, 100, 100)
            sending = asyncio.ensure_future(executor.submit(terms, name))
            # What was cut is cut; the questions that follow go through.
            while not (self.scissors.cut or sending.done()):
                await asyncio.sleep(0)
            self.scissors.up = self.scissors.down = None
            await sending
            async with asyncio.timeout(20):
                while any(order.state in UNCONFIRMED_STATES for order in store.orders.values()):
                    await asyncio.sleep(0.001)
            await order_lookup.close()
        (order,) = store.orders.values()
        theirs = [each for each in self.exchange.exchange.queries.orders("alice") if each.client_order_id == name]
        assert len(theirs) <= 1
        there = OrderState.RESTING if theirs else OrderState.NOT_SENT
        assert order.state is there, f"cut after {up} up, {down} down: {order}"
        for each in theirs:
            assert each.order_id == order.order_id
            self.exchange.exchange.order_entry.cancel("alice", each.order_id)
        self.exchange.server.commit()
        return order.state


@asynccontextmanager
async def cutting(folder: Path) -> AsyncIterator[Cutting]:
    clock = Clock()
    async with serving(clock=clock) as exchange:
        scissors = Scissors(exchange.port)
        proxy = await asyncio.start_server(scissors, "127.0.0.1", 0)
        try:
            yield Cutting(exchange, scissors, proxy.sockets[0].getsockname()[1], clock, folder)
        finally:
            proxy.close()


async def each_cut(part: int, cut: Callable[[int], Awaitable[bool]]) -> int:
    """Cut at each byte of a part of them, until nothing is left to cut; give how many cuts there were."""
    for number, place in enumerate(range(part, MAX_CUT_POSITION, PARTS)):
        if not await cut(place):
            return number
    raise AssertionError("the exchange of request and reply never ended")


@pytest.mark.slow
@pytest.mark.parametrize("part", range(PARTS))
async def test_a_request_cut_at_every_byte(tmp_path: Path, part: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(auth, "CLOCK_TOLERANCE_MS", 10**12)
    async with cutting(tmp_path) as rig:

        async def cut(place: int) -> bool:
            await rig.order(place, None)
            return rig.scissors.cut

        assert await each_cut(part, cut) > 100


@pytest.mark.quick_cases("0")
@pytest.mark.parametrize("part", range(PARTS))
async def test_a_reply_cut_at_every_byte(tmp_path: Path, part: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(auth, "CLOCK_TOLERANCE_MS", 10**12)
    async with cutting(tmp_path) as rig:

        async def cut(place: int) -> bool:
            await rig.order(None, place)
            return rig.scissors.cut

        assert await each_cut(part, cut) > 50
