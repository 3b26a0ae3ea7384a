"""Token buckets (docs/kalshi-api.md, section 10, and the exchange's "Rate Limits and Tiers" page)."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from kalshi_tui.kalshi import wire
from kalshi_tui.practice.server.write_buckets import UNSCOPED

DEFAULT_COST: Final = 10
CANCEL_COST: Final = 2
ORDERS_PATH: Final = "/portfolio/events/orders"
TIER_LIMITS: Final = {
    "basic": (200, 100),
    "advanced": (300, 300),
    "expert": (600, 600),
    "premier": (1_000, 1_000),
    "paragon": (2_000, 2_000),
    "prime": (4_000, 4_000),
    "prestige": (10_000, 8_000),
}
"""Tokens a second for reads and for writes, by usage tier."""
ENDPOINT_COSTS: Final = (
    wire.EndpointCost(method="DELETE", path=f"{ORDERS_PATH}", cost=CANCEL_COST),
    wire.EndpointCost(method="DELETE", path=f"{ORDERS_PATH}/{{order_id}}", cost=CANCEL_COST),
    wire.EndpointCost(method="DELETE", path=f"{ORDERS_PATH}/batched", cost=CANCEL_COST),
)
"""The calls that do not cost the default; a batch costs this for each item."""


@dataclass(slots=True)
class Bucket:
    """Tokens that come at a rate up to a capacity; integers of 1/1,000 token, so that no rounding creeps in."""

    rate: int
    capacity: int
    level: int
    refilled_ms: int

    def holds(self, cost: int, now_ms: int) -> bool:
        """Return whether there are enough tokens."""
        self.level = min(self.capacity * 1_000, self.level + max(now_ms - self.refilled_ms, 0) * self.rate)
        self.refilled_ms = max(self.refilled_ms, now_ms)
        return self.level >= cost * 1_000

    def spend(self, cost: int, now_ms: int) -> bool:
        """Spend tokens if there are enough."""
        if not self.holds(cost, now_ms):
            return False
        self.level -= cost * 1_000
        return True


class Throttle:
    """The buckets of all accounts, each made full when it is first used."""

    def __init__(self, tier: str, clock_ms: Callable[[], int]) -> None:
        """Take a tier's name. Raises ValueError for an unknown one."""
        if tier not in TIER_LIMITS:
            raise ValueError(f"The tier must be one of {', '.join(TIER_LIMITS)}.")
        self.tier = tier
        self._clock_ms = clock_ms
        read, write = TIER_LIMITS[tier]
        # The lower tiers may save two seconds of reads, the higher ones two seconds of writes.
        self.read = wire.BucketLimit(
            refill_rate=read, bucket_capacity=read * (2 if tier in {"basic", "advanced"} else 1)
        )
        self.write = wire.BucketLimit(refill_rate=write, bucket_capacity=write * (1 if tier == "basic" else 2))
        self._buckets: dict[tuple[str, int | None], Bucket] = {}
        """By account, and by shard for writes; reads are not split, and have None."""

    def try_charge(
        self, account_id: str, method: str, path: str, items: int = 1, shards: Iterable[int] = UNSCOPED
    ) -> bool:
        """Return whether a request fits, and charge it. ``path`` is below the API's prefix.

        A batch is charged by item, a write to the bucket of each of ``shards``: to all of them, or to none.
        """
        now = self._clock_ms()
        cancels = method == "DELETE" and path.startswith(ORDERS_PATH)
        cost = (CANCEL_COST if cancels else DEFAULT_COST) * max(items, 1)
        if method == "GET":
            return self._bucket(account_id, None, now).spend(cost, now)
        buckets = [self._bucket(account_id, shard, now) for shard in shards]
        return all(each.holds(cost, now) for each in buckets) and all(each.spend(cost, now) for each in buckets)

    def _bucket(self, account_id: str, shard: int | None, now: int) -> Bucket:
        bucket = self._buckets.get((account_id, shard))
        if bucket is None:
            limit = self.read if shard is None else self.write
            full = limit.bucket_capacity
            bucket = self._buckets[account_id, shard] = Bucket(limit.refill_rate, full, full * 1_000, now)
        return bucket

    def limits(self) -> wire.AccountLimitsReply:
        """Return the limits as ``GET /account/limits`` does."""
        return wire.AccountLimitsReply(usage_tier=self.tier, read=self.read, write=self.write, grants=[])
