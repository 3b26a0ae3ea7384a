"""Chart, tape filter and settlements on the screen."""

import re
from collections.abc import Callable

import pytest

from kalshi_tui.domain.market import Trade
from kalshi_tui.ui.ui_settings import UiSettings
from kalshi_tui.ui.widgets.line_view import LineView
from tests.support.chart_data import FIRST, HOUR, SECOND, a_settlement, a_walk
from tests.support.fake_desk import (
    NOW_MS,
    TITLES,
    Clock,
    FakeDesk,
    a_fill,
    busy_desk,
)
from tests.support.pilot import (
    NARROW,
    SIZES,
    USUAL,
    Trader,
    trading,
)


def charted_desk() -> FakeDesk:
    desk = busy_desk()
    for minutes in (1, 60, 1440):
        desk.store.market_data.set_chart(FIRST, minutes, a_walk(minutes=minutes), 0, NOW_MS)
    return desk


@pytest.mark.quick_cases("80x24-*", "140x50-chart")
@pytest.mark.parametrize("state", ["chart", "chart-crosshair", "chart-line", "chart-plain", "settlements", "sifted"])
@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
async def test_golden(state: str, size: tuple[int, int], golden: Callable[[str, str], None]) -> None:
    desk = charted_desk()
    desk.store.account.set_settlements(
        [
            a_settlement(),
            a_settlement("OLD-26NOV-T1", result="no", settled_ms=NOW_MS - 50 * HOUR, revenue=0),
            a_settlement(
                TITLES[2][0], result="no", yes_count=0, no_count=123_450, yes_cost=0, no_cost=98_765_430, revenue=10**9
            ),
            a_settlement("A-VERY-LONG-TICKER-26NOV20-OF-ANOTHER-B58", result="scalar", no_count=50, revenue=5_300_000),
        ]
    )
    async with trading(desk, size, ui_settings=UiSettings(plain_chart=state == "chart-plain")) as trader:
        if state == "settlements":
            await trader.press("7")
        elif state == "sifted":
            await trader.press("4", "z")
        else:
            await trader.press(
                "6", *{"chart-line": "cp", "chart-crosshair": ["tab", "tab", *["left"] * 9]}.get(state, "")
            )
        golden(f"{state}-{size[0]}x{size[1]}", await trader.look())


def heading(trader: Trader) -> str:
    """Return the line above the chart."""
    return next(each for each in trader.lines() if "candles" in each or " line" in each)


# The chart.


async def test_the_chart_is_read_only_while_it_is_shown() -> None:
    async with trading() as trader:
        assert "Reading the chart..." in await trader.press("6")
        assert trader.desk.charted == [(FIRST, 60)]
        await trader.press("p")
        await trader.press("j")
        await trader.press("5")
        assert trader.desk.charted[1:] == [(FIRST, 1440), (SECOND, 1440), ("", 0)]


async def test_p_turns_minutes_hours_and_days() -> None:
    async with trading(charted_desk()) as trader:
        assert "1 hour candles" in await trader.press("6")
        assert "1 day candles" in await trader.press("p")
        assert "1 minute candles" in await trader.press("p")
        assert "1 hour candles" in await trader.press("p")


async def test_c_turns_candles_to_a_line_and_back() -> None:
    async with trading(charted_desk()) as trader:
        assert "█" in await trader.press("6")
        screen = await trader.press("c")
        assert "1 hour line" in screen
        assert "╭" in screen
        assert "1 hour candles" in await trader.press("c")


async def test_the_keys_of_the_chart_say_so_where_there_is_none() -> None:
    async with trading() as trader:
        assert "The chart is not shown: 6 shows it." in await trader.press("p")
        assert "The chart is not shown" in await trader.press("c")
        assert " p Period" not in trader.lines()[-1]
        await trader.press("6")
        assert " p Period" in trader.lines()[-1]


