"""What the desk does with what it shows: the chart, the tape's filter, alerts, tables written to the disk."""

from collections.abc import Callable

from kalshi_tui.domain.alerts import Alert
from kalshi_tui.domain.order import Action, yes_price
from kalshi_tui.session.alerts.text import kept_words
from kalshi_tui.session.interface import Desk
from kalshi_tui.session.notices import Weight
from kalshi_tui.ui.dialogs.alert import AlertScreen, first_text
from kalshi_tui.ui.lists.export import table
from kalshi_tui.ui.lists.export_file import Exporter
from kalshi_tui.ui.lists.panes import LISTS, Tab
from kalshi_tui.ui.lists.tape_filter import next_least
from kalshi_tui.ui.lists.tape_pane import TapePane
from kalshi_tui.ui.market_list.desk_watch import WatchDesk
from kalshi_tui.ui.ui_settings import Wishes


class ListDesk(WatchDesk):
    """Carries out the commands on chart, tape, alerts and tables, and tells the session which chart is looked at."""

    def __init__(self, desk: Desk, clock_ms: Callable[[], int], timer_ms: Callable[[], int], wishes: Wishes) -> None:
        super().__init__(desk, clock_ms, timer_ms, wishes)
        self._exporter = Exporter(wishes.export_folder, clock_ms)
        self._tape = TapePane(desk.store)
        self._chart_told: tuple[str, int] = ("", 0)

    def follow_chart(self) -> None:
        """Have the chart that is shown read, and none while none is."""
        chart = self._lower.chart
        shown = (chart.ticker, chart.minutes) if self._lower.tab is Tab.CHART else ("", 0)
        if shown != self._chart_told:
            self._chart_told = shown
            self.desk.look_at_chart(*shown)

    def do_period(self) -> None:
        """Chart the next period."""
        self._lower.chart.turn_period()
        self.follow_chart()
        self._lower.redraw()

    def do_chart_kind(self) -> None:
        """Chart candles or a line."""
        self._lower.chart.turn_kind()
        self._lower.redraw()

    def do_crosshair(self, by: int) -> None:
        """Move the crosshair."""
        self._lower.chart.move(by)
        self._lower.redraw()

    def do_sift(self) -> None:
        """Show trades of the next size or more."""
        least = next_least(self._lower.least)
        self._lower.sift(least)
        self._tape.sift(least)

    def do_alert(self) -> None:
        """Open the line in which an alert for the chosen market is written."""
        start = self._start(Action.BUY)
        price = None if start.price is None else yes_price(start.side, start.price)
        self.app.push_screen(AlertScreen(self.desk, start.ticker, first_text(self._store, start.ticker, price)))

    def do_delete_alert(self) -> None:
        """Delete the chosen alert, and say so."""
        alert = self._lower.item
        if isinstance(alert, Alert):
            self.desk.alerts.remove(alert.id)
            self._store.notify(Weight.INFO, f"Alert deleted: {kept_words(self._store, alert)}.")

    def do_rearm(self) -> None:
        """Arm the chosen alert again."""
        alert = self._lower.item
        if isinstance(alert, Alert):
            self._store.notify(Weight.INFO, f"Alert armed again: {kept_words(self._store, alert)}.")
            self.desk.alerts.rearm(alert.id)

    def do_export(self) -> None:
        """Write the table that is shown below to the disk."""
        lower = self._lower
        if lower.tab in LISTS and (unread := self._store.why_unread(LISTS[lower.tab])):
            # An empty table would say that there is nothing.
            self._store.notify(Weight.ERROR, f"Nothing is exported. {unread}")
            return
        rows = table(self._store, lower.tab, lower.chart.ticker, least=lower.least, minutes=lower.chart.minutes)
        done, sentence = self._exporter.write(lower.tab.value.lower(), rows)
        self._store.notify(Weight.GOOD if done else Weight.ERROR, sentence)
