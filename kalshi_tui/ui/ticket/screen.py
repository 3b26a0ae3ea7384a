"""The order ticket: a form over the live book. It sends nothing; the review does."""

from collections.abc import Callable
from dataclasses import replace

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.events import DescendantFocus
from textual.widget import Widget
from textual.widgets import Input, Label

from kalshi_tui.domain.book import Side
from kalshi_tui.domain.market import Market
from kalshi_tui.domain.order import Order, OrderTerms
from kalshi_tui.domain.order_preview import max_affordable_count
from kalshi_tui.domain.position import Position
from kalshi_tui.domain.price import Money, NumberError
from kalshi_tui.domain.text import market_text
from kalshi_tui.order_entry.draft import DraftField
from kalshi_tui.order_entry.pricing import (
    PricePlacement,
    next_preset,
    price_from_book,
    step_count,
    step_price,
)
from kalshi_tui.presentation.lines import Span, Tone, line
from kalshi_tui.presentation.number_text import money_text, price_decimals
from kalshi_tui.presentation.order_text import (
    insufficient_cash_warning,
    missing_cash,
    position_text,
    sell_to_open_warning,
    settlement_floor_warning,
    trading_paused_warning,
    untrusted_book_warning,
    violations_text,
)
from kalshi_tui.presentation.preview_text import preview_lines
from kalshi_tui.session.account.account_view import PRIMARY, subaccount_text
from kalshi_tui.session.account.cash_moves import CashMove, plan_cash_moves
from kalshi_tui.session.account.list_reads import AccountList
from kalshi_tui.session.changes import StoreChanges
from kalshi_tui.session.interface import TradingSession
from kalshi_tui.session.market_data.store import LiveBook
from kalshi_tui.ui.app_clock import now_ms
from kalshi_tui.ui.book.view import quote_line
from kalshi_tui.ui.command import Scope
from kalshi_tui.ui.dialogs.ask import AskScreen
from kalshi_tui.ui.ticket.cancel_own import ask_to_cancel_own, own_orders_in_the_way, show_preview
from kalshi_tui.ui.ticket.field_letters import FocusedField
from kalshi_tui.ui.ticket.form import TicketForm
from kalshi_tui.ui.ticket.review import ReviewScreen
from kalshi_tui.ui.ticket.start import TicketPrefill
from kalshi_tui.ui.widgets.choice import Choice, Toggle
from kalshi_tui.ui.widgets.command_screen import CommandModal
from kalshi_tui.ui.widgets.key_bar import KeyBar
from kalshi_tui.ui.widgets.line_view import LineView
from kalshi_tui.ui.widgets.sentence import WrappedText


