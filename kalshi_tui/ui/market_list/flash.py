"""Prices that have just changed: which way, and for how long that is shown."""

from collections.abc import Callable, Iterable, Mapping
from typing import Final

from kalshi_tui.domain.price import Price

FLASH_MS: Final = 700

Seen = Mapping[str, Price | None]
"""The prices of one market by column."""


class Flashes:
    """Compares what stands in the lines that can be seen with what stood there before."""

    def __init__(self, timer_ms: Callable[[], int], *, plain: bool = False) -> None:
        self._timer_ms = timer_ms
        self._up, self._down = ("^", "v") if plain else ("▲", "▼")
        self._seen: dict[str, Seen] = {}
        self._lit: dict[str, dict[str, tuple[str, int]]] = {}

    def watch(self, tickers: Iterable[str], read: Callable[[str], Seen]) -> None:
        """Take these as the lines that can be seen: what comes into sight has not changed by that."""
        self._seen = {each: self._seen[each] if each in self._seen else read(each) for each in tickers}

    def changed(self, ticker: str, now: Seen) -> None:
        """Compare one market's prices with those before."""
        before = self._seen.get(ticker)
        if before is None:
            return
        self._seen[ticker] = now
        until = self._timer_ms() + FLASH_MS
        for name, price in now.items():
            old = before.get(name)
            if old is not None and price is not None and old != price:
                self._lit.setdefault(ticker, {})[name] = (self._up if price > old else self._down, until)

    def signs(self, ticker: str) -> dict[str, str]:
        """Give the signs of a line, by column."""
        now = self._timer_ms()
        return {name: sign for name, (sign, until) in self._lit.get(ticker, {}).items() if until > now}

    def ended(self) -> list[str]:
        """Give the markets that have a sign less than before."""
        if not self._lit:
            return []
        now = self._timer_ms()
        over = [ticker for ticker, lit in self._lit.items() if any(until <= now for _, until in lit.values())]
        for ticker in over:
            lit = {name: each for name, each in self._lit[ticker].items() if each[1] > now}
            if lit:
                self._lit[ticker] = lit
            else:
                del self._lit[ticker]
        return over
