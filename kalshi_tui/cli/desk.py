"""The desk itself: what ``kalshi-tui`` without a command opens."""

import argparse
import contextlib
import logging
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from kalshi_tui.cli.context import (
    JOURNAL_FILE,
    ask_passphrase,
    choose_profile,
    data_folder,
    load_command_settings,
    start_practice,
)
from kalshi_tui.cli.exit_codes import FAILED, OK, UNKNOWN, FailedError, report_failure
from kalshi_tui.cli.screen_check import why_no_screen
from kalshi_tui.domain.escaping import escape_unprintable
from kalshi_tui.runtime import gc_tuning

if TYPE_CHECKING:
    from kalshi_tui.runtime.configuration import LoadedSettings
    from kalshi_tui.runtime.launch import PracticeProcess
    from kalshi_tui.runtime.profiles import Profile
    from kalshi_tui.session.options import SessionOptions
    from kalshi_tui.session.session import Session

CRASH_ADVICE: Final = " Orders: what the journal has is taken up at the next start."


def run(options: argparse.Namespace) -> int:
    """Open the desk on the profile's exchange. Raises FailedError."""
    from kalshi_tui.runtime import logs

    crashes = logs.start_logging(advice=CRASH_ADVICE)
    why_not = why_no_screen("the desk", "For scripts there are commands: 'kalshi-tui --help' lists them.")
    if why_not:
        raise FailedError(why_not, "terminal")
    loaded = load_command_settings(options)
    if options.fresh:
        from kalshi_tui.practice.main import RESET_DECLINED_SENTENCE
        from kalshi_tui.practice.storage.reset import confirm_reset

        if not confirm_reset(data_folder(options)):
            raise FailedError(RESET_DECLINED_SENTENCE)
    process = start_practice(options, loaded, fresh=options.fresh)
    try:
        code, ended_by = _run_desk(options, loaded, process)
        return report_failure(FailedError(crashes.describe(ended_by), "defect", FAILED)) if ended_by else code
    finally:
        if process is not None:
            process.stop()


def _run_desk(
    options: argparse.Namespace, loaded: "LoadedSettings", process: "PracticeProcess | None"
) -> tuple[int, str]:
    """Run the desk; return its exit code, and the type of the defect that ended it. Raises FailedError.

    The screen's libraries load while a practice exchange starts.
    """
    from kalshi_tui.runtime.compose import build_watching_session, clock_ms
    from kalshi_tui.runtime.settings import build_session_options, build_ui_settings
    from kalshi_tui.ui.app import DeskApp
    from kalshi_tui.ui.ending import CANCELING_END_TIMEOUT_S, END_TIMEOUT_S

    profile = choose_profile(options, loaded)
    folder = data_folder(options, profile.name)
    session_options = build_session_options(loaded.settings, read_only=options.read_only or profile.read_only)
    if process is None and profile.environment is not None and profile.key.is_empty:
        session = build_watching_session(profile, session_options, folder)
    else:
        session = _open_session(options, profile, process, session_options, folder)
    session.call_when_listed(gc_tuning.freeze_objects)
    ui_settings = replace(build_ui_settings(loaded.settings), export_folder=export_folder(), data_folder=folder)
    end_timeout_s = CANCELING_END_TIMEOUT_S if session_options.dead_man.on_quit else END_TIMEOUT_S
    app = DeskApp(session, clock_ms=clock_ms, ui_settings=ui_settings, end_timeout_s=end_timeout_s)
    gc_tuning.configure_gc()
    app.run()
    if session.quit_message:
        say_last(session.quit_message)
    code = UNKNOWN if session.may_leave_orders else OK
    return app.return_code or code, app.fatal_error_type


def _open_session(
    options: argparse.Namespace,
    profile: "Profile",
    process: "PracticeProcess | None",
    session_options: "SessionOptions",
    folder: Path,
) -> "Session":
    """Open the exchange with its key, and build the session on it. Raises FailedError."""
    from kalshi_tui.runtime.compose import ExchangeOpener, build_session
    from kalshi_tui.runtime.credentials import CredentialsError
    from kalshi_tui.runtime.launch import LaunchError
    from kalshi_tui.session.execution.journal import Journal, JournalError

    try:
        connected = ExchangeOpener(profile, process, ask_passphrase).wait_until_ready()
        if options.fresh:
            # The old account's orders are gone with it: to ask about them would find nothing.
            Journal.delete(folder / JOURNAL_FILE)
            _delete_settlements(folder)
        # A journal that cannot be used keeps orders back, but viewing and canceling still work.
        journal = Journal.open_anyway(folder / JOURNAL_FILE, connected.signer.key_id)
    except (CredentialsError, LaunchError, JournalError) as error:
        raise FailedError(str(error)) from error
    return build_session(connected, journal, session_options, folder)


def say_last(words: str) -> None:
    """Report what is left behind, on the terminal and, in case that is gone, in the log."""
    logging.getLogger("kalshi_tui").warning("At the end: %s", words)
    with contextlib.suppress(OSError, ValueError):
        sys.stdout.write(f"{escape_unprintable(words)}\n")
        sys.stdout.flush()


def export_folder() -> Path:
    """Return the folder into which the desk writes what the trader asks for."""
    from platformdirs import user_documents_path

    return user_documents_path() / "kalshi-tui"


def _delete_settlements(folder: Path) -> None:
    """Delete what is kept of the settlements of a practice account that is thrown away. Raises FailedError."""
    from kalshi_tui.session.account.settlement_file import SettlementFile

    try:
        SettlementFile.delete(folder)
    except OSError as error:
        raise FailedError(
            f"The settlements kept in {folder} cannot be removed ({error.strerror or error}): make the folder "
            "writable for you."
        ) from error
