"""A market's result: determined, disputed, amended, and paid out (docs/kalshi-api.md, section 8).

``closed -> determined -> finalized``, with ``disputed`` and ``amended`` between. Result and payout are announced.
"""

from typing import Final

from kalshi_tui.domain.market import MarketStatus
from kalshi_tui.domain.price import format_price
from kalshi_tui.domain.update_reason import UpdateReason
from kalshi_tui.practice.engine.combo_outcome import combo_outcome
from kalshi_tui.practice.engine.events import LifecycleType
from kalshi_tui.practice.engine.market_changes import MarketChanges
from kalshi_tui.practice.engine.market_outcome import MarketOutcome, OutcomeSource, scalar_outcome
from kalshi_tui.practice.engine.model import ListedMarket
from kalshi_tui.practice.engine.payout import Payout
from kalshi_tui.practice.engine.rejection import Rejection
from kalshi_tui.practice.engine.state import EngineState

OUTCOME_RETRY_DELAY_MS: Final = 5_000
"""How often the outcome source is asked again when it does not know yet."""
DECIDED_STATUSES: Final = frozenset({MarketStatus.DETERMINED, MarketStatus.DISPUTED, MarketStatus.AMENDED})
_DETERMINABLE_STATUSES: Final = frozenset({MarketStatus.CLOSED, MarketStatus.DISPUTED})


class MarketResults:
    """Decides and settles markets: when the outcome source knows, and by hand."""

    def __init__(
        self,
        state: EngineState,
        changes: MarketChanges,
        payout: Payout,
        outcome_source: OutcomeSource | None = None,
    ) -> None:
        self._clock = state.clock
        self._ledger = state.ledger
        self._markets = state.markets
        self._changes = changes
        self._payout = payout
        self._outcome_source = outcome_source

    def determine(self, ticker: str, outcome: MarketOutcome) -> None:
        """Set a market's result; an open market is closed early first. The settlement timer then runs.

        Raises Rejection 404 for an unknown market, 409 for one that is decided already, 400 below the market's floor.
        """
        now = self._clock.advance()
        listing = self._markets.listing(ticker)
        _require_above_floor(listing, outcome)
        self._changes.close_early(listing, now)
        if listing.status not in _DETERMINABLE_STATUSES:
            raise Rejection(409, "market_determined", "market is determined already", ticker)
        self._determine(listing, outcome, now)

    def settle(self, ticker: str, outcome: MarketOutcome | None = None) -> None:
        """Pay a market out now, without its settlement timer; ``outcome`` decides it first where it is not decided.

        Raises Rejection 404 for an unknown market, 409 for a settled one, 400 for an undecided one without an outcome
        and for an outcome below the market's floor.
        """
        now = self._clock.advance()
        listing = self._markets.listing(ticker)
        if listing.status is MarketStatus.FINALIZED:
            raise Rejection(409, "market_settled", "market is settled already", ticker)
        if outcome is not None:
            _require_above_floor(listing, outcome)
        if outcome is not None and listing.status not in DECIDED_STATUSES:
            self._changes.close_early(listing, now)
            self._determine(listing, outcome, now)
        elif outcome is not None:
            self._apply_amended_result(listing, outcome, now)
        if listing.status not in DECIDED_STATUSES or listing.settlement_value is None:
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
        self._changes.announce(listing, LifecycleType.METADATA_UPDATED, now)

    def amend_result(self, ticker: str, outcome: MarketOutcome) -> None:
        """Change the result of a decided market; the settlement timer starts again.

        Raises Rejection 404, 409, or 400 below the market's floor.
        """
        now = self._clock.advance()
        listing = self._markets.listing(ticker)
        if listing.status not in DECIDED_STATUSES:
            raise Rejection(409, "market_not_determined", "market is not determined", ticker)
        _require_above_floor(listing, outcome)
        self._apply_amended_result(listing, outcome, now)

    def request_outcome(self, listing: ListedMarket, now: int) -> None:
        """Ask the outcome source about a closed market, again later where it does not know yet."""
        if listing.status is not MarketStatus.CLOSED or self._outcome_source is None:
            return
        found = combo_outcome(listing) if listing.terms.legs else self._outcome_source(listing.terms, now)
        outcome = _raise_to_floor(listing, found)
        if outcome is None:
            self._clock.schedule_at(now + OUTCOME_RETRY_DELAY_MS, lambda due: self.request_outcome(listing, due))
        else:
            self._determine(listing, outcome, now)

    def _apply_amended_result(self, listing: ListedMarket, outcome: MarketOutcome, now: int) -> None:
        self._set_result(listing, outcome, now, MarketStatus.AMENDED)

    def _determine(self, listing: ListedMarket, outcome: MarketOutcome, now: int) -> None:
        self._changes.cancel_resting(listing, now, UpdateReason.CLOSE)
        self._set_result(listing, outcome, now, MarketStatus.DETERMINED)

    def _set_result(self, listing: ListedMarket, outcome: MarketOutcome, now: int, status: MarketStatus) -> None:
        listing.status = status
        listing.result = outcome.result
        listing.settlement_value = outcome.value
        listing.expiration_value = outcome.expiration_value
        due = now + listing.terms.settlement_timer_s * 1_000
        listing.settle_ms = due
        self._clock.schedule_at(due, lambda at: self.finalize_when_due(listing, at))
        self._changes.announce(listing, LifecycleType.DETERMINED, now)
        for combo in listing.combos:
            self._update_combo(combo, now)

    def _update_combo(self, combo: ListedMarket, now: int) -> None:
        """Decide a combo as soon as its legs do, and again when the result of a leg has been amended."""
        outcome = _raise_to_floor(combo, combo_outcome(combo))
        if outcome is None or combo.status is MarketStatus.FINALIZED:
            return
        if combo.status in DECIDED_STATUSES:
            if combo.settlement_value != outcome.value:
                self._apply_amended_result(combo, outcome, now)
            return
        self._changes.close_early(combo, now)
        self._determine(combo, outcome, now)

    def finalize_when_due(self, listing: ListedMarket, now: int) -> None:
        """Pay a decided market out, once its settlement timer is over."""
        # The timer of a result that was amended since comes too early: only the present due time counts.
        if listing.settle_ms and listing.settle_ms <= now and listing.status in DECIDED_STATUSES:
            self._finalize(listing, now)

    def _finalize(self, listing: ListedMarket, now: int) -> None:
        listing.status = MarketStatus.FINALIZED
        listing.settle_ms = 0
        listing.settled_ms = now
        self._payout.pay_all(listing, now)
        listing.open_interest = 0
        self._markets.move_to_end(listing)
        self._changes.announce(listing, LifecycleType.SETTLED, now)
        self._ledger.flush_balances(now)


def _require_above_floor(listing: ListedMarket, outcome: MarketOutcome) -> None:
    """Raise Rejection 400 for a result below the floor: its holders have been paid the floor, and keep it."""
    floor = listing.settlement_floor or 0
    if outcome.value < floor:
        details = f"the result must not be below the settlement floor of {format_price(floor)}"
        raise Rejection(400, "bad_request", "bad request", details)


def _raise_to_floor(listing: ListedMarket, outcome: MarketOutcome | None) -> MarketOutcome | None:
    """Return an outcome, at least the floor that was raised meanwhile by hand: the outcome source knows of none."""
    floor = listing.settlement_floor or 0
    if outcome is None or outcome.value >= floor:
        return outcome
    return scalar_outcome(floor)
