"""What a recording shows at one moment: its markets, their figures and tapes; and where its changes are told to.

A scene takes one record after another. A stage hears of each change: the exchange while a recording plays, nobody while
another moment is looked for.
"""

from typing import Final, Protocol

from msgspec import UNSET

from kalshi_tui.domain.book import Book, Side
from kalshi_tui.domain.market import MarketStatus
from kalshi_tui.domain.order import BookSide
from kalshi_tui.domain.price import MONEY_UNIT, Count, NumberError, Price, parse_count, parse_price
from kalshi_tui.kalshi import wire
from kalshi_tui.practice.engine.events import LifecycleType
from kalshi_tui.practice.engine.listing import Listing
from kalshi_tui.practice.engine.records import TradeRecord
from kalshi_tui.practice.engine.terms import Event, Market, Series
from kalshi_tui.practice.replay.terms import (
    count_or_0,
    event_terms,
    market_terms,
    price_or,
    put_figures,
    put_grid,
    put_quote,
    put_status,
    series_terms,
)
from kalshi_tui.recording.reader import Record
from kalshi_tui.recording.verifier import (
    Follower,
    Found,
    delta_of,
    price_of,
)
from kalshi_tui.recording.writer import Kind

_UNREADABLE: Final = (wire.DecodeError, UnicodeError, RecursionError)


class Stage(Protocol):
    """Who hears of what changes. Prices and counts are those of the recording; times come from the clock."""

    def listed(self, terms: Market, event: Event, series: Series) -> Listing:
        """List a market, or give it if it is there."""

    def delta(self, listing: Listing, side: Side, price: Price, delta: Count) -> None:
        """Change a level by what was recorded."""

    def whole(self, listing: Listing, book: Book | None) -> None:
        """Make a book what was recorded; None: it is followed no more."""

    def quoted(self, listing: Listing) -> None:
        """Tell the figures, which the market has already."""

    def printed(self, listing: Listing, trade: TradeRecord) -> None:
        """Tell a print, which the tape has already."""

    def life(self, listing: Listing, msg: wire.LifecycleMsg) -> None:
        """Carry out what befell a market."""

    def fees_changed(self, event: Event, series: Series) -> None:
        """Take an event's terms and its series' as they are now."""


class Nobody:
    """A stage for looking ahead: markets of the scene's own, and nobody who hears."""

    def __init__(self, clock_ms: "Moment") -> None:
        self._moment = clock_ms
        self._listings: dict[str, Listing] = {}

    def listed(self, terms: Market, event: Event, series: Series) -> Listing:
        """Make a market that is on no exchange."""
        del event, series
        found = self._listings.get(terms.ticker)
        if found is None:
            found = self._listings[terms.ticker] = Listing(terms, "")
        return found

    def delta(self, listing: Listing, side: Side, price: Price, delta: Count) -> None:
        """Pass over: the follower has the book."""

    def whole(self, listing: Listing, book: Book | None) -> None:
        """Pass over: the follower has the book."""

    def quoted(self, listing: Listing) -> None:
        """Pass over."""

    def printed(self, listing: Listing, trade: TradeRecord) -> None:
        """Pass over."""

    def life(self, listing: Listing, msg: wire.LifecycleMsg) -> None:
        """Put the market where this leaves it."""
        kind = msg.event_type
        if kind == LifecycleType.ACTIVATED.value:
            listing.status = MarketStatus.ACTIVE
        elif kind == LifecycleType.DEACTIVATED.value:
            listing.status = MarketStatus.INACTIVE
        elif kind == LifecycleType.CLOSE_DATE_UPDATED.value and isinstance(msg.close_ts, int):
            listing.close_ms = msg.close_ts * 1_000
        elif kind == LifecycleType.DETERMINED.value:
            listing.status = MarketStatus.DETERMINED
            listing.result, listing.settlement_value = result_of(msg)
        elif kind == LifecycleType.SETTLED.value:
            listing.status = MarketStatus.FINALIZED
            listing.settled_ms = self._moment.now_ms
        elif kind == LifecycleType.GRID_UPDATED.value:
            put_grid(listing, msg.price_level_structure or listing.structure, msg.price_ranges)

    def fees_changed(self, event: Event, series: Series) -> None:
        """Pass over: the scene has them."""


