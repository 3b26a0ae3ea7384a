"""Changes of fees: of a series or of one event, at once or scheduled (docs/kalshi-api.md, section 9).

The change of a series is silent, that of an event is announced when it takes effect. A restart begins with the fees of
the catalog, and makes each saved change again.
"""

from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal

from kalshi_tui.practice.engine.events import FeeChangeScheduled, FeeOverridesChanged
from kalshi_tui.practice.engine.records import ScheduledEventFees, ScheduledSeriesFees
from kalshi_tui.practice.engine.rejection import Rejection
from kalshi_tui.practice.engine.state import EngineState
from kalshi_tui.practice.engine.terms import event_fee_schedule


class FeeChanges:
    """All changes there ever were, and the timers of those to come."""

    def __init__(self, state: EngineState) -> None:
        self._clock = state.clock
        self._ids = state.ids
        self._markets = state.markets
        self._emit = state.event_log.emit
        self.of_series: list[ScheduledSeriesFees] = []
        self.of_events: list[ScheduledEventFees] = []

    def schedule_for_series(self, ticker: str, fee_type: str, multiplier: Decimal, at_ms: int) -> None:
        """Change a series' fees at a time, at once if it has passed. Raises Rejection 404 for an unknown series."""
        now = self._clock.advance()
        if ticker not in self._markets.series:
            raise Rejection(404, "not_found", "series not found", ticker)
        change = ScheduledSeriesFees(self._ids.new_id(), ticker, fee_type, multiplier, max(at_ms, now))
        self._emit(FeeChangeScheduled(change, now))
        self._schedule_for_series(change)
        self._clock.advance()

    def schedule_for_event(self, ticker: str, fee_type: str | None, multiplier: Decimal | None, at_ms: int) -> None:
        """Change an event's overrides at a time, at once if it has passed. Raises Rejection 404 for no such event."""
        now = self._clock.advance()
        event = self._markets.event(ticker)
        change = ScheduledEventFees(
            self._ids.new_id(), ticker, event.series_ticker, fee_type, multiplier, max(at_ms, now)
        )
        self._emit(FeeChangeScheduled(change, now))
        self._schedule_for_event(change)
        self._clock.advance()

    def restore(self, changes: Iterable[ScheduledSeriesFees | ScheduledEventFees]) -> None:
        """Take up the saved changes, in the order in which they were asked for; those that are due are in force now."""
        now, due = self._clock.now, []
        for change in changes:
            is_due = change.scheduled_ms <= now
            if isinstance(change, ScheduledSeriesFees):
                self._schedule_for_series(change, is_due=is_due)
            else:
                self._schedule_for_event(change, is_due=is_due)
            if is_due:
                due.append(change)
        for change in sorted(due, key=lambda each: each.scheduled_ms):
            if isinstance(change, ScheduledSeriesFees):
                self._apply_to_series(change)
            else:
                self._apply_to_event(change, change.scheduled_ms)

    def _schedule_for_series(self, change: ScheduledSeriesFees, *, is_due: bool = False) -> None:
        self.of_series.append(change)
        if not is_due:
            self._clock.schedule_at(change.scheduled_ms, lambda _: self._apply_to_series(change))

    def _schedule_for_event(self, change: ScheduledEventFees, *, is_due: bool = False) -> None:
        self.of_events.append(change)
        if not is_due:
            self._clock.schedule_at(change.scheduled_ms, lambda due: self._apply_to_event(change, due))

    def _apply_to_series(self, change: ScheduledSeriesFees) -> None:
        markets = self._markets
        if change.series_ticker not in markets.series:
            # A later version of the catalog may not have it any more.
            return
        markets.series[change.series_ticker] = replace(
            markets.series[change.series_ticker], fee_type=change.fee_type, fee_multiplier=change.fee_multiplier
        )
        markets.tickers_with_changed_fees.add(change.series_ticker)
        for event in markets.events_by_ticker.values():
            if event.series_ticker == change.series_ticker:
                self._refresh_listings(event.ticker)

    def _apply_to_event(self, change: ScheduledEventFees, now: int) -> None:
        markets = self._markets
        if change.event_ticker not in markets.events_by_ticker:
            return
        event = markets.events_by_ticker[change.event_ticker] = replace(
            markets.events_by_ticker[change.event_ticker],
            fee_type_override=change.fee_type_override or "",
            fee_multiplier_override=change.fee_multiplier_override,
        )
        markets.tickers_with_changed_fees.add(change.event_ticker)
        self._refresh_listings(event.ticker)
        self._emit(FeeOverridesChanged(event, now))

    def _refresh_listings(self, event_ticker: str) -> None:
        event = self._markets.events_by_ticker[event_ticker]
        fees = event_fee_schedule(self._markets.series[event.series_ticker], event)
        for listing in self._markets.listings_by_event.get(event_ticker, ()):
            listing.fees = fees
