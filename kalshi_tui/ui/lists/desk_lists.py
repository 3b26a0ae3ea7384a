"""What the desk does with what it shows: the chart, the tape's filter, alerts, tables written to the disk."""

from collections.abc import Callable

from kalshi_tui.domain.alerts import Alert
from kalshi_tui.domain.order import Action, to_yes_price
from kalshi_tui.session.alerts.text import alert_in_market_text
from kalshi_tui.session.interface import TradingSession
from kalshi_tui.session.notices import Weight
from kalshi_tui.ui.dialogs.alert import AlertScreen, initial_alert_text
from kalshi_tui.ui.lists.export import build_table
from kalshi_tui.ui.lists.export_file import Exporter
from kalshi_tui.ui.lists.panes import LISTS, Tab
from kalshi_tui.ui.lists.tape_filter import next_min_count
from kalshi_tui.ui.lists.tape_pane import TapePane
from kalshi_tui.ui.market_list.desk_watch import WatchDesk
from kalshi_tui.ui.ui_settings import UiSettings


class ListDesk(WatchDesk):
    """Carries out the commands on chart, tape, alerts and tables, and tells the session which chart is looked at."""

    def __init__(
        self, desk: TradingSession, clock_ms: Callable[[], int], timer_ms: Callable[[], int], ui_settings: UiSettings
    ) -> None:
        super().__init__(desk, clock_ms, timer_ms, ui_settings)
        self._exporter = Exporter(ui_settings.export_folder, clock_ms)
        self._tape = TapePane(desk.store)
        self._requested_chart: tuple[str, int] = ("", 0)

    def request_chart(self) -> None:
        """Have the chart that is shown read, and none while none is."""
        chart = self._lower_pane.chart
        shown = (chart.ticker, chart.period_minutes) if self._lower_pane.tab is Tab.CHART else ("", 0)
        if shown != self._requested_chart:
            self._requested_chart = shown
            self.desk.set_shown_chart(*shown)

    def do_period(self) -> None:
        """Chart the next period."""
        self._lower_pane.chart.next_period()
        self.request_chart()
        self._lower_pane.redraw()

    def do_chart_kind(self) -> None:
        """Chart candles or a line."""
        self._lower_pane.chart.toggle_kind()
        self._lower_pane.redraw()

    def do_crosshair(self, by: int) -> None:
        """Move the crosshair."""
        self._lower_pane.chart.move_crosshair(by)
        self._lower_pane.redraw()

    def do_sift(self) -> None:
        """Show trades of the next size or more."""
        least = next_min_count(self._lower_pane.min_count)
        self._lower_pane.set_min_count(least)
        self._tape.set_min_count(least)

    def do_alert(self) -> None:
        """Open the line in which an alert for the chosen market is written."""
        start = self._ticket_prefill(Action.BUY)
        price = None if start.price is None else to_yes_price(start.side, start.price)
        self.app.push_screen(AlertScreen(self.desk, start.ticker, initial_alert_text(self._store, start.ticker, price)))

    def do_delete_alert(self) -> None:
        """Delete the chosen alert, and say so."""
        alert = self._lower_pane.selected_item
        if isinstance(alert, Alert):
            self.desk.alerts.remove(alert.id)
            self._store.notify(Weight.INFO, f"Alert deleted: {alert_in_market_text(self._store, alert)}.")

    def do_rearm(self) -> None:
        """Arm the chosen alert again."""
        alert = self._lower_pane.selected_item
        if isinstance(alert, Alert):
            self._store.notify(Weight.INFO, f"Alert armed again: {alert_in_market_text(self._store, alert)}.")
            self.desk.alerts.rearm(alert.id)

    def do_export(self) -> None:
        """Write the table that is shown below to the disk."""
        lower = self._lower_pane
        if lower.tab in LISTS and (unread := self._store.why_unread(LISTS[lower.tab])):
            # An empty table would say that there is nothing.
            self._store.notify(Weight.ERROR, f"Nothing is exported. {unread}")
            return
        rows = build_table(
            self._store, lower.tab, lower.chart.ticker, min_count=lower.min_count, minutes=lower.chart.period_minutes
        )
        done, sentence = self._exporter.write(lower.tab.value.lower(), rows)
        self._store.notify(Weight.GOOD if done else Weight.ERROR, sentence)
