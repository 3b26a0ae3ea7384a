"""The real desk in a real terminal beside a journal that cannot be read: it opens, says so, and cancels."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from tests.support.desk_terminal import choose_a_calm_market, close_review, order
from tests.support.terminal import Terminal

pytestmark = pytest.mark.terminal
ARGUMENTS = ("--seed", "7")


def one_row(path: Path) -> None:
    with closing(sqlite3.connect(path)) as file, file:
        assert file.execute("UPDATE intents SET state = 'queued'").rowcount == 1


def the_whole_file(path: Path) -> None:
    path.write_bytes(b"\xa5" * 20_000)


@pytest.mark.slow
@pytest.mark.parametrize("spoil", [one_row, the_whole_file])
def test_the_desk_opens_and_cancels(tmp_path: Path, spoil: Callable[[Path], None]) -> None:
    home = tmp_path / "home"
    terminal = Terminal(ARGUMENTS, home, columns=140, rows=50)
    choose_a_calm_market(terminal)
    order(terminal, "1", "7")
    terminal.wait_text("RESTING")
    close_review(terminal)
    terminal.press("q")
    terminal.wait_text("quit", "may be live")
    terminal.press("y")
    assert terminal.ended() == 0
    (journal,) = home.rglob("journal.sqlite3")
    spoil(journal)
    terminal = Terminal(ARGUMENTS, home, columns=140, rows=50)
    terminal.wait("the order", lambda text: "orders 1 " in text and "RESTING" in text)
    if spoil is the_whole_file:
        terminal.press("b")
        terminal.wait_text("order ticket")
        terminal.press(*"1", "tab", *"7", "enter")
        terminal.wait("why no order leaves", lambda text: "order journal" in text and "cannot be used" in text)
        close_review(terminal)
        if "order ticket" in terminal.text():
            terminal.press("escape")
        terminal.wait("the list", lambda text: "RESTING" in text and "order ticket" not in text)
        # A key right behind an escape would be Alt and that key.
        terminal.press("5")
        terminal.wait_text("[5 Log]")
        terminal.press("1")
        terminal.wait("the list again", lambda text: "RESTING" in text and "[5 Log]" not in text)
    terminal.press("x")
    # Without the journal it is not known that it was meant as a buy.
    terminal.wait_text("Cancel buy YES 7 at 0.01" if spoil is one_row else "Cancel YES 7 at 0.01")
    terminal.press("y")
    terminal.wait_text("Canceled: buy YES 7 at 0.01" if spoil is one_row else "Canceled: YES 7 at 0.01")
    terminal.press("q")
    assert terminal.ended() == 0
