"""The commands of an order being written or changed: ticket, review, change."""

from collections.abc import Callable
from typing import Final, Protocol

from kalshi_tui.ui.command import Command, CommandGroup, Scope
from kalshi_tui.ui.ticket.amend import AmendScreen
from kalshi_tui.ui.ticket.cancel_own import NONE_IN_THE_WAY
from kalshi_tui.ui.ticket.confirm import ConfirmScreen, TicketStep
from kalshi_tui.ui.ticket.field_letters import PRICE_LETTER_COMMANDS, FocusedField, PriceLetter
from kalshi_tui.ui.ticket.review import ReviewScreen
from kalshi_tui.ui.ticket.screen import TicketScreen

_T, _R, _A = Scope.TICKET, Scope.REVIEW, Scope.AMEND
_STEP_UP_HELP = "Raise the price by a tick, or the count by one."
_STEP_DOWN_HELP = "Lower the price by a tick, or the count by one."


class FormScreen(Protocol):
    """A screen with fields in which letters are commands."""

    @property
    def focused_field(self) -> FocusedField:
        """The field that has the focus."""


def only_in_field(field: FocusedField) -> Callable[[FormScreen], str]:
    """Let a command work in one field of a form alone."""
    return lambda form: "" if form.focused_field is field else f"This key works in the field of the {field.value}."


def only_at_step(step: TicketStep, why: str) -> Callable[[ConfirmScreen], str]:
    """Let a command work at one step of a review alone."""
    return lambda screen: "" if screen.ticket_step is step else why


def not_a_choice_field(ticket: TicketScreen) -> str:
    """Return why nothing can be chosen: the field has no words to choose from; empty if it has."""
    return "" if ticket.on_choice else "This field is typed."


def no_cash_to_move(ticket: TicketScreen) -> str:
    """Return why no cash can be moved for the order; empty if it can."""
    if ticket.session.read_only_reason:
        return ticket.session.read_only_reason
    if ticket.session.cash_move_text:
        return ticket.session.cash_move_text
    return "" if ticket.find_cash_moves() else ticket.why_no_cash_moves()


def no_own_in_the_way(screen: TicketScreen | ReviewScreen) -> str:
    """Return why no own order can be canceled for the order; empty if one can."""
    if screen.session.read_only_reason:
        return screen.session.read_only_reason
    return "" if screen.own_in_the_way() else NONE_IN_THE_WAY


def cannot_send(screen: ConfirmScreen) -> str:
    """Return why Enter does not send."""
    if screen.ticket_step is not TicketStep.REVIEW:
        return "The order has been sent; it is never sent twice."
    return screen.blocked_reason() or ("" if screen.armed else "The key is not armed yet: leave it for a moment.")


def cannot_send_amendment(screen: AmendScreen) -> str:
    """Return why Enter does not change the order."""
    if screen.ticket_step is TicketStep.EDITING:
        return "The change is to be looked at first."
    return cannot_send(screen)


def not_editing(screen: AmendScreen) -> str:
    """Return why the fields cannot be edited now; empty if they can."""
    if screen.ticket_step is TicketStep.EDITING:
        return ""
    return "The change is under review: escape goes back to its fields."


def cannot_place_price(screen: AmendScreen) -> str:
    """Return why a change's price cannot be taken from the book by a key."""
    return not_editing(screen) or _only_in_price(screen)


def cannot_step(screen: AmendScreen) -> str:
    """Return why neither price nor count can be stepped; empty if one can."""
    in_number = screen.focused_field in {FocusedField.PRICE, FocusedField.COUNT}
    return not_editing(screen) or ("" if in_number else "A time is typed: 15:30, +10m, 90s, or never.")


_only_in_price: Final = only_in_field(FocusedField.PRICE)
_only_in_count: Final = only_in_field(FocusedField.COUNT)


def _ticket_price_command(key: PriceLetter) -> Command[TicketScreen]:
    return Command(
        key.id,
        key.letter,
        lambda ticket: ticket.place_price(key.placement),
        key.label,
        key.help,
        _T,
        in_bar=True,
        why_not=_only_in_price,
    )


def _amend_price_command(key: PriceLetter) -> Command[AmendScreen]:
    return Command(
        f"amend-{key.id}",
        key.letter,
        lambda screen: screen.place_price(key.placement),
        key.label,
        key.help,
        _A,
        in_bar=True,
        why_not=cannot_place_price,
    )


