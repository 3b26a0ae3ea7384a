"""Every command of the trader's, each once. Key bindings, key bar, palette and help are all made from this table."""

from collections.abc import Sequence
from typing import Final

from textual.binding import Binding, BindingType

from kalshi_tui.session.rehearsal import REHEARSALS
from kalshi_tui.ui.command import Command, Scope
from kalshi_tui.ui.desk_commands import DESK_COMMANDS
from kalshi_tui.ui.order_commands import ORDER_COMMANDS
from kalshi_tui.ui.situation import Situation, always, no_market

TEXT_KEYS: Final = frozenset({"space", "slash", "question_mark", "left", "right", "home", "end"})
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
        why_not=lambda now: "" if now.asked else "Nothing was asked.",
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
            why_not=no_market if each.of_market else always,
        )
        for each in REHEARSALS
    ),
)
BY_ID: Final = {command.id: command for command in COMMANDS}


def of_scope(scope: Scope) -> list[Command]:
    """Give the commands of one screen, in the table's order."""
    return [command for command in COMMANDS if command.scope is scope]


def bindings(scope: Scope) -> list[BindingType]:
    """Give the bindings of one screen: a key does the first of its commands that works now, or says why none does."""
    by_key: dict[str, list[str]] = {}
    for command in of_scope(scope):
        for key in filter(None, command.keys.split(",")):
            by_key.setdefault(key, []).append(command.id)
    return [
        Binding(
            key,
            f"do({' '.join(ids)!r}, {key!r})",
            BY_ID[ids[0]].label,
            show=False,
            tooltip=BY_ID[ids[0]].help,
            id=f"{scope.name.lower()}.{key}",
            # Ahead of the fields' own keys: Enter and the arrows mean one thing all over a form.
            priority=True,
        )
        for key, ids in by_key.items()
    ]


def is_typed(key: str) -> bool:
    """Say whether a text field that has the focus takes this key: what it writes, and what moves in its text."""
    return len(key) == 1 or key in TEXT_KEYS


def choose(ids: Sequence[str], now: Situation) -> tuple[Command, str]:
    """Give the first command that works now; if none does, the first of them and the sentence why not."""
    for each in ids:
        if not (why := BY_ID[each].why_not(now)):
            return BY_ID[each], why
    return BY_ID[ids[0]], BY_ID[ids[0]].why_not(now)


__all__ = ["BY_ID", "COMMANDS", "Command", "Scope", "bindings", "choose", "is_typed", "of_scope"]
