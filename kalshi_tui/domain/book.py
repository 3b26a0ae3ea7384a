"""The order book of one market as Kalshi publishes it: bids for YES and bids for NO (docs/kalshi-api.md, section 4).

There are no asks on the wire. An ask for YES is a NO bid seen from the other side: YES ask = 1 - best NO bid.
Each side is two parallel sorted lists, prices and counts, which measured best over apply, top ten and full depth.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from enum import Enum
from functools import partial
from typing import Final, NamedTuple

from kalshi_tui.domain.price import PRICE_UNIT, Count, Price, format_count, format_price


class Side(Enum):
    """An outcome. The values are the exchange's words."""

    YES = "yes"
    NO = "no"

    @property
    def other(self) -> "Side":
        """The opposite outcome."""
        return Side.NO if self is Side.YES else Side.YES


_YES: Final = Side.YES
"""Reading an attribute of an enum costs more than the comparison with it."""


class Level(NamedTuple):
    """One price level: ``price`` in 1/10,000 dollar, ``size`` in 1/100 contract."""

    price: Price
    size: Count


_make_level: Final[Callable[[tuple[Price, Count]], Level]] = partial(tuple.__new__, Level)
"""As `Level._make` in half the time: levels are made at each change of a book that an alert watches."""


class BookError(Exception):
    """A frame that cannot be true of this book. The book must not be trusted until the next snapshot."""


class BidSide:
    """The bids of one outcome, ascending, best last."""

    __slots__ = ("counts", "prices")

    def __init__(self) -> None:
        self.prices: list[Price] = []
        self.counts: list[Count] = []

    def __len__(self) -> int:
        return len(self.prices)

    def replace(self, levels: Iterable[tuple[Price, Count]]) -> None:
        """Take a snapshot's levels, in any order; a level of count 0 is no level and is left out.

        Raises BookError on a repeated price, a count below 0 or a price outside 0..1.
        """
        ordered = sorted(levels)
        prices = [price for price, count in ordered if count]
        counts = [count for _, count in ordered if count]
        for place, price in enumerate(prices):
            if not 0 < price < PRICE_UNIT:
                raise BookError(f"a level at {format_price(price)}, outside 0 and 1 dollar")
            if place and prices[place - 1] == price:
                raise BookError(f"two levels at {format_price(price)} in one snapshot")
            if counts[place] < 0:
                raise BookError(f"a count of {format_count(counts[place])} at {format_price(price)}")
        self.prices = prices
        self.counts = counts

    def add(self, price: Price, delta: Count) -> Count:
        """Apply a signed change at a price and return the level's new count; a level that reaches 0 is gone.

        Raises BookError, and changes nothing, if the level would fall below 0 or the price is outside 0..1.
        """
        prices = self.prices
        place = bisect_left(prices, price)
        if place < len(prices) and prices[place] == price:
            count = self.counts[place] + delta
            if count > 0:
                self.counts[place] = count
            elif count == 0:
                del prices[place]
                del self.counts[place]
            else:
                raise BookError(
                    f"a change of {format_count(delta)} at {format_price(price)} where only "
                    f"{format_count(self.counts[place])} stand"
                )
            return count
        if delta < 0:
            raise BookError(f"a change of {format_count(delta)} at {format_price(price)} where nothing stands")
        if not 0 < price < PRICE_UNIT:
            raise BookError(f"a level at {format_price(price)}, outside 0 and 1 dollar")
        if delta:
            prices.insert(place, price)
            self.counts.insert(place, delta)
        return delta

    @property
    def best(self) -> Level | None:
        """The highest bid, or None for an empty side."""
        return Level(self.prices[-1], self.counts[-1]) if self.prices else None

    def count_at(self, price: Price) -> Count:
        """Return the count at a price, 0 for none."""
        place = bisect_left(self.prices, price)
        return self.counts[place] if place < len(self.prices) and self.prices[place] == price else 0

    def top(self, depth: int) -> list[Level]:
        """Return the best levels, best first, at most ``depth``."""
        if depth <= 0:
            return []
        return [
            Level(p, c) for p, c in zip(self.prices[: -depth - 1 : -1], self.counts[: -depth - 1 : -1], strict=True)
        ]

    def depth_from(self, price: Price) -> Count:
        """Sum the counts at ``price`` and better (higher)."""
        return sum(self.counts[bisect_left(self.prices, price) :])

    @property
    def total(self) -> Count:
        """The sum of all counts."""
        return sum(self.counts)


