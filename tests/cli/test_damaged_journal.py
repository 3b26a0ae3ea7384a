"""A journal that cannot be read, in a row or as a whole: cancels go out, and an order is sent only where it is safe."""

import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

import pytest

from kalshi_tui.session.execution.journal_sql import SCHEMA
from tests.support.cli_runner import (
    Done,
    Trader,
    tradable,
    trading,
)

SURE = 60_000
"""So far the exchange's data have passed whatever was sent now."""


@asynccontextmanager
async def at_work(home: Path) -> AsyncIterator[tuple[Trader, str, dict[str, Any]]]:
    """Run an exchange with one order that rests and stands in the journal."""
    async with trading(home) as trader:
        trader.exchange.clock.advance(SURE)
        ticker = tradable(trader.exchange)
        order = (await trader.json("order", "buy", "yes", ticker, "2@0.40", "--yes")).only["order"]
        trader.exchange.clock.advance(SURE)
        yield trader, ticker, order


def file_of(trader: Trader) -> Path:
    return trader.data / "journal.sqlite3"


def damage(trader: Trader, column: str, value: object) -> None:
    """Put a value into the one row; no constraint of the table stands in its way."""
    with closing(sqlite3.connect(file_of(trader), isolation_level=None)) as file:
        file.row_factory = sqlite3.Row
        rows = [dict(row) for row in file.execute("SELECT * FROM intents")]
        file.execute("DROP TABLE intents")
        file.execute(SCHEMA.split(";")[0].replace(" NOT NULL", ""))
        for row in rows:
            row[column] = value
            file.execute("INSERT INTO intents VALUES ({})".format(",".join("?" * len(row))), tuple(row.values()))  # noqa: S608 - marks alone


def row_of(trader: Trader) -> dict[str, Any]:
    with closing(sqlite3.connect(file_of(trader))) as file:
        file.row_factory = sqlite3.Row
        file.text_factory = bytes
        (row,) = file.execute("SELECT * FROM intents")
        return dict(row)


def said(done: Done) -> str:
    return " ".join(done.err.split())


DAMAGES = [
    ("state", "queued"),
    ("state", b"\xff\x00"),
    ("sent_ms", None),
    ("price", "forty cents"),
    ("ticker", b"\xfe"),
    ("account", None),
    ("client_order_id", None),
]
"""One of each kind; tests/session/execution/test_damaged_journal.py has every column."""


@pytest.mark.slow
@pytest.mark.parametrize(("column", "value"), DAMAGES, ids=[f"{column} {value!a}" for column, value in DAMAGES])
async def test_one_damaged_row_stops_neither_cancel_nor_an_order(tmp_path: Path, column: str, value: object) -> None:
    async with at_work(tmp_path) as (trader, ticker, order):
        damage(trader, column, value)
        # An order in another market, or on the other side, is no second one.
        other = await trader.run("order", "buy", "no", ticker, "1@0.10", "--yes", "--json", "--second")
        assert (other.code, other.only["order"]["state"]) == (0, "resting"), other
        assert f"Row 1 of the order journal {file_of(trader)} cannot be read ({column} is" in said(other)
        assert "'kalshi-tui orders' or on the exchange's web page" in said(other)
        done = await trader.run("cancel", order["order_id"], "--yes", "--json")
        assert (done.code, done.only["proved"]) == (0, True), done
        everything = await trader.run("cancel", "--all", "--yes", "--json")
        assert (everything.code, everything.only["proved"]) == (0, True), everything
        assert not [each for each in trader.exchange.exchange.queries.orders("alice") if each.remaining]


@pytest.mark.slow
async def test_what_the_exchange_says_of_a_damaged_row_is_written_down_and_what_it_held_is_kept(tmp_path: Path) -> None:
    async with at_work(tmp_path) as (trader, _, order):
        damage(trader, "state", "queued")
        assert (await trader.run("cancel", "--all", "--yes")).code == 0
        with closing(trader.journal()) as journal:
            assert journal.open_entries() == []
            assert journal.set_aside == ()
            told = {each.what: each.reason for each in journal.history(order["client_order_id"])}
        assert "state is 'queued'" in told["damaged row, as it was"]
        assert "cannot be read" not in said(await trader.run("cancel", "--all", "--yes"))


