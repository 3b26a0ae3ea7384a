"""What positions are worth: the one valuation of header, lists, day and command line. Exact and pure.

A position is worth what selling all of it now would bring: its whole count walks down the book, past the account's own
orders, which are no buyers, and the fees of that sale are taken off. What nobody bids for brings nothing. Where the
result is known it is worth its payout.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from kalshi_tui.domain.book import Book, Level, Side
from kalshi_tui.domain.day_gain import ClosedToday
from kalshi_tui.domain.fees import FeeAccumulator, FeeSchedule
from kalshi_tui.domain.market import Market, MarketStatus, Quote
from kalshi_tui.domain.order import Action, BookSide, Order, OrderTerms, to_yes_price
from kalshi_tui.domain.own_orders import OwnOrders, others_levels
from kalshi_tui.domain.position import Position
from kalshi_tui.domain.price import PRICE_UNIT, Count, Money, Price

RESULT_STATUSES = frozenset({MarketStatus.DETERMINED, MarketStatus.AMENDED, MarketStatus.FINALIZED})
"""States in which the result stands. A disputed one does not."""


@dataclass(frozen=True, slots=True)
class PositionValue:
    """What a count of an outcome is worth now. Counts are of what is held, never signed."""

    held: Count
    proceeds: Money
    """What the part brings that can be sold, before the fees."""
    fee: Money | None
    """The fees of that sale, None where they cannot be computed."""
    unsold: Count = 0
    """For how many nobody bids."""
    best_price: Price | None = None
    """The best price that somebody else bids, None where nobody does; where the result is known, what it pays."""
    is_final: bool = False
    """Whether it is the payout of a known result."""

    @property
    def value(self) -> Money | None:
        """What selling all of it brings, after fees; None where these are not known."""
        return None if self.fee is None else self.proceeds - self.fee


def _sale(
    held: Count, levels: Iterable[Level], fees: FeeSchedule | None, precision: Money, floor: Price
) -> PositionValue:
    """Sell so many at these prices, best first; each price is one fill."""
    accumulator, proceeds, left = FeeAccumulator(precision), 0, held
    fee: Money | None = 0
    best: Price | None = None
    for level in levels:
        if best is None:
            best = level.price
        count = min(level.size, left)
        left -= count
        brought = count * (level.price - floor)
        proceeds += brought
        trade_fee = None if fees is None else fees.trade_fee(level.price, count, taker=True)
        fee = None if fee is None or trade_fee is None else fee + accumulator.charge(brought, trade_fee).net
        if not left:
            break
    return PositionValue(held, proceeds, fee, left, best)


def others_bids(book: Book, ticker: str, side: Side, own: Iterable[Order]) -> list[Level]:
    """Return what others bid for an outcome, best first."""
    # A sale of one contract at the lowest price there is would take any of them.
    terms = OrderTerms(ticker, side, Action.SELL, 1, 1)
    found = others_levels(terms, book, OwnOrders.of(own, ticker))
    return [Level(PRICE_UNIT - level.price, level.size) for level in found]


def quoted_bid(quote: Quote, side: Side) -> Level | None:
    """Return the best bid for an outcome as the ticker has it, own orders included; None where nobody bids."""
    price = quote.bid_for(side)
    size = quote.yes_bid_size if side is Side.YES else quote.yes_ask_size
    if price is None or not size:
        return None
    return Level(price, size)


def _best_of_quote(market: Market, quote: Quote, side: Side, held: Count, own: Iterable[Order]) -> list[Level] | None:
    """Return the best level where it takes all of a position by itself; None where only the book could tell."""
    best = quoted_bid(quote, side)
    if best is None:
        return None
    buys = BookSide.BID if side is Side.YES else BookSide.ASK
    mine = [each for each in OwnOrders.of(own, market.ticker).orders if each.book_side is buys]
    prices = [to_yes_price(side, each.yes_price) for each in mine]
    if any(price > best.price for price in prices):
        return None
    others = best.size - sum(each.remaining for each, price in zip(mine, prices, strict=True) if price == best.price)
    return [Level(best.price, others)] if others >= held else None


def result_value(market: Market) -> Price | None:
    """Return what a YES pays where the result stands, a settlement floor's part included; None where it does not."""
    if market.status not in RESULT_STATUSES:
        return None
    if market.settlement_price is not None:
        return market.settlement_price
    return {"yes": PRICE_UNIT, "no": 0}.get(market.result)


