"""The exchange's day: from midnight to midnight Eastern. All that is said of "today" goes by it."""

from datetime import UTC, date, datetime, time, timedelta

from kalshi_tui.domain.trading_pause import EASTERN

MS_PER_SECOND = 1_000


def trading_day(at_ms: int) -> date:
    """Return the day of a Unix time in milliseconds."""
    return datetime.fromtimestamp(at_ms // MS_PER_SECOND, UTC).astimezone(EASTERN).date()


def day_start_ms(at_ms: int) -> int:
    """Return when the day of a Unix time began, both in milliseconds; it has 23 or 25 hours where clocks change."""
    return _start_ms(trading_day(at_ms))


def next_day_start_ms(at_ms: int) -> int:
    """Return when the day after that of a Unix time begins, both in milliseconds."""
    return _start_ms(trading_day(at_ms) + timedelta(days=1))


def _start_ms(day: date) -> int:
    return int(datetime.combine(day, time(), EASTERN).timestamp()) * MS_PER_SECOND