TICKET_COMMANDS: Final[tuple[Command[TicketScreen], ...]] = (
    Command(
        "review",
        "enter",
        TicketScreen.review,
        "Review",
        "Go on: to the field still empty, then to the review.",
        _T,
        in_bar=True,
    ),
    Command(
        "move-cash",
        "ctrl+b",
        TicketScreen.move_cash,
        "Move cash",
        "Move missing cash to this market's buying power.",
        _T,
        in_bar=True,
        why_not=no_cash_to_move,
    ),
    Command(
        "cancel-own",
        "ctrl+o",
        TicketScreen.cancel_own,
        "Cancel own",
        "Cancel your own orders in the way of this one, after a question.",
        _T,
        in_bar=True,
        why_not=no_own_in_the_way,
    ),
    *(_ticket_price_command(each) for each in PRICE_LETTER_COMMANDS),
    Command(
        "preset",
        "p",
        lambda ticket: ticket.change_preset(1),
        "Preset",
        "In the count: the next preset.",
        _T,
        in_bar=True,
        why_not=_only_in_count,
    ),
    Command(
        "preset-back",
        "P",
        lambda ticket: ticket.change_preset(-1),
        "Preset before",
        "In the count: the preset before.",
        _T,
        why_not=_only_in_count,
    ),
    Command(
        "most",
        "m",
        TicketScreen.set_max_count,
        "Most",
        "In the count: the most that cash pays for.",
        _T,
        in_bar=True,
        why_not=_only_in_count,
    ),
    Command(
        "all-held",
        "a",
        TicketScreen.set_held_count,
        "All",
        "In the count: all that is held.",
        _T,
        in_bar=True,
        why_not=_only_in_count,
    ),
    Command(
        "dollars",
        "d",
        TicketScreen.toggle_dollars,
        "Dollars",
        "In the count: dollars or contracts.",
        _T,
        in_bar=True,
        why_not=_only_in_count,
    ),
    Command(
        "next-choice",
        "right,space",
        lambda ticket: ticket.change_choice(1),
        "Change",
        "Take the next of the field's words.",
        _T,
        in_bar=True,
        in_palette=False,
        why_not=not_a_choice_field,
    ),
    Command(
        "previous-choice",
        "left",
        lambda ticket: ticket.change_choice(-1),
        "Change back",
        "Take the word before.",
        _T,
        in_palette=False,
        why_not=not_a_choice_field,
    ),
    Command(
        "close-ticket", "escape", TicketScreen.close, "Close", "Close the ticket; nothing is sent.", _T, in_bar=True
    ),
    Command(
        "next-field",
        "tab",
        lambda ticket: ticket.move_focus(1),
        "Field",
        "Go to the next field.",
        _T,
        in_bar=True,
        in_palette=False,
    ),
    Command(
        "previous-field",
        "shift+tab",
        lambda ticket: ticket.move_focus(-1),
        "Field before",
        "Go to the field before.",
        _T,
        in_palette=False,
    ),
    Command("tick-up", "up", lambda ticket: ticket.step(1), "Up", _STEP_UP_HELP, _T, in_bar=True, in_palette=False),
    Command(
        "tick-down",
        "down",
        lambda ticket: ticket.step(-1),
        "Down",
        _STEP_DOWN_HELP,
        _T,
        in_bar=True,
        in_palette=False,
    ),
)

REVIEW_COMMANDS: Final[tuple[Command[ReviewScreen], ...]] = (
    Command(
        "send",
        "enter",
        ReviewScreen.send,
        "Send",
        "Send the order, once the key is armed.",
        _R,
        in_bar=True,
        in_palette=False,
        why_not=cannot_send,
    ),
    Command(
        "cancel-own-first",
        "ctrl+o",
        ReviewScreen.cancel_own,
        "Cancel own",
        "Cancel your own orders in the way of this one, after a question.",
        _R,
        in_bar=True,
        why_not=lambda review: (
            "The order has been sent." if review.ticket_step is not TicketStep.REVIEW else no_own_in_the_way(review)
        ),
    ),
    Command(
        "close-result",
        "enter",
        ReviewScreen.close,
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
        ReviewScreen.close,
        "Back",
        "Back; nothing is sent.",
        _R,
        in_bar=True,
        why_not=only_at_step(TicketStep.REVIEW, "The order has been sent."),
    ),
    Command(
        "leave-sent",
        "escape",
        ReviewScreen.close,
        "Close",
        "Close once sent; cancels nothing, and the log tells how it ended.",
        _R,
        in_bar=True,
        why_not=lambda review: "The order has not been sent." if review.ticket_step is TicketStep.REVIEW else "",
    ),
)

AMEND_COMMANDS: Final[tuple[Command[AmendScreen], ...]] = (
    Command(
        "change",
        "enter",
        AmendScreen.send,
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
        AmendScreen.review,
        "Review",
        "Go on: look the change over, then a further Enter makes it.",
        _A,
        in_bar=True,
        why_not=not_editing,
    ),
    Command(
        "close-changed",
        "enter",
        AmendScreen.close,
        "Close",
        "Close, once it is known what became of the change.",
        _A,
        in_bar=True,
        in_palette=False,
        why_not=only_at_step(TicketStep.DONE, "The exchange has not answered yet."),
    ),
    *(_amend_price_command(each) for each in PRICE_LETTER_COMMANDS),
    Command(
        "back-to-change",
        "escape",
        AmendScreen.edit_again,
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
        AmendScreen.close,
        "Close",
        "Close; a change that was sent goes on.",
        _A,
        in_bar=True,
        why_not=lambda screen: (
            "Escape goes back to the fields first." if screen.ticket_step is TicketStep.REVIEW else ""
        ),
    ),
    Command(
        "amend-field",
        "tab",
        AmendScreen.move_focus,
        "Field",
        "Go to the next field.",
        _A,
        in_bar=True,
        in_palette=False,
        why_not=not_editing,
    ),
    Command(
        "amend-field-back",
        "shift+tab",
        lambda screen: screen.move_focus(-1),
        "Field back",
        "Go to the field before.",
        _A,
        in_palette=False,
        why_not=not_editing,
    ),
    Command(
        "amend-up",
        "up",
        lambda screen: screen.step(1),
        "Up",
        _STEP_UP_HELP,
        _A,
        in_bar=True,
        in_palette=False,
        why_not=cannot_step,
    ),
    Command(
        "amend-down",
        "down",
        lambda screen: screen.step(-1),
        "Down",
        _STEP_DOWN_HELP,
        _A,
        in_bar=True,
        in_palette=False,
        why_not=cannot_step,
    ),
)

TICKET_GROUP: Final = CommandGroup(Scope.TICKET, TicketScreen, TICKET_COMMANDS)
REVIEW_GROUP: Final = CommandGroup(Scope.REVIEW, ReviewScreen, REVIEW_COMMANDS)
AMEND_GROUP: Final = CommandGroup(Scope.AMEND, AmendScreen, AMEND_COMMANDS)
