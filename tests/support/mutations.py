"""Faulty variants of replies and frames: one field at a time null, absent, of another type, out of range.

The samples have every field of the wire's structs, and those of the official specification where that is at hand.
"""

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import msgspec
import yaml
from msgspec import Struct, inspect as shapes

from kalshi_tui.kalshi import wire

SPEC: Final = Path(__file__).resolve().parents[2].parent / "shared" / "kalshi-spec" / "openapi.yaml"


class Absent:
    """Stands for the value of a field that is not there."""

    def __repr__(self) -> str:
        return "absent"


ABSENT: Final = Absent()
OTHER_TYPES: Final[tuple[Any, ...]] = (7, 1.5, True, "x", [], {}, [None], {"a": None})
OUT_OF_RANGE: Final = ("", "-1.00", "NaN", "1e999", "9" * 60, -1, 10**30, 2**63)
VALUES: Final[dict[str, Any]] = {
    "ticker": "KXWIN-26-A", "market_ticker": "KXWIN-26-A", "event_ticker": "KXWIN-26", "series_ticker": "KXWIN",
    "status": "active", "result": "yes", "market_result": "yes", "market_type": "binary", "book_side": "bid",
    "side": "yes", "action": "buy", "outcome_side": "yes", "purchased_side": "yes", "taker_side": "yes",
    "taker_outcome_side": "yes", "taker_book_side": "bid", "price_level_structure": "linear_cent",
    "settlement_bounds_type": "default", "type": "limit", "strike_type": "greater", "fee_type_override": "quadratic",
    "fee_type": "quadratic", "fee_multiplier": 1,
    "fee_multiplier_override": 1, "floor_strike": 1.5, "cap_strike": 2.5, "custom_strike": {"a": "b"},
    "product_metadata": {"a": "b"}, "additional_metadata": {"a": "b"}, "event_type": "activated",
    "price_ranges": [{"start": "0.0000", "end": "1.0000", "step": "0.0100"}], "fee_cost": "0.010000",
    "order_id": "o-1", "trade_id": "t-1", "fill_id": "t-1", "client_order_id": "c-1",
    "settlement_sources": [{"name": "AP", "url": "https://ap.test"}], "ts": 1_787_043_600,
    "settlement_value": "1.0000", "subaccount": 0, "subaccount_number": 0, "exchange_index": 0, "value": 100,
    "revenue": 300, "volume": "3.00", "open_interest": "3.00",
}  # fmt: skip
TIMES: Final = ("_time", "_datetime", "_timestamp", "_ts", "_date")
BARS: Final = frozenset({"open", "low", "high", "close", "mean", "previous"})


def sample(kind: type[Struct], spec_schema: str = "") -> dict[str, Any]:
    """Return an object of a kind with a fitting value in every field, also in those that only the spec has."""
    shape = shapes.type_info(kind)
    assert isinstance(shape, shapes.StructType)
    made = {each.encode_name: _value(each.encode_name, each.type) for each in shape.fields}
    if spec_schema and SPEC.exists():
        schemas = yaml.load(SPEC.read_text(), yaml.CSafeLoader)["components"]["schemas"]
        for name in schemas[spec_schema]["properties"]:
            made.setdefault(name, "something")
    return made


def _value(name: str, shape: shapes.Type) -> Any:
    if name in VALUES:
        return copy.deepcopy(VALUES[name])
    options = shape.types if isinstance(shape, shapes.UnionType) else (shape,)
    if name == "strike_date" and any(isinstance(each, shapes.IntType) for each in options):
        return 1_786_085_188
    for each in options:
        if isinstance(each, shapes.StructType):
            return {field.encode_name: _value(field.encode_name, field.type) for field in each.fields}
        if isinstance(each, shapes.ListType):
            return []
        if isinstance(each, shapes.BoolType):
            return True
        if isinstance(each, shapes.IntType):
            return 1_786_085_188_000 if name.endswith("ts_ms") else 1_786_085_188 if "ts" in name else 60
    if name.endswith("_dollars") or name in BARS:
        return "0.4200"
    if name.endswith("_fp"):
        return "3.00"
    if name.endswith(TIMES):
        return "2026-08-18T09:00:00Z"
    return "words"


def variants(item: dict[str, Any]) -> Iterator[tuple[str, Any, dict[str, Any]]]:
    """Yield an item with one thing wrong: the path of the field, its value (`ABSENT` for none), the item."""
    for path in _paths(item):
        for value in (ABSENT, None, *OTHER_TYPES, *OUT_OF_RANGE):
            spoilt = copy.deepcopy(item)
            inner: Any = spoilt
            for part in path[:-1]:
                inner = inner[part]
            if value is ABSENT:
                del inner[path[-1]]
            elif inner[path[-1]] == value and type(inner[path[-1]]) is type(value):
                continue
            else:
                inner[path[-1]] = value
            yield ".".join(map(str, path)), value, spoilt


def _paths(value: Any, before: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, inner in inside:
        yield (*before, name)
        if len(before) < 3:
            yield from _paths(inner, (*before, name))


def fits(value: Any, kind: type[Struct], path: str) -> bool:
    """Return whether a value is one that the field may have: then the exchange may have meant it."""
    if value is ABSENT:
        # A list that is an item shorter is one that the exchange may have meant.
        return path.rpartition(".")[2].isdigit()
    shape: Any = shapes.type_info(kind)
    last: Any = None
    for part in path.split("."):
        options = shape.types if isinstance(shape, shapes.UnionType) else (shape,)
        struct = next((each for each in options if isinstance(each, shapes.StructType)), None)
        if struct is None:
            return True
        field = next((each for each in struct.fields if each.encode_name == part), None)
        if field is None:
            return True
        shape, real = field.type, struct.cls
        hints = {each.encode_name: each.type for each in msgspec.structs.fields(real)}
        last = hints[part]
    try:
        msgspec.convert(value, last)
    except msgspec.ValidationError:
        return False
    return value is not None


REST_KINDS: Final = (
    ("markets", "markets", wire.Market, "Market"),
    ("events", "events", wire.Event, "EventData"),
    ("orders", "orders", wire.Order, "Order"),
    ("fills", "fills", wire.Fill, "Fill"),
    ("positions", "market_positions", wire.MarketPosition, "MarketPosition"),
    ("settlements", "settlements", wire.Settlement, "Settlement"),
    ("trades", "trades", wire.Trade, "Trade"),
    ("candles", "candlesticks", wire.Candlestick, "MarketCandlestick"),
    ("series fee changes", "series_fee_change_arr", wire.SeriesFeeChange, "SeriesFeeChange"),
    ("event fee changes", "event_fee_changes", wire.EventFeeChange, "EventFeeChange"),
    ("archived candles", "candlesticks", wire.ArchivedCandlestick, ""),
)
"""A name, the field of the reply with the items, their struct, and their name in the specification."""
