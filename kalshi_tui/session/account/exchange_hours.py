"""Reading whether the exchange trades: now and then, and at once when an answer says that it may not."""

import asyncio
from typing import Final

from kalshi_tui.domain.link import TradingStatus
from kalshi_tui.kalshi.errors import KalshiError, ServerFault
from kalshi_tui.kalshi.rest import RestClient
from kalshi_tui.session.execution.submit import HTTP_UNAVAILABLE
from kalshi_tui.session.notices import Severity
from kalshi_tui.session.store import Store
from kalshi_tui.session.timing import Sleep, sleep_until_event

POLL_INTERVAL_S: Final = 15.0
HOURS_MESSAGES: Final = {
    TradingStatus.OPEN: "The exchange trades again.",
    TradingStatus.TRADING_PAUSED: "Trading is paused on the exchange: orders are refused, cancels are taken.",
    TradingStatus.PAUSED: "The exchange is paused: neither orders nor cancels are taken.",
}


class ExchangeHours:
    """Keeps the store's `TradingStatus` true. `run` does the work."""

    def __init__(self, rest: RestClient, store: Store, sleep: Sleep) -> None:
        self._rest = rest
        self._store = store
        self._sleep = sleep
        self._check_requested = asyncio.Event()

    def check_now(self) -> None:
        """Read the status now instead of at the next turn."""
        self._check_requested.set()

    async def run(self) -> None:
        """Read until canceled."""
        while True:
            self._check_requested.clear()
            await self._check()
            await sleep_until_event(self._sleep, POLL_INTERVAL_S, self._check_requested)

    async def _check(self) -> None:
        try:
            status = await self._rest.exchange_status()
        except ServerFault as error:
            # A 503 from this very call means that the exchange is down (docs/kalshi-api.md, section 8); other
            # failures tell nothing.
            if error.status == HTTP_UNAVAILABLE:
                self._set_hours(TradingStatus.PAUSED)
            return
        except KalshiError:
            return
        if not status.exchange_active:
            self._set_hours(TradingStatus.PAUSED)
        else:
            self._set_hours(TradingStatus.OPEN if status.trading_active else TradingStatus.TRADING_PAUSED)

    def _set_hours(self, hours: TradingStatus) -> None:
        if hours is not self._store.hours:
            self._store.set_hours(hours)
            self._store.notify(
                Severity.GOOD if hours is TradingStatus.OPEN else Severity.WARNING, HOURS_MESSAGES[hours]
            )
