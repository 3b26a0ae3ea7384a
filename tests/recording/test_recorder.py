"""The recorder: what it writes of markets, in portions; and how it ends where the disk does."""

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from kalshi_tui.domain.market import Event
from kalshi_tui.kalshi import wire
from kalshi_tui.recording.recorder import (
    MAX_INITIAL_MARKETS,
    MAX_MARKETS_PER_TICK,
    Recorder,
    RecordingError,
    format_size,
)
from kalshi_tui.recording.writer import RecordKind, StreamTap
from kalshi_tui.session.notices import Severity
from tests.support.fake_desk import (
    NOW_MS,
    TITLES,
    a_market,
    a_store,
)
from tests.support.recordings import the_records


class Group:
    """A stream group that only notes whether it is recorded; one connection of it is in the middle."""

    def __init__(self) -> None:
        self.told: list[Any] = []

    def record(self, recording: Any) -> list[tuple[StreamTap, frozenset[str]]]:
        self.told.append(recording)
        if recording is None:
            return []
        tap = recording.tap()
        tap.begin({1: ("orderbook_delta", 7)})
        return [(tap, frozenset({TITLES[0][0]}))]


async def no_sleep(_: float) -> None: ...


def a_recorder(markets: int = 0) -> tuple[Recorder, Group, Any]:
    made = [a_market(f"M-{number}") for number in range(markets)]
    store = a_store(lambda: NOW_MS, [a_market(TITLES[0][0]), *made] if made else ())
    group = Group()
    recorder = Recorder(
        store,
        group,
        lambda: NOW_MS,
        exchange="live",
        on_failure=lambda text: store.notify(Severity.ERROR, text),
        sleep=no_sleep,
    )
    return recorder, group, store


def kinds(path: Path) -> list[bytes]:
    return [record.kind for record in the_records(path)]


def test_what_is_known_comes_before_what_is_new(tmp_path: Path) -> None:
    recorder, group, store = a_recorder()
    recording = recorder.begin(tmp_path / "a.rec.gz")
    assert group.told == [recording]
    assert recorder.status_text.startswith("REC ")
    assert recorder.end() is recording
    assert group.told == [recording, None]
    assert recorder.status_text == ""
    header, *records = the_records(recording.path)
    assert b'"exchange":"live"' in header.payload
    written = [wire.decode(each.payload, wire.Market) for each in records if each.kind == RecordKind.MARKET]
    assert [each.ticker for each in written] == list(store.markets)
    assert (written[0].yes_bid_dollars, written[0].yes_ask_size_fp) == ("0.4700", "300.00")
    order = [each.kind for each in records]
    assert (
        order.index(RecordKind.EVENT)
        < order.index(RecordKind.SERIES)
        < order.index(RecordKind.MARKET)
        < order.index(RecordKind.PRINTS)
    )
    (book,) = (each for each in records if each.kind == RecordKind.BOOK)
    assert order.index(RecordKind.PRINTS) < order.index(RecordKind.BEGIN) < order.index(RecordKind.BOOK)
    assert wire.decode(book.payload, wire.SnapshotMsg).market_ticker == TITLES[0][0]
    (prints,) = (wire.decode(each.payload, list[wire.TradeMsg]) for each in records if each.kind == RecordKind.PRINTS)
    assert [each.trade_id for each in prints] == [f"t{number}" for number in range(30)]


def test_very_many_markets_are_written_a_few_at_a_time(tmp_path: Path) -> None:
    recorder, _, store = a_recorder(MAX_INITIAL_MARKETS + MAX_MARKETS_PER_TICK + 10)
    recording = recorder.begin(tmp_path / "a.rec.gz")
    counts = []
    for _ in range(4):
        recording.flush()
        counts.append(kinds(recording.path).count(RecordKind.MARKET))
        recorder.tick(check_markets=False)
    assert counts == [
        MAX_INITIAL_MARKETS + 1,
        MAX_INITIAL_MARKETS + MAX_MARKETS_PER_TICK + 1,
        *[len(store.markets)] * 2,
    ]
    recorder.end()


def test_markets_without_an_event_do_not_starve_the_others(tmp_path: Path) -> None:
    recorder, _, store = a_recorder()
    recording = recorder.begin(tmp_path / "a.rec.gz")
    orphans = [
        replace(a_market(f"O-{number}"), event_ticker="NOT-READ-YET") for number in range(MAX_MARKETS_PER_TICK + 10)
    ]
    last = a_market("Z-LAST")
    store.market_data.set_markets([*orphans, last], [Event(last.event_ticker, last.series_ticker, last.title)])
    for _ in range(3):
        recorder.tick(check_markets=True)
    recorder.end()
    written = [
        wire.decode(each.payload, wire.Market).ticker
        for each in the_records(recording.path)
        if each.kind == RecordKind.MARKET
    ]
    assert written.count("Z-LAST") == 1
    assert not any(ticker.startswith("O-") for ticker in written)


def test_markets_that_change_are_written_again_and_others_are_not(tmp_path: Path) -> None:
    recorder, _, store = a_recorder()
    recording = recorder.begin(tmp_path / "a.rec.gz")
    ticker = TITLES[1][0]
    store.market_data.set_markets([a_market(ticker, sub="Another name")])
    recorder.tick(check_markets=True)
    recorder.end()
    written = [
        wire.decode(each.payload, wire.Market) for each in the_records(recording.path) if each.kind == RecordKind.MARKET
    ]
    assert [each.ticker for each in written] == [*store.markets, ticker]
    assert written[-1].yes_sub_title == "Another name"


def test_a_full_disk_is_told_and_the_desk_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recorder, group, store = a_recorder()
    recording = recorder.begin(tmp_path / "a.rec.gz")
    before = kinds(recording.path)

    def full(file: int, data: bytes) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    recording.write_record(RecordKind.FRAME, b"{}", 1)
    recording.flush()
    monkeypatch.undo()
    recorder.tick(check_markets=False)
    assert recorder.recording is None
    assert group.told[-1] is None
    assert store.notices[0].severity is Severity.ERROR
    assert "the disk is full" in store.notices[0].text
    assert kinds(recording.path) == before
    recorder.tick(check_markets=True)


def test_a_file_that_is_there_is_told(tmp_path: Path) -> None:
    recorder, group, _ = a_recorder()
    path = tmp_path / "a.rec.gz"
    path.touch()
    with pytest.raises(RecordingError, match="already"):
        recorder.begin(path)
    assert recorder.recording is None
    assert not group.told


@pytest.mark.parametrize(
    ("size", "text"), [(0, "0 B"), (999, "999 B"), (1_000, "1 kB"), (12_345_678, "12 MB"), (5_000_000_000, "5 GB")]
)
def test_sizes_are_short(size: int, text: str) -> None:
    assert format_size(size) == text
