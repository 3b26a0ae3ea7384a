"""The simulated order flow: makers, a crowd, takers, a whale, news. All from one seed and an injected time.

They trade through the engine with accounts of their own. Time goes in ticks of 10 ms, so that the flow depends on the
seed and the times alone and not on how often `Participants.step` is called.
"""

import math
from bisect import bisect_right
from collections import deque
from itertools import accumulate
from random import Random
from typing import Final

from kalshi_tui.domain.market import MarketStatus
from kalshi_tui.domain.order import TimeInForce
from kalshi_tui.domain.price import COUNT_UNIT, PRICE_UNIT, Count, Price, PriceGrid
from kalshi_tui.practice.engine.exchange import Exchange
from kalshi_tui.practice.engine.ledger import SHARDS
from kalshi_tui.practice.engine.model import EngineAccount, EngineOrder, ListedMarket
from kalshi_tui.practice.engine.terms import LEGAL_PRICES
from kalshi_tui.practice.simulation.fair_value import FairValueModel, fair_value_model
from kalshi_tui.practice.simulation.outcomes import Outcomes
from kalshi_tui.practice.simulation.price_history import backfill

TICK_MS: Final = 10
DEFAULT_RATE: Final = 300
"""Messages a second: book changes, trades and quotes together."""
MAX_RATE: Final = 50_000
_MAX_CATCH_UP_MS: Final = 1_000
"""After a longer pause the participants go on from now; what they missed is left out."""
_BOOKS_FILLED_AT_START: Final = 400
"""How many books are filled at once at the start."""
_BOOKS_FILLED_PER_TICK: Final = 40
"""How many of the rest are filled in a tick."""
_STARTING_CASH: Final = 10**18
_NEWS_INTERVAL_MS: Final = 45_000
"""The usual time between two pieces of news."""
_MAX_CROWD_ORDERS: Final = 8
"""How many orders the crowd keeps in one market."""
_OFFSETS: Final = (0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 16, 18, 20, 23, 26)
"""Ticks from the best price at which a maker quotes, on a grid of cents."""
_FINE_OFFSETS: Final = (0, 1, 2, 3, 5, 7, 10, 13, 17, 22, 28, 35, 43, 52, 62, 73, 85, 98, 112, 127)
"""The same on a finer grid."""


class MakerQuotes:
    """One maker's orders in one market, by side and by price on that side."""

    __slots__ = ("account", "depth", "offset_ticks", "orders", "size")

    def __init__(self, account: EngineAccount, offset_ticks: int, depth: int, size: int) -> None:
        self.account = account
        self.offset_ticks = offset_ticks
        self.depth = depth
        self.size = size
        self.orders: tuple[dict[Price, EngineOrder], dict[Price, EngineOrder]] = ({}, {})


class QuotedMarket:
    """One market as the participants see it. ``number`` is its place in the event's model of fair values."""

    __slots__ = (
        "crowd",
        "filled",
        "grid",
        "listing",
        "makers",
        "model",
        "number",
        "offsets",
        "side_prices",
        "sides",
        "whale",
        "wide_until",
    )

    def __init__(self, listing: ListedMarket, model: FairValueModel, number: int) -> None:
        self.listing = listing
        self.model = model
        self.number = number
        self.makers: list[MakerQuotes] = []
        self.crowd: deque[EngineOrder] = deque()
        self.whale: EngineOrder | None = None
        self.wide_until = 0
        self.filled = False
        shape = listing.terms.flow.shape
        self.sides: tuple[int, ...] = {"both": (0, 1), "bids": (0,), "asks": (1,)}.get(shape, ())
        self.update_grid()

    def update_grid(self) -> None:
        """Read the market's grid, at first and after it has changed."""
        self.grid: PriceGrid = self.listing.grid
        self.side_prices = LEGAL_PRICES[self.listing.structure]
        self.offsets = _OFFSETS if len(self.grid) < 150 else _FINE_OFFSETS

    @property
    def fair_value(self) -> Price:
        """The fair value of a YES."""
        return self.model.fair_values[self.number]


