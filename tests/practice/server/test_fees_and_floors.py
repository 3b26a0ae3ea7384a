"""Changes of fees, settlement floors and settled positions, over real sockets."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.support.practice_server import Serving, serving


@pytest.fixture
async def exchange() -> AsyncIterator[Serving]:
    async with serving() as running:
        yield running


async def read(exchange: Serving, path: str, **params: Any) -> Any:
    reply = await exchange.call("GET", path, **params)
    assert reply.status_code == 200, reply.text
    return reply.json()


async def test_scheduled_changes_are_listed_and_take_effect(exchange: Serving) -> None:
    listing = next(iter(exchange.exchange.markets.visible()))
    series, event = listing.terms.series_ticker, listing.terms.event_ticker
    asked: dict[str, Any] = {"ticker": series, "fee_type": "flat", "fee_multiplier": 0.5, "ms": 60_000}
    assert (await exchange.control("change_series_fees", **asked)).status_code == 200
    (change,) = (await read(exchange, "/series/fee_changes", series_ticker=series))["series_fee_change_arr"]
    assert (change["series_ticker"], change["fee_type"], change["fee_multiplier"]) == (series, "flat", 0.5)
    assert (await read(exchange, "/series/fee_changes", series_ticker="KXNONE"))["series_fee_change_arr"] == []
    before = (await read(exchange, f"/series/{series}"))["series"]
    await exchange.control("advance_clock", ms=60_000)
    after = (await read(exchange, f"/series/{series}"))["series"]
    assert before["fee_type"] != "flat"
    assert (after["fee_type"], after["fee_multiplier"]) == ("flat", 0.5)
    assert (await read(exchange, "/series/fee_changes"))["series_fee_change_arr"] == []
    assert len((await read(exchange, "/series/fee_changes", show_historical="true"))["series_fee_change_arr"]) == 1

    async with exchange.stream() as stream:
        await stream.command("subscribe", channels=["market_lifecycle_v2"])
        await stream.frames(1)
        asked = {"ticker": event, "fee_type": "quadratic_with_maker_fees", "fee_multiplier": 2}
        assert (await exchange.control("change_event_fees", **asked)).status_code == 200
        while (frame := (await stream.frames(1))[0])["type"] != "event_fee_update":
            pass
        assert frame["msg"]["event_ticker"] == event
        assert (frame["msg"]["fee_type_override"], frame["msg"]["fee_multiplier_override"]) == (
            "quadratic_with_maker_fees",
            2,
        )
        await exchange.control("change_event_fees", ticker=event)
        while (frame := (await stream.frames(1))[0])["type"] != "event_fee_update":
            pass
        assert (frame["msg"]["fee_type_override"], frame["msg"]["fee_multiplier_override"]) == (None, None)
    changes = (await read(exchange, "/events/fee_changes", event_ticker=event))["event_fee_changes"]
    assert [each["fee_type_override"] for each in changes] == ["quadratic_with_maker_fees", None]


@pytest.mark.parametrize(
    "keys",
    [
        {"action": "change_series_fees", "ticker": "KXNONE", "fee_type": "flat"},
        {"action": "change_series_fees", "ticker": "KXNONE", "fee_multiplier": -1},
        {"action": "change_event_fees", "ticker": "KXNONE"},
        {"action": "raise_floor", "ticker": "KXNONE", "floor": "0.10"},
        {"action": "raise_floor", "ticker": "KXNONE", "floor": "ten"},
    ],
)
async def test_nonsense_is_refused_with_a_reason(exchange: Serving, keys: dict[str, Any]) -> None:
    reply = await exchange.control(keys["action"], **{key: value for key, value in keys.items() if key != "action"})
    assert reply.status_code in {400, 404}, reply.text


async def test_a_market_tells_its_floor_and_refuses_prices_at_it(exchange: Serving) -> None:
    listing = next(
        each
        for each in exchange.exchange.markets.visible()
        if each.status.value == "active"
        and not each.shard
        and not exchange.exchange.markets.event(each.terms.event_ticker).mutually_exclusive
    )
    before = (await read(exchange, f"/markets/{listing.ticker}"))["market"]
    assert before["settlement_bounds_type"] == "default"
    assert "settlement_floor_dollars" not in before
    assert "liquidity_dollars" not in before
    assert (await exchange.control("raise_floor", ticker=listing.ticker, floor="0.02")).status_code == 200
    market = (await read(exchange, f"/markets/{listing.ticker}"))["market"]
    assert (market["settlement_bounds_type"], market["settlement_floor_dollars"]) == ("floor", "0.0200")
    reply = await exchange.order(listing.ticker, "bid", "0.02", "1")
    assert reply.status_code == 400
    assert reply.json()["error"]["details"] == "price is at or below the settlement floor"


async def test_positions_of_settled_markets_are_asked_for_by_their_status(exchange: Serving) -> None:
    listing = next(
        each for each in exchange.exchange.markets.visible() if each.status.value == "active" and not each.shard
    )
    for side, who in (("ask", "bob"), ("bid", "alice")):
        assert (await exchange.order(listing.ticker, side, "0.50", "1", who=who)).status_code == 201
    await exchange.control("settle", ticker=listing.ticker, result="yes")

    async def tickers(status: str) -> list[str]:
        reply = await read(exchange, "/portfolio/positions", settlement_status=status)
        return [each["ticker"] for each in reply["market_positions"]]

    assert await tickers("unsettled") == []
    assert await tickers("settled") == await tickers("all") == [listing.ticker]
    reply = await exchange.call("GET", "/portfolio/positions", settlement_status="open")
    assert reply.status_code == 400
    assert "settlement_status must be one of" in reply.text
