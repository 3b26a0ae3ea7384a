"""Sentences about alerts: for their list, the dialog, the log and desktop notifications."""

from typing import Final

from kalshi_tui.domain.alerts import (
    ACCOUNT_KINDS,
    MINUTE_MS,
    PRICE_KINDS,
    Alert,
    AlertKind,
    format_alert,
    format_minutes,
    is_condition_met,
)
from kalshi_tui.domain.text import market_name, plain_count_text, plain_price_text
from kalshi_tui.kalshi.translate import clean
from kalshi_tui.session.store import Store

MAX_SENTENCE_LENGTH: Final = 300
"""Characters; a sentence must not fill the log or a notification."""


def condition_text(alert: Alert) -> str:
    """Return when an alert rings: ``bid at 0.55 or above``."""
    kind, name = alert.kind, alert.kind.value
    if kind is AlertKind.FILL:
        return "fill of an order of yours"
    if kind is AlertKind.REFUSED:
        return "order of yours refused"
    if kind is AlertKind.CLOSE:
        return f"closes within {format_minutes(alert.threshold)}"
    if kind is AlertKind.TRADE:
        return f"trade of {plain_count_text(alert.threshold)} or more"
    if kind in PRICE_KINDS:
        return f"{name} at {plain_price_text(alert.threshold)} or {'above' if alert.at_least else 'below'}"
    return f"{name} {plain_count_text(alert.threshold)} or {'more' if alert.at_least else 'less'}"


def alert_value_text(alert: Alert, value: int) -> str:
    """Return a value of an alert as text: a price, a count, or the time until trading ends."""
    if alert.kind is AlertKind.CLOSE:
        return time_left_text(value)
    return plain_price_text(value) if alert.kind in PRICE_KINDS else plain_count_text(value)


def time_left_text(ms: int) -> str:
    """Return a time in at most eight cells: ``45 s``, ``9 min``, ``3 h 20``, ``12 d``."""
    if ms <= 0:
        return "closed"
    if ms < MINUTE_MS:
        return f"{ms // 1000} s"
    minutes = ms // MINUTE_MS
    if minutes < 60:
        return f"{minutes} min"
    return f"{minutes // 60} h {minutes % 60:02d}" if minutes < 48 * 60 else f"{minutes // 1440} d"


def listed_market_name(store: Store, ticker: str) -> str:
    """Return a market's name; its ticker where it is not listed."""
    return market_name(store.markets, ticker) or ticker


def alert_in_market_text(store: Store, alert: Alert) -> str:
    """Return which alert is meant: its condition as typed, and the market."""
    where = f" in {listed_market_name(store, alert.ticker)}" if alert.ticker else ""
    return clean(f"{format_alert(alert)}{where}", MAX_SENTENCE_LENGTH)


def alert_fired_text(alert: Alert, trigger: str, name: str) -> str:
    """Return the sentence of a ring: the trigger, the market, the condition. One line without control characters."""
    return clean(f"Alert: {trigger} in {name} ({format_alert(alert)}).", MAX_SENTENCE_LENGTH)


def trigger_text(alert: Alert, value: int) -> str:
    """Return what made an alert ring."""
    if alert.kind is AlertKind.CLOSE:
        return f"{time_left_text(value)} until trading ends" if value > 0 else "trading has ended"
    if alert.kind is AlertKind.BID and not value:
        return "nobody bids"
    return f"{alert.kind.value} {alert_value_text(alert, value)}"


def alert_explanation(alert: Alert, value: int | None) -> str:
    """Return a sentence on what an alert that is being typed will do, and on its value now."""
    rings = "Rings once" if alert.once else "Rings every time"
    when = f"{rings}, when" if alert.once else rings
    if alert.kind is AlertKind.TRADE:
        return f"{when} {plain_count_text(alert.threshold)} or more trade here at once."
    if alert.kind in ACCOUNT_KINDS:
        done = "filled" if alert.kind is AlertKind.FILL else "rejected by the exchange"
        return f"{when} an order of yours is {done}, in any market."
    if value is None:
        now = "How it stands now is not known."
    elif is_condition_met(alert, value):
        now = f"It is so now ({alert_value_text(alert, value)}): it rings at once."
    else:
        now = f"Now it is {alert_value_text(alert, value)}."
    return f"{rings}: {condition_text(alert)}. {now}"
