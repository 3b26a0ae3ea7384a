"""The registry: every command of the trader's, from the table of its feature, each once.

Key bindings, key bar, palette, help and the keyboard card are all made from it. A new command goes into the
table of its feature, ``ui/*/commands.py`` or ``ui/desk/*_commands.py``; a new group of commands goes into this one.
"""

from typing import Final, Never

from kalshi_tui.ui.command import AnyCommand, CommandGroup, Scope
from kalshi_tui.ui.command_table import apply_keymap, commands_in_scope, register_commands
from kalshi_tui.ui.desk.commands import DESK_GROUP, REHEARSAL_GROUP
from kalshi_tui.ui.dialogs.commands import (
    ALERT_GROUP,
    ASK_GROUP,
    NAME_GROUP,
    TEXT_GROUP,
    TOO_SMALL_GROUP,
    WELCOME_GROUP,
    WORD_GROUP,
)
from kalshi_tui.ui.market_list.finder_commands import FINDER_GROUP
from kalshi_tui.ui.ticket.commands import AMEND_GROUP, REVIEW_GROUP, TICKET_GROUP

COMMAND_GROUPS: Final[tuple[CommandGroup[Never], ...]] = (
    DESK_GROUP,
    TICKET_GROUP,
    REVIEW_GROUP,
    AMEND_GROUP,
    ASK_GROUP,
    WORD_GROUP,
    WELCOME_GROUP,
    NAME_GROUP,
    FINDER_GROUP,
    ALERT_GROUP,
    TEXT_GROUP,
    TOO_SMALL_GROUP,
    REHEARSAL_GROUP,
)
COMMANDS: Final[tuple[AnyCommand, ...]] = tuple(command for group in COMMAND_GROUPS for command in group.commands)

register_commands(COMMAND_GROUPS)

__all__ = ["COMMANDS", "COMMAND_GROUPS", "Scope", "apply_keymap", "commands_in_scope"]
