"""An order as typed into the ticket's fields: read as a whole, or with what is wrong or missing. Pure."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import Enum
from typing import NamedTuple

from kalshi_tui.domain.book import Side
from kalshi_tui.domain.market import Market
from kalshi_tui.domain.order import Action, Order, OrderTerms, TimeInForce, rejection_reason
from kalshi_tui.domain.order_preview import closing_count, max_affordable_count, max_fee, would_cross
from kalshi_tui.domain.own_orders import OwnOrders, orders_come_to
from kalshi_tui.domain.position import Position
from kalshi_tui.domain.price import COUNT_UNIT, Count, NumberError, Price, format_price
from kalshi_tui.domain.text import resting_order_text
from kalshi_tui.order_entry.parse import (
    is_dollar_amount,
    parse_expiration,
    parse_typed_count,
    parse_typed_dollars,
    parse_typed_price,
)
from kalshi_tui.order_entry.pricing import grid_for_side
from kalshi_tui.presentation.lines import (
    Line,
    Span,
    Tone,
    line,
)
from kalshi_tui.presentation.number_text import (
    count_text,
    expiration_text,
    money_text,
    price_decimals,
    price_text,
)
from kalshi_tui.session.market_data.store import LiveBook


class DraftTimeInForce(Enum):
    """How long an order may live: the exchange's words, and GTC with an end of its own."""

    GTC = "gtc"
    UNTIL = "until"
    IOC = "ioc"
    FOK = "fok"

    @property
    def time_in_force(self) -> TimeInForce:
        """The exchange's term for it."""
        return TimeInForce.GTC if self is DraftTimeInForce.UNTIL else TimeInForce[self.name]


class DraftField(Enum):
    """A part of the order that can be wrong, by the field where it is typed."""

    PRICE = "price"
    COUNT = "count"
    UNTIL = "until"
    OTHER = "other"


class DraftProblem(NamedTuple):
    """What is wrong or missing, and where."""

    field: DraftField
    sentence: str
    in_the_way: tuple[Order, ...] = ()
    """The account's own orders that alone are the problem: once they are canceled, it is none."""


