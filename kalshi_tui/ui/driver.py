"""The terminal that the app draws on, which may go away at any moment: a window closed, a connection cut."""

import os
import re
import sys
from contextlib import suppress
from typing import IO, Any, Final

from textual.drivers.linux_driver import LinuxDriver

from kalshi_tui.ui.outlet import glyphs_for
from kalshi_tui.ui.terminal_reader import read_until_gone

TO_WINDOWS: Final = re.compile(r"\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)")
"""What is said to the window that a terminal runs in."""


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
        self._glyphs = glyphs_for(os.environ)

    def write(self, data: str) -> None:
        """Write; to a console without what it may print (titles and the like), and in the characters that it has."""
        super().write(TO_WINDOWS.sub("", data).translate(self._glyphs) if self._glyphs is not None else data)

    def run_input_thread(self) -> None:
        """Read what arrives, whatever it is."""
        read_until_gone(self.fileno, self.exit_event, self.process_message)
