"""Write a recording of the exchange's stream: the file, its records, and what may stand in them (docs/RECORDING.md).

Only public data are written: market data, and the terms of markets. Frames of the account are left out, a change that
the account's own order made loses its order id, and of a frame of an unknown type only the numbers are written. No
headers, keys or signatures are in it.
"""

import errno
import os
import time
import zlib
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

import msgspec
from msgspec import UNSET

from kalshi_tui.domain.book import Side
from kalshi_tui.kalshi import wire
from kalshi_tui.kalshi.wire import Channel
from kalshi_tui.kalshi.wire.repair import decode_frame_without_faults

FORMAT_NAME: Final = "kalshi-tui recording"
FORMAT_VERSION: Final = 2
BLOCK_BYTES: Final = 256 * 1024
"""Bytes of records after which a block ends."""
COMPRESS_CHUNK_BYTES: Final = 32 * 1024
"""Bytes of records that are compressed at a time: so few that the screen does not stutter."""
MAX_BLOCK_AGE_S: Final = 1.0
"""Age at which the next `RecordingWriter.tick` ends a block: a killed process loses no more than this and a tick."""
COMPRESSION_LEVEL: Final = 1
"""The fastest level: a tenth of the time of the best, at twice the size."""
GZIP_WBITS: Final = 31

PRIVATE_FRAME_TYPES: Final = frozenset({"fill", "user_order", "market_position"})
"""Frames of the account. They have no sequence numbers, so that their absence is no gap."""
PUBLIC_FRAME_TYPES: Final = frozenset(
    {
        "orderbook_snapshot",
        "ticker",
        "trade",
        "market_lifecycle_v2",
        "event_lifecycle",
        "event_fee_update",
        "subscribed",
        "unsubscribed",
        "ok",
    }
)
"""Frames that are written as they came; deltas are checked first."""
PUBLIC_CHANNELS: Final = frozenset({Channel.BOOK, Channel.TICKER, Channel.TRADE, Channel.LIFECYCLE})
_DECODE_ERRORS: Final = (wire.DecodeError, UnicodeError, RecursionError)


class RecordKind:
    """The kinds of records, one letter each."""

    HEADER: Final = b"H"
    """The first record: a `RecordingHeader`."""
    BEGIN: Final = b"C"
    """A connection begins: a `ConnectionBegin`."""
    END: Final = b"X"
    """A connection has ended: empty."""
    FRAME: Final = b"F"
    """A frame as it came."""
    UNREADABLE: Final = b"U"
    """A message that is no frame came: empty."""
    WANTED: Final = b"W"
    """The markets whose books are followed on this connection from here on: a list of tickers."""
    BOOK: Final = b"B"
    """A book as it was when the recording began: a snapshot's ``msg``."""
    READING: Final = b"R"
    """In which prices the NO levels of this connection's frames stand from here on: a `BookReading`'s value."""
    MARKET: Final = b"M"
    EVENT: Final = b"E"
    SERIES: Final = b"S"
    """A market, an event, a series: objects in the form of REST."""
    PRINTS: Final = b"P"
    """Public trades from before the recording: a list of a trade frame's ``msg``, oldest first."""


class RecordingHeader(msgspec.Struct, frozen=True, kw_only=True):
    """The first record. ``exchange`` is practice, demo or live; ``began_ms`` is Unix milliseconds."""

    format: str
    version: int
    exchange: str = ""
    began_ms: int = 0
    program: str = ""


class RecordedSubscription(msgspec.Struct, frozen=True, kw_only=True):
    """A subscription that exists when a recording begins; ``expected`` is its next sequence number, if known."""

    channel: str
    expected: int | None = None


class ConnectionBegin(msgspec.Struct, frozen=True, kw_only=True):
    """The subscriptions that a connection has already, by sid."""

    sids: dict[str, RecordedSubscription] = msgspec.field(default_factory=dict)


class RecordingError(Exception):
    """Report a recording that cannot be written or read. The message is a sentence."""


