"""Pause, step, seek and speed over HTTP, and what a client of the exchange hears of it."""

import asyncio
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from kalshi_tui.domain.book import Book, Side
from kalshi_tui.domain.price import format_price, parse_count, parse_price, parse_signed_count
from kalshi_tui.kalshi.environments import practice_on_port
from kalshi_tui.kalshi.transport.signing import Signer
from kalshi_tui.kalshi.wire import ErrorCode
from kalshi_tui.practice.replay import recorded_world
from kalshi_tui.practice.replay.recorded_world import ReplayError, ReplayWorld, parse_replay_time
from kalshi_tui.practice.server import frame_queue, world_loop
from kalshi_tui.practice.server.app import PracticeServer
from kalshi_tui.practice.server.auth import Authenticator
from kalshi_tui.recording.checker import book_levels, books_digest
from kalshi_tui.session.replay import ReplayStatus
from tests.support.practice_server import (
    CASH,
    PEMS,
    TOKEN,
    Clock,
    Serving,
)
from tests.support.recordings import (
    BEGAN_MS,
    Hand,
    Studio,
    a_recording,
)

END_MS = BEGAN_MS + 3_000


@pytest.fixture
def studio(tmp_path: Path) -> Studio:
    return a_recording(tmp_path / "a.rec.gz", ms=3_000)


class Playing(Serving):
    """A server that plays a recording by a timer that the test moves."""

    world: ReplayWorld
    timer: Hand

    async def state(self) -> Any:
        return (await self.client.get("/practice/replay")).json()

    def pass_time(self, ms: int) -> None:
        self.timer.now += ms
        self.world.step()
        self.server.commit()


