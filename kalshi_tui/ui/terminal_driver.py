"""The terminal driver, for a terminal that may go away at any moment: a window closed, a connection cut."""

import atexit
import logging
import os
import re
import select
import signal
import sys
import termios
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from threading import Lock, Thread
from typing import IO, Any, Final

from textual import constants
from textual.drivers.linux_driver import LinuxDriver
from textual.events import Key, MouseDown, Paste
from textual.message import Message

from kalshi_tui.ui.ending import write_now
from kalshi_tui.ui.key_presses import KeyReport, presses_of
from kalshi_tui.ui.terminal_capabilities import glyph_replacements
from kalshi_tui.ui.terminal_reader import read_until_gone
from kalshi_tui.ui.terminal_size import USUAL_SIZE, measure_terminal

WINDOW_SEQUENCE_PATTERN: Final = re.compile(r"\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)")
"""What is said to the window that a terminal runs in."""
REPORT_RELEASES: Final = "\x1b[=2;2u"
"""Kitty's keyboard protocol: add the kind of event, press, repeat or release, to what Textual has asked for."""
REPORT_NO_RELEASES: Final = "\x1b[=2;3u"
PLAIN_TERMINAL: Final = "\x1b[?1000l\x1b[?1003l\x1b[?1006l\x1b[?2004l\x1b[?1004l\x1b[<u\x1b[?1049l\x1b[?25h\x1b[?7h"
"""What takes back all that the screen has asked of the terminal."""
JOIN_TIMEOUT_S: Final = 0.5
"""How long the threads that read and write may take to notice that they are to end."""
FRAME_WRITES: Final = 3
"""How many writes draw one frame."""
UNSHOWN_S: Final = 1.0
"""What a terminal has not taken for so long is not known to those who type."""
MAX_WAITING_WRITES: Final = 24
"""Textual's queue holds 30, and who writes to it when it is full waits."""
_log: Final = logging.getLogger("kalshi_tui.ui")


class Backlog:
    """How much of what the screen wrote waits for a terminal that takes it slowly, or not at all.

    What finds no room is dropped, and the screen is drawn whole once all else is out. To wait for room would hold up
    the desk: no key would end it, no order be followed, no expiry renewed.
    """

    def __init__(self, caught_up: Callable[[], None], shown: Callable[[], None]) -> None:
        """``caught_up`` draws the screen again, ``shown`` notes that the terminal has taken what it took late."""
        self._caught_up, self._shown = caught_up, shown
        self._lock = Lock()
        self._waiting: deque[float] = deque()
        """When each text came that is not out yet."""
        self._written: float | None = None
        """When the oldest text came that was written and may not be flushed yet."""
        self._is_behind = False
        """Whether something was dropped since all was out."""
        self.has_dropped = False
        """Whether anything was ever dropped."""

    @property
    def is_busy(self) -> bool:
        """Return whether what was drawn last is not out yet."""
        return self._is_behind or len(self._waiting) >= FRAME_WRITES

    @property
    def is_unshown(self) -> bool:
        """Return whether something that was drawn a while ago is not out yet."""
        oldest = self._written
        if oldest is None:
            with suppress(IndexError):
                oldest = self._waiting[0]
        return oldest is not None and time.monotonic() - oldest > UNSHOWN_S

    def takes_more(self) -> bool:
        """Return whether there is room for one more text, and count it if so."""
        with self._lock:
            if self._is_behind or len(self._waiting) >= MAX_WAITING_WRITES:
                self._is_behind = self.has_dropped = True
                return False
            self._waiting.append(time.monotonic())
            return True

    def written(self) -> None:
        """Note that one text is written; from the thread that writes."""
        with self._lock:
            if self.is_unshown:
                self._shown()
            came = self._waiting.popleft()
            self._written = came if not self._waiting else None

    def flushed(self) -> None:
        """Note that nothing waits; from the thread that writes."""
        with self._lock:
            if self.is_unshown:
                self._shown()
            self._written = None
            was_behind, self._is_behind = self._is_behind, False
        if was_behind:
            self._caught_up()


class DisconnectSafeFile:
    """A terminal's file whose loss raises nothing: what cannot be written is dropped, and a callback is called.

    Textual writes from a thread that ends at the first error; the app would then wait for it forever, and its
    connection and practice exchange would stay.
    """

    def __init__(self, file: IO[str], lost: Callable[[], None], backlog: Backlog) -> None:
        self._file = file
        self._lost = lost
        self._backlog = backlog

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)

    def write(self, text: str) -> int:
        """Write, or drop the text once the terminal is gone."""
        self._try(lambda: self._file.write(text))
        self._backlog.written()
        return len(text)

    def flush(self) -> None:
        """Flush, if there is still somewhere to flush to."""
        self._try(self._file.flush)
        self._backlog.flushed()

    def _try(self, act: Callable[[], object]) -> None:
        try:
            act()
        except BlockingIOError:
            # Another program has set the terminal so that writes do not wait: it is slow, and still there.
            pass
        except (OSError, ValueError):
            self._lost()


