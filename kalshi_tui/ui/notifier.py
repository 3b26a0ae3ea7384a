"""What an alert does outside the screen: the terminal's bell, and a notification on the desktop."""

from collections.abc import Callable
from typing import Final

from kalshi_tui.presentation.lines import clean
from kalshi_tui.session.alerts.monitor import Alerts
from kalshi_tui.ui.ui_settings import Wishes

EVERY_MS: Final = 1_000
"""There is one bell in this time at the most; what rings meanwhile shares the next."""
LONGEST: Final = 200
"""Characters of a notification."""
SILENT_TERMINALS: Final = frozenset({"linux", "dumb", ""})
"""Names of terminals that would print a notification instead of showing it."""


class Ringer:
    """Looks once a frame whether an alert rang. ``timer_ms`` must not jump; ``write`` takes what the terminal reads."""

    def __init__(
        self,
        alerts: Alerts,
        wishes: Wishes,
        bell: Callable[[], None],
        write: Callable[[str], None],
        timer_ms: Callable[[], int],
        terminal: str,
    ) -> None:
        self._alerts = alerts
        self._wishes = wishes
        self._bell = bell
        self._write = write
        self._timer_ms = timer_ms
        self._notifies = wishes.notify and terminal not in SILENT_TERMINALS
        self._told = alerts.rung
        self._told_ms = timer_ms() - EVERY_MS

    def frame(self) -> None:
        """Ring for what has rung since the last bell."""
        new, now = self._alerts.rung - self._told, self._timer_ms()
        if not new or now - self._told_ms < EVERY_MS:
            return
        self._told, self._told_ms = self._alerts.rung, now
        if self._wishes.bell:
            self._bell()
        if self._notifies:
            self._write(notification(self._alerts.newest, new - 1))


def notification(sentence: str, others: int) -> str:
    """Give what makes a terminal notify the desktop (OSC 9). No character in it can end it early or begin another."""
    more = f" And {others} more." if others else ""
    # One that begins with a digit could be another command of the same number.
    return f"\x1b]9;kalshi-tui: {clean(sentence)[:LONGEST]}{more}\x07"
