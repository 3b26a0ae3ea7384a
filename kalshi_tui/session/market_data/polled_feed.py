"""Books, tapes and quotes read by REST again and again: what there is to see without a key, which the stream needs.

Unsigned replies come from an edge cache and may be about 15 s old (docs/kalshi-api.md, section 4): nothing is asked for
more often than that, whether its last read worked or not, and the screen says "delayed".
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from enum import Enum
from typing import Final

from kalshi_tui.domain.book import BookError
from kalshi_tui.domain.link import LinkState
from kalshi_tui.domain.market import Event, Market
from kalshi_tui.kalshi.errors import KalshiError, Refused
from kalshi_tui.kalshi.feed.command_queue import AuditAnswer
from kalshi_tui.kalshi.feed.stream import Health
from kalshi_tui.kalshi.feed.tap import Tap, TapSource
from kalshi_tui.kalshi.rest import MAX_TICKERS_PER_REQUEST, RestClient
from kalshi_tui.session.market_data.store import Levels
from kalshi_tui.session.notices import Severity
from kalshi_tui.session.store import Store
from kalshi_tui.session.timing import Sleep, boot_clock_s, sleep_until_event

POLL_INTERVAL_S: Final = 15.0
"""As long as the exchange's edge cache keeps a reply."""
NEWS_DEBOUNCE_S: Final = 0.3
"""A held key runs over many markets: those that it rests on are read."""
MAX_POLLED_QUOTES: Final = 300
TRADES_PER_READ: Final = 50
SIGNED_ONLY: Final = frozenset({401, 403})
"""What an exchange answers that shows books only to who signs."""
NO_BOOKS: Final = "The exchange shows order books to those who have a key."

AddMarkets = Callable[[Iterable[Market], Iterable[Event]], None]


class _Kind(Enum):
    """What is read of a market, each in its own turn; the status is the exchange's."""

    BOOK = "book"
    TAPE = "tape"
    QUOTE = "quote"
    STATUS = "status"


_STATUS: Final = (_Kind.STATUS, "")