class RecordingWriter:
    """Write one file. Raises RecordingError only when it is created; a later failure ends it and is in ``failure``.

    Records gather in blocks. Each block is a gzip file of its own and is written in one go, so that a killed process
    leaves whole blocks. Compression is done here, in portions, not in a thread: the memory in use stays below a block.
    """

    def __init__(
        self,
        path: Path,
        *,
        exchange: str = "",
        program: str = "",
        clock_ms: Callable[[], int],
        timer_s: Callable[[], float] = time.monotonic,
    ) -> None:
        """Create the file, readable by its owner alone; ``clock_ms`` is the exchange's time, Unix milliseconds."""
        self.path = path
        self.failure = ""
        """Why the recording ended before it was closed, a sentence; empty if it did not."""
        self.frames = 0
        self.size = 0
        """Bytes written to the disk."""
        self._clock_ms = clock_ms
        self._timer_s = timer_s
        self._last_ms = 0
        self._connection_count = 0
        self._pending: list[bytes] = []
        self._pending_bytes = 0
        self._block_bytes = 0
        self._block: list[bytes] = []
        self._compressor = zlib.compressobj(COMPRESSION_LEVEL, zlib.DEFLATED, GZIP_WBITS)
        self._block_started_s = 0.0
        self._file = _create_file(path)
        header = RecordingHeader(
            format=FORMAT_NAME, version=FORMAT_VERSION, exchange=exchange, began_ms=clock_ms(), program=program
        )
        self.write_record(RecordKind.HEADER, wire.encode(header))
        self.flush()
        if self.failure:
            raise RecordingError(self.failure)

    @property
    def is_open(self) -> bool:
        """Whether records can be written."""
        return self._file >= 0

    def write_record(self, kind: bytes, payload: bytes, connection: int = 0) -> None:
        """Write a record with the current time, never an earlier one than that of the record before."""
        if self._file < 0:
            return
        now = self._clock_ms()
        if now < self._last_ms:
            now = self._last_ms
        else:
            self._last_ms = now
        if not self._block_bytes and not self._pending:
            self._block_started_s = self._timer_s()
        record = b"%b %d %d %d\n%b\n" % (kind, now, connection, len(payload), payload)
        self._pending.append(record)
        self._pending_bytes += len(record)
        if self._pending_bytes >= COMPRESS_CHUNK_BYTES:
            self._compress()
            if self._block_bytes >= BLOCK_BYTES:
                self._end_block()

    def tap(self) -> "StreamTap":
        """Return a new tap for one stream."""
        return StreamTap(self)

    def next_connection(self) -> int:
        """Return the number of a new connection, from 1."""
        self._connection_count += 1
        return self._connection_count

    def tick(self) -> None:
        """End the block if it is old; call this a few times a second."""
        if (self._pending or self._block_bytes) and self._timer_s() - self._block_started_s >= MAX_BLOCK_AGE_S:
            self.flush()

    def flush(self) -> None:
        """End the block and write it."""
        if self._pending:
            self._compress()
        if self._block_bytes:
            self._end_block()

    def close(self) -> None:
        """Write the rest, wait until it is on the disk, and close the file."""
        self.flush()
        if self._file >= 0:
            with suppress(OSError):
                os.fsync(self._file)
            self._close_file()

    def _compress(self) -> None:
        self._block.append(self._compressor.compress(b"".join(self._pending)))
        self._block_bytes += self._pending_bytes
        self._pending.clear()
        self._pending_bytes = 0

    def _end_block(self) -> None:
        block = b"".join([*self._block, self._compressor.flush()])
        self._block.clear()
        self._block_bytes = 0
        self._compressor = zlib.compressobj(COMPRESSION_LEVEL, zlib.DEFLATED, GZIP_WBITS)
        if self._file < 0:
            return
        try:
            written = 0
            while written < len(block):
                written += os.write(self._file, block[written:])
        except OSError as error:
            self._fail(error)
        else:
            self.size += len(block)

    def _fail(self, error: OSError) -> None:
        """End the recording, with nothing but whole blocks in the file."""
        reason = "the disk is full" if error.errno in {errno.ENOSPC, errno.EDQUOT} else error.strerror or str(error)
        self.failure = (
            f"The recording has ended: {self.path} cannot be written ({reason}). What it holds can be played."
        )
        with suppress(OSError):
            os.ftruncate(self._file, self.size)
        self._close_file()

    def _close_file(self) -> None:
        file, self._file = self._file, -1
        self._pending.clear()
        with suppress(OSError):
            os.close(file)


def require_new_file(path: Path) -> None:
    """Raise RecordingError if a recording cannot have this name. Creating the file may fail all the same."""
    try:
        path.lstat()
    except FileNotFoundError:
        return
    except OSError as error:
        raise _cannot_create_error(path, error) from error
    raise _file_exists_error(path)


def _file_exists_error(path: Path) -> RecordingError:
    return RecordingError(f"There is a file {path} already; give another name.")


def _cannot_create_error(path: Path, error: OSError) -> RecordingError:
    return RecordingError(f"The recording {path} cannot be begun ({error.strerror or error}).")


