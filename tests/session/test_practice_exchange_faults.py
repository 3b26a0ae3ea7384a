"""The store behind the stream, through a bad line, against the real practice exchange that rehearses trouble besides.

Each schedule ends with every book equal to the exchange's. At every look in between each trusted book is one that the
exchange has had, and never an older one than at the look before.
"""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from kalshi_tui.domain.link import BookTrust, LinkState
from kalshi_tui.kalshi.environments import practice_on_port
from kalshi_tui.kalshi.feed.stream import Stream
from kalshi_tui.session.store import Store
from tests.support.book_history import History
from tests.support.cut_proxy import BOUNDS, TIMING, Proxy, between
from tests.support.practice_server import Serving, serving

MARKETS = 4
STEP_MS = 20


class Rig:
    """The exchange, a line that can be spoiled, and the client."""

    def __init__(self, exchange: Serving, proxy: Proxy) -> None:
        self.exchange = exchange
        self.proxy = proxy
        listings = [each for each in exchange.exchange.markets.visible() if each.status.tradable and each.yes_bid]
        self.tickers = [each.ticker for each in listings[3 : 3 + MARKETS]]
        self.history = History(exchange, self.tickers)
        self.store = Store(exchange.clock)
        signer = exchange.signers["alice"]
        self.stream = Stream(practice_on_port(proxy.port), signer, self.store, timing=TIMING, policy=BOUNDS)
        self.stream.watch_books(self.tickers)
        self.looks = 0
        self.doubts = 0

    def step(self) -> None:
        """Let the market live a little."""
        self.exchange.clock.advance(STEP_MS)
        self.exchange.server.world.step()
        self.exchange.server.commit()

    def look(self) -> None:
        self.looks += 1
        for ticker in self.tickers:
            live = self.store.books.get(ticker)
            if live is not None and live.is_good:
                self.history.check(ticker, live.book)
            elif live is not None and live.trust is BookTrust.STALE:
                self.doubts += 1

    def healed(self) -> bool:
        books = {ticker: self.store.book(ticker) for ticker in self.tickers}
        return all(live.is_good and self.history.is_now(ticker, live.book) for ticker, live in books.items())

    async def until_healed(self, seconds: float) -> None:
        async with asyncio.timeout(seconds):
            while not self.healed():
                self.look()
                await asyncio.sleep(0.002)


@asynccontextmanager
async def a_rig() -> AsyncIterator[Rig]:
    async with (
        serving(quiet=False, ping_interval_s=0.05) as exchange,
        between(exchange.port) as proxy,
    ):
        rig = Rig(exchange, proxy)
        running = asyncio.create_task(rig.stream.run())
        try:
            await rig.until_healed(10)
            yield rig
        finally:
            await rig.stream.close()
            await running


async def schedule(rig: Rig, rng: random.Random) -> None:
    """Do some random things to the line and to the exchange, looking at the books in between."""
    hub, proxy = rig.exchange.server.hub, rig.proxy
    for _ in range(8):
        match rng.choice(
            ["live", "live", "live", "skip", "double", "corrupt", "drop", "overflow", "late", "cut", "stall", "lose",
             "swap", "truncate", "pieces", "wish"]
        ):  # fmt: skip
            case "skip" | "double" | "corrupt" as kind:
                hub.inject_frame_fault({"double": "duplicate"}.get(kind, kind), rng.randint(1, 3))
            case "drop":
                hub.drop_connections()
            case "overflow":
                hub.end_market_data()
            case "late":
                hub.send_old_sid_frames(rng.randint(1, 3))
            case "cut":
                proxy.cut()
            case "stall":
                proxy.flowing.clear()
                rig.step()
                await asyncio.sleep(rng.choice([0.005, 0.02]))
                proxy.flowing.set()
            case "lose":
                proxy.lose = rng.choice([1, 7, 100, 300])
            case "swap":
                proxy.swap = True
            case "truncate":
                proxy.truncate = True
            case "pieces":
                proxy.pieces = rng.choice([0, 1, 13])
            case "wish":
                rig.stream.watch_books(rng.sample(rig.tickers, rng.randint(1, MARKETS)))
        for _ in range(rng.randint(1, 4)):
            rig.step()
            rig.look()
            await asyncio.sleep(rng.choice([0, 0, 0.002]))
    proxy.lose = proxy.pieces = 0
    proxy.swap = proxy.truncate = False
    for connection in hub.connections:
        connection.frame_faults.clear()
    rig.stream.watch_books(rig.tickers)


async def run_schedules(seeds: range) -> list[float]:
    """Run them all on one session, as a trader would meet them; give the times to heal, sorted."""
    times: list[float] = []
    loop = asyncio.get_running_loop()
    async with a_rig() as rig:
        for seed in seeds:
            await schedule(rig, random.Random(seed))
            began = loop.time()
            await rig.until_healed(10)
            times.append(loop.time() - began)
        assert rig.looks > 10 * len(seeds)
        assert rig.doubts
        assert rig.stream.protocol.healed
        assert rig.store.connection.state is LinkState.LIVE
    return sorted(times)


@pytest.mark.slow
@pytest.mark.parametrize("part", range(2))
async def test_every_book_heals_and_none_that_was_wrong_was_trusted(part: int) -> None:
    times = await run_schedules(range(part * 150, (part + 1) * 150))
    assert times[len(times) * 99 // 100] < 2


@pytest.mark.nightly
@pytest.mark.parametrize("part", range(10))
async def test_ten_thousand_schedules(part: int) -> None:
    times = await run_schedules(range(10_000 + part * 1_000, 10_000 + (part + 1) * 1_000))
    assert times[len(times) * 99 // 100] < 2
