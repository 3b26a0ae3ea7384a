"""Where a command works: its folder, the settings, the profile, and a practice exchange of this machine."""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from kalshi_tui.cli.exit_codes import FailedError

if TYPE_CHECKING:
    from kalshi_tui.runtime.configuration import Loaded
    from kalshi_tui.runtime.credentials import Ask
    from kalshi_tui.runtime.launch import PracticeProcess
    from kalshi_tui.runtime.profiles import Profile

JOURNAL: Final = "journal.sqlite3"
OF_PRACTICE: Final = "--seed and --fresh are for the practice exchange that this program starts; leave them out here."


def folder_of(options: argparse.Namespace, profile: str = "practice") -> Path:
    """Give the folder of a profile's journal, lists and, in practice, account."""
    if options.data:
        return Path(options.data)
    from platformdirs import user_data_path

    return user_data_path("kalshi-tui", appauthor=False) / profile


def loaded_settings(options: argparse.Namespace) -> "Loaded":
    """Read the settings. Raises FailedError."""
    from platformdirs import user_config_path

    from kalshi_tui.runtime.configuration import load
    from kalshi_tui.runtime.settings import FILE, SettingsError

    path = options.settings or user_config_path("kalshi-tui", appauthor=False) / FILE
    try:
        return load(path, os.environ, must_exist=options.settings is not None)
    except SettingsError as error:
        raise FailedError(str(error), "settings") from error


def chosen_profile(options: argparse.Namespace, loaded: "Loaded") -> "Profile":
    """Put the chosen profile together. Raises FailedError."""
    from kalshi_tui.runtime.credentials import CredentialsError
    from kalshi_tui.runtime.profiles import profile_of
    from kalshi_tui.runtime.settings import SettingsError

    try:
        profile = profile_of(
            loaded.settings, os.environ, env=options.env, rest_url=options.rest_url, ws_url=options.ws_url
        )
    except SettingsError as error:
        raise FailedError(str(error), "settings") from error
    except CredentialsError as error:
        raise FailedError(str(error), "credentials") from error
    if profile.environment is not None and (getattr(options, "fresh", False) or getattr(options, "seed", None)):
        raise FailedError(OF_PRACTICE)
    return profile


def starts_practice(options: argparse.Namespace, loaded: "Loaded") -> bool:
    """Say whether the profile is a practice exchange that is to be started here."""
    from kalshi_tui.runtime.configuration import PRACTICE, chosen_name

    return (
        not options.rest_url
        and not options.ws_url
        and chosen_name(loaded.settings, os.environ, options.env) == PRACTICE
    )


def begun_practice(
    options: argparse.Namespace, loaded: "Loaded", more: Sequence[str] = (), *, fresh: bool = False
) -> "PracticeProcess | None":
    """Start a practice exchange if one is wanted, before anything slow is imported; None for any other profile."""
    from kalshi_tui.runtime.launch import PracticeProcess

    if not starts_practice(options, loaded):
        return None
    seed = [] if options.seed is None else ["--seed", str(options.seed)]
    return PracticeProcess(["--data", str(folder_of(options)), *seed, *more, *(["--fresh"] if fresh else [])])


def asker() -> "Ask | None":
    """Give what asks for a passphrase on the terminal, unseen; None where nobody could answer."""
    return ask if sys.stdin.isatty() else None


def ask(prompt: str) -> str:
    """Ask for a passphrase on the terminal, unseen. Raises EOFError where nobody answers."""
    import getpass

    return getpass.getpass(prompt)
