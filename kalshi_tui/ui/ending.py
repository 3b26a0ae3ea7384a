"""The bound on how long an ending may take: after it the process ends, whatever the desk is still at."""

import atexit
import os
import select
import signal
from collections.abc import Callable
from contextlib import suppress
from types import FrameType
from typing import Final

END_TIMEOUT_S: Final = 1.9
"""How long the desk may take to end, where nothing is canceled first."""
CANCELING_END_TIMEOUT_S: Final = 4.6
"""The same where the dead-man's switch cancels all first."""
ENDED_LATE: Final = "kalshi-tui: the desk did not end in time and was ended."
ORDERS_LEFT: Final = "Orders that rest stay at the exchange: 'kalshi-tui orders' lists them."
FORCED_EXIT_CODE: Final = 3
"""What became of orders in flight is not known."""


class EndingDeadline:
    """An alarm of the process: it also rings while the screen's loop is busy, or waits for a terminal that is stuck."""

    def __init__(self, timeout_s: float) -> None:
        self._timeout_s = timeout_s
        self._is_set = False

    def start(self, restore: Callable[[], None], describe_left: Callable[[], str]) -> None:
        """Let the process end after the time, from now on; ``restore`` puts the terminal in order then.

        ``describe_left`` returns in a sentence what is left behind. Where nothing is, such an end is as good as any:
        all that was to be kept is on the disk already.
        It is never taken back: what follows the screen's end, down to the last thread, is bounded by it too.
        """
        if self._is_set:
            return
        self._is_set = True

        def over(number: int, frame: FrameType | None) -> None:
            del number, frame
            with suppress(Exception):
                restore()
            left = ORDERS_LEFT
            with suppress(Exception):
                left = describe_left()
            if left:
                write_now(2, f"{ENDED_LATE} {left}\n")
            os._exit(FORCED_EXIT_CODE if left else 0)

        signal.signal(signal.SIGALRM, over)
        # Once the interpreter takes itself apart, it handles no signal any more: the alarm would kill the process, and
        # its exit code would be the alarm's instead of the desk's.
        atexit.register(signal.setitimer, signal.ITIMER_REAL, 0)
        signal.setitimer(signal.ITIMER_REAL, self._timeout_s)


def write_now(stream: int, text: str) -> None:
    """Write to a stream if it takes anything at once."""
    with suppress(OSError, ValueError):
        if select.select([], [stream], [], 0)[1]:
            os.write(stream, text.encode())
