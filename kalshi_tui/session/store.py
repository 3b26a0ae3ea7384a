"""What the program knows: books, quotes, tape, orders, positions, balance, link.

The stream pushes into the store, the screen pulls from it: each change marks what it touched, and the screen's frame
tick takes the marks with `drain`. Nothing here waits, draws or talks to the exchange.
"""

from collections import deque
from collections.abc import Callable, Container, Iterable, Mapping, Sequence, Set as AbstractSet
from dataclasses import dataclass, field, replace
from enum import Enum, auto
from functools import partial
from typing import Final

from kalshi_tui.domain.alerts import Alert
from kalshi_tui.domain.book import Book, Side
from kalshi_tui.domain.candles import (
    CANDLE_PERIODS_MINUTES,
    Candle,
    CandleSeries,
    Settlement,
)
from kalshi_tui.domain.limits import order_risk
from kalshi_tui.domain.link import BookTrust, Link, LinkState, TradingStatus
from kalshi_tui.domain.market import Event, Market, Quote, Trade
from kalshi_tui.domain.order import Action, BookSide, Fill, Order, OrderState, OrderTerms, TimeInForce
from kalshi_tui.domain.position import Balance, Position
from kalshi_tui.domain.price import Count, Money, Price
from kalshi_tui.domain.text import market_name
from kalshi_tui.session.account.list_reads import AccountList, AccountReads
from kalshi_tui.session.notices import OVER, Notices, Weight

TAPE_CAPACITY: Final = 500
FILL_CAPACITY: Final = 1_000
CHART_CAPACITY: Final = 12
UNCONFIRMED_STATES: Final = frozenset({OrderState.DRAFTED, OrderState.SENDING, OrderState.UNKNOWN})
"""States in which the exchange has not spoken yet."""
JUST_ENDED_MS: Final = 60_000
"""An order that ended so shortly before its market closed may have ended by that."""

Levels = Sequence[tuple[Price, Count]]
MarketWatcher = Callable[[Trade | None], None]
"""Takes a print of the tape, or None for a change of book or quote. It must not raise: the stream waits for it."""


class Topic(Enum):
    """What else than a single market can change on the screen."""

    MARKETS = auto()
    ORDERS = auto()
    POSITIONS = auto()
    BALANCE = auto()
    FILLS = auto()
    LINK = auto()
    NOTICES = auto()
    SETTLEMENTS = auto()
    ALERTS = auto()


LIST_TOPICS: Final = {
    AccountList.ORDERS: Topic.ORDERS,
    AccountList.POSITIONS: Topic.POSITIONS,
    AccountList.FILLS: Topic.FILLS,
    AccountList.SETTLEMENTS: Topic.SETTLEMENTS,
}


@dataclass(slots=True)
class LiveBook:
    """A book and how far it may be believed. ``why`` is a sentence while it is not GOOD."""

    book: Book = field(default_factory=Book)
    trust: BookTrust = BookTrust.WAITING
    why: str = "Waiting for the first snapshot."
    reported_version: int = 0
    """The book's version at the last look for changes."""

    @property
    def is_good(self) -> bool:
        """Whether its prices may be shown and traded on as they stand."""
        return self.trust is BookTrust.GOOD


@dataclass(frozen=True, slots=True)
class StoreChanges:
    """What changed since the last drain."""

    tickers: frozenset[str]
    topics: frozenset[Topic]

    def __bool__(self) -> bool:
        return bool(self.tickers or self.topics)


@dataclass(frozen=True, slots=True)
class DayTotal:
    """What this day has brought so far. Counts in 1/100 contract, money in 1/1,000,000 dollar, times Unix ms."""

    fills: int
    bought: Count
    """YES bought or NO sold, in contracts; ``sold`` is the opposite."""
    sold: Count
    fees: Money
    gain: Money | None
    """How much more cash and positions are worth than at ``since_ms``, None while that is not known."""
    since_ms: int


@dataclass(slots=True)
class UnreportedExecutions:
    """Executions that no position tells of yet: counts, and what they cost at the most (1/1,000,000 dollar)."""

    bids: Count = 0
    bid_cost: Money = 0
    asks: Count = 0
    ask_cost: Money = 0


