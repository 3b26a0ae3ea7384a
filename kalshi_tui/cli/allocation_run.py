"""Show and set how the exchange spreads the cash of the account over its parts."""

import argparse
import asyncio

from kalshi_tui.cli.command_session import await_write, confirm
from kalshi_tui.cli.exchange_access import CommandExchange, open_exchange
from kalshi_tui.cli.exit_codes import OK
from kalshi_tui.cli.json_shapes import allocation_shape
from kalshi_tui.cli.output import Output
from kalshi_tui.cli.progress import ProgressIndicator
from kalshi_tui.cli.query import await_reply, run_query
from kalshi_tui.kalshi.replies import TargetAllocation
from kalshi_tui.kalshi.rest import RestClient
from kalshi_tui.runtime.compose import VENUE_BY_KIND


def show_allocation(options: argparse.Namespace) -> int:
    """Show how the exchange spreads the cash."""

    async def query(rest: RestClient, output: Output, waiting: ProgressIndicator) -> None:
        del waiting
        _write_allocation(options, output, await rest.target_allocation())

    return run_query(options, query, "Reading the allocation")


def set_allocation(options: argparse.Namespace, percents: dict[int, int]) -> int:
    """Set how the exchange spreads the cash; no percents end it."""
    with open_exchange(options) as exchange:
        return asyncio.run(_set_allocation(options, exchange, percents))


async def _set_allocation(options: argparse.Namespace, exchange: CommandExchange, percents: dict[int, int]) -> int:
    wanted = " ".join(f"{index}={percent}" for index, percent in percents.items())
    question = f"Let the exchange spread the cash {wanted}?" if percents else "Let the cash stay where it is?"
    async with exchange.writing_rest(options) as rest:
        # Any reply sets the clock by the exchange's.
        await await_reply(rest.user_data_timestamp())
        await confirm(options, VENUE_BY_KIND[exchange.environment.kind], question)
        await await_write(
            rest.set_target_allocation(percents, options.reserve or ""),
            "Look with 'kalshi-tui allocation', or give the command again: that does no harm.",
        )
        _write_allocation(options, Output(), await await_reply(rest.target_allocation()))
    return OK


def _write_allocation(options: argparse.Namespace, output: Output, found: TargetAllocation) -> None:
    if options.json:
        output.write_json(allocation_shape(found))
    elif not found.percents:
        output.write_lines("The exchange moves no cash by itself.")
    else:
        rows = [(f"at {index}", f"{percent} %") for index, percent in found.percents]
        output.write_facts([*rows, ("kept for resting orders", found.reservation or "--")])