@dataclass(frozen=True, slots=True)
class OrderDraft:
    """What stands in the fields. ``count`` is contracts, or with a ``$`` what the purchase may cost."""

    ticker: str
    side: Side
    action: Action
    price: str = ""
    count: str = ""
    time_in_force: DraftTimeInForce = DraftTimeInForce.GTC
    until: str = ""
    post_only: bool = False
    reduce_only: bool = False
    cancel_on_pause: bool = False
    group: str = ""

    def with_count(self, count: str) -> "OrderDraft":
        """Return the same with another count, and without an expiry, so that no clock is needed."""
        return replace(
            self,
            count=count,
            time_in_force=DraftTimeInForce.GTC if self.time_in_force is DraftTimeInForce.UNTIL else self.time_in_force,
        )

    def to_order_terms(self, market: Market, now_ms: int, max_duration_s: int | None) -> OrderTerms:
        """Return the order. ``max_duration_s`` is how long the trader's settings let one rest. Raises NumberError."""
        price = parse_typed_price(self.price)
        terms = OrderTerms(
            ticker=self.ticker,
            side=self.side,
            action=self.action,
            price=price,
            count=COUNT_UNIT,
            tif=self.time_in_force.time_in_force,
            post_only=self.post_only,
            reduce_only=self.reduce_only,
            expires_s=self._expiration_s(now_ms, max_duration_s),
            cancel_on_pause=self.cancel_on_pause,
            order_group_id=self.group.strip() or None,
        )
        return replace(terms, count=self._parse_count(terms, market))

    def _parse_count(self, terms: OrderTerms, market: Market) -> Count:
        """Read the count; dollars are what a purchase that opens may cost at its limit, the fee included."""
        if not is_dollar_amount(self.count):
            return parse_typed_count(self.count)
        dollars = parse_typed_dollars(self.count)
        if self.action is Action.SELL:
            raise NumberError("Dollars are what a purchase costs: for a sale type contracts, or d.")
        count = max_affordable_count(terms, dollars, market.fees, None)
        if count is None:
            raise NumberError("The market's fees are unknown: type contracts, not dollars.")
        if not count:
            raise NumberError(f"{money_text(dollars)} does not pay for one contract at this price.")
        return count

    def _expiration_s(self, now_ms: int, max_duration_s: int | None) -> int | None:
        latest = now_ms // 1000 + max_duration_s if max_duration_s is not None else None
        if self.time_in_force is DraftTimeInForce.UNTIL:
            until = parse_expiration(self.until, now_ms)
            if latest is not None and until > latest:
                raise NumberError(
                    f"Your dead-man setting ends an order at {expiration_text(latest, now_ms)} at the latest."
                )
            return until
        return latest if self.time_in_force is DraftTimeInForce.GTC else None

    def find_missing(self) -> DraftProblem | None:
        """Return the first part that is still to be typed."""
        for part, text, read in (
            (DraftField.PRICE, self.price, parse_typed_price),
            (DraftField.COUNT, self.count, parse_typed_count),
            (
                DraftField.UNTIL,
                self.until if self.time_in_force is DraftTimeInForce.UNTIL else "-",
                lambda text: parse_expiration(text, 0),
            ),
        ):
            if not text.strip():
                try:
                    read(text)
                except NumberError as error:
                    return DraftProblem(part, str(error))
        return None

    def find_problem(
        self,
        market: Market,
        live: LiveBook,
        position: Position | None,
        now_ms: int,
        max_duration_s: int | None,
        own_orders: Callable[[OrderTerms], OwnOrders],
        *,
        cancel_first: bool = False,
    ) -> DraftProblem | None:
        """Return what the exchange would reject of what is typed so far; empty fields are not wrong yet.

        With ``cancel_first`` the account's own orders in the way are canceled before it is sent.
        """
        # Empty fields get a valid stand-in: a missing count must not hide that the price is impossible.
        whole = replace(
            self,
            price=self.price if self.price.strip() else format_price(grid_for_side(market, self.side).prices[0]),
            count=self.count if self.count.strip() else "1",
            until=self.until if self.until.strip() else "1s",
        )
        for part, read in (
            (DraftField.PRICE, lambda: parse_typed_price(whole.price)),
            (DraftField.UNTIL, lambda: whole._expiration_s(now_ms, max_duration_s)),  # noqa: SLF001 - one of its own kind
            (DraftField.COUNT, lambda: whole.to_order_terms(market, now_ms, max_duration_s)),
        ):
            try:
                read()
            except NumberError as error:
                return DraftProblem(part, str(error))
        terms = whole.to_order_terms(market, now_ms, max_duration_s)
        if why := rejection_reason(terms, market):
            return DraftProblem(
                DraftField.OTHER if terms.price in grid_for_side(market, self.side) else DraftField.PRICE, why
            )
        if terms.reduce_only and not closing_count(terms, position):
            return DraftProblem(
                DraftField.OTHER, "Reduce-only, but there is nothing to reduce: you hold none that this would close."
            )
        if self.price.strip() and terms.post_only and live.is_good:
            in_the_way = orders_come_to(terms, live.book, own_orders(terms))
            if would_cross(terms, live.book, in_the_way if cancel_first else ()):
                why = _crossing_text(terms, live, market, in_the_way)
                return DraftProblem(DraftField.PRICE, f"Post-only, but it would cross{why}", in_the_way)
        return None


def _crossing_text(terms: OrderTerms, live: LiveBook, market: Market, in_the_way: tuple[Order, ...]) -> str:
    if in_the_way:
        named = ", ".join(map(resting_order_text, in_the_way))
        return f" your own {named}. The exchange would reject it."
    best = live.book.best_ask(terms.side) if terms.action is Action.BUY else live.book.best_bid(terms.side)
    near: Price | None = best.price if best else None
    word = "ask" if terms.action is Action.BUY else "bid"
    return f": the {word} is {price_text(near, price_decimals(market.grid))}. The exchange would reject it."


def dollars_readback(typed: str, terms: OrderTerms | None, market: Market) -> Line:
    """Return how dollars were read, for the space beside the count; ``terms`` are None while they cannot be read."""
    try:
        parse_typed_dollars(typed)
    except NumberError:
        return line(Span("not a sum of dollars", Tone.BAD))
    if terms is None:
        return line(Span("dollars: the price says how many", Tone.DIM))
    fee = max_fee(terms, market.fees) if market.fees is not None else None
    cost = terms.price * terms.count
    paid = f"at most {money_text(cost + fee)}" if fee is not None else f"{money_text(cost)} and the fee"
    return line(f"= {count_text(terms.count)}", Span(f" for {paid}", Tone.DIM))
