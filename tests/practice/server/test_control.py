"""Rehearsing trouble, over real sockets."""

import asyncio
from collections.abc import AsyncIterator
from email.utils import parsedate_to_datetime
from typing import Any

import httpx
import pytest
from websockets.exceptions import ConnectionClosed

from kalshi_tui.kalshi.wire.times import time_ms
from tests.support.practice_server import (
    CONTROL,
    HERE,
    PREFIX,
    Listener,
    Serving,
    serving,
)


@pytest.fixture
async def exchange() -> AsyncIterator[Serving]:
    async with serving() as running:
        yield running


@pytest.fixture
def ticker(exchange: Serving) -> str:
    return next(
        listing.ticker
        for listing in exchange.exchange.markets.visible()
        if listing.structure == "linear_cent" and listing.status.value == "active" and not listing.shard
    )


async def following(stream: Listener, ticker: str) -> None:
    await stream.command("subscribe", channels=["orderbook_delta"], market_tickers=[ticker])
    assert [frame["type"] for frame in await stream.frames(2)] == ["subscribed", "orderbook_snapshot"]


async def asked(exchange: Serving, action: str, **keys: Any) -> None:
    reply = await exchange.control(action, **keys)
    assert reply.status_code == 200, reply.text


async def test_it_wants_a_signature_and_the_token(exchange: Serving) -> None:
    assert (await exchange.control("drop_connections", token="guess")).status_code == 403
    headers = exchange.signers["alice"].headers("POST", CONTROL, exchange.clock.machine_ms(), host=HERE)
    odd: dict[bytes, bytes] = {name.encode(): value.encode() for name, value in headers.items()}
    odd[b"X-Practice-Token"] = "é".encode()
    reply = await exchange.client.post(CONTROL, content=b'{"action":"drop_connections"}', headers=odd)
    assert reply.status_code == 403
    assert (await exchange.client.post(CONTROL, json={"action": "drop_connections"})).status_code == 401
    assert (await exchange.control("no_such_thing")).status_code == 400


async def test_dropped_connections_end_without_a_word(exchange: Serving, ticker: str) -> None:
    async with exchange.stream() as stream:
        await following(stream, ticker)
        await asked(exchange, "drop_connections")
        with pytest.raises(ConnectionClosed):
            await stream.frame()


async def test_skipped_frames_use_up_their_numbers(exchange: Serving, ticker: str) -> None:
    async with exchange.stream() as stream:
        await following(stream, ticker)
        await asked(exchange, "skip_frames", count=2)
        for price in ("0.10", "0.11", "0.12"):
            await exchange.order(ticker, "bid", price, "1")
        frame = await stream.frame()
        assert (frame["seq"], frame["msg"]["price_dollars"]) == (4, "0.1200")


async def test_a_doubled_frame_comes_under_one_number(exchange: Serving, ticker: str) -> None:
    async with exchange.stream() as stream:
        await following(stream, ticker)
        await asked(exchange, "duplicate_frame")
        await exchange.order(ticker, "bid", "0.10", "1")
        first, second = await stream.frames(2)
        assert first == second


async def test_a_corrupt_frame_is_no_json(exchange: Serving, ticker: str) -> None:
    async with exchange.stream() as stream:
        await following(stream, ticker)
        await asked(exchange, "corrupt_frame")
        await exchange.order(ticker, "bid", "0.10", "1")
        with pytest.raises(ValueError, match=r"truncated|malformed"):
            await stream.frame()


async def test_late_frames_of_a_subscription_that_was_given_up(exchange: Serving, ticker: str) -> None:
    async with exchange.stream() as stream:
        await following(stream, ticker)
        await stream.command("unsubscribe", sids=[1])
        await stream.command("subscribe", channels=["orderbook_delta"], market_tickers=[ticker])
        kinds = [frame["type"] for frame in await stream.frames(3)]
        assert kinds == ["unsubscribed", "subscribed", "orderbook_snapshot"]
        await asked(exchange, "old_sid_frames", count=2)
        assert [frame["sid"] for frame in await stream.frames(2)] == [1, 1]


