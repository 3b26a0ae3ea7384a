"""Comparing a book with what the exchange says of it at the same moment."""

import asyncio
from dataclasses import dataclass

from kalshi_tui.domain.book import Book, Side
from kalshi_tui.domain.text import plain_count_text, plain_price_text
from kalshi_tui.kalshi.feed.market_feed import MarketFeed
from kalshi_tui.session.market_data.store import Levels
from kalshi_tui.session.notices import Severity
from kalshi_tui.session.store import Store


@dataclass(frozen=True, slots=True)
class AuditResult:
    """The outcome of an audit; ``equal`` is None if there was nothing to compare."""

    equal: bool | None
    sentence: str


class BookAuditor:
    """Asks the exchange for a fresh snapshot of a book, and compares."""

    def __init__(self, stream: MarketFeed, store: Store) -> None:
        self._stream = stream
        self._store = store

    async def audit(self, ticker: str) -> AuditResult:
        """Compare a book with a fresh snapshot of the exchange's; one that differs is not trusted any more."""
        answer: asyncio.Future[AuditResult] = asyncio.get_running_loop().create_future()

        def snapshot_came(_: str, yes: Levels | None, no: Levels | None) -> None:
            # The comparison belongs into this very call: the next frame changes one of the two.
            result = compare_books(self._store.book(ticker).book, yes, no)
            if not answer.done():
                answer.set_result(result)
            if result.equal is False:
                self._stream.resync_books("An audit found that it differs from the exchange's.")

        self._stream.audit(ticker, snapshot_came)
        return await answer

    async def report(self, ticker: str) -> None:
        """Audit a book, and show the outcome."""
        result = await self.audit(ticker)
        severity = {None: Severity.WARNING, True: Severity.GOOD, False: Severity.ERROR}[result.equal]
        self._store.notify(severity, f"Audit of {ticker}: {result.sentence}")


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
    """Return where two books differ first, best levels before the others; empty if they are equal."""
    for side in (Side.YES, Side.NO):
        mine, fresh = ours.side(side), theirs.side(side)
        for price in sorted({*mine.prices, *fresh.prices}, reverse=True):
            have, should = mine.count_at(price), fresh.count_at(price)
            if have != should:
                at = f"{side.name} bid {plain_price_text(price)}"
                return f"{at}: {plain_count_text(have)} here, {plain_count_text(should)} at the exchange."
    return ""
