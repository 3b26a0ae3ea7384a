"""Translate the exchange's status, and the pauses that it announces."""

from contextlib import suppress
from typing import Final

from kalshi_tui.domain.trading_pause import TradingPause
from kalshi_tui.kalshi import wire
from kalshi_tui.kalshi.replies import ExchangeStatus, ShardStatus
from kalshi_tui.kalshi.translate.cleaning import MAX_ID_LENGTH, TranslationError, clean
from kalshi_tui.kalshi.translate.numbers import parse_time_ms

MAX_PAUSES: Final = 100
MAX_TIME_MS: Final = 4_102_444_800_000
"""The year 2100: no calendar of this machine has to write what lies far beyond."""


def exchange_status(source: wire.ExchangeStatusReply) -> ExchangeStatus:
    """Translate the status of the exchange and of its shards. Raises TranslationError."""
    return ExchangeStatus(
        exchange_active=source.exchange_active,
        trading_active=source.trading_active,
        resumes_ms=parse_time_ms(source.exchange_estimated_resume_time),
        shards=tuple(
            ShardStatus(
                each.exchange_index,
                clean(each.description, MAX_ID_LENGTH),
                each.exchange_active,
                each.trading_active,
                each.intra_exchange_transfers_active,
            )
            for each in source.exchange_index_statuses or ()
        ),
    )


def announced_pauses(source: wire.AnnouncedPausesReply) -> tuple[TradingPause, ...]:
    """Translate the planned pauses; one whose times cannot be is left out."""
    found = []
    for each in (source.schedule.maintenance_windows or [])[:MAX_PAUSES]:
        with suppress(TranslationError):
            start_ms, end_ms = parse_time_ms(each.start_datetime), parse_time_ms(each.end_datetime)
            if 0 < start_ms < end_ms < MAX_TIME_MS:
                found.append(TradingPause(start_ms // 1000, -(-end_ms // 1000)))
    return tuple(found)
