"""Watch lists, columns, signs of change, and going to any market, by keys."""

import json
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from kalshi_tui.domain.market import MarketStatus
from kalshi_tui.presentation.lines import cell_count, line
from kalshi_tui.session.persisted import PersistedFile
from kalshi_tui.ui.dialogs.welcome import WELCOME_FILE, WelcomeFile
from kalshi_tui.ui.market_list.columns import (
    COLUMN_PRIORITY,
    MarketColumns,
    MarketRow,
    countdown_text,
    row_cells,
    sparkline_text,
)
from kalshi_tui.ui.market_list.flash import FLASH_DURATION_MS
from kalshi_tui.ui.market_list.watch_lists import (
    MAX_LIST_NAME_LENGTH,
    MAX_LISTS,
    MAX_MARKETS_PER_LIST,
    WATCH_LISTS_FILE,
    WatchLists,
)
from kalshi_tui.ui.ui_settings import DEFAULT_COLUMN_ORDER, UiSettings
from tests.support.fake_desk import (
    NOW_MS,
    TITLES,
    Clock,
    FakeDesk,
    a_market,
    a_position,
    an_order,
)
from tests.support.pilot import (
    NARROW,
    WIDE,
    Trader,
    trading,
)

FIRST, SECOND, THIRD = (ticker for ticker, _, _ in TITLES[:3])


def seen(folder: Path) -> UiSettings:
    """Keep things in a folder from which the program has been started before."""
    PersistedFile(folder, WELCOME_FILE, WelcomeFile).write(WelcomeFile(seen=True))
    return UiSettings(data_folder=folder)


def listed(trader: Trader) -> list[str]:
    """Return the lines of the market list as they stand on the screen, without signs before and figures after."""
    return [text for text in (row[3:40].split("│")[0].strip() for row in trader.lines()[2:9]) if text]


async def watching(trader: Trader) -> None:
    """Put the first three markets on a list and show it."""
    await trader.press("m", "j", "m", "j", "m", "L")


async def test_markets_are_put_on_a_list_and_taken_off(tmp_path: Path) -> None:
    async with trading(ui_settings=seen(tmp_path)) as trader:
        await watching(trader)
        assert "[Watched]" in trader.text()
        assert len(listed(trader)) == 3
        assert trader.desk.listed_tickers[-1] == (FIRST, SECOND, THIRD)
        screen = await trader.press("m")
        assert f"{THIRD} is off the list Watched" in screen
        assert len(listed(trader)) == 2
        assert json.loads((tmp_path / WATCH_LISTS_FILE).read_text())["lists"] == [
            {"name": "Watched", "tickers": [FIRST, SECOND]}
        ]
        await trader.press("L")
        assert "[Watched]" not in trader.text()
        assert len(listed(trader)) == len(TITLES)


async def test_a_list_is_put_in_order_by_keys_and_kept(tmp_path: Path) -> None:
    ui_settings = seen(tmp_path)
    async with trading(ui_settings=ui_settings) as trader:
        await watching(trader)
        before = listed(trader)
        await trader.press("G", "<", "<")
        assert listed(trader) == [before[2], before[0], before[1]]
        await trader.press(">")
        after = listed(trader)
        assert after == [before[0], before[2], before[1]]
    async with trading(ui_settings=ui_settings) as trader:
        assert "[Watched]" in trader.text()
        assert listed(trader) == after
        assert trader.desk.listed_tickers[0] == (FIRST, THIRD, SECOND)


async def test_a_sorted_list_says_why_nothing_moves() -> None:
    async with trading() as trader:
        await watching(trader)
        await trader.press("S")
        assert "The list is sorted" in await trader.press("<")
        await trader.press("L")
        assert "All markets are shown" in await trader.press("<")


async def test_lists_are_named_renamed_and_deleted() -> None:
    async with trading() as trader:
        await trader.press("N")
        assert "Give the list a name." in await trader.press("enter")
        await trader.type("Fed")
        await trader.press("enter")
        screen = await trader.look()
        assert "[Fed]" in screen
        assert "Nothing is on this list yet" in screen
        await trader.press("N", *"Fed")
        assert "There is a list Fed already" in await trader.press("enter")
        await trader.press("escape")
        trader.app.screen.action_do("rename-list")  # type: ignore[attr-defined]  # the desk's screen
        await trader.look()
        await trader.press(*"Fed2", "enter")
        assert "[Fed2]" in await trader.look()
        trader.app.screen.action_do("delete-list")  # type: ignore[attr-defined]
        await trader.look()
        await trader.press("n")
        assert "[Fed2]" in await trader.look()
        trader.app.screen.action_do("delete-list")  # type: ignore[attr-defined]
        await trader.look()
        await trader.press("y")
        assert "[Fed2]" not in await trader.look()
        assert "There is no watch list yet" in await trader.press("L")


