"""What the desk does with orders and positions: open the ticket, change, send again, cancel, close."""

import logging
from collections.abc import Callable
from typing import Final

from kalshi_tui.domain.book import Side
from kalshi_tui.domain.order import Action, Order, OrderState, TimeInForce
from kalshi_tui.domain.price import COUNT_UNIT
from kalshi_tui.domain.text import named_order_text
from kalshi_tui.session.account.list_reads import AccountList
from kalshi_tui.session.interface import TradingSession
from kalshi_tui.session.notices import Severity
from kalshi_tui.ui.desk.desk_view import DeskView
from kalshi_tui.ui.desk.questions import cancel_all_question, cancel_question, live_orders
from kalshi_tui.ui.desk.selection import DeskSelection
from kalshi_tui.ui.dialogs.ask import AskScreen
from kalshi_tui.ui.key_labels import key_for
from kalshi_tui.ui.ladder.ladder_reasons import cannot_cancel_row, not_single_order
from kalshi_tui.ui.lists.alert_reasons import cannot_delete_alert, cannot_rearm_alert
from kalshi_tui.ui.market_list.pane import MarketListPane
from kalshi_tui.ui.ticket.amend import AmendScreen
from kalshi_tui.ui.ticket.review import ReviewScreen
from kalshi_tui.ui.ticket.screen import TicketScreen
from kalshi_tui.ui.ticket.start import TicketPrefill

MIN_TIME_TO_CLOSE_MS: Final = 3_600_000
"""A market that closes sooner moves too fast for a first trade."""
NOT_LISTED: Final = "This market is being read, or not known to the exchange."
_log: Final = logging.getLogger("kalshi_tui.ui")


