"""Fees: what a fill costs on top of its price (docs/kalshi-api.md, section 9).

The trade fee is ``multiplier x rate x C x P x (1 - P)``, rounded up to $0.000001. A rounding fee then brings the change
of the balance to the member's precision, and an accumulator over one order's fills returns what rounding took too much.
"""

from dataclasses import dataclass, field
from decimal import Decimal
from enum import Enum
from typing import Final

from kalshi_tui.domain.price import COUNT_UNIT, MONEY_UNIT, PRICE_UNIT, Count, Money, Price

RATE_UNIT: Final = 10_000
TAKER_RATE: Final = 700
"""0.07 in 1/10,000."""
MAKER_RATE: Final = 175
"""0.0175 in 1/10,000: a quarter of the taker's."""
COMBO_MAKER_RATE: Final = 350
"""0.035 in 1/10,000: half of the taker's, in combos."""
MULTIPLIER_UNIT: Final = 1_000_000
_MULTIPLIER_DECIMALS: Final = 6
MAX_MULTIPLIER: Final = 1_000
"""A multiplier beyond this is a mistake, not a fee."""
FEE_STEP: Final = MONEY_UNIT // 1_000_000
"""$0.000001: trade fees are whole multiples of it, since August 26."""
CENTICENT: Final = MONEY_UNIT // 10_000
"""$0.0001: a direct member's balance precision, and the step of trade fees before August 26."""
CENT: Final = MONEY_UNIT // 100
"""$0.01: the balance precision of other members."""


class FeeType(Enum):
    """How a series charges. The values are the exchange's words; any other word is UNKNOWN, never free."""

    QUADRATIC = "quadratic"
    QUADRATIC_WITH_MAKER_FEES = "quadratic_with_maker_fees"
    QUADRATIC_WITH_COMBO_MAKER_FEES = "quadratic_with_combo_maker_fees"
    FLAT = "flat"
    """The exchange publishes no figure for it."""
    MARGIN_PROGRAM = "margin_market_maker_program_fees"
    """The exchange publishes no figure for it."""
    UNKNOWN = "unknown"

    @classmethod
    def of(cls, word: str) -> "FeeType":
        """Return the type for the exchange's word, UNKNOWN for any other."""
        try:
            return cls(word)
        except ValueError:
            return cls.UNKNOWN

    @property
    def computable(self) -> bool:
        """Whether the fees of this type can be computed; where not, they are not known, which is not zero."""
        return self in _MAKER_RATES


_MAKER_RATES: Final = {
    FeeType.QUADRATIC: 0,
    FeeType.QUADRATIC_WITH_MAKER_FEES: MAKER_RATE,
    FeeType.QUADRATIC_WITH_COMBO_MAKER_FEES: COMBO_MAKER_RATE,
}


def _ceil_to(amount: int, step: int) -> int:
    return -(-amount // step) * step


@dataclass(frozen=True, slots=True)
class FeeSchedule:
    """The fees of one market: its series' (or event's) type and multiplier, the multiplier in 1/1,000,000."""

    fee_type: FeeType
    multiplier: int = MULTIPLIER_UNIT
    word: str = field(default="", compare=False)
    """The exchange's own word for the type, to be shown where it is not one of `FeeType`."""

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
        return cls(FeeType.of(fee_type), int(rounded * MULTIPLIER_UNIT), fee_type)

    def overridden(self, fee_type: str, multiplier: int | None) -> "FeeSchedule":
        """Return the fees of an event: its type and its multiplier, in 1/1,000,000, each replace those of its series.

        An empty type and a multiplier of None leave the series'.
        """
        if not fee_type and multiplier is None:
            return self
        if not self.word and self.fee_type is FeeType.UNKNOWN and multiplier is None:
            # The series has a multiplier that makes no sense: the type alone says nothing.
            return self
        kind = FeeType.of(fee_type) if fee_type else self.fee_type
        return FeeSchedule(kind, self.multiplier if multiplier is None else multiplier, fee_type or self.word)

    @property
    def known(self) -> bool:
        """Whether fees can be computed by it."""
        return self.fee_type.computable

    def trade_fee(self, price: Price, count: Count, *, taker: bool, step: Money = FEE_STEP) -> Money | None:
        """Return one fill's trade fee, rounded up to ``step``; None where the fee type has no known figures."""
        maker_rate = _MAKER_RATES.get(self.fee_type)
        if maker_rate is None:
            return None
        rate = TAKER_RATE if taker else maker_rate
        exact = self.multiplier * rate * count * price * (PRICE_UNIT - price) * MONEY_UNIT
        unit = MULTIPLIER_UNIT * RATE_UNIT * COUNT_UNIT * PRICE_UNIT * PRICE_UNIT
        return -(-exact // (unit * step)) * step

    def at_most(
        self,
        price: Price,
        count: Count,
        *,
        taker: bool,
        precision: Money = CENT,
        parts: int | None = None,
        aligned: bool | None = None,
    ) -> Money | None:
        """Return the most that an order's fees can come to, filled at this price; None if not known.

        It holds for whatever number of fills of whole contracts, and for ``parts`` fills of a part of a contract, by
        default one if the count has such a part. Every further fill of a part can add up to one ``precision``, which
        is the member's. ``aligned`` is whether every price at which it may fill is a whole multiple of the precision;
        by default whether this price is. docs/kalshi-api.md, section 9.
        """
        # A combo order that rested under 5 s pays as a taker when a quoter executes against it.
        as_taker = taker or self.fee_type is FeeType.QUADRATIC_WITH_COMBO_MAKER_FEES
        each = self.trade_fee(price, COUNT_UNIT, taker=as_taker)
        if each is None:
            return None
        parts = (1 if count % COUNT_UNIT else 0) if parts is None else parts
        value = price * COUNT_UNIT
        single, aligned = aligned is None, value % precision == 0 if aligned is None else aligned
        # Each fill's trade fee is rounded up, so no split costs more than its contracts one by one.
        fee = -(-each * count // COUNT_UNIT) + parts * FEE_STEP
        if aligned and not parts:
            # The rounding of such a fill leaves room for a rebate, so that no more than one precision stays with the
            # exchange. Every fill costs whole multiples of the precision.
            return (fee + precision) // precision * precision if fee else 0
        if single and not parts:
            return count // COUNT_UNIT * (_ceil_to(value + each, precision) - value)
        # Where a fill's cost lies between two multiples it can be rounded up by nearly one, and may be too small for
        # a rebate ever to be given on it.
        fills = parts + (1 if aligned else -(-count // COUNT_UNIT))
        upper, paid = fee + fills * precision, price * count
        # Filled at this price alone, the order costs whole multiples of the precision in all.
        return (paid + upper) // precision * precision - paid if single else _ceil_to(upper, CENTICENT)


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
