"""`StreamGroup`: one or more streams behind one interface, for more markets than one subscription takes.

A connection has one subscription for each channel, so that a second subscription needs a second connection
(docs/kalshi-api.md, section 5). The first stream carries the account, the lifecycle events and the quotes; the others
carry only books and trades.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import replace
from typing import Final, Protocol

from kalshi_tui.domain.link import LinkState
from kalshi_tui.kalshi.feed.command_queue import AuditAnswer
from kalshi_tui.kalshi.feed.handler import FeedHandler
from kalshi_tui.kalshi.feed.stream import Health, Stream
from kalshi_tui.kalshi.feed.subscription import Happening, Report
from kalshi_tui.kalshi.feed.tap import Tap, TapSource
from kalshi_tui.kalshi.wire import Channel

MAX_STREAMS: Final = 20
"""The exchange allows a user 200 connections, those of other programs included."""
RESTART_DELAY_S: Final = 1.0
CROSSED_CHECK_INTERVAL_S: Final = 0.5
MAX_CROSSED_CHECKS: Final = 3
"""A book crossed at this many checks in a row is not trusted: two frames of one trade are never so far apart."""

_log: Final = logging.getLogger("kalshi_tui.stream")

ReportListener = Callable[[Report], None]


class StreamFactory(Protocol):
    """A callable that makes one stream; ``private``: it carries the account and the lifecycle events too."""

    def __call__(self, handler: FeedHandler, listener: ReportListener, *, private: bool) -> Stream:
        """Make a stream."""


class _SecondaryHandler:
    """The handler of a further stream: passes on everything but the link's state, which the first stream reports."""

    def __init__(self, handler: FeedHandler) -> None:
        self.snapshot = handler.snapshot
        self.stale = handler.stale
        self.quote = handler.quote
        self.trade = handler.trade
        self.fill = handler.fill
        self.order = handler.order
        self.position = handler.position
        self.lifecycle = handler.lifecycle
        self.event_fees = handler.event_fees

    def link(self, state: LinkState, detail: str) -> None:
        """Ignore it: the books that are lost with a connection are reported as stale anyway."""


class CrossedBookMonitor:
    """Finds books that stay crossed for longer than two frames may be apart, and has all books read again."""

    def __init__(self, find_crossed: Callable[[], Iterable[str]], resync_books: Callable[[str], None]) -> None:
        """``find_crossed`` returns the crossed books among the trusted ones; ``resync_books`` takes the reason."""
        self._find_crossed = find_crossed
        self._resync_books = resync_books
        self._crossed_checks: dict[str, int] = {}

    def check(self) -> None:
        """Check once; to be called every `CROSSED_CHECK_INTERVAL_S`."""
        self._crossed_checks = {ticker: self._crossed_checks.get(ticker, 0) + 1 for ticker in self._find_crossed()}
        ticker = max(self._crossed_checks, key=self._crossed_checks.__getitem__, default="")
        if self._crossed_checks.get(ticker, 0) >= MAX_CROSSED_CHECKS:
            self._crossed_checks = {}
            self._resync_books(f"The book of {ticker} stays crossed.")

    async def run(self, sleep: Callable[[float], Awaitable[object]] = asyncio.sleep) -> None:
        """Check until canceled."""
        while True:
            await sleep(CROSSED_CHECK_INTERVAL_S)
            self.check()


