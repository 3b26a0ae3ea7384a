"""``positions``: what the account holds at the exchange."""

import argparse
from typing import TYPE_CHECKING

from kalshi_tui.cli.account_lists import LAG_NOTE, add_ticker_option, read_ticker_option
from kalshi_tui.cli.output import Column, Output
from kalshi_tui.cli.parser import LIST_EXIT_CODES, CommandRegistry
from kalshi_tui.cli.progress import ProgressIndicator
from kalshi_tui.cli.query import run_query
from kalshi_tui.cli.subaccounts import add_subaccount_option

if TYPE_CHECKING:
    from kalshi_tui.kalshi.rest import RestClient


def add(commands: CommandRegistry) -> None:
    """Add the command."""
    positions = commands.add(
        "positions",
        run,
        summary="list what is held",
        description="List the holdings: the outcome and how many, what they cost, what closing others has gained, the "
        f"fees paid. Those of settled markets are gone from this list. {LAG_NOTE}",
        examples=("kalshi-tui positions",),
        exit_codes=LIST_EXIT_CODES,
        json="one JSON object a line for each holding",
    )
    add_ticker_option(positions)
    add_subaccount_option(positions, "of a subaccount; without it of the primary")


def run(options: argparse.Namespace) -> int:
    """List holdings."""
    ticker = read_ticker_option(options)

    async def query(rest: "RestClient", output: Output, waiting: ProgressIndicator) -> None:
        del waiting
        from kalshi_tui.cli.json_shapes import position_shape
        from kalshi_tui.presentation.number_text import count_text, money_text

        held = sorted(
            (each for each in await rest.positions(ticker=ticker, subaccount=options.subaccount) if each.count),
            key=lambda each: each.ticker,
        )
        if options.json:
            for each in held:
                output.write_json(position_shape(each))
            return
        columns = (
            Column("TICKER"),
            Column("SIDE"),
            Column("COUNT", right=True),
            Column("COST", right=True),
            Column("REALIZED", right=True),
            Column("FEES", right=True),
        )
        rows = [
            (
                each.ticker,
                "YES" if each.count > 0 else "NO",
                count_text(abs(each.count)),
                money_text(each.cost),
                money_text(each.realized_pnl, signed=True),
                money_text(each.fees_paid),
            )
            for each in held
        ]
        output.write_table(columns, rows, "Nothing is held.")

    return run_query(options, query, "Reading the positions")
