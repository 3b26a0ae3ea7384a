"""``allocation``: its options; `allocation_run` shows and sets how the exchange spreads the cash."""

import argparse

from kalshi_tui.cli.exit_codes import INCOMPLETE, UsageError
from kalshi_tui.cli.parser import MAX_EXCHANGE_INDEX, WRITE_EXIT_CODES, CommandRegistry


def add(commands: CommandRegistry) -> None:
    """Add the command."""
    allocation = commands.add(
        "allocation",
        run,
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


def run(options: argparse.Namespace) -> int:
    """Show or set the allocation."""
    shares = None if options.shares == ["off"] else parse_shares(options.shares)
    if options.reserve and not shares:
        raise UsageError("--reserve goes with percents", "kalshi-tui allocation")
    from kalshi_tui.cli.allocation_run import set_allocation, show_allocation

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
