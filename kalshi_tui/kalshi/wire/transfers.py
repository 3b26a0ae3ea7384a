"""REST bodies about cash on the shards: transfers between them, and the target allocation.

docs/kalshi-api.md, section 14.
"""

from msgspec import UNSET, UnsetType

from kalshi_tui.kalshi.wire.common import NullableInt, NullableText, OptionalText, WireLeaf, WireObject


class ShardTransferRequest(WireLeaf, frozen=True, kw_only=True):
    """``POST /portfolio/intra_exchange_instance_transfer``: the amount in 1/10,000 dollar."""

    source: str = "event_contract"
    destination: str = "event_contract"
    amount: int
    source_exchange_shard: int = 0
    destination_exchange_shard: int = 0
    source_subaccount: NullableInt = UNSET
    destination_subaccount: NullableInt = UNSET
    client_transfer_id: NullableText = UNSET


class ShardTransferCreatedReply(WireLeaf, frozen=True, kw_only=True):
    """The transfer was accepted; it is done later."""

    transfer_id: str = ""


class ShardTransfer(WireLeaf, frozen=True, kw_only=True):
    """A transfer as it is listed: the amount in dollars, the time in Unix seconds. It has no client id."""

    transfer_id: str
    source: str = "event_contract"
    destination: str = "event_contract"
    source_exchange_shard: int = 0
    destination_exchange_shard: int = 0
    amount: str
    status: str
    created_ts: int


class ShardTransferReply(WireObject, frozen=True, kw_only=True):
    """``GET /portfolio/intra_exchange_instance_transfers/{id}``."""

    transfer: ShardTransfer


class ShardTransfersReply(WireObject, frozen=True, kw_only=True):
    """``GET /portfolio/intra_exchange_instance_transfers``: a page, newest first."""

    transfers: list[ShardTransfer] | None
    cursor: NullableText = UNSET


class TargetAllocation(WireLeaf, frozen=True, kw_only=True):
    """How much of the cash a shard is to have."""

    exchange_index: int
    percent: int


class TargetAllocationRequest(WireObject, frozen=True, kw_only=True):
    """``POST /portfolio/target_balance_allocation``: an empty list ends it."""

    allocations: list[TargetAllocation]
    resting_margin_reservation: OptionalText = UNSET


class TargetAllocationReply(WireObject, frozen=True, kw_only=True):
    """``GET /portfolio/target_balance_allocation``."""

    allocations: list[TargetAllocation] | UnsetType | None = UNSET
    resting_margin_reservation: NullableText = UNSET
