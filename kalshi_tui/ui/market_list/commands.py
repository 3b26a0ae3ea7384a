"""The commands of the market list, the watch lists and the selected market; they belong to the desk."""

from typing import Final

from kalshi_tui.ui.command import Command, desk_command
from kalshi_tui.ui.market_list.market_list_controller import MarketListController

WATCH_COMMANDS: Final[tuple[Command[MarketListController], ...]] = (
    desk_command(
        "filter",
        MarketListController.open_filter,
        "Find",
        "Show only markets with these words in name, ticker or category.",
        in_bar=True,
    ),
    desk_command(
        "sort",
        MarketListController.next_sort,
        "Sort",
        "Sort the markets: as listed, by volume, change, spread, closing time.",
    ),
    desk_command(
        "list",
        MarketListController.next_list,
        "Watch list",
        "Show the next of your watch lists; after the last all markets.",
    ),
    desk_command(
        "watch",
        MarketListController.toggle_watch,
        "Watch",
        "Put the chosen market on your watch list, or take it off again.",
        why_not=MarketListController.cannot_toggle_watch,
    ),
    desk_command("new-list", MarketListController.new_list, "New list", "Make a new watch list."),
    desk_command(
        "rename-list",
        MarketListController.rename_list,
        "Rename list",
        "Give the watch list another name.",
        why_not=MarketListController.no_watch_list_shown,
    ),
    desk_command(
        "delete-list",
        MarketListController.delete_list,
        "Delete list",
        "Delete the watch list; asks first.",
        why_not=MarketListController.no_watch_list_shown,
    ),
    desk_command(
        "move-up",
        lambda markets: markets.move_market(-1),
        "Move up in list",
        "In a watch list: move the chosen market one line up.",
        why_not=MarketListController.cannot_move_market,
    ),
    desk_command(
        "move-down",
        lambda markets: markets.move_market(1),
        "Move down in list",
        "In a watch list: move the chosen market one line down.",
        why_not=MarketListController.cannot_move_market,
    ),
    desk_command(
        "wide",
        MarketListController.cycle_width,
        "List width",
        "Give the market list all the width and all its columns, then none of it, then its usual share.",
    ),
    desk_command(
        "jump",
        MarketListController.find_market,
        "Go to market",
        "Go to any market by its words, or by series and event.",
        in_bar=True,
    ),
)
MARKET_COMMANDS: Final[tuple[Command[MarketListController], ...]] = (
    desk_command(
        "audit",
        MarketListController.audit,
        "Audit",
        "Compare the book with a fresh one of the exchange's; the log tells.",
        why_not=MarketListController.no_market,
    ),
    desk_command(
        "details",
        MarketListController.show_details,
        "Details",
        "Read the market's rules, dates, fees and source, and what all outcomes of its event cost together.",
        why_not=MarketListController.no_market,
    ),
)