def value_position(
    market: Market,
    count: Count,
    *,
    book: Book | None,
    quote: Quote | None,
    own: Sequence[Order],
    precision: Money,
) -> PositionValue | None:
    """Return what a signed count is worth; None where nobody can tell: trading is over or halted, or no book is known.

    ``book`` is one that may be trusted; without it the quote does where its best price takes all. ``own`` are the
    account's orders, of any market.
    """
    side, held = (Side.YES, count) if count > 0 else (Side.NO, -count)
    floor = (market.settlement_floor or 0) if side is Side.YES else 0
    if (paid := result_value(market)) is not None:
        each = paid - floor if side is Side.YES else PRICE_UNIT - paid
        payout = held * each
        return PositionValue(held, payout - payout % precision, 0, best_price=each, is_final=True)
    if not market.status.tradable:
        return None
    if book is not None:
        levels: list[Level] | None = others_bids(book, market.ticker, side, own)
    else:
        levels = None if quote is None else _best_of_quote(market, quote, side, held, own)
    return None if levels is None else _sale(held, levels, market.fees, precision, floor)


@dataclass(frozen=True, slots=True)
class ValuedPosition:
    """A position with what it is worth; ``worth`` is None where nobody can tell."""

    position: Position
    worth: PositionValue | None

    @property
    def value(self) -> Money | None:
        """What selling all of it brings, after fees; None where that is not known. Nothing is worth nothing."""
        if not self.position.count:
            return 0
        return None if self.worth is None else self.worth.value

    @property
    def gain(self) -> Money | None:
        """The value less what the open contracts have cost."""
        return None if self.value is None else self.value - self.position.cost

    @property
    def net(self) -> Money | None:
        """All that it has brought so far: the gain with what was realized, less the fees paid."""
        return None if self.gain is None else self.gain + self.position.realized_pnl - self.position.fees_paid


@dataclass(frozen=True, slots=True)
class PositionsTotal:
    """The sums over positions. Those of which a value is not known make ``value``, ``gain`` and ``net`` None.

    What was closed today counts with what it has realized and its fees.
    """

    value: Money | None
    gain: Money | None
    net: Money | None
    cost: Money
    realized: Money | None
    fees: Money
    known: int
    """How many of those that are held have a known value."""
    held: int
    unsold: int
    """How many positions could not be sold whole."""

    @classmethod
    def of(cls, rows: Iterable[ValuedPosition], closed: Iterable[ClosedToday] = ()) -> "PositionsTotal":
        """Sum positions up, with what was closed today."""
        rows, closed = list(rows), list(closed)
        held = [each for each in rows if each.position.count]
        return cls(
            value=sum_if_known(each.value for each in rows),
            gain=sum_if_known(each.gain for each in rows),
            net=sum_if_known([*(each.net for each in rows), *(each.net for each in closed)]),
            cost=sum(each.position.cost for each in rows),
            realized=sum_if_known(
                [*(each.position.realized_pnl for each in rows), *(each.realized for each in closed)]
            ),
            fees=sum(each.position.fees_paid for each in rows) + sum(each.fees for each in closed),
            known=sum(each.value is not None for each in held),
            held=len(held),
            unsold=sum(each.worth is not None and each.worth.unsold > 0 for each in held),
        )


def sum_if_known(amounts: Iterable[Money | None]) -> Money | None:
    """Return the sum of amounts; None if one of them is not known."""
    total = 0
    for each in amounts:
        if each is None:
            return None
        total += each
    return total
