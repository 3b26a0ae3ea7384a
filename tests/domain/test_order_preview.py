"""What a ticket says an order would do, against nothing but arithmetic on the fills themselves."""

from dataclasses import replace
from fractions import Fraction
from math import ceil

import pytest
from hypothesis import assume, given, settings, strategies as st

from kalshi_tui.domain.book import Book, Side
from kalshi_tui.domain.fees import FeeSchedule, FeeType
from kalshi_tui.domain.market import Market, MarketStatus
from kalshi_tui.domain.order import Action, BookSide, OrderTerms, TimeInForce, floor_reason
from kalshi_tui.domain.order_preview import (
    OrderPreview,
    estimate_execution,
    max_affordable_count,
    max_fee,
    opening_risk,
    project_position,
    would_cross,
)
from kalshi_tui.domain.position import Position
from kalshi_tui.domain.price import PRICE_UNIT, parse_price

FEES = FeeSchedule(FeeType.QUADRATIC)
LEVELS = st.dictionaries(
    st.one_of(st.integers(1, 60).map(lambda cents: cents * 100), st.integers(1, 600).map(lambda tenths: tenths * 10)),
    st.integers(1, 5_000),
    max_size=4,
)
TERMS = st.builds(
    OrderTerms,
    ticker=st.just("T"),
    side=st.sampled_from(Side),
    action=st.sampled_from(Action),
    price=st.one_of(
        st.integers(1, 99).map(lambda cents: cents * 100), st.integers(1, 999).map(lambda tenths: tenths * 10)
    ),
    count=st.integers(1, 8_000),
    tif=st.sampled_from(TimeInForce),
    post_only=st.booleans(),
    reduce_only=st.booleans(),
)


@st.composite
def books(draw: st.DrawFn) -> Book:
    """Draw a book that is not crossed."""
    yes, no = draw(LEVELS), draw(LEVELS)
    best = max(yes, default=0)
    book = Book()
    book.snapshot(sorted(yes.items()), sorted((price, size) for price, size in no.items() if price + best < PRICE_UNIT))
    return book


@st.composite
def positions(draw: st.DrawFn) -> Position | None:
    count = draw(st.integers(-4_000, 4_000))
    return Position("T", count, abs(count) * draw(st.integers(100, 9_900))) if count else None


def taken(terms: OrderTerms, book: Book) -> list[tuple[int, int]]:
    """Work out the fills again, level by level in YES prices, in another way than the program does."""
    bids = terms.book_side is BookSide.BID
    levels = sorted((PRICE_UNIT - p, c) for p, c in zip(book.no.prices, book.no.counts, strict=True))
    if not bids:
        levels = sorted(zip(book.yes.prices, book.yes.counts, strict=True), reverse=True)
    limit, left, found = terms.yes_price, terms.count, []
    for price, count in levels:
        if left and (price <= limit if bids else price >= limit):
            found.append((price, min(left, count)))
            left -= found[-1][1]
    if (terms.post_only and found) or (terms.tif is TimeInForce.FOK and left):
        return []
    return found


@given(TERMS, books())
def test_what_fills_now(terms: OrderTerms, book: Book) -> None:
    fills = taken(terms, book)
    seen = estimate_execution(terms, book, FEES)
    assert seen.fills_now == sum(count for _, count in fills)
    own = [(price if terms.side is Side.YES else PRICE_UNIT - price, count) for price, count in fills]
    assert seen.fill_value == sum(price * count for price, count in own)
    crosses = bool(taken(replace(terms, post_only=False, tif=TimeInForce.IOC), book))
    assert would_cross(terms, book) is crosses
    rests = terms.tif is TimeInForce.GTC and not (terms.post_only and crosses)
    assert seen.rests == (terms.count - seen.fills_now if rests else 0)


@given(TERMS, books(), positions(), st.sampled_from([0, 3_000, PRICE_UNIT]))
def test_a_projection_neither_makes_nor_loses_money(
    terms: OrderTerms, book: Book, position: Position | None, worth: int
) -> None:
    """Whatever a YES will be worth: cash and payout after are those before, plus what the fills themselves gain."""
    seen = project_position(terms, book, position)
    fills = taken(terms, book)
    left = terms.count - sum(count for _, count in fills)
    if terms.tif is TimeInForce.GTC and not (terms.post_only and would_cross(terms, book)) and left:
        fills = [*fills, (terms.yes_price, left)]
    sign = 1 if terms.book_side is BookSide.BID else -1
    if terms.reduce_only:
        room = max(0, -sign * position.count) if position else 0
        cut = []
        for price, count in fills:
            cut.append((price, min(count, room)))
            room -= cut[-1][1]
        fills = cut
    gain = sum(sign * count * (worth - price) for price, count in fills)
    before = position.settled(worth) if position else 0
    assert seen.after.settled(worth) + seen.cash_change == before + gain
    assert seen.opened + seen.closed == sum(count for _, count in fills)
    assert seen.after.count == (position.count if position else 0) + sign * sum(count for _, count in fills)


