"""Check whether this terminal can show the desk, before anything is drawn."""

import os
import sys
from collections.abc import Mapping
from typing import Final

from kalshi_tui.ui.terminal_size import measure_terminal

WITHOUT_CURSOR: Final = frozenset({"", "dumb", "unknown", "emacs"})
"""Terminal names without cursor addressing, and no name at all."""


def why_no_screen(what: str, otherwise: str, environment: Mapping[str, str] = os.environ) -> str:
    """Return why the desk cannot be drawn here, in a sentence with what to do; empty if it can.

    ``what`` is what needs the terminal, ``otherwise`` what there is without one.
    """
    # Standard output is None where it was closed before the start.
    if not sys.stdin.isatty() or sys.stdout is None or not sys.stdout.isatty():
        return f"{what} needs a terminal. {otherwise}"
    name = environment.get("TERM", "").strip()
    if name.lower() in WITHOUT_CURSOR:
        said = f"TERM is {name}" if name else "TERM is not set"
        remedy = "set TERM to what your terminal is, such as xterm-256color"
        return f"{what} needs a terminal that can draw a screen, and {said}: {remedy}. {otherwise}"
    if measure_terminal(environment) is None:
        remedy = "tell it with 'stty rows 24 columns 80', or larger"
        return f"{what} needs a terminal that has a size, and this one says that it has none: {remedy}. {otherwise}"
    return ""
