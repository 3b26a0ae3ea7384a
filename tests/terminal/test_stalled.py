"""A terminal that takes nothing for a while, as behind a link that stands still."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.desk_terminal import choose_a_calm_market, is_live, misplaced, rows
from tests.support.terminal import Terminal

pytestmark = pytest.mark.terminal

CHANGES = 150
"""So many changes of the view fill a terminal whose output nobody takes."""


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    running = Terminal(["--seed", "7"], tmp_path, 140, 50)
    yield running
    running.end()


@pytest.mark.slow
def test_what_is_typed_meanwhile_is_done_and_the_screen_is_whole_afterwards(terminal: Terminal) -> None:
    choose_a_calm_market(terminal)
    for _ in range(CHANGES):
        terminal.press("v")
        time.sleep(0.01)
    terminal.press("b")
    time.sleep(1)
    terminal.wait_text("order ticket")
    terminal.press("escape")
    terminal.wait("the desk", lambda screen: "order ticket" not in screen and is_live(screen))
    terminal.wait("a screen without a torn line", lambda _: not misplaced(terminal))


@pytest.mark.slow
def test_no_enter_sends_what_the_terminal_has_not_shown(terminal: Terminal, tmp_path: Path) -> None:
    choose_a_calm_market(terminal)
    for _ in range(CHANGES):
        terminal.press("v")
        time.sleep(0.01)
    time.sleep(1)
    terminal.press("b")
    time.sleep(0.5)
    terminal.press("1", "tab", "7", "enter")
    # Longer than a key needs to be armed, and still nothing of the review is on the screen.
    time.sleep(3)
    terminal.press("enter")
    time.sleep(1)
    terminal.wait_text("Enter ignored: the terminal had not shown this yet.")
    (journal,) = tmp_path.rglob("journal.sqlite3")
    assert not rows(journal, "SELECT client_order_id FROM intents WHERE sent_ms > 0")
    terminal.wait("the armed key", lambda screen: "ENTER SENDS" in screen)
    terminal.press("enter")
    terminal.wait_text("RESTING")
