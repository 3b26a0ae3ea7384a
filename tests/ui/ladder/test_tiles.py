"""Ladders side by side, and layouts: by keys, kept, and never more than there is room for."""

import json
from pathlib import Path

from kalshi_tui.domain.book import Side
from kalshi_tui.session.persisted import PersistedFile
from kalshi_tui.ui.desk.layouts import (
    LAYOUTS_FILE,
    MAX_LAYOUTS,
    MAX_TILES,
    Layout,
    Layouts,
)
from kalshi_tui.ui.dialogs.welcome import WELCOME_FILE, WelcomeFile
from kalshi_tui.ui.ladder.pane import LadderPane
from kalshi_tui.ui.ticket.amend import AmendScreen
from kalshi_tui.ui.ticket.screen import TicketScreen
from kalshi_tui.ui.ui_settings import UiSettings
from tests.support.fake_desk import TITLES, Clock, FakeDesk, an_order
from tests.support.pilot import (
    NARROW,
    USUAL,
    WIDE,
    Trader,
    trading,
)

FIRST, SECOND, THIRD = (ticker for ticker, _, _ in TITLES[:3])


def seen(folder: Path) -> UiSettings:
    PersistedFile(folder, WELCOME_FILE, WelcomeFile).write(WelcomeFile(seen=True))
    return UiSettings(data_folder=folder)


def with_books() -> FakeDesk:
    desk = FakeDesk(Clock())
    for ticker in (SECOND, THIRD):
        desk.store.snapshot(ticker, [(3_000, 10_000)], [(6_000, 20_000)])
    return desk


def shown(trader: Trader) -> list[str]:
    """Return the markets of the ladders side by side that can be seen."""
    return [pane.ticker for pane in trader.app.desk_screen.query(".tile").results(LadderPane) if pane.display]


async def test_ladders_stand_side_by_side_and_go_again() -> None:
    async with trading(with_books(), size=WIDE) as trader:
        await trader.press("t", "j", "t")
        assert shown(trader) == [FIRST, SECOND]
        assert set(trader.desk.looked_at[-1]) == {FIRST, SECOND}
        screen = trader.text()
        assert screen.count("price") >= 2
        assert "time        YES" not in screen  # the tape has given its room
        await trader.press("t")
        assert shown(trader) == [FIRST]
        await trader.press("k", "t")
        assert shown(trader) == []
        assert "time " in trader.text()


async def test_the_ladder_with_the_focus_is_the_one_that_keys_mean() -> None:
    desk = with_books()
    async with trading(desk, size=WIDE) as trader:
        await trader.press("t", "j", "t", "j", "tab", "tab", "tab")
        # The second ladder: its market is the chosen one now, wherever the list's cursor was.
        assert trader.app.desk_screen.panes.market_list.ticker == SECOND
        await trader.press("b")
        assert "0.30" in trader.text()
        await trader.press("enter")
        await trader.wait_to_arm()
        # Escape in the same breath would take the Enter back.
        await trader.press("enter")
        await trader.press("escape")
        assert [terms.ticker for terms, _ in desk.sent] == [SECOND]
        assert desk.sent[0][0].yes_price == 3_000


async def test_the_list_with_the_focus_means_its_own_line_again() -> None:
    async with trading(with_books(), size=WIDE) as trader:
        # The watch list has the first market alone; the ladder beside is of the second.
        await trader.press("m", "j", "t", "L", "tab", "tab")
        assert trader.app.desk_screen.panes.market_list.ticker == SECOND
        await trader.press("shift+tab", "shift+tab")
        assert trader.app.desk_screen.focused is trader.app.desk_screen.panes.market_list.list
        assert trader.app.desk_screen.panes.market_list.ticker == FIRST
        await trader.press("b")
        assert isinstance(trader.app.screen, TicketScreen)
        assert trader.app.screen._ticker == FIRST


async def test_the_ladder_with_the_focus_stays_the_chosen_one_while_lines_move_in_the_list() -> None:
    async with trading(with_books(), size=WIDE) as trader:
        desk = trader.app.desk_screen
        await trader.press("j", "t", "tab", "tab")
        assert desk.panes.market_list.ticker == SECOND
        # Its market leaves the list, and the cursor has to stand elsewhere; then it comes back.
        markets = list(trader.desk.store.markets.values())
        trader.desk.store.market_data.drop_markets([SECOND])
        await trader.look()
        assert desk.panes.market_list.ticker == SECOND
        # And one that is not on the list that is shown keeps that list.
        await trader.press("shift+tab", "shift+tab", "g", "m", "L", "tab", "tab")
        assert "[Watched]" in trader.text()
        trader.desk.store.market_data.set_markets(markets)
        trader.desk.store.order(an_order(ticker=SECOND))
        await trader.press("tab")
        await trader.press("e")
        assert isinstance(trader.app.screen, AmendScreen)
        assert "[Watched]" in await trader.press("escape")
        assert desk.panes.market_list.ticker == SECOND


async def test_the_view_of_one_ladder_is_its_own() -> None:
    async with trading(with_books(), size=WIDE) as trader:
        await trader.press("t", "j", "t", "tab", "tab", "o")
        sides = [pane.side for pane in trader.app.desk_screen.query(".tile").results(LadderPane)]
        assert sides == [Side.NO, Side.YES]


