"""``book --watch``: every change is told, a doubtful book says so, and it ends cleanly however it ends."""

import asyncio
import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pexpect
import pytest

from kalshi_tui.domain.book import Side
from kalshi_tui.practice.engine.events import BookChanged
from tests.support.cli_process import spawned
from tests.support.cli_runner import (
    ROOT,
    WITHIN_S,
    ended,
    tradable,
    trading,
    validator,
)


async def next_line(process: asyncio.subprocess.Process) -> Any:
    assert process.stdout is not None
    async with asyncio.timeout(WITHIN_S):
        line = json.loads(await process.stdout.readline())
    validator("book").validate(line)
    return line


async def test_each_change_is_a_line_and_a_doubtful_book_is_stale(tmp_path: Path) -> None:
    async with trading(tmp_path) as trader:
        ticker = tradable(trader.exchange)
        process = await trader.start("book", ticker, "--watch", "--json")
        first = await next_line(process)
        assert (first["trust"], first["yes_bids"], first["why"]) == ("good", [], "")
        await trader.exchange.order(ticker, "bid", "0.4000", "3.00", who="bob")
        second = await next_line(process)
        assert second["yes_bids"] == [{"price": "0.4000", "count": "3.00"}]
        assert (second["yes_bid"], second["yes_ask"], second["spread"]) == ("0.4000", None, None)
        assert second["ts_ms"]
        await trader.exchange.control("drop_connections")
        stale = await next_line(process)
        assert (stale["trust"], stale["yes_bids"]) == ("stale", second["yes_bids"])
        assert stale["why"]
        again = await next_line(process)
        while again["trust"] != "good":
            again = await next_line(process)
        assert again["yes_bids"] == second["yes_bids"]
        done = await ended(process, signal.SIGINT)
        assert done.code == 130
        assert json.loads(done.err)["error"]["code"] == "interrupted"


async def test_a_book_that_stays_crossed_is_stale_and_comes_back(tmp_path: Path) -> None:
    async with trading(tmp_path) as trader:
        ticker = tradable(trader.exchange)
        await trader.exchange.order(ticker, "bid", "0.4000", "3.00", who="bob")
        await trader.exchange.order(ticker, "ask", "0.4500", "3.00", who="bob")
        process = await trader.start("book", ticker, "--watch", "--json")
        first = await next_line(process)
        assert (first["trust"], first["spread"]) == ("good", "0.0500")
        change = BookChanged(ticker, Side.YES, 5_000, 100, trader.exchange.clock())
        trader.exchange.server.hub.publish([change])
        assert (await next_line(process))["yes_bid"] == "0.5000"
        stale = await next_line(process)
        assert (stale["trust"], stale["why"]) == ("stale", f"The book of {ticker} stays crossed.")
        again = await next_line(process)
        while again["trust"] != "good":
            again = await next_line(process)
        assert again["yes_bids"] == first["yes_bids"]
        await ended(process, signal.SIGINT)


async def test_text_that_is_piped_has_no_escapes(tmp_path: Path) -> None:
    async with trading(tmp_path) as trader:
        ticker = tradable(trader.exchange)
        await trader.exchange.order(ticker, "ask", "0.6000", "15.00", who="bob")
        process = await trader.start("book", ticker, "--watch")
        assert process.stdout is not None
        async with asyncio.timeout(WITHIN_S):
            text = (await process.stdout.readuntil(b"\n\n")).decode()
        assert "GOOD" in text
        assert "0.60" in text
        assert "\x1b" not in text
        done = await ended(process, signal.SIGINT)
        assert (done.code, done.err) == (130, "")


async def test_a_reader_who_has_enough_ends_it(tmp_path: Path) -> None:
    async with trading(tmp_path) as trader:
        ticker = tradable(trader.exchange)
        command = [sys.executable, *trader.command("book", ticker, "--watch", "--json")]
        first = await asyncio.create_subprocess_exec(
            *command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=trader.environment, cwd=ROOT
        )
        assert first.stdout is not None
        assert first.stderr is not None
        async with asyncio.timeout(WITHIN_S):
            await first.stdout.readline()
            # The other end of the pipe is closed, as head closes it; nothing more need change for that to be noticed.
            first._transport.get_pipe_transport(1).close()  # type: ignore[attr-defined]  # asyncio has no other way
            said = await first.stderr.read()
            assert await first.wait() == 0
        assert said == b""


async def test_a_market_that_is_not_there(tmp_path: Path) -> None:
    async with trading(tmp_path) as trader:
        done = await trader.run("book", "NO-SUCH", "--watch", "--json")
        assert done.code == 4
        assert done.error["code"] == "not_found"


async def test_a_key_that_the_stream_refuses_is_a_failure(tmp_path: Path) -> None:
    async with trading(tmp_path) as trader:
        trader.environment["KALSHI_API_KEY_ID"] = "key-of-nobody"
        done = await trader.run("book", tradable(trader.exchange), "--watch", "--json")
        assert done.code == 1
        assert done.error["code"] in {"refused", "authentication"}


@pytest.mark.terminal
async def test_on_a_terminal_it_is_drawn_in_place(tmp_path: Path) -> None:
    async with trading(tmp_path) as trader:
        ticker = tradable(trader.exchange)
        for price in range(10, 40):
            await trader.exchange.order(ticker, "bid", f"0.{price}00", "1.00", who="bob")

        def watched() -> str:
            child = spawned(trader, "book", ticker, "--watch", "--depth", "30")
            child.expect("GOOD")
            # Thirty levels have no room in twelve rows: what left the screen at the top could not be drawn over.
            child.expect(r"0\.39")
            asyncio.run_coroutine_threadsafe(
                trader.exchange.order(ticker, "bid", "0.4000", "7.00", who="bob"), loop
            ).result(WITHIN_S)
            child.expect(r"0\.40")
            drawn = str(child.before)
            child.sendintr()
            child.expect(pexpect.EOF)
            child.close()
            assert child.exitstatus == 130
            return drawn

        loop = asyncio.get_running_loop()
        drawn = await asyncio.to_thread(watched)
        assert "\x1b[11A" in drawn or "\x1b[10A" in drawn
        assert "\x1b[J" in drawn
        assert "0.10" not in drawn
