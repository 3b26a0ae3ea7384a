"""The trader's own limits on one order, one market, one day, and on a price's distance from the market.

Counts in 1/100 contract, money in 1/1,000,000 dollar, prices in 1/10,000 dollar. None stands for no limit.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, Protocol

from kalshi_tui.domain.book import Book
from kalshi_tui.domain.order import Action, BookSide, Order, OrderTerms, to_outcome_price
from kalshi_tui.domain.position import Position
from kalshi_tui.domain.price import Count, Money, Price, format_count, format_money, format_price

MAX_THROUGH: Final = 1_000
"""How far through the best opposite price a limit may be where the trader has set no distance: 10 cents."""
THROUGH_LIMIT: Final = "a price through the market"


@dataclass(frozen=True, slots=True)
class RiskLimits:
    """What may be sent without a typed word, or at all where ``hard``."""

    order_contracts: Count | None = None
    order_dollars: Money | None = None
    market_contracts: Count | None = None
    market_dollars: Money | None = None
    day_contracts: Count | None = None
    day_dollars: Money | None = None
    distance: Price | None = None
    """How far beyond the best bid or ask a price may be, in either direction; None: `MAX_THROUGH` is in force."""
    hard: bool = False
    """Whether they cannot be passed, not even with the typed word."""


class FillTotals(Protocol):
    """Executions that are not in any position yet: counts, and what they cost at most."""

    bids: Count
    bid_cost: Money
    asks: Count
    ask_cost: Money


@dataclass(frozen=True, slots=True)
class LimitBreach:
    """A limit that an order would pass: which one, and a sentence."""

    limit: str
    sentence: str


@dataclass(frozen=True, slots=True)
class DailyVolume:
    """What has been sent on one day and may have been filled: contracts, and what they put at risk."""

    contracts: Count = 0
    dollars: Money = 0
    unread: int = 0
    """Orders that may be of that day, and of which nobody can tell any more how large they were."""


def order_risk(side: BookSide, yes_price: Price, count: Count) -> Money:
    """Return what an order puts at risk if all of it opens: a bid its YES price, an ask the NO price."""
    return to_outcome_price(side, yes_price)[1] * count


def find_limit_breaches(
    limits: RiskLimits,
    terms: OrderTerms,
    *,
    book: Book | None,
    position: Position | None,
    open_orders: Iterable[Order],
    sent_today: DailyVolume,
    unreported_fills: FillTotals | None = None,
) -> Iterator[LimitBreach]:
    """Yield each limit that an order would pass.

    ``open_orders`` are the market's orders that are or may be live, those of unknown outcome included; ``book`` is
    None where none can be trusted; ``unreported_fills`` were executed since the position was read. What closes a
    holding puts nothing at risk, but counts in contracts; what other open orders may close first is left to them.
    """
    same = [order for order in open_orders if order.book_side is terms.book_side]
    resting = sum(order.remaining for order in same)
    is_bid = terms.book_side is BookSide.BID
    held = position.count if position is not None else 0
    toward = held if is_bid else -held
    done, done_cost = 0, 0
    if unreported_fills is not None:
        done, done_cost = (
            (unreported_fills.bids, unreported_fills.bid_cost)
            if is_bid
            else (unreported_fills.asks, unreported_fills.ask_cost)
        )
    closes = min(terms.count, max(-toward - done - resting, 0))
    risk = order_risk(terms.book_side, terms.yes_price, terms.count - closes)
    yield from _check_limit("an order", "contracts", terms.count, limits.order_contracts)
    yield from _check_limit("an order", "dollars", risk, limits.order_dollars)
    # An order that does nothing but make a holding smaller is never over the limit of the market.
    if terms.count > closes:
        yield from _check_limit(
            "this market", "contracts", toward + done + resting + terms.count, limits.market_contracts
        )
    if risk:
        cost = position.cost if position is not None and toward > 0 else 0
        at_work = sum(order_risk(order.book_side, order.yes_price, order.remaining) for order in same)
        yield from _check_limit("this market", "dollars", cost + done_cost + at_work + risk, limits.market_dollars)
    yield from _check_limit("today", "contracts", sent_today.contracts + terms.count, limits.day_contracts)
    if risk:
        yield from _check_limit("today", "dollars", sent_today.dollars + risk, limits.day_dollars)
    yield from _check_distance(limits.distance, terms, book)


def _check_limit(scope: str, unit: str, value: int, limit: int | None) -> Iterator[LimitBreach]:
    if limit is not None and value > limit:
        if unit == "contracts":
            words = (
                f"{_trim_decimals(format_count(value))} contracts, your limit is {_trim_decimals(format_count(limit))}"
            )
        else:
            words = f"${_format_dollars(value)}, your limit is ${_format_dollars(limit)}"
        yield LimitBreach(f"{unit} {scope}", f"For {scope} that makes {words}.")


def _check_distance(distance: Price | None, terms: OrderTerms, book: Book | None) -> Iterator[LimitBreach]:
    if distance is None:
        yield from _check_through(terms, book)
        return
    bid, ask = (book.best_bid(), book.best_ask()) if book is not None else (None, None)
    low = bid.price if bid else ask.price if ask else None
    high = ask.price if ask else bid.price if bid else None
    if low is None or high is None:
        yield LimitBreach("distance", "There is no quote to trust: your limit of distance cannot be measured.")
        return
    off = max(low - terms.yes_price, terms.yes_price - high)
    if off > distance:
        far, limit = _trim_decimals(format_price(off), 2), _trim_decimals(format_price(distance), 2)
        yield LimitBreach("distance", f"The price is {far} away from the market, your limit is {limit}.")


def _check_through(terms: OrderTerms, book: Book | None) -> Iterator[LimitBreach]:
    """Yield the breach of a limit far through the best opposite price: most likely a slip of the fingers.

    A passive price cannot trade at once, and an empty side has nothing to trade with: neither is ever one.
    """
    if book is None:
        # A book that cannot be trusted asks for a word of its own.
        return
    buys = terms.action is Action.BUY
    best = book.best_ask(terms.side) if buys else book.best_bid(terms.side)
    if best is None:
        return
    off = terms.price - best.price if buys else best.price - terms.price
    if off > MAX_THROUGH:
        price, far, near = (_trim_decimals(format_price(each), 2) for each in (terms.price, off, best.price))
        words = (
            f"buys at up to {price}, {far} above the best ask"
            if buys
            else f"sells down to {price}, {far} below the best bid"
        )
        yield LimitBreach(THROUGH_LIMIT, f"This {words} of {near}.")


def _trim_decimals(text: str, min_decimals: int = 0) -> str:
    """Drop trailing zeros, but keep ``min_decimals`` decimals."""
    whole, _, fraction = text.partition(".")
    kept = fraction[:min_decimals] + fraction[min_decimals:].rstrip("0")
    return f"{whole}.{kept}" if kept else whole


def _format_dollars(money: Money) -> str:
    return _trim_decimals(format_money(money), 2)
