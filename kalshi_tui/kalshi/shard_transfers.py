"""Cash on the shards for programs: move it, follow a transfer, and the target allocation.

docs/kalshi-api.md, section 14. A transfer is accepted first and done later. It is sent once; where its outcome is not
known it is looked for among the account's transfers.
"""

import asyncio
import uuid
from collections.abc import Mapping
from contextlib import suppress
from typing import Final

from msgspec import UNSET

from kalshi_tui.domain.fees import CENTICENT
from kalshi_tui.domain.price import Money
from kalshi_tui.kalshi import translate, wire
from kalshi_tui.kalshi.errors import BadReply, NotSent, RateLimited, Refused, TransportError, UnknownOutcome
from kalshi_tui.kalshi.lists import Read
from kalshi_tui.kalshi.replies import ShardTransfer, TargetAllocation
from kalshi_tui.kalshi.transport.http import HttpClient, translate_reply
from kalshi_tui.kalshi.wire.times import MS_PER_SECOND

TRANSFER_PATH: Final = "/portfolio/intra_exchange_instance_transfer"
TRANSFERS_PATH: Final = "/portfolio/intra_exchange_instance_transfers"
ALLOCATION_PATH: Final = "/portfolio/target_balance_allocation"
MAX_SHARD: Final = 100
MAX_PAGE_SIZE: Final = 500
RESERVATIONS: Final = ("none", "max", "sum")
POLL_INTERVAL_S: Final = 0.5
CLOCK_TOLERANCE_MS: Final = 5_000
"""How much earlier than this machine's time of sending the exchange may say that a transfer was created."""
FAILED_FOLLOW_UPS: Final = (TransportError, Refused, BadReply)
"""What a read may raise while a transfer is followed. None of it tells anything about the transfer.

A refusal neither: reads lag, so that the exchange may not know yet what it has accepted. Taken for the outcome, it
would say that nothing was moved, and the cash would be moved twice.
"""


def new_client_transfer_id() -> str:
    """Return a new client transfer id: the exchange takes each once on its route."""
    return str(uuid.uuid4())


def require_transfer(source: int, target: int, amount: Money, client_transfer_id: str) -> None:
    """Raise ValueError for a transfer that cannot be."""
    if not (0 <= source <= MAX_SHARD and 0 <= target <= MAX_SHARD):
        raise ValueError(f"an exchange index is 0 to {MAX_SHARD}")
    if source == target:
        raise ValueError("the cash is there already: name two different exchange indexes")
    if amount <= 0 or amount % CENTICENT:
        raise ValueError("the amount must be more than 0, and in whole $0.0001")
    try:
        uuid.UUID(client_transfer_id)
    except ValueError:
        raise ValueError("a client transfer id is a UUID") from None


async def read_transfers(http: HttpClient, most: int | None) -> Read[ShardTransfer]:
    """Read the account's transfers between shards, newest first."""
    return await http.fetch_all(
        TRANSFERS_PATH,
        {"limit": MAX_PAGE_SIZE if most is None else min(most, MAX_PAGE_SIZE)},
        wire.ShardTransfersReply,
        lambda reply: reply.transfers,
        translate.shard_transfer,
        "transfer",
        lambda each: each.transfer_id,
        most,
        private=True,
    )


async def read_transfer(http: HttpClient, transfer_id: str) -> ShardTransfer:
    """Read one transfer."""
    if not transfer_id.replace("-", "").isalnum():
        raise ValueError("a transfer id has letters, digits and hyphens only")
    reply = await http.get(f"{TRANSFERS_PATH}/{transfer_id}", wire.ShardTransferReply, private=True, one_thing=True)
    found = translate_reply(translate.shard_transfer, reply.transfer)
    if found.transfer_id != transfer_id:
        raise BadReply("The exchange answered about another transfer than the one asked about.")
    return found


