"""The review of an order before it is sent, in words; then its outcome."""

from collections.abc import Callable

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content

from kalshi_tui.domain.market import Market
from kalshi_tui.domain.order import Order, OrderTerms
from kalshi_tui.domain.text import terms_text
from kalshi_tui.presentation.lines import (
    Line,
    Span,
    Tone,
    line,
)
from kalshi_tui.presentation.order_text import (
    insufficient_cash_warning,
    order_result_lines,
    review_lines,
    sell_to_open_warning,
    settlement_floor_warning,
    trading_paused_warning,
    untrusted_book_warning,
    violations_text,
)
from kalshi_tui.presentation.preview_text import preview_lines
from kalshi_tui.session.changes import StoreChanges
from kalshi_tui.session.execution.risk_checks import Risk, RiskViolation
from kalshi_tui.session.interface import OrderResult, TradingSession
from kalshi_tui.ui.app_clock import now_ms
from kalshi_tui.ui.book.view import quote_line
from kalshi_tui.ui.command import Scope
from kalshi_tui.ui.lists.views import ORDER_STATE_TONES
from kalshi_tui.ui.ticket.cancel_own import ask_to_cancel_own, own_orders_in_the_way, show_preview
from kalshi_tui.ui.ticket.confirm import ARM_DELAY_MS, ConfirmScreen, TicketStep
from kalshi_tui.ui.widgets.key_bar import KeyBar
from kalshi_tui.ui.widgets.line_view import LineView
from kalshi_tui.ui.widgets.sentence import WrappedText


