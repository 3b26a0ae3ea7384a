"""What the ticket's preview says: YES and NO, buying and selling, both grids, taker and maker; worked out by hand.

The taker's fee is 0.07 x C x P x (1 - P), the maker's a quarter of it where makers pay; the trade fee is rounded up to
$0.0001, and cost and fee together to the cent.
"""

from dataclasses import replace

import pytest

from kalshi_tui.domain.book import Book, Side
from kalshi_tui.domain.fees import FeeSchedule, FeeType
from kalshi_tui.domain.order import Action, OrderTerms, TimeInForce
from kalshi_tui.domain.position import Position
from kalshi_tui.presentation.lines import plain_text
from kalshi_tui.presentation.preview_text import LABEL_WIDTH, VALUE_WIDTH, preview_lines

CASH = 100_000_000
MAKERS_PAY = FeeSchedule(FeeType.QUADRATIC_WITH_MAKER_FEES)
BUY, SELL, YES, NO = Action.BUY, Action.SELL, Side.YES, Side.NO
CENTS = ([(4_000, 5_000), (3_900, 10_000)], [(5_500, 3_000), (5_400, 20_000)])
"""YES 0.40 x 50 bid, 0.45 x 30 and 0.46 x 200 asked; NO 0.55 x 30 bid, 0.60 x 50 and 0.61 x 100 asked."""
TAPER = ([(9_510, 10_000)], [(450, 4_000), (440, 6_000)])
"""YES 0.951 x 100 bid, 0.955 x 40 and 0.956 x 60 asked; NO 0.045 x 40 bid, 0.049 x 100 asked."""
Levels = tuple[list[tuple[int, int]], list[tuple[int, int]]]


def figures(
    terms: OrderTerms, levels: Levels, held: Position | None = None, fees: FeeSchedule | None = MAKERS_PAY
) -> dict[str, str]:
    """Return the preview's figures by their labels."""
    book = Book()
    book.snapshot(*levels)
    found = {}
    for content in preview_lines(terms, book, fees, held, CASH):
        text = plain_text(content)
        column = LABEL_WIDTH + VALUE_WIDTH
        for cell in (text[:column], text[column:]):
            found[cell[:LABEL_WIDTH].strip()] = cell[LABEL_WIDTH:].strip()
    return found


