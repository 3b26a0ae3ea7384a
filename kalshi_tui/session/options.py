"""How the trader wants to trade: plain values, made from the settings, that a session takes."""

from dataclasses import dataclass, field

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


@dataclass(frozen=True, slots=True)
class SessionOptions:
    """How the trader wants to trade; all of it can be left out."""

    limits: RiskLimits = field(default_factory=RiskLimits)
    ticket: TicketDefaults = field(default_factory=TicketDefaults)
    dead_man: DeadManOptions = field(default_factory=DeadManOptions)
    max_canceled_by_name: int = 50
    """So many resting orders are canceled one by one when all are; more, and what is in doubt, with one call."""
    read_only: bool = False
    alert_command: tuple[str, ...] = ()
    """What an alert runs, with its sentence as a further argument; empty: nothing."""
