"""Orders: what the trader wants, the same in the exchange's terms, and what became of it.

The exchange knows one book per market: a bid or an ask at the YES price. The trader thinks in YES and NO, buy and
sell. `OrderTerms` holds the trader's words and derives the exchange's (docs/kalshi-api.md, section 6).
"""

from dataclasses import dataclass, field
from enum import Enum
from typing import Final

from kalshi_tui.domain.book import Side
from kalshi_tui.domain.market import Market
from kalshi_tui.domain.price import PRICE_UNIT, Count, Money, Price, format_price


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


def to_book_side(side: Side, action: Action) -> BookSide:
    """Return bid for buying YES or selling NO, ask for selling YES or buying NO."""
    return BookSide.BID if (side is Side.YES) == (action is Action.BUY) else BookSide.ASK


def to_yes_price(side: Side, price: Price) -> Price:
    """Return the price in YES terms: a NO at q is a YES at 1 - q."""
    return price if side is Side.YES else PRICE_UNIT - price


def to_outcome_price(side: BookSide, yes_price: Price) -> tuple[Side, Price]:
    """Return the outcome that an order or fill leans to, and its price there: an ask at 0.56 is a NO at 0.44.

    The exchange keeps no difference between selling YES and buying NO (``outcome_side``,
    docs/kalshi-api.md, section 6).
    """
    return (Side.YES, yes_price) if side is BookSide.BID else (Side.NO, PRICE_UNIT - yes_price)


def as_meant(meant: tuple[Action, Side] | None, side: BookSide, yes_price: Price) -> tuple[Action | None, Side, Price]:
    """Return the action, the outcome and its price as they were asked for.

    Where that is not known there is no action, and the outcome is the one that the exchange's form leans to.
    """
    if meant is None:
        return None, *to_outcome_price(side, yes_price)
    action, outcome = meant
    return action, outcome, to_yes_price(outcome, yes_price)


@dataclass(frozen=True, slots=True)
class OrderTerms:
    """A limit order in the trader's words: ``price`` is for ``side``, 1/10,000 dollar; ``count`` is 1/100 contract.

    ``expires_s`` is a Unix time in seconds, good-till-canceled orders only.
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
    subaccount: int | None = None
    """The number of the subaccount that it is for; None for the one that the key means by itself, the primary."""

    @property
    def book_side(self) -> BookSide:
        """Bid or ask, in the exchange's one book."""
        return to_book_side(self.side, self.action)

    @property
    def yes_price(self) -> Price:
        """The price in the exchange's terms."""
        return to_yes_price(self.side, self.price)

    @property
    def taking_side(self) -> Side:
        """The outcome whose implied asks this order takes: selling YES takes what buying NO would."""
        return Side.YES if self.book_side is BookSide.BID else Side.NO

    @property
    def taking_limit(self) -> Price:
        """The most that one contract of `taking_side` may cost."""
        return self.yes_price if self.book_side is BookSide.BID else PRICE_UNIT - self.yes_price


def floor_reason(terms: OrderTerms, market: Market) -> str | None:
    """Return why the market's settlement floor forbids a price, as a sentence; None if it does not.

    At or below it nothing can trade: each YES has been paid that much already (docs/kalshi-api.md, section 16).
    """
    if not market.settlement_floor or terms.yes_price > market.settlement_floor:
        return None
    floor = market.settlement_floor if terms.side is Side.YES else PRICE_UNIT - market.settlement_floor
    word = "above" if terms.side is Side.YES else "below"
    return f"This market has a settlement floor: {terms.side.name} has to be {word} {format_price(floor)}."


def rejection_reason(terms: OrderTerms, market: Market) -> str | None:
    """Return why the exchange would reject these terms whatever the book holds, as a sentence; None if it would not."""
    grid = market.grid if terms.side is Side.YES else market.grid.complement()
    if not 0 < terms.price < PRICE_UNIT:
        return "The price must lie between 0 and 1 dollar, both excluded."
    if terms.price not in grid:
        below, above = grid.at_or_below(terms.price), grid.at_or_above(terms.price)
        near = [format_price(p) for p in (below, above) if p is not None]
        nearest = f"prices are {near[0]} and {near[1]}" if len(near) > 1 else f"price is {near[0]}"
        return f"{format_price(terms.price)} is not on this market's price grid; the nearest {nearest}."
    if against := floor_reason(terms, market):
        return against
    if terms.count <= 0:
        return "The count must be more than 0."
    if not market.status.tradable:
        return f"This market takes no orders: it is {market.status.value}."
    if terms.reduce_only and terms.tif is not TimeInForce.IOC:
        return "Reduce-only works only with immediate-or-cancel."
    if terms.post_only and terms.tif is not TimeInForce.GTC:
        return "Post-only works only with good-till-canceled."
    if terms.expires_s is not None and terms.tif is not TimeInForce.GTC:
        return "An expiry works only with good-till-canceled."
    return None


