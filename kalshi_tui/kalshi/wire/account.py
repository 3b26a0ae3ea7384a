"""REST requests and replies about rate limits and API keys (docs/kalshi-api.md, sections 2 and 10)."""

import msgspec
from msgspec import UNSET, UnsetType

from kalshi_tui.kalshi.wire.common import NullableInt, NullableText, OptionalText, WireLeaf, WireObject


class ApiKey(WireObject, frozen=True, kw_only=True):
    """One key of the account: its id, its name and what it may do. No reply holds the key itself."""

    api_key_id: str
    name: str = ""
    scopes: list[str] | None = None
    subaccount: NullableInt = UNSET


class ApiKeysReply(WireObject, frozen=True, kw_only=True):
    """``GET /api_keys``."""

    api_keys: list[ApiKey] | None
    api_key_region_expiration_ts: NullableInt = UNSET


class CreateApiKeyRequest(WireLeaf, frozen=True, kw_only=True):
    """``POST /api_keys`` with a public key as PEM; defaults let a server say what is missing."""

    name: OptionalText = UNSET
    public_key: OptionalText = UNSET
    scopes: list[str] | UnsetType | None = UNSET
    subaccount: NullableInt = UNSET


class CreateApiKeyReply(WireLeaf, frozen=True, kw_only=True):
    """The id that the exchange gave to a public key."""

    api_key_id: str


class GenerateApiKeyRequest(WireLeaf, frozen=True, kw_only=True):
    """``POST /api_keys/generate``; defaults let a server say what is missing."""

    name: OptionalText = UNSET
    key_type: NullableText = UNSET
    scopes: list[str] | UnsetType | None = UNSET
    subaccount: NullableInt = UNSET


class GenerateApiKeyReply(WireLeaf, frozen=True, kw_only=True):
    """A new key: its id, and its private half as PEM, told this once."""

    api_key_id: str
    key_type: OptionalText = UNSET
    private_key: str

    def __repr__(self) -> str:
        return f"GenerateApiKeyReply(api_key_id={self.api_key_id!r})"


class BucketLimit(WireLeaf, frozen=True, kw_only=True):
    """A token bucket: tokens a second, and how many it holds."""

    refill_rate: int
    bucket_capacity: int


class UsageGrant(WireLeaf, frozen=True, kw_only=True):
    """Where a usage tier comes from."""

    exchange_instance: str
    level: str
    expires_ts: NullableInt = UNSET
    source: str


class AccountLimitsReply(WireObject, frozen=True, kw_only=True):
    """``GET /account/limits``."""

    usage_tier: str
    read: BucketLimit
    write: BucketLimit
    grants: list[UsageGrant] | None = msgspec.field(default_factory=list)


class EndpointCost(WireLeaf, frozen=True, kw_only=True):
    """What a call costs in tokens, where it is not the default."""

    method: str
    path: str
    cost: int


class EndpointCostsReply(WireObject, frozen=True, kw_only=True):
    """``GET /account/endpoint_costs``."""

    default_cost: int
    endpoint_costs: list[EndpointCost] | None


class VolumeGoal(WireLeaf, frozen=True, kw_only=True):
    """The volume of 30 days that earns a usage tier, and the one that keeps it."""

    level: str
    earn_volume_goal_fp: str
    keep_volume_goal_fp: str


class VolumeProgress(WireObject, frozen=True, kw_only=True):
    """The account's volume of 30 days up to a time, and the goals of the tiers."""

    computed_ts: int
    trailing_30d_volume_fp: str
    goals: list[VolumeGoal] | None


class VolumeProgressReply(WireObject, frozen=True, kw_only=True):
    """``GET /account/api_usage_level/volume_progress``."""

    volume_progress: list[VolumeProgress] | None
