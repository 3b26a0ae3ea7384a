"""Layouts of the desk: which ladders stand beside each other, and what else is shown; kept under names."""

from pathlib import Path
from typing import Final

import msgspec

from kalshi_tui.presentation.lines import make_printable
from kalshi_tui.session.persisted import PersistedFile
from kalshi_tui.ui.market_list.watch_lists import normalize_name

LAYOUTS_FILE: Final = "layouts.json"
MAX_LAYOUTS: Final = 30
MAX_TILES: Final = 8


class Layout(msgspec.Struct, frozen=True):
    """One arrangement of the desk."""

    name: str = ""
    tiles: tuple[str, ...] = ()
    """The tickers of the ladders that stand beside each other, from the left."""
    ladder: bool = False
    """Whether the chosen market is shown as a ladder too, in the book's place."""
    share: str = "usual"
    """How much of the width the market list has: usual, all or none."""
    watch_list: str = ""
    """The watch list that is shown; empty: all markets."""


class LayoutsFile(msgspec.Struct, frozen=True):
    """The file."""

    now: Layout = Layout()
    """How the desk was left."""
    saved: tuple[Layout, ...] = ()


class Layouts:
    """Holds the layouts and writes each change down. ``trouble`` is a sentence if reading or writing failed."""

    def __init__(self, folder: Path | None) -> None:
        self._storage = PersistedFile(folder, LAYOUTS_FILE, LayoutsFile)
        value, self.storage_error = self._storage.read()
        self.current = _sanitize_layout(value.now)
        self._saved: dict[str, Layout] = {}
        for each in value.saved[:MAX_LAYOUTS]:
            name = normalize_name(each.name)
            if name:
                self._saved[name] = _sanitize_layout(each)

    @property
    def names(self) -> list[str]:
        """The saved ones, in the order in which a key goes through them."""
        return list(self._saved)

    def remember(self, layout: Layout) -> None:
        """Keep how the desk is arranged, for the next start."""
        if layout != self.current:
            self.current = layout
            self._write()

    def save(self, text: str, layout: Layout) -> str:
        """Save an arrangement under a name, in the place of one of the same name; say why not, empty if it is done."""
        name = normalize_name(text)
        if not name:
            return "Give the layout a name."
        if name not in self._saved and len(self._saved) >= MAX_LAYOUTS:
            return f"There are {MAX_LAYOUTS} layouts already; delete one."
        self.current = self._saved[name] = msgspec.structs.replace(layout, name=name)
        self._write()
        return ""

    def next_saved(self) -> Layout | None:
        """Return the saved layout after the one in use; None while there is none."""
        names = self.names
        if not names:
            return None
        place = names.index(self.current.name) + 1 if self.current.name in names else 0
        return self._saved[names[place % len(names)]]

    def delete(self, name: str) -> None:
        """Forget a saved layout; the desk stays as it is."""
        self._saved.pop(name, None)
        self.current = msgspec.structs.replace(self.current, name="")
        self._write()

    def _write(self) -> None:
        self.storage_error = self._storage.write(LayoutsFile(self.current, tuple(self._saved.values())))


def _sanitize_layout(layout: Layout) -> Layout:
    """Return a layout of a file without what no desk has."""
    tiles = tuple(dict.fromkeys(make_printable(ticker) for ticker in layout.tiles))[:MAX_TILES]
    return msgspec.structs.replace(layout, name=normalize_name(layout.name), tiles=tiles)
