"""The preview of an order for programs: the figures of the ticket's preview, without sending anything."""

from dataclasses import dataclass

from kalshi_tui.domain.book import Book
from kalshi_tui.domain.fees import CENT
from kalshi_tui.domain.market import Market
from kalshi_tui.domain.order import Order, OrderTerms, rejection_reason
from kalshi_tui.domain.order_preview import NO_ORDERS, OrderPreview
from kalshi_tui.domain.own_orders import OwnOrders
from kalshi_tui.domain.position import Position
from kalshi_tui.domain.price import Count, Money


@dataclass(frozen=True, slots=True)
class DryRun:
    """What an order would do; it was not sent. Counts are in 1/100 contract, money in 1/1,000,000 dollar.

    `KalshiClient.preview_order` returns it::

        preview = await client.preview_order(ticker, "yes", "buy", "0.42", "10")
        print(format_count(preview.fills_now), format_money(preview.cost), preview.refusal)
    """

    terms: OrderTerms
    """The order as the exchange would take it: a reduce-only order is no larger than the position."""
    market: Market
    """The market, with its fees."""
    book: Book
    """The book that the figures are of; up to 15 s old (docs/kalshi-api.md, section 4)."""
    figures: OrderPreview
    """All figures; the properties below are those that programs need most."""
    cash: Money | None
    """The cash on the market's shard; None without a key."""
    refusal: str = ""
    """Why the exchange would reject the order whatever the book holds, a sentence; empty if it would not."""

    @classmethod
    def of(
        cls,
        terms: OrderTerms,
        market: Market,
        book: Book,
        held: Position | None,
        cash: Money | None,
        *,
        precision: Money = CENT,
        own: OwnOrders = NO_ORDERS,
    ) -> "DryRun":
        """Return the preview of an order in a market with this book, position and cash; reads nothing.

        ``own`` is what rests of the account's in the market.
        ``precision`` is what the member's balance is rounded to, see `Balance.precision`.
        """
        figures = OrderPreview.of(terms, book, market.fees, held, precision=precision, own=own)
        return cls(figures.terms, market, book, figures, cash, rejection_reason(terms, market) or "")

    @property
    def fills_now(self) -> Count:
        """How much would be filled at once."""
        return self.figures.execution.fills_now

    @property
    def rests(self) -> Count:
        """How much would rest in the book afterward."""
        return self.figures.execution.rests

    @property
    def queue_ahead(self) -> Count:
        """How much stands before it at its price."""
        return self.figures.execution.queue_ahead

    @property
    def cost(self) -> Money:
        """What the order takes from the cash, without fees; negative if it brings cash."""
        return -self.figures.projection.cash_change

    @property
    def cash_after(self) -> Money | None:
        """What can be spent afterward, the fee "up to" taken off; None without a key or if the fees are unknown.

        What rests of the account's own is in it, with what the exchange sets aside for it then.
        """
        fee = self.figures.fee
        return None if self.cash is None or fee is None else self.cash + self.figures.cash_effect - fee

    @property
    def counted_orders(self) -> tuple[Order, ...]:
        """The account's own resting orders that count as filled before this one."""
        return self.figures.counted

    @property
    def own_orders_met(self) -> tuple[Order, ...]:
        """The account's own resting orders that it would meet: they are canceled, or it ends at the first."""
        return self.figures.met

    @property
    def stops_at_own_order(self) -> bool:
        """Whether it ends at the first of those: what is left of it is canceled, unfilled."""
        return self.figures.stopped

    @property
    def fee_at_most(self) -> Money | None:
        """The fee if all of the order takes; None if the market's fees are unknown."""
        return self.figures.execution.fee_at_most

    @property
    def maker_fee(self) -> Money | None:
        """The fee if all of the order makes; None if the market's fees are unknown."""
        return self.figures.execution.maker_fee

    @property
    def worst_loss(self) -> Money | None:
        """The most that the whole order can lose at its limit, fee included; None if the market's fees are unknown."""
        return self.figures.worst_loss

    @property
    def profit_if_right(self) -> Money | None:
        """The gain if the outcome that it opens comes true, after fees; None if the market's fees are unknown."""
        fee, then = self.figures.fee, self.figures.projection
        return None if fee is None else then.realized + then.profit_if_right(fee)
