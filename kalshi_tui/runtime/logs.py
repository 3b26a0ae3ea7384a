"""The log file, without secrets, and the report of a defect: one sentence on the screen, the rest in the log.

Warnings and worse, of this program and its libraries, go into one file that only its owner can read. The file's
formatter is the one place where text becomes a line of it, whatever logger it came through: there secrets are taken
out of messages and of exceptions' texts. Tracebacks are Python's own, without the values of variables.
"""

import base64
import json
import logging
import os
import re
import sys
import threading
import time
from collections.abc import Iterator
from io import TextIOWrapper
from logging.handlers import RotatingFileHandler
from pathlib import Path
from types import TracebackType
from typing import Final, NamedTuple
from urllib.parse import quote

from kalshi_tui.domain.escaping import escape_unprintable

DESK_LOG_FILE: Final = "kalshi-tui.log"
PRACTICE_LOG_FILE: Final = "practice.log"
"""The practice exchange is a process of its own, and two would turn one file over at the same time."""
MAX_LOG_BYTES: Final = 512 * 1024
BACKUP_COUNT: Final = 2
"""So many files of `MAX_LOG_BYTES` are kept besides the one that is written."""
MAX_SCANNED_LENGTH: Final = 65_536
MAX_WRITTEN_LENGTH: Final = 16_384
"""Characters of a record: those that are looked at, and those of them that are written."""
TRUNCATION_MARGIN: Final = 4_096
"""So many characters go too where a record was cut before it was looked at: a secret may have been cut in two."""
REDACTED_TEXT: Final = "[removed]"
MIN_SECRET_LENGTH: Final = 4
"""A shorter text stands everywhere, and the gaps where it stood would tell it."""
MIN_SECRET_LINE_LENGTH: Final = 16
MAX_WHOLE_SECRET_LENGTH: Final = 200
"""A longer secret, as the content of a key file, is looked for line by line: so a part of it is found too."""

_HIDDEN_HEADER: Final = (
    r"(?:KALSHI-ACCESS-(?:KEY|SIGNATURE|TIMESTAMP)|X-Practice-Token|(?:Proxy-)?Authorization|(?:Set-)?Cookie)"
)
_UNIT: Final = r"(?:[A-Za-z0-9+/_-]|%2[BbFf]|\\{1,4}/)"
"""A character of base64 of either alphabet, as it is or as addresses and JSON write it."""
_START: Final = r"(?:(?<![A-Za-z0-9+/_%\\-])|(?<=\\[nrt]))(?=[^\s=]{0,42}[A-Z])(?=[^\s=]{0,42}[a-z])"
"""Where a run of those begins that has capitals and small letters, as random bytes in base64 always have."""
_BASE64: Final = r"(?:[A-Za-z0-9+/_-]|%2[BbFf]|%3[Dd]|\\{1,4}/)"
_SECRET_PATTERNS: Final = tuple(
    re.compile(pattern)
    for pattern in (
        # A PEM, as text or as Python or JSON write it (backslash n), up to its end or as far as it goes.
        r"-----BEGIN [A-Z0-9 ]+-----(?:(?:(?!-----BEGIN )[\s\S])*?-----END [A-Z0-9 ]+-----|[A-Za-z0-9+/=\s\\,:'\"-]*)",
        # A signature of a key of 2048 bits has 342 characters; hexadecimal and decimal numbers of that size too.
        rf"{_BASE64}{{200,}}={{0,2}}",
        # One of an Ed25519 key has 86, and mostly its two signs of equality.
        rf"{_START}(?=[^\s=]{{0,85}}[0-9]){_UNIT}{{86}}(?!{_UNIT})(?:={{1,2}}|(?:%3[Dd]){{1,2}})?",
        # 32 bytes, as an Ed25519 key is, in base64 with its sign of equality; without it, it may be any name.
        rf"{_START}{_UNIT}{{43}}(?:=|%3[Dd])",
        # The same in hexadecimal or decimal digits, and a signature.
        r"[0-9A-Fa-f]{64,}",
        # The one line of an Ed25519 key's PEM (version, algorithm, seed) without its frame.
        rf"M[A-Za-z0-9+/]{{3}}AQ[AE]wBQYDK2Vw{_UNIT}*",
        # The lines of a PEM without their frame.
        r"(?<![A-Za-z0-9+/])[A-Za-z0-9+/]{60,}+(?:(?:\\+[rn]|\s|['\",])+[A-Za-z0-9+/]{16,})+={0,2}",
    )
)
_HEADER_VALUE: Final = re.compile(
    rf"(?i){_HIDDEN_HEADER}\\*['\"]?\s*[:=,]\s*"
    r"""(?P<value>b?"(?:[^"\\]|\\.)*"|b?'(?:[^'\\]|\\.)*'|[^\r\n]+)"""
)


