"""What an order would do, for programs: the figures of the ticket's preview, and nothing is sent."""

from dataclasses import dataclass

from kalshi_tui.domain.book import Book
from kalshi_tui.domain.market import Market
from kalshi_tui.domain.order import OrderTerms, rejection_reason
from kalshi_tui.domain.order_preview import OrderPreview
from kalshi_tui.domain.position import Position
from kalshi_tui.domain.price import Count, Money


@dataclass(frozen=True, slots=True)
class DryRun:
    """An order that was not sent. Counts in 1/100 contract, money in 1/1,000,000 dollar.

    ``refusal`` is why the exchange would refuse it whatever the book holds, a sentence; empty if it would not.
    """

    terms: OrderTerms
    """As the exchange would take it: a reduce-only order ends where the holding does."""
    market: Market
    """With its fees."""
    book: Book
    """That the figures are of; up to 15 s old (docs/kalshi-api.md, section 4)."""
    figures: OrderPreview
    cash: Money | None
    """Free on the market's shard; None without a key."""
    refusal: str = ""

    @classmethod
    def of(cls, terms: OrderTerms, market: Market, book: Book, held: Position | None, cash: Money | None) -> "DryRun":
        """Compute."""
        figures = OrderPreview.of(terms, book, market.fees, held)
        return cls(figures.terms, market, book, figures, cash, rejection_reason(terms, market) or "")

    @property
    def fills_now(self) -> Count:
        """How much would trade at once."""
        return self.figures.execution.fills_now

    @property
    def rests(self) -> Count:
        """How much would stand in the book afterwards."""
        return self.figures.execution.rests

    @property
    def queue_ahead(self) -> Count:
        """How much stands before it at its price."""
        return self.figures.execution.queue_ahead

    @property
    def cost(self) -> Money:
        """What it takes from the cash, fees not counted; negative for what it brings."""
        return -self.figures.projection.cash_change

    @property
    def fee_at_most(self) -> Money | None:
        """The fee as the taker of all of it; None where the fee is not known."""
        return self.figures.execution.fee_at_most

    @property
    def maker_fee(self) -> Money | None:
        """The fee as the maker of all of it; None where the fee is not known."""
        return self.figures.execution.maker_fee

    @property
    def worst_loss(self) -> Money | None:
        """What the whole order can lose at its limit, its fee included; None where the fee is not known."""
        return self.figures.worst_loss

    @property
    def profit_if_right(self) -> Money | None:
        """What it gains if what it opens comes true, after fees; None where the fee is not known."""
        fee, then = self.figures.fee, self.figures.projection
        return None if fee is None else then.realized + then.profit_if_right(fee)
