"""What the desk does with what it shows: the chart, the tape's filter, tables written to the disk."""

from collections.abc import Callable

from kalshi_tui.session.desk import Desk
from kalshi_tui.session.store import Weight
from kalshi_tui.ui.export import table
from kalshi_tui.ui.export_file import Exporter
from kalshi_tui.ui.panes import Tab
from kalshi_tui.ui.screens.desk_watch import WatchDesk
from kalshi_tui.ui.tape_filter import next_least
from kalshi_tui.ui.widgets.tape_pane import TapePane
from kalshi_tui.ui.wishes import Wishes


class ListDesk(WatchDesk):
    """Carries out the commands on chart, tape and tables, and tells the session which chart is looked at."""

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

    def do_export(self) -> None:
        """Write the table that is shown below to the disk."""
        lower = self._lower
        rows = table(self._store, lower.tab, lower.chart.ticker, least=lower.least, minutes=lower.chart.minutes)
        done, sentence = self._exporter.write(lower.tab.value.lower(), rows)
        self._store.notify(Weight.GOOD if done else Weight.ERROR, sentence)
