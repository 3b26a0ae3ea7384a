"""``cancel``: its options; `cancel_run` cancels one order, or all."""

import argparse

from kalshi_tui.cli.exit_codes import UsageError
from kalshi_tui.cli.flags import add_write_options
from kalshi_tui.cli.parser import WRITE_EXIT_CODES, CommandRegistry
from kalshi_tui.cli.subaccounts import add_subaccount_option


def add(commands: CommandRegistry) -> None:
    """Add the command."""
    cancel = commands.add(
        "cancel",
        run,
        summary="cancel an order, or all",
        description="Cancel one order by its order id or client order id; or with --all every resting order of the "
        "account and of all its subaccounts, including those not sent from here, of one market with --ticker, of one "
        "subaccount with --subaccount.\n\n"
        "The command ends when the exchange, asked afterward, no longer has the order; for --all that takes some "
        "seconds, since its lists lag. What it cannot prove within --wait seconds is UNKNOWN, with an exit code of its "
        "own: look again, or cancel again, which does no harm. An order that had filled before is reported, and is "
        "a failure. At a terminal a question comes first; --yes answers it, and is needed where nobody can be asked.",
        examples=(
            "kalshi-tui cancel 0d1f7f60-0000-4000-8000-000000000001 --yes",
            "kalshi-tui cancel --all --ticker KXRECESSION-26",
        ),
        exit_codes=WRITE_EXIT_CODES,
        json="one JSON object",
    )
    cancel.add_argument("id", nargs="?", metavar="ID", help="the order's id, or its client order id")
    cancel.add_argument("--all", action="store_true", help="cancel every resting order")
    add_subaccount_option(cancel, "with --all only those of a subaccount; with ID only if it is of this one")
    cancel.add_argument("--ticker", metavar="T", help="with --all: only those of a market")
    add_write_options(cancel, with_overrides=False)


def run(options: argparse.Namespace) -> int:
    """Cancel."""
    if bool(options.id) == options.all:
        raise UsageError("name one order, or give --all", "kalshi-tui cancel")
    if options.ticker is not None and not options.all:
        raise UsageError("--ticker goes with --all", "kalshi-tui cancel")
    from kalshi_tui.cli.cancel_run import cancel_orders

    return cancel_orders(options)
