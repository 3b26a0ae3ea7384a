"""Invented candles for markets that opened before the simulation started; they lead to its first prices."""

from random import Random

from kalshi_tui.domain.price import PRICE_UNIT, Price
from kalshi_tui.practice.engine.candles import MINUTE_MS, EngineCandle, Ohlc
from kalshi_tui.practice.engine.model import ListedMarket

_MINUTE_CANDLES = 240
_HOUR_CANDLES = 24 * 7


def backfill(listing: ListedMarket, last: Price, previous: Price, now: int, seed: int) -> list[EngineCandle]:
    """Return candles for the time before ``now``, oldest first: hours for a week, minutes for the last four hours.

    Prices walk back from the ``last`` price and pass near ``previous`` a day ago; the same for the same seed.
    """
    rng = Random(seed)  # noqa: S311  # repeatable on purpose
    size = listing.terms.flow.size * 100
    interest = listing.open_interest
    ends = [now // MINUTE_MS * MINUTE_MS - MINUTE_MS * ago for ago in range(_MINUTE_CANDLES)]
    hour = 60 * MINUTE_MS
    ends += [end for end in (now // hour * hour - hour * ago for ago in range(_HOUR_CANDLES)) if end < ends[-1]]
    candles: list[EngineCandle] = []
    price = last
    for end in ends:
        if end <= listing.open_ms:
            break
        if now - end >= 24 * hour > now - end - hour:
            price = previous
        step = listing.grid.up(price) - price or 10
        spread = max(step, 100)
        swing = rng.choice((-1, -1, 0, 0, 0, 0, 1, 1)) * spread
        before = min(PRICE_UNIT - 200, max(200, price - swing)) if 200 < price < PRICE_UNIT - 200 else price
        high, low = max(price, before), min(price, before)
        traded = rng.random() < 0.7
        volume = rng.randrange(1, 20) * size // 10 if traded else 0
        candles.append(
            EngineCandle(
                end,
                Ohlc(before, high, max(0, low - spread), price) if price > spread else Ohlc(0, 0, 0, 0),
                Ohlc(before + spread, high + spread, low, price + spread)
                if price + 2 * spread < PRICE_UNIT
                else Ohlc(PRICE_UNIT, PRICE_UNIT, PRICE_UNIT, PRICE_UNIT),
                Ohlc(before, high, low, price) if traded else None,
                previous_price=before,
                volume=volume,
                value=volume * price,
                open_interest=interest,
            )
        )
        interest = max(0, interest - volume // 8)
        price = before
    return candles[::-1]
