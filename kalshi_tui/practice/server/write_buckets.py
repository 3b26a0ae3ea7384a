"""Which shards' write buckets a request is billed to (docs/kalshi-api.md, section 14)."""

import re
from typing import Final

from aiohttp import web
from msgspec import Struct

from kalshi_tui.kalshi import wire

UNSCOPED: Final = (0,)
"""The bucket of shard 0, which also pays for writes that belong to no shard."""
_RFQ_SHARD: Final = (1,)
_ONE_ORDER: Final = re.compile(r"/portfolio/events/orders(/(?!batched$)[^/]+(/(amend|decrease))?)?")


class _RoutedBody(Struct):
    """The part of a body that routes it."""

    exchange_index: int | None = None


async def find_billed_shards(request: web.Request, below: str, shards: tuple[int, ...]) -> tuple[int, ...]:
    """Return whose buckets a write is billed to; ``below`` is the path without the API's prefix.

    A write of one order without an ``exchange_index`` is routed by the exchange, which bills every shard for it.
    """
    if below.startswith("/communications/"):
        return _RFQ_SHARD
    one_order = _ONE_ORDER.fullmatch(below)
    if one_order is None or (request.method == "DELETE" and one_order[1] is None):
        return UNSCOPED
    index = request.query.get("exchange_index", "")
    if request.method == "POST":
        try:
            given = wire.decode(await request.read(), _RoutedBody).exchange_index
        except wire.DecodeError:
            return UNSCOPED
        index = index if given is None else str(given)
    if not (index.isascii() and index.isdecimal()):
        return shards
    return (int(index),) if int(index) in shards else UNSCOPED