@given(TERMS, books(), positions(), st.integers(0, 10_000))
def test_opening_breaks_even_exactly_where_it_is_said(
    terms: OrderTerms, book: Book, position: Position | None, fee_cents: int
) -> None:
    fee = fee_cents * 100
    # On the side that is held already, so that it opens: too few examples would be left of those that may close.
    terms = replace(terms, reduce_only=False)
    if position is not None:
        sign = 1 if terms.book_side is BookSide.BID else -1
        position = replace(position, count=sign * abs(position.count))
    seen = project_position(terms, book, position)
    assume(seen.opened and not seen.closed)
    at = seen.break_even(fee)
    assert at is not None
    # The expected payout at that probability covers cost and fee, and one unit lower it does not.
    assert seen.opened * at >= seen.open_cost + fee
    assert seen.opened * (at - 1) < seen.open_cost + fee
    assert seen.profit_if_right(fee) == seen.opened * PRICE_UNIT - seen.open_cost - fee


@given(TERMS, books(), st.integers(1, 4_000))
def test_closing_pays_down_to_where_it_is_said(terms: OrderTerms, book: Book, held: int) -> None:
    closing = replace(terms, reduce_only=True, post_only=False, tif=TimeInForce.GTC)
    sign = 1 if terms.book_side is BookSide.BID else -1
    seen = project_position(closing, book, Position("T", -sign * held, held * 5_000))
    assert seen.closed == min(held, terms.count)
    assert seen.opened == 0
    at = seen.break_even(0)
    assert at is not None
    assert seen.closed * at <= seen.close_value < seen.closed * (at + 1)


def test_an_order_that_does_both_has_no_one_break_even() -> None:
    book = Book()
    both = OrderTerms("T", Side.YES, Action.SELL, 4_000, 1_000)
    assert project_position(both, book, Position("T", 400, 400 * 3_000)).break_even(0) is None


@given(TERMS, positions(), st.integers(0, 50_000_000))
def test_the_most_that_cash_pays_for(terms: OrderTerms, position: Position | None, cash: int) -> None:
    most, step = max_affordable_count(terms, cash, FEES, position), 100
    assert most is not None

    def needed(count: int) -> int:
        tried = replace(terms, count=count)
        return opening_risk(tried, position) + (max_fee(tried, FEES) or 0)

    assert most % step == 0
    assert not most or needed(most) <= cash
    assert needed(most + step) > cash


@pytest.mark.parametrize(
    ("side", "action", "price", "position", "after", "cash"),
    [
        (Side.YES, Action.BUY, 4_000, 0, 1_000, -4_000_000),
        (Side.YES, Action.BUY, 4_000, -400, 600, -2_400_000 + 400 * 6_000),
        (Side.YES, Action.SELL, 4_000, 1_000, 0, 4_000_000),
        (Side.YES, Action.SELL, 4_000, 0, -1_000, -6_000_000),
        (Side.NO, Action.BUY, 4_000, 0, -1_000, -4_000_000),
        (Side.NO, Action.SELL, 4_000, -1_000, 0, 4_000_000),
        (Side.NO, Action.SELL, 4_000, 0, 1_000, -6_000_000),
    ],
)
def test_position_and_cash_after(side: Side, action: Action, price: int, position: int, after: int, cash: int) -> None:
    held = Position("T", position, abs(position) * 5_000) if position else None
    seen = project_position(OrderTerms("T", side, action, price, 1_000), Book(), held)
    assert (seen.after.count, seen.cash_change) == (after, cash)


def dollars(money: int) -> Fraction:
    return Fraction(money, 1_000_000)


