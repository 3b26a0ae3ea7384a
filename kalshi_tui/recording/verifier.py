"""Verify a recording record by record, by the rules of the stream (docs/kalshi-api.md, section 4).

The verifier counts sequence numbers, builds the books and decides which of them can be trusted. It shares no code with
the feed, so that a recording made through the feed is checked by something else.
"""

from dataclasses import dataclass, field
from enum import Enum
from functools import lru_cache
from typing import Final

from msgspec import UNSET

from kalshi_tui.domain.book import Book, BookError, Side
from kalshi_tui.domain.price import PRICE_UNIT, Count, NumberError, Price, parse_count, parse_price, parse_signed_count
from kalshi_tui.kalshi import wire
from kalshi_tui.kalshi.wire import Channel, ErrorCode
from kalshi_tui.kalshi.wire.repair import decode_frame_without_faults
from kalshi_tui.recording.reader import Record
from kalshi_tui.recording.writer import ConnectionBegin, RecordKind

MAX_CROSSED_MS: Final = 1_000
"""How long a book may be crossed: a trade takes more than one frame, but not that long."""
_TERMINAL_CODES: Final = frozenset({ErrorCode.CHANNEL_ERROR, ErrorCode.BUFFER_OVERFLOW, ErrorCode.UNKNOWN_SID})
_INVALID_CONTENT_ERRORS: Final = (NumberError, BookError)

cached_price = lru_cache(65_536)(parse_price)
"""`parse_price` with a cache: there are few prices and very many frames."""
cached_delta = lru_cache(65_536)(parse_signed_count)


def _parse_side(levels: wire.LevelTexts | object) -> list[tuple[Price, Count]]:
    """Return one side of a snapshot; absent and null are empty. Raises NumberError."""
    return [(cached_price(price), parse_count(count)) for price, count in levels] if isinstance(levels, list) else []


class RecordResult(Enum):
    """What a record did."""

    APPLIED = "taken"
    """It came in sequence and fits what was there."""
    IGNORED = "passed"
    """It changes nothing: it is late, its subscription is gone, or its book is not trusted."""
    DROPPED = "dropped"
    """Some books are no longer followed: see `RecordingVerifier.dropped`."""


@dataclass(slots=True)
class SequencedSubscription:
    """One subscription of one connection."""

    channel: str
    expected: int | None = None
    trusted: set[str] = field(default_factory=set)
    """The markets whose books came on it and are trusted."""


