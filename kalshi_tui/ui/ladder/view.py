"""A market's price ladder as lines: the header, the names of the columns, the rows of the window. Pure."""

from dataclasses import dataclass
from typing import Final

from kalshi_tui.domain.link import Trust
from kalshi_tui.domain.price import COUNT_UNIT, Count, Price
from kalshi_tui.presentation.lines import (
    Line,
    Span,
    Tone,
    fit,
    line,
    right,
    spread_out,
)
from kalshi_tui.presentation.numbers import (
    NOTHING,
    count_cell,
    count_text,
    mid_text,
    price_text,
    short_count,
)
from kalshi_tui.ui.book.view import head_line
from kalshi_tui.ui.ladder.rows import (
    Mine,
    Row,
    Seen,
    away,
    imbalance,
    ladder_rows,
    near_depth,
)
from kalshi_tui.ui.lists.views import gain_tone, money_cell
from kalshi_tui.ui.market_list.view import OVER, status_words

LEAST_HALF: Final = 16
"""Cells that own orders and size have on each side before there is any further column."""
LEAST_DEPTH: Final = 6
MOST_DEPTH: Final = 10
MARKS: Final = 4
"""Cells around the price: a gap, the sign of the last trade, and the cursor on both sides."""
MOST: Final = 12
"""Cells that own orders, or size, have at the most."""
GAIN: Final = 11
OWN_AHEAD: Final = "own/ahead"


def ladder_header(seen: Seen, top: int, rows: int, width: int) -> list[Line]:
    """Say best prices and spread, or why the book is not to be trusted; then depth near the middle, and imbalance.

    Where the market has run out of the rows, an arrow says in which direction, and the middle how far.
    """
    doubled, prices = away(seen, top, rows), seen.ladder.window(top, rows)
    out = ""
    if doubled is not None:
        out = f"market {'▲' if doubled > 2 * prices[0] else '▼'} {mid_text(doubled, seen.ladder.decimals)}"
    near = near_depth(seen.live.book, seen.ladder.side)
    depth = _near_words(*near, width - len(out) - 2) if near is not None else ""
    return [
        head_line(_state(seen), seen.market, width),
        spread_out(line(Span(depth, Tone.DIM)), line(Span(out, Tone.WARN)), width),
    ]


def _state(seen: Seen) -> Line:
    if seen.market.status in OVER:
        return line(Span(status_words(seen.market), Tone.HEAD))
    live, side, decimals = seen.live, seen.ladder.side, seen.ladder.decimals
    if live.trust is not Trust.GOOD:
        return line(Span(f" {live.trust.name} ", Tone.WARN), Span(f" {live.why}", Tone.DIM))
    bid, ask, spread = live.book.best_bid(side), live.book.best_ask(side), live.book.spread
    best = line(
        Span(f"{side.name} bid ", Tone.DIM),
        Span(price_text(bid.price, decimals) if bid else NOTHING, Tone.BID),
        Span("  ask ", Tone.DIM),
        Span(price_text(ask.price, decimals) if ask else NOTHING, Tone.ASK),
    )
    if spread is None:
        return best
    if spread <= 0:
        return line(*best, Span("  CROSSED", Tone.BAD))
    return line(*best, Span("  spread ", Tone.DIM), price_text(spread, decimals))


def _near_words(bids: Count, asks: Count, width: int) -> str:
    more = imbalance(bids, asks)
    leans = NOTHING if more is None else f"{more:+}%" if more else "0%"
    words = [
        f"within 5c of the middle: bids {count_text(bids)}, asks {count_text(asks)}, imbalance {leans}",
        f"within 5c {count_text(bids)} | {count_text(asks)}  imbalance {leans}",
        f"within 5c {short_count(bids)} | {short_count(asks)}  {leans}",
        f"5c {short_count(bids)}|{short_count(asks)} {leans}",
    ]
    return next((each for each in words if len(each) <= width), words[-1])


# The rows drawn.


