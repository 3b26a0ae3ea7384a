"""Prices that have just changed: which way, and for how long that is shown."""

from collections.abc import Callable, Iterable, Mapping
from typing import Final

from kalshi_tui.domain.price import Price

FLASH_DURATION_MS: Final = 700

ColumnPrices = Mapping[str, Price | None]
"""The prices of one market by column."""


class PriceFlashes:
    """Compares what stands in the lines that can be seen with what stood there before."""

    def __init__(self, timer_ms: Callable[[], int], *, plain: bool = False) -> None:
        self._timer_ms = timer_ms
        self._up, self._down = ("^", "v") if plain else ("▲", "▼")
        self._last_prices: dict[str, ColumnPrices] = {}
        self._active_flashes: dict[str, dict[str, tuple[str, int]]] = {}

    def set_visible(self, tickers: Iterable[str], read: Callable[[str], ColumnPrices]) -> None:
        """Take these as the lines that can be seen: what comes into sight has not changed by that."""
        self._last_prices = {
            each: self._last_prices[each] if each in self._last_prices else read(each) for each in tickers
        }

    def update(self, ticker: str, prices: ColumnPrices) -> None:
        """Compare one market's prices with those before."""
        before = self._last_prices.get(ticker)
        if before is None:
            return
        self._last_prices[ticker] = prices
        until = self._timer_ms() + FLASH_DURATION_MS
        for name, price in prices.items():
            old = before.get(name)
            if old is not None and price is not None and old != price:
                self._active_flashes.setdefault(ticker, {})[name] = (self._up if price > old else self._down, until)

    def signs(self, ticker: str) -> dict[str, str]:
        """Return the signs of a line, by column."""
        now = self._timer_ms()
        return {name: sign for name, (sign, until) in self._active_flashes.get(ticker, {}).items() if until > now}

    def remove_expired(self) -> list[str]:
        """Return the markets that have a sign less than before."""
        if not self._active_flashes:
            return []
        now = self._timer_ms()
        over = [
            ticker for ticker, lit in self._active_flashes.items() if any(until <= now for _, until in lit.values())
        ]
        for ticker in over:
            lit = {name: each for name, each in self._active_flashes[ticker].items() if each[1] > now}
            if lit:
                self._active_flashes[ticker] = lit
            else:
                del self._active_flashes[ticker]
        return over
