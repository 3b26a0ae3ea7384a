"""Read a private key's file as ssh does, and the variables of the environment that name it.

No error's sentence holds anything of the key.
"""

import errno
import os
import shlex
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from kalshi_tui.kalshi.errors import Misconfigured
from kalshi_tui.kalshi.transport.signing import KeyFileError

MAX_KEY_FILE_BYTES: Final = 64 * 1024
GROUP_AND_OTHER_BITS: Final = stat.S_IRWXG | stat.S_IRWXO


@dataclass(frozen=True, slots=True)
class KeyVariables:
    """A key id, and the path of its private key or the key's own text."""

    key_id: str
    path: Path | None
    pem: bytes | None = field(default=None, repr=False)


def read_key_variables(environ: Mapping[str, str]) -> KeyVariables | None:
    """Return key id and key by the usual variables; None if none is set. Raises Misconfigured if one is missing.

    ``KALSHI_API_KEY_ID`` or ``KALSHI_KEY_ID``, with ``KALSHI_PRIVATE_KEY_PATH`` or ``KALSHI_PRIVATE_KEY``.
    """
    key_id = environ.get("KALSHI_API_KEY_ID") or environ.get("KALSHI_KEY_ID") or ""
    path, pem = environ.get("KALSHI_PRIVATE_KEY_PATH") or "", environ.get("KALSHI_PRIVATE_KEY") or ""
    if path and pem:
        raise Misconfigured("KALSHI_PRIVATE_KEY and KALSHI_PRIVATE_KEY_PATH are both set; unset one of them.")
    if not key_id and not path and not pem:
        return None
    if bool(key_id) != bool(path or pem):
        there, missing = (
            ("KALSHI_API_KEY_ID", "KALSHI_PRIVATE_KEY_PATH")
            if key_id
            else ("KALSHI_PRIVATE_KEY" + ("_PATH" if path else ""), "KALSHI_API_KEY_ID")
        )
        raise Misconfigured(f"{there} is set, but {missing} is not: an id and its key come together.")
    return KeyVariables(
        key_id,
        Path(path).expanduser() if path else None,
        # Tools that write variables often put the two characters \n for each line end.
        pem.replace("\\n", "\n").encode() if pem else None,
    )


def read_key_file(path: Path) -> bytes:
    """Read a private key: an own file, no link, readable by nobody else. Raises KeyFileError.

    The opened file itself is checked: a check of its path could be of another file than the one that is read.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError as error:
        raise KeyFileError(_describe_open_error(path, error)) from None
    try:
        _check_file_safety(path, os.fstat(descriptor))
        return os.read(descriptor, MAX_KEY_FILE_BYTES + 1)
    finally:
        os.close(descriptor)


def _check_file_safety(path: Path, status: os.stat_result) -> None:
    """Raise KeyFileError, with the remedy, unless it is a regular file that only this user can read and write."""
    if not stat.S_ISREG(status.st_mode):
        raise KeyFileError(f"{path} is not a file; name the private key's own file.")
    if status.st_uid != os.geteuid():
        raise KeyFileError(
            f"The key file {path} belongs to another user, who could change it; copy it into a file of your own."
        )
    if status.st_mode & GROUP_AND_OTHER_BITS:
        mode = stat.S_IMODE(status.st_mode)
        raise KeyFileError(
            f"The key file {path} can be read or changed by others (mode {mode:04o}). "
            f"To fix that: chmod 600 {shlex.quote(str(path))}"
        )
    if status.st_size > MAX_KEY_FILE_BYTES:
        raise KeyFileError(f"{path} is too large for a private key; name the key's own file.")


def _describe_open_error(path: Path, error: OSError) -> str:
    if error.errno == errno.ENOENT:
        return f"There is no key file {path}. Check the path, or download or create a key at the exchange."
    if error.errno in {errno.ELOOP, errno.EMLINK}:
        return f"The key file {path} is a link, which is not followed: name the file itself."
    if error.errno in {errno.EACCES, errno.EPERM}:
        return f"The key file {path} cannot be read by you. To fix that: chmod 600 {shlex.quote(str(path))}"
    return f"The key file {path} cannot be read ({error.strerror or error})."
