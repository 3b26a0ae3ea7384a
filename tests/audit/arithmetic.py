"""Fees, values, positions and days from raw replies, in decimals: what the desk shows is held against it."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import ROUND_CEILING, ROUND_DOWN, ROUND_FLOOR, Decimal
from typing import Any

ZERO = Decimal(0)
ONE = Decimal(1)
CENT = Decimal("0.01")
CENTICENT = Decimal("0.0001")
FEE_STEP = Decimal("0.000001")
TAKER_RATE = Decimal("0.07")
MAKER_RATES = {"quadratic": ZERO, "quadratic_with_maker_fees": Decimal("0.0175")}
Row = dict[str, Any]
Levels = list[tuple[Decimal, Decimal]]


@dataclass(frozen=True)
class FeeTerms:
    """The fees of one market."""

    kind: str
    multiplier: Decimal

    def trade_fee(self, price: Decimal, count: Decimal) -> Decimal:
        """Return a taker's fee of one fill, before the rounding of the balance."""
        exact = self.multiplier * TAKER_RATE * count * price * (1 - price)
        return exact.quantize(FEE_STEP, ROUND_CEILING)


def floored(amount: Decimal, step: Decimal) -> Decimal:
    """Round toward minus infinity to whole steps."""
    return (amount / step).to_integral_value(ROUND_FLOOR) * step


@dataclass(frozen=True)
class Worth:
    """What a position is worth."""

    value: Decimal
    best: Decimal | None
    unsold: Decimal
    fee: Decimal = ZERO


def sale(count: Decimal, bids: Levels, fees: FeeTerms, precision: Decimal) -> Worth:
    """Sell a whole position down the bids of others, best first, each level one fill of one order."""
    left, paid, charged, overpaid = count, ZERO, ZERO, ZERO
    for price, size in bids:
        filled = min(size, left)
        if not filled:
            break
        left -= filled
        revenue, fee = filled * price, fees.trade_fee(price, filled)
        rounding = (revenue - fee) - floored(revenue - fee, precision)
        overpaid += rounding
        rebate = ZERO
        if overpaid > precision:
            rebate = min(floored(overpaid, precision), floored(fee + rounding, precision))
            overpaid -= rebate
        paid += revenue
        charged += fee + rounding - rebate
    return Worth(paid - charged, bids[0][0] if bids else None, left, charged)


def others_bids(book: Row, own_orders: Iterable[Row], outcome: str) -> Levels:
    """Return what others bid for an outcome, best first: the book's levels less the account's own orders."""
    own: dict[Decimal, Decimal] = {}
    for each in own_orders:
        if each["outcome_side"] == outcome:
            price = Decimal(each[f"{outcome}_price_dollars"])
            own[price] = own.get(price, ZERO) + Decimal(each["remaining_count_fp"])
    levels = [(Decimal(price), Decimal(size)) for price, size in book[f"{outcome}_dollars"] or ()]
    left = [(price, size - own.get(price, ZERO)) for price, size in levels]
    return sorted(((price, size) for price, size in left if size > 0), reverse=True)


@dataclass
class Replayed:
    """One market's fills and settlement, taken one after another."""

    count: Decimal = ZERO
    """Signed: + YES, - NO."""
    cost: Decimal = ZERO
    realized: Decimal = ZERO
    fees: Decimal = ZERO
    flow: Decimal = ZERO
    """What came in less what went out, fees included."""
    fills: int = 0
    traded: Decimal = ZERO
    """Contracts bought and sold."""

    def take(self, fill: Row) -> None:
        """Count one fill: what it closes pays its price, what it opens costs it."""
        is_bid = fill["book_side"] == "bid"
        count, fee = Decimal(fill["count_fp"]), Decimal(fill["fee_cost"])
        price = Decimal(fill["yes_price_dollars" if is_bid else "no_price_dollars"])
        sign = 1 if is_bid else -1
        held = abs(self.count) if self.count * sign < 0 else ZERO
        closed = min(held, count)
        opened = count - closed
        freed = (self.cost * closed / held).quantize(FEE_STEP, ROUND_DOWN) if closed else ZERO
        self.realized += closed * (1 - price) - freed
        self.cost += opened * price - freed
        self.count += sign * count
        self.fees += fee
        self.flow += closed * (1 - price) - opened * price - fee
        self.fills += 1
        self.traded += count

    def settle(self, yes_value: Decimal, precision: Decimal) -> Decimal:
        """Pay out what is held; return the payout."""
        paid = floored(abs(self.count) * (yes_value if self.count > 0 else 1 - yes_value), precision)
        self.flow += paid
        self.realized += paid - self.cost
        self.count = self.cost = ZERO
        return paid


@dataclass
class Account:
    """An account's markets, replayed from its fills and settlements in the order of time."""

    markets: dict[str, Replayed] = field(default_factory=dict)

    @property
    def flow(self) -> Decimal:
        """What all fills and settlements did to the cash."""
        return sum((each.flow for each in self.markets.values()), ZERO)


def settlement_value(row: Row, market: Row) -> Decimal:
    """Return what a YES paid; the settlement itself has whole cents alone."""
    named = {"yes": ONE, "no": ZERO}.get(row["market_result"])
    return Decimal(market["settlement_value_dollars"]) if named is None else named


def moment_ms(text: str) -> int:
    """Return a time of a reply as Unix milliseconds."""
    return round(datetime.fromisoformat(text).timestamp() * 1000)


def replay(
    fills: list[Row], settlements: list[Row], markets: dict[str, Row], precision: Decimal, until_ms: int | None = None
) -> Account:
    """Replay an account from its lists, newest first as they are listed; ``until_ms``: what came before a moment."""
    account = Account()
    events = [(moment_ms(each["created_time"]), 0, each) for each in reversed(fills)]
    events += [(moment_ms(each["settled_time"]), 1, each) for each in reversed(settlements)]
    for at_ms, kind, row in sorted(events, key=lambda event: event[:2]):
        if until_ms is not None and at_ms >= until_ms:
            break
        market = account.markets.setdefault(row["ticker"], Replayed())
        if kind:
            market.settle(settlement_value(row, markets[row["ticker"]]), precision)
        else:
            market.take(row)
    return account
