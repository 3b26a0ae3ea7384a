"""The store: all that a session knows, composed of market data, account and notices, and what the screens read.

The stream writes into it as its feed handler, frame by frame; readers and execution write into the parts, by their
methods; screens read. Nothing here waits, draws or talks to the exchange.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

from kalshi_tui.domain.alerts import Alert
from kalshi_tui.domain.candles import CandleSeries, Settlement
from kalshi_tui.domain.link import Link, LinkState, TradingStatus
from kalshi_tui.domain.market import Event, Market, Quote, Trade
from kalshi_tui.domain.order import Fill, Order, OrderTerms
from kalshi_tui.domain.position import Balance, Position
from kalshi_tui.domain.price import Count, Money, Price
from kalshi_tui.domain.text import market_name
from kalshi_tui.domain.trading_pause import TradingPause
from kalshi_tui.session.account.account_snapshot import AccountValuation
from kalshi_tui.session.account.day_ledger import DayLedger
from kalshi_tui.session.account.intents import OrderIntents
from kalshi_tui.session.account.list_reads import AccountList, AccountReads
from kalshi_tui.session.account.store import AccountStore
from kalshi_tui.session.bus import EventFeesChanged, LinkChanged, MarketLifecycleChanged, MarketsUpdated, MessageBus
from kalshi_tui.session.changes import ChangeLog, StoreChanges, Topic
from kalshi_tui.session.market_data.store import LiveBook, MarketDataStore
from kalshi_tui.session.notices import Notices, Severity
from kalshi_tui.session.timing import SessionTime


class Store:
    """What is known. `market_data`, `account` and `notices` are its parts; the rest is the link and the alerts."""

    def __init__(self, clock_ms: Callable[[], int]) -> None:
        self._changes = ChangeLog()
        self.bus: Final = MessageBus()
        self.time: Final = SessionTime(clock_ms)
        self.market_data: Final = MarketDataStore(self._changes, self.bus)
        intents = OrderIntents()
        self.notices: Final = Notices(self.time, self._market_name, self._changes)
        self.account: Final = AccountStore(self.time, self.market_data, intents, self.notices, self._changes, self.bus)
        self._connection = Link()
        self.day_ledger: Final = DayLedger(self.account, self.bus, self.time.exchange_ms)
        """This day's fills, and what was held at its start."""
        self.valuation: Final = AccountValuation(
            self.account, self.market_data, self.day_ledger, lambda: self._connection
        )
        """What positions are worth at this moment."""
        self._hours = TradingStatus.OPEN
        self._hours_by_shard: dict[int, TradingStatus] = {}
        self._paused_parts: tuple[str, ...] = ()
        self.announced_pauses: tuple[TradingPause, ...] = ()
        """What the exchange has planned beside the weekly pause."""
        self._alerts: tuple[Alert, ...] = ()
        self._delayed = False
        self.bus.subscribe(MarketsUpdated, lambda _: self.notices.name(self.markets))

        # The feed handler's calls for frames of market data: the parts' own methods, without a call in between.
        self.snapshot = self.market_data.snapshot
        self.quote = self.market_data.quote
        self.trade = self.market_data.trade

        # What screens read by the ticker or the order, without a look-up of the part.
        self.markets: Final[Mapping[str, Market]] = self.market_data.markets
        self.events: Final[Mapping[str, Event]] = self.market_data.events
        self.quotes: Final[Mapping[str, Quote]] = self.market_data.quotes
        self.books: Final[Mapping[str, LiveBook]] = self.market_data.books
        self.tapes: Final[Mapping[str, Sequence[Trade]]] = self.market_data.tapes
        self.charts: Final[Mapping[tuple[str, int], CandleSeries]] = self.market_data.charts
        self.sparklines: Final[Mapping[str, tuple[Price, ...]]] = self.market_data.sparklines
        self.orders: Final[Mapping[str, Order]] = self.account.orders
        self.fills: Final[Sequence[Fill]] = self.account.fills
        self.positions: Final[Mapping[str, Position]] = self.account.positions
        self.queue_positions: Final[Mapping[str, Count]] = self.account.queue_positions
        self.order_terms: Final[Mapping[str, OrderTerms]] = intents.terms

    def _market_name(self, ticker: str) -> str:
        return market_name(self.market_data.markets, ticker)

    # The rest of the feed handler: `kalshi_tui.kalshi.feed.handler.FeedHandler`.

    def stale(self, tickers: Sequence[str], why: str) -> None:
        """Stop trusting these books until their next snapshot."""
        self.market_data.stale(tickers, why)

    def fill(self, fill: Fill) -> None:
        """Take an execution of the account's own."""
        self.account.add_fill(fill)

    def order(self, order: Order) -> None:
        """Take a report of an order of the account's own."""
        self.account.update_order(order)

    def position(self, position: Position) -> None:
        """Take a market's position."""
        self.account.update_position(position)

    def lifecycle(self, ticker: str, event_type: str) -> None:
        """Take the event of a market's life; whoever reads markets reads this one again."""
        self.bus.publish(MarketLifecycleChanged(ticker, event_type))

    def event_fees(self, event_ticker: str, fee_type: str, multiplier: int | None) -> None:
        """Take an event's new fee overrides."""
        self.bus.publish(EventFeesChanged(event_ticker, fee_type, multiplier))

    def link(self, state: LinkState, detail: str) -> None:
        """Take the state of the connection."""
        before = self._connection
        self._connection = Link(state, detail)
        self._changes.mark(Topic.LINK)
        if before.state is not state:
            if state is LinkState.LIVE:
                if not self._delayed:
                    self.notify(Severity.GOOD, "Connected.")
            elif before.state is LinkState.LIVE or state is LinkState.REFUSED:
                self.notify(Severity.WARNING, detail or "The connection was lost.")
            self.bus.publish(LinkChanged(state))

    # Link, hours and alerts, which are of no part.

    @property
    def connection(self) -> Link:
        """The state of the stream's connection."""
        return self._connection

    @property
    def is_delayed(self) -> bool:
        """Whether prices are read now and then, for want of a stream."""
        return self._delayed

    def mark_delayed(self) -> None:
        """Note that no stream keeps prices true."""
        self._delayed = True

    @property
    def hours(self) -> TradingStatus:
        """What the exchange accepts now, as it said last."""
        return self._hours

    def hours_of(self, ticker: str) -> TradingStatus:
        """Return what the exchange accepts now in one market: parts of it pause by themselves."""
        market = self.markets.get(ticker)
        if self._hours is not TradingStatus.OPEN or market is None:
            return self._hours
        return self._hours_by_shard.get(market.exchange_index, TradingStatus.OPEN)

    @property
    def paused_parts(self) -> tuple[str, ...]:
        """Which markets are paused while others are not, in the exchange's words."""
        return self._paused_parts

    def set_hours(
        self,
        hours: TradingStatus,
        by_shard: Mapping[int, TradingStatus] | None = None,
        paused_parts: tuple[str, ...] = (),
    ) -> None:
        """Note what the exchange accepts now, as a whole and by shard."""
        self._hours = hours
        self._hours_by_shard = dict(by_shard or {})
        self._paused_parts = paused_parts
        self._changes.mark(Topic.LINK)

    @property
    def alerts(self) -> tuple[Alert, ...]:
        """The trader's alerts, newest first."""
        return self._alerts

    def set_alerts(self, alerts: Iterable[Alert]) -> None:
        """Replace the alerts; the same ones again mean that the values they look at have to be drawn again."""
        self._alerts = tuple(alerts)
        self._changes.mark(Topic.ALERTS)

    def notify(self, severity: Severity, text: str, ticker: str = "") -> None:
        """Show the trader a sentence, of a market if a ticker is given; it stays in the log."""
        self.notices.say(severity, text, ticker=ticker)

    # What screens ask.

    def take_changes(self) -> StoreChanges:
        """Return what changed since the last call, and forget it."""
        self.market_data.mark_changed_books()
        return self._changes.take()

    @property
    def market_list_version(self) -> int:
        """See `MarketDataStore.market_list_version`."""
        return self.market_data.market_list_version

    @property
    def is_listed(self) -> bool:
        """See `MarketDataStore.is_listed`."""
        return self.market_data.is_listed

    @property
    def listing_progress(self) -> int | None:
        """See `MarketDataStore.listing_progress`."""
        return self.market_data.listing_progress

    @property
    def frame_count(self) -> int:
        """See `MarketDataStore.frame_count`."""
        return self.market_data.frame_count

    def book(self, ticker: str) -> LiveBook:
        """See `MarketDataStore.book`."""
        return self.market_data.book(ticker)

    @property
    def balance(self) -> Balance | None:
        """See `AccountStore.balance`."""
        return self.account.balance

    @property
    def account_differences(self) -> tuple[str, ...]:
        """See `AccountStore.differences`."""
        return self.account.differences

    @property
    def settlements(self) -> tuple[Settlement, ...]:
        """See `AccountStore.settlements`."""
        return self.account.settlements

    @property
    def reads(self) -> AccountReads:
        """See `AccountStore.reads`."""
        return self.account.reads

    def why_unread(self, which: AccountList) -> str:
        """Return in a sentence that a list of the account has not been read yet, and why; empty if it has been."""
        if self.account.reads.unreadable:
            return self.account.reads.unreadable
        why = self.account.reads.why_unread(which, self._connection)
        return f"Not read yet: {why}" if why else ""

    def knows_position(self, ticker: str) -> bool:
        """Return whether it is known what is held in a market: read, and not among what could not be read."""
        return self.account.reads.have_item(AccountList.POSITIONS, ticker)

    def known_order(self, order: Order) -> Order:
        """See `AccountStore.known_order`."""
        return self.account.known_order(order)

    def working_orders(self) -> list[Order]:
        """See `AccountStore.working_orders`."""
        return self.account.working_orders()

    def available_cash(self, market: Market, subaccount: int | None = None) -> Money | None:
        """See `AccountStore.available_cash`."""
        return self.account.available_cash(market, subaccount)

    @property
    def precision(self) -> Money:
        """See `AccountStore.precision`."""
        return self.account.precision
