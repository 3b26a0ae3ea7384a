"""Translate the exchange's status."""

from kalshi_tui.kalshi import wire
from kalshi_tui.kalshi.replies import ExchangeStatus, ShardStatus
from kalshi_tui.kalshi.translate.cleaning import MAX_ID_LENGTH, clean
from kalshi_tui.kalshi.translate.numbers import parse_time_ms


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
