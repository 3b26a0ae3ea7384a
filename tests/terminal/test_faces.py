"""What leaves for terminals that can show less: 16 colors, none, a console's font, a session over ssh."""

from pathlib import Path
from typing import Any

import pytest

from tests.support.desk_terminal import is_live
from tests.support.sequences import Written, on_a_console, taken_apart
from tests.support.terminal import TERMINAL, Terminal

pytestmark = pytest.mark.terminal

SIXTEEN = {str(code) for first in (30, 40, 90, 100) for code in range(first, first + 8)}
UTF_8 = {"LANG": "C.UTF-8"}
CONSOLE = UTF_8 | {"TERM": "linux"}
OVER_SSH = UTF_8 | {"TERM": "xterm-256color"}
TOURS = (
    ("v", "own/ahead YES bid"),
    ("v", "NO bid"),
    ("6", "[6 Chart]"),
    ("4", "[4 Tape]"),
    ("?", "- keys"),
    ("escape", "[4 Tape]"),
    ("d", "the market"),
    ("escape", "[4 Tape]"),
    ("b", "order ticket"),
    ("escape", "[4 Tape]"),
    ("\x10", "Search for commands"),
    ("escape", "[4 Tape]"),
    ("/", "words in name"),
    ("\r", "q Quit"),
)


def is_alone(text: str) -> bool:
    """Return whether nothing lies over the desk."""
    return text.splitlines()[-1].rstrip().endswith("q Quit")


def shown(terminal: Terminal) -> Written:
    """Go through the screens, end the program, and give what it has written."""
    terminal.wait("a live book", is_live)
    for key, text in TOURS:
        terminal.press(key)
        alone = key == "escape"
        terminal.wait(text, lambda screen, text=text, alone=alone: text in screen and is_alone(screen) >= alone, 8)  # type: ignore[misc]  # bound now
    terminal.press("q")
    assert terminal.ended() == 0
    return taken_apart(bytes(terminal.raw))


def settings(home: Path, text: str) -> list[str]:
    path = home / "wanted.toml"
    path.write_text(text)
    return ["--seed", "7", "--settings", str(path)]


@pytest.mark.slow
def test_sixteen_colors_are_all_that_leaves_even_where_there_are_more(tmp_path: Path) -> None:
    terminal = Terminal(settings(tmp_path, '[screen]\ntheme = "sixteen"\n'), tmp_path)
    assert shown(terminal).colors <= SIXTEEN


@pytest.mark.slow
def test_a_theme_taken_later_holds_to_its_colors_too(tmp_path: Path) -> None:
    terminal = Terminal(["--seed", "7"], tmp_path)
    terminal.wait("a live book", is_live)
    for name in ("paper", "safe", "contrast", "sixteen"):
        terminal.press("T")
        terminal.wait_text(f"Colors: {name}.")
    before = len(terminal.raw)
    written = shown(terminal)
    assert {"38;2", "48;2"} <= written.colors
    assert taken_apart(bytes(terminal.raw[before:]).lstrip(b"\x80\xbf")).colors <= SIXTEEN


@pytest.mark.slow
def test_a_console_gets_its_own_colors_and_characters_and_no_titles(tmp_path: Path) -> None:
    written = shown(Terminal(["--seed", "7"], tmp_path, terminal=CONSOLE))
    assert written.colors <= SIXTEEN
    assert written.colors
    assert {each for each in written.characters if not on_a_console(each)} == set()
    assert not any(kind.startswith("OSC") for kind in written.kinds)


@pytest.mark.slow
def test_over_ssh_no_more_than_256_colors_leave(tmp_path: Path) -> None:
    written = shown(Terminal(["--seed", "7"], tmp_path, terminal=OVER_SSH))
    assert "38;5" in written.colors
    assert not {"38;2", "48;2"} & written.colors


def look(terminal: Terminal, row: int, column: int) -> Any:
    """Return what a cell looks like, apart from its character."""
    return terminal.screen.buffer[row][column]._replace(data="")


@pytest.mark.slow
def test_without_colors_the_cursor_and_the_field_are_seen_all_the_same(tmp_path: Path) -> None:
    terminal = Terminal(["--seed", "7"], tmp_path, terminal=TERMINAL | {"NO_COLOR": "1"})
    terminal.wait("a live book", is_live)
    terminal.press("j")
    terminal.wait("the cursor on the second row", lambda screen: screen.splitlines()[3].startswith("▌"))
    here, there = look(terminal, 3, 6), look(terminal, 4, 6)
    assert here.reverse
    assert here.bold
    assert not there.reverse
    terminal.press("b")
    rows = terminal.wait_text("order ticket", "Count").splitlines()
    count = next(y for y, row in enumerate(rows) if "│ Count" in row)
    column = rows[count].index("10")
    assert look(terminal, count, column).underscore
    assert not look(terminal, count, column).bold
    terminal.press("tab")
    terminal.wait("the field that is written in", lambda _: look(terminal, count, column + 4).bold)
    terminal.press("escape")
    terminal.wait("the desk", is_alone)
    assert shown(terminal).colors == set()
