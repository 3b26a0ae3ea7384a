"""The account's limits, costs, tier and archive cut-offs over REST (docs/kalshi-api.md, sections 10 and 15)."""

from aiohttp import web

from kalshi_tui.kalshi import wire
from kalshi_tui.kalshi.wire.times import time_text
from kalshi_tui.practice.engine.rejection import Rejection
from kalshi_tui.practice.server.archive import ArchiveCutoff
from kalshi_tui.practice.server.http import json_reply
from kalshi_tui.practice.server.throttle import DEFAULT_COST, ENDPOINT_COSTS, Throttle


class AccountApi:
    """Answers about what the account may do."""

    def __init__(self, throttle: Throttle, archive: ArchiveCutoff) -> None:
        self._throttle = throttle
        self._archive = archive

    def routes(self) -> list[web.RouteDef]:
        """Return the routes, below the API's prefix."""
        prefix = wire.REST_PREFIX
        return [
            web.get(f"{prefix}/account/limits", self._limits),
            web.get(f"{prefix}/account/endpoint_costs", self._costs),
            web.get(f"{prefix}/account/api_usage_level/volume_progress", self._volume_progress),
            web.post(f"{prefix}/account/api_usage_level/upgrade", self._upgrade),
            web.get(f"{prefix}/historical/cutoff", self._historical_cutoff),
        ]

    async def _limits(self, request: web.Request) -> web.Response:
        del request
        return json_reply(self._throttle.limits())

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

    async def _historical_cutoff(self, request: web.Request) -> web.Response:
        """Return how far back the live endpoints reach: to the beginning, except for orders."""
        del request
        names = ("market_settled_ts", "trades_created_ts", "market_positions_last_updated_ts")
        orders = {"orders_updated_ts": time_text(max(0, self._archive.cutoff_ms()))}
        return json_reply(dict.fromkeys(names, "2000-01-01T00:00:00Z") | orders)
