"""The ladder's rows: each level on one row, exact, the same from both sides; depth, gain, header and columns."""

from dataclasses import replace

import pytest
from hypothesis import given, strategies as st

from kalshi_tui.domain.book import Side
from kalshi_tui.domain.link import BookTrust
from kalshi_tui.domain.market import MarketStatus
from kalshi_tui.domain.order import BookSide, OrderState
from kalshi_tui.domain.price import CENT_GRID, PriceGrid, PriceRange
from kalshi_tui.presentation.lines import cell_count, plain_text
from kalshi_tui.session.market_data.store import LiveBook
from kalshi_tui.ui.ladder.rows import (
    LadderSnapshot,
    OwnRowOrders,
    PriceLadder,
    build_ladder_rows,
    depth_near_mid,
    doubled_market_price,
    doubled_price_outside,
    imbalance_percent,
    off_grid_prices,
    own_orders_by_row,
    resting_orders_at,
)
from kalshi_tui.ui.ladder.view import (
    LadderColumns,
    ladder_column_heading,
    ladder_header,
    ladder_lines,
)
from tests.support.fake_desk import (
    TAPERED,
    TITLES,
    a_market,
    a_position,
    an_order,
)

FIRST = TITLES[0][0]
FINEST = PriceGrid((PriceRange(0, 10_000, 1),))
Levels = list[tuple[int, int]]


def live(yes: Levels, no: Levels) -> LiveBook:
    made = LiveBook(trust=BookTrust.GOOD, why="")
    made.book.snapshot(yes, no)
    return made


def seen(yes: Levels, no: Levels, side: Side = Side.YES, grid: PriceGrid = CENT_GRID) -> LadderSnapshot:
    book = live(yes, no)
    return LadderSnapshot(
        PriceLadder.from_grid(grid, side, off_grid_prices(book.book, frozenset(grid.prices))),
        book,
        a_market(FIRST, grid=grid),
        {},
    )


def texts(what: LadderSnapshot, top: int, rows: int, width: int = 93, cursor: int | None = None) -> list[str]:
    return [plain_text(each) for each in ladder_lines(what, top, rows, width, cursor)]


side_of_book = st.dictionaries(st.integers(1, 9_999), st.integers(1, 1_000_000), max_size=40).map(
    lambda levels: list(levels.items())
)


@given(
    side_of_book, side_of_book, st.sampled_from([CENT_GRID, TAPERED, FINEST]), st.sampled_from(Side), st.integers(1, 70)
)
def test_every_level_stands_on_exactly_one_row_with_its_exact_count(
    yes: Levels, no: Levels, grid: PriceGrid, side: Side, height: int
) -> None:
    what = seen(yes, no, side, grid)
    # Window by window, as the screen would show them.
    rows = [row for top in range(0, len(what.ladder), height) for row in build_ladder_rows(what, top, height)]
    prices = [row.price for row in rows]
    assert prices == sorted(set(prices), reverse=True)
    legal = {price if side is Side.YES else 10_000 - price for price in grid.prices}
    assert legal <= set(prices)
    own, other = (yes, no) if side is Side.YES else (no, yes)
    assert {row.price: row.bid for row in rows if row.bid} == dict(own)
    assert {row.price: row.ask for row in rows if row.ask} == {10_000 - price: count for price, count in other}
    for row in rows:
        assert row.bid_depth == sum(count for price, count in own if price >= row.price)
        assert row.ask_depth == sum(count for price, count in other if 10_000 - price <= row.price)


@given(side_of_book, side_of_book)
def test_the_mirrored_ladder_holds_the_same(yes: Levels, no: Levels) -> None:
    upright, mirrored = (build_ladder_rows(seen(yes, no, side, FINEST), 0, len(FINEST)) for side in (Side.YES, Side.NO))
    assert [(row.price, row.bid, row.ask, row.bid_depth, row.ask_depth) for row in upright] == [
        (10_000 - row.price, row.ask, row.bid, row.ask_depth, row.bid_depth) for row in reversed(mirrored)
    ]


