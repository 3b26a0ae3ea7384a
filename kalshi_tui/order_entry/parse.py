"""Read prices, counts, dollars and times that a person typed, and show how they were read."""

import re
from datetime import UTC, datetime, timedelta
from typing import Final

from kalshi_tui.domain.book import Book, Side
from kalshi_tui.domain.fees import CENT
from kalshi_tui.domain.order import Action
from kalshi_tui.domain.price import (
    COUNT_UNIT,
    PRICE_UNIT,
    Count,
    Money,
    NumberError,
    Price,
    format_price,
    parse_count,
    parse_price,
)
from kalshi_tui.presentation.lines import (
    Line,
    Span,
    Tone,
    line,
)
from kalshi_tui.presentation.number_text import (
    count_text,
    date_time_seconds_text,
    price_text,
)

DECIMAL_PATTERN: Final = re.compile(r"[0-9]+\.?[0-9]*|\.[0-9]+")
THOUSANDS_PATTERN: Final = re.compile(r"[0-9]{1,3}(,[0-9]{3})+(\.[0-9]*)?")
CLOCK_TIME_PATTERN: Final = re.compile(r"([01]?[0-9]|2[0-3]):([0-5][0-9])(?::([0-5][0-9]))?")
NO_EXPIRATION_WORDS: Final = frozenset({"never", "gtc", "none"})
DURATION_PATTERN: Final = re.compile(r"\+?(?:([0-9]{1,3})d)?(?:([0-9]{1,4})h)?(?:([0-9]{1,6})m)?(?:([0-9]{1,8})s)?")
MAX_ORDER_DURATION_S: Final = 366 * 24 * 3600


def parse_typed_price(text: str) -> Price:
    """Read a price: dollars with a point (``0.47``, ``.47``), or cents (``47``, ``47c``, ``47.5c``).

    A bare whole number is cents: no contract costs a whole number of dollars. A dollar sign always means dollars.
    Raises NumberError.
    """
    written = text.strip().lower()
    typed = written.removeprefix("$")
    if not typed:
        raise NumberError("Type a price: 0.47 in dollars, or 47 in cents.")
    cents = typed.removesuffix("c").removesuffix("¢").strip()
    in_dollars = typed != written
    if in_dollars and cents != typed:
        raise NumberError("That is both dollars and cents: type $0.47 or 47c.")
    in_cents = not in_dollars and (cents != typed or "." not in typed)
    if not DECIMAL_PATTERN.fullmatch(cents):
        raise NumberError("That is no price: type dollars like 0.47, or cents like 47 or 47.5c.")
    try:
        # Cents to two decimals are counts to two decimals: both are hundredths.
        price = parse_count(_with_leading_zero(cents)) if in_cents else parse_price(_with_leading_zero(typed))
    except NumberError:
        if len(cents.partition(".")[2]) > (2 if in_cents else 4):
            raise NumberError("A price has at most 4 decimals in dollars, 2 in cents.") from None
        price = 0
    if not 0 < price < PRICE_UNIT:
        read = f"{cents} cents" if in_cents else f"{typed} dollars"
        raise NumberError(f"A price lies between 0 and 1 dollar; this reads as {read}.")
    return price


def _with_leading_zero(typed: str) -> str:
    return "0" + typed if typed.startswith(".") else typed


def parse_typed_count(text: str) -> Count:
    """Read a count of contracts, of up to two decimals. Raises NumberError."""
    typed = text.strip()
    if not typed:
        raise NumberError("Type how many contracts.")
    try:
        count = parse_count(_with_leading_zero(_strip_thousands_separators(typed, "count", "10.5")))
    except NumberError as error:
        if typed.count(","):
            raise
        raise NumberError("That is no count: type contracts like 10, or 10.5 where fractions trade.") from error
    if count <= 0:
        raise NumberError("The count must be more than 0.")
    return count


def is_dollar_amount(text: str) -> bool:
    """Return whether a count was written as the dollars that it may cost."""
    return text.strip().startswith("$")


def parse_typed_dollars(text: str) -> Money:
    """Read what a purchase may cost, ``$50`` or ``$1,000.50``. Raises NumberError."""
    typed = text.strip().removeprefix("$").strip()
    if not typed:
        raise NumberError("Type how many dollars it may cost.")
    try:
        # Cents and hundredths of a contract are both hundredths.
        cents = parse_count(_with_leading_zero(_strip_thousands_separators(typed, "dollars", "10.50")))
    except NumberError as error:
        if typed.count(","):
            raise
        raise NumberError("That is no sum: type dollars like $50, or $50.25.") from error
    if cents <= 0:
        raise NumberError("The dollars must be more than 0.")
    return cents * CENT


