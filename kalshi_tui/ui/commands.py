"""Every command of the trader's, each once. Key bindings, key bar, palette and help are all made from this table."""

from collections.abc import Mapping, Sequence
from typing import Final

from textual.binding import Binding, BindingType

from kalshi_tui.session.practice_faults import PRACTICE_FAULTS
from kalshi_tui.ui.availability import CommandContext, always_available, no_market_selected
from kalshi_tui.ui.command import CHARACTERS_BY_KEY, Command, Scope
from kalshi_tui.ui.desk.commands import DESK_COMMANDS
from kalshi_tui.ui.keymap import remap_keys
from kalshi_tui.ui.keys import set_key_labels
from kalshi_tui.ui.ticket.commands import ORDER_COMMANDS

TEXT_FIELD_KEYS: Final = frozenset({"space", "slash", "question_mark", "left", "right", "home", "end"})
"""Keys with names that belong to a text field while one is being typed into."""

COMMANDS: Final = (
    *DESK_COMMANDS,
    *ORDER_COMMANDS,
    Command("yes", "y", "answer", "Yes", "Yes. Enter is no answer: a held key must not decide.", Scope.ASK, 1, True),
    Command("no", "n,escape", "answer", "No", "No: go back.", Scope.ASK, 0, True),
    Command(
        "confirm-word", "enter", "confirm", "Go on", "Go on, once the word is typed.", Scope.WORD, None, True, False
    ),
    Command("leave-word", "escape", "leave", "Back", "Go back; nothing is sent.", Scope.WORD, None, True, False),
    Command("trade", "b", "trade", "Buy one", "Open a ticket to buy one contract.", Scope.WELCOME, None, True),
    Command("look", "enter,escape", "look", "Look around", "Go to the desk.", Scope.WELCOME, None, True),
    Command("take-name", "enter", "take", "Take it", "Take what is typed.", Scope.NAME, None, True, False),
    Command("leave-name", "escape", "leave", "Back", "Go back; nothing changes.", Scope.NAME, None, True, False),
    Command("into", "enter", "into", "Go", "Go to the market, or into the series or event.", Scope.FIND, None, True),
    Command("out", "escape", "out", "Back", "Clear the words; go a level up; close.", Scope.FIND, None, True, False),
    Command("next-found", "down", "choose", "Down", "Choose the next line.", Scope.FIND, 1, True, False),
    Command("last-found", "up", "choose", "Up", "Choose the line before.", Scope.FIND, -1, True, False),
    Command("page-found", "pagedown", "choose", "Page down", "Go ten lines down.", Scope.FIND, 10, False, False),
    Command("page-back-found", "pageup", "choose", "Page up", "Go ten lines up.", Scope.FIND, -10, False, False),
    Command(
        "keep-alert", "enter", "keep", "Keep", "Keep the alert, once it makes sense.", Scope.ALERT, None, True, False
    ),
    Command("leave-alert", "escape", "leave", "Back", "Go back; no alert is made.", Scope.ALERT, None, True, False),
    Command("scroll-down", "j,down", "scroll", "Down", "Scroll down.", Scope.HELP, 1, True, False),
    Command("scroll-up", "k,up", "scroll", "Up", "Scroll up.", Scope.HELP, -1, True, False),
    Command(
        "scroll-page", "space,pagedown", "scroll", "Page down", "Scroll a page down.", Scope.HELP, 15, False, False
    ),
    Command("scroll-back", "pageup", "scroll", "Page up", "Scroll a page up.", Scope.HELP, -15, False, False),
    Command("close-help", "escape,q,question_mark", "close", "Close", "Close the text.", Scope.HELP, None, True, False),
    Command("small-quit", "q", "leave", "Quit", "End the program; asks if orders may be live.", Scope.TOO_SMALL),
    Command(
        "small-yes",
        "y",
        "yes",
        "Yes",
        "Quit though orders may be live.",
        Scope.TOO_SMALL,
        why_not=lambda now: "" if now.question_shown else "Nothing was asked.",
    ),
    *(
        Command(
            f"rehearse-{each.id}",
            "",
            "rehearse",
            f"Rehearse: {each.label}",
            each.help,
            Scope.REHEARSE,
            each.id,
            why_not=no_market_selected if each.needs_market else always_available,
        )
        for each in PRACTICE_FAULTS
    ),
)


class _CommandTable:
    """The commands with the keys that are in force: one program has one trader."""

    def __init__(self) -> None:
        self.set_commands(COMMANDS)

    def set_commands(self, commands: Sequence[Command]) -> None:
        """Put these in force."""
        self.by_id = {command.id: command for command in commands}
        set_key_labels({each.id: each.first_key if each.keys else f"the command {each.label}" for each in commands})
        self.by_scope = {scope: [each for each in commands if each.scope is scope] for scope in Scope}


_active_commands = _CommandTable()


def apply_keymap(keys: Mapping[str, Sequence[str]]) -> None:
    """Let these keys count from now on, by command id, beside the usual ones. Raises KeysRefusedError."""
    _active_commands.set_commands(remap_keys(COMMANDS, keys))


def commands_in_scope(scope: Scope) -> list[Command]:
    """Return the commands of one screen, in the table's order."""
    return list(_active_commands.by_scope[scope])


def bindings(scope: Scope) -> list[BindingType]:
    """Return the bindings of one screen: a key does the first of its commands that works now, or says why none does."""
    return [*make_bindings(commands_in_scope(scope))]


def make_bindings(commands: Sequence[Command]) -> list[Binding]:
    """Make the bindings of commands."""
    by_key: dict[str, list[Command]] = {}
    for command in commands:
        for each in filter(None, command.keys.split(",")):
            by_key.setdefault(each, []).append(command)
    return [
        Binding(
            each,
            f"do({' '.join(command.id for command in sharing)!r}, {each!r})",
            sharing[0].label,
            show=False,
            tooltip=sharing[0].help,
            id=f"{sharing[0].scope.name.lower()}.{each}",
            # Ahead of the fields' own keys: Enter and the arrows mean one thing all over a form.
            priority=True,
        )
        for each, sharing in by_key.items()
    ]


def is_text_key(key: str) -> bool:
    """Return whether a text field that has the focus takes this key: what it writes, and what moves in its text."""
    return len(key) == 1 or key in TEXT_FIELD_KEYS or key in CHARACTERS_BY_KEY


def choose_command(ids: Sequence[str], context: CommandContext) -> tuple[Command, str]:
    """Return the first command that works now; if none does, the first of them and the sentence why not."""
    for each in ids:
        if not (why := _active_commands.by_id[each].why_not(context)):
            return _active_commands.by_id[each], why
    first = _active_commands.by_id[ids[0]]
    return first, first.why_not(context)


__all__ = [
    "COMMANDS",
    "Command",
    "Scope",
    "apply_keymap",
    "bindings",
    "choose_command",
    "commands_in_scope",
    "is_text_key",
]