def an_order(side: Side, action: Action, price: int, count: int, **changes: object) -> OrderTerms:
    return replace(OrderTerms("T", side, action, price, count * 100), **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("levels", "side", "action", "price", "count", "expected"),
    [
        # Maker: 10 at 0.40 cost $4.00; fees 0.07 x 10 x 0.24 = 0.168 and a quarter, 0.042.
        (
            CENTS,
            YES,
            BUY,
            4_000,
            10,
            {
                "Fills now": "nothing",
                "Rests": "10 behind 50",
                "Cost": "$4.00",
                "Cash after": "$95.83",
                "Taker fee": "up to $0.17",
                "Maker fee": "up to $0.05",
                "Closes": "nothing",
                "Opens": "10 YES at 0.40",
                "Worst loss": "$4.17",
                "If right": "pays $10.00",
                "Break-even": "pays from 41.70% YES",
                "Profit": "+$5.83 after fees",
                "Held now": "none",
                "Held after": "YES 10 at 0.40",
            },
        ),
        # Taker of 30 at 0.45 and 10 at 0.46, 13.50 + 4.60; the fee at the limit 0.46: 0.07 x 40 x 0.2484 = 0.69552.
        (
            CENTS,
            YES,
            BUY,
            4_600,
            40,
            {
                "Fills now": "40 at 0.4525",
                "Rests": "nothing",
                "Cost": "$18.10",
                "Cash after": "$81.20",
                "Taker fee": "up to $0.70",
                "Maker fee": "up to $0.18",
                "Opens": "40 YES at 0.4525",
                "Worst loss": "$19.10",
                "If right": "pays $40.00",
                "Break-even": "pays from 47.00% YES",
                "Profit": "+$21.20 after fees",
            },
        ),
        # Both: 30 at 0.45 now, 20 rest at 0.45, first there; 0.07 x 50 x 0.2475 = 0.86625, cost 22.50.
        (
            CENTS,
            YES,
            BUY,
            4_500,
            50,
            {
                "Fills now": "30 at 0.45",
                "Rests": "20, first in queue",
                "Cost": "$22.50",
                "Cash after": "$76.63",
                "Taker fee": "up to $0.87",
                "Break-even": "pays from 46.74% YES",
                "Profit": "+$26.63 after fees",
            },
        ),
        # Selling what is not held opens NO: 10 at 0.45 are 10 NO at 0.55. 0.07 x 10 x 0.2475 = 0.17325.
        (
            CENTS,
            YES,
            SELL,
            4_500,
            10,
            {
                "Fills now": "nothing",
                "Rests": "10 behind 30",
                "Cost": "$5.50",
                "Taker fee": "up to $0.18",
                "Maker fee": "up to $0.05",
                "Opens": "10 NO at 0.55",
                "Worst loss": "$5.68",
                "If right": "pays $10.00",
                "Break-even": "pays from 56.80% NO",
                "Profit": "+$4.32 after fees",
                "Held after": "NO 10 at 0.55",
            },
        ),
        # Hitting the bids: 50 at 0.40 and 10 at 0.39 are 50 NO at 0.60 and 10 at 0.61; 0.07 x 60 x 0.24 = 1.008.
        (
            CENTS,
            YES,
            SELL,
            3_900,
            60,
            {
                "Fills now": "60 at 0.3983",
                "Rests": "nothing",
                "Cost": "$36.10",
                "Taker fee": "up to $1.01",
                "Opens": "60 NO at 0.6016",
                "Worst loss": "$37.61",
                "Break-even": "pays from 61.85% NO",
                "Profit": "+$22.89 after fees",
            },
        ),
        # NO bought at its bid: 0.07 x 10 x 0.2475.
        (
            CENTS,
            NO,
            BUY,
            5_500,
            10,
            {
                "Rests": "10 behind 30",
                "Cost": "$5.50",
                "Taker fee": "up to $0.18",
                "Opens": "10 NO at 0.55",
                "Break-even": "pays from 56.80% NO",
                "Profit": "+$4.32 after fees",
            },
        ),
        # NO taken: 10 at 0.60, 0.07 x 10 x 0.24 = 0.168.
        (
            CENTS,
            NO,
            BUY,
            6_000,
            10,
            {"Fills now": "10 at 0.60", "Cost": "$6.00", "Taker fee": "up to $0.17", "Worst loss": "$6.17"},
        ),
        # NO sold that is not held, at its ask of 0.60: 10 YES at 0.40.
        (
            CENTS,
            NO,
            SELL,
            6_000,
            10,
            {
                "Rests": "10 behind 50",
                "Cost": "$4.00",
                "Opens": "10 YES at 0.40",
                "Break-even": "pays from 41.70% YES",
                "Held after": "YES 10 at 0.40",
            },
        ),
        # NO sold into its bid of 0.55: 10 YES at 0.45.
        (
            CENTS,
            NO,
            SELL,
            5_500,
            10,
            {"Fills now": "10 at 0.55", "Rests": "nothing", "Cost": "$4.50", "Opens": "10 YES at 0.45"},
        ),
        # Tapered, maker: 10 at 0.951 cost 9.51. Filled one by one each costs 0.951 and 0.07 x 0.951 x 0.049 = 0.003262,
        # rounded up to 0.96: no rebate, since a fill's 0.009 leaves no room for a cent. As a maker 0.96 as well.
        (
            TAPER,
            YES,
            BUY,
            9_510,
            10,
            {
                "Rests": "10 behind 100",
                "Cost": "$9.51",
                "Taker fee": "up to $0.09",
                "Maker fee": "up to $0.09",
                "Worst loss": "$9.60",
                "Break-even": "pays from 96.00% YES",
                "Profit": "+$0.40 after fees",
            },
        ),
        # Tapered, taker: 40 at 0.955 and 5 at 0.956, 38.20 + 4.78; at most 43.02 and 0.07 x 45 x 0.042064 = 0.1326.
        # Of the 42.98 at the book's prices: nearest to a half is 0.955, 0.07 x 45 x 0.042975 = 0.1354.
        (
            TAPER,
            YES,
            BUY,
            9_560,
            45,
            {"Fills now": "45 at 0.9551", "Cost": "$42.98", "Rests": "nothing", "If right": "pays $45.00"},
        ),
        # Tapered, NO at its bid of 0.045: ten cost 0.45; one by one 0.045 + 0.003009, each 0.05.
        (
            TAPER,
            NO,
            BUY,
            450,
            10,
            {
                "Rests": "10 behind 40",
                "Cost": "$0.45",
                "Taker fee": "up to $0.05",
                "Opens": "10 NO at 0.045",
                "Break-even": "pays from 5.00% NO",
                "Profit": "+$9.50 after fees",
            },
        ),
        # Tapered, YES sold that is not held into the bid of 0.951: 10 NO at 0.049, one by one 0.052262, each 0.06.
        (
            TAPER,
            YES,
            SELL,
            9_510,
            10,
            {"Fills now": "10 at 0.951", "Cost": "$0.49", "Taker fee": "up to $0.11", "Worst loss": "$0.60"},
        ),
        # Tapered, NO sold that is not held at its ask of 0.049: 10 YES at 0.951.
        (
            TAPER,
            NO,
            SELL,
            490,
            10,
            {"Rests": "10 behind 100", "Cost": "$9.51", "Opens": "10 YES at 0.951", "Worst loss": "$9.60"},
        ),
    ],
)
def test_what_an_order_that_opens_would_do(
    levels: Levels, side: Side, action: Action, price: int, count: int, expected: dict[str, str]
) -> None:
    found = figures(an_order(side, action, price, count), levels)
    assert {label: found[label] for label in expected} == expected