@dataclass(slots=True)
class _ExecutionLog:
    """What has been told of executions, one by one."""

    filled_counts: dict[str, Count] = field(default_factory=dict)
    """The sum of an order's, by order id."""
    inferred_filled: set[str] = field(default_factory=set)
    """Ids of orders that are FILLED because their executions sum up to that; nobody has said so yet."""
    trade_ids: set[str] = field(default_factory=set)
    """Trade ids, ``in_turn`` the same by age."""
    trade_ids_by_age: deque[str] = field(default_factory=deque)


class Store:
    """The one mutable state. It is the stream's `Sink`; the REST reconciliation uses the ``set_`` methods."""

    market_list_version = 0
    """Goes up when a market comes, goes, or changes its name or status: then lists are to be made anew."""
    listing_progress: int | None = None
    """How many markets have been listed so far while the list is being read, None once it is whole."""
    alerts: tuple[Alert, ...] = ()
    """What the trader wants to be told, newest first."""
    on_fill: Callable[[Fill], None] | None = None
    """Called with each execution that was not known, told or read."""
    skew_ms = 0
    """The exchange's time minus this machine's, as it was known last."""

    balance: Balance | None = None
    day_total: DayTotal | None = None
    account_differences: tuple[str, ...] = ()
    """Where the account as told by the stream differed from the account as read, at the last reconciliation."""
    hours = TradingStatus.OPEN
    """What the exchange takes now, as it said last."""

    def __init__(self, clock_ms: Callable[[], int]) -> None:
        self._clock_ms = clock_ms
        self.markets: dict[str, Market] = {}
        self.events: dict[str, Event] = {}
        self.quotes: dict[str, Quote] = {}
        self.books: dict[str, LiveBook] = {}
        self.tapes: dict[str, deque[Trade]] = {}
        self.charts: dict[tuple[str, int], CandleSeries] = {}
        """By ticker and minutes: those that were looked at last, at most `CHART_CAPACITY`."""
        self.sparklines: dict[str, tuple[Price, ...]] = {}
        """The last prices of a market's past hours, oldest first; of those whose lines have been looked at."""
        self.settlements: tuple[Settlement, ...] = ()  # newest first
        self.orders: dict[str, Order] = {}
        """By order id; an order that has none yet stands under its client order id."""
        self.requested_sides: dict[str, tuple[Action, Side]] = {}
        """What the trader said, by client order id: the exchange knows no difference of selling YES and buying NO."""
        self.order_terms: dict[str, OrderTerms] = {}
        """All that the trader asked for, by client order id: of this run's orders, and of those taken up again."""
        self.requested_cancels: set[str] = set()
        """Ids of orders that this program has asked to be canceled."""
        self.pending_amends: dict[str, tuple[Price, Count]] = {}
        """What orders are being changed to, by order id: YES price and resting count; until that is known."""
        self.unreported_executions: dict[str, UnreportedExecutions] = {}
        """What orders have done in a market since its position was told last."""
        self.queue_positions: dict[str, Count] = {}
        """How many contracts stand before a resting order, by order id, as the exchange said last."""
        self.fills: deque[Fill] = deque(maxlen=FILL_CAPACITY)
        self.positions: dict[str, Position] = {}
        self.connection = Link()
        self.reads = AccountReads()
        self.notices = Notices(clock_ms, lambda ticker: market_name(self.markets, ticker), self.requested_sides)
        self._order_ids_by_client_id: dict[str, str] = {}
        """The exchange's ids by client order id."""
        self._position_reported_ms: dict[str, int] = {}
        """When the stream last told of a market's position, in this machine's Unix milliseconds."""
        self._executions = _ExecutionLog()
        self._changed_tickers: set[str] = set()
        """Changes of books are found by their versions instead."""
        self._watchers: Mapping[str, MarketWatcher] = {}
        self._frame_count = 0
        """Those that changed no book."""
        self._changed_topics: set[Topic] = set()
        self.on_account_news: Callable[[], None] | None = None
        """Called when a frame says that cash or positions have moved; the session then reads them by REST."""
        self.on_order: Callable[[Order], None] | None = None
        """Called with an order as it stands after something of it has changed."""
        self.on_doubt: Callable[[], None] | None = None
        """Called when an order's outcome is not known: orders and fills are to be read again."""
        self.on_lifecycle: Callable[[str, str], None] | None = None
        self.on_link: Callable[[LinkState], None] | None = None

    def take_changes(self) -> StoreChanges:
        """Return what changed since the last call, and forget it."""
        for ticker, live in self.books.items():
            if live.reported_version != live.book.version:
                live.reported_version = live.book.version
                self._changed_tickers.add(ticker)
        dirty = StoreChanges(frozenset(self._changed_tickers), frozenset(self._changed_topics))
        self._changed_tickers.clear()
        self._changed_topics.clear()
        return dirty

    # The stream's side: `Sink`.

    def snapshot(self, ticker: str, yes: Levels, no: Levels) -> Callable[[Side, Price, Count], object]:
        """Replace a book, trust it, give what takes its changes. Raises BookError if the levels cannot be a book."""
        live = self._book_for_update(ticker)
        live.book.snapshot(yes, no)
        live.trust, live.why = BookTrust.GOOD, ""
        if live.book.watcher is not None:
            live.book.watcher()
        return live.book.apply

    def _book_for_update(self, ticker: str) -> LiveBook:
        """Return a market's book, a new one if there is none."""
        live = self.books.get(ticker)
        if live is None:
            live = self.books[ticker] = LiveBook()
            live.book.watcher = self._make_book_watcher(ticker)
        return live

    def _make_book_watcher(self, ticker: str) -> Callable[[], None] | None:
        watcher = self._watchers.get(ticker)
        return None if watcher is None else partial(watcher, None)

    def set_watchers(self, watchers: Mapping[str, MarketWatcher]) -> None:
        """Call these with each change of a market's book, quote or tape, before any screen can know of it."""
        self._watchers = watchers
        for ticker, live in self.books.items():
            live.book.watcher = self._make_book_watcher(ticker)

    @property
    def watched_tickers(self) -> AbstractSet[str]:
        """The markets that somebody watches."""
        return self._watchers.keys()

    @property
    def frame_count(self) -> int:
        """Frames of market data taken since the start, for the message rate."""
        return self._frame_count + sum(live.book.version for live in self.books.values())

    def stale(self, tickers: Sequence[str], why: str) -> None:
        """Stop trusting these books until their next snapshot."""
        for ticker in tickers:
            live = self._book_for_update(ticker)
            if live.trust is BookTrust.GOOD:
                live.trust = BookTrust.STALE
            live.why = why
            self._changed_tickers.add(ticker)

    def quote(self, ticker: str, quote: Quote) -> None:
        """Take a ticker frame, whose quote is the store's own from here; what the channel does not carry is kept."""
        known = self.quotes.get(ticker)
        if known is not None:
            quote.previous, quote.volume_24h = known.previous, known.volume_24h
        self.quotes[ticker] = quote
        self._frame_count += 1
        self._changed_tickers.add(ticker)
        if self._watchers and ticker in self._watchers:
            self._watchers[ticker](None)

    def trade(self, trade: Trade) -> None:
        """Take a print of the public tape."""
        tape = self.tapes.get(trade.ticker)
        if tape is None:
            tape = self.tapes[trade.ticker] = deque(maxlen=TAPE_CAPACITY)
        tape.appendleft(trade)
        for minutes in CANDLE_PERIODS_MINUTES if self.charts else ():
            chart = self.charts.get((trade.ticker, minutes))
            if chart is not None:
                self.charts[trade.ticker, minutes] = chart.with_trade(trade)
        self._frame_count += 1
        self._changed_tickers.add(trade.ticker)
        if trade.ticker in self._watchers:
            self._watchers[trade.ticker](trade)

    def fill(self, fill: Fill) -> None:
        """Take an execution of the account's own; one that is known already is passed over."""
        if fill.trade_id in self._executions.trade_ids:
            return
        self._record_fill(fill)
        self.fills.appendleft(fill)
        self._changed_topics.add(Topic.FILLS)
        self._changed_tickers.add(fill.ticker)
        self._apply_fill(fill)
        self._tell_fill(fill, read=False)
        self._report_account_news()
        if self.on_fill is not None:
            self.on_fill(fill)

    def order(self, order: Order) -> None:
        """Take the news of an order. News may come twice, late or out of turn: see `merged`."""
        key = order.order_id or self._order_ids_by_client_id.get(order.client_order_id, order.client_order_id)
        pending = None
        if order.order_id and order.client_order_id:
            pending = self.orders.pop(order.client_order_id, None)
            self._order_ids_by_client_id[order.client_order_id] = order.order_id
        known = self.orders.get(key, pending)
        if known is not None and key in self._executions.inferred_filled and order.state is OrderState.RESTING:
            # It was changed to a larger count, and that was not heard here: it rests on.
            known = replace(known, state=OrderState.RESTING)
        self._executions.inferred_filled.discard(key)
        now = order if known is None else merge_orders(known, order)
        if known is not None and known.state is OrderState.UNKNOWN is not now.state:
            self.pending_amends.pop(key, None)
        self._count_unreported(now, now.filled - (known.filled if known is not None else 0))
        if now.state is OrderState.CANCELED and not now.reason and known is not None and not known.state.final:
            now = replace(now, reason=self._cancel_reason(now))
        self.orders[key] = now
        self._mark_order_changed(now)
        if known is not None and not known.state.final:
            self.notices.ended(now)
            self._changed_topics.add(Topic.NOTICES)
        if known is None or now != known:
            self._report_account_news()
            if self.on_order is not None:
                self.on_order(now)
            if now.state is OrderState.UNKNOWN and self.on_doubt is not None:
                self.on_doubt()

    def apply_read_order(self, order: Order) -> None:
        """Take an order that was read: reads lag, so that only an end ends an unknown order.

        See `OrderLookup` for more.
        """
        known = self.orders.get(order.order_id)
        if known is None or known.state is not OrderState.UNKNOWN or order.state.final:
            self.order(order)

    def reopen_order(self, order: Order) -> None:
        """Put an order back to work that had never arrived: it is sent under its own id once more."""
        self.orders[order.client_order_id] = order
        self._mark_order_changed(order)
        if self.on_order is not None:
            self.on_order(order)

    def position(self, position: Position) -> None:
        """Take a market's position as the exchange has it."""
        self._position_reported_ms[position.ticker] = self._clock_ms()
        self.unreported_executions.pop(position.ticker, None)
        if position.count:
            self.positions[position.ticker] = position
        else:
            self.positions.pop(position.ticker, None)
        self._changed_topics.add(Topic.POSITIONS)
        self._changed_tickers.add(position.ticker)

    def lifecycle(self, ticker: str, event_type: str) -> None:
        """Hear that a market changed; whoever composed the session has it read anew."""
        if self.on_lifecycle is not None:
            self.on_lifecycle(ticker, event_type)

    def link(self, state: LinkState, detail: str) -> None:
        """Hear of the connection."""
        before = self.connection
        self.connection = Link(state, detail)
        self._changed_topics.add(Topic.LINK)
        if before.state is not state:
            if state is LinkState.LIVE:
                self.notify(Weight.GOOD, "Connected.")
            elif before.state is LinkState.LIVE or state is LinkState.REFUSED:
                self.notify(Weight.WARNING, detail or "The connection was lost.")
            if self.on_link is not None:
                self.on_link(state)

    # The reconciliation's side: what REST said, whole.

    def set_markets(
        self,
        markets: Iterable[Market],
        events: Iterable[Event] = (),
        *,
        in_list_order: bool = False,
        listed_early: Container[str] = (),
    ) -> None:
        """Add or replace markets, keeping a live quote that is newer than the one they carry.

        With ``in_turn`` new ones go to the end, as the exchange lists them, and so do those that came too ``early``;
        else beside their series.
        """
        self.events.update({event.event_ticker: event for event in events})
        listed = bool(self.markets) and not in_list_order
        for plain in markets:
            market = self._complete_market(plain)
            if listed and market.ticker not in self.markets:
                self._insert_beside_series(market)
            before = self.markets.get(market.ticker)
            if before is not None and market.ticker in listed_early:
                # Its turn has come: it leaves the place that it had before the others.
                del self.markets[market.ticker]
                before = None
            if (
                before is not None
                and before.status.tradable
                and market.status in OVER
                and self._concerns(market.ticker)
            ):
                self.notices.closed(market, self.positions.get(market.ticker))
                self._changed_topics.add(Topic.NOTICES)
            if before is None or _listing_key(before) != _listing_key(market):
                self.market_list_version += 1
            self.markets[market.ticker] = market
            live = self.quotes.get(market.ticker)
            if live is None or not live.ts_ms:
                self.quotes[market.ticker] = market.quote
            else:
                self.quotes[market.ticker] = replace(
                    live, previous=market.quote.previous, volume_24h=market.quote.volume_24h
                )
            self._changed_tickers.add(market.ticker)
        self._changed_topics.add(Topic.MARKETS)
        if self.notices.name(self.markets):
            self._changed_topics.add(Topic.NOTICES)

    def _concerns(self, ticker: str) -> bool:
        """Return whether the trader has a position or an order in a market, or had one until a moment ago."""
        if ticker in self.positions:
            return True
        ended_ms = self.exchange_ms() - JUST_ENDED_MS
        return any(
            order.ticker == ticker and order.state.reached and (not order.state.final or order.updated_ms > ended_ms)
            for order in self.orders.values()
        )

    def set_listing_progress(self, listed: int | None) -> None:
        """Tell how far the reading of the list has come; None when it is whole."""
        self.listing_progress = listed
        self._changed_topics.add(Topic.MARKETS)

    def drop_markets(self, tickers: Iterable[str]) -> None:
        """Forget markets that are over, with all that was known around them."""
        for ticker in tickers:
            for known in (self.markets, self.quotes, self.books, self.tapes, self.sparklines):
                known.pop(ticker, None)
        self.market_list_version += 1
        asked_about = {market.event_ticker for market in self.markets.values()}
        self.events = {name: event for name, event in self.events.items() if name in asked_about}
        self._changed_topics.add(Topic.MARKETS)

    def set_tape(self, ticker: str, trades: Sequence[Trade]) -> None:
        """Put prints that were read among those that the stream has brought; the exchange's time decides."""
        tape = self.tapes.setdefault(ticker, deque(maxlen=TAPE_CAPACITY))
        known = {trade.trade_id for trade in tape}
        every = [*tape, *(trade for trade in trades if trade.trade_id not in known)]
        every.sort(key=lambda trade: trade.ts_ms, reverse=True)
        tape.clear()
        tape.extend(every[:TAPE_CAPACITY])
        self._changed_tickers.add(ticker)

    def set_chart(self, ticker: str, minutes: int, candles: Sequence[Candle], since_ms: int, as_of_ms: int) -> None:
        """Take all candles of a market that end at ``since_ms`` or later, read at ``as_of_ms``, the exchange's time."""
        chart = self.charts.pop((ticker, minutes), None) or CandleSeries(minutes)
        # What has traded since then is in no candle that was read.
        later = [trade for trade in self.tapes.get(ticker, ()) if trade.ts_ms > as_of_ms]
        later.sort(key=lambda trade: trade.ts_ms)
        self._put_chart(ticker, chart.merge(candles, since_ms, as_of_ms, later))

    def set_chart_error(self, ticker: str, minutes: int, why: str) -> None:
        """Note that a chart could not be read; the candles known before stay."""
        chart = self.charts.pop((ticker, minutes), None) or CandleSeries(minutes)
        self._put_chart(ticker, replace(chart, why=why))

    def set_sparkline(self, ticker: str, prices: Sequence[Price]) -> None:
        """Take the last prices of a market's past hours, oldest first."""
        self.sparklines[ticker] = tuple(prices)
        self._changed_tickers.add(ticker)

    def _put_chart(self, ticker: str, chart: CandleSeries) -> None:
        self.charts[ticker, chart.minutes] = chart
        if len(self.charts) > CHART_CAPACITY:
            del self.charts[next(iter(self.charts))]
        self._changed_tickers.add(ticker)

    def mark_read(self, *lists: AccountList) -> None:
        """Note that these lists of the account have been read."""
        for each in lists:
            if self.reads.succeeded(each):
                self._changed_topics.add(LIST_TOPICS[each])

    def mark_unread(self, why: str, *lists: AccountList) -> None:
        """Note why these lists could not be read, a sentence."""
        for each in lists:
            self.reads.failed(each, why)
            self._changed_topics.add(LIST_TOPICS[each])

    def why_unread(self, which: AccountList) -> str:
        """Return in a sentence that a list of the account has not been read yet, and why; empty if it has been."""
        why = self.reads.why_unread(which, self.connection)
        return f"Not read yet: {why}" if why else ""

    def set_settlements(self, settlements: Iterable[Settlement]) -> None:
        """Replace what settled markets have paid."""
        self.mark_read(AccountList.SETTLEMENTS)
        newest_first = tuple(sorted(settlements, key=lambda each: -each.settled_ms))
        if newest_first != self.settlements:
            self.settlements = newest_first
            self._changed_topics.update((Topic.SETTLEMENTS, Topic.NOTICES))
            self.notices.settled(newest_first, self.skew_ms)

    def set_alerts(self, alerts: Iterable[Alert]) -> None:
        """Replace the alerts; the same once more means that what they look at has to be drawn anew."""
        self.alerts = tuple(alerts)
        self._changed_topics.add(Topic.ALERTS)

    def exchange_ms(self) -> int:
        """Return the exchange's time in Unix milliseconds, as far as it is known."""
        return self._clock_ms() + self.skew_ms

    def set_positions(self, positions: Iterable[Position], as_of_ms: int) -> None:
        """Replace all positions but those that the stream has told since ``as_of_ms``, this machine's Unix time."""
        newer = {ticker for ticker, told_ms in self._position_reported_ms.items() if told_ms > as_of_ms}
        self.mark_read(AccountList.POSITIONS)
        fresh = {position.ticker: position for position in positions if position.count and position.ticker not in newer}
        fresh |= {ticker: self.positions[ticker] for ticker in newer & self.positions.keys()}
        self.unreported_executions = {
            ticker: ahead for ticker, ahead in self.unreported_executions.items() if ticker in newer
        }
        self._changed_tickers.update(fresh.keys() | self.positions.keys())
        self.positions = fresh
        self._changed_topics.add(Topic.POSITIONS)

    def set_queue_positions(self, positions: dict[str, Count]) -> None:
        """Replace what is known of the places in the queues."""
        if positions != self.queue_positions:
            self.queue_positions = positions
            self._changed_topics.add(Topic.ORDERS)

    def set_day_total(self, day: DayTotal) -> None:
        """Replace the day's total."""
        self.day_total = day
        self._changed_topics.add(Topic.POSITIONS)

    def set_account_differences(self, sentences: Iterable[str]) -> None:
        """Note where what was told and what was read did not agree."""
        self.account_differences = tuple(sentences)
        self._changed_topics.add(Topic.POSITIONS)

    def reported_positions(self, before_ms: int) -> dict[str, Count]:
        """Return the positions as they stand in open markets that the stream has told of, but not since ``before_ms``.

        Positions of settled markets leave the exchange's list without a word (docs/kalshi-api.md, section 7).
        """
        return {
            ticker: self.positions[ticker].count if ticker in self.positions else 0
            for ticker, told_ms in self._position_reported_ms.items()
            if told_ms <= before_ms and ticker in self.markets and self.markets[ticker].status.tradable
        }

    def set_hours(self, hours: TradingStatus) -> None:
        """Note what the exchange takes now."""
        self.hours = hours
        self._changed_topics.add(Topic.LINK)

    def set_balance(self, balance: Balance) -> None:
        """Replace the balance."""
        self.balance = balance
        self._changed_topics.add(Topic.BALANCE)

    def set_fills(self, fills: Sequence[Fill]) -> list[Fill]:
        """Take the account's fills, newest first, and give those that were not known, newest first."""
        self.mark_read(AccountList.FILLS)
        fresh = [fill for fill in fills if fill.trade_id not in self._executions.trade_ids]
        for fill in fresh:
            self._record_fill(fill)
            self._changed_tickers.add(fill.ticker)
            self._apply_fill(fill)
        if fresh:
            newest_first = sorted([*fresh, *self.fills], key=lambda fill: fill.ts_ms, reverse=True)
            self.fills = deque(newest_first[:FILL_CAPACITY], maxlen=FILL_CAPACITY)
            self._changed_topics.add(Topic.FILLS)
            for fill in sorted(fresh, key=lambda fill: fill.ts_ms):
                self._tell_fill(fill, read=True)
                if self.on_fill is not None:
                    self.on_fill(fill)
        return fresh

    def notify(self, severity: Weight, text: str, ticker: str = "") -> None:
        """Tell the trader something, of a market if a ticker is given; it stays in the log."""
        self.notices.say(severity, text, ticker=ticker)
        self._changed_topics.add(Topic.NOTICES)

    # The screen's side.

    def book(self, ticker: str) -> LiveBook:
        """Return a market's book; one that nobody has sent yet is empty and WAITING."""
        return self.books.get(ticker) or LiveBook()

    def has_held(self, ticker: str) -> bool:
        """Return whether anything is held in a market, or was while this program ran."""
        told = ticker in self.positions or ticker in self._position_reported_ms
        return told or any(fill.ticker == ticker for fill in self.fills)

    def available_cash(self, market: Market) -> Money | None:
        """Return what can be spent in a market: cash is held by shard. None while the balance is not known.

        What orders of unknown outcome may take is taken off: the exchange may not have reserved it yet.
        """
        if self.balance is None:
            return None
        return max(self.balance.on_shard(market.exchange_index) - self._unconfirmed_cost(market.exchange_index), 0)

    def _unconfirmed_cost(self, exchange_index: int) -> Money:
        doubtful = 0
        for order in self.working_orders():
            market = self.markets.get(order.ticker)
            if order.state in UNCONFIRMED_STATES and market is not None and market.exchange_index == exchange_index:
                doubtful += order_risk(order.book_side, order.yes_price, order.remaining)
        return doubtful

    def drop_books(self, tickers: Iterable[str]) -> None:
        """Drop the books of markets that are no longer followed: nobody keeps them true."""
        for ticker in tickers:
            gone = self.books.pop(ticker, None)
            self._frame_count += gone.book.version if gone is not None else 0
            self._changed_tickers.add(ticker)

    def known_order(self, order: Order) -> Order:
        """Return an order as it is known now, by its own id or the client's; itself if nothing is known."""
        key = order.order_id or self._order_ids_by_client_id.get(order.client_order_id, order.client_order_id)
        return self.orders.get(key, order)

    def working_orders(self) -> list[Order]:
        """Return the orders that are or may be live, those of unknown outcome first, then the newest."""
        live = [order for order in self.orders.values() if not order.state.final]
        return sorted(live, key=lambda order: (order.state is not OrderState.UNKNOWN, -order.created_ms))

    def _insert_beside_series(self, market: Market) -> None:
        """Make room for a market that came later, behind the last of its series: there it is looked for."""
        order = list(self.markets.items())
        places = [n for n, (_, other) in enumerate(order, 1) if other.series_ticker == market.series_ticker]
        order.insert(places[-1] if places else len(order), (market.ticker, market))
        self.markets = dict(order)

    def _complete_market(self, market: Market) -> Market:
        """Keep of a market what not every reply tells: the event's title, the series, the fees."""
        event, known = self.events.get(market.event_ticker), self.markets.get(market.ticker)
        return replace(
            market,
            title=event.title if event is not None and event.title else market.title,
            series_ticker=market.series_ticker or (event.series_ticker if event is not None else ""),
            fees=market.fees or (known.fees if known is not None else None),
        )

    def _record_fill(self, fill: Fill) -> None:
        """Note a trade id, forgetting the oldest beyond ten times what is kept for the screen."""
        self._executions.filled_counts[fill.order_id] = (
            self._executions.filled_counts.get(fill.order_id, 0) + fill.count
        )
        self._executions.trade_ids.add(fill.trade_id)
        self._executions.trade_ids_by_age.append(fill.trade_id)
        if len(self._executions.trade_ids_by_age) > FILL_CAPACITY * 10:
            self._executions.trade_ids.discard(self._executions.trade_ids_by_age.popleft())

    def _apply_fill(self, fill: Fill) -> None:
        """Raise an order's filled count to what its executions sum up to; it may be ahead of all other news."""
        order = self.orders.get(fill.order_id) or self.orders.get(fill.client_order_id)
        if order is None:
            return
        more = self._executions.filled_counts[fill.order_id] - order.filled
        if more <= 0:
            if not order.order_id:
                self.order(replace(order, order_id=fill.order_id))
            return
        state, reason = order.state, order.reason
        if not state.reached:
            # It was thought never to have arrived, and this is the proof that it has.
            state, reason = OrderState.UNKNOWN, "It was executed, though it was thought never to have arrived."
        # While a change is under way or its end is not known, what is known as left may be of before it.
        whole = more == order.remaining and fill.order_id not in self.pending_amends and not state.final
        self.order(
            replace(
                order,
                order_id=fill.order_id,
                filled=order.filled + more,
                remaining=max(order.remaining - more, 0),
                state=OrderState.FILLED if whole else state,
                reason="" if whole else reason,
            )
        )
        if whole:
            self._executions.inferred_filled.add(fill.order_id)

    def _tell_fill(self, fill: Fill, *, read: bool) -> None:
        order = self.orders.get(fill.order_id) or self.orders.get(fill.client_order_id)
        self.notices.filled(fill, order, self.skew_ms, read=read)
        self._changed_topics.add(Topic.NOTICES)

    def answered(self, order: Order, *, fills_told: bool = False, end_told: bool = True) -> None:
        """Note that the answer to a command has told of an order as it stands; what it did not tell is told now."""
        ahead = max(order.filled - self.heard_filled(order), 0) if fills_told else None
        self.notices.release(order, ahead=ahead, end_told=end_told)
        self._changed_topics.add(Topic.NOTICES)

    def tell_filled(self, order: Order, unheard: Count) -> None:
        """Tell that an order was filled, of which executions over ``unheard`` contracts are not to be had."""
        self.notices.filled_whole(order, unheard)
        self._changed_topics.add(Topic.NOTICES)

    def heard_filled(self, order: Order) -> Count:
        """Return what an order's known executions sum up to."""
        return self._executions.filled_counts.get(order.order_id, 0)

    def _count_unreported(self, order: Order, more: Count) -> None:
        if more <= 0:
            return
        ahead = self.unreported_executions.setdefault(order.ticker, UnreportedExecutions())
        cost = order_risk(order.book_side, order.yes_price, more)
        if order.book_side is BookSide.BID:
            ahead.bids, ahead.bid_cost = ahead.bids + more, ahead.bid_cost + cost
        else:
            ahead.asks, ahead.ask_cost = ahead.asks + more, ahead.ask_cost + cost

    def _cancel_reason(self, order: Order) -> str:
        if order.order_id in self.requested_cancels:
            return "by you"
        terms = self.order_terms.get(order.client_order_id)
        if terms is not None and terms.tif is not TimeInForce.GTC:
            return describe_unfilled(terms.tif)
        return "by the exchange, or from elsewhere"

    def _mark_order_changed(self, order: Order) -> None:
        self._changed_topics.add(Topic.ORDERS)
        self._changed_tickers.add(order.ticker)

    def _report_account_news(self) -> None:
        if self.on_account_news is not None:
            self.on_account_news()


