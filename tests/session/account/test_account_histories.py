"""Random histories of an account at the practice exchange: every cent is explained, and all figures agree.

The exchange's own ledger is the independent computation: what the account has gained is the change of its cash, resting
orders or not, and of what its positions are worth.
"""

import contextlib
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from kalshi_tui.domain.book import Book
from kalshi_tui.domain.candles import Settlement
from kalshi_tui.domain.day_gain import DayAccount, TradedSum, ValuedCount, sum_fills
from kalshi_tui.domain.fees import CENTICENT
from kalshi_tui.domain.market import Market
from kalshi_tui.domain.order import BookSide, Fill, Order, TimeInForce
from kalshi_tui.domain.position import Position, PositionKey
from kalshi_tui.domain.price import Money, parse_money
from kalshi_tui.domain.settlement_gain import with_realized
from kalshi_tui.domain.valuation import PositionsTotal, ValuedPosition, value_position
from kalshi_tui.kalshi import translate
from kalshi_tui.practice.engine.exchange import Exchange
from kalshi_tui.practice.engine.market_outcome import MarketOutcome
from kalshi_tui.practice.engine.rejection import Rejection
from kalshi_tui.practice.server import encode_rest
from tests.support.budget import examples
from tests.support.engine import CRYPTO, FINE, IOC, PLAIN, Clock, exchange, place, request

TICKERS = st.sampled_from([PLAIN, FINE, CRYPTO])
PRICES = {PLAIN: ["0.30", "0.47", "0.50", "0.51", "0.80"], FINE: ["0.305", "0.471", "0.50"], CRYPTO: ["0.0350", "0.50"]}
ME, OTHER = "ann", "bob"
RESULTS = st.sampled_from(
    [MarketOutcome("yes", 10_000), MarketOutcome("no", 0), MarketOutcome("scalar", 4_225), MarketOutcome("scalar", 1)]
)
Step = Callable[[Exchange], None]


def order(who: str, ticker: str, side: BookSide, pick: int, count: str, ioc: bool) -> Step:
    price = PRICES[ticker][pick % len(PRICES[ticker])]

    def run(engine: Exchange) -> None:
        wanted = request(side, price, count, ticker, tif=IOC if ioc else TimeInForce.GTC)
        engine.order_entry.create(who, wanted)

    return run


ORDERS = st.builds(
    order,
    st.sampled_from([ME, ME, OTHER]),
    TICKERS,
    st.sampled_from(BookSide),
    st.integers(0, 4),
    st.sampled_from(["1.00", "0.33", "7.00", "12.50", "100.00"]),
    st.booleans(),
)


def determine(ticker: str, outcome: MarketOutcome) -> Step:
    return lambda engine: engine.results.determine(ticker, outcome)


def settle(ticker: str, outcome: MarketOutcome) -> Step:
    return lambda engine: engine.results.settle(ticker, outcome)


STEPS = st.lists(
    st.one_of(*[ORDERS] * 12, st.builds(determine, TICKERS, RESULTS), st.builds(settle, TICKERS, RESULTS)),
    min_size=1,
    max_size=25,
)


class Account:
    """What REST says of the account, as the client reads it."""

    def __init__(self, engine: Exchange) -> None:
        self.engine = engine
        engine.clock.advance()
        self.orders: list[Order] = [translate.order(encode_rest.order(each)) for each in engine.queries.orders(ME)]
        self.fills: list[Fill] = [translate.rest_fill(encode_rest.fill(each)) for each in engine.queries.fills(ME)]
        self.settlements: list[Settlement] = [
            translate.settlement(encode_rest.settlement(each)).with_exact_value(each.value)
            for each in engine.queries.settlements(ME)
        ]
        held = [*engine.queries.positions(ME), *engine.queries.settled_positions(ME)]
        self.cash: Money = sum(engine.ledger.account(ME).cash.values())
        """All cash, what resting orders hold back included: the exchange's own ledger."""
        self.positions: list[Position] = [translate.position(encode_rest.position(each)) for each in held]

        self.held: dict[PositionKey, ValuedCount] = {
            each.key: ValuedCount(each.count, self.value(each.ticker, each.count))
            for each in self.positions
            if each.count
        }
        self.equity: Money = self.cash + sum(each.value for each in self.held.values())

    def market(self, ticker: str) -> Market:
        listing = self.engine.markets.listing(ticker)
        return translate.market(encode_rest.market(listing, self.engine.clock.now), fees=listing.fees)

    def value(self, ticker: str, count: int) -> Money:
        """Return what a count is worth; the tests' markets always have a value."""
        book = self.book(ticker)
        found = value_position(self.market(ticker), count, book=book, quote=None, own=self.orders, precision=CENTICENT)
        assert found is not None
        assert found.value is not None
        return found.value

    def valued(self) -> list[ValuedPosition]:
        return [
            ValuedPosition(
                each,
                value_position(
                    self.market(each.ticker),
                    each.count,
                    book=self.book(each.ticker),
                    quote=None,
                    own=self.orders,
                    precision=CENTICENT,
                ),
            )
            for each in self.positions
        ]

    def book(self, ticker: str) -> Book:
        made = Book()
        made.snapshot(*self.engine.queries.book(ticker))
        return made

    def values(self, counts: dict[PositionKey, int]) -> dict[PositionKey, Money]:
        return {key: self.value(key[0], count) for key, count in counts.items()}


