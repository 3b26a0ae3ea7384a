"""Reading by ticker the markets that the trader has to do with, whatever the list of open events has.

That list has no combos, no events that have closed and not been settled yet, and nothing that is in the archive
(docs/kalshi-api.md, sections 8, 15 and 18). What the account holds or has resting, and the legs of combos, may be any
of these.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import suppress
from typing import Final

from kalshi_tui.domain.market import Event, Market, MarketStatus
from kalshi_tui.kalshi import whole_history
from kalshi_tui.kalshi.errors import KalshiError, NotFound
from kalshi_tui.kalshi.rest import MAX_TICKERS_PER_REQUEST, RestClient
from kalshi_tui.session.bus import (
    FillAdded,
    MarketLifecycleChanged,
    MarketsUpdated,
    OrderUpdated,
    PositionsChanged,
)
from kalshi_tui.session.notices import Severity
from kalshi_tui.session.store import Store
from kalshi_tui.session.timing import Sleep, sleep_until_event

RETRY_DELAY_S: Final = 3.0
MAX_RETRY_DELAY_S: Final = 60.0
UNKNOWN_RETRY_MS: Final = 60_000
"""How long a ticker is left alone that the exchange does not know: one just created comes to be known in seconds."""
COMBO_REREAD_MS: Final = 60_000
"""How often combos on the desk are read again. Their news has a channel of its own, which tells of every combo
that anybody makes, thousands an hour: the desk does not take it (docs/kalshi-api.md, section 5)."""

AddMarkets = Callable[[Iterable[Market], Iterable[Event]], None]
ReadFees = Callable[[str], Awaitable[None]]


def needed_tickers(store: Store, shown: Iterable[str] = ()) -> set[str]:
    """Return the markets that the desk cannot do without: held, ordered in, shown, and the legs of those."""
    needed = {order.ticker for order in store.working_orders()} | store.account.held_tickers() | {*shown}
    return needed | {leg.ticker for ticker in needed if (each := store.markets.get(ticker)) for leg in each.legs}


class AccountMarketReader:
    """Reads the markets of positions, working orders and shown combos that are missing. `run` does the work."""

    def __init__(
        self, rest: RestClient, store: Store, add_markets: AddMarkets, read_fees: ReadFees, sleep: Sleep
    ) -> None:
        """Set it up; ``add_markets`` puts what was read on the list, ``read_fees`` reads a market's fees once."""
        self._rest = rest
        self._store = store
        self._add_markets = add_markets
        self._read_fees = read_fees
        self._sleep = sleep
        self._changed = asyncio.Event()
        self._shown: tuple[str, ...] = ()
        self._tried_ms: dict[str, int] = {}
        """When the exchange did not know a ticker, in its own time."""
        self._events_tried: set[str] = set()
        self._combos_read_ms = rest.clock.now_ms()
        for message in (OrderUpdated, FillAdded, PositionsChanged, MarketsUpdated):
            store.bus.subscribe(message, lambda _: self._changed.set())

    def set_shown_markets(self, tickers: Sequence[str]) -> None:
        """Read the legs of these markets where they are not known."""
        self._shown = tuple(tickers)
        self._changed.set()

    async def run(self) -> None:
        """Read what is missing whenever something may be."""
        wait, told = RETRY_DELAY_S, False
        while True:
            self._changed.clear()
            try:
                await self._read_missing()
                await self._read_fees_of_held()
                await self._reread_combos()
            except KalshiError as error:
                if not told:
                    self._store.notify(
                        Severity.WARNING, f"Markets that the list does not have could not be read yet: {error}"
                    )
                told = True
                await self._sleep(wait)
                wait = min(wait * 2, MAX_RETRY_DELAY_S)
            else:
                wait, told = RETRY_DELAY_S, False
                await sleep_until_event(self._sleep, UNKNOWN_RETRY_MS / 1000, self._changed)

    async def _read_missing(self) -> None:
        markets, now = self._store.markets, self._rest.clock.now_ms()
        missing = [
            ticker
            for ticker in sorted(needed_tickers(self._store, self._shown))
            if ticker not in markets and now - self._tried_ms.get(ticker, -UNKNOWN_RETRY_MS) >= UNKNOWN_RETRY_MS
        ]
        note = self._store.market_data.set_ticker_errors
        note(missing, "")
        for start in range(0, len(missing), MAX_TICKERS_PER_REQUEST):
            chunk = missing[start : start + MAX_TICKERS_PER_REQUEST]
            try:
                found = {each.ticker: each async for each in self._rest.markets(tickers=chunk)}
                for ticker in chunk:
                    if ticker in found:
                        continue
                    try:
                        found[ticker] = await whole_history.market(self._rest, ticker)
                    except NotFound:
                        self._tried_ms[ticker] = now
                await self._add(list(found.values()))
            except KalshiError as error:
                note(missing[start:], str(error))
                raise
            note(chunk, None)

    async def _read_fees_of_held(self) -> None:
        """Read the fees of what is held where they are not known: they are taken off what it is worth."""
        for ticker in sorted(self._store.account.held_tickers()):
            await self._read_fees(ticker)

    async def _reread_combos(self) -> None:
        """Read again, once a minute, the combos on the desk until they are settled.

        Also those that are held no more: a position ends with the payout, before anything says that there was one.
        """
        now = self._rest.clock.now_ms()
        if now - self._combos_read_ms < COMBO_REREAD_MS:
            return
        self._combos_read_ms = now
        combos = {
            ticker: market
            for ticker, market in self._store.markets.items()
            if market.is_combo and market.status is not MarketStatus.FINALIZED
        }
        tickers = list(combos)
        for start in range(0, len(tickers), MAX_TICKERS_PER_REQUEST):
            chunk = tickers[start : start + MAX_TICKERS_PER_REQUEST]
            found = [each async for each in self._rest.markets(tickers=chunk)]
            changed = [
                each for each in found if each.ticker in combos and each.status is not combos[each.ticker].status
            ]
            await self._add(changed)
            for each in changed:
                word = "settled" if each.status is MarketStatus.FINALIZED else each.status.value
                self._store.bus.publish(MarketLifecycleChanged(each.ticker, word))

    async def _add(self, markets: Sequence[Market]) -> None:
        """Put markets on the list, with their events where the exchange knows them: these have their names."""
        events: dict[str, Event] = {}
        for market in markets:
            name = market.event_ticker
            if name in events or name in self._store.events or name in self._events_tried:
                continue
            event = await read_event(self._rest, market)
            if event is None:
                self._events_tried.add(name)
            else:
                events[name] = event
        self._add_markets(markets, events.values())


async def read_event(rest: RestClient, market: Market) -> Event | None:
    """Read a market's event; None where the exchange has none to show, which may be so for a combo.

    docs/kalshi-api.md, section 18. Raises the other errors of a read.
    """
    try:
        return await rest.event(market.event_ticker)
    except NotFound:
        return None


async def find_markets(rest: RestClient, name: str) -> tuple[list[Market], list[Event]]:
    """Read the market of this ticker, or all of the event of this ticker, in either tier; nothing if there is none.

    Raises the errors of a read, but not NotFound.
    """
    try:
        market = await whole_history.market(rest, name)
    except NotFound:
        pass
    else:
        event = await read_event(rest, market)
        return [market], [] if event is None else [event]
    events: list[Event] = []
    with suppress(NotFound):
        events = [await rest.event(name)]
    found = {each.ticker: each for event in events for each in event.markets}
    if not found:
        found = {each.ticker: each async for each in rest.markets(event_ticker=name)}
    if not found:
        found = {each.ticker: each async for each in rest.archive.markets(event_ticker=name)}
    return list(found.values()), events