HELD_YES = Position("T", 2_000, 6_000_000)
"""20 YES, bought at 0.30."""
HELD_NO = Position("T", -2_000, 10_000_000)
"""20 NO, bought at 0.50."""


@pytest.mark.parametrize(
    ("held", "order", "expected"),
    [
        # Sold into the bid of 0.40: 20 bring 8.00, had cost 6.00; 0.07 x 20 x 0.24 = 0.336. Net 7.66, 0.383 each.
        (
            HELD_YES,
            an_order(YES, SELL, 4_000, 20),
            {
                "Fills now": "20 at 0.40",
                "Brings": "$8.00",
                "Cash after": "$107.66",
                "Closes": "20 YES",
                "Opens": "nothing",
                "Worst loss": "$0.34",
                "If right": "pays $0.00",
                "Break-even": "pays below 38.30% YES",
                "Profit": "+$1.66 after fees",
                "Held now": "YES 20 at 0.30",
                "Held after": "none",
            },
        ),
        # NO bought at 0.60 closes the YES: the same.
        (
            HELD_YES,
            an_order(NO, BUY, 6_000, 20),
            {"Brings": "$8.00", "Closes": "20 YES", "Break-even": "pays below 38.30% YES", "Held after": "none"},
        ),
        # NO sold into its bid of 0.55: 20 bring 11.00, had cost 10.00; 0.07 x 20 x 0.2475 = 0.3465, so 0.35.
        (
            HELD_NO,
            an_order(NO, SELL, 5_500, 20),
            {
                "Brings": "$11.00",
                "Closes": "20 NO",
                "Break-even": "pays below 53.25% NO",
                "Profit": "+$0.65 after fees",
                "Held after": "none",
            },
        ),
        # YES bought at 0.45 closes the NO.
        (HELD_NO, an_order(YES, BUY, 4_500, 20), {"Brings": "$11.00", "Closes": "20 NO", "Held after": "none"}),
        # 30 sold of 20 held: 20 close for 8.00, 10 open NO at 0.60 for 6.00; 0.07 x 30 x 0.24 = 0.504, so 0.51.
        # If NO comes true: 10.00 for 6.00, and 2.00 gained by closing, less the fee.
        (
            HELD_YES,
            an_order(YES, SELL, 4_000, 30),
            {
                "Brings": "$2.00",
                "Cash after": "$101.49",
                "Closes": "20 YES",
                "Opens": "10 NO at 0.60",
                "Worst loss": "$6.51",
                "If right": "pays $10.00",
                "Break-even": "closes and opens: no one",
                "Profit": "+$5.49 after fees",
                "Held after": "NO 10 at 0.60",
            },
        ),
        # Reduce-only counts what it closes: 30 written, 20 held.
        (
            HELD_YES,
            an_order(YES, SELL, 4_000, 30, tif=TimeInForce.IOC, reduce_only=True),
            {"Fills now": "20 at 0.40", "Brings": "$8.00", "Closes": "20 YES", "Opens": "nothing", "Rests": "nothing"},
        ),
        (
            None,
            an_order(YES, SELL, 4_000, 30, tif=TimeInForce.IOC, reduce_only=True),
            {"Fills now": "nothing", "Cost": "$0.00", "Closes": "nothing", "Break-even": "--", "Profit": "--"},
        ),
        # Immediate or cancel: 30 of 50 at 0.45, cost 13.50; 0.07 x 30 x 0.2475 = 0.51975. Worst is all 50 at the limit.
        (
            None,
            an_order(YES, BUY, 4_500, 50, tif=TimeInForce.IOC),
            {
                "Fills now": "30 at 0.45",
                "Rests": "nothing; 20 canceled",
                "Cost": "$13.50",
                "Cash after": "$85.98",
                "Taker fee": "up to $0.87",
                "Worst loss": "$23.37",
                "Profit": "+$15.98 after fees",
            },
        ),
        # Fill or kill that cannot be filled does nothing.
        (
            None,
            an_order(YES, BUY, 4_500, 50, tif=TimeInForce.FOK),
            {"Fills now": "nothing", "Rests": "nothing; 50 canceled", "Cost": "$0.00", "Break-even": "--"},
        ),
        # Post-only is a maker or nothing: 0.07 / 4 x 10 x 0.24 = 0.042, so 0.05.
        (
            None,
            an_order(YES, BUY, 4_000, 10, post_only=True),
            {"Worst loss": "$4.05", "Break-even": "pays from 40.50% YES", "Cash after": "$95.95"},
        ),
        (
            None,
            an_order(YES, BUY, 4_500, 10, post_only=True),
            {"Fills now": "nothing", "Rests": "nothing: rejected", "Cost": "$0.00"},
        ),
    ],
)
def test_what_an_order_that_closes_or_dies_would_do(
    held: Position | None, order: OrderTerms, expected: dict[str, str]
) -> None:
    found = figures(order, CENTS, held)
    assert {label: found[label] for label in expected} == expected


