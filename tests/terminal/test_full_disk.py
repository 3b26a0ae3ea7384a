"""A full disk gets a sentence, at the start and before an order is sent."""

import resource
import sys
from pathlib import Path

import pytest

from tests.support.desk_terminal import choose_a_calm_market
from tests.support.terminal import Terminal

pytestmark = [
    pytest.mark.terminal,
    pytest.mark.skipif(not hasattr(resource, "prlimit"), reason="limits of another process are Linux's own"),
]


def limited_to(file_bytes: int) -> tuple[str, ...]:
    """Return the program with files that may not grow: what a full disk or a quota is to it."""
    limit = f"import os, resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, ({file_bytes}, -1))"
    run = "os.execv(sys.executable, [sys.executable, '-m', 'kalshi_tui', *sys.argv[1:]])"
    return (sys.executable, "-c", f"{limit}; {run}")


@pytest.mark.quick_cases("30000")
@pytest.mark.parametrize("file_bytes", [1_000, 4_096, 8_192, 30_000, 60_000])
def test_a_start_without_room_ends_with_a_sentence(tmp_path: Path, file_bytes: int) -> None:
    terminal = Terminal(["--seed", "7"], tmp_path, 140, 50, program=limited_to(file_bytes))
    assert terminal.ended() == 1
    said = terminal.raw.decode()
    assert "cannot be written (" in said
    assert "Make room" in said
    assert "defect" not in said
    assert "damaged" not in said


@pytest.mark.slow
def test_the_review_says_before_the_enter_that_there_is_no_room(tmp_path: Path) -> None:
    terminal = Terminal(["--seed", "7"], tmp_path, 140, 50)
    try:
        choose_a_calm_market(terminal)
        _, hard = resource.prlimit(terminal.child.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(terminal.child.pid, resource.RLIMIT_FSIZE, (0, hard))
        terminal.press("b")
        terminal.wait_text("order ticket")
        terminal.press("1", "tab", "7", "enter")
        screen = terminal.wait_text("CANNOT BE SENT", "make room on the disk")
        assert "SENDS THIS ORDER" not in screen
        terminal.press("enter")
        # Room again: it may be sent, and was not.
        resource.prlimit(terminal.child.pid, resource.RLIMIT_FSIZE, (hard, hard))
        terminal.wait_text("review", "ENTER SENDS THIS ORDER")
        terminal.press("enter")
        terminal.wait_text("RESTING", "orders 1")
    finally:
        terminal.end()
