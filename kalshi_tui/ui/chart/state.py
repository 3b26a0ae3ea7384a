"""Which chart is looked at, and how: market, period, candles or a line, and the crosshair. Draws itself as lines."""

from kalshi_tui.domain.candles import PERIODS, Candle, Chart
from kalshi_tui.domain.market import Market
from kalshi_tui.presentation.lines import (
    Line,
    Span,
    Tone,
    line,
)
from kalshi_tui.presentation.numbers import (
    count_text,
    date_text,
    decimals_of,
    price_text,
    short_count,
)
from kalshi_tui.session.store import Store
from kalshi_tui.ui.chart.marks import ASCII, BLOCKS, Kind
from kalshi_tui.ui.chart.view import Look, chart_lines

PERIOD_WORDS = {1: "1 minute", 60: "1 hour", 1440: "1 day"}
PERIOD_LETTERS = {1: "1m", 60: "1h", 1440: "1d"}


class ChartState:
    """The chart below. The crosshair holds on to its candle; without one the newest is told of."""

    def __init__(self, store: Store, *, plain: bool = False) -> None:
        """Make it; ``plain``: of ASCII characters alone."""
        self._store = store
        self._plain = plain
        self._drawn: Chart | None = None
        self.ticker = ""
        self.minutes = 60
        self.kind = Kind.CANDLES
        self.cross: int | None = None
        """The end of the candle under the crosshair."""

    def look_at(self, ticker: str) -> None:
        """Look at another market."""
        if ticker != self.ticker:
            self.ticker, self.cross = ticker, None

    def turn_period(self) -> None:
        """Take the next period."""
        self.minutes = PERIODS[(PERIODS.index(self.minutes) + 1) % len(PERIODS)]
        self.cross = None

    def turn_kind(self) -> None:
        """Draw a line instead of candles, or candles instead of the line."""
        self.kind = Kind.LINE if self.kind is Kind.CANDLES else Kind.CANDLES

    def move(self, by: int) -> None:
        """Move the crosshair by so many candles, to later ones for more than 0; beyond the newest it is gone."""
        candles = self.chart.candles
        if not candles:
            return
        place = self._place(candles)
        if place is None:
            place = len(candles) - 1
        place = max(place + by, 0)
        self.cross = candles[place].end_ms if place < len(candles) else None

    def _place(self, candles: tuple[Candle, ...]) -> int | None:
        """Give where the candle under the crosshair stands; None if there is no such candle any more."""
        return next((place for place, each in enumerate(candles) if each.end_ms == self.cross), None)

    @property
    def chart(self) -> Chart:
        """What is known; no candles if nobody has read any yet."""
        return self._store.charts.get((self.ticker, self.minutes)) or Chart(self.minutes)

    @property
    def is_stale(self) -> bool:
        """Whether something else is known by now than was drawn last."""
        chart = self.chart
        return chart is not self._drawn and bool(chart.as_of_ms or chart.why)

    @property
    def _market(self) -> Market | None:
        return self._store.markets.get(self.ticker)

    @property
    def _decimals(self) -> int:
        return decimals_of(self._market.grid) if self._market is not None else 2

    # Drawing.

    def lines(self, width: int, height: int, *, focused: bool) -> list[Line]:
        """Draw ``height`` lines of ``width`` cells; ``focused``: the crosshair is there in any case."""
        chart = self._drawn = self.chart
        if not chart.candles:
            said = "No candles of this market yet." if chart.as_of_ms else "Reading the chart..."
            return [line(Span(chart.why or said, Tone.WARN if chart.why else Tone.DIM))]
        cross = self.cross
        if cross is None and focused:
            cross = chart.candles[-1].end_ms
        return chart_lines(
            chart.candles, Look(self.minutes, self.kind, self._plain, cross), self._decimals, width, height
        )

    def heading(self, width: int) -> Line:
        """Say what is drawn, and of the candle under the crosshair or the newest its time, prices and volume.

        The first wording for which there is room; the shortest where there is for none.
        """
        chart = self.chart
        period = PERIOD_WORDS[self.minutes]
        if not chart.candles:
            return line(Span(f" {period} {self.kind.value}", Tone.HEAD))
        place = self._place(chart.candles)
        candle = chart.candles[place if place is not None else -1]
        marks = ASCII if self._plain else BLOCKS
        legend = f"{marks.legend}  " if self.kind is Kind.CANDLES else ""
        begins = date_text(candle.end_ms - chart.period_ms)
        begins = begins[:6] if self.minutes == PERIODS[-1] else begins
        failed = "  NOT READ ANEW" if chart.why else ""
        told, middles = f"{begins} {self._words(candle)}{failed}", f"{marks.middle} no trade: mid"
        letters = f"{begins} {self._letters(candle)}{failed} {middles}"
        wordings = (
            f"{period} {self.kind.value}, from {told}  {legend}{marks.middle} no trade: middle of bid and ask",
            f"{period} {self.kind.value} {told}  {middles}",
            f"{PERIOD_LETTERS[self.minutes]} {self.kind.value} {letters}",
        )
        chosen = next((each for each in wordings if len(each) < width), wordings[-1])
        return line(Span(f" {chosen}", Tone.WARN if failed else Tone.HEAD))

    def _words(self, candle: Candle) -> str:
        decimals = self._decimals
        if candle.close is None:
            bid, ask = (price_text(each, decimals) for each in (candle.yes_bid_close, candle.yes_ask_close))
            return f"no trade, bid {bid} ask {ask}"
        prices = (("open", candle.open), ("high", candle.high), ("low", candle.low), ("close", candle.close))
        told = " ".join(f"{name} {price_text(price, decimals)}" for name, price in prices)
        return f"{told} volume {count_text(candle.volume)}"

    def _letters(self, candle: Candle) -> str:
        if candle.close is None:
            return self._words(candle)
        prices = (("O", candle.open), ("H", candle.high), ("L", candle.low), ("C", candle.close))
        told = " ".join(f"{name} {price_text(price, self._decimals)}" for name, price in prices)
        return f"{told} V {short_count(candle.volume)}"
