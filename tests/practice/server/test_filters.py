"""What a query asks for is what comes: a filter that is passed over would be a lie."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.support.combos import GAMES, list_combos
from tests.support.practice_server import PREFIX, Serving, serving

FAR_S = 4_000_000_000


@pytest.fixture
async def exchange() -> AsyncIterator[Serving]:
    async with serving(quiet=False) as running:
        yield running


async def test_events_by_ticker_and_by_what_changed(exchange: Serving) -> None:
    every = (await exchange.get("/events"))["events"]
    two = [each["event_ticker"] for each in every[:2]]
    assert [each["event_ticker"] for each in (await exchange.get("/events", tickers=",".join(two)))["events"]] == two
    assert (await exchange.get("/events", min_updated_ts=FAR_S))["events"] == []
    assert (await exchange.get("/events", min_updated_ts=1, limit=1))["events"]
    assert "milestones" not in await exchange.get("/events", limit=1)
    assert (await exchange.get("/events", limit=1, with_milestones="true"))["milestones"] == []


async def test_series_by_what_changed_and_with_their_volume(exchange: Serving) -> None:
    assert (await exchange.get("/series", min_updated_ts=FAR_S))["series"] == []
    plain, told = (await exchange.get("/series"))["series"], (await exchange.get("/series", include_volume="true"))
    assert all("volume_fp" not in each for each in plain)
    traded = {each["ticker"]: each["volume_fp"] for each in told["series"]}
    markets = (await exchange.get("/markets", limit=1000))["markets"]
    series = {event["event_ticker"]: event["series_ticker"] for event in (await exchange.get("/events"))["events"]}
    of_one = [each for each in markets if series.get(each["event_ticker"]) == plain[0]["ticker"]]
    assert traded[plain[0]["ticker"]] == f"{sum(float(each['volume_fp']) for each in of_one):.2f}"


async def test_there_are_no_block_trades(exchange: Serving) -> None:
    while not (await exchange.get("/markets/trades", limit=1))["trades"]:
        await exchange.control("advance_clock", ms=100)
    assert (await exchange.get("/markets/trades", limit=1, is_block_trade="false"))["trades"]
    assert (await exchange.get("/markets/trades", limit=1, is_block_trade="true"))["trades"] == []


async def test_the_balance_of_one_shard(exchange: Serving) -> None:
    async def told(**query: Any) -> Any:
        return (await exchange.call("GET", "/portfolio/balance", **query)).json()

    parts = [await told(exchange_index=shard) for shard in (0, 2)]
    whole = await told()
    assert sum(each["balance"] for each in parts) == whole["balance"] == 2_000_000
    assert (await exchange.call("GET", "/portfolio/balance", exchange_index=4)).status_code == 400


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/portfolio/orders"),
        ("GET", "/portfolio/fills"),
        ("GET", "/portfolio/positions"),
        ("GET", "/portfolio/balance"),
        ("DELETE", "/portfolio/events/orders/some-order"),
    ],
)
async def test_a_subaccount_is_not_answered_for_by_the_whole_account(exchange: Serving, method: str, path: str) -> None:
    assert (await exchange.call(method, path, subaccount=5)).status_code == 400
    assert (await exchange.call(method, path, subaccount=0)).status_code in {200, 404}


async def test_a_history_can_begin_with_what_held_before(exchange: Serving) -> None:
    market = next(
        each
        for each in exchange.exchange.markets.visible()
        if each.status.tradable and len(each.candles.all_candles()) > 3
    )
    third = market.candles.all_candles()[2]
    start = third.end_ms // 1_000 + 1
    query = {"start_ts": start, "end_ts": start + 3_600, "period_interval": 1}
    path = f"/series/{market.terms.series_ticker}/markets/{market.ticker}/candlesticks"
    plain = (await exchange.get(path, **query))["candlesticks"]
    more = (await exchange.get(path, **query, include_latest_before_start="true"))["candlesticks"]
    assert more[1:] == plain
    assert query["start_ts"] < more[0]["end_period_ts"] <= query["start_ts"] + 60
    assert more[0]["volume_fp"] == "0.00"
    assert more[0]["price"].get("close_dollars") is None


async def test_every_write_of_the_first_version_is_gone(exchange: Serving) -> None:
    for path in ("", "/batched", "/some-order/amend", "/some-order/decrease"):
        reply = await exchange.call("POST", f"/portfolio/orders{path}", {})
        assert reply.status_code == 410, path


async def test_the_account_names_its_keys_and_its_tier_is_not_earned(exchange: Serving) -> None:
    keys = (await exchange.call("GET", "/api_keys")).json()["api_keys"]
    assert [each["api_key_id"] for each in keys] == ["key-of-alice"]
    assert (await exchange.client.get(f"{PREFIX}/api_keys")).status_code == 401
    assert (await exchange.call("POST", "/account/api_usage_level/upgrade")).status_code == 403
    (progress,) = (await exchange.call("GET", "/account/api_usage_level/volume_progress")).json()["volume_progress"]
    assert progress["trailing_30d_volume_fp"] == "0.00"
    assert [each["level"] for each in progress["goals"]] == ["expert", "premier", "paragon", "prime", "prestige"]


async def test_a_market_id_means_its_market_and_no_other(exchange: Serving) -> None:
    one, two = [each for each in exchange.exchange.markets.visible() if each.status.tradable][:2]
    async with exchange.stream() as listener:
        await listener.command("subscribe", channels=["ticker"], market_ids=[one.market_id], send_initial_snapshot=True)
        assert (await listener.frame())["type"] == "subscribed"
        assert (await listener.frame())["msg"]["market_ticker"] == one.ticker
        await listener.command("update_subscription", sids=[1], action="add_markets", market_id=two.market_id)
        while (frame := await listener.frame())["type"] != "ok":
            assert frame["msg"]["market_ticker"] == one.ticker
        assert frame["msg"]["market_tickers"] == sorted([one.ticker, two.ticker])
        await listener.command("subscribe", channels=["trade"], market_id="no such id")
        while (frame := await listener.frame())["type"] == "ticker":
            pass
        assert (frame["type"], frame["msg"]["code"]) == ("error", 11)


async def test_channels_without_news_here_are_taken(exchange: Serving) -> None:
    async with exchange.stream() as listener:
        await listener.command("subscribe", channels=["communications", "fill"])
        told = await listener.frames(2)
        assert [each["type"] for each in told] == ["subscribed"] * 2


async def test_combos_have_their_news_on_a_channel_of_their_own() -> None:
    async with serving() as exchange, exchange.stream() as listener:
        engine = exchange.exchange
        await listener.command("subscribe", channels=["market_lifecycle_v2", "multivariate_market_lifecycle"])
        await listener.frames(2)
        list_combos(engine, [GAMES], now_ms=engine.clock.now)
        engine.lifecycle.change_grid(GAMES.ticker, "linear_cent")
        engine.lifecycle.deactivate(GAMES.ticker)
        engine.lifecycle.deactivate(GAMES.legs[0][0])
        exchange.server.commit()
        told = await listener.frames(5)
    news = [(each["sid"], each["type"], each["msg"].get("event_type")) for each in told]
    assert [each for each in news if each[0] == 1] == [
        (1, "event_lifecycle", None),
        (1, "event_lifecycle", None),
        (1, "market_lifecycle_v2", "deactivated"),
    ]
    # Of a combo's prices nothing is told.
    assert [each for each in news if each[0] == 2] == [
        (2, "event_lifecycle", None),
        (2, "multivariate_market_lifecycle", "deactivated"),
    ]
    assert [each["seq"] for each in told if each["sid"] == 2] == [1, 2]
