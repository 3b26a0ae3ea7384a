"""The dead-man's switch: nothing is to rest unwatched, once this desk is gone or has been out of touch for too long."""

from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any, Final

from kalshi_tui.domain.link import LinkState
from kalshi_tui.session.execution.cancel_all import PROOF_DELAYS_S
from kalshi_tui.session.interface import CancelAllResult
from kalshi_tui.session.notices import Weight
from kalshi_tui.session.options import DeadManOptions
from kalshi_tui.session.store import Store
from kalshi_tui.session.timing import Sleep

QUIT_PROOF_DELAYS_S: Final = (0.2, 0.4, 0.8, 1.6, 2.0)
"""How long a quit waits for the proof that nothing rests."""
RETRY_DELAY_S: Final = 5.0
SLEEP_DETECTION_S: Final = 5.0
"""Between two looks this machine was asleep, if they are further apart."""


class DeadManSwitch:
    """Watches the link, and has all canceled. ``timer_s`` must not jump, and must run on while the machine sleeps."""

    def __init__(
        self,
        options: DeadManOptions,
        store: Store,
        timer_s: Callable[[], float],
        cancel_all: Callable[[Sequence[float]], Awaitable[CancelAllResult]],
        sleep: Sleep,
        spawn: Callable[[Coroutine[Any, Any, None], str], object],
    ) -> None:
        self._options = options
        self._store = store
        self._timer_s = timer_s
        self._cancel_all = cancel_all
        self._sleep = sleep
        self._spawn = spawn
        self._received_at: float | None = None
        self._lost_at: float | None = None
        self._checked_at: float | None = None
        self.quit_message = ""
        """What came of the sweep at the end, for the trader who has left the screen."""

    def check(self, age_ms: int | None) -> None:
        """Note how long ago the exchange was heard last, by a clock that may have slept with the machine."""
        now, before = self._timer_s(), self._checked_at
        self._checked_at = now
        if age_ms is None or self._lost_at is not None:
            return
        if before is not None and now - before > SLEEP_DETECTION_S:
            # This machine was asleep: nothing was heard meanwhile, whatever the age by its own clock.
            return
        if before is None or age_ms / 1000 <= now - before:
            self._received_at = now - age_ms / 1000

    def handle_link(self, state: LinkState) -> None:
        """Hear of the link: note when it goes, and act when it is back too late."""
        if state is not LinkState.LIVE:
            if self._lost_at is None:
                self._lost_at = self._received_at if self._received_at is not None else self._timer_s()
            return
        lost_at, self._lost_at = self._lost_at, None
        limit = self._options.link_lost_s
        if limit is None or lost_at is None:
            return
        away = self._timer_s() - lost_at
        if away >= limit:
            sentence = f"The link was lost for {round(away)} s: your dead-man's switch cancels all orders."
            self._store.notify(Weight.WARNING, sentence)
            self._spawn(self._until_proved(), "dead-man's switch")

    async def _until_proved(self) -> None:
        """Cancel all until that is proved: an exchange that is paused now is open again later."""
        while not (await self._cancel_all(PROOF_DELAYS_S)).proved:
            await self._sleep(RETRY_DELAY_S)

    async def quit(self, *, nothing_rests: bool) -> None:
        """Cancel all before the program ends, if that is set, unless it is known that nothing rests."""
        if self._options.on_quit and not nothing_rests:
            self.quit_message = (await self._cancel_all(QUIT_PROOF_DELAYS_S)).sentence
