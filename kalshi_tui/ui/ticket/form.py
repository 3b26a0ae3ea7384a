"""The fields of the order ticket, each with how it was read beside it."""

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.widget import Widget
from textual.widgets import Label

from kalshi_tui.domain.book import Side
from kalshi_tui.domain.market import Market
from kalshi_tui.domain.order import Action, OrderTerms
from kalshi_tui.domain.price import Count, Price
from kalshi_tui.order_entry.draft import DraftTimeInForce, OrderDraft, dollars_readback
from kalshi_tui.order_entry.parse import (
    count_readback,
    expiration_readback,
    is_dollar_amount,
    join_take_text,
    price_readback,
)
from kalshi_tui.order_entry.pricing import count_input_text
from kalshi_tui.presentation.lines import (
    Line,
    Span,
    Tone,
    line,
)
from kalshi_tui.presentation.number_text import expiration_text, price_decimals, price_text
from kalshi_tui.presentation.order_text import TIME_IN_FORCE_TEXT, rolling_expiry_text
from kalshi_tui.session.market_data.store import LiveBook
from kalshi_tui.session.options import TicketDefaults
from kalshi_tui.ui.ticket.field_letters import COUNT_LETTERS, PRICE_LETTERS
from kalshi_tui.ui.ticket.start import TicketPrefill
from kalshi_tui.ui.widgets.choice import Choice, Toggle
from kalshi_tui.ui.widgets.field import Field
from kalshi_tui.ui.widgets.line_view import LineView

MAX_GROUP_LENGTH = 40


class TicketForm(Vertical):
    """Side, price, count, time, options. ``defaults`` say how long the trader's settings let an order rest."""

    def __init__(self, prefill: TicketPrefill, count: Count, decimals: int, defaults: TicketDefaults) -> None:
        super().__init__(id="form")
        self._ticker = prefill.ticker
        self._max_duration_s = defaults.expire_after_s
        self._rolling_expiry_s = defaults.rolling_expiry_s
        price = price_text(prefill.price, decimals) if prefill.price is not None else ""
        self.side = Choice({side.name: side for side in Side}, prefill.side, id="side")
        self.action = Choice({action.name: action for action in Action}, prefill.action, id="action")
        self.price = Field(id="price", letters=PRICE_LETTERS, value=price, any_script=True)
        self._price_readback = LineView(id="price-read", classes="one-line")
        self.count = Field(id="count", letters=COUNT_LETTERS, value=count_input_text(count), any_script=True)
        self._count_readback = LineView(id="count-read", classes="one-line")
        life = DraftTimeInForce.IOC if prefill.reduce_only else DraftTimeInForce[prefill.tif.name]
        self.time_in_force = Choice({each.name: each for each in DraftTimeInForce}, life, id="tif")
        self.until = Field(id="until", any_script=True)
        self._time_in_force_readback = LineView(id="tif-read", classes="one-line")
        self._post_only = Toggle("post-only", id="post-only")
        self._reduce_only = Toggle("reduce-only", id="reduce-only", value=prefill.reduce_only)
        self._cancel_on_pause = Toggle("cancel on pause", id="on-pause")
        self._group = Field(id="group", max_length=MAX_GROUP_LENGTH)

    def compose(self) -> ComposeResult:
        """Lay out a row for each."""
        rows: tuple[tuple[Widget, ...], ...] = (
            (Label("Side   "), self.side, self.action, Label("Group "), self._group),
            (Label("Price  "), self.price, self._price_readback),
            (Label("Count  "), self.count, self._count_readback),
            (Label("Time   "), self.time_in_force, self.until, self._time_in_force_readback),
            (Label("Only   "), self._post_only, self._reduce_only, self._cancel_on_pause),
        )
        for row in rows:
            with Horizontal(classes="field"):
                yield from row

    def on_mount(self) -> None:
        """Show the field for the expiration only where it is used."""
        self.until.display = self.time_in_force.value is DraftTimeInForce.UNTIL

    @property
    def draft(self) -> OrderDraft:
        """The order as typed."""
        return OrderDraft(
            ticker=self._ticker,
            side=self.side.value,
            action=self.action.value,
            price=self.price.value,
            count=self.count.value,
            time_in_force=self.time_in_force.value,
            until=self.until.value,
            post_only=self._post_only.value,
            reduce_only=self._reduce_only.value,
            cancel_on_pause=self._cancel_on_pause.value,
            group=self._group.value,
        )

    @property
    def fields(self) -> list[Widget]:
        """The fields in the order of the Tab key: those typed for every order come first."""
        until: list[Widget] = [self.until] if self.time_in_force.value is DraftTimeInForce.UNTIL else []
        options = (self.side, self.action, self._post_only, self._reduce_only, self._cancel_on_pause, self._group)
        return [self.price, self.count, self.time_in_force, *until, *options]

    def show_readbacks(self, market: Market, live: LiveBook, terms: OrderTerms | None, now_ms: int) -> None:
        """Show beside the fields how they were read; ``terms`` are None while the order is incomplete."""
        written, decimals = self.draft, price_decimals(market.grid)
        hint = join_take_text(live.book, written.side, written.action, decimals)
        self._price_readback.show([price_readback(written.price, written.side, hint)])
        dollars = is_dollar_amount(written.count)
        self._count_readback.show(
            [dollars_readback(written.count, terms, market) if dollars else count_readback(written.count)]
        )
        self._time_in_force_readback.show([self._time_in_force_line(now_ms)])

    def _time_in_force_line(self, now_ms: int) -> Line:
        life = self.time_in_force.value
        if life is DraftTimeInForce.UNTIL:
            return expiration_readback(self.until.value, now_ms)
        if life is DraftTimeInForce.GTC and self._max_duration_s is not None:
            ends = expiration_text(now_ms // 1000 + self._max_duration_s, now_ms)
            return line(Span(f"expires {ends}{', ' if ' ' in ends else ' by your '}dead-man setting", Tone.WARN))
        if life is DraftTimeInForce.GTC and self._rolling_expiry_s is not None:
            return line(Span(rolling_expiry_text(self._rolling_expiry_s), Tone.WARN))
        return line(Span(TIME_IN_FORCE_TEXT[life.time_in_force], Tone.DIM))

    @on(Choice.Changed)
    def _choice_changed(self, event: Choice.Changed) -> None:
        if event.field is self._reduce_only and self._reduce_only.value:
            # The exchange accepts reduce-only with immediate-or-cancel alone.
            self.time_in_force.value = DraftTimeInForce.IOC
        self.until.display = self.time_in_force.value is DraftTimeInForce.UNTIL

    def set_price(self, price: Price, market: Market) -> None:
        """Write a price as its market's grid needs it."""
        self.price.set_text(price_text(price, price_decimals(market.grid)))

    def set_count(self, count: Count) -> None:
        """Write a count of contracts."""
        self.count.set_text(count_input_text(count))

    def toggle_dollars(self) -> None:
        """Turn the count from contracts to dollars, or back; what is typed next replaces the figure alone."""
        text = self.count.value.strip()
        dollars = not is_dollar_amount(text)
        self.count.set_text(f"${text}" if dollars else text.removeprefix("$"))
        self.count.selection = type(self.count.selection)(int(dollars), len(self.count.value))
