"""The commands of the desk, in the order of help, palette and key bar."""

from typing import Final

from kalshi_tui.domain.book import Side
from kalshi_tui.session.practice_faults import PRACTICE_FAULTS, PracticeFault
from kalshi_tui.ui.command import Command, CommandGroup, Scope, always_available, desk_command, for_part
from kalshi_tui.ui.desk.controllers import DeskControllers
from kalshi_tui.ui.desk.layout_commands import LAYOUT_COMMANDS
from kalshi_tui.ui.desk.layout_controller import LayoutController
from kalshi_tui.ui.desk.navigation_controller import NavigationController
from kalshi_tui.ui.desk.order_commands import CANCEL_ALL_COMMANDS, ORDER_COMMANDS
from kalshi_tui.ui.desk.order_controller import OrderController
from kalshi_tui.ui.desk.program_controller import ProgramController
from kalshi_tui.ui.desk.recording_commands import RECORDING_COMMANDS
from kalshi_tui.ui.desk.recording_controller import RecordingController
from kalshi_tui.ui.ladder.commands import LADDER_COMMANDS, VIEW_COMMANDS
from kalshi_tui.ui.ladder.ladder_controller import LadderController
from kalshi_tui.ui.lists.commands import ALERT_LINE_COMMANDS, LIST_COMMANDS, OPEN_LINE_COMMANDS
from kalshi_tui.ui.lists.lists_controller import ListsController
from kalshi_tui.ui.market_list.commands import MARKET_COMMANDS, WATCH_COMMANDS
from kalshi_tui.ui.market_list.market_list_controller import MarketListController

LIST_END_OFFSET: Final = 1_000_000
"""More lines than any list has."""

PANE_COMMANDS: Final[tuple[Command[NavigationController], ...]] = (
    desk_command(
        "pane",
        lambda navigation: navigation.go_pane(1),
        "Next pane",
        "Go on: from the markets to the book, to the list below.",
    ),
    desk_command("pane-back", lambda navigation: navigation.go_pane(-1), "Pane before", "Go to the pane before."),
    desk_command(
        "bids",
        lambda navigation: navigation.select_side(Side.YES),
        "Bids",
        "In the book: choose among the bids.",
        why_not=NavigationController.cannot_select_side,
    ),
    desk_command(
        "asks",
        lambda navigation: navigation.select_side(Side.NO),
        "Asks",
        "In the book: choose among the asks.",
        why_not=NavigationController.cannot_select_side,
    ),
)
MOVE_COMMANDS: Final[tuple[Command[NavigationController], ...]] = (
    desk_command("down", lambda navigation: navigation.move(1), "Down", "Go one line down.", in_palette=False),
    desk_command("up", lambda navigation: navigation.move(-1), "Up", "Go one line up.", in_palette=False),
    desk_command(
        "page-down",
        lambda navigation: navigation.move(10),
        "Page down",
        "Go ten lines down.",
        in_palette=False,
    ),
    desk_command("page-up", lambda navigation: navigation.move(-10), "Page up", "Go ten lines up.", in_palette=False),
    desk_command("first", lambda navigation: navigation.move(-LIST_END_OFFSET), "First line", "Go to the first line."),
    desk_command("last", lambda navigation: navigation.move(LIST_END_OFFSET), "Last line", "Go to the last line."),
)
BACK_COMMANDS: Final[tuple[Command[NavigationController], ...]] = (
    desk_command(
        "keep-filter",
        NavigationController.keep_filter,
        "Keep",
        "Leave the filter as typed and go to the list.",
        in_bar=True,
        in_palette=False,
        why_not=NavigationController.no_filter_open,
    ),
    desk_command(
        "clear-filter",
        NavigationController.back,
        "Clear",
        "Clear the filter and go back to the list.",
        in_bar=True,
        in_palette=False,
        why_not=NavigationController.no_filter_open,
    ),
    desk_command(
        "back",
        NavigationController.back,
        "Back",
        "Back to the markets; from there, clear the filter.",
        in_palette=False,
    ),
)
SCREEN_COMMANDS: Final[tuple[Command[ProgramController], ...]] = (
    desk_command(
        "theme",
        ProgramController.next_theme,
        "Colors",
        "Take the next set of colors: dark, light, blue and orange, contrast, 16.",
    ),
    desk_command("link", ProgramController.show_link, "Link", "Say how the connection does: ages, lag, clock, gaps."),
)
ACCOUNT_COMMANDS: Final[tuple[Command[ProgramController], ...]] = (
    desk_command(
        "account",
        ProgramController.choose_subaccount,
        "Subaccount",
        "Choose the subaccount that is shown and that orders go to, or show all.",
        in_bar=True,
        why_not=ProgramController.no_subaccounts,
    ),
)
"""Behind canceling all, which has to be named on a narrow screen too."""
PROGRAM_COMMANDS: Final[tuple[Command[ProgramController], ...]] = (
    desk_command(
        "palette",
        ProgramController.open_palette,
        "Commands",
        "Find any command by its name; in the ticket too.",
        in_bar=True,
        in_palette=False,
    ),
    desk_command("help", ProgramController.show_help, "Help", "Show all keys.", in_bar=True),
    desk_command("quit", ProgramController.quit, "Quit", "End the program; asks if orders may be live.", in_bar=True),
)


