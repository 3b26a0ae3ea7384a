"""Reading a recording (docs/RECORDING.md): records in their order, up to where the file is whole."""

import os
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Final, NamedTuple

from kalshi_tui.kalshi import wire
from kalshi_tui.recording.writer import (
    FORMAT,
    GZIP,
    VERSION,
    Header,
    Kind,
    RecordingError,
)

READ_AT_ONCE: Final = 256 * 1024
LARGEST_BLOCK: Final = 64 * 1024 * 1024
"""Bytes of a block when it is opened: a record has 16 MiB at the most, and a block ends soon after 256 KB."""
EARLIEST_MS: Final = 946_684_800_000
LATEST_MS: Final = 7_258_118_400_000
"""The years 2000 to 2199, in Unix ms: a time outside them is damage, and many a clock cannot show it."""
_BLOCK_HEAD: Final = b"\x1f\x8b\x08"
_TAIL: Final = 4 * 1024 * 1024
"""Bytes of the file's end among which its last block is looked for."""


class Record(NamedTuple):
    """One record: a letter of `Kind`, the exchange's time in Unix ms, the number of the connection, the content."""

    kind: bytes
    ms: int
    connection: int
    payload: bytes


class RecordedFile:
    """A recording to be read, more than once if need be. Raises RecordingError for a file that is none."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.end = ""
        """Why the last reading ended before the file did, a sentence; empty if it did not."""
        self.damaged = False
        """Whether that was damage, and not only an end that broke off."""
        first = next(self._blocks(), None)
        if first is None:
            raise RecordingError(f"{path} holds nothing that can be read: it is no recording, or broke off at once.")
        try:
            record = next(_records(first))
            told = wire.decode(record.payload, Header)
        except (ValueError, StopIteration):
            raise self._none() from None
        if record.kind != Kind.HEADER or told.format != FORMAT:
            raise self._none()
        if told.version > VERSION:
            raise RecordingError(f"{path} was written by a newer version of this program: install that one.")
        if not (_sensible(told.began_ms) and _sensible(record.ms)):
            raise RecordingError(f"{path} says that it began at no time of these centuries: it is damaged.")
        self.header = told

    def _none(self) -> RecordingError:
        return RecordingError(f"{self.path} is no recording of this program.")

    def records(self) -> Iterator[Record]:
        """Yield all records. What is broken ends them; `end` then says so. Raises RecordingError."""
        self.end, self.damaged = "", False
        newest = 0
        for block in self._blocks():
            try:
                for record in _records(block):
                    if record.ms < newest or not _sensible(record.ms):
                        raise ValueError("a time that cannot be")  # noqa: TRY301 - told as any other damage
                    newest = record.ms
                    yield record
            except ValueError:
                self.end, self.damaged = f"{self.path} is damaged; what stands before the damage was read.", True
                return

    def last_ms(self) -> int:
        """Give the time of the last whole block's last record, found from the end of the file where that can be."""
        try:
            with self.path.open("rb") as file:
                size = file.seek(0, os.SEEK_END)
                file.seek(max(0, size - _TAIL))
                tail = file.read()
        except OSError as error:
            raise self._unreadable(error) from error
        at = len(tail)
        while (at := tail.rfind(_BLOCK_HEAD, 0, at)) >= 0:
            opener = zlib.decompressobj(GZIP)
            try:
                block = opener.decompress(tail[at:], LARGEST_BLOCK)
                if opener.eof and _sensible(last := max(record.ms for record in _records(block))):
                    return last
            except (zlib.error, ValueError):
                continue
        return max((record.ms for record in self.records()), default=self.header.began_ms)

    def _unreadable(self, error: OSError) -> RecordingError:
        return RecordingError(f"{self.path} cannot be read ({error.strerror or error}).")

    def _blocks(self) -> Iterator[bytes]:
        """Yield the blocks that are whole; `end` says if something stands behind them."""
        try:
            with self.path.open("rb") as file:
                left = file.read(READ_AT_ONCE)
                while left:
                    try:
                        block, left = _block(file, left)
                    except _BrokenError as error:
                        self.end, self.damaged = f"{self.path} {error}", not isinstance(error, _BrokenOffError)
                        return
                    left = left or file.read(READ_AT_ONCE)
                    yield block
        except OSError as error:
            raise self._unreadable(error) from error


def _sensible(ms: int) -> bool:
    return EARLIEST_MS <= ms < LATEST_MS


class _BrokenError(Exception):
    """A block that is not whole; the message ends a sentence about the file."""


class _BrokenOffError(_BrokenError):
    """A last block of which the end is missing."""


def _block(file: IO[bytes], left: bytes) -> tuple[bytes, bytes]:
    """Read one block that begins with ``left``; give it, and what was read behind it. Raises _BrokenError, OSError."""
    opener = zlib.decompressobj(GZIP)
    parts, size = [], 0
    while True:
        try:
            part = opener.decompress(left, LARGEST_BLOCK + 1 - size)
        except zlib.error:
            raise _BrokenError("is damaged; what stands before the damage was read.") from None
        size += len(part)
        parts.append(part)
        if size > LARGEST_BLOCK:
            raise _BrokenError("holds a block that is larger than any recording's; it was read up to there.")
        if opener.eof:
            return b"".join(parts), opener.unused_data
        left = opener.unconsumed_tail or file.read(READ_AT_ONCE)
        if not left:
            raise _BrokenOffError(
                "breaks off within a block, as when its recording was killed; what stands before was read."
            )


def _records(block: bytes) -> Iterator[Record]:
    """Take a block apart. Raises ValueError for what is no record."""
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
