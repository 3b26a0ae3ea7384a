"""What the parts of the feed protocol share: the handler, the time, the connection's state, and the reports."""

from collections.abc import Callable

from kalshi_tui.kalshi.feed.handler import FeedHandler
from kalshi_tui.kalshi.feed.subscription import ChannelSubscription, Happening, RecoveryPolicy, Report


class ProtocolState:
    """Shared by `FeedProtocol` and its parts, which know each other no further."""

    __slots__ = (
        "alarmed_channels",
        "books",
        "connected",
        "failure",
        "faults",
        "handler",
        "healed",
        "listener",
        "now",
        "policy",
        "subscriptions_by_sid",
    )

    def __init__(
        self,
        handler: FeedHandler,
        books: ChannelSubscription,
        policy: RecoveryPolicy,
        listener: Callable[[Report], None] | None,
    ) -> None:
        self.handler = handler
        self.books = books
        """The subscription of the order books: the only one whose content a snapshot can bring back."""
        self.policy = policy
        self.listener = listener
        self.now = 0.0
        """Seconds of a clock that never goes back, as of the last call from outside."""
        self.connected = False
        self.failure = ""
        """Why this connection is to be given up, a sentence; empty while it is not."""
        self.subscriptions_by_sid: dict[int, ChannelSubscription] = {}
        self.alarmed_channels: set[str] = set()
        self.faults = 0
        self.healed = 0

    def reset_connection(self) -> None:
        """Forget what belonged to a connection."""
        self.connected = False
        self.failure = ""
        # Emptied, never replaced: the hot path holds this very dictionary.
        self.subscriptions_by_sid.clear()
        self.alarmed_channels.clear()

    def report(
        self, happening: Happening, channel: str, text: str, tickers: tuple[str, ...] = (), elapsed: float = 0.0
    ) -> None:
        """Pass a report to the listener."""
        if self.listener is not None:
            self.listener(Report(happening, channel, text, tickers, elapsed))

    def report_alarm_once(self, channel: str, text: str) -> None:
        """Report a senseless frame, once a channel and connection: a flood of them must not flood the log."""
        if channel not in self.alarmed_channels:
            self.alarmed_channels.add(channel)
            self.report(Happening.ALARM, channel, text)