@asynccontextmanager
async def playing(path: Path, **more: Any) -> AsyncIterator[Playing]:
    timer, clock = Hand(0), Clock()
    world = ReplayWorld(path, seed=7, **({"timer_s": timer.timer_s} | more))
    authenticator = Authenticator(world.clock_ms, tolerance_ms=1 << 62)
    signers = {}
    for name, pem in PEMS.items():
        signers[name] = Signer.from_pem(f"key-of-{name}", pem, environment=practice_on_port(1))
        authenticator.register(f"key-of-{name}", name, signers[name].public_key())
        world.exchange.open_account(name, {0: CASH, 2: CASH})
    server = PracticeServer(
        world,
        authenticator,
        None,
        world.clock_ms,
        control_token=TOKEN,
        throttle_clock_ms=clock.machine_ms,
        tier="prestige",
    )
    runner = web.AppRunner(server.app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    world.start()
    server.commit()
    made = Playing(server, runner.addresses[0][1], signers, clock)
    made.world, made.timer = world, timer
    try:
        yield made
    finally:
        await made.client.aclose()
        await runner.cleanup()


async def test_the_state_says_where_it_is(studio: Studio) -> None:
    async with playing(studio.path) as at:
        first = await at.state()
        assert (first["begin_ms"], first["end_ms"], first["at_ms"]) == (BEGAN_MS, END_MS, BEGAN_MS)
        at.pass_time(1_000)
        assert (await at.state())["at_ms"] == BEGAN_MS + 1_000
        at.pass_time(60_000)
        last = await at.state()
        assert (last["at_ms"], last["ended"]) == (END_MS, True)
        assert last["records"] > first["records"]


async def test_pause_step_resume_and_speed(studio: Studio) -> None:
    async with playing(studio.path) as at:
        at.pass_time(500)
        assert (await at.control("replay_pause")).status_code == 200
        at.pass_time(5_000)
        paused = await at.state()
        assert (paused["at_ms"], paused["paused"]) == (BEGAN_MS + 500, True)
        await at.control("replay_step", count=3)
        stepped = await at.state()
        assert stepped["records"] >= paused["records"] + 3
        assert stepped["paused"]
        await at.control("replay_resume")
        await at.control("replay_speed", speed="10")
        at.pass_time(100)
        assert (await at.state())["at_ms"] == stepped["at_ms"] + 1_000
        await at.control("replay_speed", speed="max")
        while not (await at.state())["ended"]:
            at.pass_time(1)
        assert at.world.exchange.markets.listings[studio.tickers[0]].levels() == studio.levels()[studio.tickers[0]]


@pytest.mark.parametrize(
    ("action", "keys", "said"),
    [
        ("replay_speed", {"speed": "quick"}, "a speed is a number"),
        ("replay_seek", {"at": "tomorrow"}, "is no time of a recording"),
        ("advance_clock", {"ms": 1_000}, "action must be one of"),
        ("settle", {"ticker": "T", "result": "yes"}, "action must be one of"),
    ],
)
async def test_what_makes_no_sense_is_refused(studio: Studio, action: str, keys: dict[str, Any], said: str) -> None:
    async with playing(studio.path) as at:
        reply = await at.control(action, **keys)
        assert reply.status_code == 400
        assert said in reply.json()["details"]


async def test_only_who_has_the_token_moves_it(studio: Studio) -> None:
    async with playing(studio.path) as at:
        assert (await at.control("replay_pause", token="guessed")).status_code == 403
        assert not (await at.state())["paused"]


async def test_a_client_of_the_stream_has_true_books_over_seeks_without_a_reconnect(studio: Studio) -> None:
    async with playing(studio.path) as at, at.stream() as stream:
        books: dict[str, Book] = {}
        tickers = studio.tickers
        await stream.command("subscribe", channels=["orderbook_delta"], market_tickers=tickers)
        seq = 0
        await stream.frame()

        async def hear_all() -> None:
            nonlocal seq
            await at.client.get("/practice/replay")
            number = await stream.command("list_subscriptions")
            while (frame := await stream.frame()).get("id") != number:
                seq += 1
                assert frame["seq"] == seq
                apply(books, frame)

        await hear_all()
        for action, keys in (
            ("replay_seek", {"at": "2s"}),
            ("replay_seek", {"ms": -1_500}),
            ("replay_seek", {"at": "100%"}),
            ("replay_seek", {"at": str(BEGAN_MS)}),
        ):
            assert (await at.control(action, **keys)).status_code == 200
            at.pass_time(400)
            await hear_all()
            served = {ticker: at.exchange.markets.listings[ticker].levels() for ticker in tickers}
            assert books_digest({ticker: book_levels(book) for ticker, book in books.items()}) == books_digest(served)


def apply(books: dict[str, Book], frame: Any) -> None:
    msg = frame["msg"]
    book = books.setdefault(msg["market_ticker"], Book())
    if frame["type"] == "orderbook_snapshot":
        book.snapshot(
            *(
                [(parse_price(price), parse_count(count)) for price, count in msg.get(side, ())]
                for side in ("yes_dollars_fp", "no_dollars_fp")
            )
        )
    else:
        book.apply(Side(msg["side"]), parse_price(msg["price_dollars"]), parse_signed_count(msg["delta_fp"]))


async def test_quotes_and_trades_are_told_as_they_were_recorded(studio: Studio) -> None:
    async with playing(studio.path, speed=0.0) as at, at.stream() as stream:
        await stream.command("subscribe", channels=["trade"])
        await stream.frame()
        at.pass_time(1)
        while not at.world.ended:
            at.pass_time(1)
        made = [trade for trade in studio.exchange.markets.tape if trade.ts_ms > BEGAN_MS]
        told = [(await stream.frame())["msg"]["trade_id"] for _ in made]
        assert told == [trade.trade_id for trade in made]
        listed = {each["ticker"]: each for each in (await at.get("/markets"))["markets"]}
        for ticker in studio.tickers:
            listing = studio.exchange.markets.listings[ticker]
            assert listed[ticker]["title"] == listing.terms.title
            assert listed[ticker]["price_level_structure"] == listing.structure
            if listing.volume:
                assert parse_price(listed[ticker]["yes_bid_dollars"]) == listing.top[0]
                assert parse_count(listed[ticker]["volume_fp"]) == listing.volume


async def test_orders_work_at_a_recorded_time_and_a_signature_of_today(studio: Studio) -> None:
    async with playing(studio.path, paused=True) as at:
        await at.control("replay_step", count=30)
        ticker, ask = next(
            (listing.ticker, 10_000 - listing.levels()[1][-1][0])
            for listing in at.exchange.markets.ranked_listings
            if listing.levels()[1]
        )
        price = format_price(ask)
        at.pass_time(10)
        reply = await at.order(ticker, "bid", price, "1.00")
        assert reply.status_code == 201, reply.text
        assert reply.json()["fill_count"] == "1.00"
        assert BEGAN_MS <= reply.json()["ts_ms"] < END_MS
        rested = await at.order(ticker, "bid", "0.0100", "1.00")
        assert (await at.control("replay_seek", at="2s")).status_code == 200
        order = (await at.call("GET", f"/portfolio/orders/{rested.json()['order_id']}")).json()["order"]
        assert order["status"] == "canceled"
        held = (await at.call("GET", "/portfolio/positions")).json()["market_positions"]
        assert [each["position_fp"] for each in held] == ["1.00"]


async def test_two_seeks_at_once_are_one_too_many(studio: Studio) -> None:
    async with playing(studio.path) as at:
        at.world.seeking = True
        reply = await at.control("replay_seek", at="1s")
        assert reply.status_code == 400
        assert "under way" in reply.json()["details"]


@pytest.mark.parametrize(
    ("text", "ms"),
    [
        ("90s", 90_000),
        ("+1.5m", 90_000),
        ("-30s", 3_570_000),
        ("1h", 3_600_000),
        ("50%", 1_800_000),
        ("23:50:30.5", 330_500),
        ("23:50", 300_000),
        ("00:10", 1_500_000),
        ("2027-01-15T23:46:00Z", 60_000),
        ("2027-01-15 23:46", 60_000),
        (str(1_800_056_700_000 + 7), 7),
    ],
)
def test_moments_are_read(text: str, ms: int) -> None:
    begin = 1_800_056_700_000  # 2027-01-15 23:45 UTC
    assert parse_replay_time(text, begin, begin + 3_600_000) == begin + ms


@pytest.mark.parametrize(
    "text", ["9" * 400 + "s", "9" * 400 + "h", "nan%", "99:99", "24:00", "9" * 5_000, "9" * 400 + "%s"]
)
def test_moments_that_are_none_are_told(text: str) -> None:
    with pytest.raises(ReplayError, match="is no time of a recording"):
        parse_replay_time(text, BEGAN_MS, END_MS)


@pytest.mark.parametrize("at_ms", [10**17, -(10**17)])
def test_a_moment_that_no_calendar_has_fails_no_line_of_the_screen(at_ms: int) -> None:
    assert ReplayStatus(at_ms, BEGAN_MS, END_MS).status_text.startswith("REPLAY 2")


@asynccontextmanager
async def stepping(at: Playing) -> AsyncIterator[None]:
    """Let the server step its world as it does in a process of its own."""
    task = asyncio.create_task(at.server.run_world())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def test_a_reader_that_stands_still_does_not_halt_the_replay_for_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(frame_queue, "MAX_BUFFERED_FRAMES", 2_000)
    # A step must be far below the buffer, as the real one is.
    monkeypatch.setattr(recorded_world, "MAX_STEP_S", 0.002)
    monkeypatch.setattr(world_loop, "SLOW_READER_TIMEOUT_S", 0.3)
    studio = a_recording(tmp_path / "a.rec.gz", ms=3_000, rate=4_000)
    async with (
        playing(studio.path, speed=0.0, paused=True, timer_s=time.monotonic) as at,
        at.stream() as still,
        at.stream("bob") as quick,
    ):
        for each in (still, quick):
            await each.command("subscribe", channels=["orderbook_delta"], market_tickers=studio.tickers)
        books: dict[str, Book] = {}
        await quick.frame()
        (stuck, _) = at.server.hub.connections
        stuck._transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4_096)  # type: ignore[union-attr]  # it has one
        still.socket.transport.pause_reading()
        at.world.resume()
        async with stepping(at), asyncio.timeout(60):
            number = 0
            while not at.world.ended:
                number = await quick.command("list_subscriptions")
                while (frame := await quick.frame()).get("id") != number:
                    assert frame["type"] != "error", "who reads is waited for"
                    apply(books, frame)
            number = await quick.command("list_subscriptions")
            while (frame := await quick.frame()).get("id") != number:
                apply(books, frame)
            assert {ticker: book_levels(book) for ticker, book in books.items()} == studio.levels()
            still.socket.transport.resume_reading()
            while (frame := await still.frame())["type"] != "error":
                pass
            assert frame["msg"]["code"] == ErrorCode.BUFFER_OVERFLOW


class Slow:
    """Stands for a reader; counts how often it is looked at."""

    def __init__(self) -> None:
        self.looks = 0
        self.slow = True

    @property
    def is_behind(self) -> bool:
        self.looks += 1
        return self.slow

    async def looked_at(self, times: int) -> None:
        until = self.looks + times
        async with asyncio.timeout(10):
            while self.looks < until:
                await asyncio.sleep(0.001)


@pytest.mark.slow
async def test_the_clock_of_a_replay_that_waited_for_a_reader_makes_up_for_nothing(studio: Studio) -> None:
    async with playing(studio.path) as at:
        slow = Slow()
        at.server.hub.connections[slow] = None  # type: ignore[index]  # as much of a reader as is asked for
        async with stepping(at):
            await slow.looked_at(2)
            at.timer.now += 2_000
            await slow.looked_at(2)
            slow.slow = False
            await slow.looked_at(2)
            assert (await at.state())["at_ms"] == BEGAN_MS
            at.timer.now += 1_000
            await slow.looked_at(2)
            assert (await at.state())["at_ms"] == BEGAN_MS + 1_000
        del at.server.hub.connections[slow]  # type: ignore[arg-type]  # as above
