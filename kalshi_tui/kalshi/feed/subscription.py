"""The state of one channel's subscription, the time-outs of recovery, and the reports for the log."""

import math
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

from kalshi_tui.kalshi.feed.handler import ApplyDelta


@dataclass(frozen=True, slots=True)
class RecoveryPolicy:
    """How long the feed waits before it takes the next stronger step. Seconds, except for the counts."""

    snapshot: float = 1.0
    """For the next of the snapshots that were asked for; then unsubscribe and subscribe."""
    resubscribe: float = 3.0
    """For the next snapshot after subscribing again; then reconnect."""
    answer: float = 5.0
    """For the answer to a command; then subscribe again, or reconnect."""
    retry: float = 0.5
    """Before a command is sent again that the exchange had no room or time for; doubles each time, up to `longest`."""
    longest: float = 10.0
    quiet: float = 30.0
    """Without any frame of a subscription to books; then a snapshot is asked for, to find out whether it lives."""
    quarantine: float = 30.0
    """Before a market whose own snapshots make no sense is asked for again."""
    rounds: int = 4
    """Rounds of snapshot requests in one recovery before the feed subscribes again."""
    late: float = 2.0
    """For the frames of a market that are still on their way when the exchange says that it was taken out."""
    batch: int = 500
    """The largest number of tickers in one command."""


class Happening(Enum):
    """What kind of thing a report is about."""

    FAULT = auto()
    """Books are no longer trusted."""
    HEALED = auto()
    """All books of a subscription are trusted again."""
    MISSED = auto()
    """Frames were lost that no snapshot brings back: public trades, lifecycle events, changes of the account."""
    REFUSED = auto()
    """The exchange rejected a subscription or a market."""
    FULL = auto()
    """A subscription takes no more markets (code 26): these have to be carried elsewhere."""
    ALARM = auto()
    """A frame that arrived whole and makes no sense."""


@dataclass(frozen=True, slots=True)
class Report:
    """Something that the log should know. ``text`` is a sentence; ``elapsed`` seconds from fault to trust."""

    happening: Happening
    channel: str
    text: str
    tickers: tuple[str, ...] = ()
    elapsed: float = 0.0


class SubscriptionState(Enum):
    """The state of a subscription."""

    IDLE = auto()
    """Not subscribed; will be as soon as something is wanted and nothing holds it."""
    PENDING = auto()
    """Asked for; its sid is not known yet."""
    LIVE = auto()
    DEAD = auto()
    """Rejected for good on this connection."""


class RecoveryStage(Enum):
    """How far the recovery of a subscription's books has gone."""

    NONE = auto()
    SNAPSHOT = auto()
    """Snapshots were asked for on the same subscription."""
    RESUBSCRIBED = auto()
    """Unsubscribed and subscribed again."""


NO_TICKERS: Final[frozenset[str]] = frozenset()


