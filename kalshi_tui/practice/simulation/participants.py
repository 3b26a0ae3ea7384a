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
from kalshi_tui.practice.accounts import Account
from kalshi_tui.practice.engine import SHARDS, Exchange
from kalshi_tui.practice.listing import Listing
from kalshi_tui.practice.orders import Order
from kalshi_tui.practice.simulation.fair_value import ByIndex, Drawn, Exclusive, Opinion
from kalshi_tui.practice.simulation.outcomes import Outcomes, hashed
from kalshi_tui.practice.simulation.price_history import backfill
from kalshi_tui.practice.terms import OWN_PRICES

TICK_MS: Final = 10
DEFAULT_RATE: Final = 300
"""Messages a second: book changes, trades and quotes together."""
MAX_RATE: Final = 50_000
_CATCH_UP_MS: Final = 1_000
"""After a longer absence the participants go on from now, and do not live through what they missed."""
_PRIME_AT_ONCE: Final = 400
_PRIME_PER_TICK: Final = 40
_PURSE: Final = 10**18
_NEWS_EVERY_MS: Final = 45_000
_CROWD: Final = 8
_OFFSETS: Final = (0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 16, 18, 20, 23, 26)
"""Ticks from the best price at which a maker stands, on a grid of cents."""
_FINE_OFFSETS: Final = (0, 1, 2, 3, 5, 7, 10, 13, 17, 22, 28, 35, 43, 52, 62, 73, 85, 98, 112, 127)
"""The same on a finer grid."""


class Ladder:
    """One maker's orders in one market, by side and own price."""

    __slots__ = ("account", "back", "depth", "orders", "size")

    def __init__(self, account: Account, back: int, depth: int, size: int) -> None:
        self.account = account
        self.back = back
        self.depth = depth
        self.size = size
        self.orders: tuple[dict[Price, Order], dict[Price, Order]] = ({}, {})


class Quoted:
    """One market as the participants see it. ``turn`` is its place in the opinion's list of fair prices."""

    __slots__ = (
        "crowd",
        "grid",
        "grids",
        "ladders",
        "listing",
        "offsets",
        "opinion",
        "primed",
        "sides",
        "turn",
        "whale",
        "wide_until",
    )

    def __init__(self, listing: Listing, opinion: Opinion, turn: int) -> None:
        self.listing = listing
        self.opinion = opinion
        self.turn = turn
        self.ladders: list[Ladder] = []
        self.crowd: deque[Order] = deque()
        self.whale: Order | None = None
        self.wide_until = 0
        self.primed = False
        shape = listing.terms.flow.shape
        self.sides: tuple[int, ...] = {"both": (0, 1), "bids": (0,), "asks": (1,)}.get(shape, ())
        self.see_grid()

    def see_grid(self) -> None:
        """Read the market's grid, at first and after it has changed."""
        self.grid: PriceGrid = self.listing.grid
        self.grids = OWN_PRICES[self.listing.structure]
        self.offsets = _OFFSETS if len(self.grid) < 150 else _FINE_OFFSETS

    @property
    def fair(self) -> Price:
        """What a YES is believed to be worth."""
        return self.opinion.fairs[self.turn]


