"""One trading session: the store, the stream that fills it, and the hands that trade. What the screens hold."""

import asyncio
import contextlib
import secrets
import uuid
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from dataclasses import replace
from typing import Any, Final

from kalshi_tui.domain.fees import FeeSchedule
from kalshi_tui.domain.link import LinkState
from kalshi_tui.domain.market import Event, Market
from kalshi_tui.domain.order import Order, OrderState, OrderTerms
from kalshi_tui.kalshi.errors import KalshiError
from kalshi_tui.kalshi.practice_control import PracticeControl
from kalshi_tui.kalshi.rest import RestClient
from kalshi_tui.kalshi.stream import Stream
from kalshi_tui.kalshi.subscription import Happening, Report
from kalshi_tui.kalshi.translate import event_fees
from kalshi_tui.kalshi.wire import Channel
from kalshi_tui.session.desk import Desk, Outcome, Venue
from kalshi_tui.session.rehearsal import Rehearsal
from kalshi_tui.session.store import Store, Topic, Weight
from kalshi_tui.session.trading import Sleep, Trading
from kalshi_tui.session.words import fill_words

MARKETS_LISTED: Final = 400
"""How many markets are listed at the start; the exchange has tens of thousands open."""
TAPE_READ: Final = 50
"""How many older prints are read for a market that comes on the screen."""
FILLS_READ: Final = 200
NEWS_SETTLES_S: Final = 0.15
"""Frames about one order come in a burst; cash and positions are read once, this long after the first."""
READ_LAG_S: Final = 3.0
"""REST lags the engine by seconds (section 7): after news of the account it is read a second time, this much later."""
RETRY_S: Final = 3.0
PUBLIC_CHANNELS: Final = {Channel.TRADE, Channel.LIFECYCLE, Channel.BOOK, Channel.TICKER}
"""The channels that are not of the account; what is missed on another is read again by REST."""
WEIGHTS: Final = {Happening.HEALED: Weight.GOOD, Happening.REFUSED: Weight.ERROR, Happening.ALARM: Weight.ERROR}


