"""``config``: prints the settings in force."""

import argparse
import os

from kalshi_tui.cli.context import choose_profile, load_command_settings
from kalshi_tui.cli.exit_codes import OK
from kalshi_tui.cli.output import Output
from kalshi_tui.cli.parser import REPORT_EXIT_CODES, CommandRegistry


def add(commands: CommandRegistry) -> None:
    """Add the command."""
    config = commands.add(
        "config",
        run,
        summary="show the settings in force, and where each is from",
        description="Show each setting with its value and where that is from: the default, a line of the settings "
        "file, or a variable of the environment. Keys and passphrases are not shown.",
        examples=("kalshi-tui config --explain", "kalshi-tui --env demo config --json | jq .profile"),
        exit_codes=REPORT_EXIT_CODES,
        json="one JSON object",
    )
    config.add_argument("--explain", action="store_true", help="say what each setting means")


def run(options: argparse.Namespace) -> int:
    """Show the settings in force. Raises FailedError."""
    from kalshi_tui.runtime.config_report import format_report
    from kalshi_tui.runtime.configuration import with_chosen_profile

    loaded = load_command_settings(options)
    profile = choose_profile(options, loaded)
    loaded = with_chosen_profile(loaded, os.environ, options.env)
    Output().write(format_report(loaded, profile, os.environ, explain=options.explain, as_json=options.json))
    return OK
