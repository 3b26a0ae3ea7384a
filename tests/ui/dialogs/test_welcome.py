"""The first start: it explains, leads to a trade, and does not come a second time."""

from dataclasses import replace
from pathlib import Path

from kalshi_tui.domain.order import Action
from kalshi_tui.session.venue import Venue
from kalshi_tui.ui.dialogs.welcome import WELCOME_FILE
from kalshi_tui.ui.ui_settings import UiSettings
from tests.support.fake_desk import (
    NOW_MS,
    TITLES,
    Clock,
    FakeDesk,
    a_market,
)
from tests.support.pilot import NARROW, trading

CALM = TITLES[2][0]


def calm_desk(venue: Venue = Venue.PRACTICE) -> FakeDesk:
    """Return a desk on which one market is calm and busy; the others close soon or are quieter."""
    markets = [replace(a_market(ticker, title), close_ms=NOW_MS + 60_000) for ticker, title, _ in TITLES]
    markets[1] = replace(markets[1], close_ms=NOW_MS + 10**9)
    busy = replace(markets[2].quote, volume_24h=9_000_000)
    markets[2] = replace(markets[2], close_ms=NOW_MS + 10**9, quote=busy)
    return FakeDesk(Clock(), markets, venue)


async def test_it_ends_in_a_practice_trade(tmp_path: Path) -> None:
    desk = calm_desk()
    async with trading(desk, size=NARROW, ui_settings=UiSettings(data_folder=tmp_path)) as trader:
        screen = await trader.look()
        assert "PRACTICE - welcome" in screen
        assert "b  Buy one" in trader.lines()[-1] or "b Buy one" in " ".join(screen.split())
        screen = await trader.press("b")
        assert "order ticket" in screen
        assert TITLES[2][1] in screen
        await trader.press("enter")
        await trader.wait_to_arm()
        await trader.press("enter")
        ((terms, _),) = desk.sent
        assert (terms.ticker, terms.action, terms.yes_price, terms.count) == (CALM, Action.BUY, 4_800, 100)


async def test_it_comes_once(tmp_path: Path) -> None:
    ui_settings = UiSettings(data_folder=tmp_path)
    async with trading(calm_desk(), ui_settings=ui_settings) as trader:
        await trader.press("escape")
        assert "welcome" not in trader.text()
        assert (tmp_path / WELCOME_FILE).exists()
    async with trading(calm_desk(), ui_settings=ui_settings) as trader:
        assert "welcome" not in await trader.look()


async def test_where_money_is_real_there_is_none(tmp_path: Path) -> None:
    async with trading(calm_desk(Venue.DEMO), ui_settings=UiSettings(data_folder=tmp_path)) as trader:
        assert "welcome" not in await trader.look()


async def test_without_a_calm_market_it_says_so(tmp_path: Path) -> None:
    async with trading(ui_settings=UiSettings(data_folder=tmp_path)) as trader:
        assert "No market is listed yet" in await trader.press("b")


async def test_a_folder_that_cannot_be_written_stops_nobody(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    async with trading(calm_desk(), ui_settings=UiSettings(data_folder=tmp_path / "file")) as trader:
        assert "welcome" in trader.text()
        await trader.press("enter")
        assert "YES bid" in trader.text()
