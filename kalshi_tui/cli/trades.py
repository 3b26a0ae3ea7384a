"""``trades``: one market's last public trades."""

import argparse
from typing import TYPE_CHECKING, Final

from kalshi_tui.cli.output import Column, Output, format_time
from kalshi_tui.cli.parser import QUERY_EXIT_CODES, CommandRegistry, integer_between
from kalshi_tui.cli.progress import ProgressIndicator
from kalshi_tui.cli.query import parse_ticker, run_query

if TYPE_CHECKING:
    from kalshi_tui.kalshi.rest import RestClient

MAX_ROWS: Final = 10_000


def add(commands: CommandRegistry) -> None:
    """Add the command."""
    trades = commands.add(
        "trades",
        run,
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


def run(options: argparse.Namespace) -> int:
    """List trades."""
    ticker = parse_ticker(options.ticker)

    async def query(rest: "RestClient", output: Output, waiting: ProgressIndicator) -> None:
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

    return run_query(options, query, f"Reading the trades of {ticker}", public=True)
