"""``cancel`` and ``amend``: take orders off the book, or change one."""

import argparse

from kalshi_tui.cli.exit_codes import UsageError
from kalshi_tui.cli.order import WRITE_EXIT_CODES, add_write_options
from kalshi_tui.cli.parser import CommandRegistry


def add(commands: CommandRegistry) -> None:
    """Add the commands."""
    cancel = commands.add(
        "cancel",
        run_cancel,
        summary="cancel an order, or all",
        description="Cancel one order by its order id or client order id; or with --all every resting order of the "
        "account, those too that were not sent from here, of one market with --ticker.\n\n"
        "The command ends when the exchange, asked afterwards, has the order no more; for --all that takes some "
        "seconds, since its lists lag. What it cannot prove within --wait seconds is UNKNOWN, with an exit code of its "
        "own: look again, or cancel again, which does no harm. An order that was filled before is told so, and is a "
        "failure. At a terminal there is a question first; --yes answers it, and is needed where nobody can be asked.",
        examples=(
            "kalshi-tui cancel 0d1f7f60-0000-4000-8000-000000000001 --yes",
            "kalshi-tui cancel --all --ticker KXRECESSION-26",
        ),
        exit_codes=WRITE_EXIT_CODES,
        json="one JSON object",
    )
    cancel.add_argument("id", nargs="?", metavar="ID", help="the order's id, or its client order id")
    cancel.add_argument("--all", action="store_true", help="cancel every resting order")
    cancel.add_argument("--ticker", metavar="T", help="with --all: only those of a market")
    add_write_options(cancel, with_overrides=False)
    amend = commands.add(
        "amend",
        run_amend,
        summary="change a resting order's price or count",
        description="Change an order where it rests. COUNT is what shall rest of it from now on, what is filled not "
        "counted; PRICE is of the outcome that 'kalshi-tui orders' lists it under, or of the one named with --side.\n\n"
        "A smaller count alone keeps the place in the queue; another price or a larger count loses it. The checks and "
        "limits are those of the ticket; so are the flags that pass them.",
        examples=("kalshi-tui amend 0d1f7f60-0000-4000-8000-000000000001 5@0.43 --yes",),
        exit_codes=WRITE_EXIT_CODES,
        json="one JSON object",
    )
    amend.add_argument("id", metavar="ID", help="the order's id, or its client order id")
    amend.add_argument("amount", metavar="COUNT@PRICE", help="what shall rest at which price: 5@0.43 or 5@43c")
    amend.add_argument("--side", choices=("yes", "no"), help="the outcome that PRICE is of")
    amend.add_argument("--dry-run", action="store_true", help="show what would change and send nothing")
    add_write_options(amend)


def run_cancel(options: argparse.Namespace) -> int:
    """Cancel."""
    if bool(options.id) == options.all:
        raise UsageError("name one order, or give --all", "kalshi-tui cancel")
    if options.ticker is not None and not options.all:
        raise UsageError("--ticker goes with --all", "kalshi-tui cancel")
    from kalshi_tui.cli.cancel_orders import cancel

    return cancel(options)


def run_amend(options: argparse.Namespace) -> int:
    """Change an order."""
    from kalshi_tui.domain.price import NumberError
    from kalshi_tui.order_entry.amount import parse_amount

    try:
        amount = parse_amount(options.amount)
    except NumberError as error:
        raise UsageError(str(error), "kalshi-tui amend") from error
    from kalshi_tui.cli.amend_order import amend

    return amend(options, *amount)
