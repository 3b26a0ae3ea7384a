"""Create a subaccount, or move cash between two, once."""

import argparse
import asyncio
import uuid

from kalshi_tui.cli.command_session import await_write, confirm
from kalshi_tui.cli.exchange_access import CommandExchange, open_exchange
from kalshi_tui.cli.exit_codes import OK, FailedError
from kalshi_tui.cli.output import Output
from kalshi_tui.cli.query import await_reply
from kalshi_tui.domain.fees import CENT
from kalshi_tui.domain.price import Money, NumberError, format_money, parse_money
from kalshi_tui.domain.text import plain_money_text
from kalshi_tui.runtime.compose import VENUE_BY_KIND
from kalshi_tui.session.account.account_view import subaccount_text


def create_subaccount(options: argparse.Namespace) -> int:
    """Open the next subaccount; return the exit code. Raises FailedError."""
    output = Output()
    with open_exchange(options) as exchange:
        return asyncio.run(_create(options, exchange, output))


async def _create(options: argparse.Namespace, exchange: CommandExchange, output: Output) -> int:
    async with exchange.writing_rest(options) as rest:
        # Any reply sets the clock by the exchange's, as the command's signature needs.
        await await_reply(rest.user_data_timestamp())
        await confirm(options, VENUE_BY_KIND[exchange.environment.kind], "Create a subaccount?")
        number = await await_write(
            rest.create_subaccount(options.exchange_index),
            "Look with 'kalshi-tui subaccounts' whether there is one more.",
        )
    if options.json:
        output.write_json({"subaccount": number, "exchange_index": options.exchange_index})
    else:
        output.write_lines(f"Created: subaccount {number}.")
    return OK


def transfer_cash(options: argparse.Namespace) -> int:
    """Move cash; return the exit code. Raises FailedError."""
    try:
        amount = parse_money(options.amount.removeprefix("$"))
    except NumberError:
        amount = 0
    if amount <= 0 or amount % CENT:
        why = "an amount is dollars in whole cents, more than 0, such as 250 or 0.50"
        raise FailedError(f"{options.amount[:40]!r} cannot be moved: {why}.", "usage", 2)
    try:
        transfer_id = str(uuid.UUID(options.id)) if options.id is not None else str(uuid.uuid4())
    except ValueError as error:
        raise FailedError(f"--id {options.id[:40]!r} is no UUID.", "usage", 2) from error
    output = Output()
    with open_exchange(options) as exchange:
        return asyncio.run(_transfer(options, exchange, output, amount, transfer_id))


async def _transfer(
    options: argparse.Namespace, exchange: CommandExchange, output: Output, amount: Money, transfer_id: str
) -> int:
    words = f"${plain_money_text(amount)} from {subaccount_text(options.source)} to {subaccount_text(options.target)}"
    async with exchange.writing_rest(options) as rest:
        # As above.
        await await_reply(rest.user_data_timestamp())
        await confirm(options, VENUE_BY_KIND[exchange.environment.kind], f"Move {words}?")
        await await_write(
            rest.transfer_to_subaccount(
                amount,
                source=options.source,
                target=options.target,
                client_transfer_id=transfer_id,
                exchange_index=options.exchange_index,
            ),
            f"Give the command again with --id {transfer_id}: it moves once.",
        )
    if options.json:
        output.write_json(
            {
                "from": options.source,
                "to": options.target,
                "amount": format_money(amount),
                "exchange_index": options.exchange_index,
                "id": transfer_id,
            }
        )
    else:
        output.write_lines(f"Moved: {words}.")
    return OK
