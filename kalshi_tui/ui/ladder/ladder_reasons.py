"""Why a command on the selected row of a ladder does not work now, in a sentence; empty if it does."""

from typing import Final

from kalshi_tui.session.account.list_reads import AccountList
from kalshi_tui.session.interface import TradingSession
from kalshi_tui.ui.desk.selection import DeskSelection
from kalshi_tui.ui.key_labels import key_for

NOT_IN_ROW: Final = "No order of yours rests in this row."


def cannot_cancel_row(session: TradingSession, selection: DeskSelection) -> str:
    """Return why there is nothing to cancel in the selected row."""
    if reason := session.read_only_reason or _not_in_ladder(selection):
        return reason
    return "" if selection.orders_in_row else _not_in_row(session)


def cannot_nudge_order(session: TradingSession, selection: DeskSelection) -> str:
    """Return why no order moves by a row."""
    return session.read_only_reason or _not_in_ladder(selection) or not_single_order(session, selection)


def not_single_order(session: TradingSession, selection: DeskSelection) -> str:
    """Return why the selected row does not name one order."""
    count = len(selection.orders_in_row)
    if not count:
        return _not_in_row(session)
    if count == 1:
        return ""
    return f"{count} orders of yours rest in this row: {key_for('orders')} shows the orders, choose one there."


def _not_in_ladder(selection: DeskSelection) -> str:
    if selection.in_ladder:
        return ""
    return f"This key works in the rows of the ladder: {key_for('view')} shows it, {key_for('pane')} goes there."


def _not_in_row(session: TradingSession) -> str:
    unread = session.store.why_unread(AccountList.ORDERS)
    return f"Your orders: {unread}" if unread else NOT_IN_ROW
