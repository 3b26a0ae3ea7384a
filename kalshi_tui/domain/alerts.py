"""Alerts: what the trader watches for, when an alert rings, and how it is written.

Conditions compare whole numbers: prices in 1/10,000 dollar, counts in 1/100 contract, times in milliseconds.
"""

import re
from dataclasses import dataclass, replace
from enum import Enum
from typing import Final, NamedTuple

from kalshi_tui.domain.book import Book
from kalshi_tui.domain.market import Quote
from kalshi_tui.domain.price import (
    PRICE_UNIT,
    Count,
    NumberError,
    Price,
    format_count,
    format_price,
    parse_count,
    parse_price,
)

MAX_CLOSE_MINUTES: Final = 366 * 24 * 60
MINUTE_MS: Final = 60_000
UNKNOWN_KIND_SENTENCE: Final = (
    "An alert begins with bid, ask, last, spread, size, bid size, ask size, trade, close, fill or refused."
)
EMPTY_ALERT_SENTENCE: Final = (
    "Write what is to ring, such as bid >= 0.55, spread <= 0.01, trade >= 500, close < 10m or fill."
)


class AlertError(ValueError):
    """A text that is no alert. Its message is a sentence for a person."""


class AlertKind(Enum):
    """What an alert watches. The values are the words that the trader writes."""

    BID = "bid"
    """The best YES bid; nobody bidding counts as 0."""
    ASK = "ask"
    """The best YES ask; nobody offering counts as a dollar."""
    LAST = "last"
    SPREAD = "spread"
    BID_SIZE = "bid size"
    """What stands at the best YES bid."""
    ASK_SIZE = "ask size"
    SIZE = "size"
    """The larger of these two."""
    TRADE = "trade"
    """A single public trade."""
    CLOSE = "close"
    """The time until trading ends."""
    FILL = "fill"
    """An execution of the trader's own, in any market."""
    REFUSED = "refused"
    """A rejection of the trader's own order, in any market."""


PRICE_KINDS: Final = frozenset({AlertKind.BID, AlertKind.ASK, AlertKind.LAST, AlertKind.SPREAD})
SIZE_KINDS: Final = frozenset({AlertKind.BID_SIZE, AlertKind.ASK_SIZE, AlertKind.SIZE})
ACCOUNT_KINDS: Final = frozenset({AlertKind.FILL, AlertKind.REFUSED})
"""Kinds that belong to no market."""
EVENT_KINDS: Final = ACCOUNT_KINDS | {AlertKind.TRADE}
"""Kinds that happen, and do not last: nothing has to be over before the next one rings."""


class AlertState(Enum):
    """Whether an alert will ring. The values stand in the list."""

    ARMED = "armed"
    WAITING = "waiting"
    """It rang and is to ring again: it is armed as soon as its condition is over."""
    FIRED = "fired"
    """It rang once, as it was to."""


@dataclass(frozen=True, slots=True)
class Alert:
    """One alert: it rings when the value is at ``threshold`` or beyond, above it if ``at_least`` and below it if not.

    ``threshold`` is a price, a count, for CLOSE whole minutes, for FILL and REFUSED nothing.
    """

    kind: AlertKind
    ticker: str = ""
    """Empty for the kinds of the account."""
    at_least: bool = True
    threshold: int = 0
    once: bool = True
    id: int = 0
    state: AlertState = AlertState.ARMED
    fired_ms: int = 0
    """When it rang last, in this machine's Unix milliseconds; 0 for never."""
    times: int = 0
    """How often it has rung."""

    @property
    def limit(self) -> int:
        """The threshold in the units of the value that it is compared with."""
        return self.threshold * MINUTE_MS if self.kind is AlertKind.CLOSE else self.threshold

    @property
    def is_active(self) -> bool:
        """Whether it may still ring without being armed again."""
        return self.state is not AlertState.FIRED

    def has_same_condition(self, other: "Alert") -> bool:
        """Return whether both watch for the same thing."""
        mine = (self.kind, self.ticker, self.at_least, self.threshold)
        return mine == (other.kind, other.ticker, other.at_least, other.threshold)


