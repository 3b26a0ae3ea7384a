"""Which trades the tape shows: those of a size or more, and the trader's own always. Pure."""

from collections.abc import Iterator
from typing import Final

from kalshi_tui.domain.market import Trade
from kalshi_tui.domain.order import BookSide, Fill
from kalshi_tui.domain.price import COUNT_UNIT, Count
from kalshi_tui.presentation.number_text import count_text
from kalshi_tui.session.store import Store

MIN_COUNT_STEPS: Final = (0, 10 * COUNT_UNIT, 100 * COUNT_UNIT, 1_000 * COUNT_UNIT)
"""The sizes that the key goes through; 0 stands for all."""


def next_min_count(min_count: Count) -> Count:
    """Return the size after this one."""
    return MIN_COUNT_STEPS[(MIN_COUNT_STEPS.index(min_count) + 1) % len(MIN_COUNT_STEPS)]


def filter_heading(min_count: Count) -> str:
    """Name the column of the counts by what is shown of them."""
    return f">= {count_text(min_count)}" if min_count else "count, all"


def filter_text(min_count: Count) -> str:
    """Return what is shown."""
    return f"{count_text(min_count)} contracts or more, and yours" if min_count else "all sizes"


def no_trades_text(store: Store, ticker: str, min_count: Count) -> str:
    """Return the sentence for an empty list: that there was no trade only where the trades have been read."""
    if not ticker:
        return "No market is chosen."
    if ticker not in store.tapes:
        why = store.market_data.tape_error(ticker)
        return f"The trades could not be read; it is tried again. {why}" if why else "Reading the trades..."
    return f"No trade of {count_text(min_count)} contracts or more seen yet." if min_count else "No trades seen yet."


def is_part_of(fill: Fill, trade: Trade) -> bool:
    """Return whether a fill is a part of a public trade.

    Both name the trade, and that is not all: a trade at another price, of fewer contracts or from the other side is not
    the trader's own, whatever its id. One whose id no fill has is nobody's, however alike.
    """
    bought = (fill.book_side is BookSide.BID) == fill.is_taker
    return (
        fill.trade_id == trade.trade_id
        and fill.ticker == trade.ticker
        and fill.yes_price == trade.yes_price
        and fill.count <= trade.count
        and bought == trade.taker_bid
    )


def filter_trades(store: Store, ticker: str, min_count: Count) -> Iterator[tuple[Trade, bool]]:
    """Return a market's trades that are shown, newest first, each with whether it is the trader's own."""
    fills: dict[str, list[Fill]] = {}
    for fill in store.fills:
        if fill.ticker == ticker:
            fills.setdefault(fill.trade_id, []).append(fill)
    for trade in store.tapes.get(ticker, ()):
        mine = any(is_part_of(each, trade) for each in fills.get(trade.trade_id, ()))
        if mine or trade.count >= min_count:
            yield trade, mine
