"""Key presses by when they arrived, not when they were handled: tells a press from a held key or a queue."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final, Protocol, runtime_checkable

from textual.events import Key
from textual.message import Message

REPEAT_MS: Final = 700
"""Longer than any usual wait before a held key repeats (660 ms at the most): the same key sooner is the same press."""
QUEUED_MS: Final = 150
"""Nobody types the same key twice and another between them so quickly: the three were kept back together."""
QUIET_S: Final = 0.12
"""How long no other key may follow. Held keys repeat each 33 ms, slow ones each 100 ms."""
SEEN_MS: Final = 200
"""The least time in which anybody reads what has opened, where the terminal tells that the key before was released."""
MIN_RELEASE_MS: Final = 25
"""How long a key is up at least between two presses. Releases that come together with the press prove nothing."""
LATE_MS: Final = 250
"""A wait that took so much longer than asked for saw a program that stood still, and proves nothing."""
POLL_MS: Final = 100
"""How long the reading thread waits for input at a time."""
MAX_WAITS: Final = 12


class KeyReport(Message):
    """What some terminals tell of a key beside its presses: that it is held down and repeats, or was released."""

    def __init__(self, key: str, *, released: bool) -> None:
        super().__init__()
        self.key = key
        self.released = released
        """False: the press that follows is a repeat."""


@dataclass(frozen=True, slots=True)
class Press:
    """One key as it arrived, by the application's steady clock."""

    key: str
    at_ms: int
    repeats: bool
    """Whether it is no press of its own: the terminal said that the key is held, the same key arrived just before and
    was not seen released, or the program stood still just before."""
    released_ms: int | None = None
    """When the same key was released before this press; None if the terminal does not tell."""
    unseen: bool = False
    """Whether the terminal had not shown what was drawn when it arrived; it does not count then either."""

    @property
    def name(self) -> str:
        """Return the key as a sentence names it."""
        return self.key.capitalize() if len(self.key) > 1 else self.key

    @property
    def ignored(self) -> str:
        """Return a sentence that says that this key was ignored."""
        if self.unseen:
            return f"{self.name} ignored: the terminal had not shown this yet. Read it, then press {self.name}."
        return f"{self.name} ignored: key held. Release it, then press {self.name}."


