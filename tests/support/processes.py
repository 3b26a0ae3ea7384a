"""Whether another process is there."""

import contextlib
import os
import time
from pathlib import Path


def alive(pid: int) -> bool:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, 0)
        # A zombie that its new parent has not yet collected is dead too.
        return b") Z " not in Path(f"/proc/{pid}/stat").read_bytes() if Path("/proc").is_dir() else True
    return False


def wait_gone(pid: int) -> bool:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        try:
            if not alive(pid):
                return True
        except FileNotFoundError:
            return True
        time.sleep(0.02)
    return False


def run_delay_s(pid: int) -> float:
    """Return how long a process was ready to run and got no core, 0 where this machine does not say so.

    What is promised in seconds is promised for a machine that is not busy with other things.
    """
    try:
        return int(Path(f"/proc/{pid}/schedstat").read_text().split()[1]) / 1e9
    except (OSError, IndexError):
        return 0.0
