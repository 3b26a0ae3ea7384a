"""The faults that are rehearsed on the next requests."""

from dataclasses import dataclass


@dataclass(slots=True)
class Faults:
    """What goes wrong with the next answers, and how many times more."""

    delay_ms: int = 0
    delays_left: int = 0
    failure_status: int = 500
    failures_left: int = 0
    fail_after_processing: bool = False
    fail_method: str = ""
    """Which requests fail: those of this method, or all if empty."""
    fail_path: str = ""
    """Of these, the ones below this path, or all if empty."""
    rate_limits_left: int = 0
    clock_skew_ms: int = 0
    """The server's clock minus this machine's, for signatures and ``Date`` headers."""
