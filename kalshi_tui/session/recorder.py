"""Recording what a session receives, with what it knows of the markets concerned (docs/RECORDING.md)."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

from kalshi_tui import __version__
from kalshi_tui.domain.market import Event, Market
from kalshi_tui.kalshi import wire
from kalshi_tui.kalshi.feed.stream_group import StreamGroup
from kalshi_tui.kalshi.wire import encode_domain
from kalshi_tui.recording.writer import Kind, Recording, RecordingError
from kalshi_tui.session.notices import Weight
from kalshi_tui.session.store import Store
from kalshi_tui.session.timing import Sleep
from kalshi_tui.session.venue import Venue

TICK_S: Final = 0.25
LOOK_EVERY: Final = 8
"""Ticks between two looks for markets that are new or have changed; a list of 70,000 takes some milliseconds."""
AT_FIRST: Final = 2_000
AT_A_TIME: Final = 500
"""How many markets are written at the beginning, and then at a tick: the screen must not stand still meanwhile."""


class Recorder:
    """Begins and ends recordings of one session."""

    def __init__(
        self, store: Store, stream: StreamGroup, clock_ms: Callable[[], int], venue: Venue, sleep: Sleep
    ) -> None:
        """Make ready; ``clock_ms`` is the exchange's time as far as it is known."""
        self._store = store
        self._stream = stream
        self._clock_ms = clock_ms
        self._venue = venue
        self._sleep = sleep
        self._recording: Recording | None = None
        self._markets: dict[str, Market] = {}
        self._events: dict[str, Event] = {}
        self._fees: dict[str, object] = {}
        self._tapes: set[str] = set()
        self._unwritten = False
        """Whether there are more markets than have been written so far."""

    @property
    def recording(self) -> Recording | None:
        """The recording that goes on, None if none does."""
        return self._recording

    @property
    def words(self) -> str:
        """Say in a word that it records, and how much is written; empty while nothing is recorded."""
        return "" if self._recording is None else f"REC {size_text(self._recording.size)}"

    def begin(self, path: Path) -> Recording:
        """Begin a recording: first what is known, then all that comes. Raises RecordingError."""
        recording = Recording(path, exchange=self._venue.value.lower(), program=__version__, clock_ms=self._clock_ms)
        self._recording = recording
        self._markets, self._events, self._fees, self._tapes = {}, {}, {}, set()
        # Those on the screen first: of the others nobody misses anything but the quote.
        self._write_markets(recording, [ticker for ticker in self._store.books if ticker in self._store.markets])
        self._write_markets(recording, self._store.markets, AT_FIRST)
        self._write_tapes(recording)
        for tap, trusted in self._stream.record(recording):
            for ticker in sorted(trusted):
                tap.book(encode_domain.book(ticker, *self._store.books[ticker].book.levels()))
        recording.flush()
        return recording

    def end(self) -> Recording | None:
        """End it, whole; give what was written, None if nothing was recorded."""
        recording, self._recording = self._recording, None
        if recording is not None:
            self._stream.record(None)
            recording.close()
        return recording

    async def run(self) -> None:
        """Bring the time to what is written, and write what is new of markets; a disk that is full ends it."""
        ticks = 0
        while True:
            await self._sleep(TICK_S)
            ticks += 1
            self.tick(look=ticks % LOOK_EVERY == 0)

    def tick(self, *, look: bool) -> None:
        """Write what has become old; ``look`` for markets that are new too."""
        recording = self._recording
        if recording is None:
            return
        if look or self._unwritten:
            self._write_markets(recording, self._store.markets, AT_A_TIME)
            self._write_tapes(recording)
        recording.tick()
        if recording.failed:
            self.end()
            self._store.notify(Weight.ERROR, recording.failed)

    def _write_markets(self, recording: Recording, tickers: Iterable[str], most: int = AT_FIRST) -> None:
        """Write the markets that were not written as they are now, behind their events and series; so many at most."""
        store, written = self._store, self._markets
        self._unwritten = False
        for ticker in tickers:
            market = store.markets[ticker]
            if written.get(ticker) is market:
                continue
            event = store.events.get(market.event_ticker)
            if event is None:
                # Nothing can be listed without its event; it comes with the list, and the market again with it.
                continue
            if not most:
                self._unwritten = True
                return
            most -= 1
            written[ticker] = market
            if self._events.get(event.event_ticker) is not event:
                self._events[event.event_ticker] = event
                recording.add(Kind.EVENT, wire.encode(encode_domain.event(event)))
            series = event.series_ticker
            if series not in self._fees or (market.fees is not None and self._fees[series] != market.fees):
                self._fees[series] = market.fees
                recording.add(Kind.SERIES, wire.encode(encode_domain.series(series, event.category, market.fees)))
            quote = store.quotes.get(ticker, market.quote)
            recording.add(Kind.MARKET, wire.encode(encode_domain.market(market, quote)))

    def _write_tapes(self, recording: Recording) -> None:
        """Write the prints that were read of markets which have come on the screen."""
        for ticker, tape in self._store.tapes.items():
            if ticker not in self._tapes and ticker in self._markets and tape:
                self._tapes.add(ticker)
                trades = [*tape][::-1]
                recording.add(Kind.PRINTS, wire.encode([encode_domain.trade(each) for each in trades]))


def size_text(size: int) -> str:
    """Write a number of bytes in a few characters."""
    for unit in ("B", "kB", "MB"):
        if size < 1_000:
            return f"{size} {unit}"
        size //= 1_000
    return f"{size} GB"


__all__ = ["Recorder", "RecordingError", "size_text"]
