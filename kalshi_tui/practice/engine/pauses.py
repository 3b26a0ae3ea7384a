"""The pauses of the exchange, as a whole or of one shard (docs/kalshi-api.md, sections 8, 10 and 14).

A pause is of trading, of transfers between shards, or of everything.
"""

from collections.abc import Iterable

from kalshi_tui.domain.update_reason import UpdateReason
from kalshi_tui.practice.engine.matching import Matcher
from kalshi_tui.practice.engine.rejection import Rejection
from kalshi_tui.practice.engine.state import EngineState


class ExchangePauses:
    """Which shards are up and trade; a pause cancels the orders on them that asked for it."""

    def __init__(self, state: EngineState, matcher: Matcher) -> None:
        self._state = state
        self._matcher = matcher
        self._without_trading: set[int] = set()
        self._without_transfers: set[int] = set()
        self._down: set[int] = set()
        self.resume_ms: int | None = None
        """The estimated end of a pause, if one was given."""
        self.announced: list[tuple[int, int]] = []
        """Pauses of everything that are planned, beginning and end in Unix milliseconds."""

    @property
    def trading_active(self) -> bool:
        """Whether shard 0 trades: what the exchange says of itself as a whole."""
        return self.trading_active_on(0)

    @property
    def exchange_active(self) -> bool:
        """Whether shard 0 is up: what the exchange says of itself as a whole."""
        return self.exchange_active_on(0)

    @property
    def trades_anywhere(self) -> bool:
        """Whether any shard trades."""
        return any(self.trading_active_on(shard) for shard in self._state.ledger.deposited)

    def trading_active_on(self, shard: int) -> bool:
        """Return whether orders can be placed and amended on a shard."""
        return self.exchange_active_on(shard) and shard not in self._without_trading

    def exchange_active_on(self, shard: int) -> bool:
        """Return whether anything can be changed on a shard."""
        return shard not in self._down

    def transfers_active_on(self, shard: int) -> bool:
        """Return whether cash can be moved from and to a shard."""
        return self.exchange_active_on(shard) and shard not in self._without_transfers

    def require_trading_active(self, shard: int) -> None:
        """Raise Rejection 503 while orders cannot be placed or amended on a shard."""
        self.require_exchange_active(shard)
        if shard in self._without_trading:
            raise Rejection(
                503, "trading_paused", "trading is paused", "placing and amending orders is not possible now"
            )

    def require_exchange_active(self, shard: int) -> None:
        """Raise Rejection 503 while nothing can be changed on a shard."""
        if shard in self._down:
            raise Rejection(503, "exchange_paused", "exchange is paused", "nothing is possible now")

    def require_transfers_active(self, shard: int) -> None:
        """Raise Rejection 503 while cash cannot be moved from and to a shard."""
        self.require_exchange_active(shard)
        if shard in self._without_transfers:
            raise Rejection(503, "transfers_paused", "transfers are paused", "cash cannot be moved now")

    def pause_trading(self, resume_ms: int | None = None, shard: int | None = None) -> None:
        """Reject placing and amending on one shard or all, allow canceling; cancel the orders that asked for it."""
        now = self._state.clock.advance()
        self._without_trading |= self._named(shard)
        self.resume_ms = resume_ms
        self._cancel_on_pause(now)

    def resume_trading(self, shard: int | None = None) -> None:
        """End a trading pause, of one shard or all."""
        self._state.clock.advance()
        self._without_trading -= self._named(shard)
        self.resume_ms = None

    def pause_exchange(self, resume_ms: int | None = None, shard: int | None = None) -> None:
        """Reject everything that changes state, on one shard or all; cancel the orders that asked for it."""
        now = self._state.clock.advance()
        self._down |= self._named(shard)
        self.resume_ms = resume_ms
        self._cancel_on_pause(now)

    def resume_exchange(self, shard: int | None = None) -> None:
        """End an exchange pause, of one shard or all."""
        self._state.clock.advance()
        self._down -= self._named(shard)
        self.resume_ms = None

    def announce(self, start_ms: int, end_ms: int) -> None:
        """Plan a pause of the whole exchange: it is told ahead, and begins and ends by itself."""
        self.announced.append((start_ms, end_ms))

        def begin(now: int) -> None:
            self._down |= self._named(None)
            self.resume_ms = end_ms
            self._cancel_on_pause(now)

        def end(now: int) -> None:
            del now
            self._down.clear()
            self.resume_ms = None
            self.announced.remove((start_ms, end_ms))

        self._state.clock.schedule_at(start_ms, begin)
        self._state.clock.schedule_at(end_ms, end)

    def pause_transfers(self, shard: int | None = None) -> None:
        """Reject transfers from and to one shard, or all."""
        self._without_transfers |= self._named(shard)

    def resume_transfers(self, shard: int | None = None) -> None:
        """Accept transfers again."""
        self._without_transfers -= self._named(shard)

    def _named(self, shard: int | None) -> set[int]:
        """Return one shard, or all for None. Raises Rejection 400 for one that is not there."""
        known: Iterable[int] = self._state.ledger.deposited
        if shard is None:
            return set(known)
        if shard not in known:
            raise Rejection(400, "bad_request", "bad request", "no such exchange_index")
        return {shard}

    def _cancel_on_pause(self, now: int) -> None:
        for order in list(self._state.ledger.resting_orders()):
            # The list is a copy, since a cancel takes the order out of what is iterated.
            if order.cancel_on_pause and order.is_resting and not self.trading_active_on(order.listing.shard):
                self._matcher.cancel(order, now, UpdateReason.HALT)
                self._matcher.update_quote(order.listing, now)
        self._state.ledger.flush_balances(now)
