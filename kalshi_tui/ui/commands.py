"""Every command of the trader's, each once. Key bindings, key bar, palette and help are all made from this table."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final

from textual.binding import Binding, BindingType

from kalshi_tui.session.rehearsal import REHEARSALS
from kalshi_tui.ui.situation import (
    Situation,
    Stage,
    always,
    no_cancel,
    no_keep,
    no_market,
    no_open,
    no_send,
    no_trade,
    no_turn,
    not_at,
)


class Scope(Enum):
    """The screen on which a command works. The values head its part of the help."""

    DESK = "On the desk"
    TICKET = "In the order ticket"
    REVIEW = "In the review of an order"
    REHEARSE = "By ^p on the desk, in practice: trouble to rehearse"
    ASK = "At a question"
    HELP = "In this help"
    TOO_SMALL = "On a terminal that is too small"


@dataclass(frozen=True, slots=True)
class Command:
    """One thing that the trader can do: ``method`` with ``do_`` before it is the method of the screen."""

    id: str
    keys: str
    """Textual's key names, with commas between; the first is the one shown. Empty: by the palette alone."""
    method: str
    label: str
    """The word or two of key bar and palette."""
    help: str
    """The sentence of palette and help."""
    scope: Scope = Scope.DESK
    argument: int | str | None = None
    in_bar: bool = False
    """Whether the key bar shows it while it works."""
    in_palette: bool = True
    why_not: Callable[[Situation], str] = always
    """Say in a sentence why it does not work now; empty if it does."""

    @property
    def first_key(self) -> str:
        """The key as a person reads it."""
        name = self.keys.split(",")[0]
        return KEY_NAMES.get(name, name.replace("ctrl+", "^"))

    @property
    def all_keys(self) -> str:
        """All its keys as a person reads them."""
        return " ".join(KEY_NAMES.get(name, name.replace("ctrl+", "^")) for name in self.keys.split(","))


KEY_NAMES: Final = {
    "slash": "/",
    "question_mark": "?",
    "enter": "enter",
    "escape": "esc",
    "down": "↓",
    "up": "↑",
    "pagedown": "pgdn",
    "pageup": "pgup",
}

TEXT_KEYS: Final = frozenset({"space", "slash", "question_mark", "left", "right", "home", "end"})
"""Keys with names that belong to a text field while one is being typed into."""

_D, _T, _R = Scope.DESK, Scope.TICKET, Scope.REVIEW
FAR: Final = 1_000_000
"""More lines than any list has."""

