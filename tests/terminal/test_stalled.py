"""A terminal that takes nothing for a while, as behind a link that stands still."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.desk_terminal import choose_a_calm_market, is_live, misplaced
from tests.support.terminal import Terminal

pytestmark = pytest.mark.terminal

CHANGES = 150
"""So many changes of the view fill a terminal whose output nobody takes."""


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    running = Terminal(["--seed", "7"], tmp_path, 140, 50)
    yield running
    running.child.close(force=True)


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
