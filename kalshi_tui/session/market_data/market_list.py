"""Reading the list of markets, their terms, fees and prints, and keeping them true as time and events change them."""

import asyncio
from collections.abc import Callable, Container, Coroutine, Iterable, Sequence
from dataclasses import replace
from typing import Any, Final

from kalshi_tui.domain.market import Event, Market, MarketStatus
from kalshi_tui.domain.trading_day import day_start_ms, next_day_start_ms
from kalshi_tui.kalshi.errors import KalshiError
from kalshi_tui.kalshi.rest import MAX_TICKERS_PER_REQUEST, RestClient
from kalshi_tui.session.bus import MarketListRead
from kalshi_tui.session.market_data.account_markets import needed_tickers, read_event
from kalshi_tui.session.market_data.fee_reader import FeeReader
from kalshi_tui.session.market_data.polled_feed import POLL_INTERVAL_S
from kalshi_tui.session.notices import Severity
from kalshi_tui.session.store import Store
from kalshi_tui.session.supervisor import DEFECT_TEXT
from kalshi_tui.session.timing import Sleep, sleep_until_event

MAX_MARKETS: Final = 100_000
"""How many markets are listed at the most; the exchange has tens of thousands open."""
FIRST_BATCH_SIZE: Final = 200
BATCH_SIZE: Final = 2_000
"""How many markets are shown at a time as the list is read: the first few soon, the others seldom."""
MAX_NAMED_MARKETS: Final = 2_000
"""Up to so many markets are read again by their tickers, and their quotes named; of more, the whole list is read."""
TRADES_PER_READ: Final = 50
"""How many older prints are read for a market that comes on the screen."""
RETRY_DELAY_S: Final = 3.0
MAX_RETRY_DELAY_S: Final = 60.0
MAX_CONCURRENT_READS: Final = 2
"""How many reads of markets run at a time: orders go over the same few connections, and come first."""
REREAD_DELAYS_S: Final = (1.0, 2.0, 4.0, 8.0, 15.0)
"""The waits while a market that was just created is not there, or one that has just closed still reads as open."""
MAX_SLEEP_S: Final = 30.0
DAY_FIGURES_INTERVAL_MS: Final = 10 * 60_000
"""How often the price of a day ago and the volume of 24 hours are read again: no frame carries them."""
DAY_START_DELAYS_MS: Final = (2_000, 20_000)
"""How long after the exchange's day has begun they are read: at once, and when a slow part of it has them too."""
RELIST_INTERVAL_MS: Final = 15 * 60_000
"""How often the whole list is read again where no stream tells of new markets."""
SETTLED_RETENTION_MS: Final = 30 * 60_000
"""How long a settled market stays on the list."""

Spawn = Callable[[Coroutine[Any, Any, Any], str], object]


