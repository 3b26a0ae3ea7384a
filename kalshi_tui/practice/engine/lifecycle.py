"""A market's life: listing, opening, closing, its result and its payout (docs/kalshi-api.md, section 8).

Opening and closing by the clock are silent. Deactivation, reactivation, a moved close, the result and the payout are
announced. ``closed -> determined -> finalized``, with ``disputed`` and ``amended`` between.
"""

from typing import Final

from kalshi_tui.domain.market import MarketStatus
from kalshi_tui.domain.price import PRICE_UNIT
from kalshi_tui.domain.update_reason import UpdateReason
from kalshi_tui.practice.engine.book_policy import BookPolicy
from kalshi_tui.practice.engine.events import (
    EventListed,
    LifecycleChanged,
    LifecycleType,
    PositionChanged,
    PositionSettled,
    UnannouncedStatusChange,
)
from kalshi_tui.practice.engine.market_outcome import MarketOutcome, OutcomeSource
from kalshi_tui.practice.engine.matching import Matcher
from kalshi_tui.practice.engine.model import EngineAccount, Holding, ListedMarket
from kalshi_tui.practice.engine.records import SettlementRecord
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
OUTCOME_RETRY_DELAY_MS: Final = 5_000
"""How often the outcome source is asked again when it does not know yet."""

_DECIDED_STATUSES: Final = frozenset({MarketStatus.DETERMINED, MarketStatus.DISPUTED, MarketStatus.AMENDED})
_DETERMINABLE_STATUSES: Final = frozenset({MarketStatus.CLOSED, MarketStatus.DISPUTED})