class Moment(Protocol):
    """Whoever knows the time of the record at hand."""

    @property
    def now_ms(self) -> int:
        """Give it, in Unix ms."""


class Scene:
    """All that a recording has told so far."""

    def __init__(self, stage: Stage | None = None) -> None:
        self.now_ms = 0
        self.stage: Stage = stage or Nobody(self)
        self.follower = Follower()
        self.listings: dict[str, Listing] = {}
        self.sources: dict[str, wire.Market] = {}
        self.events: dict[str, Event] = {}
        self.series: dict[str, Series] = {}
        self.records = 0

    def take(self, record: Record) -> None:
        """Take one record. What makes no sense is passed over: a check of the recording tells of it."""
        self.now_ms = record.ms
        self.records += 1
        kind = record.kind
        if kind in _OBJECTS:
            try:
                _OBJECTS[kind](self, record.payload)
            except (*_UNREADABLE, NumberError):
                return
            return
        found, frame = self.follower.take(record)
        if found is Found.DROPPED:
            for ticker in self.follower.dropped:
                if (listing := self.listings.get(ticker)) is not None:
                    self.stage.whole(listing, None)
        elif found is Found.TAKEN and frame is not None:
            self._frame(frame)

    def _frame(self, frame: wire.Frame | wire.SnapshotMsg) -> None:
        """Tell what a frame says, of a market that is listed."""
        if isinstance(frame, wire.SnapshotMsg):
            msg: wire.SnapshotMsg | wire.DeltaMsg | wire.TickerMsg | wire.TradeMsg | wire.LifecycleMsg = frame
        elif isinstance(frame, _TOLD):
            msg = frame.msg
        else:
            return
        listing = self.listings.get(msg.market_ticker)
        if listing is None:
            return
        if isinstance(msg, wire.DeltaMsg):
            self.stage.delta(listing, msg.side, price_of(msg.price_dollars), delta_of(msg.delta_fp))
        elif isinstance(msg, wire.TickerMsg):
            self._quote(listing, msg)
        elif isinstance(msg, wire.TradeMsg):
            if (trade := trade_of(msg, self.now_ms)) is not None:
                listing.tape.append(trade)
                bid, _, ask, _ = listing.top
                listing.candles.trade(self.now_ms, trade.price, trade.count, bid, ask, listing.open_interest)
                self.stage.printed(listing, trade)
        elif isinstance(msg, wire.SnapshotMsg):
            self.stage.whole(listing, self.follower.books[msg.market_ticker])
        else:
            self.stage.life(listing, msg)

    def _quote(self, listing: Listing, msg: wire.TickerMsg) -> None:
        put_quote(listing, msg)
        listing.last = price_or(msg.price_dollars, 0) or None
        listing.last_size = count_or_0(msg.last_trade_size_fp)
        listing.volume = count_or_0(msg.volume_fp)
        listing.open_interest = count_or_0(msg.open_interest_fp)
        listing.volume_money = msg.dollar_volume * MONEY_UNIT if isinstance(msg.dollar_volume, int) else 0
        bid, _, ask, _ = listing.top
        listing.candles.quote(self.now_ms, bid, ask, listing.open_interest)
        self.stage.quoted(listing)

    # What REST has told.

    def _take_series(self, payload: bytes) -> None:
        series = series_terms(wire.decode(payload, wire.Series))
        self.series[series.ticker] = series
        for event in self.events.values():
            if event.series_ticker == series.ticker:
                self.stage.fees_changed(event, series)

    def _take_event(self, payload: bytes) -> None:
        event = event_terms(wire.decode(payload, wire.Event))
        self.events[event.ticker] = event
        if event.series_ticker in self.series:
            self.stage.fees_changed(event, self.series[event.series_ticker])

    def _take_market(self, payload: bytes) -> None:
        source = wire.decode(payload, wire.Market)
        event = self.events.get(source.event_ticker)
        if event is None:
            return
        series = self.series.get(event.series_ticker) or Series(event.series_ticker, "", event.category, fee_type="")
        ticker = source.ticker
        first = ticker not in self.listings
        listing = self.listings[ticker] = self.stage.listed(market_terms(source, event, series), event, series)
        self.sources[ticker] = source
        if first:
            put_status(listing, source)
            put_figures(listing, source)
            bid, _, ask, _ = listing.top
            listing.candles.quote(self.now_ms, bid, ask, listing.open_interest)
            if (book := self.follower.books.get(ticker)) is not None:
                self.stage.whole(listing, book)
        else:
            listing.previous = price_or(source.previous_price_dollars, 0) or None
            listing.base_volume_24h = count_or_0(source.volume_24h_fp)

    def _take_prints(self, payload: bytes) -> None:
        """Put trades that were known before into the tape, in their order."""
        trades = [trade_of(each, self.now_ms) for each in wire.decode(payload, list[wire.TradeMsg])]
        by_ticker: dict[str, list[TradeRecord]] = {}
        for trade in trades:
            if trade is not None:
                by_ticker.setdefault(trade.ticker, []).append(trade)
        for ticker, found in by_ticker.items():
            listing = self.listings.get(ticker)
            if listing is not None:
                known = {each.trade_id for each in listing.tape}
                whole = [*(each for each in found if each.trade_id not in known), *listing.tape]
                whole.sort(key=lambda each: each.ts_ms)
                listing.tape.clear()
                listing.tape.extend(whole)

    def by_the_clock(self, listing: Listing) -> MarketStatus:
        """Give a market's status as it is now: opening and closing by the clock are told by nobody."""
        status, now = listing.status, self.now_ms
        if status in {MarketStatus.INITIALIZED, MarketStatus.ACTIVE, MarketStatus.INACTIVE} and listing.close_ms <= now:
            return MarketStatus.CLOSED
        if status is MarketStatus.INITIALIZED and listing.open_ms <= now:
            return MarketStatus.ACTIVE
        return status


