"""Read the journal's rows one by one: a value that cannot be true costs its own row alone.

A damaged row is never taken for what it may have meant. Its order is in doubt until the exchange has answered.
"""

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

from kalshi_tui.domain.book import Side
from kalshi_tui.domain.order import Action, Order, OrderState, OrderTerms, SelfTrade, TimeInForce, order_from_terms
from kalshi_tui.domain.price import PRICE_UNIT

MAX_MS: Final = 4_102_444_800_000
"""The year 2100: no time that this program has written lies beyond."""
MAX_NUMBER: Final = 10**12
"""No count does; sums of them stay far below what SQLite can add up."""
MAX_ID: Final = 128
MAX_SUBACCOUNT: Final = 63
MAX_SHOWN_LENGTH: Final = 40
"""Characters of a damaged value that are shown."""
MAX_NAMED_COLUMNS: Final = 3
"""So many damaged columns of a row are named."""
AT_REST: Final = frozenset(state.value for state in OrderState) - {OrderState.SENDING.value, OrderState.UNKNOWN.value}
"""What the last line of a history says if nothing of the order is on its way."""


@dataclass(frozen=True, slots=True)
class Entry:
    """An intent as it stands: what the trader wanted, and what is known of it."""

    terms: OrderTerms
    order: Order
    changed_ms: int
    """When the last line about it was written, Unix time of the exchange."""
    in_flight: bool
    """Whether that line says that something was being sent, so that it may have left at any time since."""


@dataclass(frozen=True, slots=True)
class SetAside:
    """A row that cannot be read whole. It stays in the file as it is, until the exchange has said what it was."""

    client_order_id: str
    """Empty if not even that can be read."""
    ticker: str
    """Empty if that cannot be read."""
    sentence: str
    entry: Entry | None
    """What was wanted, if that can be read: the order in it is UNKNOWN."""


def text(raw: bytes) -> str | bytes:
    """Decode a text of the file; one that is no UTF-8 stays bytes, which no column may hold."""
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw


