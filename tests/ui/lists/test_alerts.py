"""Alerts on the screen: the line in which one is written, the list, the bell, the desktop's notification."""

import csv
import io
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from kalshi_tui.domain.alerts import (
    Alert,
    AlertKind,
    AlertState,
    parse_alert,
)
from kalshi_tui.domain.book import Side
from kalshi_tui.domain.order import OrderState
from kalshi_tui.presentation.lines import cell_count, plain_text
from kalshi_tui.ui.app import DeskApp
from kalshi_tui.ui.lists.export import build_table, csv_text
from kalshi_tui.ui.lists.panes import Tab, tab_bar
from kalshi_tui.ui.notifier import (
    MAX_NOTIFICATION_LENGTH,
    MIN_NOTIFICATION_INTERVAL_MS,
    AlertNotifier,
    notification_sequence,
)
from kalshi_tui.ui.ui_settings import UiSettings
from kalshi_tui.ui.widgets.sentence import WrappedText
from tests.support.fake_desk import (
    NOW_MS,
    TITLES,
    Clock,
    FakeDesk,
    a_fill,
    an_order,
    busy_desk,
)
from tests.support.hostile_texts import HOSTILE
from tests.support.pilot import (
    NARROW,
    SIZES,
    USUAL_UI_SETTINGS,
    Trader,
    trading,
)

FIRST, SECOND = TITLES[0][0], TITLES[1][0]
MINUTE = 60_000


def add(desk: FakeDesk, text: str, ticker: str = FIRST) -> None:
    assert not desk.alerts.add(parse_alert(text, ticker))


def alerted_desk() -> FakeDesk:
    """A desk with an alert of each kind, in each state."""
    desk = busy_desk()
    store = desk.store
    store.market_data.set_markets([replace(store.markets[SECOND], close_ms=NOW_MS + 200 * MINUTE)])
    for text, ticker in (
        ("bid >= 0.55", FIRST),
        ("ask <= 0.40 every", FIRST),
        ("last >= 0.99", SECOND),
        ("spread >= 0.01 every", FIRST),
        ("bid size >= 250000", FIRST),
        ("trade >= 5000", TITLES[2][0]),
        ("close < 10m", SECOND),
        ("fill", ""),
        ("refused once", ""),
        ("bid >= 0.4705", "GONE-26NOV-T1"),
    ):
        add(desk, text, ticker)
    store.order(an_order(order_id="", client_order_id="c9", state=OrderState.REFUSED, reason="no"))
    return desk


@pytest.mark.quick_cases("80x24-*")
@pytest.mark.parametrize("state", ["alerts", "alerts-empty", "alert", "alert-wrong"])
@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
async def test_golden(state: str, size: tuple[int, int], golden: Callable[[str, str], None]) -> None:
    desk = busy_desk() if state == "alerts-empty" else alerted_desk()
    async with trading(desk, size) as trader:
        if state.startswith("alerts"):
            await trader.press("8", "tab", "tab")
        else:
            await trader.press("A", *("bid >= 0.55 every" if state == "alert" else "bid >= 55"))
        golden(f"{state}-{size[0]}x{size[1]}", await trader.look())


# Writing one.


def said(trader: Trader) -> str:
    """Return the sentence below the line."""
    (shown,) = trader.app.screen.query_one("#alert-said", WrappedText)._shown_lines
    return plain_text(shown)


async def test_an_alert_is_written_and_rings() -> None:
    async with trading(size=NARROW) as trader:
        await trader.press("A", *"bid >= 0.475")
        assert said(trader) == "Rings once: bid at 0.4750 or above. Now it is 0.47."
        screen = await trader.press("enter", "8")
        assert "Alert armed: bid >= 0.4750 in Fed decision in December: Cut 25 bps." in screen
        assert "armed   once  bid at 0.4750 or above" in screen
        trader.desk.store.books[FIRST].book.apply(Side.YES, 4_750, 100)
        screen = await trader.look()
        assert "fired   once  bid at 0.4750 or above" in screen
        assert "! Alert: bid 0.4750 in Fed decision in December: Cut 25 bps (bid >=" in screen


async def test_the_market_of_an_alert_is_named_whole() -> None:
    async with trading(size=NARROW) as trader:
        assert "Fed decision in December: Cut 25 bps" in await trader.press("A")