class OrderController:
    """Carries out the commands on orders and positions. It sends nothing itself: reviews and the session do."""

    def __init__(
        self,
        session: TradingSession,
        view: DeskView,
        selection: DeskSelection,
        market_list: MarketListPane,
        clock_ms: Callable[[], int],
        timer_ms: Callable[[], int],
    ) -> None:
        self._session = session
        self._store = session.store
        self._view = view
        self._selection = selection
        self._market_list = market_list
        self._clock_ms = clock_ms
        self._timer_ms = timer_ms

    # Opening the ticket.

    def buy(self) -> None:
        """Open the ticket to buy."""
        self._open_ticket(self._selection.ticket_prefill(Action.BUY))

    def sell(self) -> None:
        """Open the ticket to sell."""
        self._open_ticket(self._selection.ticket_prefill(Action.SELL))

    def close_position(self) -> None:
        """Open the ticket to sell all of the selected position at once."""
        position = self._selection.position
        if position is None:
            return
        # Only a good book gives a price: a quote may be older than it looks.
        worth = self._store.valuation.value_of(position).worth
        is_good = self._store.book(position.ticker).is_good
        self._show_market(position.ticker)
        self._open_ticket(
            TicketPrefill(
                position.ticker,
                Action.SELL,
                Side.YES if position.count > 0 else Side.NO,
                worth.best_price if worth is not None and is_good else None,
                abs(position.count),
                TimeInForce.IOC,
                reduce_only=True,
                subaccount=position.subaccount,
            )
        )

    def start_first_trade(self) -> None:
        """Open the ticket of a first trade: one contract, where most is traded, at the best offer."""
        quotes, soonest_ms = self._store.quotes, self._clock_ms() + MIN_TIME_TO_CLOSE_MS
        calm = [
            market.ticker
            for market in self._store.markets.values()
            if market.status.tradable
            and market.expected_end_ms > soonest_ms
            and quotes[market.ticker].yes_ask is not None
        ]
        if not calm:
            self._view.show_reason("No market is listed yet to trade in; choose one when the list is there.")
            return
        ticker = max(calm, key=lambda each: quotes[each].volume_24h or 0)
        self._market_list.select_market(ticker)
        self._open_ticket(TicketPrefill(ticker, Action.BUY, price=quotes[ticker].yes_ask, count=COUNT_UNIT))

    def _open_ticket(self, prefill: TicketPrefill) -> None:
        self._view.app.push_screen(TicketScreen(self._session, prefill, self._timer_ms))

    # Changing and sending again.

    def amend(self) -> None:
        """Open the change of the selected order."""
        order = self._selection.order
        if order is not None:
            self._show_market(order.ticker)
            self._view.app.push_screen(AmendScreen(self._session, order, self._timer_ms))

    def resend(self) -> None:
        """Open the review of an order that never arrived, under the id that it had."""
        order = self._selection.order
        terms = self._session.resendable_terms(order) if order is not None else None
        if order is not None and terms is not None:
            self._show_market(order.ticker)
            self._view.app.push_screen(
                ReviewScreen(self._session, terms, self._timer_ms, client_order_id=order.client_order_id)
            )

    def _show_market(self, ticker: str) -> None:
        """Select a market, so that its book is live under what opens; the focus stays where it is."""
        came_from = self._view.focused
        if ticker != self._selection.ticker:
            # A market whose ladder stands beside is selected already, listed or not: the list must not lose its place.
            self._market_list.select_market(ticker)
        if came_from is not None:
            self._view.set_focus(came_from)

    # Canceling.

    def cancel(self) -> None:
        """Ask, then cancel the selected order."""
        order = self._selection.order
        if order is not None:
            self.ask_to_cancel([order], cancel_question(self._store, order))

    def ask_to_cancel(self, orders: list[Order], question: str) -> None:
        """Ask once, then cancel exactly the orders that the question named."""

        def answered(yes: bool | None) -> None:
            for order in orders if yes else []:
                self._view.app.run_worker(self._cancel(order), name="cancel", exit_on_error=False)

        self._view.app.push_screen(AskScreen(self._session, "cancel", question), answered)

    async def _cancel(self, order: Order) -> None:
        """Cancel; whatever goes wrong is said, for the trader has to know that the order may still rest."""
        try:
            await self._session.cancel(order)
        except Exception as error:  # noqa: BLE001 - a defect must neither end the program nor stay unsaid
            _log.exception("A cancel failed inside the program.")
            sentence = f"The cancel of {named_order_text(order)} failed inside the program ({type(error).__name__})"
            self._store.notify(Severity.ERROR, f"{sentence}; the order may still rest.", order.ticker)

    def cancel_in_market(self) -> None:
        """Ask, then cancel all orders of the selected market."""
        self._ask_to_cancel_all(self._selection.ticker)

    def cancel_all(self) -> None:
        """Ask, then cancel all orders there are."""
        self._ask_to_cancel_all("")

    def _ask_to_cancel_all(self, ticker: str) -> None:
        def answered(yes: bool | None) -> None:
            if yes:
                self._view.app.run_worker(self._cancel_all(ticker, scope), name="cancel all", exit_on_error=False)

        # Those that the question names, whatever is in view when it is answered.
        scope = self._store.account.view.scope
        question = cancel_all_question(self._store, ticker)
        self._view.app.push_screen(AskScreen(self._session, "cancel all", question), answered)

    async def _cancel_all(self, ticker: str, subaccount: int | None) -> None:
        """Cancel all; the session says how it went, and a defect is said here."""
        where = f"in {ticker}" if ticker else "in all markets"
        self._store.notify(Severity.INFO, f"Canceling all orders {where}...")
        try:
            await self._session.cancel_all(ticker, subaccount)
        except Exception as error:  # noqa: BLE001 - as for one order
            _log.exception("Canceling all orders failed inside the program.")
            sentence = f"Canceling all orders {where} failed inside the program ({type(error).__name__})"
            self._store.notify(Severity.ERROR, f"{sentence}; orders may still rest.")

    # Why a command does not work now, in a sentence; empty if it does.

    def cannot_open_ticket(self) -> str:
        """Return why no ticket opens: nothing to trade in, or a price of the book that is none any more."""
        return self._selection.cannot_trade_reason() or self._selection.no_price_reason

    def cannot_cancel(self) -> str:
        """Return why there is nothing to cancel."""
        selection = self._selection
        if selection.in_positions:
            return (
                self.cannot_close_position()
                or f"In the list of positions {key_for('close-position')} closes a position."
            )
        if selection.in_alerts:
            return (
                cannot_delete_alert(selection) or f"In the list of alerts {key_for('delete-alert')} deletes an alert."
            )
        if selection.in_ladder:
            return (
                cannot_cancel_row(self._session, selection)
                or f"In the ladder {key_for('cancel-row')} cancels all that rests in the row."
            )
        return self._session.read_only_reason or _not_resting(selection.order, "canceled")

    def cannot_amend(self) -> str:
        """Return why there is nothing to change."""
        selection = self._selection
        if selection.in_alerts:
            return cannot_rearm_alert(selection) or f"In the list of alerts {key_for('rearm')} arms an alert again."
        if reason := self._session.read_only_reason:
            return reason
        if selection.in_ladder and (reason := not_single_order(self._session, selection)):
            return reason
        order = selection.order
        return _not_resting(order, "changed") or self._not_listed(order.ticker if order is not None else "")

    def cannot_resend(self) -> str:
        """Return why there is nothing to send again."""
        if reason := self._session.read_only_reason:
            return reason
        order = self._selection.order
        if order is None:
            return _no_order_selected()
        if order.state.final and self._session.resendable_terms(order) is not None:
            return self._not_listed(order.ticker)
        if order.state is OrderState.NOT_SENT:
            return "This order cannot be sent again under its own id: write a new one."
        return f"This order is {order.state.word}; only one that never arrived can be resent."

    def cannot_close_position(self) -> str:
        """Return why there is no position to close."""
        if not self._selection.in_positions:
            return (
                f"The key {key_for('close-position')} closes a position in their list: "
                f"{key_for('positions')} shows it, and {key_for('pane')} goes there."
            )
        position = self._selection.position
        if position is None:
            return "No position stands in this line."
        market = self._store.markets.get(position.ticker)
        if market is not None and not market.status.tradable:
            return f"This market takes no orders: it is {market.status.value}."
        return "" if market is not None else NOT_LISTED

    def cannot_cancel_in_market(self) -> str:
        """Return why there is nothing to cancel in the selected market."""
        if reason := self._session.read_only_reason or self._selection.no_market_reason():
            return reason
        if live_orders(self._store, self._selection.ticker):
            return ""
        if unread := self._store.why_unread(AccountList.ORDERS):
            return f"Your orders: {unread} {key_for('cancel-all')} has the exchange cancel all in all markets."
        return "You have no open order in this market."

    def cannot_cancel_all(self) -> str:
        """Return why nothing can be canceled anywhere.

        That no order is known to rest is no reason: the exchange may know of one.
        """
        return self._session.read_only_reason

    def _not_listed(self, ticker: str) -> str:
        return "" if ticker in self._store.markets else NOT_LISTED


def _not_resting(order: Order | None, done: str) -> str:
    if order is None:
        return _no_order_selected()
    if order.state is not OrderState.RESTING:
        return f"This order is {order.state.word}; only a resting one can be {done}."
    return ""


def _no_order_selected() -> str:
    return f"No order is chosen: {key_for('orders')} shows the orders, and {key_for('pane')} goes there."