@given(side_of_book, side_of_book, st.sampled_from(Side), st.integers(34, 120), st.booleans())
def test_every_row_has_its_width_and_names_every_count_that_has_room(
    yes: Levels, no: Levels, side: Side, width: int, held: bool
) -> None:
    what = seen(yes, no, side, TAPERED)
    what = replace(what, position=a_position() if held else None)
    heading = ladder_column_heading(what, width)
    for row in ladder_lines(what, 0, len(what.ladder), width):
        assert cell_count(row) == cell_count(heading) <= width


def test_only_the_window_is_built() -> None:
    what = seen([(4_700, 100)], [(5_200, 100)], grid=FINEST)
    assert [row.price for row in build_ladder_rows(what, 0, 3)] == [9_999, 9_998, 9_997]
    assert [row.price for row in build_ladder_rows(what, 9_996, 50)] == [3, 2, 1]
    assert build_ladder_rows(what, 5, 0) == []


@pytest.mark.parametrize(
    ("doubled", "rows", "first", "last"),
    [
        (9_500, 9, 5_200, 4_400),
        (9_500, 10, 5_200, 4_300),
        (9_400, 9, 5_100, 4_300),
        (300, 9, 900, 100),
        (19_800, 9, 9_900, 9_100),
        (9_500, 400, 9_900, 100),
    ],
)
def test_the_market_is_brought_to_the_middle(doubled: int, rows: int, first: int, last: int) -> None:
    for side in Side:
        ladder = PriceLadder.from_grid(CENT_GRID, side)
        window = ladder.window_prices(ladder.top_centered_on(doubled, rows), rows)
        assert (window[0], window[-1]) == (first, last)


def test_a_level_off_the_grid_has_a_row_of_its_own_in_its_full_price() -> None:
    what = seen([(4_705, 300)], [(5_200, 100)])
    rows = texts(what, what.ladder.row_of(4_800), 3)
    assert "0.4800" in rows[0]
    assert "0.4705" in rows[1]
    assert " 3 " in rows[1].split("0.4705")[0]
    assert "0.4700" in rows[2]


def test_the_middle_is_the_only_best_price_or_the_last_trade_where_there_is_no_other() -> None:
    assert doubled_market_price(live([(4_000, 1)], [(5_000, 1)]).book, Side.YES, 100) == 9_000
    assert doubled_market_price(live([(4_000, 1)], []).book, Side.YES, 100) == 8_000
    assert doubled_market_price(live([], [(3_000, 1)]).book, Side.YES, 100) == 14_000
    assert doubled_market_price(live([], []).book, Side.YES, 100) == 200
    assert doubled_market_price(live([], []).book, Side.YES, None) is None


# What is the trader's own.


def test_own_orders_stand_in_their_row_with_their_place_in_the_queue() -> None:
    what = seen([(4_600, 121_550)], [(4_700, 523_500)])
    orders = [
        an_order(),
        an_order(order_id="o2", book_side=BookSide.ASK, yes_price=5_300, remaining=15_750),
        an_order(order_id="o3", book_side=BookSide.ASK, yes_price=5_300, remaining=250),
        an_order(order_id="o4", yes_price=5_300, state=OrderState.CANCELED, remaining=0),
        an_order(order_id="o5", yes_price=4_500, ticker="ELSE"),
    ]
    own = own_orders_by_row(orders, FIRST, {"o1": 120_000, "o2": 300, "o3": 200})
    assert own == {
        (BookSide.BID, 4_600): OwnRowOrders(1, 1_000, 120_000),
        (BookSide.ASK, 5_300): OwnRowOrders(2, 16_000, 200),
    }
    row = texts(replace(what, own=own), what.ladder.row_of(4_600), 1)[0]
    assert row.startswith("*10/1,200 ")
    row = texts(replace(what, own=own), what.ladder.row_of(5_300), 1)[0]
    assert row.rstrip().endswith("2*160/2")
    # From the other side the same orders stand opposite.
    other = replace(what, ladder=PriceLadder.from_grid(CENT_GRID, Side.NO), own=own)
    assert texts(other, other.ladder.row_of(5_400), 1)[0].rstrip().endswith("*10/1,200")
    assert texts(other, other.ladder.row_of(4_700), 1)[0].startswith("2*160/2 ")


