"""``book``, ``trades`` and ``candles``: one market's prices, now and before."""

import argparse
from typing import TYPE_CHECKING, Final

from kalshi_tui.cli.exit_codes import FailedError
from kalshi_tui.cli.output import (
    RED,
    Column,
    Output,
    moment,
)
from kalshi_tui.cli.parser import READS, Commands, whole_number
from kalshi_tui.cli.progress import Waiting
from kalshi_tui.cli.queries import asked, checked_ticker, whole_market

if TYPE_CHECKING:
    from kalshi_tui.domain.book import Book
    from kalshi_tui.domain.market import Market
    from kalshi_tui.kalshi.rest import RestClient

DEPTH: Final = 10
CACHED: Final = "Read once: it may be up to 15 s old."
MOST: Final = 10_000


def add(commands: Commands) -> None:
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
        exits=READS,
        json="one JSON object, with --watch one a line",
    )
    book.add_argument("ticker", metavar="T", help="the market's ticker")
    book.add_argument(
        "--depth", type=whole_number(1, MOST), metavar="N", help=f"levels of each side (default: {DEPTH}; JSON: all)"
    )
    book.add_argument("--watch", action="store_true", help="show it again whenever it changes, until Ctrl+C")
    trades = commands.add(
        "trades",
        run_trades,
        summary="list a market's last trades",
        description="List the last public trades of a market, newest first: when, at which YES price, how many, and "
        "which outcome the taker bought. No key is needed.",
        examples=("kalshi-tui trades KXRECESSION-26 --limit 20",),
        exits=READS,
        json="one JSON object a line for each trade",
    )
    trades.add_argument("ticker", metavar="T", help="the market's ticker")
    trades.add_argument("--limit", type=whole_number(1, MOST), default=50, metavar="N", help="at most N (default: 50)")
    candles = commands.add(
        "candles",
        run_candles,
        summary="list a market's past prices by minute, hour or day",
        description="List open, high, low and close of a market's trades, with the volume, by minute, hour or day, "
        "oldest first; of the newest periods, those too in which nothing traded as far as the exchange tells them. "
        "No key is needed.",
        examples=("kalshi-tui candles KXRECESSION-26 --period day --limit 30",),
        exits=READS,
        json="one JSON object a line for each period",
    )
    candles.add_argument("ticker", metavar="T", help="the market's ticker")
    candles.add_argument(
        "--period", choices=("minute", "hour", "day"), default="hour", help="of a line (default: hour)"
    )
    candles.add_argument(
        "--limit", type=whole_number(1, 1_000), default=24, metavar="N", help="the last N periods (default: 24)"
    )


def run_book(options: argparse.Namespace) -> int:
    """Show a book."""
    ticker = checked_ticker(options.ticker)
    if options.watch:
        from kalshi_tui.cli.book_watch import run

        return run(options, ticker)

    async def question(rest: "RestClient", output: Output, waiting: Waiting) -> None:
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
            output.object(book_shape(ticker, book, "cached", CACHED, depth=options.depth))
        else:
            output.lines(*book_lines(output, market, book, "", "", options.depth or DEPTH))

    return asked(options, question, f"Reading the book of {ticker}", public=True)


def book_lines(output: Output, market: "Market", book: "Book", trust: str, why: str, depth: int) -> list[str]:
    """Draw a book: its market, whether it may be believed, bids beside asks."""
    from kalshi_tui.cli.output import table_lines
    from kalshi_tui.domain.book import Side
    from kalshi_tui.domain.text import market_words
    from kalshi_tui.presentation.lines import clean, fit
    from kalshi_tui.presentation.numbers import count_text, market_price

    width = output.width

    def cut(line: str) -> str:
        return clean(line) if width is None else fit(line, width - 1).rstrip()

    bids, asks = book.side(Side.YES).top(depth), book.asks(Side.YES, depth)
    rows = []
    for place in range(max(len(bids), len(asks))):
        bid = bids[place] if place < len(bids) else None
        ask = asks[place] if place < len(asks) else None
        rows.append(
            (
                count_text(bid.size) if bid else "",
                market_price(bid.price, market) if bid else "",
                market_price(ask.price, market) if ask else "",
                count_text(ask.size) if ask else "",
            )
        )
    columns = (
        Column("SIZE", right=True),
        Column("YES BID", right=True),
        Column("YES ASK", right=True),
        Column("SIZE", right=True),
    )
    lines = [cut(f"{market.ticker}  {market_words(market)}")]
    if trust:
        lines.append(output.painted(cut(f"{trust}: {why}"), RED) if why else trust)
    return [*lines, *map(cut, table_lines(columns, rows, None)), *([] if rows else ["No bids, no asks."])]


def run_trades(options: argparse.Namespace) -> int:
    """List trades."""
    ticker = checked_ticker(options.ticker)

    async def question(rest: "RestClient", output: Output, waiting: Waiting) -> None:
        del waiting
        from kalshi_tui.cli.json_shapes import trade_shape
        from kalshi_tui.presentation.numbers import count_text, market_price

        market = await rest.market(ticker)
        trades = await rest.trades(ticker, most=options.limit)
        if options.json:
            for each in trades:
                output.object(trade_shape(each))
            return
        columns = (
            Column("TIME"),
            Column("YES PRICE", right=True),
            Column("COUNT", right=True),
            Column("TAKER BOUGHT"),
        )
        rows = [
            (
                moment(each.ts_ms),
                market_price(each.yes_price, market),
                count_text(each.count),
                "YES" if each.taker_bid else "NO",
            )
            for each in trades
        ]
        output.table(columns, rows, "Nothing has traded.")

    return asked(options, question, f"Reading the trades of {ticker}", public=True)


def run_candles(options: argparse.Namespace) -> int:
    """List candles."""
    ticker = checked_ticker(options.ticker)
    minutes = {"minute": 1, "hour": 60, "day": 1440}[options.period]

    async def question(rest: "RestClient", output: Output, waiting: Waiting) -> None:
        del waiting
        from kalshi_tui.cli.json_shapes import candle_shape
        from kalshi_tui.presentation.numbers import count_text, market_price

        market, event = await whole_market(rest, ticker)
        series = event.series_ticker or ticker.partition("-")[0]
        end_s = rest.clock.now_ms() // 1000
        # The period under way ends later; one more at the beginning, since the exchange's days begin where it says.
        begin_s, end_s = end_s - (options.limit + 1) * minutes * 60, end_s + minutes * 60
        candles = (await rest.candles(series, ticker, begin_s, end_s, minutes=minutes))[-options.limit :]
        if options.json:
            for each in candles:
                output.object(candle_shape(ticker, minutes, each))
            return
        names = ("OPEN", "HIGH", "LOW", "CLOSE", "VOLUME")
        columns = (Column("UNTIL"), *(Column(name, right=True) for name in names))
        rows = [
            (
                moment(each.end_ms),
                *(market_price(price, market) for price in (each.open, each.high, each.low, each.close)),
                count_text(each.volume),
            )
            for each in candles
        ]
        output.table(columns, rows, "Nothing has traded.")

    return asked(options, question, f"Reading the prices of {ticker}", public=True)
