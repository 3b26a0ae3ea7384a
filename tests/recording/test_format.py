"""The file: whole up to where it broke off, for its owner alone, with nothing of the account in it."""

import errno
import gzip
import os
import zlib
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from kalshi_tui.domain.book import Side
from kalshi_tui.domain.order import BookSide, TimeInForce
from kalshi_tui.kalshi import wire
from kalshi_tui.practice.engine.records import OrderRequest
from kalshi_tui.recording.checker import check_recording
from kalshi_tui.recording.reader import MAX_TIME_MS, MIN_TIME_MS, RecordingReader
from kalshi_tui.recording.writer import (
    BLOCK_BYTES,
    FORMAT_NAME,
    FORMAT_VERSION,
    MAX_BLOCK_AGE_S,
    RecordingError,
    RecordingHeader,
    RecordingWriter,
    RecordKind,
    require_new_file,
)
from tests.support.budget import examples
from tests.support.recordings import (
    BEGAN_MS,
    US,
    Hand,
    Studio,
    a_recording,
    the_records,
)

FIXTURE = [HealthCheck.function_scoped_fixture]


def small(path: Path, payloads: list[bytes], *, flush_every: int = 3) -> None:
    clock = Hand()
    recording = RecordingWriter(path, clock_ms=clock)
    for number, payload in enumerate(payloads):
        clock.now += number
        recording.write_record(RecordKind.FRAME, payload, 1)
        if number % flush_every == 0:
            recording.flush()
    recording.close()


@settings(max_examples=examples(80), deadline=None, suppress_health_check=FIXTURE)
@given(payloads=st.lists(st.binary(max_size=300), max_size=30))
def test_what_is_written_is_read_again_byte_for_byte(tmp_path: Path, payloads: list[bytes]) -> None:
    path = tmp_path / "a.rec.gz"
    path.unlink(missing_ok=True)
    small(path, payloads)
    header, *frames = the_records(path)
    assert header.kind == RecordKind.HEADER
    assert [frame.payload for frame in frames] == payloads
    assert {frame.connection for frame in frames} <= {1}
    assert [frame.ms for frame in frames] == sorted(frame.ms for frame in frames)


@settings(max_examples=examples(150), deadline=None, suppress_health_check=FIXTURE)
@given(data=st.data())
def test_any_truncation_yields_a_prefix_and_a_sentence(tmp_path: Path, data: st.DataObject) -> None:
    whole, cut = tmp_path / "whole.rec.gz", tmp_path / "cut.rec.gz"
    if not whole.exists():
        small(whole, [os.urandom(50) for _ in range(40)])
    written, records = whole.read_bytes(), the_records(whole)
    at = data.draw(st.integers(0, len(written)))
    cut.write_bytes(written[:at])
    ends = block_ends(written)
    if at < ends[0]:
        with pytest.raises(RecordingError, match=r"nothing that can be read.*\.$"):
            RecordingReader(cut)
        return
    file = RecordingReader(cut)
    found = list(file.records())
    assert found == records[: len(found)]
    assert ("breaks off" in file.end_reason) == (at not in ends)
    assert len(found) > (0 if at < len(written) else len(records) - 1)
    assert file.last_ms() == found[-1].ms


def block_ends(written: bytes) -> list[int]:
    """Return where each block of a file ends."""
    ends, left = [], written
    while left:
        opener = zlib.decompressobj(31)
        opener.decompress(left)
        left = opener.unused_data
        ends.append(len(written) - len(left))
    return ends


