"""What of a screen's state decides which commands work, and the sentences that say why one does not."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from kalshi_tui.domain.alerts import Alert
from kalshi_tui.domain.market import Market
from kalshi_tui.domain.order import Order
from kalshi_tui.domain.position import Position
from kalshi_tui.ui.keys import key


class Stage(Enum):
    """How far an order under review has come."""

    WRITING = "writing"
    REVIEW = "review"
    SENDING = "sending"
    DONE = "done"


class Entry(Enum):
    """Which field of a form is typed into, where letters are commands."""

    NONE = "none"
    PRICE = "price"
    COUNT = "count"


@dataclass(frozen=True, slots=True)
class Situation:
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
    stage: Stage = Stage.REVIEW
    armed: bool = True
    """Whether Enter sends at once; shortly after the review has opened it does not."""
    asked: bool = False
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
    repeats: bool = False
    """Whether the chosen order never arrived and may be sent again under its own id."""
    orders_unread: str = ""
    """Why it is not known what rests, a sentence; empty once the orders have been read."""
    working_here: int = 0
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
    entry: Entry = Entry.NONE
    """Which field with letters of its own has the focus."""
    replaying: bool = False
    """Whether a recording plays."""
    barred: str = ""
    """Why what is under review cannot be sent at all; empty if it can."""


def always(_: Situation) -> str:
    """Let a command work at any time."""
    return ""


def no_trade(now: Situation) -> str:
    """Say why the chosen market cannot be traded in."""
    if now.market is None:
        return "There is no chosen market to trade in."
    if not now.market.status.tradable:
        return f"This market takes no orders: it is {now.market.status.value}."
    return ""


def no_market(now: Situation) -> str:
    """Say that no market is chosen."""
    return "" if now.market is not None else "There is no chosen market."


def no_open(now: Situation) -> str:
    """Say why there is no line to go from."""
    if not now.in_list:
        return f"The key {key('open')} works in the list below: {key('pane')} goes there."
    return "" if now.has_market else "This line belongs to no market of the list."


def no_replay(now: Situation) -> str:
    """Say that no recording plays."""
    return "" if now.replaying else "No recording plays here: kalshi-tui replay FILE plays one."


def no_keep(now: Situation) -> str:
    """Say that no filter is open."""
    return "" if now.in_filter else f"No filter is being typed: {key('filter')} opens it."


def no_chart(now: Situation) -> str:
    """Say that no chart is shown."""
    return "" if now.on_chart else f"The chart is not shown: {key('chart')} shows it."


def no_crosshair(now: Situation) -> str:
    """Say that there is no crosshair to move."""
    return f"In the book {key('bids')} and {key('asks')} choose bids or asks." if now.in_book else no_chart(now)


def no_turn(now: Situation) -> str:
    """Say that the field has no words to choose from."""
    return "" if now.on_choice else "This field is typed."


def no_send(now: Situation) -> str:
    """Say why Enter does not send."""
    if now.stage is not Stage.REVIEW:
        return "The order has been sent; it is never sent twice."
    if now.barred:
        return now.barred
    return "" if now.armed else "The key is not armed yet: leave it for a moment."


def not_at(stage: Stage, why: str) -> Callable[[Situation], str]:
    """Let a command work at one stage of a review alone."""
    return lambda now: "" if now.stage is stage else why


def only_in(entry: Entry) -> Callable[[Situation], str]:
    """Let a command work in one field of a form alone."""
    return lambda now: "" if now.entry is entry else f"This key works in the field of the {entry.value}."


def no_change(now: Situation) -> str:
    """Say why Enter does not change the order."""
    if now.stage is Stage.WRITING:
        return "The change is to be looked at first."
    return no_send(now)


def no_writing(now: Situation) -> str:
    """Say that the fields are not being written now."""
    return "" if now.stage is Stage.WRITING else "The change is under review: escape goes back to its fields."


def no_aim(now: Situation) -> str:
    """Say why a change's price cannot be taken from the book by a key."""
    return no_writing(now) or only_in(Entry.PRICE)(now)
