"""The lists of the lower pane, and the lines of each. Pure but for a cache of the tape."""

from enum import Enum
from itertools import islice

from kalshi_tui.domain.alerts import Alert
from kalshi_tui.domain.order import Fill, Order
from kalshi_tui.domain.position import Position
from kalshi_tui.domain.price import Count
from kalshi_tui.presentation.lines import (
    Line,
    Span,
    Tone,
    line,
)
from kalshi_tui.presentation.number_text import NO_VALUE, date_time_text
from kalshi_tui.session.account.list_reads import AccountList
from kalshi_tui.session.changes import StoreChanges, Topic
from kalshi_tui.session.store import Store
from kalshi_tui.ui.key_labels import key_for
from kalshi_tui.ui.lists import views
from kalshi_tui.ui.lists.alert_view import alert_column_heading, alert_line, silent_alerts_text
from kalshi_tui.ui.lists.position_view import position_row_key, position_rows
from kalshi_tui.ui.lists.settlement_view import settlement_column_heading, settlement_rows, settlements_in_view
from kalshi_tui.ui.lists.tape_filter import filter_trades, no_trades_text

MAX_TAPE_ROWS = 200


class Tab(Enum):
    """The lists, in the order of their number keys."""

    ORDERS = "Orders"
    POSITIONS = "Positions"
    FILLS = "Fills"
    TAPE = "Tape"
    LOG = "Log"
    CHART = "Chart"
    SETTLEMENTS = "Settlements"
    ALERTS = "Alerts"


SHORT_TAB_NAMES = {
    Tab.ORDERS: "Ord",
    Tab.POSITIONS: "Pos",
    Tab.FILLS: "Fill",
    Tab.SETTLEMENTS: "Paid",
    Tab.ALERTS: "Alert",
}
"""The names where there is little room."""
FIXED_COLUMN_HEADINGS = {
    Tab.FILLS: views.FILL_COLUMN_HEADING,
    Tab.LOG: views.LOG_COLUMN_HEADING,
    Tab.CHART: "",
}
"""The columns' names of the lists that have the same ones at any width."""
LISTS = {
    Tab.ORDERS: AccountList.ORDERS,
    Tab.POSITIONS: AccountList.POSITIONS,
    Tab.FILLS: AccountList.FILLS,
    Tab.SETTLEMENTS: AccountList.SETTLEMENTS,
}
"""The lists that are the account's: they are not known until they have been read."""
PAGED_TABS = frozenset({Tab.ORDERS, Tab.FILLS})
"""The lists that show their newest items until more is asked for."""
EMPTY_LIST_TEXT = {
    Tab.FILLS: "No executions yet.",
    Tab.LOG: "Nothing has happened yet.",
    Tab.SETTLEMENTS: "No market in which you held anything has been settled yet.",
}


SUBACCOUNT_WIDTH = 5
"""Cells of the column that numbers the subaccounts, where there are several."""
WITH_SUBACCOUNTS = frozenset({Tab.ORDERS, Tab.POSITIONS, Tab.FILLS, Tab.SETTLEMENTS})


def has_subaccount_column(store: Store, tab: Tab) -> bool:
    """Return whether a list says of each line whose it is."""
    return tab in WITH_SUBACCOUNTS and store.account.view.several


def column_heading(store: Store, tab: Tab, width: int, min_count: Count = 0) -> str:
    """Return the column headings of a list ``width`` cells wide; the tape's say which trades it leaves out."""
    if has_subaccount_column(store, tab):
        return f"{'sub':<{SUBACCOUNT_WIDTH}}{_column_heading(tab, width - SUBACCOUNT_WIDTH, min_count)}"
    return _column_heading(tab, width, min_count)


def _column_heading(tab: Tab, width: int, min_count: Count) -> str:
    if tab is Tab.ORDERS:
        return views.order_column_heading(width)
    if tab is Tab.TAPE:
        return views.tape_column_heading(min_count, with_filter_text=True)
    if tab is Tab.SETTLEMENTS:
        return settlement_column_heading(width)
    if tab is Tab.ALERTS:
        return alert_column_heading(width)
    return views.position_column_heading(width) if tab is Tab.POSITIONS else FIXED_COLUMN_HEADINGS[tab]


def tab_bar(store: Store, selected: Tab, *, short: bool = False, tight: bool = False) -> Line:
    """Draw the tabs with their numbers and counts; the chosen one stands in brackets.

    ``short``: in few cells; ``tight``: in even fewer, with one blank or bracket between two of them.
    """
    view = store.account.view
    counts = {
        Tab.ORDERS: len([each for each in store.working_orders() if view.includes(each.subaccount)]),
        Tab.POSITIONS: len(store.account.positions_in_view()),
        Tab.FILLS: len([each for each in store.fills if view.includes(each.subaccount)]),
    }
    unread = {tab for tab, each in LISTS.items() if not store.reads.have(each)}
    spans: list[Span] = []
    for number, tab in enumerate(Tab, 1):
        known: str | int | None = NO_VALUE if tab in unread else counts.get(tab)
        if known is not None and tab in LISTS and store.reads.left_out(LISTS[tab]):
            known = f"{known}{views.AND_UNREAD}"
        count = f" {known}" if known and not short else ""
        text = f"{number} {SHORT_TAB_NAMES.get(tab, tab.value) if short else tab.value}{count}"
        before, after = "[]" if tab is selected else "  "
        if tight and spans:
            if tab is selected:
                spans[-1] = Span(spans[-1].text[:-1], Tone.DIM)
            else:
                before = ""
        spans.append(Span(f"{before}{text}{after}", Tone.HEAD if tab is selected else Tone.DIM))
    return line(*spans)


