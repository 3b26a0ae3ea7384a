"""What was meant by orders that were sent from this folder: the exchange does not keep it, the journal does."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from kalshi_tui.cli.context import JOURNAL_FILE
from kalshi_tui.session.account.intents import OrderIntents
from kalshi_tui.session.execution.journal import Journal

if TYPE_CHECKING:
    from kalshi_tui.cli.exchange_access import CommandExchange
    from kalshi_tui.domain.order import Fill, Order


class Meanings:
    """Looks up in the journal of an exchange's folder what was asked for; knows nothing where there is none."""

    def __init__(self) -> None:
        self._intents = OrderIntents()
        self._journal: Journal | None = None

    def open(self, exchange: "CommandExchange") -> None:
        """Open the folder's journal, if it can be read."""
        if exchange.signer is None:
            return
        journal = Journal.open_to_read(exchange.folder / JOURNAL_FILE, exchange.signer.key_id)
        if journal is not None:
            self._journal = journal
            self._intents.find_recorded = journal.find_meaning

    def close(self) -> None:
        """Close the journal; nothing is looked up after that."""
        if self._journal is not None:
            self._journal.close()

    def of_orders(self, orders: "Iterable[Order]") -> "list[Order]":
        """Return orders with what was meant by them."""
        return [self._intents.with_meaning(each) for each in orders]

    def of_fills(self, fills: "Iterable[Fill]") -> "list[Fill]":
        """Return fills with what was meant by their orders."""
        return [self._intents.fill_with_meaning(each, None) for each in fills]
