"""Watching the stream from outside: its figures for the screen, books that stay crossed, and silence."""

from kalshi_tui.domain.link import BookTrust, LinkStats
from kalshi_tui.kalshi.feed.market_feed import MarketFeed
from kalshi_tui.kalshi.feed.stream_group import CROSSED_CHECK_INTERVAL_S, CrossedBookMonitor
from kalshi_tui.session.execution.dead_man import DeadManSwitch
from kalshi_tui.session.replay import ReplayFollower
from kalshi_tui.session.store import Store
from kalshi_tui.session.timing import Sleep


class LinkMonitor:
    """Measures the link. `run` looks for crossed books and reports the link's silence to the dead-man's switch."""

    def __init__(
        self,
        stream: MarketFeed,
        store: Store,
        dead_man_switch: DeadManSwitch,
        replay_follower: ReplayFollower | None,
        sleep: Sleep,
    ) -> None:
        self._stream = stream
        self._store = store
        self._dead_man_switch = dead_man_switch
        self._replay_follower = replay_follower
        self._sleep = sleep

    def measure(self) -> LinkStats:
        """Return the figures of the link as of now."""
        health = self._stream.health()
        replay = None if self._replay_follower is None else self._replay_follower.clock.status
        # While a recording stands still no frame is to be expected, and the age of the last one says nothing.
        still = replay is not None and (replay.paused or replay.ended)
        return LinkStats(
            frame_age_ms=None if health.frame_age is None or still else round(health.frame_age * 1000),
            ping_age_ms=None if health.ping_age is None else round(health.ping_age * 1000),
            lag_ms=health.lag_ms if health.frame_age is not None else None,
            skew_ms=health.skew_ms,
            faults=health.faults,
            healed=health.healed,
            untrusted=sum(live.trust is BookTrust.STALE for live in self._store.books.values()),
        )

    async def run(self) -> None:
        """Look until canceled."""
        crossed_books = CrossedBookMonitor(self._crossed_tickers, self._stream.resync_books)
        while True:
            await self._sleep(CROSSED_CHECK_INTERVAL_S)
            stats = self.measure()
            ages = [age for age in (stats.frame_age_ms, stats.ping_age_ms) if age is not None]
            self._dead_man_switch.check(min(ages, default=None))
            crossed_books.check()

    def _crossed_tickers(self) -> list[str]:
        return [ticker for ticker, live in self._store.books.items() if live.is_good and live.book.crossed]
