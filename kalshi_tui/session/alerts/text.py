"""Alerts in words: for the list, the line in which one is written, the log, the desktop's notification."""

from typing import Final

from kalshi_tui.domain.alerts import (
    MINUTE_MS,
    OF_ACCOUNT,
    PRICES,
    Alert,
    Kind,
    alert_text,
    holds,
    minutes_text,
)
from kalshi_tui.domain.text import count_words, market_name, price_words
from kalshi_tui.kalshi.translate import clean
from kalshi_tui.session.store import Store

LONGEST_SENTENCE: Final = 300
"""Characters; a sentence must not fill the log or a notification."""


def condition_words(alert: Alert) -> str:
    """Say when an alert rings: ``bid at 0.55 or above``."""
    kind, name = alert.kind, alert.kind.value
    if kind is Kind.FILL:
        return "fill of an order of yours"
    if kind is Kind.REFUSED:
        return "order of yours refused"
    if kind is Kind.CLOSE:
        return f"closes within {minutes_text(alert.threshold)}"
    if kind is Kind.TRADE:
        return f"trade of {count_words(alert.threshold)} or more"
    if kind in PRICES:
        return f"{name} at {price_words(alert.threshold)} or {'above' if alert.at_least else 'below'}"
    return f"{name} {count_words(alert.threshold)} or {'more' if alert.at_least else 'less'}"


def value_words(alert: Alert, value: int) -> str:
    """Write a value of the kind that an alert looks at: a price, a count, the time until trading ends."""
    if alert.kind is Kind.CLOSE:
        return time_words(value)
    return price_words(value) if alert.kind in PRICES else count_words(value)


def time_words(ms: int) -> str:
    """Write a time in at most eight cells: ``45 s``, ``9 min``, ``3 h 20``, ``12 d``."""
    if ms <= 0:
        return "closed"
    if ms < MINUTE_MS:
        return f"{ms // 1000} s"
    minutes = ms // MINUTE_MS
    if minutes < 60:
        return f"{minutes} min"
    return f"{minutes // 60} h {minutes % 60:02d}" if minutes < 48 * 60 else f"{minutes // 1440} d"


def name_of(store: Store, ticker: str) -> str:
    """Return a market's name; its ticker where it is not listed."""
    return market_name(store.markets, ticker) or ticker


def kept_words(store: Store, alert: Alert) -> str:
    """Say which alert is meant: what was written, and the market."""
    where = f" in {name_of(store, alert.ticker)}" if alert.ticker else ""
    return clean(f"{alert_text(alert)}{where}", LONGEST_SENTENCE)


def rung_words(alert: Alert, what: str, name: str) -> str:
    """Say that an alert rang: what was seen, where, and what was written. No control characters, one line."""
    return clean(f"Alert: {what} in {name} ({alert_text(alert)}).", LONGEST_SENTENCE)


def seen_words(alert: Alert, value: int) -> str:
    """Say what was seen at the moment an alert rang."""
    if alert.kind is Kind.CLOSE:
        return f"{time_words(value)} until trading ends" if value > 0 else "trading has ended"
    if alert.kind is Kind.BID and not value:
        return "nobody bids"
    return f"{alert.kind.value} {value_words(alert, value)}"


def meaning(alert: Alert, value: int | None) -> str:
    """Say in a sentence what an alert that is being written will do, and how things stand now."""
    rings = "Rings once" if alert.once else "Rings every time"
    when = f"{rings}, when" if alert.once else rings
    if alert.kind is Kind.TRADE:
        return f"{when} {count_words(alert.threshold)} or more trade here at once."
    if alert.kind in OF_ACCOUNT:
        done = "filled" if alert.kind is Kind.FILL else "refused by the exchange"
        return f"{when} an order of yours is {done}, in any market."
    if value is None:
        now = "How it stands now is not known."
    elif holds(alert, value):
        now = f"It is so now ({value_words(alert, value)}): it rings at once."
    else:
        now = f"Now it is {value_words(alert, value)}."
    return f"{rings}: {condition_words(alert)}. {now}"
