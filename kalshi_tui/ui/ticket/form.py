"""The fields of the order ticket, and beside each how it was read."""

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.widget import Widget
from textual.widgets import Label

from kalshi_tui.domain.book import Side
from kalshi_tui.domain.market import Market
from kalshi_tui.domain.order import Action, OrderTerms
from kalshi_tui.domain.price import Count, Price
from kalshi_tui.order_entry.draft import Life, Written, dollars_read
from kalshi_tui.order_entry.parse import (
    count_read,
    ending_text,
    in_dollars,
    price_hint,
    price_read,
    until_read,
)
from kalshi_tui.order_entry.pricing import count_typed
from kalshi_tui.presentation.lines import (
    Line,
    Span,
    Tone,
    line,
)
from kalshi_tui.presentation.numbers import decimals_of, price_text
from kalshi_tui.presentation.order_text import TIF_WORDS
from kalshi_tui.session.store import LiveBook
from kalshi_tui.ui.ticket.commands import COUNT_LETTERS, PRICE_LETTERS
from kalshi_tui.ui.ticket.start import TicketStart
from kalshi_tui.ui.widgets.choice import Choice, Toggle
from kalshi_tui.ui.widgets.field import Field
from kalshi_tui.ui.widgets.line_view import LineView

LONGEST_GROUP = 40


class TicketForm(Vertical):
    """Side, price, count, time, options. ``longest_s`` is how long the trader's settings let an order rest."""

    def __init__(self, start: TicketStart, count: Count, decimals: int, longest_s: int | None) -> None:
        super().__init__(id="form")
        self._ticker = start.ticker
        self._longest_s = longest_s
        price = price_text(start.price, decimals) if start.price is not None else ""
        self.side = Choice({side.name: side for side in Side}, start.side, id="side")
        self.action = Choice({action.name: action for action in Action}, start.action, id="action")
        self.price = Field(id="price", letters=PRICE_LETTERS, value=price)
        self._price_read = LineView(id="price-read", classes="one-line")
        self.count = Field(id="count", letters=COUNT_LETTERS, value=count_typed(count))
        self._count_read = LineView(id="count-read", classes="one-line")
        life = Life.IOC if start.reduce_only else Life[start.tif.name]
        self.life = Choice({each.name: each for each in Life}, life, id="tif")
        self.until = Field(id="until")
        self._life_read = LineView(id="tif-read", classes="one-line")
        self._post_only = Toggle("post-only", id="post-only")
        self._reduce_only = Toggle("reduce-only", id="reduce-only", value=start.reduce_only)
        self._on_pause = Toggle("cancel on pause", id="on-pause")
        self._group = Field(id="group", longest=LONGEST_GROUP)

    def compose(self) -> ComposeResult:
        """Lay out a row for each."""
        rows: tuple[tuple[Widget, ...], ...] = (
            (Label("Side   "), self.side, self.action, Label("Group "), self._group),
            (Label("Price  "), self.price, self._price_read),
            (Label("Count  "), self.count, self._count_read),
            (Label("Time   "), self.life, self.until, self._life_read),
            (Label("Only   "), self._post_only, self._reduce_only, self._on_pause),
        )
        for row in rows:
            with Horizontal(classes="field"):
                yield from row

    def on_mount(self) -> None:
        """Show the field of the time only where one is wanted."""
        self.until.display = self.life.value is Life.UNTIL

    @property
    def written(self) -> Written:
        """What stands in the fields."""
        return Written(
            ticker=self._ticker,
            side=self.side.value,
            action=self.action.value,
            price=self.price.value,
            count=self.count.value,
            life=self.life.value,
            until=self.until.value,
            post_only=self._post_only.value,
            reduce_only=self._reduce_only.value,
            cancel_on_pause=self._on_pause.value,
            group=self._group.value,
        )

    @property
    def fields(self) -> list[Widget]:
        """The fields in the order of the Tab key: what is typed for each order comes first."""
        until: list[Widget] = [self.until] if self.life.value is Life.UNTIL else []
        options = (self.side, self.action, self._post_only, self._reduce_only, self._on_pause, self._group)
        return [self.price, self.count, self.life, *until, *options]

    def show_read(self, market: Market, live: LiveBook, terms: OrderTerms | None, now_ms: int) -> None:
        """Say beside the fields how they were read; ``terms`` are None while the order is not whole."""
        written, decimals = self.written, decimals_of(market.grid)
        hint = price_hint(live.book, written.side, written.action, decimals)
        self._price_read.show([price_read(written.price, written.side, hint)])
        dollars = in_dollars(written.count)
        self._count_read.show([dollars_read(written.count, terms, market) if dollars else count_read(written.count)])
        self._life_read.show([self._life_words(now_ms)])

    def _life_words(self, now_ms: int) -> Line:
        life = self.life.value
        if life is Life.UNTIL:
            return until_read(self.until.value, now_ms)
        if life is Life.GTC and self._longest_s is not None:
            ends = ending_text(now_ms // 1000 + self._longest_s, now_ms)
            return line(Span(f"expires {ends}{', ' if ' ' in ends else ' by your '}dead-man setting", Tone.WARN))
        return line(Span(TIF_WORDS[life.tif], Tone.DIM))

    @on(Choice.Changed)
    def _chosen(self, event: Choice.Changed) -> None:
        if event.field is self._reduce_only and self._reduce_only.value:
            # The exchange takes it in no other way.
            self.life.value = Life.IOC
        self.until.display = self.life.value is Life.UNTIL

    def write_price(self, price: Price, market: Market) -> None:
        """Write a price as its market's grid needs it."""
        self.price.write(price_text(price, decimals_of(market.grid)))

    def write_count(self, count: Count) -> None:
        """Write a count of contracts."""
        self.count.write(count_typed(count))

    def turn_dollars(self) -> None:
        """Turn the count from contracts to dollars, or back; what is typed next replaces the figure alone."""
        text = self.count.value.strip()
        dollars = not in_dollars(text)
        self.count.write(f"${text}" if dollars else text.removeprefix("$"))
        self.count.selection = type(self.count.selection)(int(dollars), len(self.count.value))
