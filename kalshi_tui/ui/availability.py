"""What of a screen's state decides which commands work, and the sentences that say why one does not."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from kalshi_tui.domain.alerts import Alert
from kalshi_tui.domain.market import Market
from kalshi_tui.domain.order import Order
from kalshi_tui.domain.position import Position
from kalshi_tui.ui.keys import key_for


class TicketStep(Enum):
    """How far an order under review has come."""

    EDITING = "writing"
    REVIEW = "review"
    SENDING = "sending"
    DONE = "done"


class FocusedField(Enum):
    """Which field of a form is typed into, where letters are commands."""

    NONE = "none"
    PRICE = "price"
    COUNT = "count"


@dataclass(frozen=True, slots=True)
class CommandContext:
    """What of the screen's state decides which commands work now."""

    market: Market | None = None
    """The chosen market, None while none can be seen."""
    order: Order | None = None
    """The order that a cancel would mean."""
    in_list: bool = False
    """Whether the arrows move in the lower list."""
    has_market: bool = False
    """Whether the chosen line of the lower list belongs to a market."""
    in_filter: bool = False
    """Whether the filter is being typed."""
    on_choice: bool = False
    """Whether the field of the form is one with a few words to choose from."""
    step: TicketStep = TicketStep.REVIEW
    armed: bool = True
    """Whether Enter sends at once; shortly after the review has opened it does not."""
    question_shown: bool = False
    """Whether a question waits for its answer."""
    read_only: str = ""
    """Why nothing may be sent or changed at all; empty if it may."""
    in_book: bool = False
    """Whether the arrows move in the book."""
    no_price: str = ""
    """Why the cursor of book or ladder names no price to trade at; empty if it does."""
    ladder: bool = False
    """Whether the ladder stands in the book's place."""
    in_ladder: bool = False
    """Whether the arrows move in the ladder."""
    row_orders: int = 0
    """How many orders of the trader's rest at the price chosen there."""
    in_positions: bool = False
    """Whether the arrows move in the list of positions."""
    position: Position | None = None
    """The position under the cursor there."""
    subject: Market | None = None
    """The market of the chosen order or position, None while it is not listed."""
    can_resend: bool = False
    """Whether the chosen order never arrived and may be sent again under its own id."""
    orders_unread: str = ""
    """Why it is not known what rests, a sentence; empty once the orders have been read."""
    live_orders_here: int = 0
    """How many orders are or may be live in the chosen market."""
    in_alerts: bool = False
    """Whether the arrows move in the list of alerts."""
    alert: Alert | None = None
    """The alert under the cursor there."""
    on_chart: bool = False
    """Whether the chart is shown."""
    list_name: str = ""
    """The watch list that is shown; empty while all markets are."""
    watched: bool = False
    """Whether the chosen market is on it; the exchange may not know it any more."""
    tiled: bool = False
    """Whether a ladder of the chosen market stands beside; the exchange may not know it any more."""
    list_sorted: bool = False
    """Whether the market list is in another order than the one listed."""
    layouts: bool = False
    """Whether any layout is saved."""
    layout: str = ""
    """The saved layout in use; empty if none is."""
    focused_field: FocusedField = FocusedField.NONE
    """Which field with letters of its own has the focus."""
    replaying: bool = False
    """Whether a recording plays."""
    blocked_reason: str = ""
    """Why what is under review cannot be sent at all; empty if it can."""


def always_available(_: CommandContext) -> str:
    """Let a command work at any time."""
    return ""


def cannot_trade(context: CommandContext) -> str:
    """Return why the chosen market cannot be traded in."""
    if context.market is None:
        return "There is no chosen market to trade in."
    if not context.market.status.tradable:
        return f"This market takes no orders: it is {context.market.status.value}."
    return ""


def no_market_selected(context: CommandContext) -> str:
    """Say that no market is chosen."""
    return "" if context.market is not None else "There is no chosen market."


def cannot_open_line(context: CommandContext) -> str:
    """Return why there is no line to go from."""
    if not context.in_list:
        return f"The key {key_for('open')} works in the list below: {key_for('pane')} goes there."
    return "" if context.has_market else "This line belongs to no market of the list."


def not_replaying(context: CommandContext) -> str:
    """Say that no recording plays."""
    return "" if context.replaying else "No recording plays here: kalshi-tui replay FILE plays one."


def no_filter_open(context: CommandContext) -> str:
    """Say that no filter is open."""
    return "" if context.in_filter else f"No filter is being typed: {key_for('filter')} opens it."


def chart_not_shown(context: CommandContext) -> str:
    """Say that no chart is shown."""
    return "" if context.on_chart else f"The chart is not shown: {key_for('chart')} shows it."


def cannot_move_crosshair(context: CommandContext) -> str:
    """Say that there is no crosshair to move."""
    return (
        f"In the book {key_for('bids')} and {key_for('asks')} choose bids or asks."
        if context.in_book
        else chart_not_shown(context)
    )


def not_a_choice_field(context: CommandContext) -> str:
    """Say that the field has no words to choose from."""
    return "" if context.on_choice else "This field is typed."


def cannot_send(context: CommandContext) -> str:
    """Return why Enter does not send."""
    if context.step is not TicketStep.REVIEW:
        return "The order has been sent; it is never sent twice."
    if context.blocked_reason:
        return context.blocked_reason
    return "" if context.armed else "The key is not armed yet: leave it for a moment."


def only_at_step(step: TicketStep, why: str) -> Callable[[CommandContext], str]:
    """Let a command work at one stage of a review alone."""
    return lambda now: "" if now.step is step else why


def only_in_field(field: FocusedField) -> Callable[[CommandContext], str]:
    """Let a command work in one field of a form alone."""
    return lambda now: "" if now.focused_field is field else f"This key works in the field of the {field.value}."


def cannot_send_amendment(context: CommandContext) -> str:
    """Return why Enter does not change the order."""
    if context.step is TicketStep.EDITING:
        return "The change is to be looked at first."
    return cannot_send(context)


def not_editing(context: CommandContext) -> str:
    """Say that the fields are not being written now."""
    return "" if context.step is TicketStep.EDITING else "The change is under review: escape goes back to its fields."


def cannot_place_price(context: CommandContext) -> str:
    """Return why a change's price cannot be taken from the book by a key."""
    return not_editing(context) or only_in_field(FocusedField.PRICE)(context)
