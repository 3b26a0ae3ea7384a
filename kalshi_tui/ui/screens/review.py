"""The last step before an order leaves: what it is, in words; then what became of it."""

from collections.abc import Callable
from typing import ClassVar, Final

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Label

from kalshi_tui.domain.order import Order, OrderState, OrderTerms
from kalshi_tui.session.desk import Desk, Outcome
from kalshi_tui.session.store import Dirty, Weight
from kalshi_tui.session.words import terms_words
from kalshi_tui.ui.book_view import quote_line
from kalshi_tui.ui.commands import Scope, bindings
from kalshi_tui.ui.lines import Line, Span, Tone, line
from kalshi_tui.ui.order_text import after_lines, paused, preview_lines, review_lines, selling_unheld, too_dear
from kalshi_tui.ui.screens.ask import AskScreen
from kalshi_tui.ui.screens.base import CommandModal
from kalshi_tui.ui.situation import Situation, Stage
from kalshi_tui.ui.views import STATE_TONES
from kalshi_tui.ui.watch_view import market_label
from kalshi_tui.ui.widgets.key_bar import KeyBar
from kalshi_tui.ui.widgets.line_view import LineView
from kalshi_tui.ui.widgets.sentence import Sentence

ARMS_AFTER_MS: Final = 700
"""Longer than any usual wait before a held key repeats (660 ms at the most): a held Enter never falls through."""


