"""``transfer`` and ``allocation``: their options; `transfer_run` moves cash to where orders need it."""

import argparse

from kalshi_tui.cli.exit_codes import INCOMPLETE, UsageError
from kalshi_tui.cli.flags import add_write_options
from kalshi_tui.cli.parser import WRITE_EXIT_CODES, CommandRegistry, integer_between

MAX_EXCHANGE_INDEX = 100
MAX_LISTED = 500


def add(commands: CommandRegistry) -> None:
    """Add the commands."""
    transfer = commands.add(
        "transfer",
        run_transfer,
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
    allocation = commands.add(
        "allocation",
        run_allocation,
        summary="show or set how the exchange spreads the cash",
        description="Show how the exchange spreads the cash of the account over its parts by itself, or set it: the "
        "percent for each exchange index, 100 in all, or off. The exchange compares them every ten seconds and moves "
        "what is free.",
        examples=("kalshi-tui allocation", "kalshi-tui allocation 0=60 2=40 --yes", "kalshi-tui allocation off --yes"),
        exit_codes=(*WRITE_EXIT_CODES, INCOMPLETE),
        json="one JSON object",
    )
    allocation.add_argument("shares", nargs="*", metavar="INDEX=PERCENT", help="what each part is to have; or: off")
    allocation.add_argument(
        "--reserve",
        choices=("none", "max", "sum"),
        help="what of the resting orders' value stays where it is (default: the exchange's, sum)",
    )
    allocation.add_argument("--yes", action="store_true", help="do it without asking")


def run_transfer(options: argparse.Namespace) -> int:
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


def run_allocation(options: argparse.Namespace) -> int:
    """Show or set the allocation."""
    shares = None if options.shares == ["off"] else parse_shares(options.shares)
    if options.reserve and not shares:
        raise UsageError("--reserve goes with percents", "kalshi-tui allocation")
    from kalshi_tui.cli.transfer_run import set_allocation, show_allocation

    return show_allocation(options) if options.shares == [] else set_allocation(options, shares or {})


def parse_shares(words: list[str]) -> dict[int, int]:
    """Return percents by exchange index. Raises UsageError."""
    found: dict[int, int] = {}
    for word in words:
        index, _, percent = word.partition("=")
        if not all(each.isascii() and each.isdecimal() and len(each) <= 3 for each in (index, percent)):
            raise UsageError(f"{word[:20]!r} is no INDEX=PERCENT, such as 0=60", "kalshi-tui allocation")
        if int(index) in found or int(index) > MAX_EXCHANGE_INDEX:
            raise UsageError(
                f"an exchange index is 0 to {MAX_EXCHANGE_INDEX}, and stands once", "kalshi-tui allocation"
            )
        found[int(index)] = int(percent)
    if found and sum(found.values()) != 100:
        raise UsageError(f"the percents add up to {sum(found.values())}, not 100", "kalshi-tui allocation")
    return found
