"""The trader's alerts: kept over restarts, told of each change by the store, and rung."""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Final

import msgspec

from kalshi_tui.domain.alerts import (
    EVENTS,
    OF_ACCOUNT,
    Alert,
    AlertState,
    Kind,
    Touch,
    fired,
    happened,
    rearmed,
    seen,
    touch_of_book,
    touch_of_quote,
)
from kalshi_tui.domain.link import LinkState
from kalshi_tui.domain.market import Trade
from kalshi_tui.domain.order import Fill, Order, OrderState
from kalshi_tui.domain.price import Price
from kalshi_tui.domain.text import (
    count_words,
    fill_words,
    order_words,
    price_words,
)
from kalshi_tui.kalshi.transport.clock import ExchangeClock
from kalshi_tui.session.alerts.text import name_of, rung_words, seen_words
from kalshi_tui.session.notices import Weight
from kalshi_tui.session.persisted import Kept
from kalshi_tui.session.store import Store, Watcher
from kalshi_tui.session.timing import Sleep

FILE: Final = "alerts.json"
MOST: Final = 100
LOOK_EVERY_S: Final = 1.0
"""How often closing times are looked at, and how often at the most what has rung is written down."""
QUIET_MS: Final = 1_000
"""An alert that rings again sooner is counted, and not told: a price that flickers must not fill the log."""
TRADES_KEPT: Final = 50
"""So many of the last prints are known again, should one come twice."""


class _File(msgspec.Struct, frozen=True):
    """What is on the disk."""

    alerts: tuple[Alert, ...] = ()


def touch(store: Store, ticker: str) -> Touch | None:
    """Give the top of a market if it can be believed: of a good book, or of a quote where there is no book at all."""
    live = store.books.get(ticker)
    if live is not None:
        return touch_of_book(live.book) if live.good else None
    quote = store.quotes.get(ticker)
    if quote is None or store.connection.state is not LinkState.LIVE:
        return None
    return touch_of_quote(quote)


def value_of(store: Store, alert: Alert) -> int | None:
    """Give what an alert looks at as it stands now: price, count, or milliseconds; None if that is not known."""
    if alert.kind in EVENTS:
        return None
    if alert.kind is Kind.CLOSE:
        market = store.markets.get(alert.ticker)
        if market is None or not market.close_ms:
            return None
        return max(market.close_ms - store.exchange_ms(), 0)
    if alert.kind is Kind.LAST:
        return _last(store, alert.ticker)
    top = touch(store, alert.ticker)
    return None if top is None else top.value(alert.kind)


def _last(store: Store, ticker: str) -> int | None:
    """Give the price of the last trade, from tape or quote, whichever is newer."""
    if store.connection.state is not LinkState.LIVE:
        return None
    quote, tape = store.quotes.get(ticker), store.tapes.get(ticker)
    if tape and (quote is None or tape[0].ts_ms >= quote.ts_ms):
        return tape[0].yes_price
    return quote.last if quote is not None else None


