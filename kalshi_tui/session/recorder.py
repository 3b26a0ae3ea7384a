"""Recording what a session receives, with what it knows of the markets concerned (docs/RECORDING.md)."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

from kalshi_tui import __version__
from kalshi_tui.domain.market import Event, Market
from kalshi_tui.kalshi import wire
from kalshi_tui.kalshi.feed.stream_group import StreamGroup
from kalshi_tui.kalshi.wire import encode_domain
from kalshi_tui.recording.writer import RecordingError, RecordingWriter, RecordKind
from kalshi_tui.session.notices import Weight
from kalshi_tui.session.store import Store
from kalshi_tui.session.timing import Sleep
from kalshi_tui.session.venue import Venue

TICK_INTERVAL_S: Final = 0.25
TICKS_PER_MARKET_CHECK: Final = 8
"""Ticks between two looks for markets that are new or have changed; a list of 70,000 takes some milliseconds."""
MAX_INITIAL_MARKETS: Final = 2_000
MAX_MARKETS_PER_TICK: Final = 500
"""How many markets are written at the beginning, and then at a tick: the screen must not stand still meanwhile."""


class Recorder:
    """Begins and ends recordings of one session."""

    def __init__(
        self, store: Store, stream: StreamGroup, clock_ms: Callable[[], int], venue: Venue, sleep: Sleep
    ) -> None:
        """Make ready; ``clock`` is the exchange's time as far as it is known."""
        self._store = store
        self._stream = stream
        self._clock_ms = clock_ms
        self._venue = venue
        self._sleep = sleep
        self._recording: RecordingWriter | None = None
        self._written_markets: dict[str, Market] = {}
        self._written_events: dict[str, Event] = {}
        self._written_fees: dict[str, object] = {}
        self._written_tapes: set[str] = set()
        self._has_unwritten = False
        """Whether there are more markets than have been written so far."""

    @property
    def recording(self) -> RecordingWriter | None:
        """The recording that goes on, None if none does."""
        return self._recording

    @property
    def status_text(self) -> str:
        """Say in a word that it records, and how much is written; empty while nothing is recorded."""
        return "" if self._recording is None else f"REC {format_size(self._recording.size)}"

    def begin(self, path: Path) -> RecordingWriter:
        """Begin a recording: first what is known, then all that comes. Raises RecordingError."""
        recording = RecordingWriter(
            path, exchange=self._venue.value.lower(), program=__version__, clock_ms=self._clock_ms
        )
        self._recording = recording
        self._written_markets, self._written_events, self._written_fees, self._written_tapes = {}, {}, {}, set()
        # Those on the screen first: of the others nobody misses anything but the quote.
        self._write_markets(recording, [ticker for ticker in self._store.books if ticker in self._store.markets])
        self._write_markets(recording, self._store.markets, MAX_INITIAL_MARKETS)
        self._write_tapes(recording)
        for tap, trusted in self._stream.record(recording):
            for ticker in sorted(trusted):
                tap.record_book(encode_domain.book(ticker, *self._store.books[ticker].book.levels()))
        recording.flush()
        return recording

    def end(self) -> RecordingWriter | None:
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
            await self._sleep(TICK_INTERVAL_S)
            ticks += 1
            self.tick(check_markets=ticks % TICKS_PER_MARKET_CHECK == 0)

    def tick(self, *, check_markets: bool) -> None:
        """Write what has become old; ``look`` for markets that are new too."""
        recording = self._recording
        if recording is None:
            return
        if check_markets or self._has_unwritten:
            self._write_markets(recording, self._store.markets, MAX_MARKETS_PER_TICK)
            self._write_tapes(recording)
        recording.tick()
        if recording.failure:
            self.end()
            self._store.notify(Weight.ERROR, recording.failure)

    def _write_markets(
        self, recording: RecordingWriter, tickers: Iterable[str], max_markets: int = MAX_INITIAL_MARKETS
    ) -> None:
        """Write the markets that were not written as they are now, behind their events and series; so many at most."""
        store, written = self._store, self._written_markets
        self._has_unwritten = False
        for ticker in tickers:
            market = store.markets[ticker]
            if written.get(ticker) is market:
                continue
            event = store.events.get(market.event_ticker)
            if event is None:
                # Nothing can be listed without its event; it comes with the list, and the market again with it.
                continue
            if not max_markets:
                self._has_unwritten = True
                return
            max_markets -= 1
            written[ticker] = market
            if self._written_events.get(event.event_ticker) is not event:
                self._written_events[event.event_ticker] = event
                recording.write_record(RecordKind.EVENT, wire.encode(encode_domain.event(event)))
            series = event.series_ticker
            if series not in self._written_fees or (
                market.fees is not None and self._written_fees[series] != market.fees
            ):
                self._written_fees[series] = market.fees
                recording.write_record(
                    RecordKind.SERIES, wire.encode(encode_domain.series(series, event.category, market.fees))
                )
            quote = store.quotes.get(ticker, market.quote)
            recording.write_record(RecordKind.MARKET, wire.encode(encode_domain.market(market, quote)))

    def _write_tapes(self, recording: RecordingWriter) -> None:
        """Write the prints that were read of markets which have come on the screen."""
        for ticker, tape in self._store.tapes.items():
            if ticker not in self._written_tapes and ticker in self._written_markets and tape:
                self._written_tapes.add(ticker)
                trades = [*tape][::-1]
                recording.write_record(RecordKind.PRINTS, wire.encode([encode_domain.trade(each) for each in trades]))


def format_size(size: int) -> str:
    """Write a number of bytes in a few characters."""
    for unit in ("B", "kB", "MB"):
        if size < 1_000:
            return f"{size} {unit}"
        size //= 1_000
    return f"{size} GB"


__all__ = ["Recorder", "RecordingError", "format_size"]
