"""Read replies that hold something odd: one odd item of a list costs that item, never the list.

See docs/kalshi-api.md, section 24.

A reply that is as it should be is decoded whole, which is fast. Any other is read item by item: a null where a value
may be missing counts as missing, and an item that still cannot be read is left out, and told.
"""

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final, TypeVar, cast

import msgspec
from msgspec import Raw, Struct, inspect as shapes

from kalshi_tui.kalshi import wire
from kalshi_tui.kalshi.translate import MAX_ID_LENGTH, clean
from kalshi_tui.kalshi.wire import DecodeError

T = TypeVar("T")

NAMED: Final = 3
"""How many items that were left out are named in a sentence."""


@dataclass(frozen=True, slots=True)
class LeftOut:
    """An item of a reply that could not be read: what it is, its ticker or id as far as that can be read, and why."""

    what: str
    name: str
    why: str

    def __str__(self) -> str:
        return f"{self.what} {self.name or '(without a name)'}: {self.why}"


class Read(list[T]):
    """A list that was read. Only one that is ``whole`` proves that what is not in it does not exist."""

    left_out: Sequence[LeftOut] = ()
    """Items that could not be read."""
    broken_off: bool = False
    """The exchange gave the same cursor twice, so that further pages may not have been read."""

    @property
    def whole(self) -> bool:
        """Whether every item of every page has been read."""
        return not self.left_out and not self.broken_off


@dataclass(frozen=True, slots=True)
class _List:
    """A field with a list of which an item may be left out. ``what`` is an item's name, empty if nobody needs it."""

    field: str
    kind: type[Struct]
    what: str
    keys: tuple[str, ...]
    """Where an item's own name stands."""


_MARKETS: Final = _List("markets", wire.Market, "market", ("ticker",))
LISTS: Final[dict[type[Struct], tuple[_List, ...]]] = {
    wire.MarketsReply: (_MARKETS,),
    wire.Event: (_MARKETS,),
    wire.EventReply: (_MARKETS,),
    wire.EventsReply: (_List("events", wire.Event, "event", ("event_ticker",)),),
    wire.SeriesListReply: (_List("series", wire.Series, "series", ("ticker",)),),
    wire.OrderbooksReply: (_List("orderbooks", wire.MarketOrderbook, "book", ("ticker",)),),
    wire.TradesReply: (_List("trades", wire.Trade, "trade", ("trade_id",)),),
    wire.CandlesticksReply: (_List("candlesticks", wire.Candlestick, "candle", ("end_period_ts",)),),
    wire.MarketCandlesticks: (_List("candlesticks", wire.Candlestick, "candle", ("end_period_ts",)),),
    wire.BatchCandlesticksReply: (_List("markets", wire.MarketCandlesticks, "history", ("market_ticker",)),),
    wire.OrdersReply: (_List("orders", wire.Order, "order", ("order_id",)),),
    wire.FillsReply: (_List("fills", wire.Fill, "fill", ("trade_id",)),),
    wire.PositionsReply: (
        _List("market_positions", wire.MarketPosition, "position", ("ticker",)),
        _List("event_positions", wire.EventPosition, "", ("event_ticker",)),
    ),
    wire.SettlementsReply: (_List("settlements", wire.Settlement, "settlement", ("ticker",)),),
    wire.QueuePositionsReply: (_List("queue_positions", wire.QueuePosition, "queue place", ("order_id",)),),
    wire.OrderGroupsReply: (_List("order_groups", wire.OrderGroup, "order group", ("id",)),),
    wire.ApiKeysReply: (_List("api_keys", wire.ApiKey, "", ("api_key_id",)),),
    wire.AccountLimitsReply: (_List("grants", wire.UsageGrant, "", ("source",)),),
    wire.EndpointCostsReply: (_List("endpoint_costs", wire.EndpointCost, "endpoint cost", ("path",)),),
}
"""Every list of a reply whose items stand for themselves. In no other list may an item be left out: a price grid or a
book without one of its parts would be another one, and a batch's answer has one outcome for each order."""


def decode(data: bytes, kind: type[T], left_out: list[LeftOut]) -> T:
    """Read a reply; what has to be left out is added to ``left_out``. Raises DecodeError if nothing can be read."""
    try:
        return wire.decode(data, kind)
    except DecodeError as error:
        try:
            return cast("T", _by_item(data, cast("type[Struct]", kind), left_out))
        except _FAULTS:
            # What was wrong at first says more than what is wrong with the part that could be mended.
            raise error from None


_FAULTS: Final = (DecodeError, ValueError, RecursionError)
"""What msgspec and json raise for what they cannot read; UnicodeError is a ValueError."""


def _by_item(data: bytes, kind: type[Struct], left_out: list[LeftOut]) -> Struct:
    fields = wire.decode(data, dict[str, Raw])
    read: dict[str, list[Any]] = {}
    lost: list[LeftOut] = []
    for each in LISTS.get(kind, ()):
        if each.field not in fields or bytes(fields[each.field]) == b"null":
            continue
        items = wire.decode(bytes(fields[each.field]), list[Raw])
        fields[each.field] = Raw(b"[]")
        read[each.field] = _items(each, items, _read_raw, lost)
    rest = _mended(_values(wire.encode(fields)), kind, lost)
    left_out.extend(lost)
    whole: Struct = msgspec.structs.replace(rest, **read)
    return whole


