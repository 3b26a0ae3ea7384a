"""Both tiers as one: what the library and the commands list, against what the engine knows, while cut-offs move.

docs/kalshi-api.md, section 15.
"""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from kalshi_tui.domain.order import OrderState
from kalshi_tui.kalshi import BadReply, EndpointNotFound, KalshiClient, NotFound, Retry, ServerFault
from kalshi_tui.kalshi.environments import practice_on_port
from tests.support.archive import DAY_MS, control, settled_market, trade
from tests.support.cli_runner import tradable, trading
from tests.support.practice_server import Serving, serving

HOUR_MS = 3_600_000


@pytest.fixture
async def exchange() -> AsyncIterator[Serving]:
    async with serving() as running:
        yield running


@pytest.fixture
async def client(exchange: Serving) -> AsyncIterator[KalshiClient]:
    environment = practice_on_port(exchange.port)
    async with KalshiClient(environment, exchange.signers["alice"], retry=Retry(attempts=1)) as made:
        yield made


def account(exchange: Serving) -> Any:
    """Return alice's account as the engine has it, whatever the endpoints say."""
    return exchange.exchange.ledger.accounts["alice"]


async def trade_for_days(exchange: Serving, days: int) -> str:
    """Buy a little every day, at another price; return the market."""
    ticker = tradable(exchange)
    for day in range(days):
        await trade(exchange, ticker, f"0.{40 + day}00", str(day + 1))
        rests = (await exchange.order(ticker, "bid", "0.0100", "1")).json()["order_id"]
        await exchange.call("DELETE", f"/portfolio/events/orders/{rests}", market_ticker=ticker)
        await control(exchange, "advance_clock", ms=DAY_MS)
    return ticker


async def check_against_the_engine(exchange: Serving, client: KalshiClient, ticker: str) -> None:
    engine = account(exchange)
    fills = await client.fills()
    assert fills.whole
    assert [each.trade_id for each in fills] == [each.trade_id for each in reversed(engine.fills)]
    assert sum(each.fee for each in fills) == sum(each.fee for each in engine.fills) > 0
    orders = await client.orders()
    assert sorted(each.order_id for each in orders) == sorted(engine.orders)
    executed, canceled = await client.orders(status="executed"), await client.orders(status="canceled")
    assert {each.state for each in executed} == {OrderState.FILLED}
    assert {each.state for each in canceled} == {OrderState.CANCELED}
    assert len(executed) + len(canceled) == len(orders)
    assert await client.orders(status="resting") == []
    trades = await client.trades(ticker, most=1_000)
    assert [each.trade_id for each in trades] == [each.trade_id for each in fills]


async def test_moving_cut_offs_lose_and_double_nothing(exchange: Serving, client: KalshiClient) -> None:
    ticker = await trade_for_days(exchange, 6)
    for kind, days, gap_ms in (
        ("", 14, 0),
        ("trades", 3, 0),
        ("trades", 1, -2 * DAY_MS),
        ("orders", 4, 0),
        ("orders", 2, -DAY_MS),
        ("", 0, 0),
    ):
        await control(exchange, "set_cutoff", ms=days * DAY_MS, kind=kind, gap_ms=gap_ms)
        await check_against_the_engine(exchange, client, ticker)
    for order_id in account(exchange).orders:
        expected = [each.trade_id for each in account(exchange).fills if each.order_id == order_id]
        assert [each.trade_id for each in await client.fills(order_id=order_id)] == expected
    newest = [each.trade_id for each in reversed(account(exchange).fills)]
    await control(exchange, "set_cutoff", ms=3 * DAY_MS + HOUR_MS)
    for most in (1, 3, 4, 100):
        assert [each.trade_id for each in await client.fills(most=most)] == newest[:most]
        assert len(await client.orders(most=most)) == min(most, 12)
    event = exchange.exchange.markets.listings[ticker].terms.event_ticker
    assert len(await client.orders(event_ticker=event)) == 12
    assert (
        await client.orders(
            event_ticker=next(each for each in exchange.exchange.markets.events_by_ticker if each != event)
        )
        == []
    )


async def test_what_moves_between_the_two_reads_is_there_once(exchange: Serving, client: KalshiClient) -> None:
    await trade_for_days(exchange, 4)
    handle, moves = exchange.handle_request, 0

    async def moving(request: web.Request, handler: Any) -> web.StreamResponse:
        nonlocal moves
        reply = await handle(request, handler)
        if request.path.startswith("/trade-api/v2/portfolio/"):
            # The live list has been read: a day's worth of it moves before the archive is.
            moves += 1
            exchange.server.archive.after_ms = dict.fromkeys(exchange.server.archive.after_ms, (5 - moves) * DAY_MS)
        return reply

    exchange.handle_request = moving
    for _ in range(4):
        fills = [each.trade_id for each in await client.fills()]
        assert fills == [each.trade_id for each in reversed(account(exchange).fills)]
    assert moves == 4


