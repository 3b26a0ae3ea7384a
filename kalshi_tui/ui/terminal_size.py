"""Measure the terminal. Imports nothing slow: it is asked before anything starts."""

import os
from collections.abc import Iterable, Mapping
from typing import Final

USUAL_SIZE: Final = (80, 24)
"""What is taken where nothing tells a size."""
STREAM_NUMBERS: Final = (2, 1, 0)
"""Standard error, output, input: the screen is drawn on the first that is a terminal."""


def measure_terminal(
    environment: Mapping[str, str] = os.environ, streams: Iterable[int] = STREAM_NUMBERS
) -> tuple[int, int] | None:
    """Return columns and rows; None if nothing tells them.

    The terminal itself is asked first: exported COLUMNS and LINES stay as they are when its size changes. They count
    for a terminal that does not know its size, such as a serial line.
    """
    for stream in streams:
        try:
            columns, rows = os.get_terminal_size(stream)
        except OSError:
            continue
        if columns > 0 and rows > 0:
            return columns, rows
    told = [environment.get(name, "") for name in ("COLUMNS", "LINES")]
    if all(each.isascii() and each.isdecimal() and int(each[:6]) > 0 for each in told):
        return int(told[0][:6]), int(told[1][:6])
    return None
