"""Reading whether the exchange trades: now and then, and at once when an answer says that it may not.

The pauses that it announces are read too, more rarely.
"""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from typing import Final

from kalshi_tui.domain.link import TradingStatus
from kalshi_tui.domain.text import local_time_text
from kalshi_tui.domain.trading_pause import TradingPause
from kalshi_tui.kalshi.errors import KalshiError, ServerFault
from kalshi_tui.kalshi.replies import ExchangeStatus, ShardStatus
from kalshi_tui.kalshi.rest import RestClient
from kalshi_tui.session.execution.submit import HTTP_UNAVAILABLE
from kalshi_tui.session.notices import Severity
from kalshi_tui.session.store import Store
from kalshi_tui.session.timing import Sleep, sleep_until_event

POLL_INTERVAL_S: Final = 15.0
SCHEDULE_INTERVAL_MS: Final = 600_000
TOLD_AHEAD_S: Final = 86_400
"""A pause that begins within so long is told."""
HOURS_MESSAGES: Final = {
    TradingStatus.OPEN: "The exchange trades again.",
    TradingStatus.TRADING_PAUSED: "Trading is paused on the exchange: orders are refused, cancels are taken.",
    TradingStatus.PAUSED: "The exchange is paused: neither orders nor cancels are taken.",
}


class ExchangeHours:
    """Keeps the store's `TradingStatus` true. `run` does the work."""

    def __init__(self, rest: RestClient, store: Store, sleep: Sleep) -> None:
        self._rest = rest
        self._store = store
        self._sleep = sleep
        self._check_requested = asyncio.Event()
        self._schedule_read_ms: int | None = None
        self._told: set[TradingPause] = set()

    def check_now(self) -> None:
        """Read the status now instead of at the next turn."""
        self._check_requested.set()

    async def run(self) -> None:
        """Read until canceled."""
        while True:
            self._check_requested.clear()
            await self._check()
            await self._check_schedule()
            await sleep_until_event(self._sleep, POLL_INTERVAL_S, self._check_requested)

    async def _check(self) -> None:
        with suppress(KalshiError):
            await self.check(self._rest)

    async def check(self, rest: RestClient) -> None:
        """Read the status once, with this client. Raises KalshiError; the status is then as it was, but for a 503."""
        try:
            status = await rest.exchange_status()
        except ServerFault as error:
            # A 503 from this very call means that the exchange is down (docs/kalshi-api.md, section 8); other
            # failures tell nothing.
            if error.status == HTTP_UNAVAILABLE:
                self._set_hours(TradingStatus.PAUSED)
            raise
        by_shard = {each.exchange_index: _trading_status(each) for each in status.shards}
        paused = {shard: each for shard, each in by_shard.items() if each is not TradingStatus.OPEN}
        if not by_shard or len(paused) == len(by_shard):
            # The top level alone tells of shard 0 (docs/kalshi-api.md, section 8): it is not needed where all agree.
            self._set_hours(_trading_status(status))
            return
        names = tuple(each.description for each in status.shards if each.exchange_index in paused)
        self._set_hours(TradingStatus.OPEN, by_shard, tuple(name or "some markets" for name in names))

    async def _check_schedule(self) -> None:
        """Read the planned pauses, and tell of those that are near. What cannot be read is as it was."""
        now_ms = self._rest.clock.now_ms()
        if self._schedule_read_ms is None or abs(now_ms - self._schedule_read_ms) >= SCHEDULE_INTERVAL_MS:
            self._schedule_read_ms = now_ms
            with suppress(KalshiError):
                self._store.announced_pauses = await self._rest.announced_pauses()
        now_s = now_ms // 1000
        for pause in self._store.announced_pauses:
            is_near = pause.start_s - TOLD_AHEAD_S < now_s < pause.end_s
            if is_near and pause not in self._told:
                self._told.add(pause)
                start, end = local_time_text(pause.start_s), local_time_text(pause.end_s)
                self._store.notify(
                    Severity.WARNING,
                    f"The exchange has announced a pause from {start} to {end}: then it may take neither orders nor "
                    "cancels.",
                )

    def _set_hours(
        self,
        hours: TradingStatus,
        by_shard: Mapping[int, TradingStatus] | None = None,
        paused_parts: tuple[str, ...] = (),
    ) -> None:
        store = self._store
        before, parts_before = store.hours, store.paused_parts
        store.set_hours(hours, by_shard, paused_parts)
        if hours is not before:
            store.notify(Severity.GOOD if hours is TradingStatus.OPEN else Severity.WARNING, HOURS_MESSAGES[hours])
        if paused_parts and paused_parts != parts_before:
            kinds = {each for each in (by_shard or {}).values() if each is not TradingStatus.OPEN}
            refused = "Orders there are rejected now"
            if TradingStatus.PAUSED in kinds:
                refused += ", and cancels too" if len(kinds) == 1 else ", and cancels too in some"
            store.notify(
                Severity.WARNING,
                f"Paused: {', '.join(paused_parts)}. {refused}; all other markets trade.",
            )
        elif parts_before and not paused_parts and hours is TradingStatus.OPEN:
            store.notify(Severity.GOOD, f"Trading resumed: {', '.join(parts_before)}.")


def _trading_status(status: ExchangeStatus | ShardStatus) -> TradingStatus:
    if not status.exchange_active:
        return TradingStatus.PAUSED
    return TradingStatus.OPEN if status.trading_active else TradingStatus.TRADING_PAUSED
