"""``subaccounts``: list, create, and move cash between them."""

import argparse
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from kalshi_tui.cli.exit_codes import INCOMPLETE, FailedError, UsageError
from kalshi_tui.cli.output import Column, Output
from kalshi_tui.cli.parser import MAX_EXCHANGE_INDEX, WRITE_EXIT_CODES, CommandRegistry, integer_between
from kalshi_tui.cli.progress import ProgressIndicator
from kalshi_tui.cli.query import run_query

if TYPE_CHECKING:
    from kalshi_tui.kalshi.rest import RestClient

MAX_SUBACCOUNT = 63
subaccount_number = integer_between(0, MAX_SUBACCOUNT)
COMMAND = "kalshi-tui subaccounts"


def add_subaccount_option(parser: argparse.ArgumentParser, what: str) -> None:
    """Add ``--subaccount``; ``what`` says what it does."""
    parser.add_argument("--subaccount", type=subaccount_number, metavar="N", help=f"{what} (0: the primary)")


def add(commands: CommandRegistry) -> None:
    """Add the command."""
    subaccounts = commands.add(
        "subaccounts",
        run,
        summary="list subaccounts, create one, or move cash between them",
        description="List what can be spent in each subaccount at each exchange index; number 0 is the primary. "
        "'create' opens the next one, which needs the usage tier Advanced. 'transfer AMOUNT --from N --to N' moves "
        "dollars from one to another at one exchange index. If its answer is lost it is UNKNOWN: give the same command "
        "again with the --id that was printed, and nothing moves twice.",
        examples=(
            "kalshi-tui subaccounts",
            "kalshi-tui subaccounts create --yes",
            "kalshi-tui subaccounts transfer 250 --from 0 --to 1 --yes",
        ),
        exit_codes=(*WRITE_EXIT_CODES, INCOMPLETE),
        json="one JSON object a line for each subaccount and exchange index, one for a new subaccount or a transfer",
    )
    subaccounts.add_argument(
        "what", nargs="?", choices=("list", "create", "transfer"), default="list", help="what to do (default: list)"
    )
    subaccounts.add_argument("amount", nargs="?", metavar="AMOUNT", help="with transfer: dollars, such as 250 or 0.50")
    subaccounts.add_argument("--from", dest="source", type=subaccount_number, metavar="N", help="where it is taken")
    subaccounts.add_argument("--to", dest="target", type=subaccount_number, metavar="N", help="where it goes")
    subaccounts.add_argument(
        "--exchange-index",
        type=integer_between(0, MAX_EXCHANGE_INDEX),
        default=0,
        metavar="N",
        help="at which exchange index (default: 0)",
    )
    subaccounts.add_argument("--id", metavar="UUID", help="with transfer: the id of one that is given again")
    subaccounts.add_argument("--yes", action="store_true", help="do it without asking")


def run(options: argparse.Namespace) -> int:
    """List, create or transfer."""
    given = (options.amount, options.source, options.target, options.id)
    if options.what != "transfer" and any(each is not None for each in given):
        raise UsageError("AMOUNT, --from, --to and --id go with transfer", COMMAND)
    if options.what == "list":
        return run_query(options, _list(options), "Reading the subaccounts")
    from kalshi_tui.cli.subaccounts_run import create_subaccount, transfer_cash

    if options.what == "create":
        return create_subaccount(options)
    if options.amount is None or options.source is None or options.target is None:
        raise UsageError("a transfer needs AMOUNT, --from and --to", COMMAND)
    if options.source == options.target:
        raise UsageError("--from and --to must differ", COMMAND)
    return transfer_cash(options)


def _list(options: argparse.Namespace) -> "Callable[[RestClient, Output, ProgressIndicator], Awaitable[None]]":
    async def query(rest: "RestClient", output: Output, waiting: ProgressIndicator) -> None:
        del waiting
        from kalshi_tui.cli.json_shapes import subaccount_shape
        from kalshi_tui.domain.text import LOCKED_KEY
        from kalshi_tui.kalshi.errors import Refused
        from kalshi_tui.kalshi.subaccounts import is_lock
        from kalshi_tui.presentation.number_text import money_text

        try:
            listed = sorted(await rest.subaccount_balances(), key=lambda each: (each.number, each.exchange_index))
        except Refused as refusal:
            if is_lock(refusal):
                raise FailedError(LOCKED_KEY, "refused") from refusal
            raise
        if options.json:
            for each in listed:
                output.write_json(subaccount_shape(each))
            return
        columns = (Column("SUB", right=True), Column("AT", right=True), Column("CASH", right=True))
        rows = [(str(each.number), str(each.exchange_index), money_text(each.cash)) for each in listed]
        output.write_table(columns, rows, "There are no subaccounts.")

    return query
