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


def test_announced_pauses_count_and_those_that_lie_close_are_one() -> None:
    now = s("2026-12-01T12:00:00")
    weekly = next_trading_pause(now)
    first, next_to_it = TradingPause(now + 600, now + 1_200), TradingPause(now + 1_250, now + 1_900)
    over, before_weekly = TradingPause(now - 600, now), TradingPause(weekly.start_s - 900, weekly.start_s - 30)
    assert next_trading_pause(now, [over]) == weekly
    assert next_trading_pause(now, [next_to_it, first, before_weekly]) == first
    assert next_trading_pause(now, [next_to_it, first, before_weekly], 60) == TradingPause(now + 600, now + 1_900)
    assert next_trading_pause(now, [before_weekly], 60) == TradingPause(weekly.start_s - 900, weekly.end_s)
