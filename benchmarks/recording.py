"""Taking frames down, reading them, checking them, and playing them, held against the decode of the same frames."""

import tempfile
from pathlib import Path

from benchmarks.frames import SID, TICKERS, frames
from benchmarks.measure import Figure, compare
from kalshi_tui.kalshi import wire
from kalshi_tui.practice.replay.recorded_world import ReplayWorld
from kalshi_tui.recording.checker import check_recording
from kalshi_tui.recording.reader import RecordingReader
from kalshi_tui.recording.writer import RecordingWriter, RecordKind

SOME = 60_000
"""How many frames; the feed's own benchmark has more."""
A_SECOND = 20_000
"""The goal: so many frames a second, well below one core."""
NOW_MS = 1_800_000_000_000


def a_recording(path: Path, made: list[bytes]) -> None:
    """Record these frames as one connection's."""
    clock = iter(range(NOW_MS, NOW_MS + 10 * len(made) + 1_000))
    recording = RecordingWriter(path, clock_ms=lambda: next(clock))
    for number, ticker in enumerate(TICKERS):
        event = wire.Event(event_ticker=f"EVENT-{number}", series_ticker="SERIES", title=ticker)
        market = wire.Market(
            ticker=ticker,
            event_ticker=event.event_ticker,
            open_time="2026-01-01T00:00:00Z",
            close_time="2099-01-01T00:00:00Z",
            status="active",
            price_level_structure="linear_cent",
        )
        recording.write_record(RecordKind.EVENT, wire.encode(event))
        recording.write_record(RecordKind.MARKET, wire.encode(market))
    tap = recording.tap()
    tap.begin({SID: (wire.Channel.BOOK, 1)})
    for frame in made:
        tap.record_frame(frame)
    recording.close()


def run() -> list[Figure]:
    """Compare each step with msgspec decoding the same frames and nothing else."""
    snapshots, deltas = frames()
    made = [*snapshots, *deltas[:SOME]]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "bench.rec.gz")
        a_recording(path, made)

        def write() -> None:
            other = Path(folder, "again.rec.gz")
            other.unlink(missing_ok=True)
            a_recording(other, made)

        def read() -> None:
            assert sum(record.kind == RecordKind.FRAME for record in RecordingReader(path).records()) == len(made)

        def verify() -> None:
            assert check_recording(path).clean

        def play() -> None:
            world = ReplayWorld(path, seed=7)
            world.step_frames(len(made))
            assert world.ended
            world.exchange.drain_events()

        def decode() -> None:
            for frame in made:
                wire.decode_frame(frame)

        reference = "msgspec decode alone"
        written, *others = (
            compare(name, work, reference, decode, items=len(made))
            for name, work in (
                ("a frame recorded", write),
                ("a recorded frame read", read),
                ("a recorded frame checked", verify),
                ("a recorded frame played into the engine", play),
            )
        )
        size = path.stat().st_size / len(made)
    share = Figure(
        f"share of a core at {A_SECOND:,} recorded frames a second",
        "a quarter of a core",
        written.ours * A_SECOND / 1e6 * 100,
        25,
        unit="%",
        bound=1,
    )
    raw = sum(map(len, made)) / len(made)
    return [written, share, *others, Figure("bytes of a recorded frame", "as it came", size, raw, unit="bytes")]
