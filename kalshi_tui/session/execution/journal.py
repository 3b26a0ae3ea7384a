"""The journal: every order that this program meant to send, written down before its first byte leaves.

SQLite in WAL mode; each commit is on the disk before the call returns. After a crash it shows what has to be asked
about. It holds no keys and no signatures.
"""

import fcntl
import os
import shutil
import sqlite3
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Final, Self

from kalshi_tui.domain.book import Side
from kalshi_tui.domain.limits import DailyVolume
from kalshi_tui.domain.order import Action, Order, OrderState, OrderTerms, order_from_terms
from kalshi_tui.session.execution.journal_rows import (
    COURSE,
    TERMS,
    Change,
    Entry,
    SetAside,
    damage,
    read_change,
    read_row,
    shown,
    text,
)
from kalshi_tui.session.execution.journal_sql import (
    ADDED_COLUMNS,
    BY_NAME,
    CANCEL_ALLS,
    EVERY,
    HISTORY,
    MEANING,
    NEVER_REACHED,
    NEWEST,
    OPEN,
    ORDER_ID_INDEX,
    OVER,
    ROWS,
    SCHEMA,
    SUM,
    UNCOUNTED,
    view_with,
)
from kalshi_tui.session.execution.shared_writers import TABLES, SharedWriters

SCHEMA_VERSION: Final = 1
USERS_FILE_SUFFIX: Final = "-users"
"""The suffix of the file on which the users of a journal hold a lock."""
EVERY_SUBACCOUNT: Final = -1
BUSY_TIMEOUT_S: Final = 2.0
"""How long a write waits for another program that holds the journal."""
MIN_FREE_BYTES: Final = 8 * 1024 * 1024
"""The free bytes that its disk must have for a further order: what becomes of it has to find room too."""
ADVICE: Final = {
    sqlite3.SQLITE_FULL: "make room on the disk",
    sqlite3.SQLITE_IOERR: "make room on the disk, and see whether it is sound",
    sqlite3.SQLITE_READONLY: "make the file and its folder writable for you",
    sqlite3.SQLITE_CANTOPEN: "make the file and its folder writable for you",
    sqlite3.SQLITE_PERM: "make the file and its folder writable for you",
    sqlite3.SQLITE_BUSY: "end the other program that holds it, and start again",
    sqlite3.SQLITE_LOCKED: "end the other program that holds it, and start again",
}
DAMAGED: Final = (
    "look at your orders on the exchange's web page or with 'kalshi-tui orders', then move the file away if it is "
    "damaged, and start again"
)
LASTING_FAILURES: Final = frozenset({sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_READONLY})
"""What keeps the next write back too, most likely. Another program that holds the journal soon lets it go."""
NO_ORDER: Final = "Until then no order is sent. Canceling works all the same."


class JournalError(Exception):
    """The journal cannot be read or written. The message is a sentence that says what to do."""


