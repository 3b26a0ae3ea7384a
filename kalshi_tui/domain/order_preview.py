"""All that a ticket reckons of one order: what fills, what rests, what it costs and can lose. Exact and pure."""

from dataclasses import dataclass, replace

from kalshi_tui.domain.book import Book
from kalshi_tui.domain.fees import FeeSchedule
from kalshi_tui.domain.order import OrderTerms
from kalshi_tui.domain.position import Position
from kalshi_tui.domain.preview import Preview, Projection, closing, max_fee, preview, project, risked
from kalshi_tui.domain.price import Money


def effective(terms: OrderTerms, position: Position | None) -> OrderTerms:
    """Give the order as the exchange would take it: a reduce-only one ends where the holding does."""
    return replace(terms, count=closing(terms, position)) if terms.reduce_only else terms


@dataclass(frozen=True, slots=True)
class Figures:
    """All that is reckoned of one order against one book."""

    terms: OrderTerms
    seen: Preview
    then: Projection
    held: Position | None
    fee: Money | None
    """The fee "up to" of what of the order is live: as the taker, but as the maker where it can be nothing else."""

    @classmethod
    def of(cls, terms: OrderTerms, book: Book, fees: FeeSchedule | None, held: Position | None) -> "Figures":
        """Reckon."""
        terms = effective(terms, held)
        seen = preview(terms, book, fees)
        live = replace(terms, count=seen.fills_now + seen.rests)
        fee = None
        if fees is not None and terms.post_only:
            fee = fees.at_most(terms.taking_limit, live.count, taker=False)
        elif fees is not None:
            best = book.best_ask(terms.taking_side)
            fee = max_fee(live, fees, best=best.price if best else None)
        return cls(terms, seen, project(terms, book, held), held, fee)

    @property
    def at_risk(self) -> Money:
        """What the order can lose at the most, filled whole at its limit, fees not counted."""
        return risked(self.terms, self.held)

    @property
    def worst_loss(self) -> Money | None:
        """The same with the fee of the whole order; None where the fees are not known."""
        fee = self.seen.maker_fee if self.terms.post_only else self.seen.fee_at_most
        return None if fee is None else self.at_risk + fee
