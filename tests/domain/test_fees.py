import json
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from fractions import Fraction
from math import ceil, floor

import pytest
from hypothesis import assume, example, given, strategies as st

from kalshi_tui.domain.fees import (
    CENT,
    CENTICENT,
    MULTIPLIER_UNIT,
    FeeAccumulator,
    FeeSchedule,
    FeeType,
)
from kalshi_tui.domain.price import (
    COUNT_UNIT,
    MONEY_UNIT,
    PRICE_UNIT,
    format_money,
    parse_count,
    parse_money,
    parse_price,
)
from tests.support.captures import capture
from tests.support.strategies import (
    counts,
    precisions,
    prices,
    thorough,
)

PLAIN = FeeSchedule(FeeType.QUADRATIC)
HALF = FeeSchedule(FeeType.QUADRATIC, MULTIPLIER_UNIT // 2)
WITH_MAKER = FeeSchedule(FeeType.QUADRATIC_WITH_MAKER_FEES)
UNKNOWN = FeeSchedule(FeeType.UNKNOWN)


def exact_fee(multiplier: int, rate: Fraction, price: int, count: int) -> Fraction:
    """Return the trade fee in dollars before any rounding, as docs/kalshi-api.md, section 9, writes it."""
    chance = Fraction(price, PRICE_UNIT)
    return Fraction(multiplier, MULTIPLIER_UNIT) * rate * Fraction(count, COUNT_UNIT) * chance * (1 - chance)


@given(prices, counts, st.integers(0, 5 * MULTIPLIER_UNIT))
@thorough
def test_a_trade_fee_is_the_rule_rounded_up_to_a_centicent(price: int, count: int, multiplier: int) -> None:
    for fee_type, taker, rate in (
        (FeeType.QUADRATIC, True, Fraction(7, 100)),
        (FeeType.QUADRATIC, False, Fraction(0)),
        (FeeType.QUADRATIC_WITH_MAKER_FEES, True, Fraction(7, 100)),
        (FeeType.QUADRATIC_WITH_MAKER_FEES, False, Fraction(175, 10_000)),
    ):
        schedule = FeeSchedule(fee_type, multiplier)
        fee = schedule.trade_fee(price, count, taker=taker)
        assert fee == ceil(exact_fee(multiplier, rate, price, count) * 10_000) * (MONEY_UNIT // 10_000)
        # Both outcomes of one trade are charged alike.
        assert fee == schedule.trade_fee(PRICE_UNIT - price, count, taker=taker)


@given(prices, counts, precisions)
@thorough
def test_up_to_is_one_fill_whose_balance_change_is_rounded(price: int, count: int, precision: int) -> None:
    for schedule in (PLAIN, HALF, WITH_MAKER):
        for taker in (True, False):
            fee = schedule.trade_fee(price, count, taker=taker)
            assert fee is not None
            upper = schedule.at_most(price, count, taker=taker, precision=precision)
            assert upper is not None
            assert 0 <= upper - fee < precision
            assert (price * count + upper) % precision == 0
            assert upper == FeeAccumulator(precision).charge(-price * count, fee).net


def test_an_unknown_fee_type_is_not_known_and_never_free() -> None:
    for taker in (True, False):
        assert UNKNOWN.trade_fee(5_000, 100, taker=taker) is None
        assert UNKNOWN.at_most(5_000, 100, taker=taker) is None


@pytest.mark.parametrize(
    ("word", "fee_type"),
    [
        ("quadratic", FeeType.QUADRATIC),
        ("quadratic_with_maker_fees", FeeType.QUADRATIC_WITH_MAKER_FEES),
        ("flat", FeeType.UNKNOWN),
        ("", FeeType.UNKNOWN),
        ("QUADRATIC", FeeType.UNKNOWN),
    ],
)
def test_the_exchanges_words(word: str, fee_type: FeeType) -> None:
    assert FeeSchedule.of(word, 1) == FeeSchedule(fee_type)


@pytest.mark.parametrize(
    ("multiplier", "expected"),
    [
        (1, 1_000_000),
        (0, 0),
        (Decimal("0.5"), 500_000),
        (Decimal("1.0000000000000"), 1_000_000),
        (Decimal("0.000001"), 1),
        (Decimal("5E-1"), 500_000),
        (Decimal("-0"), 0),
        (1_000, 1_000_000_000),
    ],
)
def test_a_multiplier_is_taken_exactly(multiplier: Decimal | int, expected: int) -> None:
    assert FeeSchedule.of("quadratic", multiplier) == FeeSchedule(FeeType.QUADRATIC, expected)


@pytest.mark.parametrize(
    "multiplier",
    [
        -1,
        Decimal("-0.000001"),
        Decimal("0.0000001"),
        Decimal("1." + "0" * 40 + "1"),
        Decimal("NaN"),
        Decimal("sNaN"),
        Decimal("Infinity"),
        Decimal("1E+999999"),
        Decimal("1E-999999"),
        10**400,
    ],
)
def test_a_multiplier_that_makes_no_sense_makes_the_fees_unknown(multiplier: Decimal | int) -> None:
    assert FeeSchedule.of("quadratic", multiplier).trade_fee(5_000, 100, taker=True) is None


# The worked examples of the exchange's page "Fee Rounding": each fill's trade fee, rounding, accumulator, rebate, net.
EXAMPLES = {
    ("0.055", "1"): [
        ("0.0085", "0.0065", "0.0065", "0", "0.0150"),
        ("0.0085", "0.0065", "0.0130", "0.01", "0.0050"),
        ("0.0085", "0.0065", "0.0095", "0", "0.0150"),
    ],
    ("0.50", "0.30"): [
        ("0.0041", "0.0059", "0.0059", "0", "0.0100"),
        ("0.0041", "0.0059", "0.0118", "0.01", "0.0000"),
        ("0.0041", "0.0059", "0.0077", "0", "0.0100"),
    ],
    ("0.3301", "0.03"): [
        ("0.0005", "0.009597", "0.009597", "0", "0.010097"),
        ("0.0005", "0.009597", "0.019194", "0.01", "0.000097"),
        ("0.0005", "0.009597", "0.018791", "0.01", "0.000097"),
    ],
}


# Six of the page's nine prices have a trade fee that the rule (docs/kalshi-api.md, section 9) rounds to the page's
# figure; the first example's $0.0085 is not 0.07 x 0.055 x 0.945 rounded up, so the page's own trade fees are what
# goes in here.
@pytest.mark.parametrize(("fill", "rows"), EXAMPLES.items())
def test_the_worked_examples_of_fee_rounding(fill: tuple[str, str], rows: list[tuple[str, ...]]) -> None:
    revenue = -parse_price(fill[0]) * parse_count(fill[1])
    account = FeeAccumulator(CENT)
    change = 0
    for row in rows:
        trade_fee, rounding, accumulated, rebate, net = map(parse_money, row)
        charged = account.charge(revenue, trade_fee)
        assert (charged.trade_fee, charged.rounding_fee, charged.rebate) == (trade_fee, rounding, rebate)
        assert charged.net == net
        # The page shows the accumulator before the rebate is taken from it.
        assert account.overpaid == accumulated - rebate
        change += revenue - charged.net
    assert change % CENT == 0


@given(
    st.lists(st.tuples(st.integers(-10_000_000, 10_000_000), st.integers(0, 30_000)), min_size=1, max_size=40),
    precisions,
)
@example([(-550, 0)] * 4 + [(-10_000, 20_000)], CENT)
@thorough
def test_an_orders_fees_keep_the_balance_aligned_and_lose_nothing(
    order_fills: list[tuple[int, int]], precision: int
) -> None:
    account = FeeAccumulator(precision)
    charged_in_all = exact_in_all = 0
    for revenue, trade_fee in order_fills:
        before = account.overpaid
        charged = account.charge(revenue, trade_fee)
        exact = Fraction(revenue - trade_fee, precision)
        assert charged.trade_fee == trade_fee
        assert charged.rounding_fee == (exact - floor(exact)) * precision
        assert charged.rebate % precision == 0
        assert charged.rebate >= 0
        assert charged.net >= 0
        assert (revenue - charged.net) % precision == 0
        assert account.overpaid == before + charged.rounding_fee - charged.rebate >= 0
        # What is still held back after a rebate could not be given without paying the trader for trading.
        assert account.overpaid <= precision or charged.net < precision or not charged.rebate % precision
        charged_in_all += charged.net
        exact_in_all += trade_fee
    # What was charged beyond the trade fees is what the accumulator still holds.
    assert charged_in_all - exact_in_all == account.overpaid


@given(prices, counts, st.integers(2, 60), precisions)
@thorough
def test_many_equal_fills_of_an_order_overpay_by_little_more_than_the_precision(
    price: int, count: int, times: int, precision: int
) -> None:
    account = FeeAccumulator(precision)
    fee = PLAIN.trade_fee(price, count, taker=True)
    assert fee is not None
    # A fill that costs less than the precision leaves no room for a rebate.
    assume(fee >= precision)
    charged = sum(account.charge(-price * count, fee).net for _ in range(times))
    assert 0 <= charged - times * fee <= 2 * precision


def test_an_accumulator_goes_on_from_where_it_was_kept() -> None:
    whole, first = FeeAccumulator(CENT), FeeAccumulator(CENT)
    whole.charge(-55_000, 8_500)
    first.charge(-55_000, 8_500)
    again = FeeAccumulator(CENT, first.overpaid)
    assert again.charge(-55_000, 8_500) == whole.charge(-55_000, 8_500)


def test_the_fees_of_real_fills() -> None:
    captured = json.loads(capture("portfolio_fills.json").read_text())["fills"]
    assert len(captured) == 33
    for fill in captured:
        assert fill["is_taker"] is True
        price, count = parse_price(fill[f"{fill['outcome_side']}_price_dollars"]), parse_count(fill["count_fp"])
        reported = []
        for schedule in (PLAIN, HALF):
            trade_fee = schedule.trade_fee(price, count, taker=True)
            assert trade_fee is not None
            net = FeeAccumulator(CENTICENT).charge(-price * count, trade_fee).net
            assert schedule.at_most(price, count, taker=True, precision=CENTICENT) == net
            reported.append(format_money(net))
        assert fill["fee_cost"] in reported, fill


def test_the_fill_that_the_contract_names() -> None:
    price, count = parse_price("0.0010"), parse_count("227.27")
    assert PLAIN.trade_fee(price, count, taker=True) == parse_money("0.0159")
    assert PLAIN.at_most(price, count, taker=True, precision=CENTICENT) == parse_money("0.015930")


@given(prices, counts)
@thorough
def test_the_integers_agree_with_decimal_arithmetic(price: int, count: int) -> None:
    chance, contracts = Decimal(price) / PRICE_UNIT, Decimal(count) / COUNT_UNIT
    fee = (Decimal("0.07") * contracts * chance * (1 - chance)).quantize(Decimal("0.0001"), ROUND_CEILING)
    assert PLAIN.trade_fee(price, count, taker=True) == int(fee * MONEY_UNIT)
    change = -chance * contracts - fee
    rounded = change.quantize(Decimal("0.01"), ROUND_FLOOR)
    net = FeeAccumulator(CENT).charge(-price * count, int(fee * MONEY_UNIT)).net
    assert net == int((fee + change - rounded) * MONEY_UNIT)
