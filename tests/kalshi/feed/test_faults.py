"""The stream through a TCP proxy that cuts, stalls, delays and loses bytes, on real sockets.

Each schedule ends with every book equal to the exchange's, and at every look in between each trusted book was what the
exchange had sent by the last number that was counted.
"""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest
from websockets.asyncio.server import serve

from kalshi_tui.domain.book import Side
from kalshi_tui.domain.link import LinkState
from kalshi_tui.kalshi import wire
from kalshi_tui.kalshi.environments import practice_on_port
from kalshi_tui.kalshi.feed.stream import Stream, StreamTiming
from kalshi_tui.kalshi.feed.subscription import Happening, RecoveryPolicy
from kalshi_tui.kalshi.transport.signing import Signer
from tests.kalshi.conftest import BookSink, Reports
from tests.kalshi.feed.test_stream import A, B, Exchange

TIMING = StreamTiming(tick=0.01, dead_after=0.4, first_wait=0.01, longest_wait=0.1, probe_after=0.5, open=0.5)
BOUNDS = RecoveryPolicy(snapshot=0.2, resubscribe=0.4, answer=0.5, retry=0.02, longest=0.1, quiet=0.5)


class Proxy:
    """Passes bytes between the client and the exchange, and spoils what comes down on command."""

    def __init__(self, target: int) -> None:
        self.target = target
        self.port = 0
        self.lose = 0
        """Bytes to swallow of what comes next."""
        self.swap = False
        """Whether the next two chunks are to change places."""
        self.truncate = False
        """Whether the connection is to end in the middle of the next chunk."""
        self.pieces = 0
        """The most bytes passed on at once; 0 for no limit."""
        self.flowing = asyncio.Event()
        self.flowing.set()
        self._writers: set[asyncio.StreamWriter] = set()

    def cut(self) -> None:
        for writer in list(self._writers):
            writer.transport.abort()

    async def serve(self, down: asyncio.StreamReader, up: asyncio.StreamWriter) -> None:
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self.target)
        except OSError:
            up.transport.abort()
            return
        mine = {up, far_writer}
        self._writers |= mine
        ways = [
            asyncio.create_task(self._pass(down, far_writer, spoil=False)),
            asyncio.create_task(self._pass(far_reader, up, spoil=True)),
        ]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
            self._writers -= mine
            for writer in mine:
                writer.transport.abort()

    async def _pass(self, source: asyncio.StreamReader, target: asyncio.StreamWriter, *, spoil: bool) -> None:
        held = b""
        with suppress(OSError):
            while data := await source.read(65_536):
                passed = data
                if spoil:
                    await self.flowing.wait()
                    passed, self.lose = data[self.lose :], max(0, self.lose - len(data))
                    if self.swap and not held:
                        held = passed
                        continue
                    if held:
                        passed, held, self.swap = passed + held, b"", False
                    if self.truncate:
                        self.truncate = False
                        target.write(passed[: len(passed) // 2])
                        await target.drain()
                        return
                step = self.pieces or len(passed) or 1
                for start in range(0, len(passed), step):
                    target.write(passed[start : start + step])
                    await target.drain()


@asynccontextmanager
async def between(target: int) -> AsyncIterator[Proxy]:
    proxy = Proxy(target)
    server = await asyncio.start_server(proxy.serve, "127.0.0.1", 0)
    proxy.port = server.sockets[0].getsockname()[1]
    try:
        yield proxy
    finally:
        server.close()
        proxy.cut()
        await asyncio.sleep(0)
        await server.wait_closed()


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

    def __init__(self, exchange: Exchange, stream: Stream, sink: BookSink) -> None:
        self.exchange = exchange
        self.stream = stream
        self.sink = sink
        self.looks = 0

    def look(self) -> None:
        self.looks += 1
        books = self.stream.protocol._book_subscription
        assert self.stream.protocol.trusted == self.sink.good
        for ticker in self.sink.good:
            assert books.sid is not None
            assert books.expected is not None
            sent = self.exchange.model.state_at(books.sid, ticker, books.expected - 1)
            assert sent == self.sink.books[ticker].levels()

    def healed(self) -> bool:
        return self.sink.good == {A, B} and self.sink.books == self.exchange.model.books

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
             "wish"]
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


async def run_schedules(signer: Signer, seeds: range) -> list[float]:
    exchange = Exchange(signer)
    times: list[float] = []
    async with (
        serve(exchange.handle, "127.0.0.1", 0, process_request=exchange.process_request, ping_interval=None) as server,
        between(next(iter(server.sockets)).getsockname()[1]) as proxy,
        pinging(exchange),
    ):
        sink, reports = BookSink(), Reports()
        stream = Stream(
            practice_on_port(proxy.port), signer, sink, listener=reports.append, timing=TIMING, policy=BOUNDS
        )
        stream.watch_books([A, B])
        task = asyncio.create_task(stream.run())
        watcher = Watcher(exchange, stream, sink)
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
    assert sink.links[-1][0] is LinkState.OFFLINE
    assert reports.of(Happening.HEALED)
    return sorted(times)


async def test_through_a_bad_line_no_wrong_book_is_trusted_and_every_book_heals(signer: Signer) -> None:
    times = await run_schedules(signer, range(20))
    assert times[-1] < 5


@pytest.mark.nightly
async def test_through_a_bad_line_for_a_long_time(signer: Signer) -> None:
    times = await run_schedules(signer, range(1_000, 3_000))
    assert times[len(times) * 99 // 100] < 2
