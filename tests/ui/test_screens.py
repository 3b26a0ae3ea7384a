"""The screens: golden screens, hostile texts, sizes, and how few lines are drawn again."""

import random
from collections.abc import Callable
from dataclasses import replace

import pytest
from rich.cells import cell_len
from textual.events import Resize
from textual.geometry import Region, Size

from kalshi_tui.domain.book import Side
from kalshi_tui.domain.day_gain import DayGain
from kalshi_tui.domain.link import LinkState
from kalshi_tui.domain.order import OrderState
from kalshi_tui.presentation.lines import make_printable
from kalshi_tui.presentation.number_text import clock_text
from kalshi_tui.session.notices import Severity
from kalshi_tui.ui.dialogs.too_small import MIN_TERMINAL_HEIGHT, MIN_TERMINAL_WIDTH
from kalshi_tui.ui.dialogs.welcome import WelcomeScreen
from kalshi_tui.ui.widgets.line_view import LineView
from tests.support.budget import examples, some
from tests.support.fake_desk import (
    NOW_MS,
    TITLES,
    Clock,
    FakeDesk,
    a_market,
    an_order,
    busy_desk,
    set_day,
)
from tests.support.hostile_texts import HOSTILE
from tests.support.pilot import (
    NARROW,
    SIZES,
    USUAL,
    Trader,
    trading,
)

FIRST = TITLES[0][0]
STATES = (
    "desk",
    "book",
    "gone",
    "positions",
    "positions-alone",
    "fills",
    "tape",
    "log",
    "stale",
    "filter",
    "ticket",
    "ticket-no-sell",
    "review",
    "filled",
    "unknown",
    "cancel",
    "help",
    "watch-list",
    "wide-list",
    "tiles",
    "go-to",
    "go-to-words",
    "name",
    "welcome",
)


async def to_state(trader: Trader, state: str) -> None:
    desk = trader.desk
    tabs = {"positions": "2", "fills": "3", "tape": "4", "log": "5"}
    if state == "positions":
        set_day(desk.store, DayGain(12, 20_000, 14_000, 3_210_000, 12_400_000, NOW_MS - 5_000_000))
        desk.store.account.set_differences(
            ["In CPI-26NOV-T03 the stream told of NO 1,200; the exchange has NO 1,234.50."]
        )
    if state in tabs:
        await trader.press(tabs[state])
    elif state in {"book", "gone"}:
        await trader.press("tab", "l", "j", "j")
        if state == "gone":
            desk.store.books[FIRST].book.apply(Side.NO, 5_000, -desk.store.book(FIRST).book.no.count_at(5_000))
    elif state == "positions-alone":
        # What nobody can say anything against: no order of unknown outcome, no difference.
        desk.store.order(replace(desk.store.orders["o3"], state=OrderState.RESTING, updated_ms=NOW_MS + 1))
        await trader.press("2", "tab", "tab")
    elif state == "stale":
        desk.store.stale([FIRST], "a frame was missed")
        desk.store.link(LinkState.WAITING, "next try in 3 s")
    elif state == "filter":
        await trader.press("slash", *"fed")
    elif state == "ticket":
        await trader.press("b", *"48", "tab", *"500")
    elif state == "ticket-no-sell":
        await trader.press("s", *"5", "tab", "tab", "tab", "space")
    elif state in {"review", "filled", "unknown"}:
        desk.state = OrderState.UNKNOWN if state == "unknown" else OrderState.FILLED
        await trader.press("b", *"48", "tab", *"500", "enter")
        await trader.wait_to_arm()
        if state != "review":
            await trader.press("enter")
    elif state == "cancel":
        await trader.press("tab", "tab", "x", "j", "x")
    elif state == "watch-list":
        await trader.press("m", "j", "j", "m", "L")
    elif state == "wide-list":
        for each in TITLES[:2]:
            desk.store.market_data.set_sparkline(each[0], [4_000, 4_100, 4_400, 4_300, 4_600])
        await trader.press("f")
        quote = desk.store.quotes[TITLES[1][0]]
        desk.store.quote(TITLES[1][0], replace(quote, yes_bid=4_600, yes_ask=4_900, ts_ms=NOW_MS + 1))
    elif state == "tiles":
        desk.store.snapshot(TITLES[1][0], [(3_000, 10_000)], [(6_000, 20_000)])
        await trader.press("t", "j", "t", "tab", "tab", "j")
    elif state == "go-to":
        await trader.press("ctrl+f")
    elif state == "go-to-words":
        await trader.press("ctrl+f", *"fed")
    elif state == "name":
        await trader.press("N", "enter")
    elif state == "welcome":
        trader.app.push_screen(WelcomeScreen(desk))
    elif state == "help":
        await trader.press("question_mark")
    await trader.look()