def _strip_thousands_separators(typed: str, unit: str, example: str) -> str:
    """Take a comma as one of thousands or none: "10,50" must not become a hundred times what was meant."""
    if "," not in typed:
        return typed
    if not THOUSANDS_PATTERN.fullmatch(typed):
        raise NumberError(f"Write the {unit} with a point, {example}, or with commas for thousands, 1,000.")
    return typed.replace(",", "")


def parse_expiration(text: str, now_ms: int) -> int:
    """Read when an order is to expire; return the Unix time in seconds.

    A time of day (``15:30``, ``15:30:20``, local) is the next such one; ``+10m``, ``2h``, ``1h30m``, ``90s`` count
    from now. Raises NumberError.
    """
    typed = text.strip().lower().replace(" ", "")
    if not typed:
        raise NumberError("Type until when: 15:30, or +10m, +2h, 90s.")
    if hour := CLOCK_TIME_PATTERN.fullmatch(typed):
        return _next_clock_time(int(hour[1]), int(hour[2]), int(hour[3] or 0), now_ms)
    span = DURATION_PATTERN.fullmatch(typed)
    if span is None or not any(span.groups()):
        raise NumberError("That is no time: type 15:30, or +10m, +2h, 90s.")
    days, hours, minutes, seconds = (int(part or 0) for part in span.groups())
    total = ((days * 24 + hours) * 60 + minutes) * 60 + seconds
    if not 0 < total <= MAX_ORDER_DURATION_S:
        raise NumberError("An order can end a second from now at the earliest, a year at the latest.")
    return now_ms // 1000 + total


def parse_amended_expiration(text: str, now_ms: int) -> int | None:
    """Read when a resting order is to expire from now on, Unix seconds: None as it is, 0 never. Raises NumberError."""
    typed = text.strip().lower()
    if not typed:
        return None
    return 0 if typed in NO_EXPIRATION_WORDS else parse_expiration(typed, now_ms)


def _next_clock_time(hour: int, minute: int, second: int, now_ms: int) -> int:
    """Return when the local clock next shows this time; computed on naive time, so that a DST change is respected."""
    wall = datetime.fromtimestamp(now_ms // 1000, UTC).astimezone().replace(tzinfo=None)
    wanted = wall.replace(hour=hour, minute=minute, second=second)
    today_s, tomorrow_s = (int((wanted + timedelta(days=days)).astimezone().timestamp()) for days in (0, 1))
    return today_s if today_s > now_ms // 1000 else tomorrow_s


def price_readback(typed: str, side: Side, hint: str) -> Line:
    """Return how a price was read, for the space beside its field; the hint while it is empty."""
    if not typed.strip():
        return line(Span(hint, Tone.DIM))
    try:
        return line(f"= ${format_price(parse_typed_price(typed))}", Span(f" for a {side.name}", Tone.DIM))
    except NumberError:
        return line(Span("not a price", Tone.BAD))


def count_readback(typed: str) -> Line:
    """Return how a count of contracts was read, for the space beside its field."""
    if not typed.strip():
        return line(Span("contracts", Tone.DIM))
    try:
        count = parse_typed_count(typed)
        return line(f"= {count_text(count)}", Span(" contract" if count == COUNT_UNIT else " contracts", Tone.DIM))
    except NumberError:
        return line(Span("not a count", Tone.BAD))


def expiration_readback(typed: str, now_ms: int) -> Line:
    """Return how a time was read, for the space beside its field."""
    if not typed.strip():
        return line(Span("15:30, +10m, 90s", Tone.DIM))
    try:
        return line(f"= {date_time_seconds_text(parse_expiration(typed, now_ms))}")
    except NumberError:
        return line(Span("not a time", Tone.BAD))


def amended_expiration_readback(typed: str, expires_ms: int, now_ms: int) -> Line:
    """Return how another expiry of a resting order was read; how it is now while nothing is typed."""
    try:
        wanted_s = parse_amended_expiration(typed, now_ms)
    except NumberError:
        return line(Span("not a time: 15:30, +10m, 90s, or never", Tone.BAD))
    if wanted_s is None:
        now = f"until {date_time_seconds_text(expires_ms // 1000)}" if expires_ms else "good till canceled"
        return line(Span(f"{now} (15:30, +10m, never)", Tone.DIM))
    return line(f"= {date_time_seconds_text(wanted_s)}" if wanted_s else "= good till canceled")


def join_take_text(book: Book, side: Side, action: Action, decimals: int) -> str:
    """Return at which price an order would join the best bid or ask, and at which it would trade at once."""
    bid, ask = book.best_bid(side), book.best_ask(side)
    own, other = (bid, ask) if action is Action.BUY else (ask, bid)
    own_word, other_word = ("bid", "ask") if action is Action.BUY else ("ask", "bid")
    joins = f"{price_text(own.price, decimals)} joins the {own_word}" if own else f"no {own_word}"
    takes = f"{price_text(other.price, decimals)} takes the {other_word}" if other else f"no {other_word}"
    return f"{joins}, {takes}"
