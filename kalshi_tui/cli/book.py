"""``book``, ``trades`` and ``candles``: one market's prices, current and past."""

import argparse
from typing import TYPE_CHECKING, Final

from kalshi_tui.cli.book_table import DEFAULT_DEPTH, format_book
from kalshi_tui.cli.exit_codes import FailedError
from kalshi_tui.cli.output import (
    Column,
    Output,
    format_time,
)
from kalshi_tui.cli.parser import QUERY_EXIT_CODES, CommandRegistry, integer_between
from kalshi_tui.cli.progress import ProgressIndicator
from kalshi_tui.cli.query import parse_ticker, read_full_market, run_query

if TYPE_CHECKING:
    from kalshi_tui.kalshi.rest import RestClient

CACHED_NOTE: Final = "Read once: it may be up to 15 s old."
MAX_ROWS: Final = 10_000


def add(commands: CommandRegistry) -> None:
    """Add the commands."""
    book = commands.add(
        "book",
        run_book,
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
        type=integer_between(1, MAX_ROWS),
        metavar="N",
        help=f"levels of each side (default: {DEFAULT_DEPTH}; JSON: all)",
    )
    book.add_argument("--watch", action="store_true", help="show it again whenever it changes, until Ctrl+C")
    trades = commands.add(
        "trades",
        run_trades,
        summary="list a market's last trades",
        description="List the last public trades of a market, newest first: when, at which YES price, how many, and "
        "which outcome the taker bought. No key is needed.",
        examples=("kalshi-tui trades KXRECESSION-26 --limit 20",),
        exit_codes=QUERY_EXIT_CODES,
        json="one JSON object a line for each trade",
    )
    trades.add_argument("ticker", metavar="T", help="the market's ticker")
    trades.add_argument(
        "--limit", type=integer_between(1, MAX_ROWS), default=50, metavar="N", help="at most N (default: 50)"
    )
    candles = commands.add(
        "candles",
        run_candles,
        summary="list a market's past prices by minute, hour or day",
        description="List open, high, low and close of a market's trades, with the volume, by minute, hour or day, "
        "oldest first; of the newest periods, also those in which nothing traded, as far as the exchange lists them. "
        "No key is needed.",
        examples=("kalshi-tui candles KXRECESSION-26 --period day --limit 30",),
        exit_codes=QUERY_EXIT_CODES,
        json="one JSON object a line for each period",
    )
    candles.add_argument("ticker", metavar="T", help="the market's ticker")
    candles.add_argument(
        "--period", choices=("minute", "hour", "day"), default="hour", help="of a line (default: hour)"
    )
    candles.add_argument(
        "--limit", type=integer_between(1, 1_000), default=24, metavar="N", help="the last N periods (default: 24)"
    )


def run_book(options: argparse.Namespace) -> int:
    """Show a book."""
    ticker = parse_ticker(options.ticker)
    if options.watch:
        from kalshi_tui.cli.book_watch import watch_book

        return watch_book(options, ticker)

    async def question(rest: "RestClient", output: Output, waiting: ProgressIndicator) -> None:
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

    return run_query(options, question, f"Reading the book of {ticker}", public=True)


def run_trades(options: argparse.Namespace) -> int:
    """List trades."""
    ticker = parse_ticker(options.ticker)

    async def question(rest: "RestClient", output: Output, waiting: ProgressIndicator) -> None:
        del waiting
        from kalshi_tui.cli.json_shapes import trade_shape
        from kalshi_tui.kalshi import whole_history
        from kalshi_tui.presentation.number_text import count_text, market_price_text

        market = await whole_history.market(rest, ticker)
        trades = await whole_history.trades(rest, ticker, most=options.limit)
        if options.json:
            for each in trades:
                output.write_json(trade_shape(each))
            return
        columns = (
            Column("TIME"),
            Column("YES PRICE", right=True),
            Column("COUNT", right=True),
            Column("TAKER BOUGHT"),
        )
        rows = [
            (
                format_time(each.ts_ms),
                market_price_text(each.yes_price, market),
                count_text(each.count),
                "YES" if each.taker_bid else "NO",
            )
            for each in trades
        ]
        output.write_table(columns, rows, "Nothing has traded.")

    return run_query(options, question, f"Reading the trades of {ticker}", public=True)


def run_candles(options: argparse.Namespace) -> int:
    """List candles."""
    ticker = parse_ticker(options.ticker)
    minutes = {"minute": 1, "hour": 60, "day": 1440}[options.period]

    async def question(rest: "RestClient", output: Output, waiting: ProgressIndicator) -> None:
        del waiting
        from kalshi_tui.cli.json_shapes import candle_shape
        from kalshi_tui.kalshi import whole_history
        from kalshi_tui.presentation.number_text import count_text, market_price_text

        market, _ = await read_full_market(rest, ticker)
        # One more for the period under way, and one at the beginning: the exchange's days begin where it says.
        count = options.limit + 2
        read = await whole_history.candles(rest, ticker, None, None, minutes=minutes, count=count)
        candles = read[-options.limit :]
        if options.json:
            for each in candles:
                output.write_json(candle_shape(ticker, minutes, each))
            return
        names = ("OPEN", "HIGH", "LOW", "CLOSE", "VOLUME")
        columns = (Column("UNTIL"), *(Column(name, right=True) for name in names))
        rows = [
            (
                format_time(each.end_ms),
                *(market_price_text(price, market) for price in (each.open, each.high, each.low, each.close)),
                count_text(each.volume),
            )
            for each in candles
        ]
        output.write_table(columns, rows, "Nothing has traded.")

    return run_query(options, question, f"Reading the prices of {ticker}", public=True)
