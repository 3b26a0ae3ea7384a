"""A market's price ladder as lines: header, column headings and the visible rows. Pure functions."""

from dataclasses import dataclass
from typing import Final

from kalshi_tui.domain.link import BookTrust
from kalshi_tui.domain.price import COUNT_UNIT, Count, Price
from kalshi_tui.presentation.lines import (
    Line,
    Span,
    Tone,
    fit,
    justify,
    line,
    right_align,
)
from kalshi_tui.presentation.names import ENDED_STATUSES, market_status_text
from kalshi_tui.presentation.number_text import (
    NO_VALUE,
    count_cell,
    count_text,
    mid_text,
    price_text,
    short_count_text,
)
from kalshi_tui.ui.book.view import DELAYED_MARK, header_line
from kalshi_tui.ui.ladder.rows import (
    LadderRow,
    LadderSnapshot,
    OwnRowOrders,
    build_ladder_rows,
    depth_near_mid,
    doubled_price_outside,
    imbalance_percent,
)
from kalshi_tui.ui.lists.views import money_cell, pnl_tone

MIN_HALF_WIDTH: Final = 16
"""Cells for own orders and size on each side, before there is room for any other column."""
MIN_DEPTH_WIDTH: Final = 6
MAX_DEPTH_WIDTH: Final = 10
PRICE_MARKS_WIDTH: Final = 4
"""Cells around the price: a gap, the sign of the last trade, and the cursor on both sides."""
MAX_ORDER_COLUMN_WIDTH: Final = 12
"""The most cells for own orders, or for size."""
PNL_WIDTH: Final = 11
OWN_AHEAD_HEADING: Final = "own/ahead"


def ladder_header(snapshot: LadderSnapshot, top: int, rows: int, width: int) -> list[Line]:
    """Return best prices and spread, or why the book is not trusted; then depth near the middle, and imbalance.

    Where the market has run out of the rows, an arrow says in which direction, and the middle how far.
    """
    doubled, prices = doubled_price_outside(snapshot, top, rows), snapshot.ladder.window_prices(top, rows)
    out = ""
    if doubled is not None:
        out = f"market {'▲' if doubled > 2 * prices[0] else '▼'} {mid_text(doubled, snapshot.ladder.decimals)}"
    near = depth_near_mid(snapshot.live.book, snapshot.ladder.side)
    depth = _near_depth_text(*near, width - len(out) - 2) if near is not None else ""
    return [
        header_line(_state_line(snapshot), snapshot.market, width),
        justify(line(Span(depth, Tone.DIM)), line(Span(out, Tone.WARN)), width),
    ]


def _state_line(snapshot: LadderSnapshot) -> Line:
    if snapshot.market.status in ENDED_STATUSES:
        return line(Span(market_status_text(snapshot.market), Tone.HEAD))
    live, side, decimals = snapshot.live, snapshot.ladder.side, snapshot.ladder.decimals
    if live.trust is not BookTrust.GOOD:
        return line(Span(f" {live.trust.name} ", Tone.WARN), Span(f" {live.why}", Tone.DIM))
    bid, ask, spread = live.book.best_bid(side), live.book.best_ask(side), live.book.spread
    best = line(
        Span(DELAYED_MARK if live.delayed else "", Tone.WARN),
        Span(f"{side.name} bid ", Tone.DIM),
        Span(price_text(bid.price, decimals) if bid else NO_VALUE, Tone.BID),
        Span("  ask ", Tone.DIM),
        Span(price_text(ask.price, decimals) if ask else NO_VALUE, Tone.ASK),
    )
    if spread is None:
        return best
    if spread <= 0:
        return line(*best, Span("  CROSSED", Tone.BAD))
    return line(*best, Span("  spread ", Tone.DIM), price_text(spread, decimals))


def _near_depth_text(bids: Count, asks: Count, width: int) -> str:
    more = imbalance_percent(bids, asks)
    leans = NO_VALUE if more is None else f"{more:+}%" if more else "0%"
    words = [
        f"within 5c of the middle: bids {count_text(bids)}, asks {count_text(asks)}, imbalance {leans}",
        f"within 5c {count_text(bids)} | {count_text(asks)}  imbalance {leans}",
        f"within 5c {short_count_text(bids)} | {short_count_text(asks)}  {leans}",
        f"5c {short_count_text(bids)}|{short_count_text(asks)} {leans}",
    ]
    return next((each for each in words if len(each) <= width), words[-1])


# The rows drawn.


