"""`AlertMonitor`: keeps the trader's alerts across restarts, and rings them when the market or an order changes."""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Final

import msgspec

from kalshi_tui.domain.alerts import (
    ACCOUNT_KINDS,
    EVENT_KINDS,
    Alert,
    AlertKind,
    AlertState,
    TopOfBook,
    evaluate_event,
    evaluate_value,
    mark_fired,
    rearm,
    top_of_book,
    top_of_quote,
)
from kalshi_tui.domain.link import LinkState
from kalshi_tui.domain.market import Trade
from kalshi_tui.domain.order import Fill, Order, OrderState
from kalshi_tui.domain.price import Price
from kalshi_tui.domain.text import (
    fill_text,
    order_text,
    plain_count_text,
    plain_price_text,
)
from kalshi_tui.kalshi.transport.clock import ExchangeClock
from kalshi_tui.session.alerts.text import alert_fired_text, listed_market_name, trigger_text
from kalshi_tui.session.bus import AlertMarketsChanged, AlertRang, FillAdded, OrderUpdated
from kalshi_tui.session.market_data.store import MarketWatcher
from kalshi_tui.session.notices import Severity
from kalshi_tui.session.persisted import PersistedFile
from kalshi_tui.session.store import Store
from kalshi_tui.session.timing import Sleep

ALERTS_FILE: Final = "alerts.json"
MAX_ALERTS: Final = 100
CHECK_INTERVAL_S: Final = 1.0
"""How often closing times are checked, and how often at most the alerts are written to disk."""
MIN_RING_INTERVAL_MS: Final = 1_000
"""An alert that rings again sooner is counted but not announced: a flickering price must not fill the log."""
TRADE_ID_CAPACITY: Final = 50
"""How many of the last trades are remembered, because one may come twice."""


class _AlertsFile(msgspec.Struct, frozen=True):
    """The alerts as they are on the disk."""

    alerts: tuple[Alert, ...] = ()


def trusted_top(store: Store, ticker: str) -> TopOfBook | None:
    """Return a market's best prices if they can be trusted: of a good book, or of the quote where there is no book."""
    live = store.books.get(ticker)
    if live is not None:
        return top_of_book(live.book) if live.is_good else None
    quote = store.quotes.get(ticker)
    if quote is None or store.connection.state is not LinkState.LIVE:
        return None
    return top_of_quote(quote)


def current_value(store: Store, alert: Alert) -> int | None:
    """Return the value that an alert watches: a price, a count or milliseconds; None if it is not known."""
    if alert.kind in EVENT_KINDS:
        return None
    if alert.kind is AlertKind.CLOSE:
        market = store.markets.get(alert.ticker)
        if market is None or not market.expected_end_ms:
            return None
        return max(market.expected_end_ms - store.time.exchange_ms(), 0)
    if alert.kind is AlertKind.LAST:
        return _last_price(store, alert.ticker)
    top = trusted_top(store, alert.ticker)
    return None if top is None else top.value(alert.kind)


def why_silent(store: Store, alert: Alert) -> str:
    """Return why an alert cannot ring here: nothing of the account is read. Empty if it can."""
    return store.reads.unreadable if alert.kind in ACCOUNT_KINDS else ""


def _last_price(store: Store, ticker: str) -> int | None:
    """Return the price of the last trade, from tape or quote, whichever is newer."""
    if store.connection.state is not LinkState.LIVE:
        return None
    quote, tape = store.quotes.get(ticker), store.tapes.get(ticker)
    if tape and (quote is None or tape[0].ts_ms >= quote.ts_ms):
        return tape[0].yes_price
    return quote.last if quote is not None else None


