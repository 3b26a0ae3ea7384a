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
from kalshi_tui.kalshi.wire import Channel, Code
from kalshi_tui.recording.reader import Record
from kalshi_tui.recording.writer import Begin, Kind

CROSSED_MS: Final = 1_000
"""How long the best bids of a book may meet: a trade takes more than one frame, and not that long."""
_OVER: Final = frozenset({Code.CHANNEL_ERROR, Code.BUFFER_OVERFLOW, Code.UNKNOWN_SID})
_SENSELESS: Final = (NumberError, BookError)

price_of = lru_cache(65_536)(parse_price)
"""`parse_price` with a memory: there are few prices and very many frames."""
delta_of = lru_cache(65_536)(parse_signed_count)


def _side(levels: wire.Levels | object) -> list[tuple[Price, Count]]:
    """Read one side of a snapshot; absent and null are empty. Raises NumberError."""
    return [(price_of(price), parse_count(count)) for price, count in levels] if isinstance(levels, list) else []


class Found(Enum):
    """What came of a record."""

    TAKEN = "taken"
    """It was in its turn, and is true of what was there."""
    PASSED = "passed"
    """It changes nothing: late, of a subscription that is gone, of a book that is not trusted."""
    DROPPED = "dropped"
    """Some books are followed no more: see `Follower.dropped`."""


@dataclass(slots=True)
class Numbered:
    """One sid of one connection."""

    channel: str
    expected: int | None = None
    good: set[str] = field(default_factory=set)
    """The markets whose books it has made and that are trusted."""


