"""Replies of the exchange that are not part of the domain: acknowledgements of commands, limits, status, series terms.

Counts are in 1/100 contract, prices in 1/10,000 dollar, money in 1/1,000,000 dollar, times in Unix milliseconds.
"""

from dataclasses import dataclass

from kalshi_tui.domain.fees import FeeSchedule
from kalshi_tui.domain.price import Count, Money


@dataclass(frozen=True, slots=True)
class OrderAck:
    """What a new order did at once. Accepted does not mean resting: the counts say it (docs/kalshi-api.md, section 6).

    Of 10 contracts that fill 4 and rest with 6, ``filled`` is 400 and ``remaining`` 600. An immediate-or-cancel order
    that fills nothing has 0 for both.
    """

    order_id: str
    """The exchange's id of the order."""
    client_order_id: str
    """The sender's id of the order."""
    filled: Count
    """How much was filled at once, 1/100 contract."""
    remaining: Count
    """How much rests now, 1/100 contract."""
    average_fill_price: Money | None = None
    """Average YES price of the fills, 1/1,000,000 dollar a contract, finer than a price; None if unknown."""
    average_fee: Money | None = None
    """Average fee a contract, 1/1,000,000 dollar; None if unknown."""
    ts_ms: int = 0
    """When the exchange did it, Unix milliseconds; 0 if unknown."""


@dataclass(frozen=True, slots=True)
class ArchiveCutoffs:
    """How far back the live lists reach: what is older is in the archive alone. Unix milliseconds, None if unknown."""

    orders_ms: int | None
    """Orders that ended before it are archived; resting ones never are."""
    trades_ms: int | None
    """Trades and fills before it are archived."""
    markets_ms: int | None
    """Markets that settled before it are archived, with their candles."""
    positions_ms: int | None
    """Positions last changed before it may be archived; they move later, all of an event together."""


@dataclass(frozen=True, slots=True)
class CancelAck:
    """A cancel that was done."""

    order_id: str
    client_order_id: str
    reduced_by: Count
    """How much was canceled, 1/100 contract; 0 if nothing was left."""
    ts_ms: int = 0


@dataclass(frozen=True, slots=True)
class AmendAck:
    """What an amendment did: ``filled`` at once by the amendment itself, and ``remaining``, which rests after it.

    Both are in 1/100 contract, and None if the exchange left them out, as it does for an amendment that neither filled
    anything nor changed the size.
    """

    order_id: str
    client_order_id: str
    filled: Count | None
    remaining: Count | None
    average_fill_price: Money | None = None
    ts_ms: int = 0


@dataclass(frozen=True, slots=True)
class BatchCancelResult:
    """One order's outcome in a batch of cancels: how much was canceled, or why it was rejected, as a sentence."""

    order_id: str
    reduced_by: Count = 0
    refusal: str = ""


@dataclass(frozen=True, slots=True)
class SeriesTerms:
    """The common terms of a series' markets."""

    ticker: str
    title: str
    category: str
    fees: FeeSchedule
    exchange_index: int = 0


@dataclass(frozen=True, slots=True)
class ExchangeStatus:
    """Whether the exchange is up and trades, as a whole and by shard."""

    exchange_active: bool
    """Whether it is up; if not, nothing works, cancels neither."""
    trading_active: bool
    """Whether orders are accepted; cancels are, as long as the exchange is up."""
    resumes_ms: int = 0
    """When it expects to be back, Unix milliseconds; 0 if it does not say."""
    shards: tuple["ShardStatus", ...] = ()


@dataclass(frozen=True, slots=True)
class ShardStatus:
    """Whether one shard of the exchange is up and trades."""

    exchange_index: int
    description: str
    exchange_active: bool
    trading_active: bool
    transfers_active: bool = True
    """Whether cash can be moved from and to it."""


@dataclass(frozen=True, slots=True)
class TokenBucket:
    """A rate limit: tokens a second, and how many can be saved up (docs/kalshi-api.md, section 10)."""

    per_second: int
    capacity: int


@dataclass(frozen=True, slots=True)
class AccountLimits:
    """How fast this account may read and write; ``tier`` is the exchange's name for it."""

    tier: str
    read: TokenBucket
    write: TokenBucket


@dataclass(frozen=True, slots=True)
class SubaccountBalance:
    """What can be spent in one subaccount on one shard, 1/1,000,000 dollar. Number 0 is the primary."""

    number: int
    exchange_index: int
    cash: Money


@dataclass(frozen=True, slots=True)
class SubaccountTransfer:
    """Cash that went from one subaccount to another on one shard, 1/1,000,000 dollar."""

    transfer_id: str
    source: int
    target: int
    amount: Money
    exchange_index: int
    created_ms: int


@dataclass(frozen=True, slots=True)
class ShardTransfer:
    """Cash on its way between two parts of the exchange, by ``exchange_index``; the amount in 1/1,000,000 dollar.

    It is accepted first and done later; until then it is nowhere to be spent (docs/kalshi-api.md, section 14).
    """

    transfer_id: str
    source: int
    target: int
    amount: Money
    status: str
    """``pending`` or ``complete``, or a later word of the exchange's."""
    created_ms: int

    @property
    def is_complete(self) -> bool:
        """Whether the cash has arrived."""
        return self.status == "complete"


@dataclass(frozen=True, slots=True)
class TargetAllocation:
    """How the exchange spreads the account's cash: pairs of exchange index and percent; none if it does not."""

    percents: tuple[tuple[int, int], ...]
    reservation: str
    """What of the resting orders' value is kept back: ``none``, ``max`` or ``sum``."""
