from collections import defaultdict

import pytest

from kalshi_tui.domain.book import Book
from kalshi_tui.domain.order import BookSide
from kalshi_tui.domain.price import PRICE_UNIT, parse_money
from kalshi_tui.practice.engine.events import LifecycleChanged, TradePrinted
from kalshi_tui.practice.engine.list_filter import ListFilter
from kalshi_tui.practice.engine.model import ListedMarket
from kalshi_tui.practice.engine.records import OrderRequest, OrderStatus
from kalshi_tui.practice.simulation.catalog import CREATE_AHEAD_MS, RECURRING_PERIOD_MS
from kalshi_tui.practice.simulation.world import World
from tests.support.engine import (
    NOON,
    Clock,
    as_published,
    rebuild,
)


def world(clock: Clock, *, seed: int = 4, rate: int = 400, markets: int | None = None, quiet: bool = False) -> World:
    made = World(clock, seed, rate=rate, markets=markets, quiet=quiet)
    made.exchange.open_account("ann", {0: parse_money("8000"), 2: parse_money("2000")})
    made.start()
    return made


def live(made: World, clock: Clock, seconds: float, step_ms: int = 50) -> None:
    for _ in range(round(seconds * 1_000 / step_ms)):
        clock.pass_(step_ms)
        made.step()


def busy(made: World) -> list[ListedMarket]:
    return [each for each in made.exchange.markets.visible() if each.status.tradable and each.terms.flow.weight >= 40][
        :14
    ]


def test_the_books_are_alive_from_the_first_moment() -> None:
    clock = Clock()
    made = world(clock)
    deep = 0
    for listing in busy(made):
        bid, bid_size, ask, ask_size = listing.top
        assert bid_size
        assert ask_size
        assert 0 < ask - bid <= 300
        yes, no = listing.levels()
        deep += len(yes) >= 10 and len(no) >= 10
        assert listing.last_price is not None or listing.terms.series_ticker.endswith("15M")
    assert deep >= 5


def test_quiet_corners_are_as_they_were_made() -> None:
    clock = Clock()
    made = world(clock)
    live(made, clock, 5)
    shapes = {each.terms.flow.shape: each for each in made.exchange.markets.visible() if "KXQUIET" in each.ticker}
    assert shapes["bids"].levels()[0]
    assert not shapes["bids"].levels()[1]
    assert not shapes["asks"].levels()[0]
    assert shapes["asks"].levels()[1]
    assert shapes["empty"].levels() == ([], [])


def test_they_keep_trading_and_the_money_adds_up() -> None:
    clock = Clock()
    made = world(clock)
    books: dict[str, Book] = {}
    rebuild(made.exchange.drain_events(), books)
    trades: dict[str, int] = defaultdict(int)
    for _ in range(30):
        live(made, clock, 1)
        events = made.exchange.drain_events()
        rebuild(events, books)
        for event in events:
            if isinstance(event, TradePrinted):
                trades[event.trade.ticker] += 1
        for listing in busy(made):
            bid, bid_size, ask, ask_size = listing.top
            if 500 < bid < 9_500:
                assert not (bid_size and ask_size) or ask - bid <= 900
    assert sum(trades.values()) > 300
    assert sum(trades[each.ticker] > 5 for each in busy(made)) >= 10
    for ticker, book in books.items():
        assert as_published(book) == made.exchange.markets.listings[ticker].levels()
    for shard in (0, 2):
        assert made.exchange.ledger.total_money(shard) == made.exchange.ledger.deposited[shard]


def test_prices_of_an_exclusive_event_sum_to_about_one() -> None:
    clock = Clock()
    made = world(clock)
    live(made, clock, 20)
    exchange = made.exchange
    sums = []
    for event in exchange.markets.events_by_ticker.values():
        group = exchange.markets.visible_event_listings(event.ticker)
        if event.mutually_exclusive and all(each.top[1] and each.top[3] for each in group):
            sums.append(sum(each.top[0] + each.top[2] for each in group) / 2)
    assert len(sums) >= 5
    assert all(0.9 * PRICE_UNIT < total < 1.1 * PRICE_UNIT for total in sums)


@pytest.mark.parametrize("side", list(BookSide))
def test_an_order_at_the_best_price_is_filled_within_seconds(side: BookSide) -> None:
    clock = Clock()
    made = world(clock, rate=300)
    live(made, clock, 2)
    orders = {}
    for listing in busy(made)[:8]:
        bid, _, ask, _ = listing.top
        price = bid if side is BookSide.BID else ask
        result = made.exchange.order_entry.create("ann", OrderRequest(listing.ticker, side, 500, price))
        orders[result.order_id] = listing.ticker
    live(made, clock, 20)
    filled = [each for each in made.exchange.queries.orders("ann") if each.filled]
    assert len(filled) >= 4


