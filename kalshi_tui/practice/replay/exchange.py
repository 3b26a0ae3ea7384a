"""An exchange whose books follow a recording: recorded levels rest as orders of one house account in the real engine.

The trader's orders meet them by the engine's rules. How a resting order of the trader's gets its turn, PRACTICE.md
tells under "Playing a recording": it joins behind what stands there; what leaves the level leaves from the front; a
recorded trade there works off what is ahead, then fills it; one at a worse price fills it at once. The recording itself
is never moved by the trader.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Final

from kalshi_tui.domain.book import Book, Side
from kalshi_tui.domain.market import MarketStatus
from kalshi_tui.domain.order import BookSide, TimeInForce
from kalshi_tui.domain.price import PRICE_UNIT, Count, Price
from kalshi_tui.kalshi import wire
from kalshi_tui.practice.engine.core import OUTCOME_SIDES, SHARDS, DedupeMode
from kalshi_tui.practice.engine.events import (
    BookChanged,
    LifecycleType,
    QuoteChanged,
    TradePrinted,
)
from kalshi_tui.practice.engine.exchange import Catalog, Exchange, MarketOutcome
from kalshi_tui.practice.engine.listing import ListedMarket
from kalshi_tui.practice.engine.order_book import OrderLevel
from kalshi_tui.practice.engine.orders import EngineOrder
from kalshi_tui.practice.engine.records import MarketRecord, TradeRecord
from kalshi_tui.practice.engine.rejection import Rejection
from kalshi_tui.practice.engine.terms import (
    GRIDS,
    LINEAR_CENT,
    EventDefinition,
    MarketDefinition,
    SeriesDefinition,
)
from kalshi_tui.practice.replay.state import RecordedState, parse_result
from kalshi_tui.practice.replay.terms import event_fee_schedule, set_grid

RECORDED_ACCOUNT_ID: Final = "recorded"
"""The account of the recorded orders."""
RECORDED_ACCOUNT_CASH: Final = 10**18
TRADE_TO_DELTA_WINDOW_MS: Final = 1_000
"""A trade and the change of the level that it makes come on two subscriptions, at most so far apart."""
NEVER_VISIBLE_MS: Final = 1 << 62
_LIFECYCLE_TYPES: Final = {each.value: each for each in LifecycleType}


@dataclass(slots=True)
class RecordedLevel:
    """One recorded level: what the recording has there, and the house's orders that stand for it, oldest first.

    Where the trader has taken some, less stands than was recorded.
    """

    recorded_count: Count = 0
    orders: deque[EngineOrder] = field(default_factory=deque)

    def resting_count(self) -> Count:
        """Return what stands; orders that were taken whole are forgotten."""
        orders = self.orders
        if len(orders) == 1:
            return orders[0].remaining
        while orders and not orders[0].remaining:
            orders.popleft()
        return sum(order.remaining for order in orders)


@dataclass(slots=True)
class PendingReduction:
    """What has left the queue before a trader's order and is not yet known to have traded; below 0: the other way."""

    count: Count = 0
    updated_ms: int = 0

    def count_at(self, now: int) -> Count:
        """Return it as of now: what has waited for longer than the two belong together is forgotten."""
        if now - self.updated_ms > TRADE_TO_DELTA_WINDOW_MS:
            self.count = 0
        return self.count


RecordedSides = tuple[dict[Price, RecordedLevel], dict[Price, RecordedLevel]]


