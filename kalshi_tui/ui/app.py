"""The application: theme, frame tick, stack of screens, and keys handled one at a time."""

import asyncio
import logging
import os
import signal
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import PurePath
from typing import Any, ClassVar, Final, Protocol, runtime_checkable

from rich.console import RenderableType
from rich.traceback import Traceback
from textual.app import App, SystemCommand
from textual.binding import Binding, BindingType
from textual.events import Event, Key, MouseDown, Paste, Resize
from textual.filter import LineFilter
from textual.message import Message
from textual.message_pump import MessagePump
from textual.screen import Screen
from textual.widgets import Input
from textual.worker import WorkerFailed

from kalshi_tui.session.changes import StoreChanges, Topic
from kalshi_tui.session.interface import TradingSession
from kalshi_tui.session.notices import Severity
from kalshi_tui.ui.command_table import keys_of_moves, keys_that_quit
from kalshi_tui.ui.commands import apply_keymap
from kalshi_tui.ui.desk.screen import DeskScreen
from kalshi_tui.ui.dialogs.too_small import MIN_TERMINAL_HEIGHT, MIN_TERMINAL_WIDTH, TooSmallScreen
from kalshi_tui.ui.ending import END_TIMEOUT_S, ORDERS_LEFT, EndingDeadline
from kalshi_tui.ui.key_labels import key_for
from kalshi_tui.ui.key_presses import Presses
from kalshi_tui.ui.notifier import AlertNotifier
from kalshi_tui.ui.styles import stylesheet_path
from kalshi_tui.ui.terminal_capabilities import CONSOLE_TERMINALS, NoColorFilter, SixteenColorFilter
from kalshi_tui.ui.terminal_driver import TerminalDriver
from kalshi_tui.ui.theme import THEMES, choose_theme
from kalshi_tui.ui.ui_settings import UiSettings
from kalshi_tui.ui.widgets.command_screen import CommandScreen

STYLE_SHEETS: Final = ("app", "desk", "ticket", "dialog")
FRAMES_PER_SECOND: Final = 20
BACKGROUND_FRAME_INTERVAL: Final = 4
"""Under a modal the desk is drawn only each so many frames: a modal over live data costs four times a frame."""
KEY_SETTLE_TIMEOUT_S: Final = 2.0
"""How long at most a key waits for what the key before it began."""
QUIT_WAIT_MS: Final = 1_000
"""How long a key that quits waits at most to be handled: after it the reading thread ends the program."""
SETTLED_MS: Final = 500
"""How long after a key it is certain what it has opened."""
RATE_WINDOW_MS: Final = 2_000
ENDING_SIGNALS: Final = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)
DEFAULT_UI_SETTINGS: Final = UiSettings()
_log: Final = logging.getLogger("kalshi_tui.ui")


def monotonic_ms() -> int:
    """Return milliseconds of a clock that never jumps."""
    return time.monotonic_ns() // 1_000_000


@runtime_checkable
class SupportsFrame(Protocol):
    """A screen that draws what changed, once a frame."""

    def frame(self, dirty: StoreChanges) -> None:
        """Draw what changed since the last call."""


