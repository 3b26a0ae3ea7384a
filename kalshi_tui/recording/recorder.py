"""A recorder: writes what a group of streams receives, with what is known of the markets concerned.

docs/RECORDING.md.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final, Protocol

from kalshi_tui import __version__
from kalshi_tui.domain.book import Book
from kalshi_tui.domain.market import Event, Market, Quote, Trade
from kalshi_tui.kalshi import wire
from kalshi_tui.kalshi.feed.tap import Tap, TapSource
from kalshi_tui.kalshi.wire import encode_domain
from kalshi_tui.recording.writer import RecordingError, RecordingWriter, RecordKind

TICK_INTERVAL_S: Final = 0.25
TICKS_PER_MARKET_CHECK: Final = 8
"""Ticks between two looks for markets that are new or have changed: a list of 70,000 takes some milliseconds."""
MAX_INITIAL_MARKETS: Final = 2_000
MAX_MARKETS_PER_TICK: Final = 500
"""How many markets are written at the beginning, and then at a tick: the screen must not stand still meanwhile."""


class HasBook(Protocol):
    """Hold a book that changes."""

    @property
    def book(self) -> Book:
        """The book as it is now."""


class MarketSource(Protocol):
    """Hold what is known of markets, all by ticker; the recorder only reads it."""

    @property
    def markets(self) -> Mapping[str, Market]:
        """The markets."""

    @property
    def events(self) -> Mapping[str, Event]:
        """The events, by event ticker."""

    @property
    def quotes(self) -> Mapping[str, Quote]:
        """The newest quotes."""

    @property
    def books(self) -> Mapping[str, HasBook]:
        """The books that are followed."""

    @property
    def tapes(self) -> Mapping[str, Iterable[Trade]]:
        """Public trades, newest first."""


class RecordableStreams(Protocol):
    """Hand what is received to a recording; a `StreamGroup` does."""

    def record(self, recording: TapSource | None) -> Sequence[tuple[Tap, frozenset[str]]]:
        """Begin, or end with None; return each connected stream's tap and the markets whose books are trusted."""


class Recorder:
    """Begin and end recordings of one group of streams, one recording at a time."""

    def __init__(
        self,
        source: MarketSource,
        streams: RecordableStreams,
        clock_ms: Callable[[], int],
        *,
        exchange: str,
        on_failure: Callable[[str], None] = lambda _: None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """Make a recorder that records nothing yet.

        ``clock_ms`` is the exchange's time as far as it is known, Unix milliseconds; ``exchange`` is practice, demo or
        live. ``on_failure`` gets a sentence when a recording ends because the file can no longer be written.
        """
        self._source = source
        self._streams = streams
        self._clock_ms = clock_ms
        self._exchange = exchange
        self._on_failure = on_failure
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
        """The recording in progress, None if there is none."""
        return self._recording

    @property
    def status_text(self) -> str:
        """``REC`` and the size written so far; empty while nothing is recorded."""
        return "" if self._recording is None else f"REC {format_size(self._recording.size)}"

    def begin(self, path: Path) -> RecordingWriter:
        """Begin a recording: first what is known, then all that comes. Raises RecordingError."""
        recording = RecordingWriter(path, exchange=self._exchange, program=__version__, clock_ms=self._clock_ms)
        self._recording = recording
        self._written_markets, self._written_events, self._written_fees, self._written_tapes = {}, {}, {}, set()
        # Markets with a book come first: those are on the screen, and the file may end before the rest is written.
        self._write_markets(recording, [ticker for ticker in self._source.books if ticker in self._source.markets])
        self._write_markets(recording, self._source.markets, MAX_INITIAL_MARKETS)
        self._write_tapes(recording)
        for tap, trusted in self._streams.record(recording):
            # Before the next frame: a change without the book that it changes could not be played.
            for ticker in sorted(trusted):
                tap.record_book(encode_domain.book(ticker, *self._source.books[ticker].book.levels()))
        recording.flush()
        return recording

    def end(self) -> RecordingWriter | None:
        """End the recording and close its file; return it, None if nothing was recorded."""
        recording, self._recording = self._recording, None
        if recording is not None:
            self._streams.record(None)
            recording.close()
        return recording

    async def run(self) -> None:
        """Write what is new, a few times a second, for ever; a full disk ends the recording, not this loop."""
        ticks = 0
        while True:
            await self._sleep(TICK_INTERVAL_S)
            ticks += 1
            self.tick(check_markets=ticks % TICKS_PER_MARKET_CHECK == 0)

    def tick(self, *, check_markets: bool) -> None:
        """Write what has waited long enough; with ``check_markets`` also the markets that are new or changed."""
        recording = self._recording
        if recording is None:
            return
        if check_markets or self._has_unwritten:
            self._write_markets(recording, self._source.markets, MAX_MARKETS_PER_TICK)
            self._write_tapes(recording)
        recording.tick()
        if recording.failure:
            self.end()
            self._on_failure(recording.failure)

    def _write_markets(
        self, recording: RecordingWriter, tickers: Iterable[str], max_markets: int = MAX_INITIAL_MARKETS
    ) -> None:
        """Write the markets that are new or changed, each after its event and series, at most ``max_markets``."""
        source, written = self._source, self._written_markets
        self._has_unwritten = False
        for ticker in tickers:
            market = source.markets[ticker]
            if written.get(ticker) is market:
                continue
            event = source.events.get(market.event_ticker)
            if event is None:
                # A market cannot be played without its event. The list brings the event later, and the market with it.
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
            quote = source.quotes.get(ticker, market.quote)
            recording.write_record(RecordKind.MARKET, wire.encode(encode_domain.market(market, quote)))

    def _write_tapes(self, recording: RecordingWriter) -> None:
        """Write the trades that were read of markets, once for each market."""
        for ticker, tape in self._source.tapes.items():
            if ticker in self._written_tapes or ticker not in self._written_markets:
                continue
            if trades := [*tape][::-1]:
                self._written_tapes.add(ticker)
                recording.write_record(RecordKind.PRINTS, wire.encode([encode_domain.trade(each) for each in trades]))


def format_size(size: int) -> str:
    """Return a number of bytes as a short text, such as ``12 MB``; cut, not rounded."""
    for unit in ("B", "kB", "MB"):
        if size < 1_000:
            return f"{size} {unit}"
        size //= 1_000
    return f"{size} GB"


__all__ = ["Recorder", "RecordingError", "format_size"]
