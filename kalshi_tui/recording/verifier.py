"""Following a recording's books record by record: counted, checked and trusted by the rules of the stream.

docs/kalshi-api.md, section 4.

This is not the feed's own code, so that a recording that was made through the feed is checked by something else.
"""

from dataclasses import dataclass, field
from enum import Enum
from functools import lru_cache
from typing import Final

from msgspec import UNSET

from kalshi_tui.domain.book import Book, BookError
from kalshi_tui.domain.price import Count, NumberError, Price, parse_count, parse_price, parse_signed_count
from kalshi_tui.kalshi import wire
from kalshi_tui.kalshi.wire import Channel, ErrorCode
from kalshi_tui.recording.reader import Record
from kalshi_tui.recording.writer import ConnectionBegin, RecordKind

MAX_CROSSED_MS: Final = 1_000
"""How long the best bids of a book may meet: a trade takes more than one frame, and not that long."""
_TERMINAL_CODES: Final = frozenset({ErrorCode.CHANNEL_ERROR, ErrorCode.BUFFER_OVERFLOW, ErrorCode.UNKNOWN_SID})
_INVALID_CONTENT_ERRORS: Final = (NumberError, BookError)

cached_price = lru_cache(65_536)(parse_price)
"""`parse_price` with a memory: there are few prices and very many frames."""
cached_delta = lru_cache(65_536)(parse_signed_count)


def _parse_side(levels: wire.LevelTexts | object) -> list[tuple[Price, Count]]:
    """Read one side of a snapshot; absent and null are empty. Raises NumberError."""
    return [(cached_price(price), parse_count(count)) for price, count in levels] if isinstance(levels, list) else []


class RecordResult(Enum):
    """What came of a record."""

    APPLIED = "taken"
    """It was in its turn, and is true of what was there."""
    IGNORED = "passed"
    """It changes nothing: late, of a subscription that is gone, of a book that is not trusted."""
    DROPPED = "dropped"
    """Some books are followed no more: see `RecordingVerifier.dropped`."""


@dataclass(slots=True)
class SequencedSubscription:
    """One sid of one connection."""

    channel: str
    expected: int | None = None
    trusted: set[str] = field(default_factory=set)
    """The markets whose books it has made and that are trusted."""


