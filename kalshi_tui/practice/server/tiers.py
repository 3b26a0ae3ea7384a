"""The API usage tiers of the accounts, and what each call costs in tokens (docs/kalshi-api.md, section 10)."""

from collections.abc import Callable
from typing import Final, NamedTuple

import msgspec
from msgspec import UNSET

from kalshi_tui.kalshi import wire
from kalshi_tui.practice.storage.database import Database, DatabaseError

BASIC: Final = "basic"
ADVANCED: Final = "advanced"
DAY_MS: Final = 86_400_000
GRANT_DAYS: Final = 30
GRANTS_ENTRY: Final = "advanced_accounts"


class TierLimits(NamedTuple):
    """A tier's tokens a second and the most that its buckets hold, for reads and for writes."""

    read_rate: int
    read_capacity: int
    write_rate: int
    write_capacity: int


TIERS: Final = {
    BASIC: TierLimits(200, 600, 100, 100),
    ADVANCED: TierLimits(300, 900, 300, 900),
    "expert": TierLimits(600, 600, 600, 1_800),
    "premier": TierLimits(1_200, 1_200, 1_200, 3_600),
    "paragon": TierLimits(2_400, 2_400, 2_400, 7_200),
    "prime": TierLimits(4_800, 4_800, 4_800, 14_400),
    "prestige": TierLimits(12_000, 12_000, 9_600, 28_800),
}
"""The tiers, the lowest first."""
VOLUME_GOALS: Final = {
    "expert": (75, 50),
    "premier": (125, 100),
    "paragon": (250, 200),
    "prime": (500, 400),
    "prestige": (1_000, 800),
}
"""Of twice last month's volume of the whole exchange, what earns and what keeps a tier, in 1/100,000."""
VOLUME_SHARE_UNIT: Final = 100_000

DEFAULT_COST: Final = 10
CANCEL_COST: Final = 2
UPGRADE_PATH: Final = "/account/api_usage_level/upgrade"
QUEUE_POSITIONS_PATH: Final = "/portfolio/orders/queue_positions"
_ORDERS_PATH: Final = "/portfolio/events/orders"
ENDPOINT_COSTS: Final = (
    wire.EndpointCost(method="DELETE", path=_ORDERS_PATH, cost=CANCEL_COST),
    wire.EndpointCost(method="DELETE", path=f"{_ORDERS_PATH}/{{order_id}}", cost=CANCEL_COST),
    wire.EndpointCost(method="DELETE", path=f"{_ORDERS_PATH}/batched", cost=CANCEL_COST),
    wire.EndpointCost(method="GET", path="/portfolio/orders/{order_id}", cost=2),
    wire.EndpointCost(method="POST", path=UPGRADE_PATH, cost=30),
)
"""The calls that do not cost the default; a batch costs this for each item."""
_COSTS: Final = {(each.method, each.path): each.cost for each in ENDPOINT_COSTS}


def request_cost(method: str, path: str) -> int:
    """Return the tokens of one call; ``path`` is below the API's prefix."""
    if path == QUEUE_POSITIONS_PATH:
        # No order's id, though it stands where one does.
        return DEFAULT_COST
    parent = path.rpartition("/")[0]
    for known in (path, f"{parent}/{{order_id}}"):
        if (method, known) in _COSTS:
            return _COSTS[method, known]
    return DEFAULT_COST


class UsageTiers:
    """The tier of each account: the one that the exchange was started with, or Advanced by an upgrade of its own."""

    def __init__(self, tier: str, database: Database | None = None) -> None:
        """Take the tier of all accounts. Raises ValueError for an unknown one, DatabaseError."""
        if tier not in TIERS:
            raise ValueError(f"The tier must be one of {', '.join(TIERS)}.")
        self._tier = tier
        self._database = database
        self._upgraded = _stored_upgrades(database)
        self.on_change: Callable[[str], None] = lambda _: None
        """A function that is called with the id of an account whose tier has changed."""

    def tier(self, account_id: str) -> str:
        """Return an account's tier."""
        return ADVANCED if self._tier == BASIC and account_id in self._upgraded else self._tier

    def limits(self, account_id: str) -> TierLimits:
        """Return the token buckets of an account's tier."""
        return TIERS[self.tier(account_id)]

    def upgrade(self, account_id: str) -> None:
        """Grant Advanced for good, over restarts too; a higher tier stays."""
        if account_id in self._upgraded:
            return
        self._upgraded.append(account_id)
        if self._database is not None:
            self._database.put(GRANTS_ENTRY, msgspec.json.encode(self._upgraded).decode())
        self.on_change(account_id)

    def grants(self, account_id: str, now_ms: int) -> list[wire.UsageGrant]:
        """Return where an account's tier comes from; nothing for Basic, which everybody has."""
        made = []
        if self._tier in VOLUME_GOALS:
            expires_s = (now_ms // DAY_MS + GRANT_DAYS) * DAY_MS // 1_000
            made.append(_grant(self._tier, "volume", expires_s))
        if account_id in self._upgraded or self._tier == ADVANCED:
            made.append(_grant(ADVANCED, "manual"))
        return made


def _grant(level: str, source: str, expires_s: int | None = None) -> wire.UsageGrant:
    return wire.UsageGrant(
        exchange_instance="event_contract",
        level=level,
        source=source,
        expires_ts=UNSET if expires_s is None else expires_s,
    )


def _stored_upgrades(database: Database | None) -> list[str]:
    if database is None:
        return []
    try:
        return msgspec.json.decode(database.get(GRANTS_ENTRY) or "[]", type=list[str])
    except msgspec.MsgspecError as error:
        raise DatabaseError(
            f"The upgrades in {database.path} cannot be read ({error}). Start a new account with --fresh."
        ) from error
