"""Fills and ended orders from before the time that the desk reads by itself: read when the trader asks for them.

They are history alone: nothing is computed from them, so that no position or fee can count twice.
"""

from typing import Final

from kalshi_tui.kalshi import whole_history
from kalshi_tui.kalshi.errors import KalshiError
from kalshi_tui.kalshi.rest import RestClient
from kalshi_tui.session.account.list_reads import AccountList
from kalshi_tui.session.store import Store

ENTRIES_PER_READ: Final = 200
MAX_ENTRIES_PER_READ: Final = 6_400
"""A second in which more than this happened cannot be passed; nobody trades like that by hand."""
MS_PER_SECOND: Final = 1_000


class OlderEntryReader:
    """Reads what is older than a list of the account, a part at a time."""

    def __init__(self, rest: RestClient, store: Store) -> None:
        self._rest = rest
        self._store = store
        self._reading: set[AccountList] = set()

    async def read_more(self, which: AccountList) -> str:
        """Show more of a list, reading it if need be; return a sentence that says what came of it."""
        account, older = self._store.account, self._store.account.older
        older.raise_row_limit(which)
        account.mark_older_changed(which)
        since_ms = account.listed_since_ms(which)
        if not since_ms or self._has_enough(which):
            return ""
        if which in self._reading:
            return "Older ones are being read already."
        self._reading.add(which)
        try:
            return await self._read(which, since_ms)
        except KalshiError as error:
            return f"Older ones could not be read: {error}"
        finally:
            self._reading.discard(which)

    def _has_enough(self, which: AccountList) -> bool:
        """Return whether the list knows as much as it shows."""
        account = self._store.account
        known = len(account.fills) + len(account.older.fills) if which is AccountList.FILLS else account.ended_count()
        return known >= account.older.row_limit(which)

    async def _read(self, which: AccountList, since_ms: int) -> str:
        # All of the second in which the list begins comes again, and what is known of it is left out.
        max_s, most = since_ms // MS_PER_SECOND, ENTRIES_PER_READ
        while True:
            fresh, read, oldest_ms, lost = await self._read_before(which, max_s, most)
            if fresh or read < most or most >= MAX_ENTRIES_PER_READ:
                break
            most *= 2
        self._store.account.set_listed_since(which, oldest_ms if read >= most else 0)
        self._store.account.mark_older_changed(which)
        return f"{lost} older ones could not be read." if lost else ""

    async def _read_before(self, which: AccountList, max_s: int, most: int) -> tuple[int, int, int, int]:
        """Read a part; return how many are new, how many came, the oldest one's time, and how many made no sense."""
        account, older = self._store.account, self._store.account.older
        if which is AccountList.FILLS:
            fills = await whole_history.fills(self._rest, max_s=max_s, most=most)
            fresh = older.add_fills(fills, {each.key for each in account.fills})
            return fresh, len(fills), min((each.ts_ms for each in fills), default=0), len(fills.left_out)
        orders = await whole_history.orders(self._rest, max_s=max_s, most=most)
        fresh = older.add_orders((each for each in orders if each.state.final), account.orders)
        return fresh, len(orders), min((each.created_ms for each in orders), default=0), len(orders.left_out)
