"""The desk ends within two seconds, whatever asks it to and whatever it is at."""

import os
import re
import signal
import sqlite3
import sys
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest

from tests.support.desk_terminal import choose_a_calm_market, close_review, is_live, order
from tests.support.processes import run_delay_s, wait_gone
from tests.support.terminal import Terminal

pytestmark = pytest.mark.terminal


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    running = Terminal(["--seed", "7"], tmp_path, 140, 50)
    yield running
    running.end()


def practice_of(home: Path) -> int:
    (lock,) = home.rglob("lock")
    return int(lock.read_text())


def at_rest(terminal: Terminal, home: Path) -> None:
    del terminal, home


def stopped_and_continued(terminal: Terminal, home: Path) -> None:
    del home
    for _ in range(2):
        os.kill(terminal.child.pid, signal.SIGSTOP)
        time.sleep(0.3)
        os.kill(terminal.child.pid, signal.SIGCONT)
        until = time.monotonic() + 1
        while time.monotonic() < until:
            terminal.pump()


def with_keys_waiting(terminal: Terminal, home: Path) -> None:
    del home
    terminal.press("jk" * 1_000)
    terminal.pump()


def with_a_busy_loop(terminal: Terminal, home: Path) -> None:
    del home
    for number in range(60):
        terminal.resize(100 + number, 30 + number % 20)
    terminal.pump()


def beside_a_silent_exchange(terminal: Terminal, home: Path) -> None:
    del terminal
    os.kill(practice_of(home), signal.SIGSTOP)


def in_a_review(terminal: Terminal, home: Path) -> None:
    del home
    terminal.press("j", "j", "j", "b")
    terminal.wait_text("order ticket")
    terminal.press("1", "tab", "7", "enter")
    terminal.wait_text("review")


STATES = {
    each.__name__: each
    for each in (
        at_rest,
        stopped_and_continued,
        with_keys_waiting,
        with_a_busy_loop,
        beside_a_silent_exchange,
        in_a_review,
    )
}
WAYS = ("SIGTERM", "SIGHUP", "q")
CASES = [(state, way) for state in STATES for way in WAYS if way != "q" or state != "in_a_review"]
"""In a review `q` is no key that quits."""
ENDINGS = 50
"""How many there are by each way, over all states."""


def wait_for_the_end(terminal: Terminal, began: float) -> float:
    """Return the seconds since it began, without those in which other programs had the cores."""
    pid = terminal.child.pid
    before = delayed = run_delay_s(pid)
    while terminal.child.isalive() and time.monotonic() < began + 20:
        terminal.pump()
        delayed = max(delayed, run_delay_s(pid))
    return time.monotonic() - began - (delayed - before)


def end(terminal: Terminal, home: Path, state: str, way: str) -> float:
    """Bring the desk into a state, end it, and return how many seconds that took."""
    terminal.wait("a live book", is_live)
    practice = practice_of(home)
    try:
        STATES[state](terminal, home)
        began = time.monotonic()
        if way == "q":
            terminal.press("q")
        else:
            os.kill(terminal.child.pid, getattr(signal, way))
        took = wait_for_the_end(terminal, began)
        assert wait_gone(practice)
    finally:
        with suppress(ProcessLookupError):
            os.kill(practice, signal.SIGKILL)
    assert terminal.ended() == 0
    return took


def test_it_ends_within_two_seconds(terminal: Terminal, tmp_path: Path) -> None:
    assert end(terminal, tmp_path, "stopped_and_continued", "q") < 2


