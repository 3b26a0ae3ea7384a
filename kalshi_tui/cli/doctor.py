"""``doctor``: checks everything that trading needs."""

import argparse
from typing import TYPE_CHECKING

from kalshi_tui.cli.context import (
    JOURNAL_FILE,
    choose_profile,
    data_folder,
    load_command_settings,
    passphrase_asker,
    start_practice,
)
from kalshi_tui.cli.exit_codes import FAILED, OK, FailedError
from kalshi_tui.cli.output import Output
from kalshi_tui.cli.parser import REPORT_EXIT_CODES, CommandRegistry
from kalshi_tui.cli.progress import ProgressIndicator

if TYPE_CHECKING:
    from kalshi_tui.runtime.account_checks import Check
    from kalshi_tui.runtime.configuration import LoadedSettings
    from kalshi_tui.runtime.profiles import Profile


def add(commands: CommandRegistry) -> None:
    """Add the command."""
    parser = commands.add(
        "doctor",
        run,
        summary="check everything that trading needs, and say what to do where something is wrong",
        description="Check Python, terminal, disk, clock, key file, connection and exchange status; then what the key "
        "may do, and the account: cash, tier, token buckets, progress to the next tier, attestation, subaccounts and "
        "netting. A line for each: ok, or a sentence with the remedy. Exit code 0 if all is well, 1 if not.",
        examples=("kalshi-tui doctor", "kalshi-tui --env live doctor", "kalshi-tui --env live doctor --upgrade"),
        exit_codes=REPORT_EXIT_CODES,
        json="one JSON object",
    )
    parser.add_argument(
        "--upgrade",
        action="store_true",
        help="ask the exchange for the tier Advanced, which is free and for good; without this it is only mentioned",
    )


def run(options: argparse.Namespace) -> int:
    """Check everything that trading needs. A fault in settings or key is one line of the report, not its end."""
    from kalshi_tui.runtime.account_checks import Check
    from kalshi_tui.runtime.configuration import PRACTICE_PROFILE
    from kalshi_tui.runtime.doctor import (
        check_machine,
        format_checks_json,
        write_checks,
    )

    if options.fresh:
        raise FailedError("the doctor starts no new account; leave out --fresh.")
    checks: list[Check] = []
    with ProgressIndicator("Looking at the exchange"):
        try:
            loaded = load_command_settings(options)
            checks.append(
                Check("settings", True, f"{loaded.path}{'' if loaded.path.exists() else ': none, defaults hold'}.")
            )
            profile = choose_profile(options, loaded)
        except FailedError as error:
            checks.append(Check("settings", False, str(error)))
            checks += check_machine(data_folder(options, PRACTICE_PROFILE), JOURNAL_FILE)
        else:
            checks += check_machine(data_folder(options, profile.name), JOURNAL_FILE)
            checks += _check_access(options, loaded, profile)
    output = Output()
    if options.json:
        output.write(format_checks_json(checks))
    else:
        write_checks(checks, output.write)
    return OK if all(each.ok for each in checks) else FAILED


def _check_access(options: argparse.Namespace, loaded: "LoadedSettings", profile: "Profile") -> "list[Check]":
    """Check key and exchange."""
    import asyncio

    from kalshi_tui.cli.context import is_local_practice
    from kalshi_tui.cli.exchange_access import find_running_practice
    from kalshi_tui.runtime.account_checks import Check
    from kalshi_tui.runtime.compose import ExchangeOpener
    from kalshi_tui.runtime.credentials import CredentialsError
    from kalshi_tui.runtime.doctor import check_connection
    from kalshi_tui.runtime.launch import LaunchError

    running = find_running_practice(data_folder(options)) if is_local_practice(options, loaded) else None
    process = start_practice(options, loaded, ["--unlisted"]) if running is None else None
    try:
        connected = running or ExchangeOpener(profile, process, passphrase_asker()).wait_until_ready()
        own = process is not None or running is not None
        words = connected.signer.key_words
        opened = f"practice's own, {words}."
        if not own:
            opened = f"{profile.key.path or 'the key'} is yours alone and opens: {words}."
        return [Check("key", True, opened), *asyncio.run(check_connection(connected, upgrade=options.upgrade))]
    except CredentialsError as error:
        return [Check("key", False, str(error))]
    except LaunchError as error:
        return [Check("exchange", False, str(error))]
    finally:
        if process is not None:
            process.stop()
