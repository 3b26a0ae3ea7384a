"""Several streams that look like one: where the exchange takes no more markets on a subscription, another carries on.

A session has one subscription of a channel, so that a further one needs a further connection
(docs/kalshi-api.md, section 5). The first stream carries the account, the lifecycle events and the quotes; the
others only books and prints.
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
"""The exchange takes 200 connections of a user, this program's own and others."""
RESTART_DELAY_S: Final = 1.0
CROSSED_CHECK_INTERVAL_S: Final = 0.5
MAX_CROSSED_CHECKS: Final = 3
"""A book that is crossed at so many looks in a row is not to be trusted: two frames are never that far apart."""

_log: Final = logging.getLogger("kalshi_tui.stream")

ReportListener = Callable[[Report], None]


class StreamFactory(Protocol):
    """Makes one stream; ``private``: with the account and the lifecycle events."""

    def __call__(self, sink: FeedHandler, listener: ReportListener, *, private: bool) -> Stream:
        """Make it."""


class _SecondaryHandler:
    """A sink for a further stream: all goes through, but the state of the link is that of the first."""

    def __init__(self, handler: FeedHandler) -> None:
        self.snapshot = handler.snapshot
        self.stale = handler.stale
        self.quote = handler.quote
        self.trade = handler.trade
        self.fill = handler.fill
        self.order = handler.order
        self.position = handler.position
        self.lifecycle = handler.lifecycle

    def link(self, state: LinkState, detail: str) -> None:
        """Pass nothing on: books that are lost with a connection are told as stale anyway."""


class CrossedBookMonitor:
    """Distrusts a book whose bids would trade with each other for longer than two frames may be apart."""

    def __init__(self, find_crossed: Callable[[], Iterable[str]], resync_books: Callable[[str], None]) -> None:
        """Make ready; ``crossed`` gives the tickers of trusted books that are crossed now."""
        self._find_crossed = find_crossed
        self._resync_books = resync_books
        self._crossed_checks: dict[str, int] = {}

    def check(self) -> None:
        """Look once; to be called every `CROSSED_CHECK_INTERVAL_S`."""
        self._crossed_checks = {ticker: self._crossed_checks.get(ticker, 0) + 1 for ticker in self._find_crossed()}
        ticker = max(self._crossed_checks, key=self._crossed_checks.__getitem__, default="")
        if self._crossed_checks.get(ticker, 0) >= MAX_CROSSED_CHECKS:
            self._crossed_checks = {}
            self._resync_books(f"The book of {ticker} stays crossed.")

    async def run(self, sleep: Callable[[float], Awaitable[object]] = asyncio.sleep) -> None:
        """Look for ever."""
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
        """Which markets each stream carries, and below how many it can, None while that is not known."""
        self._capacities: list[int | None] = []
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._closing = asyncio.Event()
        self._started = False
        self._recording: TapSource | None = None
        self._add_stream()

    def _add_stream(self) -> None:
        place = len(self._streams)
        sink = self._handler if place == 0 else _SecondaryHandler(self._handler)
        self._streams.append(self._make_stream(sink, lambda report: self._on_report(place, report), private=place == 0))
        self._tickers_by_stream.append(set())
        self._capacities.append(None)
        if self._recording is not None:
            self._streams[place].record(self._recording.tap())
        if self._started:
            self._start_stream(place)

    def _start_stream(self, index: int) -> None:
        self._tasks[index] = asyncio.create_task(self._run_stream(self._streams[index]), name=f"stream {index}")

    async def _run_stream(self, stream: Stream) -> None:
        """Run one stream; a defect in it is told, and it begins anew."""
        while not self._closing.is_set():
            try:
                await stream.run()
            except Exception as error:  # noqa: BLE001 - said, and survived: without it all prices stand still
                # Its text stays in the log: nobody knows what it holds.
                _log.exception("The stream stumbled.")
                text = f"The stream stumbled ({type(error).__name__}); it is begun anew."
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
        """Return each of these markets to a stream that has room, from ``first`` on, and tell all what is theirs."""
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
        """Follow the quotes of exactly these markets, of all with None."""
        self.primary.watch_quotes(tickers)

    def _on_report(self, index: int, report: Report) -> None:
        """Carry what a full subscription does not take on another one; pass all else on."""
        if report.happening is not Happening.FULL:
            self._listener(report)
        elif report.channel == Channel.TICKER:
            # Quotes need no list: without one the channel brings those of all markets.
            self.primary.watch_quotes(None)
        else:
            self._on_subscription_full(index, report)

    def _on_subscription_full(self, index: int, report: Report) -> None:
        carried = self._tickers_by_stream[index]
        moved = carried.intersection(report.tickers)
        if not moved:
            return
        if carried == moved or len(self._streams) >= MAX_STREAMS:
            # It took none at all, so that another connection would not either; or there are enough of them.
            self._listener(replace(report, happening=Happening.REFUSED))
            return
        carried -= moved
        self._capacities[index] = len(carried)
        asyncio.get_running_loop().call_soon(self._assign_tickers, sorted(moved), index + 1)

    def audit(self, ticker: str, answer: AuditAnswer) -> None:
        """Compare a book: ``answer`` gets a fresh snapshot's levels at the moment that they hold."""
        place = next((n for n, carried in enumerate(self._tickers_by_stream) if ticker in carried), 0)
        self._streams[place].audit(ticker, answer)

    def resync_books(self, why: str) -> None:
        """Take the trust from all books and fetch them anew."""
        for stream in self._streams:
            stream.resync_books(why)

    def record(self, recording: TapSource | None) -> list[tuple[Tap, frozenset[str]]]:
        """Have all that is received taken down, or no more.

        Gives, for each connection that is in the middle, what takes it down and the markets whose books are trusted:
        these books are to be written down before the next frame comes.
        """
        self._recording = recording
        begun = []
        for stream in self._streams:
            tap = recording.tap() if recording is not None else None
            if stream.record(tap) and tap is not None:
                begun.append((tap, stream.protocol.trusted))
        return begun

    def retry_now(self) -> None:
        """Do not wait for the next attempt to connect."""
        for stream in self._streams:
            stream.retry_now()

    def health(self) -> Health:
        """Return the state of the first link, with the counts of all."""
        told = [stream.health() for stream in self._streams]
        return replace(
            told[0],
            frames=sum(each.frames for each in told),
            faults=sum(each.faults for each in told),
            healed=sum(each.healed for each in told),
            untrusted=sum(each.untrusted for each in told),
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
            await asyncio.gather(*self._tasks.values())

    async def close(self) -> None:
        """End all streams."""
        self._closing.set()
        for stream in self._streams:
            await stream.close()
