"""Candles and settlements for a desk without an exchange."""

from dataclasses import replace

from kalshi_tui.domain.candles import Candle, Settlement
from tests.support.fake_desk import (
    NOW_MS,
    TITLES,
)

FIRST, SECOND = TITLES[0][0], TITLES[1][0]
HOUR = 3_600_000
STEPS = (100, 0, 200, -100, -100, 0, 100, -300, 100, 200, 100, -200)


def a_walk(length: int = 230, minutes: int = 60) -> list[Candle]:
    """A market's way down and up; in every seventh period nothing trades, every thirtieth is left out."""
    period, price = minutes * 60_000, 6_000
    made: list[Candle] = []
    newest = (NOW_MS // period + 1) * period
    for place in range(length):
        before = price
        price += STEPS[place * 5 % 12]
        if place % 9 == 0:
            price += 200 if place > length // 2 else -200
        end = newest - (length - 1 - place) * period
        if place % 7 == 3:
            made.append(Candle(end, None, None, None, None, price - 100, price + 100, 0, 0))
        elif place % 30 != 17:
            high, low = max(before, price) + place % 3 * 100, min(before, price) - place % 2 * 100
            volume = (place * 7_919) % 50_000 + 100
            made.append(Candle(end, before, high, low, price, price - 100, price + 100, volume, 0))
    return made


def a_settlement(ticker: str = FIRST, **changes: object) -> Settlement:
    paid = Settlement(ticker, "E", "yes", 1_000, 0, 4_700_000, 0, 10_000_000, 17_500, 10_000, NOW_MS - HOUR, realized=0)
    return replace(paid, **changes)  # type: ignore[arg-type]  # named fields of one dataclass
