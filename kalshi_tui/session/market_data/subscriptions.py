"""Which books and quotes the stream is asked for: those on the screen, and those that alerts look at."""

import asyncio
from collections.abc import Iterable, Sequence

from kalshi_tui.kalshi.feed.market_feed import MarketFeed
from kalshi_tui.session.alerts.monitor import AlertMonitor
from kalshi_tui.session.bus import AlertMarketsChanged
from kalshi_tui.session.store import Store


class MarketSubscriptions:
    """Keeps the stream's subscriptions in step with what is shown and what alerts need."""

    def __init__(self, stream: MarketFeed, store: Store, alerts: AlertMonitor) -> None:
        self._stream = stream
        self._store = store
        self._alerts = alerts
        self._shown: tuple[str, ...] = ()
        store.bus.subscribe(AlertMarketsChanged, lambda _: self._alert_markets_changed())

    def set_shown_markets(self, tickers: Sequence[str]) -> None:
        """Subscribe to these markets' books, and to no others but those of alerts."""
        self._shown = tuple(tickers)
        self._update_books()

    def set_quotes(self, tickers: Iterable[str] | None) -> None:
        """Subscribe to these quotes, None for all. The list has changed, so that alerts may find their markets now."""
        self._stream.watch_quotes(tickers)
        if self._alerts.tickers:
            self._update_books()

    def _update_books(self) -> None:
        # An alert's market that is not listed may be over, and to ask for it could cost the others their subscription.
        alerted = [ticker for ticker in self._alerts.tickers if ticker in self._store.markets]
        tickers = list(dict.fromkeys([*self._shown, *alerted]))
        self._stream.watch_books(tickers)
        self._store.market_data.drop_books([ticker for ticker in self._store.books if ticker not in tickers])

    def _alert_markets_changed(self) -> None:
        # Not at once: the stream may be in the middle of the frame that rang, and its book must not go under it.
        asyncio.get_running_loop().call_soon(self._update_books)