class Session:
    """The real desk: composes store, stream and trading, and reconciles the account by REST."""

    def __init__(
        self,
        venue: Venue,
        rest: RestClient,
        make_stream: Callable[[Store, Callable[[Report], None]], Stream],
        clock_ms: Callable[[], int],
        sleep: Sleep = asyncio.sleep,
        control: PracticeControl | None = None,
    ) -> None:
        self.venue = venue
        self._control = control
        self.store = Store(clock_ms)
        self._rest = rest
        self._sleep = sleep
        self._stream = make_stream(self.store, self._stream_reports)
        self._trading = Trading(rest, self.store, clock_ms, sleep)
        self._tasks: set[asyncio.Task[Any]] = set()
        self._news: asyncio.Task[None] | None = None
        self._fees: dict[str, FeeSchedule] = {}
        self._looked_at: tuple[str, ...] = ()
        self._tapes_read: set[str] = set()
        self.store.on_account_news = self._account_news
        self.store.on_link = self._link_changed
        self.store.on_lifecycle = self._lifecycle

    async def start(self) -> None:
        """Start the stream and read the markets; ends at once, all goes on in the background."""
        self._spawn(self._stream.run(), "stream")
        self._spawn(self._list_markets(), "markets")

    async def stop(self) -> None:
        """End everything that runs."""
        await self._stream.close()
        await self._trading.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._rest.close()
        if self._control is not None:
            await self._control.close()

    def look_at(self, tickers: Sequence[str]) -> None:
        """Subscribe to these markets' books and no others, and read their tapes and fees where not yet known."""
        self._looked_at = tuple(tickers)
        self._stream.watch_books(self._looked_at)
        for ticker in self._looked_at:
            self._spawn(self._read_around(ticker), f"around {ticker}")

    def new_client_order_id(self) -> str:
        """Make a random id: it must be unique for ever, and tell nothing."""
        return str(uuid.UUID(bytes=secrets.token_bytes(16), version=4))

    async def submit(self, terms: OrderTerms, client_order_id: str) -> Outcome:
        """Send one order, once."""
        return await self._trading.submit(terms, client_order_id)

    async def cancel(self, order: Order) -> Outcome:
        """Cancel a resting order."""
        return await self._trading.cancel(order)

    @property
    def rehearses(self) -> bool:
        """Whether trouble can be rehearsed here."""
        return self._control is not None

    def rehearse(self, rehearsal: Rehearsal, ticker: str) -> None:
        """Have the practice exchange make trouble."""
        self._spawn(self._rehearse(rehearsal, ticker), "rehearsal")

    async def _rehearse(self, rehearsal: Rehearsal, ticker: str) -> None:
        if self._control is None:
            raise ValueError("trouble is rehearsed on a practice exchange only")
        values = {**rehearsal.values, **({"ticker": ticker} if rehearsal.of_market else {})}
        where = f" ({ticker})" if rehearsal.of_market else ""
        try:
            await self._control.act(rehearsal.action, values)
        except KalshiError as error:
            self.store.notify(Weight.ERROR, f"Rehearsal failed: {rehearsal.label}{where}. {error}")
        else:
            self.store.notify(Weight.WARNING, f"Rehearsal: {rehearsal.label}{where}. {rehearsal.help}")

    # In the background.

    def _spawn(self, work: Coroutine[Any, Any, Any], name: str) -> asyncio.Task[Any]:
        """Run something beside; its failure becomes a notice, never the end of the program."""
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            sentence = str(error) if isinstance(error, KalshiError) else f"{type(error).__name__}: {error}"
            self.store.notify(Weight.ERROR, f"Reading {task.get_name()} failed: {sentence}")

    async def _list_markets(self) -> None:
        """Read the open events with their markets until it works, and follow their tickers."""
        while True:
            try:
                events = [event async for event in self._events()]
            except KalshiError as error:
                self.store.notify(Weight.WARNING, f"The list of markets could not be read: {error}")
                await self._sleep(RETRY_S)
                continue
            break
        markets = [market for event in events for market in event.markets]
        self.store.set_markets(markets, events)
        self._stream.watch_quotes([market.ticker for market in markets])

    async def _events(self) -> AsyncIterator[Event]:
        listed = 0
        async for event in self._rest.events(status="open", with_nested_markets=True):
            yield event
            listed += len(event.markets)
            if listed >= MARKETS_LISTED:
                return

    async def _read_around(self, ticker: str) -> None:
        """Read what the stream does not tell of a market: its fees and its older prints."""
        market = self.store.markets.get(ticker)
        if market is not None and market.fees is None:
            fees = await self._fees_of(market)
            current = self.store.markets.get(ticker)
            if current is not None:
                self.store.set_markets([replace(current, fees=fees, quote=self.store.quotes[ticker])])
        if ticker not in self._tapes_read:
            self._tapes_read.add(ticker)
            self.store.set_tape(ticker, await self._rest.trades(ticker, most=TAPE_READ))

    async def _fees_of(self, market: Market) -> FeeSchedule:
        known = self._fees.get(market.event_ticker)
        if known is None:
            series = await self._rest.series(market.series_ticker)
            event = self.store.events.get(market.event_ticker)
            fees = series.fees if event is None else event_fees(series.fees, event)
            known = self._fees[market.event_ticker] = fees
        return known

    def _stream_reports(self, report: Report) -> None:
        """Log what the feed found and mended, and read by REST what no snapshot brings back (section 4)."""
        if report.happening is Happening.MISSED:
            if report.channel == Channel.TRADE:
                self._tapes_read.clear()
                self.look_at(self._looked_at)
            elif report.channel == Channel.LIFECYCLE:
                self._spawn(self._list_markets(), "markets")
            elif report.channel not in PUBLIC_CHANNELS:
                self._spawn(self._reconcile(), "account")
            return
        self.store.notify(WEIGHTS.get(report.happening, Weight.WARNING), report.text)

    def _lifecycle(self, ticker: str, event_type: str) -> None:
        self._spawn(self._reread(ticker, event_type), f"market {ticker}")

    async def _reread(self, ticker: str, event_type: str) -> None:
        """Read a market that has changed; one just created may not be there yet (section 8)."""
        del event_type
        market = await self._rest.market(ticker)
        known = self.store.markets.get(ticker)
        if known is not None:
            market = replace(market, title=known.title, series_ticker=known.series_ticker, fees=known.fees)
        elif market.event_ticker not in self.store.events:
            event: Event = await self._rest.event(market.event_ticker)
            self.store.set_markets(event.markets, [event])
            market = next((m for m in event.markets if m.ticker == ticker), market)
        self.store.set_markets([market])
        if known is None:
            self._stream.watch_quotes(list(self.store.markets))

    def _link_changed(self, state: LinkState) -> None:
        if state is LinkState.LIVE:
            self._spawn(self._reconcile(), "account")

    def _account_news(self) -> None:
        if self._news is None or self._news.done():
            self._news = self._spawn(self._read_money_soon(), "account")

    async def _read_money_soon(self) -> None:
        await self._sleep(NEWS_SETTLES_S)
        await self._read_money()
        self._news = None
        await self._sleep(READ_LAG_S)
        await self._read_money()

    async def _read_money(self) -> None:
        balance, positions = await asyncio.gather(self._rest.balance(), self._rest.positions())
        self.store.set_balance(balance)
        self.store.set_positions(positions)

    async def _reconcile(self) -> None:
        """Read the whole account and tell what changed unheard: private frames carry no seq (section 4)."""
        first = self.store.balance is None
        resting, fills, _ = await asyncio.gather(
            self._rest.orders(status="resting"), self._rest.fills(most=FILLS_READ), self._read_money()
        )
        gone = {order.order_id: order for order in self.store.working() if order.order_id}
        for order in resting:
            self.store.order(order)
            gone.pop(order.order_id, None)
        for order in gone.values():
            with contextlib.suppress(KalshiError):
                self.store.order(await self._rest.order(order.order_id))
        fresh = self.store.set_fills(fills)
        if not first:
            for fill in reversed(fresh):
                self.store.notify(Weight.WARNING, f"Filled while away: {fill_words(fill)} in {fill.ticker}.")
        for order in self.store.working():
            if order.state is OrderState.UNKNOWN:
                self._trading.ask_about(order)


__all__ = ["Desk", "Outcome", "Session", "Topic", "Venue"]
