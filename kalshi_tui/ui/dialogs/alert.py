"""The line in which an alert is written, with a sentence that says what it will do."""

from typing import ClassVar, Final

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Input, Label

from kalshi_tui.domain.alerts import (
    Alert,
    AlertError,
    Kind,
    parse_alert,
)
from kalshi_tui.domain.book import Side
from kalshi_tui.domain.market import Market
from kalshi_tui.domain.price import PRICE_UNIT, Price
from kalshi_tui.domain.text import price_words
from kalshi_tui.presentation.lines import Span, Tone, line
from kalshi_tui.session.alerts.monitor import touch, value_of
from kalshi_tui.session.alerts.text import kept_words, meaning
from kalshi_tui.session.interface import Desk
from kalshi_tui.session.notices import Weight
from kalshi_tui.session.store import Dirty, Store
from kalshi_tui.ui.book.view import quote_line
from kalshi_tui.ui.commands import Scope, bindings
from kalshi_tui.ui.market_list.view import market_label
from kalshi_tui.ui.widgets.command_screen import CommandModal
from kalshi_tui.ui.widgets.field import Field
from kalshi_tui.ui.widgets.key_bar import KeyBar
from kalshi_tui.ui.widgets.line_view import LineView
from kalshi_tui.ui.widgets.sentence import Sentence

LONGEST: Final = 40
FORMS: Final = (
    "bid, ask, last or spread with >= or <= and a price: bid >= 0.55",
    "size, bid size, ask size with >= or <= and a count: size >= 1000",
    "trade >= 500   close < 10m   fill   refused",
    "once or every at the end: bid >= 0.55 every",
)


def first_text(store: Store, ticker: str, price: Price | None) -> str:
    """Give what the line begins with: that one can buy at the chosen YES price, or sell at one above the market."""
    if price is None:
        return ""
    top = touch(store, ticker)
    above = top is not None and top.ask < PRICE_UNIT and price >= top.ask
    return f"{'bid >=' if above else 'ask <='} {price_words(price)}"


class AlertScreen(CommandModal[None]):
    """One alert being written; kept by Enter once it makes sense."""

    SCOPE = Scope.ALERT
    BINDINGS: ClassVar[list[BindingType]] = bindings(Scope.ALERT)

    def __init__(self, desk: Desk, ticker: str, text: str) -> None:
        super().__init__(desk)
        self._ticker = ticker
        self._field = Field(id="alert", longest=LONGEST, value=text)
        self._title_line = LineView(id="name", classes="one-line")
        self._quote = LineView(id="quote", classes="one-line")
        self._said = Sentence(id="alert-said")
        self._forms = Sentence(id="alert-forms")
        self._missing = ""
        """Why Enter kept nothing; shown until something is written."""

    def compose(self) -> ComposeResult:
        """Lay out the market, the field, what it means, how it is written, the keys."""
        with Vertical(classes="dialog") as box:
            box.border_title = Content(f"{self.desk.venue.value} - an alert")
            yield self._title_line
            yield self._quote
            with Horizontal(classes="field"):
                yield Label("Ring when: ")
                yield self._field
            yield self._said
            yield self._forms
            yield KeyBar()

    def on_mount(self) -> None:
        """Begin in the field."""
        self.set_focus(self._field)
        self._forms.show([line(Span(each, Tone.DIM)) for each in FORMS])
        self.draw()

    def frame(self, dirty: Dirty) -> None:
        """Keep quote and sentence live."""
        if self._ticker in dirty.tickers or dirty.topics:
            self.draw()

    def draw(self) -> None:
        """Draw everything but the field."""
        store = self.desk.store
        market = store.markets.get(self._ticker, Market(self._ticker, ""))
        self._title_line.show([line(Span(market_label(market), Tone.HEAD))])
        self._quote.show([quote_line(store.book(self._ticker), market, Side.YES)])
        said, tone = self._missing, Tone.BAD
        if not said:
            try:
                alert = self._read()
            except AlertError as error:
                said, tone = str(error), Tone.BAD if self._field.value.strip() else Tone.DIM
            else:
                said, tone = meaning(alert, value_of(store, alert)), Tone.GOOD
        self._said.show([line(Span(said, tone))])

    def _read(self) -> Alert:
        """Read what is written. Raises AlertError with a sentence."""
        alert = parse_alert(self._field.value, self._ticker)
        market = self.desk.store.markets.get(self._ticker)
        if alert.kind is Kind.CLOSE and market is not None and not market.close_ms:
            raise AlertError("Nobody has said when this market closes.")
        return alert

    @on(Input.Changed)
    def _written(self) -> None:
        self._missing = ""
        self.draw()

    def do_keep(self) -> None:
        """Keep the alert and close; say what is wrong while it makes no sense."""
        try:
            alert = self._read()
        except AlertError as error:
            self._missing = str(error)
        else:
            rung = self.desk.alerts.rung
            self._missing = self.desk.alerts.add(alert)
            if not self._missing:
                if self.desk.alerts.rung == rung:
                    self.desk.store.notify(Weight.INFO, f"Alert armed: {kept_words(self.desk.store, alert)}.")
                self.dismiss()
                return
        self.draw()

    def do_leave(self) -> None:
        """Close; no alert is made."""
        self.dismiss()
