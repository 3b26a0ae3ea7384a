"""Reading the queue positions of resting orders: no stream carries them, so they are polled while any order rests."""

from typing import Final

from kalshi_tui.domain.order import OrderState
from kalshi_tui.domain.price import Count
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
            resting = [order for order in self._store.working_orders() if order.state is OrderState.RESTING]
            positions: dict[str, Count] = {}
            try:
                # The exchange answers for one subaccount at a time (docs/kalshi-api.md, section 13).
                for number in sorted({order.subaccount for order in resting}):
                    tickers = sorted({order.ticker for order in resting if order.subaccount == number})
                    asked = self._store.account.view.request_number(number)
                    positions |= await self._rest.queue_positions(tickers, subaccount=asked)
                self._store.account.set_queue_positions(positions)
            except KalshiError:
                self._store.account.set_queue_positions({})
            await self._sleep(POLL_INTERVAL_S)
