"""The resting orders of one market in price-time priority.

Both sides are bids, as the exchange publishes them: a bid for YES at p stands on side 0 at p, an ask at p stands on
side 1 as a bid for NO at 1 - p. ``own`` is that price, of the outcome which the order buys; two orders cross when their
own prices make a dollar or more. One rule then serves both sides.
"""

from bisect import bisect_left, insort

from kalshi_tui.domain.price import PRICE_UNIT, Count, Price
from kalshi_tui.practice.engine.orders import EngineOrder

PriceLevels = list[tuple[Price, Count]]


class OrderLevel:
    """The orders at one price, oldest first: a linked list, so that any of them can leave at once."""

    __slots__ = ("head", "outcome_price", "tail", "total")

    def __init__(self, outcome_price: Price) -> None:
        self.outcome_price = outcome_price
        self.total: Count = 0
        self.head: EngineOrder | None = None
        self.tail: EngineOrder | None = None


class RestingSide:
    """The bids for one outcome; ``prices`` ascend, best last."""

    __slots__ = ("levels", "prices")

    def __init__(self) -> None:
        self.prices: list[Price] = []
        self.levels: dict[Price, OrderLevel] = {}

    def add(self, order: EngineOrder) -> None:
        """Put an order at the end of its price's queue."""
        own = order.outcome_price
        level = self.levels.get(own)
        if level is None:
            level = self.levels[own] = OrderLevel(own)
            if not self.prices or own > self.prices[-1]:
                self.prices.append(own)
            else:
                insort(self.prices, own)
        tail = level.tail
        if tail is None:
            level.head = order
        else:
            tail.next = order
            order.prev = tail
        level.tail = order
        level.total += order.remaining
        order.is_resting = True

    def remove(self, order: EngineOrder) -> None:
        """Take an order out, with all that it has left."""
        level = self.levels[order.outcome_price]
        level.total -= order.remaining
        before, after = order.prev, order.next
        if before is None:
            level.head = after
        else:
            before.next = after
        if after is None:
            level.tail = before
        else:
            after.prev = before
        order.prev = order.next = None
        order.is_resting = False
        if level.head is None:
            self._remove_level(level.outcome_price)

    def reduce(self, order: EngineOrder, by: Count) -> None:
        """Make an order smaller where it stands; one that has nothing left leaves."""
        if by == order.remaining:
            self.remove(order)
        else:
            self.levels[order.outcome_price].total -= by
        order.remaining -= by

    def _remove_level(self, outcome_price: Price) -> None:
        del self.levels[outcome_price]
        prices = self.prices
        if prices[-1] == outcome_price:
            prices.pop()
        else:
            del prices[bisect_left(prices, outcome_price)]

    def orders(self) -> list[EngineOrder]:
        """Return all orders in the order in which they would trade."""
        found = []
        for own in reversed(self.prices):
            order = self.levels[own].head
            while order is not None:
                found.append(order)
                order = order.next
        return found

    def count_ahead_of(self, order: EngineOrder) -> Count:
        """Return the count that must trade before this order does: better prices, then its seniors at its own."""
        levels, prices = self.levels, self.prices
        count = sum(levels[own].total for own in prices[bisect_left(prices, order.outcome_price) + 1 :])
        senior = order.prev
        while senior is not None:
            count += senior.remaining
            senior = senior.prev
        return count

    def published_levels(self, depth: int = 0) -> PriceLevels:
        """Return the levels as published: ascending, best last; the best ``depth`` of them, or all for 0."""
        prices = self.prices[-depth:] if depth else self.prices
        levels = self.levels
        return [(own, levels[own].total) for own in prices]


class MatchingBook:
    """Both sides of one market."""

    __slots__ = ("sides",)

    def __init__(self) -> None:
        self.sides = (RestingSide(), RestingSide())

    def top(self) -> tuple[Price, Count, Price, Count]:
        """Return YES bid, its size, YES ask, its size; an empty side is 0, 0 or 10,000, 0 as the ticker has it."""
        yes, no = self.sides
        bid = bid_size = ask_size = 0
        ask = PRICE_UNIT
        if yes.prices:
            bid = yes.prices[-1]
            bid_size = yes.levels[bid].total
        if no.prices:
            own = no.prices[-1]
            ask = PRICE_UNIT - own
            ask_size = no.levels[own].total
        return bid, bid_size, ask, ask_size

    def would_cross(self, side: int, outcome_price: Price) -> bool:
        """Return whether an order would trade at once."""
        prices = self.sides[1 - side].prices
        return bool(prices) and prices[-1] + outcome_price >= PRICE_UNIT
