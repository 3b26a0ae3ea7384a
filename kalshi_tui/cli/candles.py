"""``candles``: one market's past prices by minute, hour or day."""

import argparse
from typing import TYPE_CHECKING, Final

from kalshi_tui.cli.output import Column, Output, format_time
from kalshi_tui.cli.parser import QUERY_EXIT_CODES, CommandRegistry, integer_between
from kalshi_tui.cli.progress import ProgressIndicator
from kalshi_tui.cli.query import parse_ticker, read_full_market, run_query

if TYPE_CHECKING:
    from kalshi_tui.kalshi.rest import RestClient

MAX_ROWS: Final = 1_000


def add(commands: CommandRegistry) -> None:
    """Add the command."""
    candles = commands.add(
        "candles",
        run,
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
        "--limit", type=integer_between(1, MAX_ROWS), default=24, metavar="N", help="the last N periods (default: 24)"
    )


def run(options: argparse.Namespace) -> int:
    """List candles."""
    ticker = parse_ticker(options.ticker)
    minutes = {"minute": 1, "hour": 60, "day": 1440}[options.period]

    async def query(rest: "RestClient", output: Output, waiting: ProgressIndicator) -> None:
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

    return run_query(options, query, f"Reading the prices of {ticker}", public=True)
