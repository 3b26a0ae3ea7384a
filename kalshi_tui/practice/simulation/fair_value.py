"""Models of fair value: what the simulated participants think each market of an event is worth, over time.

Fair values are pure functions of the seed and the time, apart from the effect of news, which decays: after a restart
the world continues where it was. Probabilities are floats here, and only here: what the engine gets is an integer
price.
"""

import math
from collections.abc import Sequence
from statistics import NormalDist
from typing import Final, Protocol

from kalshi_tui.domain.price import PRICE_UNIT, Price
from kalshi_tui.practice.engine.terms import MarketDefinition
from kalshi_tui.practice.simulation.outcomes import (
    DRAW_UNIT,
    Outcomes,
    PriceIndex,
    noise,
    noise_amplitudes,
    stable_hash,
)

_NORMAL: Final = NormalDist()
_SQRT_HALF: Final = math.sqrt(0.5)
_CONVERGENCE_MS: Final = 3_600_000
"""How long before the close fair values start to converge to the drawn outcome."""
_MAX_WAVE_MS: Final = 5_000_000
"""The longest wave of a fair value: a move reverts within an hour and a half."""
_MIN_UPDATE_INTERVAL_MS: Final = 100
"""Fair values are not computed more often than this."""
_NEWS_DECAY_MS: Final = 900_000
"""The time in which the effect of news falls to 1/e."""
_UPDATES_AT_ONCE: Final = 3
"""How many markets of an exclusive event get a new value in one update."""


def _cdf(x: float) -> float:
    return 0.5 * (1.0 + math.erf(x * _SQRT_HALF))


def to_price(probability: float) -> Price:
    """Return a probability as a price from 0.0010 to 0.9990 dollar."""
    return min(PRICE_UNIT - 10, max(10, round(probability * PRICE_UNIT)))


class FairValueModel(Protocol):
    """The fair values of one event's markets, in the event's order."""

    fair_values: list[Price]

    def update(self, now: int) -> None:
        """Update the fair values to a time."""

    def apply_news(self, strength: float) -> None:
        """Move the fair values by a piece of news; ``strength`` is signed, in standard deviations."""


class ThresholdModel:
    """Single markets and ladders of thresholds that a draw decides: one latent number behind all of them.

    A market wins if the latent number ends above minus the score of its first fair value. Near the close the latent
    number converges to the value that the draw stands for, and the uncertainty narrows, for all thresholds at once.
    """

    def __init__(self, markets: Sequence[MarketDefinition], draw: int, salt: int) -> None:
        flow = markets[0].flow
        self.fair_values = [market.flow.fair for market in markets]
        self._scores = [_NORMAL.inv_cdf(market.flow.fair / PRICE_UNIT) for market in markets]
        score = _NORMAL.inv_cdf((draw + 0.5) / DRAW_UNIT)
        # A market of a ladder wins from some draw upwards, a single market from 0 up to some draw.
        self._end = -score if flow.wins_from == 0 else score
        self._scalar = draw / DRAW_UNIT if markets[0].market_type == "scalar" else None
        self._close_ms = markets[0].close_ms
        self._salt = salt
        self._amplitudes = noise_amplitudes(flow.volatility / 1_000, _MAX_WAVE_MS)
        self._news = 0.0
        self._updated_ms = 0

    def update(self, now: int) -> None:
        """Bring the fair values up to a time."""
        if now - self._updated_ms < _MIN_UPDATE_INTERVAL_MS:
            return
        self._news *= _news_decay(now - self._updated_ms)
        self._updated_ms = now
        latent = noise(self._salt, self._amplitudes, now) + self._news
        known = _known_share(self._close_ms, now)
        if self._scalar is not None:
            self.fair_values = [to_price((1 - known) * _cdf(self._scores[0] + latent) + known * self._scalar)]
            return
        mean = (1 - known) * latent + known * self._end
        deviation = max(0.05, 1 - known)
        self.fair_values = [to_price(_cdf((score + mean) / deviation)) for score in self._scores]

    def apply_news(self, strength: float) -> None:
        """Take in a piece of news."""
        self._news += 0.35 * strength
        self._updated_ms -= _MIN_UPDATE_INTERVAL_MS  # the next update must not be skipped


