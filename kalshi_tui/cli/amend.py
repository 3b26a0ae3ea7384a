"""``amend``: its options; `amend_run` changes the order."""

import argparse

from kalshi_tui.cli.exit_codes import UsageError
from kalshi_tui.cli.flags import add_write_options
from kalshi_tui.cli.parser import ORDER_EXIT_CODES, CommandRegistry
from kalshi_tui.cli.subaccounts import add_subaccount_option


def add(commands: CommandRegistry) -> None:
    """Add the command."""
    amend = commands.add(
        "amend",
        run,
        summary="change a resting order's price, count or expiry",
        description="Change an order where it rests. COUNT is what is to rest from now on, without what has "
        "filled; PRICE is of the outcome that 'kalshi-tui orders' lists it under, or of the one named with --side.\n\n"
        "A smaller count and another expiry keep the place in the queue; another price or a larger count loses it. "
        "The checks and limits are those of the ticket; so are the flags that pass them.",
        examples=(
            "kalshi-tui amend 0d1f7f60-0000-4000-8000-000000000001 5@0.43 --yes",
            "kalshi-tui amend 0d1f7f60-0000-4000-8000-000000000001 --expires +10m --yes",
        ),
        exit_codes=ORDER_EXIT_CODES,
        json="one JSON object",
    )
    amend.add_argument("id", metavar="ID", help="the order's id, or its client order id")
    amend.add_argument(
        "amount",
        metavar="COUNT@PRICE",
        nargs="?",
        help="what is to rest, and at which price: 5@0.43 or 5@43c; as it is where left out",
    )
    amend.add_argument(
        "--expires", metavar="WHEN", help="when it ends by itself: 15:30, +10m, 2h, 90s; never for no end"
    )
    amend.add_argument("--side", choices=("yes", "no"), help="the outcome that PRICE is of")
    add_subaccount_option(amend, "change it only if it is an order of this subaccount")
    amend.add_argument("--dry-run", action="store_true", help="show what would change and send nothing")
    add_write_options(amend)


def run(options: argparse.Namespace) -> int:
    """Change an order."""
    from kalshi_tui.domain.price import NumberError
    from kalshi_tui.order_entry.amount import parse_amount

    if options.amount is None and options.expires is None:
        raise UsageError("COUNT@PRICE or --expires WHEN is needed: nothing would change.", "kalshi-tui amend")
    try:
        amount = parse_amount(options.amount) if options.amount is not None else (None, None)
    except NumberError as error:
        raise UsageError(str(error), "kalshi-tui amend") from error
    from kalshi_tui.cli.amend_run import amend_order

    return amend_order(options, *amount)
