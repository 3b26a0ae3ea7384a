"""How the practice world's questions end: price indexes and draws, pure functions of the seed and the time.

Nothing is stored, so a world that was shut down finds on its next start what happened in between.
"""

import math
from typing import Final

from kalshi_tui.domain.price import PRICE_UNIT, Price
from kalshi_tui.practice.core import Outcome
from kalshi_tui.practice.simulation.templates import IndexTemplate, catalog_template
from kalshi_tui.practice.terms import Market

DRAW_UNIT: Final = 10_000
_MASK: Final = 0xFFFFFFFFFFFFFFFF
_OCTAVES: Final = tuple(20_000 * 3**power for power in range(12))
"""Periods of the index's waves in ms, 20 s to 41 days; each is as tall as the square root of its length."""


def _mixed(value: int) -> int:
    """Scramble 64 bits (the finalizer known as splitmix64)."""
    value = (value + 0x9E3779B97F4A7C15) & _MASK
    value = ((value ^ value >> 30) * 0xBF58476D1CE4E5B9) & _MASK
    value = ((value ^ value >> 27) * 0x94D049BB133111EB) & _MASK
    return value ^ value >> 31


def hashed(seed: int, text: str) -> int:
    """Give 64 bits that depend on a seed and a text alone; `hash` differs from run to run."""
    value = _mixed(seed & _MASK)
    for byte in text.encode():
        value = _mixed(value ^ byte)
    return value


class PriceIndex:
    """A price index that wanders like a market's, known at every moment, past or future.

    ``sigma`` is its usual relative move in 15 minutes, ``strike_step`` the round figure in dollars that strikes stand
    around. Prices are integers of 1/100 dollar: a reading, not money.
    """

    def __init__(self, seed: int, template: IndexTemplate) -> None:
        self.name = template.name
        self.sigma = template.sigma
        self.strike_step = template.strike_step
        self._base_cents = template.base_cents
        self._salt = hashed(seed, f"index:{self.name}")
        self._heights = [self.sigma * math.sqrt(period / 900_000) for period in _OCTAVES]

    def at(self, ms: int) -> int:
        """Give the index at a Unix ms, in 1/100 dollar."""
        return round(self._base_cents * math.exp(wander(self._salt, self._heights, ms)))


def wander_heights(per_minute: float, longest_ms: int) -> list[float]:
    """Give the heights of `wander`'s waves, up to a period, for a usual move per minute."""
    return [per_minute * math.sqrt(period / 60_000) for period in _OCTAVES if period <= longest_ms]


def wander(salt: int, heights: list[float], ms: int) -> float:
    """Give a number that wanders in time: waves of rising length and the given heights, known at every moment."""
    total = 0.0
    for number, height in enumerate(heights):
        period = _OCTAVES[number]
        place, rest = divmod(ms, period)
        left = _lattice(salt, number, place)
        part = rest / period
        part = part * part * (3 - 2 * part)
        total += height * (left + (_lattice(salt, number, place + 1) - left) * part)
    return total


def _lattice(salt: int, octave: int, place: int) -> float:
    """Give a fixed random number from -1 to 1 for a place on the time line."""
    return _mixed(salt ^ (octave << 56) ^ (place & 0xFFFFFFFFFFFF)) / (_MASK / 2) - 1


class Outcomes:
    """Knows how every market of the world ends. Callable as an `OutcomeSource`."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.indexes = {template.name: PriceIndex(seed, template) for template in catalog_template().indexes}

    def draw(self, event_ticker: str) -> int:
        """Give an event's draw, 0 to 9,999, which decides all of its markets together."""
        return hashed(self.seed, f"draw:{event_ticker}") % DRAW_UNIT

    def __call__(self, market: Market, now_ms: int) -> Outcome | None:
        """Give a market's outcome once its time has come, None before."""
        if now_ms < market.close_ms or now_ms < min(market.expected_expiration_ms, market.latest_expiration_ms):
            return None
        flow = market.flow
        index = self.indexes.get(flow.index)
        if index is not None:
            return _by_strikes(market, index.at(market.close_ms))
        draw = self.draw(market.event_ticker)
        if market.market_type == "scalar":
            return Outcome("scalar", draw * PRICE_UNIT // DRAW_UNIT, f"{draw / 100:.2f}")
        won = flow.wins_from <= draw < flow.wins_to
        return _yes_no(won, "Yes" if won else "No")


def _by_strikes(market: Market, cents: int) -> Outcome:
    floor, cap = market.floor_strike, market.cap_strike
    won = (floor is None or cents >= floor * 100) and (cap is None or cents < cap * 100)
    return _yes_no(won, f"{cents / 100:.2f}")


def _yes_no(won: bool, expiration_value: str) -> Outcome:
    value: Price = PRICE_UNIT if won else 0
    return Outcome("yes" if won else "no", value, expiration_value)