async def test_what_makes_no_sense_is_said_and_not_kept() -> None:
    async with trading() as trader:
        assert "Write what is to ring" in await trader.press("A")
        assert "Write what is to ring" in await trader.press("enter")
        assert "An alert begins with" in await trader.type("bit >= 0.5")
        assert "an alert" in await trader.press("enter")
        await trader.press(*["backspace"] * 20)
        assert "is over one dollar" in await trader.type("bid >= 55")
        assert "Nobody has said when this market closes." in await trader.press(*["backspace"] * 20, *"close < 5m")
        await trader.press("enter", "escape")
        assert not trader.desk.store.alerts


async def test_keys_of_the_desk_are_letters_here() -> None:
    async with trading() as trader:
        await trader.press("A", *"qxbs8A?/")
        assert "an alert" in await trader.press("enter")
        assert not trader.desk.store.alerts
        assert not trader.desk.stopped


@pytest.mark.quick_cases("keys0-*", "keys1-*", "keys3-*")
@pytest.mark.parametrize(
    ("keys", "text"),
    [
        ([], "Write what is to ring"),
        (["tab"], "ask <= 0.47"),
        (["tab", "j", "j"], "ask <= 0.45"),
        (["tab", "l"], "bid >= 0.48"),
        (["tab", "l", "j"], "bid >= 0.49"),
        (["v", "tab"], "ask <= 0.47"),
        (["v", "tab", "k", "k"], "bid >= 0.49"),
        (["v", "tab", "o"], "ask <= 0.47"),
    ],
)
async def test_it_begins_with_the_chosen_price(keys: list[str], text: str) -> None:
    async with trading() as trader:
        await trader.press(*keys)
        assert text in await trader.press("A")
        # What is there is chosen: to type replaces it.
        await trader.type("fill")
        await trader.press("enter")
        assert [each.kind for each in trader.desk.store.alerts] == [AlertKind.FILL]


async def test_one_that_is_true_says_so_before_and_rings_at_once() -> None:
    async with trading() as trader:
        await trader.press("A", *"spread <= 0.01")
        assert said(trader) == "Rings once: spread at 0.01 or below. It is so now (0.01): it rings at once."
        screen = await trader.press("enter")
        assert "Alert: spread 0.01 in" in screen
        assert "Alert armed" not in screen


async def test_the_sentence_follows_the_book() -> None:
    async with trading() as trader:
        await trader.press("A", *"bid >= 0.55")
        trader.desk.store.books[FIRST].book.apply(Side.YES, 4_750, 100)
        assert "Now it is 0.4750." in await trader.look()
        trader.desk.store.stale([FIRST], "a frame was missed")
        assert "How it stands now is not known." in await trader.look()


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("trade >= 500", "Rings every time 500 or more trade here at once."),
        ("fill", "Rings every time an order of yours is filled, in any market."),
        ("refused once", "Rings once, when an order of yours is rejected by the exchange, in any market."),
    ],
)
async def test_what_it_will_do(text: str, sentence: str) -> None:
    async with trading() as trader:
        await trader.press("A", *text)
        assert said(trader) == sentence


# The list.


async def test_an_alert_is_deleted_and_no_order_with_it() -> None:
    async with trading(size=NARROW) as trader:
        trader.desk.store.order(an_order())
        add(trader.desk, "bid >= 0.55")
        add(trader.desk, "fill")
        await trader.press("8", "tab", "tab", "j")
        screen = await trader.press("x")
        assert "Alert deleted: bid >= 0.55 in Fed decision in December: Cut 25 bps." in screen
        assert [each.kind for each in trader.desk.store.alerts] == [AlertKind.FILL]
        await trader.press("x")
        screen = await trader.press("x", "x", "y")
        assert "No alert stands in this line" in screen
        assert not trader.desk.canceled


async def test_one_that_rang_is_armed_again() -> None:
    async with trading(size=NARROW) as trader:
        add(trader.desk, "refused once")
        await trader.press("8", "tab", "tab")
        assert "This alert is armed." in await trader.press("e")
        trader.desk.store.order(an_order(state=OrderState.REFUSED))
        assert "fired   once  order of yours refused" in await trader.look()
        screen = await trader.press("e")
        assert "armed   once  order of yours refused" in screen
        assert "Alert armed again: refused once." in screen


