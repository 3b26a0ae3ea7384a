"""What settled markets have paid, and how each day began, kept on this machine.

The exchange forgets the one (docs/kalshi-api.md, section 15), and does not know the other.

SQLite, one row for each market and subaccount of an account. A row that cannot be read costs itself alone. It holds no
keys and no signatures.
"""

import os
import sqlite3
from collections.abc import Iterable
from pathlib import Path
from typing import Final, Self

import msgspec

from kalshi_tui.domain.candles import Settlement

SETTLEMENTS_FILE: Final = "settlements.sqlite3"
BUSY_TIMEOUT_S: Final = 2.0
"""How long a write waits for another program that holds the file."""
SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS settlements (
    account TEXT NOT NULL, subaccount INTEGER NOT NULL, ticker TEXT NOT NULL, body BLOB NOT NULL,
    PRIMARY KEY (account, subaccount, ticker)
) WITHOUT ROWID
"""
DAY_STARTS: Final = """
CREATE TABLE IF NOT EXISTS day_starts (
    account TEXT NOT NULL, day TEXT NOT NULL, body BLOB NOT NULL, PRIMARY KEY (account, day)
) WITHOUT ROWID
"""


class SettlementFile:
    """One account's settlements. It never raises: ``trouble`` says why nothing is kept."""

    def __init__(self, path: Path, account: str) -> None:
        """Open or create the file, readable by its owner alone."""
        self._path = path
        self._account = account
        self._connection: sqlite3.Connection | None = None
        self.trouble = ""
        """Why settlements cannot be kept, a sentence that says what to do; empty if they are."""
        self.unreadable = 0
        """How many rows could not be read at the last look."""
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            if not path.exists():
                os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
            path.chmod(0o600)
            # One thread has it at a time; a library may close it from another.
            self._connection = sqlite3.connect(
                path, timeout=BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False
            )
            self._connection.execute("PRAGMA journal_mode = WAL")
            self._connection.execute("PRAGMA synchronous = FULL")
            self._connection.execute(SCHEMA)
            self._connection.execute(DAY_STARTS)
        except (OSError, sqlite3.Error) as error:
            self._fail(error)

    def load(self, subaccount: int) -> list[Settlement]:
        """Return what is kept of a subaccount, newest first; nothing if the file cannot be read."""
        found: list[Settlement] = []
        self.unreadable = 0
        if self._connection is None:
            return found
        try:
            rows = self._connection.execute(
                "SELECT body FROM settlements WHERE account = ? AND subaccount = ?", (self._account, subaccount)
            ).fetchall()
        except sqlite3.Error as error:
            self._fail(error)
            return found
        for (body,) in rows:
            try:
                found.append(msgspec.json.decode(body, type=Settlement))
            except (msgspec.MsgspecError, TypeError, ValueError):
                self.unreadable += 1
        return sorted(found, key=lambda each: -each.settled_ms)

    def add(self, subaccount: int, settlements: Iterable[Settlement]) -> None:
        """Keep settlements of a subaccount; what is kept of the same market is replaced."""
        if self._connection is None:
            return
        rows = [(self._account, subaccount, each.ticker, msgspec.json.encode(each)) for each in settlements]
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            self._connection.executemany("INSERT OR REPLACE INTO settlements VALUES (?, ?, ?, ?)", rows)
            self._connection.execute("COMMIT")
        except sqlite3.Error as error:
            self._fail(error)
        else:
            self.trouble = ""

    def load_day_start(self, day: str) -> bytes | None:
        """Return what is kept of how a day began; None for nothing, also where the file cannot be read."""
        if self._connection is None:
            return None
        try:
            row = self._connection.execute(
                "SELECT body FROM day_starts WHERE account = ? AND day = ?", (self._account, day)
            ).fetchone()
        except sqlite3.Error as error:
            self._fail(error)
            return None
        return None if row is None else row[0] if isinstance(row[0], bytes) else b""

    def keep_day_start(self, day: str, body: bytes) -> bytes:
        """Keep how a day began, if no other program has done so; return what is kept."""
        if self._connection is None:
            return body
        try:
            self._connection.execute("INSERT OR IGNORE INTO day_starts VALUES (?, ?, ?)", (self._account, day, body))
        except sqlite3.Error as error:
            self._fail(error)
            return body
        return self.load_day_start(day) or body

    def close(self) -> None:
        """Close the file."""
        if self._connection is not None:
            self._connection.close()

    @classmethod
    def in_folder(cls, folder: Path, account: str) -> Self:
        """Open the file of a folder of this program's data."""
        return cls(folder / SETTLEMENTS_FILE, account)

    @staticmethod
    def delete(folder: Path) -> None:
        """Delete the file of a practice account that is thrown away. Raises OSError."""
        for suffix in ("", "-wal", "-shm"):
            (folder / (SETTLEMENTS_FILE + suffix)).unlink(missing_ok=True)

    def _fail(self, error: OSError | sqlite3.Error) -> None:
        if self._connection is not None and self._connection.in_transaction:
            self._connection.rollback()
        why = getattr(error, "strerror", None) or str(error)
        self.trouble = (
            f"Settlements cannot be kept in {self._path} ({why}): the exchange forgets them after some weeks. Make the "
            "file and its folder writable for you, and room on the disk; if it is damaged, move it away."
        )
