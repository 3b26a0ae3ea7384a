"""An account that has not been read is not known: it is "--" and never nothing."""

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from kalshi_tui.domain.book import Side
from kalshi_tui.domain.limits import RiskLimits
from kalshi_tui.domain.link import LinkState
from kalshi_tui.domain.order import Action, OrderState, OrderTerms
from kalshi_tui.domain.position import Balance
from kalshi_tui.session.account.list_reads import AccountList
from kalshi_tui.session.execution.risk_checks import OverrideMethod, Risk, RiskChecks, RiskReason
from kalshi_tui.session.options import SessionOptions
from kalshi_tui.session.venue import Venue
from kalshi_tui.ui.ui_settings import UiSettings
from tests.support.fake_desk import (
    NOW_MS,
    TITLES,
    Clock,
    FakeDesk,
    a_fill,
    a_position,
    an_order,
)
from tests.support.pilot import NARROW, SIZES, trading
from tests.support.session_rig import Rig

LISTS = {"1": AccountList.ORDERS, "2": AccountList.POSITIONS, "3": AccountList.FILLS, "7": AccountList.SETTLEMENTS}
EMPTY = ("No orders yet", "No positions", "No executions", "No market in which")


def an_unread_desk(state: LinkState = LinkState.WAITING) -> FakeDesk:
    desk = FakeDesk(Clock(), account_read=False)
    desk.store.link(state, "No such host. Trying again in 3 s.")
    return desk


@pytest.mark.quick_cases("80x24")
@pytest.mark.parametrize("size", SIZES)
async def test_the_top_line_says_that_nothing_of_the_account_is_known(size: tuple[int, int]) -> None:
    async with trading(an_unread_desk(), size) as trader:
        top = (await trader.look()).splitlines()[0]
        assert "cash --" in top
        assert "orders --" in top
        assert "orders 0" not in top
        assert "positions 0" not in top
        if size != NARROW:
            assert "positions --" in top


@pytest.mark.parametrize("tab", LISTS)
async def test_a_list_that_was_not_read_says_so_and_why(tab: str) -> None:
    desk = an_unread_desk()
    async with trading(desk) as trader:
        screen = await trader.press(tab)
        assert "Not read yet: no connection." in screen
        assert not any(words in screen for words in EMPTY)
        bar = next(each for each in screen.splitlines() if "1 Orders" in each)
        assert "1 Orders --" in bar
        assert "2 Positions --" in bar
        assert "3 Fills --" in bar
        assert "7 Settlements --" in bar
        desk.store.link(LinkState.LIVE, "")
        assert "Not read yet: the exchange is being asked." in await trader.look()
        desk.store.account.mark_unread("The exchange answered 503.", LISTS[tab])
        assert "Not read yet: The exchange answered 503." in await trader.look()
        desk.store.account.mark_read(*AccountList)
        screen = await trader.look()
        assert "Not read yet" not in screen
        assert any(words in screen for words in EMPTY)
        assert "1 Orders --" not in screen


async def test_what_is_known_already_stands_above_the_sentence() -> None:
    desk = an_unread_desk()
    desk.store.order(an_order(state=OrderState.UNKNOWN))
    desk.store.position(a_position())
    desk.store.fill(a_fill(order_id="o2", client_order_id="c2"))
    async with trading(desk) as trader:
        for tab, words in (("1", "UNKNOWN"), ("2", "YES"), ("3", "taker")):
            rows = (await trader.press(tab)).splitlines()
            sentence = next(number for number, row in enumerate(rows) if "Not read yet" in row)
            assert words in rows[sentence - 1]
        assert "Total" not in await trader.press("2")
        assert "orders --  UNKNOWN 1" in trader.text().splitlines()[0]


async def test_what_was_read_stays_though_later_reads_fail() -> None:
    desk = FakeDesk(Clock())
    desk.store.account.set_positions([a_position()], NOW_MS)
    desk.store.account.mark_unread("The exchange answered 503.", *AccountList)
    desk.store.link(LinkState.WAITING, "Lost.")
    async with trading(desk) as trader:
        screen = await trader.press("2")
        assert "Not read yet" not in screen
        assert "positions 1" in screen.splitlines()[0]
        assert "orders 0" in screen.splitlines()[0]


async def test_an_unread_list_is_not_exported_as_an_empty_table(tmp_path: Path) -> None:
    async with trading(an_unread_desk(), ui_settings=UiSettings(theme="desk", export_folder=tmp_path)) as trader:
        for tab in LISTS:
            await trader.press(tab)
            assert "Nothing is exported. Not read yet: no connection." in await trader.press("w")
        written = await asyncio.to_thread(os.listdir, tmp_path)
    assert not written


async def test_the_ticket_knows_no_holding_to_sell() -> None:
    desk = an_unread_desk(LinkState.LIVE)
    desk.store.account.set_balance(Balance(cash=10_000_000_000, portfolio_value=0))
    async with trading(desk) as trader:
        await trader.press("s")
        screen = await trader.press(*"90", "tab", *"5")
        assert "Held now   --" in screen
        assert "Your positions have not been read: this may open NO at 0.10." in screen
        assert "You hold" not in screen


async def test_cancel_all_here_does_not_say_that_nothing_works_here() -> None:
    async with trading(an_unread_desk()) as trader:
        screen = await trader.press("X")
        assert "Your orders: Not read yet: no connection." in screen
        assert "No order of yours" not in screen


@pytest.mark.parametrize(("hard", "passing"), [(True, OverrideMethod.NEVER), (False, OverrideMethod.WORD)])
def test_limits_of_a_market_are_not_measured_by_an_account_that_was_not_read(
    *, hard: bool, passing: OverrideMethod
) -> None:
    store = an_unread_desk(LinkState.LIVE).store
    limits = RiskLimits(market_contracts=10_000, hard=hard)
    risk_checks = RiskChecks(store, Venue.PRACTICE, limits, clock_ms=lambda: NOW_MS)
    terms = OrderTerms(TITLES[0][0], Side.YES, Action.BUY, 4_700, 100)
    (objection,) = risk_checks.check(terms)
    assert (objection.risk, objection.override) == (Risk(RiskReason.ACCOUNT_UNREAD), passing)
    store.account.mark_read(AccountList.ORDERS, AccountList.POSITIONS)
    assert risk_checks.check(terms) == []


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    made = Rig(tmp_path, options=SessionOptions())
    yield made
    await made.close()


async def test_the_practice_exchange_out_of_reach_and_back(rig: Rig) -> None:
    rig.line.down_until_ms = rig.clock.now_ms + 60_000
    await rig.start()
    await rig.pass_time(10)
    store = rig.session.store
    for each in AccountList:
        assert store.why_unread(each).startswith("Not read yet: ")
        assert "being asked" not in store.why_unread(each), "the reason is known"
    await rig.heal()
    await asyncio.sleep(0)
    assert [store.why_unread(each) for each in AccountList] == [""] * 4
    rig.line.down_until_ms = rig.clock.now_ms + 60_000
    rig.session.parts.readers.account.request_full_read()
    await rig.pass_time(10)
    assert store.reads.have(*AccountList)