class ReplayExchange(Exchange):
    """The stage on which a recording plays."""

    def __init__(
        self,
        clock_ms: Callable[[], int],
        seed: int,
        *,
        dedupe: DedupeMode = "open",
        run: int = 0,
        shards: Iterable[int] = SHARDS,
    ) -> None:
        super().__init__(Catalog(), clock_ms, seed, dedupe=dedupe, run=run)
        for shard in shards:
            for sums in (self.collected_fees, self.escrow, self.deposited):
                sums.setdefault(shard, 0)
        purse = dict.fromkeys(self.collected_fees, RECORDED_ACCOUNT_CASH)
        self.recorded_account = self.open_account(RECORDED_ACCOUNT_ID, purse, keeps_history=False, margined=False)
        self.announces_new_markets = False
        """Whether a market that appears is news; not while the first ones are listed."""
        self._levels_by_ticker: dict[str, RecordedSides] = {}
        self._pending_reductions: dict[str, PendingReduction] = {}
        """By the id of a trader's resting order."""

    # -- the stage ---------------------------------------------------------------------------------------------------

    def list_market(self, terms: MarketDefinition, event: EventDefinition, series: SeriesDefinition) -> ListedMarket:
        """List a market with its event and series, or give it if it is there."""
        self.series[series.ticker] = series
        if event.ticker not in self.events_by_ticker:
            self.add_event(event)
        found = self.listings.get(terms.ticker)
        if found is None:
            found = self.add_market(terms, announce=self.announces_new_markets)
        elif found.visible_ms == NEVER_VISIBLE_MS:
            found.visible_ms = 0
        return found

    def update_fees(self, event: EventDefinition, series: SeriesDefinition) -> None:
        """Take an event's terms and its series' as they are now."""
        self.series[series.ticker] = series
        self.events_by_ticker[event.ticker] = event
        for listing in self.listings_by_event.get(event.ticker, ()):
            listing.fees = event_fee_schedule(series, event)

    def apply_delta(self, listing: ListedMarket, side: Side, price: Price, delta: Count) -> None:
        """Change a recorded level."""
        index = 0 if side is Side.YES else 1
        standing = self._recorded_level(listing, index, price)
        if delta > 0:
            standing.recorded_count += delta
            self._add_to_level(listing, index, price, standing, delta)
        else:
            missing = standing.recorded_count - standing.resting_count()
            standing.recorded_count += delta
            if -delta > missing:
                self._remove_from_level(listing, index, price, standing, -delta - missing)
        if not standing.recorded_count:
            del self._recorded_sides(listing)[index][price]

    def replace_book(self, listing: ListedMarket, book: Book | None) -> None:
        """Make all levels what was recorded: what the trader had taken stands again."""
        wanted = (
            [dict(zip(each.prices, each.counts, strict=True)) for each in (book.yes, book.no)]
            if book is not None
            else [{}, {}]
        )
        sides = self._recorded_sides(listing)
        for index in (0, 1):
            for price, standing in list(sides[index].items()):
                count = wanted[index].get(price, 0)
                over = standing.resting_count() - count
                if over > 0:
                    self._remove_from_level(listing, index, price, standing, over)
                standing.recorded_count = count
                if not count:
                    del sides[index][price]
        for index in (0, 1):
            for price, count in wanted[index].items():
                standing = self._recorded_level(listing, index, price)
                standing.recorded_count = count
                if (under := count - standing.resting_count()) > 0:
                    self._add_to_level(listing, index, price, standing, under)

    def publish_quote(self, listing: ListedMarket) -> None:
        """Tell the recorded quote."""
        self._emit(QuoteChanged(listing.ticker, self._clock_ms()))

    def publish_trade(self, listing: ListedMarket, trade: TradeRecord) -> None:
        """Tell a recorded trade, and let it fill what of the trader's would have been filled by it."""
        self.tape.append(trade)
        self._emit(TradePrinted(trade))
        if self._has_trader_orders(listing):
            self._apply_trade_to_queue(listing, trade)

    def apply_lifecycle(self, listing: ListedMarket, msg: wire.LifecycleMsg) -> None:
        """Carry out what befell a market; what contradicts its state here is passed over."""
        kind = _LIFECYCLE_TYPES.get(msg.event_type)
        ticker = listing.ticker
        with suppress(Rejection):
            if kind is LifecycleType.DEACTIVATED:
                self.deactivate(ticker)
            elif kind is LifecycleType.ACTIVATED:
                self.activate(ticker)
            elif kind is LifecycleType.CLOSE_DATE_UPDATED and isinstance(msg.close_ts, int):
                self.change_close_time(ticker, msg.close_ts * 1_000)
            elif kind is LifecycleType.GRID_UPDATED:
                set_grid(listing, msg.price_level_structure or listing.structure, msg.price_ranges)
                self._announce(listing, kind, self._advance_clock())
            elif kind is LifecycleType.DETERMINED:
                self.apply_result(listing, *parse_result(msg), settled=False)
            elif kind is LifecycleType.SETTLED:
                self.apply_result(listing, *parse_result(msg), settled=True)

    def apply_result(self, listing: ListedMarket, result: str, value: Price | None, *, settled: bool) -> None:
        """Return a market its result if it has none, and pay it out if it is ``settled``. Raises Refusal."""
        if value is not None and listing.settlement_value is None:
            self.determine(listing.ticker, MarketOutcome(result, value))
        if settled and listing.settlement_value is not None:
            self.settle(listing.ticker)

    # -- recorded levels ---------------------------------------------------------------------------------------------

    def _recorded_sides(self, listing: ListedMarket) -> RecordedSides:
        found = self._levels_by_ticker.get(listing.ticker)
        if found is None:
            found = self._levels_by_ticker[listing.ticker] = ({}, {})
        return found

    def _recorded_level(self, listing: ListedMarket, index: int, price: Price) -> RecordedLevel:
        levels = self._recorded_sides(listing)[index]
        found = levels.get(price)
        if found is None:
            found = levels[price] = RecordedLevel()
        return found

    def _trader_orders(self) -> Iterator[EngineOrder]:
        """Return the traders' resting orders."""
        for account in self.accounts.values():
            yield from account.resting_orders.values()

    def _has_trader_orders(self, listing: ListedMarket) -> bool:
        """Return whether any order of a trader's rests in a market.

        Asked at each change: mostly there is none at all.
        """
        for account in self.accounts.values():
            if account.resting_orders:
                for order in account.resting_orders.values():
                    if order.listing is listing:
                        return True
        return False

    def _add_to_level(
        self, listing: ListedMarket, index: int, price: Price, recorded_level: RecordedLevel, count: Count
    ) -> None:
        """Let more stand at a level: behind all that stands there; what meets the trader's orders trades first."""
        now = self._clock_ms()
        if self._has_trader_orders(listing):
            count = self._match_crossing(listing, index, price, count, now)
            if not count:
                return
        side = listing.book.sides[index]
        level = side.levels.get(price)
        orders = recorded_level.orders
        if level is not None and orders and level.tail is orders[-1]:
            tail = orders[-1]
            tail.remaining += count
            tail.initial += count
            level.total += count
        else:
            house = self.recorded_account
            order = EngineOrder("", house, listing, house.holding(listing), index, price, count, now)
            side.add(order)
            orders.append(order)
        self._emit(BookChanged(listing.ticker, OUTCOME_SIDES[index], price, count, now))

    def _remove_from_level(
        self, listing: ListedMarket, index: int, price: Price, recorded_level: RecordedLevel, count: Count
    ) -> None:
        """Let less stand at a level: what leaves, leaves from the front."""
        now = self._clock_ms()
        side = listing.book.sides[index]
        orders = recorded_level.orders
        left = count
        while left and orders:
            order = orders[0]
            taken = min(left, order.remaining)
            if taken:
                if order.next is not None and (behind := self._next_trader_order(order)) is not None:
                    ghost = self._pending_reduction(behind, now)
                    ghost.count += taken
                side.reduce(order, taken)
                left -= taken
            if not order.remaining:
                orders.popleft()
        if count > left:
            self._emit(BookChanged(listing.ticker, OUTCOME_SIDES[index], price, left - count, now))

    def _next_trader_order(self, order: EngineOrder) -> EngineOrder | None:
        """Return the trader's order that stands next behind one of the house's."""
        found = order.next
        while found is not None and found.account is self.recorded_account:
            found = found.next
        return found

    def _pending_reduction(self, order: EngineOrder, now: int) -> PendingReduction:
        if len(self._pending_reductions) > 1_000:
            live = {each.order_id for each in self._trader_orders()}
            self._pending_reductions = {
                order_id: ghost for order_id, ghost in self._pending_reductions.items() if order_id in live
            }
        ghost = self._pending_reductions.setdefault(order.order_id, PendingReduction())
        ghost.count_at(now)
        ghost.updated_ms = now
        return ghost

    # -- the trader's resting orders ---------------------------------------------------------------------------------

    def _match_crossing(self, listing: ListedMarket, index: int, price: Price, count: Count, now: int) -> Count:
        """Trade what newly stands with the trader's orders across that it meets; give what is left of it."""
        other = listing.book.sides[1 - index]
        for own in [each for each in reversed(other.prices) if each + price >= PRICE_UNIT]:
            level = other.levels[own]
            for maker in _orders_at_level(level):
                if count and maker.account is not self.recorded_account:
                    taken = min(count, maker.remaining)
                    self._fill_trader_order(maker, level, taken, now)
                    count -= taken
        return count

    def _apply_trade_to_queue(self, listing: ListedMarket, trade: TradeRecord) -> None:
        """Fill the trader's resting orders as a recorded trade would have: better prices whole, its own by turn."""
        index = 1 if trade.taker_side is BookSide.BID else 0
        traded = PRICE_UNIT - trade.price if index else trade.price
        side = listing.book.sides[index]
        now = self._clock_ms()
        left = trade.count
        for own in [each for each in reversed(side.prices) if each >= traded]:
            level = side.levels[own]
            standing: Count = 0
            for order in _orders_at_level(level):
                if not left:
                    return
                if order.account is self.recorded_account:
                    standing += order.remaining
                    continue
                if own == traded:
                    ghost = self._pending_reduction(order, now)
                    ahead = min(left, max(0, standing + ghost.count))
                    ghost.count -= ahead
                    left -= ahead
                standing = 0
                taken = min(left, order.remaining)
                if taken:
                    self._fill_trader_order(order, level, taken, now)
                    left -= taken

    def _fill_trader_order(self, maker: EngineOrder, level: OrderLevel, count: Count, now: int) -> None:
        """Fill a trader's resting order, at its own price, against the house."""
        house, listing = self.recorded_account, maker.listing
        taker = EngineOrder(
            "", house, listing, house.holding(listing), 1 - maker.side, PRICE_UNIT - maker.outcome_price, count, now,
            TimeInForce.IOC,
        )  # fmt: skip
        self._execute_trade(taker, maker, level, count, now)
        self._flush_balances(now)

    # -- what is otherwise here --------------------------------------------------------------------------------------

    def _update_quote(self, listing: ListedMarket, now: int, *, traded: bool = False) -> None:
        """Do nothing: quotes are as they were recorded."""

    def _cancel_resting(self, listing: ListedMarket, now: int, reason: str) -> None:
        """Cancel the traders' orders alone: the recording tells what becomes of its own."""
        for order in [each for each in self._trader_orders() if each.listing is listing]:
            self._cancel(order, now, reason)
        self._flush_balances(now)

    def _restore_market(self, record: MarketRecord) -> None:
        """Leave a market as the recording has it; one of another recording keeps a grid that is known here."""
        if record.terms.ticker not in self.listings:
            structure = record.structure if record.structure in GRIDS else LINEAR_CENT
            super()._restore_market(replace(record, structure=structure))

    # -- another moment ----------------------------------------------------------------------------------------------

    def cancel_trader_orders(self, reason: str) -> int:
        """Cancel all the trader's resting orders; give how many there were."""
        now = self._clock_ms()
        orders = list(self._trader_orders())
        for order in orders:
            self._cancel(order, now, reason)
        self._flush_balances(now)
        self._pending_reductions.clear()
        return len(orders)

    def load_state(self, state: RecordedState) -> None:
        """Be as it was recorded at the moment of a scene; the difference is told as ordinary changes of books.

        Positions and cash stay. The scene goes on with the markets of this exchange.
        """
        self.now = state.now_ms
        self._timers.clear()
        for ticker, listing in self.listings.items():
            if ticker not in state.listings:
                # It was not yet there: nobody can see or trade it.
                listing.visible_ms = NEVER_VISIBLE_MS
                self.replace_book(listing, None)
        for ticker, shown in state.listings.items():
            event = state.events[shown.terms.event_ticker]
            series = state.series.get(event.series_ticker) or SeriesDefinition(event.series_ticker, "", "", fee_type="")
            listing = self.list_market(shown.terms, event, series)
            self.replace_book(listing, state.verifier.books.get(ticker))
            self._copy_market_state(listing, shown, state.current_status(shown))
            state.listings[ticker] = listing
            self._emit(QuoteChanged(ticker, self.now))
        self.tape.clear()
        self.tape.extend(
            sorted(
                (trade for listing in state.listings.values() for trade in listing.tape),
                key=lambda trade: (trade.ts_ms, trade.trade_id),
            )
        )
        state.listener = self
        self._flush_balances(self.now)

    def _copy_market_state(self, listing: ListedMarket, recorded: ListedMarket, status: MarketStatus) -> None:
        """Return a market of this exchange the figures and the life of one of a scene."""
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
            told = LifecycleType.ACTIVATED if status is MarketStatus.ACTIVE else LifecycleType.METADATA_UPDATED
            self._announce(listing, told, self.now)
        if status in {MarketStatus.INITIALIZED, MarketStatus.ACTIVE, MarketStatus.INACTIVE}:
            self._reschedule_market(listing)


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


def _orders_at_level(level: OrderLevel) -> list[EngineOrder]:
    """Return a level's orders, oldest first, as they are now: some leave while they are looked at."""
    found = []
    order = level.head
    while order is not None:
        found.append(order)
        order = order.next
    return found
