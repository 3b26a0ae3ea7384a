"""How much a test goes through: a share in every run, all of it under the profile "whole" (`make test-all`)."""

from collections.abc import Sequence
from typing import Final, TypeVar

from hypothesis import settings

SHARE: Final = 5

T = TypeVar("T")


def is_whole() -> bool:
    """Return whether this run is one that goes through everything."""
    return settings.get_current_profile_name() == "whole"


def examples(whole: int) -> int:
    """Return how many of so many examples this run takes."""
    return whole if is_whole() else max(whole // SHARE, 10)


def some(whole: Sequence[T]) -> Sequence[T]:
    """Return all of these, or in a quick run every few of them, the first and the last among them."""
    return whole if is_whole() else [*whole[:-1:SHARE], whole[-1]]