class DeskApp(App[None]):
    """Draws one desk. Market data are pulled from the store at a fixed rate, never pushed message by message.

    ``clock`` gives the Unix time shown, ``timer_ms`` is for waits and rates and must never jump.
    """

    CSS_PATH: ClassVar[list[str | PurePath]] = [stylesheet_path(name) for name in STYLE_SHEETS]
    TITLE = "kalshi-tui"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("ctrl+z", "refuse_to_suspend", show=False)]

    def __init__(
        self,
        session: TradingSession,
        *,
        clock_ms: Callable[[], int],
        timer_ms: Callable[[], int] = monotonic_ms,
        ui_settings: UiSettings = DEFAULT_UI_SETTINGS,
        end_timeout_s: float = END_TIMEOUT_S,
    ) -> None:
        self._deadline = EndingDeadline(end_timeout_s)
        self.presses = Presses(timer_ms)
        self._forwarded: Key | None = None
        """The key that went to a widget and has not come back from it."""
        self._is_skipping = False
        """Whether the key handled last was a move that is not made, because one that quits waits behind it."""
        self._would_quit = False
        """Whether a key that quits would end the program without a question; False if that is not certain."""
        self._input_ms = timer_ms()
        """When something was handled last that may have changed what a key means."""
        super().__init__(driver_class=TerminalDriver)
        apply_keymap(ui_settings.keys)
        self.presses.moves, self.presses.quits = keys_of_moves(), keys_that_quit()
        self.session = session
        self.clock_ms = clock_ms
        self.timer_ms = timer_ms
        for each in THEMES:
            self.register_theme(each)
        self.theme = choose_theme(ui_settings.theme, os.environ)
        self.title = f"kalshi-tui {session.venue.value}{' REPLAY' if session.replay is not None else ''}"
        if ui_settings.plain_chart is None:
            ui_settings = replace(ui_settings, plain_chart=os.environ.get("TERM") in CONSOLE_TERMINALS)
        self.desk_screen = DeskScreen(session, clock_ms, timer_ms, ui_settings)
        terminal = os.environ.get("TERM", "")
        self._alert_notifier = AlertNotifier(
            session.alerts, ui_settings, self.bell, self._write_to_terminal, timer_ms, terminal
        )
        self._dirty_tickers: set[str] = set()
        self._dirty_topics: set[Topic] = set()
        self._frame_number = 0
        self._frame_counts: deque[tuple[int, int]] = deque()
        self._too_small: TooSmallScreen | None = None
        self.fatal_error_type = ""
        """The type of the defect that has ended the app; empty if none has."""

    def get_default_screen(self) -> Screen[None]:
        """Return the desk: the app begins there."""
        return self.desk_screen

    def on_mount(self) -> None:
        """Start the session and the frame tick."""
        self._signal_loop = asyncio.get_running_loop()
        self._watch_endings()
        for ending in ENDING_SIGNALS:
            # Ended from outside: put the terminal in order before going.
            signal.signal(ending, self._end_by_signal)
        self._set_terminal_title(self.title)
        self.set_interval(1 / FRAMES_PER_SECOND, self.frame, name="frame")
        self.run_worker(self._start(), name="start", exit_on_error=False)

    def _end_by_signal(self, *_: object) -> None:
        """End. A handler of the process, not of the loop: that may be busy."""
        self._end_soon(0)

    def _end_soon(self, waited_s: float) -> None:
        """End, from any thread; it was asked for so long ago."""
        self._deadline.start(waited_s)
        with suppress(RuntimeError):  # the loop is closed: it has ended
            self._signal_loop.call_soon_threadsafe(self.exit)

    def _watch_endings(self) -> None:
        if isinstance(self._driver, TerminalDriver):
            self._deadline.watch(ENDING_SIGNALS, self._driver.restore_now, self._describe_left)

    def _describe_left(self) -> str:
        """Return in a sentence what an end at this moment leaves behind; empty if nothing."""
        orders = ORDERS_LEFT if self.session.store.working_orders() else ""
        defect = f"It had ended by a defect ({self.fatal_error_type})." if self.fatal_error_type else ""
        return " ".join(filter(None, (defect, orders, self.session.cash_left_text)))

    def exit(self, result: None = None, return_code: int = 0, message: RenderableType | None = None) -> None:
        """End the app, in bounded time; of a key that ends it, from when that key arrived."""
        self._watch_endings()
        press = self.presses.handling
        self._deadline.start(0 if press is None else (self.timer_ms() - press.at_ms) / 1000)
        super().exit(result, return_code, message)

    async def _start(self) -> None:
        """Start the session; an error is shown on the screen, and the screen stays."""
        try:
            await self.session.start()
        except Exception as error:  # noqa: BLE001 - a defect of the session must not take the screen along
            _log.exception("The session did not start.")
            sentence = f"The session did not start ({type(error).__name__}). Quit and start again."
            self.session.store.notify(Severity.ERROR, sentence)

    async def on_unmount(self) -> None:
        """End the session."""
        self._set_terminal_title("")
        await self.session.stop()

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """Return our own colors for Textual's own themes, and while the style sheets are read."""
        return dict(THEMES[0].variables)

    def get_line_filters(self) -> Sequence[LineFilter]:
        """Return the filters that drop colors where none are wanted, or map them to the terminal's own 16."""
        if self.no_color:
            # Textual's own way is shades of gray, which are colors to a terminal.
            return [NoColorFilter()]
        sixteen = [SixteenColorFilter()] if self.native_ansi_color else []
        return [*super().get_line_filters(), *sixteen]

    def _set_terminal_title(self, title: str) -> None:
        """Set the terminal's title, so that a window list tells practice from real money."""
        if os.environ.get("TERM", "dumb") not in CONSOLE_TERMINALS:
            self._write_to_terminal(f"\x1b]2;{title}\x07")

    def _write_to_terminal(self, sequence: str) -> None:
        """Write what is for the terminal itself and not for the screen."""
        if self._driver is not None and not self.is_headless:
            self._driver.write(sequence)

    def on_resize(self, event: Resize) -> None:
        """Cover everything while there is no room for it."""
        fits = event.size.width >= MIN_TERMINAL_WIDTH and event.size.height >= MIN_TERMINAL_HEIGHT
        if not fits and self._too_small is None:
            self._too_small = TooSmallScreen(self.session)
            self.push_screen(self._too_small)
        elif fits and self._too_small is not None:
            self._too_small.dismiss()
            self._too_small = None

    async def on_event(self, event: Event) -> None:
        """Take keys strictly one after another: what is typed ahead must mean what it would mean typed slowly."""
        if isinstance(event, MouseDown):
            self._note_input(event)
            self.presses.clicked()
        if not isinstance(event, Key | Paste) or event.is_forwarded:
            await super().on_event(event)
            return
        if self._exit:
            # Of an app that ends, no key that was typed ahead is looked at any more.
            return
        if not (self._is_skipping and self._is_skipped(event)):
            await self._wait_until_idle(self.screen)
            if self.focused is not None:
                await self._wait_until_idle(self.focused)
            self._is_skipping = self._is_on_desk() and self._is_skipped(event)
        self._note_input(event)
        if isinstance(event, Key):
            self.presses.take(event)
            try:
                if not self._is_skipping:
                    await self._take(event)
            finally:
                self.presses.handling = None
        else:
            await super().on_event(event)

    def _is_skipped(self, event: Key | Paste) -> bool:
        """Return whether a key only moves, and one that quits waits behind it: nobody sees where it would go."""
        if not isinstance(event, Key) or event.key not in self.presses.moves:
            return False
        return self.presses.quit_behind_moves(event) is not None

    def _is_on_desk(self) -> bool:
        """Return whether a key now is one of the desk's: neither of a dialog nor text."""
        return self.screen is self.desk_screen and not isinstance(self.focused, Input)

    def _note_input(self, event: Event) -> None:
        """Note that something is handled now after which a key that quits may mean something else."""
        if not isinstance(event, Key):
            self._is_skipping = False
            self.presses.forget(event)
        if not (isinstance(event, Key) and event.key in self.presses.moves):
            self._would_quit, self._input_ms = False, self.timer_ms()

    def end_if_quit_waits(self) -> None:
        """End if a key that quits waits for too long, as a signal would; from the reading thread.

        Only where nothing can have changed what it means: no question is due, nothing but moves is before it.
        """
        press = self.presses.quit_behind_moves()
        if press is None or not self._would_quit or self._exit:
            return
        waited_ms = self.timer_ms() - press.at_ms
        if waited_ms >= QUIT_WAIT_MS:
            self._end_soon(waited_ms / 1000)

    async def _take(self, event: Key) -> None:
        """Handle one key to its end.

        A key that no widget keeps, such as backspace in a field, comes back to the app, which does what it is bound to.
        Textual puts it behind the keys that were typed meanwhile: a figure typed over would lose its last digits.
        """
        self._forwarded = event
        target = self.focused or self.screen
        await super().on_event(event)
        for pump in target.ancestors_with_self:
            if not event.is_forwarded or self._forwarded is not event or pump is self:
                break
            await self._wait_until_idle(pump)
        returned, self._forwarded = self._forwarded is None, None
        if returned:
            await super().on_event(event)

    def post_message(self, message: Message) -> bool:
        """Keep the key that comes back from a widget in front of all that was typed after it."""
        if message is self._forwarded and message.is_forwarded:
            self._forwarded = None
            return True
        return super().post_message(message)

    async def _wait_until_idle(self, pump: MessagePump) -> None:
        """Wait until a widget has handled its queued messages; a screen that opens has its focus by then."""
        done = asyncio.Event()
        if pump.call_later(done.set):
            # Bounded: a widget that is stuck must not take the keys along.
            with suppress(TimeoutError):
                await asyncio.wait_for(done.wait(), KEY_SETTLE_TIMEOUT_S)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Open no palette where it could not be read, nor be taken away with what it covers."""
        if action == "command_palette" and self._too_small is not None:
            return False
        return super().check_action(action, parameters)

    def frame(self) -> None:
        """Draw one frame: the top screen always, the desk below a modal less often."""
        self._frame_number += 1
        self._alert_notifier.frame()
        if not self.screen_stack:
            # The last tick of an app that is being taken down.
            return
        self._would_quit = (
            self._is_on_desk()
            and self.timer_ms() - self._input_ms >= SETTLED_MS
            and not self.session.store.working_orders()
        )
        if isinstance(self._driver, TerminalDriver) and self._driver.is_busy:
            # One more would come late, or be dropped. The store keeps what has changed for the next one.
            return
        dirty = self.session.store.take_changes()
        front = self.screen
        if front is not self.desk_screen and isinstance(front, SupportsFrame):
            front.frame(dirty)
        self._dirty_tickers |= dirty.tickers
        self._dirty_topics |= dirty.topics
        if front is not self.desk_screen and self._frame_number % BACKGROUND_FRAME_INTERVAL:
            return
        gathered = StoreChanges(frozenset(self._dirty_tickers), frozenset(self._dirty_topics))
        self._dirty_tickers, self._dirty_topics = set(), set()
        if gathered:
            self.desk_screen.frame(gathered)
        self.desk_screen.draw_status(self._message_rate(), self.clock_ms())
        for between in self.screen_stack[1:-1]:
            # A modal under another keeps a picture of what lies below it, and would show it for ever.
            between.refresh()

    def _message_rate(self) -> int:
        """Return the messages a second over the last two seconds."""
        now, frames = self.timer_ms(), self.session.store.frame_count
        seen = self._frame_counts
        seen.append((now, frames))
        while seen[0][0] < now - RATE_WINDOW_MS:
            seen.popleft()
        return (frames - seen[0][1]) * 1000 // max(now - seen[0][0], 1)

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        """Offer the commands of the current screen in the palette, from the command table."""
        if isinstance(screen, CommandScreen):
            for each in screen.palette_commands:
                command, why = each.command, each.why_not()
                key = f" Key: {command.first_key}" if command.keys else ""
                text = f"Not now: {why}" if why else f"{command.help}{key}"
                yield SystemCommand(command.label, text, partial(screen.run_first_available, [each]))

    def _handle_exception(self, error: Exception) -> None:
        """End because of a defect. Textual's own traceback would show all local variables, a private key among them."""
        cause = error.error if isinstance(error, WorkerFailed) else error
        _log.critical("The screen has ended by a defect.", exc_info=cause)
        self.fatal_error_type = self.fatal_error_type or type(cause).__name__
        super()._handle_exception(error)

    def _fatal_error(self) -> None:
        """End; the message is printed when the terminal is restored."""
        self._close_by_defect()

    def panic(self, *renderables: RenderableType) -> None:
        """End in the same way. Textual calls this for an exception in a thread of its own."""
        for stack in (stack for each in renderables if isinstance(each, Traceback) for stack in each.trace.stacks):
            places = "".join(f"\n{frame.filename}:{frame.lineno} in {frame.name}" for frame in stack.frames)
            _log.critical("The screen has ended by a defect.%s\n%s: %s", places, stack.exc_type, stack.exc_value)
            self.fatal_error_type = self.fatal_error_type or stack.exc_type
        self._return_code = 1
        self._close_by_defect()

    def _close_by_defect(self) -> None:
        self._deadline.start()
        self._close_messages_no_wait()

    async def action_quit(self) -> None:
        """Quit as the desk's own key does: ask if orders may be live."""
        if self._too_small is not None:
            self._too_small.quit()
        else:
            self.desk_screen.ask_to_quit()

    def action_refuse_to_suspend(self) -> None:
        """Tell why Ctrl+Z does nothing."""
        self.session.store.notify(
            Severity.INFO,
            "Not suspended: stopped, the desk would follow no order and renew no expiry. "
            f"To end it press {key_for('quit')}.",
        )

    def action_help_quit(self) -> None:
        """Show how to end the program: Ctrl+C is pressed by habit, and must not leave orders behind unasked."""
        self.session.store.notify(Severity.INFO, f"To end the program press {key_for('quit')}.")
