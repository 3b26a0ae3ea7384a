"""What the account and its keys may do: scopes, attestation, token costs, tiers, netting.

docs/kalshi-api.md, sections 10, 12 and 17.
"""

from dataclasses import dataclass
from typing import Final

from msgspec import UNSET

from kalshi_tui.domain.price import Count
from kalshi_tui.kalshi import translate, wire
from kalshi_tui.kalshi.transport.http import HttpClient, translate_reply

UPGRADE_PATH: Final = "/account/api_usage_level/upgrade"
TRADING_SCOPES: Final = frozenset({"write", "write::trade"})
READING_SCOPE: Final = "read"


@dataclass(frozen=True, slots=True)
class ApiKeyAccess:
    """One of the account's keys: its scopes, such as ``read`` and ``write::trade``, and the subaccount it is locked to.

    ``subaccount`` is None for a key of the whole account.
    """

    key_id: str
    name: str
    scopes: tuple[str, ...]
    subaccount: int | None = None

    @property
    def can_trade(self) -> bool:
        """Whether it may send orders; a key that may only transfer, accept or read may not."""
        return not TRADING_SCOPES.isdisjoint(self.scopes)

    @property
    def can_read(self) -> bool:
        """Whether it may read all of the account, and follow the stream."""
        return READING_SCOPE in self.scopes


@dataclass(frozen=True, slots=True)
class ApiKeyList:
    """The account's keys; ``attested_until_ms`` is when the attestation of where they are used lapses, Unix ms.

    It is None for an account that never attested.
    """

    keys: tuple[ApiKeyAccess, ...]
    attested_until_ms: int | None

    def find(self, key_id: str) -> ApiKeyAccess | None:
        """Return one key; None if it is not in the list."""
        return next((each for each in self.keys if each.key_id == key_id), None)


@dataclass(frozen=True, slots=True)
class TierGoal:
    """The volume of 30 days that earns a usage tier, and the one that keeps it, 1/100 contract."""

    tier: str
    earn: Count
    keep: Count


@dataclass(frozen=True, slots=True)
class TierProgress:
    """The account's volume of the 30 days up to ``computed_ms``, 1/100 contract, and the goals, the lowest first."""

    volume: Count
    computed_ms: int
    goals: tuple[TierGoal, ...]

    def next_goal(self) -> TierGoal | None:
        """Return the lowest tier that the volume does not earn yet; None if it earns all."""
        return next((goal for goal in self.goals if goal.earn > self.volume), None)


@dataclass(frozen=True, slots=True)
class SubaccountNetting:
    """Whether netting, the return of collateral within an event, is on for a subaccount."""

    subaccount: int
    enabled: bool


async def read_keys(http: HttpClient) -> ApiKeyList:
    """Read the account's keys. Raises TransportError, Refused (a key without ``read``) or BadReply."""
    reply = await http.get("/api_keys", wire.ApiKeysReply, private=True)
    lapses = reply.api_key_region_expiration_ts
    return ApiKeyList(
        tuple(map(_key, reply.api_keys or ())),
        lapses * 1_000 if isinstance(lapses, int) else None,
    )


def _key(source: wire.ApiKey) -> ApiKeyAccess:
    return ApiKeyAccess(
        translate.clean(source.api_key_id, translate.MAX_ID_LENGTH),
        translate.clean(source.name, translate.MAX_ID_LENGTH),
        tuple(translate.clean(scope, translate.MAX_ID_LENGTH) for scope in source.scopes or ()),
        None if source.subaccount is UNSET else source.subaccount,
    )


async def read_token_costs(http: HttpClient) -> None:
    """Read what each call costs, and use that from then on. Raises TransportError, Refused or BadReply."""
    reply = await http.get("/account/endpoint_costs", wire.EndpointCostsReply)
    costs = [(each.method, each.path, each.cost) for each in reply.endpoint_costs or ()]
    http.token_costs.set_costs(reply.default_cost, costs)


async def read_progress(http: HttpClient) -> TierProgress | None:
    """Read the progress to higher tiers; None where the exchange has not computed any yet."""
    reply = await http.get("/account/api_usage_level/volume_progress", wire.VolumeProgressReply, private=True)
    if not reply.volume_progress:
        return None
    return translate_reply(_progress, max(reply.volume_progress, key=lambda each: each.computed_ts))


def _progress(source: wire.VolumeProgress) -> TierProgress:
    goals = [
        TierGoal(
            translate.clean(each.level, translate.MAX_ID_LENGTH),
            translate.parse_count_field(each.earn_volume_goal_fp, "earn_volume_goal_fp"),
            translate.parse_count_field(each.keep_volume_goal_fp, "keep_volume_goal_fp"),
        )
        for each in source.goals or ()
    ]
    return TierProgress(
        translate.parse_count_field(source.trailing_30d_volume_fp, "trailing_30d_volume_fp"),
        source.computed_ts * 1_000,
        tuple(sorted(goals, key=lambda each: each.earn)),
    )


async def read_netting(http: HttpClient) -> tuple[SubaccountNetting, ...]:
    """Read where netting is on: a line for each subaccount, on whatever shards it is."""
    reply = await http.get("/portfolio/subaccounts/netting", wire.NettingReply, private=True)
    enabled = {each.subaccount_number: each.enabled for each in reply.netting_configs or ()}
    return tuple(SubaccountNetting(number, enabled[number]) for number in sorted(enabled))


async def upgrade(http: HttpClient) -> None:
    """Ask for the tier Advanced, which is free and for good. Raises NotSent, Refused or UnknownOutcome."""
    # The call has no fields; but a POST without a JSON body has been refused (`invalid_content_type`).
    await http.send_command_without_reply("POST", UPGRADE_PATH, "The upgrade", {})
