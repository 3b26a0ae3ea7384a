"""What positions are worth, for commands: the same valuation as the desk's, from books, fees and own orders as read."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from kalshi_tui.domain.book import Book, BookError
from kalshi_tui.domain.market import Market
from kalshi_tui.domain.position import Position
from kalshi_tui.domain.price import Money
from kalshi_tui.domain.valuation import PositionsTotal, ValuedPosition, value_position
from kalshi_tui.kalshi import whole_history
from kalshi_tui.kalshi.errors import KalshiError
from kalshi_tui.kalshi.lists import LeftOut
from kalshi_tui.kalshi.rest import MAX_TICKERS_PER_REQUEST

if TYPE_CHECKING:
    from kalshi_tui.kalshi.rest import RestClient


async def read_position_markets(rest: "RestClient", tickers: Sequence[str]) -> dict[str, Market]:
    """Read the markets of positions by their tickers, whatever state they are in.

    Where they cannot be read, the positions are listed without name and value, and this is told.
    """
    markets: dict[str, Market] = {}
    try:
        for start in range(0, len(tickers), MAX_TICKERS_PER_REQUEST):
            chunk = tickers[start : start + MAX_TICKERS_PER_REQUEST]
            markets |= {each.ticker: each async for each in rest.markets(tickers=chunk)}
            if old := [each for each in chunk if each not in markets]:
                markets |= {each.ticker: each async for each in rest.archive.markets(tickers=old)}
    except KalshiError as error:
        rest.leave_out(LeftOut("list of markets", "that of the positions", str(error)))
    return markets


async def read_values(
    rest: "RestClient", positions: Iterable[Position], markets: dict[str, Market], precision: Money
) -> list[ValuedPosition]:
    """Value positions, in their order; what cannot be valued, because something cannot be read, has no value."""
    positions = list(positions)
    held = [each.ticker for each in positions if each.is_held]
    traded = list(dict.fromkeys(each for each in held if each in markets and markets[each].status.tradable))
    if not held:
        return [ValuedPosition(each, None) for each in positions]
    books: dict[str, Book] = {}
    own = None
    fees: dict[str, Market] = {}
    try:
        # An own bid is no buyer.
        own = await rest.orders(status="resting") if traded else []
        books = _as_books(await rest.orderbooks(traded)) if traded else {}
        fees = await _with_fees(rest, [markets[each] for each in traded])
    except KalshiError as error:
        rest.leave_out(LeftOut("list of books, fees and orders", "that of the positions", str(error)))
    found = []
    for each in positions:
        market = fees.get(each.ticker, markets.get(each.ticker))
        book = books.get(each.ticker)
        can_tell = market is not None and (book is not None or not market.status.tradable)
        worth = None
        if each.is_held and market is not None and can_tell and own is not None:
            worth = value_position(market, each.count, book=book, quote=None, own=own, precision=precision)
        found.append(ValuedPosition(each, worth))
    return found


async def read_positions_value(rest: "RestClient", subaccount: int | None, precision: Money) -> Money | None:
    """Return what all positions of a subaccount are worth; None where that is not known of each of them.

    The cash is told even where the positions cannot be read: a key may be allowed the balance alone.
    """
    try:
        found = await rest.positions(subaccount=subaccount)
    except KalshiError as error:
        rest.leave_out(LeftOut("list of positions", "that of the balance", str(error)))
        return None
    held = [each for each in found if each.is_held]
    markets = await read_position_markets(rest, [each.ticker for each in held])
    total = PositionsTotal.of(await read_values(rest, held, markets, precision))
    return total.value if found.whole else None


def _as_books(read: dict[str, tuple[list[tuple[int, int]], list[tuple[int, int]]]]) -> dict[str, Book]:
    """Return what can be a book of what was read."""
    books = {}
    for ticker, (yes_bids, no_bids) in read.items():
        book = Book()
        try:
            book.snapshot(yes_bids, no_bids)
        except BookError:
            continue
        books[ticker] = book
    return books


async def _with_fees(rest: "RestClient", markets: Iterable[Market]) -> dict[str, Market]:
    """Return markets with their fees, by ticker; each event is asked for once. Raises KalshiError."""
    by_event: dict[str, list[Market]] = {}
    for each in markets:
        by_event.setdefault(each.event_ticker, []).append(each)
    found: dict[str, Market] = {}
    for group in by_event.values():
        fees = await rest.event_fees(await whole_history.event_of(rest, group[0]))
        found |= {each.ticker: replace(each, fees=fees) for each in group}
    return found