class PolledFeed:
    """A `MarketFeed` without a stream: reads the books on the screen, and the quotes of the lines that can be seen.

    A read that fails costs what it would have brought: that book is not trusted, those quotes are not live. All else
    goes on, and it is asked for again in its next turn.
    """

    def __init__(
        self,
        rest: RestClient,
        store: Store,
        check_hours: Callable[[RestClient], Awaitable[None]],
        sleep: Sleep,
        timer_s: Callable[[], float] = boot_clock_s,
    ) -> None:
        """Set it up; ``check_hours`` reads the exchange's status into the store. Raises KalshiError."""
        # The next turn is near, and an attempt right after a failed one would be sooner than the cache's time.
        self._rest = rest.without_retries()
        self._store = store
        self._check_hours = check_hours
        self._sleep = sleep
        self._timer_s = timer_s
        self._add_markets: AddMarkets = store.market_data.set_markets
        self._books: tuple[str, ...] = ()
        self._visible: tuple[str, ...] = ()
        self._asked_s: dict[tuple[_Kind, str], float] = {}
        """When each thing was asked for last, within the interval: by a clock that never jumps."""
        self._answered_s: dict[tuple[_Kind, str], float] = {}
        """When the last read was begun that has worked, of what is wanted still."""
        self._failures: dict[tuple[_Kind, str], str] = {}
        """Why the last read of each has not worked, in a sentence."""
        self._levels: dict[str, tuple[Levels, Levels]] = {}
        """The books that were read within the interval: one may leave the screen and come back meanwhile."""
        self._wake = asyncio.Event()
        self._closing = asyncio.Event()

    def add_markets_with(self, add_markets: AddMarkets) -> None:
        """Put what is read on the list by this function: it follows opening and closing by the clock."""
        self._add_markets = add_markets

    # The feed.

    async def run(self) -> None:
        """Read until closed."""
        if self._store.connection.state is LinkState.OFFLINE:
            self._store.link(LinkState.CONNECTING, "")
        while not self._closing.is_set():
            self._wake.clear()
            await self._read_due()
            self._report_link()
            if await sleep_until_event(self._sleep, self._next_read_in_s(), self._wake):
                await self._sleep(NEWS_DEBOUNCE_S)

    async def close(self) -> None:
        """End it."""
        self._closing.set()
        self._wake.set()

    def watch_books(self, tickers: Iterable[str]) -> None:
        """Read these books and tapes from now on."""
        before, self._books = self._books, tuple(tickers)
        for ticker in self._books:
            if ticker not in before:
                self._show_book(ticker)
        self._wake.set()

    def watch_quotes(self, tickers: Iterable[str] | None) -> None:
        """Ignore it: there are tens of thousands, and only those that can be seen are read."""

    def set_visible_markets(self, tickers: Sequence[str]) -> None:
        """Read the quotes of these markets from now on."""
        self._visible = tuple(tickers[:MAX_POLLED_QUOTES])
        self._wake.set()

    def audit(self, ticker: str, answer: AuditAnswer) -> None:
        """Answer that there is nothing to compare with."""
        answer(ticker, None, None)

    def resync_books(self, why: str) -> None:
        """Stop trusting all books until each has been read in its turn: sooner the cache would answer the same."""
        self._levels.clear()
        self._store.stale(self._books, why)

    def record(self, recording: TapSource | None) -> list[tuple[Tap, frozenset[str]]]:
        """Record nothing: no stream is received."""
        del recording
        return []

    def health(self) -> Health:
        """Return what is known of the link: whether the last read worked, and the age of the oldest one that is shown.

        What was never read has no age: it is marked where it stands.
        """
        wanted = [(_Kind.BOOK, each) for each in self._books] + [(_Kind.QUOTE, each) for each in self._wanted_quotes]
        read_s = min((self._answered_s[each] for each in wanted if each in self._answered_s), default=None)
        age = None if read_s is None else max(self._timer_s() - read_s, 0.0)
        return Health(self._store.connection.state, 0, 0.0, age, None, 0, self._rest.clock.skew_ms, 0, 0, 0)

    # What is due.

    @property
    def _wanted_quotes(self) -> Iterable[str]:
        return dict.fromkeys((*self._books, *self._visible))

    def _wanted(self) -> set[tuple[_Kind, str]]:
        wanted = {(kind, ticker) for kind in (_Kind.BOOK, _Kind.TAPE) for ticker in self._books}
        return wanted | {(_Kind.QUOTE, ticker) for ticker in self._wanted_quotes} | {_STATUS}

    def _next_read_in_s(self) -> float:
        now = self._timer_s()
        asked_s = min(self._asked_s.get(each, now - POLL_INTERVAL_S) for each in self._wanted())
        return max(asked_s + POLL_INTERVAL_S - now, NEWS_DEBOUNCE_S)

    def _is_due(self, kind: _Kind, ticker: str) -> bool:
        now = self._timer_s()
        return self._asked_s.get((kind, ticker), now - POLL_INTERVAL_S) <= now - POLL_INTERVAL_S

    def _forget_old(self) -> None:
        """Forget what is not wanted any more, and what was asked for so long ago that it may be asked for again."""
        old, wanted = self._timer_s() - POLL_INTERVAL_S, self._wanted()
        self._asked_s = {each: at for each, at in self._asked_s.items() if at > old}
        kept = wanted | self._asked_s.keys()
        self._answered_s = {each: at for each, at in self._answered_s.items() if each in kept}
        self._failures = {each: why for each, why in self._failures.items() if each in kept}
        self._levels = {ticker: each for ticker, each in self._levels.items() if (_Kind.BOOK, ticker) in kept}

    # Reading.

    async def _read_due(self) -> None:
        """Ask for all that is wanted and was not asked for within the interval."""
        self._forget_old()
        for ticker in self._books:
            if self._is_due(_Kind.TAPE, ticker):
                # Before the book, so that alerts on the last price see both at once.
                await self._read([(_Kind.TAPE, ticker)], self._read_tape(ticker))
            if self._is_due(_Kind.BOOK, ticker):
                await self._read([(_Kind.BOOK, ticker)], self._read_book(ticker))
                self._show_book(ticker)
        quotes = [each for each in self._wanted_quotes if self._is_due(_Kind.QUOTE, each)]
        for start in range(0, len(quotes), MAX_TICKERS_PER_REQUEST):
            chunk = quotes[start : start + MAX_TICKERS_PER_REQUEST]
            await self._read([(_Kind.QUOTE, each) for each in chunk], self._read_quotes(chunk))
        if self._is_due(*_STATUS):
            await self._read([_STATUS], self._check_hours(self._rest))

    async def _read(self, what: Sequence[tuple[_Kind, str]], work: Awaitable[None]) -> None:
        """Note that something is asked for now, and what came of it."""
        now = self._timer_s()
        self._asked_s.update(dict.fromkeys(what, now))
        try:
            await work
        except KalshiError as error:
            self._note_failure(what, error)
        else:
            self._answered_s.update(dict.fromkeys(what, now))
            for each in what:
                self._failures.pop(each, None)

    def _note_failure(self, what: Sequence[tuple[_Kind, str]], error: KalshiError) -> None:
        for each in what:
            kind, ticker = each
            why = str(error)
            if kind is _Kind.BOOK:
                refused = isinstance(error, Refused) and error.status in SIGNED_ONLY
                why = NO_BOOKS if refused else f"It could not be read: {why}"
            elif kind is _Kind.TAPE:
                self._store.market_data.set_tape_error(ticker, why)
                if each not in self._failures:
                    self._store.notify(Severity.WARNING, f"The trades of {ticker} could not be read: {why}", ticker)
            self._failures[each] = why

    async def _read_tape(self, ticker: str) -> None:
        trades = await self._rest.trades(ticker, most=TRADES_PER_READ)
        known = self._store.tapes.get(ticker)
        if known is None:
            self._store.market_data.set_tape(ticker, trades)
            return
        ids = {trade.trade_id for trade in known}
        since_ms = known[0].ts_ms if known else 0
        late = [each for each in trades if each.trade_id not in ids]
        # What is new is news as on a stream, for alerts and charts; what is older than the newest has its place.
        self._store.market_data.set_tape(ticker, [each for each in late if each.ts_ms < since_ms])
        for trade in reversed([each for each in late if each.ts_ms >= since_ms]):
            self._store.trade(trade)

    async def _read_book(self, ticker: str) -> None:
        self._levels.pop(ticker, None)
        self._levels[ticker] = await self._rest.orderbook(ticker)

    async def _read_quotes(self, tickers: Sequence[str]) -> None:
        self._add_markets([market async for market in self._rest.markets(tickers=tickers)], ())

    # What is shown of it.

    def _show_book(self, ticker: str) -> None:
        """Put what is known of a book into the store, or why it is not to be trusted."""
        if ticker not in self._books:
            # It has left the screen meanwhile.
            return
        levels, why = self._levels.get(ticker), self._failures.get((_Kind.BOOK, ticker))
        if levels is not None:
            try:
                self._store.snapshot(ticker, *levels)
            except BookError as error:
                self._store.stale([ticker], f"It makes no sense: {error}")
            else:
                self._store.market_data.mark_book_delayed(ticker)
        elif why is not None:
            self._store.stale([ticker], why)

    def _report_link(self) -> None:
        """Report that the quotes on the screen are read, or why not; where there are none, the exchange's status."""
        quotes = [(_Kind.QUOTE, each) for each in self._wanted_quotes]
        troubles = [self._failures[each] for each in quotes or [_STATUS] if each in self._failures]
        if troubles:
            self._store.link(LinkState.WAITING, troubles[0])
        elif any(each in self._answered_s for each in quotes or [_STATUS]):
            self._store.link(LinkState.LIVE, "")
