"""Hundreds of changes of the window's size, with keys between them, while books move."""

import random
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.support.desk_terminal import is_live, misplaced, rows
from tests.support.terminal import Terminal

pytestmark = pytest.mark.terminal

LEAST, MOST, LAST = (20, 5), (220, 70), (140, 50)
# Two hundred whole screens are drawn one after another: on a machine that does other things too that takes a while.
WITHIN_S = 180.0


class Case(NamedTuple):
    """What is typed before, the keys between the changes, what has to stand at the end, and how many changes."""

    typed: tuple[str, ...]
    keys: tuple[str, ...]
    stands: tuple[str, ...]
    resizes: int


CASES = {
    # Keys that change nothing of what was typed; none of them may get through to a screen that lies over it.
    "desk": Case((), ("j", "k", "1", "2", "3", "4", "5", "6", "7", "tab", "v"), ("YES bid",), 60),
    "filter": Case(("/", "f", "e"), ("up", "down", "end", "home"), ("\nfe", "Fed decision"), 60),
    "ticket": Case(
        ("b", "0", ".", "4", "tab", "7"),
        ("tab", "tab", "backtab"),
        ("order ticket", "│ Price   0.4 ", "│ Count   7 "),
        200,
    ),
}


def is_whole(screen: str) -> bool:
    """Return whether the screen is that of the last size, from the top line to the keys."""
    lines = screen.splitlines()
    return lines[0].strip().startswith("PRACTICE") and "orders 0" in lines[0] and len(lines) >= LAST[1] - 1


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
def test_what_was_typed_outlives_a_storm_of_resizes(tmp_path: Path, case: str) -> None:
    typed, keys, stands, resizes = CASES[case]
    chance = random.Random(f"storm {case}")
    terminal = Terminal(["--seed", "7"], tmp_path, *LAST)
    try:
        terminal.wait("a live book", is_live)
        terminal.press(*typed)
        terminal.wait_text(*stands)
        for _ in range(resizes):
            terminal.resize(chance.randint(LEAST[0], MOST[0]), chance.randint(LEAST[1], MOST[1]))
            terminal.press(chance.choice(keys))
            terminal.pump()
        terminal.resize(*LAST)
        terminal.wait(
            "all of it at the end",
            lambda screen: all(text in screen for text in stands) and is_whole(screen) and not misplaced(terminal),
            WITHIN_S,
        )
        if typed:
            terminal.press("escape")
        # Its own keys stand below only while nothing lies over it, and nothing is typed into it.
        terminal.wait("the desk", lambda screen: screen.splitlines()[-1].endswith("q Quit"), WITHIN_S)
        terminal.press("q")
        assert terminal.ended() == 0
    finally:
        terminal.end()
    assert b"Traceback" not in terminal.raw
    (journal,) = tmp_path.rglob("journal.sqlite3")
    assert rows(journal, "SELECT client_order_id FROM intents WHERE sent_ms > 0") == []
