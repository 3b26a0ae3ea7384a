"""Recorded levels as resting orders of one account in the real engine, and how a trader's orders get their turn.

PRACTICE.md tells the rules under "Playing a recording": a trader's order joins behind what rests there; what leaves the
level leaves from the front; a recorded trade there works off what is ahead, then fills it; one at a worse price fills
it at once. The recording itself is never moved by the trader.
"""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Final

from kalshi_tui.domain.book import Book, Side
from kalshi_tui.domain.order import BookSide, TimeInForce
from kalshi_tui.domain.price import PRICE_UNIT, Count, Price
from kalshi_tui.domain.update_reason import UpdateReason
from kalshi_tui.practice.engine.events import BookChanged
from kalshi_tui.practice.engine.exchange import Exchange
from kalshi_tui.practice.engine.model import OUTCOME_SIDES, EngineAccount, EngineOrder, ListedMarket
from kalshi_tui.practice.engine.order_book import OrderLevel
from kalshi_tui.practice.engine.records import MarketRecord, TradeRecord
from kalshi_tui.practice.engine.state import EngineState
from kalshi_tui.practice.engine.terms import GRIDS, LINEAR_CENT

TRADE_TO_DELTA_WINDOW_MS: Final = 1_000
"""A trade and the change of the level that it makes come on two subscriptions, at most so far apart."""


class RecordedBookPolicy:
    """The engine's `BookPolicy` where the recording, not the engine, says what the public sees."""

    def __init__(self, state: EngineState) -> None:
        self._ledger = state.ledger
        self._markets = state.markets

    def update_quote(self, listing: ListedMarket, now: int, *, traded: bool = False) -> None:
        """Do nothing: quotes are as they were recorded."""

    def orders_to_cancel(self, listing: ListedMarket) -> Iterable[EngineOrder]:
        """Return the traders' orders alone: the recording tells what becomes of its own."""
        return [each for each in self._ledger.resting_orders() if each.listing is listing]

    def saved_market(self, record: MarketRecord) -> MarketRecord | None:
        """Leave a market as the recording has it; give one of another recording a grid that is known here."""
        if record.terms.ticker in self._markets.listings:
            return None
        return replace(record, structure=record.structure if record.structure in GRIDS else LINEAR_CENT)


@dataclass(slots=True)
class RecordedLevel:
    """One recorded level: its count in the recording, and the orders that make it up here, oldest first.

    Where a trader has taken some, less rests than was recorded.
    """

    recorded_count: Count = 0
    orders: deque[EngineOrder] = field(default_factory=deque)

    def resting_count(self) -> Count:
        """Return what rests; forget orders that were taken whole."""
        orders = self.orders
        if len(orders) == 1:
            return orders[0].remaining
        while orders and not orders[0].remaining:
            orders.popleft()
        return sum(order.remaining for order in orders)


@dataclass(slots=True)
class PendingReduction:
    """What has left the queue ahead of a trader's order and may still turn out to have traded.

    A recorded trade and its change of the level come in either order. Below 0, the trade has come and its change has
    not. Without it the one event would move the trader's order forward twice.
    """

    count: Count = 0
    updated_ms: int = 0

    def count_at(self, now: int) -> Count:
        """Return it as of now; what is older than the window belongs to no trade and is forgotten."""
        if now - self.updated_ms > TRADE_TO_DELTA_WINDOW_MS:
            self.count = 0
        return self.count


RecordedSides = tuple[dict[Price, RecordedLevel], dict[Price, RecordedLevel]]


