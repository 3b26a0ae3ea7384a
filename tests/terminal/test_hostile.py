"""Hostile texts of the exchange, and what of them reaches a real terminal: every byte the program writes is read."""

import re
import unicodedata
from pathlib import Path

import pytest

from tests.support import hostile_titles
from tests.support.desk_terminal import is_live, misplaced
from tests.support.sequences import Written, taken_apart
from tests.support.terminal import Terminal

pytestmark = pytest.mark.terminal

SIZES = ((80, 24), (140, 50))
NEVER = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200b\u200e\u200f\ufeff\ufe0f"
OWN_STRINGS = {"OSC 2;kalshi-tui PRACTICE", "OSC 2;", "OSC 22;default"}
MAX_MARKS = 2


class Tour:
    """Goes through every screen of the program, and looks whether each keeps its columns."""

    def __init__(self, terminal: Terminal) -> None:
        self.terminal = terminal

    def look(self, what: str, pattern: str) -> None:
        """Wait for a screen, and for its rules to stand in their columns."""
        wanted = re.compile(pattern)
        self.terminal.wait(what, lambda text: wanted.search(text) is not None, within_s=15)
        self.terminal.wait(f"{what} in its columns", lambda _: not misplaced(self.terminal), within_s=5)

    def go(self, keys: tuple[str, ...], what: str, pattern: str) -> None:
        self.terminal.press(*keys)
        self.look(what, pattern)

    def desk(self) -> None:
        """Close what lies over the desk."""
        self.terminal.press("escape")
        self.terminal.wait("the desk alone", lambda text: not any(edge in text for edge in "╭▔"))

    def order(self, *further: str, ends: str) -> None:
        """Write an order at the least price and send it."""
        self.go(("b",), "the ticket", "order ticket")
        self.go(("1", "tab", "7", *further, "enter"), "the review", "review")
        self.terminal.wait("the armed key", lambda text: "ENTER SENDS THIS ORDER" in text)
        self.go(("enter",), "the result", ends)
        self.desk()

    def every_screen(self) -> None:
        """Look at all of them."""
        self.terminal.press("g", "j", "j", "j")
        self.look("the desk", r"│.*0\.\d+.*\d")
        for number in "1234567":
            self.go((number,), f"list {number}", rf"\[{number} \w")
        self.terminal.press("1")
        self.go(("v",), "the ladder", r"YES bid +price +YES ask")
        self.terminal.press("v")
        self.order("tab", "f", ends="REJECTED")
        self.order(ends="RESTING")
        self.go(("tab", "tab", "g", "e"), "the change", "change an order")
        self.desk()
        self.go(("x",), "the question", "Cancel buy YES 7 at 0.01")
        self.terminal.press("y")
        self.look("the canceled order", "Canceled: YES 7|CANCELED")
        self.terminal.press("tab")
        for _ in range(4):
            self.go(("d",), "the details", "the market")
            for _ in range(3):
                self.go(("pagedown",), "more details", "the market")
            self.desk()
            self.terminal.press("j")
        self.go(("?",), "the help", "- keys")
        self.desk()
        self.go(("\x10",), "the palette", "Search for commands")
        self.desk()
        self.go(("/", "o", "n"), "the filter", r"\n *on")
        self.terminal.press("escape")
        self.look("the desk again", r"^.*\n +market ")


def tour(home: Path, module: str) -> Written:
    """Go through all screens in both sizes, and end the program by its key."""
    terminal = Terminal(["--seed", "7"], home, *SIZES[0], module=module)
    try:
        going = Tour(terminal)
        terminal.wait("a live book", is_live)
        going.every_screen()
        terminal.resize(*SIZES[1])
        terminal.wait("the wide desk", lambda text: len(text.splitlines()[0]) > SIZES[0][0] and is_live(text))
        going.every_screen()
        terminal.press("q")
        assert terminal.ended() == 0
    finally:
        terminal.end()
    return taken_apart(bytes(terminal.raw))


@pytest.fixture(scope="module")
def harmless(tmp_path_factory: pytest.TempPathFactory) -> Written:
    return tour(tmp_path_factory.mktemp("harmless"), "kalshi_tui")


@pytest.fixture(scope="module")
def spoiled(tmp_path_factory: pytest.TempPathFactory) -> Written:
    return tour(tmp_path_factory.mktemp("hostile"), hostile_titles.MODULE)


@pytest.mark.slow
def test_no_sequence_leaves_that_harmless_titles_do_not_have_too(harmless: Written, spoiled: Written) -> None:
    assert spoiled.kinds <= harmless.kinds
    assert spoiled.attributes <= harmless.attributes
    # The program's own title, and the shape of the pointer.
    assert {kind for kind in spoiled.kinds if kind.startswith("OSC")} <= OWN_STRINGS
    assert not any(kind.startswith(("DCS", "APC", "PM", "SOS")) for kind in spoiled.kinds)


@pytest.mark.slow
def test_each_hostile_text_was_on_the_screen_and_none_of_its_teeth(spoiled: Written) -> None:
    for word in hostile_titles.MARKERS:
        assert word in spoiled.text, word
    assert "[bold red]" in spoiled.text
    assert "\N{REPLACEMENT CHARACTER}" in spoiled.text
    wrong = {each for each in spoiled.characters if not each.isprintable() or each in NEVER}
    assert not {f"U+{ord(each):04X}" for each in wrong}


@pytest.mark.slow
def test_no_tower_of_marks_is_built(spoiled: Written) -> None:
    highest = marks = 0
    for each in spoiled.text:
        marks = marks + 1 if unicodedata.category(each) in {"Mn", "Me"} else 0
        highest = max(highest, marks)
    assert 0 < highest <= MAX_MARKS
