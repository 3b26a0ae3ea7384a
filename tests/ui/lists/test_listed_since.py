"""A list of the account that does not go back to its beginning says from when on it is whole."""

from pathlib import Path

from kalshi_tui.domain.order import BookSide, OrderState
from kalshi_tui.presentation.number_text import date_time_text
from kalshi_tui.session.account.list_reads import AccountList
from kalshi_tui.ui.lists.panes import listed_fills
from tests.support.archive import DAY_MS
from tests.support.fake_desk import NOW_MS, Clock, FakeDesk, a_fill, an_order
from tests.support.pilot import trading
from tests.support.session_rig import US, Rig

SINCE_MS = NOW_MS - 14 * DAY_MS


async def test_the_fills_and_orders_say_how_far_they_go_back_and_what_lists_all() -> None:
    desk = FakeDesk(Clock())
    account = desk.store.account
    for each in (AccountList.FILLS, AccountList.ORDERS):
        account.set_listed_since(each, SINCE_MS)
    since = date_time_text(SINCE_MS)
    async with trading(desk) as trader:
        assert f"No executions since {since}; E shows older ones." in await trader.press("3")
        assert f"No open order, and none that ended since {since}" in await trader.press("1")
        account.add_fill(a_fill())
        desk.store.order(an_order(state=OrderState.CANCELED))
        screen = await trader.press("3")
        assert f"Since {since}; E shows older ones." in screen
        assert "No executions" not in screen
        assert f"Ended orders since {since}; E shows older ones." in await trader.press("1")
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


async def test_older_entries_are_shown_when_they_are_asked_for() -> None:
    desk = FakeDesk(Clock())
    account = desk.store.account
    account.set_listed_since(AccountList.FILLS, SINCE_MS)
    for number in range(201):
        account.add_fill(a_fill(trade_id=f"t-{number}", ts_ms=SINCE_MS + number))
    old = a_fill(trade_id="old", ts_ms=SINCE_MS - DAY_MS, count=12_300)
    async with trading(desk) as trader:
        await trader.press("3", "tab", "tab")
        assert len(listed_fills(desk.store)) == 200
        assert account.older.add_fills([old, account.fills[0]], {each.key for each in account.fills}) == 1
        await trader.press("E")
        assert desk.more_read == [AccountList.FILLS]
        assert len(listed_fills(desk.store)) == 202
        assert "123" in await trader.press("G")
        account.set_listed_since(AccountList.FILLS, 0)
        assert "Nothing older is known to be there." in await trader.press("E")
        assert "Older ones are read in the lists of orders (1) and fills (3)." in await trader.press("5", "E")


async def test_a_session_reads_older_fills_and_orders_a_part_at_a_time_to_the_end(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    await rig.start()
    await rig.pass_time(2)
    for _ in range(3):
        rig.trade(BookSide.ASK, 4_000, 100)
        rig.exchange.order_entry.create(US, rig.request(4_000, 100))
        order = rig.exchange.order_entry.create(US, rig.request(1_000, 100))
        rig.exchange.order_entry.cancel(US, order.order_id)
        rig.server.commit()
        await rig.pass_time(2)
    fills, orders = [each.trade_id for each in rig.exchange.queries.fills(US)], rig.theirs()
    rig.deliver("none")
    await rig.kill()
    # All of it is older than what a new session reads by itself, and part of it is in the archive.
    rig.clock.advance(2 * DAY_MS)
    rig.world.step()
    rig.server.commit()
    await rig.start()
    await rig.pass_time(20)
    account = rig.session.store.account
    account.set_listed_since(AccountList.FILLS, rig.clock.now_ms)
    before = dict(account.positions)
    for which in (AccountList.FILLS, AccountList.ORDERS):
        assert account.listed_since_ms(which)
        work = rig.begin(rig.session.read_more(which))
        await rig.pass_time(2)
        assert await work == ""
        assert not account.listed_since_ms(which)
    assert {each.trade_id for each in (*account.fills, *account.older.fills)} == set(fills)
    known = {each.order_id for each in (*account.orders.values(), *account.older.orders)}
    assert known == {each.order_id for each in orders}
    assert dict(account.positions) == before
    rig.line.down_until_ms = rig.clock.now_ms + 60_000
    account.set_listed_since(AccountList.ORDERS, rig.clock.now_ms)
    work = rig.begin(rig.session.read_more(AccountList.ORDERS))
    await rig.pass_time(2)
    assert "could not be read" in await work
    await rig.close()
