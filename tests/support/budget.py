"""How many examples Hypothesis draws: few in every run, all of them under the profile "whole" (`make test-all`)."""

from typing import Final

from hypothesis import settings

SHARE: Final = 5


def examples(whole: int) -> int:
    """Return how many of so many examples this run draws."""
    return whole if settings.get_current_profile_name() == "whole" else max(whole // SHARE, 10)
