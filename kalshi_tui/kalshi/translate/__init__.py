"""Translate the exchange's words and texts into the domain: pure functions, one module a noun.

Texts for people are cleaned here, at the one place where they come in, and never raise. A number that is not one, or a
word that decides something and is not known, raises `TranslationError`. Field names and rules: docs/kalshi-api.md,
sections 3 to 8.
"""

from kalshi_tui.kalshi.translate.account import limits
from kalshi_tui.kalshi.translate.archive import archive_cutoffs
from kalshi_tui.kalshi.translate.cleaning import (
    MAX_ID_LENGTH,
    MAX_LINE_LENGTH,
    MAX_PARAGRAPH_LENGTH,
    TranslationError,
    clean,
    parse_id,
    text_or_empty,
)
from kalshi_tui.kalshi.translate.combos import combo_collection
from kalshi_tui.kalshi.translate.exchange import announced_pauses, exchange_status
from kalshi_tui.kalshi.translate.markets import (
    event,
    event_fee_change,
    event_fees,
    fee_overrides,
    grid,
    market,
    series,
    series_fee_change,
)
from kalshi_tui.kalshi.translate.numbers import (
    COMPLEMENT_CACHE,
    DELTA_CACHE,
    PRICE_CACHE,
    int_or_zero,
    parse_and_cache_delta,
    parse_and_cache_price,
    parse_count_field,
    parse_levels,
    parse_money_field,
    parse_price_field,
    parse_time_ms,
)
from kalshi_tui.kalshi.translate.orders import amend_ack, batch_item, cancel_ack, order, order_ack, user_order
from kalshi_tui.kalshi.translate.portfolio import (
    balance,
    fill,
    market_position,
    position,
    rest_fill,
    settlement,
    shard_transfer,
    subaccount_balance,
    subaccount_transfer,
    target_allocation,
)
from kalshi_tui.kalshi.translate.quotes import archived_candle, candle, quote, rest_trade, trade
from kalshi_tui.kalshi.translate.spare import UNREADABLE_FIELD, SpareFieldError, translate_without_spare

__all__ = [
    "COMPLEMENT_CACHE",
    "DELTA_CACHE",
    "MAX_ID_LENGTH",
    "MAX_LINE_LENGTH",
    "MAX_PARAGRAPH_LENGTH",
    "PRICE_CACHE",
    "UNREADABLE_FIELD",
    "SpareFieldError",
    "TranslationError",
    "amend_ack",
    "announced_pauses",
    "archive_cutoffs",
    "archived_candle",
    "balance",
    "batch_item",
    "cancel_ack",
    "candle",
    "clean",
    "combo_collection",
    "event",
    "event_fee_change",
    "event_fees",
    "exchange_status",
    "fee_overrides",
    "fill",
    "grid",
    "int_or_zero",
    "limits",
    "market",
    "market_position",
    "order",
    "order_ack",
    "parse_and_cache_delta",
    "parse_and_cache_price",
    "parse_count_field",
    "parse_id",
    "parse_levels",
    "parse_money_field",
    "parse_price_field",
    "parse_time_ms",
    "position",
    "quote",
    "rest_fill",
    "rest_trade",
    "series",
    "series_fee_change",
    "settlement",
    "shard_transfer",
    "subaccount_balance",
    "subaccount_transfer",
    "target_allocation",
    "text_or_empty",
    "trade",
    "translate_without_spare",
    "user_order",
]
