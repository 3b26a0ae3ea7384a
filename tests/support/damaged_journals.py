"""Ways in which a journal can be damaged, each as something that happens to its file."""

import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

from kalshi_tui.session.execution.journal_sql import SCHEMA

HOLD: Final = """
import sqlite3, sys
file = sqlite3.connect(sys.argv[1], isolation_level=None)
file.execute("PRAGMA locking_mode = EXCLUSIVE")
file.execute("BEGIN EXCLUSIVE")
print("held", flush=True)
sys.stdin.read()
"""


def put(column: str, value: object) -> Callable[[Path], None]:
    """Put a value into every row; no constraint of the table stands in its way."""

    def damage(path: Path) -> None:
        with closing(sqlite3.connect(path, isolation_level=None)) as file:
            file.row_factory = sqlite3.Row
            rows = [dict(row) for row in file.execute("SELECT * FROM intents")]
            assert rows
            file.execute("DROP TABLE intents")
            file.execute(SCHEMA.split(";")[0].replace(" NOT NULL", ""))
            for row in rows:
                row[column] = value
                marks = ",".join("?" * len(row))
                file.execute(f"INSERT INTO intents VALUES ({marks})", tuple(row.values()))  # noqa: S608 - marks alone

    return damage


def run(*statements: str) -> Callable[[Path], None]:
    """Change the database by statements."""

    def damage(path: Path) -> None:
        with closing(sqlite3.connect(path, isolation_level=None)) as file:
            for statement in statements:
                file.execute(statement)

    return damage


def write(change: Callable[[bytes], bytes]) -> Callable[[Path], None]:
    """Change the bytes of the file."""

    def damage(path: Path) -> None:
        path.write_bytes(change(path.read_bytes()))

    return damage


def a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def a_pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def a_link_to_itself(path: Path) -> None:
    path.unlink()
    path.symlink_to(path)


def a_link_to_nothing(path: Path) -> None:
    path.unlink()
    path.symlink_to(path.with_name("gone") / "journal.sqlite3")


def beside(suffix: str, make: Callable[[Path], object]) -> Callable[[Path], None]:
    """Put something else in the place of a file beside the journal."""

    def damage(path: Path) -> None:
        other = path.with_name(path.name + suffix)
        other.unlink(missing_ok=True)
        make(other)

    return damage


@contextmanager
def held(path: Path) -> Iterator[None]:
    """Let another process hold the whole database."""
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        try:
            yield
        finally:
            holder.send_signal(signal.SIGKILL)


ROWS: Final[dict[str, Callable[[Path], None]]] = {
    "unknown word": put("state", "queued"),
    "state of bytes": put("state", b"\xff\x00"),
    "ticker of bytes": put("ticker", b"\xfe"),
    "price in words": put("price", "forty cents"),
    "huge count": put("count", 2**62),
    "no client id": put("client_order_id", None),
    "no account": put("account", None),
    "no time": put("sent_ms", None),
    "no history": run("DELETE FROM changes"),
}
"""Damage to a row: it is set aside, and all else can be used."""
FILES: Final[dict[str, Callable[[Path], None]]] = {
    "garbage header": write(lambda raw: b"\xa5" * 100 + raw[100:]),
    "garbage": write(lambda raw: b"\xa5" * len(raw)),
    "garbage pages": write(lambda raw: raw[:4096] + b"\xa5" * (len(raw) - 4096)),
    "text": write(lambda _: b"my orders: none\n" * 400),
    "truncated": write(lambda raw: raw[: len(raw) // 2]),
    "nearly all gone": write(lambda raw: raw[:50]),
    "zero length": write(lambda _: b""),
    "newer version": run("PRAGMA user_version = 99"),
    "no table of orders": run("DROP TABLE intents"),
    "no table of changes": run("DROP TABLE changes"),
    "wrong columns": run("DROP TABLE intents", "CREATE TABLE intents (id INTEGER, what TEXT)"),
    "a view": run("DROP TABLE intents", "CREATE VIEW intents AS SELECT 1 AS client_order_id"),
    "another program's": run(
        "DROP TABLE intents", "DROP TABLE changes", "DROP TABLE days", "CREATE TABLE moz_places (id INTEGER)"
    ),
    "folder": a_folder,
    "pipe": a_pipe,
    "link to itself": a_link_to_itself,
    "link to nothing": a_link_to_nothing,
    "no permissions": lambda path: path.chmod(0),
    "garbage log": beside("-wal", lambda path: path.write_bytes(b"\xa5" * 9_000)),
    "folder for its log": beside("-wal", Path.mkdir),
    "garbage rollback": beside("-journal", lambda path: path.write_bytes(b"\xd9\xd5\x05\xf9\x20\xa1\x63\xd7" * 900)),
    "folder for its lock": beside("-users", Path.mkdir),
}
"""Damage to the file or to what stands beside it."""
LOCKED: Final = "held by another process"
EVERY: Final = (*ROWS, *FILES, LOCKED)


@contextmanager
def damaged(path: Path, how: str) -> Iterator[None]:
    """Damage a journal that nobody has open, for as long as this lasts."""
    # All of it is in the one file before it is spoiled.
    with closing(sqlite3.connect(path)) as file:
        file.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    for suffix in ("-wal", "-shm"):
        path.with_name(f"{path.name}{suffix}").unlink(missing_ok=True)
    if how == LOCKED:
        with held(path):
            yield
        return
    (ROWS | FILES)[how](path)
    yield
