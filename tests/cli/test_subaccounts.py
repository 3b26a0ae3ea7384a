"""``--subaccount`` and ``subaccounts``, as a script uses them (docs/kalshi-api.md, section 13)."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.cli_runner import Trader, validator
from tests.support.practice_server import Serving, serving
from tests.support.subaccounts import LOCKED_PEM, lock, market_of


@pytest.fixture
async def exchange() -> AsyncIterator[Serving]:
    async with serving() as running:
        yield running


@pytest.mark.slow
async def test_an_order_of_a_subaccount_from_its_cash_to_its_cancel(exchange: Serving, tmp_path: Path) -> None:
    trader, ticker = Trader(exchange, tmp_path), market_of(exchange)
    async with trader.at_once() as run:
        made = await run("subaccounts", "create", "--yes", "--json")
        assert made.only == {"subaccount": 1, "exchange_index": 0}
        moved = await run("subaccounts", "transfer", "250", "--from", "0", "--to", "1", "--yes")
        assert moved.out == "Moved: $250.00 from the primary account to subaccount 1.\n"
        listed = await run("subaccounts", "--json")
        for each in listed.lines:
            validator("subaccounts").validate(each)
        assert {"subaccount": 1, "exchange_index": 0, "cash": "250.000000"} in listed.lines
        sent = await run("order", "buy", "yes", ticker, "5@0.01", "--subaccount", "1", "--yes", "--blind", "--json")
        validator("order").validate(sent.only)
        assert (sent.only["order"]["subaccount"], sent.only["wish"]["subaccount"]) == (1, 1)
        await run("order", "buy", "yes", ticker, "3@0.01", "--yes", "--blind")
        orders = await run("orders", "--json")
        assert sorted(each["subaccount"] for each in orders.lines) == [0, 1]
        table = (await run("orders")).out
        assert table.split()[0] == "SUB"
        assert [each["subaccount"] for each in (await run("orders", "--subaccount", "0", "--json")).lines] == [0]
        balance = (await run("balance", "--subaccount", "1", "--json")).only
        validator("balance").validate(balance)
        assert (balance["subaccount"], balance["cash"][:3]) == (1, "249")
        name = sent.only["order"]["order_id"]
        refused = await run("cancel", name, "--subaccount", "2", "--yes")
        assert refused.code == 1
        assert "the order is of subaccount 1, not of subaccount 2" in refused.err
        changed = await run("amend", name, "4@0.01", "--yes", "--blind", "--json")
        assert changed.code == 0, changed.err
        gone = await run("cancel", name, "--yes", "--json")
        assert (gone.code, gone.only["order"]["subaccount"]) == (0, 1)


async def test_a_first_command_goes_by_the_exchange_s_clock(exchange: Serving, tmp_path: Path) -> None:
    await exchange.control("set_clock_skew", ms=3_600_000)
    async with Trader(exchange, tmp_path).at_once() as run:
        made = await run("subaccounts", "create", "--yes", "--json")
        assert (made.code, made.err) == (0, "")
        moved = await run("subaccounts", "transfer", "1", "--from", "0", "--to", "1", "--yes")
        assert (moved.code, moved.err) == (0, "")


async def test_what_cannot_be_is_one_sentence(exchange: Serving, tmp_path: Path) -> None:
    trader, ticker = Trader(exchange, tmp_path), market_of(exchange)
    async with trader.at_once() as run:
        for command, words in (
            (("order", "buy", "yes", ticker, "5@0.01", "--subaccount", "9", "--yes", "--blind"), "does not exist"),
            (("positions", "--subaccount", "9"), "(subaccount 9 does not exist): name one that you have"),
            (("orders", "--subaccount", "64"), "from 0 to 63"),
            (("subaccounts", "transfer", "5"), "needs AMOUNT, --from and --to"),
            (("subaccounts", "transfer", "0.001", "--from", "0", "--to", "1", "--yes"), "whole cents"),
            (("subaccounts", "transfer", "5", "--from", "0", "--to", "9", "--yes"), "subaccount 9 does not exist"),
            (("subaccounts", "create"), "give --yes"),
        ):
            done = await run(*command)
            assert done.code != 0, command
            assert words in done.err, command
            assert "Traceback" not in done.err


async def test_a_cancel_of_all_of_a_subaccount_that_does_not_exist_cancels_nothing(
    exchange: Serving, tmp_path: Path
) -> None:
    trader, ticker = Trader(exchange, tmp_path), market_of(exchange)
    async with trader.at_once() as run:
        await run("order", "buy", "yes", ticker, "3@0.01", "--yes", "--blind")
        refused = await run("cancel", "--all", "--subaccount", "9", "--yes")
        assert (refused.code, refused.out) == (1, "")
        assert refused.err.startswith("kalshi-tui: Nothing was canceled: ")
        assert "subaccount 9 does not exist" in refused.err
        assert [each["remaining"] for each in (await run("orders", "--json")).lines] == ["3.00"]


async def test_a_look_that_is_not_answered_keeps_no_cancel_back(exchange: Serving, tmp_path: Path) -> None:
    trader, ticker = Trader(exchange, tmp_path), market_of(exchange)
    async with trader.at_once() as run:
        await run("order", "buy", "yes", ticker, "3@0.01", "--yes", "--blind")
        await exchange.control("fail_responses", status=404, count=1_000, path="/portfolio/balance")
        done = await run("cancel", "--all", "--subaccount", "0", "--yes")
        assert "Nothing was canceled" not in done.err
        assert (await run("orders", "--json")).lines == []


async def test_a_locked_key_says_so(exchange: Serving, tmp_path: Path) -> None:
    number = exchange.exchange.subaccounts.create("alice")
    exchange.server.commit()
    await lock(exchange, number)
    trader = Trader(exchange, tmp_path)
    key = tmp_path / "alice.pem"
    key.write_bytes(LOCKED_PEM)
    trader.environment["KALSHI_API_KEY_ID"] = exchange.signers["locked"].key_id
    async with trader.at_once() as run:
        refused = await run("subaccounts")
        assert "locked to one subaccount" in refused.err
        assert (await run("balance")).code == 0
        assert "locked to one subaccount" in (await run("doctor")).out