def test_a_count_with_no_room_is_shortened_never_cut() -> None:
    what = seen([(4_600, 123_456_789)], [])
    own = {(BookSide.BID, 4_600): OwnRowOrders(3, 12_345_678, 98_765_432)}
    row = texts(replace(what, own=own), what.ladder.row_of(4_600), 1, width=39)[0]
    assert row.split("0.46")[0].split() == ["3*123k", "1.2M"]


def test_an_unknown_place_in_the_queue_is_left_out() -> None:
    assert own_orders_by_row([an_order()], FIRST, {}) == {(BookSide.BID, 4_600): OwnRowOrders(1, 1_000, None)}
    what = replace(seen([], []), own=own_orders_by_row([an_order()], FIRST, {}))
    assert texts(what, what.ladder.row_of(4_600), 1)[0].startswith("*10 ")


def test_the_orders_of_a_row_are_those_that_rest_there() -> None:
    orders = [
        an_order(),
        an_order(order_id="o2", yes_price=4_700),
        an_order(order_id="o3", ticker="ELSE"),
        an_order(order_id="o4", state=OrderState.UNKNOWN),
        an_order(order_id="o5", book_side=BookSide.ASK),
    ]
    assert [order.order_id for order in resting_orders_at(orders, FIRST, 4_600)] == ["o1", "o5"]


@pytest.mark.parametrize(
    ("count", "cost", "at", "gain", "words"),
    [
        (1_000, 4_700_000, 4_700, 0, "$0.00"),
        (1_000, 4_700_000, 5_300, 600_000, "+$0.60"),
        (1_000, 4_700_000, 4_600, -100_000, "-$0.10"),
        (-2_000, 10_000_000, 4_700, 600_000, "+$0.60"),
        (-2_000, 10_000_000, 5_300, -600_000, "-$0.60"),
        (33, 154_321, 4_700, 779, "$0.00"),
    ],
)
def test_what_closing_here_gains_is_exact(count: int, cost: int, at: int, gain: int, words: str) -> None:
    position = a_position(count=count, cost=cost, fees_paid=99)
    for side in Side:
        what = replace(seen([], [], side), position=position)
        assert build_ladder_rows(replace(what, position=None), 0, 1)[0].pnl is None
        row = what.ladder.row_of(at if side is Side.YES else 10_000 - at)
        assert build_ladder_rows(what, row, 1)[0].pnl == gain
        assert texts(what, row, 1)[0].split()[-1].replace("+$0.00", "$0.00") == words


# The header.


def test_depth_near_the_middle_and_its_imbalance() -> None:
    book = live([(4_700, 300), (4_300, 400), (4_200, 1_000)], [(5_200, 100), (4_800, 200), (4_700, 5_000)]).book
    # The middle is 0.475: from 0.425 to 0.525.
    assert depth_near_mid(book, Side.YES) == (700, 300)
    assert depth_near_mid(book, Side.NO) == (300, 700)
    assert depth_near_mid(live([(4_700, 300)], []).book, Side.YES) is None


@pytest.mark.parametrize(
    ("bids", "asks", "percent"),
    [(700, 300, 40), (300, 700, -40), (1, 0, 100), (0, 1, -100), (5, 5, 0), (1, 2, -33), (999, 1, 99), (0, 0, None)],
)
def test_imbalance_is_cut_to_whole_percent(bids: int, asks: int, percent: int | None) -> None:
    assert imbalance_percent(bids, asks) == percent


@pytest.mark.parametrize("width", [39, 43, 54, 93])
def test_the_header_says_best_prices_and_depth_at_every_width(width: int) -> None:
    what = seen([(4_700, 730_000)], [(5_200, 970_000)])
    first, second = (plain_text(each) for each in ladder_header(what, what.ladder.row_of(5_000), 9, width))
    assert first.startswith("YES bid 0.47  ask 0.48  spread 0.01")
    assert second.split()[-1] == "-14%"
    assert max(len(first), len(second)) <= width
    first, _ = (
        plain_text(each)
        for each in ladder_header(replace(what, ladder=PriceLadder.from_grid(CENT_GRID, Side.NO)), 0, 9, width)
    )
    assert first.startswith("NO bid 0.52  ask 0.53  spread 0.01")


