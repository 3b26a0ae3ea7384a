"""The traders' accounts on disk (SQLite, WAL): what was acknowledged survives a ``kill -9``.

The server hands over the engine's events before it answers anybody: `Database.write_events` writes what they say of the
traders' accounts in one transaction, and returns when it is committed. The file is held by one process at a time.
"""

import sqlite3
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Final, TypeVar

import msgspec

from kalshi_tui.practice.engine.events import (
    AllocationChanged,
    BalanceChanged,
    ClientIdUsed,
    EngineEvent,
    FeeChangeScheduled,
    GroupChanged,
    LifecycleChanged,
    LifecycleType,
    NettingChanged,
    OrderChanged,
    OrderFilled,
    PositionChanged,
    PositionSettled,
    ShardTransferChanged,
    SubaccountTransferred,
    UnannouncedStatusChange,
)
from kalshi_tui.practice.engine.exchange import Exchange
from kalshi_tui.practice.engine.records import (
    AllocationRecord,
    FillRecord,
    GroupRecord,
    MarketRecord,
    OrderRecord,
    PositionRecord,
    SavedState,
    ScheduledEventFees,
    ScheduledSeriesFees,
    SettlementRecord,
    ShardTransferRecord,
    SubaccountTransferRecord,
)

SCHEMA_VERSION: Final = 1
_SCHEMA: Final = """
create table meta (key text primary key, value text not null) without rowid;
create table balances (
  account text not null, shard integer not null, cash integer not null, primary key (account, shard)) without rowid;
create table markets (ticker text primary key, body blob not null) without rowid;
create table positions (
  account text not null, ticker text not null, body blob not null, primary key (account, ticker)) without rowid;
create table orders (
  number integer primary key, order_id text not null unique, ticker text not null, body blob not null);
create table fills (number integer primary key, ticker text not null, body blob not null);
create table settlements (number integer primary key, ticker text not null, body blob not null);
create table client_ids (
  account text not null, client_order_id text not null, order_id text not null,
  primary key (account, client_order_id)) without rowid;
create table groups (number integer primary key, group_id text not null unique, body blob not null);
"""
_ADDED_TABLES: Final = """
create table if not exists subaccount_transfers (number integer primary key, body blob not null);
create table if not exists netting (account text primary key) without rowid;
create table if not exists shard_transfers (
  number integer primary key, transfer_id text not null unique, body blob not null);
create table if not exists fee_changes (number integer primary key, of_series integer not null, body blob not null);
create table if not exists allocations (account text primary key, body blob not null) without rowid;
"""
"""What older files lack; they are opened as they are."""
_MANUAL_CHANGES: Final = frozenset(
    {
        LifecycleType.ACTIVATED,
        LifecycleType.DEACTIVATED,
        LifecycleType.CLOSE_DATE_UPDATED,
        LifecycleType.GRID_UPDATED,
    }
)
"""What happens to a market by hand, and would not happen again by the calendar."""

_Record = TypeVar("_Record")


class DatabaseError(Exception):
    """The practice database cannot be used. The message says in a sentence why, and what to do."""


