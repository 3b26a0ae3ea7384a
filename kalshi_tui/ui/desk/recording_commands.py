"""The commands on recordings: making one, and moving about in one that plays; they belong to the desk."""

from typing import Final

from kalshi_tui.ui.availability import not_replaying
from kalshi_tui.ui.command import Command

SEEK_STEP_MS: Final = 10_000
"""How far the keys go back and forth."""

RECORDING_COMMANDS: Final = (
    Command(
        "record", "R", "record", "Record", "Record the stream into a file, or end that; the log says where the file is."
    ),
    Command(
        "replay-pause",
        "P",
        "replay_pause",
        "Pause",
        "In a replay: stand still, or go on.",
        in_bar=True,
        why_not=not_replaying,
    ),
    Command(
        "replay-step", "n", "replay_step", "Step", "In a replay: pause, and take one frame.", in_bar=True,
        why_not=not_replaying,
    ),
    Command(
        "replay-back",
        "left_square_bracket",
        "replay_move",
        "Back",
        "In a replay: go 10 seconds back. Your resting orders are canceled.",
        argument=-SEEK_STEP_MS,
        in_bar=True,
        why_not=not_replaying,
    ),
    Command(
        "replay-forth",
        "right_square_bracket",
        "replay_move",
        "Forth",
        "In a replay: go 10 seconds forth. Your resting orders are canceled.",
        argument=SEEK_STEP_MS,
        in_bar=True,
        why_not=not_replaying,
    ),
    Command(
        "replay-slower", "minus", "replay_speed", "Slower", "In a replay: play slower.", argument=-1,
        why_not=not_replaying
    ),
    Command(
        "replay-faster", "plus", "replay_speed", "Faster", "In a replay: play faster.", argument=1,
        why_not=not_replaying
    ),
    Command(
        "replay-go",
        "at",
        "replay_go",
        "Go to time",
        "In a replay: go to a time that you type. Your resting orders are canceled.",
        why_not=not_replaying,
    ),
)  # fmt: skip
