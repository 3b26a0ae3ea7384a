"""The ladder under a trader's fingers: what moves and what does not, and every key on its rows."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest
from textual.events import AppBlur, AppFocus, MouseScrollDown, MouseScrollUp
from textual.geometry import Region

from kalshi_tui.domain.book import Side
from kalshi_tui.domain.market import MarketStatus
from kalshi_tui.domain.order import Action, BookSide, OrderState
from kalshi_tui.domain.price import PriceGrid, PriceRange
from kalshi_tui.ui.dialogs.ask import AskScreen
from kalshi_tui.ui.ladder.pane import LadderPane
from kalshi_tui.ui.ticket.amend import AmendScreen
from kalshi_tui.ui.ticket.screen import TicketScreen
from kalshi_tui.ui.widgets.field import Field
from kalshi_tui.ui.widgets.line_view import LineView
from tests.support.budget import some
from tests.support.fake_desk import (
    NOW_MS,
    TITLES,
    Clock,
    FakeDesk,
    a_market,
    a_position,
    an_order,
    busy_desk,
)
from tests.support.pilot import (
    NARROW,
    SIZES,
    USUAL,
    WIDE,
    Trader,
    trading,
)

FIRST, SECOND = TITLES[0][0], TITLES[1][0]
EACH_SIZE = pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")


def shown(trader: Trader) -> list[str]:
    """Return the lines of the ladder as they stand on the screen."""
    pane = trader.app.desk_screen.query_one("#ladder", LadderPane)
    region = pane.region
    inside = trader.lines()[region.y : region.bottom]
    # Past its frame at the left; blanks at the end of a line are cut from the screen's text.
    return [each[region.x + 1 : region.right].ljust(region.width - 1) for each in inside]


def prices(trader: Trader) -> list[str]:
    """Return the prices of the rows, from the top down."""
    return [re.findall(r"[ =][ ►](0\.\d+)[ ◄]", each)[0] for each in shown(trader)[4:]]


def chosen(trader: Trader) -> str:
    """Return the price that the cursor stands on; empty for none."""
    marked = re.findall(r"►(0\.\d+)◄", trader.text())
    assert len(marked) <= 1
    return marked[0] if marked else ""


def dimmed(trader: Trader) -> bool:
    return trader.app.desk_screen.query_one("#ladder", LadderPane).dimmed


def one_line(screen: str) -> str:
    return " ".join(screen.replace("│", " ").split())


def last_line(trader: Trader) -> str:
    return trader.lines()[-2]


def row(trader: Trader, price: str) -> str:
    return next(each for each in shown(trader)[4:] if re.search(rf"[ ►]{price}[ ◄]", each))


# Showing it.


@EACH_SIZE
async def test_v_puts_the_ladder_in_the_book_s_place_and_back(size: tuple[int, int]) -> None:
    async with trading(size=size) as trader:
        before = trader.text()
        assert "NO bid" in before
        screen = await trader.press("v")
        assert "NO bid" not in screen
        assert "YES bid 0.47  ask 0.48  spread 0.01" in shown(trader)[1]
        rows = prices(trader)
        assert {"0.47", "0.48"} <= set(rows)
        assert abs(rows.index("0.48") - len(rows) // 2) <= 1
        assert chosen(trader) == ""
        assert await trader.press("v") == before


async def test_the_ladder_takes_the_book_s_place_in_the_order_of_panes() -> None:
    async with trading(size=NARROW) as trader:
        trader.desk.store.order(an_order())
        await trader.press("v", "tab")
        assert chosen(trader) == "0.47"
        await trader.press("tab")
        assert chosen(trader) == ""
        assert any(each.startswith("▌RESTING") for each in trader.lines())
        await trader.press("shift+tab")
        assert chosen(trader) == "0.47"
        await trader.press("escape")
        assert chosen(trader) == ""
        assert trader.lines()[2].startswith("▌*")


async def test_the_focus_stays_in_the_middle_when_the_pane_changes() -> None:
    async with trading(size=NARROW) as trader:
        await trader.press("tab", "v")
        assert chosen(trader) == "0.47"
        screen = await trader.press("v")
        assert "0.47◄│" in screen
        await trader.press("v", "j")
        assert chosen(trader) == "0.46"


async def test_the_price_chosen_in_one_is_chosen_in_the_other() -> None:
    async with trading(size=NARROW) as trader:
        await trader.press("tab", "j", "j", "v")
        assert chosen(trader) == "0.45"
        await trader.press("j", "o")
        assert chosen(trader) == "0.56"
        assert "0.44◄│" in await trader.press("v")
        # Of the asks too; and where nothing stands in the book, it begins at the best.
        await trader.press("l", "v")
        assert chosen(trader) == "0.49"
        await trader.press(*"kkkkkkkkkkkkkkkkkkkkkkk")
        assert "0.47◄│" in await trader.press("v")


async def test_an_order_of_which_nobody_knows_has_a_sign_in_its_row() -> None:
    async with trading() as trader:
        trader.desk.store.order(an_order(state=OrderState.UNKNOWN))
        await trader.press("v")
        assert "?10" in row(trader, "0.46")
        trader.desk.store.order(an_order(order_id="o2", client_order_id="c2", remaining=500, initial=500))
        await trader.look()
        assert "?10 *5" in row(trader, "0.46")


async def test_every_price_is_a_row_the_empty_ones_too() -> None:
    async with trading(size=NARROW) as trader:
        trader.desk.store.snapshot(FIRST, [(4_700, 100), (4_400, 250)], [(5_000, 300)])
        await trader.press("v")
        assert prices(trader) == [f"0.{cents}" for cents in range(53, 44, -1)]
        assert row(trader, "0.47").split() == ["1", "=", "0.47"]
        assert row(trader, "0.48").split() == ["0.48"]
        assert row(trader, "0.50").split() == ["0.50", "3"]


async def test_without_a_chosen_market_there_is_no_ladder() -> None:
    desk = FakeDesk(Clock())
    desk.store.market_data.drop_markets([each[0] for each in TITLES])
    async with trading(desk, NARROW) as trader:
        assert "There is no chosen market." in await trader.press("v")


async def test_keys_of_the_ladder_say_where_they_work() -> None:
    async with trading(size=NARROW) as trader:
        for key in ("space", "o"):
            assert "This key works while the ladder is shown: v shows it." in await trader.press(key)
        for key in ("J", "K", "shift+down", "shift+up"):
            await trader.press(key)
            assert "This key works in the rows of the ladder: v shows it, tab goes there." in last_line(trader)
        assert "both sides stand in one row; o turns it over." in await trader.press("v", "tab", "h")
        for key in ("J", "K", "x", "e"):
            assert "No order of yours rests in this row." in await trader.press(key)
            await trader.press("i")
        assert not isinstance(trader.app.screen, AskScreen | AmendScreen)


# What moves, and what does not.


@pytest.mark.quick_cases("j-*", "k-*", "pagedown-*", "G-*", "g k-*")
@pytest.mark.parametrize(
    ("keys", "stands"),
    [
        ("j", "0.46"),
        ("down", "0.46"),
        ("k", "0.48"),
        ("k up", "0.49"),
        ("j j j j j j j j", "0.39"),
        ("pagedown", "0.37"),
        ("pageup", "0.57"),
        ("g", "0.99"),
        ("home", "0.99"),
        ("G", "0.01"),
        ("end", "0.01"),
        ("G j", "0.01"),
        ("g k", "0.99"),
        ("pagedown space", "0.47"),
        ("j space", "0.46"),
        ("o", "0.53"),
        ("o j", "0.52"),
        ("j o o", "0.46"),
        ("G o", "0.99"),
    ],
)
async def test_the_cursor_walks_the_prices_and_can_always_be_seen(keys: str, stands: str) -> None:
    async with trading(size=NARROW) as trader:
        await trader.press("v", "tab", *keys.split())
        assert chosen(trader) == stands


async def test_space_leaves_a_cursor_that_can_still_be_seen_where_it_is() -> None:
    async with trading(size=USUAL) as trader:
        await trader.press("v", "tab", "pagedown", "space")
        assert chosen(trader) == "0.37"


@pytest.mark.quick_cases("80x24-*")
@pytest.mark.parametrize("side", Side)
@EACH_SIZE
async def test_nothing_that_the_market_does_moves_a_row_or_the_cursor(side: Side, size: tuple[int, int]) -> None:
    async with trading(size=size) as trader:
        store = trader.desk.store
        await trader.press("v", "tab", *("o" if side is Side.NO else ""), "j", "j")
        rows, price = prices(trader), chosen(trader)
        place = next(n for n, each in enumerate(shown(trader)) if "►" in each)
        steps: list[Callable[[], object]] = [
            lambda: store.books[FIRST].book.apply(Side.YES, 4_700, -120_000),
            lambda: store.books[FIRST].book.apply(Side.NO, 5_300, 5_000),
            lambda: store.books[FIRST].book.apply(Side.YES, 4_600, -121_550),
            lambda: store.snapshot(FIRST, [(6_000, 100)], [(3_000, 100)]),
            lambda: store.snapshot(FIRST, [(1_000, 100)], [(8_900, 100)]),
            lambda: store.stale([FIRST], "a frame was missed"),
            lambda: store.snapshot(FIRST, [], []),
            lambda: store.snapshot(FIRST, [(4_700, 100)], [(5_200, 100)]),
        ]
        for step in steps:
            step()
            await trader.look()
            assert prices(trader) == rows
            assert chosen(trader) == price
            assert "►" in shown(trader)[place]


@pytest.mark.quick_cases("80x24")
@EACH_SIZE
async def test_a_market_that_runs_out_is_pointed_at_until_space(size: tuple[int, int]) -> None:
    async with trading(size=size) as trader:
        store = trader.desk.store
        await trader.press("v")
        assert "market ▲" not in trader.text()
        rows = prices(trader)
        store.snapshot(FIRST, [(9_700, 100)], [(200, 100)])
        await trader.look()
        assert shown(trader)[2].rstrip().endswith("market ▲ 0.975")
        store.snapshot(FIRST, [(200, 100)], [(9_700, 100)])
        await trader.look()
        assert shown(trader)[2].rstrip().endswith("market ▼ 0.025")
        assert prices(trader) == rows
        await trader.press("o")
        assert shown(trader)[2].rstrip().endswith("market ▲ 0.975")
        await trader.press("space")
        assert "market ▲" not in trader.text()
        assert {"0.97", "0.98"} <= set(prices(trader))


async def test_the_cursor_goes_along_where_space_would_leave_it_out_of_sight() -> None:
    async with trading(size=NARROW) as trader:
        await trader.press("v", "tab", "j")
        trader.desk.store.snapshot(FIRST, [(7_000, 100)], [(2_900, 100)])
        await trader.press("space")
        assert chosen(trader) == "0.70"


async def test_another_market_is_centered_at_its_first_snapshot() -> None:
    async with trading(size=NARROW) as trader:
        store = trader.desk.store
        await trader.press("v", "j")
        assert "WAITING" in shown(trader)[1]
        assert "0.47" in prices(trader), "it waits around the last trade"
        await trader.press("tab")
        assert chosen(trader) == ""
        assert "No price of the ladder is chosen: j and k choose one." in await trader.press("b")
        store.snapshot(SECOND, [(2_000, 100)], [(7_900, 100)])
        await trader.look()
        assert {"0.20", "0.21"} <= set(prices(trader))
        assert chosen(trader) == "0.20"
        rows = prices(trader)
        store.snapshot(SECOND, [(2_300, 100)], [(7_600, 100)])
        await trader.look()
        assert prices(trader) == rows
        assert chosen(trader) == "0.20"


async def test_rows_scrolled_while_a_book_is_awaited_stay() -> None:
    async with trading(size=NARROW) as trader:
        await trader.press("v", "j", "tab", "g")
        rows = prices(trader)
        assert rows[0] == "0.99"
        trader.desk.store.snapshot(SECOND, [(2_000, 100)], [(7_900, 100)])
        await trader.look()
        assert prices(trader) == rows
        assert chosen(trader) == "0.99"


async def test_an_empty_book_is_centered_when_somebody_quotes() -> None:
    async with trading(size=NARROW) as trader:
        trader.desk.store.snapshot(SECOND, [], [])
        await trader.press("v", "j")
        assert "YES bid --  ask --" in shown(trader)[1]
        trader.desk.store.books[SECOND].book.apply(Side.YES, 1_500, 100)
        await trader.look()
        assert "0.15" in prices(trader)


async def test_a_book_that_is_stale_says_so_and_is_dimmed() -> None:
    async with trading(size=NARROW) as trader:
        await trader.press("v")
        assert not dimmed(trader)
        trader.desk.store.stale([FIRST], "a frame was missed")
        await trader.look()
        assert "STALE" in shown(trader)[1]
        assert "a frame was missed" in shown(trader)[1]
        assert dimmed(trader)
        trader.desk.store.snapshot(FIRST, [(4_700, 100)], [(5_200, 100)])
        await trader.look()
        assert not dimmed(trader)


async def test_the_grid_of_the_market_may_change_under_the_cursor() -> None:
    async with trading(size=NARROW) as trader:
        await trader.press("v", "tab", "j")
        coarse = PriceGrid((PriceRange(0, 10_000, 500),))
        trader.desk.store.market_data.set_markets([a_market(FIRST, grid=coarse)])
        trader.desk.store.snapshot(FIRST, [(4_500, 100)], [(5_000, 100)])
        await trader.look()
        assert chosen(trader) == "0.4600"
        assert {"0.4500", "0.5000", "0.5500"} <= set(prices(trader))
        await trader.press("b", "enter")
        assert "is not on this market's price grid" in one_line(trader.text())


async def test_a_level_off_the_grid_gets_a_row_that_stays() -> None:
    async with trading(size=NARROW) as trader:
        await trader.press("v", "tab")
        trader.desk.store.books[FIRST].book.apply(Side.YES, 4_655, 300)
        await trader.look()
        assert "3" in row(trader, "0.4655").split()
        assert chosen(trader) == "0.4700"
        rows = prices(trader)
        trader.desk.store.books[FIRST].book.apply(Side.YES, 4_655, -300)
        await trader.look()
        assert prices(trader) == rows


async def test_every_row_of_the_tapered_grid_is_reached() -> None:
    async with trading(size=NARROW) as trader:
        trader.desk.store.snapshot(TITLES[4][0], [(980, 100)], [(8_900, 100)])
        await trader.press("slash", *"bitcoin", "enter", "v", "tab")
        assert chosen(trader) == "0.098"
        await trader.press("k", "k")
        assert chosen(trader) == "0.100"
        await trader.press("k")
        assert chosen(trader) == "0.110"
        await trader.press("g")
        assert chosen(trader) == "0.999"


async def test_the_middle_row_stays_when_the_terminal_changes() -> None:
    async with trading(size=NARROW) as trader:
        await trader.press("v", "tab", "j", "j")
        for size in (USUAL, WIDE, NARROW):
            await trader.pilot.resize_terminal(*size)
            await trader.look()
            rows = prices(trader)
            assert chosen(trader) == "0.45"
            assert abs(rows.index("0.48") - len(rows) // 2) <= 2


async def test_a_resize_while_the_book_is_shown_loses_nothing() -> None:
    async with trading(size=NARROW) as trader:
        await trader.press("v", "v")
        await trader.pilot.resize_terminal(*USUAL)
        await trader.press("v", "tab")
        assert chosen(trader) == "0.47"
        assert len(prices(trader)) == len(shown(trader)) - 4


@pytest.mark.slow
async def test_every_size_from_the_least_on_holds_together() -> None:
    async with trading(busy_desk(), NARROW) as trader:
        await trader.press("v", "tab", "j")
        for width in some((*range(72, 130, 6), 160, 240)):
            for height in (22, 24, 33, 70, 130):
                await trader.pilot.resize_terminal(width, height)
                lines = (await trader.look()).split("\n")
                assert max(map(len, lines)) <= width
                assert chosen(trader) == "0.46"
                assert "YES ask" in shown(trader)[3]
                assert "*10" in row(trader, "0.46")


async def test_the_choice_outlasts_a_look_at_another_window() -> None:
    async with trading(size=NARROW) as trader:
        await trader.press("v", "tab", "j")
        trader.app.post_message(AppBlur())
        await trader.look()
        trader.desk.store.books[FIRST].book.apply(Side.YES, 4_750, 100)
        trader.app.post_message(AppFocus())
        await trader.look()
        assert chosen(trader).startswith("0.46")


async def test_the_mouse_chooses_and_scrolls() -> None:
    async with trading(size=NARROW) as trader:
        await trader.press("v")
        pane = trader.app.desk_screen.query_one("#ladder", LadderPane)
        await trader.pilot.click(pane, offset=(5, 4 + prices(trader).index("0.45")))
        await trader.look()
        assert chosen(trader) == "0.45"
        rows = prices(trader)
        pane.post_message(MouseScrollDown(pane, 1, 5, 0, 1, 0, shift=False, meta=False, ctrl=False))
        await trader.look()
        assert prices(trader)[:-3] == rows[3:]
        assert chosen(trader) == "0.45"
        for _ in range(2):
            pane.post_message(MouseScrollDown(pane, 1, 5, 0, 1, 0, shift=False, meta=False, ctrl=False))
        await trader.look()
        assert chosen(trader) == prices(trader)[0] == "0.43", "what cannot be seen is not chosen"
        await trader.pilot.click(pane, offset=(5, 2))
        await trader.look()
        assert chosen(trader) == "0.43", "the header is no row"
        pane.post_message(MouseScrollUp(pane, 1, 5, 0, -1, 0, shift=False, meta=False, ctrl=False))
        await trader.look()
        assert prices(trader)[3] == chosen(trader) == "0.43"


# Trading from a row.


@pytest.mark.quick_cases("j b-*", "o j s-*")
@pytest.mark.parametrize(
    ("keys", "order"),
    [
        ("j b", "buy YES 10 at 0.46"),
        ("s", "sell YES 10 at 0.47"),
        ("k k b", "buy YES 10 at 0.49"),
        ("o b", "buy NO 10 at 0.53"),
        ("o j s", "sell NO 10 at 0.52"),
        ("G b", "buy YES 10 at 0.01"),
    ],
)
async def test_the_ticket_opens_at_the_row(keys: str, order: str) -> None:
    async with trading(size=NARROW) as trader:
        await trader.press("v", "tab", *keys.split())
        assert isinstance(trader.app.screen, TicketScreen)
        assert order in await trader.press("enter")
        assert not trader.desk.sent
        await trader.press("escape", "escape")
        assert chosen(trader) != ""


@pytest.mark.quick_cases("b")
@pytest.mark.parametrize("keys", ["b", "tab escape s", "o b", "tab tab b"])
async def test_away_from_the_ladder_no_price_is_chosen(keys: str) -> None:
    async with trading(size=NARROW) as trader:
        trader.desk.store.order(an_order())
        await trader.press("v", *keys.split())
        assert isinstance(trader.app.screen, TicketScreen)
        screen = await trader.press("enter")
        assert isinstance(trader.app.screen, TicketScreen), "the price was not to be written"
        assert "YES" in screen


async def test_a_market_that_takes_no_orders_says_so() -> None:
    async with trading(size=NARROW) as trader:
        await trader.press("v", "tab")
        trader.desk.store.market_data.set_markets([replace(a_market(FIRST), status=MarketStatus.CLOSED)])
        assert "takes no orders: it is closed" in await trader.press("b")


# Own orders on a row.


@pytest.mark.parametrize("keys", ["j", "o k"])
async def test_x_cancels_the_order_of_the_row_and_no_other(keys: str) -> None:
    async with trading(size=NARROW) as trader:
        store = trader.desk.store
        store.order(an_order())
        store.order(an_order(order_id="o2", client_order_id="c2", yes_price=4_500))
        screen = await trader.press("v", "tab", *keys.split())
        assert " x  Cancel row " in screen.replace(" x Cancel row", " x  Cancel row")
        screen = await trader.press("x")
        assert "Cancel YES 10 at 0.46 in Fed decision in December: Cut 25 bps?" in one_line(screen)
        await trader.press("n")
        assert not trader.desk.canceled
        await trader.press("x", "y")
        assert [order.order_id for order in trader.desk.canceled] == ["o1"]
        assert "*" not in row(trader, "0.46" if keys == "j" else "0.54")


async def test_x_asks_once_for_all_orders_of_the_row() -> None:
    async with trading(size=NARROW) as trader:
        store = trader.desk.store
        for number in range(3):
            if not number:
                store.account.intents.remember_side("c0", Action.SELL, Side.NO)
            store.order(an_order(order_id=f"o{number}", client_order_id=f"c{number}", remaining=100 * (number + 1)))
        store.order(an_order(order_id="p", client_order_id="p", ticker=SECOND))
        await trader.press("v", "tab", "j")
        assert "3*6" in row(trader, "0.46")
        screen = one_line(await trader.press("x"))
        assert "Cancel 3 orders in Fed decision in December: Cut 25 bps: sell NO 10 at 0.54" in screen
        assert screen.count("YES 10 at 0.46") >= 2
        # One that comes while the question stands is not among those it named.
        store.order(an_order(order_id="late", client_order_id="late"))
        await trader.press("y")
        assert {order.order_id for order in trader.desk.canceled} == {"o0", "o1", "o2"}
        assert "*10" in row(trader, "0.46")


async def test_e_changes_the_only_order_of_the_row() -> None:
    async with trading(size=NARROW) as trader:
        trader.desk.store.order(an_order())
        trader.desk.store.order(an_order(order_id="o2", client_order_id="c2", yes_price=4_500))
        await trader.press("v", "tab", "j", "e")
        assert isinstance(trader.app.screen, AmendScreen)
        assert trader.app.screen.query_one("#price", Field).value == "0.46"


async def test_two_orders_of_a_row_are_not_changed_by_one_key() -> None:
    async with trading(size=NARROW) as trader:
        trader.desk.store.order(an_order())
        trader.desk.store.order(an_order(order_id="o2", client_order_id="c2"))
        await trader.press("v", "tab", "j")
        for key in ("e", "J", "K", "shift+up"):
            screen = await trader.press(key)
            assert "2 orders of yours rest in this row" in screen
            assert not isinstance(trader.app.screen, AmendScreen)
            await trader.press("i")


@pytest.mark.quick_cases("BookSide.BID-asked0*", "BookSide.BID-asked4*", "BookSide.ASK-None*")
@pytest.mark.parametrize(
    ("book_side", "asked", "mirrored", "key", "field", "sends"),
    [
        (BookSide.BID, (Action.BUY, Side.YES), False, "K", "0.47", 4_700),
        (BookSide.BID, (Action.BUY, Side.YES), False, "shift+up", "0.47", 4_700),
        (BookSide.BID, (Action.BUY, Side.YES), False, "J", "0.45", 4_500),
        (BookSide.BID, (Action.BUY, Side.YES), False, "shift+down", "0.45", 4_500),
        (BookSide.BID, (Action.BUY, Side.YES), True, "K", "0.45", 4_500),
        (BookSide.ASK, (Action.BUY, Side.NO), False, "K", "0.53", 4_700),
        (BookSide.ASK, (Action.BUY, Side.NO), True, "K", "0.55", 4_500),
        (BookSide.ASK, (Action.SELL, Side.YES), False, "J", "0.45", 4_500),
        (BookSide.ASK, None, False, "J", "0.55", 4_500),
    ],
)
async def test_an_order_is_moved_by_a_row_and_sent_by_no_single_key(
    book_side: BookSide, asked: tuple[Action, Side] | None, mirrored: bool, key: str, field: str, sends: int
) -> None:
    async with trading(size=NARROW) as trader:
        trader.desk.store.order(an_order(book_side=book_side))
        if asked is not None:
            trader.desk.store.account.intents.remember_side("c1", *asked)
        await trader.press("v", "tab", "j", *("o" if mirrored else ""), key)
        assert isinstance(trader.app.screen, AmendScreen)
        assert trader.app.screen.query_one("#price", Field).value == field
        assert not trader.desk.amended
        await trader.press("enter")
        await trader.wait_to_arm()
        await trader.press("enter")
        assert [(order.order_id, price, left) for order, price, left in trader.desk.amended] == [("o1", sends, 1_000)]


@pytest.mark.parametrize(("price", "keys"), [(9_900, "g K"), (100, "G J"), (100, "G o K")])
async def test_beyond_the_grid_no_order_is_moved(price: int, keys: str) -> None:
    async with trading(size=NARROW) as trader:
        trader.desk.store.order(an_order(yes_price=price))
        assert "The grid of prices ends here." in await trader.press("v", "tab", *keys.split())
        assert not isinstance(trader.app.screen, AmendScreen)


@pytest.mark.parametrize("key", ["x", "e", "J", "K"])
async def test_read_only_nothing_is_changed_from_a_row(key: str) -> None:
    async with trading(size=NARROW) as trader:
        trader.desk.read_only_reason = "This run only watches."
        trader.desk.store.order(an_order())
        assert "This run only watches." in await trader.press("v", "tab", "j", key)


async def test_an_order_that_ends_while_the_question_stands_is_asked_for_all_the_same() -> None:
    async with trading(size=NARROW) as trader:
        trader.desk.store.order(an_order())
        await trader.press("v", "tab", "j", "x")
        trader.desk.store.order(an_order(filled=400, remaining=600, updated_ms=NOW_MS + 1))
        await trader.press("y")
        assert [order.order_id for order in trader.desk.canceled] == ["o1"]


async def test_what_closing_here_gains_stands_where_a_position_is_open_and_there_is_room() -> None:
    async with trading(size=USUAL) as trader:
        await trader.press("v")
        assert "P&L here" not in trader.text()
        assert "depth" in shown(trader)[3]
        trader.desk.store.position(a_position())
        await trader.look()
        assert "P&L here" in shown(trader)[3]
        assert row(trader, "0.53").split()[-1] == "+$0.60"
        assert row(trader, "0.46").split()[-1] == "-$0.10"
        await trader.press("o")
        assert row(trader, "0.54").split()[-1] == "-$0.10"


# How little is drawn.


@contextmanager
def noting(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[tuple[str, int]]]:
    """Note which lines of which views are drawn, -1 for a whole view."""
    drawn: list[tuple[str, int]] = []
    line = LineView.refresh_line

    def note_line(view: LineView, y: int) -> None:
        drawn.append((view.id or "", y))
        line(view, y)

    def note(view: LineView, *regions: Region, **how: bool) -> LineView:
        if not regions:
            drawn.append((view.id or "", -1))
        return super(LineView, view).refresh(*regions, **how)

    with monkeypatch.context() as patch:
        patch.setattr(LineView, "refresh_line", note_line)
        patch.setattr(LineView, "refresh", note)
        yield drawn


@pytest.mark.parametrize("keys", ["v", "v tab"])
async def test_a_frame_draws_only_the_rows_that_changed(keys: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with trading(size=NARROW) as trader:
        trader.desk.store.snapshot(FIRST, [(4_700, 100_000), (4_600, 300)], [(5_200, 500), (4_700, 300)])
        await trader.press(*keys.split())
        places = {price: 4 + place for place, price in enumerate(prices(trader))}
        with noting(monkeypatch) as drawn:
            trader.app.frame()
            assert drawn == []
            for _ in range(200):
                trader.desk.store.books[FIRST].book.apply(Side.NO, 4_900, 100)
            assert drawn == []
            trader.app.frame()
            # The depth within 5 cents, and the row of 0.51.
            assert [each for each in drawn if each[0] in {"ladder", "book"}] == [
                ("ladder", 2),
                ("ladder", places["0.51"]),
            ]
            drawn.clear()
            trader.desk.store.books[FIRST].book.apply(Side.YES, 1_000, 100)
            trader.app.frame()
            assert [each for each in drawn if each[0] == "ladder"] == [], "a row that is not shown draws nothing"


async def test_the_cursor_draws_two_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    async with trading(size=NARROW) as trader:
        await trader.press("v", "tab")
        place = next(n for n, each in enumerate(shown(trader)) if "►" in each)
        with noting(monkeypatch) as drawn:
            await trader.pilot.press("j")
            await trader.pilot.pause()
            assert {each for each in drawn if each[0] == "ladder"} == {("ladder", place), ("ladder", place + 1)}


async def test_the_book_is_not_drawn_behind_the_ladder(monkeypatch: pytest.MonkeyPatch) -> None:
    async with trading(size=NARROW) as trader:
        await trader.press("v")
        with noting(monkeypatch) as drawn:
            trader.desk.store.books[FIRST].book.apply(Side.YES, 4_700, 100)
            trader.app.frame()
            assert "book" not in {name for name, _ in drawn}
        await trader.press("v")
        assert "1201" in trader.text()


@pytest.mark.quick_cases("80x24-*")
@pytest.mark.parametrize("state", ["ladder", "ladder-no"])
@EACH_SIZE
async def test_golden(state: str, size: tuple[int, int], golden: Callable[[str, str], None]) -> None:
    async with trading(busy_desk(), size) as trader:
        await trader.press("v", "tab", *("o" if state == "ladder-no" else ""), "j")
        golden(f"{state}-{size[0]}x{size[1]}", "\n".join(trader.lines()))