class RecordedBooks:
    """All recorded levels; ``account`` is the one whose orders make them up."""

    def __init__(self, exchange: Exchange, account: EngineAccount) -> None:
        self._clock = exchange.clock
        self._ledger = exchange.ledger
        self._matcher = exchange.matcher
        self._emit = exchange.state.event_log.emit
        self._account = account
        self._levels_by_ticker: dict[str, RecordedSides] = {}
        self._pending_reductions: dict[str, PendingReduction] = {}
        """By the id of a trader's resting order."""

    def apply_delta(self, listing: ListedMarket, side: Side, price: Price, delta: Count) -> None:
        """Change a recorded recorded."""
        index = 0 if side is Side.YES else 1
        recorded = self._recorded_level(listing, index, price)
        if delta > 0:
            recorded.recorded_count += delta
            self._add_to_level(listing, index, price, recorded, delta)
        else:
            # What a trader took has left here before the recording tells of it: it must not leave a second time.
            missing = recorded.recorded_count - recorded.resting_count()
            recorded.recorded_count += delta
            if -delta > missing:
                self._remove_from_level(listing, index, price, recorded, -delta - missing)
        if not recorded.recorded_count:
            del self._recorded_sides(listing)[index][price]

    def replace_book(self, listing: ListedMarket, book: Book | None) -> None:
        """Make all levels what was recorded: what a trader had taken rests again."""
        wanted = (
            [dict(zip(each.prices, each.counts, strict=True)) for each in (book.yes, book.no)]
            if book is not None
            else [{}, {}]
        )
        sides = self._recorded_sides(listing)
        for index in (0, 1):
            for price, recorded in list(sides[index].items()):
                count = wanted[index].get(price, 0)
                over = recorded.resting_count() - count
                if over > 0:
                    self._remove_from_level(listing, index, price, recorded, over)
                recorded.recorded_count = count
                if not count:
                    del sides[index][price]
        for index in (0, 1):
            for price, count in wanted[index].items():
                recorded = self._recorded_level(listing, index, price)
                recorded.recorded_count = count
                if (under := count - recorded.resting_count()) > 0:
                    self._add_to_level(listing, index, price, recorded, under)

    def apply_trade(self, listing: ListedMarket, trade: TradeRecord) -> None:
        """Let a recorded trade fill the traders' orders that it would have filled."""
        if self._has_trader_orders(listing):
            self._apply_trade_to_queue(listing, trade)

    def cancel_trader_orders(self) -> int:
        """Cancel all the traders' resting orders. Return how many there were."""
        now = self._clock.read_ms()
        orders = list(self._ledger.resting_orders())
        for order in orders:
            self._matcher.cancel(order, now, UpdateReason.HALT)
        self._ledger.flush_balances(now)
        self._pending_reductions.clear()
        return len(orders)

    def _recorded_sides(self, listing: ListedMarket) -> RecordedSides:
        found = self._levels_by_ticker.get(listing.ticker)
        if found is None:
            found = self._levels_by_ticker[listing.ticker] = ({}, {})
        return found

    def _recorded_level(self, listing: ListedMarket, index: int, price: Price) -> RecordedLevel:
        levels = self._recorded_sides(listing)[index]
        found = levels.get(price)
        if found is None:
            found = levels[price] = RecordedLevel()
        return found

    def _has_trader_orders(self, listing: ListedMarket) -> bool:
        """Return whether any trader's order rests in a market. Called at each change: usually there is none at all."""
        for account in self._ledger.accounts.values():
            if account.resting_orders:
                for order in account.resting_orders.values():
                    if order.listing is listing:
                        return True
        return False

    def _add_to_level(
        self, listing: ListedMarket, index: int, price: Price, recorded_level: RecordedLevel, count: Count
    ) -> None:
        """Add to a level, behind all that rests there; what meets a trader's order across trades with it first."""
        now = self._clock.read_ms()
        if self._has_trader_orders(listing):
            count = self._match_crossing(listing, index, price, count, now)
            if not count:
                return
        side = listing.book.sides[index]
        level = side.levels.get(price)
        orders = recorded_level.orders
        # Grow the last order where nobody is behind it. Behind a trader's order it must be a new one, or the trader
        # would wait for more than was ahead of it when it came.
        if level is not None and orders and level.tail is orders[-1]:
            tail = orders[-1]
            tail.remaining += count
            tail.initial += count
            level.total += count
        else:
            account = self._account
            order = EngineOrder("", account, listing, account.holding(listing), index, price, count, now)
            side.add(order)
            orders.append(order)
        self._emit(BookChanged(listing.ticker, OUTCOME_SIDES[index], price, count, now))

    def _remove_from_level(
        self, listing: ListedMarket, index: int, price: Price, recorded_level: RecordedLevel, count: Count
    ) -> None:
        """Take from a level: what leaves, leaves from the front."""
        now = self._clock.read_ms()
        side = listing.book.sides[index]
        orders = recorded_level.orders
        left = count
        while left and orders:
            order = orders[0]
            taken = min(left, order.remaining)
            if taken:
                # A trade may still tell that this was filled and not canceled: see `PendingReduction`.
                if order.next is not None and (behind := self._next_trader_order(order)) is not None:
                    reduction = self._pending_reduction(behind, now)
                    reduction.count += taken
                side.reduce(order, taken)
                left -= taken
            if not order.remaining:
                orders.popleft()
        if count > left:
            self._emit(BookChanged(listing.ticker, OUTCOME_SIDES[index], price, left - count, now))

    def _next_trader_order(self, order: EngineOrder) -> EngineOrder | None:
        """Return the next trader's order behind a recorded one."""
        found = order.next
        while found is not None and found.account is self._account:
            found = found.next
        return found

    def _pending_reduction(self, order: EngineOrder, now: int) -> PendingReduction:
        if len(self._pending_reductions) > 1_000:
            live = {each.order_id for each in self._ledger.resting_orders()}
            self._pending_reductions = {
                order_id: reduction for order_id, reduction in self._pending_reductions.items() if order_id in live
            }
        reduction = self._pending_reductions.setdefault(order.order_id, PendingReduction())
        reduction.count_at(now)
        reduction.updated_ms = now
        return reduction

    # -- the traders' resting orders ---------------------------------------------------------------------------------

    def _match_crossing(self, listing: ListedMarket, index: int, price: Price, count: Count, now: int) -> Count:
        """Trade what was added with the traders' orders across that it meets. Return what is left of it."""
        other = listing.book.sides[1 - index]
        for level_price in [each for each in reversed(other.prices) if each + price >= PRICE_UNIT]:
            level = other.levels[level_price]
            for maker in _orders_at_level(level):
                if count and maker.account is not self._account:
                    taken = min(count, maker.remaining)
                    self._fill_trader_order(maker, level, taken, now)
                    count -= taken
        return count

    def _apply_trade_to_queue(self, listing: ListedMarket, trade: TradeRecord) -> None:
        """Fill the traders' resting orders as a recorded trade would have: better prices whole, its own by turn."""
        index = 1 if trade.taker_side is BookSide.BID else 0
        traded = PRICE_UNIT - trade.price if index else trade.price
        side = listing.book.sides[index]
        now = self._clock.read_ms()
        left = trade.count
        for level_price in [each for each in reversed(side.prices) if each >= traded]:
            level = side.levels[level_price]
            resting_ahead: Count = 0
            for order in _orders_at_level(level):
                if not left:
                    return
                if order.account is self._account:
                    resting_ahead += order.remaining
                    continue
                # At the traded price the trade first works off what is ahead. At a better price it would have met the
                # trader's order first.
                if level_price == traded:
                    reduction = self._pending_reduction(order, now)
                    ahead = min(left, max(0, resting_ahead + reduction.count))
                    reduction.count -= ahead
                    left -= ahead
                resting_ahead = 0
                taken = min(left, order.remaining)
                if taken:
                    self._fill_trader_order(order, level, taken, now)
                    left -= taken

    def _fill_trader_order(self, maker: EngineOrder, level: OrderLevel[EngineOrder], count: Count, now: int) -> None:
        """Fill a trader's resting order, at its own price, against the recorded account."""
        account, listing = self._account, maker.listing
        price = PRICE_UNIT - maker.outcome_price
        taker = EngineOrder(
            "", account, listing, account.holding(listing), 1 - maker.side, price, count, now, TimeInForce.IOC
        )
        self._matcher.execute_trade(taker, maker, level, count, now)
        self._ledger.flush_balances(now)


def _orders_at_level(level: OrderLevel[EngineOrder]) -> list[EngineOrder]:
    """Return a level's orders, oldest first, as they are now: some leave while they are looked at."""
    found = []
    order = level.head
    while order is not None:
        found.append(order)
        order = order.next
    return found
