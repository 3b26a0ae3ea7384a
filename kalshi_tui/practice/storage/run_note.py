"""Finding the practice exchange that runs on a folder: it leaves a note there, for its owner alone, and holds a lock.

The lock, which ends with its process, tells a running exchange from the note that a killed one left behind.
"""

import contextlib
import fcntl
import os
from pathlib import Path
from typing import Final

LOCK_FILE: Final = "lock"
RUN_NOTE_FILE: Final = "running.json"
"""Holds the ready line of the exchange that runs."""
MAX_NOTE_LENGTH: Final = 1_000_000


def read_run_note(folder: Path) -> str:
    """Return the ready line of the exchange that runs on this folder; empty if none does, or none that is ready."""
    try:
        descriptor = os.open(folder / LOCK_FILE, os.O_RDONLY)
    except OSError:
        return ""
    try:
        if not (folder / RUN_NOTE_FILE).exists() or not _is_lock_held(descriptor):
            return ""
        with (folder / RUN_NOTE_FILE).open(encoding="utf-8") as file:
            return file.read(MAX_NOTE_LENGTH)
    except (OSError, UnicodeDecodeError):
        return ""
    finally:
        os.close(descriptor)


def remove_run_note(folder: Path) -> None:
    """Take the note away: the exchange ends, or the one that left it has long ended."""
    with contextlib.suppress(OSError):
        (folder / RUN_NOTE_FILE).unlink(missing_ok=True)


def _is_lock_held(descriptor: int) -> bool:
    """Return whether a process holds the folder. Looking takes a shared lock for a moment, so that two may look."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    fcntl.flock(descriptor, fcntl.LOCK_UN)
    return False
