"""Reading the last day, hour by hour, of the markets on the screen: many of them with one request."""

import asyncio
from collections.abc import Sequence
from typing import Final

from kalshi_tui.kalshi.errors import KalshiError
from kalshi_tui.kalshi.rest import RestClient
from kalshi_tui.session.store import Store
from kalshi_tui.session.timing import Sleep, sleep_until_event

HISTORY_HOURS: Final = 24
REFRESH_INTERVAL_S: Final = 600.0
"""How long a day that was read is good enough; the line's last point is the newest price in any case."""
MARKETS_PER_REQUEST: Final = 100
"""How many markets the exchange answers for in one read."""
SPARKLINE_CAPACITY: Final = 2_000
SELECTION_DEBOUNCE_S: Final = 0.3
"""How long a selection waits for the next one: a held key scrolls over many markets."""
RETRY_DELAY_S: Final = 5.0
MAX_RETRY_DELAY_S: Final = 120.0


class SparklineReader:
    """Keeps the sparklines of the selected markets fresh. `run` does the work."""

    def __init__(self, rest: RestClient, store: Store, sleep: Sleep) -> None:
        self._rest = rest
        self._store = store
        self._sleep = sleep
        self._selected: tuple[str, ...] = ()
        self._read_ms: dict[str, int] = {}
        self._changed = asyncio.Event()

    def select_markets(self, tickers: Sequence[str]) -> None:
        """Keep the sparklines of these markets fresh, and of no others."""
        if tuple(tickers) != self._selected:
            self._selected = tuple(tickers)
            self._changed.set()

    async def run(self) -> None:
        """Read until canceled."""
        wait = REFRESH_INTERVAL_S
        retry = RETRY_DELAY_S
        while True:
            await sleep_until_event(self._sleep, wait, self._changed)
            if self._changed.is_set():
                await self._sleep(SELECTION_DEBOUNCE_S)
                self._changed.clear()
            try:
                await self._read()
            except KalshiError:
                # Without it the column is empty, and everything else as before: nothing for the log.
                wait, retry = retry, min(retry * 2, MAX_RETRY_DELAY_S)
            else:
                wait, retry = REFRESH_INTERVAL_S, RETRY_DELAY_S

    async def _read(self) -> None:
        now_ms = self._rest.clock.now_ms()
        due = [each for each in self._selected if now_ms - self._read_ms.get(each, 0) >= REFRESH_INTERVAL_S * 1000]
        for start in range(0, len(due), MARKETS_PER_REQUEST):
            some = due[start : start + MARKETS_PER_REQUEST]
            until_s = now_ms // 1000
            found = await self._rest.candles_by_ticker(some, until_s - HISTORY_HOURS * 3600, until_s + 3600, minutes=60)
            for ticker in some:
                candles = found.get(ticker, ())
                self._store.market_data.set_sparkline(
                    ticker, [each.close for each in candles if each.close is not None]
                )
                self._read_ms[ticker] = now_ms
        while len(self._read_ms) > SPARKLINE_CAPACITY:
            oldest = next(iter(self._read_ms))
            del self._read_ms[oldest]
            self._store.market_data.drop_sparkline(oldest)
