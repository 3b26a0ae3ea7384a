"""Comparing a book with what the exchange says of it at the same moment."""

from dataclasses import dataclass

from kalshi_tui.domain.book import Book, Side
from kalshi_tui.domain.text import plain_count_text, plain_price_text
from kalshi_tui.session.market_data.store import Levels


@dataclass(frozen=True, slots=True)
class AuditResult:
    """What came of an audit; ``equal`` is None if there was nothing to compare."""

    equal: bool | None
    sentence: str


def compare_books(ours: Book, yes: Levels | None, no: Levels | None) -> AuditResult:
    """Compare our book with a snapshot's levels; None stands for no snapshot."""
    if yes is None or no is None:
        return AuditResult(None, "there is no trusted book to compare now.")
    fresh = Book()
    fresh.snapshot(yes, no)
    if difference := describe_first_difference(ours, fresh):
        return AuditResult(equal=False, sentence=f"the book differs. {difference}")
    return AuditResult(
        equal=True, sentence=f"equal to the exchange's book, all {len(fresh.yes) + len(fresh.no)} levels."
    )


def describe_first_difference(ours: Book, theirs: Book) -> str:
    """Say where two books differ first, best levels before the others; empty if they are equal."""
    for side in (Side.YES, Side.NO):
        mine, fresh = ours.side(side), theirs.side(side)
        for price in sorted({*mine.prices, *fresh.prices}, reverse=True):
            have, should = mine.count_at(price), fresh.count_at(price)
            if have != should:
                at = f"{side.name} bid {plain_price_text(price)}"
                return f"{at}: {plain_count_text(have)} here, {plain_count_text(should)} at the exchange."
    return ""