@pytest.mark.slow
async def test_an_order_like_the_one_of_a_damaged_row_has_to_be_meant_as_a_second(tmp_path: Path) -> None:
    async with at_work(tmp_path) as (trader, ticker, _):
        damage(trader, "state", "queued")
        again = await trader.run("order", "buy", "yes", ticker, "2@0.40", "--yes")
        assert again.code == 1
        assert "this would be a second" in again.err
        assert len(list(trader.exchange.exchange.queries.orders("alice"))) == 1


@pytest.mark.slow
async def test_a_row_of_which_the_archive_may_know_holds_up_no_cancel_and_stays(tmp_path: Path) -> None:
    async with at_work(tmp_path) as (trader, _, _):
        assert (await trader.run("cancel", "--all", "--yes")).code == 0
        with closing(sqlite3.connect(file_of(trader))) as file, file:
            file.execute("UPDATE intents SET client_order_id = 'nobody-has-this', price = 'x', state = 'resting'")
        done = await trader.run("cancel", "--all", "--yes")
        assert done.code == 0, done
        # That it does not rest is proved in seconds; that it never arrived takes a minute, for which no cancel waits.
        assert "client order id nobody-has-this" in said(done)
        assert row_of(trader)["state"] == b"resting"
        assert row_of(trader)["price"] == b"x"


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def scramble(path: Path) -> None:
    raw = bytearray(path.read_bytes())
    raw[4096:] = b"\xa5" * (len(raw) - 4096)
    path.write_bytes(raw)


def of_a_newer_version(path: Path) -> None:
    with closing(sqlite3.connect(path)) as file:
        file.execute("PRAGMA user_version = 99")


def without_a_table(path: Path) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as file:
        file.execute("DROP TABLE intents")


def a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


@pytest.mark.slow
@pytest.mark.parametrize("spoil", [truncate, scramble, of_a_newer_version, without_a_table, a_folder])
async def test_without_a_readable_journal_cancels_go_out_and_orders_stay(
    tmp_path: Path, spoil: Callable[[Path], None]
) -> None:
    async with at_work(tmp_path) as (trader, ticker, order):
        reply = await trader.exchange.order(ticker, "bid", "0.1000", "1.00")
        # All of it is in the one file before it is spoiled.
        with closing(sqlite3.connect(file_of(trader))) as file:
            file.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        for suffix in ("-wal", "-shm"):
            file_of(trader).with_name(f"journal.sqlite3{suffix}").unlink(missing_ok=True)
        spoil(file_of(trader))
        kept = await trader.json("order", "buy", "no", ticker, "1@0.10", "--yes")
        assert (kept.code, kept.error["code"]) == (1, "journal")
        assert str(file_of(trader)) in kept.error["message"]
        assert "anceling works all the same" in kept.error["message"]
        assert len(list(trader.exchange.exchange.queries.orders("alice"))) == 2
        one = await trader.run("cancel", order["order_id"], "--yes", "--json")
        assert (one.code, one.only["proved"]) == (0, True), one
        done = await trader.run("cancel", "--all", "--yes", "--json")
        assert (done.code, done.only["proved"]) == (0, True), done
        assert str(file_of(trader)) in done.err
        assert not [each for each in trader.exchange.exchange.queries.orders("alice") if each.remaining]
        assert reply.status_code == 201


@pytest.mark.slow
async def test_a_locked_journal_takes_no_order_and_stops_no_cancel(tmp_path: Path) -> None:
    async with at_work(tmp_path) as (trader, ticker, _):
        with closing(sqlite3.connect(file_of(trader), isolation_level=None)) as holder:
            holder.execute("PRAGMA locking_mode = EXCLUSIVE")
            holder.execute("BEGIN EXCLUSIVE")
            kept = await trader.json("order", "buy", "no", ticker, "1@0.10", "--yes")
            assert (kept.code, kept.error["code"]) == (1, "journal")
            assert "end the other program that holds it" in kept.error["message"]
            done = await trader.run("cancel", "--all", "--yes", "--json")
            assert (done.code, done.only["proved"]) == (0, True), done
