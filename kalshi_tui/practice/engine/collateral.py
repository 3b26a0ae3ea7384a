"""The collateral that the open orders of one account hold on one side of one market.

An order holds what its fills could cost: the price of its outcome times the count that would open a position, and its
fees. A count that would close a position holds nothing: the position covers it, and what closing it returns pays the
fees first. Of several orders on one side the best-priced ones close first, as they would trade first.

Each side is computed as if the other were not there, so no sequence of fills and cancels, in any order, can take an
account below zero.
"""

from bisect import bisect_left, insort

from kalshi_tui.domain.price import PRICE_UNIT, Count, Money, Price


class SideCollateral:
    """Sums over the open orders of one side, and their counts by price; kept for accounts that post collateral."""

    __slots__ = ("cost", "count", "fees", "levels", "orders", "prices")

    def __init__(self) -> None:
        self.orders = 0
        self.cost: Money = 0
        self.count: Count = 0
        self.fees: Money = 0
        self.levels: dict[Price, Count] = {}
        self.prices: list[Price] = []

    def adjust(self, price: Price, delta: Count) -> None:
        """Change the open count at a price."""
        if not delta:
            return
        self.cost += price * delta
        self.count += delta
        count = self.levels.get(price)
        if count is None:
            self.levels[price] = delta
            insort(self.prices, price)
        elif count + delta:
            self.levels[price] = count + delta
        else:
            del self.levels[price]
            del self.prices[bisect_left(self.prices, price)]

    def required(self, closable: Count) -> Money:
        """Return what the side has to hold; ``closable`` is the position that its orders would close, if above 0."""
        fees, cost, count = self.fees, self.cost, self.count
        if closable <= 0:
            return cost + fees
        if closable >= count:
            # All of it closes. Only fees above what the closing returns need cash.
            return max(0, fees - (count * PRICE_UNIT - cost))
        proceeds = 0
        # The best prices close first, because they would trade first. Any other order of closing could release
        # collateral for an order that then opens a position nobody has paid for.
        for price in reversed(self.prices):
            closes = min(closable, self.levels[price])
            cost -= closes * price
            proceeds += closes * (PRICE_UNIT - price)
            closable -= closes
            if not closable:
                break
        # The surplus of the proceeds over the fees is not counted: it comes only if the closing part trades.
        return cost + max(0, fees - proceeds)
