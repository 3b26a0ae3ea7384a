"""Ladders of several markets side by side: as many as there is room for."""

from collections.abc import Sequence
from typing import Final

from textual.containers import Horizontal

from kalshi_tui.session.changes import StoreChanges
from kalshi_tui.session.store import Store
from kalshi_tui.ui.ladder.pane import LadderPane

MIN_TILE_WIDTH: Final = 40
"""Cells of a ladder that can be read."""


class LadderTiles(Horizontal):
    """Holds a ladder for each of its markets. Those that have no room are kept, and come back with the room."""

    def __init__(self, store: Store) -> None:
        super().__init__(id="tiles")
        self._store = store
        self._panes: list[LadderPane] = []
        self.display = False

    @property
    def tickers(self) -> list[str]:
        """The markets, from the left; those without room are the last ones."""
        return [pane.ticker for pane in self._panes]

    @property
    def visible_panes(self) -> list[LadderPane]:
        """The ladders that are shown."""
        return [pane for pane in self._panes if pane.display] if self.display else []

    def set_tickers(self, tickers: Sequence[str]) -> None:
        """Show these markets; a ladder that stays where it is keeps its rows and its cursor."""
        kept = [pane for pane in self._panes if pane.ticker in tickers]
        if [pane.ticker for pane in kept] != list(tickers[: len(kept)]):
            kept = []
        for pane in self._panes:
            if pane not in kept:
                pane.remove()
        self._panes = kept
        for ticker in tickers[len(kept) :]:
            pane = LadderPane(self._store, tile=True)
            self._panes.append(pane)
            self.mount(pane)
            pane.show_market(ticker)

    def fit_width(self, width: int) -> int:
        """Show as many ladders as ``cells`` have room for beside one more pane; return how many that are."""
        fitting = max(width // MIN_TILE_WIDTH - 1, 0)
        for place, pane in enumerate(self._panes):
            pane.display = place < fitting
        shown = min(fitting, len(self._panes))
        self.display = shown > 0
        # Each has as much as the pane beside them.
        self.styles.width = f"{shown}fr" if shown else 0
        return shown

    def redraw(self) -> None:
        """Draw all that are shown."""
        for pane in self.visible_panes:
            pane.redraw()

    def frame(self, dirty: StoreChanges) -> None:
        """Draw those that changed."""
        for pane in self.visible_panes:
            pane.frame(dirty)
