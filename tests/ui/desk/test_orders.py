"""The life of orders on the desk: the book's cursor, positions, changes, cancels, totals, what is not known."""

import asyncio
import re
from dataclasses import replace

import pytest
from textual.events import AppBlur, AppFocus
from textual.geometry import Region

from kalshi_tui.domain.book import Side
from kalshi_tui.domain.day_gain import DayGain
from kalshi_tui.domain.link import LinkState, TradingStatus
from kalshi_tui.domain.market import MarketStatus, Quote
from kalshi_tui.domain.order import Action, BookSide, Order, OrderState, OrderTerms, TimeInForce
from kalshi_tui.session.notices import Severity
from kalshi_tui.ui.book.cursor import SelectedLevel
from kalshi_tui.ui.dialogs.ask import AskScreen
from kalshi_tui.ui.ticket.amend import AmendScreen
from kalshi_tui.ui.ticket.review import ReviewScreen
from kalshi_tui.ui.ticket.screen import TicketScreen
from kalshi_tui.ui.widgets.line_view import LineView
from tests.support.fake_desk import (
    NOW_MS,
    TITLES,
    Clock,
    FakeDesk,
    a_market,
    a_position,
    an_order,
    set_day,
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
NARROW_AND_USUAL = pytest.mark.parametrize("size", [NARROW, USUAL], ids=lambda size: f"{size[0]}x{size[1]}")


def chosen(trader: Trader) -> str:
    """Return what stands beside the sign of the book's cursor: the price that it points at."""
    bids = re.findall(r"([\d.]+) *◄│", trader.text())
    asks = re.findall(r"│►([\d.]+)", trader.text())
    assert len(bids) + len(asks) <= 1, "two prices are marked"
    return f"bid {bids[0]}" if bids else f"ask {asks[0]}" if asks else "none"


def one_line(screen: str) -> str:
    """Return a screen's text with the frames of its dialogs left out."""
    return " ".join(screen.replace("│", " ").split())


def last_line(trader: Trader) -> str:
    """Return the line of messages."""
    return trader.lines()[-2]


# The book's cursor.


@NARROW_AND_USUAL
async def test_the_panes_follow_each_other_by_tab_and_escape_goes_home(size: tuple[int, int]) -> None:
    async with trading(size=size) as trader:
        trader.desk.store.order(an_order())
        assert chosen(trader) == "none"
        await trader.press("tab")
        assert chosen(trader) == "bid 0.47"
        await trader.press("tab")
        assert chosen(trader) == "none"
        assert any(each.startswith("▌RESTING") for each in trader.lines())
        await trader.press("shift+tab")
        assert chosen(trader) == "bid 0.47"
        await trader.press("shift+tab")
        assert chosen(trader) == "none"
        await trader.press("shift+tab")
        assert any(each.startswith("▌RESTING") for each in trader.lines())
        await trader.press("shift+tab", "escape")
        assert chosen(trader) == "none"
        assert trader.lines()[2].startswith("▌*")


@pytest.mark.quick_cases("*0*")
@pytest.mark.parametrize(
    ("keys", "stands"),
    [
        ("j", "bid 0.46"),
        ("down", "bid 0.46"),
        ("j j k", "bid 0.46"),
        ("k", "bid 0.47"),
        ("l", "ask 0.48"),
        ("right", "ask 0.48"),
        ("j j l", "ask 0.50"),
        ("l j", "ask 0.49"),
        ("l h", "bid 0.47"),
        ("j l left", "bid 0.46"),
        ("G", "bid 0.36"),
        ("l end", "ask 0.59"),
        ("G g", "bid 0.47"),
        ("pagedown", "bid 0.37"),
    ],
)
async def test_the_cursor_walks_the_levels_of_both_sides(keys: str, stands: str) -> None:
    async with trading(size=NARROW) as trader:
        await trader.press("tab", *keys.split())
        assert chosen(trader) == stands


@pytest.mark.parametrize(
    ("keys", "order"),
    [
        ("j b", "buy YES 10 at 0.46"),
        ("j s", "sell YES 10 at 0.46"),
        ("l b", "buy YES 10 at 0.48"),
        ("l j s", "sell YES 10 at 0.49"),
    ],
)
async def test_the_ticket_opens_with_the_chosen_price(keys: str, order: str) -> None:
    async with trading(size=NARROW) as trader:
        await trader.press("tab", *keys.split())
        assert isinstance(trader.app.screen, TicketScreen)
        assert order in await trader.press("enter")
        assert not trader.desk.sent


@pytest.mark.parametrize("keys", ["b", "s", "tab escape b", "tab j tab b", "tab j shift+tab s"])
async def test_away_from_the_book_no_price_is_chosen(keys: str) -> None:
    async with trading(size=NARROW) as trader:
        trader.desk.store.order(an_order())
        await trader.press(*keys.split())
        assert isinstance(trader.app.screen, TicketScreen)
        await trader.press("enter")
        assert isinstance(trader.app.screen, TicketScreen), "the price was not to be written"


async def test_the_cursor_stays_at_its_price_as_levels_come_and_go() -> None:
    async with trading(size=NARROW) as trader:
        store = trader.desk.store
        await trader.press("tab", "j")
        place = next(n for n, each in enumerate(trader.lines()) if "0.46◄" in each)
        store.books[FIRST].book.apply(Side.YES, 4_750, 100)
        await trader.look()
        assert chosen(trader) == "bid 0.46"
        assert "0.46◄" in trader.lines()[place + 1]
        store.books[FIRST].book.apply(Side.YES, 4_750, -100)
        store.books[FIRST].book.apply(Side.YES, 4_700, -120_000)
        await trader.look()
        assert chosen(trader) == "bid 0.46"
        assert "0.46◄" in trader.lines()[place - 1]
        store.snapshot(FIRST, [(4_600, 100), (4_500, 100)], [(5_000, 100)])
        await trader.look()
        assert chosen(trader) == "bid 0.46"
        assert "buy YES 10 at 0.46" in await trader.press("b", "enter")


@pytest.mark.parametrize(("side", "price", "does"), [(Side.YES, 4_600, "bids"), (Side.NO, 5_100, "offers")])
async def test_a_price_that_is_gone_keeps_its_place_and_takes_no_order(side: Side, price: int, does: str) -> None:
    async with trading(size=NARROW) as trader:
        store = trader.desk.store
        await trader.press("tab", *("l" if side is Side.NO else ""), "j")
        before = chosen(trader)
        row = next(n for n, each in enumerate(trader.lines()) if "◄│" in each or "│►" in each)
        count = store.book(FIRST).book.side(side).count_at(price)
        store.books[FIRST].book.apply(side, price, -count)
        await trader.look()
        assert chosen(trader) == before
        assert "gone" in trader.lines()[row]
        for key in "bs":
            screen = await trader.press(key)
            assert not isinstance(trader.app.screen, TicketScreen)
            assert f"Nobody {does} at {before.split()[1]} any more: choose a price again." in screen
            assert f" {key} " not in trader.lines()[-1].replace("b Back", "")
        store.books[FIRST].book.apply(side, price, count)
        assert "gone" not in await trader.look()
        await trader.press("b")
        assert isinstance(trader.app.screen, TicketScreen)


async def test_from_a_price_that_is_gone_the_cursor_walks_on() -> None:
    async with trading(size=NARROW) as trader:
        await trader.press("tab", "j")
        trader.desk.store.books[FIRST].book.apply(Side.YES, 4_600, -121_550)
        await trader.look()
        await trader.press("j")
        assert chosen(trader) == "bid 0.45"
        assert "gone" not in trader.text()
        await trader.press("k")
        assert chosen(trader) == "bid 0.47"


async def test_a_price_far_down_is_brought_into_view_and_so_said() -> None:
    async with trading(size=NARROW) as trader:
        await trader.press("tab", "G")
        assert "▲2" in trader.text()
        assert chosen(trader) == "bid 0.36"
        assert "0.47 │" not in trader.text().split("YES bid")[1].split("────")[0].replace("0.470", "")
        screen = await trader.press("escape")
        assert "▲2" not in screen
        assert "=  0.47 │" in screen


async def test_an_empty_book_gives_no_price_and_says_so() -> None:
    async with trading(size=NARROW) as trader:
        trader.desk.store.snapshot(FIRST, [], [])
        await trader.look()
        await trader.press("tab")
        assert chosen(trader) == "none"
        assert "No price of the book is chosen: j and k choose one." in await trader.press("b")
        await trader.press("j", "l", "h")
        assert chosen(trader) == "none"
        trader.desk.store.snapshot(FIRST, [], [(5_200, 100)])
        await trader.look()
        await trader.press("j")
        assert chosen(trader) == "ask 0.48"


async def test_another_market_s_book_has_no_price_chosen() -> None:
    async with trading(size=NARROW) as trader:
        store = trader.desk.store
        store.snapshot(SECOND, [(4_000, 100)], [(5_000, 100)])
        await trader.press("tab", "j", "escape", "j", "tab")
        assert chosen(trader) == "bid 0.40"


async def test_h_and_l_say_where_they_work() -> None:
    async with trading(size=NARROW) as trader:
        for key in ("h", "l", "left", "right"):
            assert "h and l choose bids or asks in the book: tab goes there." in await trader.press(key)


async def test_the_filter_takes_the_letters_of_the_book() -> None:
    async with trading(size=NARROW) as trader:
        assert "No market has these words" in await trader.press("slash", *"hlxXer")
        assert "hlxXer" in trader.text()


async def test_a_click_chooses_the_price_under_it() -> None:
    async with trading(size=NARROW) as trader:
        row = next(n for n, each in enumerate(trader.lines()) if "0.45 │" in each)
        await trader.pilot.click(offset=(50, row))
        await trader.look()
        assert chosen(trader) == "bid 0.45"
        await trader.pilot.click(offset=(65, row))
        await trader.look()
        assert chosen(trader) == "ask 0.50"


async def test_under_the_ticket_the_choice_stays() -> None:
    async with trading(size=NARROW) as trader:
        await trader.press("tab", "l", "j", "b", "escape")
        assert chosen(trader) == "ask 0.49"


async def test_the_choice_outlasts_a_look_at_another_window() -> None:
    async with trading(size=NARROW) as trader:
        await trader.press("tab", "l", "j")
        trader.app.post_message(AppBlur())
        await trader.look()
        trader.desk.store.books[FIRST].book.apply(Side.NO, 5_250, 100)
        trader.app.post_message(AppFocus())
        await trader.look()
        assert chosen(trader) == "ask 0.49"
        assert "sell YES 10 at 0.49" in await trader.press("s", "enter")


async def test_a_cursor_in_the_book_costs_no_line_that_did_not_change(monkeypatch: pytest.MonkeyPatch) -> None:
    async with trading(size=NARROW) as trader:
        await trader.press("tab", "j", "j")
        drawn: list[tuple[str, int]] = []
        line = LineView.refresh_line

        def note_line(view: LineView, y: int) -> None:
            drawn.append((view.id or "", y))
            line(view, y)

        def note(view: LineView, *regions: Region, **how: bool) -> LineView:
            if not regions:
                drawn.append((view.id or "", -1))
            return super(LineView, view).refresh(*regions, **how)

        monkeypatch.setattr(LineView, "refresh_line", note_line)
        monkeypatch.setattr(LineView, "refresh", note)
        trader.desk.store.books[FIRST].book.apply(Side.YES, 4_600, 100)
        trader.app.frame()
        assert [each for each in drawn if each[0] == "book"] == [("book", 4)]
        drawn.clear()
        await trader.pilot.press("j")
        await trader.pilot.pause()
        assert {each for each in drawn if each[0] == "book"} == {("book", 5), ("book", 6)}


def test_a_choice_is_the_same_price_in_the_exchange_s_terms() -> None:
    assert SelectedLevel(Side.YES, 4_600).yes_price == 4_600
    assert SelectedLevel(Side.NO, 5_100).yes_price == 4_900


# Closing a position.


@pytest.mark.parametrize(
    ("count", "price", "words"), [(1_050, 4_700, "sell YES 10.50 at 0.47"), (-2_000, 5_200, "sell NO 20 at 0.52")]
)
async def test_x_closes_exactly_what_is_held(count: int, price: int, words: str) -> None:
    async with trading(size=NARROW) as trader:
        trader.desk.store.position(a_position(count=count, cost=abs(count) * 4_000))
        await trader.press("2", "tab", "tab", "x")
        assert isinstance(trader.app.screen, TicketScreen)
        side = Side.YES if count > 0 else Side.NO
        assert trader.app.screen.read_terms() == OrderTerms(
            FIRST, side, Action.SELL, price, abs(count), TimeInForce.IOC, reduce_only=True
        )
        screen = await trader.press("enter")
        assert words in screen
        assert "reduce-only" in screen
        assert not trader.desk.sent


async def test_without_a_good_book_the_close_has_no_price() -> None:
    async with trading(size=NARROW) as trader:
        trader.desk.store.position(a_position())
        trader.desk.store.stale([FIRST], "a frame was missed")
        await trader.press("2", "tab", "tab", "x", "enter")
        assert isinstance(trader.app.screen, TicketScreen)
        assert "Type a price" in trader.text()


async def test_closing_goes_to_the_market_and_comes_back_to_the_line() -> None:
    async with trading(size=NARROW) as trader:
        trader.desk.store.position(a_position(ticker=SECOND))
        trader.desk.store.position(a_position())
        screen = await trader.press("2", "tab", "tab", "j", "x")
        assert "Fed decision in December: Hold" in screen
        await trader.wait(lambda _: trader.desk.looked_at[-1] == (SECOND,))
        await trader.press("escape")
        assert any(each.startswith("▌YES") and "Hold" in each for each in trader.lines())


async def test_closing_a_position_that_the_filter_hides_shows_its_market() -> None:
    async with trading(size=NARROW) as trader:
        trader.desk.store.position(a_position(ticker=SECOND))
        await trader.press("slash", *"bitcoin", "enter")
        screen = await trader.press("2", "tab", "tab", "x")
        assert isinstance(trader.app.screen, TicketScreen)
        assert "Fed decision in December: Hold" in screen
        await trader.wait(lambda _: trader.desk.looked_at[-1] == (SECOND,))
        await trader.press("escape")
        assert any(each.startswith("▌YES") for each in trader.lines())


async def test_x_in_the_positions_never_cancels_an_order() -> None:
    async with trading(size=NARROW) as trader:
        trader.desk.store.order(an_order())
        trader.desk.store.position(a_position())
        screen = await trader.press("2", "tab", "tab", "G", "x")
        assert "No position stands in this line." in screen
        assert not isinstance(trader.app.screen, AskScreen)
        await trader.press("g")
        assert " x Close" in trader.lines()[-1]
        assert " x Cancel" not in trader.lines()[-1]
        await trader.press("1")
        assert " x Cancel" in trader.lines()[-1]
        assert "Cancel YES 10 at 0.46" in one_line(await trader.press("x"))


async def test_a_position_of_a_market_that_is_over_or_unknown_says_so() -> None:
    async with trading(size=NARROW) as trader:
        store = trader.desk.store
        store.position(a_position())
        store.position(a_position(ticker="GONE-1"))
        store.market_data.set_markets([replace(a_market(FIRST), status=MarketStatus.CLOSED)])
        assert "takes no orders: it is closed" in await trader.press("2", "tab", "tab", "x")
        assert "This market is being read, or not known to the exchange." in await trader.press("j", "x")


# Orders: change, send again.


async def test_e_opens_the_change_of_a_resting_order() -> None:
    async with trading(size=NARROW) as trader:
        trader.desk.store.order(an_order(ticker=SECOND))
        await trader.look()
        assert "e Change" in trader.lines()[-1]
        screen = await trader.press("tab", "tab", "e")
        assert isinstance(trader.app.screen, AmendScreen)
        assert "Fed decision in December: Hold" in screen
        await trader.wait(lambda _: trader.desk.looked_at[-1] == (SECOND,))
        assert not trader.desk.amended


@pytest.mark.parametrize(
    ("state", "says"),
    [
        (None, "No order is chosen"),
        (OrderState.FILLED, "This order is filled; only a resting one can be changed."),
        (OrderState.UNKNOWN, "is unknown; only a resting one can be changed."),
    ],
)
async def test_what_cannot_be_changed_says_why(state: OrderState | None, says: str) -> None:
    async with trading(size=WIDE) as trader:
        if state is not None:
            trader.desk.store.order(an_order(state=state))
        await trader.look()
        assert says in await trader.press("tab", "tab", "e")
        assert "e Change" not in trader.lines()[-1]


async def test_an_order_that_never_arrived_is_sent_again_under_its_own_id() -> None:
    async with trading(size=NARROW) as trader:
        terms = OrderTerms(SECOND, Side.NO, Action.BUY, 4_400, 1_000)
        trader.desk.repeatable["c7"] = terms
        trader.desk.store.order(
            an_order(
                order_id="", client_order_id="c7", ticker=SECOND, state=OrderState.NOT_SENT, reason="never arrived"
            )
        )
        await trader.press("tab", "tab")
        assert "r Send again" in trader.lines()[-1]
        screen = await trader.press("r")
        assert isinstance(trader.app.screen, ReviewScreen)
        assert "buy NO 10 at 0.44" in screen
        assert "client order id c7" in screen
        assert not trader.desk.drafted
        await trader.wait_to_arm()
        trader.desk.store.snapshot(SECOND, [(4_700, 100)], [(5_200, 100)])
        await trader.press("enter")
        assert trader.desk.sent == [(terms, "c7")]


@pytest.mark.parametrize(
    ("state", "says"),
    [
        (None, "No order is chosen"),
        (OrderState.RESTING, "This order is resting; only one that never arrived can be resent."),
        (OrderState.REFUSED, "This order is rejected; only one that never arrived can be resent."),
        (OrderState.NOT_SENT, "This order cannot be sent again under its own id: write a new one."),
    ],
)
async def test_what_cannot_be_sent_again_says_why(state: OrderState | None, says: str) -> None:
    async with trading(size=NARROW) as trader:
        if state is not None:
            trader.desk.store.order(an_order(state=state))
        await trader.look()
        assert says in await trader.press("tab", "tab", "r")
        assert not isinstance(trader.app.screen, ReviewScreen)


@pytest.mark.parametrize("state", OrderState)
async def test_every_state_has_its_word_in_the_list(state: OrderState) -> None:
    async with trading(size=NARROW) as trader:
        trader.desk.store.order(an_order(state=state))
        await trader.look()
        assert trader.lines()[17].startswith(f"│{state.word.upper():<10}YES")


@NARROW_AND_USUAL
async def test_a_part_fill_is_said(size: tuple[int, int]) -> None:
    async with trading(size=size) as trader:
        trader.desk.store.order(an_order(filled=300, remaining=700))
        assert "│PART FILL YES" in await trader.look()


async def test_who_canceled_and_the_queue_stand_where_there_is_room() -> None:
    for size in SIZES:
        async with trading(size=size) as trader:
            store = trader.desk.store
            store.order(an_order())
            store.order(an_order(order_id="o2", client_order_id="c2", yes_price=4_500))
            store.order(an_order(order_id="o3", client_order_id="c3", yes_price=4_400))
            store.order(
                an_order(order_id="o4", client_order_id="c4", state=OrderState.CANCELED, remaining=0, reason="by you")
            )
            store.account.set_queue_positions({"o1": 22_822_300, "o2": 22_822_325, "o3": 0})
            screen = await trader.look()
            roomy = size != NARROW
            assert (" ahead " in screen) == roomy
            assert (" 228,223  " in screen) == (" 228,223.25 " in screen) == roomy
            assert ("by you" in screen) == roomy
            assert max(map(len, trader.lines())) <= size[0]
            heading = next(each for each in trader.lines() if each.startswith(" state"))
            column = heading.index("market")
            rows = [each for each in trader.lines() if each[1:].startswith(("RESTING", "CANCELED"))]
            assert len(rows) == 4
            assert all(each[column:].startswith("Fed decision") or "Fed" in each[column : column + 4] for each in rows)


# What is not known.


@NARROW_AND_USUAL
async def test_an_order_of_unknown_outcome_is_said_in_words_as_long_as_it_is_one(size: tuple[int, int]) -> None:
    async with trading(size=size) as trader:
        store = trader.desk.store
        lost = an_order(order_id="", state=OrderState.UNKNOWN, yes_price=4_700)
        store.account.intents.remember_side("c1", Action.BUY, Side.YES)
        store.order(lost)
        screen = await trader.look()
        said = "UNKNOWN: buy YES 10 at 0.47 in FED-26DEC-C25 may be live"
        assert last_line(trader).startswith(said)
        assert "being asked" in last_line(trader)
        assert "…" not in last_line(trader)
        store.notify(Severity.GOOD, "Something else.")
        await trader.look()
        assert last_line(trader).startswith(said)
        screen = await trader.press("5")
        assert "+ Something else." in screen
        store.order(an_order(order_id="", client_order_id="c2", state=OrderState.UNKNOWN))
        await trader.look()
        assert last_line(trader).startswith("2 orders of unknown outcome may be live; the exchange is being asked.")
        for each in ("c1", "c2"):
            store.order(
                replace(store.orders[each], order_id=f"o-{each}", state=OrderState.RESTING, updated_ms=NOW_MS + 9)
            )
        await trader.look()
        assert "UNKNOWN" not in last_line(trader)
        assert "unknown" not in last_line(trader)


async def test_where_there_is_room_the_newest_notice_stands_behind() -> None:
    async with trading(size=WIDE) as trader:
        trader.desk.store.order(an_order(order_id="", state=OrderState.UNKNOWN))
        await trader.look()
        assert "This order is unknown" in (await trader.press("x")).splitlines()[-2]


async def test_where_there_is_none_a_key_still_says_why_it_does_not_work() -> None:
    async with trading(size=NARROW) as trader:
        trader.desk.store.order(an_order(order_id="", state=OrderState.UNKNOWN))
        await trader.look()
        await trader.press("x")
        assert "This order is unknown; only a resting one can be canceled." in trader.lines()[14]
        assert last_line(trader).startswith("UNKNOWN")
        known = replace(trader.desk.store.orders["c1"], order_id="o1", state=OrderState.RESTING, updated_ms=NOW_MS + 9)
        trader.desk.store.order(known)
        await trader.look()
        assert "This order is unknown" not in trader.lines()[14]


async def test_a_long_name_leaves_the_sentence_whole() -> None:
    long = "KXHIGHNYTEMPERATURE-26NOV20-B58.5-AND-THEN-SOME-MORE-OF-IT"
    async with trading(FakeDesk(Clock(), [a_market(long)]), NARROW) as trader:
        trader.desk.store.order(an_order(order_id="", ticker=long, state=OrderState.UNKNOWN))
        await trader.look()
        assert last_line(trader) == "UNKNOWN: YES 10 at 0.46 may be live; the exchange is being asked."


# Canceling all.


async def test_cancel_all_here_asks_and_cancels_this_market_alone() -> None:
    async with trading(size=NARROW) as trader:
        store = trader.desk.store
        store.order(an_order())
        store.order(an_order(order_id="o2", client_order_id="c2", yes_price=4_500))
        store.order(an_order(order_id="o3", client_order_id="c3", ticker=SECOND))
        await trader.look()
        screen = await trader.press("X")
        assert "Cancel all 2 open orders in Fed decision in December: Cut 25 bps?" in one_line(screen)
        await trader.press("enter")
        assert not trader.desk.swept
        await trader.press("n")
        assert not trader.desk.swept
        await trader.press("X", "y")
        await trader.look()
        assert trader.desk.swept == [FIRST]
        assert [order.order_id for order in store.working_orders()] == ["o3"]
        assert f"Canceling all orders in {FIRST}..." in trader.text()
        assert "You have no open order in this market." in await trader.press("X")


@pytest.mark.quick_cases("tab", "slash f e d")
@pytest.mark.parametrize("before", ["", "tab", "tab tab", "tab tab 2", "slash", "slash f e d"])
async def test_cancel_all_everywhere_works_from_anywhere(before: str) -> None:
    async with trading(size=NARROW) as trader:
        store = trader.desk.store
        store.order(an_order())
        store.order(an_order(order_id="o2", client_order_id="c2", state=OrderState.UNKNOWN))
        store.order(an_order(order_id="o3", client_order_id="c3", ticker=SECOND))
        store.set_hours(TradingStatus.TRADING_PAUSED)
        await trader.press(*before.split())
        screen = one_line(await trader.press("ctrl+x"))
        assert f"Cancel all 3 open orders in 2 markets: {FIRST} (2), {SECOND} (1)?" in screen
        assert "Of 1 it is not known whether it is there." in screen
        await trader.press("y")
        await trader.look()
        assert trader.desk.swept == [""]
        assert "Canceling all orders in all markets..." in trader.text()


async def test_many_markets_are_counted_not_listed() -> None:
    async with trading(size=NARROW) as trader:
        for number, (ticker, _, _) in enumerate(TITLES):
            trader.desk.store.order(an_order(order_id=f"o{number}", client_order_id=f"c{number}", ticker=ticker))
        assert "in 6 markets" in one_line(await trader.press("ctrl+x"))
        assert ", and 2 more?" in one_line(trader.text())


async def test_all_can_be_canceled_though_none_is_known() -> None:
    async with trading(size=NARROW) as trader:
        assert "No open order of yours is known." in one_line(await trader.press("ctrl+x"))
        await trader.press("y")
        await trader.look()
        assert trader.desk.swept == [""]


async def test_a_defect_in_canceling_one_is_said_with_its_market(monkeypatch: pytest.MonkeyPatch) -> None:
    async def break_down(order: Order) -> None:
        await asyncio.sleep(0)
        raise RuntimeError(order.order_id)

    async with trading(size=USUAL) as trader:
        monkeypatch.setattr(trader.desk, "cancel", break_down)
        trader.desk.store.order(an_order(state=OrderState.RESTING))
        await trader.press("1", "tab", "x", "y")
        await trader.look()
        (notice,) = [each for each in trader.desk.store.notices if "inside the program" in each.text]
        assert "failed inside the program (RuntimeError); the order may still rest" in notice.text
        assert notice.ticker == FIRST


async def test_a_defect_in_canceling_all_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    async def break_down(ticker: str = "", subaccount: int | None = None) -> None:
        del subaccount
        await asyncio.sleep(0)
        raise RuntimeError(f"broken{ticker}")

    async with trading(size=USUAL) as trader:
        monkeypatch.setattr(trader.desk, "cancel_all", break_down)
        trader.desk.store.order(an_order())
        await trader.press("ctrl+x", "y")
        screen = await trader.look()
        assert "failed inside the program (RuntimeError); orders may still rest." in screen


@pytest.mark.parametrize("key", ["x", "X", "ctrl+x", "e", "r"])
async def test_read_only_nothing_is_written_and_the_key_says_so(key: str) -> None:
    async with trading(size=NARROW) as trader:
        trader.desk.read_only_reason = "The program was started with --read-only: it sends nothing."
        trader.desk.store.order(an_order())
        trader.desk.repeatable["c1"] = OrderTerms(FIRST, Side.YES, Action.BUY, 4_600, 1_000)
        screen = await trader.press("tab", "tab", key)
        assert "The program was started with --read-only: it sends nothing." in screen
        assert len(trader.app.screen_stack) == 1
        for word in ("Cancel", "Change", "Send again"):
            assert word not in trader.lines()[-1]


@pytest.mark.parametrize("keys", ["b", "s", "2 tab tab x"])
async def test_read_only_the_ticket_opens_all_the_same(keys: str) -> None:
    async with trading(size=NARROW) as trader:
        trader.desk.read_only_reason = "The program was started with --read-only: it sends nothing."
        trader.desk.store.position(a_position())
        await trader.press(*keys.split())
        assert isinstance(trader.app.screen, TicketScreen)


# Positions, their total, the day.


def two_positions(desk: FakeDesk) -> None:
    desk.store.position(a_position(cost=4_500_000, realized_pnl=1_000_000))
    desk.store.position(a_position(ticker=SECOND, count=-2_000, cost=11_000_000, fees_paid=50_000))


@NARROW_AND_USUAL
async def test_the_total_sums_the_columns_up(size: tuple[int, int]) -> None:
    async with trading(size=size) as trader:
        two_positions(trader.desk)
        screen = await trader.press("2")
        # YES 10 bring $4.70 less a fee of $0.18 and cost $4.50; NO 20 $10.40 less $0.35 and cost $11.00.
        total = next(each for each in trader.lines() if each[1:].startswith("Total"))
        assert total.split()[1:4] == ["-$0.93", "+$1.00", "$0.07"]
        assert "net $0.00" in screen
        if size == NARROW:
            assert "exposure $15.50, value $14.57, net $0.00" in screen
        else:
            assert total.split()[4] == "$15.50"
            row = next(each for each in trader.lines() if "Hold" in each and each[1:].startswith("NO"))
            assert row.split()[7:9] == ["$11.00", "$10.05"]
        heading = next(each for each in trader.lines() if "P&L now" in each)
        for name, figure in (("P&L now", "-$0.93"), ("realized", "+$1.00"), ("fees", "$0.07")):
            assert heading.index(name) + len(name) == total.index(figure) + len(figure)


async def test_the_total_says_how_many_of_the_positions_it_could_reckon() -> None:
    async with trading(size=NARROW) as trader:
        two_positions(trader.desk)
        trader.desk.store.quote(SECOND, Quote())
        screen = await trader.press("2")
        assert "P&L of 1 of 2" in screen
        total = next(each for each in trader.lines() if each[1:].startswith("Total"))
        assert "+$0.02" in total
        trader.desk.store.link(LinkState.WAITING, "")
        screen = await trader.look()
        assert "P&L of 0 of 2" in screen
        total = next(each for each in trader.lines() if each[1:].startswith("Total"))
        assert total.split()[6] == "--"


@pytest.mark.parametrize(
    ("day", "says"),
    [
        (
            DayGain(12, 20_000, 14_000, 3_210_000, 12_400_000, NOW_MS),
            "Today  12 fills, 340 contracts, fees $3.21, account +$12.40 since ",
        ),
        (DayGain(1, 150, 0, 0, -500_000, NOW_MS), "Today  1 fill, 1.50 contracts, fees $0.00, account -$0.50 since "),
        (DayGain(1, 100, 0, 0, 0, NOW_MS), "Today  1 fill, 1 contract, fees $0.00, account $0.00 since "),
        (DayGain(0, 0, 0, 0, None, NOW_MS), "Today  0 fills, 0 contracts, fees $0.00, account not known"),
    ],
)
async def test_the_day_s_total_ends_the_list(day: DayGain, says: str) -> None:
    async with trading(size=NARROW) as trader:
        assert "Today" not in await trader.press("2")
        set_day(trader.desk.store, day)
        screen = await trader.look()
        assert says in screen
        assert ("since" in screen) == (day.gain is not None)
        assert "No positions." in screen
        trader.desk.store.position(a_position())
        await trader.look()
        lines = [each for each in trader.lines()[17:] if each.strip()]
        assert "Today" in lines[3]


async def test_a_difference_stands_first_and_is_no_position() -> None:
    async with trading(size=NARROW) as trader:
        store = trader.desk.store
        two_positions(trader.desk)
        sentence = "In FED-26DEC-C25 the stream told of YES 12 and the exchange has YES 10: what it has is shown here."
        store.account.set_differences([sentence])
        screen = await trader.press("2", "tab", "tab")
        lines = trader.lines()
        assert lines[17].startswith(" ! In FED-26DEC-C25 the stream told of YES 12")
        assert "shown here." in lines[18]
        # The cursor begins on a position, and stays on it as the sentence goes.
        assert lines[19].startswith("▌YES")
        assert "No position stands in this line." in await trader.press("g", "x")
        await trader.press("j", "j")
        store.account.set_differences([])
        screen = await trader.look()
        assert "! In FED" not in screen
        assert trader.lines()[17].startswith("▌YES")


async def test_a_large_sum_keeps_its_columns_apart() -> None:
    async with trading(size=NARROW) as trader:
        trader.desk.store.position(
            a_position(count=123_456_700, cost=12_345_670_000_00, realized_pnl=-9_876_543_210_000)
        )
        await trader.press("2")
        row = next(each for each in trader.lines() if each[1:].startswith("YES"))
        assert "…" not in row.split("Fed")[0]
        assert "-$9876543" in row.split()


# Quitting.


@pytest.mark.parametrize(
    ("orders", "leaves_nothing", "asks"),
    [
        (1, False, "1 order of yours may be live, and will stay so. Quit all the same?"),
        (2, False, "2 orders of yours may be live. Quit all the same?"),
        (1, True, "1 order of yours may be live; it will be canceled first. Quit?"),
        (2, True, "2 orders of yours may be live; they will be canceled first. Quit?"),
    ],
)
async def test_the_question_at_quitting_says_what_becomes_of_the_orders(
    orders: int, leaves_nothing: bool, asks: str
) -> None:
    async with trading(size=NARROW) as trader:
        trader.desk.cancels_on_quit = leaves_nothing
        for number in range(orders):
            trader.desk.store.order(
                an_order(order_id=f"o{number}", client_order_id=f"c{number}", book_side=BookSide.ASK)
            )
        assert asks in one_line(await trader.press("q"))


async def test_the_question_at_quitting_names_cash_under_way() -> None:
    async with trading(size=NARROW) as trader:
        trader.desk.store.order(an_order(book_side=BookSide.ASK))
        trader.desk.cash_left_text = "A move of $1.00 to where orders need it is under way and may still complete."
        assert (
            "A move of $1.00 to where orders need it is under way and may still complete. Quit all the same?"
            in one_line(await trader.press("q"))
        )