def test_beliefs_go_on_where_they_were_after_a_restart() -> None:
    clock = Clock()
    made = world(clock)
    live(made, clock, 10)
    before = {each.ticker: each.top for each in busy(made)}
    again = world(clock)
    moved = [abs(listing.top[0] - before[listing.ticker][0]) for listing in busy(again) if listing.ticker in before]
    assert sorted(moved)[len(moved) // 2] <= 200


def test_a_15_minute_market_opens_closes_and_pays() -> None:
    clock = Clock(NOON // RECURRING_PERIOD_MS * RECURRING_PERIOD_MS + RECURRING_PERIOD_MS - CREATE_AHEAD_MS - 10_000)
    made = world(clock, rate=60, markets=30)
    made.exchange.drain_events()
    running = next(each for each in made.exchange.markets.visible() if each.terms.series_ticker == "KXBTC15M")
    made.exchange.order_entry.create("ann", OrderRequest(running.ticker, BookSide.BID, 500, 9_900))
    live(made, clock, 20, 500)
    told = [event for event in made.exchange.drain_events() if isinstance(event, LifecycleChanged)]
    assert [each.event_type.value for each in told] == ["created"] * 3
    following = made.exchange.markets.listing(told[0].ticker)
    assert following.status.value == "initialized"
    live(made, clock, CREATE_AHEAD_MS / 1_000, 500)
    assert running.status.value in {"closed", "determined"}
    assert following.status.value == "active"
    assert following.top[1] or following.top[3]
    live(made, clock, 40, 500)
    assert running.status.value == "finalized"
    (paid,) = made.exchange.queries.settlements("ann")
    assert paid.yes_count == 500
    assert paid.revenue == (parse_money("5") if running.result == "yes" else 0)
    # A new trader sees the running one first.
    assert next(made.exchange.markets.visible()).ticker == following.ticker


def test_after_midnight_there_are_new_daily_events() -> None:
    clock = Clock((NOON // 86_400_000 + 1) * 86_400_000 - 5_000)
    made = world(clock, rate=50)
    old = {each.ticker for each in made.exchange.markets.visible() if each.terms.series_ticker == "KXHIGHNY"}
    live(made, clock, 20, 500)
    new = {each.ticker for each in made.exchange.markets.visible() if each.terms.series_ticker == "KXHIGHNY"} - old
    assert len(new) == len(old)
    live(made, clock, 20, 500)
    assert any(made.exchange.markets.listing(ticker).top[1] for ticker in new)
    assert len({each.terms.event_ticker for each in made.exchange.markets.visible()}) > 50


def test_at_midnight_eastern_the_last_price_becomes_the_previous_one() -> None:
    clock = Clock((NOON // 86_400_000 + 1) * 86_400_000 + 5 * 3_600_000 - 5_000)
    made = world(clock, rate=50)
    live(made, clock, 20, 500)
    fed = next(each for each in busy(made) if each.terms.series_ticker == "KXFEDDECISION")
    assert fed.previous_price is not None
    assert abs(fed.previous_price - (fed.last_price or 0)) < 500


def test_a_quiet_market_has_no_participants() -> None:
    clock = Clock()
    made = world(clock, quiet=True)
    live(made, clock, 2)
    assert all(each.levels() == ([], []) for each in made.exchange.markets.visible())
    assert made.participants is None


def test_they_rest_while_trading_is_paused() -> None:
    clock = Clock()
    made = world(clock)
    live(made, clock, 1)
    made.exchange.pauses.pause_trading()
    made.exchange.drain_events()
    live(made, clock, 2)
    assert made.exchange.drain_events() == []
    made.exchange.pauses.resume_trading()
    live(made, clock, 1)
    assert made.exchange.drain_events()


def test_a_long_absence_is_not_lived_through() -> None:
    clock = Clock()
    made = world(clock, markets=40)
    live(made, clock, 1)
    made.exchange.drain_events()
    clock.pass_(3 * 3_600_000)
    made.step()
    trades = [event for event in made.exchange.drain_events() if isinstance(event, TradePrinted)]
    assert len(trades) < 400


@pytest.mark.parametrize("rate", [-1, 50_001])
def test_rates_that_cannot_be(rate: int) -> None:
    with pytest.raises(ValueError, match="50,000"):
        world(Clock(), rate=rate)


def test_candles_reach_back_before_the_start() -> None:
    clock = Clock()
    made = world(clock)
    live(made, clock, 130)
    listing = next(each for each in busy(made) if each.terms.series_ticker == "KXFEDDECISION")
    now = clock.now
    for period, least in ((1, 100), (60, 24), (1_440, 2)):
        candles = made.exchange.queries.candlesticks(listing.ticker, now - 7 * 86_400_000, now + 86_400_000, period)
        ends = [each.end_ms for each in candles]
        assert len(candles) >= least
        assert ends == sorted(set(ends))
        assert all(end % (period * 60_000) == 0 for end in ends)
        for each in candles:
            for bar in filter(None, (each.yes_bid, each.yes_ask, each.price)):
                assert 0 <= bar.low <= min(bar.open, bar.close) <= max(bar.open, bar.close) <= bar.high <= PRICE_UNIT
            assert each.volume >= 0
    assert list(made.exchange.queries.orders("ann", ListFilter(status=OrderStatus.RESTING))) == []


def test_news_of_an_event_with_a_market_that_nobody_quotes() -> None:
    """Such news once ended the exchange after some hours."""
    clock = Clock()
    world = World(clock, seed=3, rate=50)
    world.start()
    participants = world.participants
    assert participants is not None
    group = [each for each in world.exchange.markets.visible() if each.terms.series_ticker == "KXQUIET"]
    assert {each.terms.flow.shape for each in group} == {"both", "bids", "asks", "empty"}
    for each in group:
        participants.publish_news(each.ticker, 1.0, clock())
    (unquoted,) = (each for each in group if each.terms.flow.shape == "empty")
    assert unquoted.levels() == ([], [])
