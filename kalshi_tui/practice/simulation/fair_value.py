"""What the simulated participants believe: a fair price for each market, moving in time, coherent within an event.

Beliefs are pure functions of the seed and the time, apart from the news, which fades: after a restart the world goes on
where it was. Floats live here and not in the engine: a belief is not money. What leaves is an integer price.
"""

import math
from collections.abc import Sequence
from statistics import NormalDist
from typing import Final, Protocol

from kalshi_tui.domain.price import PRICE_UNIT, Price
from kalshi_tui.practice.simulation.outcomes import DRAW_UNIT, PriceIndex, wander, wander_heights
from kalshi_tui.practice.terms import Market

_NORMAL: Final = NormalDist()
_ROOT_HALF: Final = math.sqrt(0.5)
_LEARN_MS: Final = 3_600_000
"""How long before the close the participants begin to learn how a drawn question will end."""
_LONGEST_MS: Final = 5_000_000
"""The longest wave of a belief: beyond an hour and a half it comes back."""
_HOLD_MS: Final = 100
"""A belief is not reckoned anew more often than this."""
_FADE_MS: Final = 900_000
"""The time in which a piece of news loses most of its force."""
_TURNS: Final = 3
"""How many markets of an exclusive event are thought about at a time."""


def _cdf(x: float) -> float:
    return 0.5 * (1.0 + math.erf(x * _ROOT_HALF))


def to_price(share: float) -> Price:
    """Give a probability as a price from 0.0010 to 0.9990 dollar."""
    return min(PRICE_UNIT - 10, max(10, round(share * PRICE_UNIT)))


class Opinion(Protocol):
    """The beliefs about one event's markets, in the event's order."""

    fairs: list[Price]

    def move(self, now: int) -> None:
        """Bring the beliefs up to a time."""

    def shock(self, strength: float) -> None:
        """Take a piece of news; ``strength`` is signed, in standard deviations."""


class Drawn:
    """Beliefs about singles and ladders that a draw decides: one latent number behind all thresholds.

    A market wins when the latent, at the end, lies above minus the score of its first fair price. Near the close the
    latent is drawn to where the draw puts it, and the doubt narrows, for all thresholds at once.
    """

    def __init__(self, markets: Sequence[Market], draw: int, salt: int) -> None:
        flow = markets[0].flow
        self.fairs = [market.flow.fair for market in markets]
        self._scores = [_NORMAL.inv_cdf(market.flow.fair / PRICE_UNIT) for market in markets]
        score = _NORMAL.inv_cdf((draw + 0.5) / DRAW_UNIT)
        # A ladder's market wins from some draw upwards, a single's from 0 up to some draw.
        self._end = -score if flow.wins_from == 0 else score
        self._scalar = draw / DRAW_UNIT if markets[0].market_type == "scalar" else None
        self._close_ms = markets[0].close_ms
        self._salt = salt
        self._heights = wander_heights(flow.volatility / 1_000, _LONGEST_MS)
        self._news = 0.0
        self._at = 0

    def move(self, now: int) -> None:
        """Bring the beliefs up to a time."""
        if now - self._at < _HOLD_MS:
            return
        self._news *= _faded(now - self._at)
        self._at = now
        latent = wander(self._salt, self._heights, now) + self._news
        known = _known(self._close_ms, now)
        if self._scalar is not None:
            self.fairs = [to_price((1 - known) * _cdf(self._scores[0] + latent) + known * self._scalar)]
            return
        middle = (1 - known) * latent + known * self._end
        width = max(0.05, 1 - known)
        self.fairs = [to_price(_cdf((score + middle) / width)) for score in self._scores]

    def shock(self, strength: float) -> None:
        """Take a piece of news."""
        self._news += 0.35 * strength
        self._at -= _HOLD_MS


class Exclusive:
    """Beliefs about an event of which one market wins: shares that sum to 1."""

    def __init__(self, markets: Sequence[Market], draw: int, salt: int) -> None:
        self.fairs = [market.flow.fair for market in markets]
        self._start = [math.log(market.flow.fair / PRICE_UNIT) for market in markets]
        self._winner = next((n for n, m in enumerate(markets) if m.flow.wins_from <= draw < m.flow.wins_to), -1)
        self._close_ms = markets[0].close_ms
        self._salt = salt
        self._heights = wander_heights(1.5 * markets[0].flow.volatility / 1_000, _LONGEST_MS)
        self._moves = [0.0] * len(markets)
        self._news = [0.0] * len(markets)
        self._turn = 0
        self._at = 0

    def move(self, now: int) -> None:
        """Bring the beliefs up to a time; after the first call, a few markets at a time."""
        if now - self._at < _HOLD_MS:
            return
        fade = _faded(now - self._at)
        count = len(self._moves)
        turns = min(count, _TURNS if self._at else count)
        self._at = now
        for _ in range(turns):
            self._turn = (self._turn + 1) % count
            self._moves[self._turn] = wander(self._salt + self._turn, self._heights, now)
        known = _known(self._close_ms, now)
        weights = []
        for number, start in enumerate(self._start):
            self._news[number] *= fade
            pull = known * 9.0 if number == self._winner else 0.0
            weights.append(math.exp(start + self._moves[number] + self._news[number] + pull))
        total = sum(weights)
        self.fairs = [to_price(weight / total) for weight in weights]

    def shock(self, strength: float) -> None:
        """Take a piece of news: it strikes one market after the other."""
        self._news[self._turn] += 0.5 * strength
        self._at -= _HOLD_MS


class ByIndex:
    """Beliefs about markets that a price index decides: the chance that it ends above the strike."""

    def __init__(self, markets: Sequence[Market], index: PriceIndex) -> None:
        self.fairs = [market.flow.fair for market in markets]
        self._strikes = [float(market.floor_strike or 0) * 100 for market in markets]
        self._index = index
        self._close_ms = markets[0].close_ms
        self._at = 0

    def move(self, now: int) -> None:
        """Bring the beliefs up to a time."""
        if now - self._at < _HOLD_MS:
            return
        self._at = now
        level = self._index.at(now)
        left = max(1_000, self._close_ms - now) / 900_000
        width = self._index.sigma * math.sqrt(left)
        self.fairs = [to_price(_cdf(math.log(level / strike) / width)) for strike in self._strikes]

    def shock(self, strength: float) -> None:
        """Do nothing: only the index moves these."""


def _faded(past_ms: int) -> float:
    return math.exp(-min(past_ms, 10 * _FADE_MS) / _FADE_MS)


def _known(close_ms: int, now: int) -> float:
    """Give how much of the truth is out, 0 to nearly 1, at a time."""
    left = close_ms - now
    if left >= _LEARN_MS:
        return 0.0
    share = 1 - max(0, left) / _LEARN_MS
    return min(0.98, share * share)
