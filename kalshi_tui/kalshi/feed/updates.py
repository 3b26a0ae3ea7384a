"""The stream for programs: an asynchronous iterator of typed updates; a book is right or says that it is not.

What piles up while nobody takes it is bounded: of books, quotes and positions the newest counts, so that a slow reader
skips states and never sees an old one; of all else `MOST_WAITING` are kept, and a `Report` says that some were not.
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
from kalshi_tui.kalshi.feed.handler import Change, Levels, Sink
from kalshi_tui.kalshi.feed.stream import Health
from kalshi_tui.kalshi.feed.stream_group import CrossedWatch, Listener, StreamGroup
from kalshi_tui.kalshi.feed.subscription import Happening, Report
from kalshi_tui.kalshi.wire import Channel

MOST_WAITING: Final = 100_000
"""Updates that wait to be taken, besides the newest of each book, quote and position."""
FILLS_KNOWN: Final = 10_000
"""Ids of fills that are remembered, because the exchange may tell a fill twice."""
NOT_YET: Final = "Waiting for the first snapshot."


@dataclass(frozen=True, slots=True)
class BookUpdate:
    """A market's book as it is now; ``why`` is a sentence while it is not ``good``.

    Between two frames of one trade its bids may cross for a moment; a book that stays so is not good after 1.5 s or so.
    The book is the one that the stream keeps: it changes at the next ``await``. `Book.levels` copies it.
    """

    ticker: str
    book: Book
    good: bool
    why: str


@dataclass(frozen=True, slots=True)
class QuoteUpdate:
    """The top of a market as the ticker channel says it; ``previous`` and ``volume_24h`` do not come this way."""

    ticker: str
    quote: Quote


@dataclass(frozen=True, slots=True)
class MarketChanged:
    """A market's status, dates or grid have changed (``event_type``, the exchange's word): read it anew."""

    ticker: str
    event_type: str


Update = BookUpdate | QuoteUpdate | MarketChanged | Trade | Fill | Order | Position | Link | Report
"""What a stream gives: match on the type."""

_Key = tuple[str, str] | int


@dataclass(slots=True)
class _Held:
    """A book and how far it may be believed."""

    book: Book
    good: bool = False
    why: str = NOT_YET


class _Inbox:
    """The stream's sink: keeps the books and what waits to be taken."""

    def __init__(self) -> None:
        self.came = asyncio.Event()
        self.books: dict[str, _Held] = {}
        self._waiting: OrderedDict[_Key, Update | str] = OrderedDict()
        """By what replaces what; for a book its ticker stands, so that it is given as it is when it is taken."""
        self._number = 0
        self._single = 0
        self._fills: set[str] = set()
        self._fills_in_turn: deque[str] = deque()

    def take(self) -> Update | None:
        """Take the next update; None if nothing waits."""
        while self._waiting:
            key, update = self._waiting.popitem(last=False)
            if isinstance(key, int):
                self._single -= 1
            if not isinstance(update, str):
                return update
            if update in self.books:
                return self.book(update)
        self.came.clear()
        return None

    def book(self, ticker: str) -> BookUpdate:
        """Give a book as it is now."""
        held = self.books.get(ticker) or _Held(Book())
        return BookUpdate(ticker, held.book, held.good, held.why)

    def crossed(self) -> list[str]:
        """Give the markets whose books are believed and whose bids would trade with each other."""
        return [ticker for ticker, held in self.books.items() if held.good and held.book.crossed]

    def keep_books(self, tickers: Iterable[str]) -> None:
        """Have these books and no others."""
        wanted = frozenset(tickers)
        self.books = {ticker: held for ticker, held in self.books.items() if ticker in wanted}

    def _put(self, key: _Key, update: Update | str) -> None:
        self._waiting[key] = update
        self.came.set()

    def _put_single(self, update: Update, channel: str) -> None:
        """Keep one of which none may be skipped unsaid."""
        if self._single >= MOST_WAITING:
            text = f"More than {MOST_WAITING:,} updates were waiting to be taken; what came then was let go."
            self._put(("missed", channel), Report(Happening.MISSED, channel, text))
            return
        self._number += 1
        self._single += 1
        self._put(self._number, update)

    def _changed(self, ticker: str) -> None:
        self._put(("book", ticker), ticker)

    # `Sink`.

    def snapshot(self, ticker: str, yes: Levels, no: Levels) -> Change:
        """Replace a book and trust it. Raises BookError if the levels cannot be a book."""
        held = self.books.get(ticker)
        if held is None:
            held = self.books[ticker] = _Held(Book())
            held.book.watcher = partial(self._changed, ticker)
        held.book.snapshot(yes, no)
        held.good, held.why = True, ""
        self._changed(ticker)
        return held.book.apply

    def stale(self, tickers: Sequence[str], why: str) -> None:
        """Stop trusting these books until their next snapshot."""
        for ticker in tickers:
            if (held := self.books.get(ticker)) is not None:
                held.good, held.why = False, why
                self._changed(ticker)

    def quote(self, ticker: str, quote: Quote) -> None:
        """Take a market's ticker frame."""
        self._put(("quote", ticker), QuoteUpdate(ticker, quote))

    def trade(self, trade: Trade) -> None:
        """Take a print of the public tape."""
        self._put_single(trade, Channel.TRADE)

    def fill(self, fill: Fill) -> None:
        """Take an execution of the account's own, each once."""
        if fill.trade_id in self._fills:
            return
        if len(self._fills_in_turn) >= FILLS_KNOWN:
            self._fills.discard(self._fills_in_turn.popleft())
        self._fills.add(fill.trade_id)
        self._fills_in_turn.append(fill.trade_id)
        self._put_single(fill, Channel.FILL)

    def order(self, order: Order) -> None:
        """Take the news of an order of the account's own."""
        self._put_single(order, Channel.ORDERS)

    def position(self, position: Position) -> None:
        """Take a market's position."""
        self._put(("position", position.ticker), position)

    def lifecycle(self, ticker: str, event_type: str) -> None:
        """Take a market's change."""
        self._put_single(MarketChanged(ticker, event_type), Channel.LIFECYCLE)

    def link(self, state: LinkState, detail: str) -> None:
        """Take the state of the connection."""
        self._put_single(Link(state, detail), "")

    def reported(self, report: Report) -> None:
        """Take what the feed found, missed or mended."""
        self._put_single(report, report.channel)


