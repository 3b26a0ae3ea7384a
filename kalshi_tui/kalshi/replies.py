"""Small frozen answers of the exchange that are not part of the domain: acknowledgements, limits, series terms.

Counts in 1/100 contract, prices in 1/10,000 dollar, money in 1/1,000,000 dollar, times in Unix milliseconds.
"""

from dataclasses import dataclass

from kalshi_tui.domain.fees import FeeSchedule
from kalshi_tui.domain.price import Count, Money


@dataclass(frozen=True, slots=True)
class OrderAck:
    """What an order did at once. Taken does not mean resting: the counts say it (docs/kalshi-api.md, section 6)."""

    order_id: str
    client_order_id: str
    filled: Count
    remaining: Count
    average_fill_price: Money | None = None
    """The mean YES price of what was filled, 1/1,000,000 dollar a contract (finer than a price); None if not told."""
    average_fee: Money | None = None
    """The mean fee a contract, 1/1,000,000 dollar; None if not told."""
    ts_ms: int = 0


@dataclass(frozen=True, slots=True)
class CancelAck:
    """A cancel that was done: how much was taken off the book; 0 when nothing was left."""

    order_id: str
    client_order_id: str
    reduced_by: Count
    ts_ms: int = 0


@dataclass(frozen=True, slots=True)
class AmendAck:
    """What an amendment did: ``filled`` at once by the amendment itself, ``remaining`` at rest after it.

    Both are None where the exchange left them out, as it does when neither a fill nor a change of size came of it.
    """

    order_id: str
    client_order_id: str
    filled: Count | None
    remaining: Count | None
    average_fill_price: Money | None = None
    ts_ms: int = 0


@dataclass(frozen=True, slots=True)
class BatchCancelResult:
    """One order's outcome in a batch: what was taken off, or the refusal's sentence."""

    order_id: str
    reduced_by: Count = 0
    refusal: str = ""


@dataclass(frozen=True, slots=True)
class SeriesTerms:
    """What the markets of a series have in common."""

    ticker: str
    title: str
    category: str
    fees: FeeSchedule
    exchange_index: int = 0


@dataclass(frozen=True, slots=True)
class ExchangeStatus:
    """Whether the exchange is up and trades; ``resumes_ms`` is its guess of when it will again, 0 if it gave none."""

    exchange_active: bool
    trading_active: bool
    resumes_ms: int = 0
    shards: tuple["ShardStatus", ...] = ()


@dataclass(frozen=True, slots=True)
class ShardStatus:
    """Whether one part of the exchange is up and trades."""

    exchange_index: int
    description: str
    exchange_active: bool
    trading_active: bool


@dataclass(frozen=True, slots=True)
class TokenBucket:
    """Tokens that come each second, and how many may be saved up (docs/kalshi-api.md, section 10)."""

    per_second: int
    capacity: int


@dataclass(frozen=True, slots=True)
class AccountLimits:
    """How fast this account may ask and order."""

    tier: str
    read: TokenBucket
    write: TokenBucket
