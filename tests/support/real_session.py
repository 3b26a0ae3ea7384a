"""What a test asks of a session on the real practice exchange."""

from typing import Final

from kalshi_tui.session.practice_faults import PracticeFault
from kalshi_tui.session.session import Session
from tests.support.waiting import until

WHOLE_CENT: Final = 100


async def a_two_sided_market(session: Session) -> str:
    """Look at markets until one of whole cents is bid and asked with room between 10 and 90 cents."""
    quotes = session.store.quotes
    ticker = next(
        ticker
        for ticker, market in session.store.markets.items()
        if market.grid.finest_step == WHOLE_CENT
        and (quote := quotes[ticker]).yes_bid
        and quote.yes_ask
        and 1_000 < quote.yes_bid < quote.yes_ask < 9_000
        and not ticker.startswith(("KXBTC", "KXETH", "KXSOL"))
    )
    session.set_shown_markets([ticker])
    await until(lambda: session.store.book(ticker).is_good)
    return ticker


async def rehearsed(session: Session, piece: PracticeFault, ticker: str) -> str:
    """Rehearse, and give what the log says of it."""
    session.store.notices.clear()
    session.inject_fault(piece, ticker)

    def told() -> list[str]:
        said = [notice.text for notice in session.store.notices]
        return [text for text in said if text.startswith("Rehears") and piece.label in text]

    try:
        await until(told)
    except TimeoutError:
        raise AssertionError(f"{piece.id}: {[n.text for n in session.store.notices]}") from None
    return told()[0]
