"""The dialog in which an alert is typed, with a sentence that says what it will do."""

from typing import Final

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Input, Label

from kalshi_tui.domain.alerts import (
    Alert,
    AlertError,
    AlertKind,
    parse_alert,
)
from kalshi_tui.domain.book import Side
from kalshi_tui.domain.market import Market
from kalshi_tui.domain.price import PRICE_UNIT, Price
from kalshi_tui.domain.text import market_text, plain_price_text
from kalshi_tui.presentation.lines import Span, Tone, line
from kalshi_tui.session.alerts.monitor import current_value, trusted_top, why_silent
from kalshi_tui.session.alerts.text import alert_explanation, alert_in_market_text
from kalshi_tui.session.changes import StoreChanges
from kalshi_tui.session.interface import TradingSession
from kalshi_tui.session.notices import Severity
from kalshi_tui.session.store import Store
from kalshi_tui.ui.book.view import quote_line
from kalshi_tui.ui.command import Scope
from kalshi_tui.ui.widgets.command_screen import CommandModal
from kalshi_tui.ui.widgets.field import Field
from kalshi_tui.ui.widgets.key_bar import KeyBar
from kalshi_tui.ui.widgets.line_view import LineView
from kalshi_tui.ui.widgets.sentence import WrappedText

MAX_ALERT_LENGTH: Final = 40
ALERT_EXAMPLES: Final = (
    "bid, ask, last or spread with >= or <= and a price: bid >= 0.55",
    "size, bid size, ask size with >= or <= and a count: size >= 1000",
    "trade >= 500   close < 10m   fill   refused",
    "once or every at the end: bid >= 0.55 every",
)


def initial_alert_text(store: Store, ticker: str, price: Price | None) -> str:
    """Return the first text of the field: an alert to buy at the selected YES price, or to sell above the market."""
    if price is None:
        return ""
    top = trusted_top(store, ticker)
    above = top is not None and top.ask < PRICE_UNIT and price >= top.ask
    return f"{'bid >=' if above else 'ask <='} {plain_price_text(price)}"


class AlertScreen(CommandModal[None]):
    """One alert being typed; Enter saves it once it is valid."""

    SCOPE = Scope.ALERT

    def __init__(self, session: TradingSession, ticker: str, text: str) -> None:
        super().__init__(session)
        self._ticker = ticker
        self._field = Field(id="alert", max_length=MAX_ALERT_LENGTH, value=text, any_script=True)
        self._title_line = LineView(id="alert-market", classes="one-line")
        self._quote = LineView(id="quote", classes="one-line")
        self._explanation = WrappedText(id="alert-said")
        self._examples = WrappedText(id="alert-forms")
        self._rejection = ""
        """Why Enter kept nothing; shown until something is written."""

    def compose(self) -> ComposeResult:
        """Lay out the market, the field, what it means, how it is written, the keys."""
        with Vertical(classes="dialog") as box:
            box.border_title = Content(f"{self.session.venue.value} - an alert")
            yield self._title_line
            yield self._quote
            with Horizontal(classes="field"):
                yield Label("Ring when: ")
                yield self._field
            yield self._explanation
            yield self._examples
            yield KeyBar()

    def on_mount(self) -> None:
        """Begin in the field."""
        self.set_focus(self._field)
        self._examples.show([line(Span(each, Tone.DIM)) for each in ALERT_EXAMPLES])
        self.draw()

    def frame(self, dirty: StoreChanges) -> None:
        """Keep quote and sentence live."""
        if self._ticker in dirty.tickers or dirty.topics:
            self.draw()

    def draw(self) -> None:
        """Draw everything but the field."""
        store = self.session.store
        market = store.markets.get(self._ticker, Market(self._ticker, ""))
        self._title_line.show([line(Span(market_text(market), Tone.HEAD))])
        self._quote.show([quote_line(store.book(self._ticker), market, Side.YES)])
        said, tone = self._rejection, Tone.BAD
        if not said:
            try:
                alert = self._parse()
            except AlertError as error:
                said, tone = str(error), Tone.BAD if self._field.value.strip() else Tone.DIM
            else:
                said, tone = alert_explanation(alert, current_value(store, alert)), Tone.GOOD
        self._explanation.show([line(Span(said, tone))])

    def _parse(self) -> Alert:
        """Read what is typed. Raises AlertError with a sentence."""
        alert = parse_alert(self._field.value, self._ticker)
        market = self.session.store.markets.get(self._ticker)
        if alert.kind is AlertKind.CLOSE and market is not None and not market.expected_end_ms:
            raise AlertError("Nobody has said when this market closes.")
        if why := why_silent(self.session.store, alert):
            raise AlertError(f"This would never ring. {why}")
        return alert

    @on(Input.Changed)
    def _input_changed(self) -> None:
        self._rejection = ""
        self.draw()

    def save(self) -> None:
        """Save the alert and close; if it is invalid, say why."""
        try:
            alert = self._parse()
        except AlertError as error:
            self._rejection = str(error)
        else:
            rung = self.session.alerts.ring_count
            self._rejection = self.session.alerts.add(alert)
            if not self._rejection:
                if self.session.alerts.ring_count == rung:
                    self.session.store.notify(
                        Severity.INFO, f"Alert armed: {alert_in_market_text(self.session.store, alert)}."
                    )
                self.dismiss()
                return
        self.draw()

    def go_back(self) -> None:
        """Close; no alert is made."""
        self.dismiss()