async def test_an_overflow_ends_market_data_with_code_25_and_spares_private_frames(
    exchange: Serving, ticker: str
) -> None:
    async with exchange.stream() as stream:
        await following(stream, ticker)
        await stream.command("subscribe", channels=["user_orders"])
        await stream.frame()
        await asked(exchange, "overflow")
        error = await stream.frame()
        assert (error["type"], error["sid"], error["msg"]["code"]) == ("error", 1, 25)
        await exchange.order(ticker, "bid", "0.10", "1")
        assert (await stream.frame())["type"] == "user_order"


@pytest.mark.parametrize("after", [True, False])
async def test_a_failed_answer_may_or_may_not_have_been_carried_out(
    exchange: Serving, ticker: str, after: bool
) -> None:
    await asked(exchange, "fail_responses", status=503, count=1, after_processing=after)
    lost = await exchange.order(ticker, "bid", "0.10", "1", client_order_id="c")
    assert lost.status_code == 503
    listed = (await exchange.call("GET", "/portfolio/orders")).json()["orders"]
    assert [each["client_order_id"] for each in listed] == (["c"] if after else [])


async def test_a_delayed_answer_is_late_once(exchange: Serving) -> None:
    loop = asyncio.get_running_loop()
    await asked(exchange, "delay_responses", ms=200, count=1)
    start = loop.time()
    await exchange.get("/exchange/status")
    assert loop.time() - start >= 0.2


async def test_a_rate_limit_has_the_documented_body(exchange: Serving) -> None:
    await asked(exchange, "rate_limit", count=1)
    limited = await exchange.call("GET", "/portfolio/balance")
    assert (limited.status_code, limited.json()) == (429, {"error": "too many requests"})
    assert (await exchange.call("GET", "/portfolio/balance")).status_code == 200


async def test_the_buckets_are_real() -> None:
    async with serving(tier="basic") as exchange:
        limits = (await exchange.call("GET", "/account/limits")).json()
        assert limits["write"] == {"refill_rate": 100, "bucket_capacity": 100}
        codes: list[int] = []
        # However slowly a busy machine asks, the bucket refills by the clock: ten of these a second pass, and all at
        # once no more than the ten that it holds and what flows in meanwhile.
        while 429 not in codes:
            asking = (exchange.call("POST", "/portfolio/events/orders", ticker="none") for _ in range(30))
            codes += [reply.status_code for reply in await asyncio.gather(*asking)]
            assert len(codes) < 1_000, "the bucket never runs dry"
        assert 400 in codes
        costs = (await exchange.call("GET", "/account/endpoint_costs")).json()
        assert costs["default_cost"] == 10


async def test_paused_trading_refuses_orders_and_takes_cancels(exchange: Serving, ticker: str) -> None:
    order = (await exchange.order(ticker, "bid", "0.10", "1")).json()["order_id"]
    await asked(exchange, "pause_trading")
    assert (await exchange.order(ticker, "bid", "0.10", "1")).status_code == 503
    assert (await exchange.get("/exchange/status"))["trading_active"] is False
    gone = await exchange.call("DELETE", f"/portfolio/events/orders/{order}", market_ticker=ticker)
    assert gone.status_code == 200
    await asked(exchange, "resume_trading")
    assert (await exchange.order(ticker, "bid", "0.10", "1")).status_code == 201


async def test_a_paused_exchange_allows_nothing(exchange: Serving, ticker: str) -> None:
    order = (await exchange.order(ticker, "bid", "0.10", "1")).json()["order_id"]
    await asked(exchange, "pause_exchange")
    gone = await exchange.call("DELETE", f"/portfolio/events/orders/{order}", market_ticker=ticker)
    assert gone.status_code == 503
    await asked(exchange, "resume_exchange")


