"""An exchange that a recording plays on: it lists the recorded markets and carries out what happened to them.

The books are `RecordedBooks`; the traders' orders meet them by the rules of the engine.
"""

from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Final

from kalshi_tui.domain.book import Book, Side
from kalshi_tui.domain.market import MarketStatus
from kalshi_tui.domain.price import Count, Price
from kalshi_tui.kalshi import wire
from kalshi_tui.practice.engine.events import LifecycleType, QuoteChanged, TradePrinted
from kalshi_tui.practice.engine.exchange import Exchange
from kalshi_tui.practice.engine.ledger import SHARDS
from kalshi_tui.practice.engine.market_outcome import MarketOutcome
from kalshi_tui.practice.engine.model import ListedMarket
from kalshi_tui.practice.engine.order_entry import DedupeMode
from kalshi_tui.practice.engine.records import TradeRecord
from kalshi_tui.practice.engine.rejection import Rejection
from kalshi_tui.practice.engine.terms import (
    Catalog,
    EventDefinition,
    MarketDefinition,
    SeriesDefinition,
    event_fee_schedule,
)
from kalshi_tui.practice.replay.recorded_books import RecordedBookPolicy, RecordedBooks
from kalshi_tui.practice.replay.recorded_terms import set_grid
from kalshi_tui.practice.replay.state import RecordedState, parse_result

RECORDED_ACCOUNT_ID: Final = "recorded"
"""The account of the recorded orders."""
RECORDED_ACCOUNT_CASH: Final = 10**18
NEVER_VISIBLE_MS: Final = 1 << 62
_LIFECYCLE_TYPES: Final = {each.value: each for each in LifecycleType}


