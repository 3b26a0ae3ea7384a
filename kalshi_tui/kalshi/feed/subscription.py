"""What the feed knows of one subscription, the bounds it keeps, and what it tells of its health."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

from kalshi_tui.kalshi.feed.handler import Change


@dataclass(frozen=True, slots=True)
class Bounds:
    """How long the feed waits before it does the next stronger thing. Seconds, but for the counts."""

    snapshot: float = 1.0
    """For the next of the snapshots that were asked for; then unsubscribe and subscribe."""
    resubscribe: float = 3.0
    """For the next snapshot after subscribing anew; then reconnect."""
    answer: float = 5.0
    """For the answer to a command; then the subscription is made anew, or the connection."""
    retry: float = 0.5
    """Before a command is sent again that the exchange had no room or time for; doubles each time, up to `longest`."""
    longest: float = 10.0
    quiet: float = 30.0
    """Without any frame of a subscription to books; then a snapshot is asked for, to find out whether it lives."""
    quarantine: float = 30.0
    """Before a market whose own snapshots make no sense is asked for again."""
    rounds: int = 4
    """Times that snapshots are asked for in one recovery before subscribing anew."""
    batch: int = 500
    """Most tickers in one command."""


class Happening(Enum):
    """What kind of thing a report tells."""

    FAULT = auto()
    """Books are no longer trusted."""
    HEALED = auto()
    """All books of a subscription are trusted again."""
    MISSED = auto()
    """Frames were lost that no snapshot brings back: prints of the tape, lifecycle events, news of the account."""
    REFUSED = auto()
    """The exchange refused a subscription or a market."""
    FULL = auto()
    """A subscription takes no more markets (code 26): these have to be carried elsewhere."""
    ALARM = auto()
    """A frame that came whole and makes no sense."""


@dataclass(frozen=True, slots=True)
class Report:
    """Something that the log should know. ``text`` is a sentence; ``elapsed`` seconds from fault to trust."""

    happening: Happening
    channel: str
    text: str
    tickers: tuple[str, ...] = ()
    elapsed: float = 0.0


class State(Enum):
    """Where a subscription stands."""

    IDLE = auto()
    """Not subscribed; will be as soon as something is wanted and nothing holds it."""
    PENDING = auto()
    """Asked for; its sid is not known yet."""
    LIVE = auto()
    DEAD = auto()
    """Refused for good on this connection."""


class Stage(Enum):
    """How far the recovery of a subscription's books has gone."""

    NONE = auto()
    SNAPSHOT = auto()
    """Snapshots were asked for on the same subscription."""
    RESUBSCRIBED = auto()
    """Unsubscribed and subscribed anew."""


NOBODY: Final[frozenset[str]] = frozenset()


class Subscription:
    """One channel's subscription on the connection, and the trust in its books.

    A ticker that was sent is in exactly one of ``good`` (has its snapshot, and every frame since), ``awaiting`` and
    ``quarantined``; channels without books use ``sent`` alone.
    """

    __slots__ = (
        "active_at",
        "awaiting",
        "bad_snapshots",
        "batches",
        "channel",
        "deadline",
        "everything",
        "expected",
        "fault_at",
        "fruitless",
        "good",
        "held_at",
        "hold_until",
        "holds",
        "lost",
        "made_room",
        "outstanding",
        "probation",
        "progress",
        "quarantined",
        "refused",
        "rounds",
        "seen_expected",
        "sent",
        "sent_everything",
        "sid",
        "stage",
        "state",
        "wanted",
    )

    def __init__(self, channel: str) -> None:
        self.channel = channel
        self.everything = False
        """Whether the whole channel is wanted, without a list of markets."""
        self.wanted: frozenset[str] = NOBODY
        self.fault_at: float | None = None
        """When the books stopped being trusted; kept over a reconnect, so that the time to heal is the whole time."""
        self.fruitless = False
        """Whether the connection before this one was given up because no book came."""
        self.bad_snapshots: dict[str, int] = {}
        """Snapshots in a row that made no sense, by ticker."""
        self.probation: set[str] = set()
        """Tickers that were set apart before and have had no good snapshot since: set apart again at the first sign."""
        self.reset()

    def reset(self) -> None:
        """Forget what belonged to a connection: after a reconnect nothing of it may be trusted.

        docs/kalshi-api.md, section 4.
        """
        self.state = State.IDLE
        self.lost = ""
        """Why the exchange ended it, until it is subscribed again."""
        self.holds = 0
        self.held_at = 0.0
        self.hold_until = 0.0
        self.refused: set[str] = set()
        self.quarantined: dict[str, float] = {}
        self.made_room = False
        """Whether markets were taken out since the exchange last had no room for others."""
        self.start_anew()

    def start_anew(self) -> None:
        """Forget the sid and what was sent on it."""
        self.sid: int | None = None
        self.expected: int | None = 1
        """The next sequence number; None where a running subscription was taken over in the middle."""
        self.sent: set[str] = set()
        self.sent_everything = False
        self.good: dict[str, Change] = {}
        """The trusted books, each with what takes its changes."""
        self.awaiting: set[str] = set()
        self.outstanding: set[str] = set()
        self.batches: deque[list[str]] = deque()
        self.stage = Stage.NONE
        self.rounds = 0
        self.progress = False
        """Whether any of the snapshots of this round came."""
        self.deadline = 0.0
        self.seen_expected: int | None = 0
        """What ``expected`` was when the subscription was last seen to bring anything, and when that was."""
        self.active_at = 0.0

    @property
    def needed(self) -> bool:
        """Whether anything is wanted of this channel."""
        return self.everything or bool(self.wanted)

    def distrust_all(self) -> list[str]:
        """Take the trust from all books, and give those that had it."""
        lost = list(self.good)
        self.awaiting.update(self.good)
        self.good.clear()
        return lost

    def forget(self, tickers: set[str]) -> list[str]:
        """Take tickers out of all records of what was sent, and give those whose books were trusted."""
        lost = [ticker for ticker in tickers if ticker in self.good]
        self.sent -= tickers
        self.awaiting -= tickers
        self.outstanding -= tickers
        for ticker in tickers:
            self.good.pop(ticker, None)
            self.quarantined.pop(ticker, None)
            self.bad_snapshots.pop(ticker, None)
            self.probation.discard(ticker)
        return lost

    def trust(self, ticker: str, change: Change) -> None:
        """Note that a ticker has its good snapshot, and what takes its changes."""
        self.awaiting.discard(ticker)
        self.outstanding.discard(ticker)
        self.quarantined.pop(ticker, None)
        self.bad_snapshots.pop(ticker, None)
        self.probation.discard(ticker)
        self.good[ticker] = change

    def set_apart(self, ticker: str, until: float) -> None:
        """Wait no longer for a ticker's snapshot, until that time."""
        self.good.pop(ticker, None)
        self.awaiting.discard(ticker)
        self.outstanding.discard(ticker)
        self.quarantined[ticker] = until
        self.probation.add(ticker)

    def take_up(self, tickers: Sequence[str], *, books: bool) -> None:
        """Note tickers as sent; with ``books`` they await their snapshots, but for those that are set apart."""
        self.sent.update(tickers)
        if books:
            self.awaiting.update(ticker for ticker in tickers if ticker not in self.quarantined)
