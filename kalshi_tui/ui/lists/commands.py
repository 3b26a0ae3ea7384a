"""The commands of the pane below: lists, chart, tape, alerts; they belong to the desk."""

from typing import Final

from kalshi_tui.ui.command import Command, desk_command
from kalshi_tui.ui.lists.lists_controller import ListsController
from kalshi_tui.ui.lists.panes import Tab

ALERT_LINE_COMMANDS: Final[tuple[Command[ListsController], ...]] = (
    desk_command(
        "delete-alert",
        ListsController.delete_alert,
        "Delete",
        "In the list of alerts: delete the chosen one.",
        in_bar=True,
        why_not=ListsController.cannot_delete_alert,
    ),
    desk_command(
        "rearm",
        ListsController.rearm_alert,
        "Arm again",
        "In the list of alerts: arm the chosen one again, once it has rung.",
        in_bar=True,
        why_not=ListsController.cannot_rearm_alert,
    ),
)
"""Apart from the others: they share their keys with the commands on orders, and stand beside them."""
LIST_COMMANDS: Final[tuple[Command[ListsController], ...]] = (
    desk_command(
        "earlier",
        lambda lists: lists.move_crosshair(-1),
        "Earlier",
        "In the chart: go to the candle before.",
        in_palette=False,
        why_not=ListsController.cannot_move_crosshair,
    ),
    desk_command(
        "later",
        lambda lists: lists.move_crosshair(1),
        "Later",
        "In the chart: go to the next candle.",
        in_palette=False,
        why_not=ListsController.cannot_move_crosshair,
    ),
    desk_command(
        "period",
        ListsController.next_period,
        "Period",
        "Chart minutes, hours or days.",
        in_bar=True,
        why_not=ListsController.chart_not_shown,
    ),
    desk_command(
        "line",
        ListsController.toggle_chart_kind,
        "Line",
        "Chart candles or a line.",
        why_not=ListsController.chart_not_shown,
    ),
    desk_command("orders", lambda lists: lists.show_tab(Tab.ORDERS), "Orders", "Show the orders below."),
    desk_command("positions", lambda lists: lists.show_tab(Tab.POSITIONS), "Positions", "Show the positions below."),
    desk_command(
        "fills", lambda lists: lists.show_tab(Tab.FILLS), "Fills", "Show the executions of your orders below."
    ),
    desk_command("tape", lambda lists: lists.show_tab(Tab.TAPE), "Tape", "Show the trades of the chosen market below."),
    desk_command("log", lambda lists: lists.show_tab(Tab.LOG), "Log", "Show what has happened below, newest first."),
    desk_command(
        "chart", lambda lists: lists.show_tab(Tab.CHART), "Chart", "Show the chart of the chosen market below."
    ),
    desk_command(
        "settlements",
        lambda lists: lists.show_tab(Tab.SETTLEMENTS),
        "Settlements",
        "Show what settled markets have paid below.",
    ),
    desk_command(
        "alerts",
        lambda lists: lists.show_tab(Tab.ALERTS),
        "Alerts",
        "Show the alerts below, and how far each is from ringing.",
    ),
    desk_command(
        "alert",
        ListsController.new_alert,
        "New alert",
        "Write an alert for the chosen market, beginning with the price chosen in the book.",
        why_not=ListsController.no_market,
    ),
    desk_command(
        "sift",
        ListsController.next_min_count,
        "Trade size",
        "Show trades of all sizes, of 10 or more, 100, 1,000, and your own.",
    ),
    desk_command(
        "read-more",
        ListsController.read_more,
        "Older",
        "Show older fills or ended orders, from the archive too.",
        why_not=ListsController.cannot_read_more,
    ),
    desk_command(
        "export",
        ListsController.export,
        "Write table",
        "Write the table below to a CSV file; the log says where.",
    ),
)
OPEN_LINE_COMMANDS: Final[tuple[Command[ListsController], ...]] = (
    desk_command(
        "open",
        ListsController.open_line,
        "Market",
        "Go to the market of this line.",
        in_bar=True,
        why_not=ListsController.cannot_open_line,
    ),
)
"""Apart from the others: it shares Enter with the filter, and stands before it."""
