"""What programs on one journal tell each other of the orders that they write to: who does now, and which expiries.

Every amendment carries price and count, so that a renewal by one program that arrives behind a change by another would
bring back the price or count of before. A claim is a row with an end, and not a lock: what a program that was killed
has sent may arrive after it. Its time is that of a timer that all programs of the machine share.
"""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Final

CLAIM_S: Final = 20.0
"""How long a claim lasts whose program has ended: a request has ten seconds, and ten to come."""
CHANGE_SETTLES_S: Final = 10.0
"""How long after a change other programs renew nothing: by then each has heard of it."""
_RENEWS: Final = 0
_CHANGES: Final = 1
_SETTLING: Final = 2
"""What the column `is_change` says: a renewal, a change under way, a change of a moment ago."""
EXPIRIES_KEPT_S: Final = 600.0
BUSY_CODES: Final = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})
TABLES: Final = (
    (
        "CREATE TABLE IF NOT EXISTS writers (account TEXT NOT NULL, order_id TEXT NOT NULL, program TEXT NOT NULL, "
        "is_change INTEGER NOT NULL, until_s REAL NOT NULL, PRIMARY KEY (account, order_id, program, is_change))"
    ),
    (
        "CREATE TABLE IF NOT EXISTS renewals (account TEXT NOT NULL, order_id TEXT NOT NULL, "
        "expires_s INTEGER NOT NULL, at_s REAL NOT NULL, PRIMARY KEY (account, order_id, expires_s))"
    ),
)
"""Apart from the journal's other tables: a journal of an earlier version gets them when it is opened."""


class SharedWriters:
    """The claims and sent expiries in a journal's database. Without one that can be written, those of no other."""

    def __init__(
        self, connection: sqlite3.Connection, account: str, program: str, is_shared: Callable[[], bool]
    ) -> None:
        """Take the journal's connection, and a name that no other program has."""
        self._connection = connection
        self._account = account
        self._program = program
        self._is_shared = is_shared

    def claim(self, order_id: str, now_s: float, *, is_change: bool) -> bool:
        """Claim an order for one request; return False if another program writes to it.

        Renewals by several programs carry the same price and count: they exclude changes alone. A change that was
        answered excludes renewals alone: the next change begins with what the exchange has now.
        """
        try:
            with self._transaction() as cursor:
                # One that ends too late is from before the machine was started again.
                cursor.execute("DELETE FROM writers WHERE until_s <= ? OR until_s > ?", (now_s, now_s + CLAIM_S))
                others = cursor.execute(
                    "SELECT 1 FROM writers WHERE account = ? AND order_id = ? AND program <> ? AND is_change <> ?",
                    (self._account, order_id, self._program, _SETTLING if is_change else _RENEWS),
                ).fetchone()
                if others is None:
                    self._write(cursor, order_id, now_s + CLAIM_S, _CHANGES if is_change else _RENEWS)
        except sqlite3.Error as error:
            # No other program can claim anything either, but for one that holds the file at this moment.
            is_held = getattr(error, "sqlite_errorcode", 0) & 0xFF in BUSY_CODES
            return not is_held and not self._is_shared()
        return others is None

    def release(self, order_id: str, now_s: float, *, is_change: bool) -> None:
        """End a claim; a change keeps renewals away until every program has heard of it."""
        with suppress(sqlite3.Error), self._transaction() as cursor:
            cursor.execute(
                "DELETE FROM writers WHERE account = ? AND order_id = ? AND program = ? AND is_change = ?",
                (self._account, order_id, self._program, _CHANGES if is_change else _RENEWS),
            )
            if is_change:
                self._write(cursor, order_id, now_s + CHANGE_SETTLES_S, _SETTLING)

    def _write(self, cursor: sqlite3.Cursor, order_id: str, until_s: float, kind: int) -> None:
        values = (self._account, order_id, self._program, kind, until_s)
        cursor.execute("INSERT OR REPLACE INTO writers VALUES (?,?,?,?,?)", values)

    def note_expiry(self, order_id: str, expires_s: int, now_s: float) -> None:
        """Note an expiry that is sent to keep an order alive, Unix seconds, before it is."""
        with suppress(sqlite3.Error), self._transaction() as cursor:
            cursor.execute("DELETE FROM renewals WHERE at_s <= ? OR at_s > ?", (now_s - EXPIRIES_KEPT_S, now_s))
            cursor.execute(
                "INSERT OR REPLACE INTO renewals VALUES (?,?,?,?)", (self._account, order_id, expires_s, now_s)
            )

    def is_renewal(self, order_id: str, expires_s: int) -> bool:
        """Return whether a program on this journal has sent an order this expiry lately."""
        try:
            found = self._connection.execute(
                "SELECT 1 FROM renewals WHERE account = ? AND order_id = ? AND expires_s = ?",
                (self._account, order_id, expires_s),
            ).fetchone()
        except sqlite3.Error:
            return False
        return found is not None

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Cursor]:
        """Write in one transaction that other programs see at once; that it is on the disk is not waited for."""
        cursor = self._connection.cursor()
        cursor.execute("PRAGMA synchronous = NORMAL")
        try:
            cursor.execute("BEGIN IMMEDIATE")
            try:
                yield cursor
                cursor.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    cursor.execute("ROLLBACK")
                raise
        finally:
            cursor.execute("PRAGMA synchronous = FULL")
