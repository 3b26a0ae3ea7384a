"""What of a screen's state decides which commands work, and the sentences that say why one does not."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from kalshi_tui.domain.market import Market
from kalshi_tui.domain.order import Order, OrderState


class Stage(Enum):
    """How far an order under review has come."""

    REVIEW = "review"
    SENDING = "sending"
    DONE = "done"


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


def no_cancel(now: Situation) -> str:
    """Say why there is nothing to cancel."""
    if now.order is None:
        return "No order is chosen: tab and 1 go to the orders."
    if now.order.state is not OrderState.RESTING:
        return f"This order is {now.order.state.value}; only a resting one can be cancelled."
    return ""


def no_open(now: Situation) -> str:
    """Say why there is no line to go from."""
    if not now.in_list:
        return "Enter works in the list below: tab goes there."
    return "" if now.has_market else "This line belongs to no market of the list."


def no_keep(now: Situation) -> str:
    """Say that no filter is open."""
    return "" if now.in_filter else "No filter is being typed: / opens it."


def no_turn(now: Situation) -> str:
    """Say that the field has no words to choose from."""
    return "" if now.on_choice else "This field is typed."


def no_send(now: Situation) -> str:
    """Say why Enter does not send."""
    if now.stage is not Stage.REVIEW:
        return "The order has been sent; it is never sent twice."
    return "" if now.armed else "The key is not armed yet: leave it for a moment."


def not_at(stage: Stage, why: str) -> Callable[[Situation], str]:
    """Let a command work at one stage of a review alone."""
    return lambda now: "" if now.stage is stage else why