def _create_file(path: Path) -> int:
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise _cannot_create_error(path, error) from error
    try:
        return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
    except FileExistsError:
        raise _file_exists_error(path) from None
    except OSError as error:
        raise _cannot_create_error(path, error) from error


class StreamTap:
    """Write what one stream receives, connection after connection; the feed calls it as its `Tap`."""

    def __init__(self, recording: RecordingWriter) -> None:
        self._recording = recording
        self._connection = 0

    def begin(self, sids: Mapping[int, tuple[str, int | None]] | None = None) -> None:
        """Write that a connection begins; ``sids`` are its subscriptions so far: channel and next sequence number."""
        self._connection = self._recording.next_connection()
        known = {
            str(sid): RecordedSubscription(channel=channel, expected=expected)
            for sid, (channel, expected) in (sids or {}).items()
            if channel in PUBLIC_CHANNELS
        }
        self._write_record(RecordKind.BEGIN, wire.encode(ConnectionBegin(sids=known)))

    def end(self) -> None:
        """Write that the connection is gone."""
        if self._connection:
            self._write_record(RecordKind.END, b"")
            self._connection = 0

    def record_wanted(self, tickers: Iterable[str]) -> None:
        """Write which markets' books are followed from here on."""
        if self._connection:
            self._write_record(RecordKind.WANTED, wire.encode(sorted(tickers)))

    def record_reading(self, reading: wire.BookReading) -> None:
        """Write in which prices the NO levels of the frames stand from here on."""
        if self._connection:
            self._write_record(RecordKind.READING, wire.encode([reading.value]))

    def record_book(self, msg: wire.SnapshotMsg) -> None:
        """Write a book that is followed already, as it stands."""
        self._write_record(RecordKind.BOOK, wire.encode(msg))

    def _write_record(self, kind: bytes, payload: bytes) -> None:
        self._recording.write_record(kind, payload, self._connection)

    def record_frame(self, data: bytes) -> None:
        """Write a message, as far as it is public. Never raises for what it holds."""
        recording = self._recording
        try:
            envelope = wire.decode_envelope(data)
        except _DECODE_ERRORS:
            recording.write_record(RecordKind.UNREADABLE, b"", self._connection)
            return
        kind = envelope.type
        if kind == "orderbook_delta":
            try:
                _decode_public_delta(data)
            except _DECODE_ERRORS:
                data = _anonymize(data, envelope)
        elif kind in PRIVATE_FRAME_TYPES:
            return
        elif kind not in PUBLIC_FRAME_TYPES:
            data = _anonymize(data, envelope)
        recording.frames += 1
        recording.write_record(RecordKind.FRAME, data, self._connection)


class _PublicDeltaMsg(msgspec.Struct, frozen=True, forbid_unknown_fields=True, gc=False):
    """The fields of a change that are of the market, not of whose order made it (docs/kalshi-api.md, section 4)."""

    market_ticker: str
    price_dollars: str
    delta_fp: str
    side: Side
    market_id: str = ""
    ts: str = ""
    ts_ms: int = 0


class _PublicDelta(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, gc=False, tag="orderbook_delta"
):
    sid: int
    seq: int
    sending_ts_ms: int | None = None
    msg: _PublicDeltaMsg


_decode_public_delta: Final = msgspec.json.Decoder(_PublicDelta).decode
"""Decode a delta. Raises DecodeError for one with any other field: a new field may be of the account."""


class _FullDelta(msgspec.Struct, frozen=True, tag="orderbook_delta"):
    """A delta with all its fields."""

    sid: int
    seq: int
    msg: wire.FullDeltaMsg


def _anonymize(data: bytes, envelope: wire.Envelope) -> bytes:
    """Return a frame without the order id of a delta, the text of an error, and all but the head of an unknown one."""
    try:
        frame = decode_frame_without_faults(data)
    except wire.DecodeError:
        return wire.encode(envelope)
    if isinstance(frame, wire.DeltaFrame):
        try:
            whole = wire.decode(data, _FullDelta).msg
        except _DECODE_ERRORS:
            # The fields that a book needs can be read. Without them the recorded book would lack the change.
            return wire.encode(frame)
        msg = msgspec.structs.replace(whole, client_order_id=UNSET, subaccount=UNSET)
        return wire.encode(_FullDelta(sid=frame.sid, seq=frame.seq, msg=msg))
    if isinstance(frame, wire.ErrorFrame):
        return wire.encode(msgspec.structs.replace(frame, msg=wire.ErrorMsg(code=frame.msg.code)))
    return wire.encode(envelope)
