"""The program as a person meets it: a real pseudo-terminal, real keys, what stands on the screen."""

import os
import re
import signal
from pathlib import Path

import pytest

from tests.support.desk_terminal import choose_a_calm_market, close_review, is_live, order
from tests.support.processes import alive, wait_gone
from tests.support.terminal import Terminal

pytestmark = pytest.mark.terminal


def test_an_order_is_placed_by_keys_and_its_fill_is_read_off_the_screen(terminal: Terminal) -> None:
    choose_a_calm_market(terminal)
    order(terminal, "99", "10", "over")
    screen = terminal.wait_text("FILLED")
    assert "PRACTICE" in screen
    close_review(terminal)
    terminal.press("3")
    screen = terminal.wait("the fill in its list", lambda text: "taker" in text and "YES" in text)
    assert "PRACTICE" in screen
    terminal.press("2")
    terminal.wait("the position", lambda text: re.search(r"YES +10 ", text) is not None)
    terminal.press("q")
    assert terminal.ended() == 0


@pytest.mark.slow
def test_the_first_start_ends_in_a_practice_trade(home: Path) -> None:
    terminal = Terminal(["--seed", "7"], home, first=True)
    terminal.wait_text("PRACTICE - welcome")
    # Behind the welcome the list is read, and the market to trade in is of it.
    terminal.wait("the markets", lambda screen: "Reading the markets" not in screen and "connected" in screen)
    terminal.press("b")
    terminal.wait_text("order ticket")
    terminal.press("enter")
    terminal.wait("the armed key", lambda screen: "sends" in screen.lower() and "arming" not in screen)
    terminal.press("enter")
    terminal.wait("what became of it", lambda screen: "FILLED" in screen or "RESTING" in screen)
    terminal.end()


@pytest.mark.slow
def test_an_order_that_rests_is_listed_canceled_and_asked_about_before_the_end(terminal: Terminal) -> None:
    choose_a_calm_market(terminal)
    order(terminal, "1", "7")
    terminal.wait_text("RESTING")
    close_review(terminal)
    terminal.wait("the order in its list", lambda text: "orders 1 " in text and "[1 Ord]" in text and "RESTING" in text)
    terminal.press("q")
    terminal.wait_text("quit", "may be live")
    terminal.press("n", "x")
    terminal.wait_text("Cancel buy YES 7 at 0.01")
    terminal.press("y")
    terminal.wait_text("Canceled: buy YES 7 at 0.01")
    terminal.press("q")
    assert terminal.ended() == 0


@pytest.mark.slow
def test_keys_held_down_do_not_fall_through_to_the_exchange(terminal: Terminal) -> None:
    choose_a_calm_market(terminal)
    terminal.press("b")
    terminal.wait_text("order ticket")
    terminal.press(*"99", "tab", *"10")
    for _ in range(40):
        terminal.press("enter")
        terminal.pump()
    screen = terminal.wait_text("arming")
    assert "FILLED" not in screen
    terminal.press("escape")
    terminal.wait_text("order ticket")
    terminal.press("escape")
    terminal.wait("the desk", lambda screen: "order ticket" not in screen)
    terminal.press("q")
    assert terminal.ended() == 0


@pytest.mark.slow
def test_a_terminal_that_is_too_small_says_so_and_recovers(terminal: Terminal) -> None:
    terminal.wait_text("YES bid")
    terminal.resize(40, 10)
    terminal.wait("the sentence", lambda screen: "40x10" in screen)
    terminal.resize(80, 24)
    terminal.wait_text("YES bid", "PRACTICE")
    terminal.press("q")
    assert terminal.ended() == 0


@pytest.mark.slow
def test_bytes_that_are_no_text_end_nothing(terminal: Terminal) -> None:
    terminal.wait("a live book", is_live)
    # Another encoding's letter as a key, then one in a paste: what stands beside it in the paste is no key.
    terminal.child.send(b"\xe9")
    terminal.child.send(b"\x1b[200~N\xff\rq\x1b[201~")
    terminal.press("N")
    terminal.wait_text("new watch list")
    terminal.child.send(b"A\xffB")
    terminal.wait_text("Name:  AB")


def test_killed_outright_it_leaves_no_exchange_behind(terminal: Terminal, home: Path) -> None:
    terminal.wait_text("YES bid")
    (lock,) = home.rglob("lock")
    exchange = int(lock.read_text())
    assert alive(exchange)
    os.kill(terminal.child.pid, signal.SIGKILL)
    assert wait_gone(exchange)


@pytest.mark.slow
@pytest.mark.parametrize("ending", ["window closed", "SIGHUP", "SIGTERM"])
def test_however_the_terminal_goes_the_program_and_its_exchange_go_too(home: Path, ending: str) -> None:
    running = Terminal(["--seed", "7"], home)
    running.wait_text("YES bid")
    program, exchange = running.child.pid, int(next(home.rglob("lock")).read_text())
    if ending == "window closed":
        running.close_window()
    else:
        os.kill(program, getattr(signal, ending))
        running.ended()
    assert wait_gone(program)
    assert wait_gone(exchange)


@pytest.mark.slow
def test_the_first_live_book_comes_soon_and_nothing_is_cut_at_either_size(home: Path) -> None:
    for columns, rows in ((80, 24), (140, 50)):
        running = Terminal(["--seed", "7"], home, columns, rows)
        screen = running.wait("a live book and the account", lambda text: is_live(text) and "cash $" in text)
        lines = screen.splitlines()
        assert lines[0].strip().startswith("PRACTICE")
        assert "cash $10,000.00" in lines[0]
        assert max(len(line) for line in lines) <= columns
        assert len(lines) in {rows, rows - 1}
        running.press("q")
        assert running.ended() == 0


@pytest.mark.slow
def test_starting_anew_asks_first_and_no_keeps_the_account(terminal: Terminal, home: Path) -> None:
    choose_a_calm_market(terminal)
    order(terminal, "1", "7")
    terminal.wait_text("RESTING")
    close_review(terminal)
    terminal.press("q")
    terminal.wait_text("quit", "may be live")
    terminal.press("y")
    assert terminal.ended() == 0

    again = Terminal(["--fresh"], home)
    again.wait("the question", lambda text: "1 order" in text or "one order" in text)
    again.press("n", "enter")
    assert again.ended() == 1
    assert "Nothing was changed" in again.text()

    kept = Terminal([], home)
    kept.wait("the resting order", lambda text: "orders 1 " in text and "[1 Ord]" in text)
    kept.press("q")
    kept.wait_text("may be live")
    kept.press("y")
    assert kept.ended() == 0

    fresh = Terminal(["--fresh"], home)
    fresh.wait_text("[y/N]")
    fresh.press("y", "enter")
    fresh.wait("a new account", lambda text: is_live(text) and "cash $10,000.00" in text and "orders 0 " in text)
    fresh.press("q")
    assert fresh.ended() == 0


@pytest.mark.slow
@pytest.mark.parametrize(("make", "says"), [("file", "--data"), ("damaged", "--fresh")])
def test_a_data_folder_that_cannot_be_used_is_a_sentence_and_a_way_on(home: Path, make: str, says: str) -> None:
    data = home / "practice"
    if make == "file":
        data.write_text("not a folder")
    else:
        data.mkdir()
        (data / "practice.sqlite3").write_bytes(b"damaged " * 4_000)
    running = Terminal(["--data", str(data)], home)
    screen = running.wait("the sentence", lambda text: says in text.replace("\n", ""))
    assert "Traceback" not in screen
    assert running.ended() == 1
