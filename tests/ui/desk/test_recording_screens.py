"""Record, then replay: the same final books and the same screens. A real desk, a real exchange, real sockets."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from textual.pilot import Pilot

from kalshi_tui.kalshi.environments import practice_at_urls
from kalshi_tui.practice.server.connection import Connection
from kalshi_tui.recording.checker import book_levels, books_digest, check_recording
from kalshi_tui.recording.writer import RecordingError, RecordingWriter
from kalshi_tui.runtime.compose import (
    ExchangeAccess,
    build_replay_session,
    build_session,
    practice_access,
)
from kalshi_tui.runtime.launch import PracticeProcess
from kalshi_tui.session.session import Session
from kalshi_tui.session.store import Store
from kalshi_tui.ui.app import DeskApp
from kalshi_tui.ui.ui_settings import UiSettings
from tests.support.fake_desk import Clock
from tests.support.pilot import USUAL, USUAL_UI_SETTINGS, trading
from tests.support.practice_server import Serving, serving
from tests.support.recordings import BEGAN_MS

PATIENCE_S = 60.0
OF_THE_SESSION = ("PRACTICE", "[1 Orders]", " b Buy")
"""Lines that tell of the link, the clock and the keys, not of the market."""


class Seen:
    """A desk under a pilot, drawn by the test."""

    def __init__(self, app: DeskApp, session: Session, pilot: Pilot[None], timer: Clock) -> None:
        self._timer = timer
        self.app = app
        self.session = session
        self.pilot = pilot

    @property
    def store(self) -> Store:
        return self.session.store

    @property
    def taken(self) -> int:
        """How many frames have come, on all connections."""
        return self.session.parts.stream.health().frames

    async def wait(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while not condition():
                # Nobody else draws here, and a screen that is not drawn looks at no market.
                self.app.frame()
                await asyncio.sleep(0.02)

    async def screen(self) -> list[str]:
        """Draw, and give what stands of the market: quotes, book, tape; no sign of what has just changed."""
        await self.pilot.pause()
        self.app.frame()
        self._timer.advance(10_000)
        for _ in range(8):
            self.app.frame()
        self.app.desk_screen.redraw()
        await self.pilot.pause()
        lines = [strip.text.rstrip() for strip in self.app.screen._compositor.render_strips()]
        return [line for line in lines[:-2] if not any(word in line for word in OF_THE_SESSION)]

    def books(self) -> str:
        return books_digest(
            {ticker: book_levels(live.book) for ticker, live in self.store.books.items() if live.is_good}
        )


@asynccontextmanager
async def looking(session: Session) -> AsyncIterator[Seen]:
    timer = Clock(0)
    app = DeskApp(session, clock_ms=Clock(BEGAN_MS), timer_ms=timer, ui_settings=USUAL_UI_SETTINGS)
    async with app.run_test(size=USUAL) as pilot:
        for each in list(app._timers):
            if each.name == "frame":
                each.stop()
        yield Seen(app, session, pilot, timer)


def desk_at(at: Serving) -> Session:
    base = f"127.0.0.1:{at.port}"
    environment = practice_at_urls(f"http://{base}/trade-api/v2", f"ws://{base}/trade-api/ws/v2")
    return build_session(ExchangeAccess(environment, at.signers["alice"]))


def run_world(at: Serving) -> None:
    at.server.world.step()
    at.server.commit()


@pytest.mark.slow
async def test_a_desk_that_is_recorded_and_its_replay_end_with_the_same_books_and_screen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.rec.gz"
    sent = 0
    send = Connection.send

    def counted(to: Connection, frame: bytes, *, market_data: bool = False) -> None:
        nonlocal sent
        sent += 1
        send(to, frame, market_data=market_data)

    monkeypatch.setattr(Connection, "send", counted)
    async with serving(quiet=False, rate=1_500) as at, looking(desk_at(at)) as seen:
        await seen.wait(lambda: len(seen.store.markets) > 200 and seen.store.listing_progress is None)
        ticker = next(iter(seen.store.markets))
        await seen.wait(lambda: seen.store.book(ticker).is_good and ticker in seen.store.tapes)
        before = seen.store.frame_count
        for _ in range(20):
            run_world(at)
            await asyncio.sleep(0.02)
        # Begun in the middle of a connection: what is there already has to be in it.
        seen.session.toggle_recording(path)
        assert seen.session.recording_text.startswith("REC ")
        for _ in range(60):
            run_world(at)
            await asyncio.sleep(0.02)
        await seen.wait(lambda: seen.taken == sent)
        assert seen.store.frame_count > before + 100
        expected, books = await seen.screen(), seen.books()
        assert len(expected) > 30
        assert sum("." in line for line in expected) > 20
        seen.session.toggle_recording(path)
        assert not seen.session.recording_text
    found = check_recording(path)
    assert found.clean
    assert found.gaps == 0
    assert found.books == books
    process = PracticeProcess(["--data", str(tmp_path / "p"), "--recording", str(path), "--paused"])
    try:
        connected = practice_access(process.wait_until_ready(), process.describe_exit)
        async with looking(build_replay_session(connected, process.ready_fields["replay"])) as played:
            await played.wait(lambda: len(played.store.markets) > 200 and played.store.book(ticker).is_good)
            played.session.control_replay("replay_speed", {"speed": "max"})
            played.session.control_replay("replay_resume", {})
            await played.wait(lambda: played.session.replay is not None and played.session.replay.ended)
            shown: list[str] = []
            for _ in range(100):
                if (shown := await played.screen()) == expected:
                    break
                await asyncio.sleep(0.1)
            assert shown == expected
            assert played.books() == books
            assert played.app.title == "kalshi-tui PRACTICE REPLAY"
            played.app.desk_screen.draw_status(0, BEGAN_MS)
            await played.pilot.pause()
            status = played.app.screen._compositor.render_strips()[0].text
            assert "REPLAY" in status
            assert "ended max 100%" in status
    finally:
        process.stop()


async def test_r_in_a_folder_that_cannot_be_looked_into_fails_where_the_file_is_made(tmp_path: Path) -> None:
    folder = tmp_path / ("x" * 300)
    async with trading(ui_settings=UiSettings(theme="desk", export_folder=folder)) as trader:
        await trader.press("R")
        (path,) = trader.desk.recorded
    with pytest.raises(RecordingError, match="cannot be begun"):
        RecordingWriter(path, clock_ms=Clock(BEGAN_MS))