class ReplayExchange:
    """Listens to a recording (`ReplayListener`) and makes an engine's ``exchange`` follow it."""

    def __init__(
        self,
        clock_ms: Callable[[], int],
        seed: int,
        *,
        dedupe: DedupeMode = "open",
        run: int = 0,
        shards: Iterable[int] = SHARDS,
    ) -> None:
        exchange = Exchange(Catalog(), clock_ms, seed, dedupe=dedupe, run=run, policy=RecordedBookPolicy)
        exchange.ledger.add_shards(shards)
        cash = dict.fromkeys(exchange.ledger.collected_fees, RECORDED_ACCOUNT_CASH)
        account = exchange.open_account(RECORDED_ACCOUNT_ID, cash, keeps_history=False, margined=False)
        self.exchange = exchange
        self._lifecycle = exchange.lifecycle
        self._results = exchange.results
        self._changes = exchange.market_changes
        self._markets = exchange.markets
        self._emit = exchange.state.event_log.emit
        self._books = RecordedBooks(exchange, account)
        self.announces_new_markets = False
        """Whether a market that appears is news; not while the first ones are listed."""

    # -- what the recording tells ------------------------------------------------------------------------------------

    def list_market(self, terms: MarketDefinition, event: EventDefinition, series: SeriesDefinition) -> ListedMarket:
        """Return a market, listed with its event and series if it is not there."""
        self._markets.series[series.ticker] = series
        if event.ticker not in self._markets.events_by_ticker:
            self._lifecycle.add_event(event)
        found = self._markets.listings.get(terms.ticker)
        if found is None:
            found = self._lifecycle.add_market(terms, announce=self.announces_new_markets)
        elif found.visible_ms == NEVER_VISIBLE_MS:
            found.visible_ms = 0
        return found

    def update_fees(self, event: EventDefinition, series: SeriesDefinition) -> None:
        """Take an event's terms and its series' as they are now."""
        self._markets.series[series.ticker] = series
        self._markets.events_by_ticker[event.ticker] = event
        for listing in self._markets.listings_by_event.get(event.ticker, ()):
            listing.fees = event_fee_schedule(series, event)

    def apply_delta(self, listing: ListedMarket, side: Side, price: Price, delta: Count) -> None:
        """Change a recorded level."""
        self._books.apply_delta(listing, side, price, delta)

    def replace_book(self, listing: ListedMarket, book: Book | None) -> None:
        """Make all levels what was recorded: what the trader had taken rests again."""
        self._books.replace_book(listing, book)

    def publish_quote(self, listing: ListedMarket) -> None:
        """Announce the recorded quote."""
        self._emit(QuoteChanged(listing.ticker, self.exchange.clock.read_ms()))

    def publish_trade(self, listing: ListedMarket, trade: TradeRecord) -> None:
        """Announce a recorded trade, and let it fill the traders' orders that it would have filled."""
        self._markets.tape.append(trade)
        self._emit(TradePrinted(trade))
        self._books.apply_trade(listing, trade)

    def apply_lifecycle(self, listing: ListedMarket, msg: wire.LifecycleMsg) -> None:
        """Carry out what happened to a market; skip what contradicts its state here."""
        kind = _LIFECYCLE_TYPES.get(msg.event_type)
        ticker = listing.ticker
        with suppress(Rejection):
            if kind is LifecycleType.DEACTIVATED:
                self._lifecycle.deactivate(ticker)
            elif kind is LifecycleType.ACTIVATED:
                self._lifecycle.activate(ticker)
            elif kind is LifecycleType.CLOSE_DATE_UPDATED and isinstance(msg.close_ts, int):
                self._lifecycle.change_close_time(ticker, msg.close_ts * 1_000)
            elif kind is LifecycleType.GRID_UPDATED:
                set_grid(listing, msg.price_level_structure or listing.structure, msg.price_ranges)
                self._changes.announce(listing, kind, self.exchange.advance())
            elif kind is LifecycleType.DETERMINED:
                self.apply_result(listing, *parse_result(msg), settled=False)
            elif kind is LifecycleType.SETTLED:
                self.apply_result(listing, *parse_result(msg), settled=True)

    def apply_result(self, listing: ListedMarket, result: str, value: Price | None, *, settled: bool) -> None:
        """Set a market's result if it has none, and pay it out if it is ``settled``. Raises Rejection."""
        if value is not None and listing.settlement_value is None:
            self._results.determine(listing.ticker, MarketOutcome(result, value))
        if settled and listing.settlement_value is not None:
            self._results.settle(listing.ticker)

    # -- another moment ----------------------------------------------------------------------------------------------

    def cancel_trader_orders(self) -> int:
        """Cancel all the traders' resting orders. Return how many there were."""
        return self._books.cancel_trader_orders()

    def load_state(self, state: RecordedState) -> None:
        """Become what was recorded at another moment; announce the difference as ordinary changes of books.

        Positions and cash stay. The state goes on with the markets of this exchange.
        """
        self.exchange.clock.now = state.now_ms
        self.exchange.clock.clear_timers()
        self.exchange.shard_transfers.schedule_all()
        for ticker, listing in self._markets.listings.items():
            if ticker not in state.listings:
                # It was not listed yet at that moment: nobody can see or trade it.
                listing.visible_ms = NEVER_VISIBLE_MS
                self.replace_book(listing, None)
        for ticker, shown in state.listings.items():
            event = state.events[shown.terms.event_ticker]
            series = state.series.get(event.series_ticker) or SeriesDefinition(event.series_ticker, "", "", fee_type="")
            listing = self.list_market(shown.terms, event, series)
            self.replace_book(listing, state.verifier.books.get(ticker))
            self._copy_market_state(listing, shown, state.current_status(shown))
            state.listings[ticker] = listing
            self._emit(QuoteChanged(ticker, self.exchange.clock.now))
        self._markets.tape.clear()
        self._markets.tape.extend(
            sorted(
                (trade for listing in state.listings.values() for trade in listing.tape),
                key=lambda trade: (trade.ts_ms, trade.trade_id),
            )
        )
        state.listener = self
        self.exchange.ledger.flush_balances(self.exchange.clock.now)

    def _copy_market_state(self, listing: ListedMarket, recorded: ListedMarket, status: MarketStatus) -> None:
        """Copy the figures and the status of a recorded market to one of this exchange."""
        for name in _COPIED_ATTRIBUTES:
            setattr(listing, name, getattr(recorded, name))
        changed = listing.status is not status
        over = status in {MarketStatus.DETERMINED, MarketStatus.FINALIZED}
        if over and listing.status is not MarketStatus.FINALIZED:
            with suppress(Rejection):
                settled = status is MarketStatus.FINALIZED
                self.apply_result(listing, recorded.result, recorded.settlement_value, settled=settled)
            listing.status = status
        else:
            listing.status = status
            listing.result, listing.settlement_value = recorded.result, recorded.settlement_value
            listing.settled_ms = recorded.settled_ms
        if changed:
            kind = LifecycleType.ACTIVATED if status is MarketStatus.ACTIVE else LifecycleType.METADATA_UPDATED
            self._changes.announce(listing, kind, self.exchange.clock.now)
        if status in {MarketStatus.INITIALIZED, MarketStatus.ACTIVE, MarketStatus.INACTIVE}:
            self._lifecycle.schedule_by_status(listing)


_COPIED_ATTRIBUTES: Final = (
    "open_ms",
    "close_ms",
    "structure",
    "grid",
    "fees",
    "top",
    "last_price",
    "last_size",
    "previous_price",
    "volume",
    "volume_value",
    "base_volume_24h",
    "hourly_volume",
    "open_interest",
    "tape",
    "candles",
)
