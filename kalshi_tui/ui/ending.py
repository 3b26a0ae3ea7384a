"""The bound on how long an ending may take: after it the process ends, whatever the desk is still at."""

import os
import select
import signal
import threading
import time
from collections.abc import Callable, Collection
from contextlib import suppress
from typing import Final

END_TIMEOUT_S: Final = 1.6
"""How long the desk may take to end, where nothing is canceled first."""
CANCELING_END_TIMEOUT_S: Final = 4.6
"""The same where the dead-man's switch cancels all first."""
MIN_END_TIMEOUT_S: Final = 0.5
"""What is left at least to an ending whose key had to wait."""
LAST_WORDS_TIMEOUT_S: Final = 0.1
"""How long the terminal may take to be put in order at a late end."""
ENDED_LATE: Final = "kalshi-tui: the desk did not end in time and was ended."
ORDERS_LEFT: Final = "Orders that rest stay at the exchange: 'kalshi-tui orders' lists them."
FORCED_EXIT_CODE: Final = 3
"""What became of orders in flight is not known."""


class EndingDeadline:
    """A thread that ends the process, also while the main thread waits in a call that takes no signal.

    The signals that it watches start the time when they arrive, not when the main thread comes to handle them.
    """

    def __init__(self, timeout_s: float) -> None:
        self._timeout_s = timeout_s
        self._due: float | None = None
        self._wake: int | None = None

    def watch(self, signals: Collection[int], restore: Callable[[], None], describe_left: Callable[[], str]) -> None:
        """Begin; from the main thread. ``restore`` puts the terminal in order at a late end.

        ``describe_left`` returns in a sentence what is left behind. Where nothing is, such an end is as good as any:
        all that was to be kept is on the disk already.
        """
        if self._wake is not None:
            return
        arrivals, self._wake = os.pipe()
        os.set_blocking(self._wake, False)
        signal.set_wakeup_fd(self._wake, warn_on_full_buffer=False)
        work = (arrivals, frozenset(signals), restore, describe_left)
        threading.Thread(target=self._run, args=work, name="ending", daemon=True).start()

    def start(self, waited_s: float = 0) -> None:
        """Let the process end after the time; ``waited_s`` is how long ago the ending was asked for.

        It is never taken back: what follows the screen's end, down to the last thread, is bounded by it too.
        """
        if self._due is None:
            self._due = time.monotonic() + max(self._timeout_s - waited_s, MIN_END_TIMEOUT_S)
        if self._wake is not None:
            with suppress(BlockingIOError):  # full: it is awake
                os.write(self._wake, b"\0")

    def _run(
        self, arrivals: int, signals: frozenset[int], restore: Callable[[], None], describe_left: Callable[[], str]
    ) -> None:
        while self._due is None:
            if signals.intersection(os.read(arrivals, 4_096)):
                self.start()
        time.sleep(max(self._due - time.monotonic(), 0))
        left = ORDERS_LEFT
        with suppress(Exception):
            left = describe_left()

        def speak() -> None:
            with suppress(Exception):
                restore()
            if left:
                write_now(2, f"{ENDED_LATE} {left}\n")

        # In a thread of its own: a terminal that takes only half of it must not hold up the end.
        last_words = threading.Thread(target=speak, name="last-words", daemon=True)
        last_words.start()
        last_words.join(LAST_WORDS_TIMEOUT_S)
        os._exit(FORCED_EXIT_CODE if left else 0)


def write_now(stream: int, text: str) -> None:
    """Write to a stream if it takes anything at once."""
    with suppress(OSError, ValueError):
        if select.select([], [stream], [], 0)[1]:
            os.write(stream, text.encode())
