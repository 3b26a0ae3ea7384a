"""The client's reads of the archive against the practice exchange (docs/kalshi-api.md, sections 15 and 24)."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from kalshi_tui.domain.order import OrderState
from kalshi_tui.kalshi import BadReply, NotFound, Retry, ServerFault
from kalshi_tui.kalshi.environments import practice_on_port
from kalshi_tui.kalshi.lists import Reading
from kalshi_tui.kalshi.rest import RestClient
from kalshi_tui.practice.server import rest_archive
from tests.support.archive import DAY_MS, settled_market
from tests.support.practice_server import Serving, serving, spoiled


@pytest.fixture
async def exchange() -> AsyncIterator[Serving]:
    async with serving() as running:
        yield running


@pytest.fixture
async def rest(exchange: Serving) -> AsyncIterator[RestClient]:
    environment = practice_on_port(exchange.port)
    async with RestClient(environment, exchange.signers["alice"], retry=Retry(attempts=1)) as made:
        yield made


def lists_of(rest: RestClient) -> dict[str, Reading[Any]]:
    archive = rest.archive
    return {
        "orders": archive.orders(),
        "fills": archive.fills(),
        "trades": archive.trades(),
        "markets": archive.markets(),
        "positions": archive.positions(),
    }


async def test_every_list_of_the_archive_is_read_and_one_odd_item_costs_that_item(
    exchange: Serving, rest: RestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    listing = await settled_market(exchange)
    before = await rest.archive.cutoffs()
    live: dict[str, list[Any]] = {
        "orders": await rest.orders(),
        "fills": await rest.fills(),
        "trades": await rest.trades(listing.ticker),
    }
    exchange.clock.advance(15 * DAY_MS)
    await exchange.control("advance_clock", ms=0)
    after = await rest.archive.cutoffs()
    for name in ("orders_ms", "trades_ms", "markets_ms", "positions_ms"):
        assert getattr(after, name) - getattr(before, name) >= 15 * DAY_MS
    found = {name: [each async for each in reading] for name, reading in lists_of(rest).items()}
    for name, seen in live.items():
        assert len(seen) > 0
        assert [each for each in found[name] if each in seen] == seen, name
    assert {each.state for each in found["orders"]} == {OrderState.FILLED, OrderState.CANCELED}
    assert [each.ticker for each in found["positions"]] == [listing.ticker]
    assert listing.ticker in {each.ticker for each in found["markets"]}
    assert (await rest.archive.market(listing.ticker)).ticker == listing.ticker
    now_s = exchange.clock() // 1_000
    candles = await rest.archive.candles(listing.ticker, now_s - 20 * 86_400, now_s, minutes=1440)
    assert sum(each.volume for each in candles) >= 300
    assert [each async for each in rest.archive.fills(max_s=1)] == []
    with pytest.raises(NotFound):
        await rest.archive.market("KXNONE")

    def spoil(content: dict[str, Any]) -> None:
        for name in ("orders", "fills", "trades", "markets", "market_positions"):
            for item in (content.get(name) or ())[:1]:
                item["ticker"] = None

    spoiled(monkeypatch, rest_archive, spoil)
    for name, reading in lists_of(rest).items():
        rest_of_it = [each async for each in reading]
        assert rest_of_it == found[name][1:]
        assert (len(reading.left_out), reading.whole) == (1, False), name


async def test_an_archive_that_fails_is_an_error_of_every_read(exchange: Serving, rest: RestClient) -> None:
    await exchange.control("fail_responses", status=500, count=1_000, path="/historical/")
    for reading in lists_of(rest).values():
        with pytest.raises(ServerFault, match="try again in a moment"):
            _ = [each async for each in reading]
    for one in (rest.archive.cutoffs(), rest.archive.market("KXA"), rest.archive.candles("KXA", 0, 1)):
        with pytest.raises(ServerFault, match="try again in a moment"):
            await one


async def test_cut_offs_that_are_missing_are_unknown_and_odd_ones_are_an_error(
    rest: RestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def drop(content: dict[str, Any]) -> None:
        del content["market_positions_last_updated_ts"]
        content["orders_updated_ts"] = None

    spoiled(monkeypatch, rest_archive, drop)
    told = await rest.archive.cutoffs()
    assert (told.orders_ms, told.positions_ms) == (None, None)
    assert told.trades_ms
    monkeypatch.undo()
    spoiled(monkeypatch, rest_archive, lambda content: content.update(trades_created_ts="yesterday"))
    with pytest.raises(BadReply):
        await rest.archive.cutoffs()
