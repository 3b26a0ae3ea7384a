"""Keys that are held down, or that come late and all at once."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from kalshi_tui.ui.key_presses import REPEAT_MS
from tests.support.desk_terminal import choose_a_calm_market, close_review, is_live, rows
from tests.support.terminal import Terminal

pytestmark = pytest.mark.terminal

REPEAT_S = 1 / 30
STALL_S = 1.2
MAX_PAUSE_S = REPEAT_MS / 1000 / 2
"""A key that comes so long after the one before it still is a held one to the program, with as much again to spare."""
LONG_S = 120.0
"""Thousands of keys take a while on a busy machine."""


class HeldTerminal(Terminal):
    """A terminal whose Enter can be held down."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        # Pexpect waits 50 ms before it sends: a held key would come half as often as from a keyboard.
        self.child.delaybeforesend = None
        self._pressed_s: float | None = None

    def let_go(self) -> None:
        """Let the key go: the next Enter is a press of its own."""
        self._pressed_s = None

    def hold(self, seconds: float, piece: str = "\r") -> None:
        """Hold Enter down for so long; ``piece`` is what comes first.

        A test that was itself kept waiting for too long has let the key go, as far as anybody can see: what it sent
        then would be a press of its own. It sends nothing more.
        """
        due = time.monotonic()
        until = due + seconds
        while due < until:
            while (left := due - time.monotonic()) > 0:
                self.pump(left)
            now = time.monotonic()
            if self._pressed_s is not None and now - self._pressed_s > MAX_PAUSE_S:
                return
            self.press(piece)
            self._pressed_s, due, piece = now, max(due, now - REPEAT_S) + REPEAT_S, "\r"


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[HeldTerminal]:
    running = HeldTerminal(["--seed", "7"], tmp_path, 140, 50)
    yield running
    running.end()


def stall(terminal: HeldTerminal) -> None:
    """Let a connection stand still while Enter is held: all that was kept back comes in one piece."""
    until = time.monotonic() + STALL_S
    while time.monotonic() < until:
        terminal.pump()
    terminal.hold(0.5, "\r" * int(STALL_S / REPEAT_S))


def stop(terminal: HeldTerminal) -> None:
    """Stop the program while Enter is held, and let it go on."""
    os.kill(terminal.child.pid, signal.SIGSTOP)
    terminal.hold(STALL_S)
    os.kill(terminal.child.pid, signal.SIGCONT)
    terminal.hold(0.5)


def flood(terminal: Terminal) -> None:
    """Write two thousand at once."""
    until = time.monotonic() + STALL_S
    while time.monotonic() < until:
        terminal.pump()
    terminal.press("\r" * 2_000)


def queue(terminal: Terminal) -> None:
    """Write many at once with another key behind them, as after a stall in which that key was tried too."""
    until = time.monotonic() + STALL_S
    while time.monotonic() < until:
        terminal.pump()
    terminal.press("\r" * 9 + "j" + "\r" * 9 + "j")


def repeat(terminal: Terminal) -> None:
    """Hold it in a terminal that says of each further one that it is a repeat, with a stall among them, then let go."""
    repeated = "\x1b[13;1:2u"
    for piece in (*[repeated] * 10, repeated * int(STALL_S / REPEAT_S), *[repeated] * 10):
        terminal.press(piece)
        terminal.pump()
        time.sleep(REPEAT_S)
    terminal.press("\x1b[13;1:3u")


def sent(home: Path) -> int:
    """Count the orders that have left."""
    (journal,) = home.rglob("journal.sqlite3")
    return len(rows(journal, "SELECT client_order_id FROM intents WHERE sent_ms > 0"))


@pytest.mark.quick_cases("stall")
@pytest.mark.parametrize("way", [stall, stop, flood, queue, repeat])
def test_a_held_enter_sends_nothing_and_a_press_of_its_own_does(
    terminal: HeldTerminal, tmp_path: Path, way: Callable[[HeldTerminal], None]
) -> None:
    choose_a_calm_market(terminal)
    terminal.press("b")
    terminal.wait_text("order ticket")
    terminal.press("1", "tab", "7", "enter")
    terminal.wait_text("review")
    way(terminal)
    terminal.wait_text("Enter ignored: key held. Release it, then press Enter.", within_s=LONG_S)
    terminal.wait("the armed key", lambda screen: "ENTER SENDS" in screen, within_s=LONG_S)
    assert sent(tmp_path) == 0
    terminal.press("enter")
    terminal.wait_text("RESTING")
    assert sent(tmp_path) == 1
    close_review(terminal)


RUNS = int(os.environ.get("HELD_RUNS", "20"))


@pytest.mark.nightly
@pytest.mark.parametrize("way", [stall, stop, flood, queue, repeat])
def test_in_twenty_runs_a_held_enter_sends_nothing(
    terminal: HeldTerminal, tmp_path: Path, way: Callable[[HeldTerminal], None]
) -> None:
    choose_a_calm_market(terminal)
    for _ in range(RUNS):
        terminal.let_go()
        terminal.press("b")
        terminal.wait_text("order ticket")
        terminal.press("1", "tab", "7", "enter")
        terminal.wait_text("review")
        way(terminal)
        terminal.wait_text("Enter ignored: key held. Release it, then press Enter.", within_s=LONG_S)
        terminal.wait("the armed key", lambda screen: "ENTER SENDS" in screen, within_s=LONG_S)
        assert sent(tmp_path) == 0
        close_review(terminal)
        if "order ticket" in terminal.text():
            terminal.press("escape")
        terminal.wait("the desk", lambda screen: "order ticket" not in screen and is_live(screen))
    terminal.press("b")
    terminal.wait_text("order ticket")
    terminal.press("1", "tab", "7", "enter")
    terminal.wait("the armed key", lambda screen: "ENTER SENDS" in screen, within_s=LONG_S)
    terminal.press("enter")
    terminal.wait_text("RESTING")
    assert sent(tmp_path) == 1


@pytest.mark.slow
def test_a_held_yes_answers_one_question_alone(terminal: Terminal) -> None:
    choose_a_calm_market(terminal)
    terminal.press("b")
    terminal.wait_text("order ticket")
    terminal.press("1", "tab", "7", "enter")
    terminal.wait("the armed key", lambda screen: "ENTER SENDS" in screen)
    terminal.press("enter")
    terminal.wait_text("RESTING")
    close_review(terminal)
    terminal.press("x")
    terminal.wait_text("Cancel buy YES 7 at 0.01")
    terminal.press("yyyyyyyy")
    terminal.wait_text("y ignored: key held. Release it, then press y.")
    # The key is released for longer than a held one pauses. Nothing on the screen tells, and longer does no harm.
    time.sleep(1.5 * REPEAT_MS / 1000)
    terminal.press("y")
    terminal.wait_text("Canceled: buy YES 7 at 0.01")
