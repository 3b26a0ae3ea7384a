"""Read a recording: its records in their order, up to where the file is whole (docs/RECORDING.md)."""

import os
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Final, NamedTuple

from kalshi_tui.kalshi import wire
from kalshi_tui.recording.writer import (
    FORMAT_NAME,
    FORMAT_VERSION,
    GZIP_WBITS,
    RecordingError,
    RecordingHeader,
    RecordKind,
)

READ_CHUNK_BYTES: Final = 256 * 1024
MAX_BLOCK_BYTES: Final = 80 * 1024 * 1024
"""Largest block accepted, decompressed: a record is one message, 64 MiB at most, and a block ends soon after 256 KB."""
MIN_TIME_MS: Final = 946_684_800_000
MAX_TIME_MS: Final = 7_258_118_400_000
"""The years 2000 to 2199 in Unix milliseconds: a time outside them is damage, and many clocks cannot show it."""
_GZIP_MAGIC: Final = b"\x1f\x8b\x08"
_TAIL_BYTES: Final = 4 * 1024 * 1024
"""Bytes at the end of the file in which its last block is searched."""


class Record(NamedTuple):
    """One record: a `RecordKind`, the exchange's time in Unix milliseconds, the connection's number, the content."""

    kind: bytes
    ms: int
    connection: int
    payload: bytes


class RecordingReader:
    """Read one recording, as often as needed. Raises RecordingError for a file that is none."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.end_reason = ""
        """Why the last read ended before the file did, a sentence; empty if it did not."""
        self.damaged = False
        """Whether the reason is damage, not only an end that is missing."""
        first = next(self._read_blocks(), None)
        if first is None:
            raise RecordingError(f"{path} holds nothing that can be read: it is no recording, or broke off at once.")
        try:
            record = next(_split_records(first))
            header = wire.decode(record.payload, RecordingHeader)
        except (ValueError, StopIteration):
            raise self._not_a_recording() from None
        if record.kind != RecordKind.HEADER or header.format != FORMAT_NAME:
            raise self._not_a_recording()
        if header.version > FORMAT_VERSION:
            raise RecordingError(f"{path} was written by a newer version of this program: install that one.")
        if not (_is_plausible_time(header.began_ms) and _is_plausible_time(record.ms)):
            raise RecordingError(f"{path} says that it began at no time of these centuries: it is damaged.")
        self.header = header

    def _not_a_recording(self) -> RecordingError:
        return RecordingError(f"{self.path} is no recording of this program.")

    def records(self) -> Iterator[Record]:
        """Yield all records up to the first damage, which is in ``end_reason`` then. Raises RecordingError."""
        self.end_reason, self.damaged = "", False
        newest = 0
        for block in self._read_blocks():
            try:
                for record in _split_records(block):
                    if record.ms < newest or not _is_plausible_time(record.ms):
                        raise ValueError("a time that cannot be")  # noqa: TRY301 - reported as any other damage
                    newest = record.ms
                    yield record
            except ValueError:
                self.end_reason, self.damaged = f"{self.path} is damaged; what stands before the damage was read.", True
                return

    def last_ms(self) -> int:
        """Return the time of the last whole block's last record, searched from the end of the file if possible."""
        try:
            with self.path.open("rb") as file:
                size = file.seek(0, os.SEEK_END)
                file.seek(max(0, size - _TAIL_BYTES))
                tail = file.read()
        except OSError as error:
            raise self._cannot_read_error(error) from error
        at = len(tail)
        while (at := tail.rfind(_GZIP_MAGIC, 0, at)) >= 0:
            opener = zlib.decompressobj(GZIP_WBITS)
            try:
                block = opener.decompress(tail[at:], MAX_BLOCK_BYTES)
                if opener.eof and _is_plausible_time(last := max(record.ms for record in _split_records(block))):
                    return last
            except (zlib.error, ValueError):
                continue
        return max((record.ms for record in self.records()), default=self.header.began_ms)

    def _cannot_read_error(self, error: OSError) -> RecordingError:
        return RecordingError(f"{self.path} cannot be read ({error.strerror or error}).")

    def _read_blocks(self) -> Iterator[bytes]:
        """Yield the blocks that are whole; ``end_reason`` says if something follows them."""
        try:
            with self.path.open("rb") as file:
                left = file.read(READ_CHUNK_BYTES)
                while left:
                    try:
                        block, left = _read_block(file, left)
                    except _BlockError as error:
                        self.end_reason, self.damaged = (
                            f"{self.path} {error}",
                            not isinstance(error, _TruncatedBlockError),
                        )
                        return
                    left = left or file.read(READ_CHUNK_BYTES)
                    yield block
        except OSError as error:
            raise self._cannot_read_error(error) from error


def _is_plausible_time(ms: int) -> bool:
    return MIN_TIME_MS <= ms < MAX_TIME_MS


class _BlockError(Exception):
    """Report a block that is not whole; the message ends a sentence about the file."""


class _TruncatedBlockError(_BlockError):
    """Report a last block whose end is missing."""


def _read_block(file: IO[bytes], unread: bytes) -> tuple[bytes, bytes]:
    """Return one block that begins with ``unread``, and what was read after it. Raises _BlockError or OSError."""
    opener = zlib.decompressobj(GZIP_WBITS)
    parts, size = [], 0
    while True:
        try:
            part = opener.decompress(unread, MAX_BLOCK_BYTES + 1 - size)
        except zlib.error:
            raise _BlockError("is damaged; what stands before the damage was read.") from None
        size += len(part)
        parts.append(part)
        if size > MAX_BLOCK_BYTES:
            raise _BlockError("holds a block that is larger than any recording's; it was read up to there.")
        if opener.eof:
            return b"".join(parts), opener.unused_data
        unread = opener.unconsumed_tail or file.read(READ_CHUNK_BYTES)
        if not unread:
            raise _TruncatedBlockError(
                "breaks off within a block, as when its recording was killed; what stands before was read."
            )


def _split_records(block: bytes) -> Iterator[Record]:
    """Yield the records of a block. Raises ValueError for what is no record."""
    at, size = 0, len(block)
    find = block.find
    while at < size:
        end = find(b"\n", at, at + 80)
        if end < 0:
            raise ValueError("no head of a record")
        kind, ms, connection, length = block[at:end].split(b" ")
        start = end + 1
        stop = start + int(length)
        if len(kind) != 1 or not start <= stop < size or block[stop] != 10:
            raise ValueError("no record")
        yield Record(kind, int(ms), int(connection), block[start:stop])
        at = stop + 1
