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
from kalshi_tui.practice.engine.core import BOOK_SIDES, SHARDS, Dedupe
from kalshi_tui.practice.engine.events import (
    BookChanged,
    LifecycleType,
    QuoteChanged,
    TradePrinted,
)
from kalshi_tui.practice.engine.exchange import Catalog, Exchange, Outcome
from kalshi_tui.practice.engine.listing import Listing
from kalshi_tui.practice.engine.order_book import OrderLevel
from kalshi_tui.practice.engine.orders import Order
from kalshi_tui.practice.engine.records import MarketRecord, TradeRecord
from kalshi_tui.practice.engine.rejection import Refusal
from kalshi_tui.practice.engine.terms import (
    GRIDS,
    LINEAR_CENT,
    Event,
    Market,
    Series,
)
from kalshi_tui.practice.replay.state import Scene, result_of
from kalshi_tui.practice.replay.terms import fees_of, put_grid

RECORDED: Final = "recorded"
"""The account of the recorded orders."""
PURSE: Final = 10**18
TOGETHER_MS: Final = 1_000
"""A trade and the change of the level that it makes come on two subscriptions, at most so far apart."""
HIDDEN_MS: Final = 1 << 62
_LIFE: Final = {each.value: each for each in LifecycleType}


@dataclass(slots=True)
class Standing:
    """One recorded level: what the recording has there, and the house's orders that stand for it, oldest first.

    Where the trader has taken some, less stands than was recorded.
    """

    count: Count = 0
    orders: deque[Order] = field(default_factory=deque)

    def stands(self) -> Count:
        """Give what stands; orders that were taken whole are forgotten."""
        orders = self.orders
        if len(orders) == 1:
            return orders[0].remaining
        while orders and not orders[0].remaining:
            orders.popleft()
        return sum(order.remaining for order in orders)


@dataclass(slots=True)
class Ghost:
    """What has left the queue before a trader's order and is not yet known to have traded; below 0: the other way."""

    count: Count = 0
    ms: int = 0

    def at(self, now: int) -> Count:
        """Give it as of now: what has waited for longer than the two belong together is forgotten."""
        if now - self.ms > TOGETHER_MS:
            self.count = 0
        return self.count


Sides = tuple[dict[Price, Standing], dict[Price, Standing]]