class Updates:
    """An asynchronous iterator over what the stream tells, for one reader; it reconnects and heals by itself.

    Ends with `close`, with the ``async with`` block around it, or with its client. After each `Link` whose state is
    LIVE, and after a `Report` of MISSED, news of the account may be missing: read orders, fills and positions anew.
    """

    def __init__(self, make: Callable[[Sink, Listener], StreamGroup]) -> None:
        self._inbox = _Inbox()
        self._group = make(self._inbox, self._inbox.reported)
        self._crossed = CrossedWatch(self._inbox.crossed, self._group.distrust)
        self._running: asyncio.Task[None] | None = None
        self._closed = False

    def watch_books(self, tickers: Iterable[str]) -> None:
        """Follow the books and the public trades of exactly these markets from now on."""
        wanted = frozenset(tickers)
        self._inbox.keep_books(wanted)
        self._group.watch_books(wanted)

    def watch_quotes(self, tickers: Iterable[str] | None) -> None:
        """Follow the quotes of exactly these markets from now on, of all with None."""
        self._group.watch_quotes(tickers)

    def book(self, ticker: str) -> BookUpdate:
        """Give a market's book as it is now; not good before its first snapshot."""
        return self._inbox.book(ticker)

    def health(self) -> Health:
        """Give the state of the link: ages, lag, faults found and healed."""
        return self._group.health()

    def retry_now(self) -> None:
        """Do not wait for the next attempt to connect; the waits grow to 30 s while attempts fail."""
        self._group.retry_now()

    @property
    def closed(self) -> bool:
        """Whether it has been ended."""
        return self._closed

    async def close(self) -> None:
        """End the iteration and close the connections."""
        self._closed = True
        self._inbox.came.set()
        await self._group.close()
        if self._running is not None:
            await asyncio.gather(self._running, return_exceptions=True)

    async def __aenter__(self) -> Self:
        self._begin()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Update:
        """Wait for the next update."""
        self._begin()
        while not self._closed:
            update = self._inbox.take()
            if update is not None:
                return update
            if self._running is not None and self._running.done():
                self._running.result()
                break
            await self._inbox.came.wait()
        raise StopAsyncIteration

    def _begin(self) -> None:
        if self._running is None and not self._closed:
            self._running = asyncio.create_task(self._run(), name="kalshi stream")
            # Else whoever waits would wait for ever, should it end by a defect.
            self._running.add_done_callback(lambda _: self._inbox.came.set())

    async def _run(self) -> None:
        """Run the streams, with a look at their books; a defect of either ends both."""
        following = asyncio.create_task(self._group.run(), name="kalshi streams")
        watching = asyncio.create_task(self._crossed.run(), name="kalshi crossed books")
        try:
            done, _ = await asyncio.wait({following, watching}, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in (following, watching):
                task.cancel()
            await asyncio.gather(following, watching, return_exceptions=True)