class Alerts:
    """Keeps the store's alerts, and rings. `run` looks at what no frame tells: the time.

    ``on_ring`` gets the sentence of each alert that rings; ``on_watched`` is called when other markets are watched.
    """

    def __init__(self, store: Store, clock: ExchangeClock, sleep: Sleep, folder: Path | None = None) -> None:
        self._store = store
        self._clock = clock
        self._sleep = sleep
        self._kept = Kept(folder, FILE, _File)
        self._alerts: dict[int, Alert] = {}
        self._of: dict[str, list[int]] = {}
        """The ids of those that look at a market's prices, sizes or trades, by ticker."""
        self._tops: dict[str, tuple[Touch, Price | None]] = {}
        """What was looked at last: most changes of a book are not at its top."""
        self._wake = asyncio.Event()
        self._unsaved = False
        self._started_ms = clock.local_ms()
        self._refused: set[str] = set()
        self._prints: dict[str, None] = {}
        """Ids of prints that alerts have seen, the oldest first."""
        self.rung = 0
        """How many rings were told since the start."""
        self.newest = ""
        """The sentence of the newest of them."""
        self.on_ring: Callable[[str], None] | None = None
        self.on_watched: Callable[[], None] | None = None
        store.on_fill = self.filled
        self._read()

    def _read(self) -> None:
        kept, problem = self._kept.read()
        if problem:
            self._store.notify(Weight.WARNING, problem)
        self._alerts = {each.id: each for each in kept.alerts[:MOST]}
        self._changed()

    # The trader's side.

    @property
    def tickers(self) -> list[str]:
        """The markets whose books and tapes are needed."""
        return list(self._of)

    def add(self, alert: Alert) -> str:
        """Take an alert, in the place of one that looks out for the same; say in a sentence why not, empty if taken.

        One whose condition is true already rings at once.
        """
        same = [each.id for each in self._alerts.values() if each.same_as(alert)]
        if not same and len(self._alerts) >= MOST:
            return f"There are {MOST} alerts already: delete some in their list."
        for each in same:
            del self._alerts[each]
        made = replace(alert, id=max(self._alerts, default=0) + 1)
        self._alerts[made.id] = made
        self._changed()
        self._look_at(made)
        self._save()
        return ""

    def remove(self, alert_id: int) -> None:
        """Forget an alert."""
        if self._alerts.pop(alert_id, None) is not None:
            self._changed()
            self._save()

    def rearm(self, alert_id: int) -> None:
        """Arm an alert again that has rung; if its condition is true it rings at once."""
        alert = self._alerts.get(alert_id)
        if alert is None or alert.state is AlertState.ARMED:
            return
        self._alerts[alert_id] = rearmed(alert)
        self._changed()
        self._look_at(self._alerts[alert_id])
        self._save()

    # What the store tells.

    def filled(self, fill: Fill) -> None:
        """Hear of an execution that was not known; one from before this start is history."""
        if fill.ts_ms > self._started_ms + self._clock.skew_ms:
            what = f"filled {fill_words(fill)}"
            self._happened(Kind.FILL, "", lambda _: True, what, name_of(self._store, fill.ticker))

    def ordered(self, order: Order) -> None:
        """Hear of an order that has changed."""
        key = order.client_order_id or order.order_id
        if order.state is not OrderState.REFUSED or key in self._refused:
            return
        self._refused.add(key)
        what = f"refused {order_words(order)}"
        self._happened(Kind.REFUSED, "", lambda _: True, what, name_of(self._store, order.ticker))

    def _watcher(self, ticker: str) -> Watcher:
        def changed(trade: Trade | None) -> None:
            if trade is None:
                self._look(ticker)
            else:
                self._traded(trade)

        return changed

    def _look(self, ticker: str) -> None:
        """Look at all alerts of a market after its book or quote has changed."""
        last, top = _last(self._store, ticker), touch(self._store, ticker)
        if top is not None:
            if self._tops.get(ticker) == (top, last):
                return
            self._tops[ticker] = top, last
        for alert_id in self._of[ticker]:
            alert = self._alerts[alert_id]
            if alert.kind is Kind.LAST:
                self._see(alert, last)
            elif top is not None:
                self._see(alert, top.value(alert.kind))

    def _traded(self, trade: Trade) -> None:
        last = _last(self._store, trade.ticker)
        for alert_id in self._of[trade.ticker]:
            if self._alerts[alert_id].kind is Kind.LAST:
                self._see(self._alerts[alert_id], last)
        if trade.trade_id in self._prints:
            return
        self._prints[trade.trade_id] = None
        if len(self._prints) > TRADES_KEPT:
            del self._prints[next(iter(self._prints))]
        what = f"trade of {count_words(trade.count)} at {price_words(trade.yes_price)}"
        name = name_of(self._store, trade.ticker)
        self._happened(Kind.TRADE, trade.ticker, lambda alert: trade.count >= alert.threshold, what, name)

    # Ringing.

    def _look_at(self, alert: Alert) -> None:
        self._store.skew_ms = self._clock.skew_ms
        if alert.kind not in EVENTS:
            self._see(alert, value_of(self._store, alert))

    def _see(self, alert: Alert, value: int | None) -> None:
        state, rings = seen(alert, value)
        if rings and value is not None:
            self._ring(alert, state, seen_words(alert, value), name_of(self._store, alert.ticker))
        elif state is not alert.state:
            self._replace(replace(alert, state=state))

    def _happened(self, kind: Kind, ticker: str, wanted: Callable[[Alert], bool], what: str, name: str) -> None:
        for alert in list(self._alerts.values()):
            if alert.kind is kind and alert.ticker == ticker and wanted(alert):
                state, rings = happened(alert)
                if rings:
                    self._ring(alert, state, what, name)

    def _ring(self, alert: Alert, state: AlertState, what: str, name: str) -> None:
        now_ms = self._clock.local_ms()
        self._replace(fired(alert, state, now_ms))
        if alert.kind not in OF_ACCOUNT and alert.times and 0 <= now_ms - alert.fired_ms < QUIET_MS:
            return
        sentence = rung_words(alert, what, name)
        self.rung += 1
        self.newest = sentence
        self._store.notify(Weight.WARNING, sentence)
        if self.on_ring is not None:
            self.on_ring(sentence)

    def _replace(self, alert: Alert) -> None:
        waited = self._alerts[alert.id].waits
        self._alerts[alert.id] = alert
        self._unsaved = True
        self._wake.set()
        if alert.waits is waited:
            self._show()
        else:
            self._changed()

    def _changed(self) -> None:
        self._show()
        self._watch()

    def _show(self) -> None:
        self._store.set_alerts(reversed(self._alerts.values()))

    def _watch(self) -> None:
        """Have the store tell of the markets that alerts look at, and of no others."""
        before = self._store.watched
        self._tops.clear()
        waiting = [each for each in self._alerts.values() if each.waits and each.kind is not Kind.CLOSE]
        self._of = _by_ticker(each for each in waiting if each.kind not in OF_ACCOUNT)
        now = {ticker: self._watcher(ticker) for ticker in self._of}
        self._store.watch(now)
        if before != now.keys() and self.on_watched is not None:
            self.on_watched()

    # In the background.

    async def run(self) -> None:
        """Look at closing times, and write down what has changed, until cancelled."""
        while True:
            if not self._unsaved and not self._closings():
                await self._wake.wait()
            self._wake.clear()
            self.look_at_times()
            if self._unsaved:
                self._save()
            await self._sleep(LOOK_EVERY_S)

    def look_at_times(self) -> None:
        """Look at the alerts of markets that are about to close."""
        closings = self._closings()
        for alert in closings:
            self._look_at(alert)
        if closings:
            self._store.set_alerts(self._store.alerts)

    def _closings(self) -> list[Alert]:
        return [each for each in self._alerts.values() if each.waits and each.kind is Kind.CLOSE]

    def close(self) -> None:
        """Write down what has not been written yet."""
        if self._unsaved:
            self._save()

    def _save(self) -> None:
        self._unsaved = False
        self._wake.set()
        if problem := self._kept.write(_File(tuple(self._alerts.values()))):
            self._store.notify(Weight.WARNING, problem)


def _by_ticker(alerts: Iterable[Alert]) -> dict[str, list[int]]:
    made: dict[str, list[int]] = {}
    for each in alerts:
        made.setdefault(each.ticker, []).append(each.id)
    return made
