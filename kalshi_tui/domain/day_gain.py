"""What a day has brought: fills, fees, settlements, and the value now against that at the day's start. Exact and pure.

gain = what the day's fills paid - their fees + what settled + the value now - the value at the day's start. Cash is not
in it: what resting orders hold back, deposits and transfers between subaccounts do not move it.

A NO is counted here as a sold YES: it is a YES less one dollar. So what a fill pays is its price times its count,
whatever was held before it, and the dollars cancel out in the sum.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace

from kalshi_tui.domain.candles import Settlement
from kalshi_tui.domain.order import BookSide, Fill
from kalshi_tui.domain.position import PositionKey
from kalshi_tui.domain.price import PRICE_UNIT, Count, Money


def as_sold_yes(count: Count, money: Money) -> Money:
    """Return what a signed count is worth where each NO is a sold YES: a dollar less for each."""
    return money - max(-count, 0) * PRICE_UNIT


@dataclass(frozen=True, slots=True)
class ValuedCount:
    """A signed count and its value at a moment."""

    count: Count
    value: Money


@dataclass(frozen=True, slots=True)
class TradedSum:
    """The sum of one position's fills and settlements of a day."""

    fills: int = 0
    bought: Count = 0
    """YES bought or NO sold; ``sold`` is the opposite."""
    sold: Count = 0
    fees: Money = 0
    """Those of fills, and what was rounded off payouts."""
    paid: Money = 0
    """What fills and settlements paid, each NO a sold YES."""
    settled: Count = 0
    """The signed count that was paid out."""

    @property
    def count(self) -> Count:
        """By how much the position has changed."""
        return self.bought - self.sold - self.settled

    def with_fill(self, fill: Fill) -> "TradedSum":
        """Return the sum with one more fill."""
        is_bid = fill.book_side is BookSide.BID
        worth = fill.yes_price * fill.count
        return replace(
            self,
            fills=self.fills + 1,
            bought=self.bought + (fill.count if is_bid else 0),
            sold=self.sold + (0 if is_bid else fill.count),
            fees=self.fees + fill.fee,
            paid=self.paid + (-worth if is_bid else worth),
        )

    def with_settlement(self, settled: Settlement, precision: Money) -> "TradedSum":
        """Return the sum with a payout. What is rounded off one of a part of a dollar a contract is a fee.

        What a settlement floor has paid of it before is in no fill, and counts here.
        """
        payout = settled.revenue if settled.whole_payout is None else settled.whole_payout
        return replace(
            self,
            settled=self.settled + settled.count,
            fees=self.fees + settled.revenue % precision,
            paid=self.paid + as_sold_yes(settled.count, payout),
        )


@dataclass(frozen=True, slots=True)
class ClosedToday:
    """What a position has brought on the day that nothing of it is left any more: sold, bought back or settled."""

    key: PositionKey
    realized: Money | None
    """Before the fees; None while it is not known what it was worth at the day's start or is paid."""
    fees: Money

    @property
    def net(self) -> Money | None:
        """The gain after fees; None if not known."""
        return None if self.realized is None else self.realized - self.fees


@dataclass(frozen=True, slots=True)
class DayGain:
    """What this day has brought so far. Counts in 1/100 contract, money in 1/1,000,000 dollar, times Unix ms."""

    fills: int
    bought: Count
    """YES bought or NO sold, in contracts; ``sold`` is the opposite."""
    sold: Count
    fees: Money
    gain: Money | None
    """None while it is not known; ``why`` says why not."""
    since_ms: int
    """From when on: the day's start, or where something was held over night the first look at what it was worth."""
    why: str = ""
    """Which market holds it up, or what else; a sentence."""
    closed: tuple[ClosedToday, ...] = ()


@dataclass(frozen=True, slots=True)
class DayAccount:
    """One day of an account, position by position."""

    start: Mapping[PositionKey, ValuedCount] = field(default_factory=dict)
    """What was held at the day's start, at its value then; what is not here was nothing."""
    traded: Mapping[PositionKey, TradedSum] = field(default_factory=dict)

    @property
    def counts(self) -> dict[PositionKey, Count]:
        """What is held now by start, fills and settlements."""
        keys = self.start.keys() | self.traded.keys()
        found = {key: self._start_count(key) + self._traded(key).count for key in keys}
        return {key: count for key, count in found.items() if count}

    def gain_of(self, key: PositionKey, value: Money) -> Money:
        """Return what one position has brought, given what `counts` has of it is worth."""
        traded, start = self._traded(key), self.start.get(key, ValuedCount(0, 0))
        now = as_sold_yes(start.count + traded.count, value)
        return traded.paid - traded.fees + now - as_sold_yes(start.count, start.value)

    def gain(self, values: Mapping[PositionKey, Money]) -> Money:
        """Return what the day has brought, given the values of all that `counts` has."""
        keys = self.start.keys() | self.traded.keys()
        return sum(self.gain_of(key, values.get(key, 0)) for key in keys)

    def closed(
        self, held: Collection[PositionKey], values: Mapping[PositionKey, Money], unknown: Collection[PositionKey] = ()
    ) -> tuple[ClosedToday, ...]:
        """Return what is not held any more; of it ``values`` has what is still to be paid.

        With those that are held it makes up the day: ``unknown`` are positions of which the gain cannot be told.
        """
        gone = sorted((self.start.keys() | self.traded.keys()) - set(held))
        return tuple(
            ClosedToday(
                key,
                None if key in unknown else self.gain_of(key, values.get(key, 0)) + self._traded(key).fees,
                self._traded(key).fees,
            )
            for key in gone
        )

    def total(self) -> TradedSum:
        """Return the sums over all positions."""
        parts = list(self.traded.values())
        return TradedSum(
            fills=sum(each.fills for each in parts),
            bought=sum(each.bought for each in parts),
            sold=sum(each.sold for each in parts),
            fees=sum(each.fees for each in parts),
            paid=sum(each.paid for each in parts),
            settled=sum(each.settled for each in parts),
        )

    def _start_count(self, key: PositionKey) -> Count:
        held = self.start.get(key)
        return 0 if held is None else held.count

    def _traded(self, key: PositionKey) -> TradedSum:
        return self.traded.get(key, TradedSum())


def sum_fills(fills: Iterable[Fill]) -> dict[PositionKey, TradedSum]:
    """Sum fills up by position."""
    found: dict[PositionKey, TradedSum] = {}
    for fill in fills:
        key = fill.ticker, fill.subaccount
        found[key] = found.get(key, TradedSum()).with_fill(fill)
    return found
