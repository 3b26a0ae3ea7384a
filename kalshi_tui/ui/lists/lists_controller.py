"""What the desk does in the pane below: its lists, the chart, the tape's filter, alerts, tables written to the disk."""

from kalshi_tui.domain.order import Action, to_yes_price
from kalshi_tui.session.account.list_reads import AccountList
from kalshi_tui.session.alerts.text import alert_in_market_text
from kalshi_tui.session.interface import TradingSession
from kalshi_tui.session.notices import Severity
from kalshi_tui.ui.desk.desk_view import DeskPanes, DeskView
from kalshi_tui.ui.desk.selection import DeskSelection
from kalshi_tui.ui.dialogs.alert import AlertScreen, initial_alert_text
from kalshi_tui.ui.key_labels import key_for
from kalshi_tui.ui.lists import alert_reasons
from kalshi_tui.ui.lists.export import build_table
from kalshi_tui.ui.lists.export_file import Exporter
from kalshi_tui.ui.lists.panes import LISTS, PAGED_TABS, ListItem, Tab, has_more
from kalshi_tui.ui.lists.tape_filter import next_min_count, no_trades_text


class ListsController:
    """Carries out the commands on the lower pane, and tells the session which chart is looked at."""

    def __init__(
        self,
        session: TradingSession,
        view: DeskView,
        panes: DeskPanes,
        selection: DeskSelection,
        exporter: Exporter,
    ) -> None:
        self._session = session
        self._store = session.store
        self._view = view
        self._lower = panes.lower
        self._tape = panes.tape
        self._market_list = panes.market_list
        self._selection = selection
        self._exporter = exporter
        self._requested_chart: tuple[str, int] = ("", 0)

    def show_tab(self, tab: Tab) -> None:
        """Show another list."""
        self._lower.open_tab(tab)
        self.request_chart()
        self._view.update_key_bar()

    def open_line(self) -> None:
        """Go to the market of the selected line."""
        ticker = _ticker_of(self._lower.selected_item)
        if ticker in self._store.markets:
            self._market_list.select_market(ticker)
        elif ticker:
            self._view.app.run_worker(self._look_up(ticker), name="look up", exit_on_error=False)

    async def _look_up(self, ticker: str) -> None:
        """Ask the exchange for a market that the list lacks, and go there."""
        found = await self._session.look_up(ticker)
        if found.tickers:
            self._market_list.select_market(ticker)
        else:
            self._store.notify(Severity.WARNING, found.sentence)

    # The chart.

    def request_chart(self) -> None:
        """Request the chart that is shown, and none while none is shown."""
        chart = self._lower.chart
        shown = (chart.ticker, chart.period_minutes) if self._lower.tab is Tab.CHART else ("", 0)
        if shown != self._requested_chart:
            self._requested_chart = shown
            self._session.set_shown_chart(*shown)

    def next_period(self) -> None:
        """Chart the next period."""
        self._lower.chart.next_period()
        self.request_chart()
        self._lower.redraw()

    def toggle_chart_kind(self) -> None:
        """Chart candles or a line."""
        self._lower.chart.toggle_kind()
        self._lower.redraw()

    def move_crosshair(self, by: int) -> None:
        """Move the crosshair by so many candles."""
        self._lower.chart.move_crosshair(by)
        self._lower.redraw()

    # The tape, and tables.

    def next_min_count(self) -> None:
        """Show trades of the next size or more."""
        min_count = next_min_count(self._lower.min_count)
        self._lower.set_min_count(min_count)
        self._tape.set_min_count(min_count)

    def read_more(self) -> None:
        """Show what is older than the list."""
        which = LISTS[self._lower.tab]
        self._view.app.run_worker(self._read_more(which), name="older", exit_on_error=False)

    async def _read_more(self, which: AccountList) -> None:
        sentence = await self._session.read_more(which)
        if sentence:
            self._store.notify(Severity.WARNING, sentence)

    def cannot_read_more(self) -> str:
        """Return why there is nothing older to show."""
        tab = self._lower.tab
        if tab not in PAGED_TABS:
            return f"Older ones are read in the lists of orders ({key_for('orders')}) and fills ({key_for('fills')})."
        if unread := self._store.why_unread(LISTS[tab]):
            return unread
        return "" if has_more(self._store, tab) else "Nothing older is known to be there."

    def export(self) -> None:
        """Write the table that is shown to the disk."""
        lower = self._lower
        if lower.tab in LISTS and (unread := self._store.why_unread(LISTS[lower.tab])):
            # An empty table would say that there is nothing.
            self._store.notify(Severity.ERROR, f"Nothing is exported. {unread}")
            return
        if lower.tab is Tab.TAPE and lower.chart.ticker not in self._store.tapes:
            unread = no_trades_text(self._store, lower.chart.ticker, lower.min_count)
            self._store.notify(Severity.ERROR, f"Nothing is exported. {unread}")
            return
        rows = build_table(
            self._store, lower.tab, lower.chart.ticker, min_count=lower.min_count, minutes=lower.chart.period_minutes
        )
        done, sentence = self._exporter.write(lower.tab.value.lower(), rows)
        self._store.notify(Severity.GOOD if done else Severity.ERROR, sentence)

    # Alerts.

    def new_alert(self) -> None:
        """Open the line in which an alert for the selected market is written."""
        start = self._selection.ticket_prefill(Action.BUY)
        price = None if start.price is None else to_yes_price(start.side, start.price)
        text = initial_alert_text(self._store, start.ticker, price)
        self._view.app.push_screen(AlertScreen(self._session, start.ticker, text))

    def delete_alert(self) -> None:
        """Delete the selected alert, and say so."""
        alert = self._selection.alert
        if alert is not None:
            self._session.alerts.remove(alert.id)
            self._store.notify(Severity.INFO, f"Alert deleted: {alert_in_market_text(self._store, alert)}.")

    def rearm_alert(self) -> None:
        """Arm the selected alert again."""
        alert = self._selection.alert
        if alert is not None:
            self._store.notify(Severity.INFO, f"Alert armed again: {alert_in_market_text(self._store, alert)}.")
            self._session.alerts.rearm(alert.id)

    # Why a command does not work now, in a sentence; empty if it does.

    def no_market(self) -> str:
        """Return that no market is selected."""
        return self._selection.no_market_reason()

    def cannot_open_line(self) -> str:
        """Return why there is no line to go from."""
        if not self._selection.in_lower_list:
            return f"The key {key_for('open')} works in the list below: {key_for('pane')} goes there."
        return "" if _ticker_of(self._selection.list_item) else "This line belongs to no market."

    def chart_not_shown(self) -> str:
        """Return that no chart is shown."""
        return "" if self._lower.tab is Tab.CHART else f"The chart is not shown: {key_for('chart')} shows it."

    def cannot_move_crosshair(self) -> str:
        """Return why there is no crosshair to move."""
        if self._selection.in_book:
            return f"In the book {key_for('bids')} and {key_for('asks')} choose bids or asks."
        return self.chart_not_shown()

    def cannot_delete_alert(self) -> str:
        """Return why there is no alert to delete."""
        return alert_reasons.cannot_delete_alert(self._selection)

    def cannot_rearm_alert(self) -> str:
        """Return why there is no alert to arm again."""
        return alert_reasons.cannot_rearm_alert(self._selection)


def _ticker_of(item: ListItem | None) -> str:
    """Return the market of a line, empty for a line of none."""
    return "" if item is None else item if isinstance(item, str) else item.ticker
