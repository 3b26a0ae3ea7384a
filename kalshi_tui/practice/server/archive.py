"""When an order leaves the live list for the archive (docs/kalshi-api.md, section 15)."""

from collections.abc import Callable
from typing import Final

ARCHIVED_AFTER_MS: Final = 14 * 86_400_000
"""Two weeks, as on the exchange."""


class ArchiveCutoff:
    """Orders that ended before the cut-off are in the archive and nowhere else."""

    def __init__(self, clock_ms: Callable[[], int]) -> None:
        self._clock_ms = clock_ms
        self.after_ms = ARCHIVED_AFTER_MS
        """How long after its end an order moves."""

    def cutoff_ms(self) -> int:
        """Return the end, Unix ms, before which an order is archived."""
        return self._clock_ms() - self.after_ms
