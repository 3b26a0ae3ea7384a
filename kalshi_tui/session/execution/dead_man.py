"""The dead-man's switch: nothing is to rest unwatched, once this desk is gone or has been out of touch for too long."""

from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any, Final

from kalshi_tui.domain.link import LinkState
from kalshi_tui.session.execution.cancel_all import WAITS_S
from kalshi_tui.session.interface import Sweep
from kalshi_tui.session.notices import Weight
from kalshi_tui.session.options import DeadMan
from kalshi_tui.session.store import Store
from kalshi_tui.session.timing import Sleep

QUIT_WAITS_S: Final = (0.2, 0.4, 0.8, 1.6, 2.0)
"""How long a quit waits for the proof that nothing rests."""
AGAIN_S: Final = 5.0
AWAKE_S: Final = 5.0
"""Between two looks this machine was asleep, if they are further apart."""


class Switch:
    """Watches the link, and has all cancelled. ``timer_s`` must not jump, and must run on while the machine sleeps."""

    def __init__(
        self,
        settings: DeadMan,
        store: Store,
        timer_s: Callable[[], float],
        sweep: Callable[[Sequence[float]], Awaitable[Sweep]],
        sleep: Sleep,
        spawn: Callable[[Coroutine[Any, Any, None], str], object],
    ) -> None:
        self._settings = settings
        self._store = store
        self._timer_s = timer_s
        self._sweep = sweep
        self._sleep = sleep
        self._spawn = spawn
        self._heard_at: float | None = None
        self._lost_at: float | None = None
        self._looked_at: float | None = None
        self.last_words = ""
        """What came of the sweep at the end, for the trader who has left the screen."""

    def look(self, age_ms: int | None) -> None:
        """Note how long ago the exchange was heard last, by a clock that may have slept with the machine."""
        now, before = self._timer_s(), self._looked_at
        self._looked_at = now
        if age_ms is None or self._lost_at is not None:
            return
        if before is not None and now - before > AWAKE_S:
            # This machine was asleep: nothing was heard meanwhile, whatever the age by its own clock.
            return
        if before is None or age_ms / 1000 <= now - before:
            self._heard_at = now - age_ms / 1000

    def link(self, state: LinkState) -> None:
        """Hear of the link: note when it goes, and act when it is back too late."""
        if state is not LinkState.LIVE:
            if self._lost_at is None:
                self._lost_at = self._heard_at if self._heard_at is not None else self._timer_s()
            return
        lost_at, self._lost_at = self._lost_at, None
        limit = self._settings.link_lost_s
        if limit is None or lost_at is None:
            return
        away = self._timer_s() - lost_at
        if away >= limit:
            sentence = f"The link was lost for {round(away)} s: your dead-man's switch cancels all orders."
            self._store.notify(Weight.WARNING, sentence)
            self._spawn(self._until_proved(), "dead-man's switch")

    async def _until_proved(self) -> None:
        """Cancel all until that is proved: an exchange that is paused now is open again later."""
        while not (await self._sweep(WAITS_S)).proved:
            await self._sleep(AGAIN_S)

    async def quit(self, *, nothing_rests: bool) -> None:
        """Cancel all before the program ends, if that is set, unless it is known that nothing rests."""
        if self._settings.on_quit and not nothing_rests:
            self.last_words = (await self._sweep(QUIT_WAITS_S)).sentence
