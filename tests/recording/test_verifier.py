"""What a check finds: numbers that are missing, books that cannot be, snapshots that differ."""

from typing import Any

import pytest

from kalshi_tui.domain.book import Side
from kalshi_tui.kalshi import wire
from kalshi_tui.recording.checker import book_levels
from kalshi_tui.recording.reader import Record
from kalshi_tui.recording.verifier import MAX_CROSSED_MS, RecordingVerifier, RecordResult
from kalshi_tui.recording.writer import ConnectionBegin, RecordedSubscription, RecordKind

TOP = {"yes": [("0.4000", "10.00")], "no": [("0.5000", "20.00")]}


class Feed:
    """Hands records to a follower, numbered as they should be unless told otherwise."""

    def __init__(self) -> None:
        self.follower = RecordingVerifier()
        self.ms = 1_000
        self.seq = 0
        self.take(RecordKind.BEGIN, wire.encode(ConnectionBegin(sids={})))
        self.frame(wire.SubscribedFrame(id=1, msg=wire.SubscribedMsg(channel="orderbook_delta", sid=1)))

    def take(self, kind: bytes, payload: bytes = b"", connection: int = 1) -> RecordResult:
        self.ms += 1
        return self.follower.apply(Record(kind, self.ms, connection, payload))[0]

    def frame(self, frame: Any) -> RecordResult:
        return self.take(RecordKind.FRAME, wire.encode(frame))

    def next(self, seq: int | None) -> int:
        self.seq = self.seq + 1 if seq is None else seq
        return self.seq

    def snapshot(self, levels: Any = None, *, seq: int | None = None, ticker: str = "T") -> RecordResult:
        sides = levels or TOP
        msg = wire.SnapshotMsg(market_ticker=ticker, yes_dollars_fp=sides["yes"], no_dollars_fp=sides["no"])
        return self.frame(wire.SnapshotFrame(sid=1, seq=self.next(seq), msg=msg))

    def delta(self, by: str, price: str = "0.4000", *, seq: int | None = None, ticker: str = "T") -> RecordResult:
        msg = wire.DeltaMsg(market_ticker=ticker, price_dollars=price, delta_fp=by, side=Side.YES)
        return self.frame(wire.DeltaFrame(sid=1, seq=self.next(seq), msg=msg))

    def at(self, ticker: str = "T") -> Any:
        return book_levels(self.follower.books[ticker])


@pytest.fixture
def feed() -> Feed:
    made = Feed()
    made.snapshot()
    return made


def test_what_is_true_is_taken(feed: Feed) -> None:
    assert feed.delta("5.00") is RecordResult.APPLIED
    assert feed.snapshot({"yes": [("0.4000", "15.00")], "no": TOP["no"]}) is RecordResult.APPLIED
    assert feed.at() == ([(4_000, 1_500)], [(5_000, 2_000)])
    assert (feed.follower.gaps, feed.follower.faults, feed.follower.snapshots_compared) == (0, [], 1)
    assert feed.follower.trusted == {"T"}


def test_a_snapshot_that_differs_is_a_fault(feed: Feed) -> None:
    feed.delta("5.00")
    feed.snapshot()
    (fault,) = feed.follower.faults
    assert "T differs from the book built so far" in fault


def test_a_missing_number_takes_the_trust_until_a_snapshot(feed: Feed) -> None:
    assert feed.delta("5.00", seq=4) is RecordResult.IGNORED
    assert feed.follower.gaps == 1
    assert feed.delta("5.00") is RecordResult.IGNORED
    assert not feed.follower.trusted
    assert feed.at() == ([(4_000, 1_000)], [(5_000, 2_000)])
    assert feed.snapshot({"yes": [("0.4000", "99.00")], "no": []}) is RecordResult.APPLIED
    assert not feed.follower.faults, "after a gap there is nothing to compare with"
    assert feed.delta("-99.00") is RecordResult.APPLIED
    assert feed.at() == ([], [])


@pytest.mark.parametrize("seq", [1, 0])
def test_a_number_that_comes_twice_or_late_takes_the_trust_and_changes_nothing(feed: Feed, seq: int) -> None:
    assert feed.delta("5.00", seq=seq) is RecordResult.IGNORED
    assert feed.follower.gaps == 1
    assert feed.at() == ([(4_000, 1_000)], [(5_000, 2_000)])


@pytest.mark.parametrize(
    ("by", "price"), [("-11.00", "0.4000"), ("-1.00", "0.3000"), ("1.00", "1.0000"), ("x", "0.4"), ("1.00", "0.40001")]
)
def test_a_change_that_cannot_be_is_a_fault(feed: Feed, by: str, price: str) -> None:
    assert feed.delta(by, price) is RecordResult.IGNORED
    assert len(feed.follower.faults) == 1
    assert not feed.follower.trusted


def test_a_snapshot_that_cannot_be_is_a_fault(feed: Feed) -> None:
    feed.snapshot({"yes": [("0.4000", "-1.00")], "no": []})
    assert "a snapshot of T" in feed.follower.faults[0]
    assert not feed.follower.trusted


