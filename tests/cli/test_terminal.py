"""What commands are like for a person at a terminal: a question before anything is sent, colors, a bar, widths."""

import asyncio
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pexpect
import pytest
from aiohttp import web

from tests.support.cli_process import spawned
from tests.support.cli_runner import tradable, trading

pytestmark = pytest.mark.terminal
SGR = re.compile(r"\x1b\[[0-9;]*m")


async def typed(work: Callable[[], Any]) -> Any:
    """Do what waits for a terminal, while the exchange goes on."""
    return await asyncio.to_thread(work)


@pytest.mark.quick_cases("y-0-1", "n-1-0")
@pytest.mark.parametrize(
    ("answer", "code", "orders"), [("y", 0, 1), ("yes", 0, 1), ("n", 1, 0), ("", 1, 0), ("\x04", 1, 0)]
)
async def test_it_asks_before_it_sends(tmp_path: Path, answer: str, code: int, orders: int) -> None:
    async with trading(tmp_path) as trader:
        ticker = tradable(trader.exchange)

        def work() -> str:
            child = spawned(trader, "order", "buy", "yes", ticker, "2@0.40")
            child.expect("Worst loss")
            child.expect(r"PRACTICE: buy YES 2 at 0\.40 in .*Send this order\? \[y/N\] ")
            child.send(answer if answer == "\x04" else f"{answer}\r")
            child.expect(pexpect.EOF)
            child.close()
            assert child.exitstatus == code
            return str(child.before)

        said = await typed(work)
        assert len(list(trader.exchange.exchange.queries.orders("alice"))) == orders
        assert (f"Resting: buy YES 2 at 0.40 in {ticker}." if orders else "nothing was sent.") in said


@pytest.mark.parametrize(("answer", "orders"), [("y", 0), ("live", 0), ("LIVE", 1)])
async def test_real_money_takes_the_word(tmp_path: Path, answer: str, orders: int) -> None:
    async with trading(tmp_path) as trader:
        ticker = tradable(trader.exchange)

        def work() -> None:
            child = spawned(trader, "order", "buy", "yes", ticker, "2@0.40", "--env", "live")
            child.expect("type LIVE to go on: ")
            child.sendline(answer)
            child.expect(pexpect.EOF)
            child.close()
            assert child.exitstatus == (0 if orders else 1)

        await typed(work)
        assert len(list(trader.exchange.exchange.queries.orders("alice"))) == orders


# Ctrl+D behind a letter hands on what was typed without ending the line: the read waits for the rest.
@pytest.mark.parametrize("typed_first", ["", "ye", "ye\x04"])
async def test_ctrl_c_at_the_question_sends_nothing(tmp_path: Path, typed_first: str) -> None:
    async with trading(tmp_path) as trader:
        ticker = tradable(trader.exchange)

        def work() -> None:
            child = spawned(trader, "cancel", "--all")
            child.expect(r"Cancel all orders of all subaccounts\? \[y/N\] ")
            child.send(typed_first)
            time.sleep(0.3)
            child.sendintr()
            child.expect(pexpect.EOF)
            child.close()
            assert child.exitstatus == 130
            assert "Traceback" not in str(child.before)

        await trader.exchange.order(ticker, "bid", "0.1000", "1.00")
        await typed(work)
        (order,) = trader.exchange.exchange.queries.orders("alice")
        assert order.remaining


@pytest.mark.slow
@pytest.mark.parametrize(
    "command",
    [
        ("order", "buy", "yes", "TICKER", "2@0.40"),
        ("amend", "ORDER", "1@0.09"),
        ("cancel", "ORDER"),
        ("allocation", "0=100"),
        ("transfer", "1", "--from", "0", "--to", "1"),
        ("subaccounts", "create"),
        ("subaccounts", "transfer", "1", "--from", "0", "--to", "1"),
    ],
    ids=lambda command: "-".join(each for each in command[:2] if each.islower()),
)
async def test_ctrl_c_ends_each_question(tmp_path: Path, command: tuple[str, ...]) -> None:
    async with trading(tmp_path) as trader:
        ticker = tradable(trader.exchange)
        await trader.exchange.order(ticker, "bid", "0.1000", "2.00")
        (order,) = trader.exchange.exchange.queries.orders("alice")
        names = {"TICKER": ticker, "ORDER": order.order_id}

        def work() -> None:
            child = spawned(trader, *(names.get(each, each) for each in command))
            child.expect(r"\[y/N\] ")
            child.send("ye\x04")
            time.sleep(0.3)
            child.sendintr()
            child.expect(pexpect.EOF)
            child.close()
            assert child.exitstatus == 130
            assert "Traceback" not in str(child.before)

        await typed(work)
        assert [each.order_id for each in trader.exchange.exchange.queries.orders("alice")] == [order.order_id]


@pytest.mark.parametrize("no_color", ["", "1"])
async def test_colors_are_for_terminals_and_only_where_wanted(tmp_path: Path, no_color: str) -> None:
    async with trading(tmp_path) as trader:
        trader.environment["NO_COLOR"] = no_color

        def work() -> str:
            child = spawned(trader, "markets", "--limit", "3")
            child.expect(pexpect.EOF)
            child.close()
            assert child.exitstatus == 0
            return str(child.before)

        said = await typed(work)
        assert bool(SGR.search(said)) is not bool(no_color)
        assert all(len(SGR.sub("", line)) <= 80 for line in said.splitlines())
        assert "…" in said


async def test_what_takes_longer_than_a_second_shows_a_bar(tmp_path: Path) -> None:
    async with trading(tmp_path) as trader:
        seen = asyncio.Event()
        troubled = trader.exchange.handle_request
        loop = asyncio.get_running_loop()

        async def slow(request: web.Request, handler: Any) -> web.StreamResponse:
            if request.path.endswith("/events"):
                async with asyncio.timeout(30):
                    await seen.wait()
            return await troubled(request, handler)

        trader.exchange.handle_request = slow  # the list waits for the bar

        def work() -> None:
            child = spawned(trader, "markets", "--limit", "3", "--json")
            child.expect("Reading markets")
            loop.call_soon_threadsafe(seen.set)
            child.expect('{"ticker"')
            child.expect(pexpect.EOF)
            child.close()
            assert child.exitstatus == 0

        await typed(work)
