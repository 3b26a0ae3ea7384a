"""Check a whole recording without an exchange: sequence numbers, books, digests of both (``replay --check``)."""

import json
from collections.abc import Callable, Iterable, Mapping
from hashlib import blake2b
from pathlib import Path
from typing import Final

import msgspec

from kalshi_tui.domain.book import Book
from kalshi_tui.kalshi import wire
from kalshi_tui.kalshi.translate import MAX_PARAGRAPH_LENGTH, clean
from kalshi_tui.recording.reader import RecordingReader
from kalshi_tui.recording.verifier import (
    RecordingVerifier,
    RecordResult,
    cached_delta,
)
from kalshi_tui.recording.writer import RecordKind

DIGEST_BYTES: Final = 16
MAX_LISTED_FAULTS: Final = 20
PROGRESS_INTERVAL: Final = 50_000
"""Records between two calls of the progress function."""


class CheckResult(msgspec.Struct, frozen=True, kw_only=True):
    """The result of a check; the object that ``--json`` prints. Times are Unix milliseconds.

    ``books`` is a digest of the books at the end, ``states`` one of every state of every book, with all trades and
    quotes: two machines that print the same have seen the same.
    """

    file: str
    exchange: str
    program: str
    began_ms: int
    ended_ms: int
    frames: int
    markets: int
    books_followed: int
    snapshots_compared: int
    connections: int
    gaps: int
    unreadable: int
    faults: list[str]
    fault_count: int
    whole: bool
    """Whether the file ends with a whole block; false after a kill."""
    damaged: bool
    """Whether reading ended because of damage, not because the end is missing."""
    end: str
    books: str
    states: str

    @property
    def clean(self) -> bool:
        """Whether it holds frames and nothing is wrong; a gap and damage are wrong, a missing end is not."""
        return bool(self.frames) and not (self.gaps or self.fault_count or self.unreadable or self.damaged)


def check_recording(path: Path, progress: Callable[[int], None] = lambda _: None) -> CheckResult:
    """Check a recording to its end. Raises RecordingError for a file that is none.

    ``progress`` is called with the number of records read so far. A recording may come from anybody, so all its texts
    are cleaned here.
    """
    file = RecordingReader(path)
    verifier = RecordingVerifier()
    states = blake2b(digest_size=DIGEST_BYTES)
    markets: set[str] = set()
    ended_ms, connections = file.header.began_ms, 0
    for records, record in enumerate(file.records(), 1):
        ended_ms = record.ms
        if records % PROGRESS_INTERVAL == 0:
            progress(records)
        if record.kind == RecordKind.BEGIN:
            connections += 1
        found, frame = verifier.apply(record)
        if found is RecordResult.APPLIED and frame is not None:
            states.update(_encode_state(record.ms, frame, verifier, markets))
    verifier.finish(ended_ms)
    return CheckResult(
        file=clean(path.name),
        exchange=clean(file.header.exchange),
        program=clean(file.header.program),
        began_ms=file.header.began_ms,
        ended_ms=ended_ms,
        frames=verifier.frames,
        markets=len(markets),
        books_followed=len(verifier.books),
        snapshots_compared=verifier.snapshots_compared,
        connections=connections,
        gaps=verifier.gaps,
        unreadable=verifier.unreadable_frames,
        faults=[clean(fault) for fault in verifier.faults[:MAX_LISTED_FAULTS]],
        fault_count=len(verifier.faults),
        whole=not file.end_reason,
        damaged=file.damaged,
        end=clean(file.end_reason, MAX_PARAGRAPH_LENGTH),
        books=books_digest({ticker: book_levels(book) for ticker, book in verifier.books.items()}),
        states=states.hexdigest(),
    )


def _encode_state(
    ms: int, frame: wire.Frame | wire.SnapshotMsg, verifier: RecordingVerifier, markets: set[str]
) -> bytes:
    """Return the state after a frame as text for the digest."""
    books = verifier.books
    if isinstance(frame, wire.DeltaFrame):
        delta = frame.msg
        price = verifier.delta_price
        count = books[delta.market_ticker].side(delta.side).count_at(price)
        markets.add(delta.market_ticker)
        return (
            f"{ms} {delta.market_ticker} {delta.side.value} {price} {cached_delta(delta.delta_fp)} {count}\n".encode()
        )
    msg = frame if isinstance(frame, wire.SnapshotMsg) else getattr(frame, "msg", None)
    ticker = getattr(msg, "market_ticker", "")
    if ticker:
        markets.add(ticker)
    if isinstance(msg, wire.SnapshotMsg):
        return f"{ms} {ticker} {book_levels(books[ticker])}\n".encode()
    if isinstance(msg, wire.TickerMsg | wire.TradeMsg | wire.LifecycleMsg):
        return b"%d %b\n" % (ms, wire.encode(msg))
    return b""


Levels = Iterable[tuple[int, int]]


def book_levels(book: Book) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    """Return the levels of YES and NO as plain pairs, ascending."""
    return (
        list(zip(book.yes.prices, book.yes.counts, strict=True)),
        list(zip(book.no.prices, book.no.counts, strict=True)),
    )


def books_digest(books: Mapping[str, tuple[Levels, Levels]]) -> str:
    """Return a digest of books by ticker, in any order, levels ascending; a market with an empty book counts."""
    digest = blake2b(digest_size=DIGEST_BYTES)
    for ticker in sorted(books):
        yes, no = books[ticker]
        digest.update(f"{ticker} {[tuple(each) for each in yes]} {[tuple(each) for each in no]}\n".encode())
    return digest.hexdigest()


def format_json(result: CheckResult) -> str:
    """Return the result as one JSON object."""
    return json.dumps(msgspec.to_builtins(result) | {"clean": result.clean}) + "\n"


def format_text(result: CheckResult) -> str:
    """Return the result as text for a person."""
    seconds = (result.ended_ms - result.began_ms) / 1_000
    lines = [
        (
            f"{result.file}: {result.frames:,} frames of {result.markets} markets in {seconds:,.1f} s, "
            f"recorded on {result.exchange or 'an exchange'}."
        ),
        (
            f"Books followed: {result.books_followed}. Connections: {result.connections}. "
            f"Snapshots compared with the book built so far: {result.snapshots_compared}."
        ),
        (
            f"Gaps in the numbers: {result.gaps}. Messages that could not be read: {result.unreadable}. "
            f"Faults: {result.fault_count}."
        ),
        *(f"  {fault}" for fault in result.faults),
        *([result.end] if result.end else []),
        f"Digest of the books at the end: {result.books}",
        f"Digest of all states on the way: {result.states}",
        "Clean." if result.clean else "Not clean.",
    ]
    return "\n".join(lines) + "\n"
