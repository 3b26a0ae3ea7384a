"""Move cash to where orders need it and follow it; list transfers; show and set the allocation."""

import argparse
import asyncio
import uuid

from kalshi_tui.cli.command_session import await_write, confirm
from kalshi_tui.cli.exchange_access import CommandExchange, open_exchange
from kalshi_tui.cli.exit_codes import OK, UNKNOWN, FailedError, UsageError, report_failure
from kalshi_tui.cli.json_shapes import allocation_shape, transfer_shape
from kalshi_tui.cli.output import Column, Output, format_time
from kalshi_tui.cli.progress import ProgressIndicator
from kalshi_tui.cli.query import await_reply, run_query
from kalshi_tui.domain.price import Money, NumberError
from kalshi_tui.kalshi.numbers import dollars
from kalshi_tui.kalshi.replies import ShardTransfer, TargetAllocation
from kalshi_tui.kalshi.rest import RestClient
from kalshi_tui.kalshi.shard_transfers import new_client_transfer_id, require_transfer
from kalshi_tui.presentation.number_text import money_text
from kalshi_tui.runtime.compose import VENUE_BY_KIND
from kalshi_tui.session.options import READ_ONLY

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
    async with _open_rest(options, exchange) as rest:
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
    async with _open_rest(options, exchange) as rest:
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


def _open_rest(options: argparse.Namespace, exchange: CommandExchange) -> RestClient:
    """Return a client that may write. Raises FailedError where the program only watches."""
    profile = exchange.profile
    if options.read_only or profile.read_only:
        raise FailedError(READ_ONLY, "kept_back")
    return RestClient(exchange.environment, exchange.signer, proxy=profile.proxy)


def age_text(age_ms: int) -> str:
    """Return an age in the unit that says most."""
    seconds = max(age_ms // 1000, 0)
    return f"{seconds} s" if seconds < 120 else f"{seconds // 60} min"
