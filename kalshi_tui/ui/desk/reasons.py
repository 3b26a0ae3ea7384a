"""Why a command on orders, positions or the book does not work now, in a sentence; empty if it does."""

from kalshi_tui.domain.alerts import AlertState
from kalshi_tui.domain.market import Market
from kalshi_tui.domain.order import OrderState
from kalshi_tui.ui.availability import CommandContext, cannot_trade, no_market_selected
from kalshi_tui.ui.keys import key_for

NO_REARM_REASONS = {
    AlertState.ARMED: "This alert is armed.",
    AlertState.WAITING: "This alert is armed again by itself, once its condition is over.",
}
NOT_LISTED = "The market of this line is not in the list."
NOT_IN_ROW = "No order of yours rests in this row."


def _no_order_selected() -> str:
    return f"No order is chosen: {key_for('orders')} shows the orders, and {key_for('pane')} goes there."


def _no_alert_selected() -> str:
    return f"No alert stands in this line: {key_for('alert')} writes one."


def cannot_open_ticket(context: CommandContext) -> str:
    """Return why no ticket opens: nothing to trade in, or a price of the book that is none any more."""
    return cannot_trade(context) or (context.no_price if context.in_book or context.in_ladder else "")


def cannot_select_side(context: CommandContext) -> str:
    """Say that there are no two sides to choose between."""
    if context.in_ladder:
        return f"In the ladder both sides stand in one row; {key_for('mirror')} turns it over."
    if context.in_book:
        return ""
    return (
        f"The keys {key_for('bids')} and {key_for('asks')} choose bids or asks in the book: "
        f"{key_for('pane')} goes there."
    )


def cannot_cancel(context: CommandContext) -> str:
    """Return why there is nothing to cancel."""
    if context.in_positions:
        return (
            cannot_close_position(context) or f"In the list of positions {key_for('close-position')} closes a position."
        )
    if context.in_alerts:
        return cannot_delete_alert(context) or f"In the list of alerts {key_for('delete-alert')} deletes an alert."
    if context.in_ladder:
        return cannot_cancel_row(context) or f"In the ladder {key_for('cancel-row')} cancels all that rests in the row."
    return context.read_only or _not_resting(context, "canceled")


def cannot_amend(context: CommandContext) -> str:
    """Return why there is nothing to change."""
    if context.in_alerts:
        return cannot_rearm_alert(context) or f"In the list of alerts {key_for('rearm')} arms an alert again."
    return (
        context.read_only
        or (_not_single_order(context) if context.in_ladder else "")
        or _not_resting(context, "changed")
        or _not_listed(context.subject)
    )


def cannot_resend(context: CommandContext) -> str:
    """Return why there is nothing to send again."""
    if context.read_only or context.order is None:
        return context.read_only or _no_order_selected()
    if context.can_resend:
        return _not_listed(context.subject)
    if context.order.state is OrderState.NOT_SENT:
        return "This order cannot be sent again under its own id: write a new one."
    return f"This order is {context.order.state.word}; only one that never arrived can be sent again."


def cannot_close_position(context: CommandContext) -> str:
    """Return why there is no position to close."""
    if not context.in_positions:
        return (
            f"The key {key_for('close-position')} closes a position in their list: "
            f"{key_for('positions')} shows it, and {key_for('pane')} goes there."
        )
    if context.position is None:
        return "No position stands in this line."
    if context.subject is not None and not context.subject.status.tradable:
        return f"This market takes no orders: it is {context.subject.status.value}."
    return _not_listed(context.subject)


def cannot_delete_alert(context: CommandContext) -> str:
    """Return why there is no alert to delete."""
    if not context.in_alerts:
        return (
            f"The key {key_for('delete-alert')} deletes an alert in their list: "
            f"{key_for('alerts')} shows it, and {key_for('pane')} goes there."
        )
    return "" if context.alert is not None else _no_alert_selected()


def cannot_rearm_alert(context: CommandContext) -> str:
    """Return why there is no alert to arm again."""
    if not context.in_alerts:
        return (
            f"The key {key_for('rearm')} arms an alert again in their list: "
            f"{key_for('alerts')} shows it, and {key_for('pane')} goes there."
        )
    if context.alert is None:
        return _no_alert_selected()
    return NO_REARM_REASONS.get(context.alert.state, "")


def ladder_not_shown(context: CommandContext) -> str:
    """Say that the ladder is not shown."""
    return "" if context.ladder else f"This key works while the ladder is shown: {key_for('view')} shows it."


def cannot_cancel_row(context: CommandContext) -> str:
    """Return why there is nothing to cancel in the chosen row of the ladder."""
    return context.read_only or _not_in_ladder(context) or ("" if context.row_orders else _not_in_row(context))


def cannot_nudge_order(context: CommandContext) -> str:
    """Return why no order moves by a row of the ladder."""
    return context.read_only or _not_in_ladder(context) or _not_single_order(context)


def _not_in_ladder(context: CommandContext) -> str:
    if context.in_ladder:
        return ""
    return f"This key works in the rows of the ladder: {key_for('view')} shows it, {key_for('pane')} goes there."


def _not_in_row(now: CommandContext) -> str:
    return f"Your orders: {now.orders_unread}" if now.orders_unread else NOT_IN_ROW


def _not_single_order(context: CommandContext) -> str:
    if not context.row_orders:
        return _not_in_row(context)
    if context.row_orders == 1:
        return ""
    return (
        f"{context.row_orders} orders of yours rest in this row: {key_for('orders')} shows the orders, "
        f"choose one there."
    )


def cannot_cancel_in_market(context: CommandContext) -> str:
    """Return why there is nothing to cancel in the chosen market."""
    if context.read_only or no_market_selected(context) or context.live_orders_here:
        return context.read_only or no_market_selected(context)
    if context.orders_unread:
        return (
            f"Your orders: {context.orders_unread} {key_for('cancel-all')} has the exchange cancel all in all markets."
        )
    return "No order of yours works in this market."


def cannot_cancel_all(context: CommandContext) -> str:
    """Return why nothing can be canceled anywhere.

    That no order is known to work is no reason: the exchange may know of one.
    """
    return context.read_only


def _not_resting(context: CommandContext, done: str) -> str:
    if context.order is None:
        return _no_order_selected()
    if context.order.state is not OrderState.RESTING:
        return f"This order is {context.order.state.word}; only a resting one can be {done}."
    return ""


def _not_listed(market: Market | None) -> str:
    return "" if market is not None else NOT_LISTED
