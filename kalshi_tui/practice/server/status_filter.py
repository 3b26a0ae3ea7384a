"""The ``status`` filter of markets and events (docs/kalshi-api.md, section 8)."""

from typing import Final

from aiohttp import web

from kalshi_tui.domain.market import MarketStatus
from kalshi_tui.practice.server.http import (
    BadRequestError,
    list_param,
)

STATUS_FILTERS: Final = {
    "unopened": {MarketStatus.INITIALIZED},
    "open": {MarketStatus.ACTIVE},
    "paused": {MarketStatus.INACTIVE},
    "closed": {MarketStatus.CLOSED, MarketStatus.DETERMINED, MarketStatus.DISPUTED, MarketStatus.AMENDED},
    "settled": {MarketStatus.FINALIZED},
}
"""The filter's words, and the statuses that each includes: the object uses other words
(docs/kalshi-api.md, section 8)."""


def parse_status_filter(request: web.Request) -> set[MarketStatus] | None:
    """Return the statuses that the filter includes, None for all. Raises BadRequestError for an unknown word."""
    words = list_param(request, "status")
    if not words:
        return None
    wanted: set[MarketStatus] = set()
    for word in words:
        if word not in STATUS_FILTERS:
            raise BadRequestError(f"status must be one of {', '.join(STATUS_FILTERS)}")
        wanted |= STATUS_FILTERS[word]
    return wanted