class SecretRegistry:
    """Texts that are never written. Only the length and a hash of each are kept, so that nobody can read them here."""

    def __init__(self) -> None:
        self._replacements_by_hash: dict[int, dict[int, str]] = {}

    def add(self, text: str, replacement: str = REDACTED_TEXT) -> None:
        """Register a text: as it is, and as Python, JSON, an address or base64 writes it.

        A long one is looked for by lines alone, a short one of several lines by them too.
        """
        lines = [line.strip() for line in text.splitlines() if not line.startswith("-----")]
        parts = {line for line in lines if len(line) >= MIN_SECRET_LINE_LENGTH}
        for part in parts | ({text, text.strip()} if len(text) <= MAX_WHOLE_SECRET_LENGTH else set()):
            encoded = part.encode(errors="surrogateescape")
            forms = {part, repr(part)[1:-1], repr(encoded)[2:-1], json.dumps(part)[1:-1], quote(encoded, safe="")}
            for form in forms | {base64.b64encode(encoded).decode().rstrip("=")}:
                if len(form) >= MIN_SECRET_LENGTH:
                    self._replacements_by_hash.setdefault(len(form), {})[hash(form)] = replacement

    def find(self, text: str) -> Iterator["SecretMatch"]:
        """Return every registered text found in a text; places may overlap."""
        for length, known in self._replacements_by_hash.items():
            for start in range(len(text) - length + 1):
                instead = known.get(hash(text[start : start + length]))
                if instead is not None:
                    yield SecretMatch(start, start + length, instead)


class SecretMatch(NamedTuple):
    """A part of a text that is not to be written, and what is written instead."""

    start: int
    end: int
    replacement: str


_secrets: Final = SecretRegistry()


def add_secret(text: str | bytes) -> None:
    """Keep a text (a passphrase, a key file's content, a token) out of the log."""
    _secrets.add(_as_text(text))


def add_masked(text: str) -> None:
    """Have the log show only a text's first characters: a key id, which is private though no secret."""
    _secrets.add(text, f"{text[:4]}..." if len(text) > 8 else "...")


def redact(text: str) -> str:
    """Return a text without secrets: those that were registered, and whatever looks like one."""
    # All are looked for in the text as it came: one that was taken out first could leave half of another.
    places = [*_secrets.find(text)]
    places += (SecretMatch(*found.span("value"), REDACTED_TEXT) for found in _HEADER_VALUE.finditer(text))
    places += (
        SecretMatch(*found.span(), REDACTED_TEXT) for pattern in _SECRET_PATTERNS for found in pattern.finditer(text)
    )
    kept: list[str] = []
    done = 0
    for start, end, instead in sorted(places):
        if start >= done:
            kept += (text[done:start], instead)
        done = max(done, end)
    return "".join((*kept, text[done:]))


def _as_text(text: str | bytes) -> str:
    return text if isinstance(text, str) else text.decode(errors="surrogateescape")


def _escape_unprintable(text: str) -> str:
    """Write what does not print as Python does, and indent further lines: no text of others can look like a record."""
    return "\n    ".join(map(escape_unprintable, text.split("\n")))


