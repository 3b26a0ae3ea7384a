"""`Updates`: the stream as an asynchronous iterator of typed updates, with bounded memory.

A slow reader costs no memory. Of a book, a quote or a position only the newest state waits, so that the reader skips
states and never sees an old one. Of all other updates at most `MAX_QUEUED_UPDATES` wait; a `Report` says that later
ones were dropped.
"""

import asyncio
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from types import TracebackType
from typing import Final, Self

from kalshi_tui.domain.book import Book
from kalshi_tui.domain.link import Link, LinkState
from kalshi_tui.domain.market import Quote, Trade
from kalshi_tui.domain.order import Fill, Order
from kalshi_tui.domain.position import Position
from kalshi_tui.kalshi.feed.handler import ApplyDelta, FeedHandler, Levels
from kalshi_tui.kalshi.feed.stream import Health
from kalshi_tui.kalshi.feed.stream_group import CrossedBookMonitor, ReportListener, StreamGroup
from kalshi_tui.kalshi.feed.subscription import Happening, Report
from kalshi_tui.kalshi.wire import Channel

MAX_QUEUED_UPDATES: Final = 100_000
"""How many updates may wait, besides the newest of each book, quote and position."""
FILL_ID_CACHE_SIZE: Final = 10_000
"""How many ids of fills are remembered, because the exchange may send a fill twice."""
NO_SNAPSHOT_SENTENCE: Final = "Waiting for the first snapshot."


@dataclass(frozen=True, slots=True)
class BookUpdate:
    """A market's book as it is now. While it is not ``good``, ``why`` is a sentence with the reason.

    Between the two frames of one trade a book's bids may cross for a moment; one that stays crossed for about 1.5 s is
    no longer good. The stream goes on changing this very book at the next ``await``; `Book.levels` copies it.
    """

    ticker: str
    book: Book
    good: bool
    why: str


@dataclass(frozen=True, slots=True)
class QuoteUpdate:
    """A market's best prices from the ticker channel, which sends neither ``previous`` nor ``volume_24h``."""

    ticker: str
    quote: Quote


@dataclass(frozen=True, slots=True)
class MarketChanged:
    """A market's status, dates or grid have changed (``event_type``, the exchange's word): read it again."""

    ticker: str
    event_type: str


@dataclass(frozen=True, slots=True)
class EventFeesUpdate:
    """An event has other fee overrides from now on; an empty ``fee_type`` and a ``multiplier`` of None clear them.

    ``multiplier`` is in 1/1,000,000. No frame tells of a whole series' change: see `KalshiClient.series_fee_changes`.
    """

    event_ticker: str
    fee_type: str
    multiplier: int | None


Update = BookUpdate | QuoteUpdate | MarketChanged | EventFeesUpdate | Trade | Fill | Order | Position | Link | Report
"""What the stream yields: match on the type."""

_UpdateKey = tuple[str, str] | int


@dataclass(slots=True)
class _TrackedBook:
    """A book, and whether it can be trusted."""

    book: Book
    good: bool = False
    why: str = NO_SNAPSHOT_SENTENCE


class _UpdateQueue:
    """The stream's handler: keeps the books, and queues the updates until they are taken."""

    def __init__(self) -> None:
        self.has_updates = asyncio.Event()
        self.books: dict[str, _TrackedBook] = {}
        self._queued: OrderedDict[_UpdateKey, Update | str] = OrderedDict()
        """Updates by key: a newer one replaces the older one. A book waits as its ticker, and is read when taken."""
        self._last_key = 0
        self._unmerged_count = 0
        self._seen_fills: set[tuple[str, str]] = set()
        self._fills_by_age: deque[tuple[str, str]] = deque()

    def pop(self) -> Update | None:
        """Take the next update; None if nothing waits."""
        while self._queued:
            key, update = self._queued.popitem(last=False)
            if isinstance(key, int):
                self._unmerged_count -= 1
            if not isinstance(update, str):
                return update
            if update in self.books:
                return self.book(update)
        self.has_updates.clear()
        return None

    def book(self, ticker: str) -> BookUpdate:
        """Return a book as it is now."""
        held = self.books.get(ticker) or _TrackedBook(Book())
        return BookUpdate(ticker, held.book, held.good, held.why)

    def find_crossed(self) -> list[str]:
        """Return the markets whose books are trusted although their bids would trade with each other."""
        return [ticker for ticker, held in self.books.items() if held.good and held.book.crossed]

    def set_books(self, tickers: Iterable[str]) -> None:
        """Keep the books of these markets and no others."""
        wanted = frozenset(tickers)
        self.books = {ticker: held for ticker, held in self.books.items() if ticker in wanted}

    def _put(self, key: _UpdateKey, update: Update | str) -> None:
        self._queued[key] = update
        self.has_updates.set()

    def _put_unmerged(self, update: Update, channel: str) -> None:
        """Queue an update of a kind of which none may be dropped without a report."""
        if self._unmerged_count >= MAX_QUEUED_UPDATES:
            text = f"More than {MAX_QUEUED_UPDATES:,} updates were waiting to be taken; later ones were dropped."
            self._put(("missed", channel), Report(Happening.MISSED, channel, text))
            return
        self._last_key += 1
        self._unmerged_count += 1
        self._put(self._last_key, update)

    def _put_book(self, ticker: str) -> None:
        self._put(("book", ticker), ticker)

    # `FeedHandler`.

    def snapshot(self, ticker: str, yes: Levels, no: Levels) -> ApplyDelta:
        """Replace a book and trust it. Raises BookError if the levels cannot be a book."""
        held = self.books.get(ticker)
        if held is None:
            held = self.books[ticker] = _TrackedBook(Book())
            held.book.watcher = partial(self._put_book, ticker)
        held.book.snapshot(yes, no)
        held.good, held.why = True, ""
        self._put_book(ticker)
        return held.book.apply

    def stale(self, tickers: Sequence[str], why: str) -> None:
        """Stop trusting these books until their next snapshot."""
        for ticker in tickers:
            if (held := self.books.get(ticker)) is not None:
                held.good, held.why = False, why
                self._put_book(ticker)

    def quote(self, ticker: str, quote: Quote) -> None:
        """Take a market's ticker frame."""
        self._put(("quote", ticker), QuoteUpdate(ticker, quote))

    def trade(self, trade: Trade) -> None:
        """Take a public trade."""
        self._put_unmerged(trade, Channel.TRADE)

    def fill(self, fill: Fill) -> None:
        """Take a fill of the account; one that comes twice counts once."""
        if fill.key in self._seen_fills:
            return
        if len(self._fills_by_age) >= FILL_ID_CACHE_SIZE:
            self._seen_fills.discard(self._fills_by_age.popleft())
        self._seen_fills.add(fill.key)
        self._fills_by_age.append(fill.key)
        self._put_unmerged(fill, Channel.FILL)

    def order(self, order: Order) -> None:
        """Take a change of one of the account's orders."""
        self._put_unmerged(order, Channel.ORDERS)

    def position(self, position: Position) -> None:
        """Take a market's position."""
        self._put(("position", position.ticker), position)

    def lifecycle(self, ticker: str, event_type: str) -> None:
        """Take a change of a market's status, dates or grid."""
        self._put_unmerged(MarketChanged(ticker, event_type), Channel.LIFECYCLE)

    def event_fees(self, event_ticker: str, fee_type: str, multiplier: int | None) -> None:
        """Queue an event's new fee overrides."""
        self._put_unmerged(EventFeesUpdate(event_ticker, fee_type, multiplier), Channel.LIFECYCLE)

    def link(self, state: LinkState, detail: str) -> None:
        """Take the state of the connection."""
        self._put_unmerged(Link(state, detail), "")

    def put_report(self, report: Report) -> None:
        """Take a report of what the feed found, missed or repaired."""
        self._put_unmerged(report, report.channel)


