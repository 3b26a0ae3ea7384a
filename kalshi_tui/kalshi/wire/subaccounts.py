"""REST requests and replies about subaccounts (docs/kalshi-api.md, section 13)."""

from msgspec import UNSET

from kalshi_tui.kalshi.wire.common import NullableInt, OptionalText, WireLeaf, WireObject


class CreateSubaccountRequest(WireLeaf, frozen=True, kw_only=True):
    """``POST /portfolio/subaccounts``."""

    exchange_index: NullableInt = UNSET


class CreateSubaccountReply(WireLeaf, frozen=True, kw_only=True):
    """The number of the new subaccount."""

    subaccount_number: int


class SubaccountBalance(WireLeaf, frozen=True, kw_only=True):
    """What can be spent in one subaccount on one shard, dollars."""

    subaccount_number: int
    exchange_index: NullableInt = UNSET
    balance: str
    updated_ts: NullableInt = UNSET


class SubaccountBalancesReply(WireObject, frozen=True, kw_only=True):
    """``GET /portfolio/subaccounts/balances``."""

    subaccount_balances: list[SubaccountBalance] | None


class SubaccountTransferRequest(WireLeaf, frozen=True, kw_only=True):
    """``POST /portfolio/subaccounts/transfer``."""

    client_transfer_id: str
    from_subaccount: int
    to_subaccount: int
    amount_cents: int
    exchange_index: NullableInt = UNSET


class SubaccountTransfer(WireLeaf, frozen=True, kw_only=True):
    """Cash that went from one subaccount to another."""

    transfer_id: str
    from_subaccount: int
    to_subaccount: int
    amount_cents: int
    created_ts: NullableInt = UNSET
    exchange_index: NullableInt = UNSET


class SubaccountTransfersReply(WireObject, frozen=True, kw_only=True):
    """``GET /portfolio/subaccounts/transfers``."""

    transfers: list[SubaccountTransfer] | None
    cursor: OptionalText = UNSET


class NettingConfig(WireLeaf, frozen=True, kw_only=True):
    """Whether netting is on for one subaccount."""

    subaccount_number: int
    enabled: bool
    exchange_index: NullableInt = UNSET


class NettingReply(WireObject, frozen=True, kw_only=True):
    """``GET /portfolio/subaccounts/netting``."""

    netting_configs: list[NettingConfig] | None


class NettingRequest(WireLeaf, frozen=True, kw_only=True):
    """``PUT /portfolio/subaccounts/netting``."""

    subaccount_number: int
    enabled: bool
