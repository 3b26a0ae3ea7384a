"""REST replies of the archive that differ from the live ones (docs/kalshi-api.md, section 15)."""

from msgspec import UNSET

from kalshi_tui.kalshi.wire.common import NullableText, WireLeaf, WireObject


class HistoricalCutoffReply(WireLeaf, frozen=True, kw_only=True):
    """``GET /historical/cutoff``: what is older is gone from the live endpoints. RFC 3339."""

    market_settled_ts: NullableText = UNSET
    trades_created_ts: NullableText = UNSET
    orders_updated_ts: NullableText = UNSET
    market_positions_last_updated_ts: NullableText = UNSET


class ArchivedQuoteBar(WireLeaf, frozen=True, kw_only=True):
    """Open, low, high and close of a bid or an ask, dollar strings."""

    open: str = ""
    low: str = ""
    high: str = ""
    close: str


class ArchivedPriceBar(WireLeaf, frozen=True, kw_only=True):
    """Open, low, high and close of the trades; absent or null if there was none."""

    open: NullableText = UNSET
    low: NullableText = UNSET
    high: NullableText = UNSET
    close: NullableText = UNSET
    mean: NullableText = UNSET
    previous: NullableText = UNSET


class ArchivedCandlestick(WireObject, frozen=True, kw_only=True):
    """One period of an archived market's history: as the live one, but for the names of the fields."""

    end_period_ts: int
    yes_bid: ArchivedQuoteBar
    yes_ask: ArchivedQuoteBar
    price: ArchivedPriceBar
    volume: str
    open_interest: str


class ArchivedCandlesticksReply(WireObject, frozen=True, kw_only=True):
    """``GET /historical/markets/{ticker}/candlesticks``."""

    ticker: str = ""
    candlesticks: list[ArchivedCandlestick] | None
