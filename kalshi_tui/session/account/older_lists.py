"""What was read of the account's past because the trader asked for it, and how many rows of each list are shown."""

from collections.abc import Container, Iterable, Sequence
from typing import Final

from kalshi_tui.domain.order import Fill, Order
from kalshi_tui.session.account.list_reads import AccountList

FIRST_ROW_LIMITS: Final = {AccountList.FILLS: 200, AccountList.ORDERS: 20}
"""How many fills, and how many ended orders, a list shows until more is asked for."""
MORE_ROWS: Final = 200


class OlderLists:
    """Fills and ended orders that are older than what the desk reads by itself, newest first."""

    def __init__(self) -> None:
        self._fills: list[Fill] = []
        self._orders: list[Order] = []
        self._limits = dict(FIRST_ROW_LIMITS)

    @property
    def fills(self) -> Sequence[Fill]:
        """The older fills."""
        return self._fills

    @property
    def orders(self) -> Sequence[Order]:
        """The older orders, all of which have ended."""
        return self._orders

    def row_limit(self, which: AccountList) -> int:
        """Return how many rows of a list are shown."""
        return self._limits[which]

    def raise_row_limit(self, which: AccountList) -> None:
        """Show more rows of a list."""
        self._limits[which] += MORE_ROWS

    def add_fills(self, fills: Iterable[Fill], known: Container[object]) -> int:
        """Add those that are not known; return how many."""
        mine = {each.key for each in self._fills}
        fresh = [each for each in fills if each.key not in mine and each.key not in known]
        self._fills = sorted([*self._fills, *fresh], key=lambda each: -each.ts_ms)
        return len(fresh)

    def add_orders(self, orders: Iterable[Order], known: Container[str]) -> int:
        """Add those that are not known by their ids; return how many."""
        mine = {each.order_id for each in self._orders}
        fresh = [each for each in orders if each.order_id not in mine and each.order_id not in known]
        self._orders += fresh
        return len(fresh)
