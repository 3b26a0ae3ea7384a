"""Transfers of cash between shards over REST, signed (docs/kalshi-api.md, section 14)."""

from collections.abc import Callable

from aiohttp import web
from msgspec import Struct

from kalshi_tui.domain.price import COUNT_UNIT
from kalshi_tui.kalshi import wire
from kalshi_tui.practice.engine.exchange import Exchange
from kalshi_tui.practice.server.http import (
    ACCOUNT_ID_KEY,
    BadRequestError,
    json_reply,
    read_body,
)


class TransferRequest(Struct, frozen=True, kw_only=True):
    """``POST /portfolio/intra_exchange_instance_transfer``."""

    amount: int
    source: str = "event_contract"
    destination: str = "event_contract"
    source_exchange_shard: int = 0
    destination_exchange_shard: int = 0


class TransferApi:
    """Moves an account's cash."""

    def __init__(self, exchange: Exchange, commit: Callable[[], None]) -> None:
        self._exchange = exchange
        self._commit = commit

    def routes(self) -> list[web.RouteDef]:
        """Return the routes, below the API's prefix; the fixed ones come before those with a name in them."""
        table = [
            ("POST", "/portfolio/intra_exchange_instance_transfer", self.transfer),
        ]
        return [web.route(method, f"{wire.REST_PREFIX}{path}", handler) for method, path, handler in table]

    async def transfer(self, request: web.Request) -> web.Response:
        """Move cash from one shard to another; the amount is in 1/10,000 dollar."""
        asked = await read_body(request, TransferRequest)
        if {asked.source, asked.destination} - {"event_contract"}:
            raise BadRequestError("source and destination must be event_contract")
        source, target = asked.source_exchange_shard, asked.destination_exchange_shard
        self._exchange.transfer(request[ACCOUNT_ID_KEY], source, target, asked.amount * COUNT_UNIT)
        self._commit()
        return json_reply({"transfer_id": self._exchange.ids.new_id()})
