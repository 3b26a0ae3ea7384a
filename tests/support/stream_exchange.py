"""The model exchange behind a real WebSocket, and a stream that follows it."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager, suppress
from email.utils import formatdate
from typing import Any

from websockets.asyncio.server import ServerConnection
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from kalshi_tui.domain.book import Side
from kalshi_tui.domain.link import LinkState
from kalshi_tui.kalshi.environments import practice_on_port
from kalshi_tui.kalshi.feed.stream import Stream, StreamTiming
from kalshi_tui.kalshi.transport.signing import (
    KEY_HEADER,
    SIGNATURE_HEADER,
    TIMESTAMP_HEADER,
    Signer,
    verify_signature,
)
from tests.support.book_handler import KEY_ID, BookHandler, Reports
from tests.support.feed_model import ModelExchange
from tests.support.waiting import GENEROUS_S, until

A, B = "KXWIN-26-A", "KXWIN-26-B"
QUICK = StreamTiming(tick=0.01, first_wait=0.01, longest_wait=0.05, refused_wait=60.0)


class Exchange:
    """The model exchange behind a real WebSocket, which checks the signed headers."""

    def __init__(self, signer: Signer) -> None:
        self.model = ModelExchange([A, B])
        for ticker in (A, B):
            self.model.books[ticker].snapshot([(4000, 1000)], [(5000, 700)])
        self.signer = signer
        self.handshakes: list[Request] = []
        self.refusals: list[Response] = []
        """Answers to the next handshakes."""
        self.connection: ServerConnection | None = None
        self.binary = 0
        self.dumb = False
        """Whether commands are left without an answer."""
        self.port = 0
        self.clock_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000

    def process_request(self, connection: ServerConnection, request: Request) -> Response | None:
        self.handshakes.append(request)
        if self.refusals:
            return self.refusals.pop(0)
        stamp, signature = request.headers[TIMESTAMP_HEADER], request.headers[SIGNATURE_HEADER]
        good = (
            request.headers[KEY_HEADER] == KEY_ID
            and verify_signature(self.signer.public_key(), signature, stamp, "GET", request.path)
            and abs(int(stamp) - self.clock_ms()) < 5_000
        )
        return None if good else refusal(401, "authentication_error", date=self.clock_ms() / 1000)

    async def handle(self, connection: ServerConnection) -> None:
        self.model.new_connection()
        self.connection = connection
        with suppress(ConnectionClosed):
            async for message in connection:
                self.binary += not isinstance(message, str)
                data = message.encode() if isinstance(message, str) else message
                for frame in () if self.dumb else self.model.command(data):
                    await connection.send(frame, text=True)

    async def send(self, frames: Iterable[bytes]) -> None:
        assert self.connection is not None
        for frame in frames:
            await self.connection.send(frame, text=True)

    async def shaken_hands(self, times: int) -> None:
        await until(lambda: len(self.handshakes) >= times)

    async def move(self, ticker: str = A, price: int = 4000, delta: int = 500) -> None:
        await self.send(self.model.move(ticker, Side.YES, price, delta))


def refusal(status: int, code: str = "", *, date: float | None = None, **more: str) -> Response:
    headers = Headers({"Date": formatdate(date or time.time(), usegmt=True), **more})
    body = json.dumps({"error": {"code": code, "message": "no"}}).encode()
    headers["Content-Length"] = str(len(body))
    return Response(status, "No", headers, body)


class Desk:
    """A running stream and what it told."""

    def __init__(self, exchange: Exchange, signer: Signer, **more: Any) -> None:
        self.exchange = exchange
        self.feed_handler = BookHandler()
        self.reports = Reports()
        more = {"timing": QUICK, **more}
        self.stream = Stream(
            practice_on_port(exchange.port), signer, self.feed_handler, listener=self.reports.append, **more
        )

    @property
    def state(self) -> LinkState:
        return self.feed_handler.links[-1][0]

    def right(self, *tickers: str) -> bool:
        same = all(
            self.feed_handler.books[ticker] == self.exchange.model.books[ticker] for ticker in self.feed_handler.good
        )
        return same and self.feed_handler.good == set(tickers)

    async def live(self) -> None:
        await until(lambda: self.feed_handler.links and self.state is LinkState.LIVE)


@asynccontextmanager
async def running(desk: Desk) -> AsyncIterator[Desk]:
    task = asyncio.create_task(desk.stream.run())
    try:
        yield desk
    finally:
        await desk.stream.close()
        async with asyncio.timeout(GENEROUS_S):
            await task
    assert desk.state is LinkState.OFFLINE
    assert desk.feed_handler.good == set()
