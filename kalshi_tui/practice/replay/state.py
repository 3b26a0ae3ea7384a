"""The state of a recording at one moment: its markets, their figures and tapes; and who listens to its changes.

A `RecordedState` applies one record after another. Its listener is the exchange while a recording plays, and a
`NullListener` while another moment is sought.
"""

from typing import Final, Protocol

from msgspec import UNSET

from kalshi_tui.domain.book import Book, Side
from kalshi_tui.domain.market import MarketStatus
from kalshi_tui.domain.order import BookSide
from kalshi_tui.domain.price import MONEY_UNIT, Count, NumberError, Price, parse_count, parse_price
from kalshi_tui.kalshi import wire
from kalshi_tui.practice.engine.events import LifecycleType
from kalshi_tui.practice.engine.model import ListedMarket
from kalshi_tui.practice.engine.records import TradeRecord
from kalshi_tui.practice.engine.terms import EventDefinition, MarketDefinition, SeriesDefinition
from kalshi_tui.practice.replay.recorded_terms import (
    parse_count_or_zero,
    parse_price_or,
    set_grid,
    set_market_data,
    set_quote,
    set_status,
    to_event_definition,
    to_market_definition,
    to_series_definition,
)
from kalshi_tui.recording.reader import Record
from kalshi_tui.recording.verifier import (
    RecordingVerifier,
    RecordResult,
    cached_delta,
)
from kalshi_tui.recording.writer import RecordKind

_DECODE_ERRORS: Final = (wire.DecodeError, UnicodeError, RecursionError)


class ReplayListener(Protocol):
    """Whoever follows the changes. Prices and counts are those of the recording; times come from the clock."""

    def list_market(self, terms: MarketDefinition, event: EventDefinition, series: SeriesDefinition) -> ListedMarket:
        """Return a market, listed if it was not there."""

    def apply_delta(self, listing: ListedMarket, side: Side, price: Price, delta: Count) -> None:
        """Change a level by what was recorded."""

    def replace_book(self, listing: ListedMarket, book: Book | None) -> None:
        """Make a book what was recorded; None for one that is no longer followed."""

    def publish_quote(self, listing: ListedMarket) -> None:
        """Announce the figures, which the market has already."""

    def publish_trade(self, listing: ListedMarket, trade: TradeRecord) -> None:
        """Announce a trade, which the tape has already."""

    def apply_lifecycle(self, listing: ListedMarket, msg: wire.LifecycleMsg) -> None:
        """Carry out what happened to a market."""

    def update_fees(self, event: EventDefinition, series: SeriesDefinition) -> None:
        """Take an event's terms and its series' as they are now."""


class NullListener:
    """A listener for a seek: it keeps markets of its own, and announces nothing."""

    def __init__(self, clock: "RecordClock") -> None:
        self._clock = clock
        self._listings: dict[str, ListedMarket] = {}

    def list_market(self, terms: MarketDefinition, event: EventDefinition, series: SeriesDefinition) -> ListedMarket:
        """Make a market that is on no exchange."""
        del event, series
        found = self._listings.get(terms.ticker)
        if found is None:
            found = self._listings[terms.ticker] = ListedMarket(terms, "")
        return found

    def apply_delta(self, listing: ListedMarket, side: Side, price: Price, delta: Count) -> None:
        """Do nothing: the verifier has the book."""

    def replace_book(self, listing: ListedMarket, book: Book | None) -> None:
        """Do nothing: the verifier has the book."""

    def publish_quote(self, listing: ListedMarket) -> None:
        """Do nothing."""

    def publish_trade(self, listing: ListedMarket, trade: TradeRecord) -> None:
        """Do nothing."""

    def apply_lifecycle(self, listing: ListedMarket, msg: wire.LifecycleMsg) -> None:
        """Set the market's next status."""
        kind = msg.event_type
        if kind == LifecycleType.ACTIVATED.value:
            listing.status = MarketStatus.ACTIVE
        elif kind == LifecycleType.DEACTIVATED.value:
            listing.status = MarketStatus.INACTIVE
        elif kind == LifecycleType.CLOSE_DATE_UPDATED.value and isinstance(msg.close_ts, int):
            listing.close_ms = msg.close_ts * 1_000
        elif kind == LifecycleType.DETERMINED.value:
            listing.status = MarketStatus.DETERMINED
            listing.result, listing.settlement_value = parse_result(msg)
        elif kind == LifecycleType.SETTLED.value:
            listing.status = MarketStatus.FINALIZED
            listing.settled_ms = self._clock.now_ms
        elif kind == LifecycleType.GRID_UPDATED.value:
            set_grid(listing, msg.price_level_structure or listing.structure, msg.price_ranges)

    def update_fees(self, event: EventDefinition, series: SeriesDefinition) -> None:
        """Do nothing: the state has them."""


