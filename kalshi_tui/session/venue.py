"""Where the orders go."""

from enum import Enum


class Venue(Enum):
    """Where the orders go. The values stand as words on every screen."""

    PRACTICE = "PRACTICE"
    DEMO = "DEMO"
    LIVE = "LIVE"
