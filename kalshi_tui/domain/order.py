"""What the trader wants, the same in the exchange's terms, and what became of it.

The exchange knows one book per market: a bid or an ask at the YES price. The trader thinks in YES and NO, buy and
sell. `OrderTerms` holds the trader's words and derives the exchange's (API contract, section 6).
"""

from dataclasses import dataclass
from enum import Enum

from kalshi_tui.domain.book import Book, Side
from kalshi_tui.domain.fees import CENT, FeeSchedule
from kalshi_tui.domain.market import Market
from kalshi_tui.domain.price import COUNT_UNIT, PRICE_UNIT, Count, Money, Price, format_price


class Action(Enum):
    """What the trader does with the outcome."""

    BUY = "buy"
    SELL = "sell"


class BookSide(Enum):
    """Where an order stands in the YES book. The values are the exchange's words."""

    BID = "bid"
    ASK = "ask"


class TimeInForce(Enum):
    """How long an order may live. The values are the exchange's words."""

    GTC = "good_till_canceled"
    IOC = "immediate_or_cancel"
    FOK = "fill_or_kill"

    @property
    def short(self) -> str:
        """The three letters that traders use."""
        return self.name


class SelfTrade(Enum):
    """What happens when an order would meet one of the same account. The values are the exchange's words."""

    TAKER_AT_CROSS = "taker_at_cross"
    MAKER = "maker"


def book_side(side: Side, action: Action) -> BookSide:
    """Buying YES and selling NO are bids; selling YES and buying NO are asks."""
    return BookSide.BID if (side is Side.YES) == (action is Action.BUY) else BookSide.ASK


def yes_price(side: Side, price: Price) -> Price:
    """Give the price in YES terms: a NO at q is a YES at 1 - q."""
    return price if side is Side.YES else PRICE_UNIT - price


@dataclass(frozen=True, slots=True)
class OrderTerms:
    """A limit order in the trader's words: ``price`` is for ``side``, 1/10,000 dollar; ``count`` is 1/100 contract.

    ``expires_s`` is a Unix time in seconds, good-till-cancelled orders only.
    """

    ticker: str
    side: Side
    action: Action
    price: Price
    count: Count
    tif: TimeInForce = TimeInForce.GTC
    post_only: bool = False
    reduce_only: bool = False
    expires_s: int | None = None
    self_trade: SelfTrade = SelfTrade.TAKER_AT_CROSS
    cancel_on_pause: bool = False
    order_group_id: str | None = None

    @property
    def book_side(self) -> BookSide:
        """Bid or ask, in the exchange's one book."""
        return book_side(self.side, self.action)

    @property
    def yes_price(self) -> Price:
        """The price in the exchange's terms."""
        return yes_price(self.side, self.price)

    @property
    def taking_side(self) -> Side:
        """The outcome whose implied asks this order takes: selling YES takes what buying NO would."""
        return Side.YES if self.book_side is BookSide.BID else Side.NO

    @property
    def taking_limit(self) -> Price:
        """The most that one contract of `taking_side` may cost."""
        return self.yes_price if self.book_side is BookSide.BID else PRICE_UNIT - self.yes_price


@dataclass(frozen=True, slots=True)
class Preview:
    """What an order would do against a book now. All exact; money in 1/1,000,000 dollar.

    ``fills_now`` and ``rests`` are counts; ``fill_value`` is what the part that fills now costs (buying) or brings
    (selling) at the book's prices; ``limit_value`` the whole order at its limit. ``fee_at_most`` is None where the fee
    type is not known. ``queue_ahead`` is the count that stands before the resting part at its own price.
    A post-only order that would take is refused, so that nothing of it fills or rests.
    """

    fills_now: Count
    fill_value: Money
    rests: Count
    queue_ahead: Count
    limit_value: Money
    fee_at_most: Money | None
    payout_if_right: Money


def refusal(terms: OrderTerms, market: Market) -> str | None:
    """Say why the exchange would refuse these terms whatever the book holds, as a sentence; None if it would not."""
    grid = market.grid if terms.side is Side.YES else market.grid.complement()
    if not 0 < terms.price < PRICE_UNIT:
        return "The price must lie between 0 and 1 dollar, both excluded."
    if terms.price not in grid:
        below, above = grid.at_or_below(terms.price), grid.at_or_above(terms.price)
        near = [format_price(p) for p in (below, above) if p is not None]
        nearest = f"prices are {near[0]} and {near[1]}" if len(near) > 1 else f"price is {near[0]}"
        return f"{format_price(terms.price)} is not on this market's price grid; the nearest {nearest}."
    if terms.count <= 0:
        return "The count must be more than 0."
    if not market.status.tradable:
        return f"This market takes no orders: it is {market.status.value}."
    if terms.reduce_only and terms.tif is not TimeInForce.IOC:
        return "Reduce-only works only with immediate-or-cancel."
    if terms.post_only and terms.tif is not TimeInForce.GTC:
        return "Post-only works only with good-till-cancelled."
    if terms.expires_s is not None and terms.tif is not TimeInForce.GTC:
        return "An expiry works only with good-till-cancelled."
    return None


