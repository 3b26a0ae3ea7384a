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
    EMPTY,
    Line,
    Span,
    Tone,
    cut,
    line,
)
from kalshi_tui.presentation.numbers import (
    date_text,
    on_point,
    price_text,
    short_count,
)
from kalshi_tui.ui.chart.marks import (
    ASCII,
    BLOCKS,
    Kind,
    Marks,
    Reach,
)

LABEL_ROWS: Final = 2
"""The least distance of two prices on the axis."""
STEPS: Final = tuple(factor * power for power in (1, 10, 100, 1_000, 10_000) for factor in (1, 2, 5))
VOLUME_PART: Final = 5
"""One row in so many is the volume's."""
LEAST_WITH_VOLUME: Final = 4
LEAST_WITH_TIME: Final = 3
LABELS_EVERY: Final = {1: 15, 60: 24, 1440: 14}
"""How many periods lie between two times on the axis, by the minutes of a period."""


@dataclass(frozen=True, slots=True)
class Look:
    """How a chart is looked at. ``cross`` is the end of the candle under the crosshair, None if there is none."""

    minutes: int
    kind: Kind = Kind.CANDLES
    plain: bool = False
    """Whether only ASCII may be drawn."""
    cross: int | None = None

    @property
    def period_ms(self) -> int:
        """How long one candle lasts."""
        return self.minutes * 60_000


def middle(candle: Candle) -> Price | None:
    """Give the middle of bid and ask at a candle's end, cut to 1/10,000 dollar; None without both."""
    if candle.yes_bid_close is None or candle.yes_ask_close is None:
        return None
    return (candle.yes_bid_close + candle.yes_ask_close) // 2


def _reach(candle: Candle) -> tuple[Price, Price, Price, Price] | None:
    """Give open, high, low, close; None unless the period has traded."""
    o, h, l, c = candle.open, candle.high, candle.low, candle.close  # noqa: E741 - the four words of the trade
    if o is None or h is None or l is None or c is None:
        return None
    return o, max(o, h, l, c), min(o, h, l, c), c


