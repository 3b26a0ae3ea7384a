"""What the desk does with orders and positions: write, change, send again, cancel, close."""

import logging
from collections.abc import Callable
from typing import Final

from kalshi_tui.domain.alerts import Alert
from kalshi_tui.domain.book import Side
from kalshi_tui.domain.order import Action, Order, TimeInForce
from kalshi_tui.domain.position import Position
from kalshi_tui.domain.price import COUNT_UNIT, Price
from kalshi_tui.domain.text import order_text
from kalshi_tui.session.account.list_reads import AccountList
from kalshi_tui.session.interface import TradingSession
from kalshi_tui.session.notices import Weight
from kalshi_tui.ui.availability import CommandContext
from kalshi_tui.ui.book.pane import BookPane
from kalshi_tui.ui.desk.questions import cancel_all_question, cancel_question, live_orders
from kalshi_tui.ui.dialogs.ask import AskScreen
from kalshi_tui.ui.lists.pane import LowerPane
from kalshi_tui.ui.lists.panes import Tab
from kalshi_tui.ui.lists.views import exit_price
from kalshi_tui.ui.market_list.pane import MarketListPane
from kalshi_tui.ui.market_list.watch_lists import WatchLists
from kalshi_tui.ui.ticket.amend import AmendScreen
from kalshi_tui.ui.ticket.review import ReviewScreen
from kalshi_tui.ui.ticket.screen import TicketScreen
from kalshi_tui.ui.ticket.start import TicketPrefill
from kalshi_tui.ui.ui_settings import UiSettings
from kalshi_tui.ui.widgets.command_screen import CommandScreen

MIN_TIME_TO_CLOSE_MS: Final = 3_600_000
_log: Final = logging.getLogger("kalshi_tui.ui")
"""A market that closes sooner moves too fast for a first trade."""


