"""The pauses of the exchange: of trading alone, or of everything (docs/kalshi-api.md, sections 8 and 10)."""

from kalshi_tui.practice.engine.matching import Matcher
from kalshi_tui.practice.engine.rejection import Rejection
from kalshi_tui.practice.engine.state import EngineState


class ExchangePauses:
    """Whether the exchange is up and trades; a pause cancels the orders that asked for it."""

    def __init__(self, state: EngineState, matcher: Matcher) -> None:
        self._state = state
        self._matcher = matcher
        self.trading_active = True
        self.exchange_active = True
        self.resume_ms: int | None = None
        """The estimated end of a pause, if one was given."""

    def require_trading_active(self) -> None:
        """Raise Rejection 503 while orders cannot be placed or amended."""
        self.require_exchange_active()
        if not self.trading_active:
            raise Rejection(
                503, "trading_paused", "trading is paused", "placing and amending orders is not possible now"
            )

    def require_exchange_active(self) -> None:
        """Raise Rejection 503 while nothing can be changed."""
        if not self.exchange_active:
            raise Rejection(503, "exchange_paused", "exchange is paused", "nothing is possible now")

    def pause_trading(self, resume_ms: int | None = None) -> None:
        """Reject placing and amending, allow canceling; cancel the orders that asked for it."""
        now = self._state.clock.advance()
        self.trading_active = False
        self.resume_ms = resume_ms
        self._cancel_on_pause(now)

    def resume_trading(self) -> None:
        """End a trading pause."""
        self._state.clock.advance()
        self.trading_active = True
        self.resume_ms = None

    def pause_exchange(self, resume_ms: int | None = None) -> None:
        """Reject everything that changes state; cancel the orders that asked for it."""
        now = self._state.clock.advance()
        self.exchange_active = False
        self.resume_ms = resume_ms
        self._cancel_on_pause(now)

    def resume_exchange(self) -> None:
        """End an exchange pause."""
        self._state.clock.advance()
        self.exchange_active = True
        self.resume_ms = None

    def _cancel_on_pause(self, now: int) -> None:
        for order in list(self._state.ledger.resting_orders()):
            # The list is a copy, since a cancel takes the order out of what is iterated.
            if order.cancel_on_pause and order.is_resting:
                self._matcher.cancel(order, now, "paused")
                self._matcher.update_quote(order.listing, now)
        self._state.ledger.flush_balances(now)