def test_a_book_that_stays_crossed_is_a_fault_and_one_that_is_so_for_a_moment_is_none(feed: Feed) -> None:
    feed.delta("1.00", "0.5000")
    feed.delta("-1.00", "0.5000")
    assert not feed.follower.faults
    feed.delta("1.00", "0.5100")
    feed.ms += MAX_CROSSED_MS
    feed.delta("-1.00", "0.5100")
    assert "was crossed for" in feed.follower.faults[0]
    feed.delta("1.00", "0.6000")
    feed.follower.finish(feed.ms + MAX_CROSSED_MS)
    assert "crossed to the end" in feed.follower.faults[1]


def test_all_that_carries_a_number_is_counted(feed: Feed) -> None:
    feed.frame(wire.OkFrame(id=2, sid=1, seq=feed.next(None)))
    feed.take(RecordKind.FRAME, b'{"type":"brand_new","sid":1,"seq":%d}' % feed.next(None))
    assert feed.delta("5.00") is RecordResult.APPLIED
    assert feed.follower.gaps == 0


def test_frames_of_a_subscription_that_is_gone_are_passed_over(feed: Feed) -> None:
    feed.frame(wire.UnsubscribedFrame(id=2, sid=1, seq=feed.next(None)))
    assert feed.delta("5.00") is RecordResult.IGNORED
    assert feed.snapshot() is RecordResult.IGNORED
    assert (feed.follower.gaps, feed.follower.faults) == (0, [])


def test_after_the_end_of_a_connection_nothing_of_it_is_trusted(feed: Feed) -> None:
    feed.take(RecordKind.END)
    assert not feed.follower.trusted
    assert feed.at() == ([(4_000, 1_000)], [(5_000, 2_000)])


def test_a_message_that_nobody_could_read_takes_the_trust(feed: Feed) -> None:
    feed.take(RecordKind.UNREADABLE)
    assert not feed.follower.trusted
    assert feed.follower.unreadable_frames == 1


def test_books_that_are_wanted_no_more_are_dropped_with_their_connection_s_others_kept(feed: Feed) -> None:
    feed.snapshot(ticker="U")
    assert feed.take(RecordKind.WANTED, b'["U"]') is RecordResult.DROPPED
    assert feed.follower.dropped == ["T"]
    assert feed.delta("5.00") is RecordResult.IGNORED
    assert feed.delta("5.00", ticker="U") is RecordResult.APPLIED
    assert feed.take(RecordKind.WANTED, b'["U"]', connection=2) is RecordResult.IGNORED


def test_a_book_that_was_there_already_is_followed_on_its_subscription() -> None:
    feed = Feed()
    feed.take(
        RecordKind.BEGIN,
        wire.encode(ConnectionBegin(sids={"5": RecordedSubscription(channel="orderbook_delta", expected=9)})),
        2,
    )
    msg = wire.SnapshotMsg(market_ticker="T", yes_dollars_fp=TOP["yes"], no_dollars_fp=TOP["no"])
    assert feed.take(RecordKind.BOOK, wire.encode(msg), 2) is RecordResult.APPLIED
    delta = wire.DeltaMsg(market_ticker="T", price_dollars="0.4", delta_fp="1", side=Side.YES)
    assert feed.take(RecordKind.FRAME, wire.encode(wire.DeltaFrame(sid=5, seq=9, msg=delta)), 2) is RecordResult.APPLIED
    assert feed.at()[0] == [(4_000, 1_100)]
    assert feed.follower.gaps == 0


@pytest.mark.parametrize("kind", [RecordKind.BEGIN, RecordKind.WANTED, RecordKind.BOOK])
@pytest.mark.parametrize("payload", [b"", b"{", b"[1]", b'{"sids":{"x":{"channel":"a"}}}', b'"text"'])
def test_records_that_make_no_sense_are_faults_or_nothing(kind: bytes, payload: bytes) -> None:
    feed = Feed()
    assert feed.take(kind, payload) is RecordResult.IGNORED


@pytest.mark.parametrize("told", ["wanted", "snapshot"])
def test_a_market_that_moves_to_another_connection_takes_no_late_change_of_the_first(feed: Feed, told: str) -> None:
    feed.take(
        RecordKind.BEGIN,
        wire.encode(ConnectionBegin(sids={"7": RecordedSubscription(channel="orderbook_delta", expected=1)})),
        2,
    )
    feed.take(RecordKind.WANTED, b'["T"]', 2)
    if told == "wanted":
        assert feed.take(RecordKind.WANTED, b"[]") is RecordResult.IGNORED
        assert not feed.follower.trusted
        assert feed.delta("5.00") is RecordResult.IGNORED, "it comes late, before the other connection has its book"
    msg = wire.SnapshotMsg(market_ticker="T", yes_dollars_fp=TOP["yes"], no_dollars_fp=TOP["no"])
    assert (
        feed.take(RecordKind.FRAME, wire.encode(wire.SnapshotFrame(sid=7, seq=1, msg=msg)), 2) is RecordResult.APPLIED
    )
    assert feed.delta("-99.00") is RecordResult.IGNORED
    delta = wire.DeltaMsg(market_ticker="T", price_dollars="0.4", delta_fp="1", side=Side.YES)
    assert feed.take(RecordKind.FRAME, wire.encode(wire.DeltaFrame(sid=7, seq=2, msg=delta)), 2) is RecordResult.APPLIED
    assert feed.at() == ([(4_000, 1_100)], [(5_000, 2_000)])
    assert (feed.follower.gaps, feed.follower.faults) == (0, [])
