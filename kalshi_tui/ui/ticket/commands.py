"""The commands of an order being written or changed: ticket, review, change."""

from typing import Final

from kalshi_tui.ui.availability import (
    FocusedField,
    TicketStep,
    cannot_place_price,
    cannot_send,
    cannot_send_amendment,
    not_a_choice_field,
    not_editing,
    only_at_step,
    only_in_field,
)
from kalshi_tui.ui.command import Command, Scope

_T, _R, _A = Scope.TICKET, Scope.REVIEW, Scope.AMEND
_ONLY_IN_PRICE, _ONLY_IN_COUNT = only_in_field(FocusedField.PRICE), only_in_field(FocusedField.COUNT)
_STEP_UP_HELP = "Raise the price by a tick, or the count by one."
_STEP_DOWN_HELP = "Lower the price by a tick, or the count by one."
PRICE_PLACEMENTS: Final = (
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
PRICE_LETTERS: Final = "".join(key for _, key, *_ in PRICE_PLACEMENTS)
COUNT_LETTERS: Final = "pPmad"

TICKET_COMMANDS: Final = (
    Command(
        "review", "enter", "review", "Review", "Go on: to the field still empty, then to the review.", _T, None, True
    ),
    *(
        Command(each, key, "aim", label, sentence, _T, argument, in_bar=True, why_not=_ONLY_IN_PRICE)
        for each, key, argument, label, sentence in PRICE_PLACEMENTS
    ),
    Command(
        "preset", "p", "preset", "Preset", "In the count: the next preset.", _T, 1, in_bar=True, why_not=_ONLY_IN_COUNT
    ),
    Command(
        "preset-back",
        "P",
        "preset",
        "Preset before",
        "In the count: the preset before.",
        _T,
        -1,
        why_not=_ONLY_IN_COUNT,
    ),
    Command(
        "most",
        "m",
        "most",
        "Most",
        "In the count: the most that cash pays for.",
        _T,
        in_bar=True,
        why_not=_ONLY_IN_COUNT,
    ),
    Command(
        "all-held", "a", "all_held", "All", "In the count: all that is held.", _T, in_bar=True, why_not=_ONLY_IN_COUNT
    ),
    Command(
        "dollars",
        "d",
        "dollars",
        "Dollars",
        "In the count: dollars or contracts.",
        _T,
        in_bar=True,
        why_not=_ONLY_IN_COUNT,
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
        why_not=not_a_choice_field,
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
        why_not=not_a_choice_field,
    ),
    Command("close-ticket", "escape", "close", "Close", "Close the ticket; nothing is sent.", _T, None, True),
    Command("next-field", "tab", "go_field", "Field", "Go to the next field.", _T, 1, True, False),
    Command("previous-field", "shift+tab", "go_field", "Field before", "Go to the field before.", _T, -1, False, False),
    Command("tick-up", "up", "step", "Up", _STEP_UP_HELP, _T, 1, True, False),
    Command("tick-down", "down", "step", "Down", _STEP_DOWN_HELP, _T, -1, True, False),
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
        why_not=cannot_send,
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
        why_not=only_at_step(TicketStep.DONE, "The exchange has not answered yet."),
    ),
    Command(
        "leave-review",
        "escape",
        "close",
        "Back",
        "Back; nothing is sent.",
        _R,
        in_bar=True,
        why_not=only_at_step(TicketStep.REVIEW, "The order has been sent."),
    ),
    Command(
        "leave-sent",
        "escape",
        "close",
        "Close",
        "Close once sent; cancels nothing, and the log tells how it ended.",
        _R,
        in_bar=True,
        why_not=lambda now: "The order has not been sent." if now.step is TicketStep.REVIEW else "",
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
        why_not=cannot_send_amendment,
    ),
    Command(
        "look-at-change",
        "enter",
        "look_over",
        "Review",
        "Go on: look the change over, then a further Enter makes it.",
        _A,
        in_bar=True,
        why_not=not_editing,
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
        why_not=only_at_step(TicketStep.DONE, "The exchange has not answered yet."),
    ),
    *(
        Command(f"amend-{each}", key, "aim", label, sentence, _A, argument, in_bar=True, why_not=cannot_place_price)
        for each, key, argument, label, sentence in PRICE_PLACEMENTS
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
        why_not=only_at_step(TicketStep.REVIEW, "There is nothing to go back to."),
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
        why_not=lambda now: "Escape goes back to the fields first." if now.step is TicketStep.REVIEW else "",
    ),
    Command(
        "amend-field",
        "tab,shift+tab",
        "go_field",
        "Field",
        "Go to the other field.",
        _A,
        None,
        True,
        False,
        not_editing,
    ),
    Command("amend-up", "up", "step", "Up", _STEP_UP_HELP, _A, 1, True, False, not_editing),
    Command("amend-down", "down", "step", "Down", _STEP_DOWN_HELP, _A, -1, True, False, not_editing),
)

ORDER_COMMANDS: Final = (*TICKET_COMMANDS, *REVIEW_COMMANDS, *AMEND_COMMANDS)
