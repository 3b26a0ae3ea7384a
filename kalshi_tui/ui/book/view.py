"""The book of one market as lines: YES bids and NO bids side by side, with the asks that they imply."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from kalshi_tui.domain.book import Level, Side
from kalshi_tui.domain.link import BookTrust
from kalshi_tui.domain.market import Market
from kalshi_tui.domain.order import BookSide, Order, OrderState
from kalshi_tui.domain.price import COUNT_UNIT, PRICE_UNIT, Count, Price
from kalshi_tui.presentation.lines import (
    Line,
    Span,
    Tone,
    cell_count,
    line,
    right_align,
)
from kalshi_tui.presentation.names import ENDED_STATUSES, market_status_text
from kalshi_tui.presentation.number_text import (
    NO_VALUE,
    count_cell,
    count_text,
    date_time_text,
    mid_text,
    price_decimals,
    price_text,
)
from kalshi_tui.session.market_data.store import LiveBook
from kalshi_tui.ui.book.cursor import SelectedLevel, shown_levels

DEPTH_MIN_WIDTH: Final = 54
"""From this width on the cumulative depth has its columns."""
MIN_SIZE_WIDTH: Final = 8
PRICE_WIDTH: Final = 6
MARKS_WIDTH: Final = 2
NO_BID_WIDTH: Final = 6
MIN_TICKER_WIDTH: Final = 8
SEPARATOR: Final = " │ "
SELECTED_BID_SEPARATOR: Final = "◄│ "
SELECTED_ASK_SEPARATOR: Final = " │►"
"""Between the two sides: the sign points at the chosen price."""
DELAYED_MARK: Final = "delayed  "
"""Stands before what is read off a book that no stream keeps true."""
GONE_TEXT: Final = "gone"
"""Stands for the size where the chosen price is no level any more."""


@dataclass(frozen=True, slots=True)
class OwnQuantities:
    """The trader's own orders in the book: counts by YES price, for bids and for asks."""

    bids: dict[Price, Count] = field(default_factory=dict)
    asks: dict[Price, Count] = field(default_factory=dict)


def own_quantities(orders: Iterable[Order], ticker: str) -> OwnQuantities:
    """Collect what of a market's book is the trader's own."""
    own = OwnQuantities()
    for order in orders:
        if order.ticker == ticker and order.state is OrderState.RESTING:
            side = own.bids if order.book_side is BookSide.BID else own.asks
            side[order.yes_price] = side.get(order.yes_price, 0) + order.remaining
    return own


def book_header(live: LiveBook, market: Market, width: int) -> Line:
    """Return spread and middle, how the market ended, or why the book is not trusted; then the market."""
    state = (
        line(Span(market_status_text(market), Tone.HEAD))
        if market.status in ENDED_STATUSES
        else _state_line(live, market)
    )
    return header_line(state, market, width)


def header_line(state: Line, market: Market, width: int) -> Line:
    """Put at the end of a line which market this is and when it closes, as far as there is room."""
    ends_ms = market.expected_end_ms
    closes = f"  closes {date_time_text(ends_ms)}" if ends_ms and market.status.tradable else ""
    room = max(width - cell_count(state) - 2, 0)
    detail = market.ticker + closes
    if len(detail) > room:
        # The end of a ticker is what tells it from its neighbors; when it closes matters more than its beginning.
        left = room - len(closes) if room - len(closes) > MIN_TICKER_WIDTH else room
        detail = "…" + market.ticker[len(market.ticker) - left + 1 :] if len(market.ticker) > left else market.ticker
        detail += closes if left < room else ""
    return line(*state, Span(right_align(detail, room + 2) if room > MIN_TICKER_WIDTH else "", Tone.DIM))


def _state_line(live: LiveBook, market: Market) -> Line:
    book, decimals = live.book, price_decimals(market.grid)
    if live.trust is not BookTrust.GOOD:
        return line(Span(f" {live.trust.name} ", Tone.WARN), Span(f" {live.why}", Tone.DIM))
    spread, middle = book.spread, book.mid_doubled()
    delayed = Span(DELAYED_MARK if live.delayed else "", Tone.WARN)
    if spread is None or middle is None:
        sides = [name for name, side in (("YES", book.yes), ("NO", book.no)) if len(side)]
        return line(delayed, Span(f"only {sides[0]} is bid" if sides else "nobody bids", Tone.DIM))
    return line(
        delayed,
        Span("spread ", Tone.DIM),
        price_text(spread, decimals) if spread >= 0 else f"-{price_text(-spread, decimals)}",
        Span("  mid ", Tone.DIM),
        mid_text(middle, decimals),
        Span("  CROSSED" if spread <= 0 else "", Tone.BAD),
    )


