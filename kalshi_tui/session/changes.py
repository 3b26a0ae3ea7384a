"""Which parts of the store changed since the screen last asked: tickers of markets, and topics for everything else."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum, auto


class Topic(Enum):
    """What can change on the screen besides a single market."""

    MARKETS = auto()
    ORDERS = auto()
    POSITIONS = auto()
    BALANCE = auto()
    FILLS = auto()
    LINK = auto()
    NOTICES = auto()
    SETTLEMENTS = auto()
    ALERTS = auto()


@dataclass(frozen=True, slots=True)
class StoreChanges:
    """What changed since the last time it was taken."""

    tickers: frozenset[str]
    topics: frozenset[Topic]

    def __bool__(self) -> bool:
        return bool(self.tickers or self.topics)


class ChangeLog:
    """Collects changes until they are taken. Every part of the store marks into the same one."""

    __slots__ = ("tickers", "topics")

    def __init__(self) -> None:
        self.tickers: set[str] = set()
        self.topics: set[Topic] = set()

    def mark(self, *topics: Topic, tickers: Iterable[str] = ()) -> None:
        """Note that these topics and markets have changed."""
        self.topics.update(topics)
        self.tickers.update(tickers)

    def take(self) -> StoreChanges:
        """Return what was marked since the last call, and forget it."""
        changes = StoreChanges(frozenset(self.tickers), frozenset(self.topics))
        self.tickers.clear()
        self.topics.clear()
        return changes
