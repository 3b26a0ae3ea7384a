"""Reading the candles of the chart on the screen, and again when a period ends; the stream continues them."""

import asyncio
from typing import Final

from kalshi_tui.domain.candles import CANDLE_PERIODS_MINUTES, CandleSeries
from kalshi_tui.kalshi.errors import KalshiError
from kalshi_tui.kalshi.rest import RestClient
from kalshi_tui.session.store import Store
from kalshi_tui.session.supervisor import DEFECT_TEXT
from kalshi_tui.session.timing import Sleep, sleep_until_event

CANDLES_PER_READ: Final = 500
"""How many periods are read of a chart that is new."""
PERIODS_REREAD: Final = 2
"""How many periods before the last read are read once more: their candles may not have been whole."""
SELECTION_DEBOUNCE_S: Final = 0.15
"""How long a selection waits for the next one: a held key runs over many markets."""
CANDLE_DELAY_S: Final = 2.0
"""How long after the end of a period the exchange has its candle."""
MAX_READ_INTERVAL_S: Final = 600.0
RETRY_DELAY_S: Final = 3.0
MAX_RETRY_DELAY_S: Final = 60.0


class CandleReader:
    """Keeps the selected chart fresh. `run` does the work."""

    def __init__(self, rest: RestClient, store: Store, sleep: Sleep) -> None:
        self._rest = rest
        self._store = store
        self._sleep = sleep
        self._selected: tuple[str, int] = ("", 0)
        self._changed = asyncio.Event()
        self._retry_s = RETRY_DELAY_S

    def select_chart(self, ticker: str, minutes: int) -> None:
        """Keep this chart fresh, and no other; none at all without a ticker. Raises ValueError for another period."""
        if ticker and minutes not in CANDLE_PERIODS_MINUTES:
            raise ValueError(f"the exchange keeps no candles of {minutes} minutes")
        if (ticker, minutes) != self._selected:
            self._selected = ticker, minutes
            self._changed.set()

    def request_read(self) -> None:
        """Read again: trades may have been lost."""
        self._changed.set()

    async def run(self) -> None:
        """Read until canceled."""
        while True:
            if not self._selected[0]:
                await self._changed.wait()
            if self._changed.is_set():
                await self._sleep(SELECTION_DEBOUNCE_S)
                self._changed.clear()
                self._retry_s = RETRY_DELAY_S
            ticker, minutes = self._selected
            if ticker:
                await sleep_until_event(self._sleep, await self._read(ticker, minutes), self._changed)

    async def _read(self, ticker: str, minutes: int) -> float:
        """Read what is new of a chart; return for how many seconds it is good."""
        chart = self._store.charts.get((ticker, minutes)) or CandleSeries(minutes)
        market = self._store.markets.get(ticker)
        series = (market.series_ticker if market is not None else "") or ticker.partition("-")[0]
        as_of_ms = self._rest.clock.now_ms()
        if chart.as_of_ms:
            since_ms = chart.as_of_ms - PERIODS_REREAD * chart.period_ms
        else:
            since_ms = as_of_ms - CANDLES_PER_READ * chart.period_ms
        # The candle under way ends after now.
        since_s, until_s = since_ms // 1000, (as_of_ms + chart.period_ms) // 1000
        try:
            candles = await self._rest.candles(series, ticker, since_s, until_s, minutes=minutes)
        except Exception as error:
            if not isinstance(error, KalshiError):
                self._store.market_data.set_chart_error(ticker, minutes, f"The chart could not be read: {DEFECT_TEXT}")
                raise
            self._store.market_data.set_chart_error(
                ticker, minutes, f"The chart could not be read; it is tried again. {error}"
            )
            wait, self._retry_s = self._retry_s, min(self._retry_s * 2, MAX_RETRY_DELAY_S)
            return wait
        self._retry_s = RETRY_DELAY_S
        self._store.market_data.set_chart(ticker, minutes, candles, since_s * 1000, as_of_ms)
        fresh = self._store.charts[ticker, minutes]
        wait = (
            fresh.current_period_end_ms(self._rest.clock.now_ms()) - self._rest.clock.now_ms()
        ) / 1000 + CANDLE_DELAY_S
        return min(wait, MAX_READ_INTERVAL_S)
