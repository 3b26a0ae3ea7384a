"""Decode replies that hold something odd: one odd item of a list costs that item, never the list.

docs/kalshi-api.md, section 24.

A reply without faults is decoded whole, which is fast. Any other is decoded item by item: a null where a value may be
missing counts as missing, an odd value that can be spared costs itself, and an item that still cannot be read is left
out. What was lost is reported.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, TypeVar, cast

import msgspec
from msgspec import Raw, Struct, inspect as shapes

from kalshi_tui.kalshi import wire
from kalshi_tui.kalshi.lists import LeftOut
from kalshi_tui.kalshi.translate import MAX_ID_LENGTH, UNREADABLE_FIELD, clean
from kalshi_tui.kalshi.wire import DecodeError
from kalshi_tui.kalshi.wire.repair import decode_values, without_faults

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _ItemList:
    """A field with a list whose items may be left out; ``what`` names an item, empty if nobody needs it."""

    field: str
    kind: type[Struct]
    what: str
    keys: tuple[str, ...]
    """The fields that may hold an item's own name."""


_MARKETS: Final = _ItemList("markets", wire.Market, "market", ("ticker",))
LISTS: Final[dict[type[Struct], tuple[_ItemList, ...]]] = {
    wire.MarketsReply: (_MARKETS,),
    wire.Event: (_MARKETS,),
    wire.EventReply: (_MARKETS,),
    wire.EventsReply: (_ItemList("events", wire.Event, "event", ("event_ticker",)),),
    wire.ComboCollectionsReply: (
        _ItemList("multivariate_contracts", wire.ComboCollection, "collection", ("collection_ticker",)),
    ),
    wire.OrderbooksReply: (_ItemList("orderbooks", wire.MarketOrderbook, "book", ("ticker",)),),
    wire.TradesReply: (_ItemList("trades", wire.Trade, "trade", ("trade_id",)),),
    wire.CandlesticksReply: (_ItemList("candlesticks", wire.Candlestick, "candle", ("end_period_ts",)),),
    wire.ArchivedCandlesticksReply: (
        _ItemList("candlesticks", wire.ArchivedCandlestick, "candle", ("end_period_ts",)),
    ),
    wire.MarketCandlesticks: (_ItemList("candlesticks", wire.Candlestick, "candle", ("end_period_ts",)),),
    wire.BatchCandlesticksReply: (_ItemList("markets", wire.MarketCandlesticks, "history", ("market_ticker",)),),
    wire.OrdersReply: (_ItemList("orders", wire.Order, "order", ("order_id",)),),
    wire.FillsReply: (_ItemList("fills", wire.Fill, "fill", ("trade_id",)),),
    wire.PositionsReply: (
        _ItemList("market_positions", wire.MarketPosition, "position", ("ticker",)),
        _ItemList("event_positions", wire.EventPosition, "", ("event_ticker",)),
    ),
    wire.SettlementsReply: (_ItemList("settlements", wire.Settlement, "settlement", ("ticker",)),),
    wire.QueuePositionsReply: (_ItemList("queue_positions", wire.QueuePosition, "queue place", ("order_id",)),),
    wire.ApiKeysReply: (_ItemList("api_keys", wire.ApiKey, "", ("api_key_id",)),),
    wire.SeriesListReply: (_ItemList("series", wire.Series, "series", ("ticker",)),),
    wire.SeriesFeeChangesReply: (
        _ItemList("series_fee_change_arr", wire.SeriesFeeChange, "fee change", ("series_ticker",)),
    ),
    wire.EventFeeChangesReply: (_ItemList("event_fee_changes", wire.EventFeeChange, "fee change", ("event_ticker",)),),
    wire.SubaccountBalancesReply: (
        _ItemList("subaccount_balances", wire.SubaccountBalance, "balance", ("subaccount_number",)),
    ),
    wire.SubaccountTransfersReply: (_ItemList("transfers", wire.SubaccountTransfer, "transfer", ("transfer_id",)),),
    wire.ShardTransfersReply: (_ItemList("transfers", wire.ShardTransfer, "transfer", ("transfer_id",)),),
    wire.OrderGroupsReply: (_ItemList("order_groups", wire.OrderGroup, "order group", ("id",)),),
    wire.VolumeProgressReply: (_ItemList("volume_progress", wire.VolumeProgress, "", ("computed_ts",)),),
    wire.AccountLimitsReply: (_ItemList("grants", wire.UsageGrant, "", ("source",)),),
}
"""The lists whose items stand for themselves. An item of any other list is never left out: a price grid or a book
without one of its parts would be a different one, and a batch's reply has one outcome for each order."""
_ITEM_KINDS: Final = {each.kind: each for lists in LISTS.values() for each in lists}


