"""The markets on the desk: their terms, fees and prints, read by REST and kept true as time and events change them."""

import asyncio
from collections.abc import Callable, Container, Coroutine, Iterable, Sequence
from dataclasses import replace
from typing import Any, Final

from kalshi_tui.domain.fees import FeeSchedule
from kalshi_tui.domain.market import Event, Market, MarketStatus
from kalshi_tui.kalshi.errors import KalshiError
from kalshi_tui.kalshi.rest import RestClient
from kalshi_tui.kalshi.translate import event_fees
from kalshi_tui.session.notices import Weight
from kalshi_tui.session.store import Store
from kalshi_tui.session.timing import Sleep, sleep_unless

MARKETS_LISTED: Final = 100_000
"""How many markets are listed at the most; the exchange has tens of thousands open."""
FIRST_BATCH: Final = 200
BATCH: Final = 2_000
"""How many markets are shown at a time as the list is read: the first few soon, the others seldom."""
ONE_BY_ONE: Final = 2_000
"""Up to so many markets are read again by their tickers, and their quotes named; of more, the whole list is read."""
TAPE_READ: Final = 50
"""How many older prints are read for a market that comes on the screen."""
RETRY_S: Final = 3.0
LONGEST_RETRY_S: Final = 60.0
AT_ONCE: Final = 2
"""How many reads of markets run at a time: orders go over the same few connections, and come first."""
TICKERS_AT_ONCE: Final = 100
NOT_YET_S: Final = (1.0, 2.0, 4.0, 8.0, 15.0)
"""The waits while a market that was just created is not there, or one that has just closed still reads as open."""
LONGEST_SLEEP_S: Final = 30.0
KEPT_MS: Final = 30 * 60_000
"""How long a settled market stays on the list."""

Spawn = Callable[[Coroutine[Any, Any, Any], str], object]