class ReplayExchange(Exchange):
    """The stage on which a recording plays."""

    def __init__(
        self,
        clock_ms: Callable[[], int],
        seed: int,
        *,
        dedupe: Dedupe = "open",
        run: int = 0,
        shards: Iterable[int] = SHARDS,
    ) -> None:
        super().__init__(Catalog(), clock_ms, seed, dedupe=dedupe, run=run)
        for shard in shards:
            for sums in (self.fees, self.escrow, self.deposited):
                sums.setdefault(shard, 0)
        purse = dict.fromkeys(self.fees, PURSE)
        self.house = self.open_account(RECORDED, purse, kept=False, margined=False)
        self.announces = False
        """Whether a market that appears is news; not while the first ones are listed."""
        self._standings: dict[str, Sides] = {}
        self._ghosts: dict[str, Ghost] = {}
        """By the id of a trader's resting order."""

    # -- the stage ---------------------------------------------------------------------------------------------------

    def listed(self, terms: Market, event: Event, series: Series) -> Listing:
        """List a market with its event and series, or give it if it is there."""
        self.series[series.ticker] = series
        if event.ticker not in self.events_by_ticker:
            self.add_event(event)
        found = self.listings.get(terms.ticker)
        if found is None:
            found = self.add_market(terms, announce=self.announces)
        elif found.visible_ms == HIDDEN_MS:
            found.visible_ms = 0
        return found

    def fees_changed(self, event: Event, series: Series) -> None:
        """Take an event's terms and its series' as they are now."""
        self.series[series.ticker] = series
        self.events_by_ticker[event.ticker] = event
        for listing in self.event_listings.get(event.ticker, ()):
            listing.fees = fees_of(series, event)

    def delta(self, listing: Listing, side: Side, price: Price, delta: Count) -> None:
        """Change a recorded level."""
        index = 0 if side is Side.YES else 1
        standing = self._standing(listing, index, price)
        if delta > 0:
            standing.count += delta
            self._grow(listing, index, price, standing, delta)
        else:
            missing = standing.count - standing.stands()
            standing.count += delta
            if -delta > missing:
                self._shrink(listing, index, price, standing, -delta - missing)
        if not standing.count:
            del self._sides(listing)[index][price]

    def whole(self, listing: Listing, book: Book | None) -> None:
        """Make all levels what was recorded: what the trader had taken stands again."""
        wanted = (
            [dict(zip(each.prices, each.counts, strict=True)) for each in (book.yes, book.no)]
            if book is not None
            else [{}, {}]
        )
        sides = self._sides(listing)
        for index in (0, 1):
            for price, standing in list(sides[index].items()):
                count = wanted[index].get(price, 0)
                over = standing.stands() - count
                if over > 0:
                    self._shrink(listing, index, price, standing, over)
                standing.count = count
                if not count:
                    del sides[index][price]
        for index in (0, 1):
            for price, count in wanted[index].items():
                standing = self._standing(listing, index, price)
                standing.count = count
                if (under := count - standing.stands()) > 0:
                    self._grow(listing, index, price, standing, under)

    def quoted(self, listing: Listing) -> None:
        """Tell the recorded quote."""
        self._emit(QuoteChanged(listing.ticker, self._clock()))

    def printed(self, listing: Listing, trade: TradeRecord) -> None:
        """Tell a recorded trade, and let it fill what of the trader's would have been filled by it."""
        self.tape.append(trade)
        self._emit(TradePrinted(trade))
        if self._has_orders(listing):
            self._work_off(listing, trade)

    def life(self, listing: Listing, msg: wire.LifecycleMsg) -> None:
        """Carry out what befell a market; what contradicts its state here is passed over."""
        kind = _LIFE.get(msg.event_type)
        ticker = listing.ticker
        with suppress(Refusal):
            if kind is LifecycleType.DEACTIVATED:
                self.deactivate(ticker)
            elif kind is LifecycleType.ACTIVATED:
                self.activate(ticker)
            elif kind is LifecycleType.CLOSE_DATE_UPDATED and isinstance(msg.close_ts, int):
                self.move_close(ticker, msg.close_ts * 1_000)
            elif kind is LifecycleType.GRID_UPDATED:
                put_grid(listing, msg.price_level_structure or listing.structure, msg.price_ranges)
                self._announce(listing, kind, self._tick())
            elif kind is LifecycleType.DETERMINED:
                self.decide(listing, *result_of(msg), settled=False)
            elif kind is LifecycleType.SETTLED:
                self.decide(listing, *result_of(msg), settled=True)

    def decide(self, listing: Listing, word: str, value: Price | None, *, settled: bool) -> None:
        """Give a market its result if it has none, and pay it out if it is ``settled``. Raises Refusal."""
        if value is not None and listing.settlement_value is None:
            self.determine(listing.ticker, Outcome(word, value))
        if settled and listing.settlement_value is not None:
            self.settle(listing.ticker)

    # -- recorded levels ---------------------------------------------------------------------------------------------

    def _sides(self, listing: Listing) -> Sides:
        found = self._standings.get(listing.ticker)
        if found is None:
            found = self._standings[listing.ticker] = ({}, {})
        return found

    def _standing(self, listing: Listing, index: int, price: Price) -> Standing:
        levels = self._sides(listing)[index]
        found = levels.get(price)
        if found is None:
            found = levels[price] = Standing()
        return found

    def _live(self) -> Iterator[Order]:
        """Give the traders' resting orders."""
        for account in self.accounts.values():
            yield from account.live.values()

    def _has_orders(self, listing: Listing) -> bool:
        """Say whether any order of a trader's rests in a market. Asked at each change: mostly there is none at all."""
        for account in self.accounts.values():
            if account.live:
                for order in account.live.values():
                    if order.listing is listing:
                        return True
        return False

    def _grow(self, listing: Listing, index: int, price: Price, standing: Standing, count: Count) -> None:
        """Let more stand at a level: behind all that stands there; what meets the trader's orders trades first."""
        now = self._clock()
        if self._has_orders(listing):
            count = self._meet(listing, index, price, count, now)
            if not count:
                return
        side = listing.book.sides[index]
        level = side.levels.get(price)
        orders = standing.orders
        if level is not None and orders and level.tail is orders[-1]:
            tail = orders[-1]
            tail.remaining += count
            tail.initial += count
            level.total += count
        else:
            house = self.house
            order = Order("", house, listing, house.holding(listing), index, price, count, now)
            side.add(order)
            orders.append(order)
        self._emit(BookChanged(listing.ticker, BOOK_SIDES[index], price, count, now))

    def _shrink(self, listing: Listing, index: int, price: Price, standing: Standing, count: Count) -> None:
        """Let less stand at a level: what leaves, leaves from the front."""
        now = self._clock()
        side = listing.book.sides[index]
        orders = standing.orders
        left = count
        while left and orders:
            order = orders[0]
            taken = min(left, order.remaining)
            if taken:
                if order.next is not None and (behind := self._next_of_trader(order)) is not None:
                    ghost = self._ghost(behind, now)
                    ghost.count += taken
                side.reduce(order, taken)
                left -= taken
            if not order.remaining:
                orders.popleft()
        if count > left:
            self._emit(BookChanged(listing.ticker, BOOK_SIDES[index], price, left - count, now))

    def _next_of_trader(self, order: Order) -> Order | None:
        """Give the trader's order that stands next behind one of the house's."""
        found = order.next
        while found is not None and found.account is self.house:
            found = found.next
        return found

    def _ghost(self, order: Order, now: int) -> Ghost:
        if len(self._ghosts) > 1_000:
            live = {each.order_id for each in self._live()}
            self._ghosts = {order_id: ghost for order_id, ghost in self._ghosts.items() if order_id in live}
        ghost = self._ghosts.setdefault(order.order_id, Ghost())
        ghost.at(now)
        ghost.ms = now
        return ghost

    # -- the trader's resting orders ---------------------------------------------------------------------------------

    def _meet(self, listing: Listing, index: int, price: Price, count: Count, now: int) -> Count:
        """Trade what newly stands with the trader's orders across that it meets; give what is left of it."""
        other = listing.book.sides[1 - index]
        for own in [each for each in reversed(other.prices) if each + price >= PRICE_UNIT]:
            level = other.levels[own]
            for maker in _queue(level):
                if count and maker.account is not self.house:
                    taken = min(count, maker.remaining)
                    self._give(maker, level, taken, now)
                    count -= taken
        return count

    def _work_off(self, listing: Listing, trade: TradeRecord) -> None:
        """Fill the trader's resting orders as a recorded trade would have: better prices whole, its own by turn."""
        index = 1 if trade.taker_side is BookSide.BID else 0
        traded = PRICE_UNIT - trade.price if index else trade.price
        side = listing.book.sides[index]
        now = self._clock()
        left = trade.count
        for own in [each for each in reversed(side.prices) if each >= traded]:
            level = side.levels[own]
            standing: Count = 0
            for order in _queue(level):
                if not left:
                    return
                if order.account is self.house:
                    standing += order.remaining
                    continue
                if own == traded:
                    ghost = self._ghost(order, now)
                    ahead = min(left, max(0, standing + ghost.count))
                    ghost.count -= ahead
                    left -= ahead
                standing = 0
                taken = min(left, order.remaining)
                if taken:
                    self._give(order, level, taken, now)
                    left -= taken

    def _give(self, maker: Order, level: OrderLevel, count: Count, now: int) -> None:
        """Fill a trader's resting order, at its own price, against the house."""
        house, listing = self.house, maker.listing
        taker = Order(
            "", house, listing, house.holding(listing), 1 - maker.side, PRICE_UNIT - maker.own, count, now,
            TimeInForce.IOC,
        )  # fmt: skip
        self._fill(taker, maker, level, count, now)
        self._flush_balances(now)

    # -- what is otherwise here --------------------------------------------------------------------------------------

    def _requote(self, listing: Listing, now: int, *, traded: bool = False) -> None:
        """Do nothing: quotes are as they were recorded."""

    def _cancel_resting(self, listing: Listing, now: int, reason: str) -> None:
        """Cancel the traders' orders alone: the recording tells what becomes of its own."""
        for order in [each for each in self._live() if each.listing is listing]:
            self._cancel(order, now, reason)
        self._flush_balances(now)

    def _restore_market(self, record: MarketRecord) -> None:
        """Leave a market as the recording has it; one of another recording keeps a grid that is known here."""
        if record.terms.ticker not in self.listings:
            structure = record.structure if record.structure in GRIDS else LINEAR_CENT
            super()._restore_market(replace(record, structure=structure))

    # -- another moment ----------------------------------------------------------------------------------------------

    def clear_orders(self, reason: str) -> int:
        """Cancel all the trader's resting orders; give how many there were."""
        now = self._clock()
        orders = list(self._live())
        for order in orders:
            self._cancel(order, now, reason)
        self._flush_balances(now)
        self._ghosts.clear()
        return len(orders)

    def adopt(self, scene: Scene) -> None:
        """Be as it was recorded at the moment of a scene; the difference is told as ordinary changes of books.

        Positions and cash stay. The scene goes on with the markets of this exchange.
        """
        self.now = scene.now_ms
        self._timers.clear()
        for ticker, listing in self.listings.items():
            if ticker not in scene.listings:
                # It was not yet there: nobody can see or trade it.
                listing.visible_ms = HIDDEN_MS
                self.whole(listing, None)
        for ticker, shown in scene.listings.items():
            event = scene.events[shown.terms.event_ticker]
            series = scene.series.get(event.series_ticker) or Series(event.series_ticker, "", "", fee_type="")
            listing = self.listed(shown.terms, event, series)
            self.whole(listing, scene.follower.books.get(ticker))
            self._put(listing, shown, scene.by_the_clock(shown))
            scene.listings[ticker] = listing
            self._emit(QuoteChanged(ticker, self.now))
        self.tape.clear()
        self.tape.extend(
            sorted(
                (trade for listing in scene.listings.values() for trade in listing.tape),
                key=lambda trade: (trade.ts_ms, trade.trade_id),
            )
        )
        scene.stage = self
        self._flush_balances(self.now)

    def _put(self, listing: Listing, shown: Listing, status: MarketStatus) -> None:
        """Give a market of this exchange the figures and the life of one of a scene."""
        for name in _FIGURES:
            setattr(listing, name, getattr(shown, name))
        changed = listing.status is not status
        over = status in {MarketStatus.DETERMINED, MarketStatus.FINALIZED}
        if over and listing.status is not MarketStatus.FINALIZED:
            with suppress(Refusal):
                settled = status is MarketStatus.FINALIZED
                self.decide(listing, shown.result, shown.settlement_value, settled=settled)
            listing.status = status
        else:
            listing.status = status
            listing.result, listing.settlement_value = shown.result, shown.settlement_value
            listing.settled_ms = shown.settled_ms
        if changed:
            told = LifecycleType.ACTIVATED if status is MarketStatus.ACTIVE else LifecycleType.METADATA_UPDATED
            self._announce(listing, told, self.now)
        if status in {MarketStatus.INITIALIZED, MarketStatus.ACTIVE, MarketStatus.INACTIVE}:
            self._resume(listing)


_FIGURES: Final = (
    "open_ms",
    "close_ms",
    "structure",
    "grid",
    "fees",
    "top",
    "last",
    "last_size",
    "previous",
    "volume",
    "volume_money",
    "base_volume_24h",
    "hours",
    "open_interest",
    "tape",
    "candles",
)


def _queue(level: OrderLevel) -> list[Order]:
    """Give a level's orders, oldest first, as they are now: some leave while they are looked at."""
    found = []
    order = level.head
    while order is not None:
        found.append(order)
        order = order.next
    return found
