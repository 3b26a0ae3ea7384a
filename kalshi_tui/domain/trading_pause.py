"""The pauses of trading that are known ahead: Thursdays, 03:00 to 05:00 Eastern, and those that were announced.

docs/kalshi-api.md, section 10.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

EASTERN: Final = ZoneInfo("America/New_York")
THURSDAY: Final = 3
STARTS_AT: Final = time(3)
ENDS_AT: Final = time(5)


@dataclass(frozen=True, slots=True)
class TradingPause:
    """One pause, in Unix seconds. In it orders are neither placed nor amended; in the weekly one cancels are taken."""

    start_s: int
    end_s: int


def next_trading_pause(at_s: int, announced: Iterable[TradingPause] = (), gap_s: int = 0) -> TradingPause:
    """Return the pause of this moment, or the next one; ``announced`` are those beside the weekly one.

    Pauses that lie no more than ``gap_s`` apart count as one.
    """
    pauses = (_next_weekly_pause(at_s), *announced)
    first, *others = sorted((each for each in pauses if each.end_s > at_s), key=lambda each: each.start_s)
    for each in others:
        if each.start_s <= first.end_s + gap_s:
            first = TradingPause(first.start_s, max(first.end_s, each.end_s))
    return first


def _next_weekly_pause(at_s: int) -> TradingPause:
    today = datetime.fromtimestamp(at_s, UTC).astimezone(EASTERN).date()
    pause = _pause_on(today + timedelta(days=(THURSDAY - today.weekday()) % 7))
    return pause if at_s < pause.end_s else _pause_on(today + timedelta(days=7))


def _pause_on(day: date) -> TradingPause:
    start, end = (datetime.combine(day, at, EASTERN) for at in (STARTS_AT, ENDS_AT))
    return TradingPause(int(start.timestamp()), int(end.timestamp()))
