"""Settlements are kept on this machine, since the exchange forgets them."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from kalshi_tui.domain.candles import Settlement
from kalshi_tui.kalshi import Retry
from kalshi_tui.kalshi.environments import practice_on_port
from kalshi_tui.kalshi.rest import RestClient
from kalshi_tui.practice.engine.market_outcome import scalar_outcome
from kalshi_tui.session.account import settlements as settlements_module
from kalshi_tui.session.account.list_reads import AccountList
from kalshi_tui.session.account.settlement_file import SETTLEMENTS_FILE, SettlementFile
from kalshi_tui.session.account.settlements import SettlementReader
from kalshi_tui.session.store import Store
from kalshi_tui.ui.lists.settlement_view import settlement_rows
from tests.support.archive import DAY_MS, control, trade
from tests.support.cli_runner import tradable
from tests.support.practice_server import Serving, serving
from tests.support.waiting import until


@pytest.fixture
async def exchange() -> AsyncIterator[Serving]:
    async with serving() as running:
        yield running


async def settle(exchange: Serving) -> str:
    """Trade in a market and settle it and its event; return the market."""
    ticker = tradable(exchange)
    await trade(exchange, ticker, "0.4000", "2")
    event = exchange.exchange.markets.listings[ticker].terms.event_ticker
    for each in exchange.exchange.markets.listings_by_event[event]:
        if not each.settled_ms:
            await control(exchange, "settle", ticker=each.ticker, result="yes")
    return ticker


async def read(exchange: Serving, folder: Path, account: str = "key") -> Store:
    """Let a reader with the file of a folder read once; return its store."""
    store = Store(exchange.clock)
    environment = practice_on_port(exchange.port)
    async with RestClient(environment, exchange.signers["alice"], retry=Retry(attempts=1)) as rest:
        reader = SettlementReader(rest, store, asyncio.sleep, SettlementFile.in_folder(folder, account))
        task = asyncio.create_task(reader.run())
        reader.request_read()
        await until(lambda: store.reads.have(AccountList.SETTLEMENTS))
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        reader.close()
    return store


async def test_what_the_exchange_has_forgotten_is_still_listed(exchange: Serving, tmp_path: Path) -> None:
    first = await settle(exchange)
    (before,) = (await read(exchange, tmp_path)).settlements
    assert (before.ticker, before.yes_count, before.revenue) == (first, 200, 2_000_000)
    assert before.realized == 0
    await control(exchange, "advance_clock", ms=16 * DAY_MS)
    assert (await exchange.call("GET", "/portfolio/settlements")).json()["settlements"] == []
    assert (await read(exchange, tmp_path)).settlements == (before,)
    second = await settle(exchange)
    listed = (await read(exchange, tmp_path)).settlements
    assert [each.ticker for each in listed] == [second, first]
    # Another key's account has its own.
    assert [each.ticker for each in (await read(exchange, tmp_path, "other")).settlements] == [second]
    assert (tmp_path / SETTLEMENTS_FILE).stat().st_mode & 0o777 == 0o600


async def test_the_first_read_and_one_after_a_gap_go_back_to_the_first(
    exchange: Serving, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settlements_module, "MAX_SETTLEMENTS", 1)
    tickers = [await settle(exchange) for _ in range(3)]
    assert [each.ticker for each in (await read(exchange, tmp_path)).settlements] == tickers[::-1]
    tickers += [await settle(exchange) for _ in range(2)]
    assert [each.ticker for each in (await read(exchange, tmp_path)).settlements] == tickers[::-1]


async def test_a_damaged_row_costs_itself_and_is_told(exchange: Serving, tmp_path: Path) -> None:
    tickers = []
    for _ in range(2):
        tickers.append(await settle(exchange))
        await read(exchange, tmp_path)
    await control(exchange, "advance_clock", ms=16 * DAY_MS)
    for damage in (b"\xa5\xa5", b'{"ticker": 1}', None, "text"):
        with closing(sqlite3.connect(tmp_path / SETTLEMENTS_FILE)) as file, file:
            file.execute("PRAGMA ignore_check_constraints = ON")
            file.execute("UPDATE settlements SET body = ? WHERE ticker = ?", (damage or b"", tickers[0]))
        store = await read(exchange, tmp_path)
        assert [each.ticker for each in store.settlements] == [tickers[1]]
        assert [each.text for each in store.notices] == [
            "Settlements kept on this machine that could not be read and are left out: 1."
        ]


async def test_a_file_that_cannot_be_used_costs_the_keeping_alone(exchange: Serving, tmp_path: Path) -> None:
    ticker = await settle(exchange)
    (tmp_path / SETTLEMENTS_FILE).write_bytes(b"\xa5" * 20_000)
    store = await read(exchange, tmp_path)
    assert [each.ticker for each in store.settlements] == [ticker]
    (told,) = [each.text for each in store.notices]
    assert told.startswith("Settlements cannot be kept in ")
    assert told.endswith("if it is damaged, move it away.")
    assert (tmp_path / SETTLEMENTS_FILE).read_bytes() == b"\xa5" * 20_000


def test_the_latest_word_on_a_market_counts(tmp_path: Path) -> None:
    paid = Settlement("KXA-1", "KXA", "yes", 100, 0, 400_000, 0, 1_000_000, 17_000, 10_000, 1_700_000_000_000, 3)
    with closing(SettlementFile.in_folder(tmp_path, "key")) as file:
        file.add(3, [paid])
        amended = Settlement("KXA-1", "KXA", "no", 100, 0, 400_000, 0, 0, 17_000, 0, 1_700_000_100_000, 3)
        file.add(3, [amended])
        assert file.load(3) == [amended]
        assert file.load(0) == []


async def test_a_payout_that_is_finer_than_cents_is_exact_where_the_value_is_known(
    exchange: Serving, tmp_path: Path
) -> None:
    first, second = tradable(exchange), tradable(exchange, 1)
    for ticker, count in ((first, "7.77"), (second, "0.50")):
        await exchange.order(ticker, "ask", "0.4000", count, who="bob")
        assert (await exchange.order(ticker, "bid", "0.4000", count)).json()["fill_count"] == count
    cash = exchange.exchange.queries.balance("alice").total
    exchange.exchange.results.settle(first, scalar_outcome(5_000))
    paid = exchange.exchange.queries.balance("alice").total - cash
    exchange.exchange.results.settle(second, scalar_outcome(5_050))
    sent = (await exchange.call("GET", "/portfolio/settlements")).json()["settlements"]
    assert {each["ticker"]: each["revenue"] for each in sent} == {first: 388, second: 25}
    found = {each.ticker: each for each in (await read(exchange, tmp_path)).settlements}
    assert (found[first].revenue, found[first].yes_value, found[first].is_rounded) == (paid, 5_000, False)
    assert paid == 3_885_000
    # The settlement says 50 cents, the market 50.5.
    assert (found[second].revenue, found[second].yes_value, found[second].is_rounded) == (252_500, 5_050, False)
    # The market has gone, and what is kept of it is still exact.
    exchange.handle_request = refusing(exchange.handle_request, "/markets/")
    assert {each.ticker: each for each in (await read(exchange, tmp_path)).settlements} == found
    # Where nobody knows the value, cents are all there is, and they say so.
    rounded = {each.ticker: each for each in (await read(exchange, tmp_path, "other")).settlements}
    assert [(each.revenue, each.is_rounded) for each in (rounded[first], rounded[second])] == [
        (3_880_000, True),
        (250_000, True),
    ]
    store = Store(exchange.clock)
    store.account.set_settlements([found[first], rounded[second]])
    drawn = ["".join(span.text for span in each) for _, each in settlement_rows(store, 140)]
    assert any("$3.885 " in each for each in drawn), drawn
    assert any("~$0.25" in each for each in drawn), drawn
    assert "~" in drawn[-1]


def refusing(handle: Any, part: str) -> Any:
    """Return a handler that knows nothing of paths with this part."""

    async def refuse(request: web.Request, handler: Any) -> web.StreamResponse:
        if part in request.path:
            return web.json_response({"error": {"code": "not_found", "message": "not found"}}, status=404)
        reply: web.StreamResponse = await handle(request, handler)
        return reply

    return refuse


def test_a_payout_that_is_not_that_of_what_was_held_stays_as_it_was_sent() -> None:
    paid = Settlement("KXA-1", "KXA", "scalar", 777, 0, 400_000, 0, 3_000_000, 0, 5_000, 1, is_rounded=True)
    assert paid.with_exact_value(5_000) == paid
