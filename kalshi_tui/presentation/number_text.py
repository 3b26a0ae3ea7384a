"""Numbers, dates and times as the screen shows them. Integers in, text out; no float is made on the way."""

from datetime import UTC, datetime
from typing import Final

from kalshi_tui.domain.fees import CENT
from kalshi_tui.domain.market import Market
from kalshi_tui.domain.price import COUNT_UNIT, MONEY_UNIT, Count, Money, Price, PriceGrid, format_price

NO_VALUE: Final = "--"
"""Shown where a value is absent or not known."""


def price_decimals(grid: PriceGrid) -> int:
    """Return how many decimals the prices of a grid need: 2 for whole cents, 3 or 4 for finer ones."""
    step = grid.finest_step
    if step % 100 == 0:
        return 2
    return 3 if step % 10 == 0 else 4


def price_text(price: Price | None, decimals: int = 2) -> str:
    """Write a price with the decimals of its market, or more if it needs them: nothing is ever rounded away."""
    if price is None:
        return NO_VALUE
    text = format_price(price)
    return text if text[2 + decimals :].strip("0") else text[: 2 + decimals]


def align_decimal_point(text: str, decimals: int, width: int) -> str:
    """Set a price in a column so that the points of all rows stand in line; ``decimals`` is the most of any row."""
    _, point, fraction = text.partition(".")
    missing = decimals - len(fraction) if point else decimals - 1
    return (text + " " * max(missing, 0)).rjust(width)


def mid_text(doubled_mid: int, decimals: int = 2) -> str:
    """Write the middle of bid and ask, given doubled, with half a tick's digit where there is one."""
    digits = f"{doubled_mid * 5:05d}"
    return f"0.{digits[:decimals]}{digits[decimals:].rstrip('0')}"


def market_price_text(price: Price | None, market: Market | None) -> str:
    """Write a price as its market's grid needs it."""
    return price_text(price, price_decimals(market.grid) if market else 2)


def change_text(change: Price | None, decimals: int = 2) -> str:
    """Write a change of price with its sign; no change has none."""
    if change is None:
        return NO_VALUE
    if not change:
        return price_text(0, decimals)
    return ("+" if change > 0 else "-") + price_text(abs(change), decimals)


def count_text(count: Count | None, *, aligned: bool = False) -> str:
    """Write a count with thousands separators; a fraction only where there is one, its place kept if ``aligned``."""
    if count is None:
        return NO_VALUE
    whole, part = divmod(abs(count), COUNT_UNIT)
    sign = "-" if count < 0 else ""
    fraction = f".{part:02d}" if part else "   " if aligned else ""
    return f"{sign}{whole:,}{fraction}"


def contracts_text(count: Count) -> str:
    """Write a count with its noun: "1 contract", "1.50 contracts"."""
    return f"{count_text(count)} contract{'' if count == COUNT_UNIT else 's'}"


def short_count_text(count: Count | None) -> str:
    """Write a count in at most five cells: 999, 12.3k, 1.2M. Cut, not rounded, so it never says more than there is."""
    if count is None:
        return NO_VALUE
    whole = count // COUNT_UNIT
    for unit, letter in ((1_000_000_000, "B"), (1_000_000, "M"), (1_000, "k")):
        if whole >= unit:
            tenths = whole * 10 // unit
            return f"{tenths // 10}{letter}" if tenths >= 1_000 else f"{tenths // 10}.{tenths % 10}{letter}"
    return str(whole)


def count_cell(count: Count, width: int, *, aligned: bool = True) -> str:
    """Write a count at the right end of a column; one that has no room is shortened, never cut."""
    full = count_text(count, aligned=aligned)
    for text in (full, full.replace(",", "")):
        if len(text) < width:
            return text.rjust(width)
    return (short_count_text(count) + ("   " if aligned and width > 9 else "")).rjust(width)


def money_text(money: Money | None, *, signed: bool = False) -> str:
    """Write dollars with as many decimals as they need, two at least."""
    if money is None:
        return "not known"
    whole, part = divmod(abs(money), MONEY_UNIT)
    decimals = f"{part:06d}"
    decimals = decimals[:2] + decimals[2:].rstrip("0")
    sign = "-" if money < 0 else "+" if signed and money > 0 else ""
    return f"{sign}${whole:,}.{decimals}"


def cents_text(money: Money, *, signed: bool = False) -> str:
    """Write dollars in whole cents, rounded half away from zero: for display, not for arithmetic."""
    cents = (abs(money) + CENT // 2) // CENT
    return money_text(cents * CENT if money >= 0 else -cents * CENT, signed=signed)


def clock_text(ts_ms: int) -> str:
    """Write a Unix time in milliseconds as the local time of day; blanks for none."""
    return _local_time_text(ts_ms, "%H:%M:%S") if ts_ms else "        "


def time_zone_text(ts_ms: int) -> str:
    """Name the local time zone."""
    return _local_time_text(ts_ms, "%Z")


def date_time_text(ts_ms: int) -> str:
    """Write a Unix time in milliseconds as local day and time: ``16 Dec 19:00``."""
    return _local_time_text(ts_ms, "%d %b %H:%M")


def date_time_seconds_text(at_s: int) -> str:
    """Write a Unix time in seconds as local day and time, to the second: ``16 Dec 19:00:00``."""
    return f"{date_time_text(at_s * 1000)[:-6]} {clock_text(at_s * 1000)}"


def expiration_text(at_s: int, now_ms: int) -> str:
    """Write when something ends: the time of day alone where that is today."""
    day, _, hour = date_time_text(at_s * 1000).rpartition(" ")
    return hour if date_time_text(now_ms).startswith(day) else f"{day} {hour}"


def _local_time_text(ts_ms: int, time_format: str) -> str:
    """Write a moment in the local time zone; question marks for one that no calendar has."""
    try:
        return datetime.fromtimestamp(ts_ms // 1000, UTC).astimezone().strftime(time_format)
    except (ValueError, OverflowError, OSError):
        return "??:??:??"