@dataclass(frozen=True, slots=True)
class _Scale:
    """Prices to rows, row 0 at the top."""

    low: Price
    high: Price
    rows: int
    levels: int
    """How many prices one row can tell apart."""

    def level(self, price: Price) -> int:
        """Give the level of a price, 0 for the lowest."""
        most = self.rows * self.levels - 1
        if self.high == self.low:
            return most // 2
        return ((price - self.low) * most * 2 + (self.high - self.low)) // (2 * (self.high - self.low))

    def row(self, price: Price) -> int:
        """Give the row of a price."""
        return self.rows - 1 - self.level(price) // self.levels

    def labels(self) -> dict[int, Price]:
        """Choose the prices of the axis by row: the highest, the lowest, and round ones between."""
        chosen = {self.row(self.high): self.high, self.row(self.low): self.low}
        wanted = max((self.rows - 1) // LABEL_ROWS, 1)
        step = next((step for step in STEPS if (self.high - self.low) // step <= wanted), STEPS[-1])
        for price in range(-(-self.low // step) * step, self.high, step):
            row = self.row(price)
            if all(abs(row - other) >= LABEL_ROWS for other in chosen):
                chosen[row] = price
        return chosen


def chart_lines(candles: Sequence[Candle], look: Look, decimals: int, width: int, height: int) -> list[Line]:
    """Draw what of the candles there is room for: ``height`` lines of ``width`` cells."""
    lines: list[Line] = []
    if candles and width > 0 and height > 0:
        lines = _Drawing(candles, look, decimals, width, height).lines()
    return [cut(each, width) for each in (*lines, *[EMPTY] * (height - len(lines)))][: max(height, 0)]


class _Drawing:
    """One drawing under way: a grid of cells, and the axes beside and below it."""

    def __init__(self, candles: Sequence[Candle], look: Look, decimals: int, width: int, height: int) -> None:
        self._look = look
        self._decimals = decimals
        self._marks: Marks = ASCII if look.plain else BLOCKS
        self._time_rows = 1 if height >= LEAST_WITH_TIME else 0
        self._volume_rows = max((height - 1) // VOLUME_PART, 1) if height >= LEAST_WITH_VOLUME else 0
        self._price_rows = height - self._time_rows - self._volume_rows
        newest = candles[-1].end_ms
        crossed = newest - look.cross if look.cross is not None else 0
        # Twice, for how many columns there are depends on the prices beside them, and these on the columns.
        self._columns = width
        for _ in range(2):
            back = max(crossed // look.period_ms - self._columns + 1, 0)
            self._end_ms = newest - back * look.period_ms
            self._at = self._placed(candles)
            prices = [price for each in self._at.values() for price in self._prices(each)]
            self._scale = _Scale(min(prices, default=0), max(prices, default=0), self._price_rows, self._marks.levels)
            self._labels = self._axis() if prices else {}
            self._label_width = max(map(len, self._labels.values()), default=0)
            self._columns = max(width - self._label_width - 1, 0)
        self._at = {column: each for column, each in self._at.items() if 0 <= column < self._columns}
        rows = self._price_rows + self._volume_rows
        self._cells = [[(" ", Tone.PLAIN)] * self._columns for _ in range(rows)]

    def _placed(self, candles: Sequence[Candle]) -> dict[int, Candle]:
        """Give the candles that there is room for, by column."""
        period = self._look.period_ms
        placed: dict[int, Candle] = {}
        for candle in reversed(candles):
            # Rounded: where a day is told by a zone's midnight, one of 23 hours is a column too.
            back = (self._end_ms - candle.end_ms + period // 2) // period
            if back >= self._columns:
                break
            if back >= 0:
                placed.setdefault(self._columns - 1 - back, candle)
        return placed

    def _prices(self, candle: Candle) -> list[Price]:
        """Give the prices of a candle that are drawn: a line knows its close alone."""
        reach, mid = _reach(candle), middle(candle)
        if reach is not None:
            return [reach[1], reach[2]] if self._look.kind is Kind.CANDLES else [reach[3]]
        return [mid] if mid is not None else []

    def _axis(self) -> dict[int, str]:
        """Write the prices of the axis, by row; their points stand in line."""
        labels = self._scale.labels()
        texts = {row: _trimmed(price_text(price, self._decimals), self._decimals) for row, price in labels.items()}
        most = max(len(text) - 2 for text in texts.values())
        return {row: on_point(text, most, most + 2) for row, text in texts.items()}

    # The grid.

    def lines(self) -> list[Line]:
        """Draw all."""
        if self._look.kind is Kind.CANDLES:
            self._draw_candles()
        else:
            self._draw_line()
        self._draw_volume()
        self._draw_cross()
        drawn = []
        for row, cells in enumerate(self._cells):
            drawn.append(line(*_spans(cells), Span(f" {self._beside(row)}", Tone.DIM)))
        if self._time_rows:
            drawn.append(line(Span(self._times(), Tone.DIM)))
        return drawn

    def _beside(self, row: int) -> str:
        if row == self._price_rows:
            most = max((each.volume for each in self._at.values()), default=0)
            return short_count(most).rjust(self._label_width) if most else ""
        return self._labels.get(row, "") if row < self._price_rows else ""

    def _put(self, row: int, column: int, mark: str, tone: Tone) -> None:
        if mark != " " and 0 <= row < len(self._cells) and 0 <= column < self._columns:
            self._cells[row][column] = (mark, tone)

    def _mark_middle(self, column: int, candle: Candle) -> None:
        mid = middle(candle)
        if mid is not None:
            self._put(self._scale.row(mid), column, self._marks.middle, Tone.DIM)

    def _draw_candles(self) -> None:
        for column, candle in self._at.items():
            reach = _reach(candle)
            if reach is None:
                self._mark_middle(column, candle)
                continue
            levels = [self._scale.level(price) for price in reach]
            first, high, low, last = levels
            up = reach[3] >= reach[0]
            marks = self._marks.up if up else self._marks.down
            body = min(first, last), max(first, last)
            for row in range(self._price_rows):
                bottom = (self._price_rows - 1 - row) * self._marks.levels
                reached = tuple(
                    Reach.BODY if body[0] <= level <= body[1] else Reach.WICK if low <= level <= high else Reach.NONE
                    for level in range(bottom, bottom + self._marks.levels)
                )
                self._put(row, column, marks[reached], Tone.BID if up else Tone.ASK)

    def _draw_line(self) -> None:
        """Join the closes; over a period without a trade the last one holds."""
        before: int | None = None
        marks = self._marks
        for column, candle in sorted(self._at.items()):
            if candle.close is None or _reach(candle) is None:
                self._mark_middle(column, candle)
                continue
            now = self._scale.row(candle.close)
            if before is None or before == now:
                self._put(now, column, marks.flat, Tone.BID)
            else:
                rising = now < before
                for row in range(min(now, before) + 1, max(now, before)):
                    self._put(row, column, marks.rise, Tone.BID)
                self._put(before, column, marks.leave_up if rising else marks.leave_down, Tone.BID)
                self._put(now, column, marks.reach_up if rising else marks.reach_down, Tone.BID)
            before = now

    def _draw_volume(self) -> None:
        most = max((each.volume for each in self._at.values()), default=0)
        bars = self._marks.bars
        for column, candle in self._at.items():
            if candle.volume <= 0:
                continue
            eighths = max(candle.volume * self._volume_rows * len(bars) // most, 1)
            for up in range(self._volume_rows):
                part = min(max(eighths - up * len(bars), 0), len(bars))
                row = self._price_rows + self._volume_rows - 1 - up
                self._put(row, column, bars[part - 1] if part else " ", Tone.DIM)

    def _draw_cross(self) -> None:
        """Draw the crosshair where nothing else stands, and give what does stand there its tone."""
        column = next((at for at, each in self._at.items() if each.end_ms == self._look.cross), None)
        if column is None:
            return
        close = self._at[column].close
        price = close if close is not None else middle(self._at[column])
        if price is not None:
            cells = self._cells[self._scale.row(price)]
            for place, (mark, _) in enumerate(cells):
                if mark == " ":
                    cells[place] = (self._marks.across, Tone.DIM)
        for cells in self._cells:
            mark = cells[column][0]
            cells[column] = (self._marks.along if mark in {" ", self._marks.across} else mark, Tone.CURSOR)

    def _times(self) -> str:
        """Write times under the columns in which their periods begin."""
        text = [" "] * self._columns
        period, every = self._look.period_ms, LABELS_EVERY.get(self._look.minutes, 20)
        free = 0
        for column in range(self._columns):
            begins_ms = self._end_ms - (self._columns - column) * period
            label = time_label(begins_ms, self._look.minutes)
            if begins_ms // period % every == 0 and column >= free and column + len(label) <= self._columns:
                text[column : column + len(label)] = label
                free = column + len(label) + 2
        return "".join(text)


def time_label(begins_ms: int, minutes: int) -> str:
    """Write when a period begins: the hour alone for minutes, the day alone for days."""
    text = date_text(begins_ms)
    return text[-5:] if minutes == 1 else text if minutes < 1440 else text[:6]


def _trimmed(price: str, decimals: int) -> str:
    """Leave out noughts beyond the market's decimals: a middle may be half a tick."""
    return price[: 2 + decimals] + price[2 + decimals :].rstrip("0")


def _spans(cells: Sequence[tuple[str, Tone]]) -> list[Span]:
    """Join neighbours of one tone."""
    return [Span("".join(mark for mark, _ in run), tone) for tone, run in groupby(cells, key=lambda cell: cell[1])]