@pytest.mark.slow
@pytest.mark.parametrize(("state", "way"), CASES)
def test_fifty_endings_are_all_within_two_seconds(tmp_path: Path, state: str, way: str) -> None:
    states = sum(each == way for _, each in CASES)
    took = []
    for number in range(-(-ENDINGS // states)):
        home = tmp_path / str(number)
        home.mkdir()
        terminal = Terminal(["--seed", "7"], home, 140, 50)
        try:
            took.append(end(terminal, home, state, way))
        finally:
            terminal.end()
    sys.stdout.write(f"{way} {state}: {len(took)} endings, the longest {max(took):.2f} s\n")
    assert max(took) < 2


UNREAD_KEYS = 150
"""So many changes of the view fill a terminal whose output nobody takes."""


def fill(terminal: Terminal) -> None:
    """Let the desk draw, and take nothing of it."""
    for _ in range(UNREAD_KEYS):
        terminal.press("v")
        time.sleep(0.01)


def wait_unread_for_the_end(terminal: Terminal, began: float) -> float:
    """The same as `wait_for_the_end`, of a terminal whose output nobody takes."""
    pid = terminal.child.pid
    before = delayed = run_delay_s(pid)
    while terminal.child.isalive() and time.monotonic() < began + 20:
        time.sleep(0.02)
        delayed = max(delayed, run_delay_s(pid))
    return time.monotonic() - began - (delayed - before)


@pytest.mark.slow
@pytest.mark.parametrize("way", [*WAYS, "SIGINT"])
def test_it_ends_though_nobody_reads_what_it_draws(terminal: Terminal, tmp_path: Path, way: str) -> None:
    terminal.wait("a live book", is_live)
    practice = practice_of(tmp_path)
    fill(terminal)
    began = time.monotonic()
    terminal.press("q") if way == "q" else os.kill(terminal.child.pid, getattr(signal, way))
    took = wait_unread_for_the_end(terminal, began)
    sys.stdout.write(f"{way} unread: {took:.2f} s\n")
    assert took < 2
    assert terminal.ended() == 0
    assert wait_gone(practice)


@pytest.mark.slow
def test_the_dead_mans_switch_cancels_though_nobody_reads_what_the_desk_draws(tmp_path: Path) -> None:
    settings = tmp_path / "settings.toml"
    settings.write_text("[dead_man]\ncancel_on_quit = true\n")
    terminal = Terminal(["--seed", "7", "--settings", str(settings)], tmp_path, 140, 50)
    try:
        choose_a_calm_market(terminal)
        order(terminal, "1", "7")
        terminal.wait_text("RESTING")
        close_review(terminal)
        fill(terminal)
        began = time.monotonic()
        os.kill(terminal.child.pid, signal.SIGTERM)
        assert wait_unread_for_the_end(terminal, began) < 5
        assert terminal.ended() == 0
        (log,) = tmp_path.rglob("*.log")
        assert "canceled" in log.read_text()
    finally:
        terminal.end()


@pytest.mark.slow
def test_letters_that_end_in_q_are_text_in_the_filter(terminal: Terminal) -> None:
    terminal.wait("a live book", is_live)
    terminal.press("jj/jkq")
    terminal.wait_text("jkq")
    assert terminal.child.isalive()


@pytest.mark.slow
def test_moves_before_q_are_made_where_a_question_is_between(terminal: Terminal) -> None:
    terminal.wait("a live book", is_live)
    terminal.press("jb" + "j" * 20 + "q")
    terminal.wait_text("order ticket")
    assert terminal.child.isalive()


STUCK_DESK = """
import sys, time
from pathlib import Path
from kalshi_tui.ui.desk.screen import DeskScreen
flag = Path(sys.argv.pop(1))
draw = DeskScreen.draw_status
def draw_status(*arguments):
    while flag.exists():
        time.sleep(0.05)
    draw(*arguments)
DeskScreen.draw_status = draw_status
from kalshi_tui.__main__ import main
sys.exit(main())
"""
"""A desk whose loop stands still while a file is there."""


@pytest.mark.slow
@pytest.mark.parametrize("way", ["SIGTERM", "SIGINT", "q", "jjjkkq"])
def test_it_ends_while_its_loop_stands_still(tmp_path: Path, way: str) -> None:
    flag = tmp_path / "stuck"
    program = (sys.executable, "-c", STUCK_DESK, str(flag))
    terminal = Terminal(["--seed", "7"], tmp_path, 140, 50, program=program)
    try:
        terminal.wait("a live book", is_live)
        wait_until_settled(terminal)
        flag.touch()
        wait_until_settled(terminal)
        began = time.monotonic()
        os.kill(terminal.child.pid, getattr(signal, way)) if way.isupper() else terminal.press(way)
        took = wait_for_the_end(terminal, began)
        sys.stdout.write(f"{way} loop stands still: {took:.2f} s\n")
        assert took < 2
        assert terminal.ended() == 0
    finally:
        terminal.end()


def wait_until_settled(terminal: Terminal) -> None:
    """Pump for longer than the desk takes to know what a key has opened."""
    until = time.monotonic() + 1
    while time.monotonic() < until:
        terminal.pump()


@pytest.mark.slow
def test_a_q_that_would_ask_ends_nothing_while_the_loop_stands_still(tmp_path: Path) -> None:
    flag = tmp_path / "stuck"
    program = (sys.executable, "-c", STUCK_DESK, str(flag))
    terminal = Terminal(["--seed", "7"], tmp_path, 140, 50, program=program)
    try:
        choose_a_calm_market(terminal)
        order(terminal, "1", "7")
        terminal.wait_text("RESTING")
        close_review(terminal)
        wait_until_settled(terminal)
        flag.touch()
        wait_until_settled(terminal)
        terminal.press("q")
        for _ in range(3):
            wait_until_settled(terminal)
        flag.unlink()
        terminal.wait_text("1 order of yours may be live")
    finally:
        terminal.end()


@pytest.mark.slow
@pytest.mark.parametrize("way", ["SIGTERM", "SIGHUP"])
def test_a_signal_ends_it_while_it_waits_for_the_journal(terminal: Terminal, tmp_path: Path, way: str) -> None:
    choose_a_calm_market(terminal)
    terminal.press("b")
    terminal.wait_text("order ticket")
    terminal.press("1", "tab", "7")
    (path,) = tmp_path.rglob("journal.sqlite3")
    with closing(sqlite3.connect(path, isolation_level=None)) as journal:
        journal.execute("BEGIN EXCLUSIVE")
        terminal.press("enter")
        until = time.monotonic() + 0.2
        while time.monotonic() < until:
            terminal.pump()
        began = time.monotonic()
        os.kill(terminal.child.pid, getattr(signal, way))
        took = wait_for_the_end(terminal, began)
    sys.stdout.write(f"{way} journal locked: {took:.2f} s\n")
    assert took < 2
    assert terminal.ended() == 0


@pytest.mark.slow
@pytest.mark.parametrize("way", ["SIGTERM", "q"])
def test_with_the_dead_mans_switch_it_tells_which_orders_may_rest(tmp_path: Path, way: str) -> None:
    settings = tmp_path / "settings.toml"
    settings.write_text("[dead_man]\ncancel_on_quit = true\n")
    terminal = Terminal(["--seed", "7", "--settings", str(settings)], tmp_path, 140, 50)
    practice = 0
    try:
        choose_a_calm_market(terminal)
        order(terminal, "1", "7")
        terminal.wait_text("RESTING")
        close_review(terminal)
        practice = practice_of(tmp_path)
        os.kill(practice, signal.SIGSTOP)
        if way == "q":
            terminal.press("q")
            terminal.wait_text("quit")
        began = time.monotonic()
        terminal.press("y") if way == "q" else os.kill(terminal.child.pid, getattr(signal, way))
        assert wait_for_the_end(terminal, began) < 5
        assert terminal.ended() == 3
        assert re.search(rb"These may still rest: (buy )?YES 7 at 0\.01 in KX", terminal.raw)
        assert wait_gone(practice)
    finally:
        terminal.end()
        with suppress(ProcessLookupError):
            os.kill(practice, signal.SIGKILL)


@pytest.mark.slow
def test_ctrl_z_says_why_it_does_not_suspend(terminal: Terminal) -> None:
    terminal.wait("a live book", is_live)
    terminal.press("\x1a")
    terminal.wait_text("Not suspended: stopped, the desk would follow no order")
