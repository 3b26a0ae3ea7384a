"""What the desk does in the price ladder: show it, turn it over, trade, cancel and move orders from its rows."""

from collections.abc import Callable
from dataclasses import replace

from textual import on

from kalshi_tui.domain.order import Action, Order, yes_price
from kalshi_tui.domain.price import Price
from kalshi_tui.order_entry.pricing import grid_of
from kalshi_tui.session.interface import Desk
from kalshi_tui.ui.availability import Situation
from kalshi_tui.ui.book.pane import BookPane
from kalshi_tui.ui.desk.questions import cancel_row_question
from kalshi_tui.ui.desk.recording import RecordingDesk
from kalshi_tui.ui.dialogs.ask import AskScreen
from kalshi_tui.ui.ladder.pane import LadderPane
from kalshi_tui.ui.ladder.rows import row_orders
from kalshi_tui.ui.ticket.amend import AmendScreen
from kalshi_tui.ui.ticket.start import TicketStart
from kalshi_tui.ui.ui_settings import Wishes


class LadderDesk(RecordingDesk):
    """Holds the ladder, which can take the book's place, and carries out the commands on its rows."""

    def __init__(self, desk: Desk, clock_ms: Callable[[], int], timer_ms: Callable[[], int], wishes: Wishes) -> None:
        super().__init__(desk, clock_ms, timer_ms, wishes)
        self._ladder = LadderPane(desk.store)
        self._ladder.display = False

    # What is chosen.

    @property
    def _middle(self) -> BookPane | LadderPane:
        """The one of the two that is shown."""
        return self._ladder if self._ladder.display else self._book

    @property
    def _here(self) -> LadderPane:
        """The ladder that has the focus, else the one in the book's place."""
        return self.focused if isinstance(self.focused, LadderPane) else self._ladder

    @property
    def _in_middle(self) -> bool:
        return self.focused is self._middle or self._in_ladder

    @property
    def _in_ladder(self) -> bool:
        return isinstance(self.focused, LadderPane)

    def situation(self) -> Situation:
        """Add what of the ladder decides which commands work."""
        now = replace(super().situation(), ladder=bool(self._ladder.display) or self._in_ladder)
        if not self._in_ladder:
            return now
        return replace(now, in_ladder=True, no_price=self._here.no_price, row_orders=len(self._row_orders()))

    def _row_orders(self) -> list[Order]:
        """Give the trader's orders that rest at the price chosen in the ladder."""
        price = self._here.price if self._in_ladder else None
        if price is None:
            return []
        at = yes_price(self._here.side, price)
        return row_orders(self._store.orders.values(), self._here.ticker, at)

    def _chosen_order(self) -> Order | None:
        """Give in the ladder the order of the chosen row, if it is the only one there."""
        if not self._in_ladder:
            return super()._chosen_order()
        orders = self._row_orders()
        return orders[0] if len(orders) == 1 else None

    def _start(self, action: Action) -> TicketStart:
        """Begin in the ladder with its market, and with price and outcome of its row where one is chosen."""
        if not self._in_ladder or not self._here.ticker:
            return super()._start(action)
        if (price := self._here.price) is None:
            return TicketStart(self._here.ticker, action)
        return TicketStart(self._here.ticker, action, self._here.side, price)

    @on(LadderPane.RowChosen)
    def _row_chosen(self) -> None:
        self.draw_keys()

    # Commands.

    def do_view(self) -> None:
        """Show the ladder in the book's place, or the book again; the focus stays in the middle if it was there."""
        before = self._middle
        after = self._book if before is self._ladder else self._ladder
        was_there = self.focused is before
        chosen = self._in_middle_price()
        after.display, before.display = True, False
        if chosen is not None:
            # The same price of the same market: only the picture of it is another.
            after.choose_at(chosen)
        if was_there:
            self.set_focus(after)
        # Only once it has been laid out is it known how many rows there are.
        self.call_after_refresh(after.redraw)
        self.draw_keys()

    def _in_middle_price(self) -> Price | None:
        """Give the price chosen in book or ladder, in YES terms."""
        if self.focused is not self._ladder:
            return self._chosen_price()
        price = self._ladder.price
        return None if price is None else yes_price(self._ladder.side, price)

    def do_centre(self) -> None:
        """Bring the market to the middle of the ladder."""
        self._here.centre()

    def do_mirror(self) -> None:
        """Turn the ladder over to the other outcome."""
        self._here.mirror()

    def do_cancel_row(self) -> None:
        """Ask once, then cancel all orders that the question named."""
        orders = self._row_orders()
        if not orders:
            return

        def answered(yes: bool | None) -> None:
            for order in orders if yes else []:
                self.app.run_worker(self._cancel(order), name="cancel", exit_on_error=False)

        self.app.push_screen(AskScreen(self.desk, "cancel", cancel_row_question(self._store, orders)), answered)

    def do_nudge(self, by: int) -> None:
        """Open the change of the row's order, at the price one row higher or lower."""
        order, market = self._chosen_order(), self._store.markets.get(self._here.ticker)
        if order is None or market is None:
            return
        side = self._here.side
        grid, price = grid_of(market, side), yes_price(side, order.yes_price)
        moved = grid.up(price) if by > 0 else grid.down(price)
        if moved == price:
            self.refuse("The grid of prices ends here.")
            return
        self.app.push_screen(AmendScreen(self.desk, order, self._timer_ms, yes_price(side, moved)))
