"""The context of a command: its data folder, settings, profile, and a practice exchange on this machine."""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from kalshi_tui.cli.exit_codes import FailedError

if TYPE_CHECKING:
    from kalshi_tui.runtime.configuration import LoadedSettings
    from kalshi_tui.runtime.credentials import AskPassphrase
    from kalshi_tui.runtime.launch import PracticeProcess
    from kalshi_tui.runtime.profiles import Profile

JOURNAL_FILE: Final = "journal.sqlite3"
PRACTICE_ONLY_MESSAGE: Final = (
    "--seed and --fresh are for the practice exchange that this program starts; leave them out here."
)


def data_folder(options: argparse.Namespace, profile: str = "practice") -> Path:
    """Return the folder of a profile's journal, lists and, in practice, account."""
    if options.data:
        return Path(options.data)
    from platformdirs import user_data_path

    return user_data_path("kalshi-tui", appauthor=False) / profile


def expand_path(path: Path) -> Path:
    """Return a path with ``~`` expanded. Raises FailedError where there is no such user."""
    try:
        return path.expanduser()
    except RuntimeError:
        raise FailedError(f"{path} begins with the folder of a user who does not exist: give another name.") from None


def load_command_settings(options: argparse.Namespace) -> "LoadedSettings":
    """Read the settings. Raises FailedError."""
    from platformdirs import user_config_path

    from kalshi_tui.runtime.configuration import load_settings
    from kalshi_tui.runtime.settings import SETTINGS_FILE, SettingsError

    path = options.settings or user_config_path("kalshi-tui", appauthor=False) / SETTINGS_FILE
    try:
        return load_settings(path, os.environ, must_exist=options.settings is not None)
    except SettingsError as error:
        raise FailedError(str(error), "settings") from error


def choose_profile(options: argparse.Namespace, loaded: "LoadedSettings") -> "Profile":
    """Return the chosen profile. Raises FailedError."""
    from kalshi_tui.runtime.credentials import CredentialsError
    from kalshi_tui.runtime.profiles import build_profile
    from kalshi_tui.runtime.settings import SettingsError

    try:
        profile = build_profile(
            loaded.settings, os.environ, env=options.env, rest_url=options.rest_url, ws_url=options.ws_url
        )
    except SettingsError as error:
        raise FailedError(str(error), "settings") from error
    except CredentialsError as error:
        raise FailedError(str(error), "credentials") from error
    if profile.environment is not None and (getattr(options, "fresh", False) or getattr(options, "seed", None)):
        raise FailedError(PRACTICE_ONLY_MESSAGE)
    return profile


def is_local_practice(options: argparse.Namespace, loaded: "LoadedSettings") -> bool:
    """Return whether the profile is a practice exchange that is to be started here."""
    from kalshi_tui.runtime.configuration import PRACTICE_PROFILE, choose_profile_name

    return (
        not options.rest_url
        and not options.ws_url
        and choose_profile_name(loaded.settings, os.environ, options.env) == PRACTICE_PROFILE
    )


def start_practice(
    options: argparse.Namespace, loaded: "LoadedSettings", extra_arguments: Sequence[str] = (), *, fresh: bool = False
) -> "PracticeProcess | None":
    """Start a practice exchange if one is wanted, before anything slow is imported; None for any other profile."""
    from kalshi_tui.runtime.launch import PracticeProcess

    if not is_local_practice(options, loaded):
        return None
    seed = [] if options.seed is None else ["--seed", str(options.seed)]
    return PracticeProcess(
        ["--data", str(data_folder(options)), *seed, *extra_arguments, *(["--fresh"] if fresh else [])]
    )


def passphrase_asker() -> "AskPassphrase | None":
    """Return a function that asks for a passphrase on the terminal, unseen; None where nobody could answer."""
    return ask_passphrase if sys.stdin.isatty() else None


def ask_passphrase(prompt: str) -> str:
    """Ask for a passphrase on the terminal, unseen. Raises EOFError where nobody answers."""
    import getpass

    return getpass.getpass(prompt)