def listed_orders(store: Store) -> list[Order]:
    """Return the working orders, then the newest of those that are over."""
    over, view = _ended_orders(store), store.account.view
    working = [order for order in store.working_orders() if view.includes(order.subaccount)]
    return [*working, *over[: store.account.older.row_limit(AccountList.ORDERS)]]


def _ended_orders(store: Store) -> list[Order]:
    """Return all orders of the subaccounts in view that are known to have ended, the newest first."""
    view, known = store.account.view, store.orders
    over = [order for order in store.account.orders_in_view() if order.state.final]
    # One that was read as an older one may have come by another way since.
    over += [
        each for each in store.account.older.orders if view.includes(each.subaccount) and each.order_id not in known
    ]
    return sorted(over, key=lambda order: -max(order.updated_ms, order.created_ms))


def _fills_in_view(store: Store) -> list[Fill]:
    """Return all fills of the subaccounts in view that are known, the newest first."""
    view, older = store.account.view, store.account.older
    known = {each.key for each in store.fills} if older.fills else set()
    found = [each for each in store.fills if view.includes(each.subaccount)]
    return found + [each for each in older.fills if view.includes(each.subaccount) and each.key not in known]


def has_more(store: Store, tab: Tab) -> bool:
    """Return whether a list has, or may have, more than it shows."""
    limit = store.account.older.row_limit(LISTS[tab])
    known = _ended_orders(store) if tab is Tab.ORDERS else _fills_in_view(store)
    return len(known) > limit or store.account.listed_since_ms(LISTS[tab]) > 0


def listed_fills(store: Store) -> list[Fill]:
    """Return the newest fills of the subaccounts in view."""
    return _fills_in_view(store)[: store.account.older.row_limit(AccountList.FILLS)]


ListItem = Order | Fill | Alert | Position | str


def item_key(item: ListItem) -> str:
    """Return what tells an item of a list from the others for good; an order's is the id that we gave it, if any."""
    if isinstance(item, str):
        return item
    if isinstance(item, Alert):
        return str(item.id)
    if isinstance(item, Position):
        return position_row_key(item)
    return " ".join(item.key) if isinstance(item, Fill) else item.client_order_id or item.order_id


def list_items(store: Store, tab: Tab) -> list[Order] | list[str] | list[Fill] | list[Alert] | list[Position]:
    """Return what stands behind the lines of a list: orders, tickers, fills, alerts; nothing for the others."""
    if tab is Tab.ORDERS:
        return listed_orders(store)
    if tab is Tab.POSITIONS:
        return store.account.positions_in_view()
    if tab is Tab.FILLS:
        return listed_fills(store)
    if tab is Tab.SETTLEMENTS:
        return [each.ticker for each in settlements_in_view(store)]
    return list(store.alerts) if tab is Tab.ALERTS else []


def tape_lines(store: Store, ticker: str, min_count: Count = 0) -> list[Line]:
    """Draw the prints of one market, newest first: those of ``least`` or more, and all of the trader's own."""
    market = store.markets.get(ticker)
    shown = islice(filter_trades(store, ticker, min_count), MAX_TAPE_ROWS)
    return [views.tape_line(trade, market, own=own) for trade, own in shown]


def pane_rows(store: Store, tab: Tab, ticker: str, width: int, min_count: Count = 0) -> list[tuple[str, Line]]:
    """Draw the lines of a list ``width`` cells wide, the tape's of ``least`` or more; a sentence where it is empty.

    Each comes with the key of the item behind it, which is empty where there is none.
    """
    if not has_subaccount_column(store, tab):
        return _pane_rows(store, tab, ticker, width, min_count)
    numbers = _subaccounts_by_key(store, tab)
    # One market may have paid two subaccounts: their lines have the same key.
    settled = ["" if each.subaccount is None else str(each.subaccount) for each in settlements_in_view(store)]
    rows = _pane_rows(store, tab, ticker, width - SUBACCOUNT_WIDTH, min_count)
    placed = []
    for place, (key, drawn) in enumerate(rows):
        number = settled[place] if tab is Tab.SETTLEMENTS and place < len(settled) else numbers.get(key, "")
        placed.append((key, line(Span(f"{number:<{SUBACCOUNT_WIDTH}}", Tone.DIM), *drawn)))
    return placed


