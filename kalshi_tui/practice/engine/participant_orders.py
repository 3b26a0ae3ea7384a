"""What the simulated participants do on the exchange: the same matching, without records of it and without checks."""

from kalshi_tui.domain.order import TimeInForce
from kalshi_tui.domain.price import PRICE_UNIT, Count, Price
from kalshi_tui.domain.update_reason import UpdateReason
from kalshi_tui.practice.engine.matching import Matcher
from kalshi_tui.practice.engine.model import EngineAccount, EngineOrder, Holding, ListedMarket
from kalshi_tui.practice.engine.records import OrderStatus
from kalshi_tui.practice.engine.state import EngineState


class ParticipantOrders:
    """Orders of accounts that keep no history and post no collateral. Thousands a second: nothing is looked up."""

    def __init__(self, state: EngineState, matcher: Matcher) -> None:
        self._ids = state.ids
        self._ledger = state.ledger
        self._matcher = matcher

    def place(
        self,
        account: EngineAccount,
        listing: ListedMarket,
        side: int,
        outcome_price: Price,
        count: Count,
        now: int,
        *,
        tif: TimeInForce = TimeInForce.GTC,
    ) -> EngineOrder:
        """Place an order whose terms the caller vouches for.

        ``outcome_price`` is the price of the outcome it buys (``side`` 0 YES, 1 NO) and must be on the market's grid;
        the market must be active. Own resting orders that it meets are canceled.
        """
        order = EngineOrder(
            self._ids.new_id(), account, listing, account.holding(listing), side, outcome_price, count, now, tif
        )
        if (PRICE_UNIT - outcome_price if side else outcome_price) <= (listing.settlement_floor or 0):
            # No order may stand at or below the floor: this one is gone at once.
            order.status = OrderStatus.CANCELED
            return order
        matcher = self._matcher
        matcher.match_or_rest(order, now, crosses=listing.book.would_cross(side, outcome_price))
        matcher.update_quote(listing, now, traded=order.filled > 0)
        # A trader's order may have been on the other side.
        self._ledger.flush_balances(now)
        return order

    def cancel(self, order: EngineOrder, now: int) -> None:
        """Cancel an order, if it still rests."""
        if order.is_resting:
            self._matcher.cancel(order, now, UpdateReason.DECREASE)
            self._matcher.update_quote(order.listing, now)

    def mint_pairs(
        self, listing: ListedMarket, longs: EngineAccount, shorts: EngineAccount, count: Count, price: Price
    ) -> None:
        """Credit one account with YES and another with NO, without a trade: a world's first open interest."""
        shard = listing.shard
        before = _total_long(longs.holding(listing), shorts.holding(listing))
        for account, side, outcome_price in ((longs, 0, price), (shorts, 1, PRICE_UNIT - price)):
            change = account.holding(listing).apply_fill(side, outcome_price, count, 0)
            account.cash[shard] += change
            self._ledger.escrow[shard] -= change
        listing.open_interest += _total_long(longs.holding(listing), shorts.holding(listing)) - before


def _total_long(*holdings: Holding) -> Count:
    return sum(max(each.position, 0) for each in holdings)