class TopOfBook(NamedTuple):
    """The top of a market that can be believed: prices and sizes, 0 and a dollar where nobody bids or offers."""

    bid: Price
    ask: Price
    bid_size: Count
    ask_size: Count

    def value(self, kind: AlertKind) -> int | None:
        """Return the value that an alert of this kind watches; None if it is not one of the top of the book."""
        if kind is AlertKind.BID:
            return self.bid
        if kind is AlertKind.ASK:
            return self.ask
        if kind is AlertKind.SPREAD:
            return self.ask - self.bid
        if kind is AlertKind.SIZE:
            return max(self.bid_size, self.ask_size)
        if kind is AlertKind.BID_SIZE:
            return self.bid_size
        return self.ask_size if kind is AlertKind.ASK_SIZE else None


def top_of_book(book: Book) -> TopOfBook | None:
    """Return the top of a book; None while it is crossed: the exchange has then sent only a part of a change."""
    if book.crossed:
        return None
    bid, ask = book.best_bid(), book.best_ask()
    return TopOfBook(
        bid.price if bid else 0, ask.price if ask else PRICE_UNIT, bid.size if bid else 0, ask.size if ask else 0
    )


def top_of_quote(quote: Quote) -> TopOfBook | None:
    """Return the top of a market from its ticker; None while that is crossed."""
    bid = 0 if quote.yes_bid is None else quote.yes_bid
    ask = PRICE_UNIT if quote.yes_ask is None else quote.yes_ask
    return TopOfBook(bid, ask, quote.yes_bid_size, quote.yes_ask_size) if bid < ask else None


# When it rings.


def is_condition_met(alert: Alert, value: int | None) -> bool | None:
    """Return whether the condition is true of a value; None where the value is not known."""
    if value is None:
        return None
    return value >= alert.limit if alert.at_least else value <= alert.limit


def evaluate_value(alert: Alert, value: int | None) -> tuple[AlertState, bool]:
    """Return the state after a value, and whether it rings now. A value that is not known changes nothing.

    It rings when the condition is true and it is armed; it is armed again only by a value that does not meet it.
    """
    true = is_condition_met(alert, value)
    if true and alert.state is AlertState.ARMED:
        return (AlertState.FIRED if alert.once else AlertState.WAITING), True
    if true is False and alert.state is AlertState.WAITING:
        return AlertState.ARMED, False
    return alert.state, False


def evaluate_event(alert: Alert) -> tuple[AlertState, bool]:
    """Return the state after something happened that one of the `EVENT_KINDS` watches for, and whether it rings."""
    if not alert.is_active:
        return alert.state, False
    return (AlertState.FIRED if alert.once else AlertState.ARMED), True


# How it is written.

_COMPARISONS: Final = {">=": True, "=>": True, ">": True, "<=": False, "=<": False, "<": False}
_TOKEN: Final = re.compile(r"[<>=]+|[^\s<>=]+")
_DURATION: Final = re.compile(r"(?:(\d{1,4})d)?(?:(\d{1,5})h)?(?:(\d{1,6})m?)?", re.ASCII)
_REPEAT_WORDS: Final = {"once": True, "every": False}