async def test_an_announced_pause_is_listed_and_begins_and_ends_by_itself(exchange: Serving, ticker: str) -> None:
    assert (await exchange.control("announce_pause", ms=60_000, for_ms=0)).status_code == 400
    await asked(exchange, "announce_pause", ms=60_000, for_ms=60_000)
    (window,) = (await exchange.call("GET", "/exchange/schedule")).json()["schedule"]["maintenance_windows"]
    assert time_ms(window["end_datetime"]) - time_ms(window["start_datetime"]) == 60_000
    assert (await exchange.order(ticker, "bid", "0.10", "1")).status_code == 201
    await asked(exchange, "advance_clock", ms=61_000)
    assert (await exchange.order(ticker, "bid", "0.10", "1")).status_code == 503
    await asked(exchange, "advance_clock", ms=60_000)
    assert (await exchange.order(ticker, "bid", "0.10", "1")).status_code == 201
    assert not (await exchange.call("GET", "/exchange/schedule")).json()["schedule"]["maintenance_windows"]


async def test_a_settled_market_pays_and_is_told(exchange: Serving, ticker: str) -> None:
    await exchange.order(ticker, "bid", "0.40", "10")
    await exchange.order(ticker, "ask", "0.40", "10", who="bob")
    async with exchange.stream() as stream:
        await stream.command("subscribe", channels=["market_lifecycle_v2"])
        await stream.frame()
        await asked(exchange, "settle", ticker=ticker, result="yes")
        told = [frame["msg"]["event_type"] for frame in await stream.frames(3)]
        assert told[-2:] == ["determined", "settled"]
    (paid,) = (await exchange.call("GET", "/portfolio/settlements")).json()["settlements"]
    assert (paid["ticker"], paid["market_result"], paid["revenue"]) == (ticker, "yes", 1000)
    refused = await exchange.order(ticker, "bid", "0.40", "1")
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "MARKET_INACTIVE")


async def test_deactivation_is_told_and_reactivation_cancels_what_rests(exchange: Serving, ticker: str) -> None:
    await exchange.order(ticker, "bid", "0.10", "1")
    await asked(exchange, "deactivate", ticker=ticker)
    assert (await exchange.get(f"/markets/{ticker}"))["market"]["status"] == "inactive"
    await asked(exchange, "activate", ticker=ticker)
    resting = (await exchange.call("GET", "/portfolio/orders", status="resting")).json()["orders"]
    assert resting == []


async def test_a_changed_grid_is_told_with_its_ranges(exchange: Serving, ticker: str) -> None:
    async with exchange.stream() as stream:
        await stream.command("subscribe", channels=["market_lifecycle_v2"])
        await stream.frame()
        await asked(exchange, "change_grid", ticker=ticker, structure="deci_cent")
        msg = (await stream.frame())["msg"]
        assert msg["event_type"] == "price_level_structure_updated"
        assert msg["price_ranges"] == [{"start": "0.0000", "end": "1.0000", "step": "0.0010"}]
    assert (await exchange.order(ticker, "bid", "0.471", "1")).status_code == 201


async def test_a_lagging_read_answers_with_the_past_and_says_so(exchange: Serving, ticker: str) -> None:
    await asked(exchange, "read_lag", ms=5_000)
    made = (await exchange.order(ticker, "bid", "0.10", "1")).json()
    assert (await exchange.call("GET", "/portfolio/orders")).json()["orders"] == []
    assert (await exchange.call("GET", f"/portfolio/orders/{made['order_id']}")).status_code == 404
    await asked(exchange, "advance_clock", ms=5_001)
    listed = (await exchange.call("GET", "/portfolio/orders")).json()["orders"]
    assert [each["order_id"] for each in listed] == [made["order_id"]]
    await asked(exchange, "read_lag", ms=0)
    await exchange.order(ticker, "bid", "0.10", "1")
    assert len((await exchange.call("GET", "/portfolio/orders")).json()["orders"]) == 2


