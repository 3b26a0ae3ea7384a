"""Key presses by when they arrived, not when they were handled: tells a press from a held key or a queue."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol, runtime_checkable

from textual.events import Key

REPEAT_MS: Final = 700
"""Longer than any usual wait before a held key repeats (660 ms at the most): the same key sooner is the same press."""
QUIET_S: Final = 0.12
"""How long no other key may follow. Held keys repeat each 33 ms, slow ones each 100 ms."""
LATE_MS: Final = 250
"""A wait that took so much longer than asked for saw a program that stood still, and proves nothing."""
MAX_WAITS: Final = 12


@dataclass(frozen=True, slots=True)
class Press:
    """One key as it arrived, by the application's steady clock."""

    key: str
    at_ms: int
    repeats: bool
    """Whether the same key arrived just before, with no other key between."""

    @property
    def name(self) -> str:
        """Return the key as a sentence names it."""
        return self.key.capitalize() if len(self.key) > 1 else self.key

    @property
    def ignored(self) -> str:
        """Return a sentence that says that this key was ignored."""
        return f"{self.name} ignored: key held. Release it, then press {self.name}."


class Presses:
    """The keys that have arrived. Only `arrived` is called from the thread that reads the terminal."""

    def __init__(self, timer_ms: Callable[[], int]) -> None:
        self._timer_ms = timer_ms
        self._waiting: dict[int, tuple[str, int]] = {}
        """The keys that were read and not handled yet, by the identity of their events."""
        self._last: tuple[str, int] | None = None
        self.latest: Press | None = None
        """The key that is or was handled last; None after a click, which no key has caused."""
        self.unread: Callable[[], bool] = lambda: False
        """Whether the terminal has input that was not read yet."""
        self.deciding = 0
        """How many keys wait for their quiet moment."""

    def arrived(self, event: Key) -> None:
        """Note a key that was read just now."""
        self._waiting[id(event)] = (event.key, self._timer_ms())

    def take(self, event: Key) -> None:
        """Note that a key is handled now; one that no terminal reported counts as arrived just now."""
        key, at_ms = self._waiting.pop(id(event), (event.key, self._timer_ms()))
        last = self._last
        repeats = last is not None and last[0] == key and at_ms - last[1] < REPEAT_MS
        self._last = (key, at_ms)
        self.latest = Press(key, at_ms, repeats)

    def clicked(self) -> None:
        """Note that the mouse was used."""
        self.latest = None

    def follows(self, press: Press) -> bool:
        """Return whether the same key came after this one, handled or not yet."""
        again = self.latest is not press and self.latest is not None and self.latest.key == press.key
        return again or any(key == press.key for key, _ in list(self._waiting.values()))


@runtime_checkable
class Pressed(Protocol):
    """An application that knows when its keys arrived."""

    presses: Presses
    timer_ms: Callable[[], int]


def presses_of(app: object) -> Pressed:
    """Return an application as one that knows when its keys arrived."""
    assert isinstance(app, Pressed)  # noqa: S101 - every application of this program does
    return app
