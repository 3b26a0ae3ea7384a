"""Keys of the trader's own: they do what they are said to, everywhere it is said; what cannot be is refused."""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from kalshi_tui.runtime.configuration import load_settings
from kalshi_tui.runtime.settings import Settings, SettingsError, build_ui_settings
from kalshi_tui.ui.commands import COMMANDS, Scope
from kalshi_tui.ui.desk_keys import DESK_KEYS
from kalshi_tui.ui.keymap import InvalidKeymapError, parse_key, remap_keys
from kalshi_tui.ui.ui_settings import UiSettings
from tests.support.pilot import trading


async def test_another_key_is_bound_and_shown_everywhere_and_the_usual_one_is_free() -> None:
    async with trading(ui_settings=UiSettings(keys={"buy": ("B", "f5"), "orders": ("!",), "quit": ()})) as trader:
        bar = trader.lines()[-1]
        assert " B Buy" in bar
        assert "q Quit" not in bar
        assert "No orders yet: B buys" in trader.text()
        await trader.press("b")
        assert "order ticket" not in trader.text()
        assert "order ticket" in await trader.press("B")
        await trader.press("escape")
        assert "order ticket" in await trader.press("f5")
        await trader.press("escape")
        assert "! shows the orders" in await trader.press("x")
        screen = await trader.press("question_mark")
        assert "B f5" in screen
        await trader.press("escape")
        offered = {each.title: each.help for each in trader.app.get_system_commands(trader.app.screen)}
        assert offered["Buy"].endswith("Key: B")
        assert "Quit" in offered
    async with trading() as trader:
        assert " b Buy" in trader.lines()[-1]
        assert "order ticket" in await trader.press("b")


async def test_a_key_that_types_is_text_in_the_filter() -> None:
    async with trading(ui_settings=UiSettings(keys={"help": (".",)})) as trader:
        await trader.press("slash", "full_stop", "q")
        assert trader.app.focused is not None
        assert getattr(trader.app.focused, "value", "") == ".q"


@pytest.mark.parametrize(
    ("keys", "sentence"),
    [
        ({"buy": ("s",)}, "the key s would mean buy and sell; give one of them another."),
        ({"buy": ("x",)}, "the key x would mean buy and cancel and close-position and delete-alert and cancel-row"),
        ({"sel": ("B",)}, "no command of the desk is called sel. Did you mean sell?"),
        ({"send": ("B",)}, "no command of the desk is called send."),
        ({"buy": ("ctrl+c",)}, "belongs to the terminal or the program itself"),
        ({"buy": ("hyper+b",)}, "there is no key hyper+b."),
        ({"buy": ("bb",)}, "there is no key bb."),
        ({"buy": (" ",)}, "there is no key  ."),
    ],
)
def test_what_cannot_be_is_refused_with_a_sentence(keys: dict[str, Sequence[str]], sentence: str) -> None:
    with pytest.raises(InvalidKeymapError) as refused:
        remap_keys(DESK_KEYS, keys)
    assert sentence in str(refused.value)


def test_two_commands_may_change_keys_with_each_other() -> None:
    made = remap_keys(DESK_KEYS, {"buy": ("s",), "sell": ("b",)})
    assert (made["buy"], made["sell"]) == ("s", "b")


def test_commands_that_share_a_key_may_go_on_sharing_it() -> None:
    made = remap_keys(DESK_KEYS, {"cancel": ("x", "delete")})
    assert made["cancel"] == "x,delete"


@pytest.mark.parametrize(
    ("text", "name"),
    [("B", "B"), ("<", "less_than_sign"), ("+", "plus"), ("ctrl++", "ctrl+plus"), ("Ctrl+K", "ctrl+k"), ("F5", "f5"),
     ("/", "slash"), (".", "full_stop"), ("pgdn", "pagedown"), ("esc", "escape"), ("é", "é")],
)  # fmt: skip
def test_keys_are_written_as_a_person_does(text: str, name: str) -> None:
    if text == "Ctrl+K":
        assert parse_key(text) == "ctrl+K"
        return
    assert parse_key(text) == name


@given(keys=st.dictionaries(st.sampled_from(list(DESK_KEYS)), st.lists(st.text(max_size=3), max_size=3)))
def test_what_is_taken_leaves_no_key_with_two_meanings(keys: dict[str, list[str]]) -> None:
    before = {each: set(names.split(",")) for each, names in DESK_KEYS.items()}
    try:
        made = remap_keys(DESK_KEYS, keys)
    except InvalidKeymapError:
        return
    for one, ones in made.items():
        for other, others in made.items():
            shared = set(filter(None, ones.split(","))) & set(filter(None, others.split(",")))
            if one != other and shared:
                assert shared <= before[one] & before[other]


def test_the_table_of_keys_is_that_of_the_desks_commands() -> None:
    assert [(each.id, each.keys) for each in COMMANDS if each.scope is Scope.DESK] == list(DESK_KEYS.items())


def test_keys_in_the_settings_are_checked_without_the_desk(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    path.write_text('[keys]\nbuy = "B"\n')
    code = (
        "import sys; from pathlib import Path; from kalshi_tui.runtime.configuration import load_settings; "
        "from kalshi_tui.runtime.settings import build_ui_settings; "
        f"print(build_ui_settings(load_settings(Path({str(path)!r}), {{}}).settings).keys, "
        "[each for each in sys.modules if each.startswith(('kalshi_tui.ui.desk.', 'textual.screen'))])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout == "{'buy': ('B',)} []\n"


def test_the_settings_say_keys_and_columns(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    path.write_text('[keys]\nbuy = "B"\nsell = ["S", "f6"]\nsort = ""\n[screen]\ncolumns = ["bid", "ask"]\n')
    assert build_ui_settings(load_settings(path, {}).settings) == UiSettings(
        columns=("bid", "ask"), keys={"buy": ("B",), "sell": ("S", "f6"), "sort": ()}
    )


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ('[keys]\nbuy = "s"', "[keys]: the key s would mean buy and sell"),
        ('[screen]\ncolumns = ["bids"]', "screen.columns: there is no column bids. Did you mean bid?"),
        ('[screen]\ncolumns = ["bid", "bid"]', "each column stands there once"),
    ],
)
def test_wrong_ones_are_a_sentence(tmp_path: Path, settings: str, sentence: str) -> None:
    path = tmp_path / "settings.toml"
    path.write_text(settings)
    with pytest.raises(SettingsError) as refused:
        build_ui_settings(load_settings(path, {}).settings)
    assert sentence in str(refused.value)


def test_without_settings_nothing_changes() -> None:
    assert build_ui_settings(Settings()) == UiSettings()
