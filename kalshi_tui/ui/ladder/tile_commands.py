"""The commands of the ladders side by side, and of layouts; they belong to the desk."""

from typing import Final

from kalshi_tui.ui.availability import CommandContext, no_market_selected
from kalshi_tui.ui.command import Command
from kalshi_tui.ui.keys import key_for


def cannot_tile(context: CommandContext) -> str:
    """Return why no ladder can be put there, or taken away: that of a market that is not known any more still can."""
    return "" if context.tiled else no_market_selected(context)


def no_saved_layout(context: CommandContext) -> str:
    """Say that no layout is saved."""
    return "" if context.layouts else f"No layout is saved yet: {key_for('save-layout')} saves this one."


def layout_not_saved(context: CommandContext) -> str:
    """Say that the layout in use has no name."""
    return "" if context.layout else f"This arrangement is no saved layout: {key_for('layout')} goes to one."


TILE_COMMANDS: Final = (
    Command(
        "tile",
        "t",
        "tile",
        "Tile",
        "Put a ladder of the chosen market beside, or take it away; a wide screen has room for several.",
        why_not=cannot_tile,
    ),
    Command("layout", "u", "next_layout", "Layout", "Take the next saved layout of the desk.", why_not=no_saved_layout),
    Command("save-layout", "W", "save_layout", "Save layout", "Save this layout of the desk under a name."),
    Command(
        "delete-layout",
        "",
        "delete_layout",
        "Delete layout",
        "Forget the saved layout in use; the desk stays as it is.",
        why_not=layout_not_saved,
    ),
)
