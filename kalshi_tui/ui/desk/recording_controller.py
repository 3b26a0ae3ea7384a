"""What the desk does with recordings: make one, and move about in one that plays."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from kalshi_tui.session.interface import TradingSession
from kalshi_tui.session.notices import Severity
from kalshi_tui.session.replay import next_speed, parse_speed
from kalshi_tui.ui.desk.desk_view import DeskView
from kalshi_tui.ui.dialogs.naming import TextPromptScreen

MAX_TIME_LENGTH: Final = 30
SPEED_REPORT_TIMEOUT_MS: Final = 1_000
"""How long at most until the exchange reports the speed that was asked for."""
SEEK_PROMPT: Final = (
    "Where to? 12:34:56 (UTC, of the recording's day), 90s, 5m or 1h from its beginning, -30s before its end, or 40%."
)


class RecordingController:
    """Carries out the commands on recordings."""

    def __init__(
        self,
        session: TradingSession,
        view: DeskView,
        folder: Path | None,
        clock_ms: Callable[[], int],
        timer_ms: Callable[[], int],
    ) -> None:
        """Record into ``folder``; without one nothing can be recorded."""
        self._session = session
        self._view = view
        self._folder = folder
        self._clock_ms = clock_ms
        self._timer_ms = timer_ms
        self._requested_speed: tuple[str | None, int] = None, 0
        """The speed that was asked for last, and when."""

    def toggle_recording(self) -> None:
        """Begin a recording in the folder that tables go to, or end the one under way."""
        if self._folder is None:
            self._session.store.notify(Severity.ERROR, "Nothing is recorded: no folder for it was named.")
            return
        self._session.toggle_recording(self._recording_path(self._folder))

    def _recording_path(self, folder: Path) -> Path:
        stamp = datetime.fromtimestamp(self._clock_ms() // 1_000, UTC).strftime("%Y%m%dT%H%M%SZ")
        path, again = folder / f"kalshi-tui-{stamp}.rec.gz", 1
        while _path_exists(path):
            again += 1
            path = folder / f"kalshi-tui-{stamp}-{again}.rec.gz"
        return path

    def toggle_pause(self) -> None:
        """Pause the replay, or go on."""
        replay = self._session.replay
        self._session.control_replay("replay_resume" if replay is not None and replay.paused else "replay_pause", {})

    def step(self) -> None:
        """Take one frame."""
        self._session.control_replay("replay_step", {"count": 1})

    def seek_by(self, by_ms: int) -> None:
        """Go forth by so many milliseconds, or back for a count below 0."""
        self._session.control_replay("replay_seek", {"ms": by_ms})

    def change_speed(self, by: int) -> None:
        """Play faster or slower."""
        replay = self._session.replay
        if replay is None:
            return
        now_ms = self._timer_ms()
        asked, asked_ms = self._requested_speed
        # Keys may come faster than the exchange reports its speed: then the next one goes on from what was asked for.
        recent = asked if now_ms - asked_ms < SPEED_REPORT_TIMEOUT_MS else None
        speed = next_speed(replay.speed if recent is None else parse_speed(recent), by)
        self._requested_speed = speed, now_ms
        self._session.control_replay("replay_speed", {"speed": speed})

    def ask_time(self) -> None:
        """Ask for a time and go there."""

        def answered(text: str | None) -> None:
            if text:
                self._session.control_replay("replay_seek", {"at": text})

        screen = TextPromptScreen(
            self._session,
            "replay",
            SEEK_PROMPT,
            lambda text: "" if text.strip() else "Type a time.",
            max_length=MAX_TIME_LENGTH,
            label="Time: ",
        )
        self._view.app.push_screen(screen, answered)

    def not_replaying(self) -> str:
        """Return that no recording plays."""
        if self._session.replay is not None:
            return ""
        return "No recording plays here: kalshi-tui replay FILE plays one."


def _path_exists(path: Path) -> bool:
    """Return whether a name is in use; one that cannot even be looked at fails, with its reason, where it is made."""
    try:
        path.lstat()
    except OSError:
        return False
    return True
