"""From the exchange's words and strings to the domain: pure functions, and the one place where texts are cleaned.

A number that is not one, or a word that decides and is not known, raises `TranslationError`; a text for people never
does. Field names and rules: docs/kalshi-api.md, sections 3 to 8.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Final

from msgspec import UnsetType

from kalshi_tui.domain.candles import Candle, Settlement
from kalshi_tui.domain.fees import MAX_MULTIPLIER, MULTIPLIER_UNIT, FeeSchedule, FeeType
from kalshi_tui.domain.market import Event, Market, MarketStatus, Quote, Trade
from kalshi_tui.domain.order import BookSide, Fill, Order, OrderState
from kalshi_tui.domain.position import Balance, Position
from kalshi_tui.domain.price import (
    CENT_GRID,
    MONEY_UNIT,
    PRICE_UNIT,
    Count,
    Money,
    NumberError,
    Price,
    PriceGrid,
    PriceRange,
    parse_count,
    parse_money,
    parse_price,
    parse_signed_count,
)
from kalshi_tui.kalshi import wire
from kalshi_tui.kalshi.replies import (
    AccountLimits,
    AmendAck,
    BatchCancelResult,
    CancelAck,
    ExchangeStatus,
    OrderAck,
    SeriesTerms,
    ShardStatus,
    TokenBucket,
)

MONEY_PER_CENT: Final = MONEY_UNIT // 100
PRICE_PER_CENT: Final = PRICE_UNIT // 100
MS_PER_SECOND: Final = 1000

MAX_LINE_LENGTH: Final = 300
"""Characters kept of a text that stands on one line."""
MAX_PARAGRAPH_LENGTH: Final = 20_000
"""Characters kept of a text that may be long, the rules of a market."""
MAX_ID_LENGTH: Final = 128
"""Characters that a ticker or an id may have."""

NumberText = str | UnsetType | None


class TranslationError(ValueError):
    """A reply or frame whose content makes no sense. The message names the field and what stood in it."""


# Texts.

_ID_PATTERN: Final = re.compile(rf"[A-Za-z0-9][A-Za-z0-9._:@+~'&!$*=()-]{{0,{MAX_ID_LENGTH - 1}}}", re.ASCII)


_FIRST_REGIONAL_INDICATOR: Final = 0x1F1E6
_REGIONAL_INDICATORS: Final = range(_FIRST_REGIONAL_INDICATOR, _FIRST_REGIONAL_INDICATOR + 26)
"""Regional indicators; two of them are a flag."""
_MODIFIERS: Final = frozenset(
    (*range(0xFE00, 0xFE10), *range(0x180B, 0x1810), *range(0xE0100, 0xE01F0), *range(0x1F3FB, 0x1F400), 0x034F)
)
"""Variation selectors, skin tones, the joiner of graphemes: they alter the character before them, and its width."""
_ZERO_WIDTH_LETTERS: Final = frozenset((*range(0x115F, 0x1200), *range(0xD7B0, 0xD800), 0x3164, 0xFFA0, 0x17B4, 0x17B5))
"""Letters that have no width of their own: syllables not composed, and fillers that nobody sees. Signs of the category
Mc are like them: half of all terminals give them a cell."""


class _CleaningTable(dict[int, str]):
    """A table for `str.translate` that learns each character once: what cannot be printed is shown as U+FFFD.

    What terminals disagree about the width of is left out or replaced: a line that one cell is missing from moves all
    that stands behind it.
    """

    def __missing__(self, code: int) -> str:
        character = chr(code)
        if code in _MODIFIERS:
            clean = ""
        elif code in _REGIONAL_INDICATORS:
            clean = chr(ord("A") + code - _FIRST_REGIONAL_INDICATOR)
        elif code in _ZERO_WIDTH_LETTERS or unicodedata.category(character) == "Mc":
            clean = "\N{REPLACEMENT CHARACTER}"
        elif character.isprintable():
            clean = character
        elif character in "\n\r\t\v\f\x85" or unicodedata.category(character).startswith("Z"):
            clean = " "
        else:
            clean = "\N{REPLACEMENT CHARACTER}"
        self[code] = clean
        return clean


_cleaning_table: Final = _CleaningTable()


def clean(text: str | UnsetType | None, limit: int = MAX_LINE_LENGTH) -> str:
    """Make a text from outside fit to be shown: the one sanitizer.

    Line ends, tabs and other blanks become a space; every other character that cannot be printed (control characters,
    escapes, C1, bidi controls, zero-width ones, lone surrogates) becomes U+FFFD; what is longer than ``limit``
    characters is cut and ends with an ellipsis. What combines is composed; what terminals give different widths to
    (emoji with variations, skin tones or as flags, syllables in parts) is made plain. Nothing and null are the empty
    text. Never raises.
    """
    if not text:
        return ""
    text = _truncate(text, limit)
    if text.isascii():
        return text if text.isprintable() else text.translate(_cleaning_table)
    # Composed once more: what stood between a letter and its accent may have gone. Some letters are longer composed.
    return _truncate(unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).translate(_cleaning_table)), limit)


def _truncate(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "\N{HORIZONTAL ELLIPSIS}"


def parse_id(text: str | UnsetType | None, kind: str) -> str:
    """Take a ticker or an id as it is. Raises TranslationError unless it is plain ASCII without blanks, 1 to 128 long.

    These texts are keys and parts of paths, so they are refused rather than altered.
    """
    if not isinstance(text, str) or _ID_PATTERN.fullmatch(text) is None:
        raise TranslationError(f"{clean(text, 40)!r} is no {kind}.")
    return text


def text_or_empty(text: str | UnsetType | None) -> str:
    """Return a text, the empty one where it is absent or null."""
    return text or ""


def int_or_zero(number: int | UnsetType | None) -> int:
    """Return a number, 0 where it is absent or null."""
    return number or 0


# Times.

_TIME_PATTERN: Final = re.compile(
    r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|z|[+-]\d\d:\d\d)", re.ASCII
)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def parse_time_ms(text: NumberText) -> int:
    """Read an RFC 3339 time of 0 to 9 fractional digits as Unix milliseconds, cut not rounded.

    docs/kalshi-api.md, section 11.

    Absent, null, empty, and times before 1970 (the exchange's zero time is of the year 1) are 0.
    Raises TranslationError.
    """
    if not text:
        return 0
    found = _TIME_PATTERN.fullmatch(text)
    if found is None:
        raise TranslationError(f"{clean(text, 40)!r} is no RFC 3339 time.")
    date, clock, fraction, zone = found.groups()
    try:
        moment = datetime.fromisoformat(f"{date}T{clock}{'+00:00' if zone in 'Zz' else zone}")
        seconds = (moment - _EPOCH) // timedelta(seconds=1)
    except (ValueError, OverflowError):
        raise TranslationError(f"{clean(text, 40)!r} is no RFC 3339 time.") from None
    return max(0, seconds * MS_PER_SECOND + int((fraction or "").ljust(3, "0")[:3]))


# Numbers.


def parse_price_field(text: NumberText, field: str) -> Price:
    """Read a price in dollars. Raises TranslationError, also where it is absent."""
    return _parse_field(text, field, parse_price)


def parse_count_field(text: NumberText, field: str) -> Count:
    """Read a count, zero or more. Raises TranslationError, also where it is absent."""
    return _parse_field(text, field, parse_count)


def parse_money_field(text: NumberText, field: str, default: Money | None = None) -> Money:
    """Read dollars. Raises TranslationError; ``default`` stands for absent, null and empty if it is not None."""
    if default is not None and not text:
        return default
    return _parse_field(text, field, parse_money)


def _parse_field(text: NumberText, field: str, parse: Callable[[str], int]) -> int:
    if not isinstance(text, str):
        raise TranslationError(f"{field} is missing.")
    try:
        return parse(text)
    except NumberError as error:
        raise TranslationError(f"{field}: {clean(str(error))}") from None


_MAX_FAST_COUNT_LENGTH: Final = 15
"""Characters of a count that is surely not too long."""


def _count_or_zero(text: NumberText, field: str) -> Count:
    if not text:
        return 0
    if 3 < len(text) <= _MAX_FAST_COUNT_LENGTH and text[-3] == "." and text.isascii():
        # As the exchange writes nearly all of them; whatever else there is goes the strict way.
        digits = text[:-3] + text[-2:]
        if digits.isdecimal():
            return int(digits)
    return parse_count_field(text, field)


def _lookup_price(text: NumberText, field: str) -> Price:
    """Read a price, by a look-up where it has been seen before. Raises TranslationError."""
    known = PRICE_CACHE.get(text) if isinstance(text, str) else None
    return _parse_field(text, field, parse_and_cache_price) if known is None else known


def _trade_price_or_none(text: NumberText, field: str) -> Price | None:
    """Read a price that something traded at: absent, empty and 0 mean that nothing did."""
    return (_lookup_price(text, field) or None) if text else None


PRICE_CACHE: Final[dict[str, Price]] = {}
"""Every price text seen so far: a look-up costs a tenth of a parse. Filled by `parse_and_cache_price`."""
DELTA_CACHE: Final[dict[str, Count]] = {}
"""Signed counts seen lately, filled by `parse_and_cache_delta`."""
SIZE_CACHE: Final[dict[str | UnsetType | None, Count]] = {}
"""Counts of zero or more seen lately in quotes, filled by `_cache_size`."""
_BID_CACHE: Final[dict[str, Price | None]] = {}
_ASK_CACHE: Final[dict[str, Price | None]] = {}
_LAST_CACHE: Final[dict[str, Price | None]] = {}
"""What each price text means in its place of a quote, None for nobody or nothing."""
_PRICE_CACHE_SIZE: Final = 50_000
_DELTA_CACHE_SIZE: Final = 16_384
_SIZE_CACHE_SIZE: Final = 65_536


def parse_and_cache_price(text: str) -> Price:
    """Parse a price strictly and remember it in `PRICES`. Raises NumberError."""
    price = parse_price(text)
    if len(PRICE_CACHE) >= _PRICE_CACHE_SIZE:
        PRICE_CACHE.clear()
    PRICE_CACHE[text] = price
    return price


def parse_and_cache_delta(text: str) -> Count:
    """Parse a signed count strictly and remember it in `DELTA_CACHE`. Raises NumberError.

    The usual shape, two decimals, is checked and converted whole; every other goes to the full parser.
    """
    digits = text.replace(".", "", 1)
    if (
        4 <= len(text) <= 17
        and text[-3] == "."
        and digits.isascii()
        and (digits.isdecimal() or (digits[0] == "-" and len(digits) > 3 and digits[1:].isdecimal()))
    ):
        count = int(digits)
    else:
        count = parse_signed_count(text)
    if len(DELTA_CACHE) >= _DELTA_CACHE_SIZE:
        DELTA_CACHE.clear()
    DELTA_CACHE[text] = count
    return count


def parse_levels(levels: wire.Levels | UnsetType | None) -> list[tuple[Price, Count]]:
    """Read a side of a book; absent and null are empty. Raises NumberError."""
    if not levels:
        return []
    prices = PRICE_CACHE
    return [
        (prices[price] if price in prices else parse_and_cache_price(price), _parse_snapshot_count(count))
        for price, count in levels
    ]


def _parse_snapshot_count(text: str) -> Count:
    count = DELTA_CACHE.get(text)
    if count is None:
        count = parse_and_cache_delta(text)
    if count < 0:
        raise NumberError(f"{clean(text, 40)!r} is not a count of contracts.")
    return count


# Markets.


@lru_cache(maxsize=1024)
def _build_grid(ranges: tuple[tuple[str, str, str], ...]) -> PriceGrid:
    return PriceGrid(PriceRange(parse_price(start), parse_price(end), parse_price(step)) for start, end, step in ranges)


def grid(ranges: Iterable[wire.PriceRange] | UnsetType | None, structure: str = "") -> PriceGrid:
    """Build a market's price grid (docs/kalshi-api.md, section 3); equal grids are one object.

    Without ranges only the plain cent structure is known by its name. Raises TranslationError.
    """
    key = tuple((each.start, each.end, each.step) for each in ranges) if ranges else ()
    if not key:
        if structure in {"", "linear_cent"}:
            return CENT_GRID
        raise TranslationError(f"A market of structure {clean(structure, 40)!r} came without its price ranges.")
    try:
        return _build_grid(key)
    except NumberError as error:
        raise TranslationError(f"price_ranges: {clean(str(error))}") from None


def _parse_quote_side(
    price: NumberText, size: NumberText, no_quote_price: Price, field: str
) -> tuple[Price | None, Count]:
    """Read one side of a quote: size 0 is no quote whatever the price says, and so is the price that stands for none.

    A side whose size the exchange left out counts as quoted if its price does.
    """
    if not price:
        return None, 0
    value = _lookup_price(price, field)
    count = _count_or_zero(size, field)
    if value == no_quote_price or (size and not count):
        return None, 0
    return value, count


def market(
    source: wire.Market, event: wire.Event | None = None, fees: FeeSchedule | None = None, series_ticker: str = ""
) -> Market:
    """Translate a market. Its title is the event's where that is given. Raises TranslationError.

    docs/kalshi-api.md, section 8.
    """
    bid, bid_size = _parse_quote_side(source.yes_bid_dollars, source.yes_bid_size_fp, 0, "yes_bid")
    ask, ask_size = _parse_quote_side(source.yes_ask_dollars, source.yes_ask_size_fp, PRICE_UNIT, "yes_ask")
    own_title = text_or_empty(source.title)
    title = event.title if event is not None and event.title else own_title
    return Market(
        ticker=parse_id(source.ticker, "market ticker"),
        event_ticker=parse_id(source.event_ticker, "event ticker"),
        series_ticker=series_ticker or (clean(event.series_ticker, MAX_ID_LENGTH) if event is not None else ""),
        title=clean(title),
        yes_sub_title=clean(source.yes_sub_title or text_or_empty(source.subtitle)),
        no_sub_title=clean(source.no_sub_title),
        status=MarketStatus.of(source.status),
        grid=grid(source.price_ranges, source.price_level_structure),
        price_level_structure=clean(source.price_level_structure, MAX_ID_LENGTH),
        exchange_index=int_or_zero(source.exchange_index),
        open_ms=parse_time_ms(source.open_time),
        close_ms=parse_time_ms(source.close_time),
        rules_primary=clean(source.rules_primary, MAX_PARAGRAPH_LENGTH),
        rules_secondary=clean(source.rules_secondary, MAX_PARAGRAPH_LENGTH),
        result=clean(source.result, MAX_ID_LENGTH),
        settlement_value=(
            parse_money_field(source.settlement_value_dollars, "settlement_value")
            if source.settlement_value_dollars
            else None
        ),
        can_close_early=source.can_close_early,
        fees=fees,
        quote=Quote(
            yes_bid=bid,
            yes_ask=ask,
            yes_bid_size=bid_size,
            yes_ask_size=ask_size,
            last=_trade_price_or_none(source.last_price_dollars, "last_price"),
            previous=_trade_price_or_none(source.previous_price_dollars, "previous_price"),
            volume=_count_or_zero(source.volume_fp, "volume"),
            volume_24h=_count_or_zero(source.volume_24h_fp, "volume_24h"),
            open_interest=_count_or_zero(source.open_interest_fp, "open_interest"),
        ),
    )


def event(
    source: wire.Event,
    beside: Iterable[wire.Market] | UnsetType | None = None,
    left_out: Callable[[wire.Market, Exception], None] | None = None,
) -> Event:
    """Translate an event with its nested markets, or those that stood beside it. Raises TranslationError.

    A market that makes no sense is left out, and ``left_out`` is told: it must not hide the others.
    """
    markets: list[Market] = []
    for each in source.markets or beside or ():
        try:
            markets.append(market(each, source))
        except (TranslationError, NumberError) as error:
            if left_out is not None:
                left_out(each, error)
    return Event(
        event_ticker=parse_id(source.event_ticker, "event ticker"),
        series_ticker=clean(source.series_ticker, MAX_ID_LENGTH),
        title=clean(source.title),
        sub_title=clean(source.sub_title),
        category=clean(source.category, MAX_ID_LENGTH),
        mutually_exclusive=source.mutually_exclusive,
        exchange_index=int_or_zero(source.exchange_index),
        fee_type_override=clean(source.fee_type_override, MAX_ID_LENGTH),
        markets=tuple(markets),
        fee_multiplier_override=_parse_multiplier(source.fee_multiplier_override),
        settlement_sources=tuple(
            (clean(each.name), clean(each.url))
            for each in (source.settlement_sources if isinstance(source.settlement_sources, list) else ())
        ),
    )


def _parse_multiplier(number: Decimal | UnsetType | None) -> int | None:
    if not isinstance(number, Decimal):
        return None
    # The bound comes first: an exponent of a million makes an integer whose digits take minutes to write out.
    if not number.is_finite() or not 0 <= number <= MAX_MULTIPLIER:
        raise TranslationError("fee_multiplier_override is no multiplier.")
    scaled = number * MULTIPLIER_UNIT
    if scaled != scaled.to_integral_value():
        raise TranslationError("fee_multiplier_override is no multiplier.")
    return int(scaled)


def series(source: wire.Series) -> SeriesTerms:
    """Translate a series and its fees (docs/kalshi-api.md, section 9). Raises TranslationError."""
    return SeriesTerms(
        ticker=parse_id(source.ticker, "series ticker"),
        title=clean(source.title),
        category=clean(source.category, MAX_ID_LENGTH),
        fees=FeeSchedule.of(source.fee_type, source.fee_multiplier),
        exchange_index=int_or_zero(source.exchange_index),
    )


def event_fees(series_fees: FeeSchedule, event: Event) -> FeeSchedule:
    """Return the fees that hold in an event: its overrides win over its series, each on its own.

    docs/kalshi-api.md, section 9.
    """
    kind = FeeType.of(event.fee_type_override) if event.fee_type_override else series_fees.fee_type
    own = event.fee_multiplier_override
    return FeeSchedule(kind, series_fees.multiplier if own is None else own)


# Quotes and trades.


def quote(source: wire.TickerMsg) -> Quote:
    """Translate a ticker frame; ``previous`` and ``volume_24h`` are not on this channel. Raises TranslationError.

    The rules are those of `_quoted` and `_traded`; here each text is looked up, for these are most of a busy stream.
    """
    bid_text, ask_text, last_text = source.yes_bid_dollars, source.yes_ask_dollars, source.price_dollars
    try:
        bid, ask, last = _BID_CACHE[bid_text], _ASK_CACHE[ask_text], _LAST_CACHE[last_text]
    except KeyError:
        bid, ask, last = _cache_quote_prices(bid_text, ask_text, last_text)
    sizes = SIZE_CACHE
    try:
        bid_size, ask_size = sizes[source.yes_bid_size_fp], sizes[source.yes_ask_size_fp]
        last_size = sizes[source.last_trade_size_fp]
    except KeyError:
        bid_size = _cache_size(source.yes_bid_size_fp, "yes_bid_size")
        ask_size = _cache_size(source.yes_ask_size_fp, "yes_ask_size")
        last_size = _cache_size(source.last_trade_size_fp, "last_trade_size")
    if bid is None or (not bid_size and source.yes_bid_size_fp):
        bid, bid_size = None, 0
    if ask is None or (not ask_size and source.yes_ask_size_fp):
        ask, ask_size = None, 0
    # By place and not by name, which costs a third more; the order is the class's.
    return Quote(
        bid,
        ask,
        bid_size,
        ask_size,
        last,
        None,
        last_size,
        _count_or_zero(source.volume_fp, "volume"),
        0,
        _count_or_zero(source.open_interest_fp, "open_interest"),
        source.ts_ms,
    )


def _cache_quote_prices(bid: str, ask: str, last: str) -> tuple[Price | None, Price | None, Price | None]:
    """Read the prices of a quote and remember what they mean there. Raises TranslationError."""
    for known in (_BID_CACHE, _ASK_CACHE, _LAST_CACHE):
        if len(known) >= _PRICE_CACHE_SIZE:
            known.clear()
    _BID_CACHE[bid] = _parse_quote_side(bid, None, 0, "yes_bid")[0]
    _ASK_CACHE[ask] = _parse_quote_side(ask, None, PRICE_UNIT, "yes_ask")[0]
    _LAST_CACHE[last] = _trade_price_or_none(last, "price")
    return _BID_CACHE[bid], _ASK_CACHE[ask], _LAST_CACHE[last]


def _cache_size(text: NumberText, field: str) -> Count:
    """Read a count of a quote, 0 where it is absent, and remember it. Raises TranslationError."""
    known = SIZE_CACHE.get(text)
    if known is not None:
        return known
    if len(SIZE_CACHE) >= _SIZE_CACHE_SIZE:
        SIZE_CACHE.clear()
    count = SIZE_CACHE[text] = _count_or_zero(text, field)
    return count


def _is_taker_bid(source: wire.TradeMsg | wire.Trade) -> bool:
    """Read who took: the newest field that is there wins; YES and bid are the same side."""
    word = source.taker_book_side or source.taker_outcome_side or source.taker_side
    if word in {"bid", "yes"}:
        return True
    if word in {"ask", "no"}:
        return False
    raise TranslationError(f"The taker's side of a trade is {clean(word, 40)!r}.")


def trade(source: wire.TradeMsg) -> Trade:
    """Translate a print from the stream. Raises TranslationError."""
    return Trade(
        trade_id=clean(source.trade_id, MAX_ID_LENGTH),
        ticker=parse_id(source.market_ticker, "market ticker"),
        yes_price=parse_price_field(source.yes_price_dollars, "yes_price"),
        count=parse_count_field(source.count_fp, "count"),
        taker_bid=_is_taker_bid(source),
        ts_ms=source.ts_ms,
    )


def rest_trade(source: wire.Trade) -> Trade:
    """Translate a print from REST. Raises TranslationError."""
    return Trade(
        trade_id=clean(source.trade_id, MAX_ID_LENGTH),
        ticker=parse_id(source.ticker, "market ticker"),
        yes_price=parse_price_field(source.yes_price_dollars, "yes_price"),
        count=parse_count_field(source.count_fp, "count"),
        taker_bid=_is_taker_bid(source),
        ts_ms=parse_time_ms(source.created_time),
    )


def candle(source: wire.Candlestick) -> Candle:
    """Translate one period of history. Raises TranslationError."""
    bid, ask = source.yes_bid.close_dollars, source.yes_ask.close_dollars
    return Candle(
        end_ms=source.end_period_ts * MS_PER_SECOND,
        open=_trade_price_or_none(source.price.open_dollars, "open"),
        high=_trade_price_or_none(source.price.high_dollars, "high"),
        low=_trade_price_or_none(source.price.low_dollars, "low"),
        close=_trade_price_or_none(source.price.close_dollars, "close"),
        yes_bid_close=_parse_quote_side(bid, None, 0, "yes_bid")[0],
        yes_ask_close=_parse_quote_side(ask, None, PRICE_UNIT, "yes_ask")[0],
        volume=_count_or_zero(source.volume_fp, "volume"),
        open_interest=_count_or_zero(source.open_interest_fp, "open_interest"),
    )


# Orders and fills.

_ORDER_STATES: Final = {
    "resting": OrderState.RESTING,
    "canceled": OrderState.CANCELLED,
    "executed": OrderState.FILLED,
}


def _parse_book_side(word: str) -> BookSide:
    try:
        return BookSide(word)
    except ValueError:
        raise TranslationError(f"An order's book_side is {clean(word, 40)!r}.") from None


def _parse_order_state(word: str) -> tuple[OrderState, str]:
    """Read an order's status; one that is not known is UNKNOWN and says so, never a guess."""
    state = _ORDER_STATES.get(word)
    if state is not None:
        return state, ""
    return OrderState.UNKNOWN, f"The exchange calls this order's state {clean(word, 40)!r}."


def order(source: wire.Order) -> Order:
    """Translate an order from REST (docs/kalshi-api.md, section 6). Raises TranslationError."""
    times = (
        parse_time_ms(source.created_time),
        parse_time_ms(source.last_update_time),
        parse_time_ms(source.expiration_time),
    )
    return _order(source, *times)


def user_order(source: wire.UserOrderMsg) -> Order:
    """Translate an order from the stream; older deployments send its times as text only. Raises TranslationError."""
    return _order(
        source,
        int_or_zero(source.created_ts_ms) or parse_time_ms(source.created_time),
        int_or_zero(source.last_updated_ts_ms) or parse_time_ms(source.last_update_time),
        int_or_zero(source.expiration_ts_ms) or parse_time_ms(source.expiration_time),
    )


def _order(source: wire.Order | wire.UserOrderMsg, created_ms: int, updated_ms: int, expires_ms: int) -> Order:
    state, reason = _parse_order_state(source.status)
    if state is OrderState.CANCELLED and 0 < expires_ms <= updated_ms:
        # The exchange has one word for both.
        state = OrderState.EXPIRED
    taker_cost = parse_money_field(source.taker_fill_cost_dollars, "taker_fill_cost", 0)
    maker_cost = parse_money_field(source.maker_fill_cost_dollars, "maker_fill_cost", 0)
    taker_fees = parse_money_field(source.taker_fees_dollars, "taker_fees", 0)
    maker_fees = parse_money_field(source.maker_fees_dollars, "maker_fees", 0)
    return Order(
        order_id=parse_id(source.order_id, "order id"),
        client_order_id=clean(source.client_order_id, MAX_ID_LENGTH),
        ticker=parse_id(source.ticker, "market ticker"),
        book_side=_parse_book_side(source.book_side),
        yes_price=parse_price_field(source.yes_price_dollars, "yes_price"),
        initial=parse_count_field(source.initial_count_fp, "initial_count"),
        filled=parse_count_field(source.fill_count_fp, "fill_count"),
        remaining=parse_count_field(source.remaining_count_fp, "remaining_count"),
        state=state,
        reason=reason,
        fill_cost=taker_cost + maker_cost,
        fees=taker_fees + maker_fees,
        created_ms=created_ms,
        updated_ms=updated_ms,
        expires_ms=expires_ms,
    )


def fill(source: wire.FillMsg) -> Fill:
    """Translate a fill from the stream. Raises TranslationError."""
    return Fill(
        trade_id=parse_id(source.trade_id, "trade id"),
        order_id=parse_id(source.order_id, "order id"),
        client_order_id=clean(source.client_order_id, MAX_ID_LENGTH),
        ticker=parse_id(source.market_ticker, "market ticker"),
        book_side=_parse_book_side(source.book_side),
        yes_price=parse_price_field(source.yes_price_dollars, "yes_price"),
        count=parse_count_field(source.count_fp, "count"),
        fee=parse_money_field(source.fee_cost, "fee_cost", 0),
        is_taker=source.is_taker,
        ts_ms=source.ts_ms,
        post_position=_parse_signed_count_field(source.post_position_fp, "post_position")
        if source.post_position_fp
        else None,
    )


def rest_fill(source: wire.Fill) -> Fill:
    """Translate a fill from REST, which has no client order id and no position after it. Raises TranslationError."""
    return Fill(
        trade_id=parse_id(source.trade_id, "trade id"),
        order_id=parse_id(source.order_id, "order id"),
        client_order_id="",
        ticker=parse_id(source.ticker or source.market_ticker, "market ticker"),
        book_side=_parse_book_side(source.book_side),
        yes_price=parse_price_field(source.yes_price_dollars, "yes_price"),
        count=parse_count_field(source.count_fp, "count"),
        fee=parse_money_field(source.fee_cost, "fee_cost", 0),
        is_taker=source.is_taker,
        ts_ms=parse_time_ms(source.created_time) or int_or_zero(source.ts) * MS_PER_SECOND,
    )


def _parse_signed_count_field(text: NumberText, field: str) -> Count:
    return _parse_field(text, field, parse_signed_count)


def order_ack(source: wire.CreateOrderReply) -> OrderAck:
    """Translate the reply to a new order. Raises TranslationError: its outcome is then not known."""
    return OrderAck(
        order_id=parse_id(source.order_id, "order id"),
        client_order_id=clean(source.client_order_id, MAX_ID_LENGTH),
        filled=parse_count_field(source.fill_count, "fill_count"),
        remaining=parse_count_field(source.remaining_count, "remaining_count"),
        average_fill_price=_average_or_none(source.average_fill_price),
        average_fee=_average_or_none(source.average_fee_paid),
        ts_ms=int_or_zero(source.ts_ms),
    )


def cancel_ack(source: wire.CancelOrderReply) -> CancelAck:
    """Translate the reply to a cancel. Raises TranslationError: its outcome is then not known."""
    return CancelAck(
        order_id=parse_id(source.order_id, "order id"),
        client_order_id=clean(source.client_order_id, MAX_ID_LENGTH),
        reduced_by=parse_count_field(source.reduced_by, "reduced_by"),
        ts_ms=int_or_zero(source.ts_ms),
    )


def amend_ack(source: wire.AmendOrderReply | wire.DecreaseOrderReply) -> AmendAck:
    """Translate the reply to an amendment or a decrease. Raises TranslationError: its outcome is then not known."""
    amended = source if isinstance(source, wire.AmendOrderReply) else None
    fills = amended.fill_count if amended is not None else None
    return AmendAck(
        order_id=parse_id(source.order_id, "order id"),
        client_order_id=clean(source.client_order_id, MAX_ID_LENGTH),
        filled=parse_count_field(fills, "fill_count") if fills else None,
        remaining=parse_count_field(source.remaining_count, "remaining_count") if source.remaining_count else None,
        average_fill_price=_average_or_none(amended.average_fill_price) if amended is not None else None,
        ts_ms=int_or_zero(source.ts_ms),
    )


def batch_item(source: wire.BatchCancelItem) -> BatchCancelResult:
    """Translate one cancel's outcome in a batch. Raises TranslationError."""
    error = source.error
    if isinstance(error, wire.ErrorDetail):
        said = error.message or text_or_empty(error.details) or error.code
        return BatchCancelResult(parse_id(source.order_id, "order id"), refusal=clean(said) or "The exchange refused.")
    return BatchCancelResult(
        parse_id(source.order_id, "order id"), reduced_by=_count_or_zero(source.reduced_by, "reduced_by")
    )


def _average_or_none(text: NumberText) -> Money | None:
    """Read a mean, which is for show only: one that is finer than money can say is not told."""
    try:
        return parse_money(text) if isinstance(text, str) and text else None
    except NumberError:
        return None


# The account.


def position(source: wire.MarketPosition) -> Position:
    """Translate a holding from REST (docs/kalshi-api.md, section 7). Raises TranslationError."""
    return Position(
        ticker=parse_id(source.ticker, "market ticker"),
        count=_parse_signed_count_field(source.position_fp, "position"),
        cost=parse_money_field(source.market_exposure_dollars, "market_exposure", 0),
        realized_pnl=parse_money_field(source.realized_pnl_dollars, "realized_pnl", 0),
        fees_paid=parse_money_field(source.fees_paid_dollars, "fees_paid", 0),
        total_traded=parse_money_field(source.total_traded_dollars, "total_traded", 0),
    )


def market_position(source: wire.MarketPositionMsg) -> Position:
    """Translate a holding from the stream, which does not tell the total traded. Raises TranslationError."""
    return Position(
        ticker=parse_id(source.market_ticker, "market ticker"),
        count=_parse_signed_count_field(source.position_fp, "position"),
        cost=parse_money_field(source.position_cost_dollars, "position_cost", 0),
        realized_pnl=parse_money_field(source.realized_pnl_dollars, "realized_pnl", 0),
        fees_paid=parse_money_field(source.fees_paid_dollars, "fees_paid", 0),
    )


def balance(source: wire.BalanceReply) -> Balance:
    """Translate the balance; the dollar string is finer than the cents beside it. Raises TranslationError."""
    shards = source.balance_breakdown or ()
    return Balance(
        cash=parse_money_field(source.balance_dollars, "balance_dollars", source.balance * MONEY_PER_CENT),
        portfolio_value=source.portfolio_value * MONEY_PER_CENT,
        by_shard=tuple((each.exchange_index, parse_money_field(each.balance, "balance_breakdown")) for each in shards),
        updated_ms=source.updated_ts * MS_PER_SECOND,
    )


def settlement(source: wire.Settlement) -> Settlement:
    """Translate what a market paid; ``revenue`` and ``value`` come in cents. Raises TranslationError."""
    value = source.value
    return Settlement(
        ticker=parse_id(source.ticker, "market ticker"),
        event_ticker=clean(source.event_ticker, MAX_ID_LENGTH),
        result=clean(source.market_result, MAX_ID_LENGTH),
        yes_count=_count_or_zero(source.yes_count_fp, "yes_count"),
        no_count=_count_or_zero(source.no_count_fp, "no_count"),
        yes_cost=parse_money_field(source.yes_total_cost_dollars, "yes_total_cost", 0),
        no_cost=parse_money_field(source.no_total_cost_dollars, "no_total_cost", 0),
        revenue=source.revenue * MONEY_PER_CENT,
        fees=parse_money_field(source.fee_cost, "fee_cost", 0),
        yes_value=value * PRICE_PER_CENT if isinstance(value, int) else None,
        settled_ms=parse_time_ms(source.settled_time),
    )


def exchange_status(source: wire.ExchangeStatusReply) -> ExchangeStatus:
    """Translate whether the exchange is up and trades. Raises TranslationError."""
    return ExchangeStatus(
        exchange_active=source.exchange_active,
        trading_active=source.trading_active,
        resumes_ms=parse_time_ms(source.exchange_estimated_resume_time),
        shards=tuple(
            ShardStatus(
                each.exchange_index, clean(each.description, MAX_ID_LENGTH), each.exchange_active, each.trading_active
            )
            for each in source.exchange_index_statuses or ()
        ),
    )


def limits(source: wire.AccountLimitsReply) -> AccountLimits:
    """Translate the account's token buckets (docs/kalshi-api.md, section 10)."""
    return AccountLimits(
        tier=clean(source.usage_tier, MAX_ID_LENGTH),
        read=TokenBucket(source.read.refill_rate, source.read.bucket_capacity),
        write=TokenBucket(source.write.refill_rate, source.write.bucket_capacity),
    )