class OrderState(Enum):
    """What became of an order. UNKNOWN: it was sent and nobody has yet said; neither live nor dead until asked."""

    DRAFTED = "drafted"
    SENDING = "sending"
    NOT_SENT = "not sent"
    """Nothing left this machine, or the exchange has been asked and proved not to have it."""
    RESTING = "resting"
    FILLED = "filled"
    CANCELED = "cancelled"
    """The value is the word of journal files and of ``--json`` output, so it keeps its spelling."""
    CANCELLED = "cancelled"  # noqa: PIE796 - an alias, for programs that use the former name
    REFUSED = "refused"
    EXPIRED = "expired"
    """Its own time was over before it was filled whole."""
    UNKNOWN = "unknown"

    @property
    def word(self) -> str:
        """The state as a sentence names it."""
        return {OrderState.CANCELED: "canceled", OrderState.REFUSED: "rejected"}.get(self, self.value)

    @property
    def final(self) -> bool:
        """Whether nothing can change it any more."""
        return self in FINAL_STATES

    @property
    def reached(self) -> bool:
        """Whether the order has been, or may have been, at work on the exchange."""
        return self not in {OrderState.DRAFTED, OrderState.NOT_SENT, OrderState.REFUSED}


FINAL_STATES: Final = frozenset(
    {OrderState.NOT_SENT, OrderState.FILLED, OrderState.CANCELED, OrderState.EXPIRED, OrderState.REFUSED}
)


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
    """For REFUSED the exchange's sentence, for CANCELED who or what did it, for UNKNOWN what went wrong."""
    update_reason: str = ""
    """The exchange's own word for the last change, cleaned; empty where it gave none, as in all that REST reads."""
    fill_cost: Money = 0
    fees: Money = 0
    created_ms: int = 0
    updated_ms: int = 0
    expires_ms: int = 0
    subaccount: int = 0
    """The number of the subaccount that it belongs to, 0 for the primary."""
    meant: tuple[Action, Side] | None = field(default=None, compare=False)
    """What the trader asked for; None where that is not known. The exchange does not keep it."""

    @property
    def as_meant(self) -> tuple[Action | None, Side, Price]:
        """What was asked for with its price; where that is not known, the outcome that it leans to."""
        return as_meant(self.meant, self.book_side, self.yes_price)


def order_from_terms(client_order_id: str, terms: OrderTerms, state: OrderState, created_ms: int) -> Order:
    """Return the order that these terms make, before the exchange has said anything of it."""
    return Order(
        order_id="",
        client_order_id=client_order_id,
        ticker=terms.ticker,
        book_side=terms.book_side,
        yes_price=terms.yes_price,
        initial=terms.count,
        filled=0,
        remaining=terms.count,
        state=state,
        created_ms=created_ms,
        subaccount=terms.subaccount or 0,
        meant=(terms.action, terms.side),
        expires_ms=(terms.expires_s or 0) * 1000,
    )


@dataclass(frozen=True, slots=True)
class Fill:
    """One execution of the account's. ``fee`` in 1/1,000,000 dollar; ``post_position`` signed, None if not reported."""

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
    subaccount: int = 0
    meant: tuple[Action, Side] | None = field(default=None, compare=False)
    """What the trader asked for with the order; None where that is not known."""

    @property
    def as_meant(self) -> tuple[Action | None, Side, Price]:
        """What was asked for with its price; where that is not known, the outcome that it leans to."""
        return as_meant(self.meant, self.book_side, self.yes_price)

    @property
    def key(self) -> tuple[str, str]:
        """What tells a fill from every other: a trade between two of the account's orders fills both."""
        return self.trade_id, self.order_id