@pytest.mark.parametrize("width", [39, 43, 54, 93])
@pytest.mark.parametrize(
    ("yes", "no", "words"),
    [
        ([(6_200, 100)], [(3_600, 100)], "market ▲ 0.63"),
        ([(3_000, 100)], [(6_900, 100)], "market ▼ 0.305"),
        ([(6_200, 100)], [], "market ▲ 0.62"),
        ([], [(6_900, 100)], "market ▼ 0.31"),
        ([(4_700, 100)], [(5_200, 100)], ""),
        ([(3_000, 100)], [(4_000, 100)], ""),
        ([], [], ""),
    ],
)
def test_a_market_out_of_the_window_is_pointed_at(yes: Levels, no: Levels, words: str, width: int) -> None:
    what = seen(yes, no)
    top = what.ladder.row_of(5_000)
    assert (doubled_price_outside(what, top, 9) is None) == (not words)
    second = plain_text(ladder_header(what, top, 9, width)[1])
    assert second.rstrip().endswith(words)
    assert ("market" in second.replace("the market", "")) == bool(words)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"trust": BookTrust.STALE, "why": "a frame was missed"}, " STALE  a frame was missed"),
        ({"trust": BookTrust.WAITING, "why": "Waiting."}, " WAITING  Waiting."),
    ],
)
def test_a_book_not_to_be_trusted_says_so(change: dict[str, object], words: str) -> None:
    what = seen([(4_700, 100)], [(5_200, 100)])
    for name, value in change.items():
        setattr(what.live, name, value)
    assert plain_text(ladder_header(what, 0, 9, 43)[0]).startswith(words)


def test_crossed_one_sided_empty_and_ended_books_are_told() -> None:
    assert "CROSSED" in plain_text(ladder_header(seen([(4_900, 100)], [(5_200, 100)]), 0, 9, 43)[0])
    assert "YES bid 0.49  ask --" in plain_text(ladder_header(seen([(4_900, 100)], []), 0, 9, 43)[0])
    assert "NO bid --  ask --" in plain_text(ladder_header(seen([], [], Side.NO), 0, 9, 43)[0])
    ended = seen([], [])
    ended = replace(ended, market=replace(ended.market, status=MarketStatus.FINALIZED, result="yes"))
    assert plain_text(ladder_header(ended, 0, 9, 43)[0]).startswith("ended YES")


# The columns.


@pytest.mark.parametrize(
    ("width", "decimals", "held", "depth", "gain"),
    [
        (39, 2, True, False, False),
        (43, 2, True, False, False),
        (54, 2, False, True, False),
        (54, 2, True, False, True),
        (54, 4, True, False, True),
        (93, 2, True, True, True),
        (93, 4, False, True, False),
    ],
)
def test_columns_come_as_there_is_room(width: int, decimals: int, held: bool, depth: bool, gain: bool) -> None:
    cells = LadderColumns.for_width(width, decimals, held=held)
    assert (bool(cells.depth), bool(cells.pnl)) == (depth, gain)
    assert cells.size >= 7
    assert 2 * (cells.own + cells.size + cells.depth) + cells.price + 4 + cells.pnl <= width


def test_marks_stand_at_the_last_trade_and_the_cursor() -> None:
    what = replace(seen([(4_700, 100)], [(5_200, 200)]), last=4_800)
    rows = texts(what, what.ladder.row_of(4_800), 2, 43, cursor=4_700)
    assert "= 0.48 " in rows[0]
    assert " ►0.47◄" in rows[1]
    other = replace(what, ladder=PriceLadder.from_grid(CENT_GRID, Side.NO))
    assert "= 0.52 " in texts(other, other.ladder.row_of(5_200), 1, 43)[0]


def test_bars_keep_their_scale_while_the_largest_level_changes_little() -> None:
    before, after = (seen([(4_700, 100)], [(5_200, count)]) for count in (70_000, 90_000))
    top = before.ladder.row_of(4_800)
    assert ladder_lines(before, top, 2, 43)[1] == ladder_lines(after, top, 2, 43)[1]
    assert ladder_lines(before, top, 2, 43)[0] != ladder_lines(after, top, 2, 43)[0]
