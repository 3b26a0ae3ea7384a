"""Changes of a market that several parts make: what is announced, what is canceled, and an early close."""

from kalshi_tui.domain.market import MarketStatus
from kalshi_tui.domain.update_reason import UpdateReason
from kalshi_tui.practice.engine.book_policy import BookPolicy
from kalshi_tui.practice.engine.events import LifecycleChanged, LifecycleType
from kalshi_tui.practice.engine.matching import Matcher
from kalshi_tui.practice.engine.model import ListedMarket
from kalshi_tui.practice.engine.state import EngineState


class MarketChanges:
    """Announces changes, cancels what rests in a market, and closes one early."""

    def __init__(self, state: EngineState, matcher: Matcher, policy: BookPolicy) -> None:
        self._ledger = state.ledger
        self._emit = state.event_log.emit
        self._matcher = matcher
        self._policy = policy

    def announce(self, listing: ListedMarket, kind: LifecycleType, now: int) -> None:
        """Emit a change that the exchange announces."""
        listing.updated_ms = now
        self._emit(LifecycleChanged(listing.ticker, kind, now))

    def cancel_resting(self, listing: ListedMarket, now: int, reason: UpdateReason) -> None:
        """Cancel all that rests in a market."""
        for order in self._policy.orders_to_cancel(listing):
            self._matcher.cancel(order, now, reason)
        self._policy.update_quote(listing, now)
        self._ledger.flush_balances(now)

    def close_early(self, listing: ListedMarket, now: int) -> None:
        """Close a market that is not closed yet, and cancel what rests in it."""
        if listing.status in {MarketStatus.INITIALIZED, MarketStatus.ACTIVE, MarketStatus.INACTIVE}:
            listing.close_ms = now
            listing.status = MarketStatus.CLOSED
            self.announce(listing, LifecycleType.CLOSE_DATE_UPDATED, now)
            self.cancel_resting(listing, now, UpdateReason.CLOSE)
