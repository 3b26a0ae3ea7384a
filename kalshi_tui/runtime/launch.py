"""Start the practice exchange as a process of its own, and stop it again.

The child reads its standard input only to notice its end: when this process is gone, even killed, the pipe closes and
the exchange ends by itself.
"""

import contextlib
import json
import os
import selectors
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final

from kalshi_tui.session.child_environment import environment_for_practice

READY_TIMEOUT_S: Final = 30.0
EXIT_TIMEOUT_S: Final = 5.0
FOLDER_IN_USE_EXIT_CODE: Final = 75
"""What the child is told to exit with where another exchange runs on its folder."""


class LaunchError(Exception):
    """The practice exchange did not start. Its message is a sentence for the trader."""


class FolderInUseError(LaunchError):
    """Another practice exchange runs on the folder."""


@dataclass(frozen=True, slots=True)
class PracticeReady:
    """Where a practice exchange can be reached, from its first line of output."""

    rest_url: str
    ws_url: str
    api_key_id: str
    private_key_path: Path
    pid: int
    control_token_path: Path


def parse_ready_line(line: str | bytes) -> PracticeReady:
    """Read the one line that says where a practice exchange is. Raises ValueError for any other."""
    try:
        said = json.loads(line)
        return PracticeReady(
            rest_url=said["rest_url"],
            ws_url=said["ws_url"],
            api_key_id=said["api_key_id"],
            private_key_path=Path(said["private_key_path"]),
            pid=said["pid"],
            control_token_path=Path(said["control_token_path"]),
        )
    except (KeyError, TypeError) as error:
        raise ValueError("this is no ready line of a practice exchange") from error


def _open_stderr_file() -> IO[bytes]:
    """Return a file for what the child says on standard error; in memory if there is a way: the disk may be full."""
    if hasattr(os, "memfd_create"):
        return os.fdopen(os.memfd_create("practice-stderr"), "w+b")
    return tempfile.TemporaryFile()


class PracticeProcess:
    """A practice exchange as a child process: the constructor starts it, `wait_until_ready` waits, `stop` ends it."""

    def __init__(self, arguments: Sequence[str]) -> None:
        self.ready_fields: dict[str, Any] = {}
        """All that the ready line said, once it is there."""
        self._stderr_file = _open_stderr_file()
        # -P: nothing is imported from the current folder, where anybody may have put a module.
        command = [sys.executable, "-P", "-m", "kalshi_tui", "practice", "--until-stdin-closes"]
        command += ["--in-use-exit-code", str(FOLDER_IN_USE_EXIT_CODE), *arguments]
        self._child = subprocess.Popen(  # noqa: S603 - our own interpreter and our own arguments
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._stderr_file,
            # A new session: Ctrl+C at the terminal must not kill the exchange before the screen has canceled orders.
            start_new_session=True,
            env=environment_for_practice(),
        )

    def wait_until_ready(self, timeout_s: float = READY_TIMEOUT_S) -> PracticeReady:
        """Wait for the first line. Raises LaunchError with what the exchange itself had to say.

        Raises FolderInUseError where that is that another one runs on its folder.
        """
        line = self._read_first_line(time.monotonic() + timeout_s)
        try:
            ready = parse_ready_line(line)
            self.ready_fields = json.loads(line)
        except ValueError:
            complaint = self._read_last_error()
            error_class = FolderInUseError if self._child.poll() == FOLDER_IN_USE_EXIT_CODE else LaunchError
            self.stop()
            raise error_class(complaint or "The practice exchange ended before it was ready.") from None
        return ready

    def _read_first_line(self, deadline: float) -> bytes:
        assert self._child.stdout is not None  # noqa: S101 - PIPE was asked for
        output = self._child.stdout
        line = b""
        with selectors.DefaultSelector() as selector:
            selector.register(output, selectors.EVENT_READ)
            while not line.endswith(b"\n"):
                left = deadline - time.monotonic()
                if left <= 0 or not selector.select(left):
                    self.stop()
                    raise LaunchError("The practice exchange did not get ready in time; start it again.")
                chunk = output.read1(65536)  # type: ignore[attr-defined]  # a BufferedReader, typed as IO[bytes]
                if not chunk:
                    break
                line += chunk
        return line

    def describe_exit(self) -> str:
        """Return a sentence that says that the exchange has ended and what to do; empty while it runs."""
        code = self._child.poll()
        if code is None:
            return ""
        complaint = self._read_last_error()
        why = f" It said: {complaint}" if complaint else ""
        return f"The practice exchange has ended (code {code}). Quit and start again: your account is kept.{why}"

    def _read_last_error(self) -> str:
        """Wait for the child's end and return its last line on standard error: its own sentence."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._child.wait(EXIT_TIMEOUT_S)
        self._stderr_file.seek(0)
        lines = self._stderr_file.read().decode(errors="replace").strip().splitlines()
        return lines[-1].removeprefix("kalshi-tui: ") if lines else ""

    def stop(self) -> None:
        """Close the pipe and wait; terminate, then kill, if that is not enough."""
        if self._child.stdin is not None:
            with contextlib.suppress(OSError):
                self._child.stdin.close()
        with contextlib.suppress(OSError):
            # One that was stopped would notice nothing.
            self._child.send_signal(signal.SIGCONT)
        for harder in (self._child.terminate, self._child.kill):
            try:
                self._child.wait(EXIT_TIMEOUT_S)
                break
            except subprocess.TimeoutExpired:
                harder()
        self._child.wait()
        if self._child.stdout is not None:
            self._child.stdout.close()
        self._stderr_file.close()
