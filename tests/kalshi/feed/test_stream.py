import asyncio
import logging
import time
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosedError
from websockets.http11 import Response

from kalshi_tui.domain.book import Side
from kalshi_tui.domain.link import LinkState
from kalshi_tui.kalshi import wire
from kalshi_tui.kalshi.environments import practice_on_port
from kalshi_tui.kalshi.feed.stream import MAX_MESSAGE_BYTES, Backoff, Stream, StreamTiming
from kalshi_tui.kalshi.feed.subscription import Happening, RecoveryPolicy
from kalshi_tui.kalshi.transport.clock import ExchangeClock
from kalshi_tui.kalshi.transport.signing import (
    SIGNATURE_HEADER,
    Signer,
)
from tests.support.book_handler import BookHandler
from tests.support.stream_exchange import QUICK, A, B, Desk, Exchange, refusal, running
from tests.support.waiting import until


async def test_books_are_followed_and_the_wishes_change_without_a_reconnect(exchange: Exchange, signer: Signer) -> None:
    desk = Desk(exchange, signer)
    desk.stream.watch_books([A])
    async with running(desk):
        await desk.live()
        assert [state for state, _ in desk.feed_handler.links] == [LinkState.CONNECTING, LinkState.LIVE]
        await until(lambda: desk.right(A))
        await exchange.move(A)
        await until(lambda: desk.feed_handler.books[A].yes.counts == [1500])
        desk.stream.watch_books([A, B])
        await until(lambda: desk.right(A, B))
        desk.stream.watch_books([B])
        await until(lambda: desk.right(B))
        await exchange.move(B)
        await until(lambda: desk.feed_handler.books[B].yes.counts == [1500])
        health = desk.stream.health()
        assert health.state is LinkState.LIVE
        assert health.faults == health.untrusted == 0
        assert health.frames > 5
    assert len(exchange.handshakes) == 1
    assert exchange.binary == 0, "commands go as text"


async def test_after_a_cut_it_comes_back_with_a_new_signature_and_right_books(
    exchange: Exchange, signer: Signer
) -> None:
    desk = Desk(exchange, signer)
    desk.stream.watch_books([A, B])
    async with running(desk):
        await until(lambda: desk.right(A, B))
        for times in (1, 2, 3):
            assert exchange.connection is not None
            exchange.connection.transport.abort()
            await exchange.shaken_hands(times + 1)
            assert len(desk.feed_handler.whys) == times
            await until(lambda: desk.right(A, B))
            await desk.live()
            await exchange.move(A)
            await until(lambda: desk.right(A, B))
    signatures = {request.headers[SIGNATURE_HEADER] for request in exchange.handshakes}
    assert len(signatures) == 4
    details = [detail for state, detail in desk.feed_handler.links if state is LinkState.WAITING]
    assert len(details) == 3
    assert all(detail.startswith("The connection to the exchange broke.") for detail in details)
    assert len(desk.reports.of(Happening.HEALED)) == 3


@pytest.mark.parametrize(("healthy_after", "bounds"), [(60.0, [0.01, 0.02, 0.04]), (0.0, [0.01, 0.01, 0.01])])
async def test_the_waits_begin_small_again_only_after_a_healthy_connection(
    exchange: Exchange, signer: Signer, healthy_after: float, bounds: list[float]
) -> None:
    asked: list[float] = []

    def at_once(_: float, bound: float) -> float:
        asked.append(bound)
        return 0.0

    timing = StreamTiming(tick=0.01, first_wait=0.01, longest_wait=1.0, healthy_after=healthy_after)
    stream = Stream(practice_on_port(exchange.port), signer, BookHandler(), timing=timing, uniform=at_once)
    task = asyncio.create_task(stream.run())
    try:
        for times in (1, 2, 3):
            await exchange.shaken_hands(times)
            await until(lambda: exchange.connection is not None)
            assert exchange.connection is not None
            exchange.connection.transport.abort()
        await exchange.shaken_hands(4)
    finally:
        await stream.close()
        await task
    assert asked == bounds


async def test_a_close_by_the_exchange_is_told_with_its_words_cleaned(exchange: Exchange, signer: Signer) -> None:
    desk = Desk(exchange, signer)
    async with running(desk):
        await desk.live()
        assert exchange.connection is not None
        await exchange.connection.close(1012, "service\x1brestart")
        await until(lambda: any(state is LinkState.WAITING for state, _ in desk.feed_handler.links))
    detail = next(detail for state, detail in desk.feed_handler.links if state is LinkState.WAITING)
    assert "code 1012, service\N{REPLACEMENT CHARACTER}restart" in detail


