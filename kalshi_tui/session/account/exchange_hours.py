"""Whether the exchange trades: asked now and then, and at once when an answer says that it may not."""

import asyncio
from typing import Final

from kalshi_tui.domain.link import Hours
from kalshi_tui.kalshi.errors import KalshiError, ServerFault
from kalshi_tui.kalshi.rest import RestClient
from kalshi_tui.session.execution.submit import UNAVAILABLE
from kalshi_tui.session.notices import Weight
from kalshi_tui.session.store import Store
from kalshi_tui.session.timing import Sleep, sleep_unless

LOOK_EVERY_S: Final = 15.0
WORDS: Final = {
    Hours.OPEN: "The exchange trades again.",
    Hours.TRADING_PAUSED: "Trading is paused on the exchange: orders are refused, cancels are taken.",
    Hours.PAUSED: "The exchange is paused: neither orders nor cancels are taken.",
}


class Clerk:
    """Keeps the store's `Hours` true. `run` does the work."""

    def __init__(self, rest: RestClient, store: Store, sleep: Sleep) -> None:
        self._rest = rest
        self._store = store
        self._sleep = sleep
        self._hurry = asyncio.Event()

    def look_now(self) -> None:
        """Do not wait for the next look."""
        self._hurry.set()

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            self._hurry.clear()
            await self._look()
            await sleep_unless(self._sleep, LOOK_EVERY_S, self._hurry)

    async def _look(self) -> None:
        try:
            status = await self._rest.exchange_status()
        except ServerFault as error:
            # A 503 from this very call means that the exchange is down (docs/kalshi-api.md, section 8); other
            # failures tell nothing.
            if error.status == UNAVAILABLE:
                self._set(Hours.PAUSED)
            return
        except KalshiError:
            return
        if not status.exchange_active:
            self._set(Hours.PAUSED)
        else:
            self._set(Hours.OPEN if status.trading_active else Hours.TRADING_PAUSED)

    def _set(self, hours: Hours) -> None:
        if hours is not self._store.hours:
            self._store.set_hours(hours)
            self._store.notify(Weight.GOOD if hours is Hours.OPEN else Weight.WARNING, WORDS[hours])