class Journal:
    """One account's intents. Every write is durable when it returns, or raises JournalError."""

    def __init__(
        self, connection: sqlite3.Connection, account: str, path: Path | None = None, *, trouble: str = ""
    ) -> None:
        """``path`` is the database's file, if it has one; ``trouble`` says why nothing may be written."""
        self._connection = connection
        self.trouble = trouble
        """Why nothing can be written down, so that no order may leave, a sentence; empty if it can."""
        self._write_failed = False
        """Whether the last write found no room, or no right to write, and none has been tried since."""
        self.notices: list[str] = []
        """What the trader is to know of the file, in sentences."""
        self.set_aside: tuple[SetAside, ...] = ()
        """The rows among the open ones that could not be read, as of the last look."""
        self._path = path
        self._file_identity = None if path is None else _identify_file(path)
        self._users_lock = None if path is None else _lock_users_file(path)
        """A file that every program that uses this journal holds a shared lock on, until it ends however it ends."""
        self._account = account
        self._recorded_orders: dict[str, tuple[object, ...]] = {}
        """What the rows of the intents of this run hold, and of earlier ones that were read."""
        self._damaged: set[str] = set()
        """Those whose row cannot be read. What it holds goes into the history before it is overwritten."""
        self._foreign_ids: set[str] = set()
        """Client order ids that are not in this journal."""
        self.writers = SharedWriters(connection, account, uuid.uuid4().hex, self.is_shared)
        """Who writes to an order now, of all programs that use this journal."""

    @classmethod
    def open(cls, path: Path, account: str) -> Self:
        """Open or create the journal, readable by its owner alone. Raises JournalError."""
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            was_empty = path.exists() and path.is_file() and not path.stat().st_size
            if not path.exists():
                os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
            if not path.is_file():
                # Opening a pipe to read it would wait for ever, and no desk would open.
                raise _NoFileError("it is not a file")  # noqa: TRY301 - told like any other fault of the file
            # One that came back from a copy may be open to others; SQLite gives its further files the same mode.
            path.chmod(0o600)
            # One thread has it at a time; a library may close it from another.
            connection = sqlite3.connect(path, timeout=BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False)
            try:
                _initialize_database(connection)
            except BaseException:
                connection.close()
                raise
        except (OSError, sqlite3.Error, _NoFileError, _VersionMismatchError) as error:
            raise JournalError(
                f"the order journal {path} cannot be used ({_describe_error(error)}). Without it no order is sent: "
                f"{_advice(error)}."
            ) from error
        opened = cls(connection, account, path)
        if was_empty:
            opened.notices.append(
                f"The order journal {path} was an empty file: orders that were sent before are not known here; look "
                "with 'kalshi-tui orders' or on the exchange's web page."
            )
        return opened

    @classmethod
    def open_anyway(cls, path: Path, account: str) -> Self:
        """Open the journal, or a stand-in that takes no orders for one that cannot be used; ``trouble`` says why.

        What can still be read of one that cannot be written is read.
        """
        try:
            return cls.open(path, account)
        except JournalError as error:
            sentence = str(error)
            trouble = f"{sentence[:1].upper()}{sentence[1:]} Canceling works all the same."
        readable = cls.open_to_read(path, account, trouble=trouble)
        if readable is not None:
            return readable
        # Not even readable: an empty journal in memory keeps the desk usable, and `trouble` keeps orders from leaving.
        stand_in = cls.in_memory(account)
        stand_in.trouble = trouble
        return stand_in

    @classmethod
    def open_to_read(cls, path: Path, account: str, *, trouble: str = "It was opened to be read.") -> Self | None:
        """Open the journal and write nothing; return None where there is none that can be read."""
        try:
            if not path.is_file():
                raise FileNotFoundError
            uri = f"{path.absolute().as_uri()}?mode=ro"
            connection = sqlite3.connect(uri, uri=True, timeout=0, isolation_level=None, check_same_thread=False)
            try:
                connection.row_factory = sqlite3.Row
                connection.text_factory = text
                if connection.execute("PRAGMA user_version").fetchone()[0] == SCHEMA_VERSION:
                    _require_columns(connection)
                    _show_missing_columns(connection)
                    return cls(connection, account, path, trouble=trouble)
            except BaseException:
                connection.close()
                raise
            connection.close()
        except (OSError, ValueError, sqlite3.Error):
            pass
        return None

    @staticmethod
    def delete(path: Path) -> None:
        """Delete the journal of a practice account that is thrown away. Raises JournalError."""
        try:
            for suffix in ("", "-wal", "-shm", USERS_FILE_SUFFIX):
                path.with_name(path.name + suffix).unlink(missing_ok=True)
        except OSError as error:
            raise JournalError(f"The order journal {path} cannot be removed ({error.strerror or error}).") from error

    @classmethod
    def in_memory(cls, account: str = "") -> Self:
        """Return a journal that is forgotten at the end, for a session that is to leave nothing behind."""
        connection = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
        _initialize_database(connection)
        return cls(connection, account)

    def close(self) -> None:
        """Close the file. Nothing is lost: everything has been written."""
        self._connection.close()
        if self._users_lock is not None:
            os.close(self._users_lock)
            self._users_lock = None

    def is_shared(self) -> bool:
        """Return whether another program has this journal open now, and may be sending what it says is being sent."""
        if self._users_lock is None:
            return False
        try:
            # Granted only if nobody else holds a shared lock. A lock ends with its process, however that ends: a note
            # in the file would outlive a crash, and every start after it would wait for a program that is gone.
            fcntl.flock(self._users_lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return True
        finally:
            with suppress(OSError):
                fcntl.flock(self._users_lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        return False

    def newest_change_ms(self) -> int:
        """Return when the last line of this account was written, Unix time of the exchange; 0 for an empty journal."""
        (row,) = self._query(NEWEST, (self._account,))
        return row["newest"] or 0

    @property
    def _where(self) -> str:
        return "" if self._path is None else f" {self._path}"

    # Writing.

    def record_draft(self, client_order_id: str, terms: OrderTerms, at_ms: int) -> None:
        """Record an intent at the confirm step; ``at_ms`` is Unix time. Raises JournalError."""
        drafted = order_from_terms(client_order_id, terms, OrderState.DRAFTED, at_ms)
        with self._transaction() as cursor:
            cursor.execute(
                "INSERT INTO intents (client_order_id, account, drafted_ms, ticker, side, action, price, count, tif, "
                "post_only, reduce_only, expires_s, self_trade, cancel_on_pause, order_group_id, state, remaining, "
                "yes_price, initial, subaccount) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
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
                    terms.subaccount,
                ),
            )
            _insert_change(cursor, drafted, at_ms, OrderState.DRAFTED.value)
        self._recorded_orders[client_order_id] = _recorded_fields(drafted)

    def record_sending(self, client_order_id: str, terms: OrderTerms, at_ms: int) -> None:
        """Record that an intent is sent now; ``at_ms`` is the exchange's time. Raises JournalError.

        One that could not be written at the confirm step is written now.
        """
        # While the disk is all but full none is: an order must not leave whose reply could not be written.
        self.check_disk_space()
        if self._recorded_orders.get(client_order_id) is None:
            self.record_draft(client_order_id, terms, at_ms)
        order = order_from_terms(client_order_id, terms, OrderState.SENDING, at_ms)
        with self._transaction() as cursor:
            cursor.execute(
                "UPDATE intents SET sent_ms = ?, state = ?, reason = '' WHERE client_order_id = ?",
                (at_ms, order.state.value, client_order_id),
            )
            _insert_change(cursor, order, at_ms, order.state.value)
        self._recorded_orders[client_order_id] = _recorded_fields(order)

    def describe_unwritable(self) -> str:
        """Return why no order could be written down now, a sentence; empty if it could."""
        try:
            self.check_disk_space()
            if self._write_failed:
                # A quota is nothing that the disk tells: only a write shows whether there is room again.
                with self._transaction() as cursor:
                    cursor.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
        except JournalError as error:
            return str(error)
        return ""

    def check_disk_space(self) -> None:
        """Raise JournalError if what becomes of a further order might find no room on the disk.

        Or if the file has been moved or deleted: what is written goes on into it, but the next start would not find it.
        """
        if self.trouble:
            raise JournalError(self.trouble)
        if self._path is None:
            return
        try:
            disk = shutil.disk_usage(self._path.parent)
        except OSError as error:
            raise JournalError(
                f"The folder of the order journal cannot be looked at ({_describe_error(error)})."
            ) from error
        # The open file goes on taking writes after it was moved or deleted, so no write would ever fail.
        if _identify_file(self._path) != self._file_identity:
            raise JournalError(
                f"The order journal {self._path} has been moved or deleted; the next start would know nothing of the "
                "order. Put it back, or quit and start again."
            )
        # Some network disks report 0 of 0 bytes: that is not a full disk, and must not stop every order.
        if disk.total and disk.free < MIN_FREE_BYTES:
            raise JournalError(
                f"The order journal cannot be written for much longer: its disk has only {disk.free // 1_000_000} MB "
                "left. Make room on the disk."
            )

    def record_update(self, order: Order, at_ms: int) -> None:
        """Record a change of an order of this journal; ignore other orders. Raises JournalError.

        Nothing is written to a journal that cannot be: that was reported when it was opened.
        """
        known = None if self.trouble else self._find_recorded(order.client_order_id)
        # News comes twice and from two sources. Written each time, the history would grow with every read of the
        # account.
        if known is None or known == _recorded_fields(order):
            return
        with self._transaction() as cursor:
            # The row is about to be overwritten: what it holds, right or wrong, is evidence.
            if order.client_order_id in self._damaged:
                self._keep_damaged(cursor, order, at_ms)
            cursor.execute(
                "UPDATE intents SET state = ?, order_id = ?, filled = ?, remaining = ?, yes_price = ?, initial = ?, "
                # A locked key's orders say no number; the exchange's reports of them do.
                "reason = ?, update_reason = ?, subaccount = CASE ? WHEN 0 THEN subaccount ELSE ? END "
                "WHERE client_order_id = ?",
                (*_recorded_fields(order), order.subaccount, order.subaccount, order.client_order_id),
            )
            if known[:-1] != _recorded_fields(order)[:-1]:
                # The exchange's word alone, which comes after the reply, makes no further line of the history.
                _insert_change(cursor, order, at_ms, order.state.value)
        self._recorded_orders[order.client_order_id] = _recorded_fields(order)
        self._damaged.discard(order.client_order_id)

    def record_expiry(self, client_order_id: str, expires_s: int) -> None:
        """Record when the trader wants an order to end from now on, Unix seconds, 0 for never. Raises JournalError."""
        if self.trouble or self._find_recorded(client_order_id) is None:
            return
        with self._transaction() as cursor:
            cursor.execute(
                "UPDATE intents SET expires_s = ? WHERE client_order_id = ?", (expires_s or None, client_order_id)
            )

    def wanted_expiry(self, client_order_id: str) -> int | None:
        """Return when the trader wants an order to end, Unix seconds, 0 for never; None if the journal does not say."""
        with suppress(JournalError):
            for row in self._query(f"{BY_NAME} AND account = ?", (client_order_id, self._account)):
                wanted = row["expires_s"]
                return 0 if wanted is None else wanted if isinstance(wanted, int) else None
        return None

    def never_arrived(self, client_order_id: str, at_ms: int) -> None:
        """Record that the exchange does not have the order of a row that is set aside. Raises JournalError."""
        if self.trouble or self._find_recorded(client_order_id) is None:
            return
        with self._transaction() as cursor:
            cursor.execute(
                "UPDATE intents SET state = ? WHERE client_order_id = ?", (OrderState.NOT_SENT.value, client_order_id)
            )
            cursor.execute(
                "INSERT INTO changes (client_order_id, at_ms, what, order_id, filled, remaining, yes_price, reason) "
                "VALUES (?,?,?,'',0,0,0,'')",
                (client_order_id, at_ms, OrderState.NOT_SENT.value),
            )

    def _keep_damaged(self, cursor: sqlite3.Cursor, order: Order, at_ms: int) -> None:
        """Copy what a damaged row holds into its history: the row is overwritten now, and nothing of it may be lost."""
        row = cursor.execute(BY_NAME, (order.client_order_id,)).fetchone()
        held = "; ".join(f"{name} is {row[name]!a}" for name in COURSE)
        _insert_change(cursor, replace(order, reason=held), at_ms, "damaged row, as it was")

    def record_cancel_all(self, subaccount: int | None, at_ms: int) -> None:
        """Record when all orders were canceled with one call; what cannot be written is known in this run alone."""
        with suppress(JournalError), self._transaction() as cursor:
            cursor.execute(
                "INSERT OR REPLACE INTO cancel_alls VALUES (?,?,?)",
                (self._account, EVERY_SUBACCOUNT if subaccount is None else subaccount, at_ms),
            )

    def cancel_alls(self) -> dict[int | None, int]:
        """Return when all orders were canceled with one call last, by subaccount, None for all of them."""
        try:
            rows = self._query("SELECT subaccount, at_ms FROM cancel_alls WHERE account = ?", (self._account,))
        except JournalError:
            return {}
        return {
            None if row["subaccount"] == EVERY_SUBACCOUNT else row["subaccount"]: row["at_ms"]
            for row in rows
            if isinstance(row["at_ms"], int) and isinstance(row["subaccount"], int)
        }

    def record_request(self, order: Order, what: str, at_ms: int) -> None:
        """Record that a cancel or a change is asked for, before it is sent; for intents alone. Raises JournalError."""
        if not self.trouble and self._find_recorded(order.client_order_id) is not None:
            with self._transaction() as cursor:
                _insert_change(cursor, order, at_ms, what)

    def find_meaning(self, client_order_id: str, order_id: str) -> tuple[Action, Side] | None:
        """Return what an order of this journal asked for, by its client order id or else the exchange's; else None."""
        column, name = ("client_order_id", client_order_id) if client_order_id else ("order_id", order_id)
        if not name:
            return None
        try:
            rows = self._query(MEANING[column], (self._account, name))
            return (Action(rows[0]["action"]), Side(rows[0]["side"])) if rows else None
        except (JournalError, ValueError):
            # An order can be shown without it, in the exchange's form.
            return None

    def _find_recorded(self, client_order_id: str) -> tuple[object, ...] | None:
        """Return what is recorded of an intent, of an earlier run too; None for orders that are not in this journal."""
        if client_order_id in self._recorded_orders or client_order_id in self._foreign_ids or not client_order_id:
            return self._recorded_orders.get(client_order_id)
        rows = self._query(f"{BY_NAME} AND account = ?", (client_order_id, self._account))
        if not rows:
            self._foreign_ids.add(client_order_id)
            return None
        known = self._recorded_orders[client_order_id] = _recorded_values(rows[0])
        if damage(rows[0], COURSE):
            self._damaged.add(client_order_id)
        return known

    # Reading.

    def open_entries(self) -> list[Entry]:
        """Return the intents that were sent and are not known to be over, oldest first, and track them from now on.

        Rows that cannot be read go into ``set_aside``. The order of such a row is returned too, as UNKNOWN, if its row
        says what was wanted. Of a damaged file, what can be read is returned, and ``trouble`` says what is wrong.
        """
        entries: list[Entry] = []
        aside: list[SetAside] = []
        for row in self._open_rows():
            found = read_row(row, self._lines(row["client_order_id"]), self._where)
            entry = found if isinstance(found, Entry) else found.entry
            if isinstance(found, SetAside):
                aside.append(found)
            if entry is not None:
                entries.append(entry)
            name = entry.order.client_order_id if entry is not None else aside[-1].client_order_id
            # A row whose account is damaged is asked about, but not written: it may belong to another account.
            if name and row["account"] == self._account:
                self._recorded_orders[name] = _recorded_values(row)
                if damage(row, COURSE):
                    self._damaged.add(name)
        self.set_aside = tuple(aside)
        return sorted(entries, key=lambda entry: entry.order.created_ms)

    def _open_rows(self) -> list[sqlite3.Row]:
        """Read the open rows; of a file that is damaged in its midst, those before and those behind the damage."""
        values = (self._account, OVER)
        try:
            return list(self._connection.execute(f"{ROWS} WHERE {OPEN} ORDER BY rowid", values))
        except sqlite3.Error as error:
            why = f"The order journal{self._where} cannot be read ({error}): {_advice(error)}. {NO_ORDER}"
            self.trouble = self.trouble or why
        # A scan stops at the first damaged page, so both ends are scanned. Without its index, which may be what is
        # damaged.
        found: dict[int, sqlite3.Row] = {}
        for direction in ("ASC", "DESC"):
            statement = f"{ROWS} NOT INDEXED WHERE {OPEN} ORDER BY rowid {direction}"
            with suppress(sqlite3.Error):
                for row in self._connection.execute(statement, values):
                    found.setdefault(row["row_number"], row)
        return [found[number] for number in sorted(found)]

    def _lines(self, client_order_id: object) -> list[sqlite3.Row] | None:
        """Return an intent's history, the oldest line first; None if it cannot be read."""
        try:
            return list(
                self._connection.execute(
                    "SELECT at_ms, what FROM changes WHERE client_order_id = ? ORDER BY number", (client_order_id,)
                )
            )
        except sqlite3.Error:
            return None

    def sent_since(self, since_ms: int) -> DailyVolume:
        """Sum what was sent since ``since_ms`` and reached the exchange, or may have: the limits of a day."""
        if self.trouble:
            raise JournalError(self.trouble)
        (row,) = self._query(SUM, (OVER, self._account, since_ms, NEVER_REACHED, EVERY))
        uncounted = self._query(UNCOUNTED, (self._account, since_ms, NEVER_REACHED, EVERY))
        unread = sum(row["changed_ms"] is None or row["changed_ms"] >= since_ms for row in uncounted)
        return DailyVolume(row[0], row[1], unread)

    def history(self, client_order_id: str) -> list[Change]:
        """Return all that is recorded of an intent and can be read, oldest first."""
        rows = self._query(HISTORY, (client_order_id,))
        return [change for change in map(read_change, rows) if change is not None]

    def examine(self) -> list[str]:
        """Check the whole file, every account's rows, and return in sentences what of it cannot be read."""
        try:
            (checked,) = self._connection.execute("PRAGMA quick_check(1)").fetchone()
            if checked != "ok":
                return [f"The order journal{self._where} is damaged ({shown(checked)}): {DAMAGED}. {NO_ORDER}"]
            rows = self._connection.execute(f"{ROWS} ORDER BY rowid")
            # What never left has no time of sending.
            course = {**COURSE, "sent_ms": COURSE["drafted_ms"]}
            return [
                f"Row {shown(row['row_number'])} of the order journal{self._where} cannot be read: {', '.join(found)}."
                for row in rows
                if (found := damage(row, {**TERMS, **course}))
            ]
        except sqlite3.Error as error:
            return [f"The order journal{self._where} cannot be read ({error}): {DAMAGED}. {NO_ORDER}"]

    # The database.

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Cursor]:
        """Write in one transaction, on the disk by the end."""
        if self.trouble:
            raise JournalError(self.trouble)
        try:
            cursor = self._connection.cursor()
            cursor.execute("BEGIN IMMEDIATE")
            try:
                yield cursor
                cursor.execute("COMMIT")
            except BaseException:
                # SQLite ends the transaction by itself on some errors (a full disk); a second ROLLBACK would hide them.
                if self._connection.in_transaction:
                    cursor.execute("ROLLBACK")
                raise
        except sqlite3.Error as error:
            self._write_failed = _primary_code(error) in LASTING_FAILURES
            raise JournalError(f"The order journal cannot be written ({error}): {_advice(error)}.") from error
        self._write_failed = False

    def _query(self, statement: str, values: tuple[str | int, ...]) -> list[sqlite3.Row]:
        try:
            return list(self._connection.execute(statement, values))
        except sqlite3.Error as error:
            raise JournalError(f"The order journal{self._where} cannot be read ({error}): {_advice(error)}.") from error


