"""Reporting items of the exchange's replies that cannot be read: each once, many in one sentence."""

from collections.abc import Callable, Coroutine
from typing import Any, Final

from kalshi_tui.kalshi.lists import LeftOut, left_out_sentence
from kalshi_tui.session.notices import Severity
from kalshi_tui.session.store import Store
from kalshi_tui.session.timing import Sleep

COLLECT_S: Final = 1.0
"""How long further items are awaited before all are reported: a list is read page by page."""
MAX_REMEMBERED: Final = 100_000


class LeftOutNotices:
    """Collects items that were left out of lists, and writes them into the desk's log."""

    def __init__(self, store: Store, sleep: Sleep, spawn: Callable[[Coroutine[Any, Any, Any], str], object]) -> None:
        self._store = store
        self._sleep = sleep
        self._spawn = spawn
        self._known: set[tuple[str, str]] = set()
        self._waiting: list[LeftOut] = []

    def tell(self, item: LeftOut) -> None:
        """Report that an item was left out, unless it has been reported."""
        key = (item.what, item.name)
        if key in self._known or len(self._known) >= MAX_REMEMBERED:
            # Lists are read again and again.
            return
        self._known.add(key)
        self._waiting.append(item)
        if len(self._waiting) == 1:
            self._spawn(self._say(), "what was left out")

    async def _say(self) -> None:
        await self._sleep(COLLECT_S)
        items, self._waiting = self._waiting, []
        self._store.notify(Severity.WARNING, left_out_sentence(items))
