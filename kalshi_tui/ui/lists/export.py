"""The tables of the desk as rows for a CSV file: exact numbers in the exchange's widths, times in UTC. Pure."""

import csv
import io
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from kalshi_tui.domain.alerts import (
    ACCOUNT_KINDS,
    PRICE_KINDS,
    Alert,
    AlertKind,
    format_alert,
)
from kalshi_tui.domain.candles import Candle
from kalshi_tui.domain.order import Fill, Order
from kalshi_tui.domain.price import Count, Price, format_count, format_money, format_price
from kalshi_tui.presentation.lines import make_printable
from kalshi_tui.session.store import Store
from kalshi_tui.ui.lists.panes import Tab, listed_orders
from kalshi_tui.ui.lists.tape_filter import filter_trades

CsvRow = list[str]
FORMULA_PREFIXES: Final = ("=", "+", "-", "@")
"""Characters that a spreadsheet takes for the beginning of a formula."""
FORMULA_ESCAPE: Final = "'"


def text_cell(text: str) -> str:
    """Make text safe for a spreadsheet: a cell that would be a formula gets a quote before it; all can be printed."""
    text = make_printable(text)
    return FORMULA_ESCAPE + text if text.startswith(FORMULA_PREFIXES) else text


def time_cell(ts_ms: int) -> str:
    """Write a Unix time in milliseconds by RFC 3339 in UTC; nothing for none, or for one that no calendar has."""
    try:
        moment = datetime.fromtimestamp(ts_ms // 1000, UTC)
    except (ValueError, OverflowError, OSError):
        return ""
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{ts_ms % 1000:03d}Z" if ts_ms else ""


def _price_cell(price: Price | None) -> str:
    return format_price(price) if price is not None else ""


def _order_table(store: Store) -> tuple[CsvRow, list[CsvRow]]:
    head = ["order_id", "client_order_id", "ticker", "state", "book_side", "yes_price", "initial", "filled"]
    head += ["remaining", "created_time", "updated_time", "expiration_time", "reason", "subaccount"]
    return head, [_order_row(each) for each in listed_orders(store)]


def _order_row(order: Order) -> CsvRow:
    return [
        text_cell(order.order_id),
        text_cell(order.client_order_id),
        text_cell(order.ticker),
        order.state.value,
        order.book_side.value,
        format_price(order.yes_price),
        format_count(order.initial),
        format_count(order.filled),
        format_count(order.remaining),
        time_cell(order.created_ms),
        time_cell(order.updated_ms),
        time_cell(order.expires_ms),
        text_cell(order.reason),
        str(order.subaccount),
    ]


def _position_table(store: Store) -> tuple[CsvRow, list[CsvRow]]:
    head = ["ticker", "position", "cost", "realized_pnl", "fees_paid", "total_traded", "subaccount"]
    return head, [
        [
            text_cell(each.ticker),
            format_count(each.count),
            format_money(each.cost),
            format_money(each.realized_pnl),
            format_money(each.fees_paid),
            format_money(each.total_traded) if each.total_traded is not None else "",
            str(each.subaccount),
        ]
        for _, each in sorted(store.account.positions_by_key.items())
    ]


def _fill_table(store: Store) -> tuple[CsvRow, list[CsvRow]]:
    head = ["time", "trade_id", "order_id", "client_order_id", "ticker", "book_side", "yes_price", "count", "fee"]
    return [*head, "is_taker", "subaccount"], [_fill_row(each) for each in (*store.fills, *store.account.older.fills)]


def _fill_row(fill: Fill) -> CsvRow:
    return [
        time_cell(fill.ts_ms),
        text_cell(fill.trade_id),
        text_cell(fill.order_id),
        text_cell(fill.client_order_id),
        text_cell(fill.ticker),
        fill.book_side.value,
        format_price(fill.yes_price),
        format_count(fill.count),
        format_money(fill.fee),
        str(fill.is_taker).lower(),
        str(fill.subaccount),
    ]


def _tape_table(store: Store, ticker: str, min_count: Count) -> tuple[CsvRow, list[CsvRow]]:
    head = ["time", "trade_id", "ticker", "yes_price", "count", "taker_bought", "own"]
    return head, [
        [
            time_cell(trade.ts_ms),
            text_cell(trade.trade_id),
            text_cell(trade.ticker),
            format_price(trade.yes_price),
            format_count(trade.count),
            "yes" if trade.taker_bid else "no",
            str(own).lower(),
        ]
        for trade, own in filter_trades(store, ticker, min_count)
    ]


def _log_table(store: Store) -> tuple[CsvRow, list[CsvRow]]:
    return ["time", "weight", "text"], [
        [time_cell(each.at_ms), each.severity.value, text_cell(each.text)] for each in store.notices
    ]


def _settlement_table(store: Store) -> tuple[CsvRow, list[CsvRow]]:
    head = ["settled_time", "ticker", "result", "yes_value", "yes_count", "no_count", "yes_cost", "no_cost"]
    return [*head, "revenue", "fees", "net", "subaccount", "is_rounded", "realized_pnl"], [
        [
            time_cell(each.settled_ms),
            text_cell(each.ticker),
            text_cell(each.result),
            _price_cell(each.yes_value),
            format_count(each.yes_count),
            format_count(each.no_count),
            format_money(each.yes_cost),
            format_money(each.no_cost),
            format_money(each.revenue),
            format_money(each.fees),
            "" if each.net is None else format_money(each.net),
            "" if each.subaccount is None else str(each.subaccount),
            "true" if each.is_rounded else "false",
            "" if each.realized is None else format_money(each.realized),
        ]
        for each in store.settlements
    ]


def _alert_table(store: Store) -> tuple[CsvRow, list[CsvRow]]:
    head = ["state", "rings", "alert", "kind", "ticker", "comparison", "threshold", "fired_time", "times"]
    return head, [_alert_row(each) for each in store.alerts]


def _alert_row(alert: Alert) -> CsvRow:
    threshold = ""
    if alert.kind in PRICE_KINDS:
        threshold = format_price(alert.threshold)
    elif alert.kind is AlertKind.CLOSE:
        threshold = str(alert.threshold)
    elif alert.kind not in ACCOUNT_KINDS:
        threshold = format_count(alert.threshold)
    return [
        alert.state.value,
        "once" if alert.once else "every",
        text_cell(format_alert(alert)),
        alert.kind.value,
        text_cell(alert.ticker),
        (">=" if alert.at_least else "<=") if threshold else "",
        threshold,
        time_cell(alert.fired_ms),
        str(alert.times),
    ]


def _candle_table(ticker: str, minutes: int, candles: Sequence[Candle]) -> tuple[CsvRow, list[CsvRow]]:
    head = ["end_time", "minutes", "ticker", "open", "high", "low", "close", "yes_bid_close", "yes_ask_close"]
    return [*head, "volume", "open_interest"], [
        [
            time_cell(each.end_ms),
            str(minutes),
            text_cell(ticker),
            *map(_price_cell, (each.open, each.high, each.low, each.close, each.yes_bid_close, each.yes_ask_close)),
            format_count(each.volume),
            format_count(each.open_interest),
        ]
        for each in candles
    ]


def build_table(store: Store, tab: Tab, ticker: str, *, min_count: Count = 0, minutes: int = 60) -> list[CsvRow]:
    """Return the rows of a list, the names of its columns first; of the tape those trades that are shown.

    ``ticker`` is the market of tape and chart, ``minutes`` the chart's period.
    """
    if tab is Tab.TAPE:
        head, rows = _tape_table(store, ticker, min_count)
    elif tab is Tab.CHART:
        chart = store.charts.get((ticker, minutes))
        head, rows = _candle_table(ticker, minutes, chart.candles if chart is not None else ())
    else:
        makers = {
            Tab.ORDERS: _order_table,
            Tab.POSITIONS: _position_table,
            Tab.FILLS: _fill_table,
            Tab.LOG: _log_table,
            Tab.SETTLEMENTS: _settlement_table,
            Tab.ALERTS: _alert_table,
        }
        head, rows = makers[tab](store)
    return [head, *rows]


def csv_text(rows: Sequence[Sequence[str]]) -> str:
    """Write rows as RFC 4180 wants them."""
    file = io.StringIO(newline="")
    csv.writer(file, lineterminator="\r\n").writerows(rows)
    return file.getvalue()
