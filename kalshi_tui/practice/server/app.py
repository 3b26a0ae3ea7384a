"""The practice exchange as a server: REST and WebSocket on one loopback port, in front of the engine."""

import asyncio
import contextlib
import ipaddress
from collections.abc import Awaitable, Callable
from email.utils import formatdate
from typing import Final

from aiohttp import web
from msgspec import Raw, Struct

from kalshi_tui.kalshi import wire
from kalshi_tui.kalshi.transport.signing import KEY_HEADER, PRACTICE_CONTROL, PRACTICE_REPLAY
from kalshi_tui.kalshi.wire.times import time_text
from kalshi_tui.practice.engine.rejection import Rejection
from kalshi_tui.practice.replay.world import ReplayWorld
from kalshi_tui.practice.server.auth import Authenticator
from kalshi_tui.practice.server.connection import Connection
from kalshi_tui.practice.server.control import ControlApi, Faults
from kalshi_tui.practice.server.http import (
    BadRequestError,
    bad_request_reply,
    json_reply,
    rejection_reply,
    text_param,
)
from kalshi_tui.practice.server.hub import Hub
from kalshi_tui.practice.server.lagging_reads import LaggingReads
from kalshi_tui.practice.server.rest_keys import KeyApi
from kalshi_tui.practice.server.rest_markets import MarketApi
from kalshi_tui.practice.server.rest_portfolio import ACCOUNT_ID_KEY, PortfolioApi
from kalshi_tui.practice.server.throttle import DEFAULT_COST, ENDPOINT_COSTS, Throttle
from kalshi_tui.practice.simulation.world import World
from kalshi_tui.practice.storage.database import Database

REPLAY_READS_AHEAD_MS: Final = 10_000
"""How far ahead portfolio reads of a replay say that they are: they never lag, and where the clock stands in a pause
nobody would ever believe them, for data that do not pass the sending of an order tell nothing of it (docs/kalshi-
api.md, section 7)."""
ARCHIVED_AFTER_MS: Final = 14 * 86_400_000
"""Two weeks, as on the exchange (docs/kalshi-api.md, section 15)."""
STEP_INTERVAL_S: Final = 0.02
SLOW_READER_TIMEOUT_S: Final = 5.0
"""How long a recording waits for one reader; a stream of the exchange waits for none
(error 25, docs/kalshi-api.md, section 5)."""
PING_INTERVAL_S: Final = 10.0
MAX_BODY_BYTES: Final = 1024 * 1024
SIGNED_PATHS: Final = ("/portfolio/", "/account/", "/api_keys", "/exchange/user_data_timestamp", "/historical/orders")
"""Paths, below the API's prefix, that need the three headers."""
BROWSER_HEADERS: Final = {"Cross-Origin-Resource-Policy": "same-origin", "X-Content-Type-Options": "nosniff"}
"""There is no ``Access-Control-`` header besides: no page of another origin may read an answer."""
RETIRED_PATHS: Final = (
    "/portfolio/orders",
    "/portfolio/orders/batched",
    "/portfolio/orders/{order_id}",
    "/portfolio/orders/{order_id}/amend",
    "/portfolio/orders/{order_id}/decrease",
)
"""Paths of the first version of orders whose writes are gone (docs/kalshi-api.md, section 6)."""


