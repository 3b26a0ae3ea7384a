"""``config``: the settings in force."""

import argparse
import os

from kalshi_tui.cli.context import chosen_profile, loaded_settings
from kalshi_tui.cli.exit_codes import OK
from kalshi_tui.cli.output import Output
from kalshi_tui.cli.parser import LISTS, Commands


def add(commands: Commands) -> None:
    """Add the command."""
    config = commands.add(
        "config",
        run,
        summary="show the settings in force, and where each is from",
        description="Show each setting with its value and where that is from: the default, a line of the settings "
        "file, or a variable of the environment. Keys and passphrases are not shown.",
        examples=("kalshi-tui config --explain", "kalshi-tui --env demo config --json | jq .profile"),
        exits=LISTS,
        json="one JSON object",
    )
    config.add_argument("--explain", action="store_true", help="say what each setting means")


def run(options: argparse.Namespace) -> int:
    """Show the settings in force. Raises FailedError."""
    from kalshi_tui.runtime.config_report import report
    from kalshi_tui.runtime.configuration import chosen_by

    loaded = loaded_settings(options)
    profile = chosen_profile(options, loaded)
    loaded = chosen_by(loaded, os.environ, options.env)
    Output().write(report(loaded, profile, os.environ, explain=options.explain, as_json=options.json))
    return OK