class Database:
    """One open practice database. All methods raise DatabaseError."""

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self.path = path
        self._connection = connection
        self._encode = msgspec.json.Encoder(decimal_format="string").encode
        self._saved_tickers = {ticker for (ticker,) in self._fetch_rows("select ticker from markets")}

    @classmethod
    def open(cls, path: Path, *, fresh: bool = False) -> "Database":
        """Open the database at ``path``, or make it. ``fresh`` throws away what is there, damaged or not."""
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            if fresh:
                _require_unlocked(path)
                for suffix in ("", "-wal", "-shm"):
                    path.with_name(path.name + suffix).unlink(missing_ok=True)
            connection = sqlite3.connect(path, isolation_level=None, timeout=0.5)
        except (OSError, sqlite3.Error) as error:
            raise DatabaseError(
                f"The practice database {path} cannot be opened ({_describe_error(error)}). "
                "Check that the folder exists and can be written, or choose another with --data."
            ) from error
        try:
            _prepare_file(path, connection)
            return cls(path, connection)
        except sqlite3.Error as error:
            connection.close()
            raise _database_error(path, error) from error
        except DatabaseError:
            connection.close()
            raise

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    # -- small values ------------------------------------------------------------------------------------------------

    def get(self, key: str) -> str | None:
        """Return a value that was `put`, None if it never was."""
        for (value,) in self._fetch_rows("select value from meta where key = ?", key):
            return str(value)
        return None

    def put(self, key: str, value: str) -> None:
        """Keep a small value: the seed, the key ids of the accounts, and the like."""
        with self._transaction() as run:
            run("insert or replace into meta values (?, ?)", (key, value))

    def next_run(self) -> int:
        """Count one more start of this world, and give its number, from 0."""
        run = int(self.get("runs") or 0)
        self.put("runs", str(run + 1))
        return run

    # -- writing -----------------------------------------------------------------------------------------------------

    def write_events(self, exchange: Exchange, events: Iterable[EngineEvent]) -> bool:
        """Write what the events say of the traders' accounts, and commit. Return whether there was anything.

        ``exchange`` is where they come from; the terms of a market are saved once a trader has to do with it.
        """
        wanted = [event for event in events if type(event) in _WRITERS]
        if not wanted:
            return False
        wrote = False
        with self._transaction() as run:
            last = 0
            for event in wanted:
                last = max(last, getattr(event, "ts_ms", 0))
                wrote = _WRITERS[type(event)](self, exchange, run, event) or wrote
            run("insert or replace into meta values ('saved_ms', ?)", (str(max(last, exchange.clock.now)),))
        return wrote

    def _write_market_once(self, exchange: Exchange, run: "_Execute", ticker: str) -> None:
        if ticker not in self._saved_tickers:
            self._write_market(exchange, run, ticker)

    def _write_market(self, exchange: Exchange, run: "_Execute", ticker: str) -> None:
        listing = exchange.markets.listings[ticker]
        event = exchange.markets.events_by_ticker[listing.terms.event_ticker]
        record = listing.to_record(event, exchange.markets.series[event.series_ticker])
        run("insert or replace into markets values (?, ?)", (ticker, self._encode(record)))
        self._saved_tickers.add(ticker)

    def _write_market_change(
        self, exchange: Exchange, run: "_Execute", event: LifecycleChanged | UnannouncedStatusChange
    ) -> bool:
        by_hand = isinstance(event, LifecycleChanged) and event.event_type in _MANUAL_CHANGES
        if event.ticker not in self._saved_tickers and not by_hand:
            return False
        self._write_market(exchange, run, event.ticker)
        return True

    def _write_balance(self, exchange: Exchange, run: "_Execute", event: BalanceChanged) -> bool:  # noqa: ARG002  # one signature for all
        run("insert or replace into balances values (?, ?, ?)", (event.account_id, event.exchange_index, event.cash))
        return True

    def _write_order(self, exchange: Exchange, run: "_Execute", event: OrderChanged) -> bool:
        order = event.order
        self._write_market_once(exchange, run, order.ticker)
        run(
            "insert into orders (order_id, ticker, body) values (?, ?, ?) "
            "on conflict (order_id) do update set body = excluded.body",
            (order.order_id, order.ticker, self._encode(order)),
        )
        return True

    def _write_fill(self, exchange: Exchange, run: "_Execute", event: OrderFilled) -> bool:
        self._write_market_once(exchange, run, event.fill.ticker)
        run("insert into fills (ticker, body) values (?, ?)", (event.fill.ticker, self._encode(event.fill)))
        return True

    def _write_position(self, exchange: Exchange, run: "_Execute", event: PositionChanged) -> bool:
        position = event.position
        self._write_market_once(exchange, run, position.ticker)
        run(
            "insert or replace into positions values (?, ?, ?)",
            (position.account_id, position.ticker, self._encode(position)),
        )
        return True

    def _write_settlement(self, exchange: Exchange, run: "_Execute", event: PositionSettled) -> bool:  # noqa: ARG002  # one signature for all
        body = self._encode(event.settlement)
        run("insert into settlements (ticker, body) values (?, ?)", (event.settlement.ticker, body))
        return True

    def _write_group(self, exchange: Exchange, run: "_Execute", event: GroupChanged) -> bool:  # noqa: ARG002  # one signature for all
        group = event.group
        if group.deleted:
            run("delete from groups where group_id = ?", (group.group_id,))
        else:
            run(
                "insert into groups (group_id, body) values (?, ?) "
                "on conflict (group_id) do update set body = excluded.body",
                (group.group_id, self._encode(group)),
            )
        return True

    def _write_client_id(self, exchange: Exchange, run: "_Execute", event: ClientIdUsed) -> bool:  # noqa: ARG002  # one signature for all
        run(
            "insert or replace into client_ids values (?, ?, ?)",
            (event.account_id, event.client_order_id, event.order_id),
        )
        return True

    def _write_subaccount_transfer(self, exchange: Exchange, run: "_Execute", event: SubaccountTransferred) -> bool:  # noqa: ARG002  # one signature for all
        run("insert into subaccount_transfers (body) values (?)", (self._encode(event.transfer),))
        return True

    def _write_netting(self, exchange: Exchange, run: "_Execute", event: NettingChanged) -> bool:  # noqa: ARG002  # one signature for all
        if event.enabled:
            run("insert or replace into netting values (?)", (event.account_id,))
        else:
            run("delete from netting where account = ?", (event.account_id,))
        return True

    def _write_shard_transfer(self, exchange: Exchange, run: "_Execute", event: ShardTransferChanged) -> bool:  # noqa: ARG002  # one signature for all
        transfer = event.transfer
        run(
            "insert into shard_transfers (transfer_id, body) values (?, ?) "
            "on conflict (transfer_id) do update set body = excluded.body",
            (transfer.transfer_id, self._encode(transfer)),
        )
        return True

    def _write_allocation(self, exchange: Exchange, run: "_Execute", event: AllocationChanged) -> bool:  # noqa: ARG002  # one signature for all
        allocation = event.allocation
        run("insert or replace into allocations values (?, ?)", (allocation.account_id, self._encode(allocation)))
        return True

    def _write_fee_change(self, exchange: Exchange, run: "_Execute", event: FeeChangeScheduled) -> bool:  # noqa: ARG002  # one signature for all
        of_series = isinstance(event.change, ScheduledSeriesFees)
        run("insert into fee_changes (of_series, body) values (?, ?)", (of_series, self._encode(event.change)))
        return True

    # -- reading -----------------------------------------------------------------------------------------------------

    def load(self) -> SavedState:
        """Read all that was saved. Raises DatabaseError if it cannot be read."""
        accounts: dict[str, dict[int, int]] = {}
        for account, shard, cash in self._fetch_rows(
            "select account, shard, cash from balances order by account, shard"
        ):
            accounts.setdefault(account, {})[shard] = cash
        return SavedState(
            accounts=tuple(accounts.items()),
            markets=self._load_records(MarketRecord, "select body from markets"),
            positions=self._load_records(PositionRecord, "select body from positions"),
            orders=self._load_records(OrderRecord, "select body from orders order by number"),
            fills=self._load_records(FillRecord, "select body from fills order by number"),
            settlements=self._load_records(SettlementRecord, "select body from settlements order by number"),
            client_ids=tuple(self._fetch_rows("select account, client_order_id, order_id from client_ids")),
            groups=self._load_records(GroupRecord, "select body from groups order by number"),
            subaccount_transfers=self._load_records(
                SubaccountTransferRecord, "select body from subaccount_transfers order by number"
            ),
            netting=tuple(account for (account,) in self._fetch_rows("select account from netting")),
            transfers=self._load_records(ShardTransferRecord, "select body from shard_transfers order by number"),
            allocations=self._load_records(AllocationRecord, "select body from allocations"),
            fee_changes=self._load_fee_changes(),
            saved_ms=int(self.get("saved_ms") or 0),
        )

    def restore(self, exchange: Exchange) -> None:
        """Restore what was saved into a new exchange. Raises DatabaseError for what cannot be right."""
        try:
            exchange.restore(self.load())
        except ValueError as error:
            raise _database_error(self.path, error) from error

    def _load_fee_changes(self) -> tuple[ScheduledSeriesFees | ScheduledEventFees, ...]:
        query = "select {} from fee_changes where of_series = {} order by number"
        found: list[tuple[int, ScheduledSeriesFees | ScheduledEventFees]] = []
        for of_series, kind in ((1, ScheduledSeriesFees), (0, ScheduledEventFees)):
            numbers = (number for (number,) in self._fetch_rows(query.format("number", of_series)))
            found += zip(numbers, self._load_records(kind, query.format("body", of_series)), strict=True)
        return tuple(change for _, change in sorted(found, key=lambda each: each[0]))

    def _load_records(self, kind: type[_Record], query: str) -> tuple[_Record, ...]:
        decode = msgspec.json.Decoder(kind).decode
        try:
            return tuple(decode(body) for (body,) in self._fetch_rows(query))
        except msgspec.MsgspecError as error:
            raise _database_error(self.path, error) from error

    def _fetch_rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        try:
            return self._connection.execute(query, values).fetchall()
        except sqlite3.Error as error:
            raise _database_error(self.path, error) from error

    def _transaction(self) -> "_Transaction":
        return _Transaction(self.path, self._connection)