class Follower:
    """Takes one record after another and keeps the books that come of them."""

    def __init__(self) -> None:
        self.books: dict[str, Book] = {}
        """All books that are followed, as they stood when they were last trusted."""
        self.frames = 0
        self.gaps = 0
        """Numbers that were missing, doubled or late."""
        self.faults: list[str] = []
        """What cannot be true of an exchange's books, sentences with the recording's own words in them; no gaps."""
        self.compared = 0
        """Snapshots that were held against the book built so far."""
        self.unreadable = 0
        self.dropped: list[str] = []
        """The markets whose books are followed no more since the last record."""
        self._subscriptions: dict[int, dict[int, Numbered]] = {}
        self._wanted: dict[int, frozenset[str]] = {}
        self._crossed_ms: dict[str, int] = {}

    @property
    def trusted(self) -> set[str]:
        """The markets whose books are right now, as far as the recording tells."""
        return {ticker for sids in self._subscriptions.values() for each in sids.values() for ticker in each.good}

    def take(self, record: Record) -> tuple[Found, wire.Frame | wire.SnapshotMsg | None]:
        """Take a record, and say what came of it; with the frame if it was one that can be read."""
        kind = record.kind
        if kind == Kind.FRAME:
            self.frames += 1
            try:
                frame = wire.decode_frame(record.payload)
            except (wire.DecodeError, UnicodeError, RecursionError):
                return self._strange(record)
            return self._frame(record, frame), frame
        if kind == Kind.BOOK:
            return self._book(record)
        if kind == Kind.BEGIN:
            self._begin(record)
        elif kind == Kind.END:
            self._subscriptions.pop(record.connection, None)
            self._wanted.pop(record.connection, None)
        elif kind == Kind.WANTED:
            return self._want(record), None
        elif kind == Kind.UNREADABLE:
            self.unreadable += 1
            # It may have been a change of any book.
            for each in self._subscriptions.get(record.connection, {}).values():
                each.good.clear()
        return Found.PASSED, None

    # Connections.

    def _begin(self, record: Record) -> None:
        sids = self._subscriptions[record.connection] = {}
        try:
            begun = wire.decode(record.payload, Begin)
            for sid, each in begun.sids.items():
                sids[int(sid)] = Numbered(each.channel, each.expected)
        except (wire.DecodeError, ValueError):
            self.faults.append(f"{record.ms}: the beginning of connection {record.connection} cannot be read.")

    def _want(self, record: Record) -> Found:
        """Drop the books that are followed no more."""
        try:
            wanted = frozenset(wire.decode(record.payload, list[str]))
        except wire.DecodeError:
            self.faults.append(f"{record.ms}: a list of markets cannot be read.")
            return Found.PASSED
        self._wanted[record.connection] = wanted
        for each in self._subscriptions.get(record.connection, {}).values():
            # It may be followed on another connection: what still comes on this one is late.
            each.good &= wanted
        followed = frozenset[str]().union(*self._wanted.values())
        self.dropped = [ticker for ticker in self.books if ticker not in followed]
        for ticker in self.dropped:
            del self.books[ticker]
            self._crossed_ms.pop(ticker, None)
            for sids in self._subscriptions.values():
                for each in sids.values():
                    each.good.discard(ticker)
        return Found.DROPPED if self.dropped else Found.PASSED

    def _book(self, record: Record) -> tuple[Found, wire.SnapshotMsg | None]:
        """Take a book as it stood when the recording began."""
        sids = self._subscriptions.get(record.connection, {})
        subscription = next((each for each in sids.values() if each.channel == Channel.BOOK), None)
        try:
            msg = wire.decode(record.payload, wire.SnapshotMsg)
            if subscription is not None and self._replace(record, subscription, msg):
                return Found.TAKEN, msg
        except wire.DecodeError:
            self.faults.append(f"{record.ms}: a book cannot be read.")
        return Found.PASSED, None

    def _strange(self, record: Record) -> tuple[Found, None]:
        """Count a frame that has only its numbers."""
        try:
            envelope = wire.decode_envelope(record.payload)
        except (wire.DecodeError, UnicodeError, RecursionError):
            self.faults.append(f"{record.ms}: a frame cannot be read.")
            return Found.PASSED, None
        if envelope.sid is not UNSET and envelope.seq is not UNSET:
            self._counted(record, envelope.sid, envelope.seq)
        return Found.PASSED, None

    # Frames.

    def _frame(self, record: Record, frame: wire.Frame) -> Found:
        if frame.__class__ is wire.DeltaFrame:
            return self._delta(record, frame)
        if isinstance(frame, wire.SubscribedFrame):
            sids = self._subscriptions.setdefault(record.connection, {})
            if frame.msg.sid not in sids:
                sids[frame.msg.sid] = Numbered(frame.msg.channel, 1)
            return Found.PASSED
        if isinstance(frame, wire.TickerFrame):
            return Found.TAKEN if frame.sid in self._subscriptions.get(record.connection, {}) else Found.PASSED
        sid = getattr(frame, "sid", UNSET)
        if sid is UNSET:
            return Found.PASSED
        subscription = self._counted(record, sid, getattr(frame, "seq", UNSET))
        if subscription is None:
            return Found.PASSED
        if isinstance(frame, wire.SnapshotFrame):
            wanted = self._wanted.get(record.connection)
            if wanted is not None and frame.msg.market_ticker not in wanted:
                return Found.PASSED
            return Found.TAKEN if self._replace(record, subscription, frame.msg) else Found.PASSED
        if isinstance(frame, wire.UnsubscribedFrame) or (
            isinstance(frame, wire.ErrorFrame) and frame.msg.code in _OVER
        ):
            self._subscriptions[record.connection].pop(sid, None)
            return Found.PASSED
        return Found.TAKEN

    def _counted(self, record: Record, sid: int, seq: object) -> Numbered | None:
        """Count a number; give the subscription if the frame counts."""
        subscription = self._subscriptions.get(record.connection, {}).get(sid)
        if subscription is None or not isinstance(seq, int):
            return subscription
        expected = subscription.expected
        if expected is None or seq == expected:
            subscription.expected = seq + 1
            return subscription
        self.gaps += 1
        subscription.good.clear()
        if seq < expected:
            return None
        subscription.expected = seq + 1
        return subscription

    def _delta(self, record: Record, frame: wire.DeltaFrame) -> Found:
        subscription = self._subscriptions.get(record.connection, {}).get(frame.sid)
        if subscription is None:
            return Found.PASSED
        if frame.seq != subscription.expected and self._counted(record, frame.sid, frame.seq) is None:
            return Found.PASSED
        subscription.expected = frame.seq + 1
        msg = frame.msg
        ticker = msg.market_ticker
        if ticker not in subscription.good:
            return Found.PASSED
        book = self.books[ticker]
        try:
            book.apply(msg.side, price_of(msg.price_dollars), delta_of(msg.delta_fp))
        except _SENSELESS as error:
            self.faults.append(f"{record.ms}: {ticker}: {error}")
            subscription.good.clear()
            return Found.PASSED
        if self._crossed_ms or book.crossed:
            self._look_crossed(record.ms, ticker, book)
        return Found.TAKEN

    def _replace(self, record: Record, subscription: Numbered, msg: wire.SnapshotMsg) -> bool:
        """Take a snapshot, held against the book that was there where that was trusted."""
        ticker = msg.market_ticker
        fresh = Book()
        try:
            fresh.snapshot(_side(msg.yes_dollars_fp), _side(msg.no_dollars_fp))
        except _SENSELESS as error:
            self.faults.append(f"{record.ms}: a snapshot of {ticker}: {error}")
            subscription.good.discard(ticker)
            return False
        if ticker in subscription.good:
            self.compared += 1
            if fresh != self.books[ticker]:
                self.faults.append(f"{record.ms}: a snapshot of {ticker} differs from the book built so far.")
        self.books[ticker] = fresh
        for sids in self._subscriptions.values():
            # A market that has moved is followed where its newest snapshot came; elsewhere its changes count no more.
            for each in sids.values():
                each.good.discard(ticker)
        subscription.good.add(ticker)
        self._look_crossed(record.ms, ticker, fresh)
        return True

    def _look_crossed(self, ms: int, ticker: str, book: Book) -> None:
        """Note a book whose bids stay crossed."""
        since = self._crossed_ms.get(ticker)
        if not book.crossed:
            if since is not None:
                del self._crossed_ms[ticker]
                if ms - since >= CROSSED_MS:
                    self.faults.append(f"{since}: the book of {ticker} was crossed for {ms - since} ms.")
        elif since is None:
            self._crossed_ms[ticker] = ms

    def finish(self, ms: int) -> None:
        """Note what was wrong when the recording ended, at this time."""
        for ticker, since in self._crossed_ms.items():
            if ms - since >= CROSSED_MS:
                self.faults.append(f"{since}: the book of {ticker} was crossed to the end.")