class RecordingVerifier:
    """Takes one record after another and keeps the books that come of them."""

    def __init__(self) -> None:
        self.books: dict[str, Book] = {}
        """All books that are followed, as they stood when they were last trusted."""
        self.frames = 0
        self.gaps = 0
        """Numbers that were missing, doubled or late."""
        self.faults: list[str] = []
        """What cannot be true of an exchange's books, sentences with the recording's own words in them; no gaps."""
        self.snapshots_compared = 0
        """Snapshots that were held against the book built so far."""
        self.unreadable_frames = 0
        self.dropped: list[str] = []
        """The markets whose books are followed no more since the last record."""
        self._subscriptions: dict[int, dict[int, SequencedSubscription]] = {}
        self._wanted: dict[int, frozenset[str]] = {}
        self._crossed_since_ms: dict[str, int] = {}

    @property
    def trusted(self) -> set[str]:
        """The markets whose books are right now, as far as the recording tells."""
        return {ticker for sids in self._subscriptions.values() for each in sids.values() for ticker in each.trusted}

    def apply(self, record: Record) -> tuple[RecordResult, wire.Frame | wire.SnapshotMsg | None]:
        """Take a record, and say what came of it; with the frame if it was one that can be read."""
        kind = record.kind
        if kind == RecordKind.FRAME:
            self.frames += 1
            try:
                frame = wire.decode_frame(record.payload)
            except (wire.DecodeError, UnicodeError, RecursionError):
                return self._apply_unknown_frame(record)
            return self._apply_frame(record, frame), frame
        if kind == RecordKind.BOOK:
            return self._apply_initial_book(record)
        if kind == RecordKind.BEGIN:
            self._begin_connection(record)
        elif kind == RecordKind.END:
            self._subscriptions.pop(record.connection, None)
            self._wanted.pop(record.connection, None)
        elif kind == RecordKind.WANTED:
            return self._set_wanted(record), None
        elif kind == RecordKind.UNREADABLE:
            self.unreadable_frames += 1
            # It may have been a change of any book.
            for each in self._subscriptions.get(record.connection, {}).values():
                each.trusted.clear()
        return RecordResult.IGNORED, None

    # Connections.

    def _begin_connection(self, record: Record) -> None:
        sids = self._subscriptions[record.connection] = {}
        try:
            begun = wire.decode(record.payload, ConnectionBegin)
            for sid, each in begun.sids.items():
                sids[int(sid)] = SequencedSubscription(each.channel, each.expected)
        except (wire.DecodeError, ValueError):
            self.faults.append(f"{record.ms}: the beginning of connection {record.connection} cannot be read.")

    def _set_wanted(self, record: Record) -> RecordResult:
        """Drop the books that are followed no more."""
        try:
            wanted = frozenset(wire.decode(record.payload, list[str]))
        except wire.DecodeError:
            self.faults.append(f"{record.ms}: a list of markets cannot be read.")
            return RecordResult.IGNORED
        self._wanted[record.connection] = wanted
        for each in self._subscriptions.get(record.connection, {}).values():
            # It may be followed on another connection: what still comes on this one is late.
            each.trusted &= wanted
        followed = frozenset[str]().union(*self._wanted.values())
        self.dropped = [ticker for ticker in self.books if ticker not in followed]
        for ticker in self.dropped:
            del self.books[ticker]
            self._crossed_since_ms.pop(ticker, None)
            for sids in self._subscriptions.values():
                for each in sids.values():
                    each.trusted.discard(ticker)
        return RecordResult.DROPPED if self.dropped else RecordResult.IGNORED

    def _apply_initial_book(self, record: Record) -> tuple[RecordResult, wire.SnapshotMsg | None]:
        """Take a book as it stood when the recording began."""
        sids = self._subscriptions.get(record.connection, {})
        subscription = next((each for each in sids.values() if each.channel == Channel.BOOK), None)
        try:
            msg = wire.decode(record.payload, wire.SnapshotMsg)
            if subscription is not None and self._apply_snapshot(record, subscription, msg):
                return RecordResult.APPLIED, msg
        except wire.DecodeError:
            self.faults.append(f"{record.ms}: a book cannot be read.")
        return RecordResult.IGNORED, None

    def _apply_unknown_frame(self, record: Record) -> tuple[RecordResult, None]:
        """Count a frame that has only its numbers."""
        try:
            envelope = wire.decode_envelope(record.payload)
        except (wire.DecodeError, UnicodeError, RecursionError):
            self.faults.append(f"{record.ms}: a frame cannot be read.")
            return RecordResult.IGNORED, None
        if envelope.sid is not UNSET and envelope.seq is not UNSET:
            self._accept_sequence(record, envelope.sid, envelope.seq)
        return RecordResult.IGNORED, None

    # Frames.

    def _apply_frame(self, record: Record, frame: wire.Frame) -> RecordResult:
        if frame.__class__ is wire.DeltaFrame:
            return self._apply_delta(record, frame)
        if isinstance(frame, wire.SubscribedFrame):
            sids = self._subscriptions.setdefault(record.connection, {})
            if frame.msg.sid not in sids:
                sids[frame.msg.sid] = SequencedSubscription(frame.msg.channel, 1)
            return RecordResult.IGNORED
        if isinstance(frame, wire.TickerFrame):
            return (
                RecordResult.APPLIED
                if frame.sid in self._subscriptions.get(record.connection, {})
                else RecordResult.IGNORED
            )
        sid = getattr(frame, "sid", UNSET)
        if sid is UNSET:
            return RecordResult.IGNORED
        subscription = self._accept_sequence(record, sid, getattr(frame, "seq", UNSET))
        if subscription is None:
            return RecordResult.IGNORED
        if isinstance(frame, wire.SnapshotFrame):
            wanted = self._wanted.get(record.connection)
            if wanted is not None and frame.msg.market_ticker not in wanted:
                return RecordResult.IGNORED
            return (
                RecordResult.APPLIED if self._apply_snapshot(record, subscription, frame.msg) else RecordResult.IGNORED
            )
        if isinstance(frame, wire.UnsubscribedFrame) or (
            isinstance(frame, wire.ErrorFrame) and frame.msg.code in _TERMINAL_CODES
        ):
            self._subscriptions[record.connection].pop(sid, None)
            return RecordResult.IGNORED
        return RecordResult.APPLIED

    def _accept_sequence(self, record: Record, sid: int, seq: object) -> SequencedSubscription | None:
        """Count a number; give the subscription if the frame counts."""
        subscription = self._subscriptions.get(record.connection, {}).get(sid)
        if subscription is None or not isinstance(seq, int):
            return subscription
        expected = subscription.expected
        if expected is None or seq == expected:
            subscription.expected = seq + 1
            return subscription
        self.gaps += 1
        subscription.trusted.clear()
        if seq < expected:
            return None
        subscription.expected = seq + 1
        return subscription

    def _apply_delta(self, record: Record, frame: wire.DeltaFrame) -> RecordResult:
        subscription = self._subscriptions.get(record.connection, {}).get(frame.sid)
        if subscription is None:
            return RecordResult.IGNORED
        if frame.seq != subscription.expected and self._accept_sequence(record, frame.sid, frame.seq) is None:
            return RecordResult.IGNORED
        subscription.expected = frame.seq + 1
        msg = frame.msg
        ticker = msg.market_ticker
        if ticker not in subscription.trusted:
            return RecordResult.IGNORED
        book = self.books[ticker]
        try:
            book.apply(msg.side, cached_price(msg.price_dollars), cached_delta(msg.delta_fp))
        except _INVALID_CONTENT_ERRORS as error:
            self.faults.append(f"{record.ms}: {ticker}: {error}")
            subscription.trusted.clear()
            return RecordResult.IGNORED
        if self._crossed_since_ms or book.crossed:
            self._check_crossed(record.ms, ticker, book)
        return RecordResult.APPLIED

    def _apply_snapshot(self, record: Record, subscription: SequencedSubscription, msg: wire.SnapshotMsg) -> bool:
        """Take a snapshot, held against the book that was there where that was trusted."""
        ticker = msg.market_ticker
        fresh = Book()
        try:
            fresh.snapshot(_parse_side(msg.yes_dollars_fp), _parse_side(msg.no_dollars_fp))
        except _INVALID_CONTENT_ERRORS as error:
            self.faults.append(f"{record.ms}: a snapshot of {ticker}: {error}")
            subscription.trusted.discard(ticker)
            return False
        if ticker in subscription.trusted:
            self.snapshots_compared += 1
            if fresh != self.books[ticker]:
                self.faults.append(f"{record.ms}: a snapshot of {ticker} differs from the book built so far.")
        self.books[ticker] = fresh
        for sids in self._subscriptions.values():
            # A market that has moved is followed where its newest snapshot came; elsewhere its changes count no more.
            for each in sids.values():
                each.trusted.discard(ticker)
        subscription.trusted.add(ticker)
        self._check_crossed(record.ms, ticker, fresh)
        return True

    def _check_crossed(self, ms: int, ticker: str, book: Book) -> None:
        """Note a book whose bids stay crossed."""
        since = self._crossed_since_ms.get(ticker)
        if not book.crossed:
            if since is not None:
                del self._crossed_since_ms[ticker]
                if ms - since >= MAX_CROSSED_MS:
                    self.faults.append(f"{since}: the book of {ticker} was crossed for {ms - since} ms.")
        elif since is None:
            self._crossed_since_ms[ticker] = ms

    def finish(self, ms: int) -> None:
        """Note what was wrong when the recording ended, at this time."""
        for ticker, since in self._crossed_since_ms.items():
            if ms - since >= MAX_CROSSED_MS:
                self.faults.append(f"{since}: the book of {ticker} was crossed to the end.")