class ChannelSubscription:
    """One channel's subscription on the connection, and the trust in its books.

    A ticker in ``subscribed`` is in exactly one of ``trusted`` (has its snapshot, and every frame since),
    ``awaiting_snapshot`` and ``quarantined``; channels without books use ``subscribed`` alone.
    """

    __slots__ = (
        "awaiting_snapshot",
        "backoff_count",
        "backoff_started_at",
        "backoff_until",
        "bad_snapshots",
        "batches",
        "channel",
        "deadline",
        "end_reason",
        "expected",
        "fault_at",
        "foreign_markets",
        "has_made_room",
        "last_active_at",
        "last_seen_expected",
        "previous_had_no_books",
        "probation",
        "quarantined",
        "recovery_rounds",
        "refused",
        "removing",
        "requested_snapshots",
        "round_made_progress",
        "sid",
        "stage",
        "state",
        "subscribed",
        "subscribed_whole_channel",
        "trusted",
        "wanted",
        "whole_channel",
    )

    def __init__(self, channel: str) -> None:
        self.channel = channel
        self.whole_channel = False
        """Whether the whole channel is wanted, without a list of markets."""
        self.wanted: frozenset[str] = NO_TICKERS
        self.fault_at: float | None = None
        """When the books stopped being trusted; kept over a reconnect, so that the time to heal is the whole time."""
        self.previous_had_no_books = False
        """Whether the connection before this one was given up because no book came."""
        self.bad_snapshots: dict[str, int] = {}
        """Snapshots in a row that made no sense, by ticker."""
        self.probation: set[str] = set()
        """Tickers that were quarantined before and have had no good snapshot since; quarantined again at once."""
        self.reset()

    def reset(self) -> None:
        """Forget what belonged to a connection: after a reconnect nothing of it may be trusted.

        docs/kalshi-api.md, section 4.
        """
        self.state = SubscriptionState.IDLE
        self.end_reason = ""
        """Why the exchange ended it, until it is subscribed again."""
        self.backoff_count = 0
        self.backoff_started_at = 0.0
        self.backoff_until = 0.0
        self.refused: set[str] = set()
        self.quarantined: dict[str, float] = {}
        self.has_made_room = False
        """Whether markets were taken out since the exchange last had no room for others."""
        self.reset_subscription()

    def reset_subscription(self) -> None:
        """Forget the sid and what was sent on it."""
        self.sid: int | None = None
        self.expected: int | None = 1
        """The next sequence number; None where a running subscription was taken over in the middle."""
        self.subscribed: set[str] = set()
        self.subscribed_whole_channel = False
        self.removing: dict[str, float] = {}
        """The markets that were taken out, each with the time until which its frames may still come."""
        self.foreign_markets: set[str] = set()
        """Markets of which frames came that do not belong here."""
        self.trusted: dict[str, ApplyDelta] = {}
        """The trusted books, each with what takes its changes."""
        self.awaiting_snapshot: set[str] = set()
        self.requested_snapshots: set[str] = set()
        self.batches: deque[list[str]] = deque()
        self.stage = RecoveryStage.NONE
        self.recovery_rounds = 0
        self.round_made_progress = False
        """Whether any of the snapshots of this round came."""
        self.deadline = 0.0
        self.last_seen_expected: int | None = 0
        """What ``expected`` was when the subscription was last seen to bring anything, and when that was."""
        self.last_active_at = 0.0

    @property
    def is_needed(self) -> bool:
        """Whether anything is wanted of this channel."""
        return self.whole_channel or bool(self.wanted)

    def mark_all_stale(self) -> list[str]:
        """Stop trusting all books; return those that were trusted."""
        lost = list(self.trusted)
        self.awaiting_snapshot.update(self.trusted)
        self.trusted.clear()
        return lost

    def remove_tickers(self, tickers: set[str]) -> list[str]:
        """Remove tickers from all that is known of them; return those whose books were trusted."""
        lost = [ticker for ticker in tickers if ticker in self.trusted]
        # From every set: left in one of them, a market nobody wants would hold up the recovery of the others.
        self.subscribed -= tickers
        self.awaiting_snapshot -= tickers
        self.requested_snapshots -= tickers
        for ticker in tickers:
            self.trusted.pop(ticker, None)
            self.quarantined.pop(ticker, None)
            self.bad_snapshots.pop(ticker, None)
            self.probation.discard(ticker)
        return lost

    def mark_trusted(self, ticker: str, apply_delta: ApplyDelta) -> None:
        """Record that a ticker has its good snapshot, and what takes its changes."""
        self.awaiting_snapshot.discard(ticker)
        self.requested_snapshots.discard(ticker)
        self.quarantined.pop(ticker, None)
        self.bad_snapshots.pop(ticker, None)
        self.probation.discard(ticker)
        self.trusted[ticker] = apply_delta

    def quarantine(self, ticker: str, until: float) -> None:
        """Stop waiting for a ticker's snapshot until that time."""
        self.trusted.pop(ticker, None)
        self.awaiting_snapshot.discard(ticker)
        self.requested_snapshots.discard(ticker)
        self.quarantined[ticker] = until
        self.probation.add(ticker)

    def mark_removing(self, tickers: Iterable[str]) -> None:
        """Record tickers whose frames may come until the exchange says that they were taken out."""
        self.removing.update((ticker, math.inf) for ticker in tickers)

    def mark_removal_done(self, tickers: Iterable[str], until: float) -> None:
        """Record that the exchange has taken tickers out; what is still on its way comes before ``until``."""
        # One that was subscribed again meanwhile is left alone: its frames are no late ones.
        self.removing.update((ticker, until) for ticker in tickers if ticker in self.removing)

    def mark_subscribed(self, tickers: Sequence[str], *, books: bool) -> None:
        """Record tickers as subscribed; with ``books`` they await snapshots, unless quarantined."""
        self.subscribed.update(tickers)
        for ticker in tickers:
            # Wanted again before its removal was done: its frames are no late ones now.
            self.removing.pop(ticker, None)
        if books:
            self.awaiting_snapshot.update(ticker for ticker in tickers if ticker not in self.quarantined)
