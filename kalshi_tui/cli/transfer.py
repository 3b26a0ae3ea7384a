"""``transfer``: its options; `transfer_run` moves cash to where orders need it."""

import argparse

from kalshi_tui.cli.exit_codes import INCOMPLETE, UsageError
from kalshi_tui.cli.flags import add_write_options
from kalshi_tui.cli.parser import MAX_EXCHANGE_INDEX, WRITE_EXIT_CODES, CommandRegistry, integer_between

MAX_LISTED = 500


def add(commands: CommandRegistry) -> None:
    """Add the command."""
    transfer = commands.add(
        "transfer",
        run,
        summary="move cash to where orders need it, or list transfers",
        description="Move cash of the primary account from one part of the exchange to another, by exchange index. An "
        "order can only spend what lies where its market is: 'kalshi-tui balance' shows what lies where, 'kalshi-tui "
        "market TICKER' where a market is.\n\n"
        "The transfer is sent once. The exchange accepts it and carries it out later; the command follows it until the "
        "cash has arrived, or for --wait seconds: then it is pending, with exit code 3, and --list shows more. "
        "If no answer comes it is looked for in the list. --id names the transfer: the exchange takes each id "
        "once for the same way, so that the same command again cannot move the cash twice. At a terminal a question "
        "comes first; --yes answers it, and is needed where nobody can be asked.",
        examples=("kalshi-tui transfer 25 --from 0 --to 2", "kalshi-tui transfer --list --json"),
        exit_codes=(*WRITE_EXIT_CODES, INCOMPLETE),
        json="one JSON object; with --list one a line for each transfer",
    )
    transfer.add_argument("amount", nargs="?", metavar="AMOUNT", help="dollars, such as 25 or 12.50")
    index = integer_between(0, MAX_EXCHANGE_INDEX)
    transfer.add_argument("--from", dest="source", type=index, metavar="N", help="the exchange index that it leaves")
    transfer.add_argument("--to", dest="target", type=index, metavar="N", help="the exchange index that it goes to")
    transfer.add_argument("--id", metavar="UUID", help="the transfer's client id (default: a new one)")
    transfer.add_argument("--list", action="store_true", help="list the transfers, newest first")
    transfer.add_argument(
        "--limit", type=integer_between(1, MAX_LISTED), default=100, metavar="N", help="with --list: at most N"
    )
    add_write_options(transfer, with_overrides=False)


def run(options: argparse.Namespace) -> int:
    """Move cash, or list transfers."""
    given = (options.amount, options.source, options.target)
    if options.list and any(each is not None for each in (*given, options.id)):
        raise UsageError("--list stands alone", "kalshi-tui transfer")
    if not options.list and any(each is None for each in given):
        raise UsageError("name the amount, --from and --to, or give --list", "kalshi-tui transfer")
    if not options.list and options.source == options.target:
        raise UsageError("--from and --to must differ", "kalshi-tui transfer")
    from kalshi_tui.cli.transfer_run import list_transfers, transfer_cash

    return list_transfers(options) if options.list else transfer_cash(options)
