"""Keys that are typed faster than the screen draws, while its size changes and books move."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.desk_terminal import is_live
from tests.support.terminal import Terminal

pytestmark = pytest.mark.terminal

BURST = "\x7f" * 8 + "22.5"
SIZES = ((90, 30), (140, 50), (200, 60), (100, 40), (140, 50))


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    running = Terminal(["--seed", "7"], tmp_path, 140, 50)
    yield running
    running.end()


FIELDS = {
    "price": (("b",), "order ticket", r"Price +22\.5 "),
    "count": (("b", "tab"), "order ticket", r"Count +22\.5 "),
    "group": (("b", *["\x1b[Z"]), "order ticket", r"Group +22\.5 "),
    "filter": (("/",), "\n", r"\n22\.5"),
    "finder": (("\x06",), "go to", r"22\.5"),
    "name": (("N",), "new watch list", r"22\.5"),
}


@pytest.mark.slow
@pytest.mark.parametrize("field", FIELDS)
def test_backspaces_and_digits_in_one_piece_write_what_was_typed(terminal: Terminal, field: str) -> None:
    keys, opened, reads = FIELDS[field]
    terminal.wait("a live book", is_live)
    terminal.press(*keys)
    terminal.wait("the field", lambda screen: opened in screen)
    for size in SIZES:
        terminal.press("17")
        terminal.resize(*size)
        terminal.press(BURST)
        terminal.pump()
    terminal.wait("what was typed", lambda screen: re.search(reads, screen) is not None)
    # Nothing of it may be under way any more: one more key, and the field has it at its end.
    terminal.press("1")
    terminal.wait("the next digit", lambda screen: re.search(reads.rstrip() + "1", screen) is not None)
