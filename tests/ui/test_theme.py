"""The sets of colors."""

from itertools import combinations

import msgspec
import pytest
from rich.cells import cell_len
from textual.color import Color
from textual.theme import Theme

from kalshi_tui.runtime.settings import Settings
from kalshi_tui.ui.app import DeskApp
from kalshi_tui.ui.terminal_capabilities import CONSOLE_GLYPHS
from kalshi_tui.ui.theme import (
    AUTO_THEME,
    THEME_NAMES,
    THEME_VARIABLES,
    THEMES,
    choose_theme,
)
from kalshi_tui.ui.ui_settings import UiSettings
from kalshi_tui.ui.widgets.line_view import LineView
from tests.support.fake_desk import Clock, FakeDesk
from tests.support.pilot import NARROW, trading
from tests.support.sequences import on_a_console

READABLE = 4.5
"""The contrast that WCAG asks of text."""


@pytest.mark.parametrize("theme", THEMES, ids=lambda theme: theme.name)
def test_each_defines_every_color(theme: Theme) -> None:
    assert set(theme.variables) >= set(THEME_VARIABLES)


def contrast(one: str, other: str) -> float:
    def luminance(text: str) -> float:
        parts = [part / 255 for part in Color.parse(text).rgb]
        linear = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", THEMES, ids=lambda theme: theme.name)
def test_what_is_written_can_be_read(theme: Theme) -> None:
    own = theme.variables
    background = str(theme.background)
    written = [str(theme.foreground), str(theme.success), str(theme.error), str(theme.warning), own["bid"], own["ask"]]
    for color in [*written, own["own"]]:
        assert contrast(color, background) >= READABLE, color
    # Ages, labels, states that are over: dim, and still text to be read, on the cursor's line too.
    for under in (background, str(theme.surface), own["cursor-line"], own["cursor-resting"]):
        assert contrast(own["text-muted"], under) >= READABLE, under
    for bar in ("bid-bar", "ask-bar"):
        assert contrast(own["bar-text"], own[bar]) >= READABLE
    assert contrast(own["venue-text"], str(theme.success)) >= READABLE


def test_no_two_are_alike() -> None:
    for one, other in combinations(THEMES, 2):
        assert one.name != other.name
        assert one.variables != other.variables


def test_blue_and_orange_are_all_that_safe_needs() -> None:
    safe = next(theme for theme in THEMES if theme.name == "safe")
    for name in (str(safe.success), safe.variables["bid"]):
        red, _, blue = Color.parse(name).rgb
        assert blue > red
    for name in (str(safe.error), safe.variables["ask"]):
        red, _, blue = Color.parse(name).rgb
        assert red > blue


@pytest.mark.parametrize(
    ("environment", "theme"),
    [
        ({"TERM": "xterm-256color", "COLORTERM": "truecolor"}, "desk"),
        ({"TERM": "xterm", "COLORTERM": "truecolor"}, "desk"),
        ({"TERM": "xterm-256color"}, "desk"),
        ({"TERM": "tmux-256color"}, "desk"),
        ({"TERM": "xterm-kitty"}, "desk"),
        ({"TERM": "xterm"}, "sixteen"),
        ({"TERM": "screen"}, "sixteen"),
        ({"TERM": "linux"}, "sixteen"),
        ({"TERM": "linux", "COLORTERM": "truecolor"}, "sixteen"),
        ({}, "sixteen"),
    ],
)
def test_without_a_wish_the_terminal_decides_and_a_wish_holds_everywhere(
    environment: dict[str, str], theme: str
) -> None:
    assert choose_theme("auto", environment) == theme
    for wish in THEME_NAMES:
        assert choose_theme(wish, environment) == wish


def test_sixteen_is_made_of_the_terminals_own_colors_alone() -> None:
    theme = next(theme for theme in THEMES if theme.name == "sixteen")
    own = [theme.primary, theme.foreground, theme.background, theme.success, theme.error, *theme.variables.values()]
    assert all(str(color).startswith("ansi_") and color != "ansi_default" for color in own)


def test_what_a_console_has_not_is_drawn_in_as_many_cells() -> None:
    for code, instead in CONSOLE_GLYPHS.items():
        assert cell_len(chr(code)) == len(instead)
        assert on_a_console(instead)


def test_the_setting_knows_them_all_and_no_other() -> None:
    for name in (AUTO_THEME, *THEME_NAMES):
        assert msgspec.convert({"screen": {"theme": name}}, Settings).screen.theme == name
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"screen": {"theme": "purple"}}, Settings)


async def test_a_key_goes_through_them_and_says_how_to_keep_one() -> None:
    async with trading(size=NARROW) as trader:
        for name in (*THEME_NAMES[1:], THEME_NAMES[0]):
            screen = await trader.press("T")
            assert trader.app.theme == name
            assert f"Colors: {name}." in screen
            assert "FED-26DEC-C25" in screen


async def test_dim_words_are_drawn_in_the_color_of_the_set() -> None:
    async with trading(size=NARROW) as trader:
        for theme in THEMES[:4]:
            trader.app.theme = theme.name
            await trader.look()
            view = next(each for each in trader.app.screen.query(LineView) if each.region and each.lines)
            drawn = {
                segment.style.color.name
                for y in range(view.size.height)
                for segment in view.render_line(y)
                if segment.style is not None and segment.style.color is not None
            }
            assert theme.variables["text-muted"] in drawn


async def test_the_app_begins_with_the_one_that_is_set() -> None:
    clock = Clock()
    app = DeskApp(FakeDesk(clock), clock_ms=clock, timer_ms=Clock(0), ui_settings=UiSettings(theme="paper"))
    async with app.run_test(size=NARROW):
        assert app.theme == "paper"
        assert not app.current_theme.dark
