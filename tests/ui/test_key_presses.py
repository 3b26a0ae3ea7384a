"""A key that is read late is no press of its own."""

import pytest
from textual.events import Key

from kalshi_tui.ui.key_presses import Press, Presses
from tests.support.fake_desk import Clock

STEP_MS = 33
"""How often a held key repeats."""


def read(presses: Presses, *, stopped_ms: int, clock: Clock) -> Press:
    """Read one Enter, with the process stopped between the wait for it and the note that it came."""
    presses.polled()
    clock.now_ms += stopped_ms
    event = Key("enter", "\r")
    presses.arrived(event)
    presses.take(event)
    assert presses.handling is not None
    return presses.handling


@pytest.mark.parametrize("stopped_ms", [800, 1_200, 60_000])
def test_the_last_repeat_of_a_held_enter_is_one_though_it_is_read_after_a_stop(stopped_ms: int) -> None:
    clock = Clock(0)
    presses = Presses(clock)
    for _ in range(5):
        read(presses, stopped_ms=STEP_MS, clock=clock)
    assert read(presses, stopped_ms=stopped_ms, clock=clock).repeats
    # What is read after it, by a program that runs again, is judged by its own time.
    presses.polled()
    clock.now_ms += 800
    assert not read(presses, stopped_ms=10, clock=clock).repeats


def test_a_press_that_waited_for_nobody_is_one_of_its_own() -> None:
    clock = Clock(0)
    presses = Presses(clock)
    read(presses, stopped_ms=STEP_MS, clock=clock)
    clock.now_ms += 700
    assert not read(presses, stopped_ms=90, clock=clock).repeats
