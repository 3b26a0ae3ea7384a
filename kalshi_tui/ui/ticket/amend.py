"""The screen that changes a resting order's price, count or expiry, and shows what that does to its queue place."""

from collections.abc import Callable
from dataclasses import replace

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.events import DescendantFocus
from textual.widget import Widget
from textual.widgets import Input, Label

from kalshi_tui.domain.market import Market
from kalshi_tui.domain.order import Order, rejection_reason, to_yes_price
from kalshi_tui.domain.order_preview import would_cross
from kalshi_tui.domain.price import NumberError, Price
from kalshi_tui.domain.text import market_text, terms_text
from kalshi_tui.order_entry.parse import (
    amended_expiration_readback,
    count_readback,
    join_take_text,
    parse_amended_expiration,
    parse_typed_count,
    parse_typed_price,
    price_readback,
)
from kalshi_tui.order_entry.pricing import (
    PricePlacement,
    count_input_text,
    price_from_book,
    step_count,
    step_price,
)
from kalshi_tui.presentation.amend_text import (
    OrderAmendment,
    not_resting_reason,
    order_update_text,
    resting_terms,
)
from kalshi_tui.presentation.lines import (
    Line,
    Span,
    Tone,
    line,
)
from kalshi_tui.presentation.number_text import count_text, price_decimals, price_text
from kalshi_tui.presentation.order_text import trading_paused_warning, untrusted_book_warning, violations_text
from kalshi_tui.session.changes import StoreChanges
from kalshi_tui.session.execution.risk_checks import Risk, RiskViolation
from kalshi_tui.session.interface import OrderResult, TradingSession
from kalshi_tui.session.market_data.store import LiveBook
from kalshi_tui.ui.app_clock import now_ms
from kalshi_tui.ui.book.view import quote_line
from kalshi_tui.ui.command import Scope
from kalshi_tui.ui.lists.views import ORDER_STATE_TONES
from kalshi_tui.ui.ticket.confirm import ConfirmScreen, TicketStep
from kalshi_tui.ui.ticket.field_letters import PRICE_LETTERS, FocusedField
from kalshi_tui.ui.widgets.field import Field
from kalshi_tui.ui.widgets.key_bar import KeyBar
from kalshi_tui.ui.widgets.line_view import LineView
from kalshi_tui.ui.widgets.sentence import WrappedText


