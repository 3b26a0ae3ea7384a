"""Sending an order as a trader who has said every word that was asked for."""

from kalshi_tui.domain.order import OrderTerms
from kalshi_tui.session.interface import OrderResult
from kalshi_tui.session.session import Session


async def sent(session: Session, terms: OrderTerms) -> OrderResult:
    """Draft and send; on a book that is not followed too."""
    agreed = frozenset(each.risk for each in session.check_risks(terms))
    return await session.submit(terms, session.draft(terms), agreed)
