"""Cash on the shards over REST, signed: transfers between them, and the target allocation.

docs/kalshi-api.md, section 14.
"""

import uuid
from collections.abc import Callable
from typing import Final

from aiohttp import web

from kalshi_tui.domain.price import COUNT_UNIT
from kalshi_tui.kalshi import wire
from kalshi_tui.practice.engine.exchange import Exchange
from kalshi_tui.practice.server import encode_rest
from kalshi_tui.practice.server.http import (
    ACCOUNT_ID_KEY,
    BadRequestError,
    json_reply,
    paginate,
    read_body,
)

MAX_TRANSFERS_LIMIT: Final = 500
MAX_SHARD: Final = 100
UNITS_PER_CENT: Final = 100
"""What a cent is in the amounts of transfers, of 1/10,000 dollar."""


class TransferApi:
    """Moves an account's cash, and says how far it is."""

    def __init__(self, exchange: Exchange, commit: Callable[[], None]) -> None:
        self._exchange = exchange
        self._commit = commit

    def routes(self) -> list[web.RouteDef]:
        """Return the routes, below the API's prefix; the fixed ones come before those with a name in them."""
        table = [
            ("POST", "/portfolio/intra_exchange_instance_transfer", self.transfer),
            ("GET", "/portfolio/intra_exchange_instance_transfers", self.transfers),
            ("GET", "/portfolio/intra_exchange_instance_transfers/{transfer_id}", self.one_transfer),
            ("GET", "/portfolio/target_balance_allocation", self.allocation),
            ("POST", "/portfolio/target_balance_allocation", self.set_allocation),
        ]
        return [web.route(method, f"{wire.REST_PREFIX}{path}", handler) for method, path, handler in table]

    async def transfer(self, request: web.Request) -> web.Response:
        """Accept a transfer from one shard to another; the amount is in 1/10,000 dollar."""
        asked = await read_body(request, wire.ShardTransferRequest)
        if {asked.source, asked.destination} - {"event_contract"}:
            raise BadRequestError("source and destination must be event_contract")
        source, target = asked.source_exchange_shard, asked.destination_exchange_shard
        if not (0 <= source <= MAX_SHARD and 0 <= target <= MAX_SHARD):
            raise BadRequestError(f"an exchange shard is 0 to {MAX_SHARD}")
        member, client_id = request[ACCOUNT_ID_KEY], _read_client_id(asked)
        subaccounts = (asked.source_subaccount or 0, asked.destination_subaccount or 0)
        if client_id and any(subaccounts):
            raise BadRequestError("client_transfer_id is for transfers of the primary account alone")
        if source == target and subaccounts[0] != subaccounts[1]:
            transfer_id = self._transfer_between_subaccounts(member, source, subaccounts, asked.amount)
        else:
            transfers, amount = self._exchange.shard_transfers, asked.amount * COUNT_UNIT
            transfer_id = transfers.request(member, source, target, amount, client_id, subaccounts).transfer_id
        self._commit()
        return json_reply(wire.ShardTransferCreatedReply(transfer_id=transfer_id))

    def _transfer_between_subaccounts(self, member: str, shard: int, subaccounts: tuple[int, int], amount: int) -> str:
        """Move cash on one shard, which is a transfer between subaccounts: at once, and in their list."""
        cents, rest = divmod(amount, UNITS_PER_CENT)
        if rest:
            raise BadRequestError("between subaccounts the amount must be whole cents")
        made = self._exchange.subaccounts.transfer(member, str(uuid.uuid4()), *subaccounts, cents, shard)
        return made.transfer_id

    async def transfers(self, request: web.Request) -> web.Response:
        """List the account's transfers, newest first."""
        listed = self._exchange.shard_transfers.list_for(request[ACCOUNT_ID_KEY])
        self._commit()
        found, cursor = paginate(request, listed, lambda each: each.transfer_id, max_limit=MAX_TRANSFERS_LIMIT)
        return json_reply(
            wire.ShardTransfersReply(transfers=[encode_rest.shard_transfer(each) for each in found], cursor=cursor)
        )

    async def one_transfer(self, request: web.Request) -> web.Response:
        """Return one transfer."""
        found = self._exchange.shard_transfers.get(request[ACCOUNT_ID_KEY], request.match_info["transfer_id"])
        self._commit()
        return json_reply(wire.ShardTransferReply(transfer=encode_rest.shard_transfer(found)))

    async def allocation(self, request: web.Request) -> web.Response:
        """Return how the account's cash is to be spread over the shards."""
        found = self._exchange.shard_transfers.allocation(request[ACCOUNT_ID_KEY])
        return json_reply(
            wire.TargetAllocationReply(
                allocations=[
                    wire.TargetAllocation(exchange_index=shard, percent=percent) for shard, percent in found.percents
                ],
                resting_margin_reservation=found.reservation,
            )
        )

    async def set_allocation(self, request: web.Request) -> web.Response:
        """Set how the account's cash is to be spread over the shards; an empty list ends it."""
        asked = await read_body(request, wire.TargetAllocationRequest)
        self._exchange.shard_transfers.set_allocation(
            request[ACCOUNT_ID_KEY],
            tuple((each.exchange_index, each.percent) for each in asked.allocations),
            asked.resting_margin_reservation or "sum",
        )
        self._commit()
        return json_reply({})


def _read_client_id(asked: wire.ShardTransferRequest) -> str:
    """Return the client's id, empty without one. Raises BadRequestError for what is no UUID."""
    given = asked.client_transfer_id or ""
    try:
        return str(uuid.UUID(given)) if given else ""
    except ValueError:
        raise BadRequestError("client_transfer_id must be a UUID") from None
