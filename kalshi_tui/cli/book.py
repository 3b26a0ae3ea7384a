"""``book``: one market's order book, once or as it changes."""

import argparse
from typing import TYPE_CHECKING, Final

from kalshi_tui.cli.book_table import DEFAULT_DEPTH, format_book
from kalshi_tui.cli.exit_codes import FailedError
from kalshi_tui.cli.output import Output
from kalshi_tui.cli.parser import QUERY_EXIT_CODES, CommandRegistry, integer_between
from kalshi_tui.cli.progress import ProgressIndicator
from kalshi_tui.cli.query import parse_ticker, run_query

if TYPE_CHECKING:
    from kalshi_tui.kalshi.rest import RestClient

CACHED_NOTE: Final = "Read once: it may be up to 15 s old."
MAX_LEVELS: Final = 10_000


def add(commands: CommandRegistry) -> None:
    """Add the command."""
    book = commands.add(
        "book",
        run,
        summary="show a market's order book, once or as it changes",
        description="Show the bids for YES and, as asks, the bids for NO seen from the other side; best prices first. "
        "Read once, it may be up to 15 s old, and no key is needed.\n\n"
        "With --watch the book is followed by the exchange's stream and shown whenever it changes, at most 20 times a "
        "second, until Ctrl+C: drawn in place on a terminal, otherwise one after the other. A book that may be wrong "
        "says STALE. The stream needs a key.",
        examples=(
            "kalshi-tui book KXRECESSION-26 --depth 5",
            "kalshi-tui book KXRECESSION-26 --watch --json | jq -c '[.trust, .yes_bid, .yes_ask]'",
        ),
        exit_codes=QUERY_EXIT_CODES,
        json="one JSON object, with --watch one a line",
    )
    book.add_argument("ticker", metavar="T", help="the market's ticker")
    book.add_argument(
        "--depth",
        type=integer_between(1, MAX_LEVELS),
        metavar="N",
        help=f"levels of each side (default: {DEFAULT_DEPTH}; JSON: all)",
    )
    book.add_argument("--watch", action="store_true", help="show it again whenever it changes, until Ctrl+C")


def run(options: argparse.Namespace) -> int:
    """Show a book."""
    ticker = parse_ticker(options.ticker)
    if options.watch:
        from kalshi_tui.cli.book_watch import watch_book

        return watch_book(options, ticker)

    async def query(rest: "RestClient", output: Output, waiting: ProgressIndicator) -> None:
        del waiting
        from kalshi_tui.cli.json_shapes import book_shape
        from kalshi_tui.domain.book import Book, BookError

        market = await rest.market(ticker)
        book = Book()
        try:
            book.snapshot(*await rest.orderbook(ticker, options.depth))
        except BookError as error:
            raise FailedError(f"The exchange's book of {ticker} cannot be one: {error}.", "bad_reply") from error
        if options.json:
            output.write_json(book_shape(ticker, book, "cached", CACHED_NOTE, depth=options.depth))
        else:
            output.write_lines(*format_book(output, market, book, "", "", options.depth or DEFAULT_DEPTH))

    return run_query(options, query, f"Reading the book of {ticker}", public=True)
