"""The order ticket: a form over the live book. It sends nothing; the review does."""

from collections.abc import Callable
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.events import DescendantFocus
from textual.widgets import Input, Label

from kalshi_tui.domain.book import Side
from kalshi_tui.domain.market import Market
from kalshi_tui.domain.order import Action, OrderTerms, TimeInForce, refusal
from kalshi_tui.domain.price import COUNT_UNIT, NumberError, PriceGrid
from kalshi_tui.session.desk import Desk
from kalshi_tui.session.store import Dirty, LiveBook
from kalshi_tui.ui.book_view import quote_line
from kalshi_tui.ui.commands import Scope, bindings
from kalshi_tui.ui.entry import count_read, price_hint, price_read, read_count, read_price
from kalshi_tui.ui.format import count_text, decimals_of, price_text
from kalshi_tui.ui.lines import Line, Span, Tone, line
from kalshi_tui.ui.order_text import TIF_WORDS, held_words, paused, preview_lines, selling_unheld, too_dear
from kalshi_tui.ui.screens.base import CommandModal
from kalshi_tui.ui.screens.review import ReviewScreen
from kalshi_tui.ui.situation import Situation
from kalshi_tui.ui.watch_view import market_label
from kalshi_tui.ui.widgets.choice import Choice
from kalshi_tui.ui.widgets.key_bar import KeyBar
from kalshi_tui.ui.widgets.line_view import LineView
from kalshi_tui.ui.widgets.sentence import Sentence

LONGEST_ENTRY = 16
PRINTED = r"[ -~¢]*"
"""What a field takes. Whole or not at all: a pasted text with control characters must not become another number."""


