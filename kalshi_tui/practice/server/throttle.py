"""Token buckets (docs/kalshi-api.md, section 10)."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from kalshi_tui.practice.server.tiers import UsageTiers, request_cost
from kalshi_tui.practice.server.write_buckets import UNSCOPED


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

    def __init__(self, tiers: UsageTiers, clock_ms: Callable[[], int]) -> None:
        self._tiers = tiers
        self._clock_ms = clock_ms
        self._buckets: dict[tuple[str, int | None], Bucket] = {}
        """By account, and by shard for writes; reads are not split, and have None."""
        tiers.on_change = self._forget

    def _forget(self, account_id: str) -> None:
        """Drop an account's buckets: those of its new tier are made when they are used."""
        self._buckets = {key: bucket for key, bucket in self._buckets.items() if key[0] != account_id}

    def try_charge(
        self, account_id: str, method: str, path: str, items: int = 1, shards: Iterable[int] = UNSCOPED
    ) -> bool:
        """Return whether a request fits, and charge it. ``path`` is below the API's prefix.

        A batch is charged by item, a write to the bucket of each of ``shards``: to all of them, or to none.
        """
        now = self._clock_ms()
        cost = request_cost(method, path) * max(items, 1)
        if method == "GET":
            return self._bucket(account_id, None, now).spend(cost, now)
        buckets = [self._bucket(account_id, shard, now) for shard in shards]
        return all(each.holds(cost, now) for each in buckets) and all(each.spend(cost, now) for each in buckets)

    def _bucket(self, account_id: str, shard: int | None, now: int) -> Bucket:
        bucket = self._buckets.get((account_id, shard))
        if bucket is None:
            limits = self._tiers.limits(account_id)
            rate, full = (
                (limits.read_rate, limits.read_capacity)
                if shard is None
                else (limits.write_rate, limits.write_capacity)
            )
            bucket = self._buckets[account_id, shard] = Bucket(rate, full, full * 1_000, now)
        return bucket
