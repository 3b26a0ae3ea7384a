"""Which lists of the account have been read, and why one has not: what was never read is not known, and not zero."""

from collections.abc import Iterable, Sequence
from enum import Enum
from typing import Final

from kalshi_tui.domain.link import Link, LinkState
from kalshi_tui.kalshi.lists import LeftOut, count_unread


class AccountList(Enum):
    """A list of the account that is read by REST. The values name it in a sentence."""

    ORDERS = "orders"
    POSITIONS = "positions"
    FILLS = "fills"
    SETTLEMENTS = "settlements"


RECONCILED: Final = (AccountList.ORDERS, AccountList.POSITIONS, AccountList.FILLS)
"""The lists that are read together, with the cash."""


class AccountReads:
    """Remembers for each list whether it has been read, and what the last failure before that was."""

    def __init__(self) -> None:
        self._read: set[AccountList] = set()
        self._failures: dict[AccountList, str] = {}
        self._left_out: dict[AccountList, tuple[LeftOut, ...]] = {}
        self.unreadable = ""
        """Why nothing of the account can be read at all, a sentence."""

    def succeeded(self, which: AccountList) -> bool:
        """Note a read that worked; return whether it is the first one of its list."""
        first = which not in self._read
        self._read.add(which)
        self._failures.pop(which, None)
        return first

    def failed(self, which: AccountList, why: str) -> None:
        """Note why a read failed, a sentence; it counts only until the list has been read once."""
        if which not in self._read:
            self._failures[which] = why

    def have(self, *which: AccountList) -> bool:
        """Return whether all of these have been read."""
        return self._read.issuperset(which)

    def set_left_out(self, which: AccountList, items: Iterable[LeftOut]) -> bool:
        """Note the items of a list that could not be read the last time; return whether they are others than before."""
        before, now = self.left_out(which), tuple(items)
        self._left_out[which] = now
        return before != now

    def left_out(self, which: AccountList) -> Sequence[LeftOut]:
        """Return the items of a list that could not be read the last time."""
        return self._left_out.get(which, ())

    def left_out_text(self, which: AccountList) -> str:
        """Return how many items of a list could not be read, as a sentence; empty for none."""
        items = self.left_out(which)
        return f"{count_unread(items)} could not be read." if items else ""

    def have_item(self, which: AccountList, name: str) -> bool:
        """Return whether a list has been read, and nothing was left out that may be about this market or order."""
        return which in self._read and not any(each.name in {"", name} for each in self.left_out(which))

    def why_unread(self, which: AccountList, link: Link) -> str:
        """Return why a list has not been read, as the end of a sentence; empty if it has been."""
        if which in self._read:
            return ""
        # Without the stream nothing is read: an older failure of a read is not the reason then.
        if link.state is LinkState.REFUSED:
            return f"the connection is refused. {link.detail}".rstrip()
        if link.state is not LinkState.LIVE:
            return "no connection."
        return self._failures.get(which, "") or "the exchange is being asked."
