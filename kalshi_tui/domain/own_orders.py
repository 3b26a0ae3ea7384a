"""The account's own resting orders in one market, as the preview of a further order counts them. Exact and pure.

An order of one's own is no liquidity (docs/kalshi-api.md, section 6), what rests on the same side closes the holding
first, and what it may cost is set aside already.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from kalshi_tui.domain.book import Book, Level
from kalshi_tui.domain.order import (
    Action,
    BookSide,
    Order,
    OrderState,
    OrderTerms,
    SelfTrade,
    TimeInForce,
    to_outcome_price,
)
from kalshi_tui.domain.position import Position
from kalshi_tui.domain.price import PRICE_UNIT, Count, Money, Price


@dataclass(frozen=True, slots=True)
class OwnOrders:
    """What rests, or may rest, of the account's own in one market, in all its subaccounts."""

    orders: tuple[Order, ...] = ()
    subaccount: int = 0
    """The subaccount that the further order is for: what rests there counts for its holding and its cash."""
    ahead: Mapping[str, Count] = field(default_factory=dict)
    """By order id how many contracts stand before an order at its price, as far as that is known."""
    removed: tuple[Order, ...] = ()
    """Those that are to be gone before the further order comes: books and cash hold them still."""

    @classmethod
    def of(
        cls, orders: Iterable[Order], ticker: str, subaccount: int = 0, ahead: Mapping[str, Count] | None = None
    ) -> "OwnOrders":
        """Return those of these orders that count in a market."""
        live = (
            each
            for each in orders
            if each.ticker == ticker
            and each.remaining
            and not each.state.final
            and each.state is not OrderState.DRAFTED
        )
        return cls(tuple(live), subaccount, ahead or {})

    def without(self, *order_ids: str) -> "OwnOrders":
        """Return the same without some: one that is about to be changed or canceled."""
        kept = tuple(each for each in self.orders if each.order_id not in order_ids)
        gone = tuple(each for each in self.orders if each.order_id in order_ids)
        return replace(self, orders=kept, removed=(*self.removed, *gone))

    def with_removed(self) -> "OwnOrders":
        """Return the same as it rests now, with those that are to be gone."""
        return replace(self, orders=(*self.orders, *self.removed), removed=())

    def beside(self, terms: OrderTerms) -> tuple[Order, ...]:
        """Return those on the order's own side and in its subaccount, which count as filled first; the best first.

        Those on the other side do not count: a price that fills them is one that leads away from this order, and what
        they would make of the holding must not make an order look safer than it is. Reduce-only takes at once what is
        held now, so that nothing is before it.
        """
        if terms.reduce_only:
            return ()
        found = (
            each for each in self.orders if each.book_side is terms.book_side and each.subaccount == self.subaccount
        )
        return tuple(sorted(found, key=_outcome_price, reverse=True))

    def in_the_way(self, terms: OrderTerms) -> tuple[Order, ...]:
        """Return those that the order would meet if it went so far, in the order in which it would."""
        found = (
            each
            for each in self.orders
            if each.book_side is not terms.book_side and taking_price(terms, each) <= terms.taking_limit
        )
        return tuple(sorted(found, key=lambda each: (taking_price(terms, each), self.ahead.get(each.order_id, 0))))

    def base_position(self, terms: OrderTerms, position: Position | None) -> Position | None:
        """Return what is held once what rests beside the order has filled."""
        held = position
        for each in self.beside(terms):
            held = (held or Position(terms.ticker)).after(each.book_side, each.yes_price, each.remaining)
        return held

    def freed(self, held: Count) -> Money:
        """Return what is no longer set aside once those are gone that are to be, while so much is held."""
        return self.with_removed().reserved(held) - self.reserved(held)

    def reserved(self, held: Count) -> Money:
        """Return what the exchange has set aside for what rests in the subaccount while so much is held."""
        return sum(
            _reserved(held, [each for each in self.orders if each.book_side is side], self.subaccount)
            for side in BookSide
        )


def _reserved(held: Count, orders: Iterable[Order], subaccount: int) -> Money:
    """Return what is set aside on one side: what would open, at its limits. The best-priced ones close first."""
    money = 0
    mine = (each for each in orders if each.subaccount == subaccount)
    for each in sorted(mine, key=_outcome_price, reverse=True):
        closes = max(0, min(each.remaining, -held if each.book_side is BookSide.BID else held))
        held += closes if each.book_side is BookSide.BID else -closes
        money += (each.remaining - closes) * _outcome_price(each)
    return money


def _outcome_price(order: Order) -> Price:
    return to_outcome_price(order.book_side, order.yes_price)[1]


def taking_price(terms: OrderTerms, resting: Order) -> Price:
    """Return what taking a resting order costs a contract of the outcome that the terms take."""
    return resting.yes_price if terms.book_side is BookSide.BID else PRICE_UNIT - resting.yes_price