def preview(terms: OrderTerms, book: Book, fees: FeeSchedule | None, *, precision: Money = CENT) -> Preview:
    """Work out what an order would do against this book (section 4: selling YES takes NO's implied asks)."""
    left = terms.count
    value = 0
    for level in book.takeable(terms.taking_side, terms.taking_limit):
        taken = min(left, level.size)
        price = level.price if terms.action is Action.BUY else PRICE_UNIT - level.price
        value += taken * price
        left -= taken
        if not left:
            break
    filled = terms.count - left
    refused = terms.post_only and filled > 0
    if refused or (terms.tif is TimeInForce.FOK and left):
        filled, value = 0, 0
    rests = terms.count - filled if terms.tif is TimeInForce.GTC and not refused else 0
    own = book.side(terms.taking_side)
    fee: Money | None = None
    if fees is not None:
        best = book.best_ask(terms.taking_side)
        fee = max_fee(terms, fees, best=best.price if best else None, precision=precision)
    return Preview(
        fills_now=filled,
        fill_value=value,
        rests=rests,
        queue_ahead=own.count_at(terms.taking_limit) if rests else 0,
        limit_value=terms.price * terms.count,
        fee_at_most=fee,
        payout_if_right=terms.count * PRICE_UNIT,
    )


def max_fee(
    terms: OrderTerms, fees: FeeSchedule, *, best: Price | None = None, precision: Money = CENT
) -> Money | None:
    """Give what a ticket calls the fee "up to": the whole order in one taker fill (section 9), None if not known.

    ``best`` is the best price of `OrderTerms.taking_side` that the book offers now. The trade fee is greatest nearest
    to 50 cents, so it is taken at the price between ``best`` and the limit that is nearest to it. ``precision`` is the
    member's, a part of a cent or the cent.
    """
    limit = terms.taking_limit
    low = limit if best is None else min(best, limit)
    worst = max(low, min(limit, PRICE_UNIT // 2))
    # A sale at p costs what buying the other outcome at 1 - p does: the two balance changes are whole cents apart.
    return fees.at_most(worst, terms.count, taker=True, precision=precision)


class OrderState(Enum):
    """What became of an order. UNKNOWN: it was sent and nobody has yet said; neither live nor dead until asked."""

    DRAFTED = "drafted"
    SENDING = "sending"
    NOT_SENT = "not sent"
    """Nothing left this machine, or the exchange has been asked and proved not to have it."""
    RESTING = "resting"
    FILLED = "filled"
    CANCELLED = "cancelled"
    REFUSED = "refused"
    UNKNOWN = "unknown"

    @property
    def final(self) -> bool:
        """Whether nothing can change it any more."""
        return self in {OrderState.NOT_SENT, OrderState.FILLED, OrderState.CANCELLED, OrderState.REFUSED}


@dataclass(frozen=True, slots=True)
class Order:
    """An order of the account's as last known. The price is in YES terms; counts in 1/100 contract."""

    order_id: str
    client_order_id: str
    ticker: str
    book_side: BookSide
    yes_price: Price
    initial: Count
    filled: Count
    remaining: Count
    state: OrderState
    reason: str = ""
    """For REFUSED the exchange's sentence, for CANCELLED who or what did it, for UNKNOWN what went wrong."""
    fill_cost: Money = 0
    fees: Money = 0
    created_ms: int = 0
    updated_ms: int = 0
    expires_ms: int = 0

    @property
    def contracts_left(self) -> int:
        """Whole contracts still to fill, rounded down; for words, not for arithmetic."""
        return self.remaining // COUNT_UNIT


@dataclass(frozen=True, slots=True)
class Fill:
    """One execution of the account's. ``fee`` in 1/1,000,000 dollar; ``post_position`` signed, None if not told."""

    trade_id: str
    order_id: str
    client_order_id: str
    ticker: str
    book_side: BookSide
    yes_price: Price
    count: Count
    fee: Money
    is_taker: bool
    ts_ms: int
    post_position: Count | None = None
