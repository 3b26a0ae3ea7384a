"""The historical tier of the practice exchange: what moves there and when, and the fields of its replies.

docs/kalshi-api.md, section 15.
"""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from kalshi_tui.practice.server.archive_tier import HANDOFF_DELAY_MS
from tests.support.archive import DAY_MS, control, settled_market, trade
from tests.support.cli_runner import tradable
from tests.support.practice_alone import Alone
from tests.support.practice_server import PREFIX, Serving, serving

CUTOFF_FIELDS = {
    "market_settled_ts",
    "trades_created_ts",
    "orders_updated_ts",
    "market_positions_last_updated_ts",
}
BAR_FIELDS = {"open", "low", "high", "close"}
CANDLE_FIELDS = {"end_period_ts", "yes_bid", "yes_ask", "price", "volume", "open_interest"}


@pytest.fixture
async def exchange() -> AsyncIterator[Serving]:
    async with serving() as running:
        yield running


async def read(exchange: Serving, path: str, name: str, **query: Any) -> list[Any]:
    reply = await exchange.call("GET", path, **query)
    assert reply.status_code == 200, reply.text
    return list(reply.json()[name])


async def live(exchange: Serving, listing: Any) -> dict[str, list[Any]]:
    """Return what the live endpoints have of a market and of alice in it."""
    ticker = listing.ticker
    path = f"/series/{listing.terms.series_ticker}/markets/{ticker}/candlesticks"
    history = await exchange.call("GET", path, **whole_history(exchange))
    return {
        "markets": await read(exchange, "/markets", "markets", tickers=ticker),
        "orders": await read(exchange, "/portfolio/orders", "orders", ticker=ticker),
        "fills": await read(exchange, "/portfolio/fills", "fills", ticker=ticker),
        "trades": await read(exchange, "/markets/trades", "trades", ticker=ticker),
        "positions": await read(
            exchange, "/portfolio/positions", "market_positions", ticker=ticker, settlement_status="settled"
        ),
        "candles": history.json()["candlesticks"] if history.status_code == 200 else [],
    }


async def archived(exchange: Serving, listing: Any) -> dict[str, list[Any]]:
    """Return the same of the archive."""
    ticker = listing.ticker
    path = f"/historical/markets/{ticker}/candlesticks"
    history = await exchange.call("GET", path, **whole_history(exchange))
    return {
        "markets": await read(exchange, "/historical/markets", "markets", tickers=ticker),
        "orders": await read(exchange, "/historical/orders", "orders", ticker=ticker),
        "fills": await read(exchange, "/historical/fills", "fills", ticker=ticker),
        "trades": await read(exchange, "/historical/trades", "trades", ticker=ticker),
        "positions": await read(exchange, "/historical/positions", "market_positions", ticker=ticker),
        "candles": history.json()["candlesticks"] if history.status_code == 200 else [],
    }


def whole_history(exchange: Serving) -> dict[str, Any]:
    now_s = exchange.clock() // 1_000
    return {"start_ts": now_s - 200 * 86_400, "end_ts": now_s + 86_400, "period_interval": 1440}


async def test_each_kind_leaves_the_live_lists_whole_and_unchanged_at_its_own_cut_off(exchange: Serving) -> None:
    listing = await settled_market(exchange)
    await control(exchange, "advance_clock", ms=2 * DAY_MS)
    before = await live(exchange, listing)
    assert {name: len(found) for name, found in before.items() if name != "candles"} == {
        "markets": 1, "orders": 2, "fills": 1, "trades": 1, "positions": 1,
    }  # fmt: skip
    assert before["candles"]
    assert not any((await archived(exchange, listing)).values())
    moved = {
        "markets": ("markets", "candles"),
        "orders": ("orders",),
        "trades": ("trades", "fills"),
        "positions": ("positions",),
    }
    gone: set[str] = set()
    old: dict[str, list[Any]] = {}
    for kind, names in moved.items():
        await control(exchange, "set_cutoff", ms=DAY_MS, kind=kind)
        gone |= set(names)
        now, old = await live(exchange, listing), await archived(exchange, listing)
        for name in before:
            assert bool(now[name]) == (name not in gone), (kind, name)
            assert bool(old[name]) == (name in gone), (kind, name)
            if name != "candles":
                assert (old if name in gone else now)[name] == before[name]
    candle = old["candles"][-1]
    assert set(candle) == CANDLE_FIELDS
    assert set(candle["yes_bid"]) == set(candle["yes_ask"]) == BAR_FIELDS
    assert set(candle["price"]) == {*BAR_FIELDS, "mean", "previous"}
    as_live = before["candles"][-1]
    assert (candle["volume"], candle["open_interest"]) == (as_live["volume_fp"], as_live["open_interest_fp"])
    assert candle["price"]["close"] == as_live["price"]["close_dollars"]
    assert candle["yes_bid"] == {name.removesuffix("_dollars"): text for name, text in as_live["yes_bid"].items()}


