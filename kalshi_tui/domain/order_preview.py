"""All that a ticket computes of one order: what fills, what rests, what it costs and can lose. Exact and pure."""

from dataclasses import dataclass, replace

from kalshi_tui.domain.book import Book
from kalshi_tui.domain.fees import FeeSchedule
from kalshi_tui.domain.order import OrderTerms
from kalshi_tui.domain.position import Position
from kalshi_tui.domain.preview import (
    ExecutionEstimate,
    PositionProjection,
    closing_count,
    estimate_execution,
    max_fee,
    opening_risk,
    project_position,
)
from kalshi_tui.domain.price import Money


def effective_terms(terms: OrderTerms, position: Position | None) -> OrderTerms:
    """Return the order as the exchange would take it: a reduce-only one ends where the holding does."""
    return replace(terms, count=closing_count(terms, position)) if terms.reduce_only else terms


@dataclass(frozen=True, slots=True)
class OrderPreview:
    """All that is computed of one order against one book."""

    terms: OrderTerms
    execution: ExecutionEstimate
    projection: PositionProjection
    position: Position | None
    fee: Money | None
    """The fee "up to" of what of the order is live: as the taker, but as the maker where it can be nothing else."""

    @classmethod
    def of(cls, terms: OrderTerms, book: Book, fees: FeeSchedule | None, position: Position | None) -> "OrderPreview":
        """Compute."""
        terms = effective_terms(terms, position)
        seen = estimate_execution(terms, book, fees)
        live = replace(terms, count=seen.fills_now + seen.rests)
        fee = None
        if fees is not None and terms.post_only:
            fee = fees.at_most(terms.taking_limit, live.count, taker=False)
        elif fees is not None:
            best = book.best_ask(terms.taking_side)
            fee = max_fee(live, fees, best=best.price if best else None)
        return cls(terms, seen, project_position(terms, book, position), position, fee)

    @property
    def at_risk(self) -> Money:
        """What the order can lose at the most, filled whole at its limit, fees not counted."""
        return opening_risk(self.terms, self.position)

    @property
    def worst_loss(self) -> Money | None:
        """The same with the fee of the whole order; None where the fees are not known."""
        fee = self.execution.maker_fee if self.terms.post_only else self.execution.fee_at_most
        return None if fee is None else self.at_risk + fee