def test_makers_do_not_pay_where_the_series_says_so() -> None:
    assert figures(an_order(YES, BUY, 4_000, 10), CENTS, fees=FeeSchedule(FeeType.QUADRATIC))["Maker fee"] == "none"


@pytest.mark.parametrize("fees", [None, FeeSchedule(FeeType.UNKNOWN), FeeSchedule(FeeType.FLAT)])
def test_a_fee_that_is_not_known_is_never_nothing(fees: FeeSchedule | None) -> None:
    found = figures(an_order(YES, BUY, 4_000, 10), CENTS, fees=fees)
    assert found["Taker fee"] == found["Maker fee"] == "unknown"
    assert found["Worst loss"] == "$4.00 + unknown fee"
    assert found["Cash after"] == "$96.00 - unknown fee"
    assert found["Break-even"] == "unknown"
    assert found["Profit"] == "unknown"


def test_what_cannot_pay_says_so() -> None:
    # 0.07 x 20 x 0.0099 = 0.01386: 0.99 and the fee are $1.01. Sold for a cent that the fee takes: nothing pays.
    dear = FeeSchedule(FeeType.QUADRATIC, 20_000_000)
    empty: Levels = ([], [])
    assert figures(an_order(YES, BUY, 9_900, 1), empty, fees=dear)["Break-even"] == "never pays"
    assert figures(an_order(YES, BUY, 9_900, 1), empty)["Break-even"] == "pays from 100.00% YES"
    low: Levels = ([(100, 100)], [])
    assert figures(an_order(YES, SELL, 100, 1), low, Position("T", 100, 100))["Break-even"] == "never pays"


@pytest.mark.parametrize("count", [1, 100_000, 99_999_999])
def test_the_second_column_never_moves(count: int) -> None:
    book = Book()
    book.snapshot(*CENTS)
    for content in preview_lines(an_order(YES, BUY, 4_500, count), book, MAKERS_PAY, HELD_YES, CASH):
        assert plain_text(content[:2]) == plain_text(content)[: LABEL_WIDTH + VALUE_WIDTH]
        assert len(plain_text(content[:2])) == LABEL_WIDTH + VALUE_WIDTH
