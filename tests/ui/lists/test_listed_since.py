"""A list of the account that does not go back to its beginning says from when on it is whole."""

from pathlib import Path

from kalshi_tui.domain.order import OrderState
from kalshi_tui.presentation.number_text import date_time_text
from kalshi_tui.session.account.list_reads import AccountList
from tests.support.archive import DAY_MS
from tests.support.fake_desk import NOW_MS, Clock, FakeDesk, a_fill, an_order
from tests.support.pilot import trading
from tests.support.session_rig import Rig

SINCE_MS = NOW_MS - 14 * DAY_MS


async def test_the_fills_and_orders_say_how_far_they_go_back_and_what_lists_all() -> None:
    desk = FakeDesk(Clock())
    account = desk.store.account
    for each in (AccountList.FILLS, AccountList.ORDERS):
        account.set_listed_since(each, SINCE_MS)
    since = date_time_text(SINCE_MS)
    async with trading(desk) as trader:
        assert f"No executions since {since}; 'kalshi-tui fills' lists all." in await trader.press("3")
        assert f"No open order, and none that ended since {since}" in await trader.press("1")
        account.add_fill(a_fill())
        desk.store.order(an_order(state=OrderState.CANCELED))
        screen = await trader.press("3")
        assert f"Since {since}; 'kalshi-tui fills' lists all." in screen
        assert "No executions" not in screen
        assert f"Ended orders since {since}; 'kalshi-tui orders --status all' lists all." in await trader.press("1")
        account.set_listed_since(AccountList.FILLS, 0)
        assert "Since" not in await trader.press("3")


async def test_a_session_knows_from_when_on_its_lists_are_whole(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    await rig.start()
    await rig.pass_time(2)
    account = rig.session.store.account
    cutoff = rig.server.archive.cutoff_ms
    since_ms = account.listed_since_ms(AccountList.FILLS)
    # The clock has gone on since the read.
    assert 0 <= min(map(cutoff, rig.server.archive.after_ms)) - since_ms < 60_000
    now_ms = rig.session.store.time.exchange_ms()
    assert 0 <= now_ms - DAY_MS - account.listed_since_ms(AccountList.ORDERS) < 60_000
    await rig.close()
