"""Markets and events: terms, status, price grid, and the quote as the exchange last sent it."""

from dataclasses import dataclass, field
from enum import Enum
from typing import Final

from kalshi_tui.domain.book import Side
from kalshi_tui.domain.fees import FeeSchedule
from kalshi_tui.domain.price import CENT_GRID, MONEY_UNIT, PRICE_UNIT, Count, Money, Price, PriceGrid

MONEY_PER_PRICE: Final = MONEY_UNIT // PRICE_UNIT


class MarketStatus(Enum):
    """Where a market is in its life. The values are the exchange's words for the object.

    docs/kalshi-api.md, section 8.
    """

    INITIALIZED = "initialized"
    INACTIVE = "inactive"
    ACTIVE = "active"
    CLOSED = "closed"
    DETERMINED = "determined"
    DISPUTED = "disputed"
    AMENDED = "amended"
    FINALIZED = "finalized"
    UNKNOWN = "unknown"

    @classmethod
    def of(cls, word: str) -> "MarketStatus":
        """Return the status for the exchange's word, UNKNOWN for a new one."""
        try:
            return cls(word)
        except ValueError:
            return cls.UNKNOWN

    @property
    def tradable(self) -> bool:
        """Whether orders are taken."""
        return self is MarketStatus.ACTIVE


@dataclass(slots=True, unsafe_hash=True)
class Quote:
    """The top of a market from its ticker. None where nobody quotes: a size of 0 is no quote, not a price.

    Prices in 1/10,000 dollar, counts in 1/100 contract, ``ts_ms`` Unix milliseconds of the exchange (0 if none).
    Never changed once the store has it; not frozen, since that makes each quote of a busy stream four times as costly.
    """

    yes_bid: Price | None = None
    yes_ask: Price | None = None
    yes_bid_size: Count = 0
    yes_ask_size: Count = 0
    last: Price | None = None
    previous: Price | None = None
    """The last price a day ago, for the change."""
    last_size: Count = 0
    volume: Count | None = 0
    """None where the exchange does not say it, as of the two below."""
    volume_24h: Count | None = 0
    open_interest: Count | None = 0
    ts_ms: int = 0

    @property
    def spread(self) -> Price | None:
        """Ask - bid, None without both."""
        return None if self.yes_bid is None or self.yes_ask is None else self.yes_ask - self.yes_bid

    @property
    def change(self) -> Price | None:
        """Last - previous, None without both."""
        return None if self.last is None or self.previous is None else self.last - self.previous

    def bid_for(self, side: Side) -> Price | None:
        """Return the best bid for an outcome, None without one: a bid for NO is an ask for YES."""
        if side is Side.YES:
            return self.yes_bid
        return PRICE_UNIT - self.yes_ask if self.yes_ask is not None else None


@dataclass(frozen=True, slots=True)
class ComboLeg:
    """One part of a combo: a market, and the outcome that it has to have (docs/kalshi-api.md, section 18)."""

    ticker: str
    event_ticker: str
    side: Side
    settlement_value: Money | None = None
    """What a YES of the leg's market paid, None until it has settled."""


@dataclass(frozen=True, slots=True)
class Market:
    """One yes/no contract. Texts have passed the sanitizer: they hold no control characters, and are never markup."""

    ticker: str
    event_ticker: str
    series_ticker: str = ""
    title: str = ""
    """The event's title where it is known, else the market's own (deprecated) one."""
    yes_sub_title: str = ""
    no_sub_title: str = ""
    status: MarketStatus = MarketStatus.UNKNOWN
    grid: PriceGrid = CENT_GRID
    price_level_structure: str = ""
    exchange_index: int = 0
    open_ms: int = 0
    close_ms: int = 0
    """The last moment at which it can be traded."""
    expected_expiration_ms: int = 0
    """When the outcome should be known, 0 if nobody says."""
    rules_primary: str = ""
    rules_secondary: str = ""
    result: str = ""
    settlement_value: Money | None = None
    can_close_early: bool = False
    settlement_floor: Price | None = None
    """What every YES has been paid already, None in a market that has no floor (docs/kalshi-api.md, section 16)."""
    fees: FeeSchedule | None = None
    """None until the series has been read: shown as not known, never as 0."""
    collection_ticker: str = ""
    """Of a combo: the collection that it was made in; empty for any other market."""
    legs: tuple[ComboLeg, ...] = ()
    """Of a combo: its parts, all of which have to come true; empty for any other, and where they cannot be read."""
    is_provisional: bool = False
    """Whether the exchange may take it away again if nobody trades in it."""
    quote: Quote = field(default_factory=Quote)

    @property
    def is_combo(self) -> bool:
        """Whether it combines other markets."""
        return bool(self.legs or self.collection_ticker)

    @property
    def settlement_price(self) -> Price | None:
        """What a YES paid; None until it has settled, and where that was a part of a price unit."""
        value = self.settlement_value
        return None if value is None or value % MONEY_PER_PRICE else value // MONEY_PER_PRICE

    @property
    def expected_end_ms(self) -> int:
        """Return when trading probably ends, 0 if nobody says; `close_ms` is the last moment.

        Where a market can close early the close is set days too late, for postponements: a game ends about when its
        outcome is expected (docs/kalshi-api.md, section 16).
        """
        expected = self.expected_expiration_ms
        return expected if self.can_close_early and 0 < expected < self.close_ms else self.close_ms


@dataclass(frozen=True, slots=True)
class Event:
    """A question with one or more markets; ``mutually_exclusive`` ones have exactly one YES."""

    event_ticker: str
    series_ticker: str
    title: str
    sub_title: str = ""
    category: str = ""
    mutually_exclusive: bool = False
    exchange_index: int = 0
    fee_type_override: str = ""
    """Wins over the series' fee type if not empty."""
    markets: tuple[Market, ...] = ()
    fee_multiplier_override: int | None = None
    """In 1/1,000,000, wins over the series' multiplier if not None (docs/kalshi-api.md, section 9)."""
    settlement_sources: tuple[tuple[str, str], ...] = ()
    """Names and addresses of where the result is read off."""


@dataclass(frozen=True, slots=True)
class Trade:
    """A print of the public tape. ``taker_bid`` is True if the taker bought YES (sold NO)."""

    trade_id: str
    ticker: str
    yes_price: Price
    count: Count
    taker_bid: bool
    ts_ms: int