def day_of(now: Account, then: Account | None) -> DayAccount:
    """Return the day as it is known by fills and settlements since a moment; since the account was opened if None."""
    start: dict[PositionKey, ValuedCount] = {}
    known: set[object] = set()
    if then is not None:
        start = then.held
        known = {*(each.key for each in then.fills), *(each.ticker for each in then.settlements)}
    traded = sum_fills(each for each in now.fills if each.key not in known)
    for each in now.settlements:
        if each.ticker not in known:
            key = each.ticker, 0
            traded[key] = traded.get(key, TradedSum()).with_settlement(each, CENTICENT)
    return DayAccount(start, traded)


def check(now: Account, then: Account | None, opening_cash: Money) -> None:
    """Fail unless the day explains every cent, and positions, totals and the day say the same."""
    day = day_of(now, then)
    held = {each.key: each.count for each in now.positions if each.count}
    assert day.counts == held
    before = opening_cash if then is None else then.equity
    assert day.gain(now.values(day.counts)) == now.equity - before
    closed = day.closed(held.keys(), {})
    closed_net = sum((each.realized or 0) - each.fees for each in closed)
    values = now.values(day.counts)
    assert closed_net + sum(day.gain_of(key, values[key]) for key in held) == day.gain(values)
    rows = now.valued()
    total = PositionsTotal.of(rows)
    assert total.value == now.equity - now.cash
    if then is None:
        # All was opened today: what the positions have brought so far is what the day has brought.
        assert total.net == now.equity - before
        assert total.fees == day.total().fees
        # The list has the positions that are held, and in one sum those that are not any more.
        listed = PositionsTotal.of([each for each in rows if each.position.count], closed)
        assert (listed.net, listed.fees, listed.value) == (total.net, total.fees, total.value)
        paid = {each.ticker: each for each in now.positions}
        for ticker, net in settlement_nets(now).items():
            assert net == paid[ticker].realized_pnl - paid[ticker].fees_paid


def settlement_nets(account: Account) -> dict[str, Money | None]:
    """Return the net of each settlement by all fills of its market."""
    sums = sum_fills(account.fills)
    return {each.ticker: with_realized(each, [sums[each.ticker, 0]]).net for each in account.settlements}


@settings(max_examples=examples(1_000), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(steps=STEPS, begins=st.integers(0, 12))
def test_every_cent_is_explained_and_all_figures_agree(steps: list[Step], begins: int) -> None:
    engine = exchange(Clock())
    opening = Account(engine).cash
    day_start: Account | None = None
    for number, step in enumerate(steps):
        if number == begins:
            day_start = Account(engine)
        with contextlib.suppress(Rejection):
            step(engine)
        now = Account(engine)
        check(now, None, opening)
        if day_start is not None:
            check(now, day_start, opening)


def test_resting_orders_move_no_gain() -> None:
    """1,000 YES held, and two sells of 1,000 at rest: the second holds $300 back, which is no gain and no loss."""
    engine = exchange(Clock())
    place(engine, OTHER, BookSide.ASK, "0.50", "1000.00")
    place(engine, ME, BookSide.BID, "0.50", "1000.00")
    place(engine, OTHER, BookSide.BID, "0.50", "1000.00")
    opening = Account(engine)
    for price in ("0.70", "0.75"):
        place(engine, ME, BookSide.ASK, price, "1000.00")
    now = Account(engine)
    assert sum(engine.queries.balance(ME).available.values()) < opening.cash - parse_money("249.99")
    assert day_of(now, None).gain(now.values(day_of(now, None).counts)) == parse_money("-35.00")
    assert day_of(now, opening).gain(now.values(day_of(now, opening).counts)) == 0


@pytest.mark.parametrize(
    "trades",
    [
        pytest.param([(BookSide.BID, "0.50", "10.00"), (BookSide.ASK, "0.47", "3.00")], id="a part is closed"),
        pytest.param([(BookSide.ASK, "0.50", "3.00"), (BookSide.BID, "0.51", "10.00")], id="through zero"),
        pytest.param(
            [(BookSide.BID, "0.50", "3.00"), (BookSide.ASK, "0.47", "3.00"), (BookSide.BID, "0.51", "1.00")],
            id="closed and reopened",
        ),
    ],
)
def test_a_settlement_counts_what_was_closed_before(trades: list[tuple[BookSide, str, str]]) -> None:
    engine = exchange(Clock())
    opening = Account(engine).cash
    for side, price, count in trades:
        place(engine, OTHER, BookSide.ASK if side is BookSide.BID else BookSide.BID, price, count)
        place(engine, ME, side, price, count)
    engine.results.settle(PLAIN, MarketOutcome("yes", 10_000))
    now = Account(engine)
    (listed,) = now.settlements
    assert settlement_nets(now) == {PLAIN: now.cash - opening}
    assert listed.revenue - listed.cost - listed.fees != now.cash - opening
