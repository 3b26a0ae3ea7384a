"""Translate quotes, public trades and candlesticks."""

from typing import Final

from msgspec import UnsetType

from kalshi_tui.domain.candles import Candle
from kalshi_tui.domain.market import Quote, Trade
from kalshi_tui.domain.price import PRICE_UNIT, Count, Price
from kalshi_tui.kalshi import wire
from kalshi_tui.kalshi.translate.cleaning import MAX_ID_LENGTH, TranslationError, clean, parse_id
from kalshi_tui.kalshi.translate.numbers import (
    PRICE_CACHE_SIZE,
    NumberText,
    count_or_none,
    count_or_zero,
    lookup_price,
    parse_count_field,
    parse_price_field,
    parse_time_ms,
    trade_price_or_none,
)
from kalshi_tui.kalshi.wire.times import MS_PER_SECOND

SIZE_CACHE: Final[dict[str | UnsetType | None, Count]] = {}
"""Counts of zero or more by their text, filled by `_cache_size`."""
_BID_CACHE: Final[dict[str, Price | None]] = {}
_ASK_CACHE: Final[dict[str, Price | None]] = {}
_LAST_CACHE: Final[dict[str, Price | None]] = {}
"""What each price text means as a bid, an ask and a last price; None for no quote and no trade."""
_SIZE_CACHE_SIZE: Final = 65_536


def parse_quote_side(
    price: NumberText, size: NumberText, no_quote_price: Price, field: str
) -> tuple[Price | None, Count]:
    """Read one side of a quote as price and size; (None, 0) is no quote. Raises TranslationError.

    Size 0 is no quote whatever the price says, and so is ``no_quote_price``. A side whose size the exchange left out
    counts as quoted if its price does.
    """
    if not price:
        return None, 0
    value = lookup_price(price, field)
    count = count_or_zero(size, field)
    if value == no_quote_price or (size and not count):
        return None, 0
    return value, count


def quote(source: wire.TickerMsg) -> Quote:
    """Translate a ticker frame; ``previous`` and ``volume_24h`` are not on this channel. Raises TranslationError.

    The rules are those of `parse_quote_side` and `trade_price_or_none`. Here each text is looked up in a cache: most
    frames of a busy stream are quotes.
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
    # Positional arguments, in the order of the class: keywords cost a third more.
    return Quote(
        bid,
        ask,
        bid_size,
        ask_size,
        last,
        None,
        last_size,
        count_or_none(source.volume_fp, "volume"),
        0,
        count_or_none(source.open_interest_fp, "open_interest"),
        source.ts_ms,
    )


def _cache_quote_prices(bid: str, ask: str, last: str) -> tuple[Price | None, Price | None, Price | None]:
    """Read bid, ask and last price of a quote and put them into their caches. Raises TranslationError."""
    for known in (_BID_CACHE, _ASK_CACHE, _LAST_CACHE):
        if len(known) >= PRICE_CACHE_SIZE:
            known.clear()
    _BID_CACHE[bid] = parse_quote_side(bid, None, 0, "yes_bid")[0]
    _ASK_CACHE[ask] = parse_quote_side(ask, None, PRICE_UNIT, "yes_ask")[0]
    _LAST_CACHE[last] = trade_price_or_none(last, "price")
    return _BID_CACHE[bid], _ASK_CACHE[ask], _LAST_CACHE[last]


def _cache_size(text: NumberText, field: str) -> Count:
    """Read a count of a quote, 0 where it is absent, and put it into `SIZE_CACHE`. Raises TranslationError."""
    known = SIZE_CACHE.get(text)
    if known is not None:
        return known
    if len(SIZE_CACHE) >= _SIZE_CACHE_SIZE:
        SIZE_CACHE.clear()
    count = SIZE_CACHE[text] = count_or_zero(text, field)
    return count


def _is_taker_bid(source: wire.TradeMsg | wire.Trade) -> bool:
    """Return whether the taker bought YES, by the newest field that is there; ``yes`` and ``bid`` are the same."""
    word = source.taker_book_side or source.taker_outcome_side or source.taker_side
    if word in {"bid", "yes"}:
        return True
    if word in {"ask", "no"}:
        return False
    raise TranslationError(f"The taker's side of a trade is {clean(word, 40)!r}.")


def trade(source: wire.TradeMsg) -> Trade:
    """Translate a public trade from the stream. Raises TranslationError."""
    return Trade(
        trade_id=clean(source.trade_id, MAX_ID_LENGTH),
        ticker=parse_id(source.market_ticker, "market ticker"),
        yes_price=parse_price_field(source.yes_price_dollars, "yes_price"),
        count=parse_count_field(source.count_fp, "count"),
        taker_bid=_is_taker_bid(source),
        ts_ms=source.ts_ms,
    )


def rest_trade(source: wire.Trade) -> Trade:
    """Translate a public trade from REST. Raises TranslationError."""
    return Trade(
        trade_id=clean(source.trade_id, MAX_ID_LENGTH),
        ticker=parse_id(source.ticker, "market ticker"),
        yes_price=parse_price_field(source.yes_price_dollars, "yes_price"),
        count=parse_count_field(source.count_fp, "count"),
        taker_bid=_is_taker_bid(source),
        ts_ms=parse_time_ms(source.created_time),
    )


def archived_candle(source: wire.ArchivedCandlestick) -> Candle:
    """Translate a candlestick of the archive, whose fields have other names. Raises TranslationError."""
    return Candle(
        end_ms=source.end_period_ts * MS_PER_SECOND,
        open=trade_price_or_none(source.price.open, "open"),
        high=trade_price_or_none(source.price.high, "high"),
        low=trade_price_or_none(source.price.low, "low"),
        close=trade_price_or_none(source.price.close, "close"),
        yes_bid_close=parse_quote_side(source.yes_bid.close, None, 0, "yes_bid")[0],
        yes_ask_close=parse_quote_side(source.yes_ask.close, None, PRICE_UNIT, "yes_ask")[0],
        volume=parse_count_field(source.volume, "volume"),
        open_interest=parse_count_field(source.open_interest, "open_interest"),
    )


def candle(source: wire.Candlestick) -> Candle:
    """Translate a candlestick: one period of a market's history. Raises TranslationError."""
    bid, ask = source.yes_bid.close_dollars, source.yes_ask.close_dollars
    return Candle(
        end_ms=source.end_period_ts * MS_PER_SECOND,
        open=trade_price_or_none(source.price.open_dollars, "open"),
        high=trade_price_or_none(source.price.high_dollars, "high"),
        low=trade_price_or_none(source.price.low_dollars, "low"),
        close=trade_price_or_none(source.price.close_dollars, "close"),
        yes_bid_close=parse_quote_side(bid, None, 0, "yes_bid")[0],
        yes_ask_close=parse_quote_side(ask, None, PRICE_UNIT, "yes_ask")[0],
        volume=parse_count_field(source.volume_fp, "volume"),
        open_interest=parse_count_field(source.open_interest_fp, "open_interest"),
    )