def _items(each: _List, items: Iterable[Any], read: Callable[[Any, _List, list[LeftOut]], Any],
           lost: list[LeftOut]) -> list[Any]:  # fmt: skip
    found = []
    for item in items:
        inner: list[LeftOut] = []
        try:
            found.append(read(item, each, inner))
        except _FAULTS as error:
            if each.what:
                lost.append(LeftOut(each.what, _name(item, each.keys), clean(str(error))))
        else:
            lost.extend(inner)
    return found


def _read_raw(item: Raw, each: _List, lost: list[LeftOut]) -> Any:
    data = bytes(item)
    try:
        return wire.decode(data, each.kind)
    except DecodeError as error:
        try:
            return _mended(_values(data), each.kind, lost)
        except msgspec.ValidationError:
            raise
        except _FAULTS:
            raise error from None


def _read_value(value: Any, each: _List, lost: list[LeftOut]) -> Any:
    return _mended(value, each.kind, lost)


def _name(item: Any, keys: Iterable[str]) -> str:
    """Find the name of an item that cannot be read, if at least that can be."""
    try:
        value = _values(bytes(item)) if isinstance(item, Raw) else item
    except _FAULTS:
        return ""
    names = (value.get(key) for key in keys) if isinstance(value, dict) else ()
    return next((clean(str(name), MAX_ID_LENGTH) for name in names if isinstance(name, str | int)), "")


def _values(data: bytes) -> Any:
    """Read JSON as plain values. No number becomes a float."""
    return json.loads(data, parse_float=Decimal)


def _mended(value: Any, kind: type[Struct], lost: list[LeftOut]) -> Any:
    """Read values as a struct, nulls where a value may be missing left out. Raises msgspec.ValidationError."""
    if not isinstance(value, dict):
        return msgspec.convert(value, kind)
    given = dict(value)
    read: dict[str, Any] = {}
    for each in LISTS.get(kind, ()):
        if isinstance(items := given.get(each.field), list):
            read[each.field] = _items(each, items, _read_value, lost)
            given[each.field] = []
    for name, inner in _with_lists(kind):
        if isinstance(within := given.get(name), dict):
            read[name] = _mended(within, inner, lost)
            given[name] = within | {each.field: [] for each in LISTS[inner] if each.field in within}
    made = msgspec.convert(_without_nulls(given, _shape(kind)), kind)
    return msgspec.structs.replace(made, **read) if read else made


@lru_cache(maxsize=256)
def _with_lists(kind: type[Struct]) -> tuple[tuple[str, type[Struct]], ...]:
    """Return the fields of a struct that hold another one with lists in it."""
    shape = _shape(kind)
    fields = shape.fields if isinstance(shape, shapes.StructType) else ()
    inner = ((each.encode_name, each.type.cls) for each in fields if isinstance(each.type, shapes.StructType))
    return tuple((name, cls) for name, cls in inner if cls in LISTS)


@lru_cache(maxsize=256)
def _shape(kind: type[Struct]) -> shapes.Type:
    return shapes.type_info(kind)


def _without_nulls(value: Any, shape: shapes.Type) -> Any:
    """Leave out each null that stands where a value may be missing but not null, at any depth."""
    options = shape.types if isinstance(shape, shapes.UnionType) else (shape,)
    if isinstance(value, dict):
        struct = next((each for each in options if isinstance(each, shapes.StructType)), None)
        if struct is None:
            return value
        left = dict(value)
        for field in struct.fields:
            if field.encode_name not in left:
                continue
            inner = left[field.encode_name]
            if inner is None and not field.required and not _takes_null(field.type):
                del left[field.encode_name]
            elif isinstance(inner, dict | list):
                left[field.encode_name] = _without_nulls(inner, field.type)
        return left
    if isinstance(value, list):
        inside = next((each for each in options if isinstance(each, shapes.ListType)), None)
        return value if inside is None else [_without_nulls(each, inside.item_type) for each in value]
    return value


def _takes_null(shape: shapes.Type) -> bool:
    options = shape.types if isinstance(shape, shapes.UnionType) else (shape,)
    return any(isinstance(each, shapes.NoneType | shapes.AnyType) for each in options)


def left_out_words(items: Sequence[LeftOut]) -> str:
    """Say in a sentence what was left out of a list: how many of each kind, and the first of them with the reason."""
    counts: dict[str, int] = {}
    for each in items:
        counts[each.what] = counts.get(each.what, 0) + 1
    many = ", ".join(_many(count, what) for what, count in counts.items())
    named = "; ".join(f"{each.name or 'one without a name'} ({each.why})" for each in items[:NAMED])
    more = f"; and {len(items) - NAMED} more" if len(items) > NAMED else ""
    one = len(items) == 1
    return f"{many} could not be read and {'is' if one else 'are'} left out: {named}{more}."


def _many(count: int, what: str) -> str:
    return f"1 {what}" if count == 1 else f"{count:,} {what if what == 'series' else plural(what)}"


def plural(what: str) -> str:
    """Return the plural of an item's name."""
    return f"{what[:-1]}ies" if what.endswith("y") else f"{what}s"
