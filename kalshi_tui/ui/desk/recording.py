"""What the desk does with recordings: it makes one, and moves about in one that plays."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from kalshi_tui.session.interface import Desk
from kalshi_tui.session.notices import Weight
from kalshi_tui.session.replay import next_speed, speed_of
from kalshi_tui.ui.dialogs.naming import NamingScreen
from kalshi_tui.ui.lists.desk_lists import ListDesk
from kalshi_tui.ui.ui_settings import Wishes

LONGEST_TIME: Final = 30
SPEED_HEARD_MS: Final = 1_000
"""Within so long what was asked for has been told back."""
SENTENCE: Final = (
    "Where to? 12:34:56 (UTC, of the recording's day), 90s, 5m or 1h from its beginning, -30s before its end, or 40%."
)


class RecordingDesk(ListDesk):
    """Carries out the commands on recordings."""

    def __init__(self, desk: Desk, clock_ms: Callable[[], int], timer_ms: Callable[[], int], wishes: Wishes) -> None:
        super().__init__(desk, clock_ms, timer_ms, wishes)
        self._recordings = wishes.export_folder
        self._speed_asked: tuple[str | None, int] = None, 0
        """The speed that was asked for last, and when."""

    def do_record(self) -> None:
        """Begin a recording in the folder that tables go to, or end the one that goes on."""
        if self._recordings is None:
            self._store.notify(Weight.ERROR, "Nothing is recorded: no folder for it was named.")
            return
        self.desk.record(self._recording_path(self._recordings))

    def _recording_path(self, folder: Path) -> Path:
        stamp = datetime.fromtimestamp(self._clock_ms() // 1_000, UTC).strftime("%Y%m%dT%H%M%SZ")
        path, again = folder / f"kalshi-tui-{stamp}.rec.gz", 1
        while _taken(path):
            again += 1
            path = folder / f"kalshi-tui-{stamp}-{again}.rec.gz"
        return path

    def do_replay_pause(self) -> None:
        """Stand still, or go on."""
        replay = self.desk.replay
        self.desk.play("replay_resume" if replay is not None and replay.paused else "replay_pause", {})

    def do_replay_step(self) -> None:
        """Take one frame."""
        self.desk.play("replay_step", {"count": 1})

    def do_replay_move(self, by_ms: int) -> None:
        """Go back or forth."""
        self.desk.play("replay_seek", {"ms": by_ms})

    def do_replay_speed(self, by: int) -> None:
        """Play faster or slower."""
        replay = self.desk.replay
        if replay is None:
            return
        now_ms = self._timer_ms()
        asked, asked_ms = self._speed_asked
        # Keys may come faster than the exchange tells its speed: then the next one goes on from what was asked for.
        recent = asked if now_ms - asked_ms < SPEED_HEARD_MS else None
        speed = next_speed(replay.speed if recent is None else speed_of(recent), by)
        self._speed_asked = speed, now_ms
        self.desk.play("replay_speed", {"speed": speed})

    def do_replay_go(self) -> None:
        """Ask for a time and go there."""

        def answered(text: str | None) -> None:
            if text:
                self.desk.play("replay_seek", {"at": text})

        screen = NamingScreen(
            self.desk,
            "replay",
            SENTENCE,
            lambda text: "" if text.strip() else "Type a time.",
            longest=LONGEST_TIME,
            label="Time: ",
        )
        self.app.push_screen(screen, answered)


def _taken(path: Path) -> bool:
    """Say whether a name is in use; one that cannot even be looked at fails, with its reason, where it is made."""
    try:
        path.lstat()
    except OSError:
        return False
    return True
