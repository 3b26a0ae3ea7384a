"""The commands of the ladders side by side, and of layouts; they belong to the desk."""

from typing import Final

from kalshi_tui.ui.command import Command
from kalshi_tui.ui.desk.layout_controller import LayoutController

LAYOUT_COMMANDS: Final[tuple[Command[LayoutController], ...]] = (
    Command(
        "tile",
        "t",
        LayoutController.toggle_tile,
        "Tile",
        "Put a ladder of the chosen market beside, or take it away; a wide screen has room for several.",
        why_not=LayoutController.cannot_tile,
    ),
    Command(
        "layout",
        "u",
        LayoutController.next_layout,
        "Layout",
        "Take the next saved layout of the desk.",
        why_not=LayoutController.no_saved_layout,
    ),
    Command(
        "save-layout", "W", LayoutController.save_layout, "Save layout", "Save this layout of the desk under a name."
    ),
    Command(
        "delete-layout",
        "",
        LayoutController.delete_layout,
        "Delete layout",
        "Forget the saved layout in use; the desk stays as it is.",
        why_not=LayoutController.layout_not_saved,
    ),
)
