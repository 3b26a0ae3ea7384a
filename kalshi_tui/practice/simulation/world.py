"""The practice world: the exchange, the calendar that lists new markets on it, and the people who trade there."""

from collections.abc import Callable
from typing import Final

from kalshi_tui.domain.trading_day import trading_day
from kalshi_tui.practice.engine.exchange import Exchange
from kalshi_tui.practice.engine.order_entry import DedupeMode
from kalshi_tui.practice.engine.terms import Catalog
from kalshi_tui.practice.simulation.catalog import (
    RECURRING_PERIOD_MS,
    build_catalog,
    recurring_market,
    recurring_openings,
    recurring_templates,
)
from kalshi_tui.practice.simulation.outcomes import Outcomes
from kalshi_tui.practice.simulation.participants import DEFAULT_RATE, MAX_RATE, Participants
from kalshi_tui.practice.simulation.simulated_combos import ComboMaker, with_combos

_CHECK_INTERVAL_MS: Final = 5_000


class World:
    """Build it, restore what a database holds, call `start`, then `step` often. ``exchange`` is there to be used.

    The clock gives Unix ms and should not run backwards: the world stands still until it is where it was. The same seed
    and the same clock give the same world, event for event.
    """

    def __init__(
        self,
        clock_ms: Callable[[], int],
        seed: int,
        *,
        run: int = 0,
        markets: int | None = None,
        rate: int = DEFAULT_RATE,
        dedupe: DedupeMode = "open",
        quiet: bool = False,
    ) -> None:
        """Build the exchange with its markets. Raises ValueError for numbers out of range."""
        if not 0 <= rate <= MAX_RATE:
            raise ValueError(f"--rate takes a number from 0 to {MAX_RATE:,} messages a second, not {rate:,}.")
        self.seed = seed
        self._markets = markets
        self._rate = rate
        self.quiet = quiet
        self.outcomes = Outcomes(seed)
        now = clock_ms()
        self.exchange = Exchange(
            self._build_catalog(now),
            clock_ms,
            seed,
            dedupe=dedupe,
            run=run,
            outcome_source=self.outcomes,
        )
        self.participants: Participants | None = None
        self.combo_maker: ComboMaker | None = None
        self._next_look = now
        self._day = now // 86_400_000
        self._trading_day = trading_day(now)

    def _build_catalog(self, now: int) -> Catalog:
        catalog = build_catalog(now, self.outcomes, self._markets)
        return with_combos(catalog) if self._markets is None else catalog

    def start(self) -> None:
        """Settle what came due while nobody ran, and fill the books. Call it once, after anything was restored."""
        now = self.exchange.advance()
        if not self.quiet:
            self.participants = Participants(self.exchange, self.outcomes, self.seed, self._rate)
            self.participants.fill_books(now)
            self.combo_maker = ComboMaker(self.exchange)
            self.combo_maker.step(now)

    def step(self) -> None:
        """Do all that the time has brought: timers, new markets, the participants' trading."""
        now = self.exchange.advance()
        if now >= self._next_look:
            self._list_due(now)
            self._next_look = min(now + _CHECK_INTERVAL_MS, (now // RECURRING_PERIOD_MS + 1) * RECURRING_PERIOD_MS)
        if self.participants is not None:
            self.participants.step(now)
        if self.combo_maker is not None:
            self.combo_maker.step(now)

    def _list_due(self, now: int) -> None:
        """List the 15-minute markets that are due, after midnight the new day's events; and end the trading day."""
        if self._markets is None or self._markets >= len(recurring_templates()):
            for open_ms in recurring_openings(now):
                for template in recurring_templates():
                    event, market = recurring_market(template, self.outcomes, open_ms)
                    if market.ticker not in self.exchange.markets.listings:
                        self.exchange.lifecycle.add_event(event)
                        self.exchange.lifecycle.add_market(market)
                        self._quote_event(event.ticker)
        if (today := trading_day(now)) != self._trading_day:
            self._trading_day = today
            for listing in self.exchange.markets.ranked_listings:
                listing.end_day()
        day = now // 86_400_000
        if day != self._day:
            self._day = day
            self._list_day(now)

    def _list_day(self, now: int) -> None:
        """List what a new day brings."""
        exchange = self.exchange
        fresh = self._build_catalog(now)
        for collection in fresh.collections:
            exchange.markets.collections[collection.ticker] = collection
        for series in fresh.series:
            exchange.lifecycle.add_series(series)
        for event in fresh.events:
            exchange.lifecycle.add_event(event)
        new = [market for market in fresh.markets if market.ticker not in exchange.markets.listings]
        for market in new:
            exchange.lifecycle.add_market(market)
        for ticker in dict.fromkeys(market.event_ticker for market in new):
            self._quote_event(ticker)

    def _quote_event(self, event_ticker: str) -> None:
        if self.participants is not None:
            self.participants.quote_event(event_ticker)
