"""The frames of a market as it is now: snapshots, deltas and tickers; and the markets that a command may name."""

from collections.abc import Iterable
from typing import Any, Final

from kalshi_tui.kalshi import wire
from kalshi_tui.kalshi.wire import ErrorCode
from kalshi_tui.practice.engine.events import BookChanged
from kalshi_tui.practice.engine.exchange import Exchange
from kalshi_tui.practice.engine.rejection import Rejection
from kalshi_tui.practice.server import encode_frames
from kalshi_tui.practice.server.command_error import CommandError
from kalshi_tui.practice.server.stream_subscriptions import ServerSubscription

MARKET_UNKNOWN: Final = "Market not found"
"""What is wrong with the parameter; the code 16, which said it before, is retired (docs/kalshi-api.md, section 5)."""


class MarketFrames:
    """Encodes what the exchange has of a market."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self.forced_reading: wire.BookReading | None = None
        """A rehearsed fault: NO levels in these prices, whatever was asked for."""

    def is_flipped(self, subscription: ServerSubscription) -> bool:
        """Return whether NO levels go out in YES prices on a subscription."""
        if self.forced_reading is not None:
            return self.forced_reading is wire.BookReading.YES_PRICES
        return subscription.yes_price

    def require_market(self, ticker: str) -> None:
        """Raise CommandError for a market that does not exist."""
        try:
            self._exchange.markets.listing(ticker)
        except Rejection:
            raise CommandError(ErrorCode.INVALID_PARAMETER, MARKET_UNKNOWN) from None

    def resolve_market_ids(self, market_ids: Iterable[str]) -> list[str]:
        """Return the tickers of markets by their ids. Raises CommandError for one that does not exist."""
        by_id = {listing.market_id: ticker for ticker, listing in self._exchange.markets.listings.items()}
        try:
            return [by_id[market_id] for market_id in market_ids]
        except KeyError:
            raise CommandError(ErrorCode.INVALID_PARAMETER, MARKET_UNKNOWN) from None

    def encode_snapshot(self, subscription: ServerSubscription, ticker: str, number: Any) -> bytes:
        """Return a book's snapshot frame with the subscription's next number."""
        msg = encode_frames.snapshot(self._exchange.markets.listings[ticker], flipped=self.is_flipped(subscription))
        frame = wire.SnapshotFrame(id=number, sid=subscription.sid, seq=subscription.next_seq(), msg=msg)
        return wire.encode(frame)

    def encode_ticker(self, ticker: str) -> bytes:
        """Return the ``msg`` of a market's ticker frame."""
        return wire.encode(encode_frames.ticker(self._exchange.markets.listings[ticker], self._exchange.clock.now))

    def encode_delta(self, event: BookChanged, flipped: bool, *, is_own: bool) -> bytes:
        """Return the ``msg`` of a delta frame; ``flipped`` has NO levels in YES prices, ``is_own`` names the order."""
        market_id = self._exchange.markets.listings[event.ticker].market_id
        return wire.encode(encode_frames.delta(event, market_id, flipped=flipped, is_own=is_own))