async def test_a_market_that_settled_long_ago_is_known_with_its_history(
    exchange: Serving, client: KalshiClient
) -> None:
    listing = await settled_market(exchange)
    live = await client.market(listing.ticker)
    before = await client.candles(listing.ticker, minutes=1440)
    await control(exchange, "advance_clock", ms=200 * DAY_MS)
    old = await client.market(listing.ticker)
    assert (old.ticker, old.status, old.close_ms) == (live.ticker, live.status, live.close_ms)
    assert (await client.fees(listing.ticker)).trade_fee(4_000, 100, taker=True)
    candles = await client.candles(listing.ticker, minutes=1440)
    assert before[-1] in candles
    assert sum(each.volume for each in candles) >= 300
    for read in (client.market, client.candles):
        with pytest.raises(NotFound):
            await read("KXNONE")


async def test_an_archive_that_fails_is_no_shorter_list(exchange: Serving, client: KalshiClient) -> None:
    await trade_for_days(exchange, 1)
    await control(exchange, "fail_responses", status=500, count=1_000, path="/historical/")
    for read in (client.fills, client.orders, client.trades):
        with pytest.raises(ServerFault, match="try again in a moment"):
            await read()
    # What is wanted is in the live list: the archive is not asked.
    assert len(await client.fills(most=1)) == 1
    assert await client.orders(status="resting") == []
    await control(exchange, "fail_responses", status=404, count=1_000, path="/historical/")
    with pytest.raises(BadReply, match="archive of fills could not be read"):
        await client.fills()


async def test_without_the_archive_the_live_part_says_that_it_is_one(exchange: Serving, client: KalshiClient) -> None:
    await trade_for_days(exchange, 2)
    await control(exchange, "set_cutoff", ms=DAY_MS + HOUR_MS)
    newest = account(exchange).fills[-1].trade_id
    for status in (500, 404):
        await control(exchange, "fail_responses", status=status, count=1_000, path="/historical/")
        fills = await client.fills(archive_required=False)
        assert [each.trade_id for each in fills] == [newest]
        orders = await client.orders(archive_required=False)
        assert len(orders) == 2
        for found, name in ((fills, "fills"), (orders, "orders")):
            assert not found.whole
            assert [(each.what, each.name) for each in found.left_out] == [("archive", name)]


async def test_a_list_that_is_not_there_says_nothing_of_a_market_or_an_event(
    exchange: Serving, client: KalshiClient
) -> None:
    ticker = await trade_for_days(exchange, 2)
    event = exchange.exchange.markets.listings[ticker].terms.event_ticker
    await control(exchange, "fail_responses", status=404, count=1_000, path="/events/")
    # An event that is not there to read, as that of a combo may be: its orders are listed all the same.
    assert len(await client.orders(event_ticker=event)) == 4
    await control(exchange, "fail_responses", status=404, count=1_000, path="/markets/candlesticks")
    with pytest.raises(EndpointNotFound):
        await client.candles(ticker)
    with pytest.raises(NotFound):
        await client.candles("KXNONE")


@pytest.mark.slow
async def test_where_the_archive_fails_commands_list_the_rest_and_say_so(tmp_path: Path) -> None:
    async with trading(tmp_path) as trader:
        exchange = trader.exchange
        await trade_for_days(exchange, 2)
        await control(exchange, "set_cutoff", ms=DAY_MS + HOUR_MS)
        await control(exchange, "fail_responses", status=404, count=1_000, path="/historical/")
        for command, rows in ((("fills",), 1), (("orders", "--status", "all"), 2)):
            done = await trader.run(*command, "--json")
            assert (done.code, len(done.lines)) == (5, rows), done
            assert f"1 archive could not be read and is left out: {command[0]} (" in done.err
        assert (await trader.run("orders")).code == 0


@pytest.mark.slow
async def test_the_commands_list_both_tiers(tmp_path: Path) -> None:
    async with trading(tmp_path) as trader:
        exchange = trader.exchange
        listing = await settled_market(exchange)
        await control(exchange, "advance_clock", ms=16 * DAY_MS)
        (fill,) = (await trader.json("fills")).lines
        assert fill["trade_id"] == account(exchange).fills[0].trade_id
        listed = (await trader.json("orders", "--status", "all")).lines
        assert {each["order_id"] for each in listed} == set(account(exchange).orders)
        assert (await trader.json("market", listing.ticker)).only["ticker"] == listing.ticker
        assert len((await trader.json("trades", listing.ticker)).lines) == 1
        assert (await trader.json("candles", listing.ticker, "--period", "day")).lines
