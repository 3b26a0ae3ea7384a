"""The stream through a TCP proxy that cuts, stalls, delays and loses bytes, on real sockets.

Each schedule ends with every book equal to the exchange's, and at every look in between each trusted book was what the
exchange had sent by the last number that was counted.
"""

import asyncio
import json
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest
from websockets.asyncio.server import serve

from kalshi_tui.domain.book import Side
from kalshi_tui.domain.link import LinkState
from kalshi_tui.kalshi import wire
from kalshi_tui.kalshi.environments import practice_on_port
from kalshi_tui.kalshi.feed.stream import Stream
from kalshi_tui.kalshi.feed.subscription import Happening
from kalshi_tui.kalshi.transport.signing import Signer
from tests.support.book_handler import BookHandler, Reports
from tests.support.cut_proxy import BOUNDS, TIMING, Proxy, between
from tests.support.stream_exchange import A, B, Exchange


@asynccontextmanager
async def pinging(exchange: Exchange) -> AsyncIterator[None]:
    async def ping() -> None:
        while True:
            await asyncio.sleep(0.05)
            if exchange.connection is not None:
                with suppress(Exception):
                    await exchange.connection.ping(wire.HEARTBEAT)

    task = asyncio.create_task(ping())
    try:
        yield
    finally:
        task.cancel()


class Watcher:
    """Looks at every book at every turn that it gets."""

    def __init__(self, exchange: Exchange, stream: Stream, feed_handler: BookHandler) -> None:
        self.exchange = exchange
        self.stream = stream
        self.feed_handler = feed_handler
        self.looks = 0

    def look(self) -> None:
        self.looks += 1
        books = self.stream.protocol._book_subscription
        assert self.stream.protocol.trusted == self.feed_handler.good
        for ticker in self.feed_handler.good:
            assert books.sid is not None
            assert books.expected is not None
            sent = self.exchange.model.state_at(books.sid, ticker, books.expected - 1)
            assert sent == self.feed_handler.books[ticker].levels()

    def healed(self) -> bool:
        return self.feed_handler.good == {A, B} and self.feed_handler.books == self.exchange.model.books

    async def until_healed(self, seconds: float) -> None:
        async with asyncio.timeout(seconds):
            while not self.healed():
                self.look()
                await asyncio.sleep(0.005)


async def schedule(exchange: Exchange, proxy: Proxy, watcher: Watcher, rng: random.Random) -> None:
    """Do a dozen random things, looking at the books in between."""
    for _ in range(12):
        match rng.choice(
            ["move", "move", "move", "lost message", "cut", "stall", "lose bytes", "swap", "truncate", "pieces", "end",
             "wish", "foreign", "foreign"]
        ):  # fmt: skip
            case "move":
                for _ in range(rng.randint(1, 20)):
                    await push(exchange, rng)
            case "lost message":
                exchange.model.move(rng.choice([A, B]), Side.YES, 100 * rng.randint(35, 45), 100)
            case "cut":
                proxy.cut()
            case "stall":
                proxy.flowing.clear()
                await push(exchange, rng)
                await asyncio.sleep(rng.choice([0.02, 0.1, 0.5]))
                proxy.flowing.set()
            case "lose bytes":
                proxy.lose = rng.choice([1, 7, 100, 300])
                await push(exchange, rng)
            case "swap":
                proxy.swap = True
                await push(exchange, rng)
                await push(exchange, rng)
            case "truncate":
                proxy.truncate = True
                await push(exchange, rng)
            case "pieces":
                proxy.pieces = rng.choice([0, 1, 13])
            case "end":
                with suppress(Exception):
                    await exchange.send(
                        exchange.model.end_subscription(wire.Channel.BOOK, wire.ErrorCode.BUFFER_OVERFLOW)
                    )
            case "foreign":
                await push_foreign(exchange, rng)
            case "wish":
                watcher.stream.watch_books(rng.choice([[A], [B], [A, B]]))
        for _ in range(rng.randint(1, 5)):
            watcher.look()
            await asyncio.sleep(rng.choice([0, 0, 0.005]))
    proxy.lose = proxy.pieces = 0
    proxy.swap = proxy.truncate = False
    watcher.stream.watch_books([A, B])


async def push(exchange: Exchange, rng: random.Random) -> None:
    ticker, side = rng.choice([A, B]), rng.choice(list(Side))
    frames = exchange.model.move(ticker, side, 100 * rng.randint(35, 55), 100 * rng.randint(-9, 9))
    if exchange.connection is not None:
        with suppress(Exception):
            await exchange.send(frames)


async def push_foreign(exchange: Exchange, rng: random.Random) -> None:
    """Send, in the place of a change, one of a market that is not followed or a frame of a type that is not known.

    It has the right number: only its content tells that the change is missing.
    """
    for data in exchange.model.move(rng.choice([A, B]), Side.YES, 100 * rng.randint(35, 39), 100):
        frame = json.loads(data)
        match rng.choice(["delta", "snapshot", "type"]):
            case "delta":
                frame["msg"]["market_ticker"] = rng.choice(["KXa", "", "KXWIN-26-C"])
            case "snapshot":
                frame = frame | {"type": "orderbook_snapshot", "msg": {"market_ticker": rng.choice(["KXa", "KXb"])}}
            case "type":
                frame["type"] = rng.choice(["orderbook_news", "", "trade"])
        if exchange.connection is not None:
            with suppress(Exception):
                await exchange.send([json.dumps(frame).encode()])


async def run_schedules(signer: Signer, seeds: range) -> list[float]:
    exchange = Exchange(signer)
    times: list[float] = []
    async with (
        serve(exchange.handle, "127.0.0.1", 0, process_request=exchange.process_request, ping_interval=None) as server,
        between(next(iter(server.sockets)).getsockname()[1]) as proxy,
        pinging(exchange),
    ):
        feed_handler, reports = BookHandler(), Reports()
        stream = Stream(
            practice_on_port(proxy.port), signer, feed_handler, listener=reports.append, timing=TIMING, policy=BOUNDS
        )
        stream.watch_books([A, B])
        task = asyncio.create_task(stream.run())
        watcher = Watcher(exchange, stream, feed_handler)
        loop = asyncio.get_running_loop()
        try:
            await watcher.until_healed(5)
            for seed in seeds:
                await schedule(exchange, proxy, watcher, random.Random(seed))
                began = loop.time()
                await watcher.until_healed(10)
                times.append(loop.time() - began)
        finally:
            await stream.close()
            await task
    assert watcher.looks > 20 * len(seeds)
    assert feed_handler.links[-1][0] is LinkState.OFFLINE
    assert reports.of(Happening.HEALED)
    return sorted(times)


async def test_through_a_bad_line_no_wrong_book_is_trusted_and_every_book_heals(signer: Signer) -> None:
    times = await run_schedules(signer, range(20))
    assert times[-1] < 5


@pytest.mark.nightly
async def test_through_a_bad_line_for_a_long_time(signer: Signer) -> None:
    times = await run_schedules(signer, range(1_000, 3_000))
    assert times[len(times) * 99 // 100] < 2
