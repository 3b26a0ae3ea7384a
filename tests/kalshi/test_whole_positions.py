"""Positions of both tiers as one list, against what the engine knows, while events move into the archive.

docs/kalshi-api.md, section 15.
"""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from kalshi_tui.domain.position import Position
from kalshi_tui.domain.price import parse_money
from kalshi_tui.kalshi import BadReply, KalshiClient, Retry, ServerFault
from kalshi_tui.kalshi.environments import practice_on_port
from kalshi_tui.practice.engine.list_filter import ListFilter
from kalshi_tui.practice.server import rest_archive
from tests.support.archive import DAY_MS, control, settled_market, trade
from tests.support.cli_runner import tradable, trading
from tests.support.practice_server import Serving, serving, spoiled


@pytest.fixture
async def exchange() -> AsyncIterator[Serving]:
    async with serving() as running:
        yield running


@pytest.fixture
async def client(exchange: Serving) -> AsyncIterator[KalshiClient]:
    environment = practice_on_port(exchange.port)
    async with KalshiClient(environment, exchange.signers["alice"], retry=Retry(attempts=1)) as made:
        yield made


async def positions_of_each_kind(exchange: Serving) -> tuple[str, str, str]:
    """Return a market that settled, one whose position was closed with a gain, and one in which something is held."""
    settled = (await settled_market(exchange)).ticker
    event = exchange.exchange.markets.listings[settled].terms.event_ticker
    others = [tradable(exchange, number) for number in range(40)]
    listings = exchange.exchange.markets.listings
    closed, held = [each for each in others if listings[each].terms.event_ticker != event][:2]
    await trade(exchange, closed, "0.4000", "5")
    await exchange.order(closed, "bid", "0.4500", "5", who="bob")
    assert (await exchange.order(closed, "ask", "0.4500", "5")).json()["fill_count"] == "5.00"
    await trade(exchange, held, "0.3000", "2")
    return settled, closed, held


def expected(exchange: Serving, subaccount: int = 0) -> dict[tuple[str, int], tuple[Any, ...]]:
    """Return what the engine knows of alice's positions, whatever the endpoints say."""
    queries, wanted = exchange.exchange.queries, ListFilter(subaccount=subaccount)
    kinds = ((False, queries.positions("alice", wanted)), (True, queries.settled_positions("alice", wanted)))
    return {
        (each.ticker, subaccount): (each.count, each.realized_pnl, each.fees_paid, each.total_traded, is_settled)
        for is_settled, found in kinds
        for each in found
    }


def by_key(found: list[Position]) -> dict[tuple[str, int], tuple[Any, ...]]:
    assert len({each.key for each in found}) == len(found), "a position is there twice"
    return {
        each.key: (each.count, each.realized_pnl, each.fees_paid, each.total_traded, each.is_settled) for each in found
    }


async def test_moving_cut_offs_lose_and_double_no_position(exchange: Serving, client: KalshiClient) -> None:
    settled, closed, held = await positions_of_each_kind(exchange)
    truth = expected(exchange)
    assert {ticker for ticker, _ in truth} == {settled, closed, held}
    assert truth[closed, 0][:2] == (0, 250_000)
    await control(exchange, "advance_clock", ms=DAY_MS)
    # In the live list of settled ones, in both tiers, in the archive alone.
    for days, gap_ms in ((14, 0), (0, -2 * DAY_MS), (0, 0)):
        await control(exchange, "set_cutoff", ms=days * DAY_MS, kind="positions", gap_ms=gap_ms)
        found = await client.positions()
        assert found.whole
        assert by_key(found) == truth
        assert sum(each.realized_pnl for each in found) == sum(each[1] for each in truth.values())
        assert by_key(await client.positions(ticker=settled)) == {(settled, 0): truth[settled, 0]}
        event = exchange.exchange.markets.listings[settled].terms.event_ticker
        assert [each.ticker for each in await client.positions(event_ticker=event)] == [settled]
        assert [each.ticker for each in await client.positions(status="settled")] == [settled]
        unsettled = await client.positions(status="unsettled")
        assert {each.ticker for each in unsettled} == {closed, held}
        assert [each.ticker for each in unsettled if each.is_held] == [held]
    assert await client.positions(ticker="KXNONE") == []


async def test_what_moves_between_the_reads_is_there_once(exchange: Serving, client: KalshiClient) -> None:
    settled, closed, held = await positions_of_each_kind(exchange)
    await control(exchange, "advance_clock", ms=DAY_MS)
    # What is held settles once it has been read as held, and its event moves once its market has settled.
    handle, asked = exchange.handle_request, 0
    truth = expected(exchange)

    async def moving(request: web.Request, handler: Any) -> web.StreamResponse:
        nonlocal asked
        reply = await handle(request, handler)
        if request.path.endswith("/portfolio/positions"):
            asked += 1
            archive = exchange.server.archive
            archive.after_ms = dict.fromkeys(archive.after_ms, 0)
        return reply

    exchange.handle_request = moving
    assert by_key(await client.positions()) == truth
    exchange.handle_request = handle
    assert asked == 2
    exchange.server.archive.after_ms = dict.fromkeys(exchange.server.archive.after_ms, 14 * DAY_MS)

    async def settling(request: web.Request, handler: Any) -> web.StreamResponse:
        reply = await handle(request, handler)
        if request.path.endswith("/portfolio/positions") and "settlement_status" not in request.query:
            await control(exchange, "settle", ticker=held, result="yes")
        return reply

    exchange.handle_request = settling
    found = {each.ticker: each for each in await client.positions()}
    assert set(found) == {settled, closed, held}
    assert found[held].is_held, "read live first, and that counts"