class OrderDesk(CommandScreen[None]):
    """Holds the panes in which something can be chosen, and carries out the commands on orders and positions."""

    def __init__(
        self, desk: TradingSession, clock_ms: Callable[[], int], timer_ms: Callable[[], int], ui_settings: UiSettings
    ) -> None:
        super().__init__(desk)
        self._clock_ms = clock_ms
        self._timer_ms = timer_ms
        self._store = desk.store
        self._watch_lists = WatchLists(ui_settings.data_folder)
        self._market_list = MarketListPane(
            desk.store, self._watch_lists, timer_ms, ui_settings.columns, plain=bool(ui_settings.plain_chart)
        )
        self._book = BookPane(desk.store)
        self._lower_pane = LowerPane(desk.store, plain_chart=bool(ui_settings.plain_chart))

    def redraw(self) -> None:
        """Draw everything."""
        raise NotImplementedError

    # What is chosen.

    def command_context(self) -> CommandContext:
        """Return what decides which commands work now."""
        item = self._lower_pane.selected_item if self._in_lower_list else None
        ticker = item if isinstance(item, str) else item.ticker if item else ""
        order, position = self._selected_order(), self._selected_position()
        subject = order or position
        markets = self._store.markets
        return CommandContext(
            market=markets.get(self._market_list.ticker),
            order=order,
            in_list=self._in_lower_list,
            in_filter=self._market_list.is_filter_focused,
            has_market=ticker in markets,
            read_only=self.desk.read_only_reason,
            in_book=self._in_book,
            no_price=self._book.no_price_reason,
            in_positions=self._in_positions,
            position=position,
            subject=markets.get(subject.ticker) if subject is not None else None,
            can_resend=order is not None and order.state.final and self.desk.resendable_terms(order) is not None,
            orders_unread=self._store.why_unread(AccountList.ORDERS),
            live_orders_here=len(live_orders(self._store, self._market_list.ticker)),
            on_chart=self._lower_pane.tab is Tab.CHART,
            in_alerts=self._in_alerts,
            alert=item if isinstance(item, Alert) else None,
            replaying=self.desk.replay is not None,
        )

    @property
    def _in_lower_list(self) -> bool:
        return self.focused is self._lower_pane.list

    @property
    def _in_book(self) -> bool:
        return self.focused is self._book

    @property
    def _in_positions(self) -> bool:
        return self._in_lower_list and self._lower_pane.tab is Tab.POSITIONS

    @property
    def _in_alerts(self) -> bool:
        return self._in_lower_list and self._lower_pane.tab is Tab.ALERTS

    def _selected_order(self) -> Order | None:
        """Return the order under the cursor of the order list; from elsewhere the only live one, if there is but one.

        From the lists of positions and alerts none: there the same keys mean the position or the alert.
        """
        if self._in_positions or self._in_alerts:
            return None
        if self._in_lower_list and self._lower_pane.tab is Tab.ORDERS:
            item = self._lower_pane.selected_item
            return item if isinstance(item, Order) else None
        live = self._store.working_orders()
        return live[0] if len(live) == 1 else None

    def _selected_position(self) -> Position | None:
        item = self._lower_pane.selected_item if self._in_positions else None
        return self._store.positions.get(item) if isinstance(item, str) else None

    def _selected_price(self) -> Price | None:
        """Return the price chosen in the book, in YES terms; elsewhere a resting cursor chooses none."""
        choice = self._book.selected_level if self._in_book else None
        return choice.yes_price if choice is not None and self._book.ticker == self._market_list.ticker else None

    def _ticket_prefill(self, action: Action) -> TicketPrefill:
        """Return what a ticket begins with that is opened from where the focus is."""
        return TicketPrefill(self._market_list.ticker, action, price=self._selected_price())

    def _select_market(self, ticker: str) -> None:
        """Follow a market, so that its book is live under what opens; the focus stays in the list."""
        came_from = self.focused
        if ticker != self._market_list.ticker:
            # In a ladder beside the others it is the chosen one, listed or not: what is listed stays so.
            self._market_list.select_market(ticker)
        if came_from is not None:
            self.set_focus(came_from)

    # Commands.

    def do_buy(self) -> None:
        """Open the ticket to buy."""
        self._open_ticket(self._ticket_prefill(Action.BUY))

    def do_sell(self) -> None:
        """Open the ticket to sell."""
        self._open_ticket(self._ticket_prefill(Action.SELL))

    def do_close_position(self) -> None:
        """Open the ticket to sell all of the chosen position at once."""
        position = self._selected_position()
        if position is None:
            return
        # Only a book that is good gives a price: a quote may be older than it looks.
        good = self._store.book(position.ticker).is_good
        self._select_market(position.ticker)
        self._open_ticket(
            TicketPrefill(
                position.ticker,
                Action.SELL,
                Side.YES if position.count > 0 else Side.NO,
                exit_price(self._store, position) if good else None,
                abs(position.count),
                TimeInForce.IOC,
                reduce_only=True,
            )
        )

    def _start_first_trade(self, trade: bool | None) -> None:
        """Open the ticket of a first trade: one contract, where most is traded, at the best offer."""
        if not trade:
            return
        quotes, soonest = self._store.quotes, self._clock_ms() + MIN_TIME_TO_CLOSE_MS
        calm = [
            market.ticker
            for market in self._store.markets.values()
            if market.status.tradable and market.close_ms > soonest and quotes[market.ticker].yes_ask is not None
        ]
        if not calm:
            self.show_reason("No market is listed yet to trade in; choose one when the list is there.")
            return
        ticker = max(calm, key=lambda each: quotes[each].volume_24h)
        self._market_list.select_market(ticker)
        start = TicketPrefill(ticker, Action.BUY, price=quotes[ticker].yes_ask, count=COUNT_UNIT)
        self._open_ticket(start)

    def _open_ticket(self, prefill: TicketPrefill) -> None:
        self.app.push_screen(TicketScreen(self.desk, prefill, self._timer_ms))

    def do_amend(self) -> None:
        """Open the change of the chosen order."""
        order = self._selected_order()
        if order is not None:
            self._select_market(order.ticker)
            self.app.push_screen(AmendScreen(self.desk, order, self._timer_ms))

    def do_repeat(self) -> None:
        """Open the review of an order that never arrived, under the id that it had."""
        order = self._selected_order()
        terms = self.desk.resendable_terms(order) if order is not None else None
        if order is not None and terms is not None:
            self._select_market(order.ticker)
            self.app.push_screen(ReviewScreen(self.desk, terms, self._timer_ms, client_order_id=order.client_order_id))

    def do_cancel(self) -> None:
        """Ask, then cancel the chosen order."""
        order = self._selected_order()
        if order is None:
            return

        def answered(yes: bool | None) -> None:
            if yes:
                self.app.run_worker(self._cancel(order), name="cancel", exit_on_error=False)

        self.app.push_screen(AskScreen(self.desk, "cancel", cancel_question(self._store, order)), answered)

    async def _cancel(self, order: Order) -> None:
        """Cancel; whatever goes wrong is said, for the trader has to know that the order may still rest."""
        try:
            await self.desk.cancel(order)
        except Exception as error:  # noqa: BLE001 - a defect must neither end the program nor stay unsaid
            _log.exception("A cancel failed inside the program.")
            sentence = f"The cancel of {order_text(order)} failed inside the program ({type(error).__name__})"
            self._store.notify(Weight.ERROR, f"{sentence}; the order may still rest.")

    def do_cancel_here(self) -> None:
        """Ask, then cancel all orders of the chosen market."""
        self._ask_to_cancel_all(self._market_list.ticker)

    def do_cancel_all(self) -> None:
        """Ask, then cancel all orders there are."""
        self._ask_to_cancel_all("")

    def _ask_to_cancel_all(self, ticker: str) -> None:
        def answered(yes: bool | None) -> None:
            if yes:
                self.app.run_worker(self._cancel_all(ticker), name="cancel all", exit_on_error=False)

        question = cancel_all_question(self._store, ticker)
        self.app.push_screen(AskScreen(self.desk, "cancel all", question), answered)

    async def _cancel_all(self, ticker: str) -> None:
        """Cancel all; the session says how it went, and a defect is said here."""
        where = f"in {ticker}" if ticker else "in all markets"
        self._store.notify(Weight.INFO, f"Canceling all orders {where}...")
        try:
            await self.desk.cancel_all(ticker)
        except Exception as error:  # noqa: BLE001 - as for one order
            _log.exception("Canceling all orders failed inside the program.")
            sentence = f"Canceling all orders {where} failed inside the program ({type(error).__name__})"
            self._store.notify(Weight.ERROR, f"{sentence}; orders may still rest.")
