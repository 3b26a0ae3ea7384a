"""The dead-man's switch: cancel all orders when this desk ends, or after the link was lost for too long."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Final

from kalshi_tui.domain.link import LinkState
from kalshi_tui.domain.text import order_text
from kalshi_tui.kalshi.order_status import MAX_NAMED_ORDERS
from kalshi_tui.session.execution.cancel_all import CANCEL_ALL_TIMEOUT_S
from kalshi_tui.session.interface import CancelAllResult
from kalshi_tui.session.notices import Severity
from kalshi_tui.session.options import DeadManOptions
from kalshi_tui.session.store import Store
from kalshi_tui.session.timing import Sleep

QUIT_TIMEOUT_S: Final = 3.0
"""How long a quit cancels and asks what became of the orders. The desk has ended 5 seconds after it was asked to."""
RETRY_DELAY_S: Final = 5.0
SLEEP_DETECTION_S: Final = 5.0
"""Two checks that are further apart mean that this machine was asleep in between."""


class DeadManSwitch:
    """Watches the link and cancels all. ``timer_s`` must not jump, and must run on while the machine sleeps."""

    def __init__(
        self,
        options: DeadManOptions,
        store: Store,
        timer_s: Callable[[], float],
        cancel_all: Callable[[float], Awaitable[CancelAllResult]],
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
        """What came of canceling all at the end, for the trader who has left the screen."""
        self.may_leave_orders = False
        """Whether orders may rest although all were to be canceled at the end."""

    def check(self, age_ms: int | None) -> None:
        """Take how long ago the exchange last sent anything, by a clock that may have slept with the machine."""
        now, before = self._timer_s(), self._checked_at
        self._checked_at = now
        if age_ms is None or self._lost_at is not None:
            return
        if before is not None and now - before > SLEEP_DETECTION_S:
            # This machine was asleep, and so was the clock that the age is measured by: the last frame looks a moment
            # old though it came before the sleep. Believed, it would hide a loss of hours.
            return
        if before is None or age_ms / 1000 <= now - before:
            self._received_at = now - age_ms / 1000

    def handle_link(self, state: LinkState) -> None:
        """Note when the link goes, and cancel all when it comes back too late."""
        if state is not LinkState.LIVE:
            if self._lost_at is None:
                # Since the last word of the exchange, not since the loss was noticed: that may be half a minute later.
                self._lost_at = self._received_at if self._received_at is not None else self._timer_s()
            return
        lost_at, self._lost_at = self._lost_at, None
        limit = self._options.link_lost_s
        if limit is None or lost_at is None:
            return
        away = self._timer_s() - lost_at
        if away >= limit:
            sentence = f"The link was lost for {round(away)} s: your dead-man's switch cancels all orders."
            self._store.notify(Severity.WARNING, sentence)
            self._spawn(self._until_proved(), "dead-man's switch")

    async def _until_proved(self) -> None:
        """Cancel all until it is proved: an exchange that is paused now opens again later."""
        while not (await self._cancel_all(CANCEL_ALL_TIMEOUT_S)).proved:
            await self._sleep(RETRY_DELAY_S)

    async def quit(self, *, nothing_rests: bool) -> None:
        """Cancel all before the program ends, if it is set to and anything may rest."""
        if self._options.on_quit and not nothing_rests:
            try:
                async with asyncio.timeout(QUIT_TIMEOUT_S):
                    result = await self._cancel_all(QUIT_TIMEOUT_S)
            except TimeoutError:
                self._end_unproved()
            else:
                self.quit_message = result.sentence
                self.may_leave_orders = not result.proved and bool(result.still_resting or result.unknown)

    def _end_unproved(self) -> None:
        """Tell which orders may still rest: the exchange has not answered in time."""
        orders = self._store.working_orders()
        self.may_leave_orders = bool(orders)
        named = "; ".join(f"{order_text(order)} in {order.ticker}" for order in orders[:MAX_NAMED_ORDERS])
        more = f" and {len(orders) - MAX_NAMED_ORDERS} more" if len(orders) > MAX_NAMED_ORDERS else ""
        left = f"These may still rest: {named}{more}." if orders else "No order is known to rest."
        self.quit_message = f"All orders were to be canceled, and the exchange did not confirm it in time. {left}"
