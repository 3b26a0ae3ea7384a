"""The terminal that the app draws on, which may go away at any moment: a window closed, a connection cut."""

import sys
from contextlib import suppress
from typing import IO, Any

from textual.drivers.linux_driver import LinuxDriver


class LastingFile:
    """A terminal's file whose loss loses nothing: what cannot be written any more is dropped.

    Textual writes from a thread that ends at the first error; the app would then wait for it for ever, and with it the
    connection and the practice exchange would stay.
    """

    def __init__(self, file: IO[str]) -> None:
        self._file = file

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)

    def write(self, text: str) -> int:
        """Write, or drop what nobody can see."""
        with suppress(OSError, ValueError):
            return self._file.write(text)
        return len(text)

    def flush(self) -> None:
        """Flush, if there is still somewhere to flush to."""
        with suppress(OSError, ValueError):
            self._file.flush()


class TerminalDriver(LinuxDriver):
    """Textual's own driver, on a `LastingFile`."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        if sys.__stderr__ is not None:
            self._file = LastingFile(sys.__stderr__)  # type: ignore[assignment]  # a file in all that is used
