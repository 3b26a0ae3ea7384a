"""Running a session's background tasks: those that come and go, and those that must not end."""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any, Final

from kalshi_tui.kalshi.errors import KalshiError
from kalshi_tui.session.notices import Severity
from kalshi_tui.session.store import Store
from kalshi_tui.session.timing import Sleep

RESTART_DELAY_S: Final = 3.0
DEFECT_TEXT: Final = "a defect, which the log names."
"""Why something was not read that a defect kept from being read, as the end of a sentence."""
_log: Final = logging.getLogger("kalshi_tui.session")


class Supervisor:
    """Owns the background tasks of a session. What fails becomes a notice, never the end of the program.

    It is no `asyncio.TaskGroup`: a group cancels every task when one fails, and here a defect in a chart must not stop
    the reconciliation of the account.
    """

    def __init__(self, store: Store, sleep: Sleep) -> None:
        self._store = store
        self._sleep = sleep
        self._tasks: set[asyncio.Task[Any]] = set()

    def spawn(self, work: Coroutine[Any, Any, Any], name: str) -> asyncio.Task[Any]:
        """Run a coroutine in the background; ``name`` stands in the notice if it fails."""
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._task_ended)
        return task

    def keep_running(self, work: Callable[[], Coroutine[Any, Any, None]], name: str) -> None:
        """Run something for as long as the program runs; after a defect it is started again."""
        self.spawn(self._restart_forever(work, name), name)

    async def stop(self) -> None:
        """Cancel everything, and wait until it has ended."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _restart_forever(self, work: Callable[[], Coroutine[Any, Any, None]], name: str) -> None:
        while True:
            try:
                await work()
            except Exception as error:  # noqa: BLE001 - said, and survived
                # Only its class is shown, and the text stays in the log: nobody knows what it holds.
                _log.exception("Reading %s stumbled.", name)
                self._store.notify(Severity.ERROR, f"Reading {name} stumbled ({type(error).__name__}); it goes on.")
            await self._sleep(RESTART_DELAY_S)

    def _task_ended(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            if isinstance(error, KalshiError):
                sentence = str(error)
            else:
                _log.error("The task %s failed.", task.get_name(), exc_info=error)
                sentence = f"a defect ({type(error).__name__})."
            self._store.notify(Severity.ERROR, f"Reading {task.get_name()} failed: {sentence}")