class Participants:
    """All participants. Call `fill_books` once, then `step` with the time, as often as convenient."""

    def __init__(self, exchange: Exchange, outcomes: Outcomes, seed: int, rate: int = DEFAULT_RATE) -> None:
        """Open their accounts. ``rate`` is in messages a second, 0 to 50,000."""
        self.exchange = exchange
        self.outcomes = outcomes
        self.rate = rate
        self._rng = Random(f"participants:{seed}")  # noqa: S311  # repeatable on purpose
        cash = dict.fromkeys(SHARDS, _STARTING_CASH)
        self._makers, self._deep, self._crowd, self._takers, self._whale = (
            exchange.open_account(f"sim-{name}", cash, keeps_history=False, margined=False)
            for name in ("maker", "deep-maker", "crowd", "taker", "whale")
        )
        self._quoted: dict[str, QuotedMarket] = {}
        self._by_event: dict[str, list[QuotedMarket]] = {}
        self._tradable: list[QuotedMarket] = []
        self._weights: list[int] = []
        self._to_fill: deque[QuotedMarket] = deque()
        self._next_tick = 0
        self._budget = 0.0
        self._next_news = 0
        for event_ticker in exchange.markets.listings_by_event:
            self._quote_event(event_ticker)
        self._update_weights()

    # -- what there is to trade --------------------------------------------------------------------------------------

    def quote_event(self, event_ticker: str) -> None:
        """Begin to quote an event that was listed while the exchange ran."""
        self._quote_event(event_ticker)
        self._update_weights()

    def _quote_event(self, event_ticker: str) -> None:
        listings = self.exchange.markets.listings_by_event.get(event_ticker, [])
        if not listings or event_ticker in self._by_event or listings[0].terms.legs:
            # Combos have a maker of their own.
            return
        event = self.exchange.markets.events_by_ticker.get(event_ticker)
        model = fair_value_model(
            event_ticker,
            [listing.terms for listing in listings],
            self.outcomes,
            exclusive=event is not None and event.mutually_exclusive,
        )
        group = [QuotedMarket(listing, model, number) for number, listing in enumerate(listings)]
        self._by_event[event_ticker] = group
        for quoted in group:
            self._quoted[quoted.listing.ticker] = quoted
            flow = quoted.listing.terms.flow
            quoted.makers = [
                MakerQuotes(self._makers, 0, max(2, flow.depth - 2), flow.size),
                MakerQuotes(self._deep, 2, flow.depth, flow.size * 2),
            ]
            self._to_fill.append(quoted)

    def _update_weights(self) -> None:
        """Compute which markets get how much of the flow; those that have a result are left out."""
        over = {MarketStatus.DETERMINED, MarketStatus.FINALIZED}
        for ticker in [ticker for ticker, each in self._quoted.items() if each.listing.status in over]:
            quoted = self._quoted.pop(ticker)
            group = self._by_event.get(quoted.listing.terms.event_ticker, [])
            if all(each.listing.status in over for each in group):
                self._by_event.pop(quoted.listing.terms.event_ticker, None)
        self._tradable = [each for each in self._quoted.values() if each.sides]
        self._weights = list(accumulate(each.listing.terms.flow.weight for each in self._tradable))

    # -- the start ---------------------------------------------------------------------------------------------------

    def fill_books(self, now: int) -> None:
        """Fill the books of the first few hundred markets; the rest follow with the steps."""
        self._next_tick = now
        self._next_news = now + _NEWS_INTERVAL_MS
        for _ in range(min(_BOOKS_FILLED_AT_START, len(self._to_fill))):
            self._fill_book(self._to_fill.popleft(), now)

    def _fill_book(self, quoted: QuotedMarket, now: int) -> None:
        listing = quoted.listing
        if listing.status is not MarketStatus.ACTIVE:
            return
        quoted.filled = True
        quoted.model.update(now)
        if listing.last_price is None and quoted.sides and listing.open_ms < now - 60_000:
            self._backfill_history(quoted, now)
        for side in quoted.sides:
            for maker in quoted.makers:
                for own in self._target_prices(quoted, maker, side, now):
                    self._place_quote(quoted, maker, side, own, now)

    def _backfill_history(self, quoted: QuotedMarket, now: int) -> None:
        """Set the past of a market that has been open for a while: interest, volume, prices and candles."""
        rng, listing = self._rng, quoted.listing
        flow = listing.terms.flow
        grid = quoted.grid
        last = grid.at_or_below(quoted.fair_value) or grid.prices[0]
        traded = flow.size * flow.weight * COUNT_UNIT * rng.randrange(4, 40) // 10
        self.exchange.participant_orders.mint_pairs(listing, self._whale, self._crowd, traded // 4, last)
        previous = grid.at_or_below(_moved_price(quoted.fair_value, rng.gauss(0.0, 0.25))) or grid.prices[0]
        listing.set_history(last, previous, traded, traded // rng.randrange(3, 12), rng.randrange(1, 60) * COUNT_UNIT)
        step = max(grid.finest_step, 100)
        listing.previous_bid = grid.at_or_below(max(10, previous - step)) or 0
        listing.previous_ask = grid.at_or_above(min(PRICE_UNIT - 10, previous + step)) or PRICE_UNIT
        seed = rng.getrandbits(32)
        listing.candles.backfill = lambda: backfill(listing, last, previous, now, seed)

    # -- the run -----------------------------------------------------------------------------------------------------

    def step(self, now: int) -> None:
        """Trade up to a time."""
        if now - self._next_tick > _MAX_CATCH_UP_MS:
            self._next_tick = now - TICK_MS
            self._next_news = max(self._next_news, now)
        while self._next_tick <= now:
            self._tick(self._next_tick)
            self._next_tick += TICK_MS

    def _tick(self, now: int) -> None:
        for _ in range(min(_BOOKS_FILLED_PER_TICK, len(self._to_fill))):
            self._fill_book(self._to_fill.popleft(), now)
        if not self._tradable or not self.exchange.pauses.trades_anywhere:
            return
        exchange = self.exchange
        self._budget = min(self._budget + self.rate * TICK_MS / 1_000, self.rate)
        if now >= self._next_news:
            self._next_news = now + round(self._rng.expovariate(1.0) * _NEWS_INTERVAL_MS) + 5_000
            self._random_news(now)
        while self._budget >= 1:
            before = exchange.state.event_log.pending_count
            self._act(now)
            # An action without any message costs something too, or a world of closed markets would loop forever here.
            self._budget -= max(exchange.state.event_log.pending_count - before, 0.25)

    def _act(self, now: int) -> None:
        rng = self._rng
        quoted = self._tradable[bisect_right(self._weights, rng.random() * self._weights[-1])]
        listing = quoted.listing
        if listing.status is not MarketStatus.ACTIVE or not self.exchange.pauses.trading_active_on(listing.shard):
            return
        if not quoted.filled:
            self._fill_book(quoted, now)
            return
        if quoted.grid is not listing.grid:
            quoted.update_grid()
        quoted.model.update(now)
        roll = rng.random()
        if roll < 0.62:
            self._act_as_maker(quoted, quoted.makers[roll < 0.2], now)
        elif roll < 0.80:
            self._act_as_crowd(quoted, now)
        elif roll < 0.995:
            self._act_as_taker(quoted, now)
        else:
            self._act_as_whale(quoted, now)

    # -- makers ------------------------------------------------------------------------------------------------------

    def _target_prices(self, quoted: QuotedMarket, maker: MakerQuotes, side: int, now: int) -> list[Price]:
        """Return the prices, on their own side, at which a maker wants orders, best first."""
        prices = quoted.side_prices[side]
        fair = quoted.fair_value if side == 0 else PRICE_UNIT - quoted.fair_value
        flow = quoted.listing.terms.flow
        offset = maker.offset_ticks + flow.spread // 2 + (flow.spread * 2 + 1 if now < quoted.wide_until else 0)
        # The nearest tick strictly below the fair value leaves at least a tick between the two sides.
        best = bisect_right(prices, fair - 1) - 1 - offset
        if flow.spread % 2 == 0 and side:
            best += 1
        return [prices[best - ticks] for ticks in quoted.offsets[: maker.depth] if best - ticks >= 0]

    def _act_as_maker(self, quoted: QuotedMarket, maker: MakerQuotes, now: int) -> None:
        """Do what is most urgent for a maker: cancel an order priced too high, fill a gap, cancel a surplus, resize."""
        rng = self._rng
        if not quoted.sides:
            return  # a market that nobody quotes, in an event that news has hit
        for side in quoted.sides if rng.random() < 0.5 else quoted.sides[::-1]:
            if self._adjust_side(quoted, maker, side, now):
                return
        side = rng.choice(quoted.sides)
        orders = maker.orders[side]
        if orders:
            own = rng.choice(list(orders))
            self.exchange.participant_orders.cancel(orders.pop(own), now)
            self._place_quote(quoted, maker, side, own, now)

    def _adjust_side(self, quoted: QuotedMarket, maker: MakerQuotes, side: int, now: int) -> bool:
        """Move one side a step toward its target prices; return whether there was anything to do."""
        orders = maker.orders[side]
        targets = self._target_prices(quoted, maker, side, now)
        if not targets:
            return False
        best = targets[0]
        for own, order in list(orders.items()):
            if not order.is_resting:
                del orders[own]
            elif own > best:
                del orders[own]
                self.exchange.participant_orders.cancel(order, now)
                return True
        for own in targets:
            if own not in orders:
                self._place_quote(quoted, maker, side, own, now)
                return True
        if len(orders) > maker.depth + 4:
            self.exchange.participant_orders.cancel(orders.pop(min(orders)), now)
            return True
        return False

    def _place_quote(self, quoted: QuotedMarket, maker: MakerQuotes, side: int, own: Price, now: int) -> None:
        depth = len(maker.orders[side])
        size = maker.size * (4 + depth) * _size_factor(self._rng.random()) // 6
        order = self.exchange.participant_orders.place(
            maker.account, quoted.listing, side, own, self._count(quoted, size), now
        )
        if order.is_resting:
            maker.orders[side][own] = order

    def _count(self, quoted: QuotedMarket, hundredths: int) -> Count:
        """Return a count of about so many 1/100 contracts: whole contracts, except where fractions are in use."""
        if quoted.listing.terms.flow.fractional and self._rng.random() < 0.6:
            return max(1, hundredths + self._rng.randrange(100))
        return max(1, hundredths // COUNT_UNIT) * COUNT_UNIT

    # -- the crowd, the takers, the whale, the news ------------------------------------------------------------------

    def _act_as_crowd(self, quoted: QuotedMarket, now: int) -> None:
        """Place a small order near the best price for the crowd, or cancel its oldest."""
        rng, crowd = self._rng, quoted.crowd
        if len(crowd) >= _MAX_CROWD_ORDERS or (crowd and rng.random() < 0.3):
            self.exchange.participant_orders.cancel(crowd.popleft(), now)
            return
        if not quoted.sides:
            return
        side = rng.choice(quoted.sides)
        prices = quoted.side_prices[side]
        fair = quoted.fair_value if side == 0 else PRICE_UNIT - quoted.fair_value
        position = bisect_right(prices, fair) - 1 - rng.randrange(4)
        if position < 0:
            return
        size = 1 + round(rng.expovariate(1 / 40))
        order = self.exchange.participant_orders.place(
            self._crowd, quoted.listing, side, prices[position], self._count(quoted, size * COUNT_UNIT), now
        )
        if order.is_resting:
            crowd.append(order)

    def _act_as_taker(self, quoted: QuotedMarket, now: int) -> None:
        """Take the best price: at random, or where the book lags behind the fair value."""
        rng, listing = self._rng, quoted.listing
        bid, bid_size, ask, ask_size = listing.top
        fair = quoted.fair_value
        is_mispriced = True
        if ask_size and fair > ask + 20:
            side = 0
        elif bid_size and fair < bid - 20:
            side = 1
        else:
            side = rng.getrandbits(1)
            is_mispriced = False
        size = ask_size if side == 0 else bid_size
        if not size:
            return
        own = ask if side == 0 else PRICE_UNIT - bid
        roll = rng.random()
        if is_mispriced:
            wanted = size
        elif roll < 0.08:
            wanted = size + self._count(quoted, listing.terms.flow.size * 20)
            prices = quoted.side_prices[side]
            own = prices[min(bisect_right(prices, own + 100), len(prices)) - 1]
        elif roll < 0.22:
            wanted = size
        else:
            wanted = min(size, self._count(quoted, round(rng.expovariate(1 / 35) + 1) * COUNT_UNIT))
        self.exchange.participant_orders.place(self._takers, listing, side, own, wanted, now, tif=TimeInForce.IOC)

    def _act_as_whale(self, quoted: QuotedMarket, now: int) -> None:
        """Place a large order some ticks behind the best price for the whale, or cancel it."""
        rng = self._rng
        if quoted.whale is not None and quoted.whale.is_resting:
            if rng.random() < 0.3:
                self.exchange.participant_orders.cancel(quoted.whale, now)
                quoted.whale = None
            return
        flow = quoted.listing.terms.flow
        if flow.weight < 20 or len(quoted.sides) < 2:
            return
        side = rng.getrandbits(1)
        prices = quoted.side_prices[side]
        fair = quoted.fair_value if side == 0 else PRICE_UNIT - quoted.fair_value
        position = bisect_right(prices, fair) - 1 - rng.randrange(3, 8)
        if position >= 0:
            count = flow.size * rng.randrange(25, 60) * COUNT_UNIT
            quoted.whale = self.exchange.participant_orders.place(
                self._whale, quoted.listing, side, prices[position], count, now
            )

    def _random_news(self, now: int) -> None:
        rng = self._rng
        hit = self._tradable[bisect_right(self._weights, rng.random() * self._weights[-1])]
        self.publish_news(hit.listing.ticker, rng.choice((-1, 1)) * (0.6 + rng.random()), now)

    def publish_news(self, ticker: str, strength: float, now: int) -> None:
        """Let news move a market: its event's fair values jump, and makers cancel and quote wider for a while.

        ``strength`` is signed, in standard deviations. Raises KeyError for a market that is not quoted here.
        """
        rng, hit = self._rng, self._quoted[ticker]
        hit.model.apply_news(strength)
        hit.model.update(now)
        for quoted in self._by_event.get(hit.listing.terms.event_ticker, [])[:12]:
            trades = self.exchange.pauses.trading_active_on(quoted.listing.shard)
            if quoted.listing.status is not MarketStatus.ACTIVE or not quoted.filled or not trades:
                continue
            quoted.wide_until = now + rng.randrange(4_000, 15_000)
            for _ in range(6):
                self._act_as_maker(quoted, quoted.makers[0], now)
            self._act_as_taker(quoted, now)


def _moved_price(price: Price, by: float) -> Price:
    """Return a price moved by a part of its own standard deviation."""
    probability = price / PRICE_UNIT
    moved = probability + by * probability * (1 - probability)
    return min(PRICE_UNIT - 10, max(10, round(moved * PRICE_UNIT)))


def _size_factor(roll: float) -> int:
    """Turn a uniform number from 0 to 1 into a size factor around 100: mostly small, now and then many times more."""
    return 20 + round(70 * -math.log(1 - roll * 0.99))
