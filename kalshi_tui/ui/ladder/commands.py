"""The commands of the price ladder; they belong to the desk."""

from typing import Final

from kalshi_tui.ui.command import Command, desk_command
from kalshi_tui.ui.ladder.ladder_controller import LadderController

LADDER_COMMANDS: Final[tuple[Command[LadderController], ...]] = (
    desk_command(
        "cancel-row",
        LadderController.cancel_row,
        "Cancel row",
        "In the ladder: cancel all your orders that rest at the chosen price; asks first.",
        in_bar=True,
        why_not=LadderController.cannot_cancel_row,
    ),
    desk_command(
        "nudge-down",
        lambda ladder: ladder.nudge(-1),
        "Move down",
        "In the ladder: change your order in the chosen row to the price below; opens the change.",
        why_not=LadderController.cannot_nudge,
    ),
    desk_command(
        "nudge-up",
        lambda ladder: ladder.nudge(1),
        "Move up",
        "In the ladder: change your order in the chosen row to the price above; opens the change.",
        why_not=LadderController.cannot_nudge,
    ),
    desk_command(
        "centre",
        LadderController.center,
        "Center",
        "Bring the middle of best bid and ask to the middle of the ladder.",
        in_bar=True,
        why_not=LadderController.not_shown,
    ),
    desk_command(
        "mirror",
        LadderController.flip_side,
        "YES / NO",
        "Turn the ladder over: the same book in prices of the other outcome.",
        in_bar=True,
        why_not=LadderController.not_shown,
    ),
)
VIEW_COMMANDS: Final[tuple[Command[LadderController], ...]] = (
    desk_command(
        "view",
        LadderController.toggle,
        "Ladder / book",
        "Show the price ladder in the place of the book, or the book again.",
        in_bar=True,
        why_not=LadderController.cannot_toggle,
    ),
)
"""Apart from the others: the table has it near its end."""
