"""The faults that are rehearsed on the next requests."""

from dataclasses import dataclass

import msgspec

from kalshi_tui.kalshi import wire


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


@dataclass(slots=True)
class OrderFrameFault:
    """Words that stand in the next frames about orders in place of the true ones, and in how many frames more."""

    left: int = 0
    status: str = ""
    """The status; the true one if empty."""
    reason: str = ""
    """The reason of the last change; the true one if empty."""

    def apply(self, msg: wire.UserOrderMsg) -> wire.UserOrderMsg:
        """Return a frame's content as it is to be sent."""
        if self.left <= 0:
            return msg
        self.left -= 1
        return msgspec.structs.replace(
            msg, status=self.status or msg.status, last_update_reason=self.reason or msg.last_update_reason
        )
