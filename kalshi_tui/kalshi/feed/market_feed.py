"""`MarketFeed`: what a session needs of whatever brings it books and quotes: a stream, or reads by REST."""

from collections.abc import Iterable
from typing import Protocol

from kalshi_tui.kalshi.feed.command_queue import AuditAnswer
from kalshi_tui.kalshi.feed.stream import Health
from kalshi_tui.kalshi.feed.tap import Tap, TapSource


class MarketFeed(Protocol):
    """Brings the books and quotes that are wanted. `StreamGroup` is the one that needs a key."""

    async def run(self) -> None:
        """Bring them until canceled or closed."""

    async def close(self) -> None:
        """End it."""

    def watch_books(self, tickers: Iterable[str]) -> None:
        """Follow the order books and the public trades of exactly these markets."""

    def watch_quotes(self, tickers: Iterable[str] | None) -> None:
        """Follow the quotes of exactly these markets; None means all markets."""

    def audit(self, ticker: str, answer: AuditAnswer) -> None:
        """Ask for a fresh snapshot of a book; ``answer`` gets its levels, None where there are none to compare with."""

    def resync_books(self, why: str) -> None:
        """Stop trusting all books and fetch them again."""

    def record(self, recording: TapSource | None) -> list[tuple[Tap, frozenset[str]]]:
        """Record everything that is received from now on; stop with None. See `StreamGroup.record`."""

    def health(self) -> Health:
        """Return the figures of the link as of now."""
