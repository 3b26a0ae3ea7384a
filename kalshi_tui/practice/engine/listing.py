"""A market as it stands on the exchange: its terms, its status, its book and what trading has made of it."""

from collections import deque

from kalshi_tui.domain.market import MarketStatus
from kalshi_tui.domain.price import PRICE_UNIT, Count, Money, Price, PriceGrid
from kalshi_tui.practice.engine.candles import CandleStore
from kalshi_tui.practice.engine.order_book import MatchingBook, PriceLevels
from kalshi_tui.practice.engine.records import MarketRecord, TradeRecord
from kalshi_tui.practice.engine.terms import (
    GRIDS,
    EventDefinition,
    MarketDefinition,
    SeriesDefinition,
)

DAY_MS = 86_400_000
_HOUR_MS = 3_600_000
MARKET_TAPE_LENGTH = 1_000


class ListedMarket:
    """One market, live. ``top`` is YES bid, size, YES ask, size; a side without quotes is 0, 0 or 10,000, 0."""

    __slots__ = (
        "base_volume_24h",
        "book",
        "candles",
        "close_ms",
        "expiration_value",
        "fees",
        "grid",
        "hourly_volume",
        "last_price",
        "last_size",
        "market_id",
        "open_interest",
        "open_ms",
        "previous_ask",
        "previous_bid",
        "previous_price",
        "rank_key",
        "result",
        "settle_ms",
        "settled_ms",
        "settlement_value",
        "shard",
        "status",
        "structure",
        "tape",
        "terms",
        "ticker",
        "top",
        "updated_ms",
        "visible_ms",
        "volume",
        "volume_value",
    )

    def __init__(self, terms: MarketDefinition, market_id: str) -> None:
        self.terms = terms
        self.ticker = terms.ticker
        self.market_id = market_id
        self.shard = terms.exchange_index
        self.rank_key = (0, 0)
        self.status = MarketStatus.INITIALIZED
        self.structure = terms.structure
        self.grid: PriceGrid = GRIDS[terms.structure]
        self.fees = terms.fees
        self.open_ms = terms.open_ms
        self.close_ms = terms.close_ms
        self.updated_ms = terms.created_ms
        self.visible_ms = 0
        self.book = MatchingBook()
        self.top: tuple[Price, Count, Price, Count] = (0, 0, PRICE_UNIT, 0)
        self.last_price: Price | None = None
        self.last_size: Count = 0
        self.previous_price: Price | None = None
        self.previous_bid: Price = 0
        self.previous_ask: Price = PRICE_UNIT
        self.volume: Count = 0
        self.volume_value: Money = 0
        self.base_volume_24h: Count = 0
        self.hourly_volume: deque[tuple[int, Count]] = deque()
        self.open_interest: Count = 0
        self.tape: deque[TradeRecord] = deque(maxlen=MARKET_TAPE_LENGTH)
        self.candles = CandleStore()
        self.result = ""
        self.settlement_value: Price | None = None
        self.expiration_value = ""
        self.settle_ms = 0
        self.settled_ms = 0

    @property
    def yes_bid(self) -> Price:
        """The best bid for YES, 0 for none."""
        return self.top[0]

    @property
    def yes_ask(self) -> Price:
        """The best ask for YES, 10,000 for none."""
        return self.top[2]

    def levels(self, depth: int = 0) -> tuple[PriceLevels, PriceLevels]:
        """Return the YES bids and the NO bids as published: ascending, best last, own-outcome prices."""
        yes, no = self.book.sides
        return yes.published_levels(depth), no.published_levels(depth)

    def volume_24h(self, now: int) -> Count:
        """Return what traded in the last 24 hours, to the hour."""
        hours = self.hourly_volume
        while hours and hours[0][0] < now - DAY_MS:
            hours.popleft()
        return self.base_volume_24h + sum(count for _, count in hours)

    def apply_trade(self, trade: TradeRecord, interest_change: Count) -> None:
        """Take a trade into the tape and the figures."""
        price, count, now = trade.price, trade.count, trade.ts_ms
        self.tape.append(trade)
        self.last_price = price
        self.last_size = count
        self.volume += count
        self.volume_value += price * count
        self.open_interest += interest_change
        hour = now // _HOUR_MS * _HOUR_MS
        hours = self.hourly_volume
        if hours and hours[-1][0] == hour:
            hours[-1] = (hour, hours[-1][1] + count)
        else:
            hours.append((hour, count))
        self.candles.add_trade(now, price, count, self.top[0], self.top[2], self.open_interest)

    def set_history(self, last: Price, previous: Price, volume: Count, volume_24h: Count, last_size: Count) -> None:
        """Return the market what it had traded before the world began."""
        self.last_price = last
        self.last_size = last_size
        self.previous_price = previous
        self.volume += volume
        self.volume_value += volume * last
        self.base_volume_24h = volume_24h

    def end_day(self) -> None:
        """Let the present quotes be those of the day before."""
        self.previous_price = self.last_price
        self.previous_bid, _, self.previous_ask, _ = self.top

    def to_record(self, event: EventDefinition, series: SeriesDefinition) -> MarketRecord:
        """Return the market's state for a restart."""
        return MarketRecord(
            terms=self.terms,
            event=event,
            series=series,
            status=self.status,
            structure=self.structure,
            close_ms=self.close_ms,
            result=self.result,
            settlement_value=self.settlement_value,
            expiration_value=self.expiration_value,
            settle_ms=self.settle_ms,
            settled_ms=self.settled_ms,
        )

    def mark_price(self) -> Price:
        """Return the price at which a YES is valued: the last trade's, else the middle of the book, else 50 cents."""
        if self.settlement_value is not None:
            return self.settlement_value
        if self.last_price is not None:
            return self.last_price
        return (self.top[0] + self.top[2]) // 2
