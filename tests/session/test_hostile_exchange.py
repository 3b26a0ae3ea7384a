"""The whole desk on an exchange that means harm: it stays, says so, and trades again once the exchange behaves."""

import asyncio
import itertools
import time
from pathlib import Path

import pytest

from kalshi_tui.domain.book import Side
from kalshi_tui.domain.link import LinkState
from kalshi_tui.domain.order import Action, OrderState, OrderTerms
from kalshi_tui.kalshi.environments import practice_on_port
from kalshi_tui.kalshi.feed.handler import FeedHandler
from kalshi_tui.kalshi.feed.stream import Stream, StreamTiming
from kalshi_tui.kalshi.feed.stream_group import ReportListener, StreamGroup
from kalshi_tui.kalshi.rest import RestClient, Retry, Timeouts
from kalshi_tui.kalshi.transport.clock import ExchangeClock
from kalshi_tui.kalshi.transport.signing import Signer
from kalshi_tui.session.assembly import assemble_session
from kalshi_tui.session.execution.journal import Journal
from kalshi_tui.session.session import Session
from kalshi_tui.session.timing import Sleep
from kalshi_tui.session.venue import Venue
from kalshi_tui.ui.app import DeskApp
from tests.support.hostile_scripts import REST, STREAM
from tests.support.hostile_server import (
    Reader,
    Script,
    Server,
    Writer,
    piped,
    serving,
)
from tests.support.order_sender import sent
from tests.support.pilot import USUAL, USUAL_UI_SETTINGS
from tests.support.practice_server import serving as practicing
from tests.support.waiting import until

AT_ONCE = Retry(attempts=1)
IMPATIENT = Timeouts(connect=0.3, piece=0.1, whole=0.2)
TIMING = StreamTiming(tick=0.01, open=0.1, dead_after=0.3, first_wait=0.01, longest_wait=0.02, refused_wait=0.02)
SHORTER = 0.02
SOME = tuple(STREAM)[::3]
"""Each takes its time, and one stream follows another."""


def everything(asked: set[str]) -> Script:
    """Play the scripts one after another, and note which."""
    rest, stream = itertools.cycle(REST), itertools.cycle(SOME)

    async def script(head: bytes, reader: Reader, writer: Writer) -> None:
        if b"/trade-api/ws/" in head:
            name = next(stream)
            asked.add(f"stream: {name}")
            await STREAM[name][0](head, reader, writer)
        else:
            name = next(rest)
            asked.add(f"rest: {name}")
            await REST[name][0](head, reader, writer)

    return script


def hurried(sleep: Sleep) -> Sleep:
    """Let what waits for minutes wait for seconds."""

    async def short(seconds: float) -> None:
        await sleep(seconds * SHORTER)

    return short


def a_session(server: Server, signer: Signer, journal: Journal, sleep: Sleep) -> Session:
    environment = practice_on_port(server.port)
    clock = ExchangeClock()

    def a_stream(handler: FeedHandler, listener: ReportListener, *, private: bool) -> Stream:
        return Stream(environment, signer, handler, clock=clock, listener=listener, timing=TIMING, private=private)

    return assemble_session(
        Venue.PRACTICE,
        lambda log: RestClient(
            environment,
            signer,
            clock=clock,
            retry=AT_ONCE,
            timeouts=IMPATIENT,
            body_limit=4_000_000,
            on_left_out=log,
        ),
        lambda store, listener: StreamGroup(a_stream, store, listener),
        clock_ms,
        sleep,
        journal=journal,
    )


def clock_ms() -> int:
    return time.time_ns() // 1_000_000


@pytest.mark.slow
async def test_the_desk_outlives_a_hostile_exchange_and_trades_once_it_behaves(tmp_path: Path) -> None:
    asked: set[str] = set()
    journal = Journal.open(tmp_path / "journal.sqlite3", "key-of-alice")

    async with practicing() as exchange, serving(everything(asked)) as server:
        session = a_session(server, exchange.signers["alice"], journal, hurried(asyncio.sleep))
        app = DeskApp(session, clock_ms=clock_ms, ui_settings=USUAL_UI_SETTINGS)
        async with app.run_test(size=USUAL) as pilot:
            store = session.store
            everything_played = {f"rest: {name}" for name in REST} | {f"stream: {name}" for name in SOME}
            await until(lambda: asked >= everything_played, 60)
            assert app.is_running
            assert store.connection.state is not LinkState.LIVE
            told = [notice.text for notice in store.notices]
            assert told
            assert all(text.isprintable() and text.endswith((".", ")")) for text in told), told
            assert not any("Traceback" in text or "stumbled" in text for text in told), told
            await pilot.press("question_mark")
            await pilot.press("escape")

            server.script = piped(exchange.port)
            await until(lambda: store.connection.state is LinkState.LIVE and store.markets and store.balance, 30)
            # One that is far from its end: in the last minute of another, a cent can be what it trades at.
            listings = exchange.exchange.markets.visible()
            ticker = max(listings, key=lambda each: (each.status.tradable, each.close_ms)).ticker
            session.set_shown_markets([ticker])
            await until(lambda: store.book(ticker).is_good)
            outcome = await sent(session, OrderTerms(ticker, Side.YES, Action.BUY, 100, 500))
            assert outcome.order.state is OrderState.RESTING
            assert app.is_running
        assert app.return_code in {0, None}
