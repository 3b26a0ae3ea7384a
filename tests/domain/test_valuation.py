"""What a position is worth: the whole count, down the book of others, after fees."""

from dataclasses import replace

import pytest
from hypothesis import given, strategies as st

from kalshi_tui.domain.book import Book
from kalshi_tui.domain.fees import CENT, CENTICENT, FeeSchedule, FeeType
from kalshi_tui.domain.market import Market, MarketStatus, Quote
from kalshi_tui.domain.order import BookSide, Order, OrderState
from kalshi_tui.domain.position import Position
from kalshi_tui.domain.price import MONEY_UNIT, PRICE_UNIT, parse_money
from kalshi_tui.domain.valuation import PositionsTotal, PositionValue, ValuedPosition, value_position

FREE = FeeSchedule(FeeType.QUADRATIC, 0)
PAID = FeeSchedule(FeeType.QUADRATIC)
OPEN = Market("T", "E", status=MarketStatus.ACTIVE, fees=FREE)


def a_book(yes: dict[int, int], no: dict[int, int] | None = None) -> Book:
    book = Book()
    book.snapshot(yes.items(), (no or {}).items())
    return book


def bid(yes_price: int, count: int, side: BookSide = BookSide.BID, name: str = "o") -> Order:
    return Order(name, name, "T", side, yes_price, count, 0, count, OrderState.RESTING)


def worth(
    count: int, book: Book | None, *own: Order, market: Market = OPEN, quote: Quote | None = None
) -> PositionValue | None:
    return value_position(market, count, book=book, quote=quote, own=own, precision=CENTICENT)


def test_an_own_bid_and_a_bid_for_one_leave_a_large_position_where_the_book_has_it() -> None:
    held = Position("T", 100_000, 500 * MONEY_UNIT)
    thirty = {3_000: 200_000}
    alone = worth(held.count, a_book(thirty))
    assert ValuedPosition(held, alone).gain == -200 * MONEY_UNIT
    with_own = worth(held.count, a_book({**thirty, 5_500: 100}), bid(5_500, 100))
    assert with_own == alone
    stranger = worth(held.count, a_book({**thirty, 5_500: 100}))
    assert stranger is not None
    assert stranger.best_price == 5_500
    assert ValuedPosition(held, stranger).gain == parse_money("-199.75")


def test_what_nobody_bids_for_brings_nothing_and_is_counted() -> None:
    found = worth(100_000, a_book({3_000: 30_000, 2_900: 8_000}))
    assert found is not None
    assert (found.unsold, found.value) == (62_000, parse_money("113.2"))
    nobody = worth(100_000, a_book({3_000: 100}), bid(3_000, 100))
    assert nobody is not None
    assert (nobody.unsold, nobody.value, nobody.best_price) == (100_000, 0, None)


def test_no_is_sold_to_those_who_bid_for_no() -> None:
    found = worth(-1_000, a_book({4_000: 9_900}, {3_500: 400, 3_400: 900}), bid(6_500, 100, BookSide.ASK))
    assert found is not None
    assert found.proceeds == 3_500 * 300 + 3_400 * 700


def test_the_fees_of_the_sale_are_taken_off_price_by_price() -> None:
    market = replace(OPEN, fees=PAID)
    found = worth(1_000, a_book({5_000: 400, 4_000: 600}), market=market)
    assert found is not None
    # 0.07 x 4 x 0.25 and 0.07 x 6 x 0.24, each a whole multiple of $0.0001.
    assert found.fee == parse_money("0.07") + parse_money("0.1008")
    assert found.value == parse_money("4.40") - parse_money("0.1708")
    unknown = worth(1_000, a_book({5_000: 1_000}), market=replace(OPEN, fees=None))
    assert unknown is not None
    assert unknown.value is None


