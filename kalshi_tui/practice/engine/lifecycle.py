"""A market's life: listing, opening, closing, and what is changed by hand (docs/kalshi-api.md, section 8).

Opening and closing by the clock are silent. Deactivation, reactivation and a moved close are announced.
What comes after the close is in `market_results`.
"""

from typing import Final

from kalshi_tui.domain.market import MarketStatus
from kalshi_tui.domain.update_reason import UpdateReason
from kalshi_tui.practice.engine.events import (
    EventListed,
    LifecycleType,
    UnannouncedStatusChange,
)
from kalshi_tui.practice.engine.market_changes import MarketChanges
from kalshi_tui.practice.engine.market_results import DECIDED_STATUSES, MarketResults
from kalshi_tui.practice.engine.model import ListedMarket
from kalshi_tui.practice.engine.rejection import Rejection, invalid_order
from kalshi_tui.practice.engine.state import EngineState
from kalshi_tui.practice.engine.terms import (
    GRIDS,
    EventDefinition,
    MarketDefinition,
    SeriesDefinition,
)

CLOSE_CANCEL_DELAY_MS: Final = 1_000
"""How long after the close the resting orders are canceled."""
VISIBILITY_DELAY_MS: Final = 2_000
"""How long a market just created answers 404."""


class MarketLifecycle:
    """Lists, opens and closes markets: by the clock through timers, and by hand."""

    def __init__(self, state: EngineState, changes: MarketChanges, results: MarketResults) -> None:
        self._clock = state.clock
        self._markets = state.markets
        self._emit = state.event_log.emit
        self._changes = changes
        self._results = results

    # -- listing -----------------------------------------------------------------------------------------------------

    def add_series(self, series: SeriesDefinition) -> None:
        """List a series; one that is listed already is left as it is."""
        self._markets.series.setdefault(series.ticker, series)

    def add_event(self, event: EventDefinition) -> None:
        """List an event; one that is listed already is left as it is."""
        if event.ticker not in self._markets.events_by_ticker:
            self._markets.events_by_ticker[event.ticker] = event
            self._emit(EventListed(event))

    def add_market(self, terms: MarketDefinition, *, announce: bool = True) -> ListedMarket:
        """List a market while the exchange runs. An announced one answers 404 for its first two seconds."""
        listing = self.list_market(terms)
        if announce:
            listing.visible_ms = self._clock.now + VISIBILITY_DELAY_MS
            self._changes.announce(listing, LifecycleType.CREATED, self._clock.now)
        return listing

    def list_market(self, terms: MarketDefinition) -> ListedMarket:
        """List a market without an announcement, as at the start of the exchange."""
        listing = self._markets.add_listing(terms)
        self._schedule_new_market(listing)
        return listing

    # -- by the clock ------------------------------------------------------------------------------------------------

    def _schedule_new_market(self, listing: ListedMarket) -> None:
        if listing.open_ms <= self._clock.now < listing.close_ms:
            listing.status = MarketStatus.ACTIVE
        elif self._clock.now < listing.open_ms:
            self._clock.schedule_at(listing.open_ms, lambda now: self._open_when_due(listing, now))
        self._clock.schedule_at(listing.close_ms, lambda now: self._close_when_due(listing, now))

    def schedule_by_status(self, listing: ListedMarket) -> None:
        """Set the timers that a market in its present state still waits for."""
        if listing.status is MarketStatus.INITIALIZED:
            self._clock.schedule_at(listing.open_ms, lambda now: self._open_when_due(listing, now))
        if listing.status in {MarketStatus.INITIALIZED, MarketStatus.ACTIVE, MarketStatus.INACTIVE}:
            self._clock.schedule_at(listing.close_ms, lambda now: self._close_when_due(listing, now))
        elif listing.status is MarketStatus.CLOSED:
            self._schedule_outcome(listing)
        elif listing.settle_ms:
            self._clock.schedule_at(listing.settle_ms, lambda now: self._results.finalize_when_due(listing, now))

    def _open_when_due(self, listing: ListedMarket, now: int) -> None:
        if listing.status is MarketStatus.INITIALIZED and listing.open_ms <= now < listing.close_ms:
            listing.status = MarketStatus.ACTIVE
            self._emit(UnannouncedStatusChange(listing.ticker, now))

    def _close_when_due(self, listing: ListedMarket, now: int) -> None:
        # A close that was moved leaves its old timer behind; only the one of the present close may act.
        if listing.close_ms > now or listing.status not in {
            MarketStatus.INITIALIZED,
            MarketStatus.ACTIVE,
            MarketStatus.INACTIVE,
        }:
            return
        listing.status = MarketStatus.CLOSED
        self._emit(UnannouncedStatusChange(listing.ticker, now))
        self._schedule_outcome(listing)

    def _schedule_outcome(self, listing: ListedMarket) -> None:
        """Set the timers of a closed market: for the cancel of its orders, and for its result."""
        self._clock.schedule_at(
            listing.close_ms + CLOSE_CANCEL_DELAY_MS, lambda due: self._cancel_after_close(listing, due)
        )
        self._clock.schedule_at(
            max(listing.close_ms, min(listing.terms.expected_expiration_ms, listing.terms.latest_expiration_ms)),
            lambda due: self._results.request_outcome(listing, due),
        )

    def _cancel_after_close(self, listing: ListedMarket, now: int) -> None:
        """Cancel what still rests in a market that takes no orders."""
        # A later close can have opened it again within the second.
        if listing.status is MarketStatus.ACTIVE:
            return
        self._changes.cancel_resting(listing, now, UpdateReason.CLOSE)

    # -- by hand -----------------------------------------------------------------------------------------------------

    def change_close_time(self, ticker: str, close_ms: int) -> None:
        """Move a market's close; one that has closed and not been decided is opened again by a later date.

        Raises Rejection 404, or 409 once it is decided.
        """
        now = self._clock.advance()
        listing = self._markets.listing(ticker)
        if listing.status in DECIDED_STATUSES or listing.status is MarketStatus.FINALIZED:
            raise Rejection(409, "market_determined", "market is determined already", ticker)
        listing.close_ms = close_ms
        self._changes.announce(listing, LifecycleType.CLOSE_DATE_UPDATED, now)
        if listing.status is MarketStatus.CLOSED and close_ms > now:
            self._changes.cancel_resting(listing, now, UpdateReason.CLOSE)
            listing.status = MarketStatus.ACTIVE
            self._changes.announce(listing, LifecycleType.ACTIVATED, now)
        self._clock.schedule_at(max(close_ms, now), lambda due: self._close_when_due(listing, due))
        self._clock.advance()

    def deactivate(self, ticker: str) -> None:
        """Stop trading in one market; its orders stay. Raises Rejection 404, or 409 if it is not active."""
        now = self._clock.advance()
        listing = self._markets.listing(ticker)
        if listing.status is not MarketStatus.ACTIVE:
            raise Rejection(409, "MARKET_INACTIVE", "market is not active", ticker)
        listing.status = MarketStatus.INACTIVE
        self._changes.announce(listing, LifecycleType.DEACTIVATED, now)

    def activate(self, ticker: str) -> None:
        """Let a deactivated market trade again; all its resting orders are canceled. Raises Rejection 404 or 409."""
        now = self._clock.advance()
        listing = self._markets.listing(ticker)
        if listing.status is not MarketStatus.INACTIVE:
            raise Rejection(409, "market_not_deactivated", "market is not deactivated", ticker)
        self._changes.cancel_resting(listing, now, UpdateReason.HALT)
        listing.status = MarketStatus.ACTIVE
        self._changes.announce(listing, LifecycleType.ACTIVATED, now)

    def change_grid(self, ticker: str, structure: str) -> None:
        """Change a market's price grid. Resting orders stay where they are, on the new grid or off it.

        Raises Rejection 404 for an unknown market, 400 for an unknown structure.
        """
        now = self._clock.advance()
        listing = self._markets.listing(ticker)
        grid = GRIDS.get(structure)
        if grid is None:
            raise invalid_order(f"unknown price_level_structure; known are {', '.join(GRIDS)}")
        listing.structure = structure
        listing.grid = grid
        self._changes.announce(listing, LifecycleType.GRID_UPDATED, now)