async def test_a_message_as_large_as_the_exchange_may_send_is_read(exchange: Exchange, signer: Signer) -> None:
    assert MAX_MESSAGE_BYTES == 64 * 1024 * 1024
    desk = Desk(exchange, signer)
    desk.stream.watch_books([A])
    async with running(desk):
        await until(lambda: desk.right(A))
        large = wire.encode(wire.OkFrame(id=999, msg=wire.OkMsg(market_tickers=[A])))
        await exchange.send([large + b" " * (MAX_MESSAGE_BYTES - len(large))])
        await exchange.move(A)
        await until(lambda: desk.feed_handler.books[A].yes.counts == [1500])
    assert len(exchange.handshakes) == 1


async def test_a_lost_message_heals_on_the_same_connection(exchange: Exchange, signer: Signer) -> None:
    desk = Desk(exchange, signer)
    desk.stream.watch_books([A, B])
    async with running(desk):
        await until(lambda: desk.right(A, B))
        exchange.model.move(A, Side.YES, 4000, 100)
        await exchange.move(B)
        await until(lambda: desk.reports.of(Happening.HEALED))
        assert desk.right(A, B)
    assert len(exchange.handshakes) == 1


async def test_a_wrong_key_is_refused_in_words_and_tried_again_on_request(exchange: Exchange, signer: Signer) -> None:
    desk = Desk(exchange, signer)
    exchange.refusals = [refusal(401, "NOT_FOUND")]
    async with running(desk):
        await until(lambda: desk.feed_handler.links[-1:] and desk.state is LinkState.REFUSED)
        assert "key id" in desk.feed_handler.links[-1][1]
        desk.stream.retry_now()
        await desk.live()