class Updates:
    """An asynchronous iterator over the stream's updates, for one reader. It reconnects and repairs books by itself.

    It ends with `close`, with the ``async with`` block around it, or with its client. After each `Link` whose state is
    LIVE, and after a `Report` of MISSED, changes of the account may be missing: read orders, fills and positions again.
    """

    def __init__(self, make_group: Callable[[FeedHandler, ReportListener], StreamGroup]) -> None:
        self._queue = _UpdateQueue()
        self._group = make_group(self._queue, self._queue.put_report)
        self._crossed_monitor = CrossedBookMonitor(self._queue.find_crossed, self._group.resync_books)
        self._task: asyncio.Task[None] | None = None
        self._closed = False

    def watch_books(self, tickers: Iterable[str]) -> None:
        """Follow the books and the public trades of exactly these markets from now on."""
        wanted = frozenset(tickers)
        self._queue.set_books(wanted)
        self._group.watch_books(wanted)

    def watch_quotes(self, tickers: Iterable[str] | None) -> None:
        """Follow the quotes of exactly these markets from now on; None means all markets."""
        self._group.watch_quotes(tickers)

    def book(self, ticker: str) -> BookUpdate:
        """Return a market's book as it is now; not good before its first snapshot."""
        return self._queue.book(ticker)

    def health(self) -> Health:
        """Return the state of the link: ages, lag, faults found and repaired."""
        return self._group.health()

    @property
    def last_change_ms(self) -> int:
        """The exchange's time of the newest change of a book, in Unix milliseconds; 0 before the first."""
        return self._group.last_ts_ms

    def retry_now(self) -> None:
        """Try to connect now, without waiting for the next attempt; the waits grow to 30 s while attempts fail."""
        self._group.retry_now()

    @property
    def closed(self) -> bool:
        """Whether the iteration has been ended."""
        return self._closed

    async def close(self) -> None:
        """End the iteration and close the connections."""
        self._closed = True
        self._queue.has_updates.set()
        await self._group.close()
        if self._task is not None:
            await asyncio.gather(self._task, return_exceptions=True)

    async def __aenter__(self) -> Self:
        self._start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Update:
        """Wait for the next update."""
        self._start()
        while not self._closed:
            update = self._queue.pop()
            if update is not None:
                return update
            if self._task is not None and self._task.done():
                self._task.result()
                break
            await self._queue.has_updates.wait()
        raise StopAsyncIteration

    def _start(self) -> None:
        if self._task is None and not self._closed:
            self._task = asyncio.create_task(self._run(), name="kalshi stream")
            # If a defect ends the task, a reader that waits must wake up, or it would wait forever.
            self._task.add_done_callback(lambda _: self._queue.has_updates.set())

    async def _run(self) -> None:
        """Run the streams and the check for crossed books; a defect in either ends both."""
        try:
            async with asyncio.TaskGroup() as tasks:
                watching = tasks.create_task(self._crossed_monitor.run(), name="kalshi crossed books")
                await self._group.run()
                # The check never ends by itself: without this the task group would wait for it forever.
                watching.cancel()
        except ExceptionGroup as errors:
            # The reader gets the defect itself, not a group: that there are two tasks is no concern of the caller.
            raise errors.exceptions[0] from None
