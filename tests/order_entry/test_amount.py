from contextlib import suppress

import pytest
from hypothesis import given, strategies as st

from kalshi_tui.domain.price import PRICE_UNIT, NumberError, format_count, format_price
from kalshi_tui.order_entry.amount import parse_amount, parse_explicit_price


@given(st.integers(1, 10**12), st.integers(1, PRICE_UNIT - 1))
def test_dollars_and_cents_read_the_same(count: int, price: int) -> None:
    whole, part = divmod(price, 100)
    assert parse_amount(f"{format_count(count)}@{format_price(price)}") == (count, price)
    assert parse_amount(f"{format_count(count)}@{whole}.{part:02d}c") == (count, price)


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("10@0.42", (1_000, 4_200)),
        ("10@42c", (1_000, 4_200)),
        ("10@0.4215", (1_000, 4_215)),
        ("10@42.15c", (1_000, 4_215)),
        ("2.5@0.001", (250, 10)),
        ("0.01@99.9c", (1, 9_990)),
    ],
)
def test_the_forms_of_the_help(text: str, read: tuple[int, int]) -> None:
    assert parse_amount(text) == read


@pytest.mark.parametrize(
    "text",
    [
        *("", "10", "@0.42", "10@", "10@42", "10@0", "10@1", "10@1.0", "10@100c", "10@0c", "0@0.42", "-1@0.42"),
        *("1e3@0.42", "10@.42.1", "10@0.42155", "10@42.155c", "10.005@0.42", "10@0.42@1", "10 @0.42", "10@c"),
        *("\u0661\u0660@0.42", "10@0,42", "nan@0.42", "10@" + "9" * 5_000, "9" * 5_000 + "@0.42"),
    ],
)
def test_what_could_be_misread_is_refused_in_a_sentence(text: str) -> None:
    with pytest.raises(NumberError) as raised:
        parse_amount(text)
    sentence = str(raised.value)
    assert sentence.endswith(".")
    assert len(sentence) < 250


@given(st.text(max_size=40))
def test_no_text_is_more_than_a_number_or_a_sentence(text: str) -> None:
    with suppress(NumberError):
        assert 0 < parse_explicit_price(text) < PRICE_UNIT
