"""The list of alerts as lines: state, condition, how things stand, how far they are from it, when it rang. Pure."""

from typing import Final

from kalshi_tui.domain.alerts import (
    EVENTS,
    SIZES,
    Alert,
    AlertState,
    Kind,
    holds,
)
from kalshi_tui.domain.text import price_words
from kalshi_tui.presentation.lines import (
    Line,
    Span,
    Tone,
    fit,
    length,
    line,
)
from kalshi_tui.presentation.numbers import (
    NOTHING,
    clock_text,
    count_text,
    date_text,
    short_count,
)
from kalshi_tui.session.alerts.monitor import value_of
from kalshi_tui.session.alerts.text import condition_words, time_words
from kalshi_tui.session.store import Store
from kalshi_tui.ui.lists.views import ROOMY
from kalshi_tui.ui.market_list.view import short_label

STATE: Final = 8
RINGS: Final = 6
CONDITION: Final = 26
FIGURE: Final = 9
LEAST_NAME: Final = 8
ANYWHERE: Final = "any market"
STATE_TONES: Final = {AlertState.ARMED: Tone.GOOD, AlertState.WAITING: Tone.DIM, AlertState.FIRED: Tone.WARN}


def alert_columns(width: int) -> str:
    """Name the columns of `alert_line`."""
    rang = f"{'rang':>14}" if width >= ROOMY else f"{'rang':>10}"
    figures = f"{'now':>{FIGURE}}{'away':>{FIGURE}}"
    return f"{'state':<{STATE}}{'rings':<{RINGS}}{'condition':<{CONDITION}}{figures}{rang}  market"


def alert_line(store: Store, alert: Alert, width: int) -> Line:
    """Draw one alert."""
    value = value_of(store, alert)
    now = NOTHING if value is None else _figure(alert, value)
    away, tone = _away(alert, value)
    roomy = width >= ROOMY
    rang = (date_text(alert.fired_ms) if roomy else clock_text(alert.fired_ms)) if alert.fired_ms else NOTHING
    drawn = line(
        Span(f"{alert.state.value:<{STATE}}", STATE_TONES[alert.state]),
        Span(f"{'once' if alert.once else 'every':<{RINGS}}", Tone.DIM),
        fit(condition_words(alert), CONDITION),
        f"{'' if alert.kind in EVENTS else now:>{FIGURE}}",
        Span(f"{'' if alert.kind in EVENTS else away:>{FIGURE}}", tone),
        Span(f"{rang:>14}" if roomy else f"{rang:>10}", Tone.WARN if alert.fired_ms else Tone.DIM),
    )
    market = store.markets.get(alert.ticker)
    room = max(width - length(drawn) - 2, LEAST_NAME)
    name = short_label(market, room) if market else fit(alert.ticker or ANYWHERE, room).rstrip()
    return (*drawn, *line(Span(f"  {name}", Tone.DIM)))


def _figure(alert: Alert, value: int) -> str:
    if alert.kind is Kind.CLOSE:
        return time_words(value)
    if alert.kind in SIZES:
        text = count_text(value)
        return text if len(text) < FIGURE else short_count(value)
    return price_words(value)


def _away(alert: Alert, value: int | None) -> tuple[str, Tone]:
    """Say how far the value is from where it rings; that it is there, in a word."""
    if value is None:
        return NOTHING, Tone.DIM
    if holds(alert, value):
        return "there", Tone.WARN
    return _figure(alert, abs(value - alert.limit)), Tone.PLAIN