class Presses:
    """The keys that have arrived. The thread that reads the terminal calls `polled` to `arrived`."""

    def __init__(self, timer_ms: Callable[[], int]) -> None:
        self._timer_ms = timer_ms
        self._waiting: dict[int, Press] = {}
        """The keys that were read and not handled yet, by the identity of their events."""
        self._last: dict[str, Press] = {}
        """The press of each key that was handled last."""
        self._last_key = ""
        """The key that was handled last."""
        self._arrived_ms: dict[str, int] = {}
        """When each key arrived last."""
        self._released: dict[str, int] = {}
        """When keys were released that are up, as far as the terminal tells."""
        self._held = ""
        """The key of which the terminal said that its next press is a repeat."""
        self.latest: Press | None = None
        """The key that is or was handled last; None after a click, which no key has caused."""
        self.handling: Press | None = None
        """The key that is handled now."""
        self._polled_ms: int | None = None
        """When the reading thread last began to wait for input; None if none reads."""
        self._resumed_ms: int | None = None
        """When the reading thread last found that it had stood still; None if it never did."""
        self._reading = False
        """Whether something was read of which the keys are not noted yet."""
        self.unread: Callable[[], bool] = lambda: False
        """Whether the terminal has input that was not read yet."""
        self.unshown: Callable[[], bool] = lambda: False
        """Whether the terminal has not taken what was drawn a while ago."""
        self._shown_ms: int | None = None
        """When the terminal last took what it had not taken for a while; None if it never did."""
        self.deciding = 0
        """How many keys wait for their quiet moment."""
        self.moves: frozenset[str] = frozenset()
        """The keys that only move a selection."""
        self.quits: frozenset[str] = frozenset()
        """The keys that end the program, where letters are no text."""

    def polled(self) -> None:
        """Note that everything that had arrived was read, and that input is waited for; from the reading thread."""
        now_ms = self._timer_ms()
        self._note_standstill(now_ms)
        self._polled_ms = now_ms
        self._reading = False

    def shown(self) -> None:
        """Note that the terminal takes again what is drawn; from the thread that writes."""
        self._shown_ms = self._timer_ms()

    def is_unseen(self) -> bool:
        """Return whether nobody can have read what is drawn: the terminal shows it only just now, or not yet."""
        return self.unshown() or (self._shown_ms is not None and self._timer_ms() - self._shown_ms < REPEAT_MS)

    def reading(self) -> None:
        """Note that input is taken from the terminal now, and that its keys come next; from the reading thread."""
        self._reading = True

    def is_input_pending(self) -> bool:
        """Return whether the terminal has sent something of which the keys are not noted yet.

        Ask this first, and what `follows` after it: what is noted in between would else be seen by neither.
        """
        return self.unread() or self._reading

    def _note_standstill(self, now_ms: int) -> None:
        """Note if the reading thread has not run for much longer than it waits for input."""
        if self._polled_ms is not None and now_ms - self._polled_ms > POLL_MS + LATE_MS:
            self._resumed_ms = now_ms

    def reported(self, report: KeyReport) -> None:
        """Note that a key was released, or that its next press is a repeat; from the reading thread."""
        if report.released:
            self._released[report.key] = self._timer_ms()
        else:
            self._held = report.key

    def arrived(self, event: Key) -> None:
        """Note a key that was read just now."""
        at_ms, released_ms = self._timer_ms(), self._released.pop(event.key, None)
        self._note_standstill(at_ms)
        held, self._held = self._held == event.key, ""
        # After a standstill nobody knows when a key arrived: a held one, or one of a queue, would look like a press of
        # its own. Two that were read REPEAT_MS apart since then are two presses again.
        held = held or (self._resumed_ms is not None and at_ms - self._resumed_ms < REPEAT_MS)
        if released_ms is not None and (held or at_ms - released_ms < MIN_RELEASE_MS):
            released_ms = None
        before_ms = self._arrived_ms.get(event.key)
        held = held or (released_ms is None and before_ms is not None and at_ms - before_ms < QUEUED_MS)
        self._arrived_ms[event.key] = at_ms
        unseen = self.is_unseen()
        self._waiting[id(event)] = Press(event.key, at_ms, held or unseen, released_ms, unseen)

    def arrived_between(self, event: Message) -> None:
        """Note something that was read just now and is no key, but may change what the keys after it mean."""
        self._waiting[id(event)] = Press("", self._timer_ms(), repeats=False)

    def quit_behind_moves(self, event: Key | None = None) -> Press | None:
        """Return the quit key that waits with nothing before it that does more than move; None if there is none.

        With ``event``, a key that waits, only one that waits behind it.
        """
        waiting = list(self._waiting.items())
        if event is not None:
            place = next((place for place, each in enumerate(waiting) if each[0] == id(event)), None)
            waiting = [] if place is None else waiting[place:]
        first = next((press for _, press in waiting if press.key not in self.moves), None)
        return first if first is not None and first.key in self.quits else None

    def take(self, event: Key) -> None:
        """Note that a key is handled now; one that no terminal reported counts as arrived just now."""
        press = self.forget(event) or Press(event.key, self._timer_ms(), repeats=False)
        last = self._last.get(press.key)
        if press.released_ms is None and last is not None and self._last_key == press.key:
            press = replace(press, repeats=press.repeats or press.at_ms - last.at_ms < REPEAT_MS)
        self._last_key = press.key
        self._last[press.key] = self.latest = self.handling = press

    def released_ms(self, key: str) -> int | None:
        """Return when a key was released that is up now; None if it is down, or if the terminal does not tell."""
        return self._released.get(key)

    def clicked(self) -> None:
        """Note that the mouse was used."""
        self.latest = None

    def forget(self, event: Message) -> Press | None:
        """Return what is known of an event that waited; neither it nor what was no key before it waits any more."""
        press = self._waiting.get(id(event))
        if press is not None:
            for each, before in list(self._waiting.items()):
                if each == id(event) or not before.key:
                    del self._waiting[each]
                if each == id(event):
                    break
        return press

    def follows(self, press: Press) -> bool:
        """Return whether the same key came after this one, handled or not yet."""
        return self._last.get(press.key) is not press or any(
            each.key == press.key for each in list(self._waiting.values())
        )


@runtime_checkable
class Pressed(Protocol):
    """An application that knows when its keys arrived."""

    presses: Presses
    timer_ms: Callable[[], int]

    def end_if_quit_waits(self) -> None:
        """End if a key that quits waits for too long; from the reading thread."""


def presses_of(app: object) -> Pressed:
    """Return an application as one that knows when its keys arrived."""
    assert isinstance(app, Pressed)  # noqa: S101 - every application of this program does
    return app
