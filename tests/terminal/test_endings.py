"""The desk ends within two seconds, whatever asks it to and whatever it is at."""

import os
import re
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
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
    running.child.close(force=True)


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
TYPED_FIRST = ("with_keys_waiting", "in_a_review")
"""States in which a letter is text, or stands behind others."""
CASES = [(state, way) for state in STATES for way in WAYS if way != "q" or state not in TYPED_FIRST]
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
            terminal.child.close(force=True)
    sys.stdout.write(f"{way} {state}: {len(took)} endings, the longest {max(took):.2f} s\n")
    assert max(took) < 2


@pytest.mark.slow
@pytest.mark.parametrize("way", WAYS)
def test_it_ends_though_nobody_reads_what_it_draws(terminal: Terminal, way: str) -> None:
    terminal.wait("a live book", is_live)
    for _ in range(150):
        terminal.press("v")
        time.sleep(0.01)
    terminal.press("q") if way == "q" else os.kill(terminal.child.pid, getattr(signal, way))
    began = time.monotonic()
    while terminal.child.isalive() and time.monotonic() < began + 20:
        time.sleep(0.02)
    assert time.monotonic() - began < 2 or way == "q"
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
        terminal.child.close(force=True)
        with suppress(ProcessLookupError):
            os.kill(practice, signal.SIGKILL)


@pytest.mark.slow
def test_ctrl_z_says_why_it_does_not_suspend(terminal: Terminal) -> None:
    terminal.wait("a live book", is_live)
    terminal.press("\x1a")
    terminal.wait_text("Not suspended: stopped, the desk would follow no order")