@dataclass(frozen=True, slots=True)
class LadderColumns:
    """The width of each column, 0 where there is no room. Own orders, depth and size have one on both sides."""

    price: int
    own: int
    size: int
    depth: int
    pnl: int

    @classmethod
    def for_width(cls, width: int, decimals: int, *, held: bool) -> "LadderColumns":
        """Choose the columns for rows ``width`` cells wide; ``held``: a position is open."""
        price = 2 + decimals
        left = width - price - PRICE_MARKS_WIDTH
        gain = PNL_WIDTH if held and left - PNL_WIDTH >= 2 * MIN_HALF_WIDTH else 0
        half = max((left - gain) // 2, 0)
        depth = min(half - MIN_HALF_WIDTH, MAX_DEPTH_WIDTH) if half >= MIN_HALF_WIDTH + MIN_DEPTH_WIDTH else 0
        own = min((half - depth + 1) // 2, MAX_ORDER_COLUMN_WIDTH)
        return cls(price, own, min(half - depth - own, MAX_ORDER_COLUMN_WIDTH), depth, gain)


def ladder_column_heading(snapshot: LadderSnapshot, width: int) -> Line:
    """Return the column headings of `ladder_lines`."""
    side, cells = snapshot.ladder.side.name, _columns_for(snapshot, width)
    depth = "depth" if cells.depth else ""
    names = (
        fit(OWN_AHEAD_HEADING if len(OWN_AHEAD_HEADING) <= cells.own else "own", cells.own)
        + right_align(depth, cells.depth)
        + right_align(f"{side} bid", cells.size)
        + right_align("price", cells.price + PRICE_MARKS_WIDTH - 1)
        + " "
        + right_align(f"{side} ask", cells.size)
        + right_align(depth, cells.depth)
        + fit(f" {OWN_AHEAD_HEADING if len(OWN_AHEAD_HEADING) < cells.own else 'own'}", cells.own)
        + right_align("P&L here" if cells.pnl else "", cells.pnl)
    )
    return line(Span(names, Tone.HEAD))


def ladder_lines(snapshot: LadderSnapshot, top: int, rows: int, width: int, cursor: Price | None = None) -> list[Line]:
    """Return so many rows from the row ``top`` on; ``cursor`` is the selected price."""
    made = build_ladder_rows(snapshot, top, rows)
    largest = max((max(row.bid, row.ask) for row in made), default=0)
    book = snapshot.live.book
    shape = _LadderRowFormat(
        _columns_for(snapshot, width),
        snapshot.ladder.decimals,
        # A power of two, so that a small change of the largest level does not redraw all bars.
        full=1 << max(largest - 1, 0).bit_length(),
        aligned=any(count % COUNT_UNIT for side in (book.yes, book.no) for count in side.counts),
    )
    return [shape.draw(row, selected=row.price == cursor) for row in made]


def _columns_for(snapshot: LadderSnapshot, width: int) -> LadderColumns:
    held = snapshot.position is not None and bool(snapshot.position.count)
    return LadderColumns.for_width(width, snapshot.ladder.decimals, held=held)


@dataclass(frozen=True, slots=True)
class _LadderRowFormat:
    """The values that all rows of one frame share."""

    columns: LadderColumns
    decimals: int
    full: Count
    """The count whose bar fills the column."""
    aligned: bool

    def draw(self, row: LadderRow, *, selected: bool) -> Line:
        cells = self.columns
        bid, ask = self._size_cell(row.bid), self._size_cell(row.ask)
        bare, bar = cells.size - self._bar_width(row.bid), self._bar_width(row.ask)
        mine = row.own_bid is not None or row.own_ask is not None
        tone = Tone.BID if row.bid else Tone.ASK if row.ask else Tone.DIM
        return line(
            Span(fit(_own_orders_text(row.own_bid, cells.own - 1), cells.own), Tone.OWN),
            Span(self._depth_cell(row.bid_depth), Tone.DIM),
            Span(bid[:bare]),
            Span(bid[bare:], Tone.BID_BAR),
            Span(" =" if row.traded else "  ", Tone.DIM),
            Span("►" if selected else " ", Tone.CURSOR),
            Span(
                right_align(price_text(row.price, self.decimals), cells.price),
                Tone.CURSOR if selected else Tone.OWN if mine else tone,
            ),
            Span("◄" if selected else " ", Tone.CURSOR),
            Span(ask[:bar], Tone.ASK_BAR),
            Span(ask[bar:]),
            Span(self._depth_cell(row.ask_depth), Tone.DIM),
            Span(fit(f" {_own_orders_text(row.own_ask, cells.own - 1)}", cells.own), Tone.OWN),
            Span(money_cell(row.pnl, cells.pnl, signed=True) if cells.pnl else "", pnl_tone(row.pnl)),
        )

    def _size_cell(self, count: Count) -> str:
        return count_cell(count, self.columns.size, aligned=self.aligned) if count else " " * self.columns.size

    def _bar_width(self, count: Count) -> int:
        return max(1, count * self.columns.size // self.full) if count else 0

    def _depth_cell(self, count: Count) -> str:
        cells = self.columns.depth
        aligned = self.aligned and cells == MAX_DEPTH_WIDTH
        return count_cell(count, cells, aligned=aligned) if count and cells else " " * cells


def _own_orders_text(own: OwnRowOrders | None, width: int) -> str:
    """Return own orders: how many if several, ``*``, what rests, and after the slash the queue ahead of the first."""
    if own is None:
        return ""
    if own.unconfirmed:
        # First of all: an order of which it is not known whether it rests.
        unsure = [f"?{count_text(own.unconfirmed)}", f"?{short_count_text(own.unconfirmed)}"]
        if own.orders:
            unsure = [f"{each} *{short_count_text(own.count)}" for each in unsure] + [
                f"?*{short_count_text(own.count)}"
            ]
        return next((each for each in unsure if len(each) <= width), unsure[-1])
    many = str(own.orders) if own.orders > 1 else ""
    full, short = count_text(own.count), short_count_text(own.count)
    if own.ahead is None:
        words = [f"{many}*{full}", f"{many}*{short}"]
    else:
        before, nearly = count_text(own.ahead), short_count_text(own.ahead)
        words = [
            f"{many}*{full}/{before}",
            f"{many}*{full}/{nearly}",
            f"{many}*{short}/{nearly}",
            f"{many}*{full}",
            f"{many}*{short}",
        ]
    return next((each for each in words if len(each) <= width), f"*{short}")
