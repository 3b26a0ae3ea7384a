"""What all screens share: the color of the trading venue, commands from the one table, and keys that decide."""

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import ClassVar, TypeVar

from textual import on
from textual.events import Event, Resize
from textual.screen import ModalScreen, Screen
from textual.widgets import Input

from kalshi_tui.session.interface import TradingSession
from kalshi_tui.session.notices import Severity
from kalshi_tui.ui.command import BoundCommand, Scope, choose_command
from kalshi_tui.ui.command_table import (
    bind_commands,
    commands_in_scope,
    default_commands,
    is_text_key,
    make_bindings,
)
from kalshi_tui.ui.key_presses import (
    LATE_MS,
    MAX_WAITS,
    QUIET_S,
    Press,
    presses_of,
)
from kalshi_tui.ui.widgets.choice import Choice
from kalshi_tui.ui.widgets.field import Field
from kalshi_tui.ui.widgets.key_bar import KeyBar

Result = TypeVar("Result")


class CommandScreen(Screen[Result]):
    """A screen with the commands of its scope: a key runs one unless the command says why not."""

    SCOPE: ClassVar[Scope]

    def __init__(self, session: TradingSession) -> None:
        super().__init__()
        self.session = session
        self._apply_keymap()
        self.add_class(f"venue-{session.venue.value.lower()}")

    def _apply_keymap(self) -> None:
        """Bind the keys that are in force."""
        bound = self._bindings.key_to_bindings
        # The usual keys go even where the trader took others: Textual's own meaning of one must not come back.
        for each in make_bindings(default_commands(self.SCOPE)):
            bound.pop(each.key, None)
        for each in make_bindings(commands_in_scope(self.SCOPE)):
            bound[each.key] = [each, *bound.get(each.key, ())]

    @cached_property
    def bound_commands(self) -> dict[str, BoundCommand]:
        """The commands of this screen by id, in the table's order."""
        return {each.command.id: each for each in bind_commands(self.SCOPE, self.command_target)}

    @property
    def command_target(self) -> object:
        """What the commands act on: of the type that their table names."""
        return self

    @property
    def palette_commands(self) -> list[BoundCommand]:
        """The commands that the palette offers."""
        return [each for each in self.bound_commands.values() if each.command.in_palette]

    async def on_event(self, event: Event) -> None:
        """Lay out for the terminal's size of now, whatever size the event has.

        Textual lays out for each size event and posts another: two sizes in the queue at once would follow each other
        forever, and nothing else would be done or drawn.
        """
        if isinstance(event, Resize) and event.size != self.app.size:
            # Passed on: it may have replaced the event with the size of now.
            event = Resize(self.app.size, self.app.size)
        await super().on_event(event)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Leave to a field the keys that it takes; a field of a form may leave some letters to commands."""
        if action == "do":
            key = str(parameters[-1])
            if isinstance(self.focused, Field | Choice):
                return not self.focused.accepts_key(key)
            if isinstance(self.focused, Input):
                return not is_text_key(key)
        return super().check_action(action, parameters)

    def action_do(self, ids: str, key: str = "") -> None:
        """Do the first of these commands that works now, or say why none does; between the ids stand spaces."""
        del key
        self.run_first_available([self.bound_commands[each] for each in ids.split()])

    def run_first_available(self, commands: Sequence[BoundCommand]) -> None:
        """Do the first of these commands that works now, or say why none does."""
        command, why = choose_command(commands)
        if why:
            self.show_reason(why)
        else:
            self.do(command)

    def do(self, command: BoundCommand) -> None:
        """Run one command."""
        command.run()

    def show_reason(self, reason: str) -> None:
        """Show why a command does not work now."""
        self.session.store.notify(Severity.INFO, reason)

    @on(Field.Refused)
    def _field_refused(self, event: Field.Refused) -> None:
        event.stop()
        self.show_refused(event.sentence)

    def show_refused(self, sentence: str) -> None:
        """Show why a field did not take what was typed."""
        self.show_reason(sentence)

    # Deciding keys.

    def decide(self, act: Callable[[], object], ignore: Callable[[str], None]) -> None:
        """Act on a deciding key if it was pressed for this: neither held nor one of a queue. Otherwise say so.

        It waits until no other key has followed for a moment: of keys held back by a slow connection, or while the
        program was stopped, the first looks like a press of its own.
        """
        presses = presses_of(self.app).presses
        press = presses.latest
        if press is None and presses.is_unseen():
            ignore("Click ignored: the terminal has not shown this yet. Read it, then click again.")
        elif press is None:
            act()
        elif press.repeats:
            ignore(press.ignored)
        else:
            self._when_quiet(press, act, ignore, MAX_WAITS)

    def _when_quiet(self, press: Press, act: Callable[[], object], ignore: Callable[[str], None], waits: int) -> None:
        app = presses_of(self.app)
        presses, begun_ms = app.presses, app.timer_ms()
        presses.deciding += 1

        def waited() -> None:
            presses.deciding -= 1
            is_pending = presses.is_input_pending()
            if not self.is_current:
                sentence = f"Nothing done: the screen changed before {press.name} counted."
                self.session.store.notify(Severity.INFO, sentence)
            elif presses.follows(press):
                ignore(press.ignored)
            elif app.timer_ms() - begun_ms <= int(QUIET_S * 1000) + LATE_MS and not is_pending:
                act()
            elif waits:
                # The program stood still meanwhile, or there is unread input: a repeat may still be in it.
                self._when_quiet(press, act, ignore, waits - 1)
            else:
                ignore(f"{press.name} ignored: the program was too busy. Press {press.name} again.")

        # The application's own timer: it keeps its place among the keys, and outlives this screen.
        self.app.set_timer(QUIET_S, waited, name="quiet")

    @on(KeyBar.CommandClicked)
    def _bar_pressed(self, event: KeyBar.CommandClicked) -> None:
        event.stop()
        self.action_do(event.command.id)

    @on(Resize)
    def _update_key_bar_on_resize(self) -> None:
        self.call_after_refresh(self.update_key_bar)

    @property
    def is_typing(self) -> bool:
        """Whether letters are text now, so that the key bar offers none of them."""
        return False

    def update_key_bar(self) -> None:
        """Show the keys that work now; costs nothing while they are the same."""
        for bar in self.query(KeyBar):
            bar.show_keys(self.bound_commands.values(), typing=self.is_typing)


class CommandModal(CommandScreen[Result], ModalScreen[Result]):
    """The same over another screen."""
