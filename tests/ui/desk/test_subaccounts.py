"""Subaccounts on the desk: which are shown, where an order goes, and whose orders are canceled."""

import pytest

from kalshi_tui.domain.day_gain import DayGain
from kalshi_tui.domain.order import OrderState
from kalshi_tui.domain.position import Balance
from tests.support.fake_desk import NOW_MS, TITLES, Clock, FakeDesk, a_position, an_order, set_day
from tests.support.pilot import NARROW, USUAL, Trader, said, trading

FIRST = TITLES[0][0]
SIZES = pytest.mark.parametrize("size", [NARROW, USUAL], ids=lambda size: f"{size[0]}x{size[1]}")


def a_desk() -> FakeDesk:
    """Return a desk whose primary and subaccount 3 have cash, an order and a position each."""
    desk = FakeDesk(Clock())
    account = desk.store.account
    account.add_subaccounts([0, 3])
    account.set_balance(Balance(77_000_000, 0, subaccount=3))
    desk.store.order(an_order(order_id="o0", client_order_id="c0"))
    desk.store.order(an_order(order_id="o3", client_order_id="c3", subaccount=3))
    desk.store.position(a_position(count=1_000))
    desk.store.position(a_position(count=-5_000, subaccount=3))
    return desk


async def choose(trader: Trader, typed: str) -> str:
    await trader.press("C")
    await trader.type(typed)
    return await trader.press("enter")


@SIZES
async def test_one_is_shown_or_all_and_the_lists_say_whose_each_line_is(size: tuple[int, int]) -> None:
    async with trading(a_desk(), size) as trader:
        screen = trader.text()
        assert "all subs, 0: cash $10,000" in screen
        assert "orders 2" in screen
        screen = await trader.press("2")
        rows = [each.replace("│", " ").split()[:3] for each in screen.split("\n") if " YES " in each or " NO " in each]
        assert "sub  side" in screen
        assert ["0", "YES", "10"] in rows
        assert ["3", "NO", "50"] in rows
        screen = await choose(trader, "3")
        assert "sub 3 cash $77.00" in screen
        assert "orders 1" in screen
        rows = [each.replace("│", " ").split()[:3] for each in screen.split("\n") if " YES " in each or " NO " in each]
        assert ["3", "NO", "50"] in rows
        assert ["0", "YES", "10"] not in rows
        screen = await choose(trader, "all")
        assert "all subs, 3: cash $77.00" in screen


async def test_the_day_s_total_says_that_it_is_of_all_where_one_is_shown() -> None:
    async with trading(a_desk(), NARROW) as trader:
        set_day(trader.desk.store, DayGain(2, 1_000, 0, 20_700, -20_000, NOW_MS))
        assert "Today  2 fills, 10 contracts, fees $0.02, account -$0.02 since " in await trader.press("2")
        screen = await choose(trader, "3")
        assert "All subs today  2 fills, 10 contracts, fees $0.02, -$0.02 since " in screen


@SIZES
async def test_canceling_all_stays_among_the_keys_that_are_named(size: tuple[int, int]) -> None:
    async with trading(a_desk(), size) as trader:
        keys = trader.lines()[-1]
        assert "^x Cancel all" in keys
        assert ("C Subaccount" in keys) == (size == USUAL)


async def test_a_number_that_is_none_is_one_sentence() -> None:
    async with trading(a_desk()) as trader:
        screen = await choose(trader, "9")
        assert "There are 0, 3, or all." in screen
        await trader.press("escape")
        assert trader.desk.store.account.view.chosen == 0


async def test_without_subaccounts_nothing_of_them_is_shown() -> None:
    async with trading() as trader:
        assert " sub" not in trader.text()
        screen = await trader.press("C")
        assert "There is no subaccount beside the primary" in screen


@SIZES
async def test_the_ticket_sends_to_the_chosen_one_and_says_which(size: tuple[int, int]) -> None:
    async with trading(a_desk(), size) as trader:
        await choose(trader, "3")
        screen = await trader.press("b")
        assert "order ticket - subaccount 3" in screen
        assert "NO 50" in screen
        await trader.type("0.40")
        await trader.press("tab")
        await trader.press("enter")
        screen = await trader.wait_to_arm()
        assert "in subaccount 3" in screen
        await trader.press("enter")
        [(terms, _)] = trader.desk.sent
        assert terms.subaccount == 3


async def test_closing_a_position_sells_where_it_is_held() -> None:
    async with trading(a_desk()) as trader:
        await trader.press("2", "tab", "tab", "j")
        screen = await trader.press("x")
        assert "order ticket - subaccount 3" in screen


async def test_a_cancel_of_all_takes_those_in_view_and_says_whose() -> None:
    async with trading(a_desk()) as trader:
        assert "Cancel all 2 open orders of all subaccounts" in said(await trader.press("ctrl+x"))
        await trader.press("escape")
        await choose(trader, "3")
        assert "the 1 open order of subaccount 3" in said(await trader.press("ctrl+x"))
        await trader.press("y")
        await trader.wait(lambda _: bool(trader.desk.swept_subaccounts))
        assert trader.desk.swept_subaccounts == [3]
        assert trader.desk.store.orders["o0"].state is OrderState.RESTING


async def test_a_cancel_names_the_subaccount_of_its_order() -> None:
    async with trading(a_desk()) as trader:
        await choose(trader, "3")
        await trader.press("1")
        assert "in subaccount 3" in said(await trader.press("x"))


@SIZES
async def test_a_locked_key_says_so(size: tuple[int, int]) -> None:
    desk = FakeDesk(Clock())
    desk.store.account.lock_subaccount()
    async with trading(desk, size) as trader:
        assert "locked sub cash" in trader.text()
        desk.store.order(an_order(subaccount=2))
        desk.store.account.set_balance(Balance(5_000_000, 0, subaccount=2))
        assert "sub 2 (locked) cash $5.00" in await trader.look()
        assert "locked to one subaccount" in await trader.press("C")
        await trader.press("escape")
        await trader.press("b")
        await trader.type("0.40")
        await trader.press("tab")
        await trader.press("enter")
        await trader.wait_to_arm()
        await trader.press("enter")
        [(terms, _)] = desk.sent
        assert terms.subaccount is None