class ReviewScreen(ConfirmScreen):
    """Dismissed with True once the order has been sent, False to go back to the ticket.

    ``client_order_id`` is that of an order which never arrived and is sent again; a new order is drafted here.
    """

    SCOPE = Scope.REVIEW

    def __init__(
        self,
        session: TradingSession,
        terms: OrderTerms,
        timer_ms: Callable[[], int],
        client_order_id: str | None = None,
    ) -> None:
        super().__init__(session, timer_ms)
        self._terms = terms
        # Drafted before anything is sent: whatever happens next is found again under this id.
        self._client_order_id = session.draft(terms) if client_order_id is None else client_order_id
        self._is_resend = client_order_id is not None
        self._market = Market(terms.ticker, "")
        self._not_canceled = ""
        """What went wrong when own orders in the way were to be canceled."""
        self._quote = LineView(id="quote", classes="one-line")
        self._order = LineView(id="order")
        self._preview = LineView(id="figures")
        self._state = WrappedText(id="state")

    def compose(self) -> ComposeResult:
        """Lay out quote, order, figures, state."""
        with Vertical(classes="ticket") as box:
            again = ": the same order once more" if self._is_resend else ""
            box.border_title = Content(f"{self.session.venue.value} - review{again}")
            yield self._quote
            yield self._order
            yield self._preview
            yield self._state
            yield KeyBar()

    def on_mount(self) -> None:
        """Draw at once."""
        self.violations = self.find_violations()
        self.draw()

    def frame(self, dirty: StoreChanges) -> None:
        """Keep quote, figures, risk checks and arming up to date."""
        if dirty and self.ticket_step is TicketStep.REVIEW:
            self.violations = self.find_violations()
        self.draw()

    def draw(self) -> None:
        """Draw everything; lines that did not change cost nothing."""
        store = self.session.store
        # A market that has ended may leave the store while its review is open.
        market = self._market = store.markets.get(self._terms.ticker, self._market)
        number = store.account.view.number_of(self._terms)
        live, position, cash = (
            store.book(market.ticker),
            store.account.position_of(self._terms),
            store.available_cash(market, number),
        )
        positions_read = store.knows_position(market.ticker)
        in_all = store.account.cash_in_all(market, number)
        rolling_s = self.session.ticket.rolling_expiry_s
        self._order.show(
            review_lines(self._terms, market, self.session.venue, cash, in_all, rolling_expiry_s=rolling_s)
        )
        self.set_class(self.ticket_step is not TicketStep.REVIEW, "-sent")
        if self.ticket_step is TicketStep.REVIEW:
            show_preview(
                self._preview,
                preview_lines(
                    self._terms,
                    live.book,
                    market.fees,
                    position,
                    cash,
                    positions_read=positions_read,
                    precision=store.precision,
                    own=store.account.own_orders(self._terms),
                ),
            )
        else:
            # Once sent, the preview's figures would mislead: show the result.
            order = self.latest_order(self._outcome.order) if self._outcome else None
            self._preview.styles.height = None
            self._preview.show(
                order_result_lines(order, position, store.account.balances.get(number), positions_read=positions_read)
            )
        self._quote.show([quote_line(live, market, self._terms.side)])
        self._state.show(self._state_lines())
        self.update_key_bar()

    def _state_lines(self) -> list[Line]:
        id_line = line(Span(f"client order id {self._client_order_id}", Tone.DIM))
        if self.ticket_step is TicketStep.SENDING:
            wait = "Waiting for the exchange. Escape closes this and cancels nothing: the order goes on, the log tells."
            return [line(Span("SENDING", Tone.WARN)), line(Span(wait, Tone.DIM)), id_line]
        if self._internal_error:
            return [line(Span("UNKNOWN", Tone.BAD)), line(Span(self._internal_error)), id_line]
        if self._outcome is not None:
            order = self.latest_order(self._outcome.order)
            word = order.state.word.upper()
            heading = line(Span(word, ORDER_STATE_TONES.get(order.state, Tone.PLAIN)))
            return [heading, line(Span(self._outcome.sentence)), *self._update_lines(order), id_line]
        if barred := self.blocked_reason():
            return [line(Span("CANNOT BE SENT", Tone.BAD)), line(Span(barred, Tone.WARN)), id_line]
        return [line(*self.arming_words("ENTER SENDS THIS ORDER")), line(self._warning()), id_line]

    def _warning(self) -> Span:
        """Return the most serious warning."""
        store, market = self.session.store, self._market
        number = store.account.view.number_of(self._terms)
        base = store.account.own_orders(self._terms).base_position(self._terms, store.account.position_of(self._terms))
        warning = (
            self._not_canceled
            or violations_text(self.violations)
            or untrusted_book_warning(store.book(market.ticker))
            or trading_paused_warning(store.hours_of(market.ticker))
            or insufficient_cash_warning(
                self._terms,
                market.fees,
                base,
                store.available_cash(market, number),
                precision=store.precision,
                in_all=store.account.cash_in_all(market, number),
            )
            or sell_to_open_warning(self._terms, base, positions_read=store.knows_position(market.ticker))
            or settlement_floor_warning(market)
        )
        return Span(warning, Tone.WARN) if warning else Span("Nothing is sent yet.", Tone.DIM)

    def _update_lines(self, order: Order) -> list[Line]:
        """Return what has changed since the exchange's first reply."""
        assert self._outcome is not None  # noqa: S101 - the caller has looked
        first = self._outcome.order
        if order.state is first.state and order.filled == first.filled:
            return []
        return [line(Span(f"Since then: {order.state.word}.", Tone.GOOD))]

    # For the confirmation.

    def order_text(self) -> str:
        """Return the order in the trader's words."""
        return terms_text(self._terms)

    def ticker(self) -> str:
        """Return the order's market, by its ticker."""
        return self._terms.ticker

    def find_violations(self) -> list[RiskViolation]:
        """Return the risk violations of the order."""
        return self.session.check_risks(self._terms)

    def block_reason(self) -> str:
        """Return a sentence if the order has expired while it was reviewed."""
        ends_s = self._terms.expires_s
        over = ends_s is not None and ends_s * 1000 <= now_ms(self.app)
        return "The time at which this order ends has passed: go back to the ticket." if over else ""

    async def send_request(self, agreed: frozenset[Risk]) -> OrderResult:
        """Send the order."""
        return await self.session.submit(self._terms, self._client_order_id, agreed)

    def own_in_the_way(self) -> tuple[Order, ...]:
        """Return the trader's own orders that the order would meet."""
        return own_orders_in_the_way(self.session, self._terms)

    def cancel_own(self) -> None:
        """Ask, then cancel the trader's own orders in the way; what is shown then has to be looked at anew."""
        ask_to_cancel_own(self.app, self.session, self.own_in_the_way(), self._timer_ms, self._canceled_own)

    def _canceled_own(self, problem: str) -> None:
        self._not_canceled = problem
        self.show_reason("")

    def close(self) -> None:
        """Close; what has been sent stays sent, and its outcome is logged."""
        self.dismiss(self.ticket_step is not TicketStep.REVIEW)


__all__ = ["ARM_DELAY_MS", "ReviewScreen"]
