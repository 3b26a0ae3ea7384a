"""What a practice exchange that plays a recording says of it at ``/practice/replay``."""

import msgspec


class ReplayState(msgspec.Struct, frozen=True, kw_only=True):
    """How far a recording has played. Times are Unix ms of the exchange; ``speed`` 0 is as fast as it goes."""

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
    """How often it was moved to another moment."""
    note: str = ""
    """A sentence about the last such move, or about the file's end."""
