"""Warn ahead of the day on which the attestation of where keys are used lapses (docs/kalshi-api.md, section 12)."""

import time
from collections.abc import Callable
from typing import Final

from kalshi_tui.kalshi.errors import KalshiError
from kalshi_tui.kalshi.rest import RestClient
from kalshi_tui.session.notices import Severity

DAY_MS: Final = 86_400_000
WARNING_MS: Final = 14 * DAY_MS
"""How long before it lapses the trader is warned."""
FORBIDDEN: Final = "keys trade no Sports, Elections or Entertainment"


def describe_attestation(until_ms: int, now_ms: int) -> tuple[Severity, str]:
    """Return how serious the state of an attestation is, and a sentence about it that begins with "It"."""
    day = time.strftime("%Y-%m-%d", time.localtime(until_ms / 1_000))
    if until_ms <= now_ms:
        return Severity.ERROR, f"It lapsed on {day}: {FORBIDDEN} until you renew it on the exchange's web page."
    if until_ms - now_ms < WARNING_MS:
        days = (until_ms - now_ms) // DAY_MS
        return (
            Severity.WARNING,
            f"It lapses on {day}, in {days} days; then {FORBIDDEN}: renew it on the exchange's web page.",
        )
    return Severity.INFO, f"It holds until {day}."


async def warn_of_attestation(rest: RestClient, notify: Callable[[Severity, str], None]) -> None:
    """Notify the trader of an attestation that has lapsed or soon will; of none, a long one or an unknown one not."""
    try:
        until_ms = (await rest.api_keys()).attested_until_ms
    except KalshiError:
        # A key with few rights may not look; the doctor says so, and an order that is refused says why.
        return
    if until_ms is None:
        return
    severity, sentence = describe_attestation(until_ms, rest.clock.now_ms())
    if severity is not Severity.INFO:
        notify(severity, f"The attestation of where your keys are used: {sentence[0].lower()}{sentence[1:]}")
