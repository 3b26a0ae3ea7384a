"""The entry point: harden the process, read the command line, run the command, report how it ended."""

import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from kalshi_tui.cli import desk, practice, replay
from kalshi_tui.cli.commands import build_parser
from kalshi_tui.cli.exit_codes import (
    FAILED,
    INTERRUPTED,
    FailedError,
    UsageError,
    report_failure,
)
from kalshi_tui.cli.parser import RunCommand
from kalshi_tui.runtime import hardening

if TYPE_CHECKING:
    from kalshi_tui.runtime.logs import CrashReporter

__all__ = ["build_parser", "main"]

# Imports that cost time stand in the functions that need them: `--help` has to be quick, and the practice exchange
# starts while the screen's libraries load.


def fill_closed_streams() -> None:
    """Open the null device in the place of each standard stream that was closed before the start.

    A file opened later, a journal, would get the number that libraries write errors to. `sys.stdout` stays None:
    commands then reject what they could not report.
    """
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            # The lowest number that is free is taken: this one.
            os.open(os.devnull, os.O_RDWR)
    for name, number, mode in (("stdin", 0, "r"), ("stderr", 2, "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(number, mode, closefd=False))  # noqa: SIM115 - lives as long as the process


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program and return its exit code; see `kalshi_tui.cli.exit_codes`."""
    fill_closed_streams()
    try:
        hardening.harden()
    except OSError as error:
        return report_failure(
            FailedError(f"this process cannot be kept from being looked into ({error.strerror}); it does not start.")
        )
    given = sys.argv[1:] if arguments is None else list(arguments)
    try:
        options = build_parser().parse_args(given)
    except UsageError as error:
        return report_failure(error, as_json="--json" in given)
    as_json: bool = options.json
    crashes: CrashReporter | None = None
    try:
        run: RunCommand = options.run
        if run in (desk.run, replay.run):
            return run(options)
        from kalshi_tui.runtime import logs  # noqa: PLC0415 - see the top

        crashes = logs.start_logging(logs.PRACTICE_LOG_FILE) if run is practice.run else logs.start_logging()
        return run(options)
    except FailedError as error:
        return report_failure(error, as_json=as_json)
    except KeyboardInterrupt:
        return (
            report_failure(FailedError("interrupted.", "interrupted", INTERRUPTED), as_json=True)
            if as_json
            else INTERRUPTED
        )
    except Exception as error:
        if not as_json:
            # `sys.excepthook` reports it.
            raise
        import logging  # noqa: PLC0415 - see the top

        logging.getLogger("kalshi_tui").critical("The program has ended by a defect.", exc_info=error)
        # `replay` and the desk start their own logs, so here only the defect's type is known.
        kind = type(error).__name__
        sentence = crashes.describe(kind) if crashes is not None else f"ended by a defect ({kind})."
        return report_failure(FailedError(sentence, "defect", FAILED), as_json=True)


if __name__ == "__main__":
    sys.exit(main())