def _orders(desk: DeskControllers) -> OrderController:
    return desk.orders


def _ladder(desk: DeskControllers) -> LadderController:
    return desk.ladder


def _layout(desk: DeskControllers) -> LayoutController:
    return desk.layout


def _markets(desk: DeskControllers) -> MarketListController:
    return desk.markets


def _lists(desk: DeskControllers) -> ListsController:
    return desk.lists


def _recordings(desk: DeskControllers) -> RecordingController:
    return desk.recordings


def _navigation(desk: DeskControllers) -> NavigationController:
    return desk.navigation


def _program(desk: DeskControllers) -> ProgramController:
    return desk.program


DESK_COMMANDS: Final[tuple[Command[DeskControllers], ...]] = (
    *for_part(_orders, ORDER_COMMANDS),
    *for_part(_lists, ALERT_LINE_COMMANDS),
    *for_part(_ladder, LADDER_COMMANDS),
    *for_part(_markets, WATCH_COMMANDS),
    *for_part(_navigation, PANE_COMMANDS),
    *for_part(_lists, LIST_COMMANDS),
    *for_part(_markets, MARKET_COMMANDS),
    *for_part(_layout, LAYOUT_COMMANDS),
    *for_part(_recordings, RECORDING_COMMANDS),
    *for_part(_program, SCREEN_COMMANDS),
    *for_part(_navigation, MOVE_COMMANDS),
    *for_part(_lists, OPEN_LINE_COMMANDS),
    *for_part(_navigation, BACK_COMMANDS),
    *for_part(_orders, CANCEL_ALL_COMMANDS),
    *for_part(_program, ACCOUNT_COMMANDS),
    *for_part(_ladder, VIEW_COMMANDS),
    *for_part(_program, PROGRAM_COMMANDS),
)


def _rehearsal_command(fault: PracticeFault) -> Command[ProgramController]:
    return Command(
        f"rehearse-{fault.id}",
        "",
        lambda program: program.rehearse(fault),
        f"Rehearse: {fault.label}",
        fault.help,
        Scope.REHEARSE,
        why_not=ProgramController.no_market if fault.needs_market else always_available,
    )


REHEARSAL_COMMANDS: Final = for_part(_program, [_rehearsal_command(each) for each in PRACTICE_FAULTS])

DESK_GROUP: Final = CommandGroup(Scope.DESK, DeskControllers, DESK_COMMANDS)
REHEARSAL_GROUP: Final = CommandGroup(Scope.REHEARSE, DeskControllers, REHEARSAL_COMMANDS)