def book_column_heading(width: int, above: int = 0) -> Line:
    """Name the columns of `format_book`, and say how many better rows stand ``above`` the first one shown."""
    size, depth = _column_widths(width)
    left = (
        (right_align("depth", depth) if depth else "")
        + right_align("size", size)
        + right_align("YES bid", 1 + MARKS_WIDTH + PRICE_WIDTH)
    )
    if above:
        sign = f"▲{above}"
        left = sign + left[len(sign) :] if left.startswith(" " * len(sign)) else left
    mirrored = f"{'YES ask':<{PRICE_WIDTH + MARKS_WIDTH}}{'NO bid':>{NO_BID_WIDTH}}" + right_align("size", size)
    mirrored += right_align("depth", depth) if depth else ""
    return line(Span(left, Tone.HEAD), Span(SEPARATOR, Tone.DIM), Span(mirrored, Tone.HEAD))


@dataclass(frozen=True, slots=True)
class _BookRowFormat:
    """The values that all rows of one drawing share."""

    decimals: int
    size: int
    depth: int
    largest: Count
    aligned: bool

    def format_count(self, count: Count, width: int) -> str:
        return count_cell(count, width, aligned=self.aligned) if width else ""

    def bar_width(self, count: Count) -> int:
        """Return a size bar's cells, one at least."""
        return max(1, count * self.size // max(self.largest, 1))


def rows_above(live: LiveBook, rows: int, selection: SelectedLevel | None) -> int:
    """Return how many of the best rows are left out, so that the chosen one is among the ``rows`` shown."""
    return max(selection.levels_above(live.book) - rows + 1, 0) if selection is not None and rows else 0


def book_lines(
    live: LiveBook,
    market: Market,
    own: OwnQuantities,
    last: Price | None,
    width: int,
    rows: int,
    selection: SelectedLevel | None = None,
) -> list[Line]:
    """Draw the best ``rows`` levels of both sides, best first, or as far down as the chosen one stands.

    The size bars are scaled to the largest one shown.
    """
    book = live.book
    above = rows_above(live, rows, selection)
    kept = {selection.side: selection.price} if selection is not None else {}
    all_bids = shown_levels(book.yes, above + rows, kept.get(Side.YES))[: above + rows]
    all_asks = shown_levels(book.no, above + rows, kept.get(Side.NO))[: above + rows]
    bids, asks = all_bids[above:], all_asks[above:]
    size, depth = _column_widths(width)
    shape = _BookRowFormat(
        decimals=price_decimals(market.grid),
        size=size,
        depth=depth,
        largest=max((level.size for level in (*bids, *asks)), default=1),
        # Taken from the whole book, so that the point does not move as levels come and go at its end.
        aligned=any(count % COUNT_UNIT for side in (book.yes, book.no) for count in side.counts),
    )
    lines = []
    bid_depth, ask_depth = (sum(level.size for level in levels[:above]) for levels in (all_bids, all_asks))
    for place in range(max(len(bids), len(asks))):
        bid = bids[place] if place < len(bids) else None
        ask = asks[place] if place < len(asks) else None
        bid_depth += bid.size if bid else 0
        ask_depth += ask.size if ask else 0
        on_bid = bid is not None and kept.get(Side.YES) == bid.price
        on_ask = ask is not None and kept.get(Side.NO) == ask.price
        left = _bid_cells(bid, bid_depth, own, last, shape, chosen=on_bid)
        mirrored = _ask_cells(ask, ask_depth, own, last, shape, chosen=on_ask)
        between = SELECTED_BID_SEPARATOR if on_bid else SELECTED_ASK_SEPARATOR if on_ask else SEPARATOR
        lines.append(line(*left, Span(between, Tone.CURSOR if on_bid or on_ask else Tone.DIM), *mirrored))
    return lines


def _column_widths(width: int) -> tuple[int, int]:
    """Return the cells of the size columns and of the depth columns, 0 where there is no room for these."""
    left = width - len(SEPARATOR) - 2 * (MARKS_WIDTH + PRICE_WIDTH) - 1 - NO_BID_WIDTH
    if width < DEPTH_MIN_WIDTH:
        return max(left // 2, 5), 0
    # The size comes first: it is not to be shortened; the depth may be.
    size = min(max(left // 4, MIN_SIZE_WIDTH), 12)
    return size, min(left // 2 - size, 12)


def _order_marks(price: Price, own_count: Count, last: Price | None) -> str:
    """``*`` at an own order, ``=`` where the last trade was."""
    return ("*" if own_count else " ") + ("=" if price == last else " ")


def _size_cell(level: Level, row_format: _BookRowFormat) -> tuple[str, int]:
    """Return a level's size as text and the cells of its bar; a level that is gone has neither."""
    if not level.size:
        return right_align(GONE_TEXT, row_format.size), 0
    return row_format.format_count(level.size, row_format.size), row_format.bar_width(level.size)


def _bid_cells(
    level: Level | None,
    depth: Count,
    own: OwnQuantities,
    last: Price | None,
    row_format: _BookRowFormat,
    *,
    chosen: bool,
) -> list[Span]:
    if level is None:
        return [Span(" " * (row_format.depth + row_format.size + 1 + MARKS_WIDTH + PRICE_WIDTH))]
    mine = own.bids.get(level.price, 0)
    size, bar = _size_cell(level, row_format)
    bare = row_format.size - bar
    return [
        Span(row_format.format_count(depth, row_format.depth), Tone.DIM),
        Span(size[:bare], Tone.PLAIN if bar else Tone.WARN),
        Span(size[bare:], Tone.BID_BAR),
        Span(f" {_order_marks(level.price, mine, last)}", Tone.OWN if mine else Tone.DIM),
        Span(
            right_align(price_text(level.price, row_format.decimals), PRICE_WIDTH),
            Tone.CURSOR if chosen else Tone.OWN if mine else Tone.BID,
        ),
    ]


def _ask_cells(
    level: Level | None,
    depth: Count,
    own: OwnQuantities,
    last: Price | None,
    row_format: _BookRowFormat,
    *,
    chosen: bool,
) -> list[Span]:
    if level is None:
        return [Span(" " * (PRICE_WIDTH + MARKS_WIDTH + NO_BID_WIDTH + row_format.size + row_format.depth))]
    ask = PRICE_UNIT - level.price
    mine = own.asks.get(ask, 0)
    size, bar = _size_cell(level, row_format)
    return [
        Span(
            f"{price_text(ask, row_format.decimals):<{PRICE_WIDTH}}",
            Tone.CURSOR if chosen else Tone.OWN if mine else Tone.ASK,
        ),
        Span(_order_marks(ask, mine, last), Tone.OWN if mine else Tone.DIM),
        Span(right_align(price_text(level.price, row_format.decimals), NO_BID_WIDTH), Tone.DIM),
        Span(size[:bar], Tone.ASK_BAR),
        Span(size[bar:], Tone.PLAIN if bar else Tone.WARN),
        Span(row_format.format_count(depth, row_format.depth), Tone.DIM),
    ]


def side_at_cell(width: int, cell: int) -> Side:
    """Return whether a cell of a row belongs to the YES bids or to the asks, which are NO bids."""
    size, depth = _column_widths(width)
    return Side.YES if cell < depth + size + 1 + MARKS_WIDTH + PRICE_WIDTH + len(SEPARATOR) // 2 + 1 else Side.NO


def quote_line(live: LiveBook, market: Market, side: Side) -> Line:
    """Return the best bid and ask of one outcome with their sizes, and whether they can be trusted."""
    decimals = price_decimals(market.grid)
    bid, ask = live.book.best_bid(side), live.book.best_ask(side)
    if live.trust is BookTrust.WAITING:
        return line(Span(f"{side.name}  waiting for the book", Tone.WARN))
    stale = Span("  STALE" if live.trust is BookTrust.STALE else "  delayed" if live.delayed else "", Tone.WARN)
    return line(
        Span(f"{side.name}  bid "),
        Span(price_text(bid.price, decimals) if bid else NO_VALUE, Tone.BID),
        Span(f" x {count_text(bid.size)}" if bid else "", Tone.DIM),
        Span("   ask "),
        Span(price_text(ask.price, decimals) if ask else NO_VALUE, Tone.ASK),
        Span(f" x {count_text(ask.size)}" if ask else "", Tone.DIM),
        stale,
    )
