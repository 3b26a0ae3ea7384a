"""Alerts outside the screen: the terminal's bell, and a desktop notification."""

from collections.abc import Callable
from typing import Final

from kalshi_tui.presentation.lines import make_printable
from kalshi_tui.session.alerts.monitor import AlertMonitor
from kalshi_tui.ui.ui_settings import UiSettings

MIN_NOTIFICATION_INTERVAL_MS: Final = 1_000
"""There is one bell in this time at the most; what rings meanwhile shares the next."""
MAX_NOTIFICATION_LENGTH: Final = 200
"""Characters of a notification."""
TERMINALS_WITHOUT_NOTIFICATIONS: Final = frozenset({"linux", "dumb", ""})
"""Names of terminals that would print a notification instead of showing it."""


class AlertNotifier:
    """Checks once a frame whether an alert rang. ``timer_ms`` must not jump; ``write`` writes to the terminal."""

    def __init__(
        self,
        alerts: AlertMonitor,
        ui_settings: UiSettings,
        bell: Callable[[], None],
        write: Callable[[str], None],
        timer_ms: Callable[[], int],
        terminal: str,
    ) -> None:
        self._alerts = alerts
        self._ui_settings = ui_settings
        self._bell = bell
        self._write = write
        self._timer_ms = timer_ms
        self._notifies_desktop = ui_settings.notify and terminal not in TERMINALS_WITHOUT_NOTIFICATIONS
        self._notified_count = alerts.ring_count
        self._notified_ms = timer_ms() - MIN_NOTIFICATION_INTERVAL_MS

    def frame(self) -> None:
        """Ring for what has rung since the last bell."""
        new, now = self._alerts.ring_count - self._notified_count, self._timer_ms()
        if not new or now - self._notified_ms < MIN_NOTIFICATION_INTERVAL_MS:
            return
        self._notified_count, self._notified_ms = self._alerts.ring_count, now
        if self._ui_settings.bell:
            self._bell()
        if self._notifies_desktop:
            self._write(notification_sequence(self._alerts.newest_sentence, new - 1))


def notification_sequence(sentence: str, others: int) -> str:
    """Return the escape sequence of a desktop notification (OSC 9). No text can end it early or begin another."""
    more = f" And {others} more." if others else ""
    # One that begins with a digit could be another command of the same number.
    return f"\x1b]9;kalshi-tui: {make_printable(sentence)[:MAX_NOTIFICATION_LENGTH]}{more}\x07"
