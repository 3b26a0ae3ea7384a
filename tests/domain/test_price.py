import re
from decimal import Decimal

import pytest
from hypothesis import example, given, strategies as st

from kalshi_tui.domain.price import (
    MONEY_UNIT,
    PRICE_UNIT,
    NumberError,
    complement,
    cost,
    format_count,
    format_money,
    format_price,
    parse_count,
    parse_money,
    parse_price,
    parse_signed_count,
)
from tests.support.strategies import thorough

PARSERS = (parse_price, parse_count, parse_signed_count, parse_money)
WHOLE = st.integers(0, 10**15 - 1)

# What a plain decimal looks like, and one step beside it: signs, exponents, blanks, separators, other scripts' digits.
NEAR_NUMBERS = st.one_of(
    st.from_regex(r"[-+]?[0-9]{0,17}\.?[0-9]{0,8}", fullmatch=True),
    st.from_regex(r"0\.[0-9]{0,4}0{0,4}", fullmatch=True),
    st.text(alphabet="0123456789.-+eE_, \n\t\x00٣٠１²Ⅷ−", max_size=12),  # noqa: RUF001  # digits of other scripts are the point
    st.text(max_size=8),
)


def model(text: str, *, signed: bool, decimals: int, max_decimals: int) -> int | None:
    """Return what a text is worth by the rules as written, None where they refuse it; arithmetic by Decimal."""
    if not re.fullmatch(rf"{'-?' if signed else ''}[0-9]{{1,15}}(\.[0-9]{{1,{max_decimals}}})?", text):
        return None
    scaled = Decimal(text) * 10**decimals
    return int(scaled) if scaled == int(scaled) else None


def parsed(parser: object, text: object) -> int | None:
    assert callable(parser)
    try:
        value = parser(text)
    except NumberError as error:
        sentence = str(error)
    else:
        assert type(value) is int
        return value
    # The message is a sentence for a person, short whatever was given.
    assert sentence.endswith(".")
    assert len(sentence) < 200
    return None


@given(NEAR_NUMBERS)
@example("0.420000")
@example("1.0000")
@example("1.0001")
@example("0.12345")
@thorough
def test_a_price_is_parsed_exactly_or_refused(text: str) -> None:
    expected = model(text, signed=False, decimals=4, max_decimals=6)
    assert parsed(parse_price, text) == (expected if expected is not None and expected <= PRICE_UNIT else None)


@given(NEAR_NUMBERS)
@thorough
def test_counts_and_money_are_parsed_exactly_or_refused(text: str) -> None:
    assert parsed(parse_count, text) == model(text, signed=False, decimals=2, max_decimals=2)
    assert parsed(parse_signed_count, text) == model(text, signed=True, decimals=2, max_decimals=2)
    assert parsed(parse_money, text) == model(text, signed=True, decimals=6, max_decimals=6)


@given(st.integers(0, PRICE_UNIT))
@thorough
def test_a_price_comes_back_from_every_width_it_can_be_written_in(price: int) -> None:
    text = format_price(price)
    assert re.fullmatch(r"[01]\.\d{4}", text)
    whole, fraction = text.split(".")
    shortest = fraction.rstrip("0")
    for width in range(len(shortest), 7):
        written = f"{whole}.{shortest:0<{width}}" if width else whole
        assert parse_price(written) == price


@given(WHOLE)
@thorough
def test_a_count_comes_back_from_what_it_is_written_as(count: int) -> None:
    text = format_count(count)
    assert parse_count(text) == parse_signed_count(text) == count
    assert parse_signed_count(format_count(-count)) == -count
    assert Decimal(text) * 100 == count
    if count % 10 == 0:
        assert parse_count(text[:-1]) == count
    if count % 100 == 0:
        assert parse_count(text[:-3]) == count


@given(st.integers(-(10**18), 10**18))
@thorough
def test_money_comes_back_from_every_width_it_can_be_written_in(money: int) -> None:
    text = format_money(money)
    assert Decimal(text) * MONEY_UNIT == money
    whole, fraction = text.split(".")
    shortest = fraction.rstrip("0")
    for width in range(len(shortest), 7):
        assert parse_money(f"{whole}.{shortest:0<{width}}" if width else whole) == money


@pytest.mark.parametrize(
    "text",
    [
        "", ".", "-", "+0.42", "-0.42", "0,42", "0.42 ", " 0.42", "0.42\n", ".42", "0.", "0..4", "0.4.2", "4e-1", "4E1",
        "0x1", "0b1", "0_4", "0._4", "1_0", "NaN", "inf", "Infinity", "$0.42", "0.42c", "½", "²",
        "٠.٤٢", "0.４2", "𝟎.𝟒",  # noqa: RUF001  # digits of other scripts are the point
        "0.1234567", "0.4200000", "1.0001", "2", "0.00001", "0.000001", "9" * 5_000, "0." + "0" * 5_000, "0\x00", "--1",
    ],
)  # fmt: skip
def test_what_is_no_price_is_refused(text: str) -> None:
    assert parsed(parse_price, text) is None


@pytest.mark.parametrize("value", [None, 0.42, 1, True, Decimal("0.42"), b"0.42", ["0.42"], {}])
@pytest.mark.parametrize("parser", PARSERS)
def test_what_is_no_text_is_refused(parser: object, value: object) -> None:
    assert parsed(parser, value) is None


@pytest.mark.parametrize("parser", PARSERS)
@pytest.mark.parametrize("text", ["9" * 16, "9" * 100_000, "1." + "0" * 100_000, "-" + "9" * 16, "1e400", "-" * 9])
def test_a_number_beyond_all_meaning_is_refused_at_once(parser: object, text: str) -> None:
    assert parsed(parser, text) is None


@pytest.mark.parametrize(
    ("text", "count"),
    [("10", 1_000), ("10.5", 1_050), ("10.00", 1_000), ("0.47", 47), ("966425.00", 96_642_500), ("0", 0)],
)
def test_the_counts_that_the_exchange_writes(text: str, count: int) -> None:
    assert parse_count(text) == parse_signed_count(text) == count


@pytest.mark.parametrize(("text", "count"), [("-54.00", -5_400), ("-0.01", -1), ("-0.00", 0), ("3", 300)])
def test_a_delta_has_a_sign(text: str, count: int) -> None:
    assert parse_signed_count(text) == count
    if text.startswith("-"):
        assert parsed(parse_count, text) is None


@pytest.mark.parametrize("text", ["0.001", "1.000", "1.005"])
def test_a_count_has_at_most_two_decimals(text: str) -> None:
    assert parsed(parse_count, text) is None


@pytest.mark.parametrize(
    ("money", "text"),
    [(15_930, "0.015930"), (-15_930, "-0.015930"), (0, "0.000000"), (-1, "-0.000001"), (10**10, "10000.000000")],
)
def test_money_is_written_with_all_its_decimals(money: int, text: str) -> None:
    assert format_money(money) == text


@given(st.integers(0, PRICE_UNIT), WHOLE)
def test_price_times_count_is_exact_money(price: int, count: int) -> None:
    assert Decimal(format_money(cost(price, count))) == Decimal(format_price(price)) * Decimal(format_count(count))
    assert cost(price, count) + cost(complement(price), count) == cost(PRICE_UNIT, count)
    assert complement(complement(price)) == price