@dataclass(frozen=True, slots=True)
class Taking:
    """What an order would take of a book at once."""

    fills: tuple[tuple[Price, Count], ...] = ()
    """Prices, for the order's own outcome, and counts; best first."""
    met: tuple[Order, ...] = ()
    """The account's own orders that it would meet, in that order."""
    stopped: bool = False
    """Whether the first of them ends it: what is left of it is canceled. Else they are canceled, and it goes on."""
    rejected: bool = False
    """Whether nothing of it is taken up: post-only that would take, or fill-or-kill that cannot fill whole."""

    @property
    def filled(self) -> Count:
        """How much fills at once."""
        return sum(count for _, count in self.fills)

    @property
    def canceled(self) -> tuple[Order, ...]:
        """The account's own orders that are canceled by it."""
        return () if self.stopped or self.rejected else self.met


@dataclass(frozen=True, slots=True)
class _TakeablePrice:
    """A price that an order could take at: the contracts of others there, and the account's own orders."""

    price: Price
    others: Count
    own: tuple[Order, ...]
    better: Count
    """How many contracts stand at better prices, of anybody."""


def _levels(terms: OrderTerms, book: Book, own: OwnOrders) -> list[_TakeablePrice]:
    """Return what an order could take, best first, what is the account's own apart."""
    mine: dict[Price, list[Order]] = {}
    for each in own.in_the_way(terms):
        mine.setdefault(taking_price(terms, each), []).append(each)
    sizes = {level.price: level.size for level in book.takeable(terms.taking_side, terms.taking_limit)}
    for each in own.removed:
        price = taking_price(terms, each)
        if each.book_side is not terms.book_side and price in sizes:
            sizes[price] -= each.remaining
            if sizes[price] <= 0:
                del sizes[price]
    levels, better = [], 0
    # An own order may have been read later than the book, so that its price is not among the book's.
    for price in sorted(sizes.keys() | mine.keys()):
        here = mine.get(price, [])
        own_count = sum(each.remaining for each in here)
        size = max(sizes.get(price, 0), own_count)
        levels.append(_TakeablePrice(price, size - own_count, tuple(here), better))
        better += size
    return levels


def others_levels(terms: OrderTerms, book: Book, own: OwnOrders) -> list[Level]:
    """Return what an order could take of others, best first."""
    return [Level(each.price, each.others) for each in _levels(terms, book, own) if each.others]


def take(terms: OrderTerms, book: Book, own: OwnOrders) -> Taking:
    """Return what an order would take of a book, in which the account's own orders are not to be had.

    docs/kalshi-api.md, section 6. Where it is not known how many stand before an own order, none are counted: what
    fills is then the least that does.
    """
    levels = _levels(terms, book, own)
    if terms.post_only and levels:
        # Own orders count here: the exchange rejects it before anything is matched.
        return Taking(rejected=True)
    fills: list[tuple[Price, Count]] = []
    met: list[Order] = []
    left = terms.count
    for level in levels:
        taken, met_here = _take_level(terms, level, own.ahead, left)
        left -= taken
        met += met_here
        if taken:
            fills.append((level.price if terms.action is Action.BUY else PRICE_UNIT - level.price, taken))
        if not left or (met and terms.self_trade is SelfTrade.TAKER_AT_CROSS):
            break
    if terms.tif is TimeInForce.FOK and left:
        return Taking(met=tuple(met), rejected=True)
    return Taking(tuple(fills), tuple(met), bool(met) and terms.self_trade is SelfTrade.TAKER_AT_CROSS)


def orders_come_to(terms: OrderTerms, book: Book, own: OwnOrders) -> tuple[Order, ...]:
    """Return the account's own orders that an order would come to; not the first alone, at which it may end.

    A post-only order is rejected for whatever its price reaches, however small it is itself. Where it would be rejected
    for orders of others too, none of the account's own is in its way: to cancel those would not help it.
    """
    if terms.post_only:
        return () if others_levels(terms, book, own) else own.in_the_way(terms)
    return take(replace(terms, self_trade=SelfTrade.MAKER), book, own).met


def _take_level(
    terms: OrderTerms, level: _TakeablePrice, ahead: Mapping[str, Count], left: Count
) -> tuple[Count, list[Order]]:
    """Return how much is taken at a price, and which own orders are met there; oldest first, as the queue is."""
    taken = own_before = 0
    met: list[Order] = []
    for each in level.own:
        before = ahead.get(each.order_id, 0)
        # Whether better prices are counted in it is not known (docs/kalshi-api.md, section 6): a smaller number cannot
        # hold them. Else they are taken off, so that what fills before the own order is never too much.
        before -= level.better if before >= level.better else 0
        before = min(max(before - own_before, 0), level.others)
        taken = max(taken, min(before, left))
        if taken == left:
            return taken, met
        met.append(each)
        own_before += each.remaining
        if terms.self_trade is SelfTrade.TAKER_AT_CROSS:
            return taken, met
    return min(left, level.others), met
