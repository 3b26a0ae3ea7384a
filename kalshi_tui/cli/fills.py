"""``fills``: the account's executions at the exchange."""

import argparse
import contextlib
from typing import TYPE_CHECKING

from kalshi_tui.cli.account_lists import LAG_NOTE, add_list_options, add_subaccount_column, read_ticker_option
from kalshi_tui.cli.output import Column, Output, format_time
from kalshi_tui.cli.parser import LIST_EXIT_CODES, CommandRegistry
from kalshi_tui.cli.progress import ProgressIndicator
from kalshi_tui.cli.query import run_query

if TYPE_CHECKING:
    from kalshi_tui.kalshi.rest import RestClient


def add(commands: CommandRegistry) -> None:
    """Add the command."""
    fills = commands.add(
        "fills",
        run,
        summary="list executions",
        description="List the account's executions, newest first: when, of which order, what was meant (of orders sent "
        "from this folder; of others the outcome that was bought) with its price, how many, the fee, and whether as "
        "maker or taker. Those in the exchange's archive are among "
        f"them. {LAG_NOTE}",
        examples=("kalshi-tui fills --ticker KXRECESSION-26",),
        exit_codes=LIST_EXIT_CODES,
        json="one JSON object a line for each execution",
    )
    add_list_options(fills)


def run(options: argparse.Namespace) -> int:
    """List executions."""
    from kalshi_tui.cli.meanings import Meanings

    meanings = Meanings()
    ticker = read_ticker_option(options)

    async def query(rest: "RestClient", output: Output, waiting: ProgressIndicator) -> None:
        del waiting
        from kalshi_tui.cli.json_shapes import fill_shape
        from kalshi_tui.domain.text import plain_price_text, side_text
        from kalshi_tui.kalshi import whole_history
        from kalshi_tui.presentation.number_text import count_text, money_text

        found = await whole_history.fills(
            rest, ticker=ticker, most=options.limit, subaccount=options.subaccount, archive_required=False
        )
        fills = meanings.of_fills(found)
        if options.json:
            for each in fills:
                output.write_json(fill_shape(each))
            return
        columns: tuple[Column, ...] = (
            Column("TIME"),
            Column("TICKER"),
            Column("SIDE"),
            Column("PRICE", right=True),
            Column("COUNT", right=True),
            Column("FEE", right=True),
            Column("AS"),
            Column("ORDER ID"),
        )
        rows: list[tuple[str, ...]] = [
            (
                format_time(each.ts_ms),
                each.ticker,
                side_text(each),
                plain_price_text(each.as_meant[2]),
                count_text(each.count),
                money_text(each.fee),
                "taker" if each.is_taker else "maker",
                each.order_id,
            )
            for each in fills
        ]
        columns, rows = add_subaccount_column(columns, rows, [each.subaccount for each in fills])
        output.write_table(columns, rows, "Nothing has been filled.")

    with contextlib.closing(meanings):
        return run_query(options, query, "Reading the fills", opened=meanings.open)
