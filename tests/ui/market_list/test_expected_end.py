"""A game closes days after its end on paper: what counts is when its outcome is expected."""

import json
from dataclasses import replace

from kalshi_tui.domain.alerts import AlertKind, parse_alert
from kalshi_tui.domain.market import Market
from kalshi_tui.kalshi import translate, wire
from kalshi_tui.session.alerts.monitor import current_value
from kalshi_tui.ui.market_list.columns import closes_text
from kalshi_tui.ui.market_list.view import MarketSort, sorted_markets
from tests.support.captures import capture
from tests.support.fake_desk import NOW_MS, Clock, FakeDesk, a_market
from tests.support.pilot import USUAL, WIDE, trading

HOUR_MS, DAY_MS = 3_600_000, 86_400_000


def a_game(ticker: str, expected_ms: int, *, early: bool = True) -> Market:
    return replace(
        a_market(ticker, "A game", ticker),
        close_ms=NOW_MS + 14 * DAY_MS,
        expected_expiration_ms=expected_ms,
        can_close_early=early,
    )


LATER, SOON = a_game("G-1", NOW_MS + 2 * DAY_MS), a_game("H-1", NOW_MS + 2 * HOUR_MS)
FIXED = a_game("F-1", NOW_MS + HOUR_MS, early=False)


async def test_the_expected_end_is_shown_and_sorted_by_and_the_last_moment_is_in_the_details() -> None:
    async with trading(FakeDesk(Clock(), [FIXED, LATER, SOON]), WIDE) as trader:
        screen = await trader.press("f")
        rows = {ticker: next(text for text in screen.split("\n") if ticker in text) for ticker in ("G-1", "H-1", "F-1")}
        assert "2d00h" in rows["G-1"]
        assert "2h00m" in rows["H-1"]
        assert "14d00h" in rows["F-1"]
        store = trader.desk.store
        assert [ticker for ticker, _ in sorted_markets(store, MarketSort.CLOSE)] == ["H-1", "G-1", "F-1"]
    async with trading(FakeDesk(Clock(), [SOON]), USUAL) as trader:
        screen = " ".join((await trader.press("d")).split())
        assert "when the outcome is expected" in screen
        assert "at the latest" in screen


async def test_an_alert_on_the_close_goes_by_the_expected_end() -> None:
    desk = FakeDesk(Clock(), [LATER, SOON, FIXED])
    for market, left in ((SOON, 2 * HOUR_MS), (LATER, 2 * DAY_MS), (FIXED, 14 * DAY_MS)):
        alert = parse_alert("close < 3h", market.ticker)
        assert alert.kind is AlertKind.CLOSE
        assert current_value(desk.store, alert) == left


def test_a_game_that_takes_longer_is_due_and_an_odd_time_costs_itself_alone() -> None:
    assert closes_text(SOON, SOON.expected_expiration_ms) == "due"
    assert closes_text(SOON, SOON.close_ms) == "0m00s"
    assert closes_text(replace(SOON, expected_expiration_ms=0), NOW_MS) == "14d00h"
    assert closes_text(replace(SOON, expected_expiration_ms=0, close_ms=0), NOW_MS) == ""


def test_the_captured_game_ends_days_before_its_close() -> None:
    content = json.loads(capture("combo_markets.json").read_text())
    for source in (*content["combos"], *content["legs"].values()):
        market = translate.market(wire.decode(wire.encode(source), wire.Market))
        assert 0 < market.expected_end_ms < market.close_ms - DAY_MS
        odd = translate.market(wire.decode(wire.encode(source | {"expected_expiration_time": "soon"}), wire.Market))
        assert odd.expected_end_ms == odd.close_ms == market.close_ms
