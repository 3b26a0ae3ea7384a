"""Books and quotes read by REST again and again: what there is to see without a key, which the stream needs.

Unsigned replies come from an edge cache and may be about 15 s old (docs/kalshi-api.md, section 4): nothing is asked for
more often than that, and the screen says "delayed".
"""

import asyncio
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from kalshi_tui.domain.book import BookError
from kalshi_tui.domain.link import LinkState
from kalshi_tui.domain.market import Event, Market
from kalshi_tui.kalshi.errors import KalshiError, Refused
from kalshi_tui.kalshi.feed.command_queue import AuditAnswer
from kalshi_tui.kalshi.feed.stream import Health
from kalshi_tui.kalshi.feed.tap import Tap, TapSource
from kalshi_tui.kalshi.rest import MAX_TICKERS_PER_REQUEST, RestClient
from kalshi_tui.session.store import Store
from kalshi_tui.session.timing import Sleep, sleep_until_event

POLL_INTERVAL_S: Final = 15.0
"""As long as the exchange's edge cache keeps a reply."""
RETRY_DELAY_S: Final = 5.0
NEWS_DEBOUNCE_S: Final = 0.3
"""A held key runs over many markets: those that it rests on are read."""
MAX_POLLED_QUOTES: Final = 300
TRADES_PER_READ: Final = 50
SIGNED_ONLY: Final = frozenset({401, 403})
"""What an exchange answers that shows books only to who signs."""
NO_BOOKS: Final = "The exchange shows order books to those who have a key."

AddMarkets = Callable[[Iterable[Market], Iterable[Event]], None]


class PolledFeed:
    """A `MarketFeed` without a stream: reads the books on the screen, and the quotes of the lines that can be seen."""

    def __init__(self, rest: RestClient, store: Store, sleep: Sleep) -> None:
        self._rest = rest
        self._store = store
        self._sleep = sleep
        self._add_markets: AddMarkets = store.market_data.set_markets
        self._books: tuple[str, ...] = ()
        self._visible: tuple[str, ...] = ()
        self._quotes_read_s: dict[str, float] = {}
        """When each market was read, by a clock that never jumps."""
        self._books_read_s: dict[str, float] = {}
        self._read_s: float | None = None
        """When anything was read last."""
        self._wake = asyncio.Event()
        self._closing = asyncio.Event()

    def add_markets_with(self, add_markets: AddMarkets) -> None:
        """Put what is read on the list by this function: it follows opening and closing by the clock."""
        self._add_markets = add_markets

    # The feed.

    async def run(self) -> None:
        """Read until closed."""
        while not self._closing.is_set():
            self._wake.clear()
            try:
                await self._read_due()
            except KalshiError as error:
                self._store.stale(self._books, f"It could not be read: {error}")
                self._store.link(LinkState.WAITING, str(error))
                self._books_read_s.clear()
                self._quotes_read_s.clear()
                await self._sleep(RETRY_DELAY_S)
                continue
            self._store.link(LinkState.LIVE, "")
            if await sleep_until_event(self._sleep, self._next_read_in_s(), self._wake):
                await self._sleep(NEWS_DEBOUNCE_S)

    async def close(self) -> None:
        """End it."""
        self._closing.set()
        self._wake.set()

    def watch_books(self, tickers: Iterable[str]) -> None:
        """Read these books and tapes from now on."""
        self._books = tuple(tickers)
        self._books_read_s = {ticker: at for ticker, at in self._books_read_s.items() if ticker in self._books}
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
        """Read all books again."""
        self._store.stale(self._books, why)
        self._books_read_s.clear()
        self._wake.set()

    def record(self, recording: TapSource | None) -> list[tuple[Tap, frozenset[str]]]:
        """Record nothing: no stream is received."""
        del recording
        return []

    def health(self) -> Health:
        """Return what is known of the link: whether the last read worked."""
        clock = self._rest.clock
        return Health(self._store.connection.state, 0, 0.0, None, None, 0, clock.skew_ms, 0, 0, 0)

    # Reading.

    def _next_read_in_s(self) -> float:
        now = time.monotonic()
        due = [at + POLL_INTERVAL_S - now for at in (*self._books_read_s.values(), *self._quotes_read_s.values())]
        return max(min(due, default=POLL_INTERVAL_S), NEWS_DEBOUNCE_S)

    async def _read_due(self) -> None:
        """Read what was not read within the interval; the exchange's status where nothing is wanted yet."""
        now = time.monotonic()
        wanted = dict.fromkeys((*self._books, *self._visible))
        self._quotes_read_s = {ticker: at for ticker, at in self._quotes_read_s.items() if ticker in wanted}
        old = now - POLL_INTERVAL_S
        quotes = [each for each in wanted if self._quotes_read_s.get(each, old) <= old]
        books = [each for each in self._books if self._books_read_s.get(each, old) <= old]
        if not quotes and not books and (self._read_s is None or self._read_s <= old):
            await self._rest.exchange_status()
            self._read_s = now
        for ticker in books:
            await self._read_book(ticker)
            self._store.market_data.set_tape(ticker, await self._rest.trades(ticker, most=TRADES_PER_READ))
            self._books_read_s[ticker] = self._read_s = now
        for start in range(0, len(quotes), MAX_TICKERS_PER_REQUEST):
            chunk = quotes[start : start + MAX_TICKERS_PER_REQUEST]
            self._add_markets([market async for market in self._rest.markets(tickers=chunk)], ())
            self._quotes_read_s.update(dict.fromkeys(chunk, now))
            self._read_s = now

    async def _read_book(self, ticker: str) -> None:
        try:
            yes, no = await self._rest.orderbook(ticker)
        except Refused as refusal:
            if refusal.status not in SIGNED_ONLY:
                raise
            self._store.stale([ticker], NO_BOOKS)
            return
        if ticker not in self._books:
            # It has left the screen meanwhile.
            return
        try:
            self._store.snapshot(ticker, yes, no)
        except BookError as error:
            self._store.stale([ticker], f"It makes no sense: {error}")
        else:
            self._store.market_data.mark_book_delayed(ticker)