def decode_reply(data: bytes, kind: type[T], left_out: list[LeftOut]) -> T:
    """Decode a reply; items that have to be left out are added to ``left_out``. Raises DecodeError."""
    try:
        return wire.decode(data, kind)
    except DecodeError as error:
        try:
            return cast("T", _decode_by_item(data, cast("type[Struct]", kind), left_out))
        except _DECODE_ERRORS:
            # The first error says more than that of the part that was repaired.
            raise error from None


_DECODE_ERRORS: Final = (DecodeError, ValueError, RecursionError)
"""What msgspec and json raise for text that they cannot read; UnicodeError is a ValueError."""


def _decode_by_item(data: bytes, kind: type[Struct], left_out: list[LeftOut]) -> Struct:
    fields = wire.decode(data, dict[str, Raw])
    read: dict[str, list[Any]] = {}
    lost: list[LeftOut] = []
    for each in LISTS.get(kind, ()):
        if each.field not in fields or bytes(fields[each.field]) == b"null":
            continue
        items = wire.decode(bytes(fields[each.field]), list[Raw])
        fields[each.field] = Raw(b"[]")
        read[each.field] = _read_items(each, items, _read_raw, lost)
    rest = _repair(decode_values(wire.encode(fields)), kind, lost)
    left_out.extend(lost)
    whole: Struct = msgspec.structs.replace(rest, **read)
    return whole


def _read_items(each: _ItemList, items: Iterable[Any], read: Callable[[Any, _ItemList, list[LeftOut]], Any],
           lost: list[LeftOut]) -> list[Any]:  # fmt: skip
    found = []
    for item in items:
        inner: list[LeftOut] = []
        try:
            found.append(read(item, each, inner))
        except _DECODE_ERRORS as error:
            if each.what:
                lost.append(LeftOut(each.what, _name_of(item, each.keys), clean(str(error))))
        else:
            lost.extend(inner)
    return found


def _read_raw(item: Raw, each: _ItemList, lost: list[LeftOut]) -> Any:
    data = bytes(item)
    try:
        return wire.decode(data, each.kind)
    except DecodeError as error:
        try:
            return _repair(decode_values(data), each.kind, lost)
        except msgspec.ValidationError:
            raise
        except _DECODE_ERRORS:
            raise error from None


def _read_value(value: Any, each: _ItemList, lost: list[LeftOut]) -> Any:
    return _repair(value, each.kind, lost)


def _name_of(item: Any, keys: Iterable[str]) -> str:
    """Return the name of an item that cannot be read, empty if that cannot be read either."""
    try:
        value = decode_values(bytes(item)) if isinstance(item, Raw) else item
    except _DECODE_ERRORS:
        return ""
    names = (value.get(key) for key in keys) if isinstance(value, dict) else ()
    return next((clean(str(name), MAX_ID_LENGTH) for name in names if isinstance(name, str | int)), "")


def _repair(value: Any, kind: type[Struct], lost: list[LeftOut]) -> Any:
    """Convert values to a struct, without what it can do without. Raises msgspec.ValidationError."""
    if not isinstance(value, dict):
        return msgspec.convert(value, kind)
    given = dict(value)
    read: dict[str, Any] = {}
    odd: list[str] = []
    for each in LISTS.get(kind, ()):
        if isinstance(items := given.get(each.field), list):
            read[each.field] = _read_items(each, items, _read_value, lost)
            given[each.field] = []
    for name, inner in _with_lists(kind):
        if isinstance(within := given.get(name), dict):
            read[name] = _repair(within, inner, lost)
            given[name] = within | {each.field: [] for each in LISTS[inner] if each.field in within}
    made = msgspec.convert(without_faults(given, kind, odd), kind)
    if odd:
        item = _ITEM_KINDS.get(kind)
        what, named = (item.what, _name_of(value, item.keys)) if item is not None else ("", "")
        lost.extend(LeftOut(what or "reply", named, UNREADABLE_FIELD, each) for each in odd)
    return msgspec.structs.replace(made, **read) if read else made


@lru_cache(maxsize=256)
def _with_lists(kind: type[Struct]) -> tuple[tuple[str, type[Struct]], ...]:
    """Return the fields of a struct that hold another struct with lists of `LISTS`."""
    shape = shapes.type_info(kind)
    fields = shape.fields if isinstance(shape, shapes.StructType) else ()
    inner = ((each.encode_name, each.type.cls) for each in fields if isinstance(each.type, shapes.StructType))
    return tuple((name, cls) for name, cls in inner if cls in LISTS)
