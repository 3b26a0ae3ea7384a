"""The journal: every order that this program meant to send, written down before its first byte leaves.

SQLite in WAL mode; each commit is on the disk before the call returns. After a crash it says what has to be asked
about. It holds no keys and no signatures.
"""

import fcntl
import json
import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from kalshi_tui.domain.book import Side
from kalshi_tui.domain.limits import Sent
from kalshi_tui.domain.order import Action, Order, OrderState, OrderTerms, SelfTrade, TimeInForce, unsent

VERSION: Final = 1
USERS: Final = "-users"
"""Behind the journal's name: the file on which its users hold a lock."""
WAIT_S: Final = 2.0
"""How long a write waits for another program that has the journal open."""
ROOM: Final = 8 * 1024 * 1024
"""Bytes of its disk that have to be free for a further order: what becomes of it has to find room too."""
SCHEMA: Final = """
CREATE TABLE intents (
    client_order_id TEXT PRIMARY KEY, account TEXT NOT NULL, drafted_ms INTEGER NOT NULL,
    ticker TEXT NOT NULL, side TEXT NOT NULL, action TEXT NOT NULL, price INTEGER NOT NULL, count INTEGER NOT NULL,
    tif TEXT NOT NULL, post_only INTEGER NOT NULL, reduce_only INTEGER NOT NULL, expires_s INTEGER,
    self_trade TEXT NOT NULL, cancel_on_pause INTEGER NOT NULL, order_group_id TEXT,
    sent_ms INTEGER NOT NULL DEFAULT 0,
    state TEXT NOT NULL, order_id TEXT NOT NULL DEFAULT '', filled INTEGER NOT NULL DEFAULT 0,
    remaining INTEGER NOT NULL DEFAULT 0, yes_price INTEGER NOT NULL DEFAULT 0, initial INTEGER NOT NULL DEFAULT 0,
    reason TEXT NOT NULL DEFAULT ''
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
OVER: Final = json.dumps([state.value for state in OrderState if state.final])
AT_REST: Final = frozenset(state.value for state in OrderState) - {OrderState.SENDING.value, OrderState.UNKNOWN.value}
"""What a line says after which nothing of the order is on its way."""
NEVER_REACHED: Final = json.dumps([state.value for state in OrderState if not state.reached])
"""States as a list that SQLite can look into."""


class JournalError(Exception):
    """The journal cannot be read or written. The message is a sentence that says what to do."""


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
class Change:
    """One line of an intent's history."""

    at_ms: int
    what: str
    order_id: str
    filled: int
    remaining: int
    yes_price: int
    reason: str


