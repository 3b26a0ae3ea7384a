"""The commands on orders and positions; they belong to the desk."""

from typing import Final

from kalshi_tui.ui.command import Command
from kalshi_tui.ui.desk.order_controller import OrderController

ORDER_COMMANDS: Final[tuple[Command[OrderController], ...]] = (
    Command(
        "buy",
        "b",
        OrderController.buy,
        "Buy",
        "Buy in the chosen market, at the price chosen in the book: opens the ticket.",
        in_bar=True,
        why_not=OrderController.cannot_open_ticket,
    ),
    Command(
        "sell",
        "s",
        OrderController.sell,
        "Sell",
        "Sell in the chosen market, at the price chosen in the book: opens the ticket.",
        in_bar=True,
        why_not=OrderController.cannot_open_ticket,
    ),
    Command(
        "cancel",
        "x",
        OrderController.cancel,
        "Cancel",
        "Cancel the chosen order; asks first.",
        in_bar=True,
        why_not=OrderController.cannot_cancel,
    ),
    Command(
        "close-position",
        "x",
        OrderController.close_position,
        "Close",
        "In the list of positions: close the chosen one; opens the ticket.",
        in_bar=True,
        why_not=OrderController.cannot_close_position,
    ),
    Command(
        "amend",
        "e",
        OrderController.amend,
        "Change",
        "Change price or count of the chosen order where it rests.",
        in_bar=True,
        why_not=OrderController.cannot_amend,
    ),
    Command(
        "repeat",
        "r",
        OrderController.resend,
        "Send again",
        "Send an order that never arrived once more, under its own id; opens its review.",
        in_bar=True,
        why_not=OrderController.cannot_resend,
    ),
    Command(
        "cancel-here",
        "X",
        OrderController.cancel_in_market,
        "Cancel all here",
        "Cancel all your orders in the chosen market; asks first.",
        why_not=OrderController.cannot_cancel_in_market,
    ),
)
CANCEL_ALL_COMMANDS: Final[tuple[Command[OrderController], ...]] = (
    Command(
        "cancel-all",
        "ctrl+x",
        OrderController.cancel_all,
        "Cancel all",
        "Cancel all your orders in all markets; asks first. Works in a pause too.",
        in_bar=True,
        why_not=OrderController.cannot_cancel_all,
    ),
)
"""Apart from the others: the table has it behind the moves, and the key bar shows commands in the table's order."""
