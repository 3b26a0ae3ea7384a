"""Changes of fees that the exchange has scheduled (docs/kalshi-api.md, section 9)."""

from dataclasses import dataclass

from kalshi_tui.domain.fees import FeeSchedule


@dataclass(frozen=True, slots=True)
class SeriesFeeChange:
    """New fees of a series from ``at_ms`` on, Unix milliseconds. No event tells when they take effect."""

    series_ticker: str
    fees: FeeSchedule
    at_ms: int


@dataclass(frozen=True, slots=True)
class EventFeeChange:
    """New overrides of an event from ``at_ms`` on; an empty type and a multiplier of None clear them.

    ``multiplier`` is in 1/1,000,000.
    """

    event_ticker: str
    series_ticker: str
    fee_type: str
    multiplier: int | None
    at_ms: int
