"""The practice server over real sockets, held against docs/kalshi-api.md, sections 2, 4, 5 and 6."""

import base64
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import httpx
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from kalshi_tui.kalshi.environments import practice_on_port
from kalshi_tui.kalshi.transport.signing import Signer
from tests.support.practice_server import (
    HERE,
    PEMS,
    PREFIX,
    WS_PATH,
    Serving,
    serving,
)

BALANCE = f"{PREFIX}/portfolio/balance"


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


# Who is asking.


def signing_as(key_id: str) -> Signer:
    """Return a signer with bob's key."""
    return Signer.from_pem(key_id, PEMS["bob"], environment=practice_on_port(1))


async def balance_with(exchange: Serving, headers: dict[str, str]) -> httpx.Response:
    return await exchange.client.get(BALANCE, headers=headers)


async def test_a_signed_request_is_answered(exchange: Serving) -> None:
    headers = exchange.signers["alice"].headers("GET", BALANCE, exchange.clock(), host=HERE)
    reply = await balance_with(exchange, headers)
    assert reply.status_code == 200
    assert reply.json()["balance"] == 2_000_000
    assert [each["exchange_index"] for each in reply.json()["balance_breakdown"]] == [0, 1, 2, 3]


async def test_the_signature_covers_the_path_without_its_query(exchange: Serving) -> None:
    path = f"{PREFIX}/portfolio/orders"
    headers = exchange.signers["alice"].headers("GET", path, exchange.clock(), host=HERE)
    reply = await exchange.client.get(path, params={"limit": 5}, headers=headers)
    assert reply.status_code == 200


@pytest.mark.parametrize(
    "wrong", ["no headers", "unknown key", "wrong key", "wrong path", "wrong method", "query", "stale", "early"]
)
async def test_whatever_is_wrong_with_a_signature_is_a_401(exchange: Serving, wrong: str) -> None:
    signer, now = exchange.signers["alice"], exchange.clock()
    forged: dict[str, dict[str, str]] = {
        "no headers": {},
        "unknown key": signing_as("nobody").headers("GET", BALANCE, now, host=HERE),
        "wrong key": signing_as("key-of-alice").headers("GET", BALANCE, now, host=HERE),
        "wrong path": signer.headers("GET", f"{PREFIX}/portfolio/fills", now, host=HERE),
        "wrong method": signer.headers("POST", BALANCE, now, host=HERE),
        "query": _signed_over(exchange, f"{BALANCE}?limit=1"),
        "stale": signer.headers("GET", BALANCE, now - 60_000, host=HERE),
        "early": signer.headers("GET", BALANCE, now + 60_000, host=HERE),
    }
    headers = forged[wrong]
    reply = await balance_with(exchange, headers)
    assert reply.status_code == 401
    assert reply.json()["error"]["code"]


def _signed_over(exchange: Serving, text: str) -> dict[str, str]:
    """Sign what our own signer refuses to: a path with its query."""
    key: Any = load_pem_private_key(PEMS["alice"], password=None)
    timestamp = str(exchange.clock())
    pss = padding.PSS(mgf=padding.MGF1(hashes.SHA256()), salt_length=32)
    signature = key.sign(f"{timestamp}GET{text}".encode(), pss, hashes.SHA256())
    return {
        "KALSHI-ACCESS-KEY": "key-of-alice",
        "KALSHI-ACCESS-TIMESTAMP": timestamp,
        "KALSHI-ACCESS-SIGNATURE": base64.b64encode(signature).decode(),
    }


async def test_the_stream_needs_a_signature_too(exchange: Serving) -> None:
    url = f"ws://127.0.0.1:{exchange.port}{WS_PATH}"
    with pytest.raises(InvalidStatus) as refused:
        async with connect(url, proxy=None):
            pass
    assert refused.value.response.status_code == 401


@pytest.mark.parametrize("headers", [{"Origin": "http://127.0.0.1"}, {"Host": "evil.example"}])
async def test_a_web_page_is_not_served(exchange: Serving, headers: dict[str, str]) -> None:
    reply = await exchange.client.get(f"{PREFIX}/exchange/status", headers=headers)
    assert reply.status_code == 403


# Orders.


async def test_an_order_rests_is_listed_and_is_canceled(exchange: Serving, ticker: str) -> None:
    made = await exchange.order(ticker, "bid", "0.4700", "10", client_order_id="c1")
    assert made.status_code == 201
    ack = made.json()
    assert (ack["client_order_id"], ack["fill_count"], ack["remaining_count"]) == ("c1", "0.00", "10.00")
    book = await exchange.get(f"/markets/{ticker}/orderbook")
    assert ["0.4700", "10.00"] in book["orderbook_fp"]["yes_dollars"]
    listed = (await exchange.call("GET", "/portfolio/orders", status="resting")).json()["orders"]
    assert [each["order_id"] for each in listed] == [ack["order_id"]]
    gone = await exchange.call("DELETE", f"/portfolio/events/orders/{ack['order_id']}", market_ticker=ticker)
    assert (gone.status_code, gone.json()["reduced_by"]) == (200, "10.00")
    again = await exchange.call("DELETE", f"/portfolio/events/orders/{ack['order_id']}", market_ticker=ticker)
    assert again.status_code == 404


