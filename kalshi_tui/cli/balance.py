"""``balance``: the account's cash, and what its positions are worth at the exchange."""

import argparse
import contextlib
from typing import TYPE_CHECKING

from kalshi_tui.cli.account_lists import LAG_NOTE
from kalshi_tui.cli.output import Output
from kalshi_tui.cli.parser import LIST_EXIT_CODES, CommandRegistry
from kalshi_tui.cli.progress import ProgressIndicator
from kalshi_tui.cli.query import run_query
from kalshi_tui.cli.subaccounts import add_subaccount_option

if TYPE_CHECKING:
    from kalshi_tui.kalshi.rest import RestClient


def add(commands: CommandRegistry) -> None:
    """Add the command."""
    balance = commands.add(
        "balance",
        run,
        summary="show the cash, where it can be spent, and what positions are worth",
        description="Show the account's cash, in all and by the part of the exchange (exchange index) where it can be "
        "spent: an order is paid from where its market is, and 'kalshi-tui transfer' moves cash there. And what the "
        "positions are worth: what a sale of all would bring, after its fees, as 'kalshi-tui positions' and the desk "
        f"have it, and what the exchange says. {LAG_NOTE}",
        examples=("kalshi-tui balance", "kalshi-tui --env live balance --json | jq -r .cash"),
        exit_codes=LIST_EXIT_CODES,
        json="one JSON object",
    )
    add_subaccount_option(balance, "of a subaccount; without it of the primary")


def run(options: argparse.Namespace) -> int:
    """Show the balance."""

    async def query(rest: "RestClient", output: Output, waiting: ProgressIndicator) -> None:
        from kalshi_tui.cli.json_shapes import balance_shape
        from kalshi_tui.cli.position_values import read_positions_value
        from kalshi_tui.kalshi.errors import KalshiError
        from kalshi_tui.presentation.number_text import NO_VALUE, money_text

        balance = await rest.balance(subaccount=options.subaccount)
        waiting.update("Reading what the positions are worth")
        value = await read_positions_value(rest, options.subaccount, balance.precision)
        if options.json:
            output.write_json(balance_shape(balance, value))
            return
        names = {}
        # Only the words beside the numbers come from the status: the balance does not fail with it.
        with contextlib.suppress(KalshiError):
            names = {each.exchange_index: each.description for each in (await rest.exchange_status()).shards}
        rows = [
            ("cash", money_text(balance.cash)),
            *((f"at {index} {names.get(index, '')}".rstrip(), money_text(cash)) for index, cash in balance.by_shard),
            ("positions", NO_VALUE if value is None else money_text(value)),
            ("by the exchange", money_text(balance.portfolio_value)),
        ]
        wide = max(len(value) for _, value in rows)
        output.write_facts([(name, value.rjust(wide)) for name, value in rows])

    return run_query(options, query, "Reading the balance")
