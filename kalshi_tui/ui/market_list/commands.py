"""The commands of the market list and the watch lists; they belong to the desk."""

from typing import Final

from kalshi_tui.ui.availability import CommandContext, no_market_selected
from kalshi_tui.ui.command import Command

NO_WATCH_LIST_TEXT: Final = "All markets are shown: this works in a watch list."


def no_watch_list_shown(context: CommandContext) -> str:
    """Say that no watch list is shown."""
    return "" if context.list_name else NO_WATCH_LIST_TEXT


def cannot_toggle_watch(context: CommandContext) -> str:
    """Return why nothing can be put on a list, or taken off: what the exchange does not know can still be taken off."""
    return "" if context.watched else no_market_selected(context)


def cannot_move_market(context: CommandContext) -> str:
    """Return why a market cannot be moved in its list."""
    if context.list_name and context.list_sorted:
        return "The list is sorted: bring it back to the order as listed first."
    return no_watch_list_shown(context)


WATCH_COMMANDS: Final = (
    Command(
        "filter",
        "slash",
        "filter",
        "Find",
        "Show only markets with these words in name, ticker or category.",
        in_bar=True,
    ),
    Command("sort", "S", "sort", "Sort", "Sort the markets: as listed, by volume, change, spread, closing time."),
    Command("list", "L", "next_list", "Watch list", "Show the next of your watch lists; after the last all markets."),
    Command(
        "watch",
        "m",
        "watch",
        "Watch",
        "Put the chosen market on your watch list, or take it off again.",
        why_not=cannot_toggle_watch,
    ),
    Command("new-list", "N", "new_list", "New list", "Make a new watch list."),
    Command(
        "rename-list",
        "",
        "rename_list",
        "Rename list",
        "Give the watch list another name.",
        why_not=no_watch_list_shown,
    ),
    Command(
        "delete-list",
        "",
        "delete_list",
        "Delete list",
        "Delete the watch list; asks first.",
        why_not=no_watch_list_shown,
    ),
    Command(
        "move-up",
        "less_than_sign",
        "move_market",
        "Move up in list",
        "In a watch list: move the chosen market one line up.",
        argument=-1,
        why_not=cannot_move_market,
    ),
    Command(
        "move-down",
        "greater_than_sign",
        "move_market",
        "Move down in list",
        "In a watch list: move the chosen market one line down.",
        argument=1,
        why_not=cannot_move_market,
    ),
    Command(
        "wide",
        "f",
        "wide",
        "List width",
        "Give the market list all the width and all its columns, then none of it, then its usual share.",
    ),
    Command(
        "jump",
        "ctrl+f",
        "jump",
        "Go to market",
        "Go to any market by its words, or by series and event.",
        in_bar=True,
    ),
)
