"""What this program has asked the exchange for: the terms of its orders, and the changes and cancels under way.

The exchange's replies lack some of it: to the exchange, selling YES and buying NO are the same order.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final

from kalshi_tui.domain.book import Side
from kalshi_tui.domain.order import Action, Fill, Order, OrderTerms, TimeInForce
from kalshi_tui.domain.price import Count, Price


class OrderIntents:
    """What the trader asked for, by order. Execution writes it down before it sends."""

    def __init__(self) -> None:
        self._terms: dict[str, OrderTerms] = {}
        self._sides: dict[str, tuple[Action, Side]] = {}
        self._cancels: set[str] = set()
        self._amends: dict[str, tuple[Price, Count]] = {}
        self._foreign: set[str] = set()
        """Client order ids of which nothing here knows what was meant."""
        self.find_recorded: Callable[[str, str], tuple[Action, Side] | None] = lambda _client_id, _order_id: None
        """Look up what was asked for in the journal, by client order id or else by order id: of earlier runs too."""

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
        self._foreign.discard(client_order_id)

    def with_meaning(self, order: Order) -> Order:
        """Return an order with what the trader asked for, as far as this program or its journal knows it."""
        if order.meant is not None:
            return order
        meant = self._find_meaning(order.client_order_id, order.order_id)
        return order if meant is None else replace(order, meant=meant)

    def fill_with_meaning(self, fill: Fill, order: Order | None) -> Fill:
        """Return a fill with what the trader asked for with its ``order``, as far as that is known."""
        meant = order.meant if order is not None else None
        meant = meant or self._find_meaning(fill.client_order_id, fill.order_id)
        return fill if meant is None else replace(fill, meant=meant)

    def _find_meaning(self, client_order_id: str, order_id: str) -> tuple[Action, Side] | None:
        known = self._sides.get(client_order_id)
        if known is not None or client_order_id in self._foreign:
            return known
        found = self.find_recorded(client_order_id, order_id)
        if found is not None and client_order_id:
            self._sides[client_order_id] = found
        elif client_order_id:
            # Another program on this journal writes an order down before it sends it, so none comes later.
            self._foreign.add(client_order_id)
        return found

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
