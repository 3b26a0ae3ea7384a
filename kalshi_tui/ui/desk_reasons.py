"""Why a command on orders, positions or the book does not work now, in a sentence; empty if it does."""

from kalshi_tui.domain.market import Market
from kalshi_tui.domain.order import OrderState
from kalshi_tui.ui.situation import Situation, no_market, no_trade

NO_ORDER = "No order is chosen: 1 shows the orders, and tab goes there."
NOT_LISTED = "The market of this line is not in the list."


def no_ticket(now: Situation) -> str:
    """Say why no ticket opens: nothing to trade in, or a price of the book that is none any more."""
    return no_trade(now) or (now.no_price if now.in_book else "")


def no_side(now: Situation) -> str:
    """Say that there are no two sides to choose between."""
    return "" if now.in_book else "h and l choose bids or asks in the book: tab goes there."


def no_cancel(now: Situation) -> str:
    """Say why there is nothing to cancel."""
    if now.in_positions:
        return no_close(now) or "In the list of positions x closes a position."
    return now.read_only or _no_resting(now, "cancelled")


def no_amend(now: Situation) -> str:
    """Say why there is nothing to change."""
    return now.read_only or _no_resting(now, "changed") or _not_listed(now.subject)


def no_repeat(now: Situation) -> str:
    """Say why there is nothing to send again."""
    if now.read_only or now.order is None:
        return now.read_only or NO_ORDER
    if now.repeats:
        return _not_listed(now.subject)
    if now.order.state is OrderState.NOT_SENT:
        return "This order cannot be sent again under its own id: write a new one."
    return f"This order is {now.order.state.value}; only one that never arrived can be sent again."


def no_close(now: Situation) -> str:
    """Say why there is no position to close."""
    if not now.in_positions:
        return "x closes a position in their list: 2 shows it, and tab goes there."
    if now.position is None:
        return "No position stands in this line."
    if now.subject is not None and not now.subject.status.tradable:
        return f"This market takes no orders: it is {now.subject.status.value}."
    return _not_listed(now.subject)


def no_sweep_here(now: Situation) -> str:
    """Say why there is nothing to cancel in the chosen market."""
    return now.read_only or no_market(now) or ("" if now.working_here else "No order of yours works in this market.")


def no_sweep(now: Situation) -> str:
    """Say why nothing can be cancelled anywhere.

    That no order is known to work is no reason: the exchange may know of one.
    """
    return now.read_only


def _no_resting(now: Situation, done: str) -> str:
    if now.order is None:
        return NO_ORDER
    if now.order.state is not OrderState.RESTING:
        return f"This order is {now.order.state.value}; only a resting one can be {done}."
    return ""


def _not_listed(market: Market | None) -> str:
    return "" if market is not None else NOT_LISTED