class RecordClock(Protocol):
    """Whoever knows the time of the record at hand."""

    @property
    def now_ms(self) -> int:
        """Return it, in Unix ms."""


class RecordedState:
    """All that the records so far have said."""

    def __init__(self, listener: ReplayListener | None = None) -> None:
        self.now_ms = 0
        self.listener: ReplayListener = listener or NullListener(self)
        self.verifier = RecordingVerifier()
        self.listings: dict[str, ListedMarket] = {}
        self.wire_markets: dict[str, wire.Market] = {}
        self.events: dict[str, EventDefinition] = {}
        self.series: dict[str, SeriesDefinition] = {}
        self.record_count = 0

    def apply(self, record: Record) -> None:
        """Apply one record. Skip what makes no sense: a check of the recording reports it."""
        self.now_ms = record.ms
        self.record_count += 1
        kind = record.kind
        if kind in _REST_RECORD_HANDLERS:
            try:
                _REST_RECORD_HANDLERS[kind](self, record.payload)
            except (*_DECODE_ERRORS, NumberError):
                return
            return
        found, frame = self.verifier.apply(record)
        if found is RecordResult.DROPPED:
            for ticker in self.verifier.dropped:
                if (listing := self.listings.get(ticker)) is not None:
                    self.listener.replace_book(listing, None)
        elif found is RecordResult.APPLIED and frame is not None:
            self._apply_frame(frame)

    def _apply_frame(self, frame: wire.Frame | wire.SnapshotMsg) -> None:
        """Apply a frame of a market that is listed."""
        if isinstance(frame, wire.SnapshotMsg):
            msg: wire.SnapshotMsg | wire.DeltaMsg | wire.TickerMsg | wire.TradeMsg | wire.LifecycleMsg = frame
        elif isinstance(frame, _MARKET_FRAMES):
            msg = frame.msg
        else:
            return
        listing = self.listings.get(msg.market_ticker)
        if listing is None:
            return
        if isinstance(msg, wire.DeltaMsg):
            self.listener.apply_delta(listing, msg.side, self.verifier.delta_price, cached_delta(msg.delta_fp))
        elif isinstance(msg, wire.TickerMsg):
            self._apply_quote(listing, msg)
        elif isinstance(msg, wire.TradeMsg):
            if (trade := parse_trade(msg, self.now_ms)) is not None:
                listing.tape.append(trade)
                bid, _, ask, _ = listing.top
                listing.candles.add_trade(self.now_ms, trade.price, trade.count, bid, ask, listing.open_interest)
                self.listener.publish_trade(listing, trade)
        elif isinstance(msg, wire.SnapshotMsg):
            self.listener.replace_book(listing, self.verifier.books[msg.market_ticker])
        else:
            self.listener.apply_lifecycle(listing, msg)

    def _apply_quote(self, listing: ListedMarket, msg: wire.TickerMsg) -> None:
        set_quote(listing, msg)
        listing.last_price = parse_price_or(msg.price_dollars, 0) or None
        listing.last_size = parse_count_or_zero(msg.last_trade_size_fp)
        listing.volume = parse_count_or_zero(msg.volume_fp)
        listing.open_interest = parse_count_or_zero(msg.open_interest_fp)
        listing.volume_value = msg.dollar_volume * MONEY_UNIT if isinstance(msg.dollar_volume, int) else 0
        bid, _, ask, _ = listing.top
        listing.candles.add_quote(self.now_ms, bid, ask, listing.open_interest)
        self.listener.publish_quote(listing)

    # Records of REST.

    def _apply_series(self, payload: bytes) -> None:
        series = to_series_definition(wire.decode(payload, wire.Series))
        self.series[series.ticker] = series
        for event in self.events.values():
            if event.series_ticker == series.ticker:
                self.listener.update_fees(event, series)

    def _apply_event(self, payload: bytes) -> None:
        event = to_event_definition(wire.decode(payload, wire.Event))
        self.events[event.ticker] = event
        if event.series_ticker in self.series:
            self.listener.update_fees(event, self.series[event.series_ticker])

    def _apply_market(self, payload: bytes) -> None:
        source = wire.decode(payload, wire.Market)
        event = self.events.get(source.event_ticker)
        if event is None:
            return
        series = self.series.get(event.series_ticker) or SeriesDefinition(
            event.series_ticker, "", event.category, fee_type=""
        )
        ticker = source.ticker
        first = ticker not in self.listings
        listing = self.listings[ticker] = self.listener.list_market(
            to_market_definition(source, event, series), event, series
        )
        self.wire_markets[ticker] = source
        if first:
            set_status(listing, source)
            set_market_data(listing, source)
            bid, _, ask, _ = listing.top
            listing.candles.add_quote(self.now_ms, bid, ask, listing.open_interest)
            if (book := self.verifier.books.get(ticker)) is not None:
                self.listener.replace_book(listing, book)
        else:
            listing.previous_price = parse_price_or(source.previous_price_dollars, 0) or None
            listing.base_volume_24h = parse_count_or_zero(source.volume_24h_fp)

    def _apply_prior_trades(self, payload: bytes) -> None:
        """Put trades that were known before into the tape, in their order."""
        trades = [parse_trade(each, self.now_ms) for each in wire.decode(payload, list[wire.TradeMsg])]
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

    def current_status(self, listing: ListedMarket) -> MarketStatus:
        """Return a market's status as it is now: no record tells of opening and closing by the clock."""
        status, now = listing.status, self.now_ms
        if status in {MarketStatus.INITIALIZED, MarketStatus.ACTIVE, MarketStatus.INACTIVE} and listing.close_ms <= now:
            return MarketStatus.CLOSED
        if status is MarketStatus.INITIALIZED and listing.open_ms <= now:
            return MarketStatus.ACTIVE
        return status


