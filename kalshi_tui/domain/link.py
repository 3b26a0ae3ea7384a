"""The states of the connection, of trading on the exchange, and of trust in a book."""

from dataclasses import dataclass
from enum import Enum


class LinkState(Enum):
    """What the connection to the exchange's stream is doing. The values are shown on the status line."""

    OFFLINE = "offline"
    CONNECTING = "connecting"
    LIVE = "live"
    WAITING = "reconnecting"
    """Down; another attempt follows by itself."""
    REFUSED = "refused"
    """The exchange said no (a wrong key, a wrong clock): another attempt would not help until that is corrected."""


@dataclass(frozen=True, slots=True)
class Link:
    """The connection as the screen shows it; ``detail`` is a sentence, empty when all is well."""

    state: LinkState = LinkState.OFFLINE
    detail: str = ""


@dataclass(frozen=True, slots=True)
class LinkStats:
    """How the link does, in whole milliseconds; None before the first of its kind.

    ``lag_ms`` is from when the exchange sent a frame to its being applied, by the corrected clock; ``skew_ms`` the
    exchange's time minus this machine's, 0 while they agree. ``faults`` were found and ``healed`` since the start;
    ``untrusted`` books were right once and are not trusted now. Without a stream the frame's age is that of the oldest
    read on the screen.
    """

    frame_age_ms: int | None = None
    ping_age_ms: int | None = None
    lag_ms: int | None = None
    skew_ms: int = 0
    faults: int = 0
    healed: int = 0
    untrusted: int = 0


class TradingStatus(Enum):
    """What the exchange takes now. The values are shown on the status line; nothing stands there while all is taken."""

    OPEN = ""
    TRADING_PAUSED = "TRADING PAUSED"
    """Orders are rejected, cancels accepted: Thursdays, 03:00 to 05:00 Eastern (docs/kalshi-api.md, section 10)."""
    PAUSED = "EXCHANGE PAUSED"
    """Nothing is taken."""


class BookTrust(Enum):
    """How far a book may be believed."""

    WAITING = "waiting"
    """No snapshot yet."""
    GOOD = "good"
    STALE = "stale"
    """Something was missed or made no sense; prices are the last known ones and may be wrong."""
