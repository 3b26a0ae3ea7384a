"""Write results: tables for people, JSON for programs; a reader who goes away is no failure."""

import contextlib
import errno
import json
import os
import select
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Final, NamedTuple

from kalshi_tui.cli.exit_codes import FailedError
from kalshi_tui.ui.terminal_size import USUAL_SIZE, measure_terminal

COLUMN_GAP: Final = 2
MIN_COLUMN_WIDTH: Final = 8
"""Cells that a column keeps however narrow the terminal is."""
BOLD: Final = "1"
RED: Final = "1;31"
DIM: Final = "2"

Json = Mapping[str, object]


class Column(NamedTuple):
    """A column of a table. ``can_shrink``: it is cut where the terminal is too narrow."""

    name: str
    right: bool = False
    can_shrink: bool = False


class Output:
    """Standard output. Once its reader is gone, what is written goes nowhere: that is no failure."""

    def __init__(self) -> None:
        if getattr(sys, "stdout", None) is None:
            raise FailedError("standard output is closed: the result could not be reported.", "output")
        self.reader_gone = False
        """Whether the reader has closed the pipe."""
        self.is_terminal = sys.stdout.isatty()
        dumb = os.environ.get("TERM", "") in {"", "dumb"}
        self._use_colors = self.is_terminal and not dumb and not os.environ.get("NO_COLOR")
        if hasattr(sys.stdout, "reconfigure"):
            # A title may hold what the terminal's character set has not.
            sys.stdout.reconfigure(errors="replace")

    @property
    def width(self) -> int | None:
        """The terminal's columns; None where the output is no terminal, and nothing is to be cut."""
        return (measure_terminal() or USUAL_SIZE)[0] if self.is_terminal else None

    def write(self, text: str) -> None:
        """Write. Raises FailedError if it cannot be, other than for a reader who is gone."""
        if self.reader_gone:
            return
        try:
            sys.stdout.write(text)
            sys.stdout.flush()
        except BrokenPipeError:
            self.discard_output()
        except OSError as error:
            self.discard_output()
            why = os.strerror(error.errno) if error.errno else type(error).__name__
            raise FailedError(f"the output cannot be written ({why}).", "output") from error

    def discard_output(self) -> None:
        """Discard everything still to be written, buffered text included."""
        self.reader_gone = True
        nowhere = os.open(os.devnull, os.O_WRONLY)
        with contextlib.suppress(OSError):
            os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)

    def is_reader_gone(self) -> bool:
        """Look whether the other end of the pipe is closed, without writing to it."""
        if not self.reader_gone and not self.is_terminal:
            looked = select.poll()
            try:
                looked.register(sys.stdout.fileno(), 0)
                if any(event & select.POLLERR for _, event in looked.poll(0)):
                    self.discard_output()
            except OSError as error:
                if error.errno != errno.EBADF:
                    raise
        return self.reader_gone

    def write_json(self, value: Json) -> None:
        """Write one JSON object on a line of its own, in plain ASCII."""
        self.write(json.dumps(value) + "\n")

    def write_lines(self, *lines: str) -> None:
        """Write lines, if there are any."""
        self.write("".join(f"{each}\n" for each in lines))

    def paint(self, text: str, color: str) -> str:
        """Return a text in a color where colors are wanted; it says the same without."""
        return f"\x1b[{color}m{text}\x1b[0m" if self._use_colors and text else text

    def write_table(self, columns: Sequence[Column], rows: Sequence[Sequence[str]], empty_message: str) -> None:
        """Write a table with aligned columns; ``empty_message`` where it has no rows."""
        if not rows:
            self.write_lines(empty_message)
            return
        head, *body = format_table(columns, rows, self.width)
        self.write_lines(self.paint(head, BOLD), *body)

    def write_facts(self, facts: Sequence[tuple[str, str]]) -> None:
        """Write names and values in two columns."""
        from kalshi_tui.presentation.lines import wrap

        wide = max(len(name) for name, _ in facts)
        room = None if self.width is None else max(self.width - wide - COLUMN_GAP - 1, 20)
        for name, value in facts:
            first, *further = [value] if room is None else wrap(value, room)
            self.write_lines(f"{self.paint(name.ljust(wide), DIM)}  {first}".rstrip())
            self.write_lines(*(f"{' ' * wide}  {each}" for each in further))


def format_table(columns: Sequence[Column], rows: Sequence[Sequence[str]], width: int | None) -> list[str]:
    """Return rows under their columns' names. Columns that can shrink are cut to fit ``width``; None is any."""
    from rich.cells import cell_len

    from kalshi_tui.presentation.lines import fit, right_align

    heads = [each.name for each in columns]
    wide = [max(cell_len(row[place]) for row in (heads, *rows)) for place in range(len(columns))]
    if width is not None:
        over = sum(wide) + COLUMN_GAP * (len(columns) - 1) - width
        for place in reversed([place for place, each in enumerate(columns) if each.can_shrink]):
            cut = min(max(over, 0), max(wide[place] - MIN_COLUMN_WIDTH, 0))
            wide[place] -= cut
            over -= cut
    made = []
    for row in (heads, *rows):
        cells = [
            right_align(text, cells) if column.right else fit(text, cells)
            for text, cells, column in zip(row, wide, columns, strict=True)
        ]
        made.append((" " * COLUMN_GAP).join(cells).rstrip())
    return made


def format_time(ts_ms: int) -> str:
    """Return a Unix time in milliseconds as local date and time with the zone; empty for 0."""
    if not ts_ms:
        return ""
    try:
        return datetime.fromtimestamp(ts_ms // 1000, UTC).astimezone().strftime("%Y-%m-%d %H:%M:%S %Z")
    except (ValueError, OverflowError, OSError):
        return "??"
