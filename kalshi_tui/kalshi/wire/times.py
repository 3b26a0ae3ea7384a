"""RFC 3339 times as the exchange writes them, from and to Unix milliseconds (docs/kalshi-api.md, section 11)."""

import re
from datetime import UTC, datetime, timedelta
from typing import Final

MS_PER_SECOND: Final = 1000
_PATTERN: Final = re.compile(r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|z|[+-]\d\d:\d\d)", re.ASCII)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def time_text(ms: int) -> str:
    """Write Unix milliseconds as RFC 3339 in UTC: no fraction if it is zero, else without zeros at its end.

    Example: 1500 is ``1970-01-01T00:00:01.5Z``.
    """
    seconds, fraction = divmod(ms, MS_PER_SECOND)
    text = datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{text}.{fraction:03d}".rstrip("0") + "Z" if fraction else f"{text}Z"


def time_ms(text: str) -> int:
    """Read an RFC 3339 time with 0 to 9 digits of a second as Unix milliseconds, cut, not rounded.

    A time before 1970 is 0: the exchange writes "no time" as one of the year 1. Raises ValueError for any other text.
    """
    found = _PATTERN.fullmatch(text)
    if found is None:
        raise ValueError("not an RFC 3339 time")
    date, clock, fraction, zone = found.groups()
    try:
        moment = datetime.fromisoformat(f"{date}T{clock}{'+00:00' if zone in 'Zz' else zone}")
        seconds = (moment - _EPOCH) // timedelta(seconds=1)
    except OverflowError:
        raise ValueError("a time beyond the calendar") from None
    return max(0, seconds * MS_PER_SECOND + int((fraction or "").ljust(3, "0")[:3]))
