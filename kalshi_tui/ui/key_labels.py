"""The keys in force, for sentences that name one: no sentence may name a key that the trader has changed."""

_labels_by_command: dict[str, str] = {}


def key_for(command_id: str) -> str:
    """Return the key of a command as a person reads it, or the command's name where it has none."""
    return _labels_by_command[command_id]


def set_key_labels(labels: dict[str, str]) -> None:
    """Put these in force, by command id."""
    _labels_by_command.clear()
    _labels_by_command.update(labels)
