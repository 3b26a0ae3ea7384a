"""Read a terminal until it is gone. It relies on no signal: a program in between may keep SIGHUP back."""

import codecs
import os
import selectors
import time
from collections.abc import Callable, Sequence
from threading import Event
from typing import Final

from textual.message import Message

from kalshi_tui.ui.input_parser import InputParser
from kalshi_tui.ui.key_presses import POLL_MS

POLL_INTERVAL_S: Final = POLL_MS / 1000
READ_CHUNK_BYTES: Final = 4_096
MAX_EMPTY_READS: Final = 3
"""A terminal that is gone gives its end at every read; one that is there may give it once, for a Ctrl+D before."""


def read_until_gone(
    fileno: int,
    ended: Event,
    handle: Callable[[Sequence[Message]], None],
    polled: Callable[[], None] = lambda: None,
    reading: Callable[[], None] = lambda: None,
) -> bool:
    """Pass on what arrives at a terminal, everything of one read at once.

    ``polled`` is called each time before input is waited for, `POLL_INTERVAL_S` at most, and ``reading`` before it
    is taken.
    Return True once the terminal is gone, False when ``ended`` was set before that.
    """
    parser = InputParser()
    # An invalid byte becomes U+FFFD and is no error: to drop the whole read could drop the start or end of a paste.
    decode = codecs.getincrementaldecoder("utf-8")("replace").decode
    empty = 0
    with selectors.SelectSelector() as selector:
        try:
            selector.register(fileno, selectors.EVENT_READ)
        except (OSError, ValueError):
            return True
        while not ended.is_set():
            polled()
            try:
                if not selector.select(POLL_INTERVAL_S):
                    found = parser.tick(time.monotonic())
                else:
                    reading()
                    data = os.read(fileno, READ_CHUNK_BYTES)
                    empty = 0 if data else empty + 1
                    if empty >= MAX_EMPTY_READS:
                        return True
                    if not data:
                        ended.wait(POLL_INTERVAL_S)
                    found = parser.feed(decode(data), time.monotonic())
            except BlockingIOError:
                # Another program has set the terminal so that reads do not wait, and was faster.
                continue
            except (OSError, ValueError):
                return True
            handle(list(found))
    return False
