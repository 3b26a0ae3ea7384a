"""How the simulated markets end: price indexes and random draws, pure functions of the seed and the time.

Nothing is stored, so a world that was shut down finds on its next start what happened in between.
"""

import math
from typing import Final

from kalshi_tui.domain.price import PRICE_UNIT, Price
from kalshi_tui.practice.engine.market_outcome import MarketOutcome
from kalshi_tui.practice.engine.terms import MarketDefinition
from kalshi_tui.practice.simulation.templates import IndexTemplate, catalog_template

DRAW_UNIT: Final = 10_000
_MASK: Final = 0xFFFFFFFFFFFFFFFF
_PERIODS_MS: Final = tuple(20_000 * 3**power for power in range(12))
"""Periods of the index's waves in ms, 20 s to 41 days; the amplitude grows with the square root of the period."""


def _splitmix64(value: int) -> int:
    """Return 64 bits scrambled by the finalizer of splitmix64."""
    value = (value + 0x9E3779B97F4A7C15) & _MASK
    value = ((value ^ value >> 30) * 0xBF58476D1CE4E5B9) & _MASK
    value = ((value ^ value >> 27) * 0x94D049BB133111EB) & _MASK
    return value ^ value >> 31


def stable_hash(seed: int, text: str) -> int:
    """Return 64 bits that depend on a seed and a text alone; the builtin `hash` differs from run to run."""
    value = _splitmix64(seed & _MASK)
    for byte in text.encode():
        value = _splitmix64(value ^ byte)
    return value


class PriceIndex:
    """A price index that moves like a market's and can be computed for any moment, past or future.

    ``sigma`` is its usual relative move in 15 minutes, ``strike_step`` the round figure in dollars that strikes stand
    around. Prices are integers of 1/100 dollar: a reading, not money.
    """

    def __init__(self, seed: int, template: IndexTemplate) -> None:
        self.name = template.name
        self.sigma = template.sigma
        self.strike_step = template.strike_step
        self._base_cents = template.base_cents
        self._salt = stable_hash(seed, f"index:{self.name}")
        self._amplitudes = [self.sigma * math.sqrt(period / 900_000) for period in _PERIODS_MS]

    def at(self, ms: int) -> int:
        """Return the index at a Unix ms, in 1/100 dollar."""
        return round(self._base_cents * math.exp(noise(self._salt, self._amplitudes, ms)))


def noise_amplitudes(move_per_minute: float, max_period_ms: int) -> list[float]:
    """Return the amplitudes of the waves of `noise`, up to a period in ms, for a usual move per minute."""
    return [move_per_minute * math.sqrt(period / 60_000) for period in _PERIODS_MS if period <= max_period_ms]


def noise(salt: int, amplitudes: list[float], ms: int) -> float:
    """Return smooth noise at a Unix ms: a sum of ever longer waves with these amplitudes."""
    total = 0.0
    for number, amplitude in enumerate(amplitudes):
        period = _PERIODS_MS[number]
        point, rest = divmod(ms, period)
        before = _lattice_value(salt, number, point)
        fraction = rest / period
        fraction = fraction * fraction * (3 - 2 * fraction)  # smoothstep: no kink where two waves meet
        total += amplitude * (before + (_lattice_value(salt, number, point + 1) - before) * fraction)
    return total


def _lattice_value(salt: int, octave: int, point: int) -> float:
    """Return a fixed random number from -1 to 1 for a point in time."""
    return _splitmix64(salt ^ (octave << 56) ^ (point & 0xFFFFFFFFFFFF)) / (_MASK / 2) - 1


class Outcomes:
    """Decides how every simulated market ends. Callable as an `OutcomeSource`."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.indexes = {template.name: PriceIndex(seed, template) for template in catalog_template().indexes}

    def draw(self, event_ticker: str) -> int:
        """Return an event's draw, 0 to 9,999, which decides all of its markets together."""
        return stable_hash(self.seed, f"draw:{event_ticker}") % DRAW_UNIT

    def __call__(self, market: MarketDefinition, now_ms: int) -> MarketOutcome | None:
        """Return a market's outcome once it is due, None before."""
        if now_ms < market.close_ms or now_ms < min(market.expected_expiration_ms, market.latest_expiration_ms):
            return None
        flow = market.flow
        index = self.indexes.get(flow.index)
        if index is not None:
            return _by_strikes(market, index.at(market.close_ms))
        draw = self.draw(market.event_ticker)
        if market.market_type == "scalar":
            return MarketOutcome("scalar", draw * PRICE_UNIT // DRAW_UNIT, f"{draw / 100:.2f}")
        won = flow.wins_from <= draw < flow.wins_to
        return _yes_no(won, "Yes" if won else "No")


def _by_strikes(market: MarketDefinition, cents: int) -> MarketOutcome:
    floor, cap = market.floor_strike, market.cap_strike
    won = (floor is None or cents >= floor * 100) and (cap is None or cents < cap * 100)
    return _yes_no(won, f"{cents / 100:.2f}")


def _yes_no(won: bool, expiration_value: str) -> MarketOutcome:
    value: Price = PRICE_UNIT if won else 0
    return MarketOutcome("yes" if won else "no", value, expiration_value)
