"""The commands of the price ladder; they belong to the desk."""

from typing import Final

from kalshi_tui.ui.command import Command
from kalshi_tui.ui.desk.reasons import cannot_cancel_row, cannot_nudge_order, ladder_not_shown

LADDER_COMMANDS: Final = (
    Command(
        "cancel-row",
        "x",
        "cancel_row",
        "Cancel row",
        "In the ladder: cancel all your orders that rest at the chosen price; asks first.",
        in_bar=True,
        why_not=cannot_cancel_row,
    ),
    Command(
        "nudge-down",
        "J,shift+down",
        "nudge",
        "Move down",
        "In the ladder: change your order in the chosen row to the price below; opens the change.",
        argument=-1,
        why_not=cannot_nudge_order,
    ),
    Command(
        "nudge-up",
        "K,shift+up",
        "nudge",
        "Move up",
        "In the ladder: change your order in the chosen row to the price above; opens the change.",
        argument=1,
        why_not=cannot_nudge_order,
    ),
    Command(
        "centre",
        "space",
        "centre",
        "Center",
        "Bring the middle of best bid and ask to the middle of the ladder.",
        in_bar=True,
        why_not=ladder_not_shown,
    ),
    Command(
        "mirror",
        "o",
        "mirror",
        "YES / NO",
        "Turn the ladder over: the same book in prices of the other outcome.",
        in_bar=True,
        why_not=ladder_not_shown,
    ),
)
