"""Convert JSON that does not fit a struct: nulls and odd values of fields that can be spared count as absent.

docs/kalshi-api.md, section 24. A field that matters (ticker, price, count, status, side, money) is never spared: where
it cannot be read, the object cannot be read either.
"""

import json
from collections.abc import Mapping
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final, TypeVar

import msgspec
from msgspec import Struct, inspect as shapes

from kalshi_tui.kalshi.wire import archive, frames, markets, orders, portfolio
from kalshi_tui.kalshi.wire.codec import DecodeError, decode_frame

S = TypeVar("S", bound=Struct)

_MARKET_FIELDS: Final = frozenset({
    "market_type", "title", "subtitle", "yes_sub_title", "no_sub_title", "created_time", "updated_time", "open_time",
    "expected_expiration_time", "expiration_time", "latest_expiration_time", "settlement_timer_seconds",
    "last_price_dollars", "previous_yes_bid_dollars", "previous_yes_ask_dollars", "previous_price_dollars",
    "no_bid_dollars", "no_ask_dollars", "notional_value_dollars", "can_close_early", "settlement_ts",
    "expiration_value", "occurrence_datetime", "fee_waiver_expiration_time", "early_close_condition", "strike_type",
    "floor_strike", "cap_strike", "functional_strike", "custom_strike", "rules_primary", "rules_secondary",
    "mve_collection_ticker", "primary_participant_key", "is_provisional",
})  # fmt: skip
SPARE_FIELDS: Final[Mapping[type[Struct], frozenset[str]]] = {
    markets.Market: _MARKET_FIELDS,
    markets.Event: frozenset({
        "title", "sub_title", "collateral_return_type", "category", "strike_date", "strike_period",
        "product_metadata", "settlement_sources", "last_updated_ts",
    }),
    markets.Series: frozenset({
        "frequency", "title", "category", "categories", "tags", "settlement_sources", "contract_url",
        "contract_terms_url", "product_metadata", "additional_prohibitions", "volume_fp", "last_updated_ts",
    }),
    markets.SeriesFeeChange: frozenset({"id"}),
    markets.EventFeeChange: frozenset({"id"}),
    markets.Trade: frozenset({"no_price_dollars", "is_block_trade"}),
    markets.QuoteBar: frozenset({"open_dollars", "low_dollars", "high_dollars"}),
    markets.PriceBar: frozenset({"mean_dollars", "previous_dollars", "min_dollars", "max_dollars"}),
    archive.ArchivedQuoteBar: frozenset({"open", "low", "high"}),
    archive.ArchivedPriceBar: frozenset({"mean", "previous"}),
    orders.Order: frozenset({
        "user_id", "side", "action", "outcome_side", "type", "no_price_dollars", "created_time",
        "self_trade_prevention_type", "cancel_order_on_pause",
    }),
    portfolio.MarketPosition: frozenset({"resting_orders_count", "last_updated_ts"}),
    portfolio.PositionsReply: frozenset({"event_positions"}),
    portfolio.Fill: frozenset({"fill_id", "side", "action", "outcome_side", "no_price_dollars"}),
    portfolio.Settlement: frozenset({"event_ticker"}),
    frames.DeltaFrame: frozenset({"sending_ts_ms"}),
    frames.DeltaMsg: frozenset({"ts_ms"}),
    frames.SnapshotFrame: frozenset({"sending_ts_ms"}),
    frames.SnapshotMsg: frozenset({"market_id"}),
    frames.TickerFrame: frozenset({"id", "sending_ts_ms"}),
    frames.TickerMsg: frozenset({"price_dollars", "last_trade_size_fp", "dollar_volume"}),
    frames.TradeFrame: frozenset({"sending_ts_ms"}),
    frames.TradeMsg: frozenset({"no_price_dollars", "is_block_trade", "ts"}),
    frames.FillFrame: frozenset({"sending_ts_ms"}),
    frames.FillMsg: frozenset({"side", "action", "purchased_side", "outcome_side", "exchange_index", "ts"}),
    frames.UserOrderFrame: frozenset({"sending_ts_ms"}),
    frames.UserOrderMsg: frozenset({
        "user_id", "side", "is_yes", "outcome_side", "self_trade_prevention_type", "created_time", "created_ts_ms",
        "last_update_reason",
    }),
    frames.MarketPositionFrame: frozenset({"sending_ts_ms"}),
    frames.MarketPositionMsg: frozenset({"user_id", "volume_fp"}),
    frames.LifecycleMsg: frozenset({
        "exchange_index", "open_ts", "close_ts", "result", "determination_ts", "settlement_value", "settled_ts",
        "is_deactivated", "price_level_structure", "price_ranges", "strike_type", "floor_strike", "cap_strike",
        "yes_sub_title", "additional_metadata",
    }),
    frames.EventLifecycleMsg: frozenset({
        "exchange_index", "title", "subtitle", "collateral_return_type", "series_ticker", "strike_date",
        "strike_period",
    }),
    frames.OrderGroupMsg: frozenset({"contracts_limit_fp", "ts_ms"}),
}  # fmt: skip
"""The fields that an object can do without: one that cannot be read costs itself, and not the object."""
SPARE_NUMBERS: Final[Mapping[type[Struct], tuple[str, ...]]] = {
    markets.Market: ("last_price_dollars", "previous_price_dollars", "open_time"),
    orders.Order: ("created_time",),
    frames.UserOrderMsg: ("created_time",),
    frames.TickerMsg: ("price_dollars", "last_trade_size_fp"),
}
"""The spare fields whose text is read as a number or a time only later, when the object is translated."""
_FRAME_KINDS: Final[Mapping[str, type[Struct]]] = {
    str(kind.__struct_config__.tag): kind for kind in frames.Frame.__args__
}


