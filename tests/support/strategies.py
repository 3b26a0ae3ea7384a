"""What the domain's tests draw their examples from."""

from typing import Final

from hypothesis import settings, strategies as st

from kalshi_tui.domain.book import Side
from kalshi_tui.domain.order import Action, BookSide, OrderTerms, TimeInForce
from kalshi_tui.domain.price import PRICE_UNIT, PriceGrid, PriceRange
from tests.support.budget import examples

LINEAR: Final = PriceGrid((PriceRange(0, 10_000, 100),))
DECI: Final = PriceGrid((PriceRange(0, 10_000, 10),))
TAPERED: Final = PriceGrid((PriceRange(0, 1_000, 10), PriceRange(1_000, 9_000, 100), PriceRange(9_000, 10_000, 10)))

thorough: Final = settings(deadline=None, max_examples=examples(400))
"""No time limit for one example: a busy machine is no defect."""

prices: Final = st.integers(1, PRICE_UNIT - 1)
"""Prices that an order may have on some grid."""
counts: Final = st.one_of(st.integers(1, 500), st.integers(1, 20_000_000))
precisions: Final = st.sampled_from((100, 10_000))
sides: Final = st.sampled_from(Side)
levels: Final = st.dictionaries(prices, counts, max_size=12)
"""One side of a book: price to count."""
fills: Final = st.lists(
    st.tuples(st.sampled_from(BookSide), st.integers(0, PRICE_UNIT), counts, st.integers(0, 100_000)), max_size=30
)


@st.composite
def uncrossed_books(draw: st.DrawFn) -> tuple[dict[int, int], dict[int, int]]:
    """Draw YES and NO bids that would not trade with each other, as an exchange's book is."""
    between = draw(st.integers(1, PRICE_UNIT))
    yes = draw(st.dictionaries(st.integers(1, between - 1), counts, max_size=10)) if between > 1 else {}
    room = PRICE_UNIT - between
    no = draw(st.dictionaries(st.integers(1, room), counts, max_size=10)) if room else {}
    return yes, no


@st.composite
def grids(draw: st.DrawFn) -> tuple[PriceRange, ...]:
    """Draw the ranges of a market: known kinds and any others, also those whose steps miss their end."""
    known = draw(st.sampled_from((None, LINEAR, DECI, TAPERED)))
    if known is not None:
        return known.ranges
    ranges = []
    for _ in range(draw(st.integers(1, 4))):
        start, end = sorted((draw(st.integers(0, PRICE_UNIT)), draw(st.integers(0, PRICE_UNIT))))
        ranges.append(PriceRange(start, end, draw(st.one_of(st.sampled_from((1, 10, 100)), st.integers(7, 3_000)))))
    return tuple(ranges)


@st.composite
def order_terms(draw: st.DrawFn) -> OrderTerms:
    """Draw the terms of an order that is well formed in itself."""
    tif = draw(st.sampled_from(TimeInForce))
    return OrderTerms(
        ticker="T",
        side=draw(sides),
        action=draw(st.sampled_from(Action)),
        price=draw(prices),
        count=draw(counts),
        tif=tif,
        post_only=tif is TimeInForce.GTC and draw(st.booleans()),
    )
