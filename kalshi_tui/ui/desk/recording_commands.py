"""The commands on recordings: making one, and moving about in one that plays; they belong to the desk."""

from typing import Final

from kalshi_tui.ui.command import Command, desk_command
from kalshi_tui.ui.desk.recording_controller import RecordingController

SEEK_STEP_MS: Final = 10_000
"""How far the keys go back and forth."""

RECORDING_COMMANDS: Final[tuple[Command[RecordingController], ...]] = (
    desk_command(
        "record",
        RecordingController.toggle_recording,
        "Record",
        "Record the stream into a file, or end that; the log says where the file is.",
    ),
    desk_command(
        "replay-pause",
        RecordingController.toggle_pause,
        "Pause",
        "In a replay: stand still, or go on.",
        in_bar=True,
        why_not=RecordingController.not_replaying,
    ),
    desk_command(
        "replay-step",
        RecordingController.step,
        "Step",
        "In a replay: pause, and take one frame.",
        in_bar=True,
        why_not=RecordingController.not_replaying,
    ),
    desk_command(
        "replay-back",
        lambda recordings: recordings.seek_by(-SEEK_STEP_MS),
        "Back",
        "In a replay: go 10 seconds back. Your resting orders are canceled.",
        in_bar=True,
        why_not=RecordingController.not_replaying,
    ),
    desk_command(
        "replay-forth",
        lambda recordings: recordings.seek_by(SEEK_STEP_MS),
        "Forth",
        "In a replay: go 10 seconds forth. Your resting orders are canceled.",
        in_bar=True,
        why_not=RecordingController.not_replaying,
    ),
    desk_command(
        "replay-slower",
        lambda recordings: recordings.change_speed(-1),
        "Slower",
        "In a replay: play slower.",
        why_not=RecordingController.not_replaying,
    ),
    desk_command(
        "replay-faster",
        lambda recordings: recordings.change_speed(1),
        "Faster",
        "In a replay: play faster.",
        why_not=RecordingController.not_replaying,
    ),
    desk_command(
        "replay-go",
        RecordingController.ask_time,
        "Go to time",
        "In a replay: go to a time that you type. Your resting orders are canceled.",
        why_not=RecordingController.not_replaying,
    ),
)
