"""The state of the chart pane: market, period, candles or a line, and the crosshair. Draws itself as lines."""

from kalshi_tui.domain.candles import CANDLE_PERIODS_MINUTES, Candle, CandleSeries
from kalshi_tui.domain.market import Market
from kalshi_tui.presentation.lines import (
    Line,
    Span,
    Tone,
    line,
)
from kalshi_tui.presentation.number_text import (
    count_text,
    date_time_text,
    price_decimals,
    price_text,
    short_count_text,
)
from kalshi_tui.session.store import Store
from kalshi_tui.ui.chart.marks import ASCII_GLYPHS, BLOCK_GLYPHS, ChartKind
from kalshi_tui.ui.chart.view import ChartOptions, chart_lines

PERIOD_NAMES = {1: "1 minute", 60: "1 hour", 1440: "1 day"}
NO_MARKET = "No market is chosen."
PERIOD_SHORT_NAMES = {1: "1m", 60: "1h", 1440: "1d"}


class ChartState:
    """The state of the chart. The crosshair stays on its candle; without one the heading describes the newest."""

    def __init__(self, store: Store, *, plain: bool = False) -> None:
        """Start without a market; with ``plain`` only ASCII characters are drawn."""
        self._store = store
        self._ascii_only = plain
        self._drawn_chart: CandleSeries | None = None
        self.ticker = ""
        self.period_minutes = 60
        self.kind = ChartKind.CANDLES
        self.crosshair_ms: int | None = None
        """The end of the candle under the crosshair."""

    def show_market(self, ticker: str) -> None:
        """Look at another market."""
        if ticker != self.ticker:
            self.ticker, self.crosshair_ms = ticker, None

    def next_period(self) -> None:
        """Take the next period."""
        self.period_minutes = CANDLE_PERIODS_MINUTES[
            (CANDLE_PERIODS_MINUTES.index(self.period_minutes) + 1) % len(CANDLE_PERIODS_MINUTES)
        ]
        self.crosshair_ms = None

    def toggle_kind(self) -> None:
        """Draw a line instead of candles, or candles instead of the line."""
        self.kind = ChartKind.LINE if self.kind is ChartKind.CANDLES else ChartKind.CANDLES

    def move_crosshair(self, by: int) -> None:
        """Move the crosshair by so many candles, to later ones for more than 0; beyond the newest it is gone."""
        candles = self.chart.candles
        if not candles:
            return
        place = self._crosshair_index(candles)
        if place is None:
            place = len(candles) - 1
        place = max(place + by, 0)
        self.crosshair_ms = candles[place].end_ms if place < len(candles) else None

    def _crosshair_index(self, candles: tuple[Candle, ...]) -> int | None:
        """Return where the candle under the crosshair stands; None if there is no such candle any more."""
        return next((place for place, each in enumerate(candles) if each.end_ms == self.crosshair_ms), None)

    @property
    def chart(self) -> CandleSeries:
        """The candles as read so far."""
        return self._store.charts.get((self.ticker, self.period_minutes)) or CandleSeries(self.period_minutes)

    @property
    def is_stale(self) -> bool:
        """Whether the data has changed since the last drawing."""
        chart = self.chart
        return chart is not self._drawn_chart and bool(chart.as_of_ms or chart.why)

    @property
    def _market(self) -> Market | None:
        return self._store.markets.get(self.ticker)

    @property
    def _decimals(self) -> int:
        return price_decimals(self._market.grid) if self._market is not None else 2

    # Drawing.

    def render_lines(self, width: int, height: int, *, focused: bool) -> list[Line]:
        """Draw ``height`` lines of ``width`` cells; ``focused``: the crosshair is there in any case."""
        chart = self._drawn_chart = self.chart
        if not chart.candles:
            said = "No candles of this market yet." if chart.as_of_ms else "Reading the chart..."
            if not self.ticker:
                said = NO_MARKET
            return [line(Span(chart.why or said, Tone.WARN if chart.why else Tone.DIM))]
        cross = self.crosshair_ms
        if cross is None and focused:
            cross = chart.candles[-1].end_ms
        return chart_lines(
            chart.candles,
            ChartOptions(self.period_minutes, self.kind, self._ascii_only, cross),
            self._decimals,
            width,
            height,
        )

    def heading(self, width: int) -> Line:
        """Return what is drawn, and of the candle under the crosshair or the newest its time, prices and volume.

        The first wording for which there is room; the shortest where there is for none.
        """
        chart = self.chart
        period = PERIOD_NAMES[self.period_minutes]
        if not chart.candles:
            return line(Span(f" {period} {self.kind.value}", Tone.HEAD))
        place = self._crosshair_index(chart.candles)
        candle = chart.candles[place if place is not None else -1]
        marks = ASCII_GLYPHS if self._ascii_only else BLOCK_GLYPHS
        legend = f"{marks.legend}  " if self.kind is ChartKind.CANDLES else ""
        begins = date_time_text(candle.end_ms - chart.period_ms)
        begins = begins[:6] if self.period_minutes == CANDLE_PERIODS_MINUTES[-1] else begins
        failed = "  NOT READ AGAIN" if chart.why else ""
        told, middles = f"{begins} {self._candle_text(candle)}{failed}", f"{marks.middle} no trade: mid"
        letters = f"{begins} {self._short_candle_text(candle)}{failed} {middles}"
        wordings = (
            f"{period} {self.kind.value}, from {told}  {legend}{marks.middle} no trade: middle of bid and ask",
            f"{period} {self.kind.value} {told}  {middles}",
            f"{PERIOD_SHORT_NAMES[self.period_minutes]} {self.kind.value} {letters}",
        )
        chosen = next((each for each in wordings if len(each) < width), wordings[-1])
        return line(Span(f" {chosen}", Tone.WARN if failed else Tone.HEAD))

    def _candle_text(self, candle: Candle) -> str:
        decimals = self._decimals
        if candle.close is None:
            bid, ask = (price_text(each, decimals) for each in (candle.yes_bid_close, candle.yes_ask_close))
            return f"no trade, bid {bid} ask {ask}"
        prices = (("open", candle.open), ("high", candle.high), ("low", candle.low), ("close", candle.close))
        told = " ".join(f"{name} {price_text(price, decimals)}" for name, price in prices)
        return f"{told} volume {count_text(candle.volume)}"

    def _short_candle_text(self, candle: Candle) -> str:
        if candle.close is None:
            return self._candle_text(candle)
        prices = (("O", candle.open), ("H", candle.high), ("L", candle.low), ("C", candle.close))
        told = " ".join(f"{name} {price_text(price, self._decimals)}" for name, price in prices)
        return f"{told} V {short_count_text(candle.volume)}"