def _is_id(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= MAX_ID and value.isprintable()


def _is_line(value: object) -> bool:
    return isinstance(value, str) and value.isprintable()


def _is_number(low: int, high: int) -> Callable[[object], bool]:
    return lambda value: isinstance(value, int) and low <= value <= high


def _is_one_of(kind: type[Enum]) -> Callable[[object], bool]:
    words = {each.value for each in kind}
    return lambda value: isinstance(value, str) and value in words


def _or_nothing(check: Callable[[object], bool]) -> Callable[[object], bool]:
    return lambda value: value is None or check(value)


_is_flag: Final = _is_number(0, 1)
_is_time: Final = _is_number(0, MAX_MS)
_is_count: Final = _is_number(0, MAX_NUMBER)

TERMS: Final[Mapping[str, Callable[[object], bool]]] = {
    "client_order_id": _is_id,
    "account": lambda value: isinstance(value, str),
    "ticker": _is_id,
    "side": _is_one_of(Side),
    "action": _is_one_of(Action),
    "price": _is_number(1, PRICE_UNIT - 1),
    "count": _is_number(1, MAX_NUMBER),
    "tif": _is_one_of(TimeInForce),
    "post_only": _is_flag,
    "reduce_only": _is_flag,
    "expires_s": _or_nothing(_is_number(0, MAX_MS // 1000)),
    "self_trade": _is_one_of(SelfTrade),
    "cancel_on_pause": _is_flag,
    "order_group_id": _or_nothing(_is_id),
    "subaccount": _or_nothing(_is_number(0, MAX_SUBACCOUNT)),
}
"""What was wanted; a row in which one of these is damaged does not say what the order is."""
COURSE: Final[Mapping[str, Callable[[object], bool]]] = {
    "drafted_ms": _is_time,
    "sent_ms": _is_number(1, MAX_MS),
    "state": _is_one_of(OrderState),
    "order_id": lambda value: value == "" or _is_id(value),
    "filled": _is_count,
    "remaining": _is_count,
    "yes_price": _is_number(0, PRICE_UNIT),
    "initial": _is_count,
    "reason": _is_line,
    "update_reason": _is_line,
}
"""What became of it."""
COLUMNS: Final = ", ".join((*TERMS, *COURSE))


def damage(row: sqlite3.Row, checks: Mapping[str, Callable[[object], bool]]) -> list[str]:
    """Return which columns hold what they cannot hold, and what that is."""
    return [f"{name} is {shown(row[name])}" for name, check in checks.items() if not check(row[name])]


def shown(value: object) -> str:
    """Return a damaged value in a form that can be shown anywhere."""
    if value is None:
        return "empty"
    words = ascii(value)
    return words if len(words) <= MAX_SHOWN_LENGTH else f"{words[:MAX_SHOWN_LENGTH]}..."


def read_row(row: sqlite3.Row, lines: Sequence[sqlite3.Row] | None, where: str) -> Entry | SetAside:
    """Read an intent that was sent; ``lines`` is its history, None if that cannot be read, ``where`` names the file."""
    of_terms = damage(row, TERMS)
    found = [*of_terms, *damage(row, COURSE)]
    changed_ms, in_flight = 0, True
    if not lines:
        # Without a history the row cannot show when it was last changed, so it cannot be trusted either.
        found.append("its history is missing")
    else:
        times = [line["at_ms"] for line in lines]
        found += [f"a time of its history is {shown(each)}" for each in times if not _is_time(each)]
        changed_ms = max(filter(_is_time, times), default=0)
        newest = lines[-1]["what"]
        # An unknown word counts as "in flight": that only makes the search wait longer, never miss an order.
        if isinstance(newest, str):
            in_flight = newest not in AT_REST
        else:
            found.append(f"the last line of its history is {shown(newest)}")
    if not found:
        return Entry(_terms(row), _order(row), changed_ms, in_flight)
    name = row["client_order_id"] if _is_id(row["client_order_id"]) else ""
    ticker = row["ticker"] if _is_id(row["ticker"]) else ""
    entry = None
    if not of_terms:
        # Neither its time nor the exchange's id is believed: it is looked for by the trader's own. By a damaged id
        # another order would be found, or none, and this one be called gone while it rests.
        order = order_from_terms(name, _terms(row), OrderState.UNKNOWN, 0)
        entry = Entry(_terms(row), order, changed_ms, in_flight=True)
    return SetAside(name, ticker, _sentence(row, found, name, where), entry)


def _sentence(row: sqlite3.Row, found: Sequence[str], name: str, where: str) -> str:
    more = f" and {len(found) - MAX_NAMED_COLUMNS} more" if len(found) > MAX_NAMED_COLUMNS else ""
    names = ", ".join(found[:MAX_NAMED_COLUMNS])
    what = f"Row {shown(row['row_number'])} of the order journal{where} cannot be read ({names}{more})"
    if name:
        asked = f"the exchange is asked about its order, client order id {name}"
    else:
        asked = "which order it was is not known"
    return f"{what} and is set aside: {asked}; look with 'kalshi-tui orders' or on the exchange's web page."


def _terms(row: sqlite3.Row) -> OrderTerms:
    return OrderTerms(
        ticker=row["ticker"],
        side=Side(row["side"]),
        action=Action(row["action"]),
        price=row["price"],
        count=row["count"],
        tif=TimeInForce(row["tif"]),
        post_only=bool(row["post_only"]),
        reduce_only=bool(row["reduce_only"]),
        expires_s=row["expires_s"],
        self_trade=SelfTrade(row["self_trade"]),
        cancel_on_pause=bool(row["cancel_on_pause"]),
        order_group_id=row["order_group_id"],
        subaccount=row["subaccount"],
    )


def _order(row: sqlite3.Row) -> Order:
    return Order(
        order_id=row["order_id"],
        client_order_id=row["client_order_id"],
        ticker=row["ticker"],
        book_side=_terms(row).book_side,
        yes_price=row["yes_price"],
        initial=row["initial"],
        filled=row["filled"],
        remaining=row["remaining"],
        state=OrderState(row["state"]),
        reason=row["reason"],
        update_reason=row["update_reason"],
        created_ms=row["sent_ms"],
        subaccount=row["subaccount"] or 0,
        meant=(Action(row["action"]), Side(row["side"])),
    )


@dataclass(frozen=True, slots=True)
class Change:
    """One line of an intent's history."""

    at_ms: int
    what: str
    order_id: str
    filled: int
    remaining: int
    yes_price: int
    reason: str


_CHANGE: Final[Mapping[str, Callable[[object], bool]]] = {
    "at_ms": _is_time,
    "what": _is_line,
    "order_id": COURSE["order_id"],
    "filled": _is_count,
    "remaining": _is_count,
    "yes_price": COURSE["yes_price"],
    "reason": _is_line,
}
CHANGE_COLUMNS: Final = ", ".join(_CHANGE)


def read_change(row: sqlite3.Row) -> Change | None:
    """Read one line of a history; None if it cannot be read."""
    if damage(row, _CHANGE):
        return None
    values: list[Any] = list(row)
    return Change(*values)