class AlertMonitor:
    """Keeps the alerts, and rings them. `run` checks what no frame reports: the time.

    It publishes `AlertRang` for each alert that rings, and `AlertMarketsChanged` when it needs other markets' books.
    """

    def __init__(self, store: Store, clock: ExchangeClock, sleep: Sleep, folder: Path | None = None) -> None:
        self._store = store
        self._clock = clock
        self._sleep = sleep
        self._file = PersistedFile(folder, ALERTS_FILE, _AlertsFile)
        self._alerts: dict[int, Alert] = {}
        self._alert_ids_by_ticker: dict[str, list[int]] = {}
        """The ids of alerts on a market's prices, sizes or trades, by ticker."""
        self._last_tops: dict[str, tuple[TopOfBook, Price | None]] = {}
        """The values at the last check: most changes of a book leave its best prices as they are."""
        self._wake = asyncio.Event()
        self._unsaved = False
        self._started_ms = clock.local_ms()
        self._rejected_order_ids: set[str] = set()
        self._seen_trade_ids: dict[str, None] = {}
        """Ids of trades that were checked, the oldest first."""
        self.ring_count = 0
        """How many rings were announced since the start."""
        self.newest_sentence = ""
        """The sentence of the newest ring."""
        store.bus.subscribe(FillAdded, lambda each: self.handle_fill(each.fill))
        store.bus.subscribe(OrderUpdated, lambda each: self.handle_order(each.order))
        self._load()

    def _load(self) -> None:
        kept, problem = self._file.read()
        if problem:
            self._store.notify(Severity.WARNING, problem)
        self._alerts = {each.id: each for each in kept.alerts[:MAX_ALERTS]}
        self._alerts_changed()

    # What the trader does.

    @property
    def tickers(self) -> list[str]:
        """The markets whose books and tapes are needed."""
        return list(self._alert_ids_by_ticker)

    def add(self, alert: Alert) -> str:
        """Add an alert in place of one with the same condition. Return why it was not added, or an empty text.

        An alert whose condition is true already rings at once.
        """
        same = [each.id for each in self._alerts.values() if each.has_same_condition(alert)]
        if not same and len(self._alerts) >= MAX_ALERTS:
            return f"There are {MAX_ALERTS} alerts already: delete some in their list."
        for each in same:
            del self._alerts[each]
        made = replace(alert, id=max(self._alerts, default=0) + 1)
        self._alerts[made.id] = made
        self._alerts_changed()
        self._check_alert(made)
        self._save()
        return ""

    def remove(self, alert_id: int) -> None:
        """Remove an alert."""
        if self._alerts.pop(alert_id, None) is not None:
            self._alerts_changed()
            self._save()

    def rearm(self, alert_id: int) -> None:
        """Arm an alert again that has rung; it rings at once if its condition is true."""
        alert = self._alerts.get(alert_id)
        if alert is None or alert.state is AlertState.ARMED:
            return
        self._alerts[alert_id] = rearm(alert)
        self._alerts_changed()
        self._check_alert(self._alerts[alert_id])
        self._save()

    # What the store reports.

    def handle_fill(self, fill: Fill) -> None:
        """Check the alerts on fills. A fill from before this start is history and rings nothing."""
        if fill.ts_ms > self._started_ms + self._clock.skew_ms:
            what = f"filled {fill_text(fill)}"
            self._handle_event(AlertKind.FILL, "", lambda _: True, what, listed_market_name(self._store, fill.ticker))

    def handle_order(self, order: Order) -> None:
        """Check the alerts on rejected orders."""
        key = order.client_order_id or order.order_id
        if order.state is not OrderState.REFUSED or key in self._rejected_order_ids:
            return
        self._rejected_order_ids.add(key)
        what = f"rejected {order_text(order)}"
        self._handle_event(AlertKind.REFUSED, "", lambda _: True, what, listed_market_name(self._store, order.ticker))

    def _make_watcher(self, ticker: str) -> MarketWatcher:
        def changed(trade: Trade | None) -> None:
            if trade is None:
                self._check_market(ticker)
            else:
                self._handle_trade(trade)

        return changed

    def _check_market(self, ticker: str) -> None:
        """Check all alerts of a market after its book or quote has changed."""
        last, top = _last_price(self._store, ticker), trusted_top(self._store, ticker)
        if top is not None:
            if self._last_tops.get(ticker) == (top, last):
                return
            self._last_tops[ticker] = top, last
        for alert_id in self._alert_ids_by_ticker[ticker]:
            alert = self._alerts[alert_id]
            if alert.kind is AlertKind.LAST:
                self._update_alert(alert, last)
            elif top is not None:
                self._update_alert(alert, top.value(alert.kind))

    def _handle_trade(self, trade: Trade) -> None:
        last = _last_price(self._store, trade.ticker)
        for alert_id in self._alert_ids_by_ticker[trade.ticker]:
            if self._alerts[alert_id].kind is AlertKind.LAST:
                self._update_alert(self._alerts[alert_id], last)
        if trade.trade_id in self._seen_trade_ids:
            return
        self._seen_trade_ids[trade.trade_id] = None
        if len(self._seen_trade_ids) > TRADE_ID_CAPACITY:
            del self._seen_trade_ids[next(iter(self._seen_trade_ids))]
        what = f"trade of {plain_count_text(trade.count)} at {plain_price_text(trade.yes_price)}"
        name = listed_market_name(self._store, trade.ticker)
        self._handle_event(AlertKind.TRADE, trade.ticker, lambda alert: trade.count >= alert.threshold, what, name)

    # Ringing.

    def _check_alert(self, alert: Alert) -> None:
        self._store.time.set_skew(self._clock.skew_ms)
        if alert.kind not in EVENT_KINDS:
            self._update_alert(alert, current_value(self._store, alert))

    def _update_alert(self, alert: Alert, value: int | None) -> None:
        state, rings = evaluate_value(alert, value)
        if rings and value is not None:
            self._ring(alert, state, trigger_text(alert, value), listed_market_name(self._store, alert.ticker))
        elif state is not alert.state:
            self._replace(replace(alert, state=state))

    def _handle_event(
        self, kind: AlertKind, ticker: str, wanted: Callable[[Alert], bool], what: str, name: str
    ) -> None:
        for alert in list(self._alerts.values()):
            if alert.kind is kind and alert.ticker == ticker and wanted(alert):
                state, rings = evaluate_event(alert)
                if rings:
                    self._ring(alert, state, what, name)

    def _ring(self, alert: Alert, state: AlertState, what: str, name: str) -> None:
        now_ms = self._clock.local_ms()
        self._replace(mark_fired(alert, state, now_ms))
        if alert.kind not in ACCOUNT_KINDS and alert.times and 0 <= now_ms - alert.fired_ms < MIN_RING_INTERVAL_MS:
            return
        sentence = alert_fired_text(alert, what, name)
        self.ring_count += 1
        self.newest_sentence = sentence
        self._store.notify(Severity.WARNING, sentence)
        self._store.bus.publish(AlertRang(sentence))

    def _replace(self, alert: Alert) -> None:
        waited = self._alerts[alert.id].is_active
        self._alerts[alert.id] = alert
        self._unsaved = True
        self._wake.set()
        if alert.is_active is waited:
            self._publish()
        else:
            self._alerts_changed()

    def _alerts_changed(self) -> None:
        self._publish()
        self._update_watchers()

    def _publish(self) -> None:
        self._store.set_alerts(reversed(self._alerts.values()))

    def _update_watchers(self) -> None:
        """Watch the markets that active alerts are about, and no others."""
        before = self._store.market_data.watched_tickers
        self._last_tops.clear()
        waiting = [each for each in self._alerts.values() if each.is_active and each.kind is not AlertKind.CLOSE]
        self._alert_ids_by_ticker = _ids_by_ticker(each for each in waiting if each.kind not in ACCOUNT_KINDS)
        now = {ticker: self._make_watcher(ticker) for ticker in self._alert_ids_by_ticker}
        self._store.market_data.set_watchers(now)
        if before != now.keys():
            self._store.bus.publish(AlertMarketsChanged())

    # In the background.

    async def run(self) -> None:
        """Check closing times, and write changed alerts to disk, until canceled."""
        while True:
            if not self._unsaved and not self._closing_alerts():
                await self._wake.wait()
            self._wake.clear()
            self.check_closing_times()
            if self._unsaved:
                self._save()
            await self._sleep(CHECK_INTERVAL_S)

    def check_closing_times(self) -> None:
        """Check the alerts on closing times."""
        closings = self._closing_alerts()
        for alert in closings:
            self._check_alert(alert)
        if closings:
            self._store.set_alerts(self._store.alerts)

    def _closing_alerts(self) -> list[Alert]:
        return [each for each in self._alerts.values() if each.is_active and each.kind is AlertKind.CLOSE]

    def close(self) -> None:
        """Write to disk what has not been written yet."""
        if self._unsaved:
            self._save()

    def _save(self) -> None:
        self._unsaved = False
        self._wake.set()
        if problem := self._file.write(_AlertsFile(tuple(self._alerts.values()))):
            self._store.notify(Severity.WARNING, problem)


def _ids_by_ticker(alerts: Iterable[Alert]) -> dict[str, list[int]]:
    made: dict[str, list[int]] = {}
    for each in alerts:
        made.setdefault(each.ticker, []).append(each.id)
    return made
