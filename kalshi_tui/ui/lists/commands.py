"""The commands of the pane below: lists, chart, tape, alerts; they belong to the desk."""

from typing import Final

from kalshi_tui.ui.command import Command
from kalshi_tui.ui.lists.lists_controller import ListsController
from kalshi_tui.ui.lists.panes import Tab

ALERT_LINE_COMMANDS: Final[tuple[Command[ListsController], ...]] = (
    Command(
        "delete-alert",
        "x",
        ListsController.delete_alert,
        "Delete",
        "In the list of alerts: delete the chosen one.",
        in_bar=True,
        why_not=ListsController.cannot_delete_alert,
    ),
    Command(
        "rearm",
        "e",
        ListsController.rearm_alert,
        "Arm again",
        "In the list of alerts: arm the chosen one again, once it has rung.",
        in_bar=True,
        why_not=ListsController.cannot_rearm_alert,
    ),
)
"""Apart from the others: they share their keys with the commands on orders, and stand beside them."""
LIST_COMMANDS: Final[tuple[Command[ListsController], ...]] = (
    Command(
        "earlier",
        "h,left",
        lambda lists: lists.move_crosshair(-1),
        "Earlier",
        "In the chart: go to the candle before.",
        in_palette=False,
        why_not=ListsController.cannot_move_crosshair,
    ),
    Command(
        "later",
        "l,right",
        lambda lists: lists.move_crosshair(1),
        "Later",
        "In the chart: go to the next candle.",
        in_palette=False,
        why_not=ListsController.cannot_move_crosshair,
    ),
    Command(
        "period",
        "p",
        ListsController.next_period,
        "Period",
        "Chart minutes, hours or days.",
        in_bar=True,
        why_not=ListsController.chart_not_shown,
    ),
    Command(
        "line",
        "c",
        ListsController.toggle_chart_kind,
        "Line",
        "Chart candles or a line.",
        why_not=ListsController.chart_not_shown,
    ),
    Command("orders", "1", lambda lists: lists.show_tab(Tab.ORDERS), "Orders", "Show the orders below."),
    Command("positions", "2", lambda lists: lists.show_tab(Tab.POSITIONS), "Positions", "Show the positions below."),
    Command(
        "fills", "3", lambda lists: lists.show_tab(Tab.FILLS), "Fills", "Show the executions of your orders below."
    ),
    Command("tape", "4", lambda lists: lists.show_tab(Tab.TAPE), "Tape", "Show the trades of the chosen market below."),
    Command("log", "5", lambda lists: lists.show_tab(Tab.LOG), "Log", "Show what has happened below, newest first."),
    Command(
        "chart", "6", lambda lists: lists.show_tab(Tab.CHART), "Chart", "Show the chart of the chosen market below."
    ),
    Command(
        "settlements",
        "7",
        lambda lists: lists.show_tab(Tab.SETTLEMENTS),
        "Settlements",
        "Show what settled markets have paid below.",
    ),
    Command(
        "alerts",
        "8",
        lambda lists: lists.show_tab(Tab.ALERTS),
        "Alerts",
        "Show the alerts below, and how far each is from ringing.",
    ),
    Command(
        "alert",
        "A",
        ListsController.new_alert,
        "New alert",
        "Write an alert for the chosen market, beginning with the price chosen in the book.",
        why_not=ListsController.no_market,
    ),
    Command(
        "sift",
        "z",
        ListsController.next_min_count,
        "Trade size",
        "Show trades of all sizes, of 10 or more, 100, 1,000, and your own.",
    ),
    Command(
        "export",
        "w",
        ListsController.export,
        "Write table",
        "Write the table below to a CSV file; the log says where.",
    ),
)
OPEN_LINE_COMMANDS: Final[tuple[Command[ListsController], ...]] = (
    Command(
        "open",
        "enter",
        ListsController.open_line,
        "Market",
        "Go to the market of this line.",
        in_bar=True,
        why_not=ListsController.cannot_open_line,
    ),
)
"""Apart from the others: it shares Enter with the filter, and stands before it."""