class AmendScreen(ConfirmScreen):
    """One amendment, at first to ``price`` (in YES terms) if given. Sent at most once; dismissed with True if sent."""

    SCOPE = Scope.AMEND
    CONFIRM_VERB = "Change it to"

    def __init__(
        self, session: TradingSession, order: Order, timer_ms: Callable[[], int], price: Price | None = None
    ) -> None:
        super().__init__(session, timer_ms, TicketStep.EDITING)
        self._order = order
        self._last_market = session.store.markets.get(order.ticker, Market(order.ticker, ""))
        own = resting_terms(session.store, order)
        decimals = price_decimals(self._last_market.grid)
        first = own.price if price is None else to_yes_price(own.side, price)
        self._price = Field(id="price", letters=PRICE_LETTERS, value=price_text(first, decimals), any_script=True)
        self._price_readback = LineView(id="price-read", classes="one-line")
        self._count = Field(id="count", value=count_input_text(own.count), any_script=True)
        self._count_readback = LineView(id="count-read", classes="one-line")
        self._until = Field(id="until", any_script=True)
        self._until_readback = LineView(id="until-read", classes="one-line")
        self._title_line = LineView(id="name", classes="one-line")
        self._quote = LineView(id="quote", classes="one-line")
        self._order_line = LineView(id="own", classes="one-line")
        self._preview = LineView(id="change")
        self._state = WrappedText(id="state")
        self._message = ""
        """Why a key did not work, or what has happened meanwhile; shown until something is typed."""
        self._sent_ms: int | None = None

    def compose(self) -> ComposeResult:
        """Lay out quote, order, fields, figures, state."""
        with Vertical(classes="ticket") as box:
            box.border_title = Content(f"{self.session.venue.value} - change an order")
            yield self._title_line
            yield self._quote
            yield self._order_line
            yield Label("", classes="one-line")
            with Horizontal(classes="field"):
                yield Label("Price  ")
                yield self._price
                yield self._price_readback
            with Horizontal(classes="field"):
                yield Label("Count  ")
                yield self._count
                yield self._count_readback
            with Horizontal(classes="field"):
                yield Label("Until  ")
                yield self._until
                yield self._until_readback
            yield Label("", classes="one-line")
            yield self._preview
            yield Label("", classes="one-line")
            yield self._state
            yield KeyBar()

    def on_mount(self) -> None:
        """Begin on the price."""
        self.set_focus(self._price)
        self.draw()

    # Reading the fields.

    def read_amendment(self) -> OrderAmendment:
        """Return the amendment as typed. Raises NumberError with a sentence while it is incomplete."""
        store, order = self.session.store, self.latest_order(self._order)
        before = resting_terms(store, order)
        after = replace(before, price=parse_typed_price(self._price.value), count=parse_typed_count(self._count.value))
        expires_s = parse_amended_expiration(self._until.value, self._typed_at_ms)
        if expires_s is not None:
            after = replace(after, expires_s=expires_s or None)
        return OrderAmendment(order, before, after, store.queue_positions.get(order.order_id), expires_s)

    def find_problem(self) -> str:
        """Return why the amendment as typed cannot be made; empty if it can."""
        if over := not_resting_reason(self.latest_order(self._order)):
            return over
        try:
            change = self.read_amendment()
        except NumberError as error:
            return str(error)
        if change.is_unchanged:
            return "Nothing is changed yet: write another price, count or time."
        live = self._live_book()
        if change.after.post_only and live.is_good and would_cross(change.after, live.book):
            return "The order is post-only, and would cross at this price: the exchange would reject the change."
        return rejection_reason(change.after, self._market()) or ""

    # Drawing.

    def frame(self, dirty: StoreChanges) -> None:
        """Keep quote, figures and arming up to date, and follow what happens to the order."""
        if self.ticket_step is TicketStep.REVIEW and dirty:
            self.violations = self.find_violations()
        now = self.latest_order(self._order)
        if self.ticket_step in {TicketStep.EDITING, TicketStep.REVIEW}:
            if (what := order_update_text(self._order, now)) and not not_resting_reason(now):
                self._return_to_editing()
                self._message = what
            self._order = now
        self.draw()

    def draw(self) -> None:
        """Draw everything but the fields."""
        store, market, live, order = (
            self.session.store,
            self._market(),
            self._live_book(),
            self.latest_order(self._order),
        )
        own = resting_terms(store, order)
        self._title_line.show([line(Span(market_text(market), Tone.HEAD), Span(f"  {market.ticker}", Tone.DIM))])
        self._quote.show([quote_line(live, market, own.side)])
        left = f"{count_text(order.filled)} filled, {count_text(order.remaining)} rest"
        whole = replace(own, count=order.initial)
        self._order_line.show([line(Span(terms_text(whole), Tone.HEAD), Span(f"  {left}", Tone.DIM))])
        hint = join_take_text(live.book, own.side, own.action, price_decimals(market.grid))
        self._price_readback.show([price_readback(self._price.value, own.side, hint)])
        self._count_readback.show([(*count_readback(self._count.value), Span(" to rest from now on", Tone.DIM))])
        self._until_readback.show([amended_expiration_readback(self._until.value, order.expires_ms, self._typed_at_ms)])
        try:
            change = self.read_amendment()
        except NumberError:
            self._preview.show([])
        else:
            if self.ticket_step in {TicketStep.EDITING, TicketStep.REVIEW}:
                self._preview.show(
                    change.preview_lines(
                        live,
                        market,
                        store.account.positions_by_key.get((market.ticker, order.subaccount)),
                        precision=store.precision,
                        own=store.account.own_orders(change.after),
                    )
                )
            else:
                self._preview.show([])
        self._state.show(self._state_lines())
        self.update_key_bar()

    def _state_lines(self) -> list[Line]:
        if self.ticket_step is TicketStep.SENDING:
            wait = "Waiting for the exchange. Escape closes this and undoes nothing: the log tells the end."
            return [line(Span("SENDING", Tone.WARN)), line(Span(wait, Tone.DIM))]
        if self._internal_error:
            return [line(Span("UNKNOWN", Tone.BAD)), line(Span(self._internal_error))]
        if self._outcome is not None:
            state = self.latest_order(self._outcome.order).state
            heading = Span(state.word.upper(), ORDER_STATE_TONES.get(state, Tone.PLAIN))
            return [line(heading), line(Span(self._outcome.sentence))]
        if self.ticket_step is TicketStep.EDITING:
            return self._editing_lines()
        if barred := self.blocked_reason():
            return [line(Span("CANNOT BE CHANGED", Tone.BAD)), line(Span(barred, Tone.WARN))]
        armed = self.arming_words("ENTER CHANGES THIS ORDER")
        warning = (
            violations_text(self.violations)
            or untrusted_book_warning(self._live_book())
            or trading_paused_warning(self.session.store.hours_of(self._market().ticker))
        )
        said = Span(warning, Tone.WARN) if warning else Span("Nothing is changed yet.", Tone.DIM)
        return [line(*armed), line(Span(self.order_text())), line(said)]

    def _editing_lines(self) -> list[Line]:
        try:
            nothing = self.read_amendment().is_unchanged
        except NumberError:
            nothing = False
        over = not_resting_reason(self.latest_order(self._order))
        problem = over or self._message or ("" if nothing else self.find_problem())
        if problem:
            return [line(Span(problem, Tone.BAD))]
        warning = (
            self.session.read_only_reason
            or untrusted_book_warning(self._live_book())
            or trading_paused_warning(self.session.store.hours_of(self._market().ticker))
        )
        return [line(Span(warning, Tone.WARN))] if warning else []

    @on(Input.Changed)
    def _input_changed(self) -> None:
        self._message = ""
        self.draw()

    # Commands.

    def review(self) -> None:
        """Go from the fields to the review; if they are wrong, say why."""
        self._message = self.find_problem()
        if self._message:
            self.draw()
            return
        self.set_focus(None)
        for field in self._fields:
            field.disabled = True
        self.ticket_step = TicketStep.REVIEW
        self.violations = self.find_violations()
        # Entering the review arms the key from the start: an Enter of the form must not send.
        self.show_reason("")

    def edit_again(self) -> None:
        """Go back to the fields."""
        self._return_to_editing()
        self.draw()

    def _return_to_editing(self) -> None:
        if self.ticket_step is not TicketStep.REVIEW:
            return
        self.ticket_step = TicketStep.EDITING
        for field in self._fields:
            field.disabled = False
        self.set_focus(self._price)

    def move_focus(self, by: int = 1) -> None:
        """Go to the next field, or with ``by`` -1 to the one before."""
        fields = self._fields
        now = next((place for place, field in enumerate(fields) if field is self.focused), -by)
        self.set_focus(fields[(now + by) % len(fields)])

    def step(self, by: int) -> None:
        """Step the count by one in its field, else the price along the market's grid."""
        if self.focused is self._count:
            self._count.set_text(step_count(self._count.value, by))
        else:
            own = resting_terms(self.session.store, self._order)
            text = step_price(self._price.value, by, self._live_book(), self._market(), own.side, own.action)
            self._price.set_text(text)

    def place_price(self, placement: PricePlacement) -> None:
        """Take the price from the book as it is now."""
        market, own = self._market(), resting_terms(self.session.store, self._order)
        try:
            price = price_from_book(placement, self._live_book(), market, own.side, own.action)
        except NumberError as error:
            self.show_reason(str(error))
        else:
            self._price.set_text(price_text(price, price_decimals(market.grid)))

    def close(self) -> None:
        """Close; an amendment that has been sent goes on, and its outcome is logged."""
        self.dismiss(self.ticket_step in {TicketStep.SENDING, TicketStep.DONE})

    def show_reason(self, reason: str) -> None:
        """Show why a key does not work; in the review, an Enter too early starts the wait again."""
        super().show_reason(reason)
        if self.ticket_step is TicketStep.EDITING:
            self._message = reason
            self.draw()

    @property
    def focused_field(self) -> FocusedField:
        """The field that has the focus."""
        entries: dict[Widget | None, FocusedField] = {self._price: FocusedField.PRICE, self._count: FocusedField.COUNT}
        return entries.get(self.focused, FocusedField.NONE)

    @on(DescendantFocus)
    def _focus_changed(self) -> None:
        self.update_key_bar()

    # For the confirmation.

    def order_text(self) -> str:
        """Return the amendment in the trader's words."""
        try:
            return self.read_amendment().text()
        except NumberError:
            return "this change"

    def ticker(self) -> str:
        """Return the order's market, by its ticker."""
        return self._order.ticker

    def find_violations(self) -> list[RiskViolation]:
        """Return the risk violations of the order as amended."""
        change = self.read_amendment()
        return self.session.check_risks(change.after, change.order)

    def block_reason(self) -> str:
        """Return why the amendment can no longer be made: the order has ended, or the terms are invalid by now."""
        return order_update_text(self._order, self.latest_order(self._order)) or self.find_problem()

    async def send_request(self, agreed: frozenset[Risk]) -> OrderResult:
        """Send the change."""
        self._sent_ms = now_ms(self.app)
        change = self.read_amendment()
        return await self.session.amend(
            change.order, change.yes_price, change.after.count, agreed, expires_s=change.expires_s
        )

    # Helpers.

    @property
    def _typed_at_ms(self) -> int:
        """From when "+10m" counts: from now, and once sent from then."""
        return now_ms(self.app) if self._sent_ms is None else self._sent_ms

    @property
    def _fields(self) -> tuple[Field, ...]:
        return self._price, self._count, self._until

    def _market(self) -> Market:
        # A market that has ended may leave the store while this is open.
        self._last_market = self.session.store.markets.get(self._order.ticker, self._last_market)
        return self._last_market

    def _live_book(self) -> LiveBook:
        return self.session.store.book(self._order.ticker)