class TransferSender:
    """Sends one transfer, once, and finds out what became of it."""

    def __init__(self, http: HttpClient, source: int, target: int, amount: Money, client_transfer_id: str) -> None:
        """Take what is to be moved. Raises ValueError for what cannot be."""
        require_transfer(source, target, amount, client_transfer_id)
        self._http = http
        self._source = source
        self._target = target
        self._amount = amount
        self.client_transfer_id = client_transfer_id
        self._known_before: frozenset[str] = frozenset()
        self._sent_ms = 0

    async def send(self) -> ShardTransfer | None:
        """Send it. Return it as it was accepted; None if it is not known whether it was: `find` looks for it.

        Raises NotSent or Refused: then nothing was moved.
        """
        try:
            before = await read_transfers(self._http, MAX_PAGE_SIZE)
        except (TransportError, RateLimited, BadReply) as error:
            # Without the list one could not be told from earlier ones, if no answer came.
            raise NotSent(f"The transfer was not sent: the list of transfers could not be read. {error}") from error
        self._known_before = frozenset(each.transfer_id for each in before)
        self._sent_ms = self._http.clock.now_ms()
        request = wire.ShardTransferRequest(
            amount=self._amount // CENTICENT,
            source_exchange_shard=self._source,
            destination_exchange_shard=self._target,
            client_transfer_id=self.client_transfer_id,
        )
        try:
            reply = await self._http.send_command(
                "POST", TRANSFER_PATH, wire.ShardTransferCreatedReply, "The transfer", request
            )
        except UnknownOutcome:
            return None
        transfer_id = translate.clean(reply.transfer_id, translate.MAX_ID_LENGTH)
        if not transfer_id:
            return None
        return ShardTransfer(transfer_id, self._source, self._target, self._amount, "pending", self._sent_ms)

    async def find(self) -> ShardTransfer | None:
        """Look for a transfer of unknown outcome among those that are new since it was sent; None without one.

        The list names no client ids, so it is told by route, amount and time. Not found proves nothing: reads lag.
        Raises UnknownOutcome where several would fit, and what a read raises.
        """
        fitting = [
            each
            for each in await read_transfers(self._http, MAX_PAGE_SIZE)
            if each.transfer_id not in self._known_before
            and (each.source, each.target, each.amount) == (self._source, self._target, self._amount)
            # The list has whole seconds.
            and each.created_ms >= self._sent_ms - CLOCK_TOLERANCE_MS - MS_PER_SECOND
        ]
        if len(fitting) > 1:
            raise UnknownOutcome(
                "What became of the transfer is not known: several of the same amount were made at the same time. "
                "Look at the list of transfers and at the balance before another."
            )
        return fitting[0] if fitting else None


async def transfer(sender: TransferSender, http: HttpClient, within_s: float) -> ShardTransfer:
    """Send a transfer and follow it until it is complete, or ``within_s`` seconds are over.

    Return it, then still pending. Raises NotSent, Refused or UnknownOutcome.
    """
    loop = asyncio.get_running_loop()
    accepted = await sender.send()
    ends = loop.time() + within_s
    while accepted is None or not accepted.is_complete:
        with suppress(*FAILED_FOLLOW_UPS):
            accepted = await (sender.find() if accepted is None else read_transfer(http, accepted.transfer_id))
        if accepted is not None and accepted.is_complete:
            break
        if loop.time() >= ends:
            break
        await asyncio.sleep(POLL_INTERVAL_S)
    if accepted is None:
        raise UnknownOutcome(
            "The transfer was sent, but no answer came, and it is not in the list of transfers yet: what became of it "
            "is not known. Look at the list and at the balance before another."
        )
    return accepted


async def read_allocation(http: HttpClient) -> TargetAllocation:
    """Read how the exchange spreads the account's cash."""
    reply = await http.get(ALLOCATION_PATH, wire.TargetAllocationReply, private=True)
    return translate_reply(translate.target_allocation, reply)


async def set_allocation(http: HttpClient, percents: Mapping[int, int], reservation: str) -> None:
    """Set how the exchange spreads the account's cash; no percents end it."""
    if percents and (sum(percents.values()) != 100 or not all(0 <= each <= 100 for each in percents.values())):
        raise ValueError("the percents must be 0 to 100 and add up to 100")
    if not all(0 <= shard <= MAX_SHARD for shard in percents):
        raise ValueError(f"an exchange index is 0 to {MAX_SHARD}")
    if reservation and reservation not in RESERVATIONS:
        raise ValueError(f"the reservation is one of {', '.join(RESERVATIONS)}")
    request = wire.TargetAllocationRequest(
        allocations=[wire.TargetAllocation(exchange_index=shard, percent=each) for shard, each in percents.items()],
        resting_margin_reservation=reservation or UNSET,
    )
    await http.send_command_without_reply("POST", ALLOCATION_PATH, "The new allocation", request)
