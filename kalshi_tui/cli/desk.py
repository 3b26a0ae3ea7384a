"""The desk itself: what ``kalshi-tui`` without a command opens."""

import argparse
import contextlib
import logging
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from kalshi_tui.cli.context import (
    JOURNAL,
    ask,
    begun_practice,
    chosen_profile,
    folder_of,
    loaded_settings,
)
from kalshi_tui.cli.exit_codes import FAILED, FailedError, tell
from kalshi_tui.cli.screen_check import why_no_screen
from kalshi_tui.runtime import gc_tuning

if TYPE_CHECKING:
    from kalshi_tui.runtime.configuration import Loaded
    from kalshi_tui.runtime.launch import PracticeProcess

AFTER_A_DEFECT: Final = " Orders: what the journal has is taken up at the next start."


def run(options: argparse.Namespace) -> int:
    """Open the desk on the profile's exchange. Raises FailedError."""
    from kalshi_tui.runtime import logs

    crashes = logs.start(after=AFTER_A_DEFECT)
    why_not = why_no_screen("the desk", "For scripts there are commands: 'kalshi-tui --help' lists them.")
    if why_not:
        raise FailedError(why_not, "terminal")
    loaded = loaded_settings(options)
    if options.fresh:
        from kalshi_tui.practice.main import KEPT
        from kalshi_tui.practice.storage.reset import may_start_anew

        if not may_start_anew(folder_of(options)):
            raise FailedError(KEPT)
    process = begun_practice(options, loaded, fresh=options.fresh)
    try:
        code, ended_by = _traded(options, loaded, process)
        return tell(FailedError(crashes.sentence(ended_by), "defect", FAILED)) if ended_by else code
    finally:
        if process is not None:
            process.end()


def _traded(options: argparse.Namespace, loaded: "Loaded", process: "PracticeProcess | None") -> tuple[int, str]:
    """Run the desk and give its exit code, and the kind of defect that has ended it. Raises FailedError.

    The screen's libraries load while a practice exchange starts.
    """
    from kalshi_tui.runtime.compose import Opening, clock_ms, session_of
    from kalshi_tui.runtime.credentials import CredentialsError
    from kalshi_tui.runtime.launch import LaunchError
    from kalshi_tui.runtime.settings import looks_of, options_of
    from kalshi_tui.session.execution.journal import Journal, JournalError
    from kalshi_tui.ui.app import DeskApp

    profile = chosen_profile(options, loaded)
    folder = folder_of(options, profile.name)
    wishes = options_of(loaded.settings, read_only=options.read_only or profile.read_only)
    try:
        connected = Opening(profile, process, ask).ready()
        if options.fresh:
            # The old account's orders are gone with it; nobody could be asked about them.
            Journal.forget(folder / JOURNAL)
        # One that cannot be used keeps orders here, but nobody from looking and canceling.
        journal = Journal.open_anyway(folder / JOURNAL, connected.signer.key_id)
    except (CredentialsError, LaunchError, JournalError) as error:
        raise FailedError(str(error)) from error
    session = session_of(connected, journal, wishes, folder)
    session.when_listed(gc_tuning.settle)
    looks = replace(looks_of(loaded.settings), export_folder=export_folder(), kept_folder=folder)
    app = DeskApp(session, clock_ms=clock_ms, wishes=looks)
    gc_tuning.prepare()
    app.run()
    if session.last_words:
        say_last(session.last_words)
    return app.return_code or 0, app.ended_by


def say_last(words: str) -> None:
    """Say what the dead-man's switch has done: on the terminal, and in the log for where that is gone."""
    logging.getLogger("kalshi_tui").warning("Dead-man's switch: %s", words)
    with contextlib.suppress(OSError, ValueError):
        sys.stdout.write(f"{words}\n")
        sys.stdout.flush()


def export_folder() -> Path:
    """Give the folder into which the desk writes what the trader asks for."""
    from platformdirs import user_documents_path

    return user_documents_path() / "kalshi-tui"
