"""The accounts and all money: cash, fees and escrow by shard, and the news of changed balances."""

from collections.abc import Iterable, Iterator
from typing import Final

from kalshi_tui.domain.price import Money
from kalshi_tui.practice.engine.events import BalanceChanged, EventLog
from kalshi_tui.practice.engine.model import EngineAccount, EngineOrder, account_id_of, split_account_id
from kalshi_tui.practice.engine.records import SubaccountTransferRecord
from kalshi_tui.practice.engine.rejection import Rejection
from kalshi_tui.practice.engine.timers import EngineClock

SHARD_NAMES: Final = {0: "default", 1: "combos", 2: "crypto and commodities", 3: "tennis, baseball and basketball"}
CRYPTO_SHARD: Final = 2
SHARDS: Final = tuple(SHARD_NAMES)
"""The shards of the practice exchange, and which markets lie on them (docs/kalshi-api.md, section 14)."""


class Ledger:
    """All accounts and sums. On each shard cash + fees + escrow is always what was deposited."""

    def __init__(self, clock: EngineClock, event_log: EventLog) -> None:
        self._clock = clock
        self._event_log = event_log
        self.accounts: dict[str, EngineAccount] = {}
        self.collected_fees: dict[int, Money] = dict.fromkeys(SHARDS, 0)
        """What the exchange has taken in fees, by shard."""
        self.escrow: dict[int, Money] = dict.fromkeys(SHARDS, 0)
        """What backs open contracts, by shard: a dollar for each pair."""
        self.deposited: dict[int, Money] = dict.fromkeys(SHARDS, 0)
        """All money that ever came in from outside, by shard."""
        self._changed_balances: dict[tuple[str, int], None] = {}
        self._members: dict[str, dict[int, EngineAccount]] = {}
        self.transfer_ids: dict[str, dict[str, SubaccountTransferRecord]] = {}
        """For each member the transfers between subaccounts by client_transfer_id, oldest first."""

    def add_shards(self, shards: Iterable[int]) -> None:
        """Keep sums for further shards."""
        for shard in shards:
            for sums in (self.collected_fees, self.escrow, self.deposited):
                sums.setdefault(shard, 0)

    def account(self, account_id: str) -> EngineAccount:
        """Return an account. Raises KeyError for one that was never opened: the caller's mistake, not a trader's."""
        return self.accounts[account_id]

    def open_account(
        self,
        account_id: str,
        cash: dict[int, Money],
        *,
        keeps_history: bool = True,
        margined: bool = True,
    ) -> EngineAccount:
        """Open an account with money from outside. Raises ValueError if there is one by that id."""
        if account_id in self.accounts:
            raise ValueError(f"there is an account {account_id} already.")
        member_id, number = split_account_id(account_id)
        opened = EngineAccount(
            account_id,
            # A subaccount is only where it was provisioned.
            dict(cash) if number else dict.fromkeys(SHARDS, 0) | cash,
            keeps_history=keeps_history,
            margined=margined,
            member_id=member_id,
            subaccount=number,
        )
        members = self._members.setdefault(member_id, {})
        if number:
            # A client_order_id is the member's: no two of its subaccounts have open orders of the same one.
            opened.client_ids = self.accounts[member_id].client_ids
        members[number] = opened
        opened.held = dict.fromkeys(opened.cash, 0)
        opened.updated_ms = self._clock.now
        self.accounts[account_id] = opened
        for shard, amount in cash.items():
            self.deposited[shard] = self.deposited.get(shard, 0) + amount
        for shard in opened.cash:
            self.mark_balance_changed(opened, shard)
        self.flush_balances(self._clock.now)
        return opened

    def open_subaccount(self, member_id: str, number: int, shard: int) -> EngineAccount:
        """Open a subaccount without cash on a shard, or provision an open one there."""
        account_id = account_id_of(member_id, number)
        account = self.accounts.get(account_id)
        if account is None:
            account = self.open_account(account_id, {shard: 0})
            account.netting = self.accounts[member_id].netting
        else:
            account.cash[shard] = account.held[shard] = 0
            self.mark_balance_changed(account, shard)
        return account

    def members(self, member_id: str, subaccount: int | None = None) -> list[EngineAccount]:
        """Return a member's accounts, the primary first; only one of them for a number. Raises Rejection 400."""
        if subaccount is not None:
            return [self.subaccount(member_id, subaccount)]
        return [account for _, account in sorted(self._members[member_id].items())]

    def subaccount(self, member_id: str, number: int) -> EngineAccount:
        """Return one of a member's accounts. Raises Rejection 400 for one that does not exist."""
        found = self._members[member_id].get(number)
        if found is None:
            raise Rejection(400, "invalid_parameters", "invalid parameters", f"subaccount {number} does not exist")
        return found

    def add_subaccount_transfer(self, record: SubaccountTransferRecord) -> None:
        """Keep a transfer between subaccounts for the list, and its client id as used."""
        self.transfer_ids.setdefault(record.member_id, {})[record.client_transfer_id] = record

    def resting_orders(self) -> Iterator[EngineOrder]:
        """Return every resting order of the accounts that keep history."""
        for account in self.accounts.values():
            yield from account.resting_orders.values()

    def move_cash(
        self, source: EngineAccount, source_shard: int, target: EngineAccount, target_shard: int, amount: Money
    ) -> None:
        """Move cash between two subaccounts, two shards, or both. Raises Rejection 400 for what cannot be moved."""
        self.take_cash(source, source_shard, amount)
        self.add_cash(target, target_shard, amount)

    def take_cash(self, account: EngineAccount, shard: int, amount: Money) -> None:
        """Take cash off a shard, to be added elsewhere. Raises Rejection 400 for more than can be spent there."""
        if amount <= 0 or amount % account.precision:
            raise Rejection(400, "bad_request", "bad request", "the amount must be more than 0, in whole $0.0001")
        if amount > account.available(shard):
            raise Rejection(400, "insufficient_balance", "insufficient balance", "not enough cash on the source")
        self.add_cash(account, shard, -amount)

    def add_cash(self, account: EngineAccount, shard: int, amount: Money) -> None:
        """Add cash to a shard."""
        account.cash[shard] += amount
        # The shards are separate books: what leaves one has come into the other from outside.
        self.deposited[shard] += amount
        self.mark_balance_changed(account, shard)

    def mark_balance_changed(self, account: EngineAccount, shard: int) -> None:
        """Note that `flush_balances` has to announce a balance."""
        if account.keeps_history:
            self._changed_balances[account.account_id, shard] = None

    def flush_balances(self, now: int) -> None:
        """Emit each balance that the operation changed, once, with its final figures.

        Call it at the end of an operation: nobody could ever use a balance from between two fills of one order.
        """
        if not self._changed_balances:
            return
        for account_id, shard in self._changed_balances:
            account = self.accounts[account_id]
            account.updated_ms = now
            self._event_log.emit(BalanceChanged(account_id, shard, account.cash[shard], account.held[shard], now))
        self._changed_balances.clear()

    def forget_changed_balances(self) -> None:
        """Drop the balances that changed, as when they are no news to anybody."""
        self._changed_balances.clear()

    def total_money(self, shard: int) -> Money:
        """Return all money on a shard: cash, fees, escrow. Always equal to what was ever deposited there."""
        cash = sum(account.cash.get(shard, 0) for account in self.accounts.values())
        return cash + self.collected_fees[shard] + self.escrow[shard]