async def test_two_accounts_trade_with_each_other(exchange: Serving, ticker: str) -> None:
    await exchange.order(ticker, "bid", "0.47", "10", who="bob")
    taken = await exchange.order(ticker, "ask", "0.47", "4")
    assert taken.json()["fill_count"] == "4.00"
    assert taken.json()["average_fill_price"].startswith("0.47")
    positions = (await exchange.call("GET", "/portfolio/positions")).json()["market_positions"]
    assert [(each["ticker"], each["position_fp"]) for each in positions] == [(ticker, "-4.00")]
    fills = (await exchange.call("GET", "/portfolio/fills", who="bob")).json()["fills"]
    assert [(each["count_fp"], each["is_taker"], each["book_side"]) for each in fills] == [("4.00", False, "bid")]
    (trade,) = (await exchange.get("/markets/trades", ticker=ticker, limit=1))["trades"]
    assert (trade["count_fp"], trade["taker_outcome_side"]) == ("4.00", "no")


async def test_the_same_client_order_id_is_a_409(exchange: Serving, ticker: str) -> None:
    await exchange.order(ticker, "bid", "0.47", "1", client_order_id="same")
    again = await exchange.order(ticker, "bid", "0.46", "1", client_order_id="same")
    assert (again.status_code, again.json()["error"]["code"]) == (409, "order_already_exists")


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"ticker": None}, 400, "missing_parameters"),
        ({"ticker": "NO-SUCH"}, 404, "market_not_found"),
        ({"side": "sell"}, 400, "invalid_order"),
        ({"count": "0"}, 400, "invalid_order"),
        ({"count": "1.001"}, 400, "invalid_order"),
        ({"price": "0.475"}, 400, "invalid_order"),
        ({"price": "1.00"}, 400, "invalid_order"),
        ({"count": "1000000"}, 400, "insufficient_balance"),
        ({"time_in_force": "fill_or_kill"}, 409, "fill_or_kill_insufficient_resting_volume"),
        ({"reduce_only": True}, 400, "invalid_order"),
    ],
)
async def test_what_is_refused_and_how(
    exchange: Serving, ticker: str, change: dict[str, Any], status: int, code: str
) -> None:
    body = {
        "ticker": ticker,
        "side": "bid",
        "price": "0.47",
        "count": "1",
        "time_in_force": "good_till_canceled",
        "self_trade_prevention_type": "taker_at_cross",
    }
    wanted = {name: value for name, value in (body | change).items() if value is not None}
    reply = await exchange.call("POST", "/portfolio/events/orders", wanted)
    assert (reply.status_code, reply.json()["error"]["code"]) == (status, code)


async def test_a_body_that_is_no_json_has_its_fields_at_the_top(exchange: Serving) -> None:
    headers = exchange.signers["alice"].headers(
        "POST", f"{PREFIX}/portfolio/events/orders", exchange.clock(), host=HERE
    )
    reply = await exchange.client.post(f"{PREFIX}/portfolio/events/orders", content=b"{", headers=headers)
    assert (reply.status_code, reply.json()["code"]) == (400, "bad_request")


async def test_the_first_version_of_orders_is_gone_and_points_to_the_second(exchange: Serving) -> None:
    reply = await exchange.call("POST", "/portfolio/orders", {})
    assert reply.status_code == 410
    assert "/portfolio/events/orders" in reply.text


async def test_pages_follow_their_cursor_to_an_empty_one(exchange: Serving) -> None:
    seen: list[str] = []
    cursor = ""
    while True:
        page = await exchange.get("/markets", limit=60, cursor=cursor, status="open")
        seen += [each["ticker"] for each in page["markets"]]
        cursor = page["cursor"]
        if not cursor:
            break
    assert len(seen) == len(set(seen))
    assert len(seen) > 200


# The stream.


async def test_a_book_stream_counts_snapshots_deltas_and_oks_in_one_sequence(exchange: Serving, ticker: str) -> None:
    other = next(each.ticker for each in exchange.exchange.markets.visible() if each.ticker != ticker)
    await exchange.order(ticker, "bid", "0.47", "10")
    async with exchange.stream() as stream:
        number = await stream.command("subscribe", channels=["orderbook_delta"], market_tickers=[ticker])
        subscribed, snapshot = await stream.frames(2)
        assert abs(subscribed.pop("sending_ts_ms") - exchange.clock.machine_ms()) < 60_000
        assert subscribed == {"type": "subscribed", "id": number, "msg": {"channel": "orderbook_delta", "sid": 1}}
        assert (snapshot["sid"], snapshot["seq"]) == (1, 1)
        assert snapshot["msg"]["yes_dollars_fp"] == [["0.4700", "10.00"]]
        assert "no_dollars_fp" not in snapshot["msg"]
        await stream.command("update_subscription", sids=[1], action="add_markets", market_tickers=[other])
        ok, second = await stream.frames(2)
        assert (ok["type"], ok["seq"], ok["msg"]["market_tickers"]) == ("ok", 2, sorted([ticker, other]))
        assert (second["seq"], second["msg"]["market_ticker"]) == (3, other)
        await exchange.order(ticker, "ask", "0.47", "4", who="bob")
        delta = await stream.frame()
        assert (delta["type"], delta["seq"]) == ("orderbook_delta", 4)
        assert (delta["msg"]["price_dollars"], delta["msg"]["delta_fp"], delta["msg"]["side"]) == (
            "0.4700",
            "-4.00",
            "yes",
        )
        number = await stream.command("update_subscription", sids=[1], action="get_snapshot", market_tickers=[ticker])
        fresh = await stream.frame()
        assert (fresh["id"], fresh["seq"], fresh["msg"]["yes_dollars_fp"]) == (number, 5, [["0.4700", "6.00"]])
        await stream.command("subscribe", channels=["orderbook_delta"], market_tickers=[ticker])
        assert (await stream.frame())["seq"] == 6
        await stream.command("unsubscribe", sids=[1])
        gone = await stream.frame()
        assert (gone["type"], gone["sid"], gone["seq"]) == ("unsubscribed", 1, 7)
        await stream.command("subscribe", channels=["orderbook_delta"], market_tickers=[ticker])
        assert (await stream.frame())["msg"]["sid"] == 2