class StreamGroup:
    """One stream, and as many further ones as the exchange's limit of markets asks for."""

    def __init__(self, make_stream: StreamFactory, handler: FeedHandler, listener: ReportListener) -> None:
        self._make_stream = make_stream
        self._handler = handler
        self._listener = listener
        self._streams: list[Stream] = []
        self._tickers_by_stream: list[set[str]] = []
        """The markets that each stream carries."""
        self._capacities: list[int | None] = []
        """How many markets each stream can carry; None while that is not known."""
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._closing = asyncio.Event()
        self._started = False
        self._recording: TapSource | None = None
        self._add_stream()

    def _add_stream(self) -> None:
        place = len(self._streams)
        handler = self._handler if place == 0 else _SecondaryHandler(self._handler)
        self._streams.append(
            self._make_stream(handler, lambda report: self._on_report(place, report), private=place == 0)
        )
        self._tickers_by_stream.append(set())
        self._capacities.append(None)
        if self._recording is not None:
            self._streams[place].record(self._recording.tap())
        if self._started:
            self._start_stream(place)

    def _start_stream(self, index: int) -> None:
        self._tasks[index] = asyncio.create_task(self._run_stream(self._streams[index]), name=f"stream {index}")

    async def _run_stream(self, stream: Stream) -> None:
        """Run one stream; report a defect in it, and start it again."""
        while not self._closing.is_set():
            try:
                await stream.run()
            except Exception as error:  # noqa: BLE001 - reported, and survived: else all prices stand still
                # The error's text goes to the log file alone: it may hold anything that the exchange has sent.
                _log.exception("The stream stumbled.")
                text = f"The stream stumbled ({type(error).__name__}); it is started again."
                self._listener(Report(Happening.ALARM, "", text))
                await asyncio.sleep(RESTART_DELAY_S)

    @property
    def primary(self) -> Stream:
        """The stream of the account."""
        return self._streams[0]

    @property
    def last_ts_ms(self) -> int:
        """The exchange's time of the newest change of a book on any stream; 0 before the first."""
        return max(stream.protocol.last_ts_ms for stream in self._streams)

    def watch_books(self, tickers: Iterable[str]) -> None:
        """Follow the order books and the public trades of exactly these markets."""
        wanted = set(tickers)
        for carried in self._tickers_by_stream:
            carried.intersection_update(wanted)
        self._assign_tickers(sorted(wanted.difference(*self._tickers_by_stream)))

    def _assign_tickers(self, tickers: Sequence[str], first_index: int = 0) -> None:
        """Assign each market to a stream with room, from ``first_index`` on, and set every stream's markets."""
        if first_index == len(self._streams):
            self._add_stream()
        for ticker in tickers:
            place = first_index
            while (room := self._capacities[place]) is not None and len(self._tickers_by_stream[place]) >= room:
                place += 1
                if place == len(self._streams):
                    self._add_stream()
            self._tickers_by_stream[place].add(ticker)
        for stream, carried in zip(self._streams, self._tickers_by_stream, strict=True):
            stream.watch_books(carried)

    def watch_quotes(self, tickers: Iterable[str] | None) -> None:
        """Follow the quotes of exactly these markets; None means all markets."""
        self.primary.watch_quotes(tickers)

    def _on_report(self, index: int, report: Report) -> None:
        """Move the markets that a full subscription does not take to another stream; pass on all other reports."""
        if report.happening is not Happening.FULL:
            self._listener(report)
        elif report.channel == Channel.TICKER:
            # Quotes need no list of markets: without one the channel sends those of all markets.
            self.primary.watch_quotes(None)
        else:
            self._on_subscription_full(index, report)

    def _on_subscription_full(self, index: int, report: Report) -> None:
        carried = self._tickers_by_stream[index]
        moved = carried.intersection(report.tickers)
        if not moved:
            return
        if carried == moved or len(self._streams) >= MAX_STREAMS:
            # This one took no market at all, so another connection would not either; or there are too many already.
            self._listener(replace(report, happening=Happening.REFUSED))
            return
        carried -= moved
        self._capacities[index] = len(carried)
        asyncio.get_running_loop().call_soon(self._assign_tickers, sorted(moved), index + 1)

    def audit(self, ticker: str, answer: AuditAnswer) -> None:
        """Ask for a fresh snapshot of a book; ``answer`` gets its levels at the moment when they are current."""
        place = next((n for n, carried in enumerate(self._tickers_by_stream) if ticker in carried), 0)
        self._streams[place].audit(ticker, answer)

    def resync_books(self, why: str) -> None:
        """Stop trusting all books and fetch them again."""
        for stream in self._streams:
            stream.resync_books(why)

    def record(self, recording: TapSource | None) -> list[tuple[Tap, frozenset[str]]]:
        """Record everything that is received from now on; stop with None.

        Return, for each connection that is up, its tap and the markets whose books are trusted. The caller has to
        record these books before the next frame comes.
        """
        self._recording = recording
        started = []
        for stream in self._streams:
            tap = recording.tap() if recording is not None else None
            if stream.record(tap) and tap is not None:
                started.append((tap, stream.protocol.trusted))
        return started

    def retry_now(self) -> None:
        """Try to connect now, without waiting for the next attempt."""
        for stream in self._streams:
            stream.retry_now()

    def health(self) -> Health:
        """Return the state of the first stream's link, with the counts of all streams."""
        healths = [stream.health() for stream in self._streams]
        return replace(
            healths[0],
            frames=sum(each.frames for each in healths),
            faults=sum(each.faults for each in healths),
            healed=sum(each.healed for each in healths),
            untrusted=sum(each.untrusted for each in healths),
        )

    async def run(self) -> None:
        """Run all streams until `close`."""
        self._started = True
        for place in range(len(self._streams)):
            self._start_stream(place)
        try:
            await self._closing.wait()
        finally:
            for stream in self._streams:
                await stream.close()
            # Not a task group: one stream that fails would end the others, whose books are still right.
            await asyncio.gather(*self._tasks.values())

    async def close(self) -> None:
        """End all streams."""
        self._closing.set()
        for stream in self._streams:
            await stream.close()
