"""A market's history: candles continued by its trades, and what settled markets paid. Pure values."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from kalshi_tui.domain.market import Trade
from kalshi_tui.domain.price import MONEY_UNIT, PRICE_UNIT, Count, Money, Price

CENT: Final = MONEY_UNIT // 100
MINUTE_MS: Final = 60_000
CANDLE_PERIODS_MINUTES: Final = (1, 60, 1440)
"""The lengths of candles that the exchange keeps, in minutes."""
MAX_CANDLES: Final = 1_000
"""Of one market and period; the oldest are forgotten first."""


@dataclass(frozen=True, slots=True)
class Candle:
    """One period of a market's history, ending at ``end_ms``. The traded prices are None where nothing traded."""

    end_ms: int
    open: Price | None
    high: Price | None
    low: Price | None
    close: Price | None
    yes_bid_close: Price | None
    yes_ask_close: Price | None
    volume: Count
    open_interest: Count

    def traded(self, price: Price, count: Count) -> "Candle":
        """Return the same after one more trade."""
        return replace(
            self,
            open=price if self.open is None else self.open,
            high=price if self.high is None else max(self.high, price),
            low=price if self.low is None else min(self.low, price),
            close=price,
            volume=self.volume + count,
        )


@dataclass(frozen=True, slots=True)
class CandleSeries:
    """One market's candles of one period, oldest first, as read and as continued since.

    ``as_of_ms`` is the exchange's time at which they were read, 0 before the first read; ``why`` says in a sentence
    why they cannot be read, and is empty if they can.
    """

    minutes: int
    candles: tuple[Candle, ...] = ()
    as_of_ms: int = 0
    why: str = ""

    @property
    def period_ms(self) -> int:
        """How long one candle lasts."""
        return self.minutes * MINUTE_MS

    def merge(
        self, candles: Sequence[Candle], since_ms: int, as_of_ms: int, later_trades: Iterable[Trade] = ()
    ) -> "CandleSeries":
        """Return the chart after a read of all candles that end at ``since_ms`` or later.

        ``later_trades`` go oldest first; those after ``as_of_ms`` are not in what was read, and are added to it.
        """
        kept = (each for each in self.candles if each.end_ms < since_ms)
        by_end = {each.end_ms: each for each in (*kept, *candles)}
        joined = tuple(by_end[end_ms] for end_ms in sorted(by_end))[-MAX_CANDLES:]
        chart = CandleSeries(self.minutes, joined, as_of_ms)
        for trade in later_trades:
            chart = chart.with_trade(trade)
        return chart

    def with_trade(self, trade: Trade) -> "CandleSeries":
        """Return the chart after one more trade.

        Itself if the read has it already, or a former candle would have it.
        """
        if trade.ts_ms <= self.as_of_ms or not self.as_of_ms:
            return self
        if not self.candles:
            end_ms = (trade.ts_ms // self.period_ms + 1) * self.period_ms
            fresh = Candle(end_ms, None, None, None, None, None, None, 0, 0)
            return replace(self, candles=(fresh.traded(trade.yes_price, trade.count),))
        newest = self.candles[-1]
        if trade.ts_ms < newest.end_ms - self.period_ms:
            return self
        if trade.ts_ms < newest.end_ms:
            return replace(self, candles=(*self.candles[:-1], newest.traded(trade.yes_price, trade.count)))
        # From the newest candle on: the exchange's days need not begin at midnight UTC.
        end_ms = newest.end_ms + ((trade.ts_ms - newest.end_ms) // self.period_ms + 1) * self.period_ms
        fresh = replace(newest, end_ms=end_ms, open=None, high=None, low=None, close=None, volume=0)
        candles = (*self.candles, fresh.traded(trade.yes_price, trade.count))
        return replace(self, candles=candles[-MAX_CANDLES:])

    def current_period_end_ms(self, now_ms: int) -> int:
        """Return when the period that is under way at ``now_ms`` ends."""
        newest = self.candles[-1].end_ms if self.candles else 0
        return newest + ((now_ms - newest) // self.period_ms + 1) * self.period_ms


@dataclass(frozen=True, slots=True)
class Settlement:
    """What a market paid. ``yes_value`` is what one YES was worth, None if not known; ``revenue`` the payout.

    The exchange sends both in whole cents, rounded down. `with_exact_value` makes them exact: the payout is then what
    was held was worth, and what an account is not paid of it, because it has no part of a cent, is in ``fees``.
    """

    ticker: str
    event_ticker: str
    result: str
    yes_count: Count
    no_count: Count
    yes_cost: Money
    no_cost: Money
    revenue: Money
    fees: Money
    yes_value: Price | None
    settled_ms: int
    subaccount: int | None = None
    """The number of the subaccount that was paid, None where the list was of all: the exchange does not say it."""
    is_rounded: bool = False
    """Whether value and payout may be finer than the whole cents here: a YES was worth a part of a dollar."""
    realized: Money | None = None
    """What closing others of the market's contracts had gained before, without fees. None where it is not known: the
    exchange does not list it, the fills say it."""

    @property
    def cost(self) -> Money:
        """What was paid for all that was held."""
        return self.yes_cost + self.no_cost

    @property
    def net(self) -> Money | None:
        """All that the market has brought: payout and what was realized, less cost and fees; None if not known."""
        return None if self.realized is None else self.revenue + self.realized - self.cost - self.fees

    @property
    def count(self) -> Count:
        """What was held in the end, positive for YES."""
        return self.yes_count - self.no_count

    @property
    def whole_payout(self) -> Money | None:
        """What was held in the end was worth, with what a settlement floor had paid of it before; None if not known."""
        value = {"yes": PRICE_UNIT, "no": 0}.get(self.result, None if self.is_rounded else self.yes_value)
        return None if value is None else payout(self.count, value, 0)

    @property
    def revenue_in_whole_cents(self) -> Money:
        """The payout as the exchange lists it: in whole cents, rounded down."""
        return self.revenue - self.revenue % CENT

    def with_exact_value(self, yes_value: Price, *, floor: Price = 0, held: Collection[Count] = ()) -> "Settlement":
        """Return it with the payout that follows from what was held and what one YES was worth.

        ``floor`` is what a settlement floor had paid of that before. ``held`` is what was held by other knowledge than
        the counts here, positive for YES: several where it is not known which of them is meant. Where no payout, or
        more than one, agrees with what the exchange says in whole cents, something else is in it, and it stays as it
        is.
        """
        paid = payout(self.yes_count, yes_value, floor) + payout(-self.no_count, yes_value, floor)
        payouts = {paid} if not held else {payout(each, yes_value, floor) for each in held}
        agreeing = [each for each in payouts if each - each % CENT == self.revenue_in_whole_cents]
        if len(agreeing) != 1:
            return self
        return replace(self, revenue=agreeing[0], yes_value=yes_value, is_rounded=False)


def payout(held: Count, yes_value: Price, floor: Price = 0) -> Money:
    """Return what is paid for a signed count; ``floor`` is what a settlement floor had paid of a YES before."""
    return held * (yes_value - floor) if held >= 0 else -held * (PRICE_UNIT - yes_value)
