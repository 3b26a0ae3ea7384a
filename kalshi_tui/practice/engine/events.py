"""The engine's events, and the log that collects them. The server turns them into frames, the database into rows.

Plain mutable dataclasses for speed (20,000 a second); nobody changes one after it was emitted.
"""

from dataclasses import dataclass
from enum import Enum

from kalshi_tui.domain.book import Side
from kalshi_tui.domain.price import Count, Money, Price
from kalshi_tui.practice.engine.records import (
    AllocationRecord,
    FillRecord,
    GroupRecord,
    OrderRecord,
    PositionRecord,
    ScheduledEventFees,
    ScheduledSeriesFees,
    SettlementRecord,
    ShardTransferRecord,
    SubaccountTransferRecord,
    TradeRecord,
)
from kalshi_tui.practice.engine.terms import EventDefinition


class LifecycleType(Enum):
    """The exchange's words for what happens to a market (docs/kalshi-api.md, section 5)."""

    CREATED = "created"
    ACTIVATED = "activated"
    DEACTIVATED = "deactivated"
    CLOSE_DATE_UPDATED = "close_date_updated"
    DETERMINED = "determined"
    SETTLED = "settled"
    GRID_UPDATED = "price_level_structure_updated"
    METADATA_UPDATED = "metadata_updated"


@dataclass(slots=True)
class BookChanged:
    """A published level changed by ``delta``. ``price`` is that of ``side``'s own outcome, as in a frame.

    ``account_id`` and ``client_order_id`` name the order that caused it, None for a simulated participant's.
    """

    ticker: str
    side: Side
    price: Price
    delta: Count
    ts_ms: int
    account_id: str | None = None
    client_order_id: str | None = None


@dataclass(slots=True)
class TradePrinted:
    """A trade for the public tape."""

    trade: TradeRecord


@dataclass(slots=True)
class QuoteChanged:
    """The top of a book, the last price, the volume or the open interest changed: read it from the market."""

    ticker: str
    ts_ms: int


@dataclass(slots=True)
class OrderFilled:
    """An account's order was filled, in whole or in part."""

    fill: FillRecord


@dataclass(slots=True)
class OrderChanged:
    """An account's order was taken, filled, amended, decreased or canceled."""

    order: OrderRecord


@dataclass(slots=True)
class PositionChanged:
    """An account's holding changed."""

    position: PositionRecord


@dataclass(slots=True)
class BalanceChanged:
    """An account's cash on one shard changed; ``cash`` includes what is ``held`` for resting orders."""

    account_id: str
    exchange_index: int
    cash: Money
    held: Money
    ts_ms: int


@dataclass(slots=True)
class PositionSettled:
    """An account was paid for a settled market."""

    settlement: SettlementRecord


class GroupChange(Enum):
    """What happened to an order group; the values are the stream's words; COUNTED is not streamed."""

    CREATED = "created"
    LIMIT = "limit_updated"
    TRIGGERED = "triggered"
    RESET = "reset"
    DELETED = "deleted"
    COUNTED = ""
    """Something matched and counts toward the limit."""


@dataclass(slots=True)
class GroupChanged:
    """An order group was made, changed, triggered, reset or deleted, or something of it matched."""

    group: GroupRecord
    change: GroupChange


@dataclass(slots=True)
class ClientIdUsed:
    """An order with this ``client_order_id`` was taken, or killed whole; ``order_id`` is empty for a killed one."""

    account_id: str
    client_order_id: str
    order_id: str


@dataclass(slots=True)
class SubaccountTransferred:
    """Cash went from one subaccount to another."""

    transfer: SubaccountTransferRecord


@dataclass(slots=True)
class NettingChanged:
    """Netting was switched for an account."""

    account_id: str
    enabled: bool


@dataclass(slots=True)
class ShardTransferChanged:
    """A transfer of cash between shards was taken, completed or failed. It is not streamed; it is for the database."""

    transfer: ShardTransferRecord


@dataclass(slots=True)
class AllocationChanged:
    """How an account's cash is to be spread over the shards was set. It is not streamed; it is for the database."""

    allocation: AllocationRecord


@dataclass(slots=True)
class LifecycleChanged:
    """A market's status, dates, grid or texts changed, in a way that the exchange announces."""

    ticker: str
    event_type: LifecycleType
    ts_ms: int


@dataclass(slots=True)
class EventListed:
    """A new event was listed while the exchange runs."""

    event: EventDefinition


@dataclass(slots=True)
class FeeOverridesChanged:
    """An event's fee overrides have changed; they are in force now."""

    event: EventDefinition
    ts_ms: int


@dataclass(slots=True)
class FeeChangeScheduled:
    """A change of fees was asked for, in force at once or later. No frame is sent for it; it is for the database."""

    change: ScheduledSeriesFees | ScheduledEventFees
    ts_ms: int


@dataclass(slots=True)
class UnannouncedStatusChange:
    """A market changed silently (opened or closed by the clock). No frame is sent for it; it is for the database."""

    ticker: str
    ts_ms: int


EngineEvent = (
    BookChanged
    | TradePrinted
    | QuoteChanged
    | OrderFilled
    | OrderChanged
    | PositionChanged
    | BalanceChanged
    | PositionSettled
    | GroupChanged
    | ClientIdUsed
    | SubaccountTransferred
    | NettingChanged
    | ShardTransferChanged
    | AllocationChanged
    | LifecycleChanged
    | UnannouncedStatusChange
    | EventListed
    | FeeOverridesChanged
    | FeeChangeScheduled
)


class EventLog:
    """What has happened and was not taken yet, in order."""

    def __init__(self) -> None:
        self._events: list[EngineEvent] = []

    def emit(self, event: EngineEvent) -> None:
        """Append an event."""
        self._events.append(event)

    def drain(self) -> list[EngineEvent]:
        """Return what has happened since the last call, in order, and forget it."""
        taken, self._events = self._events, []
        return taken

    def clear(self) -> None:
        """Drop what has happened, as when it is no news to anybody."""
        self._events.clear()

    @property
    def pending_count(self) -> int:
        """How many events wait to be taken."""
        return len(self._events)
