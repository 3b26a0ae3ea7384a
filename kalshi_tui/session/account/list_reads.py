"""Which lists of the account have been read, and why one has not: what was never read is not known, and not zero."""

from enum import Enum
from typing import Final

from kalshi_tui.domain.link import Link, LinkState


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
