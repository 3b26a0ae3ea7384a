"""`AlertCommand`: runs the trader's own command when an alert rings; an argument list, never a shell line."""

import asyncio
import os
import signal
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from typing import Any, Final

from kalshi_tui.session.child_environment import environment_without_secrets
from kalshi_tui.session.notices import Severity
from kalshi_tui.session.store import Store
from kalshi_tui.session.timing import Sleep

COMMAND_TIMEOUT_S: Final = 10.0
MAX_RUNNING_COMMANDS: Final = 4
ALERT_VARIABLE: Final = "KALSHI_TUI_ALERT"
"""The environment variable with the alert's sentence, for commands that take no further argument."""


class AlertCommand:
    """Runs the command with an alert's sentence as its last argument. Only a failure is reported."""

    def __init__(
        self,
        command: Sequence[str],
        store: Store,
        sleep: Sleep,
        spawn: Callable[[Coroutine[Any, Any, None], str], object],
    ) -> None:
        self._command = tuple(command)
        self._store = store
        self._sleep = sleep
        self._spawn = spawn
        self._running = 0

    def run(self, sentence: str) -> None:
        """Start the command, if there is one and not too many of it run already."""
        if not self._command:
            return
        if self._running >= MAX_RUNNING_COMMANDS:
            self._warn(f"runs {MAX_RUNNING_COMMANDS} times already and was not started again")
            return
        self._running += 1
        self._spawn(self._run(sentence), "the command of alerts")

    async def _run(self, sentence: str) -> None:
        try:
            # A process session of its own, so that its children can be killed with it. No output: it would break the
            # screen.
            process = await asyncio.create_subprocess_exec(
                *self._command,
                sentence,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.DEVNULL,
                env=environment_without_secrets() | {ALERT_VARIABLE: sentence},
                start_new_session=True,
            )
        except (OSError, ValueError) as error:
            self._warn(f"could not be started ({getattr(error, 'strerror', None) or error})")
        else:
            await self._wait_or_kill(process)
        finally:
            self._running -= 1

    async def _wait_or_kill(self, process: asyncio.subprocess.Process) -> None:
        ended, late = asyncio.ensure_future(process.wait()), asyncio.ensure_future(self._sleep(COMMAND_TIMEOUT_S))
        try:
            # Not `asyncio.timeout`: the time is the session's, which tests hand in.
            await asyncio.wait((ended, late), return_when=asyncio.FIRST_COMPLETED)
            if not ended.done():
                self._warn(f"did not end within {COMMAND_TIMEOUT_S:.0f} s and was killed")
            elif ended.result():
                self._warn(f"ended with {ended.result()}")
        finally:
            late.cancel()
            if not ended.done():
                with suppress(ProcessLookupError, PermissionError):
                    os.killpg(process.pid, signal.SIGKILL)
                await ended

    def _warn(self, problem: str) -> None:
        self._store.notify(Severity.WARNING, f"The command of alerts, {self._command[0]}, {problem}.")
