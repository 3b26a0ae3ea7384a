"""An amendment as text: the order's terms afterward, its place in the queue, what it would do. Pure."""

from dataclasses import dataclass, replace

from kalshi_tui.domain.fees import CENT
from kalshi_tui.domain.market import Market
from kalshi_tui.domain.order import Action, Order, OrderState, OrderTerms
from kalshi_tui.domain.order_preview import NO_ORDERS, OrderPreview
from kalshi_tui.domain.own_orders import OwnOrders
from kalshi_tui.domain.position import Position
from kalshi_tui.domain.price import Count, Money, Price
from kalshi_tui.domain.text import expiry_text, plain_count_text, plain_price_text
from kalshi_tui.presentation.lines import (
    Line,
    Span,
    Tone,
    line,
)
from kalshi_tui.presentation.number_text import count_text
from kalshi_tui.presentation.preview_text import (
    LABEL_WIDTH,
    fee_line,
    fills_text,
    own_order_lines,
    resting_text,
    two_column_line,
    worst_loss_text,
)
from kalshi_tui.session.market_data.store import LiveBook
from kalshi_tui.session.store import Store


def resting_terms(store: Store, order: Order) -> OrderTerms:
    """Return what rests of an order in the terms in which it was sent; in the exchange's where those are not known."""
    known = store.order_terms.get(order.client_order_id)
    action, side, price = store.account.intents.with_meaning(order).as_meant
    plain = OrderTerms(
        order.ticker,
        side,
        action or Action.BUY,
        price,
        order.remaining,
        expires_s=order.expires_ms // 1000 or None,
        subaccount=order.subaccount or None,
    )
    if known is None:
        return plain
    return replace(plain, post_only=known.post_only, cancel_on_pause=known.cancel_on_pause)


def not_resting_reason(order: Order) -> str:
    """Return why an order cannot be changed any more; empty while it rests."""
    if order.state is OrderState.RESTING:
        return ""
    return f"This order is {order.state.word} by now: it cannot be changed."


def order_update_text(before: Order, now: Order) -> str:
    """Return what happened to an order between two reads; empty if nothing."""
    if now.filled != before.filled:
        filled = plain_count_text(now.filled - before.filled)
        return f"{filled} more of it filled meanwhile, {plain_count_text(now.remaining)} rest: check the count."
    if (now.yes_price, now.remaining) != (before.yes_price, before.remaining):
        return "The order was changed meanwhile: check it."
    return ""


@dataclass(frozen=True, slots=True)
class OrderAmendment:
    """A change of a resting order: the order, its terms now in the trader's words, and the requested ones."""

    order: Order
    before: OrderTerms
    after: OrderTerms
    ahead: Count | None = None
    """How many contracts are ahead of it now, None if not known."""
    expires_s: int | None = None
    """When it is to end by itself from now on, Unix seconds: None as it is, 0 never."""

    @property
    def yes_price(self) -> Price:
        """The new price in the exchange's terms."""
        return self.after.yes_price

    @property
    def is_unchanged(self) -> bool:
        """Whether nothing changes."""
        return (self.after.price, self.after.count) == (self.before.price, self.before.count) and (
            self.expires_s is None or self.expires_s == (self.before.expires_s or 0)
        )

    @property
    def keeps_queue_position(self) -> bool:
        """Whether it keeps its place in the queue, as with a smaller count and another expiry.

        docs/kalshi-api.md, section 6.
        """
        return self.after.price == self.before.price and self.after.count <= self.before.count

    def text(self) -> str:
        """Return the change in the trader's words."""
        after = self.after
        what = (
            f"{after.action.value} {after.side.name} {plain_count_text(after.count)} at {plain_price_text(after.price)}"
        )
        if self.expires_s is not None:
            what += f", {expiry_text(self.expires_s)},"
        return f"{what} instead of {plain_count_text(self.before.count)} at {plain_price_text(self.before.price)}"

    def queue_position_span(self, live: LiveBook) -> Span:
        """Return what happens to the place in the queue."""
        if self.is_unchanged:
            return Span("Unchanged so far.", Tone.DIM)
        if self.keeps_queue_position:
            same = self.after.count == self.before.count
            why = "only the expiry changes" if same else "smaller count at the same price"
            return Span(f"Keeps its place: {why}.", Tone.GOOD)
        best = live.book.best_ask(self.after.taking_side)
        takes = best is not None and best.price <= self.after.taking_limit
        return Span(f"Loses its place in the queue{', and takes at once' if takes else ''}.", Tone.WARN)

    def preview_lines(
        self,
        live: LiveBook,
        market: Market,
        position: Position | None,
        *,
        precision: Money = CENT,
        own: OwnOrders = NO_ORDERS,
    ) -> list[Line]:
        """Return what the order would do once changed, and its worst loss now and then.

        ``own`` is what rests of the account's in the market.
        """
        own = own.without(self.order.order_id)
        now = OrderPreview.of(self.before, live.book, market.fees, position, precision=precision, own=own)
        then = OrderPreview.of(self.after, live.book, market.fees, position, precision=precision, own=own)
        ahead = f"now behind {count_text(self.ahead)}" if self.ahead is not None else "not known"
        rests = count_text(self.after.count) if self.keeps_queue_position else self._resting_text(then)
        return [
            two_column_line("Fills now", fills_text(then.execution), "Rests", rests),
            two_column_line("Worst loss", worst_loss_text(then), "Before", worst_loss_text(now)),
            fee_line(then.execution),
            line(Span(f"{'In queue':<{LABEL_WIDTH}}", Tone.DIM), ahead),
            line(self.queue_position_span(live)),
            *own_order_lines(then, with_cash=False),
        ]

    def _resting_text(self, preview: OrderPreview) -> str:
        # The book still holds this order's own contracts, which the change takes away.
        own = self.before.count if self.after.taking_limit <= self.before.taking_limit else 0
        return resting_text(preview.execution, preview.terms, own)
