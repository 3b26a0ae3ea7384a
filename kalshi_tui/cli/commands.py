"""The list of commands, and the whole command line."""

import argparse
from typing import Final, Protocol

import kalshi_tui
from kalshi_tui.cli import (
    allocation,
    amend,
    audit,
    balance,
    book,
    cancel,
    candles,
    combos,
    completion,
    config,
    desk,
    doctor,
    fills,
    market,
    markets,
    order,
    orders,
    positions,
    practice,
    record,
    replay,
    subaccounts,
    trades,
    transfer,
)
from kalshi_tui.cli.exit_codes import format_exit_codes
from kalshi_tui.cli.parser import (
    CommandParser,
    CommandRegistry,
    add_exchange_options,
    add_practice_options,
)


class CommandModule(Protocol):
    """A module that adds one command."""

    def add(self, commands: CommandRegistry) -> None:
        """Add it."""


COMMAND_MODULES: Final[tuple[CommandModule, ...]] = (
    markets,
    market,
    combos,
    book,
    trades,
    candles,
    balance,
    positions,
    orders,
    fills,
    subaccounts,
    order,
    cancel,
    amend,
    transfer,
    allocation,
    audit,
    doctor,
    config,
    practice,
    record,
    replay,
    completion,
)
"""In the order in which the help lists them."""

EPILOG: Final = """\
'kalshi-tui COMMAND --help' describes a command in full, with examples.

Most commands take --json: a single thing is one JSON object, a list or a stream one object a line, and an error one
object on standard error. docs/schemas describes each. Prices, counts and money are strings in dollars and contracts,
times are Unix milliseconds.

Without an account all of it works on the practice exchange: the one that a desk or 'kalshi-tui practice' runs on the
data folder, or else one that runs as long as the command. The account is kept in the folder.

"""


def build_parser() -> argparse.ArgumentParser:
    """Define the command line."""
    parser = CommandParser(
        prog="kalshi-tui",
        description="A terminal trading desk for Kalshi. Without a command it opens on a practice exchange that it\n"
        "starts on this machine: no account, no key, no real money. --env demo and --env live open it on\n"
        "the exchange. Where it cannot draw a screen (no terminal, or TERM is dumb, unknown or not set) it\n"
        "says so on standard error and ends with code 1; nothing has been started then.",
        epilog=EPILOG + format_exit_codes(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(run=desk.run, json=False)
    parser.add_argument("--version", action="version", version=f"kalshi-tui {kalshi_tui.__version__}")
    add_exchange_options(parser)
    add_practice_options(parser)
    parser.add_argument("--read-only", action="store_true", help="watch only: nothing is sent, changed or canceled")
    commands = CommandRegistry(parser)
    for module in COMMAND_MODULES:
        module.add(commands)
    return parser
