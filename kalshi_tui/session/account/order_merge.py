"""Merging two reports of one order that may be late, doubled or out of turn."""

from dataclasses import replace
from typing import Final

from kalshi_tui.domain.order import Order, OrderState
from kalshi_tui.domain.update_reason import names_an_end

UNCONFIRMED_STATES: Final = frozenset({OrderState.DRAFTED, OrderState.SENDING, OrderState.UNKNOWN})
"""States in which the exchange has not confirmed anything yet."""
UNFILLED_ENDS: Final = frozenset({OrderState.CANCELED, OrderState.EXPIRED})
"""How an order ends whose rest is taken away; the exchange's status does not tell the one from the other."""


def merge_orders(known: Order, update: Order) -> Order:
    """Return the order that follows from what is known and an update that may be late, doubled or out of turn.

    A report with the exchange's id comes from the exchange, and outranks anything that was concluded here without one.
    A final state stays final, and a filled count never falls: the exchange does not undo a fill. What one report has
    and the other lacks (the client order id, the reason) is kept.
    """
    if bool(known.order_id) != bool(update.order_id):
        older = bool(known.order_id)
    elif (known.state in UNCONFIRMED_STATES) != (update.state in UNCONFIRMED_STATES):
        # Doubt replaces anything but an end: an order that rested may be gone after a change without an answer.
        older = known.state.final
    else:
        # Frames carry no order of their own. An older time is old news only if it brings neither a fill nor an end.
        earlier = 0 < update.updated_ms < known.updated_ms and update.filled == known.filled and not update.state.final
        older = earlier or update.filled < known.filled or (known.state.final and not update.state.final)
    first, second = (known, update) if older else (update, known)
    if first.filled < second.filled:
        # Executions came ahead of the reply that says what became of the order. Without this step the newer report
        # would take back a fill, and the position would be believed smaller than it is.
        left = max(first.remaining - (second.filled - first.filled), 0)
        state = OrderState.FILLED if first.state is OrderState.RESTING and not left else first.state
        first = replace(first, filled=second.filled, remaining=left, state=state)
    if (
        first.state in UNFILLED_ENDS
        and second.state in UNFILLED_ENDS
        and names_an_end(second.update_reason)
        and not names_an_end(first.update_reason)
    ):
        # The exchange said why it ended. The other report is a read, which has no such field: whether it calls the
        # order canceled or expired was concluded from times.
        reason = second.reason or (first.reason if first.state is second.state else "")
        first = replace(first, state=second.state, reason=reason, update_reason=second.update_reason)
    return replace(
        first,
        # The exchange never gives an order another client order id: one that differs is odd, and would cut the order
        # off from its journal entry and from the terms that the trader wrote.
        client_order_id=known.client_order_id or update.client_order_id,
        reason=first.reason or (second.reason if first.state is second.state else ""),
        update_reason=first.update_reason or (second.update_reason if first.state is second.state else ""),
        created_ms=first.created_ms or second.created_ms,
        meant=known.meant or update.meant,
        # No order moves to another subaccount; a report without the number says 0.
        subaccount=first.subaccount or second.subaccount,
        updated_ms=max(first.updated_ms, second.updated_ms),
        # A report of the exchange tells the expiry, 0 for none: a cleared one must not come back from an older report.
        expires_ms=first.expires_ms if first.order_id else first.expires_ms or second.expires_ms,
    )
