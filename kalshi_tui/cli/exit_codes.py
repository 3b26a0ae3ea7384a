"""Exit codes, and failures reported as a sentence or as JSON."""

import json
import sys
from typing import Final

from kalshi_tui.domain.escaping import escape_unprintable

OK: Final = 0
FAILED: Final = 1
USAGE: Final = 2
UNKNOWN: Final = 3
NOT_FOUND: Final = 4
INCOMPLETE: Final = 5
UNFILLED: Final = 6
INTERRUPTED: Final = 130

EXIT_CODE_MEANINGS: Final = (
    (OK, "done, and the outcome is known"),
    (FAILED, "rejected or failed; nothing was done, or the message says what was"),
    (USAGE, "an invalid command line"),
    (UNKNOWN, "a write whose outcome is unknown: check before doing it again"),
    (NOT_FOUND, "the exchange has no such market or order"),
    (INCOMPLETE, "a list that is incomplete: what could be read is printed, the rest is named"),
    (UNFILLED, "the order was canceled with nothing filled"),
    (INTERRUPTED, "ended by Ctrl+C; nothing was in flight"),
)


class FailedError(Exception):
    """The command failed. The message is a sentence; ``code`` a word for programs."""

    def __init__(self, sentence: str, code: str = "failed", exit_code: int = FAILED) -> None:
        super().__init__(sentence)
        self.code = code
        self.exit_code = exit_code


class UsageError(FailedError):
    """The command line is invalid; ``usage`` is the usage line, ``prog`` the command."""

    def __init__(self, sentence: str, prog: str = "kalshi-tui", usage: str = "") -> None:
        super().__init__(sentence, "usage", USAGE)
        self.prog = prog
        self.usage = usage


def format_error_json(code: str, sentence: str, exit_code: int) -> str:
    """Return a failure as the JSON object that ``docs/schemas/error.json`` describes."""
    return json.dumps({"error": {"code": code, "message": sentence, "exit_code": exit_code}}) + "\n"


def report_failure(error: FailedError, *, as_json: bool = False) -> int:
    """Write a failure to standard error, and return its exit code."""
    if as_json:
        sys.stderr.write(format_error_json(error.code, str(error), error.exit_code))
    elif isinstance(error, UsageError):
        sys.stderr.write(f"{error.usage}{error.prog}: error: {escape_unprintable(str(error))}\n")
    else:
        write_sentence(str(error))
    return error.exit_code


def write_sentence(sentence: str) -> None:
    """Write a sentence to standard error; what does not print in it, such as a name that somebody typed, is escaped."""
    sys.stderr.write(f"kalshi-tui: {escape_unprintable(sentence)}\n")


def format_exit_codes(*codes: int) -> str:
    """Return a list of exit codes with their meanings, for the end of a command's help."""
    wanted = codes or tuple(code for code, _ in EXIT_CODE_MEANINGS)
    return "exit codes:\n" + "".join(f"  {code:<4} {words}\n" for code, words in EXIT_CODE_MEANINGS if code in wanted)
