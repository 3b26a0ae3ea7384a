"""What the commands that list the account share: options, the note on the exchange's lag, the subaccounts' column."""

import argparse
from typing import Final

from kalshi_tui.cli.output import Column
from kalshi_tui.cli.parser import integer_between
from kalshi_tui.cli.query import parse_ticker
from kalshi_tui.cli.subaccounts import add_subaccount_option

MAX_ROWS: Final = 100_000
LAG_NOTE: Final = "The exchange's lists lag what it has just done by a few seconds."


def add_ticker_option(command: argparse.ArgumentParser) -> None:
    """Add the option that names a market."""
    command.add_argument("--ticker", metavar="T", help="only those of a market")


def add_list_options(command: argparse.ArgumentParser) -> None:
    """Add the options of a list of orders or executions: of which market, of which subaccount, how many."""
    add_ticker_option(command)
    add_subaccount_option(command, "only those of a subaccount; without it those of all")
    command.add_argument("--limit", type=integer_between(1, MAX_ROWS), metavar="N", help="at most N")


def read_ticker_option(options: argparse.Namespace) -> str | None:
    """Return the market that was named, if any. Raises FailedError for text that cannot be a ticker."""
    return parse_ticker(options.ticker) if options.ticker is not None else None


def add_subaccount_column(
    columns: tuple[Column, ...], rows: list[tuple[str, ...]], numbers: list[int]
) -> tuple[tuple[Column, ...], list[tuple[str, ...]]]:
    """Return a table with the subaccounts' numbers in front, where any but the primary is in it."""
    if not any(numbers):
        return columns, rows
    return (Column("SUB", right=True), *columns), [(str(n), *row) for n, row in zip(numbers, rows, strict=True)]
