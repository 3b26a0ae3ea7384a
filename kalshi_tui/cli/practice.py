"""``practice``: runs the practice exchange alone."""

import argparse

from kalshi_tui.cli.context import data_folder
from kalshi_tui.cli.exit_codes import FAILED, OK, USAGE
from kalshi_tui.cli.parser import CommandRegistry, add_practice_options
from kalshi_tui.practice.main import add_arguments


def add(commands: CommandRegistry) -> None:
    """Add the command."""
    practice = commands.add(
        "practice",
        run,
        summary="run the practice exchange alone, for any Kalshi client",
        description="Run the practice exchange alone. Its first line on standard output is one JSON object with "
        "rest_url, ws_url, api_key_id, private_key_path and pid. Ctrl+C or SIGTERM ends it. Commands on the same data "
        "folder find it by themselves.",
        examples=("kalshi-tui practice --port 8080", "kalshi-tui practice --quiet-market --accounts 1 --data bots"),
        exit_codes=(OK, FAILED, USAGE),
        uses_exchange=False,
    )
    add_practice_options(practice, is_subcommand=True)
    add_arguments(practice)


def run(options: argparse.Namespace) -> int:
    """Run it."""
    from kalshi_tui.practice.main import run as serve

    return serve(options, data_folder(options))
