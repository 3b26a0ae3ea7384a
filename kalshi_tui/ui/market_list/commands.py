"""The commands of the market list, the watch lists and the selected market; they belong to the desk."""

from typing import Final

from kalshi_tui.ui.command import Command
from kalshi_tui.ui.market_list.market_list_controller import MarketListController

WATCH_COMMANDS: Final[tuple[Command[MarketListController], ...]] = (
    Command(
        "filter",
        "slash",
        MarketListController.open_filter,
        "Find",
        "Show only markets with these words in name, ticker or category.",
        in_bar=True,
    ),
    Command(
        "sort",
        "S",
        MarketListController.next_sort,
        "Sort",
        "Sort the markets: as listed, by volume, change, spread, closing time.",
    ),
    Command(
        "list",
        "L",
        MarketListController.next_list,
        "Watch list",
        "Show the next of your watch lists; after the last all markets.",
    ),
    Command(
        "watch",
        "m",
        MarketListController.toggle_watch,
        "Watch",
        "Put the chosen market on your watch list, or take it off again.",
        why_not=MarketListController.cannot_toggle_watch,
    ),
    Command("new-list", "N", MarketListController.new_list, "New list", "Make a new watch list."),
    Command(
        "rename-list",
        "",
        MarketListController.rename_list,
        "Rename list",
        "Give the watch list another name.",
        why_not=MarketListController.no_watch_list_shown,
    ),
    Command(
        "delete-list",
        "",
        MarketListController.delete_list,
        "Delete list",
        "Delete the watch list; asks first.",
        why_not=MarketListController.no_watch_list_shown,
    ),
    Command(
        "move-up",
        "less_than_sign",
        lambda markets: markets.move_market(-1),
        "Move up in list",
        "In a watch list: move the chosen market one line up.",
        why_not=MarketListController.cannot_move_market,
    ),
    Command(
        "move-down",
        "greater_than_sign",
        lambda markets: markets.move_market(1),
        "Move down in list",
        "In a watch list: move the chosen market one line down.",
        why_not=MarketListController.cannot_move_market,
    ),
    Command(
        "wide",
        "f",
        MarketListController.cycle_width,
        "List width",
        "Give the market list all the width and all its columns, then none of it, then its usual share.",
    ),
    Command(
        "jump",
        "ctrl+f",
        MarketListController.find_market,
        "Go to market",
        "Go to any market by its words, or by series and event.",
        in_bar=True,
    ),
)
MARKET_COMMANDS: Final[tuple[Command[MarketListController], ...]] = (
    Command(
        "audit",
        "a",
        MarketListController.audit,
        "Audit",
        "Compare the book with a fresh one of the exchange's; the log tells.",
        why_not=MarketListController.no_market,
    ),
    Command(
        "details",
        "d",
        MarketListController.show_details,
        "Details",
        "Read the market's rules, dates, fees and source, and what all outcomes of its event cost together.",
        why_not=MarketListController.no_market,
    ),
)