_REST_RECORD_HANDLERS: Final = {
    RecordKind.SERIES: RecordedState._apply_series,  # noqa: SLF001 - the class's own table
    RecordKind.EVENT: RecordedState._apply_event,  # noqa: SLF001
    RecordKind.MARKET: RecordedState._apply_market,  # noqa: SLF001
    RecordKind.PRINTS: RecordedState._apply_prior_trades,  # noqa: SLF001
}
_MARKET_FRAMES: Final = (wire.DeltaFrame, wire.TickerFrame, wire.TradeFrame, wire.SnapshotFrame, wire.LifecycleFrame)


def parse_trade(msg: wire.TradeMsg, now: int) -> TradeRecord | None:
    """Read a trade; None for one that makes no sense. Without a time of its own it gets that of its arrival."""
    try:
        price, count = parse_price(msg.yes_price_dollars), parse_count(msg.count_fp)
    except NumberError:
        return None
    outcome = msg.taker_outcome_side or msg.taker_side
    bid = msg.taker_book_side == BookSide.BID.value if msg.taker_book_side is not UNSET else outcome == Side.YES.value
    side = BookSide.BID if bid else BookSide.ASK
    return TradeRecord(msg.trade_id, msg.market_ticker, price, count, side, msg.ts_ms or now)


def parse_result(msg: wire.LifecycleMsg) -> tuple[str, Price | None]:
    """Return how a market ended: the word, and what a YES pays."""
    word = msg.result if isinstance(msg.result, str) else ""
    value = parse_price_or(msg.settlement_value, -1)
    if value < 0:
        return word, {"yes": 10_000, "no": 0}.get(word)
    return word, value
