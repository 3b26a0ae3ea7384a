"""The keys that are in force, for sentences that name one: none may name a key that has been changed."""

_shown: dict[str, str] = {}


def key(command_id: str) -> str:
    """Give the key of a command as a person reads it, or the command's name where it has none."""
    return _shown[command_id]


def show_keys(shown: dict[str, str]) -> None:
    """Put these in force, by command id."""
    _shown.clear()
    _shown.update(shown)
