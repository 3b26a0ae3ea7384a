"""The account's limits, costs and tier over REST (docs/kalshi-api.md, section 10)."""

from collections.abc import Callable
from typing import Final

from aiohttp import web

from kalshi_tui.domain.price import Count, format_count
from kalshi_tui.kalshi import wire
from kalshi_tui.practice.engine.exchange import Exchange
from kalshi_tui.practice.engine.list_filter import ListFilter
from kalshi_tui.practice.engine.rejection import Rejection
from kalshi_tui.practice.server.http import ACCOUNT_ID_KEY, json_reply
from kalshi_tui.practice.server.tiers import (
    DAY_MS,
    DEFAULT_COST,
    ENDPOINT_COSTS,
    UPGRADE_PATH,
    VOLUME_GOALS,
    VOLUME_SHARE_UNIT,
    UsageTiers,
)

MONTHLY_VOLUME: Final[Count] = 400_000_000_00
"""What the whole exchange traded last month, 1/100 contract: a figure to measure an account's volume by."""
VOLUME_DAYS: Final = 30


class AccountApi:
    """Answers about what the account may do."""

    def __init__(self, exchange: Exchange, tiers: UsageTiers, clock_ms: Callable[[], int]) -> None:
        self._exchange = exchange
        self._tiers = tiers
        self._clock_ms = clock_ms

    def routes(self) -> list[web.RouteDef]:
        """Return the routes, below the API's prefix."""
        prefix = wire.REST_PREFIX
        return [
            web.get(f"{prefix}/account/limits", self._limits),
            web.get(f"{prefix}/account/endpoint_costs", self._costs),
            web.get(f"{prefix}/account/api_usage_level/volume_progress", self._volume_progress),
            web.post(f"{prefix}{UPGRADE_PATH}", self._upgrade),
        ]

    async def _limits(self, request: web.Request) -> web.Response:
        account_id = request[ACCOUNT_ID_KEY]
        limits = self._tiers.limits(account_id)
        return json_reply(
            wire.AccountLimitsReply(
                usage_tier=self._tiers.tier(account_id),
                read=wire.BucketLimit(refill_rate=limits.read_rate, bucket_capacity=limits.read_capacity),
                write=wire.BucketLimit(refill_rate=limits.write_rate, bucket_capacity=limits.write_capacity),
                grants=self._tiers.grants(account_id, self._clock_ms()),
            )
        )

    async def _costs(self, request: web.Request) -> web.Response:
        del request
        return json_reply(wire.EndpointCostsReply(default_cost=DEFAULT_COST, endpoint_costs=list(ENDPOINT_COSTS)))

    async def _volume_progress(self, request: web.Request) -> web.Response:
        """Return the account's volume of 30 days and the goals of the tiers: they are not reached by it here."""
        now = self._clock_ms()
        wanted = ListFilter(min_ms=now - VOLUME_DAYS * DAY_MS)
        volume = sum(fill.count for fill in self._exchange.queries.fills(request[ACCOUNT_ID_KEY], wanted))
        goals = [
            wire.VolumeGoal(
                level=level,
                earn_volume_goal_fp=format_count(2 * MONTHLY_VOLUME * earn // VOLUME_SHARE_UNIT),
                keep_volume_goal_fp=format_count(2 * MONTHLY_VOLUME * keep // VOLUME_SHARE_UNIT),
            )
            for level, (earn, keep) in VOLUME_GOALS.items()
        ]
        progress = wire.VolumeProgress(
            computed_ts=now // 1_000, trailing_30d_volume_fp=format_count(volume), goals=goals
        )
        return json_reply(wire.VolumeProgressReply(volume_progress=[progress]))

    async def _upgrade(self, request: web.Request) -> web.Response:
        """Grant Advanced for good to an account that has sent an order by API, as all orders here are."""
        account_id = request[ACCOUNT_ID_KEY]
        if next(iter(self._exchange.queries.orders(account_id)), None) is None:
            raise Rejection(
                403,
                "forbidden",
                "forbidden",
                "none of the account's last 100 orders was created by API: send one first",
            )
        self._tiers.upgrade(account_id)
        return web.Response(status=201)