@pytest.mark.parametrize(
    ("quote", "own", "known"),
    [
        (Quote(yes_bid=3_000, yes_bid_size=1_000), (), True),
        (Quote(yes_bid=3_000, yes_bid_size=999), (), False),
        (Quote(yes_bid=3_000, yes_bid_size=1_000), (bid(3_000, 100),), False),
        (Quote(yes_bid=3_000, yes_bid_size=1_100), (bid(3_000, 100),), True),
        (Quote(), (), False),
    ],
)
def test_without_a_book_a_quote_tells_where_its_best_price_takes_all(
    quote: Quote, own: tuple[Order, ...], known: bool
) -> None:
    found = worth(1_000, None, *own, quote=quote)
    assert (found is not None) is known
    assert found is None or found.value == 3_000_000


@pytest.mark.parametrize(
    ("status", "result", "settled", "yes", "no"),
    [
        (MarketStatus.DETERMINED, "yes", None, 10_000_000, 0),
        (MarketStatus.FINALIZED, "no", None, 0, 10_000_000),
        (MarketStatus.AMENDED, "scalar", parse_money("0.4225"), 4_225_000, 5_775_000),
        (MarketStatus.DISPUTED, "yes", MONEY_UNIT, None, None),
        (MarketStatus.CLOSED, "", None, None, None),
        (MarketStatus.INACTIVE, "", None, None, None),
    ],
)
def test_a_result_is_worth_its_payout_and_where_nothing_trades_nobody_knows(
    status: MarketStatus, result: str, settled: int | None, yes: int | None, no: int | None
) -> None:
    market = replace(OPEN, status=status, result=result, settlement_value=settled)
    book = a_book({3_000: 100_000}, {3_000: 100_000})
    values = [worth(count, book, market=market) for count in (1_000, -1_000)]
    assert [None if each is None else each.value for each in values] == [yes, no]


def test_a_total_is_known_if_every_value_is_and_keeps_what_was_closed() -> None:
    closed = ValuedPosition(Position("A", 0, 0, 2_000_000, 70_000), None)
    held = ValuedPosition(Position("B", 1_000, 4_000_000, 0, 10_000), PositionValue(1_000, 5_000_000, 20_000))
    total = PositionsTotal.of([closed, held])
    assert (total.value, total.gain, total.realized, total.fees) == (4_980_000, 980_000, 2_000_000, 80_000)
    assert total.net == 980_000 + 2_000_000 - 80_000
    unknown = PositionsTotal.of([held, ValuedPosition(Position("C", 100, 5), None)])
    assert (unknown.value, unknown.net, unknown.known, unknown.held) == (None, None, 1, 2)


LEVELS = st.dictionaries(st.integers(1, 98).map(lambda cents: cents * 100), st.integers(1, 5_000), max_size=6)


@given(bids=LEVELS, own=LEVELS, held=st.integers(1, 10_000), precision=st.sampled_from([CENT, CENTICENT]))
def test_an_own_bid_changes_nothing_and_more_is_never_worth_less(
    bids: dict[int, int], own: dict[int, int], held: int, precision: int
) -> None:
    orders = [bid(price, count, name=str(price)) for price, count in own.items()]
    crowded = {price: bids.get(price, 0) + own.get(price, 0) for price in bids.keys() | own.keys()}
    market = replace(OPEN, fees=PAID)
    alone = value_position(market, held, book=a_book(bids), quote=None, own=(), precision=precision)
    beside = value_position(market, held, book=a_book(crowded), quote=None, own=orders, precision=precision)
    assert alone == beside
    assert alone is not None
    left = held
    brought = 0
    for price, count in sorted(bids.items(), reverse=True):
        brought += min(left, count) * price
        left -= min(left, count)
    assert (alone.proceeds, alone.unsold) == (brought, left)
    assert alone.fee is not None
    assert 0 <= alone.fee <= alone.proceeds + precision
    assert (alone.proceeds - alone.fee) % precision == 0
    assert alone.proceeds <= held * PRICE_UNIT
