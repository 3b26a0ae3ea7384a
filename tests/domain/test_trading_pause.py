"""When trading pauses: Thursdays, 03:00 to 05:00 Eastern, in summer time and in winter time."""

from datetime import UTC, datetime

import pytest

from kalshi_tui.domain.trading_pause import TradingPause, next_trading_pause


def s(text: str) -> int:
    """Return a UTC time as Unix seconds."""
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


@pytest.mark.parametrize(
    ("now", "start", "end"),
    [
        ("2026-11-30T12:00:00", "2026-12-03T08:00:00", "2026-12-03T10:00:00"),
        ("2026-12-03T07:59:59", "2026-12-03T08:00:00", "2026-12-03T10:00:00"),
        ("2026-12-03T09:59:59", "2026-12-03T08:00:00", "2026-12-03T10:00:00"),
        ("2026-12-03T10:00:00", "2026-12-10T08:00:00", "2026-12-10T10:00:00"),
        ("2026-07-01T12:00:00", "2026-07-02T07:00:00", "2026-07-02T09:00:00"),
        # It is Wednesday evening in New York while it is Thursday in London.
        ("2026-12-03T02:00:00", "2026-12-03T08:00:00", "2026-12-03T10:00:00"),
        # Over the change to summer time on March 14, 2027.
        ("2027-03-13T12:00:00", "2027-03-18T07:00:00", "2027-03-18T09:00:00"),
    ],
)
def test_the_pause_of_now_or_the_next_one(now: str, start: str, end: str) -> None:
    assert next_trading_pause(s(now)) == TradingPause(s(start), s(end))
