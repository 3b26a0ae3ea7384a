"""A market's candles as lines of exactly the wanted size: prices, volume below, axes, a crosshair. Pure.

A column is a period, the newest at the right; a row holds two prices where the terminal has half blocks, else one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final

from kalshi_tui.domain.candles import Candle
from kalshi_tui.domain.price import Price
from kalshi_tui.presentation.lines import (
    EMPTY_LINE,
    Line,
    Span,
    Tone,
    cut,
    line,
)
from kalshi_tui.presentation.number_text import (
    align_decimal_point,
    date_time_text,
    price_text,
    short_count_text,
)
from kalshi_tui.ui.chart.marks import (
    ASCII_GLYPHS,
    BLOCK_GLYPHS,
    CandlePart,
    ChartGlyphs,
    ChartKind,
)

MIN_LABEL_SPACING: Final = 2
"""The least distance of two prices on the axis."""
PRICE_LABEL_STEPS: Final = tuple(factor * power for power in (1, 10, 100, 1_000, 10_000) for factor in (1, 2, 5))
VOLUME_ROW_DIVISOR: Final = 5
"""One row in so many is the volume's."""
MIN_HEIGHT_WITH_VOLUME: Final = 4
MIN_HEIGHT_WITH_TIMES: Final = 3
TIME_LABEL_INTERVAL: Final = {1: 15, 60: 24, 1440: 14}
"""How many periods lie between two times on the axis, by the minutes of a period."""


@dataclass(frozen=True, slots=True)
class ChartOptions:
    """How a chart is drawn, with the end of the candle under the crosshair, None if there is none."""

    minutes: int
    kind: ChartKind = ChartKind.CANDLES
    plain: bool = False
    """Whether only ASCII may be drawn."""
    crosshair_ms: int | None = None

    @property
    def period_ms(self) -> int:
        """How long one candle lasts."""
        return self.minutes * 60_000


def mid_price(candle: Candle) -> Price | None:
    """Return the middle of bid and ask at a candle's end, cut to 1/10,000 dollar; None without both."""
    if candle.yes_bid_close is None or candle.yes_ask_close is None:
        return None
    return (candle.yes_bid_close + candle.yes_ask_close) // 2


def _ohlc(candle: Candle) -> tuple[Price, Price, Price, Price] | None:
    """Return open, high, low, close; None unless the period has traded."""
    o, h, l, c = candle.open, candle.high, candle.low, candle.close  # noqa: E741 - the four words of the trade
    if o is None or h is None or l is None or c is None:
        return None
    return o, max(o, h, l, c), min(o, h, l, c), c