def _lock_users_file(path: Path) -> int | None:
    """Lock the file that shows who uses a journal; None where there can be none: then nobody else is seen."""
    try:
        descriptor = os.open(
            path.with_name(path.name + USERS_FILE_SUFFIX), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600
        )
    except OSError:
        return None
    with suppress(OSError):
        os.fchmod(descriptor, 0o600)
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    return descriptor


def _identify_file(path: Path) -> tuple[int, int] | None:
    """Return what distinguishes a file from another one of its name; None if there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _describe_error(error: Exception) -> str:
    """Return what went wrong, without the path that the sentence names already."""
    return (error.strerror if isinstance(error, OSError) else None) or str(error)


def _advice(error: Exception) -> str:
    """Return what to do about a journal that cannot be used."""
    if isinstance(error, _VersionMismatchError):
        return "start the version of the program that made it, or move the file away"
    if isinstance(error, OSError):
        return "fix its folder's permissions or make room"
    return ADVICE.get(_primary_code(error), DAMAGED)


def _primary_code(error: Exception) -> int:
    """Return the kind of an SQLite error; 0 for any other."""
    return int(getattr(error, "sqlite_errorcode", 0)) & 0xFF


class _NoFileError(Exception):
    """Something else stands in the place of the journal's file: a folder, a pipe."""