async def test_what_has_no_room_is_kept_and_said() -> None:
    async with trading(with_books(), size=NARROW) as trader:
        screen = await trader.press("t")
        assert "has no room yet" in screen
        assert shown(trader) == []
        await trader.pilot.resize_terminal(*WIDE)
        await trader.look()
        assert shown(trader) == [FIRST]
        await trader.press("tab", "tab")
        await trader.pilot.resize_terminal(*NARROW)
        await trader.look()
        assert shown(trader) == []
        assert trader.app.focused is not None
        assert trader.app.focused.display


async def test_the_list_gives_its_width_to_ladders() -> None:
    async with trading(with_books(), size=USUAL) as trader:
        await trader.press("t", "j", "t")
        assert shown(trader) == [FIRST]
        await trader.press("f", "f")
        assert shown(trader) == [FIRST, SECOND]
        assert "market  " not in trader.lines()[1]
        assert trader.app.focused is not trader.app.desk_screen.panes.market_list.list
        await trader.press("f")
        assert trader.lines()[1].strip().startswith("market")


async def test_a_ladder_of_a_market_that_is_not_known_any_more_can_be_taken_away(tmp_path: Path) -> None:
    ui_settings = seen(tmp_path)
    (tmp_path / LAYOUTS_FILE).write_text(json.dumps({"now": {"tiles": ["GONE-1", SECOND]}}))
    async with trading(with_books(), size=WIDE, ui_settings=ui_settings) as trader:
        await trader.press("tab", "tab")
        assert trader.app.desk_screen.panes.market_list.ticker == "GONE-1"
        assert "│GONE-1" in trader.text()
        assert "is not known to the exchange" in trader.text()
        assert "There is no chosen market" in await trader.press("b")
        await trader.press("t")
        assert shown(trader) == [SECOND]


async def test_a_hidden_list_never_has_the_focus() -> None:
    async with trading(with_books(), size=WIDE) as trader:
        desk = trader.app.desk_screen
        await trader.press("t", "f", "f")
        assert desk.panes.market_list.styles.display == "none"
        await trader.press("ctrl+f", *SECOND, "enter")
        assert desk.panes.market_list.ticker == SECOND
        assert desk.focused is desk.panes.book
        # What is typed into the filter can be seen.
        await trader.press("/", "x")
        assert desk.panes.market_list.display
        assert desk.panes.market_list.is_filter_focused


async def test_layouts_are_saved_taken_and_forgotten(tmp_path: Path) -> None:
    ui_settings = seen(tmp_path)
    async with trading(with_books(), size=WIDE, ui_settings=ui_settings) as trader:
        assert "No layout is saved yet" in await trader.press("u")
        await trader.press("t", "j", "t", "v", "W")
        await trader.type("Fed")
        await trader.press("enter")
        await trader.press("t", "v", "W")
        assert "Fed" in trader.text()
        await trader.press(*"One", "enter")
        assert json.loads((tmp_path / LAYOUTS_FILE).read_text())["saved"][0] == {
            "name": "Fed",
            "tiles": [FIRST, SECOND],
            "ladder": True,
            "share": "usual",
            "watch_list": "",
        }
        screen = await trader.press("u")
        assert "Layout: Fed." in screen
        assert shown(trader) == [FIRST, SECOND]
    async with trading(with_books(), size=WIDE, ui_settings=ui_settings) as trader:
        # As it was left.
        assert shown(trader) == [FIRST, SECOND]
        assert {FIRST, SECOND} <= set(trader.desk.listed_tickers[-1])
        await trader.press("u")
        assert shown(trader) == [FIRST]
        trader.app.desk_screen.action_do("delete-layout")
        assert "is forgotten" in await trader.look()
        assert shown(trader) == [FIRST]
        assert "is no saved layout" in _after(trader, "delete-layout")


def _after(trader: Trader, command: str) -> str:
    trader.app.desk_screen.action_do(command)
    return trader.desk.store.notices[0].text


async def test_a_file_of_nonsense_leaves_a_desk(tmp_path: Path) -> None:
    ui_settings = seen(tmp_path)
    now = {
        "tiles": ["\x1b[31m", "GONE-1", *[f"M-{number}" for number in range(40)]],
        "share": "half",
        "watch_list": "x",
    }
    (tmp_path / LAYOUTS_FILE).write_text(json.dumps({"now": now}))
    async with trading(size=WIDE, ui_settings=ui_settings) as trader:
        assert len(trader.app.desk_screen.panes.tiles.tickers) == MAX_TILES
        assert "market" in trader.lines()[1]
        await trader.press("j", "b", "escape")
        assert "\x1b" not in trader.text()


def test_layouts_have_bounds() -> None:
    layouts = Layouts(None)
    for number in range(MAX_LAYOUTS):
        assert not layouts.save(f"layout {number}", Layout())
    assert "delete one" in layouts.save("one more", Layout())
    assert not layouts.save("layout 3", Layout(ladder=True))
    assert layouts.save(" \n ", Layout()) == "Give the layout a name."


async def test_a_broken_file_of_layouts_is_told(tmp_path: Path) -> None:
    (tmp_path / LAYOUTS_FILE).write_text("{")
    async with trading(ui_settings=seen(tmp_path)) as trader:
        assert "cannot be understood" in await trader.press("5")
