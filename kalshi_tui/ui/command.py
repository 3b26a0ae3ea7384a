"""What a command of the trader's is: one definition for key, key bar, palette, help and what it does."""

import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import KW_ONLY, dataclass
from enum import Enum
from functools import partial
from typing import Final, Generic, Never, TypeAlias, TypeVar

from textual.keys import KEY_NAME_REPLACEMENTS

from kalshi_tui.ui.desk_keys import DESK_KEYS

Target_contra = TypeVar("Target_contra", contravariant=True)
"""What a command acts on: a screen, or a controller of the desk."""
Part = TypeVar("Part")
Owner = TypeVar("Owner")


class Scope(Enum):
    """The screen on which a command works. The values head its part of the help."""

    DESK = "On the desk"
    TICKET = "In the order ticket"
    REVIEW = "In the review of an order"
    WORD = "At a word to be typed"
    AMEND = "In the change of an order"
    WELCOME = "At the welcome of the first start"
    FIND = "Going to a market"
    NAME = "At a name to be typed"
    REHEARSE = "By ^p on the desk, in practice: trouble to rehearse"
    ALERT = "Where an alert is written"
    ASK = "At a question"
    HELP = "Where a text is read, as here"
    TOO_SMALL = "On a terminal that is too small"


def always_available(_: object) -> str:
    """Let a command work at any time."""
    return ""


@dataclass(frozen=True, slots=True)
class Command(Generic[Target_contra]):
    """One thing that the trader can do."""

    id: str
    keys: str
    """Textual's key names, with commas between; the first is the one shown. Empty: by the palette alone."""
    run: Callable[[Target_contra], None]
    label: str
    """The word or two of key bar and palette."""
    help: str
    """The sentence of palette and help."""
    scope: Scope = Scope.DESK
    _: KW_ONLY
    in_bar: bool = False
    """Whether the key bar shows it while it works."""
    in_palette: bool = True
    why_not: Callable[[Target_contra], str] = always_available
    """Return in a sentence why it does not work now; empty if it does."""

    @property
    def first_key(self) -> str:
        """The key as a person reads it."""
        return key_label(self.keys.split(",")[0])

    @property
    def all_keys(self) -> str:
        """All its keys as a person reads them."""
        return " ".join(key_label(name) for name in self.keys.split(","))

    @property
    def key_names(self) -> list[str]:
        """Textual's names of its keys; none for a command of the palette alone."""
        return split_keys(self.keys)


def desk_command(
    command_id: str,
    run: Callable[[Target_contra], None],
    label: str,
    help_sentence: str,
    *,
    in_bar: bool = False,
    in_palette: bool = True,
    why_not: Callable[[Target_contra], str] = always_available,
) -> Command[Target_contra]:
    """Return a command of the desk; its usual keys stand in `DESK_KEYS`, where the settings are checked by them."""
    return Command(
        command_id,
        DESK_KEYS[command_id],
        run,
        label,
        help_sentence,
        in_bar=in_bar,
        in_palette=in_palette,
        why_not=why_not,
    )


AnyCommand: TypeAlias = Command[Never]
"""A command whose target is not known: it can be shown, not run."""


@dataclass(frozen=True, slots=True)
class BoundCommand:
    """A command together with what it acts on: it can be run."""

    command: AnyCommand
    run: Callable[[], None]
    why_not: Callable[[], str]


@dataclass(frozen=True, slots=True)
class CommandGroup(Generic[Target_contra]):
    """All commands of one screen, and the type of what they act on."""

    scope: Scope
    target: type[Target_contra]
    commands: tuple[Command[Target_contra], ...]

    def bind(self, target: object) -> list[BoundCommand]:
        """Return the commands ready to run on ``target``. Raises TypeError if it is of another type."""
        if not isinstance(target, self.target):
            raise TypeError(f"{self.scope.name}: {type(target).__name__} is not {self.target.__name__}.")
        return [BoundCommand(each, partial(each.run, target), partial(each.why_not, target)) for each in self.commands]


def for_part(part_of: Callable[[Owner], Part], commands: Iterable[Command[Part]]) -> tuple[Command[Owner], ...]:
    """Return the commands of a part, such as a controller, as commands of the whole that has it."""
    return tuple(_for_part(part_of, each) for each in commands)


def _for_part(part_of: Callable[[Owner], Part], command: Command[Part]) -> Command[Owner]:
    return Command(
        command.id,
        command.keys,
        lambda owner: command.run(part_of(owner)),
        command.label,
        command.help,
        command.scope,
        in_bar=command.in_bar,
        in_palette=command.in_palette,
        why_not=lambda owner: command.why_not(part_of(owner)),
    )


def choose_command(commands: Iterable[BoundCommand]) -> tuple[BoundCommand, str]:
    """Return the first command that works now; if none does, the first of them and the sentence why not."""
    first: tuple[BoundCommand, str] | None = None
    for each in commands:
        why = each.why_not()
        if not why:
            return each, ""
        first = first or (each, why)
    if first is None:
        raise ValueError("There is no command to choose from.")
    return first


def key_for_character(character: str) -> str:
    """Return Textual's name of the key that types a character."""
    if character.isalnum():
        return character
    name = unicodedata.name(character).lower().replace("-", "_").replace(" ", "_")
    return KEY_NAME_REPLACEMENTS.get(name, name)


CHARACTERS_BY_KEY: Final = {key_for_character(chr(code)): chr(code) for code in range(33, 127)}
"""What keys with long names type."""
KEY_LABELS: Final = {
    "enter": "enter",
    "escape": "esc",
    "down": "↓",
    "up": "↑",
    "pagedown": "pgdn",
    "pageup": "pgup",
}


def split_keys(keys: str) -> list[str]:
    """Return Textual's names of a command's keys."""
    return [name for name in keys.split(",") if name]


def key_label(name: str) -> str:
    """Write the name of a key as a person reads it."""
    *modifiers, last = name.split("+")
    shown = KEY_LABELS.get(last) or CHARACTERS_BY_KEY.get(last, last)
    return "".join("^" if each == "ctrl" else f"{each}+" for each in modifiers) + shown