def _subaccounts_by_key(store: Store, tab: Tab) -> dict[str, str]:
    """Return the numbers that stand before the lines of a list, by the keys of their items."""
    return {
        item_key(each): str(each.subaccount) for each in list_items(store, tab) if not isinstance(each, Alert | str)
    }


def _pane_rows(store: Store, tab: Tab, ticker: str, width: int, min_count: Count) -> list[tuple[str, Line]]:
    if tab is Tab.ORDERS:
        rows = [(item_key(each), views.order_line(store, each, width)) for each in listed_orders(store)]
    elif tab is Tab.POSITIONS:
        rows = position_rows(store, width)
    elif tab is Tab.FILLS:
        rows = [(item_key(each), views.fill_line(store, each, width)) for each in listed_fills(store)]
    elif tab is Tab.TAPE:
        rows = [("", each) for each in tape_lines(store, ticker, min_count)]
    elif tab is Tab.SETTLEMENTS:
        rows = settlement_rows(store, width)
    elif tab is Tab.ALERTS:
        rows = _alert_rows(store, width)
    else:
        rows = [("", each) for notice in store.notices for each in views.notice_lines(notice, width)]
    unread = store.why_unread(LISTS[tab]) if tab in LISTS else ""
    if unread and tab is not Tab.POSITIONS:
        # What is known so far stands above it.
        rows.append(("", line(Span(unread, Tone.WARN))))
    elif tab in LISTS and tab is not Tab.POSITIONS and (left_out := store.reads.left_out_text(LISTS[tab])):
        rows.append(("", line(Span(left_out, Tone.WARN))))
    elif since := _since_text(store, tab, empty=not rows):
        rows.append(("", line(Span(since, Tone.DIM))))
    empty = no_trades_text(store, ticker, min_count) if tab is Tab.TAPE else _empty_list_text(tab)
    return rows or [("", line(Span(empty, Tone.DIM)))]


def _alert_rows(store: Store, width: int) -> list[tuple[str, Line]]:
    rows = [(item_key(each), alert_line(store, each, width)) for each in store.alerts]
    silent = silent_alerts_text(store)
    return [*rows, ("", line(Span(silent, Tone.WARN)))] if silent else rows


def _since_text(store: Store, tab: Tab, *, empty: bool) -> str:
    """Return how far back a list goes, and what lists the rest; nothing where that is not known or there is no rest."""
    if tab not in PAGED_TABS or not has_more(store, tab):
        return ""
    limit, since_ms = store.account.older.row_limit(LISTS[tab]), store.account.listed_since_ms(LISTS[tab])
    more = f"{key_for('read-more')} shows older ones."
    if tab is Tab.FILLS:
        fills = _fills_in_view(store)
        if len(fills) > limit:
            since_ms = fills[limit - 1].ts_ms
        before = "No executions since" if empty else "Since"
        return f"{before} {date_time_text(since_ms)}; {more}"
    if empty:
        buy, sell = key_for("buy"), key_for("sell")
        return (
            f"No open order, and none that ended since {date_time_text(since_ms)}; {more} {buy} buys, {sell} sells in "
            "the chosen market."
        )
    over = _ended_orders(store)
    if len(over) > limit:
        since_ms = max(over[limit - 1].updated_ms, over[limit - 1].created_ms)
    return f"Ended orders since {date_time_text(since_ms)}; {more}"


def _empty_list_text(tab: Tab) -> str:
    if tab is Tab.ORDERS:
        return f"No orders yet: {key_for('buy')} buys, {key_for('sell')} sells in the chosen market."
    if tab is Tab.ALERTS:
        return f"No alerts yet: {key_for('alert')} writes one for the chosen market."
    return EMPTY_LIST_TEXT.get(tab, "")


def is_affected(store: Store, tab: Tab, ticker: str, dirty: StoreChanges) -> bool:
    """Return whether what changed can be seen in this list."""
    topics = {
        Tab.ORDERS: {Topic.ORDERS, Topic.FILLS, Topic.MARKETS},
        Tab.POSITIONS: {Topic.POSITIONS, Topic.MARKETS, Topic.LINK},
        Tab.FILLS: {Topic.FILLS, Topic.MARKETS},
        Tab.TAPE: {Topic.FILLS},
        Tab.LOG: {Topic.NOTICES},
        Tab.CHART: {Topic.MARKETS},
        Tab.SETTLEMENTS: {Topic.SETTLEMENTS, Topic.MARKETS},
        Tab.ALERTS: {Topic.ALERTS, Topic.MARKETS, Topic.LINK},
    }[tab]
    if dirty.topics & topics:
        return True
    if tab in LISTS and not store.reads.have(LISTS[tab]) and Topic.LINK in dirty.topics:
        # Why it has not been read is another reason now.
        return True
    if tab is Tab.POSITIONS:
        return bool(dirty.tickers & store.account.held_tickers())
    if tab is Tab.ALERTS:
        return any(each.ticker in dirty.tickers for each in store.alerts)
    return tab is Tab.TAPE and ticker in dirty.tickers
