"""One-minute candles of a market, kept as it trades; longer periods are made from them."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from kalshi_tui.domain.price import Count, Money, Price

MINUTE_MS = 60_000


@dataclass(slots=True)
class Ohlc:
    """Open, high, low, close of one price over a period, 1/10,000 dollar."""

    open: Price
    high: Price
    low: Price
    close: Price

    def update(self, price: Price) -> None:
        """Take one more price."""
        self.close = price
        if price > self.high:
            self.high = price
        elif price < self.low:
            self.low = price

    def merged(self, later: "Ohlc") -> "Ohlc":
        """Return both as one period."""
        return Ohlc(self.open, max(self.high, later.high), min(self.low, later.low), later.close)


@dataclass(slots=True)
class EngineCandle:
    """One period. ``end_ms`` is its inclusive end; ``price`` is None if nothing traded.

    A side without quotes counts as a bid of 0 or an ask of 1 dollar, as the ticker has it. ``value`` is the sum of
    price x count, from which the mean comes.
    """

    end_ms: int
    yes_bid: Ohlc
    yes_ask: Ohlc
    price: Ohlc | None = None
    previous_price: Price | None = None
    volume: Count = 0
    value: Money = 0
    open_interest: Count = 0

    def carry_forward(self, end_ms: int) -> "EngineCandle":
        """Return what holds at its end as a later candle, without new quotes or trades."""
        bid, ask = self.yes_bid.close, self.yes_ask.close
        last = self.previous_price if self.price is None else self.price.close
        return EngineCandle(
            end_ms, Ohlc(bid, bid, bid, bid), Ohlc(ask, ask, ask, ask), None, last, 0, 0, self.open_interest
        )

    @property
    def mean_price(self) -> Price | None:
        """The volume-weighted mean price, rounded down; None if nothing traded."""
        return self.value // self.volume if self.volume else None


class CandleStore:
    """The minutes in which something happened, oldest first; quiet minutes are left out and filled in on reading."""

    __slots__ = ("backfill", "candles", "max_candles")

    def __init__(self, max_candles: int = 20_000) -> None:
        self.candles: list[EngineCandle] = []
        self.max_candles = max_candles
        self.backfill: Callable[[], list[EngineCandle]] | None = None
        """Makes the candles from before the world began; called once, when somebody first asks."""

    def all_candles(self) -> list[EngineCandle]:
        """Return every candle, oldest first."""
        if self.backfill is not None:
            first = self.candles[0].end_ms if self.candles else None
            past = self.backfill()
            self.candles[:0] = [each for each in past if first is None or each.end_ms < first]
            self.backfill = None
        return self.candles

    def _candle_at(self, now: int, bid: Price, ask: Price, open_interest: Count) -> EngineCandle:
        end = (now // MINUTE_MS + 1) * MINUTE_MS
        candles = self.candles
        if candles and candles[-1].end_ms >= end:
            return candles[-1]
        if candles:
            last = candles[-1]
            bid, ask = last.yes_bid.close, last.yes_ask.close
            previous = last.price.close if last.price else last.previous_price
        else:
            previous = None
        fresh = EngineCandle(
            end,
            Ohlc(bid, bid, bid, bid),
            Ohlc(ask, ask, ask, ask),
            previous_price=previous,
            open_interest=open_interest,
        )
        candles.append(fresh)
        if len(candles) > self.max_candles:
            del candles[: self.max_candles // 4]
        return fresh

    def add_quote(self, now: int, bid: Price, ask: Price, open_interest: Count) -> None:
        """Take a change of the top of the book."""
        candle = self._candle_at(now, bid, ask, open_interest)
        candle.yes_bid.update(bid)
        candle.yes_ask.update(ask)

    def add_trade(self, now: int, price: Price, count: Count, bid: Price, ask: Price, open_interest: Count) -> None:
        """Take a trade."""
        candle = self._candle_at(now, bid, ask, open_interest)
        if candle.price is None:
            candle.price = Ohlc(price, price, price, price)
        else:
            candle.price.update(price)
        candle.volume += count
        candle.value += price * count
        candle.open_interest = open_interest


def merge_candles(minutes: Iterable[EngineCandle], period_ms: int) -> list[EngineCandle]:
    """Make longer candles of shorter ones, given oldest first; a period without any is left out."""
    merged: list[EngineCandle] = []
    for minute in minutes:
        end = -(-minute.end_ms // period_ms) * period_ms
        if not merged or merged[-1].end_ms != end:
            merged.append(
                EngineCandle(
                    end,
                    minute.yes_bid,
                    minute.yes_ask,
                    minute.price,
                    minute.previous_price,
                    minute.volume,
                    minute.value,
                    minute.open_interest,
                )
            )
            continue
        into = merged[-1]
        into.yes_bid = into.yes_bid.merged(minute.yes_bid)
        into.yes_ask = into.yes_ask.merged(minute.yes_ask)
        if minute.price is not None:
            into.price = minute.price if into.price is None else into.price.merged(minute.price)
        into.volume += minute.volume
        into.value += minute.value
        into.open_interest = minute.open_interest
    return merged
