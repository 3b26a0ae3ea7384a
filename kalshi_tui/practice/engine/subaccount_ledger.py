"""Subaccounts: a member's numbered accounts, and the transfers between them (docs/kalshi-api.md, section 13).

Each subaccount is an account of the ledger, with cash, orders and positions of its own. The id of the primary is the
member's; that of another is made of the member's and its number, so that every record names the subaccount it is of.
"""

import uuid
from typing import Final

from kalshi_tui.domain.fees import CENT
from kalshi_tui.domain.price import Money
from kalshi_tui.practice.engine.events import EventLog, NettingChanged, SubaccountTransferred
from kalshi_tui.practice.engine.ids import IdSource
from kalshi_tui.practice.engine.ledger import Ledger
from kalshi_tui.practice.engine.model import MAX_SUBACCOUNT, EngineAccount
from kalshi_tui.practice.engine.pauses import ExchangePauses
from kalshi_tui.practice.engine.records import SubaccountTransferRecord
from kalshi_tui.practice.engine.rejection import Rejection
from kalshi_tui.practice.engine.state import EngineState

MAX_TRANSFER_CENTS: Final = 10**13


class Subaccounts:
    """What a member can do with subaccounts: create them, move cash between them, switch netting."""

    def __init__(self, state: EngineState, pauses: ExchangePauses) -> None:
        self._clock = state.clock
        self._ids: IdSource = state.ids
        self._ledger: Ledger = state.ledger
        self._event_log: EventLog = state.event_log
        self._pauses = pauses

    def create(self, member_id: str, exchange_index: int = 0) -> int:
        """Open the next subaccount of a shard, and return its number.

        A number that another shard has already is provisioned on this one too. Raises Rejection 400 beyond 63.
        """
        now = self._begin(exchange_index)
        if exchange_index not in self._ledger.collected_fees:
            raise Rejection(400, "bad_request", "bad request", "no such exchange_index")
        members = self._ledger.members(member_id)
        number = 1 + max(
            (each.subaccount for each in members if each.subaccount and exchange_index in each.cash), default=0
        )
        if number > MAX_SUBACCOUNT:
            raise Rejection(400, "bad_request", "bad request", f"there are {MAX_SUBACCOUNT} subaccounts already")
        account = self._ledger.open_subaccount(member_id, number, exchange_index)
        if account.netting:
            self._event_log.emit(NettingChanged(account.account_id, enabled=True))
        self._ledger.flush_balances(now)
        return number

    def transfer(
        self, member_id: str, client_transfer_id: str, source: int, target: int, cents: int, exchange_index: int = 0
    ) -> SubaccountTransferRecord:
        """Move cash from one subaccount to another, on one shard. Raises Rejection: 409 for a repeated client id."""
        now = self._begin(exchange_index)
        try:
            client_id = str(uuid.UUID(client_transfer_id))
        except ValueError:
            raise Rejection(400, "bad_request", "bad request", "client_transfer_id must be a UUID") from None
        if client_id in self._ledger.transfer_ids.setdefault(member_id, {}):
            raise Rejection(409, "transfer_already_exists", "transfer already exists", client_id)
        if not 0 < cents <= MAX_TRANSFER_CENTS:
            raise Rejection(400, "bad_request", "bad request", "amount_cents must be more than 0")
        if source == target:
            raise Rejection(400, "bad_request", "bad request", "from_subaccount and to_subaccount must differ")
        from_account, to_account = (
            self.require_on_shard(member_id, number, exchange_index) for number in (source, target)
        )
        self._ledger.move_cash(from_account, exchange_index, to_account, exchange_index, cents * CENT)
        record = SubaccountTransferRecord(
            self._ids.new_id(), client_id, member_id, source, target, cents, exchange_index, now
        )
        self._ledger.add_subaccount_transfer(record)
        self._event_log.emit(SubaccountTransferred(record))
        self._ledger.flush_balances(now)
        return record

    def transfers(self, member_id: str) -> list[SubaccountTransferRecord]:
        """Return a member's transfers between subaccounts, newest first."""
        return list(self._ledger.transfer_ids.get(member_id, {}).values())[::-1]

    def set_netting(self, member_id: str, number: int, *, enabled: bool) -> None:
        """Switch netting for one subaccount. Raises Rejection 400 for one that does not exist."""
        self._begin()
        account = self._ledger.subaccount(member_id, number)
        account.netting = enabled
        self._event_log.emit(NettingChanged(account.account_id, enabled=enabled))

    def balances(self, member_id: str) -> list[tuple[EngineAccount, int, Money]]:
        """Return what can be spent in each subaccount on each shard, by number and shard."""
        return [
            (account, shard, account.available(shard))
            for account in self._ledger.members(member_id)
            for shard in sorted(account.cash)
        ]

    def require_on_shard(self, member_id: str, number: int, exchange_index: int) -> EngineAccount:
        """Return a subaccount that has a balance on a shard. Raises Rejection 400."""
        account = self._ledger.subaccount(member_id, number)
        if exchange_index not in account.cash:
            raise Rejection(
                400,
                "bad_request",
                "bad request",
                f"subaccount {number} does not exist on exchange_index {exchange_index}",
            )
        return account

    def _begin(self, shard: int = 0) -> int:
        now = self._clock.advance()
        self._pauses.require_exchange_active(shard)
        return now
