"""``orders``: the account's orders at the exchange, those that rest or others."""

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
    orders = commands.add(
        "orders",
        run,
        summary="list orders, those that rest or others",
        description="List orders, newest first: what was meant with its price, how many were ordered and filled, and "
        "their ids. What was meant is known of orders that the desk or a command sent from this folder; of others the "
        "exchange's form is shown, without a verb: it keeps no difference between selling YES and buying NO. "
        f"Those that rest, unless another status is asked for; those that the exchange has "
        f"moved into its archive come last. {LAG_NOTE}",
        examples=("kalshi-tui orders", "kalshi-tui orders --status all --limit 20 --json"),
        exit_codes=LIST_EXIT_CODES,
        json="one JSON object a line for each order",
    )
    orders.add_argument(
        "--status",
        choices=("resting", "canceled", "executed", "all"),
        default="resting",
        help="which ones (default: resting)",
    )
    add_list_options(orders)


def run(options: argparse.Namespace) -> int:
    """List orders."""
    from kalshi_tui.cli.meanings import Meanings

    meanings = Meanings()
    ticker = read_ticker_option(options)

    async def query(rest: "RestClient", output: Output, waiting: ProgressIndicator) -> None:
        del waiting
        from kalshi_tui.cli.json_shapes import listed_order_shape
        from kalshi_tui.domain.text import plain_price_text, side_text
        from kalshi_tui.kalshi import whole_history
        from kalshi_tui.presentation.number_text import count_text

        status = None if options.status == "all" else options.status
        found = await whole_history.orders(
            rest,
            status=status,
            ticker=ticker,
            most=options.limit,
            subaccount=options.subaccount,
            archive_required=False,
        )
        orders = meanings.of_orders(found)
        if options.json:
            for each in orders:
                output.write_json(listed_order_shape(each))
            return
        columns: tuple[Column, ...] = (
            Column("TICKER"),
            Column("SIDE"),
            Column("PRICE", right=True),
            Column("COUNT", right=True),
            Column("FILLED", right=True),
            Column("LEFT", right=True),
            Column("STATE"),
            Column("ORDER ID"),
        )
        rows: list[tuple[str, ...]] = []
        for each in orders:
            counts = map(count_text, (each.initial, each.filled, each.remaining))
            price = plain_price_text(each.as_meant[2])
            rows.append((each.ticker, side_text(each), price, *counts, each.state.word, each.order_id))
        if any(each.expires_ms for each in orders):
            columns = (*columns[:-1], Column("ENDS"), columns[-1])
            ends = [format_time(each.expires_ms) if each.expires_ms else "" for each in orders]
            rows = [(*row[:-1], end, row[-1]) for row, end in zip(rows, ends, strict=True)]
        columns, rows = add_subaccount_column(columns, rows, [each.subaccount for each in orders])
        output.write_table(
            columns, rows, "No order rests." if options.status == "resting" else "There are no such orders."
        )

    with contextlib.closing(meanings):
        return run_query(options, query, "Reading the orders", opened=meanings.open)