def charged(revenues: list[tuple[Fraction, Fraction]], precision: Fraction) -> Fraction:
    """Return an order's fees, of each fill's revenue and exact trade fee, by the exchange's page, in dollars."""
    micro, held_back, fees = Fraction(1, 1_000_000), Fraction(0), Fraction(0)
    for revenue, exact in revenues:
        trade_fee = ceil(exact / micro) * micro
        rounding = (revenue - trade_fee) % precision
        held_back += rounding
        steps = min(held_back // precision, (trade_fee + rounding) // precision) if held_back > precision else 0
        held_back -= steps * precision
        fees += trade_fee + rounding - steps * precision
    return fees


@given(TERMS, books(), st.sampled_from([100, 10_000]), st.integers(0, 2_000_000), st.booleans())
@settings(max_examples=400)
def test_no_order_costs_more_than_its_ticket_says(
    terms: OrderTerms, book: Book, precision: int, multiplier: int, rest_takes: bool
) -> None:
    """Fill it level by level, the rest at its limit as maker or taker: fee and loss stay within what was said."""
    terms = replace(terms, reduce_only=False, tif=TimeInForce.GTC, post_only=False)
    schedule = FeeSchedule(FeeType.QUADRATIC_WITH_MAKER_FEES, multiplier)
    seen = OrderPreview.of(terms, book, schedule, None, precision=precision)
    fills = [(price, count, True) for price, count in taken(terms, book)]
    if rest := terms.count - sum(count for _, count, _ in fills):
        fills.append((terms.yes_price, rest, rest_takes))
    revenues, lost = [], Fraction(0)
    for yes_price, count, taker in fills:
        price = Fraction(yes_price, PRICE_UNIT)
        contracts = Fraction(count, 100)
        cost = contracts * (price if terms.book_side is BookSide.BID else 1 - price)
        rate = Fraction(7, 100) if taker else Fraction(175, 10_000)
        revenues.append((-cost, Fraction(multiplier, 1_000_000) * rate * contracts * price * (1 - price)))
        lost += cost
    fees = charged(revenues, dollars(precision))
    assert seen.execution.fee_at_most is not None
    assert seen.worst_loss is not None
    assert fees <= dollars(seen.execution.fee_at_most)
    assert lost + fees <= dollars(seen.worst_loss)


@given(TERMS, books(), st.integers(1, 20), st.integers(0, 2_000_000))
@settings(max_examples=400)
def test_no_whole_order_costs_more_in_however_many_fills(
    terms: OrderTerms, book: Book, pieces: int, multiplier: int
) -> None:
    """Members with a precision of a cent: each level of whole contracts may be many makers."""
    whole = Book()
    whole.snapshot(
        *(
            [(p, -(-c // 100) * 100) for p, c in zip(side.prices, side.counts, strict=True)]
            for side in (book.yes, book.no)
        )
    )
    terms = replace(terms, reduce_only=False, tif=TimeInForce.GTC, post_only=False, count=-(-terms.count // 100) * 100)
    seen = OrderPreview.of(terms, whole, FeeSchedule(FeeType.QUADRATIC, multiplier), None)
    fills = taken(terms, whole)
    if rest := terms.count - sum(count for _, count in fills):
        fills.append((terms.yes_price, rest))
    revenues, lost = [], Fraction(0)
    for yes_price, count in fills:
        price = Fraction(yes_price, PRICE_UNIT)
        # All but the last piece is of one contract.
        contracts = count // 100
        small = min(pieces, contracts - 1)
        for each in [1] * small + [contracts - small]:
            cost = each * (price if terms.book_side is BookSide.BID else 1 - price)
            revenues.append((-cost, Fraction(multiplier, 1_000_000) * Fraction(7, 100) * each * price * (1 - price)))
            lost += cost
    fees = charged(revenues, Fraction(1, 100))
    assert seen.execution.fee_at_most is not None
    assert seen.worst_loss is not None
    assert fees <= dollars(seen.execution.fee_at_most)
    assert lost + fees <= dollars(seen.worst_loss)


def test_what_depends_on_an_unknown_fee_is_unknown() -> None:
    terms = OrderTerms("T", Side.YES, Action.BUY, 4_000, 100)
    for fees in (None, FeeSchedule(FeeType.FLAT)):
        seen = OrderPreview.of(terms, Book(), fees, None)
        assert (seen.fee, seen.worst_loss) == (None, None)
        assert max_affordable_count(terms, 10_000_000, fees, None) is None


def test_an_unknown_fee_type_is_not_free() -> None:
    seen = estimate_execution(OrderTerms("T", Side.YES, Action.BUY, 4_000, 100), Book(), FeeSchedule(FeeType.UNKNOWN))
    assert seen.fee_at_most is None
    assert seen.maker_fee is None


def test_a_maker_pays_what_the_series_says() -> None:
    terms = OrderTerms("T", Side.YES, Action.BUY, 5_000, 10_000)
    free, paying = FeeSchedule(FeeType.QUADRATIC), FeeSchedule(FeeType.QUADRATIC_WITH_MAKER_FEES)
    assert (estimate_execution(terms, Book(), free).fee_at_most, estimate_execution(terms, Book(), free).maker_fee) == (
        1_760_000,
        0,
    )
    assert estimate_execution(terms, Book(), paying).maker_fee == 440_000
    combo = FeeSchedule(FeeType.QUADRATIC_WITH_COMBO_MAKER_FEES)
    # A combo order that rested under 5 s may pay as a taker.
    assert estimate_execution(terms, Book(), combo).maker_fee == 1_760_000


@given(TERMS, st.integers(0, 9_999))
def test_a_settlement_floor_forbids_prices_at_or_below_it_for_either_outcome(terms: OrderTerms, floor: int) -> None:
    market = Market("T", "E", status=MarketStatus.ACTIVE, settlement_floor=floor)
    against = floor_reason(terms, market)
    assert (against is not None) is (floor > 0 and terms.yes_price <= floor)
    assert floor_reason(terms, replace(market, settlement_floor=None)) is None
    if against is not None:
        # The price that it names is the first that will not do.
        named = parse_price(against.rpartition(" ")[2].rstrip("."))
        at_floor = replace(terms, price=named)
        above = replace(terms, price=named + (1 if terms.side is Side.YES else -1))
        assert floor_reason(at_floor, market) is not None
        assert floor_reason(above, market) is None
