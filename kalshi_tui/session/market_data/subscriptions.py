"""Which books and quotes the stream is asked for: those on the screen, what is held, and what alerts look at."""

import asyncio
from collections.abc import Iterable, Sequence

from kalshi_tui.kalshi.feed.market_feed import MarketFeed
from kalshi_tui.session.alerts.monitor import AlertMonitor
from kalshi_tui.session.bus import AlertMarketsChanged, MarketsUpdated, PositionsChanged
from kalshi_tui.session.store import Store


class MarketSubscriptions:
    """Keeps the stream's subscriptions in step with what is shown and what alerts need."""

    def __init__(self, stream: MarketFeed, store: Store, alerts: AlertMonitor) -> None:
        self._stream = stream
        self._store = store
        self._alerts = alerts
        self._shown: tuple[str, ...] = ()
        self._held: frozenset[str] = frozenset()
        """The markets whose books were asked for because something is held there."""
        store.bus.subscribe(AlertMarketsChanged, lambda _: self._update_soon())
        store.bus.subscribe(PositionsChanged, lambda _: self._held_markets_changed())
        store.bus.subscribe(MarketsUpdated, lambda _: self._held_markets_changed())

    def set_shown_markets(self, tickers: Sequence[str]) -> None:
        """Subscribe to these markets' books, and to no others but those of alerts and of what is held."""
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
        # What a position is worth is told by the whole book of its market.
        self._held = self._held_markets()
        tickers = list(dict.fromkeys([*self._shown, *alerted, *sorted(self._held)]))
        self._stream.watch_books(tickers)
        self._store.market_data.drop_books([ticker for ticker in self._store.books if ticker not in tickers])

    def _held_markets(self) -> frozenset[str]:
        markets = self._store.markets
        return frozenset(
            ticker
            for ticker in self._store.account.held_tickers() | {self._store.day_ledger.awaited}
            if ticker in markets and markets[ticker].status.tradable
        )

    def _held_markets_changed(self) -> None:
        # A book that was read already stays until the next change of what is shown: a market may be traded again.
        if not self._held_markets() <= self._held:
            self._update_soon()

    def _update_soon(self) -> None:
        # Not at once: the stream may be in the middle of the frame that rang, and its book must not go under it.
        asyncio.get_running_loop().call_soon(self._update_books)
