"""What changing a resting order means: its terms afterwards, its place in the queue, what it would do. Pure."""

from dataclasses import dataclass, replace

from kalshi_tui.domain.market import Market
from kalshi_tui.domain.order import Action, Order, OrderState, OrderTerms, exposure, yes_price
from kalshi_tui.domain.position import Position
from kalshi_tui.domain.price import Count, Price
from kalshi_tui.domain.text import count_words, price_words
from kalshi_tui.presentation.lines import (
    Line,
    Span,
    Tone,
    line,
)
from kalshi_tui.presentation.numbers import count_text
from kalshi_tui.presentation.preview_text import (
    LABEL,
    Figures,
    fee_lines,
    fills_words,
    pair,
    rest_words,
    worst_words,
)
from kalshi_tui.session.store import LiveBook, Store


def own_terms(store: Store, order: Order) -> OrderTerms:
    """Give what rests of an order in the words in which it was sent; in the exchange's where these are not known."""
    known = store.terms.get(order.client_order_id)
    asked = store.asked.get(order.client_order_id)
    if asked is not None:
        action, side = asked
        price = yes_price(side, order.yes_price)
    else:
        action = Action.BUY
        side, price = exposure(order.book_side, order.yes_price)
    expires_s = order.expires_ms // 1000 or None
    plain = OrderTerms(order.ticker, side, action, price, order.remaining, expires_s=expires_s)
    if known is None:
        return plain
    return replace(plain, post_only=known.post_only, cancel_on_pause=known.cancel_on_pause)


def ended(order: Order) -> str:
    """Say why an order cannot be changed any more; empty while it rests."""
    if order.state is OrderState.RESTING:
        return ""
    return f"This order is {order.state.value} by now: it cannot be changed."


def moved(before: Order, now: Order) -> str:
    """Say what has happened to an order between two looks; empty if nothing."""
    if now.filled != before.filled:
        filled = count_words(now.filled - before.filled)
        return f"{filled} more of it filled meanwhile, {count_words(now.remaining)} rest: look at the count again."
    if (now.yes_price, now.remaining) != (before.yes_price, before.remaining):
        return "The order was changed meanwhile: look again."
    return ""


@dataclass(frozen=True, slots=True)
class Change:
    """A change of a resting order: the order, what it is now in the trader's words, and what it shall be."""

    order: Order
    before: OrderTerms
    after: OrderTerms
    ahead: Count | None = None
    """How many contracts stand before it now, None if not known."""

    @property
    def yes_price(self) -> Price:
        """The new price in the exchange's terms."""
        return self.after.yes_price

    @property
    def nothing(self) -> bool:
        """Whether all stays as it is."""
        return (self.after.price, self.after.count) == (self.before.price, self.before.count)

    @property
    def keeps_place(self) -> bool:
        """Whether the place in the queue is kept (docs/kalshi-api.md, section 6): a smaller count alone does."""
        return self.after.price == self.before.price and self.after.count <= self.before.count

    def words(self) -> str:
        """Say the change in the trader's words."""
        after = self.after
        what = f"{after.action.value} {after.side.name} {count_words(after.count)} at {price_words(after.price)}"
        return f"{what} instead of {count_words(self.before.count)} at {price_words(self.before.price)}"

    def place_words(self, live: LiveBook) -> Span:
        """Say what happens to the place in the queue."""
        if self.nothing:
            return Span("Unchanged so far.", Tone.DIM)
        if self.keeps_place:
            return Span("Keeps its place: smaller count at the same price.", Tone.GOOD)
        best = live.book.best_ask(self.after.taking_side)
        takes = best is not None and best.price <= self.after.taking_limit
        return Span(f"Loses its place in the queue{', and takes at once' if takes else ''}.", Tone.WARN)

    def figure_lines(self, live: LiveBook, market: Market, position: Position | None) -> list[Line]:
        """Say what the order would do once changed, beside what it can lose now."""
        now = Figures.of(self.before, live.book, market.fees, position)
        then = Figures.of(self.after, live.book, market.fees, position)
        ahead = f"now behind {count_text(self.ahead)}" if self.ahead is not None else "not known"
        rests = count_text(self.after.count) if self.keeps_place else self._rests(then)
        return [
            pair("Fills now", fills_words(then.seen), "Rests", rests),
            pair("Worst loss", worst_words(then), "Before", worst_words(now)),
            fee_lines(then.seen),
            line(Span(f"{'In queue':<{LABEL}}", Tone.DIM), ahead),
            line(self.place_words(live)),
        ]

    def _rests(self, then: Figures) -> str:
        # The level holds what this order itself leaves behind.
        own = self.before.count if self.after.price == self.before.price else 0
        return rest_words(then.seen, then.terms, own)
