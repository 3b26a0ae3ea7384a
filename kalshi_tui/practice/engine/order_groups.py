"""Order groups: orders that are canceled together when too much of them matches too fast.

docs/kalshi-api.md, section 6. What a match counts, and the cancels of a triggered group, are the matcher's.
"""

from collections.abc import Collection
from typing import Final

from kalshi_tui.domain.price import COUNT_UNIT, Count
from kalshi_tui.practice.engine.events import GroupChange
from kalshi_tui.practice.engine.ledger import SHARDS
from kalshi_tui.practice.engine.matching import Matcher
from kalshi_tui.practice.engine.model import EngineOrderGroup
from kalshi_tui.practice.engine.pauses import ExchangePauses
from kalshi_tui.practice.engine.records import GroupRecord
from kalshi_tui.practice.engine.rejection import Rejection, not_found
from kalshi_tui.practice.engine.state import EngineState

MAX_GROUP_LIMIT: Final = 1_000_000 * COUNT_UNIT


class OrderGroups:
    """What an account can do with its order groups."""

    def __init__(self, state: EngineState, matcher: Matcher, pauses: ExchangePauses) -> None:
        self._state = state
        self._matcher = matcher
        self._pauses = pauses

    def create(self, account_id: str, limit: Count, exchange_index: int = 0) -> GroupRecord:
        """Make an order group with a limit of matched contracts in any 15 s. Raises Rejection 400 on a bad limit."""
        self._state.clock.advance()
        _require_limit(limit)
        if exchange_index not in SHARDS:
            raise Rejection(400, "bad_request", "bad request", "no such exchange_index")
        self._pauses.require_exchange_active(exchange_index)
        group = EngineOrderGroup(self._state.ids.new_id(), account_id, exchange_index, limit)
        self._state.groups[group.group_id] = group
        self._matcher.emit_group_change(group, GroupChange.CREATED)
        return group.to_record()

    def list_for(self, account_ids: Collection[str]) -> list[GroupRecord]:
        """Return the groups of some accounts, oldest first."""
        return [group.to_record() for group in self._state.groups.values() if group.account_id in account_ids]

    def get(self, account_id: str, group_id: str) -> GroupRecord:
        """Return one group. Raises Rejection 404."""
        return self.find(account_id, group_id).to_record()

    def reset(self, account_id: str, group_id: str) -> None:
        """Open a triggered group again and forget what matched. Raises Rejection 404."""
        _, group = self._begin(account_id, group_id)
        group.reset()
        self._matcher.emit_group_change(group, GroupChange.RESET)

    def trigger(self, account_id: str, group_id: str) -> None:
        """Cancel a group's orders and close it until it is reset. Raises Rejection 404."""
        now, group = self._begin(account_id, group_id)
        self._matcher.trigger_group(group, now)
        self._state.ledger.flush_balances(now)

    def set_limit(self, account_id: str, group_id: str, limit: Count) -> None:
        """Set a group's limit; one below what has matched within 15 s triggers it. Raises Rejection 404 or 400."""
        now, group = self._begin(account_id, group_id)
        _require_limit(limit)
        group.limit = limit
        if not group.triggered and group.matched_in_window(now) > limit:
            self._matcher.trigger_group(group, now)
            self._state.ledger.flush_balances(now)
        else:
            self._matcher.emit_group_change(group, GroupChange.LIMIT)

    def delete(self, account_id: str, group_id: str) -> None:
        """Cancel a group's orders and remove it. Raises Rejection 404."""
        now, group = self._begin(account_id, group_id)
        # Marked first, so that the news of the trigger is that of a deletion, and the database drops the group.
        group.deleted = True
        self._matcher.trigger_group(group, now)
        del self._state.groups[group_id]
        self._state.ledger.flush_balances(now)

    def find(self, account_id: str, group_id: str) -> EngineOrderGroup:
        """Return the group itself. Raises Rejection 404 for one that is not the account's."""
        group = self._state.groups.get(group_id)
        if group is None or group.account_id != account_id:
            raise not_found("order group not found")
        return group

    def _begin(self, account_id: str, group_id: str) -> tuple[int, EngineOrderGroup]:
        """Begin an operation: let time pass, return it and the group. Raises Rejection 404, or 503 in a pause."""
        now = self._state.clock.advance()
        group = self.find(account_id, group_id)
        self._pauses.require_exchange_active(group.exchange_index)
        return now, group


def _require_limit(limit: Count) -> None:
    if not COUNT_UNIT <= limit <= MAX_GROUP_LIMIT:
        raise Rejection(400, "bad_request", "bad request", "contracts_limit must lie between 1 and 1,000,000")