class MarketLifecycle:
    """Opens, closes, decides and settles markets: by the clock through timers, and by hand."""

    def __init__(
        self, state: EngineState, matcher: Matcher, policy: BookPolicy, outcome_source: OutcomeSource | None = None
    ) -> None:
        self._clock = state.clock
        self._ledger = state.ledger
        self._markets = state.markets
        self._emit = state.event_log.emit
        self._matcher = matcher
        self._policy = policy
        self.outcome_source = outcome_source

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
            self.announce(listing, LifecycleType.CREATED, self._clock.now)
        return listing

    def list_market(self, terms: MarketDefinition) -> ListedMarket:
        """List a market without an announcement, as at the start of the exchange."""
        listing = self._markets.add_listing(terms)
        self._schedule_new_market(listing)
        return listing

    def announce(self, listing: ListedMarket, kind: LifecycleType, now: int) -> None:
        """Emit a change that the exchange announces."""
        listing.updated_ms = now
        self._emit(LifecycleChanged(listing.ticker, kind, now))

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
            self._clock.schedule_at(listing.settle_ms, lambda now: self._finalize_when_due(listing, now))

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
            lambda due: self._request_outcome(listing, due),
        )

    def _cancel_after_close(self, listing: ListedMarket, now: int) -> None:
        """Cancel what still rests in a market that takes no orders."""
        # A later close can have opened it again within the second.
        if listing.status is MarketStatus.ACTIVE:
            return
        self._cancel_resting(listing, now, UpdateReason.CLOSE)

    def _cancel_resting(self, listing: ListedMarket, now: int, reason: UpdateReason) -> None:
        for order in self._policy.orders_to_cancel(listing):
            self._matcher.cancel(order, now, reason)
        self._policy.update_quote(listing, now)
        self._ledger.flush_balances(now)

    def _request_outcome(self, listing: ListedMarket, now: int) -> None:
        if listing.status is not MarketStatus.CLOSED or self.outcome_source is None:
            return
        outcome = self.outcome_source(listing.terms, now)
        if outcome is None:
            self._clock.schedule_at(now + OUTCOME_RETRY_DELAY_MS, lambda due: self._request_outcome(listing, due))
        else:
            self._determine(listing, outcome, now)

    # -- results -----------------------------------------------------------------------------------------------------

    def determine(self, ticker: str, outcome: MarketOutcome) -> None:
        """Set a market's result; an open market is closed early first. The settlement timer then runs.

        Raises Rejection 404 for an unknown market, 409 for one that is decided already.
        """
        now = self._clock.advance()
        listing = self._markets.listing(ticker)
        self._close_early(listing, now)
        if listing.status not in _DETERMINABLE_STATUSES:
            raise Rejection(409, "market_determined", "market is determined already", ticker)
        self._determine(listing, outcome, now)

    def settle(self, ticker: str, outcome: MarketOutcome | None = None) -> None:
        """Pay a market out now, without its settlement timer; ``outcome`` decides it first where it is not decided.

        Raises Rejection 404 for an unknown market, 409 for a settled one, 400 for an undecided one without an outcome.
        """
        now = self._clock.advance()
        listing = self._markets.listing(ticker)
        if listing.status is MarketStatus.FINALIZED:
            raise Rejection(409, "market_settled", "market is settled already", ticker)
        if outcome is not None and listing.status not in _DECIDED_STATUSES:
            self._close_early(listing, now)
            self._determine(listing, outcome, now)
        elif outcome is not None:
            self._apply_amended_result(listing, outcome, now)
        if listing.status not in _DECIDED_STATUSES or listing.settlement_value is None:
            raise Rejection(400, "bad_request", "bad request", "the market has no result yet: give one")
        self._finalize(listing, now)

    def dispute(self, ticker: str) -> None:
        """Challenge a result: its settlement timer stops until it is amended. Raises Rejection 404 or 409."""
        now = self._clock.advance()
        listing = self._markets.listing(ticker)
        if listing.status not in {MarketStatus.DETERMINED, MarketStatus.AMENDED}:
            raise Rejection(409, "market_not_determined", "market is not determined", ticker)
        listing.status = MarketStatus.DISPUTED
        # The timer itself cannot be taken back: without a due time it does nothing.
        listing.settle_ms = 0
        self.announce(listing, LifecycleType.METADATA_UPDATED, now)

    def amend_result(self, ticker: str, outcome: MarketOutcome) -> None:
        """Change the result of a decided market; the settlement timer starts again. Raises Rejection 404 or 409."""
        now = self._clock.advance()
        listing = self._markets.listing(ticker)
        if listing.status not in _DECIDED_STATUSES:
            raise Rejection(409, "market_not_determined", "market is not determined", ticker)
        self._apply_amended_result(listing, outcome, now)

    def _apply_amended_result(self, listing: ListedMarket, outcome: MarketOutcome, now: int) -> None:
        self._set_result(listing, outcome, now, MarketStatus.AMENDED)

    def _determine(self, listing: ListedMarket, outcome: MarketOutcome, now: int) -> None:
        self._cancel_resting(listing, now, UpdateReason.CLOSE)
        self._set_result(listing, outcome, now, MarketStatus.DETERMINED)

    def _set_result(self, listing: ListedMarket, outcome: MarketOutcome, now: int, status: MarketStatus) -> None:
        listing.status = status
        listing.result = outcome.result
        listing.settlement_value = outcome.value
        listing.expiration_value = outcome.expiration_value
        due = now + listing.terms.settlement_timer_s * 1_000
        listing.settle_ms = due
        self._clock.schedule_at(due, lambda at: self._finalize_when_due(listing, at))
        self.announce(listing, LifecycleType.DETERMINED, now)

    def _finalize_when_due(self, listing: ListedMarket, now: int) -> None:
        # The timer of a result that was amended since comes too early: only the present due time counts.
        if listing.settle_ms and listing.settle_ms <= now and listing.status in _DECIDED_STATUSES:
            self._finalize(listing, now)

    def _finalize(self, listing: ListedMarket, now: int) -> None:
        listing.status = MarketStatus.FINALIZED
        listing.settle_ms = 0
        listing.settled_ms = now
        # Every account is paid, simulated ones and the house too: the escrow of the market must come to exactly zero.
        for account in self._ledger.accounts.values():
            holding = account.holdings.pop(listing.ticker, None)
            if holding is not None:
                self._pay_holding(account, holding, now)
        listing.open_interest = 0
        self._markets.move_to_end(listing)
        self.announce(listing, LifecycleType.SETTLED, now)
        self._ledger.flush_balances(now)

    def _pay_holding(self, account: EngineAccount, holding: Holding, now: int) -> None:
        """Pay one holding. The payout is rounded down to the account's precision; the rest is a settlement fee."""
        listing = holding.listing
        shard = listing.shard
        value = listing.settlement_value or 0
        position, cost = holding.position, holding.cost
        worth = position * value if position >= 0 else -position * (PRICE_UNIT - value)
        revenue = worth - worth % account.precision
        account.cash[shard] += revenue
        self._ledger.escrow[shard] -= worth
        self._ledger.collected_fees[shard] += worth - revenue
        holding.fees_paid += worth - revenue
        if not account.keeps_history or not holding.total_traded:
            return
        self._ledger.mark_balance_changed(account, shard)
        holding.realized += worth - cost
        holding.position = 0
        holding.cost = 0
        holding.fee_cost = 0
        holding.updated_ms = now
        if position:
            settled = SettlementRecord(
                account_id=account.account_id,
                ticker=listing.ticker,
                event_ticker=listing.terms.event_ticker,
                exchange_index=shard,
                result=listing.result,
                value=value,
                yes_count=max(position, 0),
                yes_cost=cost if position > 0 else 0,
                no_count=max(-position, 0),
                no_cost=cost if position < 0 else 0,
                revenue=revenue,
                fee=holding.fees_paid,
                ts_ms=now,
            )
            account.settlements.append(settled)
            self._emit(PositionSettled(settled))
        account.settled_positions[listing.ticker] = holding.to_record()
        self._emit(PositionChanged(holding.to_record()))

    # -- by hand -----------------------------------------------------------------------------------------------------

    def _close_early(self, listing: ListedMarket, now: int) -> None:
        if listing.status in {MarketStatus.INITIALIZED, MarketStatus.ACTIVE, MarketStatus.INACTIVE}:
            listing.close_ms = now
            listing.status = MarketStatus.CLOSED
            self.announce(listing, LifecycleType.CLOSE_DATE_UPDATED, now)
            self._cancel_resting(listing, now, UpdateReason.CLOSE)

    def change_close_time(self, ticker: str, close_ms: int) -> None:
        """Move a market's close; one that has closed and not been decided is opened again by a later date.

        Raises Rejection 404, or 409 once it is decided.
        """
        now = self._clock.advance()
        listing = self._markets.listing(ticker)
        if listing.status in _DECIDED_STATUSES or listing.status is MarketStatus.FINALIZED:
            raise Rejection(409, "market_determined", "market is determined already", ticker)
        listing.close_ms = close_ms
        self.announce(listing, LifecycleType.CLOSE_DATE_UPDATED, now)
        if listing.status is MarketStatus.CLOSED and close_ms > now:
            self._cancel_resting(listing, now, UpdateReason.CLOSE)
            listing.status = MarketStatus.ACTIVE
            self.announce(listing, LifecycleType.ACTIVATED, now)
        self._clock.schedule_at(max(close_ms, now), lambda due: self._close_when_due(listing, due))
        self._clock.advance()

    def deactivate(self, ticker: str) -> None:
        """Stop trading in one market; its orders stay. Raises Rejection 404, or 409 if it is not active."""
        now = self._clock.advance()
        listing = self._markets.listing(ticker)
        if listing.status is not MarketStatus.ACTIVE:
            raise Rejection(409, "MARKET_INACTIVE", "market is not active", ticker)
        listing.status = MarketStatus.INACTIVE
        self.announce(listing, LifecycleType.DEACTIVATED, now)

    def activate(self, ticker: str) -> None:
        """Let a deactivated market trade again; all its resting orders are canceled. Raises Rejection 404 or 409."""
        now = self._clock.advance()
        listing = self._markets.listing(ticker)
        if listing.status is not MarketStatus.INACTIVE:
            raise Rejection(409, "market_not_deactivated", "market is not deactivated", ticker)
        self._cancel_resting(listing, now, UpdateReason.HALT)
        listing.status = MarketStatus.ACTIVE
        self.announce(listing, LifecycleType.ACTIVATED, now)

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
        self.announce(listing, LifecycleType.GRID_UPDATED, now)