def decode_values(data: bytes | str) -> Any:
    """Decode JSON as plain values. No number becomes a float. Raises ValueError or RecursionError."""
    return json.loads(data, parse_float=Decimal)


def without_faults(value: Any, kind: type[Struct], dropped: list[str]) -> Any:
    """Return values without what a struct of this kind can do without, at any depth.

    These are the nulls of fields that may be missing but not null, and spare fields of a wrong type. The names of the
    latter are added to ``dropped``: a null is an absent value, and nothing is lost with it.
    """
    return _without_faults(value, _shape(kind), dropped)


def convert(value: Any, kind: type[S], dropped: list[str]) -> S:
    """Convert values to a struct `without_faults`. Raises msgspec.ValidationError."""
    return msgspec.convert(without_faults(value, kind, dropped), kind)


def decode_frame_without_faults(data: bytes | str) -> frames.Frame:
    """Decode a frame, without what it can do without if it does not fit otherwise. Raises DecodeError."""
    try:
        return decode_frame(data)
    except (DecodeError, UnicodeError, RecursionError) as error:
        repaired = repair_frame(data)
        if repaired is None:
            raise DecodeError("the frame cannot be read") from error
        return decode_frame(repaired[0])


def repair_frame(data: bytes | str) -> tuple[bytes, list[str]] | None:
    """Return a frame `without_faults` as JSON, with the names of its odd fields; None if that does not make it good.

    Raises nothing.
    """
    try:
        values = decode_values(data)
        kind = _FRAME_KINDS[values["type"]]
        dropped: list[str] = []
        good = without_faults(values, kind, dropped)
        msgspec.convert(good, kind)
        return _encoder.encode(good), dropped
    except (KeyError, TypeError, ValueError, RecursionError, OverflowError):
        return None


_encoder: Final = msgspec.json.Encoder(decimal_format="number")


@lru_cache(maxsize=256)
def _shape(kind: type[Struct]) -> shapes.Type:
    return shapes.type_info(kind)


@lru_cache(maxsize=256)
def _spare_types(kind: type[Struct]) -> Mapping[str, Any]:
    """Return the types of a struct's spare fields, also of those that it inherits, by name."""
    names = frozenset().union(*(SPARE_FIELDS.get(base, frozenset()) for base in kind.__mro__))
    return {each.encode_name: each.type for each in msgspec.structs.fields(kind) if each.name in names}


def _without_faults(value: Any, shape: shapes.Type, dropped: list[str]) -> Any:
    options = shape.types if isinstance(shape, shapes.UnionType) else (shape,)
    if isinstance(value, dict):
        struct = next((each for each in options if isinstance(each, shapes.StructType)), None)
        return value if struct is None else _without_faulty_fields(value, struct, dropped)
    if isinstance(value, list):
        inside = next((each for each in options if isinstance(each, shapes.ListType)), None)
        return value if inside is None else [_without_faults(each, inside.item_type, dropped) for each in value]
    return value


def _without_faulty_fields(value: dict[str, Any], struct: shapes.StructType, dropped: list[str]) -> dict[str, Any]:
    left = dict(value)
    spare = _spare_types(struct.cls)
    for field in struct.fields:
        name = field.encode_name
        if name not in left:
            continue
        if left[name] is None and not field.required and not _takes_null(field.type):
            del left[name]
            continue
        if isinstance(left[name], dict | list):
            left[name] = _without_faults(left[name], field.type, dropped)
        if name in spare and not field.required:
            try:
                msgspec.convert(left[name], spare[name])
            except msgspec.ValidationError:
                del left[name]
                dropped.append(name)
    return left


def _takes_null(shape: shapes.Type) -> bool:
    options = shape.types if isinstance(shape, shapes.UnionType) else (shape,)
    return any(isinstance(each, shapes.NoneType | shapes.AnyType) for each in options)
