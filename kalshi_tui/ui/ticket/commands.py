"""The commands of an order being written or changed: ticket, review, change."""

from typing import Final

from kalshi_tui.ui.availability import (
    Entry,
    Stage,
    no_aim,
    no_change,
    no_send,
    no_turn,
    no_writing,
    not_at,
    only_in,
)
from kalshi_tui.ui.command import Command, Scope

_T, _R, _A = Scope.TICKET, Scope.REVIEW, Scope.AMEND
_PRICE, _COUNT = only_in(Entry.PRICE), only_in(Entry.COUNT)
_UP = "Raise the price by a tick, or the count by one."
_DOWN = "Lower the price by a tick, or the count by one."
AIMS: Final = (
    ("join", "j", "JOIN", "Join", "In the price: join the best on your own side."),
    (
        "improve",
        "i",
        "IMPROVE",
        "Improve",
        "In the price: a tick better than the best on your own side, never crossing.",
    ),
    ("take", "t", "TAKE", "Take", "In the price: take the best of the other side."),
    ("mid", "m", "MID", "Mid", "In the price: the middle, on the grid and on the side that waits."),
)
PRICE_LETTERS: Final = "".join(key for _, key, *_ in AIMS)
COUNT_LETTERS: Final = "pPmad"

TICKET_COMMANDS: Final = (
    Command(
        "review", "enter", "review", "Review", "Go on: to the field still empty, then to the review.", _T, None, True
    ),
    *(
        Command(each, key, "aim", label, sentence, _T, argument, in_bar=True, why_not=_PRICE)
        for each, key, argument, label, sentence in AIMS
    ),
    Command("preset", "p", "preset", "Preset", "In the count: the next preset.", _T, 1, in_bar=True, why_not=_COUNT),
    Command("preset-back", "P", "preset", "Preset before", "In the count: the preset before.", _T, -1, why_not=_COUNT),
    Command("most", "m", "most", "Most", "In the count: the most that cash pays for.", _T, in_bar=True, why_not=_COUNT),
    Command("all-held", "a", "all_held", "All", "In the count: all that is held.", _T, in_bar=True, why_not=_COUNT),
    Command(
        "dollars", "d", "dollars", "Dollars", "In the count: dollars or contracts.", _T, in_bar=True, why_not=_COUNT
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
    Command("next-field", "tab", "go_field", "Field", "Go to the next field.", _T, 1, True, False),
    Command("previous-field", "shift+tab", "go_field", "Field before", "Go to the field before.", _T, -1, False, False),
    Command("tick-up", "up", "step", "Up", _UP, _T, 1, True, False),
    Command("tick-down", "down", "step", "Down", _DOWN, _T, -1, True, False),
)

REVIEW_COMMANDS: Final = (
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
        "Back",
        "Back; nothing is sent.",
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
)

AMEND_COMMANDS: Final = (
    Command(
        "change",
        "enter",
        "send",
        "Change the order",
        "Change the order, once the key is armed.",
        _A,
        in_bar=True,
        in_palette=False,
        why_not=no_change,
    ),
    Command(
        "look-at-change",
        "enter",
        "look_over",
        "Review",
        "Go on: look the change over, then a further Enter makes it.",
        _A,
        in_bar=True,
        why_not=no_writing,
    ),
    Command(
        "close-changed",
        "enter",
        "close",
        "Close",
        "Close, once it is known what became of the change.",
        _A,
        in_bar=True,
        in_palette=False,
        why_not=not_at(Stage.DONE, "The exchange has not answered yet."),
    ),
    *(
        Command(f"amend-{each}", key, "aim", label, sentence, _A, argument, in_bar=True, why_not=no_aim)
        for each, key, argument, label, sentence in AIMS
    ),
    Command(
        "back-to-change",
        "escape",
        "back",
        "Back",
        "Back to the fields; nothing is changed.",
        _A,
        in_bar=True,
        in_palette=False,
        why_not=not_at(Stage.REVIEW, "There is nothing to go back to."),
    ),
    Command(
        "leave-change",
        "escape",
        "close",
        "Close",
        "Close; a change that was sent goes on.",
        _A,
        None,
        in_bar=True,
        why_not=lambda now: "Escape goes back to the fields first." if now.stage is Stage.REVIEW else "",
    ),
    Command(
        "amend-field", "tab,shift+tab", "go_field", "Field", "Go to the other field.", _A, None, True, False, no_writing
    ),
    Command("amend-up", "up", "step", "Up", _UP, _A, 1, True, False, no_writing),
    Command("amend-down", "down", "step", "Down", _DOWN, _A, -1, True, False, no_writing),
)

ORDER_COMMANDS: Final = (*TICKET_COMMANDS, *REVIEW_COMMANDS, *AMEND_COMMANDS)
