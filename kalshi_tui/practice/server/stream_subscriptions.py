"""The subscriptions of the stream: the channels, one sid of a client, and who wants a market's frames.

docs/kalshi-api.md, section 5.
"""

from typing import Final, Generic, TypeVar

from kalshi_tui.kalshi.wire import Channel

SILENT_CHANNELS: Final = frozenset({"communications"})
"""The channel of requests for quotes: there are none here, so nothing is ever sent on it."""
KNOWN_CHANNELS: Final = frozenset(
    {
        Channel.BOOK,
        Channel.TICKER,
        Channel.TRADE,
        Channel.FILL,
        Channel.ORDERS,
        Channel.POSITIONS,
        Channel.LIFECYCLE,
        Channel.COMBO_LIFECYCLE,
        Channel.ORDER_GROUPS,
        *SILENT_CHANNELS,
    }
)
MARKET_DATA_CHANNELS: Final = frozenset({Channel.BOOK, Channel.TICKER, Channel.TRADE})
SEQUENCED_CHANNELS: Final = frozenset(
    {Channel.BOOK, Channel.TRADE, Channel.LIFECYCLE, Channel.COMBO_LIFECYCLE, Channel.ORDER_GROUPS}
)
"""The channels whose frames carry ``seq``."""
CHANNELS_WITHOUT_MARKETS: Final = (
    frozenset({Channel.LIFECYCLE, Channel.COMBO_LIFECYCLE, Channel.ORDER_GROUPS}) | SILENT_CHANNELS
)

SubscriberT = TypeVar("SubscriberT")


class ServerSubscription:
    """One sid: a channel, its markets (None for all), the next number of its sequence."""

    __slots__ = ("channel", "markets", "seq", "sid", "yes_price")

    def __init__(self, sid: int, channel: str, markets: dict[str, None] | None, *, yes_price: bool) -> None:
        self.sid = sid
        self.channel = channel
        self.markets = markets
        self.seq = 0
        self.yes_price = yes_price

    def includes(self, ticker: str) -> bool:
        """Return whether a market's frames go to this subscription."""
        return self.markets is None or ticker in self.markets

    def next_seq(self) -> int:
        """Take the next number."""
        self.seq += 1
        return self.seq


class SubscriptionIndex(Generic[SubscriberT]):
    """By channel and ticker, who wants the frames."""

    def __init__(self) -> None:
        self._subscribers: dict[str, dict[str, dict[SubscriberT, ServerSubscription]]] = {}
        """The ticker "" holds those who want all markets."""

    def update(self, subscriber: SubscriberT, subscription: ServerSubscription) -> None:
        """Note which markets a subscription wants now."""
        self.remove(subscriber, subscription)
        tickers = self._subscribers.setdefault(subscription.channel, {})
        for ticker in subscription.markets if subscription.markets is not None else ("",):
            tickers.setdefault(ticker, {})[subscriber] = subscription

    def remove(self, subscriber: SubscriberT, subscription: ServerSubscription) -> None:
        """Forget a subscription."""
        for wanting in self._subscribers.get(subscription.channel, {}).values():
            wanting.pop(subscriber, None)

    def find(self, channel: str, ticker: str) -> list[tuple[SubscriberT, ServerSubscription]]:
        """Return who wants a market's frames of a channel; of "" only those who want all."""
        tickers = self._subscribers.get(channel)
        if not tickers:
            return []
        named, all_of_them = tickers.get(ticker) if ticker else None, tickers.get("")
        found = list(named.items()) if named else []
        return found + list(all_of_them.items()) if all_of_them else found
