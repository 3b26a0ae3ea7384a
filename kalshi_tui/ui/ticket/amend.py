"""Changing a resting order in place: another price, another count, and what that does to its place in the queue."""

from collections.abc import Callable
from dataclasses import replace
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.events import DescendantFocus
from textual.widget import Widget
from textual.widgets import Input, Label

from kalshi_tui.domain.market import Market
from kalshi_tui.domain.order import Order, refusal, yes_price
from kalshi_tui.domain.preview import would_cross
from kalshi_tui.domain.price import NumberError, Price
from kalshi_tui.domain.text import terms_words
from kalshi_tui.order_entry.parse import (
    count_read,
    price_hint,
    price_read,
    read_count,
    read_price,
)
from kalshi_tui.order_entry.pricing import (
    Aim,
    aimed,
    count_typed,
    stepped_count,
    stepped_price,
)
from kalshi_tui.presentation.amend_text import (
    Change,
    ended,
    moved,
    own_terms,
)
from kalshi_tui.presentation.lines import (
    Line,
    Span,
    Tone,
    line,
)
from kalshi_tui.presentation.numbers import count_text, decimals_of, price_text
from kalshi_tui.presentation.order_text import doubted, objection_words, paused
from kalshi_tui.session.execution.risk_checks import Objection
from kalshi_tui.session.interface import Desk, Outcome
from kalshi_tui.session.store import Dirty, LiveBook
from kalshi_tui.ui.availability import Entry, Situation, Stage
from kalshi_tui.ui.book.view import quote_line
from kalshi_tui.ui.commands import Scope, bindings
from kalshi_tui.ui.lists.views import STATE_TONES
from kalshi_tui.ui.market_list.view import market_label
from kalshi_tui.ui.ticket.commands import PRICE_LETTERS
from kalshi_tui.ui.ticket.confirm import ConfirmScreen
from kalshi_tui.ui.widgets.field import Field
from kalshi_tui.ui.widgets.key_bar import KeyBar
from kalshi_tui.ui.widgets.line_view import LineView
from kalshi_tui.ui.widgets.sentence import Sentence