class TicketScreen(CommandModal[None]):
    """One order being written. Opens on the price, which is empty: a cursor that rests on a row is no chosen price."""

    SCOPE = Scope.TICKET
    BINDINGS: ClassVar[list[BindingType]] = bindings(Scope.TICKET)

    def __init__(self, desk: Desk, ticker: str, action: Action, timer_ms: Callable[[], int]) -> None:
        super().__init__(desk)
        self._ticker = ticker
        self._timer_ms = timer_ms
        self._title_line = LineView(id="name", classes="one-line")
        self._quote = LineView(id="quote", classes="one-line")
        self._side = Choice({"YES": Side.YES, "NO": Side.NO}, Side.YES, id="side")
        self._action = Choice({"BUY": Action.BUY, "SELL": Action.SELL}, action, id="action")
        self._price = Input(id="price", max_length=LONGEST_ENTRY, restrict=PRINTED, compact=True)
        self._price_read = LineView(id="price-read", classes="one-line")
        self._count = Input(id="count", max_length=LONGEST_ENTRY, restrict=PRINTED, compact=True)
        self._count_read = LineView(id="count-read", classes="one-line")
        self._tif = Choice({tif.short: tif for tif in TimeInForce}, TimeInForce.GTC, id="tif")
        self._tif_read = LineView(id="tif-read", classes="one-line")
        self._preview = LineView(id="preview")
        self._problem = Sentence(id="problem")
        # In the order of the Tab key: what is typed for each order first.
        self._fields = (self._price, self._count, self._tif, self._side, self._action)
        self._missing = ""
        """What the review asked for, shown until something is written."""

    def compose(self) -> ComposeResult:
        """Lay out quote, fields, preview."""
        with Vertical(classes="ticket") as box:
            box.border_title = Content(f"{self.desk.venue.value} - order ticket")
            yield self._title_line
            yield self._quote
            yield Label("", classes="one-line")
            with Horizontal(classes="field"):
                yield Label("Side   ")
                yield self._side
                yield self._action
            with Horizontal(classes="field"):
                yield Label("Price  ")
                yield self._price
                yield self._price_read
            with Horizontal(classes="field"):
                yield Label("Count  ")
                yield self._count
                yield self._count_read
            with Horizontal(classes="field"):
                yield Label("Time   ")
                yield self._tif
                yield self._tif_read
            yield Label("", classes="one-line")
            yield self._preview
            yield self._problem
            yield KeyBar()

    def on_mount(self) -> None:
        """Begin on the price."""
        self.set_focus(self._price)
        self.draw()

    # What is written.

    def terms(self) -> OrderTerms:
        """Give the order as written. Raises NumberError with a sentence while it is not whole."""
        price = read_price(self._price.value)
        count = read_count(self._count.value)
        return OrderTerms(self._ticker, self._side.value, self._action.value, price, count, self._tif.value)

    def problem(self) -> str:
        """Say what is wrong with what is written so far; empty fields are not wrong yet."""
        price, count = self._price.value.strip(), self._count.value.strip()
        try:
            # A count that is not written yet must not keep a price that cannot be from being told.
            written = OrderTerms(
                self._ticker,
                self._side.value,
                self._action.value,
                read_price(price) if price else self._market().grid.prices[0],
                read_count(count) if count else COUNT_UNIT,
                self._tif.value,
            )
        except NumberError as error:
            return str(error)
        if not price:
            return ""
        return refusal(written, self._market()) or ""

    # Drawing.

    def frame(self, dirty: Dirty) -> None:
        """Keep quote and preview live."""
        if self._ticker in dirty.tickers or dirty.topics:
            self.draw()

    def draw(self) -> None:
        """Draw everything but the fields."""
        market, live = self._market(), self._live()
        position = self.desk.store.positions.get(self._ticker)
        held = held_words(position)
        self._title_line.show(
            [line(Span(market_label(market), Tone.HEAD), Span(f"  {held}" if held else "", Tone.OWN))]
        )
        self._quote.show([quote_line(live, market, self._side.value)])
        self._tif_read.show([line(Span(TIF_WORDS[self._tif.value], Tone.DIM))])
        hint = price_hint(live.book, self._side.value, self._action.value, decimals_of(market.grid))
        self._price_read.show([price_read(self._price.value, self._side.value, hint)])
        self._count_read.show([count_read(self._count.value)])
        problem = self.problem()
        try:
            terms = self.terms()
        except NumberError:
            what = "" if problem else "Price and count show here what the order would do."
            self._preview.show([line(Span(what, Tone.DIM))])
            self._say(problem or self._missing, Tone.BAD)
            return
        self._preview.show(preview_lines(terms, live.book, market.fees, position))
        if problem:
            self._say(problem, Tone.BAD)
        elif not live.good:
            self._say(f"{live.trust.name}: these figures may be wrong. {live.why}", Tone.WARN)
        else:
            dear = too_dear(terms, market.fees, position, self.desk.store.cash_for(market))
            warning = paused(self.desk.store.hours) or dear or selling_unheld(terms, position)
            self._say(warning, Tone.WARN)

    def _say(self, sentence: str, tone: Tone) -> None:
        content: list[Line] = [line(Span(sentence, tone))] if sentence else []
        self._problem.show(content)

    @on(Input.Changed)
    @on(Choice.Changed)
    def _written(self) -> None:
        self._missing = ""
        self.draw()

    # Commands.

    def do_review(self) -> None:
        """Go to the field that is empty or wrong; from a whole order, to its review."""
        if self.focused is self._price and not self._count.value.strip() and self._price_is_right():
            self.set_focus(self._count)
            return
        try:
            terms = self.terms()
        except NumberError as error:
            self.set_focus(self._count if self._price_is_right() else self._price)
            self._missing = str(error)
            self.draw()
            return
        if refusal(terms, self._market()):
            # The sentence stands there already.
            self.set_focus(self._price)
            return

        def closed(sent: bool | None) -> None:
            if sent:
                self.dismiss(None)

        self.app.push_screen(ReviewScreen(self.desk, terms, self._timer_ms), closed)

    def do_go_field(self, by: int) -> None:
        """Go to the next field, or the one before."""
        place = next((number for number, field in enumerate(self._fields) if field is self.focused), 0)
        self.set_focus(self._fields[(place + by) % len(self._fields)])

    def do_step(self, ticks: int) -> None:
        """Step the count by one contract where it is written, else the price along the market's grid."""
        field, text = self._stepped_count(ticks) if self.focused is self._count else self._stepped_price(ticks)
        field.value = text
        field.cursor_position = len(text)

    def do_turn(self, by: int) -> None:
        """Take the next or the previous word of the field."""
        if isinstance(self.focused, Choice):
            self.focused.turn(by)

    def situation(self) -> Situation:
        """Say whether the field is one to choose in."""
        return Situation(on_choice=isinstance(self.focused, Choice))

    @on(DescendantFocus)
    def _other_field(self) -> None:
        self.draw_keys()

    def do_close(self) -> None:
        """Close; nothing has been sent."""
        self.dismiss(None)

    # Helpers.

    def _market(self) -> Market:
        return self.desk.store.markets[self._ticker]

    def _live(self) -> LiveBook:
        return self.desk.store.book(self._ticker)

    def _price_is_right(self) -> bool:
        try:
            read_price(self._price.value)
        except NumberError:
            return False
        return True

    def _grid(self) -> PriceGrid:
        grid = self._market().grid
        return grid if self._side.value is Side.YES else grid.complement()

    def _stepped_price(self, ticks: int) -> tuple[Input, str]:
        """Give the price a tick on; from an empty field, the best price on the trader's own side."""
        try:
            price = read_price(self._price.value)
        except NumberError:
            book = self._live().book
            near = (
                book.best_bid(self._side.value) if self._action.value is Action.BUY else book.best_ask(self._side.value)
            )
            if near is None:
                return self._price, self._price.value
            price = near.price
        else:
            price = self._grid().up(price, ticks) if ticks > 0 else self._grid().down(price, -ticks)
        return self._price, price_text(price, decimals_of(self._market().grid))

    def _stepped_count(self, contracts: int) -> tuple[Input, str]:
        try:
            count = read_count(self._count.value)
        except NumberError:
            count = 0
        return self._count, count_text(max(count + contracts * COUNT_UNIT, COUNT_UNIT)).replace(",", "")
