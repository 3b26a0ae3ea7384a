"""The parser that all commands share: the options for the exchange, the form of the help."""

import argparse
import textwrap
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NoReturn

from kalshi_tui.cli.exit_codes import (
    FAILED,
    INCOMPLETE,
    INTERRUPTED,
    NOT_FOUND,
    OK,
    UNFILLED,
    UNKNOWN,
    USAGE,
    UsageError,
    format_exit_codes,
)

HELP_WIDTH = 100
MAX_EXCHANGE_INDEX = 100
REPORT_EXIT_CODES = (OK, FAILED, USAGE, INTERRUPTED)
"""The exit codes of a command that reports what it found."""
QUERY_EXIT_CODES = (OK, FAILED, USAGE, NOT_FOUND, INCOMPLETE, INTERRUPTED)
"""The exit codes of a command that reads one thing."""
LIST_EXIT_CODES = (OK, FAILED, USAGE, INCOMPLETE, INTERRUPTED)
"""The exit codes of a command that lists what there is."""
WRITE_EXIT_CODES = (OK, FAILED, USAGE, UNKNOWN, NOT_FOUND, INTERRUPTED)
ORDER_EXIT_CODES = (OK, FAILED, USAGE, UNKNOWN, NOT_FOUND, UNFILLED, INTERRUPTED)
"""The exit codes of a command that sends, changes or cancels orders."""

RunCommand = Callable[[argparse.Namespace], int]


class CommandParser(argparse.ArgumentParser):
    """A parser that raises UsageError, so that errors can be JSON too, and accepts no abbreviated options."""

    def __init__(self, **settings: Any) -> None:
        # A program that sends orders must not guess what an abbreviated flag meant.
        super().__init__(**({"allow_abbrev": False} | settings))

    def error(self, message: str) -> NoReturn:
        """Raise UsageError with the message and the usage."""
        raise UsageError(message, self.prog, self.format_usage())


class CommandRegistry:
    """The commands of the command line, to which each module adds its own."""

    def __init__(self, parser: argparse.ArgumentParser) -> None:
        self.parser = parser
        """The whole command line, for a command that describes it."""
        self._commands = parser.add_subparsers(
            dest="command", metavar="COMMAND", title="commands", parser_class=CommandParser
        )

    def add(
        self,
        name: str,
        run: RunCommand,
        *,
        summary: str,
        description: str,
        examples: Sequence[str] = (),
        exit_codes: Sequence[int] = LIST_EXIT_CODES,
        json: str = "",
        uses_exchange: bool = True,
    ) -> CommandParser:
        """Add a command that ``run`` runs, and return its parser for further arguments.

        ``description`` are paragraphs; ``json`` says what ``--json`` prints, empty for a command without it;
        with ``uses_exchange`` it takes the options that choose an exchange.
        """
        parts = ["examples:\n" + "".join(f"  {each}\n" for each in examples)] if examples else []
        made: CommandParser = self._commands.add_parser(
            name,
            help=summary,
            description="\n\n".join(textwrap.fill(each, HELP_WIDTH) for each in description.split("\n\n")),
            epilog="\n".join([*parts, format_exit_codes(*exit_codes)]),
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        made.set_defaults(run=run)
        if json:
            made.add_argument("--json", action="store_true", help=f"print {json}; errors are JSON too")
        if uses_exchange:
            add_exchange_options(made, is_subcommand=True)
            # A command uses the account that is there: --fresh is for the desk and the practice exchange.
            add_practice_options(made, is_subcommand=True, fresh=False)
        return made


def add_exchange_options(parser: argparse.ArgumentParser, *, is_subcommand: bool = False) -> None:
    """Add the options that choose the exchange; with ``is_subcommand``, they override those before the command."""
    default = argparse.SUPPRESS if is_subcommand else None
    parser.add_argument(
        "--env", type=given_text, default=default, metavar="NAME", help="profile: practice, demo, live, or your own"
    )
    parser.add_argument(
        "--rest-url", type=given_text, default=default, metavar="URL", help="the REST API's address, for this run"
    )
    parser.add_argument(
        "--ws-url", type=given_text, default=default, metavar="URL", help="the stream's address, for this run"
    )
    parser.add_argument(
        "--settings", type=Path, default=default, metavar="FILE", help="settings file (default: per user, if there)"
    )


def add_practice_options(parser: argparse.ArgumentParser, *, is_subcommand: bool = False, fresh: bool = True) -> None:
    """Add the options that the practice exchange of this machine starts with."""
    default = argparse.SUPPRESS if is_subcommand else None
    parser.add_argument(
        "--data", type=Path, default=default, metavar="DIR", help="folder for account and journal (default: per user)"
    )
    parser.add_argument("--seed", type=int, default=default, metavar="N", help="seed of the simulated market")
    if fresh:
        parser.add_argument(
            "--fresh",
            action="store_true",
            default=argparse.SUPPRESS if is_subcommand else False,
            help="start a new practice account, forgetting the old one",
        )


def given_text(text: str) -> str:
    """Read a text that chooses an exchange: an empty one, as a variable that is not set leaves it, chooses nothing."""
    if not text.strip():
        raise argparse.ArgumentTypeError("is empty; leave the option out, or give it a value")
    return text


def integer_between(minimum: int, maximum: int) -> Callable[[str], int]:
    """Return a type for an option that takes a whole number within bounds."""

    def read(text: str) -> int:
        number = int(text) if text.isascii() and text.isdecimal() else -1
        if not minimum <= number <= maximum:
            raise argparse.ArgumentTypeError(f"takes a whole number from {minimum} to {maximum:,}, not {text[:20]!r}")
        return number

    return read


def parse_seconds(text: str) -> float:
    """Read a number of seconds, 0 to an hour."""
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not 0 <= number <= 3_600:
        raise argparse.ArgumentTypeError(f"takes a number of seconds from 0 to 3600, not {text[:20]!r}")
    return number