def _listing_key(market: Market) -> tuple[object, ...]:
    """Return what of a market decides where and how it is listed."""
    return market.status, market.title, market.yes_sub_title, market.result, market.close_ms, market.grid.finest_step


def describe_unfilled(tif: TimeInForce) -> str:
    """Return why what is left of an order that may not rest was canceled."""
    return f"{tif.short}: what could not fill at once was canceled"


def merge_orders(known: Order, update: Order) -> Order:
    """Join what is known of an order with news of it that may be late, doubled or out of turn.

    What has the exchange's id is the exchange's word, and goes before anything that was concluded here without one.
    What is final stays final, and a filled count never falls: the exchange does not undo a fill. Words that one source
    has and the other lacks (the client order id, the reason) are kept.
    """
    if bool(known.order_id) != bool(update.order_id):
        older = bool(known.order_id)
    elif (known.state in UNCONFIRMED_STATES) != (update.state in UNCONFIRMED_STATES):
        older = known.state.final
    else:
        earlier = 0 < update.updated_ms < known.updated_ms and update.filled == known.filled and not update.state.final
        older = earlier or update.filled < known.filled or (known.state.final and not update.state.final)
    first, second = (known, update) if older else (update, known)
    if first.filled < second.filled:
        # Executions were told ahead of the reply that says what became of the order.
        left = max(first.remaining - (second.filled - first.filled), 0)
        state = OrderState.FILLED if first.state is OrderState.RESTING and not left else first.state
        first = replace(first, filled=second.filled, remaining=left, state=state)
    return replace(
        first,
        client_order_id=first.client_order_id or second.client_order_id,
        reason=first.reason or (second.reason if first.state is second.state else ""),
        created_ms=first.created_ms or second.created_ms,
        updated_ms=max(first.updated_ms, second.updated_ms),
        expires_ms=first.expires_ms or second.expires_ms,
    )