_OBJECTS: Final = {
    Kind.SERIES: Scene._take_series,  # noqa: SLF001 - the class's own table
    Kind.EVENT: Scene._take_event,  # noqa: SLF001
    Kind.MARKET: Scene._take_market,  # noqa: SLF001
    Kind.PRINTS: Scene._take_prints,  # noqa: SLF001
}
_TOLD: Final = (wire.DeltaFrame, wire.TickerFrame, wire.TradeFrame, wire.SnapshotFrame, wire.LifecycleFrame)


def trade_of(msg: wire.TradeMsg, now: int) -> TradeRecord | None:
    """Read a print; None for one that makes no sense. Without a time of its own it gets that of its arrival."""
    try:
        price, count = parse_price(msg.yes_price_dollars), parse_count(msg.count_fp)
    except NumberError:
        return None
    outcome = msg.taker_outcome_side or msg.taker_side
    bid = msg.taker_book_side == BookSide.BID.value if msg.taker_book_side is not UNSET else outcome == Side.YES.value
    side = BookSide.BID if bid else BookSide.ASK
    return TradeRecord(msg.trade_id, msg.market_ticker, price, count, side, msg.ts_ms or now)


def result_of(msg: wire.LifecycleMsg) -> tuple[str, Price | None]:
    """Give how a market ended: the word, and what a YES pays."""
    word = msg.result if isinstance(msg.result, str) else ""
    value = price_or(msg.settlement_value, -1)
    if value < 0:
        return word, {"yes": 10_000, "no": 0}.get(word)
    return word, value