def parse_alert(text: str, ticker: str) -> Alert:
    """Read an alert as the trader writes it: ``bid >= 0.55``, ``close < 10m``, ``fill``, each with once or every.

    Without these words trades, fills and rejections ring every time, all else once. Raises AlertError with a sentence.
    """
    words = _TOKEN.findall(text.lower())
    if not words:
        raise AlertError(EMPTY_ALERT_SENTENCE)
    kind, words = _parse_kind(words)
    once = kind not in EVENT_KINDS
    if words and words[-1] in _REPEAT_WORDS:
        once = _REPEAT_WORDS[words.pop()]
    if kind in ACCOUNT_KINDS:
        if words:
            raise AlertError(f"After {kind.value} only once or every may stand: it rings in all markets.")
        return Alert(kind, once=once)
    wanted = "<" if kind is AlertKind.CLOSE else ">=" if kind is AlertKind.TRADE else ">= or <="
    if not words or words[0] not in _COMPARISONS:
        raise AlertError(f"Write {wanted} after {kind.value}.")
    at_least = _COMPARISONS[words[0]]
    if at_least is (kind is AlertKind.CLOSE) and kind in {AlertKind.CLOSE, AlertKind.TRADE}:
        raise AlertError(f"Write {wanted} after {kind.value}: nothing else makes sense of it.")
    if len(words) < 2:
        raise AlertError(f"Write {_describe_expected_value(kind)} after {kind.value} {words[0]}.")
    if len(words) > 2:
        raise AlertError(f"After {words[1]} only once or every may stand.")
    threshold = _parse_threshold(kind, words[1])
    if threshold == (0 if at_least else PRICE_UNIT if kind in PRICE_KINDS else -1):
        raise AlertError("That would always be true.")
    return Alert(kind, ticker, at_least, threshold, once)


def _parse_kind(words: list[str]) -> tuple[AlertKind, list[str]]:
    for taken in (2, 1):
        name = " ".join(words[:taken])
        for kind in AlertKind:
            if kind.value == name:
                return kind, words[taken:]
    raise AlertError(UNKNOWN_KIND_SENTENCE)


def _describe_expected_value(kind: AlertKind) -> str:
    if kind is AlertKind.CLOSE:
        return "a time such as 10m or 2h"
    return "a price in dollars" if kind in PRICE_KINDS else "a count of contracts"


def _parse_threshold(kind: AlertKind, text: str) -> int:
    if kind is AlertKind.CLOSE:
        found = _DURATION.fullmatch(text)
        if found is None:
            raise AlertError(f"{text[:20]!r} is no time: write minutes, hours or days, such as 10m, 2h or 1d.")
        days, hours, minutes = (int(part or 0) for part in found.groups())
        total = days * 1440 + hours * 60 + minutes
        if not 0 < total <= MAX_CLOSE_MINUTES:
            raise AlertError("The time must be a minute or more, and a year at the most.")
        return total
    try:
        return parse_price(text) if kind in PRICE_KINDS else parse_count(text)
    except NumberError as error:
        raise AlertError(str(error)) from error


def format_minutes(minutes: int) -> str:
    """Write a time as the trader does: ``10m``, ``2h``, ``1h30m``, ``1d``."""
    days, rest = divmod(minutes, 1440)
    hours, left = divmod(rest, 60)
    return "".join(f"{part}{letter}" for part, letter in ((days, "d"), (hours, "h"), (left, "m")) if part) or "0m"


def format_alert(alert: Alert) -> str:
    """Write an alert so that `parse_alert` reads it again, with once or every where it matters; without the market."""
    text = alert.kind.value
    if alert.kind not in ACCOUNT_KINDS:
        if alert.kind is AlertKind.CLOSE:
            number = format_minutes(alert.threshold)
        elif alert.kind in PRICE_KINDS:
            number = format_price(alert.threshold).removesuffix("00")
        else:
            number = format_count(alert.threshold).removesuffix(".00")
        compared = "<" if alert.kind is AlertKind.CLOSE else ">=" if alert.at_least else "<="
        text += f" {compared} {number}"
    if alert.once is (alert.kind in EVENT_KINDS):
        text += " once" if alert.once else " every"
    return text


def mark_fired(alert: Alert, state: AlertState, now_ms: int) -> Alert:
    """Note that an alert rang, in this machine's Unix milliseconds."""
    return replace(alert, state=state, fired_ms=now_ms, times=alert.times + 1)


def rearm(alert: Alert) -> Alert:
    """Arm an alert again; when it rang last stays known."""
    return replace(alert, state=AlertState.ARMED)