class Listing:
    """Reads markets into the store. ``follow`` is told all tickers whenever one is added, None for all there are."""

    def __init__(
        self, rest: RestClient, store: Store, spawn: Spawn, follow: Callable[[Sequence[str] | None], None], sleep: Sleep
    ) -> None:
        self.on_whole: Callable[[], None] | None = None
        """Called when the list has been read whole."""
        self._rest = rest
        self._store = store
        self._spawn = spawn
        self._follow = follow
        self._sleep = sleep
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._fees: dict[str, FeeSchedule] = {}
        self._looked_at: tuple[str, ...] = ()
        self._tapes_read: set[str] = set()
        self._changed = asyncio.Event()
        self._doubtful = asyncio.Event()
        self._wanted: tuple[str, ...] = ()
        self._early: set[str] = set()
        """Markets that were read by their names before the list had come to them."""
        self._around: set[str] = set()
        """Markets around which something is being read."""
        self._over_since: dict[str, int] = {}

    def look_at(self, tickers: Sequence[str]) -> None:
        """Read the tapes and fees of these markets where they are not known."""
        self._looked_at = tuple(tickers)
        # The stream tells prints only of what is looked at: what was left has a hole by the time it comes back.
        self._tapes_read &= set(tickers)
        for ticker in set(self._looked_at) - self._around:
            self._around.add(ticker)
            self._spawn(self._read_around(ticker), f"around {ticker}")

    def want(self, tickers: Sequence[str]) -> None:
        """Keep these markets on the desk, open or not, and read first those that are not there yet."""
        self._wanted = tuple(tickers)
        if missing := [ticker for ticker in tickers if ticker not in self._store.markets]:
            self._spawn(self._read_wanted(missing), "watched markets")

    def tape_has_holes(self) -> None:
        """Read the tapes anew."""
        self._tapes_read.clear()
        self.look_at(self._looked_at)

    def is_doubtful(self) -> None:
        """Events of markets may have been lost: read all listed ones again, and what is new."""
        self._doubtful.set()
        self._changed.set()

    def changed(self, ticker: str, event_type: str) -> None:
        """Read a market that has changed, if it is one of the desk's or of a series of the desk's."""
        del event_type
        if ticker in self._store.markets or ticker.partition("-")[0] in self._series():
            self._spawn(self._reread(ticker), f"market {ticker}")

    async def run(self) -> None:
        """List the markets, then follow the clock: opening and closing by it send no event.

        docs/kalshi-api.md, section 8.
        """
        await self._list()
        tried: set[tuple[str, int]] = set()
        while True:
            # Before anything is looked at: what changes from here on is looked at in the next turn.
            self._changed.clear()
            if self._doubtful.is_set():
                self._doubtful.clear()
                await self._refresh()
            self._drop_what_is_over()
            now, due = self._rest.clock.now_ms(), 0
            for market in list(self._store.markets.values()):
                at_ms = _next_turn(market)
                if at_ms <= now and at_ms and (market.ticker, at_ms) not in tried:
                    tried.add((market.ticker, at_ms))
                    self._spawn(self._pass_turn(market.ticker, at_ms), f"market {market.ticker}")
                elif at_ms > now:
                    due = min(due or at_ms, at_ms)
            wait = min((due - now) / 1000, LONGEST_SLEEP_S) if due else LONGEST_SLEEP_S
            await sleep_unless(self._sleep, wait, self._changed)

    def _series(self) -> set[str]:
        return {event.series_ticker for event in self._store.events.values()}

    def _set(
        self,
        markets: Iterable[Market],
        events: Iterable[Event] = (),
        *,
        in_turn: bool = False,
        early: Container[str] = (),
    ) -> None:
        before = len(self._store.markets)
        now = self._rest.clock.now_ms()
        markets = [_by_the_clock(market, now) for market in markets]
        self._store.set_markets(markets, events, in_turn=in_turn, early=early)
        if len(self._store.markets) != before:
            self._follow_all()
        self._changed.set()

    def _follow_all(self) -> None:
        """Have the quotes of all listed markets sent; of very many without naming each."""
        markets = self._store.markets
        self._follow(list(markets) if len(markets) <= ONE_BY_ONE else None)

    async def _list(self) -> None:
        """Read the open events with their markets until it works, and follow their tickers."""
        while True:
            try:
                await self._read_list()
            except KalshiError as error:
                self._store.notify(Weight.WARNING, f"The list of markets could not be read: {error}")
                await self._sleep(RETRY_S)
                continue
            break
        self._store.set_reading(None)
        if self.on_whole is not None:
            self.on_whole()
        if missing := [ticker for ticker in self._wanted if ticker not in self._store.markets]:
            # Not among the open ones: its event has not come with the list either.
            await self._read_wanted(missing)

    async def _read_wanted(self, tickers: Sequence[str]) -> None:
        """Read markets by their tickers until it works; those that the exchange does not know are left out."""
        left = list(tickers)
        while left:
            try:
                async with self._turns:
                    found = [each async for each in self._rest.markets(tickers=left[:TICKERS_AT_ONCE])]
                self._early.update(each.ticker for each in found if each.ticker not in self._store.markets)
                self._set(found, in_turn=True)
            except KalshiError:
                await self._sleep(RETRY_S)
            else:
                del left[:TICKERS_AT_ONCE]

    async def _read_list(self) -> None:
        """Read the open events page by page, and show them as they come."""
        listed, batch, events = 0, FIRST_BATCH, list[Event]()
        async for event in self._rest.events(status="open", with_nested_markets=True):
            events.append(event)
            listed += len(event.markets)
            if sum(len(each.markets) for each in events) >= batch:
                self._show(events, listed)
                events, batch = [], BATCH
            if listed >= MARKETS_LISTED:
                break
        self._show(events, listed)

    def _show(self, events: Sequence[Event], listed: int) -> None:
        self._store.set_reading(listed)
        markets = [market for event in events for market in event.markets]
        self._set(markets, events, in_turn=True, early=self._early)
        self._early.difference_update(market.ticker for market in markets)

    async def _refresh(self) -> None:
        """Read all markets anew until it works, and what is new."""
        store, told = self._store, False
        tickers = list(store.markets)
        if len(tickers) > ONE_BY_ONE:
            mine = {order.ticker for order in store.working()} | store.positions.keys()
            mine |= {*self._looked_at, *self._wanted}
            tickers = [ticker for ticker in tickers if ticker in mine]
        while tickers:
            some = tickers[:TICKERS_AT_ONCE]
            try:
                async with self._turns:
                    self._set([market async for market in self._rest.markets(tickers=some)])
            except KalshiError as error:
                if not told:
                    self._store.notify(Weight.WARNING, f"The markets could not be read again yet: {error}")
                told = True
                await self._sleep(RETRY_S)
            else:
                del tickers[:TICKERS_AT_ONCE]
        await self._list()

    def _drop_what_is_over(self) -> None:
        """Take settled markets off the list after a while, unless the trader still has to do with them."""
        store, now = self._store, self._rest.clock.now_ms()
        kept = {order.ticker for order in store.working()} | store.positions.keys()
        kept |= {*self._looked_at, *self._wanted}
        over = {ticker for ticker, market in store.markets.items() if market.status is MarketStatus.FINALIZED}
        self._over_since = {ticker: self._over_since.get(ticker, now) for ticker in over}
        gone = [ticker for ticker, since in self._over_since.items() if now - since > KEPT_MS and ticker not in kept]
        if gone:
            store.drop_markets(gone)
            self._follow_all()

    async def _read_around(self, ticker: str) -> None:
        """Read what the stream does not tell of a market, its fees and its older prints, until it works."""
        wait, told = RETRY_S, False
        try:
            while ticker in self._looked_at:
                try:
                    await self._read_tape(ticker)
                    await self._read_fees(ticker)
                except KalshiError as error:
                    if not told:
                        self._store.notify(Weight.WARNING, f"Fees or prints of {ticker} could not be read: {error}")
                    told = True
                    await self._sleep(wait)
                    wait = min(wait * 2, LONGEST_RETRY_S)
                else:
                    if ticker in self._tapes_read:
                        return
        finally:
            self._around.discard(ticker)

    async def _read_fees(self, ticker: str) -> None:
        market = self._store.markets.get(ticker)
        if market is None or market.fees is not None:
            return
        fees = self._fees.get(market.event_ticker)
        if fees is None:
            event = self._store.events.get(market.event_ticker)
            series_ticker = event.series_ticker if event is not None else market.series_ticker
            series = await self._rest.series(series_ticker or ticker.partition("-")[0])
            fees = series.fees if event is None else event_fees(series.fees, event)
            self._fees[market.event_ticker] = fees
        current = self._store.markets.get(ticker)
        if current is not None:
            self._set([replace(current, fees=fees, quote=self._store.quotes[ticker])])

    async def _read_tape(self, ticker: str) -> None:
        if ticker in self._tapes_read:
            return
        trades = await self._rest.trades(ticker, most=TAPE_READ)
        self._store.set_tape(ticker, trades)
        if ticker in self._looked_at:
            self._tapes_read.add(ticker)

    async def _reread(self, ticker: str) -> Market | None:
        """Read one market, until it works: one just created may not be there for a moment.

        docs/kalshi-api.md, section 8.
        """
        for wait in (*NOT_YET_S, None):
            try:
                async with self._turns:
                    market = await self._rest.market(ticker)
                    if market.event_ticker not in self._store.events:
                        event: Event = await self._rest.event(market.event_ticker)
                        self._set(event.markets, [event])
                self._set([market])
            except KalshiError:
                if wait is None:
                    raise
                await self._sleep(wait)
            else:
                return self._store.markets.get(ticker)
        return None

    async def _pass_turn(self, ticker: str, at_ms: int) -> None:
        """Open or close a market whose time has come, and read it until the exchange says so too."""
        known = self._store.markets.get(ticker)
        if known is not None and known.status is MarketStatus.ACTIVE:
            # Its time is over, and `_set` goes by the clock.
            self._set([replace(known, quote=self._store.quotes[ticker])])
        for wait in NOT_YET_S:
            await self._sleep(wait)
            market = await self._reread(ticker)
            if market is None or _next_turn(market) != at_ms:
                return


def _by_the_clock(market: Market, now_ms: int) -> Market:
    """Give a market as it must be now: a read that is a little old may still say active after its close."""
    over = market.status is MarketStatus.ACTIVE and 0 < market.close_ms <= now_ms
    return replace(market, status=MarketStatus.CLOSED) if over else market


def _next_turn(market: Market) -> int:
    """Give when a market opens or closes by the clock, in Unix milliseconds; 0 if neither is to come."""
    if market.status is MarketStatus.ACTIVE:
        return market.close_ms
    return market.open_ms if market.status is MarketStatus.INITIALIZED else 0