async def test_private_frames_reach_their_own_account_alone(exchange: Serving, ticker: str) -> None:
    channels = ["fill", "user_orders", "market_positions"]
    async with exchange.stream() as alice, exchange.stream("bob") as bob:
        for each in (alice, bob):
            await each.command("subscribe", channels=channels)
            assert {frame["msg"]["channel"] for frame in await each.frames(3)} == set(channels)
        await exchange.order(ticker, "bid", "0.47", "10", client_order_id="mine")
        placed = await alice.frame()
        assert (placed["type"], placed["msg"]["client_order_id"], placed["msg"]["status"]) == (
            "user_order",
            "mine",
            "resting",
        )
        await exchange.order(ticker, "ask", "0.47", "10", who="bob", client_order_id="his")
        of_alice, of_bob = await alice.frames(3), await bob.frames(3)
        assert {frame["type"] for frame in of_alice} == {"user_order", "fill", "market_position"}
        assert "his" not in str(of_alice)
        assert "mine" not in str(of_bob)
        fill = next(frame["msg"] for frame in of_alice if frame["type"] == "fill")
        assert (fill["client_order_id"], fill["count_fp"], fill["post_position_fp"]) == ("mine", "10.00", "10.00")


async def test_tickers_and_trades_are_told(exchange: Serving, ticker: str) -> None:
    async with exchange.stream() as stream:
        await stream.command("subscribe", channels=["ticker"], market_tickers=[ticker], send_initial_snapshot=True)
        _, empty = await stream.frames(2)
        assert (empty["type"], empty["msg"]["yes_bid_size_fp"], empty["msg"]["yes_ask_dollars"]) == (
            "ticker",
            "0.00",
            "1.0000",
        )
        assert "seq" not in empty
        await stream.command("subscribe", channels=["trade"])
        await stream.frame()
        await exchange.order(ticker, "bid", "0.47", "10")
        quoted = await stream.frame()
        assert (quoted["msg"]["yes_bid_dollars"], quoted["msg"]["yes_bid_size_fp"]) == ("0.4700", "10.00")
        await exchange.order(ticker, "ask", "0.47", "4", who="bob")
        trade, after = await stream.frames(2)
        assert (trade["type"], trade["seq"], trade["msg"]["taker_book_side"]) == ("trade", 1, "ask")
        assert after["msg"]["price_dollars"] == "0.4700"


@pytest.mark.parametrize(
    ("cmd", "params", "code"),
    [
        ("dance", {}, 5),
        ("subscribe", {}, 3),
        ("subscribe", {"channels": ["no_such"]}, 8),
        ("subscribe", {"channels": ["orderbook_delta"]}, 14),
        ("subscribe", {"channels": ["orderbook_delta"], "market_ticker": "NO-SUCH"}, 11),
        ("unsubscribe", {}, 4),
        ("unsubscribe", {"sids": [9]}, 7),
        ("update_subscription", {"sids": [1, 2], "action": "add_markets"}, 12),
    ],
)
async def test_a_wrong_command_is_answered_with_its_code(
    exchange: Serving, cmd: str, params: dict[str, Any], code: int
) -> None:
    async with exchange.stream() as stream:
        number = await stream.command(cmd, **params)
        error = await stream.frame()
        assert (error["type"], error["id"], error["msg"]["code"]) == ("error", number, code)


async def test_the_server_pings_with_its_heartbeat() -> None:
    async with serving(ping_interval_s=0.01) as exchange, aiohttp.ClientSession() as session:
        headers = exchange.signers["alice"].headers("GET", WS_PATH, exchange.clock(), host=HERE)
        url = f"http://127.0.0.1:{exchange.port}{WS_PATH}"
        async with session.ws_connect(url, headers=headers, autoping=False) as socket:
            for _ in range(2):
                ping = await socket.receive(timeout=10)
                assert (ping.type, bytes(ping.data)) == (aiohttp.WSMsgType.PING, b"heartbeat")
