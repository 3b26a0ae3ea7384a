"""The application's wall clock, for what on a screen depends on the time."""

from collections.abc import Callable
from typing import Protocol, runtime_checkable


@runtime_checkable
class HasClock(Protocol):
    """An application with a clock of its own: Unix milliseconds."""

    clock_ms: Callable[[], int]


def now_ms(app: object) -> int:
    """Return the Unix time in milliseconds by the application's clock."""
    assert isinstance(app, HasClock)  # noqa: S101 - every application of this program has one
    return app.clock_ms()
