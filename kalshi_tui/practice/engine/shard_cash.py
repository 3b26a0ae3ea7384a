"""Cash moved between shards: transfers that are accepted now and done later, and a target allocation.

docs/kalshi-api.md, section 14.
"""

from collections import defaultdict
from dataclasses import replace
from typing import Final

from kalshi_tui.domain.price import Money
from kalshi_tui.practice.engine.events import AllocationChanged, ShardTransferChanged
from kalshi_tui.practice.engine.model import EngineAccount
from kalshi_tui.practice.engine.pauses import ExchangePauses
from kalshi_tui.practice.engine.records import AllocationRecord, ShardTransferRecord, TransferStatus
from kalshi_tui.practice.engine.rejection import Rejection, not_found
from kalshi_tui.practice.engine.state import EngineState

TRANSFER_DELAY_MS: Final = 400
"""How long a transfer stays pending. The exchange names no figure."""
REBALANCE_INTERVAL_MS: Final = 10_000
RESERVATIONS: Final = ("none", "max", "sum")
MAX_ALLOCATIONS: Final = 101


class ShardTransfers:
    """Takes transfers, completes them later, and evens out the accounts that asked for it."""

    def __init__(self, state: EngineState, pauses: ExchangePauses) -> None:
        self._state = state
        self._ledger = state.ledger
        self._pauses = pauses
        self._transfers: defaultdict[str, dict[str, ShardTransferRecord]] = defaultdict(dict)
        """By account and transfer id, oldest first."""
        self._allocations: dict[str, AllocationRecord] = {}
        self._rebalancing: set[str] = set()
        """The accounts that have a timer for the next rebalancing."""
        self.holding = False
        """Whether transfers stay pending until `release`: a rehearsed fault."""
        self.failures_left = 0
        """How many of the next transfers never complete: a rehearsed fault."""

    # -- transfers ---------------------------------------------------------------------------------------------------

    def request(
        self,
        account_id: str,
        source: int,
        target: int,
        amount: Money,
        client_transfer_id: str = "",
        subaccounts: tuple[int, int] = (0, 0),
    ) -> ShardTransferRecord:
        """Accept a transfer: the cash leaves the source now and comes to the target later. Raises Rejection 400, 503.

        A client id belongs to its route. One that was accepted on that route is rejected, whatever the amount.
        """
        now = self._state.clock.advance()
        account, target_account = (self._ledger.subaccount(account_id, number) for number in subaccounts)
        if source not in account.cash or target not in target_account.cash:
            raise _bad_request("no such exchange shard")
        if source == target:
            raise _bad_request("source and destination must be two different exchange shards")
        for shard in (source, target):
            self._pauses.require_transfers_active(shard)
        if client_transfer_id and any(
            (each.client_transfer_id, each.source, each.target) == (client_transfer_id, source, target)
            for each in self._transfers[account_id].values()
        ):
            raise _bad_request("client_transfer_id was used on this route")
        self._ledger.take_cash(account, source, amount)
        failed = self.failures_left > 0
        self.failures_left -= failed
        record = ShardTransferRecord(
            self._state.ids.new_id(),
            account_id,
            source,
            target,
            amount,
            now,
            client_transfer_id=client_transfer_id,
            failed=failed,
            source_subaccount=account.subaccount,
            target_subaccount=target_account.subaccount,
        )
        self._save(record)
        if failed:
            self._ledger.add_cash(account, source, amount)
        else:
            self._schedule(record)
        self._ledger.flush_balances(now)
        return record

    def list_for(self, account_id: str) -> list[ShardTransferRecord]:
        """Return an account's transfers, newest first."""
        self._state.clock.advance()
        return list(reversed(self._transfers[account_id].values()))

    def get(self, account_id: str, transfer_id: str) -> ShardTransferRecord:
        """Return one transfer. Raises Rejection 404."""
        self._state.clock.advance()
        found = self._transfers[account_id].get(transfer_id)
        if found is None:
            raise not_found("transfer not found")
        return found

    def release(self) -> None:
        """Complete what was held back, and hold nothing back any more."""
        self.holding = False
        now = self._state.clock.advance()
        for transfers in self._transfers.values():
            for each in tuple(transfers.values()):
                self._complete(each, now)

    def _schedule(self, record: ShardTransferRecord) -> None:
        def complete(due_ms: int) -> None:
            if not self.holding:
                self._complete(record, due_ms)

        self._state.clock.schedule_at(record.created_ms + TRANSFER_DELAY_MS, complete)

    def _complete(self, record: ShardTransferRecord, now: int) -> None:
        if self._transfers[record.account_id][record.transfer_id].status is TransferStatus.COMPLETE or record.failed:
            return
        account = self._ledger.subaccount(record.account_id, record.target_subaccount)
        self._ledger.add_cash(account, record.target, record.amount)
        self._save(replace(record, status=TransferStatus.COMPLETE))
        self._ledger.flush_balances(now)

    def _save(self, record: ShardTransferRecord) -> None:
        self._transfers[record.account_id][record.transfer_id] = record
        self._state.event_log.emit(ShardTransferChanged(record))

    # -- the target allocation ---------------------------------------------------------------------------------------

    def allocation(self, account_id: str) -> AllocationRecord:
        """Return how an account's cash is to be spread; without percents if nobody asked for that."""
        return self._allocations.get(account_id) or AllocationRecord(account_id)

    def set_allocation(self, account_id: str, percents: tuple[tuple[int, int], ...], reservation: str) -> None:
        """Set how an account's cash is to be spread; no percents end it. Raises Rejection 400."""
        self._state.clock.advance()
        known = self._ledger.account(account_id).cash
        shards = [shard for shard, _ in percents]
        if len(percents) > MAX_ALLOCATIONS or len(set(shards)) < len(shards) or not known.keys() >= set(shards):
            raise _bad_request("each exchange_index may stand once, and must exist")
        if percents and (
            sum(percent for _, percent in percents) != 100 or not all(0 <= each <= 100 for _, each in percents)
        ):
            raise _bad_request("the percents must be 0 to 100 and add up to 100")
        if reservation not in RESERVATIONS:
            raise _bad_request(f"resting_margin_reservation must be one of {', '.join(RESERVATIONS)}")
        record = AllocationRecord(account_id, percents, reservation)
        self._allocations[account_id] = record
        self._state.event_log.emit(AllocationChanged(record))
        self._schedule_rebalancing(account_id)

    def _schedule_rebalancing(self, account_id: str) -> None:
        if account_id not in self._rebalancing:
            self._rebalancing.add(account_id)
            self._state.clock.schedule_at(
                self._state.clock.now + REBALANCE_INTERVAL_MS, lambda due: self._rebalance_when_due(account_id, due)
            )

    def _rebalance_when_due(self, account_id: str, now: int) -> None:
        self._rebalancing.discard(account_id)
        allocation = self.allocation(account_id)
        if not allocation.percents:
            return
        self._rebalance(self._ledger.account(account_id), dict(allocation.percents), now)
        self._schedule_rebalancing(account_id)

    def _rebalance(self, account: EngineAccount, percents: dict[int, int], now: int) -> None:
        """Even out what can be spent. Cash that rests in orders is reserved here whatever the reservation says."""
        shards = list(account.cash)
        if not all(self._pauses.transfers_active_on(shard) for shard in shards):
            return
        total = sum(account.available(shard) for shard in shards)
        unit = account.precision
        targets = {shard: total * percents.get(shard, 0) // 100 // unit * unit for shard in shards}
        surplus = {shard: account.available(shard) - targets[shard] for shard in shards}
        for source in shards:
            for target in shards:
                amount = min(surplus[source], -surplus[target]) // unit * unit
                if amount <= 0:
                    continue
                self._ledger.move_cash(account, source, account, target, amount)
                surplus[source] -= amount
                surplus[target] += amount
                self._save(
                    ShardTransferRecord(
                        self._state.ids.new_id(),
                        account.account_id,
                        source,
                        target,
                        amount,
                        now,
                        status=TransferStatus.COMPLETE,
                    )
                )
        self._ledger.flush_balances(now)

    # -- what goes on ------------------------------------------------------------------------------------------------

    def restore(self, transfers: tuple[ShardTransferRecord, ...], allocations: tuple[AllocationRecord, ...]) -> None:
        """Take up what was saved, oldest first. Transfers that were held back complete."""
        for transfer in transfers:
            self._transfers[transfer.account_id][transfer.transfer_id] = transfer
        for allocation in allocations:
            self._allocations[allocation.account_id] = allocation
        self.schedule_all()

    def schedule_all(self) -> None:
        """Set the timers of all that is pending, after the clock has forgotten its timers."""
        self._rebalancing.clear()
        for transfers in self._transfers.values():
            for transfer in transfers.values():
                if transfer.status is TransferStatus.PENDING:
                    self._schedule(transfer)
        for account_id in self._allocations:
            self._schedule_rebalancing(account_id)


def _bad_request(details: str) -> Rejection:
    return Rejection(400, "bad_request", "bad request", details)
