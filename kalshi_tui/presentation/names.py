"""Markets by name: a label that fits a width, and how far a market is in its life. Pure."""

from functools import lru_cache
from typing import Final

from rich.cells import cell_len

from kalshi_tui.domain.market import Market, MarketStatus
from kalshi_tui.domain.text import market_text
from kalshi_tui.presentation.lines import fit, make_printable
from kalshi_tui.session.store import Store

LABEL_CACHE_SIZE: Final = 4_096
ENDED_STATUSES: Final = frozenset({MarketStatus.DETERMINED, MarketStatus.FINALIZED})


def short_label(market: Market, width: int) -> str:
    """Name a market in exactly ``width`` cells. The event's title is cut first: the outcome tells rows apart."""
    return _short_label(market_text(market), market.yes_sub_title, width)


@lru_cache(LABEL_CACHE_SIZE)
def _short_label(label: str, outcome: str, width: int) -> str:
    label, outcome = make_printable(label), make_printable(outcome)
    # As `market_text` joins them: a question needs no colon.
    title = label.removesuffix(f": {outcome}")
    if title == label and label.endswith(f"? {outcome}"):
        title = label.removesuffix(f" {outcome}")
    if cell_len(label) <= width or title == label:
        return fit(label, width)
    room = max(width - cell_len(outcome) - 1, width * 2 // 5)
    return f"{fit(title, room)} {fit(outcome, width - room - 1)}"


def unknown_market_text(store: Store, ticker: str) -> str:
    """Return why a market is not known, as the end of a sentence."""
    error = store.market_data.ticker_error(ticker)
    if error is not None:
        return f"could not be read: {error}" if error else "is being read..."
    if store.is_listed:
        return "is not known to the exchange"
    return "has not been read" if store.market_data.listing_error else "is being read..."


def unlisted_text(store: Store) -> str:
    """Return that the list of markets has not been read whole, and why; empty if it has been."""
    if store.is_listed:
        return ""
    why = store.market_data.listing_error
    if not why:
        return "The markets are being read..."
    return f"Not all markets have been read: {why}" if store.markets else f"The markets have not been read: {why}"


def market_status_text(market: Market) -> str:
    """Return a market's status, and how it ended: ``ended YES``, ``closed``."""
    if market.status in ENDED_STATUSES and market.result:
        return f"ended {market.result.upper() if market.result in {'yes', 'no'} else market.result}"
    return market.status.value