class AmendScreen(ConfirmScreen):
    """One change, to ``price`` (in YES terms) at first if given; sent at most once. Dismissed with True once sent."""

    SCOPE = Scope.AMEND
    VERB = "Change it to"
    BINDINGS: ClassVar[list[BindingType]] = bindings(Scope.AMEND)

    def __init__(self, desk: Desk, order: Order, timer_ms: Callable[[], int], price: Price | None = None) -> None:
        super().__init__(desk, timer_ms, Stage.WRITING)
        self._order = order
        self._known = desk.store.markets.get(order.ticker, Market(order.ticker, ""))
        own = own_terms(desk.store, order)
        decimals = decimals_of(self._known.grid)
        first = own.price if price is None else yes_price(own.side, price)
        self._price = Field(id="price", letters=PRICE_LETTERS, value=price_text(first, decimals))
        self._price_read = LineView(id="price-read", classes="one-line")
        self._count = Field(id="count", value=count_typed(own.count))
        self._count_read = LineView(id="count-read", classes="one-line")
        self._title_line = LineView(id="name", classes="one-line")
        self._quote = LineView(id="quote", classes="one-line")
        self._own = LineView(id="own", classes="one-line")
        self._figures = LineView(id="change")
        self._state = Sentence(id="state")
        self._said = ""
        """Why a key did not work, or what has happened meanwhile; shown until something is written."""

    def compose(self) -> ComposeResult:
        """Lay out quote, order, fields, figures, state."""
        with Vertical(classes="ticket") as box:
            box.border_title = Content(f"{self.desk.venue.value} - change an order")
            yield self._title_line
            yield self._quote
            yield self._own
            yield Label("", classes="one-line")
            with Horizontal(classes="field"):
                yield Label("Price  ")
                yield self._price
                yield self._price_read
            with Horizontal(classes="field"):
                yield Label("Count  ")
                yield self._count
                yield self._count_read
            yield Label("", classes="one-line")
            yield self._figures
            yield Label("", classes="one-line")
            yield self._state
            yield KeyBar()

    def on_mount(self) -> None:
        """Begin on the price."""
        self.set_focus(self._price)
        self.draw()

    # What is written.

    def change(self) -> Change:
        """Give the change as written. Raises NumberError with a sentence while it is not whole."""
        store, order = self.desk.store, self.latest(self._order)
        before = own_terms(store, order)
        after = replace(before, price=read_price(self._price.value), count=read_count(self._count.value))
        return Change(order, before, after, store.queue.get(order.order_id))

    def problem(self) -> str:
        """Say why the change as written cannot be made; empty if it can."""
        if over := ended(self.latest(self._order)):
            return over
        try:
            change = self.change()
        except NumberError as error:
            return str(error)
        if change.nothing:
            return "Nothing is changed yet: write another price or count."
        live = self._live()
        if change.after.post_only and live.good and would_cross(change.after, live.book):
            return "The order is post-only, and would cross at this price: the exchange would refuse the change."
        return refusal(change.after, self._market()) or ""

    # Drawing.

    def frame(self, dirty: Dirty) -> None:
        """Keep quote, figures and the arming up to date, and heed what happens to the order."""
        if self._stage is Stage.REVIEW and dirty:
            self.against = self.objections()
        now = self.latest(self._order)
        if self._stage in {Stage.WRITING, Stage.REVIEW}:
            if (what := moved(self._order, now)) and not ended(now):
                self._write_on()
                self._said = what
            self._order = now
        self.draw()

    def draw(self) -> None:
        """Draw everything but the fields."""
        store, market, live, order = self.desk.store, self._market(), self._live(), self.latest(self._order)
        own = own_terms(store, order)
        self._title_line.show([line(Span(market_label(market), Tone.HEAD), Span(f"  {market.ticker}", Tone.DIM))])
        self._quote.show([quote_line(live, market, own.side)])
        left = f"{count_text(order.filled)} filled, {count_text(order.remaining)} rest"
        whole = replace(own, count=order.initial)
        self._own.show([line(Span(terms_words(whole), Tone.HEAD), Span(f"  {left}", Tone.DIM))])
        hint = price_hint(live.book, own.side, own.action, decimals_of(market.grid))
        self._price_read.show([price_read(self._price.value, own.side, hint)])
        self._count_read.show([(*count_read(self._count.value), Span(" to rest from now on", Tone.DIM))])
        try:
            change = self.change()
        except NumberError:
            self._figures.show([])
        else:
            if self._stage in {Stage.WRITING, Stage.REVIEW}:
                self._figures.show(change.figure_lines(live, market, store.positions.get(market.ticker)))
            else:
                self._figures.show([])
        self._state.show(self._state_lines())
        self.draw_keys()

    def _state_lines(self) -> list[Line]:
        if self._stage is Stage.SENDING:
            wait = "Waiting for the exchange. Escape closes this and undoes nothing: the log tells the end."
            return [line(Span("SENDING", Tone.WARN)), line(Span(wait, Tone.DIM))]
        if self._defect:
            return [line(Span("UNKNOWN", Tone.BAD)), line(Span(self._defect))]
        if self._outcome is not None:
            state = self.latest(self._outcome.order).state
            heading = Span(state.name.replace("_", " "), STATE_TONES.get(state, Tone.PLAIN))
            return [line(heading), line(Span(self._outcome.sentence))]
        if self._stage is Stage.WRITING:
            return self._writing_lines()
        if barred := self.barred():
            return [line(Span("CANNOT BE CHANGED", Tone.BAD)), line(Span(barred, Tone.WARN))]
        armed = self.arming_words("ENTER CHANGES THIS ORDER")
        warning = objection_words(self.against) or doubted(self._live()) or paused(self.desk.store.hours)
        said = Span(warning, Tone.WARN) if warning else Span("Nothing is changed yet.", Tone.DIM)
        return [line(*armed), line(Span(self.words())), line(said)]

    def _writing_lines(self) -> list[Line]:
        try:
            nothing = self.change().nothing
        except NumberError:
            nothing = False
        over = ended(self.latest(self._order))
        problem = over or self._said or ("" if nothing else self.problem())
        if problem:
            return [line(Span(problem, Tone.BAD))]
        warning = self.desk.read_only or doubted(self._live()) or paused(self.desk.store.hours)
        return [line(Span(warning, Tone.WARN))] if warning else []

    @on(Input.Changed)
    def _written(self) -> None:
        self._said = ""
        self.draw()

    # Commands.

    def do_look_over(self) -> None:
        """Go from the fields to the look over; say what is wrong with them instead."""
        self._said = self.problem()
        if self._said:
            self.draw()
            return
        self.set_focus(None)
        for field in (self._price, self._count):
            field.disabled = True
        self._stage = Stage.REVIEW
        self.against = self.objections()
        # The key arms anew from here.
        self.refuse("")

    def do_back(self) -> None:
        """Go back to the fields."""
        self._write_on()
        self.draw()

    def _write_on(self) -> None:
        if self._stage is not Stage.REVIEW:
            return
        self._stage = Stage.WRITING
        for field in (self._price, self._count):
            field.disabled = False
        self.set_focus(self._price)

    def do_go_field(self) -> None:
        """Go to the other field."""
        self.set_focus(self._count if self.focused is self._price else self._price)

    def do_step(self, by: int) -> None:
        """Step the count by one where it is written, else the price along the market's grid."""
        if self.focused is self._count:
            self._count.write(stepped_count(self._count.value, by))
        else:
            own = own_terms(self.desk.store, self._order)
            text = stepped_price(self._price.value, by, self._live(), self._market(), own.side, own.action)
            self._price.write(text)

    def do_aim(self, name: str) -> None:
        """Take the price from the book as it is now."""
        market, own = self._market(), own_terms(self.desk.store, self._order)
        try:
            price = aimed(Aim[name], self._live(), market, own.side, own.action)
        except NumberError as error:
            self.refuse(str(error))
        else:
            self._price.write(price_text(price, decimals_of(market.grid)))

    def do_close(self) -> None:
        """Close; a change that has been sent goes on, and its end is told in the log."""
        self.dismiss(self._stage in {Stage.SENDING, Stage.DONE})

    def refuse(self, why: str) -> None:
        """Say here why something does not work; in the look over, an Enter too early waits anew."""
        super().refuse(why)
        if self._stage is Stage.WRITING:
            self._said = why
            self.draw()

    def situation(self) -> Situation:
        """Say how far the change has come, and which field has the focus."""
        entries: dict[Widget | None, Entry] = {self._price: Entry.PRICE, self._count: Entry.COUNT}
        barred = self.barred() if self._stage is Stage.REVIEW else ""
        entry = entries.get(self.focused, Entry.NONE)
        return Situation(stage=self._stage, armed=self.armed, barred=barred, entry=entry)

    @on(DescendantFocus)
    def _other_field(self) -> None:
        self.draw_keys()

    # What the confirmation asks.

    def words(self) -> str:
        """Say the change in the trader's words."""
        try:
            return self.change().words()
        except NumberError:
            return "this change"

    def objections(self) -> list[Objection]:
        """Give what speaks against the order as it shall be."""
        change = self.change()
        return self.desk.objections(change.after, change.order)

    def forbidden(self) -> str:
        """Say that the order has ended, or that the change has become none that can be made."""
        return moved(self._order, self.latest(self._order)) or self.problem()

    async def carry_out(self, agreed: frozenset[str]) -> Outcome:
        """Send the change."""
        change = self.change()
        return await self.desk.amend(change.order, change.yes_price, change.after.count, agreed)

    # Helpers.

    def _market(self) -> Market:
        # A market that is over may leave the store while this is open.
        self._known = self.desk.store.markets.get(self._order.ticker, self._known)
        return self._known

    def _live(self) -> LiveBook:
        return self.desk.store.book(self._order.ticker)