@dataclass(frozen=True, slots=True)
class _PriceScale:
    """Prices to rows, row 0 at the top."""

    low: Price
    high: Price
    rows: int
    levels: int
    """How many prices one row can tell apart."""

    def level(self, price: Price) -> int:
        """Return the level of a price, 0 for the lowest."""
        most = self.rows * self.levels - 1
        if self.high == self.low:
            return most // 2
        return ((price - self.low) * most * 2 + (self.high - self.low)) // (2 * (self.high - self.low))

    def row(self, price: Price) -> int:
        """Return the row of a price."""
        return self.rows - 1 - self.level(price) // self.levels

    def labels(self) -> dict[int, Price]:
        """Choose the prices of the axis by row: the highest, the lowest, and round ones between."""
        chosen = {self.row(self.high): self.high, self.row(self.low): self.low}
        wanted = max((self.rows - 1) // MIN_LABEL_SPACING, 1)
        step = next(
            (step for step in PRICE_LABEL_STEPS if (self.high - self.low) // step <= wanted), PRICE_LABEL_STEPS[-1]
        )
        for price in range(-(-self.low // step) * step, self.high, step):
            row = self.row(price)
            if all(abs(row - other) >= MIN_LABEL_SPACING for other in chosen):
                chosen[row] = price
        return chosen


def chart_lines(candles: Sequence[Candle], options: ChartOptions, decimals: int, width: int, height: int) -> list[Line]:
    """Draw the candles that there is room for: ``height`` lines of ``width`` cells."""
    lines: list[Line] = []
    if candles and width > 0 and height > 0:
        lines = _ChartDrawing(candles, options, decimals, width, height).render_lines()
    return [cut(each, width) for each in (*lines, *[EMPTY_LINE] * (height - len(lines)))][: max(height, 0)]


class _ChartDrawing:
    """One drawing in progress: a grid of cells, and the axes beside and below it."""

    def __init__(
        self, candles: Sequence[Candle], options: ChartOptions, decimals: int, width: int, height: int
    ) -> None:
        self._options = options
        self._decimals = decimals
        self._glyphs: ChartGlyphs = ASCII_GLYPHS if options.plain else BLOCK_GLYPHS
        self._time_rows = 1 if height >= MIN_HEIGHT_WITH_TIMES else 0
        self._volume_rows = max((height - 1) // VOLUME_ROW_DIVISOR, 1) if height >= MIN_HEIGHT_WITH_VOLUME else 0
        self._price_rows = height - self._time_rows - self._volume_rows
        newest = candles[-1].end_ms
        crossed = newest - options.crosshair_ms if options.crosshair_ms is not None else 0
        # Twice, for how many columns there are depends on the prices beside them, and these on the columns.
        self._columns = width
        for _ in range(2):
            back = max(crossed // options.period_ms - self._columns + 1, 0)
            self._end_ms = newest - back * options.period_ms
            self._candles_by_column = self._place_candles(candles)
            prices = [price for each in self._candles_by_column.values() for price in self._drawn_prices(each)]
            self._scale = _PriceScale(
                min(prices, default=0), max(prices, default=0), self._price_rows, self._glyphs.levels
            )
            self._labels = self._axis_labels() if prices else {}
            self._label_width = max(map(len, self._labels.values()), default=0)
            self._columns = max(width - self._label_width - 1, 0)
        self._candles_by_column = {
            column: each for column, each in self._candles_by_column.items() if 0 <= column < self._columns
        }
        rows = self._price_rows + self._volume_rows
        self._cells = [[(" ", Tone.PLAIN)] * self._columns for _ in range(rows)]

    def _place_candles(self, candles: Sequence[Candle]) -> dict[int, Candle]:
        """Return the candles that there is room for, by column."""
        period = self._options.period_ms
        placed: dict[int, Candle] = {}
        for candle in reversed(candles):
            # Rounded: where a day is told by a zone's midnight, one of 23 hours is a column too.
            back = (self._end_ms - candle.end_ms + period // 2) // period
            if back >= self._columns:
                break
            if back >= 0:
                placed.setdefault(self._columns - 1 - back, candle)
        return placed

    def _drawn_prices(self, candle: Candle) -> list[Price]:
        """Return the prices of a candle that are drawn: a line knows its close alone."""
        reach, mid = _ohlc(candle), mid_price(candle)
        if reach is not None:
            return [reach[1], reach[2]] if self._options.kind is ChartKind.CANDLES else [reach[3]]
        return [mid] if mid is not None else []

    def _axis_labels(self) -> dict[int, str]:
        """Write the prices of the axis, by row; their points stand in line."""
        labels = self._scale.labels()
        texts = {row: _trim_zeros(price_text(price, self._decimals), self._decimals) for row, price in labels.items()}
        most = max(len(text) - 2 for text in texts.values())
        return {row: align_decimal_point(text, most, most + 2) for row, text in texts.items()}

    # The grid.

    def render_lines(self) -> list[Line]:
        """Draw all."""
        if self._options.kind is ChartKind.CANDLES:
            self._draw_candles()
        else:
            self._draw_line()
        self._draw_volume()
        self._draw_crosshair()
        drawn = []
        for row, cells in enumerate(self._cells):
            drawn.append(line(*_merge_spans(cells), Span(f" {self._axis_text(row)}", Tone.DIM)))
        if self._time_rows:
            drawn.append(line(Span(self._time_axis_text(), Tone.DIM)))
        return drawn

    def _axis_text(self, row: int) -> str:
        if row == self._price_rows:
            most = max((each.volume for each in self._candles_by_column.values()), default=0)
            return short_count_text(most).rjust(self._label_width) if most else ""
        return self._labels.get(row, "") if row < self._price_rows else ""

    def _set_cell(self, row: int, column: int, glyph: str, tone: Tone) -> None:
        if glyph != " " and 0 <= row < len(self._cells) and 0 <= column < self._columns:
            self._cells[row][column] = (glyph, tone)

    def _draw_mid_price(self, column: int, candle: Candle) -> None:
        mid = mid_price(candle)
        if mid is not None:
            self._set_cell(self._scale.row(mid), column, self._glyphs.middle, Tone.DIM)

    def _draw_candles(self) -> None:
        for column, candle in self._candles_by_column.items():
            reach = _ohlc(candle)
            if reach is None:
                self._draw_mid_price(column, candle)
                continue
            levels = [self._scale.level(price) for price in reach]
            first, high, low, last = levels
            up = reach[3] >= reach[0]
            marks = self._glyphs.up if up else self._glyphs.down
            body = min(first, last), max(first, last)
            for row in range(self._price_rows):
                bottom = (self._price_rows - 1 - row) * self._glyphs.levels
                reached = tuple(
                    CandlePart.BODY
                    if body[0] <= level <= body[1]
                    else CandlePart.WICK
                    if low <= level <= high
                    else CandlePart.NONE
                    for level in range(bottom, bottom + self._glyphs.levels)
                )
                self._set_cell(row, column, marks[reached], Tone.BID if up else Tone.ASK)

    def _draw_line(self) -> None:
        """Join the closes; over a period without a trade the last one holds."""
        before: int | None = None
        marks = self._glyphs
        for column, candle in sorted(self._candles_by_column.items()):
            if candle.close is None or _ohlc(candle) is None:
                self._draw_mid_price(column, candle)
                continue
            now = self._scale.row(candle.close)
            if before is None or before == now:
                self._set_cell(now, column, marks.flat, Tone.BID)
            else:
                rising = now < before
                for row in range(min(now, before) + 1, max(now, before)):
                    self._set_cell(row, column, marks.rise, Tone.BID)
                self._set_cell(before, column, marks.leave_up if rising else marks.leave_down, Tone.BID)
                self._set_cell(now, column, marks.reach_up if rising else marks.reach_down, Tone.BID)
            before = now

    def _draw_volume(self) -> None:
        most = max((each.volume for each in self._candles_by_column.values()), default=0)
        bars = self._glyphs.bars
        for column, candle in self._candles_by_column.items():
            if candle.volume <= 0:
                continue
            eighths = max(candle.volume * self._volume_rows * len(bars) // most, 1)
            for up in range(self._volume_rows):
                part = min(max(eighths - up * len(bars), 0), len(bars))
                row = self._price_rows + self._volume_rows - 1 - up
                self._set_cell(row, column, bars[part - 1] if part else " ", Tone.DIM)

    def _draw_crosshair(self) -> None:
        """Draw the crosshair where nothing else stands, and give what does stand there its tone."""
        column = next(
            (at for at, each in self._candles_by_column.items() if each.end_ms == self._options.crosshair_ms), None
        )
        if column is None:
            return
        close = self._candles_by_column[column].close
        price = close if close is not None else mid_price(self._candles_by_column[column])
        if price is not None:
            cells = self._cells[self._scale.row(price)]
            for place, (mark, _) in enumerate(cells):
                if mark == " ":
                    cells[place] = (self._glyphs.crosshair_horizontal, Tone.DIM)
        for cells in self._cells:
            mark = cells[column][0]
            cells[column] = (
                self._glyphs.crosshair_vertical if mark in {" ", self._glyphs.crosshair_horizontal} else mark,
                Tone.CURSOR,
            )

    def _time_axis_text(self) -> str:
        """Write times under the columns in which their periods begin."""
        text = [" "] * self._columns
        period, every = self._options.period_ms, TIME_LABEL_INTERVAL.get(self._options.minutes, 20)
        free = 0
        for column in range(self._columns):
            begins_ms = self._end_ms - (self._columns - column) * period
            label = time_label(begins_ms, self._options.minutes)
            if begins_ms // period % every == 0 and column >= free and column + len(label) <= self._columns:
                text[column : column + len(label)] = label
                free = column + len(label) + 2
        return "".join(text)


def time_label(begins_ms: int, minutes: int) -> str:
    """Write when a period begins: the hour alone for minutes, the day alone for days."""
    text = date_time_text(begins_ms)
    return text[-5:] if minutes == 1 else text if minutes < 1440 else text[:6]


def _trim_zeros(price: str, decimals: int) -> str:
    """Drop zeros beyond the market's decimals: a middle may be half a tick."""
    return price[: 2 + decimals] + price[2 + decimals :].rstrip("0")


def _merge_spans(cells: Sequence[tuple[str, Tone]]) -> list[Span]:
    """Join neighbors of one tone."""
    return [Span("".join(mark for mark, _ in run), tone) for tone, run in groupby(cells, key=lambda cell: cell[1])]
