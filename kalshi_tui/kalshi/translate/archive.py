"""Translate the cut-offs of the archive (docs/kalshi-api.md, section 15)."""

from kalshi_tui.kalshi import wire
from kalshi_tui.kalshi.replies import ArchiveCutoffs
from kalshi_tui.kalshi.translate.numbers import parse_time_ms


def archive_cutoffs(source: wire.HistoricalCutoffReply) -> ArchiveCutoffs:
    """Translate the cut-offs; one that is missing is not known. Raises TranslationError."""

    def parse(text: wire.NullableText) -> int | None:
        return parse_time_ms(text) if text else None

    return ArchiveCutoffs(
        orders_ms=parse(source.orders_updated_ts),
        trades_ms=parse(source.trades_created_ts),
        markets_ms=parse(source.market_settled_ts),
        positions_ms=parse(source.market_positions_last_updated_ts),
    )
