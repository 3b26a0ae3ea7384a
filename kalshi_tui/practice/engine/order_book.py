"""The resting orders of one market in price-time priority.

Both sides are bids, as the exchange publishes them: a bid for YES at p rests on side 0 at p, an ask at p rests on
side 1 as a bid for NO at 1 - p. An order's ``outcome_price`` is the price of the outcome that it buys. Two orders cross
when their outcome prices sum to a dollar or more, so one rule serves both sides.

The book knows nothing of an order but what `BookOrder` names.
"""

from bisect import bisect_left, insort
from typing import Generic, Protocol, Self, TypeVar

from kalshi_tui.domain.price import PRICE_UNIT, Count, Price

PriceLevels = list[tuple[Price, Count]]


class BookOrder(Protocol):
    """What the book needs of an order: its price and size, and the links to its neighbors in the queue."""

    outcome_price: Price
    remaining: Count
    is_resting: bool
    prev: Self | None
    next: Self | None


OrderT = TypeVar("OrderT", bound=BookOrder)


class OrderLevel(Generic[OrderT]):
    """The orders at one price, oldest first: a linked list, so that any of them can leave in constant time."""

    __slots__ = ("head", "outcome_price", "tail", "total")

    def __init__(self, outcome_price: Price) -> None:
        self.outcome_price = outcome_price
        self.total: Count = 0
        self.head: OrderT | None = None
        self.tail: OrderT | None = None


class RestingSide(Generic[OrderT]):
    """The bids for one outcome; ``prices`` ascend, best last."""

    __slots__ = ("levels", "prices")

    def __init__(self) -> None:
        self.prices: list[Price] = []
        self.levels: dict[Price, OrderLevel[OrderT]] = {}

    def add(self, order: OrderT) -> None:
        """Put an order at the end of the queue at its price."""
        price = order.outcome_price
        level = self.levels.get(price)
        if level is None:
            level = self.levels[price] = OrderLevel(price)
            if not self.prices or price > self.prices[-1]:
                self.prices.append(price)
            else:
                insort(self.prices, price)
        tail = level.tail
        if tail is None:
            level.head = order
        else:
            tail.next = order
            order.prev = tail
        level.tail = order
        level.total += order.remaining
        order.is_resting = True

    def remove(self, order: OrderT) -> None:
        """Remove an order with all of its remaining count."""
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

    def reduce(self, order: OrderT, by: Count) -> None:
        """Make an order smaller without moving it in the queue; remove it when nothing remains."""
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

    def orders(self) -> list[OrderT]:
        """Return all orders in the order in which they would trade."""
        found = []
        for price in reversed(self.prices):
            order = self.levels[price].head
            while order is not None:
                found.append(order)
                order = order.next
        return found

    def count_ahead_of(self, order: OrderT) -> Count:
        """Return the count that must trade before this order: better prices, then older orders at its own price."""
        levels, prices = self.levels, self.prices
        count = sum(levels[price].total for price in prices[bisect_left(prices, order.outcome_price) + 1 :])
        older = order.prev
        while older is not None:
            count += older.remaining
            older = older.prev
        return count

    def published_levels(self, depth: int = 0) -> PriceLevels:
        """Return the levels as published: ascending, best last; the best ``depth`` of them, or all for 0."""
        prices = self.prices[-depth:] if depth else self.prices
        levels = self.levels
        return [(price, levels[price].total) for price in prices]


class MatchingBook(Generic[OrderT]):
    """Both sides of one market."""

    __slots__ = ("sides",)

    def __init__(self) -> None:
        self.sides: tuple[RestingSide[OrderT], RestingSide[OrderT]] = (RestingSide(), RestingSide())

    def top(self) -> tuple[Price, Count, Price, Count]:
        """Return YES bid, its size, YES ask, its size; an empty side is 0, 0 or 10,000, 0 as the ticker has it."""
        yes, no = self.sides
        bid = bid_size = ask_size = 0
        ask = PRICE_UNIT
        if yes.prices:
            bid = yes.prices[-1]
            bid_size = yes.levels[bid].total
        if no.prices:
            price = no.prices[-1]
            ask = PRICE_UNIT - price
            ask_size = no.levels[price].total
        return bid, bid_size, ask, ask_size

    def would_cross(self, side: int, outcome_price: Price) -> bool:
        """Return whether an order would trade at once."""
        prices = self.sides[1 - side].prices
        return bool(prices) and prices[-1] + outcome_price >= PRICE_UNIT