async def test_one_that_cannot_ring_without_a_key_says_so_and_why() -> None:
    async with trading(size=NARROW) as trader:
        desk = trader.desk
        for text in ("fill", "refused once", "bid >= 0.55"):
            add(desk, text)
        desk.store.order(an_order(state=OrderState.REFUSED))
        screen = await trader.press("8", "tab", "tab")
        assert "armed   every fill of an order of yours" in screen
        assert "Silent ones" not in screen
        desk.store.account.mark_unreadable("There is no API key: you can only watch.")
        # It is known before the first frame; here it is not.
        desk.store.set_alerts(desk.store.alerts)
        screen = await trader.look()
        assert "armed   once  bid at 0.55 or above" in screen
        assert "fired   once  order of yours refused" in screen
        assert "silent  every fill of an order of yours" in screen
        assert "Silent ones cannot ring. There is no API key: you can only watch." in screen
        assert "This alert is armed." in await trader.press("e")
        for _ in ("refused", "fill"):
            assert "This alert cannot ring here. There is no API key" in await trader.press("j", "e")
        assert [each.state for each in desk.store.alerts] == [AlertState.ARMED, AlertState.FIRED, AlertState.ARMED]


async def test_one_that_waits_says_so() -> None:
    async with trading(size=NARROW) as trader:
        add(trader.desk, "spread <= 0.01 every")
        await trader.press("8", "tab", "tab")
        screen = await trader.press("e")
        assert "waiting every spread at 0.01 or below" in screen
        assert "armed again by itself" in screen


async def test_enter_goes_to_the_market_of_an_alert() -> None:
    async with trading(size=NARROW) as trader:
        add(trader.desk, "last >= 0.99", SECOND)
        await trader.press("8", "tab", "tab", "enter")
        await trader.wait(lambda _: trader.desk.looked_at[-1] == (SECOND,))


async def test_the_list_follows_price_and_time() -> None:
    async with trading(size=NARROW) as trader:
        store = trader.desk.store
        store.market_data.set_markets([replace(store.markets[FIRST], close_ms=NOW_MS + 90 * MINUTE)])
        add(trader.desk, "ask <= 0.40")
        add(trader.desk, "close < 10m")
        screen = await trader.press("8")
        assert "0.48     0.08" in screen
        assert "1 h 30   1 h 20" in screen
        store.books[FIRST].book.apply(Side.NO, 5_250, 100)
        trader.clock.advance(79 * MINUTE + 30_000)
        trader.desk.alerts.check_closing_times()
        screen = await trader.look()
        assert "0.4750   0.0750" in screen
        assert "10 min     30 s" in screen


async def test_hostile_text_in_an_alert_s_file_or_market_changes_nothing_else() -> None:
    for text in HOSTILE:
        desk = FakeDesk(Clock())
        desk.store.market_data.set_markets([replace(desk.store.markets[FIRST], title=text, yes_sub_title=text)])
        desk.alerts.add(Alert(AlertKind.LAST, text or "x", True, 9_900))
        add(desk, "bid >= 0.40")
        assert desk.alerts.newest_sentence.isprintable()
        async with trading(desk, NARROW) as trader:
            await trader.press("8", "A")
            for strip in trader.app.screen._compositor.render_strips():
                assert strip.cell_length <= NARROW[0]
                assert not any(ord(each) < 32 or 0x7F <= ord(each) < 0xA0 for each in strip.text)


@pytest.mark.parametrize("chosen", Tab)
def test_all_tabs_stand_beside_the_ages_at_80_columns(chosen: Tab) -> None:
    store = busy_desk().store
    bar = tab_bar(store, chosen, short=True, tight=True)
    assert cell_count(bar) == 56
    text = plain_text(bar)
    assert text.count("[") == text.count("]") == 1
    for number in range(1, len(Tab) + 1):
        assert f"{number} " in text


