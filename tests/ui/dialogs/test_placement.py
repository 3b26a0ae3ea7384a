"""Where dialogs stand: in the middle, over the desk, which stays to be seen."""

import re
from pathlib import Path

from textual.screen import ModalScreen

import kalshi_tui.ui.app  # noqa: F401 - every screen is a subclass by then
from tests.support.pilot import USUAL, trading

STYLES = Path(__file__).resolve().parents[3] / "styles"


def final_subclasses(kind: type) -> list[type]:
    """Return the subclasses of a class that have none themselves."""
    below: list[type] = kind.__subclasses__()
    return [each for sub in below for each in final_subclasses(sub)] if below else [kind]


def test_every_dialog_of_the_program_is_told_to_stand_in_the_middle() -> None:
    text = "".join(path.read_text() for path in STYLES.glob("*.tcss"))
    centered = {
        name.strip()
        for names in re.findall(r"^([\w, ]+) \{ align: center middle;", text, re.MULTILINE)
        for name in names.split(",")
    }
    dialogs = {each.__name__ for each in final_subclasses(ModalScreen) if each.__module__.startswith("kalshi_tui.")}
    assert len(dialogs) > 5
    assert dialogs <= centered


async def test_the_details_of_a_market_stand_over_the_desk() -> None:
    async with trading(size=USUAL) as trader:
        screen = await trader.press("d")
        assert "the market" in screen
        box = trader.app.screen.query_one(".dialog").region
        assert (box.x, box.y) == ((USUAL[0] - box.width) // 2, (USUAL[1] - box.height) // 2)
        assert "connected" in screen


async def test_a_text_that_is_shorter_than_the_screen_takes_no_more_than_its_lines() -> None:
    async with trading(size=USUAL) as trader:
        await trader.press("d")
        box, text = trader.app.screen.query_one(".dialog"), trader.app.screen.query_one("#reading-text")
        assert text.virtual_size.height == text.size.height
        assert box.size.height < USUAL[1] * 9 // 10 - 3


async def test_a_long_text_leaves_the_desk_above_and_below_and_scrolls() -> None:
    async with trading(size=USUAL) as trader:
        await trader.press("question_mark")
        box, text = trader.app.screen.query_one(".dialog"), trader.app.screen.query_one("#reading-text")
        assert text.virtual_size.height > text.size.height
        assert box.region.height == USUAL[1] * 9 // 10
