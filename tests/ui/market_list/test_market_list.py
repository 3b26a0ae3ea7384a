"""The list of markets: its orders, its filter, and that a long one costs no more than what is seen of it."""

import re
from dataclasses import replace

import pytest

from kalshi_tui.domain.market import Event, Market, MarketStatus, Quote
from kalshi_tui.presentation.lines import Line, line
from kalshi_tui.ui.market_list.view import (
    LazyLines,
    MarketIndex,
    MarketSort,
    sorted_markets,
)
from tests.support.fake_desk import (
    NOW_MS,
    Clock,
    FakeDesk,
    a_market,
    a_store,
)
from tests.support.pilot import NARROW, Trader, trading


def markets() -> list[Market]:
    quotes = {
        "A-1": Quote(4_000, 4_900, last=4_500, previous=4_500, volume=300),
        "B-1": Quote(4_000, 4_100, last=4_000, previous=5_000, volume=100),
        "C-1": Quote(None, None, volume=900),
        "D-1": Quote(4_000, 4_200, last=4_600, previous=4_500, volume=200),
    }
    closes = {"A-1": NOW_MS + 3, "B-1": NOW_MS + 1, "C-1": 0, "D-1": NOW_MS + 2}
    return [
        replace(a_market(ticker, sub=f"outcome {ticker}"), quote=quote, close_ms=closes[ticker])
        for ticker, quote in quotes.items()
    ]


@pytest.mark.parametrize(
    ("sort", "order"),
    [
        (MarketSort.LISTED, "ABCD"),
        (MarketSort.VOLUME, "CADB"),
        (MarketSort.CHANGE, "BDAC"),
        (MarketSort.SPREAD, "BDAC"),
        (MarketSort.CLOSE, "BDAC"),
    ],
)
def test_each_order(sort: MarketSort, order: str) -> None:
    store = a_store(Clock(), markets())
    assert "".join(ticker[0] for ticker, _ in sorted_markets(store, sort)) == order
    first = order[0]
    store.market_data.set_markets([replace(store.markets[f"{first}-1"], status=MarketStatus.FINALIZED)])
    assert "".join(ticker[0] for ticker, _ in sorted_markets(store, sort)) == order[1:] + first


def test_the_filter_looks_at_the_category_too() -> None:
    store = a_store(Clock(), markets())
    store.market_data.set_markets([], [Event("A", "A", "Title", category="Economics")])
    listed = MarketIndex(store, MarketSort.LISTED)
    assert listed.find(["econ"]) == ["A-1"]
    assert listed.find(["econ", "outcome"]) == ["A-1"]
    assert listed.find(["econ", "b-1"]) == []
    assert listed.find([]) == ["A-1", "B-1", "C-1", "D-1"]


def test_lines_are_made_when_they_are_looked_at_and_once() -> None:
    made: list[str] = []

    def draw(ticker: str) -> Line:
        made.append(ticker)
        return line(ticker)

    tickers = [f"T-{number}" for number in range(50_000)]
    lines = LazyLines(tickers, draw)
    assert len(lines) == 50_000
    assert lines[7] == lines[7] == line("T-7")
    assert lines[7:9] == [line("T-7"), line("T-8")]
    rebuilt = lines.invalidate([8, 40_000])
    assert rebuilt[7:9] == lines[7:9]
    assert made == ["T-7", "T-8", "T-8"]


def listed(trader: Trader) -> list[str]:
    lines = [each[:36] for each in trader.lines()[2:8]]
    return [each.partition("outcome ")[2][:1] for each in lines if "outcome" in each]


async def test_a_key_sorts_and_the_heading_says_how() -> None:
    desk = FakeDesk(Clock(), markets())
    async with trading(desk, size=NARROW) as trader:
        assert listed(trader) == list("ABCD")
        for words, order in (("volume", "CADB"), ("change", "BDAC"), ("spread", "BDAC"), ("close", "BDAC")):
            screen = await trader.press("S")
            assert f"market by {words}" in screen
            assert listed(trader) == list(order)
        await trader.press("S")
        assert listed(trader) == list("ABCD")


async def test_the_chosen_market_stays_chosen_when_the_list_is_sorted() -> None:
    desk = FakeDesk(Clock(), markets())
    async with trading(desk, size=NARROW) as trader:
        await trader.press("j")
        await trader.press("S")
        chosen = next(each for each in trader.lines() if each.startswith("▌"))
        assert "outcome B" in chosen


async def test_while_the_list_is_read_the_heading_counts() -> None:
    async with trading(size=NARROW) as trader:
        trader.desk.store.market_data.set_listing_progress(12_400)
        assert "market 12,400..." in await trader.look()
        trader.desk.store.market_data.set_listing_progress(None)
        assert "12,400" not in await trader.look()


async def test_of_a_long_list_only_what_is_seen_is_drawn() -> None:
    many = [a_market(f"M{number:05}-1", sub=f"outcome {number}") for number in range(20_000)]
    desk = FakeDesk(Clock(), many)
    async with trading(desk, size=NARROW) as trader:
        pane = trader.app.desk_screen.panes.market_list
        await trader.press("G")
        assert "outcome 19999" in trader.text()
        assert len(pane._lines._drawn_lines) < 100
        desk.store.quote("M19999-1", Quote(1_100, 1_200, ts_ms=1))
        assert re.search(r"0\.11 +0\.12", await trader.look())
        await trader.press("/", *"m00077")
        assert "outcome 77 " in trader.text()
        assert len(pane._tickers) == 1