class ReviewScreen(CommandModal[bool]):
    """Dismissed with True once the order has been sent, False to go back to the ticket. Sends at most once.

    ``timer_ms`` is a clock that never jumps: a step of the wall clock must not arm the key.
    """

    SCOPE = Scope.REVIEW
    BINDINGS: ClassVar[list[BindingType]] = bindings(Scope.REVIEW)

    def __init__(self, desk: Desk, terms: OrderTerms, timer_ms: Callable[[], int]) -> None:
        super().__init__(desk)
        self._terms = terms
        self._timer_ms = timer_ms
        # Fixed here, at the confirm step: whatever happens next happens under this id.
        self._client_order_id = desk.new_client_order_id()
        self._stage = Stage.REVIEW
        self._arms_ms = timer_ms() + ARMS_AFTER_MS
        self._outcome: Outcome | None = None
        self._defect = ""
        self._quote = LineView(id="quote", classes="one-line")
        self._order = LineView(id="order")
        self._figures = LineView(id="figures")
        self._state = Sentence(id="state")

    def compose(self) -> ComposeResult:
        """Lay out quote, order, figures, state."""
        venue = self.desk.venue.value
        with Vertical(classes="ticket") as box:
            box.border_title = Content(f"{venue} - review")
            yield self._quote
            yield Label("", classes="one-line")
            yield self._order
            yield Label("", classes="one-line")
            yield self._figures
            yield self._state
            yield KeyBar()

    def on_mount(self) -> None:
        """Draw at once."""
        self.draw()

    def situation(self) -> Situation:
        """Say how far the order has come."""
        return Situation(stage=self._stage, armed=self.armed)

    @property
    def armed(self) -> bool:
        """Whether Enter sends now."""
        return self._stage is Stage.REVIEW and self._timer_ms() >= self._arms_ms

    def frame(self, dirty: Dirty) -> None:
        """Keep quote, figures and the arming up to date."""
        del dirty
        self.draw()

    def draw(self) -> None:
        """Draw everything; lines that did not change cost nothing."""
        store = self.desk.store
        market = store.markets[self._terms.ticker]
        live = store.book(market.ticker)
        position = store.positions.get(market.ticker)
        label = line(Span(market_label(market)), Span(f"  {market.ticker}", Tone.DIM))
        self._order.show([*review_lines(self._terms), label])
        if self._stage is Stage.REVIEW:
            self._figures.show(preview_lines(self._terms, live.book, market.fees, position))
        else:
            # Once sent, the figures of before would mislead: say what is so now.
            order = self._latest(self._outcome.order) if self._outcome else None
            self._figures.show(after_lines(order, position, store.balance))
        self._quote.show([quote_line(live, market, self._terms.side)])
        self._state.show(self._state_lines())
        self.draw_keys()

    def _state_lines(self) -> list[Line]:
        id_line = line(Span(f"client order id {self._client_order_id}", Tone.DIM))
        if self._stage is Stage.SENDING:
            wait = "Waiting for the exchange. Escape closes this and cancels nothing: the order goes on, the log tells."
            return [line(Span("SENDING", Tone.WARN)), line(Span(wait, Tone.DIM)), id_line]
        if self._defect:
            return [line(Span("UNKNOWN", Tone.BAD)), line(Span(self._defect)), id_line]
        if self._outcome is not None:
            order = self._latest(self._outcome.order)
            word = order.state.name.replace("_", " ")
            heading = line(Span(word, STATE_TONES.get(order.state, Tone.PLAIN)))
            return [heading, line(Span(self._outcome.sentence)), *self._since(order), id_line]
        armed = Span("ENTER SENDS THIS ORDER", Tone.GOOD) if self.armed else Span("arming...", Tone.WARN)
        return [line(armed), line(self._warning()), id_line]

    def _warning(self) -> Span:
        """Say what speaks against sending, the gravest alone."""
        store = self.desk.store
        live = store.book(self._terms.ticker)
        if not live.good:
            return Span(f"{live.trust.name}: the prices may be wrong. {live.why}", Tone.WARN)
        market, position = store.markets[self._terms.ticker], store.positions.get(self._terms.ticker)
        dear = too_dear(self._terms, market.fees, position, store.cash_for(market))
        warning = paused(store.hours) or dear or selling_unheld(self._terms, position)
        return Span(warning, Tone.WARN) if warning else Span("Nothing is sent yet.", Tone.DIM)

    def _latest(self, sent: Order) -> Order:
        """Give the order as the store knows it by now: a resting one may have filled since."""
        return self.desk.store.known_order(sent)

    def _since(self, order: Order) -> list[Line]:
        """Say what has changed since the exchange's first answer."""
        assert self._outcome is not None  # noqa: S101 - the caller has looked
        first = self._outcome.order
        if order.state is first.state and order.filled == first.filled:
            return []
        return [line(Span(f"Since then: {order.state.value}.", Tone.GOOD))]

    # Commands.

    def do_send(self) -> None:
        """Send, asking first on a book that may be wrong. Only ever called armed: the table sees to that."""
        live = self.desk.store.book(self._terms.ticker)
        if live.good:
            self._go()
            return

        def answered(yes: bool | None) -> None:
            if yes:
                self._go()
            else:
                self.refuse("")

        question = f"The book is {live.trust.name}: {live.why} Send {terms_words(self._terms)} all the same?"
        self.app.push_screen(AskScreen(self.desk, "the prices may be wrong", question), answered)

    def _go(self) -> None:
        self._stage = Stage.SENDING
        self.app.run_worker(self._send(), name="send", exit_on_error=False)
        self.draw()

    def refuse(self, why: str) -> None:
        """Take an Enter before its time for a held key, and wait anew; it is no news for the log."""
        del why
        if self._stage is Stage.REVIEW:
            self._arms_ms = self._timer_ms() + ARMS_AFTER_MS
            self.draw()

    async def _send(self) -> None:
        """Send, and show what became of it. Whatever goes wrong inside the program leaves an unknown order, said so."""
        try:
            self._outcome = await self.desk.submit(self._terms, self._client_order_id)
        except Exception as error:  # noqa: BLE001 - a defect must neither end the program nor pass for a refusal
            self._defect = (
                f"{terms_words(self._terms)} may or may not be live: sending failed inside the program "
                f"({type(error).__name__}: {error}). Look at the orders before you send it again."
            )
            self.desk.store.notify(Weight.ERROR, f"{OrderState.UNKNOWN.name}: {self._defect}")
        self._stage = Stage.DONE
        if self.is_running:
            self.draw()

    def do_close(self) -> None:
        """Close; what has been sent stays sent, and its end is told in the log."""
        self.dismiss(self._stage is not Stage.REVIEW)