async def test_the_alerts_are_written_as_csv() -> None:
    rows = build_table(alerted_desk().store, Tab.ALERTS, "")
    assert list(csv.reader(io.StringIO(csv_text(rows), newline=""))) == rows
    head, *rest = rows
    assert len(rest) == 10
    found = {row[2]: dict(zip(head, row, strict=True)) for row in rest}
    assert found["ask <= 0.40 every"] == {
        "state": "armed",
        "rings": "every",
        "alert": "ask <= 0.40 every",
        "kind": "ask",
        "ticker": FIRST,
        "comparison": "<=",
        "threshold": "0.4000",
        "fired_time": "",
        "times": "0",
    }
    assert (found["refused once"]["state"], found["refused once"]["fired_time"]) == (
        "fired",
        "2027-01-15T08:00:00.000Z",
    )
    assert found["close < 10m"]["threshold"] == "10"
    assert found["trade >= 5000"]["threshold"] == "5000.00"


async def test_w_writes_the_alerts(tmp_path: Path) -> None:
    async with trading(alerted_desk(), ui_settings=UiSettings(export_folder=tmp_path)) as trader:
        await trader.press("8", "w")
    (path,) = tmp_path.iterdir()  # noqa: ASYNC240 - a test waits for nobody
    assert path.name.startswith("kalshi-tui-alerts")


# The bell, the desktop.


def fills(trader: Trader, *names: str) -> None:
    for name in names:
        trader.desk.store.fill(a_fill(trade_id=name, ts_ms=NOW_MS + 1))


@pytest.mark.parametrize("bell", [True, False])
async def test_the_bell_rings_and_not_more_than_once_a_second(monkeypatch: pytest.MonkeyPatch, bell: bool) -> None:
    rung: list[int] = []
    monkeypatch.setattr(DeskApp, "bell", lambda app: rung.append(app.timer_ms()))
    async with trading(ui_settings=replace(USUAL_UI_SETTINGS, bell=bell)) as trader:
        add(trader.desk, "fill")
        await trader.look()
        assert not rung
        fills(trader, "a", "b")
        await trader.look()
        assert rung == ([0] if bell else [])
        fills(trader, "c")
        trader.timer.advance(MIN_NOTIFICATION_INTERVAL_MS - 1)
        await trader.look()
        assert len(rung) == bell
        # It is late, and not lost; over a question as well.
        await trader.press("b")
        trader.timer.advance(1)
        await trader.look()
        assert rung == ([0, MIN_NOTIFICATION_INTERVAL_MS] if bell else [])
        trader.timer.advance(10 * MIN_NOTIFICATION_INTERVAL_MS)
        await trader.look()
        assert len(rung) == 2 * bell


@pytest.mark.parametrize(
    ("notify", "terminal", "told"),
    [
        (True, "xterm-256color", 1),
        (False, "xterm-256color", 0),
        (True, "linux", 0),
        (True, "dumb", 0),
        (True, "", 0),
    ],
)
def test_the_desktop_is_told_where_that_is_wanted_and_can_be(notify: bool, terminal: str, told: int) -> None:
    desk, written = FakeDesk(Clock()), list[str]()
    ringer = AlertNotifier(desk.alerts, UiSettings(notify=notify), lambda: None, written.append, Clock(0), terminal)
    add(desk, "fill")
    for name in ("a", "b"):
        desk.store.fill(a_fill(trade_id=name, ts_ms=NOW_MS + 1))
    ringer.frame()
    ringer.frame()
    sentence = "Alert: filled YES 10 at 0.47 in Fed decision in December: Cut 25 bps (fill)."
    assert written == [f"\x1b]9;kalshi-tui: {sentence} And 1 more.\x07"][:told]


async def test_nothing_is_written_to_a_terminal_that_is_none() -> None:
    async with trading(ui_settings=replace(USUAL_UI_SETTINGS, notify=True)) as trader:
        trader.app._write_to_terminal("\x1b]9;x\x07")
        add(trader.desk, "fill")
        fills(trader, "a")
        assert "Alert: filled" in await trader.look()


@given(st.text(max_size=400))
def test_no_text_ends_a_notification_early(text: str) -> None:
    made = notification_sequence(text, 0)
    inside = made.removeprefix("\x1b]9;").removesuffix("\x07")
    assert inside.isprintable()
    assert len(inside) <= MAX_NOTIFICATION_LENGTH + 20
    assert not any("\x80" <= each <= "\x9f" for each in inside)
    assert inside.startswith("kalshi-tui: ")


def test_an_alert_of_the_account_belongs_to_no_market() -> None:
    assert Alert(AlertKind.FILL).ticker == ""
    assert Alert(AlertKind.FILL, state=AlertState.FIRED).is_active is False
