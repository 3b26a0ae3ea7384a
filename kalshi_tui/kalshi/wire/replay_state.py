"""What only a practice exchange says: the state of a recording that it plays, at ``/practice/replay``."""

from msgspec import Struct


class ReplayState(Struct, frozen=True, kw_only=True):
    """How far a recording has played. Times are Unix milliseconds of the exchange; ``speed`` 0 is without pauses."""

    file: str
    at_ms: int
    begin_ms: int
    end_ms: int
    speed: float
    paused: bool
    seeking: bool
    ended: bool
    records: int
    seeks: int = 0
    """How many times it was moved to another moment."""
    note: str = ""
    """A sentence about the last such move, or about the file's end."""