class TicketScreen(CommandModal[None]):
    """One order being typed. Opens on the price: empty, unless a price was selected when the ticket was opened."""

    SCOPE = Scope.TICKET

    def __init__(self, session: TradingSession, prefill: TicketPrefill, timer_ms: Callable[[], int]) -> None:
        super().__init__(session)
        self._ticker = prefill.ticker
        view = session.store.account.view
        # Fixed when the ticket opens: what is chosen behind it must not turn the order to another subaccount.
        self._subaccount = view.chosen if prefill.subaccount is None else prefill.subaccount
        self._timer_ms = timer_ms
        market = self._last_market = session.store.markets.get(prefill.ticker, Market(prefill.ticker, ""))
        count = prefill.count if prefill.count is not None else session.ticket.presets[0]
        self._max_duration_s = session.ticket.expire_after_s
        self._title_line = LineView(id="name", classes="one-line")
        self._quote = LineView(id="quote", classes="one-line")
        self._form = TicketForm(prefill, count, price_decimals(market.grid), session.ticket)
        self._preview = LineView(id="preview")
        self._problem = WrappedText(id="problem")
        self._violations = LineView(id="violations", classes="one-line")
        self._message = ""
        """What the review asked for, or why a key does not work, shown until something is written."""
        self._drawn_s = 0

    def compose(self) -> ComposeResult:
        """Lay out quote, fields, preview."""
        with Vertical(classes="ticket") as box:
            several = self.session.store.account.view.several
            where = f" - {subaccount_text(self._subaccount)}" if several else ""
            box.border_title = Content(f"{self.session.venue.value} - order ticket{where}")
            yield self._title_line
            yield self._quote
            yield self._form
            yield Label("", classes="one-line")
            yield self._preview
            yield self._problem
            yield self._violations
            yield KeyBar()

    def on_mount(self) -> None:
        """Begin on the price."""
        self.set_focus(self._form.price)
        self.draw()

    # Reading the fields.

    def read_terms(self) -> OrderTerms:
        """Return the order as typed. Raises NumberError with a sentence while it is incomplete."""
        terms = self._form.draft.to_order_terms(self._market(), now_ms(self.app), self._max_duration_s)
        # A locked key's exchange takes the right one by itself, and the primary is what is meant without a number.
        number = None if self.session.store.account.view.is_locked else self._subaccount or None
        return replace(terms, subaccount=number)

    def _position(self) -> Position | None:
        return self.session.store.account.positions_by_key.get((self._ticker, self._subaccount))

    # Drawing.

    def frame(self, dirty: StoreChanges) -> None:
        """Keep quote, preview and expiration up to date."""
        if self._ticker in dirty.tickers or dirty.topics or now_ms(self.app) // 1000 != self._drawn_s:
            self.draw()

    def draw(self) -> None:
        """Draw everything but the fields."""
        market, live, now = self._market(), self._live_book(), now_ms(self.app)
        self._drawn_s = now // 1000
        position = self._position()
        positions_read = self.session.store.knows_position(self._ticker)
        held = position_text(position, known=positions_read)
        name = line(Span(market_text(market), Tone.HEAD), Span(f"  {held}" if held else "", Tone.OWN))
        self._title_line.show([name])
        self._quote.show([quote_line(live, market, self._form.side.value)])
        trouble = self._form.draft.find_problem(
            market, live, position, now, self._max_duration_s, self.session.store.account.own_orders
        )
        try:
            terms = self.read_terms()
        except NumberError:
            terms = None
        self._form.show_readbacks(market, live, terms, now)
        said, tone = (trouble.sentence if trouble else ""), Tone.BAD
        if terms is None:
            what = "" if said else "What the order would do is shown here, once price, count and time are set."
            self._preview.show([line(Span(what, Tone.DIM))])
            never = self.session.read_only_reason
            self._violations.show([line(Span(never, Tone.WARN))] if never else [])
        else:
            cash, precision = self.session.store.available_cash(market, self._subaccount), self.session.store.precision
            own = self.session.store.account.own_orders(terms)
            base = own.base_position(terms, position)
            show_preview(
                self._preview,
                preview_lines(
                    terms,
                    live.book,
                    market.fees,
                    position,
                    cash,
                    positions_read=positions_read,
                    precision=precision,
                    own=own,
                ),
            )
            against = violations_text(self.session.check_risks(terms))
            self._violations.show([line(Span(against, Tone.WARN))])
            if not said:
                in_all = self.session.store.account.cash_in_all(market, self._subaccount)
                cash_warning = insufficient_cash_warning(
                    terms, market.fees, base, cash, precision=precision, in_all=in_all
                )
                if self.session.cash_move_text:
                    cash_warning = f"{cash_warning} {self.session.cash_move_text}".strip()
                elif cash_warning and self.find_cash_moves():
                    total = sum(each.amount for each in self.find_cash_moves())
                    cash_warning = f"{cash_warning} 'Move cash' brings {money_text(total)} here."
                # The risk check below says the same of the book already.
                doubt = "" if against else untrusted_book_warning(live)
                unheld = sell_to_open_warning(terms, base, positions_read=positions_read)
                floor, paused = (
                    settlement_floor_warning(market),
                    trading_paused_warning(self.session.store.hours_of(self._ticker)),
                )
                said = doubt or paused or cash_warning or unheld or floor
                tone = Tone.WARN
        if self._message:
            said, tone = self._message, Tone.BAD
        self._problem.show([line(Span(said, tone))] if said else [])
        self.update_key_bar()

    @on(Input.Changed)
    @on(Choice.Changed)
    def _input_changed(self) -> None:
        self._message = ""
        self.draw()

    def find_cash_moves(self) -> tuple[CashMove, ...]:
        """Return the transfers that would bring the cash that is missing; none if it suffices or is nowhere."""
        # The exchange moves cash between its parts safely (by a client id) for the primary account alone.
        if self._subaccount != PRIMARY:
            return ()
        balance, missing = self.session.store.account.balances.get(self._subaccount), self._missing_cash()
        return plan_cash_moves(balance, self._market().exchange_index, missing) if missing else ()

    def why_no_cash_moves(self) -> str:
        """Return why there is no cash to move for the order."""
        if self._subaccount != PRIMARY:
            return "Here only the primary account's cash can be moved: see 'kalshi-tui subaccounts --help'."
        if self.session.store.available_cash(self._market(), self._subaccount) is None:
            return "How much cash is where is not known yet."
        missing = self._missing_cash()
        if missing is None:
            return "First type price and count: they say how much cash the order needs."
        if missing:
            return "Your cash elsewhere is not enough to cover what is missing here."
        return "The buying power here is enough for this order."

    def _missing_cash(self) -> Money | None:
        """Return what the order needs beyond the cash that pays for it; None while it is incomplete."""
        store, market = self.session.store, self._market()
        try:
            terms = self.read_terms()
        except NumberError:
            return None
        cash = store.available_cash(market, self._subaccount)
        base = store.account.own_orders(terms).base_position(terms, self._position())
        return missing_cash(terms, market.fees, base, cash, precision=store.precision)

    # Commands.

    def move_cash(self) -> None:
        """Ask, then move the cash that is missing to where the order is paid from."""
        moves = self.find_cash_moves()
        total = money_text(sum(each.amount for each in moves))

        def answered(yes: bool | None) -> None:
            if yes:
                self.session.move_cash(moves)
                self.draw()

        question = f"Move {total} of your cash to the buying power of this market? The order is not sent by that."
        self.app.push_screen(AskScreen(self.session, "move cash", question, self._timer_ms), answered)

    def own_in_the_way(self) -> tuple[Order, ...]:
        """Return the trader's own orders that the order would meet; none while it is incomplete."""
        try:
            return own_orders_in_the_way(self.session, self.read_terms())
        except NumberError:
            return ()

    def cancel_own(self) -> None:
        """Ask, then cancel the trader's own orders in the way."""
        ask_to_cancel_own(self.app, self.session, self.own_in_the_way(), self._timer_ms, self.show_reason)

    def review(self) -> None:
        """Go to the field that is empty or wrong; with a complete order, to its review."""
        position = self._position()
        wrong = self._form.draft.find_problem(
            self._market(),
            self._live_book(),
            position,
            now_ms(self.app),
            self._max_duration_s,
            self.session.store.account.own_orders,
        )
        trouble = wrong or self._form.draft.find_missing()
        if trouble is not None:
            # An error is shown already; what is missing is not.
            self.show_reason("" if wrong else trouble.sentence)
            fields = {
                DraftField.PRICE: self._form.price,
                DraftField.COUNT: self._form.count,
                DraftField.UNTIL: self._form.until,
            }
            if trouble.field in fields:
                self.set_focus(fields[trouble.field])
            return

        def closed(sent: bool | None) -> None:
            if sent:
                self.dismiss(None)

        self.app.push_screen(ReviewScreen(self.session, self.read_terms(), self._timer_ms), closed)

    def move_focus(self, by: int) -> None:
        """Go to the next field, or the one before: those typed for every order come first."""
        fields = self._form.fields
        place = next((number for number, field in enumerate(fields) if field is self.focused), 0)
        self.set_focus(fields[(place + by) % len(fields)])

    def step(self, by: int) -> None:
        """Step the count by one in its field, else the price along the market's grid."""
        form, market = self._form, self._market()
        if self.focused is form.count:
            form.count.set_text(step_count(form.count.value, by))
        else:
            text = step_price(form.price.value, by, self._live_book(), market, form.side.value, form.action.value)
            form.price.set_text(text)

    def place_price(self, placement: PricePlacement) -> None:
        """Take the price from the book as it is now."""
        market = self._market()
        try:
            price = price_from_book(
                placement, self._live_book(), market, self._form.side.value, self._form.action.value
            )
        except NumberError as error:
            self.show_reason(str(error))
        else:
            self._form.set_price(price, market)

    def change_preset(self, by: int) -> None:
        """Take the next of the trader's counts, or the one before."""
        self._form.set_count(next_preset(self._form.count.value, self.session.ticket.presets, by))

    def set_max_count(self) -> None:
        """Take the most that the cash in this market's shard pays for."""
        market = self._market()
        store = self.session.store
        cash = store.available_cash(market, self._subaccount)
        try:
            terms = self._form.draft.with_count("1").to_order_terms(market, now_ms(self.app), None)
        except NumberError as error:
            self.show_reason(str(error))
            return
        if cash is None:
            self.show_reason("The cash is not known yet.")
            return
        terms = replace(terms, subaccount=self._subaccount or None)
        base = store.account.own_orders(terms).base_position(terms, self._position())
        most = max_affordable_count(terms, cash, market.fees, base, precision=store.precision)
        if most is None:
            self.show_reason("The market's fees are unknown, and so is how many the cash pays for.")
        elif not most:
            self.show_reason(f"The cash, {money_text(cash)}, pays for none at this price.")
        else:
            self._form.set_count(most)

    def set_held_count(self) -> None:
        """Take all that is held of the outcome."""
        position = self._position()
        held = position.count if position is not None else 0
        held = held if self._form.side.value is Side.YES else -held
        if held > 0:
            self._form.set_count(held)
        else:
            unread = self.session.store.why_unread(AccountList.POSITIONS)
            if not unread and not self.session.store.knows_position(self._ticker):
                unread = "what you hold here could not be read."
            self.show_reason(
                f"Your positions: {unread}" if unread else f"You hold no {self._form.side.value.name} here."
            )

    def toggle_dollars(self) -> None:
        """Turn the count from contracts to dollars, or back; what is typed next replaces the figure alone."""
        self._form.toggle_dollars()

    def change_choice(self, by: int) -> None:
        """Take the next or the previous word of the field."""
        if isinstance(self.focused, Choice | Toggle):
            self.focused.cycle(by)

    @property
    def focused_field(self) -> FocusedField:
        """The field that has the focus, where letters are commands in it."""
        entries: dict[Widget | None, FocusedField] = {
            self._form.price: FocusedField.PRICE,
            self._form.count: FocusedField.COUNT,
        }
        return entries.get(self.focused, FocusedField.NONE)

    @property
    def on_choice(self) -> bool:
        """Whether the field that has the focus is one with a few words to choose from."""
        return isinstance(self.focused, Choice | Toggle)

    def show_reason(self, reason: str) -> None:
        """Show here why something does not work now: this screen covers the log."""
        self._message = reason
        self.draw()

    @on(DescendantFocus)
    def _focus_changed(self) -> None:
        self.update_key_bar()

    def close(self) -> None:
        """Close; nothing has been sent."""
        self.dismiss(None)

    # Helpers.

    def _market(self) -> Market:
        # A market that has ended may leave the store while its ticket is open.
        self._last_market = self.session.store.markets.get(self._ticker, self._last_market)
        return self._last_market

    def _live_book(self) -> LiveBook:
        return self.session.store.book(self._ticker)