async def test_what_the_exchange_does_not_know_keeps_its_line_until_it_does(tmp_path: Path) -> None:
    kept = {"lists": [{"name": "Old", "tickers": ["GONE-1", FIRST]}], "shown": "Old"}
    (tmp_path / WATCH_LISTS_FILE).write_text(json.dumps(kept))
    async with trading(ui_settings=seen(tmp_path)) as trader:
        screen = await trader.press("g")
        assert "GONE-1 is not known" in screen
        assert "There is no chosen market" in await trader.press("b")
        trader.desk.store.market_data.set_markets([a_market("GONE-1", "It came back")])
        screen = await trader.look()
        assert "It came back" in screen
        await trader.wait(lambda _: trader.desk.looked_at[-1] == ("GONE-1",))


async def test_what_the_exchange_does_not_know_can_be_moved_and_taken_off(tmp_path: Path) -> None:
    kept = {"lists": [{"name": "Old", "tickers": ["GONE-1", FIRST]}], "shown": "Old"}
    (tmp_path / WATCH_LISTS_FILE).write_text(json.dumps(kept))
    async with trading(ui_settings=seen(tmp_path)) as trader:
        await trader.press("g", ">")
        assert json.loads((tmp_path / WATCH_LISTS_FILE).read_text())["lists"][0]["tickers"] == [FIRST, "GONE-1"]
        assert "GONE-1 is off the list Old." in await trader.press("m")
        assert json.loads((tmp_path / WATCH_LISTS_FILE).read_text())["lists"][0]["tickers"] == [FIRST]


async def test_a_broken_file_is_told_and_put_aside(tmp_path: Path) -> None:
    (tmp_path / WATCH_LISTS_FILE).write_text("{")
    async with trading(ui_settings=seen(tmp_path)) as trader:
        assert "cannot be understood" in await trader.press("5")
        assert (tmp_path / f"{WATCH_LISTS_FILE}.broken").exists()


async def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    async with trading(ui_settings=seen(tmp_path / "file")) as trader:
        await trader.press("escape", "m")
        assert "could not be written" in await trader.press("5")


def test_lists_have_bounds() -> None:
    lists = WatchLists(None)
    for number in range(MAX_MARKETS_PER_LIST):
        lists.toggle(f"T-{number}")
    assert "is full" in lists.toggle("T-X")
    for number in range(MAX_LISTS):
        lists.create(f"list {number}")
    assert len(lists.names) == MAX_LISTS
    assert "delete one" in lists.create("one more")


@given(text=st.text(max_size=60))
def test_no_name_breaks_a_line(text: str) -> None:
    lists = WatchLists(None)
    if not lists.create(text):
        assert lists.shown.isprintable()
        assert 0 < len(lists.shown) <= MAX_LIST_NAME_LENGTH


async def test_a_changed_price_has_a_sign_for_a_moment() -> None:
    async with trading() as trader:
        before = trader.lines()
        quote = trader.desk.store.quotes[SECOND]
        trader.desk.store.quote(SECOND, replace(quote, yes_bid=4_600, yes_ask=4_900, ts_ms=NOW_MS + 1))
        await trader.look()
        row = trader.lines()[3]
        assert "▼0.46" in row
        assert "▲0.49" in row
        assert row.index("0.46") == before[3].index("0.47")
        trader.timer.advance(FLASH_DURATION_MS)
        await trader.look()
        assert "▼" not in trader.lines()[3].split("│")[0]


async def test_what_scrolls_into_sight_has_not_changed() -> None:
    markets = [a_market(f"M-{number}", f"Market {number}") for number in range(60)]
    async with trading(FakeDesk(Clock(), markets), size=NARROW) as trader:
        quote = trader.desk.store.quotes["M-50"]
        trader.desk.store.quote("M-50", replace(quote, yes_bid=4_600, ts_ms=NOW_MS + 1))
        await trader.look()
        screen = await trader.press("G")
        assert "0.46" in screen
        assert "▼0.46" not in screen


async def test_a_plain_terminal_has_plain_signs() -> None:
    async with trading(ui_settings=UiSettings(plain_chart=True)) as trader:
        quote = trader.desk.store.quotes[SECOND]
        trader.desk.store.quote(SECOND, replace(quote, yes_bid=4_800, ts_ms=NOW_MS + 1))
        await trader.look()
        assert "^0.48" in trader.lines()[3]


async def test_the_wide_list_has_all_columns() -> None:
    desk = FakeDesk(Clock(), [replace(a_market(FIRST, "One"), close_ms=NOW_MS + 3 * 3_600_000)])
    desk.store.market_data.set_sparkline(FIRST, [4_000, 4_100, 4_300, 4_200])
    desk.store.account.set_positions([a_position(ticker=FIRST)], NOW_MS)
    desk.store.order(an_order(ticker=FIRST))
    async with trading(desk, size=WIDE) as trader:
        await trader.press("f")
        heading, row = trader.lines()[1], trader.lines()[2]
        assert heading.split() == ["market", "bid", "at", "bid", "ask", "at", "ask", "spread", "last", "change", "24",
                                   "h", "volume", "interest", "closes", "held", "orders"]  # fmt: skip
        assert "3h00m" in row
        assert row.split()[-2:] == ["+10", "1"]
        assert "▁▂▃▂▆"[0] in row
        trader.clock.advance(60_000)
        await trader.look()
        assert "2h59m" in trader.lines()[2]
        assert trader.desk.visible_sparklines[-1] == (FIRST,)
        await trader.press("tab")
        assert trader.app.focused is not None
        assert trader.app.focused.display
        await trader.press("f")
        assert "YES bid" in await trader.look()