async def test_the_crosshair_tells_of_its_candle_and_stays_on_it() -> None:
    async with trading(charted_desk()) as trader:
        await trader.press("6")
        assert "┊" not in trader.text()
        newest = heading(trader)
        screen = await trader.press("left")
        assert "┊" in screen
        told = heading(trader)
        candle = a_walk()[-2]
        assert told != newest
        assert f"volume {candle.volume // 100}" in told
        trade = Trade("new", FIRST, 4_000, 700, taker_bid=True, ts_ms=candle.end_ms + 2 * HOUR)
        trader.desk.store.trade(trade)
        await trader.look()
        assert heading(trader) == told
        await trader.press("right", "right")
        assert "volume 7 " in heading(trader)
        assert "┊" not in await trader.press("right")


async def test_home_and_end_move_the_crosshair_when_the_chart_has_the_focus() -> None:
    async with trading(charted_desk()) as trader:
        await trader.press("6", "tab", "tab")
        # The focus is seen by the crosshair, on the newest candle to begin with.
        assert "┊" in trader.text()
        newest = heading(trader)
        await trader.press("g")
        oldest = heading(trader)
        await trader.press("pagedown")
        assert heading(trader) not in {oldest, newest}
        await trader.press("G")
        assert heading(trader) == newest
        assert "┊" not in await trader.press("escape")


async def test_in_the_book_left_and_right_choose_the_side() -> None:
    async with trading(charted_desk()) as trader:
        await trader.press("6", "tab", "right")
        assert "│►" in trader.text()
        assert "┊" not in trader.text()


async def test_a_trade_of_the_stream_continues_the_newest_candle() -> None:
    async with trading(charted_desk()) as trader:
        await trader.press("6")
        before = heading(trader)
        last = a_walk()[-1]
        trader.desk.store.trade(Trade("n", FIRST, 9_000, 100, taker_bid=True, ts_ms=NOW_MS + 1_000))
        assert heading(trader) == before
        await trader.look()
        assert "high 0.90" in heading(trader)
        assert "close 0.90" in heading(trader)
        assert f"volume {(last.volume + 100) // 100}" in heading(trader)
        assert trader.text().split("1 hour candles")[1].split("\n")[1].endswith(" 0.90")


async def test_a_candle_without_trades_tells_bid_and_ask() -> None:
    async with trading(charted_desk()) as trader:
        await trader.press("6")
        quiet = [each.close is None for each in a_walk()][::-1].index(True)
        await trader.press(*["left"] * quiet)
        assert "no trade, bid 0." in heading(trader)
        assert "· no trade: mid" in heading(trader)


async def test_a_chart_that_cannot_be_read_says_why_and_keeps_what_it_has() -> None:
    async with trading() as trader:
        await trader.press("6")
        trader.desk.store.market_data.set_chart_error(
            FIRST, 60, "The chart could not be read; it is tried again. Busy."
        )
        assert "it is tried again. Busy." in await trader.look()
        trader.desk.store.market_data.set_chart(FIRST, 60, a_walk(), 0, NOW_MS)
        assert "tried again" not in await trader.look()
        trader.desk.store.market_data.set_chart_error(
            FIRST, 60, "The chart could not be read; it is tried again. Busy."
        )
        assert "█" in await trader.look()
        assert "NOT READ AGAIN" in heading(trader)


async def test_a_market_without_candles_says_so() -> None:
    async with trading() as trader:
        await trader.press("6")
        trader.desk.store.market_data.set_chart(FIRST, 60, [], 0, NOW_MS)
        assert "No candles of this market yet." in await trader.look()


async def test_a_change_of_the_book_does_not_draw_the_chart(monkeypatch: pytest.MonkeyPatch) -> None:
    async with trading(charted_desk()) as trader:
        await trader.press("6")
        drawn: list[str] = []
        shown = LineView.show

        def note(view: LineView, *lines: object, **how: object) -> None:
            drawn.append(view.id or "")
            shown(view, *lines, **how)  # type: ignore[arg-type]  # handed on as they came

        monkeypatch.setattr(LineView, "show", note)
        trader.desk.store.snapshot(FIRST, [(4_700, 100)], [(5_200, 100)])
        trader.app.frame()
        assert "book" in drawn
        assert "list" not in drawn


