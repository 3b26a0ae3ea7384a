"""``replay``: plays a recording on the desk, or checks it."""

import argparse
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from kalshi_tui.cli import desk
from kalshi_tui.cli.context import JOURNAL_FILE, expand_path, load_command_settings
from kalshi_tui.cli.exit_codes import (
    FAILED,
    OK,
    USAGE,
    FailedError,
    UsageError,
    report_failure,
)
from kalshi_tui.cli.output import Output
from kalshi_tui.cli.parser import CommandRegistry
from kalshi_tui.cli.progress import ProgressIndicator
from kalshi_tui.cli.screen_check import why_no_screen
from kalshi_tui.practice.main import add_replay_arguments
from kalshi_tui.runtime import gc_tuning

if TYPE_CHECKING:
    from kalshi_tui.runtime.settings import Settings


def add(commands: CommandRegistry) -> None:
    """Add the command."""
    replay = commands.add(
        "replay",
        run,
        summary="play a recording on the desk, or check it",
        description="Play a recording to the desk: its markets, books, trades and quotes as they were, with a practice "
        "account whose orders match against the recorded books. P pauses, n steps, [ and ] go back and forth, - and + "
        "change the speed, @ goes to a time.\n\n"
        "With --check nothing is shown: numbers and books of the whole file are verified.",
        examples=("kalshi-tui replay monday.rec.gz --speed 4 --at 14:30:00", "kalshi-tui replay --check monday.rec.gz"),
        exit_codes=(OK, FAILED, USAGE),
        json="what --check found, as one JSON object",
        uses_exchange=False,
    )
    replay.add_argument("file", type=Path, metavar="FILE", help="a recording")
    add_replay_arguments(replay)
    replay.add_argument("--check", action="store_true", help="verify the whole file and print what was found")
    replay.add_argument(
        "--data", type=Path, default=argparse.SUPPRESS, metavar="DIR",
        help="folder of the account that trades (default: a new one that is thrown away)",
    )  # fmt: skip
    replay.add_argument(
        "--settings", type=Path, default=argparse.SUPPRESS, metavar="FILE", help="settings file (default: per user)"
    )


def run(options: argparse.Namespace) -> int:
    """Play a recording, or check it. Raises FailedError."""
    from kalshi_tui.runtime import logs

    crashes = logs.start_logging(advice=desk.CRASH_ADVICE)
    if options.check:
        return check_recording(options)
    if options.json:
        raise UsageError("--json goes with --check: a replay is looked at", "kalshi-tui replay")
    why_not = why_no_screen("a replay", "For scripts there is 'kalshi-tui practice --recording FILE'.")
    if why_not:
        raise FailedError(why_not, "terminal")
    code, ended_by = _run_replay(options, load_command_settings(options).settings)
    return report_failure(FailedError(crashes.describe(ended_by), "defect", FAILED)) if ended_by else code


def check_recording(options: argparse.Namespace) -> int:
    """Verify a recording and print what was found. Return 0 for a clean one, 1 otherwise. Raises FailedError."""
    from kalshi_tui.kalshi.translate import MAX_PARAGRAPH_LENGTH, clean
    from kalshi_tui.recording import checker
    from kalshi_tui.recording.writer import RecordingError

    output = Output()
    with ProgressIndicator("Reading the recording") as waiting:
        try:
            found = checker.check_recording(
                expand_path(options.file), lambda records: waiting.update(f"Reading the recording: {records:,} records")
            )
        except RecordingError as error:
            raise FailedError(clean(str(error), MAX_PARAGRAPH_LENGTH), "recording") from error
    output.write(checker.format_json(found) if options.json else checker.format_text(found))
    return OK if found.clean else FAILED


def _run_replay(options: argparse.Namespace, settings: "Settings") -> tuple[int, str]:
    """Open the desk on a practice exchange that plays the recording.

    Return the exit code, and the type of the defect that ended the desk, empty if none did. Raises FailedError.
    """
    import tempfile

    from kalshi_tui.runtime.launch import LaunchError, PracticeProcess
    from kalshi_tui.session.execution.journal import Journal

    with ExitStack() as stack:
        if options.data:
            folder = Path(options.data).expanduser()
        else:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="kalshi-tui-replay-")))
        arguments = ["--data", str(folder), "--recording", str(expand_path(options.file).absolute())]
        arguments += [f"--speed={options.speed}", f"--at={options.at}", *(["--paused"] if options.paused else [])]
        process = PracticeProcess(arguments)
        stack.callback(process.stop)
        from kalshi_tui.runtime.compose import build_replay_session, practice_access
        from kalshi_tui.runtime.settings import build_session_options, build_ui_settings
        from kalshi_tui.ui.app import DeskApp

        try:
            connected = practice_access(process.wait_until_ready(), process.describe_exit)
            journal = Journal.open_anyway(folder / JOURNAL_FILE, connected.signer.key_id)
        except LaunchError as error:
            raise FailedError(str(error), "practice") from error
        session_options = build_session_options(settings, read_only=options.read_only)
        session = build_replay_session(connected, process.ready_fields.get("replay", {}), journal, session_options)
        ui_settings = replace(build_ui_settings(settings), export_folder=desk.export_folder(), data_folder=None)
        session.call_when_listed(gc_tuning.freeze_objects)
        app = DeskApp(session, clock_ms=session.clock_ms, ui_settings=ui_settings)
        gc_tuning.configure_gc()
        app.run()
        return app.return_code or 0, app.fatal_error_type