async def test_each_subaccount_has_its_own(exchange: Serving, client: KalshiClient) -> None:
    number = await client.create_subaccount()
    listing = await settled_market(exchange)
    other = next(
        each
        for each in (tradable(exchange, number) for number in range(40))
        if exchange.exchange.markets.listings[each].terms.event_ticker != listing.terms.event_ticker
    )
    await exchange.order(other, "ask", "0.0200", "4", who="bob")
    exchange.exchange.ledger.subaccount("alice", number).cash[0] += 1_000_000
    exchange.exchange.ledger.subaccount("alice", 0).cash[0] -= 1_000_000
    assert (await client.place_order(other, "yes", "buy", "0.02", "4", subaccount=number)).filled == 400
    await control(exchange, "advance_clock", ms=20 * DAY_MS)
    assert by_key(await client.positions(subaccount=number)) == expected(exchange, number)
    assert [each.key for each in await client.positions(subaccount=number)] == [(other, number)]
    assert [each.key for each in await client.positions()] == [(listing.ticker, 0)]


async def test_an_archive_that_fails_is_no_shorter_list_and_stops_no_order(
    exchange: Serving, client: KalshiClient
) -> None:
    _, _, held = await positions_of_each_kind(exchange)
    await control(exchange, "advance_clock", ms=20 * DAY_MS)
    for status, error in ((500, ServerFault), (404, BadReply)):
        await control(exchange, "fail_responses", status=status, count=1_000, path="/historical/")
        with pytest.raises(error):
            await client.positions()
        # What is held, and the look before an order, have no need of the archive.
        assert [each.ticker for each in await client.positions(status="unsettled") if each.is_held] == [held]
        dry = await client.preview_order(held, "yes", "sell", "0.30", "1")
        assert dry.figures.projection.after.count == 100


async def test_an_odd_item_of_any_of_the_lists_is_told(
    exchange: Serving, client: KalshiClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    settled, closed, held = await positions_of_each_kind(exchange)
    await control(exchange, "advance_clock", ms=20 * DAY_MS)

    def spoil(content: dict[str, Any]) -> None:
        for item in content.get("market_positions") or ():
            item["position_fp"] = None

    spoiled(monkeypatch, rest_archive, spoil)
    found = await client.positions()
    assert {each.ticker for each in found} == {closed, held}
    assert [(each.what, each.name) for each in found.left_out] == [("position", settled)]


@pytest.mark.slow
async def test_the_command_lists_what_is_held_or_what_was(tmp_path: Path) -> None:
    async with trading(tmp_path) as trader:
        exchange = trader.exchange
        settled, closed, held = await positions_of_each_kind(exchange)
        await control(exchange, "advance_clock", ms=16 * DAY_MS)
        truth = expected(exchange)
        assert [each["ticker"] for each in (await trader.json("positions")).lines] == [held]
        gone = (await trader.json("positions", "--status", "closed")).lines
        states = {each["ticker"]: (each["state"], each["side"], each["count"]) for each in gone}
        assert states == {settled: ("settled", None, "0.00"), closed: ("closed", None, "0.00")}
        everything = (await trader.json("positions", "--status", "all")).lines
        assert [each["ticker"] for each in everything] == [held, *sorted([settled, closed])]
        gained = sum(parse_money(each["realized_pnl"]) for each in everything)
        assert gained == sum(each[1] for each in truth.values())
        # The market of one is in the archive too, and is named all the same.
        listings = exchange.exchange.markets.listings
        assert not exchange.server.archive.has_live_market(listings[settled])
        table = (await trader.run("positions", "--status", "all")).out
        for line in table.splitlines()[1:]:
            terms = next(listings[each].terms for each in (settled, closed, held) if line.startswith(f"{each} "))
            assert terms.yes_sub_title in line.partition(terms.ticker)[2], line
        one = (await trader.json("positions", "--status", "all", "--ticker", settled)).only
        assert one["market"].endswith(listings[settled].terms.yes_sub_title)
        words = {"STATE", "held", "closed", "settled"}
        found = [next(word for word in line.split() if word in words) for line in table.splitlines()]
        assert found == ["STATE", "held", *[states[each][0] for each in sorted(states)]]
        for status in (404, 500):
            await control(exchange, "fail_responses", status=status, count=1_000, path="/historical/")
            done = await trader.run("positions", "--status", "all", "--json")
            assert (done.code, len(done.lines)) == (5, 2), done
            assert "1 archive could not be read and is left out: positions (" in done.err
            done = await trader.run("positions")
            assert (done.code, held in done.out) == (0, True)
