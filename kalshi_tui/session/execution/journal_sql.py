"""The journal's SQL: schema, conditions and queries. Every part is a constant; values go in as parameters."""

import json
from collections.abc import Iterable
from typing import Final

from kalshi_tui.domain.order import OrderState
from kalshi_tui.domain.price import PRICE_UNIT
from kalshi_tui.session.execution.journal_rows import (
    CHANGE_COLUMNS,
    COLUMNS,
    MAX_MS,
    MAX_NUMBER,
)


def _joined(*parts: str) -> str:
    return " ".join(parts)


SCHEMA: Final = """
CREATE TABLE intents (
    client_order_id TEXT PRIMARY KEY, account TEXT NOT NULL, drafted_ms INTEGER NOT NULL,
    ticker TEXT NOT NULL, side TEXT NOT NULL, action TEXT NOT NULL, price INTEGER NOT NULL, count INTEGER NOT NULL,
    tif TEXT NOT NULL, post_only INTEGER NOT NULL, reduce_only INTEGER NOT NULL, expires_s INTEGER,
    self_trade TEXT NOT NULL, cancel_on_pause INTEGER NOT NULL, order_group_id TEXT,
    sent_ms INTEGER NOT NULL DEFAULT 0,
    state TEXT NOT NULL, order_id TEXT NOT NULL DEFAULT '', filled INTEGER NOT NULL DEFAULT 0,
    remaining INTEGER NOT NULL DEFAULT 0, yes_price INTEGER NOT NULL DEFAULT 0, initial INTEGER NOT NULL DEFAULT 0,
    reason TEXT NOT NULL DEFAULT '', update_reason TEXT NOT NULL DEFAULT '', subaccount INTEGER
);
CREATE INDEX intents_open ON intents (account, state);
CREATE INDEX intents_sent ON intents (account, sent_ms);
CREATE TABLE changes (
    number INTEGER PRIMARY KEY AUTOINCREMENT, client_order_id TEXT NOT NULL, at_ms INTEGER NOT NULL,
    what TEXT NOT NULL, order_id TEXT NOT NULL, filled INTEGER NOT NULL, remaining INTEGER NOT NULL,
    yes_price INTEGER NOT NULL, reason TEXT NOT NULL
);
CREATE INDEX changes_of ON changes (client_order_id, number);
CREATE TABLE days (
    account TEXT NOT NULL, day TEXT NOT NULL, at_ms INTEGER NOT NULL, worth INTEGER NOT NULL,
    PRIMARY KEY (account, day)
);
"""
# Nothing is kept in days any more, but an earlier version that opens the file writes there.
ADDED_COLUMNS: Final = {"update_reason": "TEXT NOT NULL DEFAULT ''", "subaccount": "INTEGER"}
"""Columns of the intents that journals of earlier versions lack. They get them when they are opened; an earlier version
goes on reading and writing such a file, so its number stays."""
CANCEL_ALLS: Final = """
CREATE TABLE IF NOT EXISTS cancel_alls (
    account TEXT NOT NULL, subaccount INTEGER NOT NULL, at_ms INTEGER NOT NULL, PRIMARY KEY (account, subaccount)
)
"""
"""Apart from the other tables: a journal of an earlier version gets it when it is opened."""
OVER: Final = json.dumps([state.value for state in OrderState if state.final])
NEVER_REACHED: Final = json.dumps([state.value for state in OrderState if not state.reached])
"""Sets of states as JSON lists, for `json_each`."""
OURS: Final = "(account = ? OR account IS NULL OR account >= x'')"
"""Rows of an account, and rows whose account is damaged (missing, or a blob: SQLite orders blobs after every text)."""
OPEN: Final = _joined(
    OURS,
    "AND (state IS NULL OR state NOT IN (SELECT value FROM json_each(?)))",
    "AND (state IS NOT 'drafted' OR sent_ms IS NOT 0)",
)
"""What was sent and is not known to be over. A row of which that cannot be read counts as open."""
REACHED: Final = "(state IS NULL OR state NOT IN (SELECT value FROM json_each(?)))"
BETWEEN: Final = "typeof({0}) = 'integer' AND {0} BETWEEN {1} AND {2}"
COUNTABLE: Final = " AND ".join(
    (
        "(typeof(account) = 'text'",
        BETWEEN.format("sent_ms", 1, MAX_MS),
        "side IN ('yes', 'no')",
        "action IN ('buy', 'sell')",
        "state IN (SELECT value FROM json_each(?))",
        BETWEEN.format("filled", 0, MAX_NUMBER),
        BETWEEN.format("remaining", 0, MAX_NUMBER),
        BETWEEN.format("yes_price", 0, PRICE_UNIT) + ")",
    )
)
"""Whether a row is sound enough to be added up: account, time, side, action, state, counts and price."""
SUM: Final = _joined(
    "SELECT COALESCE(SUM(n), 0), COALESCE(SUM(n * CASE WHEN (side = 'yes') = (action = 'buy')",
    "THEN yes_price ELSE 10000 - yes_price END), 0) FROM (SELECT side, action, yes_price, filled +",
    "CASE WHEN state IN (SELECT value FROM json_each(?)) THEN 0 ELSE remaining END AS n FROM intents",
    "WHERE account = ? AND sent_ms >= ? AND",
    REACHED,
    "AND",
    COUNTABLE,
    ")",
)
UNCOUNTED: Final = _joined(
    "SELECT (SELECT MAX(at_ms) FROM changes WHERE changes.client_order_id = intents.client_order_id AND",
    BETWEEN.format("at_ms", 0, MAX_MS),
    ") AS changed_ms FROM intents WHERE",
    OURS,
    "AND (sent_ms >= ? OR sent_ms IS NULL OR sent_ms < 0 OR (sent_ms = 0 AND state IS NOT 'drafted'))",
    "AND",
    REACHED,
    "AND",
    COUNTABLE,
    "IS NOT TRUE",
)
"""Rows that cannot be added up, with the time of their last change.

``sent_ms`` is not used where it is damaged (text, blob, missing, negative or far off): the history has the time.
"""
NEWEST: Final = _joined(
    "SELECT MAX(at_ms) AS newest FROM changes JOIN intents USING (client_order_id) WHERE account = ? AND",
    BETWEEN.format("at_ms", 0, MAX_MS),
)
ROWS: Final = _joined("SELECT rowid AS row_number,", COLUMNS, "FROM intents")
BY_NAME: Final = _joined(ROWS, "WHERE client_order_id = ?")
MEANING: Final = {
    column: f"SELECT side, action FROM intents WHERE account = ? AND {column} = ?"  # noqa: S608 - constants alone
    for column in ("client_order_id", "order_id")
}
ORDER_ID_INDEX: Final = "CREATE INDEX IF NOT EXISTS intents_by_order_id ON intents (account, order_id)"
"""Apart from the other indexes: a journal of an earlier version gets it when it is opened."""
HISTORY: Final = _joined("SELECT", CHANGE_COLUMNS, "FROM changes WHERE client_order_id = ? ORDER BY number")
EVERY: Final = json.dumps([state.value for state in OrderState])


_EMPTY: Final = "''"


def view_with(missing: Iterable[str]) -> str:
    """Return the statement that makes the intents look as if they had the columns that they lack."""
    added = ", ".join(f"{'NULL' if ADDED_COLUMNS[name] == 'INTEGER' else _EMPTY} AS {name}" for name in missing)
    return _joined("CREATE TEMP VIEW intents AS SELECT rowid, *,", added, "FROM main.intents")