class ExclusiveModel:
    """An event in which exactly one market wins: the probabilities sum to 1."""

    def __init__(self, markets: Sequence[MarketDefinition], draw: int, salt: int) -> None:
        self.fair_values = [market.flow.fair for market in markets]
        self._first_logs = [math.log(market.flow.fair / PRICE_UNIT) for market in markets]
        self._winner = next((n for n, m in enumerate(markets) if m.flow.wins_from <= draw < m.flow.wins_to), -1)
        self._close_ms = markets[0].close_ms
        self._salt = salt
        self._amplitudes = noise_amplitudes(1.5 * markets[0].flow.volatility / 1_000, _MAX_WAVE_MS)
        self._moves = [0.0] * len(markets)
        self._news = [0.0] * len(markets)
        self._last_moved = 0
        self._updated_ms = 0

    def update(self, now: int) -> None:
        """Update the fair values to a time; after the first call, of a few markets at a time."""
        if now - self._updated_ms < _MIN_UPDATE_INTERVAL_MS:
            return
        decay = _news_decay(now - self._updated_ms)
        count = len(self._moves)
        moved = min(count, _UPDATES_AT_ONCE if self._updated_ms else count)
        self._updated_ms = now
        for _ in range(moved):
            self._last_moved = (self._last_moved + 1) % count
            self._moves[self._last_moved] = noise(self._salt + self._last_moved, self._amplitudes, now)
        known = _known_share(self._close_ms, now)
        weights = []
        for number, first in enumerate(self._first_logs):
            self._news[number] *= decay
            pull = known * 9.0 if number == self._winner else 0.0
            weights.append(math.exp(first + self._moves[number] + self._news[number] + pull))
        total = sum(weights)
        self.fair_values = [to_price(weight / total) for weight in weights]

    def apply_news(self, strength: float) -> None:
        """Move the fair value of the market that moved last by a piece of news."""
        self._news[self._last_moved] += 0.5 * strength
        self._updated_ms -= _MIN_UPDATE_INTERVAL_MS  # the next update must not be skipped


class IndexModel:
    """Markets that a price index decides: the fair value is the probability that it ends above the strike."""

    def __init__(self, markets: Sequence[MarketDefinition], index: PriceIndex) -> None:
        self.fair_values = [market.flow.fair for market in markets]
        self._strikes = [float(market.floor_strike or 0) * 100 for market in markets]
        self._index = index
        self._close_ms = markets[0].close_ms
        self._updated_ms = 0

    def update(self, now: int) -> None:
        """Bring the fair values up to a time."""
        if now - self._updated_ms < _MIN_UPDATE_INTERVAL_MS:
            return
        self._updated_ms = now
        level = self._index.at(now)
        periods_left = max(1_000, self._close_ms - now) / 900_000
        deviation = self._index.sigma * math.sqrt(periods_left)
        self.fair_values = [to_price(_cdf(math.log(level / strike) / deviation)) for strike in self._strikes]

    def apply_news(self, strength: float) -> None:
        """Do nothing: only the index moves these."""


def fair_value_model(
    event_ticker: str, markets: Sequence[MarketDefinition], outcomes: Outcomes, *, exclusive: bool
) -> FairValueModel:
    """Return the model that fits the markets of an event."""
    index = outcomes.indexes.get(markets[0].flow.index)
    if index is not None:
        return IndexModel(markets, index)
    draw = outcomes.draw(event_ticker)
    # The word "opinion" is part of every seed's world: with another one, all fair values would move differently.
    salt = stable_hash(outcomes.seed, f"opinion:{event_ticker}")
    if exclusive and len(markets) > 1:
        return ExclusiveModel(markets, draw, salt)
    return ThresholdModel(markets, draw, salt)


def _news_decay(past_ms: int) -> float:
    return math.exp(-min(past_ms, 10 * _NEWS_DECAY_MS) / _NEWS_DECAY_MS)


def _known_share(close_ms: int, now: int) -> float:
    """Return how much of the outcome is known at a time, from 0 to nearly 1."""
    left = close_ms - now
    if left >= _CONVERGENCE_MS:
        return 0.0
    share = 1 - max(0, left) / _CONVERGENCE_MS
    return min(0.98, share * share)