async def test_the_settings_choose_the_columns() -> None:
    async with trading(ui_settings=UiSettings(columns=("closes", "ask", "bid"))) as trader:
        assert trader.lines()[1].split("│")[0].split() == ["market", "closes", "ask", "bid"]


@given(
    width=st.integers(20, 240),
    decimals=st.integers(2, 4),
    wanted=st.lists(st.sampled_from(DEFAULT_COLUMN_ORDER), unique=True),
    plain=st.booleans(),
)
def test_a_line_fills_its_width_and_columns_go_by_their_priority(
    width: int, decimals: int, wanted: list[str], plain: bool
) -> None:
    columns = MarketColumns.for_width(width, decimals, wanted, plain=plain)
    row = MarketRow(a_market(FIRST), a_market(FIRST).quote, (1, 2, 3), a_position(), 3, NOW_MS, {"bid": "▲"})
    if columns.name:
        assert cell_count(row_cells(row, columns)) + columns.name + 2 == width
        assert cell_count(columns.headings()) == cell_count(row_cells(row, columns))
    shown = {name for name, _ in columns.shown}
    ranked = [name for name in COLUMN_PRIORITY if not wanted or name in wanted]
    assert shown == set(ranked[: len(shown)])


@given(prices=st.lists(st.integers(0, 10_000), max_size=60), last=st.none() | st.integers(0, 10_000))
def test_a_spark_rises_where_the_price_does(prices: list[int], last: int | None) -> None:
    text = sparkline_text(prices, last)
    every = [*prices, *([last] if last is not None else [])]
    assert bool(text) == (len(every) > 1)
    assert len(text) <= 12
    assert sparkline_text(prices, last, plain=True).isascii()
    if len(every) > 1 and len(every) <= 12:
        heights = ["▁▂▃▄▅▆▇█".index(each) for each in text]
        for (one, other), (low, high) in zip(pairwise(every), pairwise(heights), strict=True):
            assert (high >= low) if other >= one else (high <= low)


@pytest.mark.parametrize(
    ("left_ms", "text"),
    [(-5, "0m00s"), (59_999, "0m59s"), (750_000, "12m30s"), (11_100_000, "3h05m"), (443_000_000, "5d03h"),
     (9_000_000_000, "104d")],
)  # fmt: skip
def test_the_time_to_the_close_is_short(left_ms: int, text: str) -> None:
    assert countdown_text(left_ms) == text
    assert cell_count(line(text)) <= 6


async def test_any_market_is_reached_by_its_words_from_any_pane() -> None:
    async with trading() as trader:
        await trader.press("tab", "tab", "ctrl+f")
        await trader.type("best pic")
        screen = await trader.press("enter")
        assert "go to market" not in screen
        assert "Best Picture" in trader.lines()[1]
        # The book follows once the cursor has rested.
        await trader.wait(lambda _: trader.desk.looked_at[-1] == ("OSCAR-27-PIC-A",))


async def test_series_and_events_are_gone_through(tmp_path: Path) -> None:
    markets = [
        *(
            a_market(f"FED-26{month}-{out}", f"Fed in {month}", out)
            for month in ("DEC", "JAN")
            for out in ("C25", "H0")
        ),
        a_market("CPI-26NOV-T03", "CPI", "Above"),
    ]
    async with trading(FakeDesk(Clock(), markets), ui_settings=seen(tmp_path)) as trader:
        await trader.press("m", "L")
        screen = await trader.press("ctrl+f")
        assert "4 markets" in screen
        screen = await trader.press("enter")
        assert "all series > FED" in screen
        assert "Fed in JAN" in screen
        screen = await trader.press("down", "enter")
        assert "H0" in screen
        await trader.press("escape", "escape")
        assert "all series" in await trader.look()
        await trader.press("enter", "down", "enter", "down", "enter")
        assert "go to market" not in await trader.look()
        # The watch list that did not have it has given way.
        assert "[Watched]" not in trader.text()
        await trader.wait(lambda _: trader.desk.looked_at[-1] == ("FED-26JAN-H0",))


async def test_words_that_nothing_has_are_said() -> None:
    async with trading() as trader:
        await trader.press("ctrl+f")
        await trader.type("zzz")
        assert "knows no market and no event ZZZ." in await trader.press("enter")
        await trader.press("escape", "escape")
        assert "go to market" not in await trader.look()


async def test_a_market_that_is_over_is_said_to_be_in_its_list() -> None:
    async with trading() as trader:
        await watching(trader)
        store = trader.desk.store
        store.market_data.set_markets([replace(store.markets[FIRST], status=MarketStatus.FINALIZED, result="yes")])
        await trader.look()
        assert "ended YES" in trader.lines()[2]