class _BatchBody(Struct):
    """What of a batch counts for its cost."""

    orders: list[Raw]


Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class PracticeServer:
    """Serves one world. ``clock`` is the time of the exchange."""

    def __init__(
        self,
        world: World | ReplayWorld,
        authenticator: Authenticator,
        database: Database | None,
        clock_ms: Callable[[], int],
        *,
        cancel_all: bool = True,
        ping_interval_s: float = PING_INTERVAL_S,
        tier: str = "basic",
        control_token: str = "",
        advance_clock: Callable[[int], None] = lambda _: None,
        throttle_clock_ms: Callable[[], int] | None = None,
    ) -> None:
        """Create; ``throttle_clock_ms`` is the clock of the rate limits, where that is not the exchange's."""
        self.world = world
        self.clock_ms = clock_ms
        self.faults = Faults()
        self.archived_after_ms = ARCHIVED_AFTER_MS
        """How long after its end an order leaves the live list for the archive."""
        self.throttle = Throttle(tier, throttle_clock_ms or clock_ms)
        machine_ms = authenticator.clock_ms
        authenticator.clock_ms = lambda: machine_ms() + self.faults.clock_skew_ms
        self._authenticator = authenticator
        self._database = database
        self._ping_interval_s = ping_interval_s
        self._slow_readers_since: dict[Connection, float] = {}
        """The readers for whom much waits, and since when, by the time of the loop."""
        self.hub = Hub(world.exchange, lambda: asyncio.get_running_loop().time())
        self.app = web.Application(middlewares=[self._check_request], client_max_size=MAX_BODY_BYTES)
        replays = isinstance(world, ReplayWorld)
        portfolio = PortfolioApi(
            world.exchange,
            self.commit,
            (lambda: clock_ms() + REPLAY_READS_AHEAD_MS) if replays else clock_ms,
            cancel_all=cancel_all,
            cutoff_ms=self._orders_cutoff_ms,
        )
        self._portfolio = portfolio
        self._lagging_reads: LaggingReads | None = None
        self.app.add_routes(portfolio.routes())
        self.app.add_routes(KeyApi(authenticator, database, self.throttle.tier).routes())
        self.app.add_routes(
            [
                web.get(f"{wire.REST_PREFIX}/account/limits", self._limits),
                web.get(f"{wire.REST_PREFIX}/account/endpoint_costs", self._costs),
                web.get(f"{wire.REST_PREFIX}/account/api_usage_level/volume_progress", self._volume_progress),
                web.post(f"{wire.REST_PREFIX}/account/api_usage_level/upgrade", self._upgrade),
                web.get(f"{wire.REST_PREFIX}/historical/cutoff", self._historical_cutoff),
            ]
        )
        if control_token:
            control = ControlApi(self, control_token, advance_clock)
            self.app.add_routes([web.post(PRACTICE_CONTROL, control.handle)])
        if isinstance(world, ReplayWorld):
            self.app.add_routes([web.get(PRACTICE_REPLAY, self._replay_state)])
        self.app.add_routes(MarketApi(world.exchange).routes())
        self.app.add_routes([web.get(wire.WS_PATH, self._stream)])
        for path in RETIRED_PATHS:
            for method in ("POST", "DELETE"):
                self.app.router.add_route(method, f"{wire.REST_PREFIX}{path}", _retired_endpoint)
        self.app.on_shutdown.append(self._shut_down)
        self.app.on_response_prepare.append(self._set_response_headers)

    async def run_world(self) -> None:
        """Step the world until canceled; each step is short, so that requests do not wait."""
        while True:
            replay = self.world if isinstance(self.world, ReplayWorld) else None
            if replay is not None and replay.has_pending_seek:
                await replay.finish_pending_seek()
            # A recording waits for its readers; a market does not.
            waits = replay is not None and self._should_wait_for_readers()
            if replay is not None and waits:
                replay.skip_elapsed_time()
            else:
                self.world.step()
            self.commit()
            # One that plays fast has more to do than the steps of a quiet world.
            hurries = replay is not None and replay.needs_immediate_step and not waits
            await asyncio.sleep(0 if hurries else STEP_INTERVAL_S)

    def _should_wait_for_readers(self) -> bool:
        """Return whether any reader is behind who may catch up: one that stands still must not halt it for the others.

        It is sent more from then on, until its buffer is full and its subscriptions end.
        """
        now, before = self.hub.loop_time(), self._slow_readers_since
        self._slow_readers_since = {each: before.get(each, now) for each in self.hub.connections if each.is_behind}
        return any(now - since < SLOW_READER_TIMEOUT_S for since in self._slow_readers_since.values())

    def commit(self) -> None:
        """Make what has happened durable, then tell the streams; nobody hears of what could be lost."""
        events = self.world.exchange.drain_events()
        if not events:
            return
        if self._database is not None:
            self._database.write_events(self.world.exchange, events)
        if self._lagging_reads is not None:
            self._lagging_reads.add_events(events)
        self.hub.publish(events)

    def set_lagging_reads(self, lagging: LaggingReads | None) -> None:
        """Let orders, positions and fills be answered from the past, or from now."""
        self.commit()
        self._lagging_reads = lagging
        self._portfolio.reads = lagging or self.world.exchange.queries

    @web.middleware
    async def _check_request(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Keep browsers out, check signatures, and turn refusals into answers."""
        try:
            _require_local(request)
            path = request.rel_url.raw_path
            below = path.removeprefix(wire.REST_PREFIX)
            if (
                path in {wire.WS_PATH, PRACTICE_CONTROL}
                or below.startswith(SIGNED_PATHS)
                or KEY_HEADER in request.headers
            ):
                await self._authenticate(request, path, below)
            if path in {PRACTICE_CONTROL, PRACTICE_REPLAY}:
                return await handler(request)
            return await self._handle_with_faults(request, handler)
        except Rejection as refusal:
            return rejection_reply(refusal)
        except BadRequestError as error:
            return bad_request_reply(error)
        except ConnectionResetError:
            # The sender went in the middle of its request; nobody reads this answer.
            return web.Response(status=400)
        except web.HTTPException as error:
            if error.status < 400:
                raise
            if error.status == 429:
                return json_reply({"error": "too many requests"}, 429)
            code = {404: "not_found", 405: "method_not_allowed", 413: "request_too_large"}.get(error.status, "error")
            return rejection_reply(Rejection(error.status, code, details=f"{request.method} {request.path[:200]}"))

    async def _authenticate(self, request: web.Request, path: str, below: str) -> None:
        """Find out whose request it is, and whether the key may send it."""
        key = self._authenticator.authenticate(request.headers, request.method, path)
        request[ACCOUNT_ID_KEY] = key.account_id
        if path not in {wire.WS_PATH, PRACTICE_CONTROL, PRACTICE_REPLAY}:
            await self._charge_tokens(request, below)
        if path == wire.WS_PATH or below.startswith(SIGNED_PATHS):
            key.require_scope(request.method, below)
        _require_no_subaccount(request)

    async def _charge_tokens(self, request: web.Request, below: str) -> None:
        """Take the tokens of a request; a batch is charged by item (docs/kalshi-api.md, section 10)."""
        items = 1
        if below.endswith("/orders/batched"):
            with contextlib.suppress(wire.DecodeError):
                items = len(wire.decode(await request.read(), _BatchBody).orders)
        if not self.throttle.try_charge(request[ACCOUNT_ID_KEY], request.method, below, items):
            raise web.HTTPTooManyRequests
        if self.faults.rate_limits_left > 0:
            self.faults.rate_limits_left -= 1
            raise web.HTTPTooManyRequests

    async def _handle_with_faults(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Answer, late or wrongly if that was asked for."""
        faults = self.faults
        rest = request.path != wire.WS_PATH
        if rest and faults.delays_left > 0:
            faults.delays_left -= 1
            await asyncio.sleep(faults.delay_ms / 1_000)
        meant = faults.fail_method in {"", request.method} and request.path.startswith(
            wire.REST_PREFIX + faults.fail_path if faults.fail_path else ""
        )
        if not (rest and faults.failures_left > 0 and meant):
            return await handler(request)
        faults.failures_left -= 1
        status = faults.failure_status
        if faults.fail_after_processing:
            await handler(request)
        raise Rejection(status, "internal_server_error" if status >= 500 else "bad_request", details="rehearsed")

    async def _limits(self, request: web.Request) -> web.Response:
        del request
        return json_reply(self.throttle.limits())

    async def _costs(self, request: web.Request) -> web.Response:
        del request
        return json_reply(wire.EndpointCostsReply(default_cost=DEFAULT_COST, endpoint_costs=list(ENDPOINT_COSTS)))

    async def _volume_progress(self, request: web.Request) -> web.Response:
        """Return the progress towards a higher tier: it is chosen with ``--tier`` here, not earned."""
        del request
        return json_reply({"volume_progress": []})

    async def _upgrade(self, request: web.Request) -> web.Response:
        del request
        raise Rejection(403, "forbidden", "forbidden", "the tier is chosen with --tier here")

    async def _keys(self, request: web.Request) -> web.Response:
        """List the account's API keys."""
        keys = self._authenticator.list_keys(request[ACCOUNT_ID_KEY])
        scopes = ["read", "write"]
        return json_reply({"api_keys": [{"api_key_id": each, "name": "practice", "scopes": scopes} for each in keys]})

    def _orders_cutoff_ms(self) -> int:
        return self.clock_ms() - self.archived_after_ms

    async def _historical_cutoff(self, request: web.Request) -> web.Response:
        """Return how far back the live endpoints reach.

        But for orders to the beginning, nothing else is archived here.
        """
        del request
        names = ("market_settled_ts", "trades_created_ts", "market_positions_last_updated_ts")
        orders = {"orders_updated_ts": time_text(max(0, self._orders_cutoff_ms()))}
        return json_reply(dict.fromkeys(names, "2000-01-01T00:00:00Z") | orders)

    async def _set_response_headers(self, request: web.Request, response: web.StreamResponse) -> None:
        """Tell the server's time, wrong if that is rehearsed, and browsers to give this to no page."""
        del request
        # The clock that signatures are measured by; that of the markets may have been advanced.
        response.headers["Date"] = formatdate(self._authenticator.clock_ms() // 1_000, usegmt=True)
        response.headers.update(BROWSER_HEADERS)

    async def _replay_state(self, request: web.Request) -> web.Response:
        """Return how far a recording has played."""
        del request
        assert isinstance(self.world, ReplayWorld)  # noqa: S101 - the route is there for it alone
        return json_reply(self.world.state())

    async def _stream(self, request: web.Request) -> web.WebSocketResponse:
        return await self.hub.serve(request, request[ACCOUNT_ID_KEY], self._ping_interval_s)

    async def _shut_down(self, app: web.Application) -> None:
        del app
        await self.hub.close()


async def _retired_endpoint(request: web.Request) -> web.Response:
    del request
    raise Rejection(410, "endpoint_retired", "this endpoint is retired", "use /portfolio/events/orders")


def _require_no_subaccount(request: web.Request) -> None:
    """Refuse to answer about a subaccount with the whole account: there are none here."""
    if text_param(request, "subaccount") not in {"", "0"}:
        raise BadRequestError("there are no subaccounts here: subaccount must be 0")


def _require_local(request: web.Request) -> None:
    """Refuse what a web page could send: a foreign ``Host`` (DNS rebinding), any ``Origin``, any but typed addresses.

    A page's pictures, scripts and frames come without ``Origin``; browsers tell by ``Sec-Fetch-Site`` whose they are.
    """
    if "Origin" in request.headers or request.headers.get("Sec-Fetch-Site", "none") != "none":
        raise Rejection(403, "forbidden", "forbidden", "requests from web pages are not served")
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
        raise Rejection(403, "forbidden", "forbidden", "only this machine is served")
