"""Read the numbers and times of replies and frames; the ones that come often are looked up in caches."""

from collections.abc import Callable
from typing import Final

from msgspec import UnsetType

from kalshi_tui.domain.price import (
    PRICE_UNIT,
    Count,
    Money,
    NumberError,
    Price,
    parse_count,
    parse_money,
    parse_price,
    parse_signed_count,
)
from kalshi_tui.kalshi import wire
from kalshi_tui.kalshi.translate.cleaning import TranslationError, clean
from kalshi_tui.kalshi.wire.times import time_ms

PRICE_PER_CENT: Final = PRICE_UNIT // 100
NumberText = str | UnsetType | None


def int_or_zero(number: int | UnsetType | None) -> int:
    """Return a number, 0 where it is absent or null."""
    return number or 0


def parse_time_ms(text: NumberText) -> int:
    """Read an RFC 3339 time as Unix milliseconds; absent, null and empty are 0. Raises TranslationError."""
    if not text:
        return 0
    try:
        return time_ms(text)
    except ValueError:
        raise TranslationError(f"{clean(text, 40)!r} is no RFC 3339 time.") from None


def parse_price_field(text: NumberText, field: str) -> Price:
    """Read a price in dollars. Raises TranslationError, also where it is absent."""
    return _parse_field(text, field, parse_price)


def parse_count_field(text: NumberText, field: str) -> Count:
    """Read a count, zero or more. Raises TranslationError, also where it is absent."""
    return _parse_field(text, field, parse_count)


def parse_money_field(text: NumberText, field: str, default: Money | None = None) -> Money:
    """Read dollars. Raises TranslationError; ``default`` stands for absent, null and empty if it is not None."""
    if default is not None and not text:
        return default
    return _parse_field(text, field, parse_money)


def _parse_field(text: NumberText, field: str, parse: Callable[[str], int]) -> int:
    if not isinstance(text, str):
        raise TranslationError(f"{field} is missing.")
    try:
        return parse(text)
    except NumberError as error:
        raise TranslationError(f"{field}: {clean(str(error))}") from None


_MAX_FAST_COUNT_LENGTH: Final = 15
"""Characters of a count that cannot be beyond the largest count allowed."""


def count_or_zero(text: NumberText, field: str) -> Count:
    """Read a count, 0 where it is absent, null or empty. Raises TranslationError."""
    if not text:
        return 0
    if 3 < len(text) <= _MAX_FAST_COUNT_LENGTH and text[-3] == "." and text.isascii():
        # Nearly all counts have this shape. Whatever does not pass here goes to the strict parser below.
        digits = text[:-3] + text[-2:]
        if digits.isdecimal():
            return int(digits)
    return parse_count_field(text, field)


def count_or_none(text: NumberText, field: str) -> Count | None:
    """Read a count, None where it is absent, null or empty. Raises TranslationError."""
    return count_or_zero(text, field) if text else None


def lookup_price(text: NumberText, field: str) -> Price:
    """Read a price, from the cache if it has been seen before. Raises TranslationError."""
    known = PRICE_CACHE.get(text) if isinstance(text, str) else None
    return _parse_field(text, field, parse_and_cache_price) if known is None else known


def trade_price_or_none(text: NumberText, field: str) -> Price | None:
    """Read the price of a trade, None where it is absent, null, empty or 0. Raises TranslationError."""
    return (lookup_price(text, field) or None) if text else None


PRICE_CACHE: Final[dict[str, Price]] = {}
"""Prices by their text, filled by `parse_and_cache_price`: a look-up costs a tenth of a parse."""
COMPLEMENT_CACHE: Final[dict[str, Price]] = {}
"""By the text of a price, what is left of a dollar beyond it; filled with `PRICE_CACHE`."""
DELTA_CACHE: Final[dict[str, Count]] = {}
"""Signed counts by their text, filled by `parse_and_cache_delta`."""
PRICE_CACHE_SIZE: Final = 50_000
_DELTA_CACHE_SIZE: Final = 16_384


def parse_and_cache_price(text: str) -> Price:
    """Parse a price strictly and put it into `PRICE_CACHE`. Raises NumberError."""
    price = parse_price(text)
    if len(PRICE_CACHE) >= PRICE_CACHE_SIZE:
        PRICE_CACHE.clear()
        COMPLEMENT_CACHE.clear()
    PRICE_CACHE[text] = price
    COMPLEMENT_CACHE[text] = PRICE_UNIT - price
    return price


def parse_and_cache_delta(text: str) -> Count:
    """Parse a signed count strictly and put it into `DELTA_CACHE`. Raises NumberError.

    The usual shape, two decimals, is checked and converted here; any other goes to the full parser.
    """
    digits = text.replace(".", "", 1)
    if (
        4 <= len(text) <= 17
        and text[-3] == "."
        and digits.isascii()
        and (digits.isdecimal() or (digits[0] == "-" and len(digits) > 3 and digits[1:].isdecimal()))
    ):
        count = int(digits)
    else:
        count = parse_signed_count(text)
    if len(DELTA_CACHE) >= _DELTA_CACHE_SIZE:
        DELTA_CACHE.clear()
    DELTA_CACHE[text] = count
    return count


def parse_levels(levels: wire.LevelTexts | UnsetType | None) -> list[tuple[Price, Count]]:
    """Read one side of a book as (price, count) pairs; absent and null are empty. Raises NumberError."""
    if not levels:
        return []
    prices = PRICE_CACHE
    return [
        (prices[price] if price in prices else parse_and_cache_price(price), _parse_snapshot_count(count))
        for price, count in levels
    ]


def _parse_snapshot_count(text: str) -> Count:
    count = DELTA_CACHE.get(text)
    if count is None:
        count = parse_and_cache_delta(text)
    if count < 0:
        raise NumberError(f"{clean(text, 40)!r} is not a count of contracts.")
    return count


def parse_signed_count_field(text: NumberText, field: str) -> Count:
    """Read a count with a sign. Raises TranslationError, also where it is absent."""
    return _parse_field(text, field, parse_signed_count)