class RedactingFormatter(logging.Formatter):
    """Format a record without secrets."""

    converter = staticmethod(time.gmtime)

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s", "%Y-%m-%dT%H:%M:%SZ")

    def format(self, record: logging.LogRecord) -> str:
        """Write message, exception and stack."""
        whole = super().format(record)
        # Kept by `logging` for the next handler; nobody else is to have it as it is.
        record.exc_text = None
        written = redact(whole[:MAX_SCANNED_LENGTH])
        if len(whole) > MAX_SCANNED_LENGTH:
            written = written[:-TRUNCATION_MARGIN]
        cut = len(whole) > MAX_SCANNED_LENGTH or len(written) > MAX_WRITTEN_LENGTH
        return _escape_unprintable(written[:MAX_WRITTEN_LENGTH]) + ("\n    [cut]" if cut else "")


class LogFile(RotatingFileHandler):
    """A private file of bounded size, made when there is something to write. Its failures never reach the screen."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, maxBytes=MAX_LOG_BYTES, backupCount=BACKUP_COUNT, encoding="utf-8", delay=True)
        self.failure = ""
        """Why the last record could not be written; empty if it could."""
        self.setFormatter(RedactingFormatter())
        self.setLevel(logging.WARNING)

    def _open(self) -> TextIOWrapper:
        path = Path(self.baseFilename)
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.parent.chmod(0o700)
        descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        os.fchmod(descriptor, 0o600)
        return os.fdopen(descriptor, "a", encoding=self.encoding)

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record, or note why that cannot be done."""
        self.failure = ""
        super().emit(record)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - the name that `logging` gave it
        """Note the failure. Standard error is the trader's screen, so nothing is written there."""
        del record
        error = sys.exc_info()[1]
        self.failure = (isinstance(error, OSError) and error.strerror) or type(error).__name__


_log: Final = logging.getLogger("kalshi_tui")


class CrashReporter:
    """Reports exceptions that nothing caught: in the log, and as one sentence to the trader."""

    def __init__(self, file: LogFile, advice: str = "") -> None:
        self._file = file
        self._advice = advice

    def describe(self, kind: str) -> str:
        """Return a sentence that says that the program ended by a defect of this type, and where to read more."""
        where = (
            f"what happened could not be written to {self._file.baseFilename} ({self._file.failure})"
            if self._file.failure
            else f"what happened is in {self._file.baseFilename}"
        )
        return f"ended by a defect ({kind}); {where}.{self._advice}"

    def handle_exception(
        self, kind: type[BaseException], error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Replace `sys.excepthook`."""
        if issubclass(kind, KeyboardInterrupt):
            return
        _log.critical("The program has ended by a defect.", exc_info=(kind, error or kind(), trace))
        sys.stderr.write(f"kalshi-tui: {self.describe(kind.__name__)}\n")

    def handle_thread_exception(self, what: threading.ExceptHookArgs) -> None:
        """Replace `threading.excepthook`."""
        if what.exc_type is not SystemExit:
            error = what.exc_value or what.exc_type()
            _log.error("A thread has ended by a defect.", exc_info=(what.exc_type, error, what.exc_traceback))

    def handle_unraisable(self, what: "sys.UnraisableHookArgs") -> None:
        """Replace `sys.unraisablehook`."""
        error = what.exc_value or what.exc_type()
        _log.error("A defect that nothing could catch.", exc_info=(what.exc_type, error, what.exc_traceback))


def start_logging(file: str = DESK_LOG_FILE, advice: str = "") -> CrashReporter:
    """Log into this file of the user's folder for logs, and from now on nothing to standard error.

    ``advice`` ends the sentence in which the program says that it has ended by a defect. asyncio's own handler logs, as
    do Python's warnings.
    """
    from platformdirs import user_log_path  # noqa: PLC0415 - costs time, and `--help` has to be quick

    handler = LogFile(user_log_path("kalshi-tui", appauthor=False) / file)
    root = logging.getLogger()
    root.addHandler(handler)
    root.setLevel(logging.WARNING)
    logging.raiseExceptions = False
    logging.lastResort = None
    logging.captureWarnings(capture=True)
    crashes = CrashReporter(handler, advice)
    sys.excepthook = crashes.handle_exception
    threading.excepthook = crashes.handle_thread_exception
    sys.unraisablehook = crashes.handle_unraisable
    return crashes
