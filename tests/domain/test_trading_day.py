"""The exchange's day is Eastern, wherever this machine stands."""

import time
from datetime import datetime

import pytest

from kalshi_tui.domain.trading_day import day_start_ms, trading_day


def unix_ms(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp()) * 1000


@pytest.mark.parametrize("zone", ["UTC", "America/New_York", "Asia/Tokyo"])
@pytest.mark.parametrize(
    ("at", "began"),
    [
        ("2026-12-01T00:00:00-05:00", "2026-12-01T00:00:00-05:00"),
        ("2026-12-01T04:59:59+00:00", "2026-11-30T00:00:00-05:00"),
        ("2026-12-01T05:00:00+00:00", "2026-12-01T00:00:00-05:00"),
        ("2026-07-01T04:00:00+00:00", "2026-07-01T00:00:00-04:00"),
        # The clocks go back and forward at 02:00: the day has 25 hours, or 23.
        ("2026-11-01T23:00:00-05:00", "2026-11-01T00:00:00-04:00"),
        ("2026-03-08T23:00:00-04:00", "2026-03-08T00:00:00-05:00"),
    ],
)
def test_a_day_begins_at_midnight_eastern(monkeypatch: pytest.MonkeyPatch, zone: str, at: str, began: str) -> None:
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        assert day_start_ms(unix_ms(at)) == unix_ms(began)
        assert trading_day(unix_ms(at)).isoformat() == began[:10]
    finally:
        monkeypatch.undo()
        time.tzset()