@pytest.mark.quick_cases("80x24-*", "140x50-desk", "140x50-book", "200x60-desk")
@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
async def test_golden(state: str, size: tuple[int, int], golden: Callable[[str, str], None]) -> None:
    async with trading(busy_desk(), size) as trader:
        await to_state(trader, state)
        lines = trader.lines()
        assert len(lines) == size[1]
        golden(f"{state}-{size[0]}x{size[1]}", "\n".join(lines))


# What comes from outside.


@pytest.mark.quick_cases("0", "3", "4")
@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
async def test_hostile_titles_change_nothing_but_themselves(text: str) -> None:
    usual = FakeDesk(Clock(), [a_market(FIRST, "Title", "Yes"), a_market(TITLES[1][0], "Other", "No")])
    hostile = FakeDesk(Clock(), [a_market(FIRST, text, text), a_market(TITLES[1][0], "Other", "No")])
    for desk in (usual, hostile):
        desk.store.order(an_order(reason=text, state=OrderState.REFUSED))
    async with trading(hostile, NARROW) as trader:
        for keys in ([], ["5"], ["1"], ["b"], ["escape", "question_mark"], ["escape"]):
            await trader.press(*keys)
            await trader.look()
            for strip in trader.app.screen._compositor.render_strips():
                assert strip.cell_length <= NARROW[0]
                assert not any(
                    ord(each) < 32 or 0x7F <= ord(each) < 0xA0 or each in "\u202e\u2066\u200b\ufeff"
                    for each in strip.text
                )
        assert "│ 0.48" in trader.text().replace("  ", " ")


async def test_a_hostile_reason_in_the_log_stays_text() -> None:
    async with trading(size=NARROW) as trader:
        for text in HOSTILE:
            trader.desk.store.notify(Severity.ERROR, text)
            await trader.look()
        await trader.press("5", "tab", "tab")
        screen = await trader.press(*["pagedown"] * 3)
        assert "[bold]markup[/bold]" in screen
        assert "\x1b" not in screen


def test_clean_keeps_what_can_be_read() -> None:
    assert make_printable("Will the S&P close above 6,000?") == "Will the S&P close above 6,000?"
    assert "\x1b" not in make_printable("\x1b[31mred")


# Sizes.


async def test_too_small_says_so_and_loses_nothing() -> None:
    async with trading(size=USUAL) as trader:
        await trader.press("b", *"48", "tab", *"5")
        await trader.pilot.resize_terminal(40, 10)
        assert "this terminal is 40x10" in " ".join((await trader.look()).split())
        await trader.press("enter", "enter")
        await trader.pilot.resize_terminal(*NARROW)
        screen = await trader.look()
        assert "order ticket" in screen
        assert "= $0.4800 for a YES" in screen
        assert not trader.desk.sent


async def test_too_small_can_be_left_and_asks_about_live_orders() -> None:
    async with trading(size=(40, 10)) as trader:
        trader.desk.store.order(an_order())
        screen = await trader.press("q")
        assert "1 order may be live. Press y" in " ".join(screen.split())
        assert not trader.desk.stopped
        await trader.press("y")
    assert trader.desk.stopped


async def test_every_size_from_the_least_on_holds_together() -> None:
    async with trading(busy_desk(), NARROW) as trader:
        for width in some((*range(72, 130, 3), 160, 240)):
            for height in (22, 24, 33, 70):
                await trader.pilot.resize_terminal(width, height)
                lines = (await trader.look()).split("\n")
                assert len(lines) == height
                assert lines[0].startswith(" PRACTICE")
                assert max(map(len, lines)) <= width
                assert "q Quit" in " ".join(lines[-1].split())
                assert "YES bid" in "\n".join(lines)