COMMANDS: Final = (
    Command("buy", "b", "buy", "Buy", "Buy in the chosen market: opens the ticket.", in_bar=True, why_not=no_trade),
    Command("sell", "s", "sell", "Sell", "Sell in the chosen market: opens the ticket.", in_bar=True, why_not=no_trade),
    Command("cancel", "x", "cancel", "Cancel", "Cancel the chosen order; asks first.", in_bar=True, why_not=no_cancel),
    Command("filter", "slash", "filter", "Find", "Show only markets with these words in name or ticker.", in_bar=True),
    Command("pane", "tab", "other_list", "Other list", "Go to the other list: markets above, the rest below."),
    Command("pane-back", "shift+tab", "other_list", "Back to the list before", "Go back to the other list."),
    Command("orders", "1", "show", "Orders", "Show the orders below.", argument="ORDERS"),
    Command("positions", "2", "show", "Positions", "Show the positions below.", argument="POSITIONS"),
    Command("fills", "3", "show", "Fills", "Show the executions of your orders below.", argument="FILLS"),
    Command("tape", "4", "show", "Tape", "Show the trades of the chosen market below.", argument="TAPE"),
    Command("log", "5", "show", "Log", "Show what has happened below, newest first.", argument="LOG"),
    Command(
        "audit",
        "a",
        "audit",
        "Audit",
        "Compare the book with a fresh one of the exchange's; the log tells.",
        why_not=no_market,
    ),
    Command("link", "i", "link", "Link", "Say how the connection does: ages, lag, clock, gaps."),
    Command("down", "j,down", "move", "Down", "Go one line down.", argument=1, in_palette=False),
    Command("up", "k,up", "move", "Up", "Go one line up.", argument=-1, in_palette=False),
    Command("page-down", "pagedown", "move", "Page down", "Go ten lines down.", argument=10, in_palette=False),
    Command("page-up", "pageup", "move", "Page up", "Go ten lines up.", argument=-10, in_palette=False),
    Command("first", "g,home", "move", "First line", "Go to the first line.", argument=-FAR),
    Command("last", "G,end", "move", "Last line", "Go to the last line.", argument=FAR),
    Command("open", "enter", "open", "Market", "Go to the market of this line.", in_bar=True, why_not=no_open),
    Command(
        "keep-filter",
        "enter",
        "keep_filter",
        "Keep",
        "Leave the filter as typed and go to the list.",
        in_bar=True,
        in_palette=False,
        why_not=no_keep,
    ),
    Command(
        "clear-filter",
        "escape",
        "back",
        "Clear",
        "Clear the filter and go back to the list.",
        in_bar=True,
        in_palette=False,
        why_not=no_keep,
    ),
    Command("back", "escape", "back", "Back", "Leave the filter, then the list below.", in_palette=False),
    Command(
        "palette",
        "ctrl+p",
        "palette",
        "Commands",
        "Find any command by its name; in the ticket too.",
        in_bar=True,
        in_palette=False,
    ),
    Command("help", "question_mark", "help", "Help", "Show all keys.", in_bar=True),
    Command("quit", "q", "leave", "Quit", "End the program; asks if orders may be live.", in_bar=True),
    Command(
        "review", "enter", "review", "Review", "Go on: to the field still empty, then to the review.", _T, None, True
    ),
    Command("next-field", "tab", "go_field", "Next field", "Go to the next field.", _T, 1, True, False),
    Command("previous-field", "shift+tab", "go_field", "Field before", "Go to the field before.", _T, -1, False, False),
    Command("tick-up", "up", "step", "Up", "Raise the price by a tick, or the count by one.", _T, 1, True, False),
    Command(
        "tick-down", "down", "step", "Down", "Lower the price by a tick, or the count by one.", _T, -1, True, False
    ),
    Command(
        "next-choice",
        "right,space",
        "turn",
        "Change",
        "Take the next of the field's words.",
        _T,
        1,
        in_bar=True,
        in_palette=False,
        why_not=no_turn,
    ),
    Command(
        "previous-choice",
        "left",
        "turn",
        "Change back",
        "Take the word before.",
        _T,
        -1,
        in_palette=False,
        why_not=no_turn,
    ),
    Command("close-ticket", "escape", "close", "Close", "Close the ticket; nothing is sent.", _T, None, True),
    Command(
        "send",
        "enter",
        "send",
        "Send",
        "Send the order, once the key is armed.",
        _R,
        in_bar=True,
        in_palette=False,
        why_not=no_send,
    ),
    Command(
        "close-result",
        "enter",
        "close",
        "Close",
        "Close, once it is known what became of the order.",
        _R,
        in_bar=True,
        in_palette=False,
        why_not=not_at(Stage.DONE, "The exchange has not answered yet."),
    ),
    Command(
        "leave-review",
        "escape",
        "close",
        "Back to the ticket",
        "Back to the ticket; nothing is sent.",
        _R,
        in_bar=True,
        why_not=not_at(Stage.REVIEW, "The order has been sent."),
    ),
    Command(
        "leave-sent",
        "escape",
        "close",
        "Close",
        "Close once sent; cancels nothing, and the log tells how it ended.",
        _R,
        in_bar=True,
        why_not=lambda now: "The order has not been sent." if now.stage is Stage.REVIEW else "",
    ),
    Command("yes", "y", "answer", "Yes", "Yes. Enter is no answer: a held key must not decide.", Scope.ASK, 1, True),
    Command("no", "n,escape", "answer", "No", "No: go back.", Scope.ASK, 0, True),
    Command("scroll-down", "j,down", "scroll", "Down", "Scroll down.", Scope.HELP, 1, True, False),
    Command("scroll-up", "k,up", "scroll", "Up", "Scroll up.", Scope.HELP, -1, True, False),
    Command(
        "scroll-page", "space,pagedown", "scroll", "Page down", "Scroll a page down.", Scope.HELP, 15, False, False
    ),
    Command("scroll-back", "pageup", "scroll", "Page up", "Scroll a page up.", Scope.HELP, -15, False, False),
    Command("close-help", "escape,q,question_mark", "close", "Close", "Close the help.", Scope.HELP, None, True, False),
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
