"""Settlement floors: what every YES of a market is paid before its result (docs/kalshi-api.md, section 16).

Only rises are rehearsed. An order that buys YES holds its whole price until it trades, and then costs that less the
floor.
"""

from kalshi_tui.domain.market import MarketStatus
from kalshi_tui.domain.price import PRICE_UNIT, Price
from kalshi_tui.domain.update_reason import UpdateReason
from kalshi_tui.practice.engine.book_policy import BookPolicy
from kalshi_tui.practice.engine.events import PositionChanged, UnannouncedStatusChange
from kalshi_tui.practice.engine.matching import Matcher
from kalshi_tui.practice.engine.model import ListedMarket
from kalshi_tui.practice.engine.rejection import Rejection
from kalshi_tui.practice.engine.state import EngineState

FLOOR_STEP: Price = 100
"""Whole cents, so that what a hundredth of a contract is paid is a whole $0.0001."""


class SettlementFloors:
    """Raises the floors of markets."""

    def __init__(self, state: EngineState, matcher: Matcher, policy: BookPolicy) -> None:
        self._clock = state.clock
        self._ledger = state.ledger
        self._markets = state.markets
        self._emit = state.event_log.emit
        self._matcher = matcher
        self._policy = policy

    def raise_floor(self, ticker: str, floor: Price) -> None:
        """Raise a market's floor from 0 or from what it is: YES holders are paid the rise, orders below it canceled.

        Raises Rejection: 404 for an unknown market, 409 for one that has ended, 400 for a floor that cannot be.
        """
        now = self._clock.advance()
        listing = self._markets.listing(ticker)
        if listing.status not in {MarketStatus.ACTIVE, MarketStatus.INACTIVE, MarketStatus.INITIALIZED}:
            raise Rejection(409, "MARKET_INACTIVE", "market is not active", ticker)
        if self._markets.event(listing.terms.event_ticker).mutually_exclusive:
            raise Rejection(400, "bad_request", "bad request", "an event of netted outcomes has no settlement floor")
        before = listing.settlement_floor or 0
        if not before <= floor < PRICE_UNIT or floor % FLOOR_STEP:
            raise Rejection(400, "bad_request", "bad request", "the floor only rises, in whole cents, below $1")
        listing.settlement_floor = floor
        listing.updated_ms = now
        self._pay_rise(listing, floor - before, now)
        if floor:
            self._cancel_orders_below(listing, floor, now)
        # No event for a raise is documented, so nobody is told; a restart has to know it.
        self._emit(UnannouncedStatusChange(ticker, now))
        self._policy.update_quote(listing, now)
        self._ledger.flush_balances(now)

    def _pay_rise(self, listing: ListedMarket, rise: Price, now: int) -> None:
        for account in self._ledger.accounts.values():
            holding = account.holdings.get(listing.ticker)
            if holding is None or holding.position <= 0 or not rise:
                continue
            paid = holding.position * rise
            account.cash[listing.shard] += paid
            self._ledger.escrow[listing.shard] -= paid
            # A part of what the contracts cost has come back.
            holding.cost -= paid
            holding.updated_ms = now
            if account.keeps_history:
                self._ledger.mark_balance_changed(account, listing.shard)
                self._emit(PositionChanged(holding.to_record()))

    def _cancel_orders_below(self, listing: ListedMarket, floor: Price, now: int) -> None:
        for order in list(self._policy.orders_to_cancel(listing)):
            if order.price <= floor:
                self._matcher.cancel(order, now, UpdateReason.SETTLEMENT_BOUNDS)
