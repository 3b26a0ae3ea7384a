"""What the desk does in the price ladder: show it, turn it over, cancel and move orders from its rows."""

from collections.abc import Callable

from kalshi_tui.domain.order import to_yes_price
from kalshi_tui.order_entry.pricing import grid_for_side
from kalshi_tui.session.interface import TradingSession
from kalshi_tui.ui.desk.desk_view import DeskPanes, DeskView
from kalshi_tui.ui.desk.order_controller import OrderController
from kalshi_tui.ui.desk.questions import cancel_row_question
from kalshi_tui.ui.desk.selection import DeskSelection
from kalshi_tui.ui.key_labels import key_for
from kalshi_tui.ui.ladder.ladder_reasons import cannot_cancel_row, cannot_nudge_order
from kalshi_tui.ui.ticket.amend import AmendScreen


class LadderController:
    """Carries out the commands on the rows of the focused ladder."""

    def __init__(
        self,
        session: TradingSession,
        view: DeskView,
        panes: DeskPanes,
        selection: DeskSelection,
        orders: OrderController,
        timer_ms: Callable[[], int],
    ) -> None:
        self._session = session
        self._view = view
        self._panes = panes
        self._selection = selection
        self._orders = orders
        self._timer_ms = timer_ms

    def toggle(self) -> None:
        """Show the ladder in the book's place, or the book again; the focus stays in the middle if it was there."""
        book, ladder = self._panes.book, self._panes.ladder
        before = self._selection.center_pane
        after = book if before is ladder else ladder
        had_focus = self._view.focused is before
        price = self._selection.center_price
        after.display, before.display = True, False
        if price is not None:
            # The same price of the same market: only the picture of it is another.
            after.select_price(price)
        if had_focus:
            self._view.set_focus(after)
        # Only once it has been laid out is it known how many rows there are.
        self._view.call_after_refresh(after.redraw)
        self._view.update_key_bar()

    def center(self) -> None:
        """Bring the market to the middle of the ladder."""
        self._selection.active_ladder.center_on_market()

    def flip_side(self) -> None:
        """Turn the ladder over to the other outcome."""
        self._selection.active_ladder.flip_side()

    def cancel_row(self) -> None:
        """Ask once, then cancel all orders that the question named."""
        orders = self._selection.orders_in_row
        if orders:
            self._orders.ask_to_cancel(orders, cancel_row_question(self._session.store, orders))

    def nudge(self, by: int) -> None:
        """Open the change of the row's order, at the price one row higher, or lower for a step below 0."""
        ladder = self._selection.active_ladder
        order, market = self._selection.order, self._session.store.markets.get(ladder.ticker)
        if order is None or market is None:
            return
        grid, price = grid_for_side(market, ladder.side), to_yes_price(ladder.side, order.yes_price)
        moved = grid.up(price) if by > 0 else grid.down(price)
        if moved == price:
            self._view.show_reason("The grid of prices ends here.")
            return
        self._view.app.push_screen(AmendScreen(self._session, order, self._timer_ms, to_yes_price(ladder.side, moved)))

    # Why a command does not work now, in a sentence; empty if it does.

    def cannot_toggle(self) -> str:
        """Return that there is no market to show."""
        return self._selection.no_market_reason()

    def not_shown(self) -> str:
        """Return that no ladder is shown."""
        if self._panes.ladder.display or self._selection.in_ladder:
            return ""
        return f"This key works while the ladder is shown: {key_for('view')} shows it."

    def cannot_cancel_row(self) -> str:
        """Return why there is nothing to cancel in the selected row."""
        return cannot_cancel_row(self._session, self._selection)

    def cannot_nudge(self) -> str:
        """Return why no order moves by a row."""
        return cannot_nudge_order(self._session, self._selection)