class Participants:
    """All of them. Call `prime` once, then `step` with the time, as often as convenient."""

    def __init__(self, exchange: Exchange, outcomes: Outcomes, seed: int, rate: int = DEFAULT_RATE) -> None:
        """Open their accounts. ``rate`` is in messages a second, 0 to 50,000."""
        self.exchange = exchange
        self.outcomes = outcomes
        self.rate = rate
        self._rng = Random(f"participants:{seed}")  # noqa: S311  # repeatable on purpose
        cash = dict.fromkeys(SHARDS, _PURSE)
        self._makers, self._deep, self._crowd, self._takers, self._whale = (
            exchange.open_account(f"sim-{name}", cash, kept=False, margined=False)
            for name in ("maker", "deep-maker", "crowd", "taker", "whale")
        )
        self._quoted: dict[str, Quoted] = {}
        self._by_event: dict[str, list[Quoted]] = {}
        self._choices: list[Quoted] = []
        self._weights: list[int] = []
        self._to_prime: deque[Quoted] = deque()
        self._next_tick = 0
        self._budget = 0.0
        self._next_news = 0
        for event_ticker in exchange.event_listings:
            self._take_up(event_ticker)
        self._rank()

    # -- what there is to trade --------------------------------------------------------------------------------------

    def take_up(self, event_ticker: str) -> None:
        """Begin to quote an event that was listed while the exchange ran."""
        self._take_up(event_ticker)
        self._rank()

    def _take_up(self, event_ticker: str) -> None:
        listings = self.exchange.event_listings.get(event_ticker, [])
        if not listings or event_ticker in self._by_event:
            return
        opinion = self._opinion(event_ticker, listings)
        group = [Quoted(listing, opinion, turn) for turn, listing in enumerate(listings)]
        self._by_event[event_ticker] = group
        for quoted in group:
            self._quoted[quoted.listing.ticker] = quoted
            flow = quoted.listing.terms.flow
            quoted.ladders = [
                Ladder(self._makers, 0, max(2, flow.depth - 2), flow.size),
                Ladder(self._deep, 2, flow.depth, flow.size * 2),
            ]
            self._to_prime.append(quoted)

    def _opinion(self, event_ticker: str, listings: list[Listing]) -> Opinion:
        markets = [listing.terms for listing in listings]
        index = self.outcomes.indexes.get(markets[0].flow.index)
        if index is not None:
            return ByIndex(markets, index)
        draw = self.outcomes.draw(event_ticker)
        salt = hashed(self.outcomes.seed, f"opinion:{event_ticker}")
        event = self.exchange.events_by_ticker.get(event_ticker)
        if event is not None and event.mutually_exclusive and len(markets) > 1:
            return Exclusive(markets, draw, salt)
        return Drawn(markets, draw, salt)

    def _rank(self) -> None:
        """Reckon anew which markets get how much of the flow; those that are over are left out."""
        over = {MarketStatus.DETERMINED, MarketStatus.FINALIZED}
        for ticker in [ticker for ticker, each in self._quoted.items() if each.listing.status in over]:
            quoted = self._quoted.pop(ticker)
            group = self._by_event.get(quoted.listing.terms.event_ticker, [])
            if all(each.listing.status in over for each in group):
                self._by_event.pop(quoted.listing.terms.event_ticker, None)
        self._choices = [each for each in self._quoted.values() if each.sides]
        self._weights = list(accumulate(each.listing.terms.flow.weight for each in self._choices))

    # -- the start ---------------------------------------------------------------------------------------------------

    def prime(self, now: int) -> None:
        """Fill the books of the first few hundred markets; the rest follow with the steps."""
        self._next_tick = now
        self._next_news = now + _NEWS_EVERY_MS
        for _ in range(min(_PRIME_AT_ONCE, len(self._to_prime))):
            self._prime_one(self._to_prime.popleft(), now)

    def _prime_one(self, quoted: Quoted, now: int) -> None:
        listing = quoted.listing
        if listing.status is not MarketStatus.ACTIVE:
            return
        quoted.primed = True
        quoted.opinion.move(now)
        if listing.last is None and quoted.sides and listing.open_ms < now - 60_000:
            self._past(quoted, now)
        for side in quoted.sides:
            for ladder in quoted.ladders:
                for own in self._targets(quoted, ladder, side, now):
                    self._stand(quoted, ladder, side, own, now)

    def _past(self, quoted: Quoted, now: int) -> None:
        """Give a market that has been open for a while its past: interest, volume, last and previous price."""
        rng, listing = self._rng, quoted.listing
        flow = listing.terms.flow
        grid = quoted.grid
        last = grid.at_or_below(quoted.fair) or grid.prices[0]
        traded = flow.size * flow.weight * COUNT_UNIT * rng.randrange(4, 40) // 10
        self.exchange.mint(listing, self._whale, self._crowd, traded // 4, last)
        previous = grid.at_or_below(_nudged(quoted.fair, rng.gauss(0.0, 0.25))) or grid.prices[0]
        listing.set_past(last, previous, traded, traded // rng.randrange(3, 12), rng.randrange(1, 60) * COUNT_UNIT)
        step = max(grid.finest_step, 100)
        listing.previous_bid = grid.at_or_below(max(10, previous - step)) or 0
        listing.previous_ask = grid.at_or_above(min(PRICE_UNIT - 10, previous + step)) or PRICE_UNIT
        seed = rng.getrandbits(32)
        listing.candles.backfill = lambda: backfill(listing, last, previous, now, seed)

    # -- the run -----------------------------------------------------------------------------------------------------

    def step(self, now: int) -> None:
        """Live up to a time."""
        if now - self._next_tick > _CATCH_UP_MS:
            self._next_tick = now - TICK_MS
            self._next_news = max(self._next_news, now)
        while self._next_tick <= now:
            self._tick(self._next_tick)
            self._next_tick += TICK_MS

    def _tick(self, now: int) -> None:
        for _ in range(min(_PRIME_PER_TICK, len(self._to_prime))):
            self._prime_one(self._to_prime.popleft(), now)
        if not self.exchange.trading_active or not self.exchange.exchange_active or not self._choices:
            return
        exchange = self.exchange
        self._budget = min(self._budget + self.rate * TICK_MS / 1_000, self.rate)
        if now >= self._next_news:
            self._next_news = now + round(self._rng.expovariate(1.0) * _NEWS_EVERY_MS) + 5_000
            self._news(now)
        while self._budget >= 1:
            before = exchange.pending_events
            self._act(now)
            # An act without any message costs something too, so that a world of closed markets does not spin.
            self._budget -= max(exchange.pending_events - before, 0.25)

    def _act(self, now: int) -> None:
        rng = self._rng
        quoted = self._choices[bisect_right(self._weights, rng.random() * self._weights[-1])]
        listing = quoted.listing
        if listing.status is not MarketStatus.ACTIVE:
            return
        if not quoted.primed:
            self._prime_one(quoted, now)
            return
        if quoted.grid is not listing.grid:
            quoted.see_grid()
        quoted.opinion.move(now)
        roll = rng.random()
        if roll < 0.62:
            self._make(quoted, quoted.ladders[roll < 0.2], now)
        elif roll < 0.80:
            self._join(quoted, now)
        elif roll < 0.995:
            self._take(quoted, now)
        else:
            self._swim(quoted, now)

    # -- makers ------------------------------------------------------------------------------------------------------

    def _targets(self, quoted: Quoted, ladder: Ladder, side: int, now: int) -> list[Price]:
        """Give the own prices at which a maker wants to stand on a side, best first."""
        prices = quoted.grids[side]
        fair = quoted.fair if side == 0 else PRICE_UNIT - quoted.fair
        flow = quoted.listing.terms.flow
        back = ladder.back + flow.spread // 2 + (flow.spread * 2 + 1 if now < quoted.wide_until else 0)
        # The nearest tick strictly below the fair price leaves at least a tick between the two sides.
        best = bisect_right(prices, fair - 1) - 1 - back
        if flow.spread % 2 == 0 and side:
            best += 1
        return [prices[best - offset] for offset in quoted.offsets[: ladder.depth] if best - offset >= 0]

    def _make(self, quoted: Quoted, ladder: Ladder, now: int) -> None:
        """Let a maker do the most urgent thing: draw back an order, fill a gap, drop one too far off, resize one."""
        rng = self._rng
        if not quoted.sides:
            return  # a market that nobody quotes, in an event that news has struck
        for side in quoted.sides if rng.random() < 0.5 else quoted.sides[::-1]:
            if self._mend(quoted, ladder, side, now):
                return
        side = rng.choice(quoted.sides)
        orders = ladder.orders[side]
        if orders:
            own = rng.choice(list(orders))
            self.exchange.withdraw(orders.pop(own), now)
            self._stand(quoted, ladder, side, own, now)

    def _mend(self, quoted: Quoted, ladder: Ladder, side: int, now: int) -> bool:
        """Bring one side a step nearer to what it should be; tell whether there was anything to do."""
        orders = ladder.orders[side]
        targets = self._targets(quoted, ladder, side, now)
        if not targets:
            return False
        best = targets[0]
        for own, order in list(orders.items()):
            if not order.resting:
                del orders[own]
            elif own > best:
                del orders[own]
                self.exchange.withdraw(order, now)
                return True
        for own in targets:
            if own not in orders:
                self._stand(quoted, ladder, side, own, now)
                return True
        if len(orders) > ladder.depth + 4:
            self.exchange.withdraw(orders.pop(min(orders)), now)
            return True
        return False

    def _stand(self, quoted: Quoted, ladder: Ladder, side: int, own: Price, now: int) -> None:
        depth = len(ladder.orders[side])
        size = ladder.size * (4 + depth) * _spread_out(self._rng.random()) // 6
        order = self.exchange.place(ladder.account, quoted.listing, side, own, self._count(quoted, size), now)
        if order.resting:
            ladder.orders[side][own] = order

    def _count(self, quoted: Quoted, hundredths: int) -> Count:
        """Give a count of about so many 1/100 contracts: whole contracts, except where fractions are in use."""
        if quoted.listing.terms.flow.fractional and self._rng.random() < 0.6:
            return max(1, hundredths + self._rng.randrange(100))
        return max(1, hundredths // COUNT_UNIT) * COUNT_UNIT

    # -- the crowd, the takers, the whale, the news ------------------------------------------------------------------

    def _join(self, quoted: Quoted, now: int) -> None:
        """Let one of the crowd place a small order near the best, or take an old one back."""
        rng, crowd = self._rng, quoted.crowd
        if len(crowd) >= _CROWD or (crowd and rng.random() < 0.3):
            self.exchange.withdraw(crowd.popleft(), now)
            return
        if not quoted.sides:
            return
        side = rng.choice(quoted.sides)
        prices = quoted.grids[side]
        fair = quoted.fair if side == 0 else PRICE_UNIT - quoted.fair
        place = bisect_right(prices, fair) - 1 - rng.randrange(4)
        if place < 0:
            return
        size = 1 + round(rng.expovariate(1 / 40))
        order = self.exchange.place(
            self._crowd, quoted.listing, side, prices[place], self._count(quoted, size * COUNT_UNIT), now
        )
        if order.resting:
            crowd.append(order)

    def _take(self, quoted: Quoted, now: int) -> None:
        """Let a taker hit the best price: mostly at random, more readily where the book lags what is believed."""
        rng, listing = self._rng, quoted.listing
        bid, bid_size, ask, ask_size = listing.top
        fair = quoted.fair
        sure = True
        if ask_size and fair > ask + 20:
            side = 0
        elif bid_size and fair < bid - 20:
            side = 1
        else:
            side = rng.getrandbits(1)
            sure = False
        size = ask_size if side == 0 else bid_size
        if not size:
            return
        own = ask if side == 0 else PRICE_UNIT - bid
        roll = rng.random()
        if sure:
            wanted = size
        elif roll < 0.08:
            wanted = size + self._count(quoted, listing.terms.flow.size * 20)
            prices = quoted.grids[side]
            own = prices[min(bisect_right(prices, own + 100), len(prices)) - 1]
        elif roll < 0.22:
            wanted = size
        else:
            wanted = min(size, self._count(quoted, round(rng.expovariate(1 / 35) + 1) * COUNT_UNIT))
        self.exchange.place(self._takers, listing, side, own, wanted, now, tif=TimeInForce.IOC)

    def _swim(self, quoted: Quoted, now: int) -> None:
        """Let the whale lay a large order some way behind the best, or take it away."""
        rng = self._rng
        if quoted.whale is not None and quoted.whale.resting:
            if rng.random() < 0.3:
                self.exchange.withdraw(quoted.whale, now)
                quoted.whale = None
            return
        flow = quoted.listing.terms.flow
        if flow.weight < 20 or len(quoted.sides) < 2:
            return
        side = rng.getrandbits(1)
        prices = quoted.grids[side]
        fair = quoted.fair if side == 0 else PRICE_UNIT - quoted.fair
        place = bisect_right(prices, fair) - 1 - rng.randrange(3, 8)
        if place >= 0:
            count = flow.size * rng.randrange(25, 60) * COUNT_UNIT
            quoted.whale = self.exchange.place(self._whale, quoted.listing, side, prices[place], count, now)

    def _news(self, now: int) -> None:
        """Let something happen to one event: beliefs jump, makers draw back and stand wider for a while."""
        rng = self._rng
        struck = self._choices[bisect_right(self._weights, rng.random() * self._weights[-1])]
        struck.opinion.shock(rng.choice((-1, 1)) * (0.6 + rng.random()))
        struck.opinion.move(now)
        for quoted in self._by_event.get(struck.listing.terms.event_ticker, [])[:12]:
            if quoted.listing.status is not MarketStatus.ACTIVE or not quoted.primed:
                continue
            quoted.wide_until = now + rng.randrange(4_000, 15_000)
            for _ in range(6):
                self._make(quoted, quoted.ladders[0], now)
            self._take(quoted, now)


def _nudged(price: Price, by: float) -> Price:
    """Give a price moved by a part of its own uncertainty."""
    share = price / PRICE_UNIT
    moved = share + by * share * (1 - share)
    return min(PRICE_UNIT - 10, max(10, round(moved * PRICE_UNIT)))


def _spread_out(roll: float) -> int:
    """Turn an even number from 0 to 1 into a size factor around 100: mostly small, now and then many times more."""
    return 20 + round(70 * -math.log(1 - roll * 0.99))