_Execute = Callable[[str, tuple[object, ...]], object]

_WRITERS: Final[dict[type, Callable[[Database, Exchange, _Execute, Any], bool]]] = {
    BalanceChanged: Database._write_balance,  # noqa: SLF001  # the class's own table
    OrderChanged: Database._write_order,  # noqa: SLF001
    OrderFilled: Database._write_fill,  # noqa: SLF001
    PositionChanged: Database._write_position,  # noqa: SLF001
    PositionSettled: Database._write_settlement,  # noqa: SLF001
    GroupChanged: Database._write_group,  # noqa: SLF001
    ClientIdUsed: Database._write_client_id,  # noqa: SLF001
    SubaccountTransferred: Database._write_subaccount_transfer,  # noqa: SLF001
    NettingChanged: Database._write_netting,  # noqa: SLF001
    ShardTransferChanged: Database._write_shard_transfer,  # noqa: SLF001
    AllocationChanged: Database._write_allocation,  # noqa: SLF001
    FeeChangeScheduled: Database._write_fee_change,  # noqa: SLF001
    LifecycleChanged: Database._write_market_change,  # noqa: SLF001
    UnannouncedStatusChange: Database._write_market_change,  # noqa: SLF001
}


class _Transaction:
    """A transaction, all or nothing; its value is the connection's ``execute``."""

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self._path = path
        self._connection = connection

    def __enter__(self) -> _Execute:
        try:
            self._connection.execute("begin immediate")
        except sqlite3.Error as error:
            raise _database_error(self._path, error) from error
        return self._connection.execute

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        try:
            # SQLite ends the transaction by itself on some errors (a full disk); a second rollback would hide them.
            if error is None or self._connection.in_transaction:
                self._connection.execute("rollback" if error else "commit")
        except sqlite3.Error as failed:
            raise _database_error(self._path, failed) from failed
        if isinstance(error, sqlite3.Error):
            raise _database_error(self._path, error) from error


