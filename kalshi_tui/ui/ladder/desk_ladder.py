"""What the desk does in the price ladder: show it, turn it over, trade, cancel and move orders from its rows."""

from collections.abc import Callable
from dataclasses import replace

from textual import on

from kalshi_tui.domain.order import Action, Order, to_yes_price
from kalshi_tui.domain.price import Price
from kalshi_tui.order_entry.pricing import grid_for_side
from kalshi_tui.session.interface import TradingSession
from kalshi_tui.ui.availability import CommandContext
from kalshi_tui.ui.book.pane import BookPane
from kalshi_tui.ui.desk.questions import cancel_row_question
from kalshi_tui.ui.desk.recording import RecordingDesk
from kalshi_tui.ui.dialogs.ask import AskScreen
from kalshi_tui.ui.ladder.pane import LadderPane
from kalshi_tui.ui.ladder.rows import resting_orders_at
from kalshi_tui.ui.ticket.amend import AmendScreen
from kalshi_tui.ui.ticket.start import TicketPrefill
from kalshi_tui.ui.ui_settings import UiSettings


class LadderDesk(RecordingDesk):
    """Holds the ladder, which can take the book's place, and carries out the commands on its rows."""

    def __init__(
        self, desk: TradingSession, clock_ms: Callable[[], int], timer_ms: Callable[[], int], ui_settings: UiSettings
    ) -> None:
        super().__init__(desk, clock_ms, timer_ms, ui_settings)
        self._ladder = LadderPane(desk.store)
        self._ladder.display = False

    # What is chosen.

    @property
    def _center_pane(self) -> BookPane | LadderPane:
        """The one of the two that is shown."""
        return self._ladder if self._ladder.display else self._book

    @property
    def _active_ladder(self) -> LadderPane:
        """The ladder that has the focus, else the one in the book's place."""
        return self.focused if isinstance(self.focused, LadderPane) else self._ladder

    @property
    def _in_center(self) -> bool:
        return self.focused is self._center_pane or self._in_ladder

    @property
    def _in_ladder(self) -> bool:
        return isinstance(self.focused, LadderPane)

    def command_context(self) -> CommandContext:
        """Add what of the ladder decides which commands work."""
        now = replace(super().command_context(), ladder=bool(self._ladder.display) or self._in_ladder)
        if not self._in_ladder:
            return now
        return replace(
            now, in_ladder=True, no_price=self._active_ladder.no_price_reason, row_orders=len(self._orders_in_row())
        )

    def _orders_in_row(self) -> list[Order]:
        """Return the trader's orders that rest at the price chosen in the ladder."""
        price = self._active_ladder.selected_price if self._in_ladder else None
        if price is None:
            return []
        at = to_yes_price(self._active_ladder.side, price)
        return resting_orders_at(self._store.orders.values(), self._active_ladder.ticker, at)

    def _selected_order(self) -> Order | None:
        """Return in the ladder the order of the chosen row, if it is the only one there."""
        if not self._in_ladder:
            return super()._selected_order()
        orders = self._orders_in_row()
        return orders[0] if len(orders) == 1 else None

    def _ticket_prefill(self, action: Action) -> TicketPrefill:
        """Begin in the ladder with its market, and with price and outcome of its row where one is chosen."""
        if not self._in_ladder or not self._active_ladder.ticker:
            return super()._ticket_prefill(action)
        if (price := self._active_ladder.selected_price) is None:
            return TicketPrefill(self._active_ladder.ticker, action)
        return TicketPrefill(self._active_ladder.ticker, action, self._active_ladder.side, price)

    @on(LadderPane.RowSelected)
    def _row_selected(self) -> None:
        self.update_key_bar()

    # Commands.

    def do_view(self) -> None:
        """Show the ladder in the book's place, or the book again; the focus stays in the middle if it was there."""
        before = self._center_pane
        after = self._book if before is self._ladder else self._ladder
        was_there = self.focused is before
        chosen = self._center_price()
        after.display, before.display = True, False
        if chosen is not None:
            # The same price of the same market: only the picture of it is another.
            after.select_price(chosen)
        if was_there:
            self.set_focus(after)
        # Only once it has been laid out is it known how many rows there are.
        self.call_after_refresh(after.redraw)
        self.update_key_bar()

    def _center_price(self) -> Price | None:
        """Return the price chosen in book or ladder, in YES terms."""
        if self.focused is not self._ladder:
            return self._selected_price()
        price = self._ladder.selected_price
        return None if price is None else to_yes_price(self._ladder.side, price)

    def do_centre(self) -> None:
        """Bring the market to the middle of the ladder."""
        self._active_ladder.center_on_market()

    def do_mirror(self) -> None:
        """Turn the ladder over to the other outcome."""
        self._active_ladder.flip_side()

    def do_cancel_row(self) -> None:
        """Ask once, then cancel all orders that the question named."""
        orders = self._orders_in_row()
        if not orders:
            return

        def answered(yes: bool | None) -> None:
            for order in orders if yes else []:
                self.app.run_worker(self._cancel(order), name="cancel", exit_on_error=False)

        self.app.push_screen(AskScreen(self.desk, "cancel", cancel_row_question(self._store, orders)), answered)

    def do_nudge(self, by: int) -> None:
        """Open the change of the row's order, at the price one row higher or lower."""
        order, market = self._selected_order(), self._store.markets.get(self._active_ladder.ticker)
        if order is None or market is None:
            return
        side = self._active_ladder.side
        grid, price = grid_for_side(market, side), to_yes_price(side, order.yes_price)
        moved = grid.up(price) if by > 0 else grid.down(price)
        if moved == price:
            self.show_reason("The grid of prices ends here.")
            return
        self.app.push_screen(AmendScreen(self.desk, order, self._timer_ms, to_yes_price(side, moved)))