@dataclass(frozen=True, slots=True)
class Columns:
    """The cells of each column; 0 for those that have no room. Own orders, depth and size stand on both sides."""

    price: int
    own: int
    size: int
    depth: int
    gain: int

    @classmethod
    def within(cls, width: int, decimals: int, *, held: bool) -> "Columns":
        """Choose the columns for rows ``width`` cells wide; ``held``: a position is open."""
        price = 2 + decimals
        left = width - price - MARKS
        gain = GAIN if held and left - GAIN >= 2 * LEAST_HALF else 0
        half = max((left - gain) // 2, 0)
        depth = min(half - LEAST_HALF, MOST_DEPTH) if half >= LEAST_HALF + LEAST_DEPTH else 0
        own = min((half - depth + 1) // 2, MOST)
        return cls(price, own, min(half - depth - own, MOST), depth, gain)


def ladder_columns(seen: Seen, width: int) -> Line:
    """Name the columns of `ladder_lines`."""
    side, cells = seen.ladder.side.name, _columns(seen, width)
    depth = "depth" if cells.depth else ""
    names = (
        fit(OWN_AHEAD if len(OWN_AHEAD) <= cells.own else "own", cells.own)
        + right(depth, cells.depth)
        + right(f"{side} bid", cells.size)
        + right("price", cells.price + MARKS - 1)
        + " "
        + right(f"{side} ask", cells.size)
        + right(depth, cells.depth)
        + fit(f" {OWN_AHEAD if len(OWN_AHEAD) < cells.own else 'own'}", cells.own)
        + right("P&L here" if cells.gain else "", cells.gain)
    )
    return line(Span(names, Tone.HEAD))


def ladder_lines(seen: Seen, top: int, rows: int, width: int, cursor: Price | None = None) -> list[Line]:
    """Draw so many rows from the row ``top`` on; ``cursor`` is the chosen price."""
    made = ladder_rows(seen, top, rows)
    largest = max((max(row.bid, row.ask) for row in made), default=0)
    book = seen.live.book
    shape = _Shape(
        _columns(seen, width),
        seen.ladder.decimals,
        # A power of two, so that a change of the largest level does not draw all bars anew.
        full=1 << max(largest - 1, 0).bit_length(),
        aligned=any(count % COUNT_UNIT for side in (book.yes, book.no) for count in side.counts),
    )
    return [shape.draw(row, chosen=row.price == cursor) for row in made]


def _columns(seen: Seen, width: int) -> Columns:
    held = seen.position is not None and bool(seen.position.count)
    return Columns.within(width, seen.ladder.decimals, held=held)


@dataclass(frozen=True, slots=True)
class _Shape:
    """What all rows of one drawing share."""

    columns: Columns
    decimals: int
    full: Count
    """The count whose bar fills the column."""
    aligned: bool

    def draw(self, row: Row, *, chosen: bool) -> Line:
        cells = self.columns
        bid, ask = self._size(row.bid), self._size(row.ask)
        bare, bar = cells.size - self._bar(row.bid), self._bar(row.ask)
        mine = row.own_bid is not None or row.own_ask is not None
        tone = Tone.BID if row.bid else Tone.ASK if row.ask else Tone.DIM
        return line(
            Span(fit(_mine_words(row.own_bid, cells.own - 1), cells.own), Tone.OWN),
            Span(self._depth(row.bid_depth), Tone.DIM),
            Span(bid[:bare]),
            Span(bid[bare:], Tone.BID_BAR),
            Span(" =" if row.traded else "  ", Tone.DIM),
            Span("►" if chosen else " ", Tone.CURSOR),
            Span(
                right(price_text(row.price, self.decimals), cells.price),
                Tone.CURSOR if chosen else Tone.OWN if mine else tone,
            ),
            Span("◄" if chosen else " ", Tone.CURSOR),
            Span(ask[:bar], Tone.ASK_BAR),
            Span(ask[bar:]),
            Span(self._depth(row.ask_depth), Tone.DIM),
            Span(fit(f" {_mine_words(row.own_ask, cells.own - 1)}", cells.own), Tone.OWN),
            Span(money_cell(row.gain, cells.gain, signed=True) if cells.gain else "", gain_tone(row.gain)),
        )

    def _size(self, count: Count) -> str:
        return count_cell(count, self.columns.size, aligned=self.aligned) if count else " " * self.columns.size

    def _bar(self, count: Count) -> int:
        return max(1, count * self.columns.size // self.full) if count else 0

    def _depth(self, count: Count) -> str:
        cells = self.columns.depth
        aligned = self.aligned and cells == MOST_DEPTH
        return count_cell(count, cells, aligned=aligned) if count and cells else " " * cells


def _mine_words(mine: Mine | None, width: int) -> str:
    """Write own orders: how many if several, ``*``, what rests, and behind the stroke what stands before the first."""
    if mine is None:
        return ""
    if mine.unsure:
        # Before all else: an order of which nobody knows whether it rests.
        unsure = [f"?{count_text(mine.unsure)}", f"?{short_count(mine.unsure)}"]
        if mine.orders:
            unsure = [f"{each} *{short_count(mine.count)}" for each in unsure] + [f"?*{short_count(mine.count)}"]
        return next((each for each in unsure if len(each) <= width), unsure[-1])
    many = str(mine.orders) if mine.orders > 1 else ""
    full, short = count_text(mine.count), short_count(mine.count)
    if mine.ahead is None:
        words = [f"{many}*{full}", f"{many}*{short}"]
    else:
        before, nearly = count_text(mine.ahead), short_count(mine.ahead)
        words = [
            f"{many}*{full}/{before}",
            f"{many}*{full}/{nearly}",
            f"{many}*{short}/{nearly}",
            f"{many}*{full}",
            f"{many}*{short}",
        ]
    return next((each for each in words if len(each) <= width), f"*{short}")
