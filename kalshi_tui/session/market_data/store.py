"""What is known of markets: terms, quotes, books, tapes, charts and sparklines.

The stream calls `snapshot`, `quote` and `trade` for every frame, so these do as little as they can: no message, no
object, and a change is noted by adding a ticker to a set. The mappings are read by everybody and changed here alone.
"""

from collections import deque
from collections.abc import Callable, Container, Iterable, Mapping, Sequence, Set as AbstractSet
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Final

from kalshi_tui.domain.book import Book, Side
from kalshi_tui.domain.candles import CANDLE_PERIODS_MINUTES, Candle, CandleSeries
from kalshi_tui.domain.link import BookTrust
from kalshi_tui.domain.market import Event, Market, MarketStatus, Quote, Trade
from kalshi_tui.domain.price import Count, Price
from kalshi_tui.kalshi.lists import LeftOut, count_unread
from kalshi_tui.session.bus import MarketClosed, MarketsUpdated, MessageBus
from kalshi_tui.session.changes import ChangeLog, Topic

TAPE_CAPACITY: Final = 500
CHART_CAPACITY: Final = 12
OVER: Final = frozenset({MarketStatus.CLOSED, MarketStatus.DETERMINED, MarketStatus.DISPUTED, MarketStatus.FINALIZED})
"""States in which a market takes no orders any more. A halted market is not over."""

Levels = Sequence[tuple[Price, Count]]
MarketWatcher = Callable[[Trade | None], None]
"""Takes a print of the tape, or None for a change of book or quote. It must not raise: the stream waits for it."""


@dataclass(slots=True)
class LiveBook:
    """A book and how far it may be believed. ``why`` is a sentence while it is not GOOD."""

    book: Book = field(default_factory=Book)
    trust: BookTrust = BookTrust.WAITING
    why: str = "Waiting for the first snapshot."
    reported_version: int = 0
    """The book's version at the last look for changes."""
    delayed: bool = False
    """Whether it was read by REST and no stream keeps it true."""

    @property
    def is_good(self) -> bool:
        """Whether its prices may be shown and traded on as they stand."""
        return self.trust is BookTrust.GOOD


