"""How the trader wants to trade: plain values, made from the settings, that a session takes."""

from dataclasses import dataclass, field
from typing import Final

from kalshi_tui.domain.limits import RiskLimits
from kalshi_tui.domain.price import Count


@dataclass(frozen=True, slots=True)
class TicketDefaults:
    """What a new ticket begins with. Counts in 1/100 contract."""

    presets: tuple[Count, ...] = (1_000, 100, 500, 2_500, 10_000)
    """The first is the count of a new ticket; all are at hand by a key."""
    expire_after_s: int | None = None
    """The most seconds that an order may rest, None for ever: a dead machine then leaves nothing behind for long."""
    rolling_expiry_s: int | None = None
    """How many seconds an order outlives this program, None for ever."""


@dataclass(frozen=True, slots=True)
class DeadManOptions:
    """What the switch does; off where nothing is set."""

    on_quit: bool = False
    link_lost_s: int | None = None
    """Cancel all as soon as the link is back, if it was lost for so many seconds or longer."""
    rolling_expiry_s: int | None = None
    """Orders get an expiry so many seconds ahead, which is renewed while this program lives."""


READ_ONLY: Final = "The program was started with --read-only: it sends nothing."
NO_KEY: Final = "There is no API key: you can only watch."
NO_ACCOUNT: Final = f"{NO_KEY} The log says how to make one."
"""Stands in the lists of the account where there is no key."""
HOW_TO_MAKE_A_KEY: Final = (
    "To trade, make one: log in at kalshi.com (or its demo), Account & security, API Keys, Create Key; then set "
    "KALSHI_API_KEY_ID and KALSHI_PRIVATE_KEY_PATH. docs/trading.md shows each step."
)


@dataclass(frozen=True, slots=True)
class SessionOptions:
    """How the trader wants to trade; all of it can be left out."""

    limits: RiskLimits = field(default_factory=RiskLimits)
    ticket: TicketDefaults = field(default_factory=TicketDefaults)
    dead_man: DeadManOptions = field(default_factory=DeadManOptions)
    max_canceled_by_name: int = 50
    """So many resting orders are canceled one by one when all are; more, and what is in doubt, with one call."""
    read_only: bool = False
    without_key: bool = False
    """Whether there is no key: then the market data are read by REST, and the account not at all."""
    alert_command: tuple[str, ...] = ()
    """What an alert runs, with its sentence as a further argument; empty: nothing."""

    @property
    def read_only_reason(self) -> str:
        """Return why nothing may be sent, a sentence; empty if it may."""
        return NO_KEY if self.without_key else READ_ONLY if self.read_only else ""