def _require_unlocked(path: Path) -> None:
    """Raise DatabaseError if another process holds the file; whether it is sound does not matter here."""
    if not path.exists():
        return
    connection = sqlite3.connect(path, isolation_level=None, timeout=0.5)
    try:
        connection.execute("begin exclusive")
    except sqlite3.Error as error:
        if "locked" in str(error):
            raise _database_error(path, error) from error
    finally:
        connection.close()


def _prepare_file(path: Path, connection: sqlite3.Connection) -> None:
    """Take hold of the file, check it, and give it its tables if it is new."""
    connection.execute("pragma locking_mode = exclusive")
    connection.execute("pragma journal_mode = wal")
    # A killed process loses nothing that is committed; `full` would guard against a power cut too, at an fsync each.
    connection.execute("pragma synchronous = normal")
    connection.execute("begin immediate")
    try:
        if _check_version(path, connection) == 0:
            for statement in _SCHEMA.split(";"):
                connection.execute(statement)
            connection.execute(f"pragma user_version = {SCHEMA_VERSION}")
        for statement in _ADDED_TABLES.split(";"):
            connection.execute(statement)
        connection.execute("commit")
    except BaseException:
        if connection.in_transaction:
            connection.execute("rollback")
        raise
    path.chmod(0o600)


def _check_version(path: Path, connection: sqlite3.Connection) -> int:
    """Return the schema's version, 0 for a new file. Raises DatabaseError or sqlite3.Error for a file of no use."""
    version = int(connection.execute("pragma user_version").fetchone()[0])
    if version > SCHEMA_VERSION:
        raise DatabaseError(
            f"The practice database {path} was made by a newer version of this program. "
            "Install that version, or choose another folder with --data."
        )
    found = connection.execute("pragma quick_check(1)").fetchone()[0]
    if found != "ok":
        raise sqlite3.DatabaseError(found)
    return version


def _database_error(path: Path, error: Exception) -> DatabaseError:
    text = _describe_error(error)
    if "locked" in text:
        return DatabaseError(
            f"The practice database {path} is in use by another practice exchange. "
            "Stop that one first, or choose another folder with --data."
        )
    if "readonly" in text or "disk is full" in text or "disk I/O" in text:
        return DatabaseError(
            f"The practice database {path} cannot be written ({text}). "
            "Make room or give yourself the right to write there, or choose another folder with --data."
        )
    return DatabaseError(
        f"The practice database {path} is damaged ({text}). "
        "Start again with --fresh, which deletes it, or move the file elsewhere to keep it."
    )


def _describe_error(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return " ".join(str(error).split())[:120] or type(error).__name__
