"""Which trades the tape shows: those of a size or more, and the trader's own always. Pure."""

from collections.abc import Iterator
from typing import Final

from kalshi_tui.domain.market import Trade
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


def no_trades_text(min_count: Count) -> str:
    """Return the sentence for an empty list."""
    return f"No trade of {count_text(min_count)} contracts or more seen yet." if min_count else "No trades seen yet."


def filter_trades(store: Store, ticker: str, min_count: Count) -> Iterator[tuple[Trade, bool]]:
    """Return a market's trades that are shown, newest first, each with whether it is the trader's own."""
    own = {fill.trade_id for fill in store.fills if fill.ticker == ticker}
    for trade in store.tapes.get(ticker, ()):
        mine = trade.trade_id in own
        if mine or trade.count >= min_count:
            yield trade, mine