class MarketDataStore:
    """Markets and their prices. The stream and the readers of this package change it by its methods."""

    def __init__(self, changes: ChangeLog, bus: MessageBus) -> None:
        self._changes = changes
        self._changed_tickers: Final = changes.tickers
        """The same set, one look-up nearer: every frame adds to it."""
        self._bus = bus
        self._markets: dict[str, Market] = {}
        self._events: dict[str, Event] = {}
        self._quotes: dict[str, Quote] = {}
        self._books: dict[str, LiveBook] = {}
        self._tapes: dict[str, deque[Trade]] = {}
        self._tape_errors: dict[str, str] = {}
        self._ticker_errors: dict[str, str] = {}
        self._charts: dict[tuple[str, int], CandleSeries] = {}
        self._sparklines: dict[str, tuple[Price, ...]] = {}
        self._watchers: Mapping[str, MarketWatcher] = {}
        self._frame_count = 0
        """The frames that changed no book."""
        self._market_list_version = 0
        self._listing_progress: int | None = None
        self._listing_error = ""
        self._is_listed = False
        self._list_left_out: tuple[LeftOut, ...] = ()

        # The dictionaries stay the same objects, so that readers may hold these views of them.
        self.markets: Final[Mapping[str, Market]] = self._markets
        self.events: Final[Mapping[str, Event]] = self._events
        self.quotes: Final[Mapping[str, Quote]] = self._quotes
        self.books: Final[Mapping[str, LiveBook]] = self._books
        self.tapes: Final[Mapping[str, Sequence[Trade]]] = self._tapes
        """The prints of each market, newest first."""
        self.charts: Final[Mapping[tuple[str, int], CandleSeries]] = self._charts
        """By ticker and minutes: those that were looked at last, at most `CHART_CAPACITY`."""
        self.sparklines: Final[Mapping[str, tuple[Price, ...]]] = self._sparklines
        """The last prices of a market's past hours, oldest first; of markets whose lines have been shown."""

    # What is known.

    @property
    def market_list_version(self) -> int:
        """A number that rises when a market comes, goes, or changes its name or status: then lists are built again."""
        return self._market_list_version

    @property
    def listing_progress(self) -> int | None:
        """How many markets have been listed so far while the list is being read, None once it is whole."""
        return self._listing_progress

    @property
    def listing_error(self) -> str:
        """Why the list could not be read at the last try; empty if it could, or has not been tried."""
        return self._listing_error

    @property
    def is_listed(self) -> bool:
        """Whether the list of markets has been read to its end, at least once."""
        return self._is_listed

    def tape_error(self, ticker: str) -> str:
        """Return why a tape could not be read at the last try; empty if it could, or has not been tried."""
        return self._tape_errors.get(ticker, "")

    def ticker_error(self, ticker: str) -> str | None:
        """Return why a market could not be read by its ticker; empty while it is being read, None if neither is so."""
        return self._ticker_errors.get(ticker)

    @property
    def list_left_out_text(self) -> str:
        """How many markets could not be read and are not known otherwise, as a sentence; empty for none."""
        unread = [each for each in self._list_left_out if each.name not in self._markets]
        return f"{count_unread(unread)} could not be read." if unread else ""

    @property
    def watched_tickers(self) -> AbstractSet[str]:
        """The markets that have a watcher."""
        return self._watchers.keys()

    @property
    def frame_count(self) -> int:
        """How many frames of market data have come since the start, for the message rate."""
        return self._frame_count + sum(live.book.version for live in self._books.values())

    def book(self, ticker: str) -> LiveBook:
        """Return a market's book; one that the exchange has not sent yet is empty and WAITING."""
        return self._books.get(ticker) or LiveBook()

    def mark_changed_books(self) -> None:
        """Mark the markets whose books have changed since the last call.

        Books are found by their versions, so that a delta, the most frequent frame, has nothing to mark.
        """
        for ticker, live in self._books.items():
            if live.reported_version != live.book.version:
                live.reported_version = live.book.version
                self._changed_tickers.add(ticker)

    # The stream's side.

    def snapshot(self, ticker: str, yes: Levels, no: Levels) -> Callable[[Side, Price, Count], object]:
        """Replace a book, trust it, and return the function that applies its deltas.

        Raises BookError if the levels cannot be a book.
        """
        live = self._book_for_update(ticker)
        live.book.snapshot(yes, no)
        live.trust, live.why = BookTrust.GOOD, ""
        if live.book.watcher is not None:
            live.book.watcher()
        return live.book.apply

    def mark_book_delayed(self, ticker: str) -> None:
        """Note that a book was read by REST: no stream keeps it true."""
        self._book_for_update(ticker).delayed = True

    def stale(self, tickers: Sequence[str], why: str) -> None:
        """Stop trusting these books until their next snapshot."""
        for ticker in tickers:
            live = self._book_for_update(ticker)
            if live.trust is BookTrust.GOOD:
                live.trust = BookTrust.STALE
            live.why = why
            self._changed_tickers.add(ticker)

    def quote(self, ticker: str, quote: Quote) -> None:
        """Take a ticker frame. The quote belongs to the store from here on; what the channel does not carry is kept."""
        known = self._quotes.get(ticker)
        if known is not None:
            quote.previous = known.previous
            if quote.volume is None:
                quote.volume = known.volume
            quote.volume_24h = _continue_volume_24h(known, quote.volume)
            if quote.open_interest is None:
                quote.open_interest = known.open_interest
        self._quotes[ticker] = quote
        self._frame_count += 1
        self._changed_tickers.add(ticker)
        if self._watchers and ticker in self._watchers:
            self._watchers[ticker](None)

    def trade(self, trade: Trade) -> None:
        """Add a print to the tape, and to the charts of its market."""
        tape = self._tapes.get(trade.ticker)
        if tape is None:
            tape = self._tapes[trade.ticker] = deque(maxlen=TAPE_CAPACITY)
        tape.appendleft(trade)
        for minutes in CANDLE_PERIODS_MINUTES if self._charts else ():
            chart = self._charts.get((trade.ticker, minutes))
            if chart is not None:
                self._charts[trade.ticker, minutes] = chart.with_trade(trade)
        self._frame_count += 1
        self._changed_tickers.add(trade.ticker)
        if trade.ticker in self._watchers:
            self._watchers[trade.ticker](trade)

    def set_watchers(self, watchers: Mapping[str, MarketWatcher]) -> None:
        """Call these at each change of a market's book, quote or tape, before any screen can know of it."""
        self._watchers = watchers
        for ticker, live in self._books.items():
            live.book.watcher = self._make_book_watcher(ticker)

    def drop_books(self, tickers: Iterable[str]) -> None:
        """Drop the books of markets that are no longer subscribed to: no frame keeps them true."""
        for ticker in tickers:
            gone = self._books.pop(ticker, None)
            self._frame_count += gone.book.version if gone is not None else 0
            self._changed_tickers.add(ticker)

    def _book_for_update(self, ticker: str) -> LiveBook:
        """Return a market's book, a new one if there is none."""
        live = self._books.get(ticker)
        if live is None:
            live = self._books[ticker] = LiveBook()
            live.book.watcher = self._make_book_watcher(ticker)
        return live

    def _make_book_watcher(self, ticker: str) -> Callable[[], None] | None:
        watcher = self._watchers.get(ticker)
        return None if watcher is None else partial(watcher, None)

    # The readers' side: what REST said.

    def set_markets(
        self,
        markets: Iterable[Market],
        events: Iterable[Event] = (),
        *,
        in_list_order: bool = False,
        listed_early: Container[str] = (),
    ) -> None:
        """Add or replace markets, keeping a live quote that is newer than the one they carry.

        With ``in_list_order`` new ones go to the end, as the exchange lists them, and so do those of ``listed_early``,
        which were read before their turn; else new ones go beside their series.
        """
        self._events.update({event.event_ticker: event for event in events})
        listed = bool(self._markets) and not in_list_order
        for each in markets:
            market = self._complete_market(each)
            if listed and market.ticker not in self._markets:
                self._insert_beside_series(market)
            before = self._markets.get(market.ticker)
            if before is not None and market.ticker in listed_early:
                # Its turn has come: it leaves the place that it had before the others.
                del self._markets[market.ticker]
                before = None
            if before is not None and before.status.tradable and market.status in OVER:
                self._bus.publish(MarketClosed(market))
            if before is None or _listing_key(before) != _listing_key(market):
                self._market_list_version += 1
            self._markets[market.ticker] = market
            live = self._quotes.get(market.ticker)
            if live is None or not live.ts_ms:
                self._quotes[market.ticker] = market.quote
            else:
                # The stream's quote is newer than the reply's; only what the stream does not carry is taken over.
                self._quotes[market.ticker] = replace(
                    live,
                    previous=market.quote.previous,
                    volume_24h=_continue_volume_24h(market.quote, live.volume),
                )
            self._changed_tickers.add(market.ticker)
        self._changes.mark(Topic.MARKETS)
        self._bus.publish(MarketsUpdated())

    def set_list_left_out(self, items: Sequence[LeftOut]) -> None:
        """Note what of the list of markets could not be read."""
        self._list_left_out = tuple(items)
        self._changes.mark(Topic.MARKETS)

    def set_listing_progress(self, listed: int | None) -> None:
        """Note how many markets of the list have been read; None when it is whole."""
        self._listing_progress = listed
        self._is_listed = self._is_listed or listed is None
        self._changes.mark(Topic.MARKETS)

    def set_listing_error(self, why: str) -> None:
        """Note why the list could not be read, a sentence; empty when it has been."""
        self._listing_error = why
        self._changes.mark(Topic.MARKETS)

    def drop_markets(self, tickers: Iterable[str]) -> None:
        """Forget markets that are over, with all that was known around them."""
        for ticker in tickers:
            self._markets.pop(ticker, None)
            self._quotes.pop(ticker, None)
            self._books.pop(ticker, None)
            self._tapes.pop(ticker, None)
            self._sparklines.pop(ticker, None)
        self._market_list_version += 1
        needed = {market.event_ticker for market in self._markets.values()}
        for name in self._events.keys() - needed:
            del self._events[name]
        self._changes.mark(Topic.MARKETS)

    def set_tape(self, ticker: str, trades: Sequence[Trade]) -> None:
        """Put prints that were read among those that the stream has brought, by the exchange's time."""
        tape = self._tapes.setdefault(ticker, deque(maxlen=TAPE_CAPACITY))
        known = {trade.trade_id for trade in tape}
        every = [*tape, *(trade for trade in trades if trade.trade_id not in known)]
        every.sort(key=lambda trade: trade.ts_ms, reverse=True)
        tape.clear()
        tape.extend(every[:TAPE_CAPACITY])
        self._tape_errors.pop(ticker, None)
        self._changed_tickers.add(ticker)

    def set_tape_error(self, ticker: str, why: str) -> None:
        """Note that a tape could not be read; the prints known before stay."""
        self._tape_errors[ticker] = why
        self._changed_tickers.add(ticker)

    def set_ticker_errors(self, tickers: Iterable[str], why: str | None) -> None:
        """Note why markets could not be read by their tickers; empty while they are being read, None once they are."""
        for ticker in tickers:
            if why is None:
                self._ticker_errors.pop(ticker, None)
            else:
                self._ticker_errors[ticker] = why
            self._changed_tickers.add(ticker)
        self._changes.mark(Topic.MARKETS)

    def set_chart(self, ticker: str, minutes: int, candles: Sequence[Candle], since_ms: int, as_of_ms: int) -> None:
        """Take all candles of a market that end at ``since_ms`` or later, read at ``as_of_ms``, the exchange's time."""
        chart = self._charts.pop((ticker, minutes), None) or CandleSeries(minutes)
        # What has traded since then is in no candle that was read.
        later = [trade for trade in self._tapes.get(ticker, ()) if trade.ts_ms > as_of_ms]
        later.sort(key=lambda trade: trade.ts_ms)
        self._put_chart(ticker, chart.merge(candles, since_ms, as_of_ms, later))

    def set_chart_error(self, ticker: str, minutes: int, why: str) -> None:
        """Note that a chart could not be read; the candles known before stay."""
        chart = self._charts.pop((ticker, minutes), None) or CandleSeries(minutes)
        self._put_chart(ticker, replace(chart, why=why))

    def set_sparkline(self, ticker: str, prices: Sequence[Price]) -> None:
        """Take the last prices of a market's past hours, oldest first."""
        self._sparklines[ticker] = tuple(prices)
        self._changed_tickers.add(ticker)

    def drop_sparkline(self, ticker: str) -> None:
        """Forget the past prices of a market that has not been shown for long."""
        self._sparklines.pop(ticker, None)

    def clear_history(self) -> None:
        """Forget all prints and charts: a replay has moved to another moment."""
        for tape in self._tapes.values():
            tape.clear()
        self._charts.clear()

    def _put_chart(self, ticker: str, chart: CandleSeries) -> None:
        self._charts[ticker, chart.minutes] = chart
        if len(self._charts) > CHART_CAPACITY:
            del self._charts[next(iter(self._charts))]
        self._changed_tickers.add(ticker)

    def _insert_beside_series(self, market: Market) -> None:
        """Make room for a market that came later, behind the last of its series: a reader looks for it there."""
        order = list(self._markets.items())
        places = [n for n, (_, other) in enumerate(order, 1) if other.series_ticker == market.series_ticker]
        order.insert(places[-1] if places else len(order), (market.ticker, market))
        self._markets.clear()
        self._markets.update(order)

    def _complete_market(self, market: Market) -> Market:
        """Keep of a market what not every reply carries: the event's title, the series, the fees."""
        event, known = self._events.get(market.event_ticker), self._markets.get(market.ticker)
        return replace(
            market,
            title=event.title if event is not None and event.title else market.title,
            series_ticker=market.series_ticker or (event.series_ticker if event is not None else ""),
            fees=market.fees or (known.fees if known is not None else None),
        )


def _continue_volume_24h(read: Quote, volume: Count | None) -> Count | None:
    """Return the volume of 24 hours, which no frame carries, as of a newer volume than the one it was read with.

    What has traded 24 hours ago leaves it only with the next read.
    """
    if read.volume_24h is None or read.volume is None or volume is None:
        return read.volume_24h
    return read.volume_24h + volume - read.volume


def _listing_key(market: Market) -> tuple[object, ...]:
    """Return what decides where and how a market is listed."""
    return (
        market.status,
        market.title,
        market.yes_sub_title,
        market.result,
        market.close_ms,
        market.expected_end_ms,
        market.grid.finest_step,
    )