async def test_two_weeks_of_the_exchanges_clock_move_everything(exchange: Serving) -> None:
    listing = await settled_market(exchange)
    first = await exchange.get("/historical/cutoff")
    assert set(first) == CUTOFF_FIELDS
    settlements = await read(exchange, "/portfolio/settlements", "settlements")
    assert [each["ticker"] for each in settlements] == [listing.ticker]
    await control(exchange, "advance_clock", ms=14 * DAY_MS + HANDOFF_DELAY_MS + 60_000)
    moved = await exchange.get("/historical/cutoff")
    assert all(moved[name] > first[name] for name in CUTOFF_FIELDS)
    assert not any((await live(exchange, listing)).values())
    assert all((await archived(exchange, listing)).values())
    for path in (
        f"/markets/{listing.ticker}",
        f"/series/{listing.terms.series_ticker}/markets/{listing.ticker}/candlesticks",
    ):
        assert (await exchange.call("GET", path, **whole_history(exchange))).status_code == 404
    assert (await exchange.get(f"/historical/markets/{listing.ticker}"))["market"]["result"] == "yes"
    # Events never move, and their markets do.
    event = await exchange.get(f"/events/{listing.terms.event_ticker}", with_nested_markets="true")
    assert event["event"]["markets"] == []
    # Settlements have no archive: they are gone for good.
    assert await read(exchange, "/portfolio/settlements", "settlements") == []


async def test_settled_positions_move_by_whole_event_and_later(exchange: Serving) -> None:
    markets = exchange.exchange.markets
    first, second = next(
        [each.ticker for each in listings][:2]
        for listings in markets.listings_by_event.values()
        if len(listings) > 1
        and not listings[0].shard
        and all(each.status.tradable and each.grid.finest_step == 100 for each in listings)
        and listings[0].close_ms > exchange.clock() + DAY_MS * 30
    )
    for ticker in (first, second):
        await trade(exchange, ticker, "0.4000", "1")
    await control(exchange, "set_cutoff", ms=0)

    async def tickers(path: str, **query: Any) -> list[str]:
        return [each["ticker"] for each in await read(exchange, path, "market_positions", **query)]

    await control(exchange, "settle", ticker=first, result="no")
    await control(exchange, "advance_clock", ms=2 * HANDOFF_DELAY_MS)
    assert await tickers("/portfolio/positions") == [second]
    assert await tickers("/portfolio/positions", settlement_status="settled") == [first]
    assert await tickers("/portfolio/positions", settlement_status="all") == sorted([first, second])
    assert (await exchange.call("GET", "/portfolio/positions", settlement_status="paid")).status_code == 400
    assert await tickers("/historical/positions") == []
    event = markets.listings[first].terms.event_ticker
    for each in markets.listings_by_event[event]:
        if not each.settled_ms:
            await control(exchange, "settle", ticker=each.ticker, result="no")
    await control(exchange, "advance_clock", ms=HANDOFF_DELAY_MS - 1_000)
    assert await tickers("/historical/positions") == []
    await control(exchange, "advance_clock", ms=2_000)
    assert await tickers("/historical/positions", event_ticker=event) == sorted([first, second])
    assert await tickers("/historical/positions", event_ticker="KXNONE") == []
    assert await tickers("/portfolio/positions", settlement_status="all") == []