class MarketListReader:
    """Reads markets into the store.

    ``subscribe_quotes`` gets all listed tickers whenever one is added, None where they are too many to name.
    """

    def __init__(
        self,
        rest: RestClient,
        store: Store,
        spawn: Spawn,
        subscribe_quotes: Callable[[Sequence[str] | None], None],
        sleep: Sleep,
        fee_reader: FeeReader,
    ) -> None:
        self._rest = rest
        self._fee_reader = fee_reader
        self._store = store
        self._spawn = spawn
        self._subscribe_quotes = subscribe_quotes
        self._sleep = sleep
        self._read_slots = asyncio.Semaphore(MAX_CONCURRENT_READS)
        self._shown_tickers: tuple[str, ...] = ()
        self._tapes_read: set[str] = set()
        self._changed = asyncio.Event()
        self._refresh_requested = asyncio.Event()
        self._watch_list_tickers: tuple[str, ...] = ()
        self._read_early: set[str] = set()
        """Markets that were read by their names before the list had come to them."""
        self._details_being_read: set[str] = set()
        """Markets around which something is being read."""
        self._finalized_since_ms: dict[str, int] = {}
        self._list_read_ms = 0

    def set_shown_markets(self, tickers: Sequence[str]) -> None:
        """Read the tapes and fees of these markets where they are not known."""
        self._shown_tickers = tuple(tickers)
        self._fee_reader.set_shown_markets(tickers)
        # The stream brings prints of shown markets only: the tape of one that was left has a hole when it comes back.
        self._tapes_read &= set(tickers)
        for ticker in set(self._shown_tickers) - self._details_being_read:
            self._details_being_read.add(ticker)
            self._spawn(self._read_details(ticker), f"around {ticker}")

    def set_watch_list_markets(self, tickers: Sequence[str]) -> None:
        """Keep these markets on the desk, open or not, and read first those that are not there yet."""
        self._watch_list_tickers = tuple(tickers)
        if missing := [ticker for ticker in tickers if ticker not in self._store.markets]:
            self._spawn(self._read_watch_list(missing), "watched markets")

    def reread_tapes(self) -> None:
        """Read the tapes of the shown markets again."""
        self._tapes_read.clear()
        self.set_shown_markets(self._shown_tickers)

    def request_refresh(self) -> None:
        """Read all listed markets again, and new ones: events of theirs may have been lost."""
        self._refresh_requested.set()
        self._changed.set()

    def handle_market_event(self, ticker: str, event_type: str) -> None:
        """Read a market that has changed, if it is one of the desk's or of a series of the desk's."""
        del event_type
        if ticker in self._store.markets or ticker.partition("-")[0] in self._listed_series():
            self._spawn(self._reread(ticker), f"market {ticker}")

    async def run(self) -> None:
        """List the markets, then follow the clock: opening and closing by it send no event.

        docs/kalshi-api.md, section 8.
        """
        await self._read_full_list()
        day_figures_ms = _next_day_figures_ms(self._rest.clock.now_ms())
        tried: set[tuple[str, int]] = set()
        while True:
            # Before anything is looked at: what changes from here on is looked at in the next turn.
            self._changed.clear()
            if self._store.is_delayed and self._rest.clock.now_ms() - self._list_read_ms >= RELIST_INTERVAL_MS:
                self._refresh_requested.set()
            if self._refresh_requested.is_set():
                self._refresh_requested.clear()
                await self._refresh()
            if self._rest.clock.now_ms() >= day_figures_ms:
                day_figures_ms = _next_day_figures_ms(self._rest.clock.now_ms())
                await self._refresh()
            self._drop_finalized()
            now, due = self._rest.clock.now_ms(), day_figures_ms
            for market in list(self._store.markets.values()):
                at_ms = _next_scheduled_change_ms(market)
                if at_ms <= now and at_ms and (market.ticker, at_ms) not in tried:
                    tried.add((market.ticker, at_ms))
                    self._spawn(self._apply_scheduled_change(market.ticker, at_ms), f"market {market.ticker}")
                elif at_ms > now:
                    due = min(due, at_ms)
            wait = min(max(due - now, 0) / 1000, MAX_SLEEP_S)
            await sleep_until_event(self._sleep, wait, self._changed)

    def add_markets(self, markets: Iterable[Market], events: Iterable[Event] = ()) -> None:
        """Put markets on the list that were read by themselves, and follow them as the others."""
        every = list(markets)
        if self._store.listing_progress is not None or not self._store.markets:
            self._read_early.update(each.ticker for each in every if each.ticker not in self._store.markets)
        self._store_markets(every, events, in_list_order=True)

    @property
    def _retry_delay_s(self) -> float:
        """How long to wait after a failure: where replies come from the edge cache, as long as it keeps them."""
        return POLL_INTERVAL_S if self._store.is_delayed else RETRY_DELAY_S

    @property
    def _reread_delays_s(self) -> Sequence[float]:
        least = POLL_INTERVAL_S if self._store.is_delayed else 0.0
        return [max(wait, least) for wait in REREAD_DELAYS_S]

    def _needed_tickers(self) -> set[str]:
        return needed_tickers(self._store, (*self._shown_tickers, *self._watch_list_tickers))

    def _listed_series(self) -> set[str]:
        return {event.series_ticker for event in self._store.events.values()}

    def _store_markets(
        self,
        markets: Iterable[Market],
        events: Iterable[Event] = (),
        *,
        in_list_order: bool = False,
        listed_early: Container[str] = (),
    ) -> None:
        before = len(self._store.markets)
        now = self._rest.clock.now_ms()
        markets = [_with_clock_status(market, now) for market in markets]
        self._store.market_data.set_markets(markets, events, in_list_order=in_list_order, listed_early=listed_early)
        if len(self._store.markets) != before:
            self._subscribe_listed_quotes()
        self._changed.set()

    def _subscribe_listed_quotes(self) -> None:
        """Have the quotes of all listed markets sent; of very many without naming each."""
        markets = self._store.markets
        self._subscribe_quotes(list(markets) if len(markets) <= MAX_NAMED_MARKETS else None)

    async def _read_full_list(self) -> None:
        """Read the open events with their markets until it works, and follow their tickers."""
        told = ""
        while True:
            try:
                await self._read_list_pages()
            except Exception as error:
                if not isinstance(error, KalshiError):
                    # It is begun again, but nothing is being read meanwhile.
                    self._store.market_data.set_listing_error(DEFECT_TEXT)
                    raise
                self._store.market_data.set_listing_error(str(error))
                if str(error) != told:
                    told = str(error)
                    self._store.notify(Severity.WARNING, f"The list of markets could not be read: {error}")
                await self._sleep(self._retry_delay_s)
                continue
            break
        self._list_read_ms = self._rest.clock.now_ms()
        self._store.market_data.set_listing_error("")
        self._store.market_data.set_listing_progress(None)
        self._store.bus.publish(MarketListRead())
        if missing := [ticker for ticker in self._watch_list_tickers if ticker not in self._store.markets]:
            # Not among the open ones: its event has not come with the list either.
            await self._read_watch_list(missing)

    async def _read_watch_list(self, tickers: Sequence[str]) -> None:
        """Read markets by their tickers until it works; those that the exchange does not know are left out."""
        left = list(tickers)
        self._store.market_data.set_ticker_errors(left, "")
        while left:
            try:
                async with self._read_slots:
                    found = [each async for each in self._rest.markets(tickers=left[:MAX_TICKERS_PER_REQUEST])]
                self._read_early.update(each.ticker for each in found if each.ticker not in self._store.markets)
                self._store_markets(found, in_list_order=True)
            except KalshiError as error:
                self._store.market_data.set_ticker_errors(left, str(error))
                await self._sleep(self._retry_delay_s)
            else:
                self._store.market_data.set_ticker_errors(left[:MAX_TICKERS_PER_REQUEST], None)
                del left[:MAX_TICKERS_PER_REQUEST]

    async def _read_list_pages(self) -> None:
        """Read the open events page by page, and show them as they come."""
        listed, batch, events = 0, FIRST_BATCH_SIZE, list[Event]()
        reading = self._rest.events(status="open")
        async for event in reading:
            events.append(event)
            listed += len(event.markets)
            if sum(len(each.markets) for each in events) >= batch:
                self._publish_batch(events, listed)
                events, batch = [], BATCH_SIZE
            if listed >= MAX_MARKETS:
                break
        self._publish_batch(events, listed)
        self._store.market_data.set_list_left_out(reading.left_out)

    def _publish_batch(self, events: Sequence[Event], listed: int) -> None:
        self._store.market_data.set_listing_progress(listed)
        markets = [market for event in events for market in event.markets]
        self._store_markets(markets, events, in_list_order=True, listed_early=self._read_early)
        self._read_early.difference_update(market.ticker for market in markets)

    async def _refresh(self) -> None:
        """Read all markets again until it works, and new ones."""
        store, told = self._store, False
        # Without a stream those on the screen are read again and again as it is.
        tickers = list(store.markets) if not store.is_delayed else []
        if len(tickers) > MAX_NAMED_MARKETS:
            mine = self._needed_tickers()
            tickers = [ticker for ticker in tickers if ticker in mine]
        while tickers:
            some = tickers[:MAX_TICKERS_PER_REQUEST]
            try:
                async with self._read_slots:
                    self._store_markets([market async for market in self._rest.markets(tickers=some)])
            except KalshiError as error:
                if not told:
                    self._store.notify(Severity.WARNING, f"The markets could not be read again yet: {error}")
                told = True
                await self._sleep(self._retry_delay_s)
            else:
                del tickers[:MAX_TICKERS_PER_REQUEST]
        await self._read_full_list()

    def _drop_finalized(self) -> None:
        """Take settled markets off the list after a while, unless the trader still has to do with them."""
        store, now = self._store, self._rest.clock.now_ms()
        kept = self._needed_tickers()
        over = {ticker for ticker, market in store.markets.items() if market.status is MarketStatus.FINALIZED}
        self._finalized_since_ms = {ticker: self._finalized_since_ms.get(ticker, now) for ticker in over}
        gone = [
            ticker
            for ticker, since in self._finalized_since_ms.items()
            if now - since > SETTLED_RETENTION_MS and ticker not in kept
        ]
        if gone:
            store.market_data.drop_markets(gone)
            self._subscribe_listed_quotes()

    async def _read_details(self, ticker: str) -> None:
        """Read what no frame of a market carries, its fees and its older prints, until it works."""
        wait, told = RETRY_DELAY_S, False
        try:
            while ticker in self._shown_tickers:
                try:
                    await self._read_tape(ticker)
                    await self._fee_reader.read(ticker)
                except KalshiError as error:
                    if not told:
                        self._store.notify(Severity.WARNING, f"Fees or prints of {ticker} could not be read: {error}")
                    told = True
                    await self._sleep(wait)
                    wait = min(wait * 2, MAX_RETRY_DELAY_S)
                else:
                    if ticker in self._tapes_read:
                        return
        finally:
            self._details_being_read.discard(ticker)

    async def _read_tape(self, ticker: str) -> None:
        if ticker in self._tapes_read:
            return
        if self._store.is_delayed:
            # The tape is read again and again with the book.
            self._tapes_read.add(ticker)
            return
        try:
            trades = await self._rest.trades(ticker, most=TRADES_PER_READ)
        except KalshiError as error:
            self._store.market_data.set_tape_error(ticker, str(error))
            raise
        self._store.market_data.set_tape(ticker, trades)
        if ticker in self._shown_tickers:
            self._tapes_read.add(ticker)

    async def _reread(self, ticker: str) -> Market | None:
        """Read one market, until it works: one just created may not be there for a moment.

        docs/kalshi-api.md, section 8.
        """
        for wait in (*self._reread_delays_s, None):
            try:
                async with self._read_slots:
                    market = await self._rest.market(ticker)
                    if market.event_ticker not in self._store.events:
                        event = await read_event(self._rest, market)
                        if event is not None:
                            self._store_markets(event.markets, [event])
                self._store_markets([market])
            except KalshiError:
                if wait is None:
                    raise
                await self._sleep(wait)
            else:
                return self._store.markets.get(ticker)
        return None

    async def _apply_scheduled_change(self, ticker: str, at_ms: int) -> None:
        """Open or close a market whose time has come, and read it until the exchange says so too."""
        known = self._store.markets.get(ticker)
        if known is not None and known.status is MarketStatus.ACTIVE:
            # Its time is over, and `_store_markets` goes by the clock.
            self._store_markets([replace(known, quote=self._store.quotes[ticker])])
        for wait in self._reread_delays_s:
            await self._sleep(wait)
            market = await self._reread(ticker)
            if market is None or _next_scheduled_change_ms(market) != at_ms:
                return


def _next_day_figures_ms(now_ms: int) -> int:
    """Return when the figures of the day are to be read again, in Unix milliseconds."""
    day_starts = (day_start_ms(now_ms), next_day_start_ms(now_ms))
    after_start = [start + delay for start in day_starts for delay in DAY_START_DELAYS_MS]
    return min([now_ms + DAY_FIGURES_INTERVAL_MS, *(at_ms for at_ms in after_start if at_ms > now_ms)])


def _with_clock_status(market: Market, now_ms: int) -> Market:
    """Return a market as it must be now: a read that is a little old may still say active after its close."""
    over = market.status is MarketStatus.ACTIVE and 0 < market.close_ms <= now_ms
    return replace(market, status=MarketStatus.CLOSED) if over else market


def _next_scheduled_change_ms(market: Market) -> int:
    """Return when a market opens or closes by the clock, in Unix milliseconds; 0 if neither is to come."""
    if market.status is MarketStatus.ACTIVE:
        return market.close_ms
    return market.open_ms if market.status is MarketStatus.INITIALIZED else 0