class Journal:
    """One account's intents. Every write is durable when it returns, or raises JournalError."""

    def __init__(self, connection: sqlite3.Connection, account: str, path: Path | None = None) -> None:
        """Use an open database; ``path`` is its file, if it is in one."""
        self._connection = connection
        self._path = path
        self._file = None if path is None else _which(path)
        self._users = None if path is None else _user_of(path)
        """A file that every program that uses this journal holds a shared lock on, until it ends however it ends."""
        self._account = account
        self._known: dict[str, Order] = {}
        """What is written of the intents of this run, and of earlier ones that have been heard of."""
        self._foreign: set[str] = set()
        """Client order ids that are not in this journal."""

    @classmethod
    def open(cls, path: Path, account: str) -> Self:
        """Open or make the journal, readable by its owner alone. Raises JournalError."""
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            if not path.exists():
                os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
            # One that came back from a copy may be open to others; SQLite gives its further files the same mode.
            path.chmod(0o600)
            # One thread has it at a time; a library may close it from another.
            connection = sqlite3.connect(path, timeout=WAIT_S, isolation_level=None, check_same_thread=False)
            try:
                _prepare(connection)
            except BaseException:
                connection.close()
                raise
        except (OSError, sqlite3.Error, _OtherVersionError) as error:
            raise JournalError(
                f"the order journal {path} cannot be used ({_why(error)}). Without it no order is sent: "
                "mend its folder's permissions or make room, or move the file away if it is damaged."
            ) from error
        return cls(connection, account, path)

    @staticmethod
    def forget(path: Path) -> None:
        """Remove a journal: that of a practice account that is thrown away. Raises JournalError."""
        try:
            for suffix in ("", "-wal", "-shm", USERS):
                path.with_name(path.name + suffix).unlink(missing_ok=True)
        except OSError as error:
            raise JournalError(f"The order journal {path} cannot be removed ({error.strerror or error}).") from error

    @classmethod
    def in_memory(cls, account: str = "") -> Self:
        """Make a journal that is forgotten at the end: for a session that is to leave nothing behind."""
        connection = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
        _prepare(connection)
        return cls(connection, account)

    def close(self) -> None:
        """Close it; nothing is lost, everything has been written."""
        self._connection.close()
        if self._users is not None:
            os.close(self._users)
            self._users = None

    def is_shared(self) -> bool:
        """Say whether another program has this journal open now, and may be sending what it says is being sent."""
        if self._users is None:
            return False
        try:
            fcntl.flock(self._users, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return True
        finally:
            with suppress(OSError):
                fcntl.flock(self._users, fcntl.LOCK_SH | fcntl.LOCK_NB)
        return False

    def newest_change_ms(self) -> int:
        """Give when the last line of this account was written, Unix time of the exchange; 0 for an empty journal."""
        (row,) = self._read(
            "SELECT MAX(at_ms) AS newest FROM changes JOIN intents USING (client_order_id) WHERE account = ?",
            (self._account,),
        )
        return row["newest"] or 0

    # Writing.

    def draft(self, client_order_id: str, terms: OrderTerms, at_ms: int) -> None:
        """Write an intent down at the confirm step; ``at_ms`` is Unix time. Raises JournalError."""
        drafted = unsent(client_order_id, terms, OrderState.DRAFTED, at_ms)
        with self._writing() as cursor:
            cursor.execute(
                "INSERT INTO intents (client_order_id, account, drafted_ms, ticker, side, action, price, count, tif, "
                "post_only, reduce_only, expires_s, self_trade, cancel_on_pause, order_group_id, state, remaining, "
                "yes_price, initial) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
                (
                    client_order_id,
                    self._account,
                    at_ms,
                    terms.ticker,
                    terms.side.value,
                    terms.action.value,
                    terms.price,
                    terms.count,
                    terms.tif.value,
                    terms.post_only,
                    terms.reduce_only,
                    terms.expires_s,
                    terms.self_trade.value,
                    terms.cancel_on_pause,
                    terms.order_group_id,
                    OrderState.DRAFTED.value,
                    terms.count,
                    terms.yes_price,
                    terms.count,
                ),
            )
            _add_change(cursor, drafted, at_ms, OrderState.DRAFTED.value)
        self._known[client_order_id] = drafted

    def sending(self, client_order_id: str, terms: OrderTerms, at_ms: int) -> None:
        """Write down that an intent is now sent; ``at_ms`` is the exchange's time. Raises JournalError.

        One that could not be written at the confirm step is written now. While the disk is all but full none is: an
        order must not leave whose reply could not be written.
        """
        self.check_room()
        if client_order_id not in self._known:
            self.draft(client_order_id, terms, at_ms)
        order = unsent(client_order_id, terms, OrderState.SENDING, at_ms)
        with self._writing() as cursor:
            cursor.execute(
                "UPDATE intents SET sent_ms = ?, state = ?, reason = '' WHERE client_order_id = ?",
                (at_ms, order.state.value, client_order_id),
            )
            _add_change(cursor, order, at_ms, order.state.value)
        self._known[client_order_id] = order

    def check_room(self) -> None:
        """Raise JournalError if what becomes of a further order might find no room on the disk.

        Or if the file has been moved or deleted: what is written goes on into it, but the next start would not find it.
        """
        if self._path is None:
            return
        try:
            disk = shutil.disk_usage(self._path.parent)
        except OSError as error:
            raise JournalError(f"The folder of the order journal cannot be looked at ({_why(error)}).") from error
        if _which(self._path) != self._file:
            raise JournalError(
                f"The order journal {self._path} has been moved or deleted; the next start would know nothing of the "
                "order. Put it back, or quit and start again."
            )
        # Some network disks do not tell, and say 0 of 0.
        if disk.total and disk.free < ROOM:
            raise JournalError(
                f"The order journal cannot be written for much longer: its disk has only {disk.free // 1_000_000} MB "
                "left. Make room on the disk."
            )

    def note(self, order: Order, at_ms: int) -> None:
        """Write down a change of an order of this journal; of others, and without one, nothing. Raises JournalError."""
        known = self._of(order.client_order_id)
        if known is None or _facts(known) == _facts(order):
            return
        with self._writing() as cursor:
            cursor.execute(
                "UPDATE intents SET state = ?, order_id = ?, filled = ?, remaining = ?, yes_price = ?, initial = ?, "
                "reason = ? WHERE client_order_id = ?",
                (
                    order.state.value,
                    order.order_id,
                    order.filled,
                    order.remaining,
                    order.yes_price,
                    order.initial,
                    order.reason,
                    order.client_order_id,
                ),
            )
            _add_change(cursor, order, at_ms, order.state.value)
        self._known[order.client_order_id] = order

    def asked(self, order: Order, what: str, at_ms: int) -> None:
        """Write down that a cancel or a change is asked for, before it is; for intents alone. Raises JournalError."""
        if self._of(order.client_order_id) is not None:
            with self._writing() as cursor:
                _add_change(cursor, order, at_ms, what)

    def first_look(self, day: str, worth: int, at_ms: int) -> tuple[int, int]:
        """Give when the account was first looked at on a day, and what it was worth; this look, if it is the first.

        Money in 1/1,000,000 dollar, ``at_ms`` Unix time. Raises JournalError.
        """
        row = self._first_look(day)
        if row is None:
            with self._writing() as cursor:
                cursor.execute("INSERT OR IGNORE INTO days VALUES (?,?,?,?)", (self._account, day, at_ms, worth))
            row = self._first_look(day) or (at_ms, worth)
        return row

    def _of(self, client_order_id: str) -> Order | None:
        """Give what is written of an intent, of an earlier run too; None for orders that are not of this journal."""
        if client_order_id in self._known or client_order_id in self._foreign or not client_order_id:
            return self._known.get(client_order_id)
        rows = self._read(
            "SELECT *, 0 AS changed_ms, '' AS what FROM intents WHERE account = ? AND client_order_id = ?",
            (self._account, client_order_id),
        )
        if not rows:
            self._foreign.add(client_order_id)
            return None
        known = self._known[client_order_id] = _entry(rows[0]).order
        return known

    def _first_look(self, day: str) -> tuple[int, int] | None:
        rows = self._read("SELECT at_ms, worth FROM days WHERE account = ? AND day = ?", (self._account, day))
        return (rows[0]["at_ms"], rows[0]["worth"]) if rows else None

    # Reading.

    def open_entries(self) -> list[Entry]:
        """Give the intents that were sent and are not known to be over, oldest first, and follow them from now on."""
        rows = self._read(
            "SELECT *, (SELECT MAX(at_ms) FROM changes WHERE changes.client_order_id = intents.client_order_id) "
            "AS changed_ms, (SELECT what FROM changes WHERE changes.client_order_id = intents.client_order_id "
            "ORDER BY number DESC LIMIT 1) AS what FROM intents WHERE account = ? AND sent_ms > 0 "
            "AND state NOT IN (SELECT value FROM json_each(?)) ORDER BY sent_ms",
            (self._account, OVER),
        )
        entries = [_entry(row) for row in rows]
        self._known |= {entry.order.client_order_id: entry.order for entry in entries}
        return entries

    def sent_since(self, since_ms: int) -> Sent:
        """Sum what was sent from ``since_ms`` on and reached the exchange, or may have: the limits of a day."""
        rows = self._read(
            "SELECT COALESCE(SUM(n), 0), COALESCE(SUM(n * CASE WHEN (side = 'yes') = (action = 'buy') "
            "THEN yes_price ELSE 10000 - yes_price END), 0) FROM (SELECT side, action, yes_price, filled + "
            "CASE WHEN state IN (SELECT value FROM json_each(?)) THEN 0 ELSE remaining END AS n FROM intents "
            "WHERE account = ? AND sent_ms >= ? AND state NOT IN (SELECT value FROM json_each(?)))",
            (OVER, self._account, since_ms, NEVER_REACHED),
        )
        contracts, dollars = rows[0]
        return Sent(contracts, dollars)

    def history(self, client_order_id: str) -> list[Change]:
        """Give all that is written of an intent, oldest first."""
        rows = self._read(
            "SELECT at_ms, what, order_id, filled, remaining, yes_price, reason FROM changes "
            "WHERE client_order_id = ? ORDER BY number",
            (client_order_id,),
        )
        return [Change(*row) for row in rows]

    # The database.

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Cursor]:
        """Write in one transaction, on the disk by the end."""
        try:
            cursor = self._connection.cursor()
            cursor.execute("BEGIN IMMEDIATE")
            try:
                yield cursor
                cursor.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    cursor.execute("ROLLBACK")
                raise
        except sqlite3.Error as error:
            raise JournalError(f"The order journal cannot be written ({error}): make room on the disk.") from error

    def _read(self, statement: str, values: tuple[str | int, ...]) -> list[sqlite3.Row]:
        try:
            return list(self._connection.execute(statement, values))
        except sqlite3.Error as error:
            raise JournalError(f"The order journal cannot be read ({error}).") from error


