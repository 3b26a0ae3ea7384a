"""A practice server in this process, on a real socket, with two accounts and a clock that the test holds."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx
import msgspec
import pytest
from aiohttp import web
from websockets.asyncio.client import ClientConnection, connect

from kalshi_tui.domain.price import MONEY_UNIT
from kalshi_tui.kalshi.environments import practice_on_port
from kalshi_tui.kalshi.transport.signing import KeyType, Signer, generate_key
from kalshi_tui.practice.engine.model import ListedMarket
from kalshi_tui.practice.server.app import PracticeServer
from kalshi_tui.practice.server.auth import Authenticator
from kalshi_tui.practice.server.http import json_reply
from kalshi_tui.practice.simulation.participants import DEFAULT_RATE
from kalshi_tui.practice.simulation.world import World

HERE = "127.0.0.1"
PREFIX = "/trade-api/v2"
WS_PATH = "/trade-api/ws/v2"
CONTROL = "/practice/control"
PEMS = {"alice": generate_key(kind=KeyType.RSA), "bob": generate_key(kind=KeyType.ED25519)}
"""A key of each type that the exchange takes."""
TOKEN = "the content of a file that a test has no need of"
CASH = 10_000 * MONEY_UNIT


def resting_order(ticker: str, side: str, price: str, count: str) -> dict[str, Any]:
    """Return the body of an order that rests until it is canceled."""
    return {
        "ticker": ticker,
        "side": side,
        "price": price,
        "count": count,
        "time_in_force": "good_till_canceled",
        "self_trade_prevention_type": "taker_at_cross",
    }


class Serving:
    """What a test needs of a running server."""

    def __init__(self, server: PracticeServer, port: int, signers: dict[str, Signer], clock: "Clock") -> None:
        self.server = server
        self.exchange = server.world.exchange
        self.port = port
        self.signers = signers
        self.clock = clock
        self.client = httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False)

    @property
    def handle_request(self) -> Callable[[web.Request, Any], Awaitable[web.StreamResponse]]:
        """Return what answers every request; a test that delays or spoils answers puts its own around it."""
        return self.server.guard.handle_with_faults

    @handle_request.setter
    def handle_request(self, around: Callable[[web.Request, Any], Awaitable[web.StreamResponse]]) -> None:
        self.server.guard.handle_with_faults = around  # type: ignore[method-assign, assignment]  # a test stands around it

    async def call(
        self, method: str, path: str, body: Any = None, *, who: str = "alice", **query: Any
    ) -> httpx.Response:
        """Send a signed request."""
        headers = self.signers[who].headers(method, PREFIX + path, self.clock.machine_ms(), host=HERE)
        content = None if body is None else msgspec.json.encode(body)
        return await self.client.request(method, PREFIX + path, params=query, content=content, headers=headers)

    async def control(self, action: str, *, token: str = TOKEN, who: str = "alice", **keys: Any) -> httpx.Response:
        """Ask for trouble."""
        headers = self.signers[who].headers("POST", CONTROL, self.clock.machine_ms(), host=HERE)
        headers["X-Practice-Token"] = token
        return await self.client.post(CONTROL, content=msgspec.json.encode({"action": action} | keys), headers=headers)

    async def get(self, path: str, **query: Any) -> Any:
        """Ask without a signature, and give the body of a 200."""
        reply = await self.client.get(PREFIX + path, params=query)
        assert reply.status_code == 200, reply.text
        return reply.json()

    async def order(
        self, ticker: str, side: str, price: str, count: str, *, who: str = "alice", **more: Any
    ) -> httpx.Response:
        """Send an order that rests unless it is told otherwise."""
        return await self.call(
            "POST", "/portfolio/events/orders", resting_order(ticker, side, price, count) | more, who=who
        )

    @asynccontextmanager
    async def stream(self, who: str = "alice") -> AsyncIterator["Listener"]:
        """Open a WebSocket session."""
        headers = self.signers[who].headers("GET", WS_PATH, self.clock.machine_ms(), host=HERE)
        url = f"ws://127.0.0.1:{self.port}{WS_PATH}"
        async with connect(url, additional_headers=headers, proxy=None, compression=None) as socket:
            yield Listener(socket)


DAY_MS = 86_400_000


class Clock:
    """Runs with this machine's clock, moved by what the test adds."""

    def __init__(self, ahead_ms: int = 0) -> None:
        self.ahead_ms = ahead_ms

    def __call__(self) -> int:
        return self.machine_ms() + self.ahead_ms

    def machine_ms(self) -> int:
        return time.time_ns() // 1_000_000

    def advance(self, by_ms: int) -> None:
        self.ahead_ms += by_ms


def ahead_to_noon_ms() -> int:
    """Return how far a clock is put forward to tomorrow's noon.

    In its last minutes before midnight a game is bid on one side alone, and so is each combo of it.
    """
    return DAY_MS + DAY_MS // 2 - Clock()() % DAY_MS


class Listener:
    """Sends commands and takes frames, one at a time."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self._id = 0

    async def command(self, cmd: str, **params: Any) -> int:
        """Send a command with the next id, and give the id."""
        self._id += 1
        await self.socket.send(msgspec.json.encode({"id": self._id, "cmd": cmd, "params": params}).decode())
        return self._id

    async def frame(self) -> Any:
        """Take the next frame."""
        async with asyncio.timeout(10):
            return msgspec.json.decode(await self.socket.recv())

    async def frames(self, number: int) -> list[Any]:
        """Take some frames."""
        return [await self.frame() for _ in range(number)]


@asynccontextmanager
async def serving(
    *, quiet: bool = True, clock: "Clock | None" = None, ahead_ms: int = 0, rate: int = DEFAULT_RATE, **more: Any
) -> AsyncIterator[Serving]:
    """Run a server until the block ends; by a ``clock`` of the test's own signatures are measured too."""
    simulated, clock = clock, clock or Clock(ahead_ms)
    world = World(clock, seed=7, quiet=quiet, rate=rate)
    authenticator = Authenticator(simulated or clock.machine_ms)
    signers = {}
    for name, pem in PEMS.items():
        signers[name] = Signer.from_pem(f"key-of-{name}", pem, environment=practice_on_port(1))
        authenticator.register(f"key-of-{name}", name, signers[name].public_key())
        world.exchange.open_account(name, {0: CASH, 2: CASH})
    server = PracticeServer(
        world,
        authenticator,
        None,
        clock,
        control_token=TOKEN,
        advance_clock=clock.advance,
        **({"tier": "prestige"} | more),
    )
    runner = web.AppRunner(server.app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    world.start()
    server.commit()
    made = Serving(server, runner.addresses[0][1], signers, clock)
    try:
        yield made
    finally:
        await made.client.aclose()
        await runner.cleanup()


def lasting_markets(exchange: Serving) -> list[ListedMarket]:
    """Return the markets that take orders, and will while a test runs: the first of all close each quarter hour."""
    least_close_ms = exchange.clock() + 3_600_000
    return [
        each for each in exchange.exchange.markets.visible() if each.status.tradable and each.close_ms > least_close_ms
    ]


Spoil = Callable[[dict[str, Any]], None]


def spoiled(monkeypatch: pytest.MonkeyPatch, module: Any, spoil: Spoil) -> None:
    """Have the practice exchange send what a test has spoiled."""

    def odd(body: Any, status: int = 200) -> web.Response:
        made = json_reply(body, status)
        assert isinstance(made.body, bytes)
        content = json.loads(made.body)
        spoil(content)
        return web.json_response(content, status=status)

    monkeypatch.setattr(module, "json_reply", odd)