class Book:
    """The book of one market: ``yes`` and ``no`` bids, and what they imply.

    ``version`` goes up by one with each snapshot and delta taken, so that a screen can tell what state it has drawn;
    ``watcher`` is called after each delta. It must not raise.
    """

    __slots__ = ("no", "version", "watcher", "yes")

    def __init__(self) -> None:
        self.yes = BidSide()
        self.no = BidSide()
        self.version = 0
        self.watcher: Callable[[], None] | None = None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Book) and self.levels() == other.levels()

    __hash__ = None  # type: ignore[assignment]  # mutable

    def side(self, side: Side) -> BidSide:
        """Return the bids of an outcome."""
        return self.yes if side is Side.YES else self.no

    def snapshot(self, yes: Iterable[tuple[Price, Count]], no: Iterable[tuple[Price, Count]]) -> None:
        """Replace the whole book. Raises BookError, and changes nothing, if the levels cannot be a book."""
        new_yes, new_no = BidSide(), BidSide()
        new_yes.replace(yes)
        new_no.replace(no)
        self.yes, self.no = new_yes, new_no
        self.version += 1

    def apply(self, side: Side, price: Price, delta: Count) -> Count:
        """Apply one delta and return the level's new count. Raises BookError, changing nothing, if below 0."""
        bids = self.yes if side is _YES else self.no
        prices, counts = bids.prices, bids.counts
        place = bisect_left(prices, price)
        # The hot path: the usual cases of `BidSide.add` without a call; the rest, and every error, is left to it.
        if place < len(prices) and prices[place] == price:
            count = counts[place] + delta
            if count > 0:
                counts[place] = count
            elif not count:
                del prices[place], counts[place]
            else:
                bids.add(price, delta)
        elif delta > 0 and 0 < price < PRICE_UNIT:
            prices.insert(place, price)
            counts.insert(place, delta)
            count = delta
        else:
            count = bids.add(price, delta)
        self.version += 1
        if self.watcher is not None:
            self.watcher()
        return count

    def levels(self) -> tuple[Sequence[Level], Sequence[Level]]:
        """Return all levels of YES and NO, best first."""
        return self.yes.top(len(self.yes)), self.no.top(len(self.no))

    def best_bid(self, side: Side = Side.YES) -> Level | None:
        """Return the best bid for an outcome, None if nobody bids."""
        bids = self.yes if side is _YES else self.no
        prices = bids.prices
        return _make_level((prices[-1], bids.counts[-1])) if prices else None

    def best_ask(self, side: Side = Side.YES) -> Level | None:
        """Return the implied ask for an outcome: 1 - the other outcome's best bid, None if there is none."""
        bids = self.no if side is _YES else self.yes
        prices = bids.prices
        return _make_level((PRICE_UNIT - prices[-1], bids.counts[-1])) if prices else None

    def asks(self, side: Side, depth: int) -> list[Level]:
        """Return the implied asks of an outcome, best (lowest) first, at most ``depth``."""
        return [Level(PRICE_UNIT - level.price, level.size) for level in self.side(side.other).top(depth)]

    @property
    def touch(self) -> tuple[Price | None, Price | None]:
        """The prices of the best YES bid and of the best implied YES ask, None where there is none."""
        yes, no = self.yes.prices, self.no.prices
        return yes[-1] if yes else None, PRICE_UNIT - no[-1] if no else None

    @property
    def spread(self) -> Price | None:
        """YES ask - YES bid (the same for NO); None unless both sides have bids; 0 or less when crossed."""
        bid, ask = self.touch
        return None if bid is None or ask is None else ask - bid

    @property
    def crossed(self) -> bool:
        """Whether the best bids would trade with each other; never true of an exchange's book for long."""
        spread = self.spread
        return spread is not None and spread <= 0

    def mid_doubled(self, side: Side = Side.YES) -> int | None:
        """Twice the middle of bid and ask (doubled, so that it stays whole); None without both."""
        bid, ask = self.touch
        if bid is None or ask is None:
            return None
        return bid + ask if side is _YES else 2 * PRICE_UNIT - bid - ask

    def takeable(self, side: Side, limit: Price) -> Iterator[Level]:
        """Yield what a buyer of ``side`` could take at ``limit`` or better, best ask first."""
        other = self.side(side.other)
        for place in range(len(other.prices) - 1, -1, -1):
            ask = PRICE_UNIT - other.prices[place]
            if ask > limit:
                return
            yield Level(ask, other.counts[place])
