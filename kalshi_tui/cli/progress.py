"""A progress bar on standard error, where that is a terminal, for what takes longer than a second."""

import sys
import threading
from types import TracebackType
from typing import TYPE_CHECKING, Final, Self

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

SHOW_DELAY_S: Final = 1.0


class ProgressIndicator:
    """A context manager that shows a bar after a second, and removes it at the end.

    The bar shows no percentage, since the total is not known. Nothing is shown, or loaded, where standard error is no
    terminal.
    """

    def __init__(self, message: str) -> None:
        self._message = message
        self._lock = threading.Lock()
        self._closed = False
        self._bar: Progress | None = None
        self._task: TaskID | None = None
        self._timer = threading.Timer(SHOW_DELAY_S, self._show) if sys.stderr.isatty() else None

    def __enter__(self) -> Self:
        if self._timer is not None:
            self._timer.daemon = True
            self._timer.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._timer is not None:
            self._timer.cancel()
        with self._lock:
            self._closed = True
            if self._bar is not None:
                self._bar.stop()

    def update(self, message: str) -> None:
        """Change the text beside the bar."""
        with self._lock:
            self._message = message
            if self._bar is not None and self._task is not None:
                self._bar.update(self._task, description=message)

    def _show(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

        with self._lock:
            if self._closed:
                return
            self._bar = Progress(
                TextColumn("{task.description}", markup=False),
                BarColumn(bar_width=24),
                TimeElapsedColumn(),
                console=Console(stderr=True),
                transient=True,
            )
            self._task = self._bar.add_task(self._message, total=None)
            self._bar.start()
