"""Move cash to where orders need it and follow it; list transfers."""

import argparse
import asyncio
import uuid

from kalshi_tui.cli.command_session import await_write, confirm
from kalshi_tui.cli.exchange_access import CommandExchange, open_exchange
from kalshi_tui.cli.exit_codes import OK, UNKNOWN, FailedError, UsageError, report_failure
from kalshi_tui.cli.json_shapes import transfer_shape
from kalshi_tui.cli.output import Column, Output, format_time
from kalshi_tui.cli.progress import ProgressIndicator
from kalshi_tui.cli.query import await_reply, run_query
from kalshi_tui.domain.price import Money, NumberError
from kalshi_tui.kalshi.numbers import dollars
from kalshi_tui.kalshi.replies import ShardTransfer
from kalshi_tui.kalshi.rest import RestClient
from kalshi_tui.kalshi.shard_transfers import new_client_transfer_id, require_transfer
from kalshi_tui.presentation.number_text import money_text
from kalshi_tui.runtime.compose import VENUE_BY_KIND

LIST_ADVICE = "Look with 'kalshi-tui transfer --list' and 'kalshi-tui balance'."


def transfer_cash(options: argparse.Namespace) -> int:
    """Move cash, and return the exit code. Raises FailedError."""
    client_id = options.id or new_client_transfer_id()
    try:
        amount = dollars(options.amount)
        require_transfer(options.source, options.target, amount, client_id)
    except (NumberError, ValueError) as error:
        raise UsageError(f"{str(error).rstrip('.')}", "kalshi-tui transfer") from None
    with open_exchange(options) as exchange:
        return asyncio.run(_transfer(options, exchange, amount, str(uuid.UUID(client_id))))


async def _transfer(options: argparse.Namespace, exchange: CommandExchange, amount: Money, client_id: str) -> int:
    output = Output()
    async with exchange.writing_rest(options) as rest:
        way = f"from {options.source} to {options.target}"
        balance = await await_reply(rest.balance())
        there = balance.on_shard(options.source)
        if there is not None and amount > there:
            raise FailedError(
                f"nothing was moved: only {money_text(there)} lie at {options.source}. Move that or less, or choose "
                "another --from; 'kalshi-tui balance' shows what lies where.",
                "refused",
            )
        await confirm(options, VENUE_BY_KIND[exchange.environment.kind], f"Move {money_text(amount)} {way}?")
        with ProgressIndicator("Waiting until the cash has arrived"):
            done = await await_write(
                rest.transfer(
                    amount,
                    source=options.source,
                    target=options.target,
                    client_transfer_id=client_id,
                    within_s=options.wait,
                ),
                f"{LIST_ADVICE} The same command with --id {client_id} cannot move it twice.",
            )
    return _report(options, output, done, amount, way)


def _report(options: argparse.Namespace, output: Output, done: ShardTransfer, amount: Money, way: str) -> int:
    if options.json:
        output.write_json(transfer_shape(done))
    if done.is_complete:
        if not options.json:
            output.write_lines(f"Moved {money_text(amount)} {way}.")
        return OK
    sentence = (
        f"accepted, but not arrived after {options.wait:.0f} s: {money_text(amount)} {way} is pending. It is not sent "
        f"again; {LIST_ADVICE[0].lower()}{LIST_ADVICE[1:]}"
    )
    return report_failure(FailedError(sentence, "pending", UNKNOWN), as_json=options.json)


def list_transfers(options: argparse.Namespace) -> int:
    """List the transfers, newest first."""

    async def query(rest: RestClient, output: Output, waiting: ProgressIndicator) -> None:
        del waiting
        found = await rest.shard_transfers(options.limit)
        if options.json:
            for each in found:
                output.write_json(transfer_shape(each))
            return
        now_ms = rest.clock.now_ms()
        rows = [
            (
                format_time(each.created_ms),
                money_text(each.amount),
                str(each.source),
                str(each.target),
                each.status if each.is_complete else f"{each.status} for {age_text(now_ms - each.created_ms)}",
            )
            for each in found
        ]
        columns = (Column("TIME"), Column("AMOUNT", right=True), Column("FROM"), Column("TO"), Column("STATUS"))
        output.write_table(columns, rows, "No transfers.")

    return run_query(options, query, "Reading the transfers")


def age_text(age_ms: int) -> str:
    """Return an age in the unit that says most."""
    seconds = max(age_ms // 1000, 0)
    return f"{seconds} s" if seconds < 120 else f"{seconds // 60} min"
