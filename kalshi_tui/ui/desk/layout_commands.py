"""The commands of the ladders side by side, and of layouts; they belong to the desk."""

from typing import Final

from kalshi_tui.ui.command import Command, desk_command
from kalshi_tui.ui.desk.layout_controller import LayoutController

LAYOUT_COMMANDS: Final[tuple[Command[LayoutController], ...]] = (
    desk_command(
        "tile",
        LayoutController.toggle_tile,
        "Tile",
        "Put a ladder of the chosen market beside, or take it away; a wide screen has room for several.",
        why_not=LayoutController.cannot_tile,
    ),
    desk_command(
        "layout",
        LayoutController.next_layout,
        "Layout",
        "Take the next saved layout of the desk.",
        why_not=LayoutController.no_saved_layout,
    ),
    desk_command(
        "save-layout", LayoutController.save_layout, "Save layout", "Save this layout of the desk under a name."
    ),
    desk_command(
        "delete-layout",
        LayoutController.delete_layout,
        "Delete layout",
        "Forget the saved layout in use; the desk stays as it is.",
        why_not=LayoutController.layout_not_saved,
    ),
)
