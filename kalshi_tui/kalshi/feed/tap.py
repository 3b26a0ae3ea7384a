"""What a stream hands to a recording: the interface that `kalshi_tui.recording` implements.

The feed defines it, so that it needs to know nothing of files.
"""

from collections.abc import Iterable, Mapping
from typing import Protocol

from kalshi_tui.kalshi import wire


class Tap(Protocol):
    """Records what one stream receives, connection after connection. No method may raise."""

    def begin(self, sids: Mapping[int, tuple[str, int | None]] | None = None) -> None:
        """Note that a connection begins.

        ``sids`` are the subscriptions that it has already: by sid the channel and the sequence number that comes next,
        None if that is not known.
        """

    def end(self) -> None:
        """Note that the connection is gone."""

    def record_wanted(self, tickers: Iterable[str]) -> None:
        """Note the markets whose books are followed from here on."""

    def record_reading(self, reading: wire.BookReading) -> None:
        """Note in which prices the NO levels of the frames stand from here on; those of `record_book` in NO prices."""

    def record_book(self, msg: wire.SnapshotMsg) -> None:
        """Note a book that is followed already, as it stands."""

    def record_frame(self, data: bytes) -> None:
        """Record one message as it came, readable or not."""


class TapSource(Protocol):
    """Makes a `Tap` for each stream of a group."""

    def tap(self) -> Tap:
        """Return a new tap."""
