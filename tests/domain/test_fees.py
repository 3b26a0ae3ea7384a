import json
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from fractions import Fraction
from math import ceil, floor

import pytest
from hypothesis import assume, example, given, strategies as st

from kalshi_tui.domain.fees import (
    CENT,
    CENTICENT,
    FEE_STEP,
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


@given(prices, counts, st.integers(0, 5 * MULTIPLIER_UNIT), st.sampled_from([FEE_STEP, CENTICENT]))
@thorough
def test_a_trade_fee_is_the_rule_rounded_up_to_the_step(price: int, count: int, multiplier: int, step: int) -> None:
    for fee_type, taker, rate in (
        (FeeType.QUADRATIC, True, Fraction(7, 100)),
        (FeeType.QUADRATIC, False, Fraction(0)),
        (FeeType.QUADRATIC_WITH_MAKER_FEES, True, Fraction(7, 100)),
        (FeeType.QUADRATIC_WITH_MAKER_FEES, False, Fraction(175, 10_000)),
        (FeeType.QUADRATIC_WITH_COMBO_MAKER_FEES, True, Fraction(7, 100)),
        (FeeType.QUADRATIC_WITH_COMBO_MAKER_FEES, False, Fraction(35, 1_000)),
    ):
        schedule = FeeSchedule(fee_type, multiplier)
        fee = schedule.trade_fee(price, count, taker=taker, step=step)
        assert fee == ceil(exact_fee(multiplier, rate, price, count) * MONEY_UNIT / step) * step
        # Both outcomes of one trade are charged alike.
        assert fee == schedule.trade_fee(PRICE_UNIT - price, count, taker=taker, step=step)


class OrderModel:
    """One order's fees by the exchange's page, in dollars and fractions of them; shares nothing with the program."""

    def __init__(self, multiplier: int, rate: Fraction, precision: Fraction) -> None:
        self.multiplier, self.rate, self.precision = multiplier, rate, precision
        self.held_back = Fraction(0)
        self.fees = Fraction(0)

    def fill(self, price: int, count: int) -> Fraction:
        micro = Fraction(1, 1_000_000)
        trade_fee = ceil(exact_fee(self.multiplier, self.rate, price, count) / micro) * micro
        change = -Fraction(price, PRICE_UNIT) * Fraction(count, COUNT_UNIT) - trade_fee
        rounding = change - floor(change / self.precision) * self.precision
        self.held_back += rounding
        rebate = Fraction(0)
        if self.held_back > self.precision:
            while rebate + self.precision <= min(self.held_back, trade_fee + rounding):
                rebate += self.precision
        self.held_back -= rebate
        net = trade_fee + rounding - rebate
        assert net >= 0
        self.fees += net
        return net


MULTIPLIERS = st.one_of(st.sampled_from([0, MULTIPLIER_UNIT // 2, MULTIPLIER_UNIT]), st.integers(0, 3_000_000))
WHOLE = st.integers(1, 400).map(lambda contracts: contracts * COUNT_UNIT)


@given(prices, st.lists(counts, min_size=1, max_size=12), MULTIPLIERS, precisions)
@thorough
def test_an_accumulator_does_the_arithmetic_of_the_page(
    price: int, parts: list[int], multiplier: int, precision: int
) -> None:
    schedule, account = FeeSchedule(FeeType.QUADRATIC, multiplier), FeeAccumulator(precision)
    model = OrderModel(multiplier, Fraction(7, 100), Fraction(precision, MONEY_UNIT))
    for count in parts:
        fee = schedule.trade_fee(price, count, taker=True)
        assert fee is not None
        assert account.charge(-price * count, fee).net == model.fill(price, count) * MONEY_UNIT
    assert account.overpaid == model.held_back * MONEY_UNIT


@given(
    st.one_of(st.integers(1, 99).map(lambda cents: cents * 100), prices),
    st.lists(WHOLE, min_size=1, max_size=30),
    st.lists(st.integers(1, 20_000), max_size=4),
    MULTIPLIERS,
    precisions,
)
@example(5_000, [100, 100, 100, 100], [], MULTIPLIER_UNIT, CENT)
@example(10, [100] * 30, [], MULTIPLIER_UNIT, CENT)
@thorough
def test_up_to_is_never_too_little_in_however_many_fills(
    price: int, whole: list[int], parts: list[int], multiplier: int, precision: int
) -> None:
    """Hold the bound for any fills of whole contracts, and as many others as it is told of, in the worst order."""
    for fee_type, taker, rate in (
        (FeeType.QUADRATIC, True, Fraction(7, 100)),
        (FeeType.QUADRATIC, False, Fraction(0)),
        (FeeType.QUADRATIC_WITH_MAKER_FEES, False, Fraction(175, 10_000)),
        # A combo order that rested under 5 s pays as a taker.
        (FeeType.QUADRATIC_WITH_COMBO_MAKER_FEES, False, Fraction(7, 100)),
    ):
        schedule = FeeSchedule(fee_type, multiplier)
        fractional = sum(part % COUNT_UNIT != 0 for part in parts)
        upper = schedule.at_most(price, sum(whole) + sum(parts), taker=taker, precision=precision, parts=fractional)
        assert upper is not None
        for fills in (whole + parts, parts + whole):
            model = OrderModel(multiplier, rate, Fraction(precision, MONEY_UNIT))
            for count in fills:
                model.fill(price, count)
            assert model.fees * MONEY_UNIT <= upper


@given(st.integers(1, 99), WHOLE, MULTIPLIERS)
@thorough
def test_up_to_is_no_more_than_a_cent_too_much_at_whole_cents(cents: int, count: int, multiplier: int) -> None:
    schedule = FeeSchedule(FeeType.QUADRATIC, multiplier)
    model = OrderModel(multiplier, Fraction(7, 100), Fraction(1, 100))
    model.fill(cents * 100, count)
    upper = schedule.at_most(cents * 100, count, taker=True)
    assert upper is not None
    # Each contract's fee is rounded up to $0.000001 of its own.
    assert upper - model.fees * MONEY_UNIT <= CENT + count // COUNT_UNIT


def test_an_order_in_several_fills_costs_a_cent_more_than_in_one() -> None:
    """Four fills of $0.0175 cost $0.08: each is rounded up, and a rebate needs more than a cent in all."""
    model = OrderModel(MULTIPLIER_UNIT, Fraction(7, 100), Fraction(1, 100))
    assert [model.fill(5_000, 100) for _ in range(4)] == [Fraction(2, 100)] * 4
    assert PLAIN.at_most(5_000, 400, taker=True) == parse_money("0.08")


@pytest.mark.parametrize("kind", [FeeType.UNKNOWN, FeeType.FLAT, FeeType.MARGIN_PROGRAM])
def test_fees_without_a_published_figure_are_not_known_and_never_free(kind: FeeType) -> None:
    schedule = FeeSchedule(kind)
    assert not schedule.known
    for taker in (True, False):
        assert schedule.trade_fee(5_000, 100, taker=taker) is None
        assert schedule.at_most(5_000, 100, taker=taker) is None


@pytest.mark.parametrize(
    ("word", "fee_type"),
    [
        ("quadratic", FeeType.QUADRATIC),
        ("quadratic_with_maker_fees", FeeType.QUADRATIC_WITH_MAKER_FEES),
        ("quadratic_with_combo_maker_fees", FeeType.QUADRATIC_WITH_COMBO_MAKER_FEES),
        ("flat", FeeType.FLAT),
        ("margin_market_maker_program_fees", FeeType.MARGIN_PROGRAM),
        ("tiered", FeeType.UNKNOWN),
        ("", FeeType.UNKNOWN),
        ("QUADRATIC", FeeType.UNKNOWN),
    ],
)
def test_the_exchanges_words(word: str, fee_type: FeeType) -> None:
    assert FeeSchedule.of(word, 1) == FeeSchedule(fee_type)
    assert FeeSchedule.of(word, 1).word == word


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


@pytest.mark.parametrize(
    ("series", "fee_type", "multiplier", "expected"),
    [
        (WITH_MAKER, "", None, WITH_MAKER),
        (WITH_MAKER, "quadratic", None, PLAIN),
        (WITH_MAKER, "", 500_000, FeeSchedule(FeeType.QUADRATIC_WITH_MAKER_FEES, 500_000)),
        (HALF, "flat", None, FeeSchedule(FeeType.FLAT, 500_000)),
        (FeeSchedule.of("tiered", 1), "quadratic", None, PLAIN),
        # The series' multiplier makes no sense, so that the type alone says nothing.
        (FeeSchedule.of("quadratic", -1), "quadratic", None, UNKNOWN),
        (FeeSchedule.of("quadratic", -1), "quadratic", 500_000, HALF),
    ],
)
def test_an_events_fees_replace_those_of_its_series(
    series: FeeSchedule, fee_type: str, multiplier: int | None, expected: FeeSchedule
) -> None:
    assert series.overridden(fee_type, multiplier) == expected


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
            # They are of August 18, before the step became finer on the 26th.
            trade_fee = schedule.trade_fee(price, count, taker=True, step=CENTICENT)
            assert trade_fee is not None
            reported.append(format_money(FeeAccumulator(CENTICENT).charge(-price * count, trade_fee).net))
        assert fill["fee_cost"] in reported, fill


def test_the_fill_that_the_contract_names() -> None:
    """The one captured fill that tells the two rules apart."""
    price, count = parse_price("0.0130"), parse_count("71.94")
    charged = {
        step: FeeAccumulator(CENTICENT).charge(
            -price * count, PLAIN.trade_fee(price, count, taker=True, step=step) or 0
        )
        for step in (CENTICENT, FEE_STEP)
    }
    assert charged[CENTICENT].net == parse_money("0.064780")
    assert charged[FEE_STEP].net == parse_money("0.064680")


def test_the_example_that_the_contract_names() -> None:
    price, count = parse_price("0.055"), parse_count("1")
    trade_fee = PLAIN.trade_fee(price, count, taker=True)
    assert trade_fee == parse_money("0.003639")
    charged = FeeAccumulator(CENT).charge(-price * count, trade_fee)
    assert charged.rounding_fee == parse_money("0.001361")


@given(prices, counts)
@thorough
def test_the_integers_agree_with_decimal_arithmetic(price: int, count: int) -> None:
    chance, contracts = Decimal(price) / PRICE_UNIT, Decimal(count) / COUNT_UNIT
    fee = (Decimal("0.07") * contracts * chance * (1 - chance)).quantize(Decimal("0.000001"), ROUND_CEILING)
    assert PLAIN.trade_fee(price, count, taker=True) == int(fee * MONEY_UNIT)
    change = -chance * contracts - fee
    rounded = change.quantize(Decimal("0.01"), ROUND_FLOOR)
    net = FeeAccumulator(CENT).charge(-price * count, int(fee * MONEY_UNIT)).net
    assert net == int((fee + change - rounded) * MONEY_UNIT)
