import pytest
from hypothesis import given, strategies as st

from kalshi_tui.domain.price import CENT_GRID, PRICE_UNIT, NumberError, PriceGrid, PriceRange
from tests.support.strategies import (
    DECI,
    LINEAR,
    TAPERED,
    grids,
    thorough,
)

ANY_PRICE = st.integers(-5, PRICE_UNIT + 5)


def legal(ranges: tuple[PriceRange, ...]) -> list[int]:
    """Try every price there is against the rule: whole steps from the start of a range, and never 0 or 1 dollar."""
    return [
        price
        for price in range(1, PRICE_UNIT)
        if any(each.start <= price <= each.end and (price - each.start) % each.step == 0 for each in ranges)
    ]


def stepped(sorted_prices: list[int], price: int, ticks: int) -> int:
    """Walk one tick after the other, and stay at the end."""
    for _ in range(abs(ticks)):
        beyond = [p for p in sorted_prices if (p > price if ticks > 0 else p < price)]
        if not beyond:
            return sorted_prices[-1] if ticks > 0 else sorted_prices[0]
        price = beyond[0] if ticks > 0 else beyond[-1]
    return price


@given(grids(), st.lists(ANY_PRICE, min_size=1, max_size=6), st.integers(1, 7))
@thorough
def test_a_grid_agrees_with_trying_every_price(ranges: tuple[PriceRange, ...], asked: list[int], ticks: int) -> None:
    expected = legal(ranges)
    if not expected:
        with pytest.raises(NumberError, match="no legal price"):
            PriceGrid(ranges)
        return
    grid = PriceGrid(ranges)
    assert list(grid) == expected
    assert len(grid) == len(expected)
    for price in asked:
        assert (price in grid) == (price in expected)
        assert grid.at_or_below(price) == max((p for p in expected if p <= price), default=None)
        assert grid.at_or_above(price) == min((p for p in expected if p >= price), default=None)
        assert grid.up(price, ticks) == stepped(expected, price, ticks)
        assert grid.down(price, ticks) == stepped(expected, price, -ticks)


@given(grids())
@thorough
def test_the_other_outcomes_grid_is_the_mirror_image(ranges: tuple[PriceRange, ...]) -> None:
    if not legal(ranges):
        return
    grid = PriceGrid(ranges)
    mirrored = grid.complement()
    assert sorted(PRICE_UNIT - price for price in grid) == list(mirrored)
    assert mirrored.complement() == grid
    assert hash(mirrored.complement()) == hash(grid)
    assert mirrored.finest_step == grid.finest_step


@pytest.mark.parametrize(
    ("grid", "size", "first", "last"), [(LINEAR, 99, 100, 9_900), (DECI, 999, 10, 9_990), (TAPERED, 279, 10, 9_990)]
)
def test_the_grids_of_the_contract(grid: PriceGrid, size: int, first: int, last: int) -> None:
    assert (len(grid), grid.prices[0], grid.prices[-1]) == (size, first, last)
    assert grid.complement() == grid
    assert 0 not in grid
    assert PRICE_UNIT not in grid


@pytest.mark.parametrize(
    ("price", "above", "below"),
    [
        (990, 1_000, 980),
        (1_000, 1_100, 990),
        (8_900, 9_000, 8_800),
        (9_000, 9_010, 8_900),
        (1_050, 1_100, 1_000),
        (995, 1_000, 990),
        (10, 20, 10),
        (9_990, 9_990, 9_980),
    ],
)
def test_a_tapered_grid_changes_its_step_where_it_says(price: int, above: int, below: int) -> None:
    assert TAPERED.up(price) == above
    assert TAPERED.down(price) == below


def test_a_step_needs_a_tick() -> None:
    for ticks in (0, -1):
        with pytest.raises(ValueError, match="one tick"):
            LINEAR.up(5_000, ticks)
        with pytest.raises(ValueError, match="one tick"):
            LINEAR.down(5_000, ticks)


def test_a_range_whose_steps_miss_its_end_is_mirrored_by_its_prices() -> None:
    grid = PriceGrid((PriceRange(1_000, 2_000, 300),))
    assert grid.prices == (1_000, 1_300, 1_600, 1_900)
    assert grid.complement().prices == (8_100, 8_400, 8_700, 9_000)


def test_a_range_may_hold_one_price() -> None:
    assert PriceGrid((PriceRange(5_000, 5_000, 100),)).complement().prices == (5_000,)


@pytest.mark.parametrize(
    ("start", "end", "step"), [(0, 10_001, 100), (-1, 100, 1), (200, 100, 1), (0, 100, 0), (0, 100, -1)]
)
def test_a_range_that_makes_no_sense_is_refused(start: int, end: int, step: int) -> None:
    with pytest.raises(NumberError, match="makes no sense"):
        PriceRange(start, end, step)


def test_no_ranges_and_ranges_of_the_ends_alone_are_refused() -> None:
    for ranges in ((), (PriceRange(0, 10_000, 10_000),), (PriceRange(0, 0, 1),)):
        with pytest.raises(NumberError, match="no legal price"):
            PriceGrid(ranges)


def test_grids_compare_by_their_prices() -> None:
    halves = PriceGrid((PriceRange(0, 5_000, 100), PriceRange(5_000, 10_000, 100)))
    assert halves == CENT_GRID == LINEAR
    assert len({halves, CENT_GRID, LINEAR, DECI}) == 2
    assert halves != DECI
    assert halves != halves.prices
    assert "0.5" not in LINEAR
    assert "PriceRange(start=0" in repr(LINEAR)
