"""Reading the fees of markets, and keeping them true: changes that the stream tells, and those that only a timer knows.

A series' change sends no event: what is scheduled is read again and again, and applied when its time has come
(docs/kalshi-api.md, section 9).
"""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from kalshi_tui.domain.fee_changes import EventFeeChange, SeriesFeeChange
from kalshi_tui.domain.fees import FeeSchedule
from kalshi_tui.domain.market import Market
from kalshi_tui.kalshi.errors import KalshiError
from kalshi_tui.kalshi.rest import RestClient
from kalshi_tui.kalshi.translate import event_fees
from kalshi_tui.session.notices import Severity
from kalshi_tui.session.store import Store
from kalshi_tui.session.timing import Sleep, sleep_until_event

SCHEDULE_REFRESH_S: Final = 300.0
"""How often the scheduled changes are read again: one may be added at any time."""
CONFIRM_DELAY_MS: Final = 15_000
"""How long after a scheduled change the fees themselves are read again, to go by what the exchange really did."""
MAX_SLEEP_S: Final = 30.0

Change = SeriesFeeChange | EventFeeChange


class FeeReader:
    """Reads fees into the store's markets, once for each series, and follows their changes."""

    def __init__(self, rest: RestClient, store: Store, sleep: Sleep) -> None:
        self._rest = rest
        self._store = store
        self._sleep = sleep
        self._by_series: dict[str, FeeSchedule] = {}
        self._scheduled: dict[str, list[Change]] = {}
        """Changes to come, by the series or event whose list they were read from."""
        self._confirm_ms: dict[str, int] = {}
        """When the fees of a series are to be read again."""
        self._shown_tickers: tuple[str, ...] = ()
        self._changed = asyncio.Event()
        self._reread_requested = False
        self._one_read = asyncio.Lock()

    def set_shown_markets(self, tickers: Sequence[str]) -> None:
        """Follow what is scheduled for the events of these markets."""
        self._shown_tickers = tuple(tickers)

    @property
    def scheduled_count(self) -> int:
        """How many changes are known that are still to come."""
        return len(self._changes())

    async def read(self, ticker: str) -> None:
        """Read a market's fees where they are not known. Raises KalshiError."""
        market = self._store.markets.get(ticker)
        if market is None or market.fees is not None:
            return
        series_ticker = self._series_of(market)
        async with self._one_read:
            # Another market of the series may have had it read meanwhile.
            if series_ticker not in self._by_series:
                self._by_series[series_ticker] = (await self._rest.series(series_ticker)).fees
                self._changed.set()
        self._apply(series_ticker)

    def request_reread(self) -> None:
        """Read all fees again that are known: a change may have been missed."""
        self._reread_requested = True
        self._changed.set()

    def handle_event_fees(self, event_ticker: str, fee_type: str, multiplier: int | None) -> None:
        """Take an event's new overrides from the stream; an empty type and None clear them."""
        event = self._store.events.get(event_ticker)
        if event is None:
            return
        changed = replace(event, fee_type_override=fee_type, fee_multiplier_override=multiplier)
        self._store.market_data.set_markets([], [changed])
        self._apply(event.series_ticker)

    async def run(self) -> None:
        """Follow the scheduled changes for ever."""
        read_ms = None
        while True:
            self._changed.clear()
            now = self._rest.clock.now_ms()
            if self._reread_requested:
                self._reread_requested = False
                self._confirm_ms = dict.fromkeys(self._by_series, now)
                read_ms = None
                await self._reread_overrides()
            unread = self._by_series.keys() - self._scheduled.keys()
            if self._by_series and (unread or read_ms is None or now - read_ms >= SCHEDULE_REFRESH_S * 1000):
                await self._read_schedule()
                read_ms = now
            self._apply_due(self._rest.clock.now_ms())
            await self._confirm(self._rest.clock.now_ms())
            due = [each.at_ms for each in self._changes()] + list(self._confirm_ms.values())
            wait = min((min(due) - self._rest.clock.now_ms()) / 1000, MAX_SLEEP_S) if due else MAX_SLEEP_S
            await sleep_until_event(self._sleep, max(wait, 0.1), self._changed)

    def _series_of(self, market: Market) -> str:
        event = self._store.events.get(market.event_ticker)
        series_ticker = event.series_ticker if event is not None else market.series_ticker
        return series_ticker or market.ticker.partition("-")[0]

    def _apply(self, series_ticker: str) -> None:
        """Put the fees of a series, as its events override them, into the store's markets."""
        fees = self._by_series.get(series_ticker)
        if fees is None:
            return
        changed = []
        for market in self._store.markets.values():
            if self._series_of(market) != series_ticker:
                continue
            event = self._store.events.get(market.event_ticker)
            own = fees if event is None else event_fees(fees, event)
            if market.fees != own:
                changed.append(replace(market, fees=own, quote=self._store.quotes[market.ticker]))
        if changed:
            self._store.market_data.set_markets(changed)

    def _changes(self) -> list[Change]:
        return [each for changes in self._scheduled.values() for each in changes]

    async def _read_schedule(self) -> None:
        """Read what is scheduled for the series whose fees are shown, and for their events."""
        now = self._rest.clock.now_ms()
        for series_ticker in list(self._by_series):
            try:
                changes: list[Change] = [*await self._rest.series_fee_changes(series_ticker)]
            except KalshiError as error:
                if series_ticker not in self._scheduled:
                    self._store.notify(
                        Severity.WARNING, f"Scheduled changes of fees of {series_ticker} could not be read: {error}"
                    )
                self._scheduled.setdefault(series_ticker, [])
                continue
            self._scheduled[series_ticker] = [each for each in changes if each.at_ms > now]
        for event_ticker in self._known_events():
            try:
                of_event: list[Change] = [*await self._rest.event_fee_changes(event_ticker)]
            except KalshiError:
                # The stream tells an event's change when it takes effect.
                continue
            self._scheduled[event_ticker] = [each for each in of_event if each.at_ms > now]

    def _known_events(self) -> list[str]:
        """Return the events of the markets on the screen."""
        shown = (self._store.markets.get(ticker) for ticker in self._shown_tickers)
        return sorted({market.event_ticker for market in shown if market is not None})

    async def _reread_overrides(self) -> None:
        """Read the overrides of the events on the screen again: what told of a change may have been missed."""
        for event_ticker in self._known_events():
            try:
                event = await self._rest.event(event_ticker)
            except KalshiError:
                # The list of markets is read again after an absence too, and brings the events.
                continue
            self.handle_event_fees(event_ticker, event.fee_type_override, event.fee_multiplier_override)

    def _apply_due(self, now: int) -> None:
        """Apply the changes whose time has come, in the order of their times."""
        for change in sorted(self._changes(), key=lambda each: each.at_ms):
            if change.at_ms > now:
                break
            if isinstance(change, SeriesFeeChange):
                if change.series_ticker in self._by_series:
                    self._by_series[change.series_ticker] = change.fees
                self._apply(change.series_ticker)
                self._confirm_ms[change.series_ticker] = now + CONFIRM_DELAY_MS
            else:
                self.handle_event_fees(change.event_ticker, change.fee_type, change.multiplier)
        for ticker, changes in self._scheduled.items():
            self._scheduled[ticker] = [each for each in changes if each.at_ms > now]

    async def _confirm(self, now: int) -> None:
        """Read again what is due to be read again; what cannot be read now is tried later."""
        for series_ticker in [ticker for ticker, at_ms in self._confirm_ms.items() if at_ms <= now]:
            del self._confirm_ms[series_ticker]
            if series_ticker not in self._by_series:
                continue
            try:
                self._by_series[series_ticker] = (await self._rest.series(series_ticker)).fees
            except KalshiError:
                self._confirm_ms[series_ticker] = now + CONFIRM_DELAY_MS
            else:
                self._apply(series_ticker)
