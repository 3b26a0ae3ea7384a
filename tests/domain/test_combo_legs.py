"""What a combo's legs say of its price."""

from fractions import Fraction
from math import ceil, floor, prod

from hypothesis import given, strategies as st

from kalshi_tui.domain.book import Side
from kalshi_tui.domain.combo_legs import leg_quotes, product
from kalshi_tui.domain.market import ComboLeg, Market, Quote
from kalshi_tui.domain.price import PRICE_UNIT
from kalshi_tui.domain.text import market_text


def test_a_leg_is_priced_by_its_own_side() -> None:
    yes, no = ComboLeg("A-1", "A", Side.YES), ComboLeg("B-1", "B", Side.NO)
    quotes = {"A-1": Quote(yes_bid=4_000, yes_ask=4_200), "B-1": Quote(yes_bid=1_000, yes_ask=1_500)}
    assert [(each.bid, each.ask) for each in leg_quotes([yes, no], quotes)] == [(4_000, 4_200), (8_500, 9_000)]
    assert [(each.bid, each.ask) for each in leg_quotes([no], {})] == [(None, None)]
    settled = ComboLeg("B-1", "B", Side.NO, settlement_value=250_000)
    assert [(each.bid, each.ask) for each in leg_quotes([settled], quotes)] == [(7_500, 7_500)]


@given(st.lists(st.integers(1, PRICE_UNIT), min_size=1, max_size=8))
def test_the_product_is_exact(prices: list[int]) -> None:
    exact = prod(Fraction(price, PRICE_UNIT) for price in prices) * PRICE_UNIT
    assert product(prices) == floor(exact)
    assert product(prices, up=True) == ceil(exact)


def test_a_leg_without_a_price_leaves_the_product_unknown_unless_another_is_lost() -> None:
    assert product([5_000, None]) is None
    assert product([]) is None
    assert product([0, None]) == 0


def test_the_parts_of_a_combo_are_told_apart_and_their_own_commas_stay() -> None:
    combo = Market("C-1", "C", yes_sub_title="yes New York,no Over 8,500 points", legs=(ComboLeg("A", "B", Side.YES),))
    assert market_text(combo) == "Combo: yes New York, no Over 8,500 points"