class _VersionMismatchError(Exception):
    """A journal of another version of the program."""


def _initialize_database(connection: sqlite3.Connection) -> None:
    connection.row_factory = sqlite3.Row
    connection.text_factory = text
    if (version := connection.execute("PRAGMA user_version").fetchone()[0]) not in {0, SCHEMA_VERSION}:
        # Before anything in it is changed: the version that made it must still be able to use it.
        raise _VersionMismatchError(f"it is of another version, {version}")
    if version:
        _require_columns(connection)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("BEGIN IMMEDIATE")
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if version == 0:
        for statement in SCHEMA.split(";"):
            connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
    for statement in (CANCEL_ALLS, ORDER_ID_INDEX, *TABLES):
        connection.execute(statement)
    for name in _missing_columns(connection):
        connection.execute(f"ALTER TABLE intents ADD COLUMN {name} {ADDED_COLUMNS[name]}")
    connection.execute("COMMIT")


def _require_columns(connection: sqlite3.Connection) -> None:
    """Raise sqlite3.DatabaseError if the table of orders is not ours: columns must not be added to somebody else's."""
    found = {row["name"] for row in connection.execute("PRAGMA table_info(intents)")}
    if lacking := {*TERMS, *COURSE} - {*ADDED_COLUMNS} - found:
        raise sqlite3.DatabaseError(f"its table of orders lacks {len(lacking)} of its columns")


def _missing_columns(connection: sqlite3.Connection) -> list[str]:
    """Return which columns the file of an earlier version lacks."""
    found = {row["name"] for row in connection.execute("PRAGMA table_info(intents)")}
    return [name for name in ADDED_COLUMNS if name not in found]


def _show_missing_columns(connection: sqlite3.Connection) -> None:
    """Let a file of an earlier version that cannot be written look as if it had all columns."""
    if missing := _missing_columns(connection):
        connection.execute(view_with(missing))


def _recorded_values(row: sqlite3.Row) -> tuple[object, ...]:
    """Return the `_recorded_fields` of a row. A damaged value equals no order's, so that the next update is written."""
    names = ("state", "order_id", "filled", "remaining", "yes_price", "initial", "reason", "update_reason")
    return tuple(row[name] for name in names)


def _recorded_fields(order: Order) -> tuple[object, ...]:
    """Return the fields whose change is worth a line."""
    return (
        order.state.value,
        order.order_id,
        order.filled,
        order.remaining,
        order.yes_price,
        order.initial,
        order.reason,
        order.update_reason,
    )


def _insert_change(cursor: sqlite3.Cursor, order: Order, at_ms: int, what: str) -> None:
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
