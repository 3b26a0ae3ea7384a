"""Why a command on the selected alert does not work now, in a sentence; empty if it does."""

from typing import Final

from kalshi_tui.domain.alerts import AlertState
from kalshi_tui.ui.desk.selection import DeskSelection
from kalshi_tui.ui.key_labels import key_for

NO_REARM_REASONS: Final = {
    AlertState.ARMED: "This alert is armed.",
    AlertState.WAITING: "This alert is armed again by itself, once its condition is over.",
}


def cannot_delete_alert(selection: DeskSelection) -> str:
    """Return why there is no alert to delete."""
    if not selection.in_alerts:
        return (
            f"The key {key_for('delete-alert')} deletes an alert in their list: "
            f"{key_for('alerts')} shows it, and {key_for('pane')} goes there."
        )
    return "" if selection.alert is not None else _no_alert_selected()


def cannot_rearm_alert(selection: DeskSelection) -> str:
    """Return why there is no alert to arm again."""
    if not selection.in_alerts:
        return (
            f"The key {key_for('rearm')} arms an alert again in their list: "
            f"{key_for('alerts')} shows it, and {key_for('pane')} goes there."
        )
    alert = selection.alert
    if alert is None:
        return _no_alert_selected()
    if why := selection.why_alert_silent:
        return f"This alert cannot ring here. {why}"
    return NO_REARM_REASONS.get(alert.state, "")


def _no_alert_selected() -> str:
    return f"No alert stands in this line: {key_for('alert')} writes one."
