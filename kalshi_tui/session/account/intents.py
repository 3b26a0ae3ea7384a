"""What this program has asked the exchange for: the terms of its orders, and the changes and cancels under way.

The exchange's replies lack some of it: to the exchange, selling YES and buying NO are the same order.
"""

from collections.abc import Mapping
from typing import Final

from kalshi_tui.domain.book import Side
from kalshi_tui.domain.order import Action, Order, OrderTerms, TimeInForce
from kalshi_tui.domain.price import Count, Price


class OrderIntents:
    """What the trader asked for, by order. Execution writes it down before it sends."""

    def __init__(self) -> None:
        self._terms: dict[str, OrderTerms] = {}
        self._sides: dict[str, tuple[Action, Side]] = {}
        self._cancels: set[str] = set()
        self._amends: dict[str, tuple[Price, Count]] = {}

        self.terms: Final[Mapping[str, OrderTerms]] = self._terms
        """All terms, by client order id: of this run's orders, and of those taken up from the journal."""
        self.sides: Final[Mapping[str, tuple[Action, Side]]] = self._sides
        """What the trader said, by client order id."""
        self.pending_amends: Final[Mapping[str, tuple[Price, Count]]] = self._amends
        """What orders are being changed to, by order id: YES price and resting count; until the outcome is known."""

    def remember_terms(self, client_order_id: str, terms: OrderTerms) -> None:
        """Remember all that an order asks for."""
        self._terms[client_order_id] = terms
        self.remember_side(client_order_id, terms.action, terms.side)

    def remember_side(self, client_order_id: str, action: Action, side: Side) -> None:
        """Remember in which words an order was asked for."""
        self._sides[client_order_id] = action, side

    def remember_cancel(self, order_id: str) -> None:
        """Remember that this program asks for an order to be canceled."""
        self._cancels.add(order_id)

    def forget_cancel(self, order_id: str) -> None:
        """Forget a cancel that was not carried out: should the order end after all, it ended by something else."""
        self._cancels.discard(order_id)

    def is_being_canceled(self, order_id: str) -> bool:
        """Return whether this program has asked for an order to be canceled."""
        return order_id in self._cancels

    def begin_amend(self, order_id: str, price: Price, resting_count: Count) -> None:
        """Remember what an order is being changed to."""
        self._amends[order_id] = price, resting_count

    def end_amend(self, order_id: str) -> None:
        """Forget a change whose outcome is known."""
        self._amends.pop(order_id, None)

    def cancel_reason(self, order: Order) -> str:
        """Return why a canceled order was canceled, as far as that follows from what was asked for."""
        if order.order_id in self._cancels:
            return "by you"
        terms = self._terms.get(order.client_order_id)
        if terms is not None and terms.tif is not TimeInForce.GTC:
            return describe_unfilled(terms.tif)
        return "by the exchange, or from elsewhere"


def describe_unfilled(tif: TimeInForce) -> str:
    """Return why what is left of an order that may not rest was canceled."""
    return f"{tif.short}: what could not fill at once was canceled"