@settings(max_examples=examples(150), deadline=None, suppress_health_check=FIXTURE)
@given(data=st.data())
def test_damage_anywhere_is_never_more_than_a_sentence(tmp_path: Path, data: st.DataObject) -> None:
    whole, hurt = tmp_path / "whole.rec.gz", tmp_path / "hurt.rec.gz"
    if not whole.exists():
        a_recording(whole, ms=600)
    written = bytearray(whole.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        written[data.draw(st.integers(0, len(written) - 1))] = data.draw(st.integers(0, 255))
    hurt.write_bytes(written)
    try:
        found = check_recording(hurt)
    except RecordingError:
        return
    assert found.frames <= check_recording(whole).frames
    assert isinstance(found.end, str)


@settings(max_examples=examples(100), deadline=None, suppress_health_check=FIXTURE)
@given(garbage=st.binary(max_size=2_000), packed=st.booleans())
def test_garbage_is_no_recording(tmp_path: Path, garbage: bytes, packed: bool) -> None:
    path = tmp_path / "garbage.rec.gz"
    path.write_bytes(gzip.compress(garbage) if packed else garbage)
    with pytest.raises(RecordingError, match="no recording"):
        RecordingReader(path)


@pytest.mark.parametrize(
    "records",
    [
        b"F 1 1 5\nab\n",
        b"F 1 1 -1\n\n",
        b"F x 1 2\nab\n",
        b"F 1 1 2\nab",
        b"FF 1 1 2\nab\n",
        b"F 1 1\nab\n",
        b"F" * 200,
    ],
)
def test_records_that_are_none_end_the_reading(tmp_path: Path, records: bytes) -> None:
    path = tmp_path / "a.rec.gz"
    small(path, [b"{}"] * 3)
    path.write_bytes(path.read_bytes() + gzip.compress(records))
    file = RecordingReader(path)
    assert len(list(file.records())) == 4
    assert "damaged" in file.end_reason


def test_a_recording_of_a_newer_version_and_one_that_is_not_there_are_told(tmp_path: Path) -> None:
    path = tmp_path / "new.rec.gz"
    header = wire.encode(RecordingHeader(format=FORMAT_NAME, version=FORMAT_VERSION + 1))
    path.write_bytes(gzip.compress(b"H 1 0 %d\n%b\n" % (len(header), header)))
    with pytest.raises(RecordingError, match="newer version"):
        RecordingReader(path)
    with pytest.raises(RecordingError, match="cannot be read"):
        RecordingReader(tmp_path / "none")
    with pytest.raises(RecordingError, match="cannot be read"):
        RecordingReader(tmp_path)


@pytest.mark.parametrize("ms", [0, -1, MIN_TIME_MS - 1, MAX_TIME_MS, 10**17])
def test_times_that_no_calendar_has_are_refused(tmp_path: Path, ms: int) -> None:
    path = tmp_path / "a.rec.gz"
    for said, at in ((ms, BEGAN_MS), (BEGAN_MS, ms)):
        header = wire.encode(RecordingHeader(format=FORMAT_NAME, version=FORMAT_VERSION, began_ms=said))
        path.write_bytes(gzip.compress(b"H %d 0 %d\n%b\n" % (at, len(header), header)))
        with pytest.raises(RecordingError, match=r"no time of these centuries: it is damaged\.$"):
            RecordingReader(path)
    path.unlink()
    small(path, [b"{}"] * 3)
    last = RecordingReader(path).last_ms()
    path.write_bytes(path.read_bytes() + gzip.compress(b"F %d 1 2\n{}\n" % ms))
    file = RecordingReader(path)
    assert len(list(file.records())) == 4
    assert "damaged" in file.end_reason
    assert file.last_ms() == last


def test_a_block_that_unpacks_to_very_much_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "bomb.rec.gz"
    small(path, [b"{}"])
    path.write_bytes(path.read_bytes() + gzip.compress(bytes(100 * 1024 * 1024)))
    file = RecordingReader(path)
    assert len(list(file.records())) == 2
    assert "larger than any" in file.end_reason


def test_a_file_that_is_there_is_not_written_over(tmp_path: Path) -> None:
    path = tmp_path / "a.rec.gz"
    path.write_text("dear to somebody")
    with pytest.raises(RecordingError, match="already"):
        RecordingWriter(path, clock_ms=Hand())
    assert path.read_text() == "dear to somebody"
    with pytest.raises(RecordingError, match="cannot be begun"):
        RecordingWriter(path / "below", clock_ms=Hand())
    with pytest.raises(RecordingError, match=r"cannot be begun \(File name too long\)"):
        RecordingWriter(tmp_path / ("x" * 300), clock_ms=Hand())
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "nowhere")
    with pytest.raises(RecordingError, match="already"):
        RecordingWriter(link, clock_ms=Hand())


