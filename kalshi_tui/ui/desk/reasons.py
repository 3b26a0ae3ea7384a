"""Why a command on orders, positions or the book does not work now, in a sentence; empty if it does."""

from kalshi_tui.domain.alerts import AlertState
from kalshi_tui.domain.market import Market
from kalshi_tui.domain.order import OrderState
from kalshi_tui.ui.availability import Situation, no_market, no_trade
from kalshi_tui.ui.keys import key

REARMS_ITSELF = {
    AlertState.ARMED: "This alert is armed.",
    AlertState.WAITING: "This alert is armed again by itself, once its condition is over.",
}
NOT_LISTED = "The market of this line is not in the list."
NOT_IN_ROW = "No order of yours rests in this row."


def _no_order() -> str:
    return f"No order is chosen: {key('orders')} shows the orders, and {key('pane')} goes there."


def _no_alert() -> str:
    return f"No alert stands in this line: {key('alert')} writes one."


def no_ticket(now: Situation) -> str:
    """Say why no ticket opens: nothing to trade in, or a price of the book that is none any more."""
    return no_trade(now) or (now.no_price if now.in_book or now.in_ladder else "")


def no_side(now: Situation) -> str:
    """Say that there are no two sides to choose between."""
    if now.in_ladder:
        return f"In the ladder both sides stand in one row; {key('mirror')} turns it over."
    if now.in_book:
        return ""
    return f"The keys {key('bids')} and {key('asks')} choose bids or asks in the book: {key('pane')} goes there."


def no_cancel(now: Situation) -> str:
    """Say why there is nothing to cancel."""
    if now.in_positions:
        return no_close(now) or f"In the list of positions {key('close-position')} closes a position."
    if now.in_alerts:
        return no_delete_alert(now) or f"In the list of alerts {key('delete-alert')} deletes an alert."
    if now.in_ladder:
        return no_cancel_row(now) or f"In the ladder {key('cancel-row')} cancels all that rests in the row."
    return now.read_only or _no_resting(now, "cancelled")


def no_amend(now: Situation) -> str:
    """Say why there is nothing to change."""
    if now.in_alerts:
        return no_rearm(now) or f"In the list of alerts {key('rearm')} arms an alert again."
    return (
        now.read_only
        or (_no_single(now) if now.in_ladder else "")
        or _no_resting(now, "changed")
        or _not_listed(now.subject)
    )


def no_repeat(now: Situation) -> str:
    """Say why there is nothing to send again."""
    if now.read_only or now.order is None:
        return now.read_only or _no_order()
    if now.repeats:
        return _not_listed(now.subject)
    if now.order.state is OrderState.NOT_SENT:
        return "This order cannot be sent again under its own id: write a new one."
    return f"This order is {now.order.state.value}; only one that never arrived can be sent again."


def no_close(now: Situation) -> str:
    """Say why there is no position to close."""
    if not now.in_positions:
        return (
            f"The key {key('close-position')} closes a position in their list: "
            f"{key('positions')} shows it, and {key('pane')} goes there."
        )
    if now.position is None:
        return "No position stands in this line."
    if now.subject is not None and not now.subject.status.tradable:
        return f"This market takes no orders: it is {now.subject.status.value}."
    return _not_listed(now.subject)


def no_delete_alert(now: Situation) -> str:
    """Say why there is no alert to delete."""
    if not now.in_alerts:
        return (
            f"The key {key('delete-alert')} deletes an alert in their list: "
            f"{key('alerts')} shows it, and {key('pane')} goes there."
        )
    return "" if now.alert is not None else _no_alert()


def no_rearm(now: Situation) -> str:
    """Say why there is no alert to arm again."""
    if not now.in_alerts:
        return (
            f"The key {key('rearm')} arms an alert again in their list: "
            f"{key('alerts')} shows it, and {key('pane')} goes there."
        )
    if now.alert is None:
        return _no_alert()
    return REARMS_ITSELF.get(now.alert.state, "")


def no_ladder(now: Situation) -> str:
    """Say that the ladder is not shown."""
    return "" if now.ladder else f"This key works while the ladder is shown: {key('view')} shows it."


def no_cancel_row(now: Situation) -> str:
    """Say why there is nothing to cancel in the chosen row of the ladder."""
    return now.read_only or _not_in_ladder(now) or ("" if now.row_orders else _not_in_row(now))


def no_nudge(now: Situation) -> str:
    """Say why no order moves by a row of the ladder."""
    return now.read_only or _not_in_ladder(now) or _no_single(now)


def _not_in_ladder(now: Situation) -> str:
    if now.in_ladder:
        return ""
    return f"This key works in the rows of the ladder: {key('view')} shows it, {key('pane')} goes there."


def _not_in_row(now: Situation) -> str:
    return f"Your orders: {now.orders_unread}" if now.orders_unread else NOT_IN_ROW


def _no_single(now: Situation) -> str:
    if not now.row_orders:
        return _not_in_row(now)
    if now.row_orders == 1:
        return ""
    return f"{now.row_orders} orders of yours rest in this row: {key('orders')} shows the orders, choose one there."


def no_sweep_here(now: Situation) -> str:
    """Say why there is nothing to cancel in the chosen market."""
    if now.read_only or no_market(now) or now.working_here:
        return now.read_only or no_market(now)
    if now.orders_unread:
        return f"Your orders: {now.orders_unread} {key('cancel-all')} has the exchange cancel all in all markets."
    return "No order of yours works in this market."


def no_sweep(now: Situation) -> str:
    """Say why nothing can be cancelled anywhere.

    That no order is known to work is no reason: the exchange may know of one.
    """
    return now.read_only


def _no_resting(now: Situation, done: str) -> str:
    if now.order is None:
        return _no_order()
    if now.order.state is not OrderState.RESTING:
        return f"This order is {now.order.state.value}; only a resting one can be {done}."
    return ""


def _not_listed(market: Market | None) -> str:
    return "" if market is not None else NOT_LISTED
