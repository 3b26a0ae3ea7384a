"""``doctor``: looks at everything that trading needs."""

import argparse
from typing import TYPE_CHECKING

from kalshi_tui.cli.context import (
    JOURNAL,
    asker,
    begun_practice,
    chosen_profile,
    folder_of,
    loaded_settings,
)
from kalshi_tui.cli.exit_codes import FAILED, OK, FailedError
from kalshi_tui.cli.output import Output
from kalshi_tui.cli.parser import LISTS, Commands
from kalshi_tui.cli.progress import Waiting

if TYPE_CHECKING:
    from kalshi_tui.runtime.configuration import Loaded
    from kalshi_tui.runtime.doctor import Check
    from kalshi_tui.runtime.profiles import Profile


def add(commands: Commands) -> None:
    """Add the command."""
    commands.add(
        "doctor",
        run,
        summary="check everything that trading needs, and say what to do where something is wrong",
        description="Check Python, terminal, clock, key file, connection, signature, limits, cash, exchange status and "
        "disk. A line for each: ok, or a sentence with the remedy. Exit code 0 if all is well, 1 if not.",
        examples=("kalshi-tui doctor", "kalshi-tui --env live doctor"),
        exits=LISTS,
        json="one JSON object",
    )


def run(options: argparse.Namespace) -> int:
    """Check everything that trading needs. What is wrong with settings or key is a line of it, not the end."""
    from kalshi_tui.runtime.configuration import PRACTICE
    from kalshi_tui.runtime.doctor import (
        Check,
        as_json,
        as_text,
        examine_machine,
    )

    if options.fresh:
        raise FailedError("the doctor starts nothing anew; leave --fresh out.")
    checks: list[Check] = []
    with Waiting("Looking at the exchange"):
        try:
            loaded = loaded_settings(options)
            checks.append(
                Check("settings", True, f"{loaded.path}{'' if loaded.path.exists() else ': none, defaults hold'}.")
            )
            profile = chosen_profile(options, loaded)
        except FailedError as error:
            checks.append(Check("settings", False, str(error)))
            checks += examine_machine(folder_of(options, PRACTICE), JOURNAL)
        else:
            checks += examine_machine(folder_of(options, profile.name), JOURNAL)
            checks += _examined(options, loaded, profile)
    output = Output()
    if options.json:
        output.write(as_json(checks))
    else:
        as_text(checks, output.write)
    return OK if all(each.ok for each in checks) else FAILED


def _examined(options: argparse.Namespace, loaded: "Loaded", profile: "Profile") -> "list[Check]":
    """Look at key and exchange."""
    import asyncio

    from kalshi_tui.cli.connection import running_practice
    from kalshi_tui.cli.context import starts_practice
    from kalshi_tui.runtime.compose import Opening
    from kalshi_tui.runtime.credentials import CredentialsError
    from kalshi_tui.runtime.doctor import Check, examine_connection
    from kalshi_tui.runtime.launch import LaunchError

    running = running_practice(folder_of(options)) if starts_practice(options, loaded) else None
    process = begun_practice(options, loaded, ["--unlisted"]) if running is None else None
    try:
        connected = running or Opening(profile, process, asker()).ready()
        own = process is not None or running is not None
        words = connected.signer.key_words
        opened = f"practice's own, {words}."
        if not own:
            opened = f"{profile.key.path or 'the key'} is yours alone and opens: {words}."
        return [Check("key", True, opened), *asyncio.run(examine_connection(connected))]
    except CredentialsError as error:
        return [Check("key", False, str(error))]
    except LaunchError as error:
        return [Check("exchange", False, str(error))]
    finally:
        if process is not None:
            process.end()
