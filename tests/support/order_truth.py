"""Compares what a session knows of its orders, and has written down, with what the exchange has."""

import sqlite3
from collections.abc import Collection, Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from kalshi_tui.domain.order import Order, OrderState
from kalshi_tui.domain.update_reason import UpdateReason, describe_end, names_an_end
from kalshi_tui.practice.engine.model import split_account_id
from kalshi_tui.practice.engine.records import OrderRecord, OrderStatus
from kalshi_tui.session.store import Store

ENDED = {OrderState.CANCELED: OrderStatus.CANCELED, OrderState.EXPIRED: OrderStatus.CANCELED}
STATUSES = ENDED | {OrderState.RESTING: OrderStatus.RESTING, OrderState.FILLED: OrderStatus.EXECUTED}
NEVER = {OrderState.NOT_SENT, OrderState.REFUSED}


@dataclass(frozen=True, slots=True)
class Row:
    """One order as the journal has it."""

    order_id: str
    state: OrderState
    filled: int
    remaining: int
    update_reason: str


def check_orders(
    store: Store,
    journal: Path,
    theirs: Iterable[OrderRecord],
    intents: Collection[str],
    reasons: Mapping[str, str],
    told_ends: Collection[str],
    hidden: Collection[str] = (),
) -> None:
    """Fail unless there is at most one order for each intent, and what is known here is what the exchange has.

    ``reasons`` are the words that orders were ended with where they are not the exchange's own, by order id;
    ``told_ends`` the ids of those whose end a frame has told. ``hidden`` are the client order ids of those that were
    answered with another's rejection and have left the live list: they may still be called rejected.
    """
    records = {record.client_order_id: record for record in theirs}
    assert len(records) == len(list(theirs)), "two orders for one intent"
    assert records.keys() <= set(intents), "an order that nobody meant"
    known = {order.client_order_id: order for order in store.orders.values()}
    rows = read_rows(journal)
    for name, record in records.items():
        word = reasons.get(record.order_id, record.update_reason)
        row = rows[name]
        if name in hidden and row.state is OrderState.REFUSED:
            # A 4xx is definite (docs/kalshi-api.md, section 10), so the archive is not asked about a rejected order.
            # Nothing of it rests: an order at rest never leaves the live list, and is always known again.
            order = known.get(name)
            assert order is None or order.state is OrderState.REFUSED, f"{order}, rejected in the journal"
            continue
        written = row.order_id, STATUSES.get(row.state, row.state), row.filled, row.remaining
        there = record.order_id, record.status, record.filled, record.remaining
        assert written == there, f"{written} in the journal, {there} at the exchange"
        if record.status is OrderStatus.CANCELED and names_an_end(row.update_reason):
            assert row.update_reason == word, f"{row} in the journal, {word!r} was said"
        if (order := known.get(name)) is None:
            # It was over, and had left the exchange's list, before this run began: the journal has it.
            assert row.state.final, f"nobody knows of {record.order_id}"
            continue
        assert facts(order) == truth(record), f"{facts(order)} here, {truth(record)} there; {order}"
        number = split_account_id(record.account_id)[1]
        assert order.subaccount == number or store.account.view.is_locked, f"subaccount {number}: {order}"
        if order.state is OrderState.RESTING:
            assert order.expires_ms == record.expires_ms, f"{order}, ends at {record.expires_ms} there"
        elif record.status is OrderStatus.CANCELED:
            check_end(order, word, record.update_reason, told=record.order_id in told_ends)
    for name, order in known.items():
        if name not in records:
            assert order.state in NEVER, f"{order.state} here, no order there"
    still_open = {name for name, row in rows.items() if not row.state.final and row.state is not OrderState.DRAFTED}
    assert still_open == {name for name, each in records.items() if each.status is OrderStatus.RESTING}


def check_end(order: Order, word: str, true_word: str, *, told: bool) -> None:
    """Fail if an order that ended without being filled is called by a wrong name.

    ``word`` is what a frame says of its end, and ``true_word`` what ended it.
    """
    if told and names_an_end(word):
        assert order.update_reason == word, f"{order}, {word!r} was told"
        assert (order.state is OrderState.EXPIRED) is (word == UpdateReason.EXPIRY.value), f"{order}, {word!r} was told"
        if described := describe_end(word):
            assert order.reason == described, f"{order}, {word!r} was told"
    else:
        # What no frame has told follows from times, and only expiries do.
        assert order.update_reason == word or not names_an_end(order.update_reason), f"{order}, {word!r} there"
        if not names_an_end(order.update_reason):
            expired = true_word == UpdateReason.EXPIRY.value
            assert (order.state is OrderState.EXPIRED) is expired, f"{order}, {true_word!r} there"


def read_rows(path: Path) -> dict[str, Row]:
    """Return what a journal has of each order that was to be sent, by client order id."""

    with closing(sqlite3.connect(path)) as file:
        rows = file.execute(
            "SELECT client_order_id, order_id, state, filled, remaining, update_reason FROM intents WHERE sent_ms > 0"
        ).fetchall()
    return {name: Row(order_id, OrderState(state), *rest) for name, order_id, state, *rest in rows}


def facts(order: Order) -> tuple[object, ...]:
    return (
        order.order_id,
        STATUSES.get(order.state, order.state),
        order.book_side,
        order.yes_price,
        order.filled,
        order.remaining,
    )


def truth(record: OrderRecord) -> tuple[object, ...]:
    return record.order_id, record.status, record.side, record.price, record.filled, record.remaining
