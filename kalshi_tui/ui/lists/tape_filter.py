"""Which trades the tape shows: those of a size or more, and the trader's own always. Pure."""

from collections.abc import Iterator
from typing import Final

from kalshi_tui.domain.market import Trade
from kalshi_tui.domain.price import COUNT_UNIT, Count
from kalshi_tui.presentation.numbers import count_text
from kalshi_tui.session.store import Store

LEASTS: Final = (0, 10 * COUNT_UNIT, 100 * COUNT_UNIT, 1_000 * COUNT_UNIT)
"""The sizes that the key goes through; 0 stands for all."""


def next_least(least: Count) -> Count:
    """Give the size after this one."""
    return LEASTS[(LEASTS.index(least) + 1) % len(LEASTS)]


def filter_short(least: Count) -> str:
    """Name the column of the counts by what is shown of them."""
    return f">= {count_text(least)}" if least else "count, all"


def filter_words(least: Count) -> str:
    """Say what is shown."""
    return f"{count_text(least)} contracts or more, and yours" if least else "all sizes"


def nothing_words(least: Count) -> str:
    """Say that there is nothing to show."""
    return f"No trade of {count_text(least)} contracts or more seen yet." if least else "No trades seen yet."


def passes(store: Store, ticker: str, least: Count) -> Iterator[tuple[Trade, bool]]:
    """Give a market's trades that are shown, newest first, each with whether it is the trader's own."""
    own = {fill.trade_id for fill in store.fills if fill.ticker == ticker}
    for trade in store.tapes.get(ticker, ()):
        mine = trade.trade_id in own
        if mine or trade.count >= least:
            yield trade, mine