async def test_orders_that_ended_before_the_cut_off_are_in_the_archive_alone(exchange: Serving, ticker: str) -> None:
    async def listed(path: str, **query: Any) -> list[str]:
        reply = await exchange.call("GET", path, **query)
        assert reply.status_code == 200, reply.text
        return [each["order_id"] for each in reply.json()["orders"]]

    async def cutoff() -> str:
        told = await exchange.get("/historical/cutoff")
        assert set(told) == {
            "market_settled_ts",
            "trades_created_ts",
            "orders_updated_ts",
            "market_positions_last_updated_ts",
        }
        return str(told["orders_updated_ts"])

    first = await cutoff()
    resting = (await exchange.order(ticker, "bid", "0.01", "1")).json()["order_id"]
    ended = [(await exchange.order(ticker, "bid", "0.10", "1")).json()["order_id"] for _ in range(3)]
    for each in ended:
        await exchange.call("DELETE", f"/portfolio/events/orders/{each}", market_ticker=ticker)
    assert await listed("/historical/orders") == []
    # What has just ended is old enough once the cut-off comes this near.
    await asked(exchange, "advance_clock", ms=1_000)
    await asked(exchange, "set_cutoff", ms=500)
    assert await cutoff() > first
    assert await listed("/portfolio/orders") == [resting]
    assert await listed("/portfolio/orders", status="canceled") == []
    assert (await exchange.call("GET", f"/portfolio/orders/{ended[0]}")).status_code == 404
    assert (await exchange.call("GET", f"/portfolio/orders/{resting}")).status_code == 200
    assert await listed("/historical/orders") == ended[::-1]
    assert await listed("/historical/orders", ticker="KXNONE") == []
    assert await listed("/historical/orders", max_ts=1) == []
    assert await listed("/historical/orders", min_ts=1) == ended[::-1]
    page = (await exchange.call("GET", "/historical/orders", limit=2)).json()
    assert [each["order_id"] for each in page["orders"]] == [ended[2], ended[1]]
    assert await listed("/historical/orders", limit=2, cursor=page["cursor"]) == [ended[0]]
    assert (await exchange.client.get(f"{PREFIX}/historical/orders")).status_code == 401
    assert (await exchange.call("GET", "/historical/orders", limit=1_001)).status_code == 400
    # Two weeks again: by the clock the same.
    await asked(exchange, "set_cutoff", ms=14 * 86_400_000)
    assert await listed("/historical/orders") == []
    await asked(exchange, "advance_clock", ms=15 * 86_400_000)
    assert await listed("/historical/orders", limit=1_000) != []
    assert (await exchange.control("set_cutoff", ms=-1)).status_code == 400


async def test_a_skewed_clock_refuses_signatures_and_shows_in_the_date(exchange: Serving) -> None:
    await asked(exchange, "set_clock_skew", ms=3_600_000)
    reply = await exchange.call("GET", "/portfolio/balance")
    assert reply.status_code == 401
    now = exchange.clock.machine_ms() + 3_600_000
    headers = exchange.signers["alice"].headers("GET", f"{PREFIX}/portfolio/balance", now, host=HERE)
    assert (await exchange.client.get(f"{PREFIX}/portfolio/balance", headers=headers)).status_code == 200
    assert abs(told_ms(reply) - now) < 5_000


async def test_time_that_leaps_for_the_markets_leaves_signatures_and_date_alone(exchange: Serving) -> None:
    await asked(exchange, "advance_clock", ms=3_600_000)
    reply = await exchange.call("GET", "/portfolio/balance")
    assert reply.status_code == 200
    assert abs(told_ms(reply) - exchange.clock.machine_ms()) < 5_000


def told_ms(reply: httpx.Response) -> int:
    return int(parsedate_to_datetime(reply.headers["Date"]).timestamp()) * 1_000
