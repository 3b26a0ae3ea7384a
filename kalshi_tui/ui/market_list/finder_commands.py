"""The commands of the screen that goes to any market."""

from typing import Final

from kalshi_tui.ui.command import Command, CommandGroup, Scope
from kalshi_tui.ui.market_list.finder_screen import FinderScreen

FINDER_COMMANDS: Final[tuple[Command[FinderScreen], ...]] = (
    Command(
        "into",
        "enter",
        FinderScreen.open_row,
        "Go",
        "Go to the market, or into the series or event.",
        Scope.FIND,
        in_bar=True,
    ),
    Command(
        "out",
        "escape",
        FinderScreen.go_up,
        "Back",
        "Clear the words; go a level up; close.",
        Scope.FIND,
        in_bar=True,
        in_palette=False,
    ),
    Command(
        "next-found",
        "down",
        lambda finder: finder.move_cursor(1),
        "Down",
        "Choose the next line.",
        Scope.FIND,
        in_bar=True,
        in_palette=False,
    ),
    Command(
        "last-found",
        "up",
        lambda finder: finder.move_cursor(-1),
        "Up",
        "Choose the line before.",
        Scope.FIND,
        in_bar=True,
        in_palette=False,
    ),
    Command(
        "page-found",
        "pagedown",
        lambda finder: finder.move_cursor(10),
        "Page down",
        "Go ten lines down.",
        Scope.FIND,
        in_palette=False,
    ),
    Command(
        "page-back-found",
        "pageup",
        lambda finder: finder.move_cursor(-10),
        "Page up",
        "Go ten lines up.",
        Scope.FIND,
        in_palette=False,
    ),
)
FINDER_GROUP: Final = CommandGroup(Scope.FIND, FinderScreen, FINDER_COMMANDS)
