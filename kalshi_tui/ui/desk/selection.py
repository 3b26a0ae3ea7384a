"""What is selected on the desk: the market, and what the cursor of the focused pane stands on."""

from kalshi_tui.domain.alerts import Alert
from kalshi_tui.domain.market import Market
from kalshi_tui.domain.order import Action, Order, to_yes_price
from kalshi_tui.domain.position import Position
from kalshi_tui.domain.price import Price
from kalshi_tui.session.alerts.monitor import why_silent
from kalshi_tui.session.store import Store
from kalshi_tui.ui.book.pane import BookPane
from kalshi_tui.ui.desk.desk_view import DeskPanes, DeskView
from kalshi_tui.ui.ladder.pane import LadderPane
from kalshi_tui.ui.ladder.rows import resting_orders_at
from kalshi_tui.ui.lists.panes import ListItem, Tab
from kalshi_tui.ui.ticket.start import TicketPrefill


class DeskSelection:
    """Reads panes and focus; it holds no state of its own, so it is never older than they are."""

    def __init__(self, store: Store, view: DeskView, panes: DeskPanes) -> None:
        self._store = store
        self._view = view
        self._panes = panes

    # The panes.

    @property
    def center_pane(self) -> BookPane | LadderPane:
        """The book, or the ladder in its place: the one that is shown."""
        return self._panes.ladder if self._panes.ladder.display else self._panes.book

    @property
    def active_ladder(self) -> LadderPane:
        """The ladder that has the focus, else the one in the book's place."""
        focused = self._view.focused
        return focused if isinstance(focused, LadderPane) else self._panes.ladder

    @property
    def in_center(self) -> bool:
        """Whether the arrows move in the book or in a ladder."""
        return self._view.focused is self.center_pane or self.in_ladder

    @property
    def in_book(self) -> bool:
        """Whether the arrows move in the book."""
        return self._view.focused is self._panes.book

    @property
    def in_ladder(self) -> bool:
        """Whether the arrows move in a ladder."""
        return isinstance(self._view.focused, LadderPane)

    @property
    def in_lower_list(self) -> bool:
        """Whether the arrows move in the lower list."""
        return self._view.focused is self._panes.lower.list

    @property
    def in_positions(self) -> bool:
        """Whether the arrows move in the list of positions."""
        return self.in_lower_list and self._panes.lower.tab is Tab.POSITIONS

    @property
    def in_alerts(self) -> bool:
        """Whether the arrows move in the list of alerts."""
        return self.in_lower_list and self._panes.lower.tab is Tab.ALERTS

    @property
    def pane_name(self) -> str:
        """The name of the pane that has the focus, for a sentence."""
        if self.in_lower_list:
            return f"the list below: {self._panes.lower.tab.value.lower()}"
        if self.in_center:
            return "the price ladder" if self.in_ladder else "the book"
        return "the filter" if self._panes.market_list.is_filter_focused else "the market list"

    # What the cursor stands on.

    @property
    def ticker(self) -> str:
        """The selected market's ticker; empty if there is none."""
        return self._panes.market_list.ticker

    @property
    def market(self) -> Market | None:
        """The selected market; None if there is none, or if the exchange does not list it."""
        return self._store.markets.get(self.ticker)

    @property
    def list_item(self) -> ListItem | None:
        """What stands in the selected line of the lower list; None while the focus is elsewhere."""
        return self._panes.lower.selected_item if self.in_lower_list else None

    @property
    def order(self) -> Order | None:
        """The order that a command means.

        In the list of orders it is the selected one, in a ladder the only one of the selected row, from elsewhere the
        only live one there is. From the lists of positions and alerts none: there the same keys mean the position or
        the alert.
        """
        if self.in_ladder:
            orders = self.orders_in_row
            return orders[0] if len(orders) == 1 else None
        if self.in_positions or self.in_alerts:
            return None
        if self.in_lower_list and self._panes.lower.tab is Tab.ORDERS:
            item = self.list_item
            return item if isinstance(item, Order) else None
        view = self._store.account.view
        live = [each for each in self._store.working_orders() if view.includes(each.subaccount)]
        return live[0] if len(live) == 1 else None

    @property
    def orders_in_row(self) -> list[Order]:
        """The trader's orders that rest at the price selected in the focused ladder."""
        ladder = self.active_ladder
        price = ladder.selected_price if self.in_ladder else None
        if price is None:
            return []
        return resting_orders_at(self._store.account.orders_in_view(), ladder.ticker, to_yes_price(ladder.side, price))

    @property
    def position(self) -> Position | None:
        """The position in the selected line of their list."""
        item = self.list_item if self.in_positions else None
        return item if isinstance(item, Position) else None

    @property
    def alert(self) -> Alert | None:
        """The alert in the selected line of their list."""
        item = self.list_item
        return item if isinstance(item, Alert) else None

    @property
    def why_alert_silent(self) -> str:
        """Why the selected alert cannot ring on this desk, empty if it can."""
        alert = self.alert
        return why_silent(self._store, alert) if alert is not None else ""

    # Prices.

    @property
    def book_price(self) -> Price | None:
        """The price selected in the book, in YES terms. While the focus is elsewhere the cursor there selects none."""
        book = self._panes.book
        level = book.selected_level if self.in_book else None
        return level.yes_price if level is not None and book.ticker == self.ticker else None

    @property
    def center_price(self) -> Price | None:
        """The price selected in the book, or in the ladder in its place, in YES terms."""
        ladder = self._panes.ladder
        if self._view.focused is not ladder:
            return self.book_price
        price = ladder.selected_price
        return None if price is None else to_yes_price(ladder.side, price)

    @property
    def no_price_reason(self) -> str:
        """Why the cursor of the book or the ladder names no price to trade at; empty if it does, or is elsewhere."""
        if self.in_ladder:
            return self.active_ladder.no_price_reason
        return self._panes.book.no_price_reason if self.in_book else ""

    def ticket_prefill(self, action: Action) -> TicketPrefill:
        """Return what a ticket begins with: in a ladder its market, outcome and row, else what the book says."""
        ladder = self.active_ladder
        if not self.in_ladder or not ladder.ticker:
            return TicketPrefill(self.ticker, action, price=self.book_price)
        if (price := ladder.selected_price) is None:
            return TicketPrefill(ladder.ticker, action)
        return TicketPrefill(ladder.ticker, action, ladder.side, price)

    # Why a command on the selected market does not work.

    def no_market_reason(self) -> str:
        """Return that no market is selected; empty if one is."""
        return "" if self.market is not None else "There is no chosen market."

    def cannot_trade_reason(self) -> str:
        """Return why the selected market cannot be traded in; empty if it can."""
        market = self.market
        if market is None:
            return "There is no chosen market to trade in."
        return "" if market.status.tradable else f"This market takes no orders: it is {market.status.value}."