class RecordingVerifier:
    """Apply one record after another, and hold the books that result."""

    def __init__(self) -> None:
        self.books: dict[str, Book] = {}
        """All books that are followed, as they were when they were last trusted."""
        self.frames = 0
        self.gaps = 0
        """Sequence numbers that were missing, doubled or late."""
        self.faults: list[str] = []
        """What cannot be true of an exchange's books, as sentences with uncleaned texts of the recording; no gaps."""
        self.snapshots_compared = 0
        """Snapshots that were compared with the book built so far."""
        self.unreadable_frames = 0
        self.dropped: list[str] = []
        """The markets whose books the last record ended."""
        self._subscriptions: dict[int, dict[int, SequencedSubscription]] = {}
        self._wanted: dict[int, frozenset[str]] = {}
        self.delta_price: Price = 0
        """The price of the last change of a book, in the terms of its own side however the frame says it."""
        self._yes_price_connections: set[int] = set()
        """The connections whose frames have NO levels in YES prices; those of old recordings have NO prices."""
        self._crossed_since_ms: dict[str, int] = {}

    @property
    def trusted(self) -> set[str]:
        """The markets whose books are right, as far as the recording tells."""
        return {ticker for sids in self._subscriptions.values() for each in sids.values() for ticker in each.trusted}

    def apply(self, record: Record) -> tuple[RecordResult, wire.Frame | wire.SnapshotMsg | None]:
        """Apply a record; return what it did, and its frame if it has one that can be read."""
        kind = record.kind
        if kind == RecordKind.FRAME:
            self.frames += 1
            try:
                frame = decode_frame_without_faults(record.payload)
            except wire.DecodeError:
                return self._apply_unknown_frame(record)
            return self._apply_frame(record, frame), frame
        if kind == RecordKind.BOOK:
            return self._apply_initial_book(record)
        if kind == RecordKind.BEGIN:
            self._begin_connection(record)
        elif kind == RecordKind.END:
            self._subscriptions.pop(record.connection, None)
            self._wanted.pop(record.connection, None)
            self._yes_price_connections.discard(record.connection)
        elif kind == RecordKind.READING:
            self._set_reading(record)
        elif kind == RecordKind.WANTED:
            return self._set_wanted(record), None
        elif kind == RecordKind.UNREADABLE:
            self.unreadable_frames += 1
            # The lost message may have changed any book of this connection.
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

    def _set_reading(self, record: Record) -> None:
        """Read NO levels of this connection in other prices from here on; what was built the old way is not trusted."""
        try:
            (reading,) = wire.decode(record.payload, list[wire.BookReading])
        except (wire.DecodeError, ValueError):
            self.faults.append(f"{record.ms}: the reading of NO levels cannot be read.")
            return
        is_yes = reading is wire.BookReading.YES_PRICES
        if is_yes is (record.connection in self._yes_price_connections):
            return
        self._yes_price_connections.symmetric_difference_update({record.connection})
        for each in self._subscriptions.get(record.connection, {}).values():
            for ticker in each.trusted:
                # What was read the wrong way round was crossed by that alone.
                self._crossed_since_ms.pop(ticker, None)
            each.trusted.clear()

    def _level_price(self, connection: int, msg: wire.DeltaMsg) -> Price:
        """Return the price of a change in the terms of its own side. Raises NumberError."""
        price = cached_price(msg.price_dollars)
        return PRICE_UNIT - price if msg.side is Side.NO and connection in self._yes_price_connections else price

    def _set_wanted(self, record: Record) -> RecordResult:
        """Drop the books that are no longer followed."""
        try:
            wanted = frozenset(wire.decode(record.payload, list[str]))
        except wire.DecodeError:
            self.faults.append(f"{record.ms}: a list of markets cannot be read.")
            return RecordResult.IGNORED
        self._wanted[record.connection] = wanted
        for each in self._subscriptions.get(record.connection, {}).values():
            # Another connection may follow the market now; a frame that still comes on this one is late.
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
        """Apply a book as it was when the recording began."""
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
        """Count a frame of which only the numbers can be read."""
        try:
            envelope = wire.decode_envelope(record.payload)
        except (wire.DecodeError, UnicodeError, RecursionError):
            self.faults.append(f"{record.ms}: a frame cannot be read.")
            return RecordResult.IGNORED, None
        if isinstance(envelope.sid, int) and isinstance(envelope.seq, int):
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
        """Count a sequence number; return the subscription, None if the frame is late or of none."""
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
            self.delta_price = self._level_price(record.connection, msg)
            book.apply(msg.side, self.delta_price, cached_delta(msg.delta_fp))
        except _INVALID_CONTENT_ERRORS as error:
            self.faults.append(f"{record.ms}: {ticker}: {error}")
            subscription.trusted.clear()
            return RecordResult.IGNORED
        if self._crossed_since_ms or book.crossed:
            self._check_crossed(record.ms, ticker, book)
        return RecordResult.APPLIED

    def _apply_snapshot(self, record: Record, subscription: SequencedSubscription, msg: wire.SnapshotMsg) -> bool:
        """Apply a snapshot, compared with the book built so far if that was trusted; return whether it was applied."""
        ticker = msg.market_ticker
        fresh = Book()
        try:
            no = _parse_side(msg.no_dollars_fp)
            # A book as it stood at the beginning is written by the program itself, which keeps NO prices.
            if record.kind == RecordKind.FRAME and record.connection in self._yes_price_connections:
                no = [(PRICE_UNIT - price, count) for price, count in no]
            fresh.snapshot(_parse_side(msg.yes_dollars_fp), no)
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
            # A market can move to another connection. Its newest snapshot says which one counts from here on.
            for each in sids.values():
                each.trusted.discard(ticker)
        subscription.trusted.add(ticker)
        self._check_crossed(record.ms, ticker, fresh)
        return True

    def _check_crossed(self, ms: int, ticker: str, book: Book) -> None:
        """Note a fault if a book was crossed for too long."""
        since = self._crossed_since_ms.get(ticker)
        if not book.crossed:
            if since is not None:
                del self._crossed_since_ms[ticker]
                if ms - since >= MAX_CROSSED_MS:
                    self.faults.append(f"{since}: the book of {ticker} was crossed for {ms - since} ms.")
        elif since is None:
            self._crossed_since_ms[ticker] = ms

    def finish(self, ms: int) -> None:
        """Note the faults that were still there when the recording ended, at this time."""
        for ticker, since in self._crossed_since_ms.items():
            if ms - since >= MAX_CROSSED_MS:
                self.faults.append(f"{since}: the book of {ticker} was crossed to the end.")
