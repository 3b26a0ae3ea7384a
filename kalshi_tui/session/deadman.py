"""The dead-man's switch: nothing is to rest unwatched, once this desk is gone or has been out of touch for too long."""

from collections.abc import Awaitable, Callable
from typing import Final

from kalshi_tui.domain.link import LinkState
from kalshi_tui.session.desk import Sweep
from kalshi_tui.session.options import DeadMan
from kalshi_tui.session.store import Store, Weight

QUIT_WAITS_S: Final = (0.2, 0.4, 0.8, 1.6, 2.0)
"""How long a quit waits for the proof that nothing rests."""


class Switch:
    """Watches the link; ``begin`` starts a cancel of all in the background. ``timer_s`` must never jump."""

    def __init__(
        self, settings: DeadMan, store: Store, timer_s: Callable[[], float], begin: Callable[[], object]
    ) -> None:
        self._settings = settings
        self._store = store
        self._timer_s = timer_s
        self._begin = begin
        self._lost_at: float | None = None

    def link(self, state: LinkState) -> None:
        """Hear of the link: note when it goes, and act when it is back too late."""
        if state is not LinkState.LIVE:
            if self._lost_at is None:
                self._lost_at = self._timer_s()
            return
        lost_at, self._lost_at = self._lost_at, None
        limit = self._settings.link_lost_s
        if limit is None or lost_at is None:
            return
        away = self._timer_s() - lost_at
        if away >= limit:
            sentence = f"The link was lost for {round(away)} s: your dead-man's switch cancels all orders."
            self._store.notify(Weight.WARNING, sentence)
            self._begin()

    async def quit(self, sweep: Callable[[], Awaitable[Sweep]]) -> None:
        """Cancel all before the program ends, if that is set and anything may rest."""
        if self._settings.on_quit and self._store.working():
            await sweep()
