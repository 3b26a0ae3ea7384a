"""Ctrl+F reaches any market of the exchange: what the list lacks is asked for by its ticker."""

from dataclasses import replace

from kalshi_tui.domain.book import Side
from kalshi_tui.domain.combo_legs import ComboCollection
from kalshi_tui.domain.market import ComboLeg, Event, Quote
from kalshi_tui.ui.market_list.finder_screen import FinderScreen
from tests.support.fake_desk import TITLES, Clock, FakeDesk, a_market, a_position
from tests.support.pilot import NARROW, USUAL, trading

LEGS = (ComboLeg(TITLES[0][0], "FED-26DEC", Side.YES), ComboLeg("KXGONE-1", "KXGONE", Side.NO))
COMBO = replace(
    a_market("KXMVE-S1-AB", "yes Cut 25 bps,no Gone", "yes Cut 25 bps,no Gone"),
    legs=LEGS,
    collection_ticker="KXMVE-R",
    quote=Quote(yes_ask=3_000),
    is_provisional=True,
)


async def test_a_ticker_that_the_list_lacks_is_asked_for_and_gone_to() -> None:
    desk = FakeDesk(Clock())
    desk.unlisted["KXMVE-S1-AB"] = [COMBO]
    async with trading(desk, NARROW) as trader:
        await trader.press("ctrl+f")
        assert "KXMVE-S1-AB: ask the exchange for this ticker" in await trader.type("kxmve-s1-ab")
        await trader.press("enter")
        await trader.wait(lambda _: not isinstance(trader.app.screen, FinderScreen))
        await trader.wait(lambda _: desk.looked_at[-1] == (COMBO.ticker,))
        assert desk.looked_up == [COMBO.ticker]
        assert "Combo: yes Cut 25 bps" in trader.text()


async def test_the_markets_of_an_event_are_shown_and_one_is_chosen() -> None:
    desk = FakeDesk(Clock())
    desk.unlisted["KXELSE-1"] = [a_market(f"KXELSE-1-{name}", "Elsewhere", name) for name in ("A", "B")]
    async with trading(desk, USUAL) as trader:
        await trader.press("ctrl+f")
        await trader.type("KXELSE-1")
        screen = await trader.press("enter")
        assert "all series > KXELSE-1" in screen
        assert "Elsewhere: B" in screen
        await trader.press("down", "enter")
        await trader.wait(lambda _: desk.looked_at[-1] == ("KXELSE-1-B",))


async def test_a_ticker_that_nobody_knows_says_so_and_words_ask_nobody() -> None:
    desk = FakeDesk(Clock())
    async with trading(desk, NARROW) as trader:
        await trader.press("ctrl+f")
        await trader.type("KXNO-1")
        assert "The exchange knows no market and no event KXNO-1." in await trader.press("enter")
        await trader.press("escape")
        assert "ask the exchange" not in await trader.type("fed decision")
        assert desk.looked_up == ["KXNO-1"]


async def test_the_details_of_a_combo_have_its_legs_with_their_prices_and_the_product() -> None:
    desk = FakeDesk(Clock())
    gone = replace(a_market("KXGONE-1", "Gone", "Gone"), quote=Quote(yes_bid=2_500, yes_ask=3_000))
    desk.store.market_data.set_markets([COMBO, gone], [Event("KXGONE", "KXGONE", "Gone")], in_list_order=True)
    desk.store.position(a_position(ticker=COMBO.ticker))
    async with trading(desk, USUAL) as trader:
        await trader.press("2", "tab", "tab", "enter")
        await trader.wait(lambda _: desk.looked_at[-1] == (COMBO.ticker,))
        screen = await trader.press("d")
        assert "all of these have to come true" in screen
        lines = [" ".join(text.strip("│ ").split()) for text in screen.split("\n")]
        assert any("yes Fed decision in December: Cut 25 bps 0.4700 0.4800" in text for text in lines), screen
        assert any("no Gone 0.7000 0.7500" in text for text in lines), screen
        assert any("product 0.3290 0.3600" in text for text in lines), screen
        assert any("this combo -- 0.3000" in text for text in lines), screen
        assert "may take it away again" in screen


async def test_collections_of_combos_are_browsed_down_to_a_combo() -> None:
    desk = FakeDesk(Clock())
    desk.unlisted["KXMVE-R"] = [COMBO]
    async with trading(desk, NARROW) as trader:
        await trader.press("ctrl+f", "up")
        for _ in range(20):
            await trader.press("down")
        assert "Combos: ask the exchange for their collections" in trader.text()
        assert "The collections could not be read" in await trader.press("enter")
        desk.collections = (
            ComboCollection("KXMVE-R", title="Games", event_tickers=("A", "B"), size_min=2, size_max=4),
        )
        for _ in range(20):
            await trader.press("down")
        assert "KXMVE-R  Games, 2 events, 2 to 4 legs" in await trader.press("enter")
        assert "Combo: yes Cut 25 bps" in await trader.press("enter")
        await trader.press("enter")
        await trader.wait(lambda _: desk.looked_at[-1] == (COMBO.ticker,))