def _user_of(path: Path) -> int | None:
    """Hold the file that says who uses a journal; None where there can be none: then nobody else is seen."""
    try:
        descriptor = os.open(path.with_name(path.name + USERS), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError:
        return None
    with suppress(OSError):
        os.fchmod(descriptor, 0o600)
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    return descriptor


def _which(path: Path) -> tuple[int, int] | None:
    """Give what tells a file from another one of its name; None if there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _why(error: Exception) -> str:
    """Give what went wrong, without the path that the sentence names already."""
    return (error.strerror if isinstance(error, OSError) else None) or str(error)


class _OtherVersionError(Exception):
    """A journal of another version of the program."""


def _prepare(connection: sqlite3.Connection) -> None:
    connection.row_factory = sqlite3.Row
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("BEGIN IMMEDIATE")
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if version == 0:
        for statement in SCHEMA.split(";"):
            connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {VERSION}")
    connection.execute("COMMIT")
    if version not in {0, VERSION}:
        raise _OtherVersionError(f"it is of another version, {version}")


def _facts(order: Order) -> tuple[OrderState, str, int, int, int, int, str]:
    """Give what is worth a line when it changes."""
    return (
        order.state,
        order.order_id,
        order.filled,
        order.remaining,
        order.yes_price,
        order.initial,
        order.reason,
    )


def _add_change(cursor: sqlite3.Cursor, order: Order, at_ms: int, what: str) -> None:
    cursor.execute(
        "INSERT INTO changes (client_order_id, at_ms, what, order_id, filled, remaining, yes_price, reason) "
        "VALUES (?,?,?,?,?,?,?,?)",
        (
            order.client_order_id,
            at_ms,
            what,
            order.order_id,
            order.filled,
            order.remaining,
            order.yes_price,
            order.reason,
        ),
    )


def _entry(row: sqlite3.Row) -> Entry:
    terms = OrderTerms(
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
    )
    order = Order(
        order_id=row["order_id"],
        client_order_id=row["client_order_id"],
        ticker=terms.ticker,
        book_side=terms.book_side,
        yes_price=row["yes_price"],
        initial=row["initial"],
        filled=row["filled"],
        remaining=row["remaining"],
        state=OrderState(row["state"]),
        reason=row["reason"],
        created_ms=row["sent_ms"],
    )
    return Entry(terms, order, row["changed_ms"], in_flight=row["what"] not in AT_REST)
