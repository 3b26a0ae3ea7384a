"""The commands on orders and positions; they belong to the desk."""

from typing import Final

from kalshi_tui.ui.command import Command, desk_command
from kalshi_tui.ui.desk.order_controller import OrderController

ORDER_COMMANDS: Final[tuple[Command[OrderController], ...]] = (
    desk_command(
        "buy",
        OrderController.buy,
        "Buy",
        "Buy in the chosen market, at the price chosen in the book: opens the ticket.",
        in_bar=True,
        why_not=OrderController.cannot_open_ticket,
    ),
    desk_command(
        "sell",
        OrderController.sell,
        "Sell",
        "Sell in the chosen market, at the price chosen in the book: opens the ticket.",
        in_bar=True,
        why_not=OrderController.cannot_open_ticket,
    ),
    desk_command(
        "cancel",
        OrderController.cancel,
        "Cancel",
        "Cancel the chosen order; asks first.",
        in_bar=True,
        why_not=OrderController.cannot_cancel,
    ),
    desk_command(
        "close-position",
        OrderController.close_position,
        "Close",
        "In the list of positions: close the chosen one; opens the ticket.",
        in_bar=True,
        why_not=OrderController.cannot_close_position,
    ),
    desk_command(
        "amend",
        OrderController.amend,
        "Change",
        "Change price, count or expiry of the chosen order where it rests.",
        in_bar=True,
        why_not=OrderController.cannot_amend,
    ),
    desk_command(
        "repeat",
        OrderController.resend,
        "Send again",
        "Send an order that never arrived once more, under its own id; opens its review.",
        in_bar=True,
        why_not=OrderController.cannot_resend,
    ),
    desk_command(
        "cancel-here",
        OrderController.cancel_in_market,
        "Cancel all here",
        "Cancel all your orders in the chosen market; asks first.",
        why_not=OrderController.cannot_cancel_in_market,
    ),
)
CANCEL_ALL_COMMANDS: Final[tuple[Command[OrderController], ...]] = (
    desk_command(
        "cancel-all",
        OrderController.cancel_all,
        "Cancel all",
        "Cancel all your orders in all markets; asks first. Works in a pause too.",
        in_bar=True,
        why_not=OrderController.cannot_cancel_all,
    ),
)
"""Apart from the others: the table has it behind the moves, and the key bar shows commands in the table's order."""
