"""Fees: what a fill costs on top of its price (docs/kalshi-api.md, section 9).

The trade fee is ``multiplier x rate x C x P x (1 - P)``, rounded up to $0.0001. A rounding fee then brings the balance
change to the member's precision, and an accumulator over one order's fills returns what rounding took too much.
"""

from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from typing import Final

from kalshi_tui.domain.price import COUNT_UNIT, MONEY_UNIT, PRICE_UNIT, Count, Money, Price

RATE_UNIT: Final = 10_000
TAKER_RATE: Final = 700
"""0.07 in 1/10,000."""
MAKER_RATE: Final = 175
"""0.0175 in 1/10,000."""
MULTIPLIER_UNIT: Final = 1_000_000
_MULTIPLIER_DECIMALS: Final = 6
MAX_MULTIPLIER: Final = 1_000
"""A multiplier beyond this is a mistake, not a fee."""
CENTICENT: Final = MONEY_UNIT // 10_000
"""$0.0001: trade fees are whole multiples of it; also a direct member's balance precision."""
CENT: Final = MONEY_UNIT // 100
"""$0.01: the balance precision of other members."""


class FeeType(Enum):
    """How a series charges. The values are the exchange's words; any other word is UNKNOWN, never free."""

    QUADRATIC = "quadratic"
    QUADRATIC_WITH_MAKER_FEES = "quadratic_with_maker_fees"
    UNKNOWN = "unknown"

    @classmethod
    def of(cls, word: str) -> "FeeType":
        """Return the type for the exchange's word, UNKNOWN for any other."""
        try:
            return cls(word)
        except ValueError:
            return cls.UNKNOWN


def _ceil_to(amount: int, step: int) -> int:
    return -(-amount // step) * step


@dataclass(frozen=True, slots=True)
class FeeSchedule:
    """The fees of one market: its series' (or event's) type and multiplier, the multiplier in 1/1,000,000."""

    fee_type: FeeType
    multiplier: int = MULTIPLIER_UNIT

    @classmethod
    def of(cls, fee_type: str, multiplier: Decimal | int) -> "FeeSchedule":
        """Build from the exchange's words, never raising.

        A multiplier that is no number, below 0, over a thousand or finer than a millionth makes the fees UNKNOWN.
        """
        exact = Decimal(multiplier)
        if not exact.is_finite() or not 0 <= exact <= MAX_MULTIPLIER:
            return cls(FeeType.UNKNOWN)
        rounded = round(exact, _MULTIPLIER_DECIMALS)
        if rounded != exact:
            return cls(FeeType.UNKNOWN)
        return cls(FeeType.of(fee_type), int(rounded * MULTIPLIER_UNIT))

    def trade_fee(self, price: Price, count: Count, *, taker: bool) -> Money | None:
        """Return one fill's trade fee, rounded up to $0.0001; None where the fee type is not known."""
        if self.fee_type is FeeType.UNKNOWN:
            return None
        if taker:
            rate = TAKER_RATE
        elif self.fee_type is FeeType.QUADRATIC_WITH_MAKER_FEES:
            rate = MAKER_RATE
        else:
            return 0
        exact = self.multiplier * rate * count * price * (PRICE_UNIT - price)
        unit = MULTIPLIER_UNIT * RATE_UNIT * COUNT_UNIT * PRICE_UNIT * PRICE_UNIT
        return -(-exact * 10_000 // unit) * CENTICENT

    def at_most(self, price: Price, count: Count, *, taker: bool, precision: Money = CENT) -> Money | None:
        """Return the fees of an order filled whole in one fill at this price; None if not known.

        The balance change is rounded to ``precision``: what a ticket shows as "up to" (docs/kalshi-api.md, section 9).
        An order in many small fills can pay a little more, since each fill's fee is rounded up.
        """
        fee = self.trade_fee(price, count, taker=taker)
        if fee is None:
            return None
        paid = price * count + fee
        return _ceil_to(paid, precision) - price * count


@dataclass(frozen=True, slots=True)
class FillFee:
    """The parts of one fill's fee, 1/1,000,000 dollar. ``net`` is what the fill reports as ``fee_cost``."""

    trade_fee: Money
    rounding_fee: Money
    rebate: Money

    @property
    def net(self) -> Money:
        """Trade fee + rounding fee - rebate, never below 0."""
        return self.trade_fee + self.rounding_fee - self.rebate


class FeeAccumulator:
    """What one order has overpaid by rounding, carried over all of its fills, taker and maker alike.

    Rule: the exchange's "Fee Rounding" page. A rebate is a whole multiple of the precision, given once the accumulated
    rounding exceeds it, and never makes a fill's net fee negative.
    """

    __slots__ = ("overpaid", "precision")

    def __init__(self, precision: Money = CENTICENT, overpaid: Money = 0) -> None:
        self.precision = precision
        self.overpaid = overpaid

    def charge(self, revenue: Money, trade_fee: Money) -> FillFee:
        """Compute one fill's fee; ``revenue`` is what the trade itself does to the balance, negative for a buyer."""
        change = revenue - trade_fee
        rounding = change % self.precision
        self.overpaid += rounding
        rebate = 0
        if self.overpaid > self.precision:
            room = (trade_fee + rounding) // self.precision * self.precision
            rebate = min(self.overpaid // self.precision * self.precision, room)
            self.overpaid -= rebate
        return FillFee(trade_fee, rounding, rebate)
