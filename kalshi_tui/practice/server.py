"""The practice exchange as a server: REST and WebSocket on one loopback port, in front of the engine."""

import asyncio
import ipaddress
from collections.abc import Awaitable, Callable
from typing import Final

from aiohttp import web

from kalshi_tui.kalshi import wire
from kalshi_tui.practice.auth import Authenticator
from kalshi_tui.practice.database import Database
from kalshi_tui.practice.http import BadRequestError, bad_request, refused
from kalshi_tui.practice.refusal import Refusal
from kalshi_tui.practice.rest_markets import MarketApi
from kalshi_tui.practice.rest_portfolio import ACCOUNT, PortfolioApi
from kalshi_tui.practice.streams import Hub
from kalshi_tui.practice.world import World

STEP_EVERY_S: Final = 0.02
PING_EVERY_S: Final = 10.0
LARGEST_BODY: Final = 1024 * 1024
LARGEST_FRAME: Final = 4 * 1024 * 1024
SIGNED: Final = ("/portfolio/", "/account/", "/exchange/user_data_timestamp")
"""Paths, below the API's prefix, that need the three headers."""
RETIRED: Final = ("/portfolio/orders", "/portfolio/orders/batched", "/portfolio/orders/{order_id}")
"""Paths of the first version of orders whose writes are gone (section 6)."""

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class PracticeServer:
    """Serves one world. ``clock_ms`` is the time of the exchange."""

    def __init__(
        self,
        world: World,
        authenticator: Authenticator,
        database: Database | None,
        clock_ms: Callable[[], int],
        *,
        cancel_all: bool = True,
        ping_every_s: float = PING_EVERY_S,
    ) -> None:
        self.world = world
        self._authenticator = authenticator
        self._database = database
        self._ping_every_s = ping_every_s
        self.hub = Hub(world.exchange, lambda: asyncio.get_running_loop().time())
        self.app = web.Application(middlewares=[self._guard], client_max_size=LARGEST_BODY)
        portfolio = PortfolioApi(world.exchange, self.commit, clock_ms, cancel_all=cancel_all)
        self.app.add_routes(portfolio.routes())
        self.app.add_routes(MarketApi(world.exchange).routes())
        self.app.add_routes([web.get(wire.WS_PATH, self._stream)])
        for path in RETIRED:
            for method in ("POST", "DELETE"):
                self.app.router.add_route(method, f"{wire.REST_PREFIX}{path}", _retired)
        self.app.on_shutdown.append(self._shut_down)

    async def run_world(self) -> None:
        """Step the world until cancelled; each step is short, so that requests do not wait."""
        while True:
            self.world.step()
            self.commit()
            await asyncio.sleep(STEP_EVERY_S)

    def commit(self) -> None:
        """Make what has happened durable, then tell the streams; nobody hears of what could be lost."""
        events = self.world.exchange.take_events()
        if not events:
            return
        if self._database is not None:
            self._database.record(self.world.exchange, events)
        self.hub.publish(events)

    @web.middleware
    async def _guard(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Keep browsers out, check signatures, and turn refusals into answers."""
        try:
            _require_local(request)
            path = request.rel_url.raw_path
            below = path.removeprefix(wire.REST_PREFIX)
            if path == wire.WS_PATH or below.startswith(SIGNED):
                request[ACCOUNT] = self._authenticator.account(request.headers, request.method, path)
            return await handler(request)
        except Refusal as refusal:
            return refused(refusal)
        except BadRequestError as error:
            return bad_request(error)
        except web.HTTPException as error:
            if error.status < 400:
                raise
            code = {404: "not_found", 405: "method_not_allowed", 413: "request_too_large"}.get(error.status, "error")
            return refused(Refusal(error.status, code, details=f"{request.method} {request.path[:200]}"))

    async def _stream(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(compress=True, max_msg_size=LARGEST_FRAME, autoping=True)
        await socket.prepare(request)
        await self.hub.serve(socket, request[ACCOUNT], self._ping_every_s)
        return socket

    async def _shut_down(self, app: web.Application) -> None:
        del app
        await self.hub.close()


async def _retired(request: web.Request) -> web.Response:
    del request
    raise Refusal(410, "endpoint_retired", "this endpoint is retired", "use /portfolio/events/orders")


def _require_local(request: web.Request) -> None:
    """Refuse what a browser page could send: a foreign ``Host`` (DNS rebinding), or any ``Origin``."""
    if "Origin" in request.headers:
        raise Refusal(403, "forbidden", "forbidden", "requests from web pages are not served")
    host = request.headers.get("Host", "")
    name = host.rsplit(":", 1)[0] if not host.endswith("]") else host
    name = name.strip("[]")
    if name == "localhost":
        return
    try:
        local = ipaddress.ip_address(name).is_loopback
    except ValueError:
        local = False
    if not local:
        raise Refusal(403, "forbidden", "forbidden", "only this machine is served")