async def test_a_wrong_clock_is_told_from_a_wrong_key_and_corrected_for(exchange: Exchange, signer: Signer) -> None:
    clock = ExchangeClock(lambda: time.time_ns() // 1_000_000 - 90_000)
    desk = Desk(exchange, signer, clock=clock)
    async with running(desk):
        await desk.live()
    waiting = [detail for state, detail in desk.feed_handler.links if state is LinkState.WAITING]
    assert len(waiting) == 1
    assert "clock is 90 s behind" in waiting[0] or "clock is 91 s behind" in waiting[0]
    assert "corrected for" in waiting[0]
    assert abs(clock.skew_ms - 90_000) < 2_000
    assert not any(state is LinkState.REFUSED for state, _ in desk.feed_handler.links)


@pytest.mark.parametrize(
    ("answer", "state", "words"),
    [
        (refusal(503), LinkState.WAITING, "paused or down"),
        (refusal(500), LinkState.WAITING, "status 500"),
        (refusal(429), LinkState.WAITING, "no more connections"),
        (refusal(403), LinkState.REFUSED, "does not let this key"),
        (refusal(302, Location="ws://127.0.0.1:9/trade-api/ws/v2"), LinkState.REFUSED, "points elsewhere"),
        (refusal(404), LinkState.REFUSED, "status 404"),
        (refusal(200), LinkState.REFUSED, "status 200"),
    ],
)
async def test_what_a_refused_handshake_means(
    answer: Response, state: LinkState, words: str, exchange: Exchange, signer: Signer
) -> None:
    exchange.refusals = [answer]
    desk = Desk(exchange, signer)
    async with running(desk):
        await until(lambda: len(desk.feed_handler.links) > 1)
        assert desk.feed_handler.links[1][0] is state
        assert words in desk.feed_handler.links[1][1]
        desk.stream.retry_now()
        await desk.live()


async def test_nobody_at_the_address_is_a_state_not_an_error(signer: Signer, unused_tcp_port: int) -> None:
    feed_handler = BookHandler()
    stream = Stream(practice_on_port(unused_tcp_port), signer, feed_handler, timing=QUICK)
    task = asyncio.create_task(stream.run())
    await until(lambda: len([link for link in feed_handler.links if link[0] is LinkState.WAITING]) >= 3)
    await stream.close()
    await task
    assert "Nobody answers" in feed_handler.links[1][1]


async def test_what_is_no_websocket_is_a_state_not_an_error(signer: Signer) -> None:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.write(b"SSH-2.0-surprise\r\n")
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    async with server:
        feed_handler = BookHandler()
        stream = Stream(practice_on_port(server.sockets[0].getsockname()[1]), signer, feed_handler, timing=QUICK)
        task = asyncio.create_task(stream.run())
        await until(lambda: len(feed_handler.links) > 1)
        await stream.close()
        await task
    assert feed_handler.links[1][0] is LinkState.WAITING
    assert "not as a WebSocket" in feed_handler.links[1][1] or "broke" in feed_handler.links[1][1]


async def test_a_silent_link_is_given_up_and_the_servers_pings_keep_it(exchange: Exchange, signer: Signer) -> None:
    timing = StreamTiming(tick=0.01, first_wait=0.01, longest_wait=0.05, dead_after=0.25)
    desk = Desk(exchange, signer, timing=timing)
    desk.stream.watch_books([A])
    async with running(desk):
        await until(lambda: desk.right(A))
        assert exchange.connection is not None
        for _ in range(10):
            await exchange.connection.ping(wire.HEARTBEAT)
            await asyncio.sleep(0.05)
        assert len(exchange.handshakes) == 1
        age = desk.stream.health().ping_age
        assert age is not None
        assert age < 0.25
        await until(lambda: len(exchange.handshakes) == 2)
    details = [detail for state, detail in desk.feed_handler.links if state is LinkState.WAITING]
    assert details[0].startswith("The exchange was silent for")


async def test_a_link_that_pings_but_answers_nothing_is_found_out(exchange: Exchange, signer: Signer) -> None:
    timing = StreamTiming(tick=0.01, first_wait=0.01, longest_wait=0.05, probe_after=0.1)
    desk = Desk(exchange, signer, timing=timing, policy=RecoveryPolicy(answer=0.2))
    async with running(desk):
        await desk.live()
        await until(lambda: any(command.cmd == "list_subscriptions" for command in exchange.model.commands))
        assert len(exchange.handshakes) == 1
        exchange.dumb = True
        await until(lambda: len(exchange.handshakes) == 2)
    details = [detail for state, detail in desk.feed_handler.links if state is LinkState.WAITING]
    assert "does not answer" in details[0]


async def test_the_account_is_live_only_when_its_subscriptions_were_answered(
    exchange: Exchange, signer: Signer
) -> None:
    exchange.dumb = True
    desk = Desk(exchange, signer, policy=RecoveryPolicy(answer=0.1))
    async with running(desk):
        await until(lambda: len(exchange.handshakes) == 3)
        assert not any(state is LinkState.LIVE for state, _ in desk.feed_handler.links)
        exchange.dumb = False
        await desk.live()


async def test_a_flood_loses_nothing(exchange: Exchange, signer: Signer) -> None:
    desk = Desk(exchange, signer)
    desk.stream.watch_books([A])
    async with running(desk):
        await until(lambda: desk.right(A))
        for number in range(10_000):
            await exchange.send(exchange.model.move(A, Side.YES, 4000, 100 if number % 3 else -100))
        await until(lambda: desk.right(A) and desk.stream.frames > 10_000, 20)
        assert desk.stream.health().faults == 0


async def test_frames_that_are_always_there_still_leave_the_loop_its_turns(signer: Signer) -> None:
    class Endless:
        """A connection that has the next frame at once, and so never lets go of the loop by itself."""

        left = 3_200

        async def recv(self, *, decode: bool) -> bytes:
            assert not decode
            self.left -= 1
            if self.left < 0:
                raise ConnectionClosedError(None, None)
            return b'{"type":"novelty"}'

    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1

    stream = Stream(practice_on_port(1), signer, BookHandler(), timing=StreamTiming(slice=0.0))
    other = asyncio.create_task(others())
    endless: Any = Endless()
    assert await stream._read_loop(endless) == "The connection to the exchange broke."
    other.cancel()
    assert stream.frames == 3_200
    assert turns >= 99


async def test_a_message_of_several_megabytes_is_taken(exchange: Exchange, signer: Signer) -> None:
    desk = Desk(exchange, signer)
    async with running(desk):
        await desk.live()
        tickers = [f"KXWIN-26-{number:030d}" for number in range(60_000)]
        frame = wire.encode(wire.OkFrame(id=0, msg=wire.OkMsg(market_tickers=tickers)))
        assert len(frame) > 2_000_000
        await exchange.send([frame])
        desk.stream.watch_books([A])
        await until(lambda: desk.right(A))
    assert len(exchange.handshakes) == 1


async def test_the_signature_is_in_no_log(exchange: Exchange, signer: Signer, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    logging.getLogger("websockets.server").setLevel(logging.WARNING)
    desk = Desk(exchange, signer)
    async with running(desk):
        await desk.live()
    assert exchange.handshakes[0].headers[SIGNATURE_HEADER] not in caplog.text


async def test_canceling_the_run_closes_everything(exchange: Exchange, signer: Signer) -> None:
    desk = Desk(exchange, signer)
    desk.stream.watch_books([A])
    task = asyncio.create_task(desk.stream.run())
    await until(lambda: desk.right(A))
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert desk.feed_handler.good == set()
    assert desk.state is LinkState.OFFLINE
    assert [each for each in asyncio.all_tasks() if each.get_name().startswith("stream ")] == []


def test_waits_double_with_full_jitter_up_to_a_bound() -> None:
    bounds: list[float] = []

    def uniform(low: float, high: float) -> float:
        assert low == 0.0
        bounds.append(high)
        return high

    backoff = Backoff(0.5, 30.0, uniform)
    assert [backoff.next_wait() for _ in range(8)] == [0.5, 1, 2, 4, 8, 16, 30, 30]
    backoff.reset()
    assert backoff.next_wait() == 0.5
