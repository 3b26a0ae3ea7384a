"""The tokens for writes of each shard (docs/kalshi-api.md, section 14): every shard has a bucket of its own."""

from kalshi_tui.kalshi.transport.rate_limit import TooBusyError, WriteBudget


class ShardBudgets:
    """A `WriteBudget` for each shard that commands were sent to, all with the same limits."""

    def __init__(self, unscoped: WriteBudget) -> None:
        """Take the budget of shard 0, which also pays for what belongs to no shard."""
        self._by_shard = {0: unscoped}

    def set_limits(self, per_second: int, capacity: int) -> None:
        """Use the account's own limits from now on, for each shard."""
        for budget in self._by_shard.values():
            budget.set_limits(per_second, capacity)

    def of(self, shard: int) -> WriteBudget:
        """Return the budget of a shard."""
        found = self._by_shard.get(shard)
        if found is None:
            found = self._by_shard[shard] = self._by_shard[0].full_copy()
        return found

    async def acquire(self, cost: int, *, urgent: bool, shard: int | None) -> None:
        """Wait for tokens of one shard and spend them; for None, of every shard: the exchange finds the right one.

        Raises TooBusyError if they do not come in time, which is one time for all of them.
        """
        budgets = self._billed(shard)
        # Five seconds for each would let an order leave later than whoever takes it up from the journal expects.
        deadline_s = self._by_shard[0].wait_deadline_s()
        for budget in budgets:
            await budget.acquire(cost, urgent=urgent, deadline_s=deadline_s)

    def spend_spare(self, cost: int, *, shard: int | None) -> None:
        """Spend tokens that nobody waits for. Raises TooBusyError at once if there are too few."""
        budgets = self._billed(shard)
        if not all(budget.can_spare(cost) for budget in budgets):
            raise TooBusyError
        for budget in budgets:
            budget.spend_spare(cost)

    def _billed(self, shard: int | None) -> list[WriteBudget]:
        return [self._by_shard[each] for each in sorted(self._by_shard)] if shard is None else [self.of(shard)]
