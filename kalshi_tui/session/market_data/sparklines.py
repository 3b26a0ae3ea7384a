"""The last day of the markets whose lines are on the screen, hour by hour: many of them with one read."""

import asyncio
from collections.abc import Sequence
from typing import Final

from kalshi_tui.kalshi.errors import KalshiError
from kalshi_tui.kalshi.rest import RestClient
from kalshi_tui.session.store import Store
from kalshi_tui.session.timing import Sleep, sleep_unless

HOURS: Final = 24
FRESH_S: Final = 600.0
"""How long a day that was read is good enough; the line's last point is the newest price in any case."""
AT_ONCE: Final = 100
"""How many markets the exchange answers for in one read."""
KEPT: Final = 2_000
SETTLES_S: Final = 0.3
"""How long a look waits for the next one: a held key scrolls over many markets."""
RETRY_S: Final = 5.0
LONGEST_RETRY_S: Final = 120.0


class Pasts:
    """Keeps `Store.pasts` fresh for the markets looked at. `run` does the work."""

    def __init__(self, rest: RestClient, store: Store, sleep: Sleep) -> None:
        self._rest = rest
        self._store = store
        self._sleep = sleep
        self._wanted: tuple[str, ...] = ()
        self._read_ms: dict[str, int] = {}
        self._changed = asyncio.Event()

    def look_at(self, tickers: Sequence[str]) -> None:
        """Keep the pasts of these markets fresh, and of no others."""
        if tuple(tickers) != self._wanted:
            self._wanted = tuple(tickers)
            self._changed.set()

    async def run(self) -> None:
        """Read until cancelled."""
        wait = FRESH_S
        retry = RETRY_S
        while True:
            await sleep_unless(self._sleep, wait, self._changed)
            if self._changed.is_set():
                await self._sleep(SETTLES_S)
                self._changed.clear()
            try:
                await self._read()
            except KalshiError:
                # Without it the column is empty, and everything else as before: nothing for the log.
                wait, retry = retry, min(retry * 2, LONGEST_RETRY_S)
            else:
                wait, retry = FRESH_S, RETRY_S

    async def _read(self) -> None:
        now_ms = self._rest.clock.now_ms()
        due = [each for each in self._wanted if now_ms - self._read_ms.get(each, 0) >= FRESH_S * 1000]
        for start in range(0, len(due), AT_ONCE):
            some = due[start : start + AT_ONCE]
            until_s = now_ms // 1000
            found = await self._rest.candles_of(some, until_s - HOURS * 3600, until_s + 3600, minutes=60)
            for ticker in some:
                candles = found.get(ticker, ())
                self._store.set_past(ticker, [each.close for each in candles if each.close is not None])
                self._read_ms[ticker] = now_ms
        while len(self._read_ms) > KEPT:
            oldest = next(iter(self._read_ms))
            del self._read_ms[oldest]
            self._store.pasts.pop(oldest, None)
