"""Lists of what is not traded or told here, as the exchange writes them when there is nothing: no 404.

docs/kalshi-api.md, sections 7, 19, 20, 22 and 23. One thing asked for by its id is a 404, as it is there.
"""

import hashlib
from typing import Final

from aiohttp import web

from kalshi_tui.kalshi import wire
from kalshi_tui.practice.engine.exchange import Exchange
from kalshi_tui.practice.engine.rejection import Rejection
from kalshi_tui.practice.server.http import (
    ACCOUNT_ID_KEY,
    json_reply,
    paginate,
    required_int_param,
    text_param,
)

EMPTY_LISTS: Final = {
    "/portfolio/deposits": ("deposits", 500),
    "/portfolio/withdrawals": ("withdrawals", 500),
    "/communications/rfqs": ("rfqs", 100),
    "/communications/quotes": ("quotes", 500),
    "/communications/block-trade-proposals": ("block_trade_proposals", 100),
    "/milestones": ("milestones", 500),
    "/incentive_programs": ("incentive_programs", 10_000),
}
"""The field that holds a list, and how many items a page may have."""
MAX_TARGETS_PER_PAGE: Final = 2_000


class EmptyListApi:
    """Answers for what the practice exchange has none of."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange

    def routes(self) -> list[web.RouteDef]:
        """Return the routes, below the API's prefix."""
        get = [
            *((path, self.empty_list) for path in EMPTY_LISTS),
            ("/communications/id", self.communications_id),
            ("/structured_targets", self.structured_targets),
            ("/live_data/batch", self.live_data),
            ("/search/tags_by_categories", self.tags_by_categories),
            ("/search/filters_by_sport", self.filters_by_sport),
        ]
        return [web.get(f"{wire.REST_PREFIX}{path}", handler) for path, handler in get]

    async def empty_list(self, request: web.Request) -> web.Response:
        """Return an empty page; a bad limit or cursor, or a filter that is missing, is refused all the same."""
        path = request.path.removeprefix(wire.REST_PREFIX)
        field, most = EMPTY_LISTS[path]
        if path == "/milestones":
            required_int_param(request, "limit")
        if path == "/communications/quotes" and "self" not in {
            text_param(request, "user_filter"),
            text_param(request, "rfq_user_filter"),
        }:
            raise Rejection(403, "forbidden", "forbidden", "user_filter or rfq_user_filter must be self")
        none: list[str] = []
        found, cursor = paginate(request, none, str, max_limit=most)
        cursor_field = "next_cursor" if path == "/incentive_programs" else "cursor"
        return json_reply({field: found, cursor_field: cursor})

    async def communications_id(self, request: web.Request) -> web.Response:
        """Return the public id under which the member would ask for quotes."""
        return json_reply({"communications_id": hashlib.sha256(request[ACCOUNT_ID_KEY].encode()).hexdigest()})

    async def structured_targets(self, request: web.Request) -> web.Response:
        """List structured targets: no market here has one."""
        size = required_int_param(request, "page_size") if text_param(request, "page_size") else 1
        if not 1 <= size <= MAX_TARGETS_PER_PAGE:
            details = f"page_size must be 1 to {MAX_TARGETS_PER_PAGE}"
            raise Rejection(400, "invalid_parameters", "invalid parameters", details)
        return json_reply({"structured_targets": [], "cursor": ""})

    async def live_data(self, request: web.Request) -> web.Response:
        """Return the live data of milestones, of which there are none."""
        del request
        return json_reply({"live_datas": []})

    async def tags_by_categories(self, request: web.Request) -> web.Response:
        """Return the tags of each category's series."""
        del request
        tags: dict[str, set[str]] = {}
        for each in self._exchange.markets.series.values():
            tags.setdefault(each.category, set()).update(each.tags)
        return json_reply({"tags_by_categories": {name: sorted(found) for name, found in sorted(tags.items())}})

    async def filters_by_sport(self, request: web.Request) -> web.Response:
        """Return the filters of each sport: none."""
        del request
        return json_reply({"filters_by_sports": {}, "sport_ordering": []})
