"""An order book as a table of text: bids for YES beside asks for YES, best first."""

from typing import TYPE_CHECKING, Final

from kalshi_tui.cli.output import RED, Column, Output, format_table

if TYPE_CHECKING:
    from kalshi_tui.domain.book import Book
    from kalshi_tui.domain.market import Market

DEFAULT_DEPTH: Final = 10


def format_book(output: Output, market: "Market", book: "Book", trust: str, why: str, depth: int) -> list[str]:
    """Draw a book: its market, whether it may be believed, bids beside asks."""
    from kalshi_tui.domain.book import Side
    from kalshi_tui.domain.text import market_text
    from kalshi_tui.presentation.lines import fit, make_printable
    from kalshi_tui.presentation.number_text import count_text, market_price_text

    width = output.width

    def cut(line: str) -> str:
        return make_printable(line) if width is None else fit(line, width - 1).rstrip()

    bids, asks = book.side(Side.YES).top(depth), book.asks(Side.YES, depth)
    rows = []
    for place in range(max(len(bids), len(asks))):
        bid = bids[place] if place < len(bids) else None
        ask = asks[place] if place < len(asks) else None
        rows.append(
            (
                count_text(bid.size) if bid else "",
                market_price_text(bid.price, market) if bid else "",
                market_price_text(ask.price, market) if ask else "",
                count_text(ask.size) if ask else "",
            )
        )
    columns = (
        Column("SIZE", right=True),
        Column("YES BID", right=True),
        Column("YES ASK", right=True),
        Column("SIZE", right=True),
    )
    lines = [cut(f"{market.ticker}  {market_text(market)}")]
    if trust:
        lines.append(output.paint(cut(f"{trust}: {why}"), RED) if why else trust)
    return [*lines, *map(cut, format_table(columns, rows, None)), *([] if rows else ["No bids, no asks."])]
