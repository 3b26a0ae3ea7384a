"""The commands of every screen with the keys in force, and the key bindings made from them.

``ui/commands.py`` fills the table. It is apart from that module because the screens read it: they could not import a
registry that imports them.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Final, Never

from textual.binding import Binding

from kalshi_tui.ui.command import CHARACTERS_BY_KEY, AnyCommand, BoundCommand, CommandGroup, Scope
from kalshi_tui.ui.desk_keys import DESK_KEYS
from kalshi_tui.ui.key_labels import set_key_labels
from kalshi_tui.ui.keymap import remap_keys

TEXT_FIELD_KEYS: Final = frozenset({"space", "slash", "question_mark", "left", "right", "home", "end"})
"""Keys with names that belong to a text field while one is being typed into."""

MOVES: Final = frozenset({
    "down",
    "up",
    "page-down",
    "page-up",
    "first",
    "last",
    "bids",
    "asks",
    "earlier",
    "later",
    "pane",
    "pane-back",
    "centre",
    "orders",
    "positions",
    "fills",
    "tape",
    "chart",
    "settlements",
    "alerts",
    "period",
    "line",
    "clear-filter",
    "back",
})  # fmt: skip
"""The commands that only move among what is shown: none opens anything, and nothing of them outlives the desk."""
TEXTUAL_QUIT_KEY: Final = "ctrl+q"


class _CommandTable:
    """The commands of each screen: one program has one trader, so there is one table."""

    def __init__(self) -> None:
        self.default: dict[Scope, CommandGroup[Never]] = {}
        self.active: dict[Scope, CommandGroup[Never]] = {}

    def activate(self, groups: Mapping[Scope, CommandGroup[Never]]) -> None:
        """Put these in force."""
        self.active = dict(groups)
        set_key_labels({
            each.id: each.first_key if each.keys else f"the command {each.label}"
            for group in groups.values()
            for each in group.commands
        })  # fmt: skip


_table = _CommandTable()


def register_commands(groups: Iterable[CommandGroup[Never]]) -> None:
    """Set the commands of all screens, with their usual keys."""
    _table.default = {each.scope: each for each in groups}
    _table.activate(_table.default)


def apply_keymap(keys: Mapping[str, Sequence[str]]) -> None:
    """Let these keys count from now on, by command id, beside the usual ones. Raises InvalidKeymapError.

    Only the desk's keys may be changed. Forms, reviews and questions decide about money: their keys are the same
    everywhere.
    """
    remapped, desk = remap_keys(DESK_KEYS, keys), _table.default[Scope.DESK]
    commands = tuple(replace(each, keys=remapped[each.id]) for each in desk.commands)
    _table.activate(_table.default | {Scope.DESK: replace(desk, commands=commands)})


def commands_in_scope(scope: Scope) -> list[AnyCommand]:
    """Return the commands of one screen with the keys in force, in the table's order."""
    return list(_table.active[scope].commands)


def default_commands(scope: Scope) -> list[AnyCommand]:
    """Return the commands of one screen with their usual keys."""
    return list(_table.default[scope].commands)


def bind_commands(scope: Scope, target: object) -> list[BoundCommand]:
    """Return the commands of one screen ready to run on ``target``. Raises TypeError for one of another type."""
    return _table.active[scope].bind(target)


def keys_of_moves() -> frozenset[str]:
    """Return the keys of the desk that do nothing but move among what is shown."""
    return _desk_keys(MOVES) - _desk_keys(frozenset(DESK_KEYS) - MOVES)


def keys_that_quit() -> frozenset[str]:
    """Return the keys of the desk that end the program."""
    return _desk_keys(frozenset({"quit"})) | {TEXTUAL_QUIT_KEY}


def _desk_keys(ids: frozenset[str]) -> frozenset[str]:
    return frozenset(name for each in commands_in_scope(Scope.DESK) if each.id in ids for name in each.key_names)


def make_bindings(commands: Sequence[AnyCommand]) -> list[Binding]:
    """Return a binding for each key: it does the first of its commands that works now, or says why none does."""
    by_key: dict[str, list[AnyCommand]] = {}
    for command in commands:
        for each in command.key_names:
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
