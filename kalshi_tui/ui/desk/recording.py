"""What the desk does with recordings: it makes one, and moves about in one that plays."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from kalshi_tui.session.interface import TradingSession
from kalshi_tui.session.notices import Weight
from kalshi_tui.session.replay import next_speed, parse_speed
from kalshi_tui.ui.dialogs.naming import TextPromptScreen
from kalshi_tui.ui.lists.desk_lists import ListDesk
from kalshi_tui.ui.ui_settings import UiSettings

MAX_TIME_LENGTH: Final = 30
SPEED_REPORT_TIMEOUT_MS: Final = 1_000
"""Within so long what was asked for has been told back."""
SEEK_PROMPT: Final = (
    "Where to? 12:34:56 (UTC, of the recording's day), 90s, 5m or 1h from its beginning, -30s before its end, or 40%."
)


class RecordingDesk(ListDesk):
    """Carries out the commands on recordings."""

    def __init__(
        self, desk: TradingSession, clock_ms: Callable[[], int], timer_ms: Callable[[], int], ui_settings: UiSettings
    ) -> None:
        super().__init__(desk, clock_ms, timer_ms, ui_settings)
        self._recording_folder = ui_settings.export_folder
        self._requested_speed: tuple[str | None, int] = None, 0
        """The speed that was asked for last, and when."""

    def do_record(self) -> None:
        """Begin a recording in the folder that tables go to, or end the one that goes on."""
        if self._recording_folder is None:
            self._store.notify(Weight.ERROR, "Nothing is recorded: no folder for it was named.")
            return
        self.desk.toggle_recording(self._recording_path(self._recording_folder))

    def _recording_path(self, folder: Path) -> Path:
        stamp = datetime.fromtimestamp(self._clock_ms() // 1_000, UTC).strftime("%Y%m%dT%H%M%SZ")
        path, again = folder / f"kalshi-tui-{stamp}.rec.gz", 1
        while _path_exists(path):
            again += 1
            path = folder / f"kalshi-tui-{stamp}-{again}.rec.gz"
        return path

    def do_replay_pause(self) -> None:
        """Stand still, or go on."""
        replay = self.desk.replay
        self.desk.control_replay("replay_resume" if replay is not None and replay.paused else "replay_pause", {})

    def do_replay_step(self) -> None:
        """Take one frame."""
        self.desk.control_replay("replay_step", {"count": 1})

    def do_replay_move(self, by_ms: int) -> None:
        """Go back or forth."""
        self.desk.control_replay("replay_seek", {"ms": by_ms})

    def do_replay_speed(self, by: int) -> None:
        """Play faster or slower."""
        replay = self.desk.replay
        if replay is None:
            return
        now_ms = self._timer_ms()
        asked, asked_ms = self._requested_speed
        # Keys may come faster than the exchange tells its speed: then the next one goes on from what was asked for.
        recent = asked if now_ms - asked_ms < SPEED_REPORT_TIMEOUT_MS else None
        speed = next_speed(replay.speed if recent is None else parse_speed(recent), by)
        self._requested_speed = speed, now_ms
        self.desk.control_replay("replay_speed", {"speed": speed})

    def do_replay_go(self) -> None:
        """Ask for a time and go there."""

        def answered(text: str | None) -> None:
            if text:
                self.desk.control_replay("replay_seek", {"at": text})

        screen = TextPromptScreen(
            self.desk,
            "replay",
            SEEK_PROMPT,
            lambda text: "" if text.strip() else "Type a time.",
            max_length=MAX_TIME_LENGTH,
            label="Time: ",
        )
        self.app.push_screen(screen, answered)


def _path_exists(path: Path) -> bool:
    """Return whether a name is in use; one that cannot even be looked at fails, with its reason, where it is made."""
    try:
        path.lstat()
    except OSError:
        return False
    return True
