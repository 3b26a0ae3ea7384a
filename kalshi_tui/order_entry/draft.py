"""An order as it stands written in the ticket's fields: read whole, or with what is wrong or missing. Pure."""

from dataclasses import dataclass, replace
from enum import Enum
from typing import NamedTuple

from kalshi_tui.domain.book import Side
from kalshi_tui.domain.market import Market
from kalshi_tui.domain.order import Action, OrderTerms, TimeInForce, refusal
from kalshi_tui.domain.position import Position
from kalshi_tui.domain.preview import closing, max_fee, most_for, would_cross
from kalshi_tui.domain.price import COUNT_UNIT, Count, NumberError, Price, format_price
from kalshi_tui.order_entry.parse import (
    ending_text,
    in_dollars,
    read_count,
    read_dollars,
    read_price,
    read_until,
)
from kalshi_tui.order_entry.pricing import grid_of
from kalshi_tui.presentation.lines import (
    Line,
    Span,
    Tone,
    line,
)
from kalshi_tui.presentation.numbers import (
    count_text,
    decimals_of,
    money_text,
    price_text,
)
from kalshi_tui.session.store import LiveBook


class Life(Enum):
    """How long an order may live: the exchange's words, and GTC with an end of its own."""

    GTC = "gtc"
    UNTIL = "until"
    IOC = "ioc"
    FOK = "fok"

    @property
    def tif(self) -> TimeInForce:
        """The exchange's word for it."""
        return TimeInForce.GTC if self is Life.UNTIL else TimeInForce[self.name]


class Part(Enum):
    """A part of the order that can be wrong; the field that it is written in."""

    PRICE = "price"
    COUNT = "count"
    UNTIL = "until"
    OTHER = "other"


class Trouble(NamedTuple):
    """What is wrong or missing, and where."""

    part: Part
    sentence: str


@dataclass(frozen=True, slots=True)
class Written:
    """What stands in the fields. ``count`` is contracts, or with a ``$`` what the purchase may cost."""

    ticker: str
    side: Side
    action: Action
    price: str = ""
    count: str = ""
    life: Life = Life.GTC
    until: str = ""
    post_only: bool = False
    reduce_only: bool = False
    cancel_on_pause: bool = False
    group: str = ""

    def sized(self, count: str) -> "Written":
        """Give the same with another count, and an end that no clock is needed for."""
        return replace(self, count=count, life=Life.GTC if self.life is Life.UNTIL else self.life)

    def terms(self, market: Market, now_ms: int, longest_s: int | None) -> OrderTerms:
        """Give the order. ``longest_s`` is how long the trader's settings let one rest. Raises NumberError."""
        price = read_price(self.price)
        terms = OrderTerms(
            ticker=self.ticker,
            side=self.side,
            action=self.action,
            price=price,
            count=COUNT_UNIT,
            tif=self.life.tif,
            post_only=self.post_only,
            reduce_only=self.reduce_only,
            expires_s=self._ending(now_ms, longest_s),
            cancel_on_pause=self.cancel_on_pause,
            order_group_id=self.group.strip() or None,
        )
        return replace(terms, count=self._count(terms, market))

    def _count(self, terms: OrderTerms, market: Market) -> Count:
        """Read the count; dollars are what a purchase that opens may cost at its limit, the fee included."""
        if not in_dollars(self.count):
            return read_count(self.count)
        dollars = read_dollars(self.count)
        if self.action is Action.SELL:
            raise NumberError("Dollars are what a purchase costs: for a sale type contracts, or d.")
        count = most_for(terms, dollars, market.fees, None)
        if not count:
            raise NumberError(f"{money_text(dollars)} does not pay for one contract at this price.")
        return count

    def _ending(self, now_ms: int, longest_s: int | None) -> int | None:
        latest = now_ms // 1000 + longest_s if longest_s is not None else None
        if self.life is Life.UNTIL:
            until = read_until(self.until, now_ms)
            if latest is not None and until > latest:
                raise NumberError(
                    f"Your dead-man setting ends an order at {ending_text(latest, now_ms)} at the latest."
                )
            return until
        return latest if self.life is Life.GTC else None

    def missing(self) -> Trouble | None:
        """Give the first part that is still to be written."""
        for part, text, read in (
            (Part.PRICE, self.price, read_price),
            (Part.COUNT, self.count, read_count),
            (Part.UNTIL, self.until if self.life is Life.UNTIL else "-", lambda text: read_until(text, 0)),
        ):
            if not text.strip():
                try:
                    read(text)
                except NumberError as error:
                    return Trouble(part, str(error))
        return None

    def wrong(
        self, market: Market, live: LiveBook, position: Position | None, now_ms: int, longest_s: int | None
    ) -> Trouble | None:
        """Give what the exchange would refuse of what is written so far; empty fields are not wrong yet."""
        # A part that is not written yet must not keep another that cannot be from being told.
        whole = replace(
            self,
            price=self.price if self.price.strip() else format_price(grid_of(market, self.side).prices[0]),
            count=self.count if self.count.strip() else "1",
            until=self.until if self.until.strip() else "1s",
        )
        for part, read in (
            (Part.PRICE, lambda: read_price(whole.price)),
            (Part.UNTIL, lambda: whole._ending(now_ms, longest_s)),  # noqa: SLF001 - one of its own kind
            (Part.COUNT, lambda: whole.terms(market, now_ms, longest_s)),
        ):
            try:
                read()
            except NumberError as error:
                return Trouble(part, str(error))
        terms = whole.terms(market, now_ms, longest_s)
        if why := refusal(terms, market):
            return Trouble(Part.OTHER if terms.price in grid_of(market, self.side) else Part.PRICE, why)
        if terms.reduce_only and not closing(terms, position):
            return Trouble(
                Part.OTHER, "Reduce-only, but there is nothing to reduce: you hold none that this would close."
            )
        if self.price.strip() and terms.post_only and live.good and would_cross(terms, live.book):
            return Trouble(Part.PRICE, f"Post-only, but it would cross: {_touch(terms, live, market)}")
        return None


def _touch(terms: OrderTerms, live: LiveBook, market: Market) -> str:
    best = live.book.best_ask(terms.side) if terms.action is Action.BUY else live.book.best_bid(terms.side)
    near: Price | None = best.price if best else None
    word = "ask" if terms.action is Action.BUY else "bid"
    return f"the {word} is {price_text(near, decimals_of(market.grid))}. The exchange would refuse it."


def dollars_read(typed: str, terms: OrderTerms | None, market: Market) -> Line:
    """Say beside the count field how dollars were read; ``terms`` are None while they cannot be read yet."""
    try:
        read_dollars(typed)
    except NumberError:
        return line(Span("not a sum of dollars", Tone.BAD))
    if terms is None:
        return line(Span("dollars: the price says how many", Tone.DIM))
    fee = max_fee(terms, market.fees) if market.fees is not None else None
    cost = terms.price * terms.count
    paid = f"at most {money_text(cost + fee)}" if fee is not None else f"{money_text(cost)} and the fee"
    return line(f"= {count_text(terms.count)}", Span(f" for {paid}", Tone.DIM))
