"""Reading the queue positions of resting orders: no stream carries them, so they are polled while any order rests."""

from typing import Final

from kalshi_tui.domain.order import OrderState
from kalshi_tui.kalshi.errors import KalshiError
from kalshi_tui.kalshi.rest import RestClient
from kalshi_tui.session.store import Store
from kalshi_tui.session.timing import Sleep

POLL_INTERVAL_S: Final = 3.0


class QueuePositionReader:
    """Keeps the store's queue positions fresh. `run` does the work."""

    def __init__(self, rest: RestClient, store: Store, sleep: Sleep) -> None:
        self._rest = rest
        self._store = store
        self._sleep = sleep

    async def run(self) -> None:
        """Read until canceled; a read that fails leaves no old position standing."""
        while True:
            tickers = sorted({o.ticker for o in self._store.working_orders() if o.state is OrderState.RESTING})
            try:
                self._store.account.set_queue_positions(await self._rest.queue_positions(tickers) if tickers else {})
            except KalshiError:
                self._store.account.set_queue_positions({})
            await self._sleep(POLL_INTERVAL_S)