def test_a_folder_that_may_not_be_looked_into_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(os, "open", refuse)
    monkeypatch.setattr(Path, "stat", refuse)
    with pytest.raises(RecordingError, match=r"cannot be begun \(Permission denied\)"):
        RecordingWriter(tmp_path / "a.rec.gz", clock_ms=Hand())
    monkeypatch.setattr(Path, "lstat", refuse)
    with pytest.raises(RecordingError, match=r"cannot be begun \(Permission denied\)"):
        require_new_file(tmp_path / "a.rec.gz")


def test_the_file_is_for_its_owner_alone(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        small(tmp_path / "deep" / "a.rec.gz", [b"{}"])
    finally:
        os.umask(before)
    assert (tmp_path / "deep" / "a.rec.gz").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "deep").stat().st_mode & 0o777 == 0o700


def test_a_block_is_written_when_it_is_large_or_old(tmp_path: Path) -> None:
    clock, timer = Hand(), Hand(0)
    recording = RecordingWriter(tmp_path / "a.rec.gz", clock_ms=clock, timer_s=timer.timer_s)
    begun = recording.size
    recording.write_record(RecordKind.FRAME, b"{}", 1)
    recording.tick()
    assert recording.size == begun
    timer.now = int(MAX_BLOCK_AGE_S * 1_000) + 1
    recording.tick()
    assert recording.size > begun
    begun = recording.size
    for _ in range(BLOCK_BYTES // 1_000 + 80):
        recording.write_record(RecordKind.FRAME, bytes(1_000), 1)
    assert recording.size > begun
    assert len(list(RecordingReader(recording.path).records())) > 250


def test_a_full_disk_ends_the_recording_with_a_sentence_and_whole_blocks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recording = RecordingWriter(tmp_path / "a.rec.gz", clock_ms=Hand())
    recording.write_record(RecordKind.FRAME, b"{}", 1)
    recording.flush()
    real, room = os.write, 20

    def write(file: int, data: bytes) -> int:
        nonlocal room
        if not room:
            raise OSError(errno.ENOSPC, "No space left on device")
        taken, room = data[:room], 0
        return real(file, taken)

    monkeypatch.setattr(os, "write", write)
    recording.write_record(RecordKind.FRAME, os.urandom(500), 1)
    recording.flush()
    monkeypatch.undo()
    assert "the disk is full" in recording.failure
    assert not recording.is_open
    recording.write_record(RecordKind.FRAME, b"{}", 1)
    recording.close()
    file = RecordingReader(recording.path)
    assert len(list(file.records())) == 2
    assert not file.end_reason


# What is in it.

OWN = b'"client_order_id":"mine-4711","subaccount":3'
DELTA = (
    b'{"type":"orderbook_delta","sid":2,"seq":%d,"msg":{"market_ticker":"T","market_id":"",'
    b'"price_dollars":"0.960","delta_fp":"-54.00","side":"yes",%b,"ts_ms":1669149841000}}'
)


def taken_down(path: Path, *frames: bytes) -> list[bytes]:
    recording = RecordingWriter(path, clock_ms=Hand())
    tap = recording.tap()
    tap.begin({1: ("fill", None), 2: ("orderbook_delta", 5)})
    for frame in frames:
        tap.record_frame(frame)
    tap.end()
    recording.close()
    return [record.payload for record in the_records(path)]


def test_a_frame_is_kept_byte_for_byte(tmp_path: Path) -> None:
    frame = b' {"type": "ticker",\n "sid":3, "msg":{"market_ticker":"T", "new_field":[1, 2]}}'
    assert taken_down(tmp_path / "a.rec.gz", frame)[2] == frame


def test_what_an_own_order_did_loses_its_name_and_keeps_its_number(tmp_path: Path) -> None:
    escaped = b'"\\u0063lient_order_id":"mine-4711"'
    for number, own in enumerate((OWN, escaped)):
        payload = taken_down(tmp_path / f"{number}.rec.gz", DELTA % (5, own))[2]
        frame = wire.decode_frame(payload)
        assert isinstance(frame, wire.DeltaFrame)
        assert (frame.seq, frame.msg.delta_fp, frame.msg.ts_ms) == (5, "-54.00", 1669149841000)
        assert b"mine" not in payload
        assert b"subaccount" not in payload


@pytest.mark.parametrize(
    "frame",
    [
        DELTA % (5, b'"holder":"mine-4711"'),
        DELTA % (5, b'"\\u0068older":{"name":"mine-4711"}'),
        (DELTA % (5, b'"ts":"then"'))[:-1] + b',"user":"mine-4711"}',
        DELTA % (5, b'"subaccount":"mine-4711"'),
        DELTA % (5, b'"client_order_id":{"id":"mine-4711"}'),
    ],
)
def test_a_key_of_a_delta_that_is_not_known_to_be_public_is_left_out(tmp_path: Path, frame: bytes) -> None:
    payload = taken_down(tmp_path / "a.rec.gz", frame)[2]
    found = wire.decode_frame(payload)
    assert isinstance(found, wire.DeltaFrame)
    assert (found.sid, found.seq, found.msg) == (
        2,
        5,
        wire.DeltaMsg(market_ticker="T", price_dollars="0.960", delta_fp="-54.00", side=Side.YES, ts_ms=1669149841000),
    )
    assert b"mine" not in payload


@pytest.mark.parametrize("more", [b'"ts":"2026-08-07T06:46:28.97871Z"', b'"market_id":"an id"'])
def test_a_delta_of_public_keys_is_kept_byte_for_byte(tmp_path: Path, more: bytes) -> None:
    frame = DELTA.replace(b'":', b'" : ') % (5, more)
    assert taken_down(tmp_path / "a.rec.gz", frame)[2] == frame


@pytest.mark.parametrize("kind", ["fill", "user_order", "market_position"])
def test_frames_of_the_account_are_left_out(tmp_path: Path, kind: str) -> None:
    text = f'{{"sid":1,"msg":{{"secret":"mine-4711"}},"type":"{kind}"}}'.encode()
    payloads = taken_down(tmp_path / "a.rec.gz", text)
    assert len(payloads) == 3
    assert all(b"mine" not in payload for payload in payloads)


def test_of_strange_frames_only_the_numbers_are_kept(tmp_path: Path) -> None:
    frames = (
        b'{"type":"order_group_updates","sid":1,"seq":9,"msg":{"order_group_id":"mine-4711"}}',
        b'{"type":"brand_new","sid":7,"seq":2,"msg":{"holder":"mine-4711"},"user":"mine-4711"}',
        b'{"type":"error","id":3,"msg":{"code":8,"msg":"user mine-4711 may not"}}',
        b"mine-4711 is no JSON",
        b'{"type":"fill","msg":{"trade_id":"mine-4711"',
    )
    path = tmp_path / "a.rec.gz"
    payloads = taken_down(path, *frames)
    assert not any(b"mine" in payload for payload in payloads)
    assert payloads[2:5] == [
        b'{"type":"order_group_updates","sid":1,"seq":9}',
        b'{"type":"brand_new","sid":7,"seq":2}',
        b'{"type":"error","id":3,"msg":{"code":8,"msg":""}}',
    ]
    assert [record.kind for record in the_records(path)[5:7]] == [RecordKind.UNREADABLE] * 2


def test_subscriptions_of_the_account_are_not_in_it(tmp_path: Path) -> None:
    begin = taken_down(tmp_path / "a.rec.gz")[1]
    assert begin == b'{"sids":{"2":{"channel":"orderbook_delta","expected":5}}}'


def test_the_lively_recording_holds_nothing_of_the_account(tmp_path: Path) -> None:
    """Its connection follows fills and orders too, and an order of the account's own trades in it."""
    studio = Studio(tmp_path / "a.rec.gz", rate=600)
    studio.list_markets()
    studio.connect()
    studio.run(200)
    ticker, clock = studio.tickers[0], BEGAN_MS
    ask = studio.exchange.markets.listings[ticker].top[2]
    for price in (ask, 100):
        request = OrderRequest(ticker, BookSide.BID, 500, price, TimeInForce.GTC, client_order_id=f"mine-{price}")
        studio.exchange.order_entry.create(US, request)
    studio.tell()
    studio.run(200)
    studio.recording.close()
    text = gzip.decompress(studio.path.read_bytes())
    assert b"mine-" not in text
    assert b"user_order" not in text.replace(b'"user_orders"', b"")
    assert f'"{US}"'.encode() not in text
    assert check_recording(studio.path).clean
    assert clock < check_recording(studio.path).ended_ms