@pytest.mark.slow
async def test_a_storm_of_resizes_moves_neither_the_market_nor_the_cursor() -> None:
    chance = random.Random(7)
    async with trading(busy_desk(), USUAL) as trader:
        await trader.press("j", "j", "tab", "tab", "j")
        watch, lower = trader.app.desk_screen.panes.market_list, trader.app.desk_screen.panes.lower.list
        chosen, row = watch.ticker, lower.cursor
        assert (chosen, row) == (TITLES[2][0], 1)
        for number in range(examples(200)):
            size = chance.randint(20, 220), chance.randint(5, 70)
            await trader.pilot.resize_terminal(*size)
            trader.desk.store.books[FIRST].book.apply(Side.YES, 4_600, 100 + number)
            lines = (await trader.look()).split("\n")
            assert len(lines) == size[1]
            assert max(cell_len(line) for line in lines) <= size[0]
            assert (watch.ticker, lower.cursor) == (chosen, row), size
            fits = size[0] >= MIN_TERMINAL_WIDTH and size[1] >= MIN_TERMINAL_HEIGHT
            assert lines[0].startswith(" PRACTICE") is fits
        await trader.pilot.resize_terminal(*USUAL)
        await trader.look()
        assert trader.app.focused is lower
        assert not trader.desk.sent


# Truth.


async def test_a_quote_that_is_not_known_is_not_a_price() -> None:
    market = a_market(FIRST)
    assert market.quote is not None
    bare = replace(market, quote=replace(market.quote, yes_bid=None, yes_ask=None))
    async with trading(FakeDesk(Clock(), [a_market(TITLES[1][0]), bare]), NARROW) as trader:
        row = trader.lines()[3]
        assert row.split("│")[0].split()[-3:] == ["--", "--", "0.47"]


async def test_a_book_that_has_not_come_says_waiting() -> None:
    async with trading(size=NARROW) as trader:
        assert "WAITING" in await trader.press("j")
        assert "waiting for the book" in await trader.press("b")


async def test_a_lost_link_is_said_at_once() -> None:
    async with trading(size=NARROW) as trader:
        trader.desk.store.link(LinkState.WAITING, "next try in 3 s")
        trader.desk.store.stale([FIRST], "the connection is lost")
        screen = await trader.look()
        assert "reconnecting" in trader.lines()[0]
        assert "STALE" in screen


async def test_unknown_orders_stand_in_the_top_line() -> None:
    async with trading(size=NARROW) as trader:
        trader.desk.store.order(an_order(state=OrderState.UNKNOWN))
        await trader.look()
        assert "UNKNOWN 1" in trader.lines()[0]


async def test_the_clock_of_the_top_line_is_the_one_handed_in() -> None:
    async with trading() as trader:
        trader.clock.advance(61_000)
        await trader.look()
        assert clock_text(NOW_MS + 61_000) in trader.lines()[0]


# How little is drawn.


async def test_a_frame_draws_only_the_lines_that_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    async with trading(size=NARROW) as trader:
        drawn: list[tuple[str, int]] = []
        whole: list[str] = []
        line = LineView.refresh_line

        def note_line(view: LineView, y: int) -> None:
            drawn.append((view.id or "", y))
            line(view, y)

        def note(view: LineView, *regions: Region, **how: bool) -> LineView:
            if not regions:
                whole.append(view.id or "")
            return super(LineView, view).refresh(*regions, **how)

        monkeypatch.setattr(LineView, "refresh_line", note_line)
        monkeypatch.setattr(LineView, "refresh", note)
        trader.app.frame()
        assert (drawn, whole) == ([], [])
        for _ in range(500):
            trader.desk.store.books[FIRST].book.apply(Side.YES, 4_600, 100)
        assert drawn == []
        trader.app.frame()
        assert not whole
        # Title, spread and names, the best bid, then the one that changed; the message rate on the top line.
        assert drawn == [("book", 4), ("status", 0)]


async def test_nothing_of_the_feed_reaches_the_screen_between_frames() -> None:
    async with trading() as trader:
        trader.desk.store.books[FIRST].book.apply(Side.NO, 5_200, -30_000)
        await trader.pilot.pause()
        assert "0.48      0.52" in trader.text()
        assert "0.48      0.52" not in await trader.look()


async def test_a_screen_lays_out_for_the_size_of_now_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    widths: list[int] = []
    async with trading(size=USUAL) as trader:
        desk = trader.app.desk_screen
        monkeypatch.setattr(desk.command_target.layout, "fit_width", widths.append)
        for width, height in (NARROW, USUAL, NARROW):
            desk.post_message(Resize(Size(width, height), Size(width, height)))
        await trader.look()
    # Two sizes under way at once followed each other forever: laying out for one posted the other again.
    assert set(widths) == {USUAL[0]}