async def test_what_moves_may_be_nowhere_or_in_both_for_a_while(exchange: Serving) -> None:
    ticker = tradable(exchange)
    await trade(exchange, ticker, "0.4000", "1")
    await control(exchange, "advance_clock", ms=10_000)

    async def counts() -> tuple[int, int]:
        return (
            len(await read(exchange, "/portfolio/fills", "fills")),
            len(await read(exchange, "/historical/fills", "fills")),
        )

    await control(exchange, "set_cutoff", ms=5_000, gap_ms=3_600_000)
    assert await counts() == (0, 0)
    await control(exchange, "advance_clock", ms=3_600_000)
    assert await counts() == (0, 1)
    await control(exchange, "set_cutoff", ms=2 * 3_600_000, gap_ms=-2 * 3_600_000)
    assert await counts() == (1, 1)
    assert (await exchange.control("set_cutoff", ms=1, kind="settlements")).status_code == 400


async def test_what_is_public_and_which_filters_there_are(exchange: Serving) -> None:
    listing = await settled_market(exchange)
    await control(exchange, "advance_clock", ms=15 * DAY_MS)
    for path in ("cutoff", "markets", f"markets/{listing.ticker}", "trades"):
        assert (await exchange.client.get(f"{PREFIX}/historical/{path}")).status_code == 200, path
    for path in ("fills", "orders", "positions"):
        assert (await exchange.client.get(f"{PREFIX}/historical/{path}")).status_code == 401, path
        assert (await exchange.call("GET", f"/historical/{path}", limit=1_001)).status_code == 400
    by = {
        "event_ticker": listing.terms.event_ticker,
        "series_ticker": listing.terms.series_ticker,
        "tickers": listing.ticker,
    }
    for name, value in by.items():
        found = await read(exchange, "/historical/markets", "markets", **{name: value})
        assert listing.ticker in [each["ticker"] for each in found], name
        assert await read(exchange, "/historical/markets", "markets", **{name: "KXNONE"}) == []
    assert (await exchange.call("GET", "/historical/markets", **by)).status_code == 400
    assert (await exchange.call("GET", "/historical/markets", mve_filter="only")).status_code == 400
    assert (await exchange.call("GET", "/historical/markets", mve_filter="exclude")).status_code == 200
    assert (await exchange.call("GET", "/historical/markets/KXNONE")).status_code == 404
    alive = tradable(exchange)
    assert (await exchange.call("GET", f"/historical/markets/{alive}")).status_code == 404
    (fill,) = await read(exchange, "/historical/fills", "fills")
    then = fill["ts"]
    for path, name in (("fills", "fills"), ("orders", "orders"), ("trades", "trades")):
        assert await read(exchange, f"/historical/{path}", name, min_ts=then - 60, max_ts=then + 60)
        assert await read(exchange, f"/historical/{path}", name, max_ts=then - 60) == []
        assert await read(exchange, f"/historical/{path}", name, min_ts=then + 60) == []
    assert await read(exchange, "/historical/trades", "trades", is_block_trade="true") == []


@pytest.mark.slow
def test_the_cut_off_is_an_option_of_the_command(tmp_path: Any) -> None:
    with Alone(tmp_path / "practice", "--quiet-market", "--cutoff", "0") as alone:
        told = alone.told
        key = (told["api_key_id"], told["private_key_path"])
        body = {
            "ticker": alone.call(*key, "GET", "/markets?limit=1&status=open").json()["markets"][0]["ticker"],
            "side": "bid",
            "price": "0.0100",
            "count": "1",
            "time_in_force": "immediate_or_cancel",
            "self_trade_prevention_type": "taker_at_cross",
        }
        order_id = alone.call(*key, "POST", "/portfolio/events/orders", body).json()["order_id"]
        assert alone.call(*key, "GET", f"/portfolio/orders/{order_id}").status_code == 404
        (old,) = alone.call(*key, "GET", "/historical/orders").json()["orders"]
        assert old["order_id"] == order_id
    with Alone(tmp_path / "other", "--cutoff", "-1") as alone:
        assert alone.process.wait(timeout=20) == 1
        assert alone.process.stderr is not None
        assert "--cutoff takes a number of seconds" in alone.process.stderr.read()
