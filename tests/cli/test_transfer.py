"""``transfer``, ``allocation`` and ``balance``: cash where orders need it, through a real command and a real server."""

import asyncio
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from kalshi_tui.cli.allocation import parse_shares
from kalshi_tui.cli.exit_codes import UsageError
from tests.support.cli_runner import Trader, check, ended
from tests.support.practice_server import Serving, serving
from tests.support.shards import cash_of


@pytest.fixture
async def exchange() -> AsyncIterator[Serving]:
    async with serving() as running:
        yield running


async def test_cash_is_moved_listed_and_shown_where_it_is(exchange: Serving, tmp_path: Path) -> None:
    trader = Trader(exchange, tmp_path)
    async with trader.at_once() as run:
        moved = await run("transfer", "25.50", "--from", "0", "--to", "3", "--yes")
        assert (moved.code, moved.out) == (0, "Moved $25.50 from 0 to 3.\n")
        shown = (await run("balance")).out
        assert "at 3 tennis, baseball and basketball" in shown
        assert "$25.50" in shown
        as_json = await run("transfer", "1", "--from", "0", "--to", "3", "--yes", "--json")
        check("transfer", as_json)
        assert (as_json.only["amount"], as_json.only["status"]) == ("1.000000", "complete")
        listed = await run("transfer", "--list", "--json")
        check("transfer", listed)
        assert listed.out.count("\n") == 2
        assert "$25.50" in (await run("transfer", "--list")).out
        # More than there is, and what nobody has confirmed: nothing leaves.
        for arguments, words in (
            (("transfer", "26.51", "--from", "3", "--to", "0", "--yes"), "only $26.50 lie at 3. Move that or less"),
            (
                ("transfer", "1", "--from", "9", "--to", "0", "--yes"),
                "(no such exchange shard): your balance shows those",
            ),
            (("transfer", "1", "--from", "0", "--to", "3"), "give --yes"),
        ):
            refused = await run(*arguments)
            assert refused.code == 1
            assert words in refused.err
            assert refused.err.count("\n") == 1
        assert (
            len((await exchange.call("GET", "/portfolio/intra_exchange_instance_transfers")).json()["transfers"]) == 2
        )


async def test_a_transfer_that_stays_pending_has_an_exit_code_of_its_own(exchange: Serving, tmp_path: Path) -> None:
    trader = Trader(exchange, tmp_path)
    before = (await cash_of(exchange))[2]
    async with trader.at_once() as run:
        await exchange.control("hold_transfers")
        held = await run("transfer", "2", "--from", "0", "--to", "2", "--yes", "--wait", "0.1")
        assert held.code == 3
        assert "is pending. It is not sent again" in held.err
        listed = (await run("transfer", "--list")).out
        assert "pending for" in listed
        assert (await cash_of(exchange))[2] == before
        await exchange.control("release_transfers")
        assert "pending" not in (await run("transfer", "--list")).out
        # Without an answer and without a trace in the list it is unknown, and the id is told.
        await exchange.control(
            "fail_responses", status=500, method="POST", path="/portfolio/intra_exchange_instance_transfer"
        )
        unknown = await run("transfer", "2", "--from", "0", "--to", "2", "--yes", "--wait", "0.1", "--json")
        check("error", unknown)
        assert unknown.code == 3
        assert "--id " in unknown.err


@pytest.mark.slow
async def test_ctrl_c_after_the_sending_tells_that_cash_may_be_under_way(exchange: Serving, tmp_path: Path) -> None:
    trader = Trader(exchange, tmp_path)
    await exchange.control("hold_transfers")
    process = await trader.start("transfer", "2", "--from", "0", "--to", "2", "--yes", "--wait", "30", "--json")
    async with asyncio.timeout(30):
        while not exchange.exchange.shard_transfers.list_for("alice"):
            await asyncio.sleep(0.02)
    done = await ended(process, signal.SIGINT)
    check("error", done)
    # 130 would say that nothing was in flight.
    assert (done.code, done.error["code"]) == (3, "unknown_outcome")
    assert "--id " in done.error["message"]
    # The same of a write without an answer, whatever it asks for.
    posted, answered = asyncio.Event(), asyncio.Event()
    usual = exchange.handle_request

    async def slow(request: web.Request, handler: Any) -> web.StreamResponse:
        reply = await usual(request, handler)
        if request.method == "POST":
            posted.set()
            await answered.wait()
        return reply

    exchange.handle_request = slow
    for arguments in (
        ("allocation", "0=100"),
        ("subaccounts", "create"),
        ("subaccounts", "transfer", "1", "--from", "0", "--to", "1"),
    ):
        posted.clear()
        process = await trader.start(*arguments, "--yes")
        async with asyncio.timeout(30):
            await posted.wait()
        done = await ended(process, signal.SIGINT)
        assert (done.code, done.out) == (3, ""), arguments
        assert done.err.startswith("kalshi-tui: UNKNOWN: you stopped waiting"), arguments
    answered.set()


async def test_the_allocation_is_shown_and_set(exchange: Serving, tmp_path: Path) -> None:
    trader = Trader(exchange, tmp_path, "bob")
    async with trader.at_once() as run:
        assert (await run("allocation")).out == "The exchange moves no cash by itself.\n"
        done = await run("allocation", "0=60", "2=40", "--reserve", "max", "--yes", "--json")
        check("allocation", done)
        assert done.only["reserve"] == "max"
        assert [each["percent"] for each in done.only["allocations"]] == [60, 40]
        assert (await run("allocation", "off")).code == 1
        assert (await run("allocation", "off", "--yes")).out == "The exchange moves no cash by itself.\n"


@pytest.mark.parametrize("words", [["0"], ["0=x"], ["0=60"], ["0=60", "0=40"], ["101=100"], ["0=60", "2=50"]])
def test_shares_that_cannot_be(words: list[str]) -> None:
    with pytest.raises(UsageError):
        parse_shares(words)
