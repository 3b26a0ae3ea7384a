"""The key that records, and the keys of a replay: they work while one plays, and say so while none does."""

from pathlib import Path

import pytest

from kalshi_tui.session.replay import (
    ReplayClock,
    ReplayStatus,
    next_speed,
    parse_speed,
)
from kalshi_tui.ui.ui_settings import UiSettings
from tests.support.fake_desk import NOW_MS, Clock, FakeDesk
from tests.support.pilot import NARROW, SIZES, trading

PLAYING = ReplayStatus(NOW_MS + 60_000, NOW_MS, NOW_MS + 240_000)


def a_desk(replay: ReplayStatus | None = PLAYING) -> FakeDesk:
    desk = FakeDesk(Clock())
    desk.replay = replay
    return desk


async def test_r_records_into_the_folder_of_tables_and_the_top_line_says_so(tmp_path: Path) -> None:
    async with trading(ui_settings=UiSettings(theme="desk", export_folder=tmp_path)) as trader:
        assert "REC" not in trader.lines()[0]
        screen = await trader.press("R")
        (path,) = trader.desk.recorded
        assert path == tmp_path / "kalshi-tui-20270115T080000Z.rec.gz"
        assert "REC 0 B" in screen.split("\n")[0]
        path.touch()
        assert "REC" not in (await trader.press("R")).split("\n")[0]
        assert trader.desk.recorded[1].name == "kalshi-tui-20270115T080000Z-2.rec.gz"


async def test_without_a_folder_nothing_is_recorded(tmp_path: Path) -> None:
    async with trading() as trader:
        assert "no folder for it was named" in await trader.press("R")
        assert not trader.desk.recorded


@pytest.mark.quick_cases("80x24")
@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
async def test_a_replay_says_that_it_is_one_on_every_size(size: tuple[int, int]) -> None:
    desk = a_desk()
    desk.recording_text = "REC 12 MB"
    async with trading(desk, size=size) as trader:
        status = trader.lines()[0]
        assert "REPLAY" in status
        assert "08:01:00Z x1 25%" in status
        assert "REC 12 MB" in status
        assert "PRACTICE" in status
        assert len(status) <= size[0]
        assert trader.app.title.endswith("REPLAY")


@pytest.mark.parametrize(
    ("replay", "word"),
    [
        (ReplayStatus(NOW_MS, NOW_MS, NOW_MS + 10, paused=True), "paused x1 0%"),
        (ReplayStatus(NOW_MS, NOW_MS, NOW_MS + 10, seeking=True), "seeking 0%"),
        (ReplayStatus(NOW_MS + 10, NOW_MS, NOW_MS + 10, ended=True, paused=True), "ended x1 100%"),
        (ReplayStatus(NOW_MS, NOW_MS, NOW_MS, speed=0.0), "max 100%"),
        (ReplayStatus(NOW_MS, NOW_MS, NOW_MS + 10, speed=2.5), "x2.5 0%"),
    ],
)
async def test_the_top_line_says_what_it_does(replay: ReplayStatus, word: str) -> None:
    async with trading(a_desk(replay)) as trader:
        assert word in trader.lines()[0]


async def test_the_keys_of_a_replay(tmp_path: Path) -> None:
    async with trading(a_desk()) as trader:
        await trader.press("P", "n", "left_square_bracket", "right_square_bracket", "minus", "plus")
        assert trader.desk.played == [
            ("replay_pause", {}),
            ("replay_step", {"count": 1}),
            ("replay_seek", {"ms": -10_000}),
            ("replay_seek", {"ms": 10_000}),
            ("replay_speed", {"speed": "0.5"}),
            ("replay_speed", {"speed": "1"}),
        ]
        trader.desk.replay = ReplayStatus(NOW_MS, NOW_MS, NOW_MS + 10, paused=True)
        await trader.press("P")
        assert trader.desk.played[-1] == ("replay_resume", {})
        assert "P Pause" in " ".join(trader.lines()[-1].split())


async def test_a_time_is_typed_and_gone_to() -> None:
    async with trading(a_desk()) as trader:
        assert "Where to?" in await trader.press("at")
        assert "Type a time." in await trader.press("enter")
        await trader.type("08:02")
        await trader.press("enter")
        assert trader.desk.played == [("replay_seek", {"at": "08:02"})]
        await trader.press("at", "escape")
        assert len(trader.desk.played) == 1


async def test_without_a_replay_its_keys_say_so_and_are_not_in_the_bar() -> None:
    async with trading(size=NARROW) as trader:
        for each in ("P", "n", "left_square_bracket", "minus", "at"):
            assert "No recording plays here" in await trader.press(each)
        assert not trader.desk.played
        assert "Pause" not in trader.lines()[-1]


def test_the_speeds_go_up_and_down_to_their_ends() -> None:
    speed, seen = 1.0, ["1"]
    for _ in range(12):
        text = next_speed(speed, 1)
        seen.append(text)
        speed = parse_speed(text)
    assert seen == ["1", "2", "5", "10", "30", "100", *["max"] * 7]
    assert next_speed(0.0, -1) == "100"
    assert next_speed(0.1, -1) == "0.1"
    assert next_speed(7.0, 1) == "10"


def test_the_clock_goes_by_the_recordings_time_and_stands_in_a_pause() -> None:
    now = 0.0
    clock = ReplayClock(ReplayStatus(1_000, 0, 9_000, speed=2.0), lambda: now)
    now = 1.5
    assert clock() == 4_000
    assert clock.current_status().at_ms == 4_000
    now = 100.0
    assert clock() == 9_000
    for still in ({"paused": True}, {"ended": True}, {"seeking": True}, {"speed": 0.0}):
        clock.update(ReplayStatus(3_000, 0, 9_000, **still))
        now += 10
        assert clock() == 3_000
