"""The exchange's time as its replies tell it: signatures need it to a few seconds (docs/kalshi-api.md, section 2)."""

from collections.abc import Callable
from datetime import UTC
from email.utils import parsedate_to_datetime
from time import time_ns
from typing import Final

SKEW_TOLERANCE_MS: Final = 2_000
"""Largest difference that is not called a skew: a ``Date`` header has whole seconds, and a reply takes its time."""


def system_ms() -> int:
    """Return this machine's Unix time in milliseconds."""
    return time_ns() // 1_000_000


class ExchangeClock:
    """Read this machine's clock, corrected by the exchange's ``Date`` headers once it is clearly off.

    ``skew_ms`` is the exchange's time minus this machine's, 0 while they agree within the tolerance.
    """

    __slots__ = ("_clock_ms", "skew_ms")

    def __init__(self, clock_ms: Callable[[], int] = system_ms) -> None:
        self._clock_ms = clock_ms
        self.skew_ms = 0

    def local_ms(self) -> int:
        """Return this machine's time, uncorrected."""
        return self._clock_ms()

    def now_ms(self) -> int:
        """Return the exchange's time as far as it is known; every signature has its timestamp from here."""
        return self._clock_ms() + self.skew_ms

    def update_skew(self, date_header: str | None, sent_ms: int, received_ms: int) -> None:
        """Update the skew by a reply's ``Date`` header; the times are this machine's, uncorrected.

        A header that cannot be read is ignored. The moment that it names lies between sending and receiving; what that
        leaves open, and the half second that the header cuts off on average, are no skew.
        """
        if not date_header or received_ms < sent_ms:
            return
        try:
            moment = parsedate_to_datetime(date_header)
            header_ms = int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()) * 1000 + 500
        except (ValueError, TypeError, OverflowError, IndexError):
            return
        skew = header_ms - (sent_ms + received_ms) // 2
        self.skew_ms = skew if abs(skew) > SKEW_TOLERANCE_MS + (received_ms - sent_ms) // 2 else 0
