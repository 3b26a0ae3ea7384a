"""Writing a table to the disk, under a name that tells what and when."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from kalshi_tui.session.atomic_write import write_atomically
from kalshi_tui.ui.lists.export import csv_text


class Exporter:
    """Writes tables into one folder, under names that tell what and when."""

    def __init__(self, folder: Path | None, clock_ms: Callable[[], int]) -> None:
        """Write into ``folder``; without one nothing can be written."""
        self._folder = folder
        self._clock_ms = clock_ms

    def write(self, name: str, rows: Sequence[Sequence[str]]) -> tuple[bool, str]:
        """Write a table with its heading row; say whether it is written, and in a sentence where or why not."""
        if self._folder is None:
            return False, "Nothing is written: no folder for it was named."
        stamp = datetime.fromtimestamp(self._clock_ms() // 1000, UTC).strftime("%Y%m%dT%H%M%SZ")
        for again in range(1, 100):
            twin = "" if again == 1 else f"-{again}"
            path = self._folder / f"kalshi-tui-{name}-{stamp}{twin}.csv"
            try:
                write_atomically(path, csv_text(rows).encode(), overwrite=False)
            except FileExistsError:
                continue
            except OSError as error:
                return False, f"The table could not be written to {self._folder}: {error.strerror or error}."
            lines = len(rows) - 1
            return True, f"Written: {lines} line{'' if lines == 1 else 's'} in {path}"
        return False, f"The table could not be written to {self._folder}: too many files of this second."
