"""The list of alerts as lines: state, condition, how things stand, how far they are from it, when it rang. Pure."""

from typing import Final

from kalshi_tui.domain.alerts import (
    EVENT_KINDS,
    SIZE_KINDS,
    Alert,
    AlertKind,
    AlertState,
    is_condition_met,
)
from kalshi_tui.domain.text import plain_price_text
from kalshi_tui.presentation.lines import (
    Line,
    Span,
    Tone,
    cell_count,
    fit,
    line,
)
from kalshi_tui.presentation.names import short_label
from kalshi_tui.presentation.number_text import (
    NO_VALUE,
    clock_text,
    count_text,
    date_time_text,
    short_count_text,
)
from kalshi_tui.session.alerts.monitor import current_value, why_silent
from kalshi_tui.session.alerts.text import condition_text, time_left_text
from kalshi_tui.session.store import Store
from kalshi_tui.ui.lists.views import EXTRA_COLUMNS_MIN_WIDTH

STATE_WIDTH: Final = 8
RINGS_WIDTH: Final = 6
CONDITION_WIDTH: Final = 26
ALERT_VALUE_WIDTH: Final = 9
MIN_NAME_WIDTH: Final = 8
ANY_MARKET_TEXT: Final = "any market"
SILENT: Final = "silent"
"""The state of one that waits for what this desk does not read."""
ALERT_STATE_TONES: Final = {AlertState.ARMED: Tone.GOOD, AlertState.WAITING: Tone.DIM, AlertState.FIRED: Tone.WARN}


def alert_column_heading(width: int) -> str:
    """Name the columns of `alert_line`."""
    rang = f"{'rang':>14}" if width >= EXTRA_COLUMNS_MIN_WIDTH else f"{'rang':>10}"
    figures = f"{'now':>{ALERT_VALUE_WIDTH}}{'away':>{ALERT_VALUE_WIDTH}}"
    return f"{'state':<{STATE_WIDTH}}{'rings':<{RINGS_WIDTH}}{'condition':<{CONDITION_WIDTH}}{figures}{rang}  market"


def alert_line(store: Store, alert: Alert, width: int) -> Line:
    """Draw one alert."""
    value = current_value(store, alert)
    now = NO_VALUE if value is None else _value_text(alert, value)
    away, tone = _distance(alert, value)
    roomy = width >= EXTRA_COLUMNS_MIN_WIDTH
    rang = (date_time_text(alert.fired_ms) if roomy else clock_text(alert.fired_ms)) if alert.fired_ms else NO_VALUE
    state, state_tone = alert.state.value, ALERT_STATE_TONES[alert.state]
    if _is_silent(store, alert):
        state, state_tone = SILENT, Tone.WARN
    drawn = line(
        Span(f"{state:<{STATE_WIDTH}}", state_tone),
        Span(f"{'once' if alert.once else 'every':<{RINGS_WIDTH}}", Tone.DIM),
        fit(condition_text(alert), CONDITION_WIDTH),
        f"{'' if alert.kind in EVENT_KINDS else now:>{ALERT_VALUE_WIDTH}}",
        Span(f"{'' if alert.kind in EVENT_KINDS else away:>{ALERT_VALUE_WIDTH}}", tone),
        Span(f"{rang:>14}" if roomy else f"{rang:>10}", Tone.WARN if alert.fired_ms else Tone.DIM),
    )
    market = store.markets.get(alert.ticker)
    room = max(width - cell_count(drawn) - 2, MIN_NAME_WIDTH)
    name = short_label(market, room) if market else fit(alert.ticker or ANY_MARKET_TEXT, room).rstrip()
    return (*drawn, *line(Span(f"  {name}", Tone.DIM)))


def silent_alerts_text(store: Store) -> str:
    """Return in a sentence why some of the alerts that wait cannot ring; empty if all can."""
    why = next((why_silent(store, each) for each in store.alerts if _is_silent(store, each)), "")
    return f"Silent ones cannot ring. {why}" if why else ""


def _is_silent(store: Store, alert: Alert) -> bool:
    return alert.is_active and bool(why_silent(store, alert))


def _value_text(alert: Alert, value: int) -> str:
    if alert.kind is AlertKind.CLOSE:
        return time_left_text(value)
    if alert.kind in SIZE_KINDS:
        text = count_text(value)
        return text if len(text) < ALERT_VALUE_WIDTH else short_count_text(value)
    return plain_price_text(value)


def _distance(alert: Alert, value: int | None) -> tuple[str, Tone]:
    """Return how far the value is from where it rings; that it is there, in a word."""
    if value is None:
        return NO_VALUE, Tone.DIM
    if is_condition_met(alert, value):
        return "there", Tone.WARN
    return _value_text(alert, abs(value - alert.limit)), Tone.PLAIN
