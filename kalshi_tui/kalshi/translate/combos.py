"""Translate the collections that combos are made in (docs/kalshi-api.md, section 18)."""

from kalshi_tui.domain.combo_legs import ComboCollection
from kalshi_tui.kalshi import wire
from kalshi_tui.kalshi.translate.cleaning import MAX_ID_LENGTH, MAX_PARAGRAPH_LENGTH, clean, parse_id
from kalshi_tui.kalshi.translate.numbers import int_or_zero, parse_time_ms


def combo_collection(source: wire.ComboCollection) -> ComboCollection:
    """Translate a collection. Raises TranslationError."""
    events = source.associated_events
    return ComboCollection(
        ticker=parse_id(source.collection_ticker, "collection ticker"),
        series_ticker=clean(source.series_ticker, MAX_ID_LENGTH),
        title=clean(source.title),
        description=clean(source.description or source.functional_description, MAX_PARAGRAPH_LENGTH),
        event_tickers=tuple(
            parse_id(each.ticker, "event ticker") for each in (events if isinstance(events, list) else ())
        ),
        size_min=source.size_min if isinstance(source.size_min, int) else None,
        # The exchange sends 0 where there is no most.
        size_max=source.size_max if isinstance(source.size_max, int) and source.size_max > 0 else None,
        is_ordered=source.is_ordered,
        open_ms=parse_time_ms(source.open_date),
        close_ms=parse_time_ms(source.close_date),
        exchange_index=int_or_zero(source.exchange_index),
    )
