"""The practice exchange as a server: REST and WebSocket on one loopback port, in front of the engine."""

import asyncio
from collections.abc import Callable
from email.utils import formatdate
from typing import Final

from aiohttp import web

from kalshi_tui.kalshi import wire
from kalshi_tui.kalshi.transport.signing import PRACTICE_CONTROL, PRACTICE_REPLAY
from kalshi_tui.practice.engine.rejection import Rejection
from kalshi_tui.practice.replay.recorded_world import ReplayWorld
from kalshi_tui.practice.server.archive_tier import ARCHIVED_AFTER_MS, ArchiveTier
from kalshi_tui.practice.server.attestation import Attestation
from kalshi_tui.practice.server.auth import Authenticator
from kalshi_tui.practice.server.control import ControlApi, ControlTargets
from kalshi_tui.practice.server.faults import Faults
from kalshi_tui.practice.server.guard import Handler, RequestGuard
from kalshi_tui.practice.server.http import ACCOUNT_ID_KEY, json_reply
from kalshi_tui.practice.server.hub import Hub
from kalshi_tui.practice.server.lagging_reads import ReadSource
from kalshi_tui.practice.server.rest_account import AccountApi
from kalshi_tui.practice.server.rest_archive import ArchiveApi
from kalshi_tui.practice.server.rest_candlesticks import CandlestickApi
from kalshi_tui.practice.server.rest_empty_lists import EmptyListApi
from kalshi_tui.practice.server.rest_events import EventApi
from kalshi_tui.practice.server.rest_exchange import ExchangeApi
from kalshi_tui.practice.server.rest_keys import KeyApi
from kalshi_tui.practice.server.rest_markets import MarketApi
from kalshi_tui.practice.server.rest_order_groups import OrderGroupApi
from kalshi_tui.practice.server.rest_orders import OrderApi
from kalshi_tui.practice.server.rest_portfolio import PortfolioApi
from kalshi_tui.practice.server.rest_subaccounts import SubaccountApi
from kalshi_tui.practice.server.rest_transfers import TransferApi
from kalshi_tui.practice.server.subaccount_params import locked_subaccount
from kalshi_tui.practice.server.throttle import Throttle
from kalshi_tui.practice.server.tiers import UsageTiers
from kalshi_tui.practice.server.world_loop import WorldLoop
from kalshi_tui.practice.simulation.world import World
from kalshi_tui.practice.storage.database import Database

REPLAY_READS_AHEAD_MS: Final = 10_000
"""How far ahead of its clock the portfolio reads of a replay claim to be true. They never lag; and while the clock
stands in a pause, a client would otherwise never believe a read to be newer than an order it has just sent
(docs/kalshi-api.md, section 7)."""
PING_INTERVAL_S: Final = 10.0
MAX_BODY_BYTES: Final = 1024 * 1024
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


class PracticeServer:
    """Serves one world: puts the parts of the server together. ``clock_ms`` is the time of the exchange."""

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
        archived_after_ms: int = ARCHIVED_AFTER_MS,
    ) -> None:
        """Create; ``throttle_clock_ms`` is the clock of the rate limits, where that is not the exchange's."""
        exchange = world.exchange
        self.world = world
        self.faults = Faults()
        machine_ms = authenticator.clock_ms
        authenticator.clock_ms = lambda: machine_ms() + self.faults.clock_skew_ms
        self._authenticator = authenticator
        self._database = database
        self._ping_interval_s = ping_interval_s
        self.hub = Hub(exchange, lambda: asyncio.get_running_loop().time(), clock_ms=authenticator.clock_ms)
        tiers = UsageTiers(tier, database)
        throttle = Throttle(tiers, throttle_clock_ms or clock_ms)
        attestation = Attestation(exchange, clock_ms, database)
        self.guard = RequestGuard(authenticator, throttle, self.faults, attestation)
        self.archive = archive = ArchiveTier(clock_ms, archived_after_ms)
        replays = isinstance(world, ReplayWorld)
        self.read_source = ReadSource(
            exchange, clock_ms, (lambda: clock_ms() + REPLAY_READS_AHEAD_MS) if replays else clock_ms
        )
        self._loop = WorldLoop(world, self.hub, self.commit)
        self.app = web.Application(middlewares=[self._check_request], client_max_size=MAX_BODY_BYTES)
        # Within one path, a route with a fixed name is added before one with a variable in its place.
        for api in (
            OrderApi(exchange, self.commit, has_cancel_all=cancel_all),
            PortfolioApi(exchange, self.read_source, archive),
            TransferApi(exchange, self.commit),
            OrderGroupApi(exchange, self.commit),
            SubaccountApi(exchange, self.commit, tiers),
            KeyApi(authenticator, database, tiers, exchange, attestation),
            AccountApi(exchange, tiers, clock_ms),
            ArchiveApi(exchange, self.read_source, archive),
            CandlestickApi(exchange, archive),
            MarketApi(exchange, archive),
            EventApi(exchange, archive),
            ExchangeApi(exchange),
            EmptyListApi(exchange),
        ):
            self.app.add_routes(api.routes())
        if control_token:
            targets = ControlTargets(
                world, self.hub, self.faults, archive, self.read_source, self.commit, advance_clock, attestation
            )
            control = ControlApi(targets, control_token)
            self.app.add_routes([web.post(PRACTICE_CONTROL, control.handle)])
        if replays:
            self.app.add_routes([web.get(PRACTICE_REPLAY, self._replay_state)])
        self.app.add_routes([web.get(wire.WS_PATH, self._stream)])
        for path in RETIRED_PATHS:
            for method in ("POST", "DELETE"):
                self.app.router.add_route(method, f"{wire.REST_PREFIX}{path}", _retired_endpoint)
        self.app.on_shutdown.append(self._shut_down)
        self.app.on_response_prepare.append(self._set_response_headers)

    async def run_world(self) -> None:
        """Step the world until canceled."""
        await self._loop.run()

    def commit(self) -> None:
        """Make what has happened durable, then tell the streams: nobody may see what could still be lost."""
        events = self.world.exchange.drain_events()
        if not events:
            return
        if self._database is not None:
            self._database.write_events(self.world.exchange, events)
        self.read_source.add_events(events)
        self.hub.publish(events)

    @web.middleware
    async def _check_request(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        return await self.guard.check(request, handler)

    async def _set_response_headers(self, request: web.Request, response: web.StreamResponse) -> None:
        """Set the server's time, wrong if that is rehearsed, and keep browsers from giving this to any page."""
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
        return await self.hub.serve(
            request, request[ACCOUNT_ID_KEY], self._ping_interval_s, subaccount=locked_subaccount(request)
        )

    async def _shut_down(self, app: web.Application) -> None:
        del app
        await self.hub.close()


async def _retired_endpoint(request: web.Request) -> web.Response:
    del request
    raise Rejection(410, "endpoint_retired", "this endpoint is retired", "use /portfolio/events/orders")
