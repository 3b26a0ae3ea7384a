"""However the journal is damaged: every resting order can be canceled, and the damage is told and kept."""

import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.support import damaged_journals
from tests.support.cli_runner import tradable, trading

SURE = 60_000
"""So far the exchange's data have passed whatever was sent now."""
UNTOLD = {"garbage log", "garbage rollback", "folder for its lock", *(["no permissions"] if os.geteuid() == 0 else [])}
"""What costs nothing: SQLite leaves out what it did not write, no lock is needed, and root may read everything."""
USED = {"zero length", "no table of changes"}
"""What is still written to: the file is new, or its rows alone are set aside."""


def content(path: Path) -> bytes | None:
    return path.read_bytes() if path.is_file() and os.access(path, os.R_OK) else None


def intents(path: Path) -> list[object]:
    with closing(sqlite3.connect(path)) as file:
        return file.execute("SELECT * FROM intents").fetchall()


@pytest.mark.nightly
@pytest.mark.parametrize("how", damaged_journals.EVERY)
async def test_cancel_and_cancel_all_leave_nothing_resting(tmp_path: Path, how: str) -> None:
    async with trading(tmp_path) as trader:
        trader.exchange.clock.advance(SURE)
        ticker = tradable(trader.exchange)
        async with trader.at_once() as run:
            orders = [
                (await run("order", "buy", "yes", ticker, f"2@0.{price}", "--yes", "--json", "--second")).only["order"]
                for price in (40, 39, 38)
            ]
        trader.exchange.clock.advance(SURE)
        journal = trader.data / "journal.sqlite3"
        with damaged_journals.damaged(journal, how):
            before = content(journal)
            rows = intents(journal) if how == "no table of changes" else []
            async with trader.at_once() as run:
                one = await run("cancel", orders[0]["order_id"], "--yes", "--json")
                assert (one.code, one.only["proved"]) == (0, True), one
                everything = await run("cancel", "--all", "--yes", "--json")
                assert (everything.code, everything.only["proved"]) == (0, True), everything
            assert [each for each in trader.exchange.exchange.queries.orders("alice") if each.remaining] == []
            told = " ".join((one.err + everything.err).split())
            if how not in UNTOLD:
                assert "journal.sqlite3" in told, one
            if rows:
                assert intents(journal) == rows, "what is set aside is kept as it is"
            if how in damaged_journals.FILES and how not in UNTOLD | USED:
                assert content(journal) == before, "what cannot be read is kept as it is"
