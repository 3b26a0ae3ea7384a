"""The settings of the screen, and where it stores files. Imports nothing slow."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

DEFAULT_COLUMN_ORDER: Final = (
    "bid", "bid_size", "ask", "ask_size", "spread", "last", "change", "day", "volume", "interest", "closes", "held",
    "orders",
)  # fmt: skip
"""All columns of the market list, in the order in which they stand unless the settings say otherwise."""


@dataclass(frozen=True, slots=True)
class UiSettings:
    """How the screen looks and where it writes."""

    theme: str = "auto"
    """The name of a set of colors; "auto": the terminal's name decides."""
    columns: tuple[str, ...] = ()
    """The columns of the market list, those first that stay where there is little room; empty: the usual ones."""
    keys: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Keys in the place of the usual ones, by the id of the command."""
    export_folder: Path | None = None
    """Where tables are written to; None: nowhere."""
    data_folder: Path | None = None
    """Where watch lists and the like outlive the program; None: they do not."""
    bell: bool = True
    """Whether an alert rings the terminal's bell."""
    notify: bool = False
    """Whether an alert has the terminal notify the desktop."""
    plain_chart: bool | None = None
    """Whether charts are drawn of ASCII alone; None: the terminal's name decides."""
