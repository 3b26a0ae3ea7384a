"""Writing a file whole or not at all, for its owner's eyes alone."""

import os
import tempfile
from contextlib import suppress
from pathlib import Path


def write_atomically(path: Path, content: bytes, *, overwrite: bool) -> None:
    """Write a file that nobody else may read; it appears when it is whole and on the disk.

    ``over``: in the place of one of the same name; else FileExistsError is raised. Raises OSError.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    # Made by mkstemp: 0600 from its first moment on.
    descriptor, draft = tempfile.mkstemp(prefix=".kalshi-tui-", suffix=".tmp", dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        if overwrite:
            Path(draft).replace(path)
        else:
            # A replace would go over another file.
            path.hardlink_to(draft)
    finally:
        with suppress(OSError):
            Path(draft).unlink()
