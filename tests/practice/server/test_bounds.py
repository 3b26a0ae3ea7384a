"""What a client may do to the server's memory: nothing without bounds."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from kalshi_tui.practice.server import commands, frame_queue
from kalshi_tui.practice.server.app import MAX_BODY_BYTES
from tests.support.practice_server import (
    HERE,
    PREFIX,
    WS_PATH,
    Listener,
    Serving,
    lasting_markets,
    serving,
)
from tests.support.waiting import until


@pytest.fixture
async def exchange() -> AsyncIterator[Serving]:
    async with serving() as running:
        yield running


@pytest.fixture
def ticker(exchange: Serving) -> str:
    return lasting_markets(exchange)[0].ticker


async def test_a_reader_too_slow_loses_its_market_data_and_keeps_its_own(
    exchange: Serving, ticker: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(frame_queue, "MAX_BUFFERED_FRAMES", 50)
    async with exchange.stream() as listener:
        await listener.command("subscribe", channels=["user_orders", "orderbook_delta"], market_tickers=[ticker])
        assert [each["type"] for each in await listener.frames(3)][-1] == "orderbook_snapshot"
        (held,) = exchange.server.hub.connections
        monkeypatch.setattr(held.frames, "_is_ready", asyncio.Event())  # nobody wakes the writer
        for number in range(60):
            await exchange.order(ticker, "bid", "0.01", "1", client_order_id=f"c{number}")
        assert len(held.frames) <= 50 + 60
        assert not any(each.channel == "orderbook_delta" for each in held.subscriptions.values())
        held.frames._is_ready.set()
        waiting = held.frames.take_all()
        assert sum(b'"user_order"' in frame for frame in waiting) == 60
        assert sum(b'"code":25' in frame for frame in waiting) == 1
        assert not any(b"orderbook_delta" in frame for frame in waiting)


async def test_a_client_that_asks_and_never_reads_is_cut_off(
    exchange: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(frame_queue, "MAX_QUEUED_BYTES", 200_000)
    headers = exchange.signers["alice"].headers("GET", WS_PATH, exchange.clock.machine_ms(), host=HERE)
    url = f"ws://127.0.0.1:{exchange.port}{WS_PATH}"

    async def ask_for_ever() -> None:
        # A queue of one frame: what is not taken stays on the wire, and then with the server.
        async with connect(url, additional_headers=headers, proxy=None, compression=None, max_queue=1) as socket:
            while True:
                await socket.send('{"id":1,"cmd":"nonsense"}')

    async with asyncio.timeout(60):
        with pytest.raises(ConnectionClosed):
            await ask_for_ever()
    await until(lambda: not exchange.server.hub.connections)


async def test_a_body_too_large_is_refused_unread(exchange: Serving) -> None:
    headers = exchange.signers["alice"].headers(
        "POST", f"{PREFIX}/portfolio/events/orders", exchange.clock.machine_ms(), host=HERE
    )
    body = b'{"ticker":"' + b"A" * (MAX_BODY_BYTES + 1) + b'"}'
    reply = await exchange.client.post(f"{PREFIX}/portfolio/events/orders", content=body, headers=headers)
    assert reply.status_code == 413


async def sent_and_answered(listener: Listener, text: str) -> None:
    await listener.socket.send(text)
    await listener.frame()


async def test_a_command_too_large_ends_the_session_alone(exchange: Serving) -> None:
    async with exchange.stream() as listener:
        with pytest.raises(ConnectionClosed):
            await sent_and_answered(listener, "x" * (commands.MAX_COMMAND_BYTES + 1))
    async with exchange.stream() as listener:
        await listener.command("list_subscriptions")
        assert (await listener.frame())["type"] == "ok"


async def test_text_that_is_none_is_refused_in_words_and_ends_nothing(exchange: Serving) -> None:
    path = f"{PREFIX}/portfolio/events/orders"
    headers = exchange.signers["alice"].headers("POST", path, exchange.clock.machine_ms(), host=HERE)
    reply = await exchange.client.post(path, content=b'{"ticker":"\xff"}', headers=headers)
    assert reply.status_code == 400
    async with exchange.stream() as listener:
        await listener.socket.send(b'{"id":1,"cmd":"\xff"}')
        assert (await listener.frame())["type"] == "error"
        await listener.socket.send(b'{"id":2,"cmd":' + b"[" * 100_000)
        assert (await listener.frame())["type"] == "error"
        await listener.command("list_subscriptions")
        assert (await listener.frame())["type"] == "ok"