async def test_the_chart_fits_any_size_and_the_lists_come_back_as_they_were() -> None:
    async with trading(charted_desk(), USUAL) as trader:
        orders = await trader.press("1")
        await trader.press("6", "left")
        for width, height in ((72, 22), (80, 24), (101, 33), (240, 70)):
            await trader.pilot.resize_terminal(width, height)
            lines = (await trader.look()).split("\n")
            assert len(lines) == height
            assert max(map(len, lines)) <= width
            assert "volume" in heading(trader) or " V " in heading(trader)
            assert "┊" in "\n".join(lines)
        await trader.pilot.resize_terminal(*USUAL)
        await trader.look()
        assert await trader.press("1") == orders


# The tape's filter.


async def test_z_leaves_small_trades_out_of_tab_and_column_and_keeps_the_trader_s_own() -> None:
    async with trading() as trader:
        # The same trade: its market, price, count and the side that waited.
        trader.desk.store.fill(a_fill(trade_id="t2", count=300, is_taker=False))
        screen = await trader.press("4")
        assert screen.count("count, all") == 2
        assert "all sizes; z: next" in screen
        screen = await trader.press("z")
        assert screen.count(">= 10") == 2
        assert "10 contracts or more, and yours" in screen
        sizes = [int(each) for each in re.findall(r"07:59:\d\d +0\.4\d +(\d+) ", screen)]
        assert sizes.count(3) == 1
        assert not {1, 2, 9} & set(sizes)
        assert 10 in sizes
        assert "*07:59:02" in screen
        screen = await trader.press("z")
        assert ">= 100" in screen
        assert ">= 1,000" in await trader.press("z")
        assert "count, all" in await trader.press("z")


async def test_a_filter_that_leaves_nothing_says_so() -> None:
    async with trading(size=NARROW) as trader:
        assert "No trade of 1,000 contracts or more seen yet." in await trader.press("4", "z", "z", "z")


# Settlements.


async def test_settlements_stand_newest_first_with_their_sum() -> None:
    desk = FakeDesk(Clock())
    async with trading(desk) as trader:
        assert "No market in which you held anything" in await trader.press("7")
        desk.store.account.set_settlements(
            [a_settlement("OLD-1", settled_ms=NOW_MS - 9 * HOUR, revenue=0, result="no"), a_settlement()]
        )
        screen = await trader.look()
        rows = [each for each in screen.split("\n") if "YES 10 " in each and "$" in each]
        assert ["Cut 25 bps" in each for each in rows] == [True, False]
        assert (
            rows[0].split()[4:][:7] == ["YES", "10", "$4.70", "$10.00", "$0.02", "+$5.28", "Fed"] or "+$5.28" in rows[0]
        )
        assert "-$4.72" in rows[1]
        (total,) = [each for each in screen.split("\n") if "Total" in each]
        assert total.split() == ["Total", "2", "markets", "$9.40", "$10.00", "$0.04", "+$0.57"]


async def test_enter_goes_to_the_market_of_a_settlement() -> None:
    desk = FakeDesk(Clock())
    desk.store.account.set_settlements([a_settlement(SECOND), a_settlement("GONE-1", settled_ms=1)])
    async with trading(desk) as trader:
        await trader.press("7", "tab", "tab")
        await trader.press("enter")
        # A market that is gone over quickly is followed a moment later.
        await trader.wait(lambda _: desk.looked_at[-1] == (SECOND,))
        await trader.press("j")
        await trader.press("enter")
        await trader.wait(lambda screen: "The exchange knows no market and no event GONE-1." in screen)
        assert desk.looked_up == ["GONE-1"]