class TerminalDriver(LinuxDriver):
    """Textual's own driver, on a `DisconnectSafeFile`, which ends the app once the terminal is gone."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        drawn_on = terminal_among(sys.__stderr__, sys.__stdout__)
        pressed = presses_of(self._app)
        self._presses, self._quit_waits = pressed.presses, pressed.end_if_quit_waits
        self._presses.unread = self.unread
        self._backlog = backlog = Backlog(self._draw_again_soon, self._presses.shown)
        self._presses.unshown = lambda: backlog.is_unshown
        if drawn_on is not None:
            self._file = DisconnectSafeFile(drawn_on, self._lost, self._backlog)  # type: ignore[assignment]  # a file in all that is used
        self._glyph_replacements = glyph_replacements(os.environ)
        self._is_lost = False
        self._last_size = USUAL_SIZE
        self._raw_attributes: list[Any] | None = None

    def process_messages(self, messages: Sequence[Message]) -> None:
        """Note when keys arrived, here in the thread that reads: the screen may handle them much later.

        All keys of one read are noted before the first is handed on: none of them may look like the last one.
        """
        for message in messages:
            if isinstance(message, Key):
                self._presses.arrived(message)
            elif isinstance(message, KeyReport):
                self._presses.reported(message)
            elif isinstance(message, MouseDown | Paste):
                self._presses.arrived_between(message)
        for message in messages:
            if not isinstance(message, KeyReport):
                self.process_message(message)

    def _get_terminal_size(self) -> tuple[int, int]:
        """Return the terminal's own size, or the last one that it has told."""
        self._last_size = measure_terminal() or self._last_size
        return self._last_size

    @property
    def is_busy(self) -> bool:
        """Return whether the terminal has not taken yet what was drawn last."""
        return self._backlog.is_busy

    def unread(self) -> bool:
        """Return whether the terminal has input that the reading thread has not taken yet."""
        try:
            return bool(select.select([self.fileno], [], [], 0)[0])
        except (OSError, ValueError):
            # A terminal that is gone has no keys either.
            return False

    def write(self, data: str) -> None:
        """Write; to a console without what it may print (titles and the like), and in the characters that it has."""
        if self._writer_thread is None:
            # The terminal went away while it was being taken: there is none to write to.
            return
        if self._glyph_replacements is not None:
            data = WINDOW_SEQUENCE_PATTERN.sub("", data).translate(self._glyph_replacements)
        if self._backlog.takes_more():
            super().write(data)

    def start_application_mode(self) -> None:
        """Take the terminal."""
        super().start_application_mode()  # type: ignore[no-untyped-call]  # Textual's own has no annotation
        if self._writer_thread is None:
            self._lost()
            return
        with suppress(termios.error):
            self._raw_attributes = termios.tcgetattr(self.fileno)
        if not constants.DISABLE_KITTY_KEY:
            self.write(REPORT_RELEASES)

    def stop_application_mode(self) -> None:
        """Restore the terminal."""
        if not constants.DISABLE_KITTY_KEY:
            # First, so that the release of the key that ends the desk is not typed into the shell after it.
            self.write(REPORT_NO_RELEASES)
        super().stop_application_mode()

    def disable_input(self) -> None:
        """End the reading thread. Bounded: it may be held up by a terminal that another program reads too."""
        thread = self._key_thread
        if self.exit_event.is_set() or thread is None:
            return
        signal.signal(signal.SIGWINCH, signal.SIG_DFL)
        self._disable_mouse_support()
        self.exit_event.set()
        thread.join(JOIN_TIMEOUT_S)
        if not thread.is_alive():
            self.exit_event.clear()
        with suppress(termios.error):
            termios.tcflush(self.fileno, termios.TCIFLUSH)

    def close(self) -> None:
        """End the writing thread. Bounded: the terminal may take nothing."""
        writer = self._writer_thread
        if writer is None:
            return
        Thread(target=writer.stop, name="output-end", daemon=True).start()
        writer.join(JOIN_TIMEOUT_S)
        if writer.is_alive():
            # The interpreter must not take itself apart while a thread writes. Until then the ending's bound holds.
            atexit.register(writer.join)
        elif self._backlog.has_dropped:
            # What restores the terminal may be among it.
            self.restore_now()

    def restore_now(self) -> None:
        """Put the terminal in order without waiting for anything, because the process ends right after."""
        if self.attrs_before is not None:
            with suppress(termios.error):
                termios.tcsetattr(self.fileno, termios.TCSANOW, self.attrs_before)
        if self._file is not None:
            write_now(self._file.fileno(), PLAIN_TERMINAL)

    def _sigcont_application(self, *arguments: object) -> None:
        """Go on after a stop. One that came unannounced (SIGSTOP) has not given the terminal back.

        Textual would take it a second time, with a second thread that reads: keys would go to either.
        """
        if self._must_signal_resume:
            super()._sigcont_application(*arguments)
            return
        if self._raw_attributes is not None:
            with suppress(termios.error):
                termios.tcsetattr(self.fileno, termios.TCSANOW, self._raw_attributes)
        self._draw_again_soon()

    def _draw_again_soon(self) -> None:
        """Draw the whole screen, from any thread."""
        with suppress(RuntimeError):  # the loop is closed: it has ended
            self._loop.call_soon_threadsafe(self._draw_again)

    def _draw_again(self) -> None:
        self._app.refresh(layout=True)

    def run_input_thread(self) -> None:
        """Read input until the terminal is gone."""
        presses = self._presses

        def polled() -> None:
            presses.polled()
            self._quit_waits()

        if read_until_gone(self.fileno, self.exit_event, self.process_messages, polled, presses.reading):
            self._lost()

    def _lost(self) -> None:
        """End the app, from any thread: a desk that nobody can see or stop must not hold orders and the data folder."""
        with suppress(RuntimeError):  # the loop is closed: it has ended
            self._loop.call_soon_threadsafe(self._end)

    def _end(self) -> None:
        if not self._is_lost:
            self._is_lost = True
            _log.warning("The terminal is gone: the desk ends.")
            self._app.exit()


def terminal_among(*files: IO[str] | None) -> IO[str] | None:
    """Return the first of these files that is a terminal, or else the first that is one at all."""
    there = [each for each in files if each is not None]
    return next((each for each in there if each.isatty()), there[0] if there else None)
