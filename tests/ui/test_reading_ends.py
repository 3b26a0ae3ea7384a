"""Each "Reading ..." on the screen ends when the reading has failed, and then says why."""

from pathlib import Path

from kalshi_tui.session.interface import LookUpResult
from kalshi_tui.session.persisted import PersistedFile
from kalshi_tui.session.store import Store
from kalshi_tui.ui.dialogs.welcome import WELCOME_FILE, WelcomeFile
from kalshi_tui.ui.market_list.watch_lists import WATCH_LISTS_FILE, SavedWatchList, WatchListsFile
from kalshi_tui.ui.ui_settings import UiSettings
from tests.support.fake_desk import TITLES, Clock, FakeDesk, a_market
from tests.support.pilot import NARROW, USUAL, trading

WHY = "The exchange could not be reached: it took too long."
UNTRADED = TITLES[1][0]
READING = ("Reading", "being read", "Asking")


def an_empty_desk() -> FakeDesk:
    """Return a desk before any market has been read."""
    desk = FakeDesk(Clock())
    desk.store = Store(desk.clock)
    return desk


def is_reading(screen: str) -> bool:
    return any(words in screen for words in READING)


async def test_of_the_list_of_markets() -> None:
    desk = an_empty_desk()
    async with trading(desk, NARROW) as trader:
        assert "Reading the" in await trader.look()
        desk.store.market_data.set_listing_error(WHY)
        screen = await trader.look()
        assert "The markets have not been read" in screen
        assert not is_reading(screen)
        # No word proves anything about a list that nobody has read.
        assert "No market that has been read" in " ".join((await trader.press("slash", *"zzz")).split())
        await trader.press("escape")
        # A part of it has come: it is said to be one.
        desk.store.market_data.set_markets([a_market(*TITLES[0])])
        desk.store.market_data.set_listing_progress(200)
        screen = await trader.look()
        assert "200..." not in screen
        assert "Not read whole: The exchange" in screen
        desk.store.market_data.set_listing_error("")
        desk.store.market_data.set_listing_progress(None)
        assert "Not read whole" not in await trader.look()


async def test_of_the_finder_over_a_list_that_was_not_read() -> None:
    desk = an_empty_desk()
    async with trading(desk, NARROW) as trader:
        assert "The markets are being read..." in await trader.press("ctrl+f")
        desk.store.market_data.set_listing_error(WHY)
        screen = await trader.type("zz zz")
        assert "Nothing that has been read has these words." in screen
        assert not is_reading(screen)


async def test_of_what_the_finder_asks_for() -> None:
    class Broken(FakeDesk):
        async def look_up(self, name: str) -> LookUpResult:
            await super().look_up(name)
            raise TypeError("a defect")

    desk = Broken(Clock())
    async with trading(desk, NARROW) as trader:
        await trader.press("ctrl+f")
        await trader.type("KXELSE")
        screen = await trader.press("enter")
        assert desk.looked_up == ["KXELSE"]
        assert not is_reading(screen)
        assert "KXELSE could not be asked for" in screen
        # It can be asked for again.
        await trader.press("enter")
        assert desk.looked_up == ["KXELSE"] * 2


async def test_of_the_chart() -> None:
    desk = FakeDesk(Clock())
    async with trading(desk) as trader:
        assert "Reading the chart..." in await trader.press("6")
        desk.store.market_data.set_chart_error(TITLES[0][0], 60, WHY)
        screen = await trader.look()
        assert WHY in screen
        assert not is_reading(screen)


async def test_of_the_chart_and_the_tape_without_a_market() -> None:
    async with trading(an_empty_desk()) as trader:
        for key in "46":
            screen = await trader.press(key)
            assert "No market is chosen." in screen
            assert "Reading the chart" not in screen
            assert "Reading the trades" not in screen


async def test_of_the_tape() -> None:
    desk = FakeDesk(Clock())
    async with trading(desk) as trader:
        assert "Reading the trades..." in await trader.press("j", "4")
        desk.store.market_data.set_tape_error(UNTRADED, WHY)
        screen = await trader.look()
        assert f"The trades could not be read; it is tried again. {WHY}" in screen
        assert not is_reading(screen)
        assert "Nothing is exported. The trades could not be read" in await trader.press("w")
        desk.store.market_data.set_tape(UNTRADED, [])
        assert "No trades seen yet." in await trader.look()


async def test_of_a_market_on_a_watch_list(tmp_path: Path) -> None:
    PersistedFile(tmp_path, WELCOME_FILE, WelcomeFile).write(WelcomeFile(seen=True))
    mine = WatchListsFile(lists=(SavedWatchList("mine", ("KXGONE-1",)),), shown="mine")
    PersistedFile(tmp_path, WATCH_LISTS_FILE, WatchListsFile).write(mine)
    desk = an_empty_desk()
    data = desk.store.market_data
    async with trading(desk, USUAL, ui_settings=UiSettings(data_folder=tmp_path)) as trader:
        assert "KXGONE-1 is being read..." in await trader.look()
        data.set_listing_error(WHY)
        assert "KXGONE-1 has not been read" in await trader.look()
        data.set_ticker_errors(["KXGONE-1"], "")
        assert "KXGONE-1 is being read..." in await trader.look()
        # The list has been read, and this one could not be: that the exchange does not know it nobody has said.
        data.set_listing_error("")
        data.set_listing_progress(None)
        data.set_ticker_errors(["KXGONE-1"], WHY)
        screen = await trader.look()
        assert "KXGONE-1 could not be read: The exchange" in screen
        assert not is_reading(screen)
        data.set_ticker_errors(["KXGONE-1"], None)
        assert "KXGONE-1 is not known to the exchange" in await trader.look()
