"""Settlement floors: what YES is paid before the result, and which prices are gone with it."""

import pytest
from hypothesis import given, strategies as st

from kalshi_tui.domain.market import MarketStatus
from kalshi_tui.domain.price import parse_money
from kalshi_tui.practice.engine.exchange import Exchange
from kalshi_tui.practice.engine.market_outcome import binary_outcome, scalar_outcome
from kalshi_tui.practice.engine.rejection import Rejection
from tests.support.engine import ASK, BID, HOUR, PLAIN, Clock, exchange, place


@pytest.fixture
def engine() -> Exchange:
    return exchange(Clock())


def available(engine: Exchange, name: str) -> int:
    return engine.queries.balance(name).available[0]


def test_a_rise_pays_the_holders_and_cancels_what_is_not_above_it(engine: Exchange) -> None:
    place(engine, "bob", ASK, "0.40", "10")
    place(engine, "ann", BID, "0.40", "10")
    below, above = place(engine, "ann", BID, "0.10", "1").order_id, place(engine, "ann", BID, "0.11", "1").order_id
    cash = available(engine, "ann"), available(engine, "bob")
    engine.settlement_floors.raise_floor(PLAIN, 1_000)
    assert available(engine, "ann") == cash[0] + parse_money("1") + parse_money("0.10")
    assert available(engine, "bob") == cash[1]
    assert engine.queries.order("ann", below).status.value == "canceled"
    assert engine.queries.order("ann", above).status.value == "resting"
    for side in (BID, ASK):
        with pytest.raises(Rejection, match="settlement floor"):
            place(engine, "ann", side, "0.10", "1")
    with pytest.raises(Rejection, match="only rises"):
        engine.settlement_floors.raise_floor(PLAIN, 900)


def test_yes_costs_and_brings_its_price_less_the_floor(engine: Exchange) -> None:
    engine.settlement_floors.raise_floor(PLAIN, 1_000)
    before = engine.queries.balance("ann").total, engine.queries.balance("bob").total
    place(engine, "bob", ASK, "0.40", "10")
    place(engine, "ann", BID, "0.40", "10")
    fees = sum(each.fee for each in engine.queries.fills("ann"))
    assert engine.queries.balance("ann").total == before[0] - parse_money("3") - fees
    assert engine.queries.balance("bob").total == before[1] - parse_money("6")


@given(
    st.lists(st.tuples(st.booleans(), st.integers(60, 99), st.integers(1, 500)), min_size=1, max_size=8),
    st.lists(st.integers(0, 59).map(lambda cents: cents * 100), max_size=3).map(sorted),
    st.integers(5_900, 10_000),
)
def test_no_money_comes_or_goes_with_a_floor(
    trades: list[tuple[bool, int, int]], floors: list[int], value: int
) -> None:
    engine = exchange(Clock())
    for place_in_order, (ann_buys, cents, count) in enumerate(trades):
        if place_in_order < len(floors):
            engine.settlement_floors.raise_floor(PLAIN, floors[place_in_order])
        sides = (BID, ASK) if ann_buys else (ASK, BID)
        contracts = f"{count // 100}.{count % 100:02d}"
        place(engine, "bob", sides[1], f"0.{cents:02d}", contracts)
        place(engine, "ann", sides[0], f"0.{cents:02d}", contracts)
        assert engine.ledger.total_money(0) == engine.ledger.deposited[0]
    engine.results.settle(PLAIN, scalar_outcome(value))
    assert engine.ledger.escrow[0] == 0
    assert engine.ledger.total_money(0) == engine.ledger.deposited[0]


def test_no_result_is_below_the_floor_that_holders_were_paid(engine: Exchange) -> None:
    place(engine, "bob", ASK, "0.40", "10")
    place(engine, "ann", BID, "0.40", "10")
    engine.settlement_floors.raise_floor(PLAIN, 1_000)
    for decide in (engine.results.determine, engine.results.settle):
        with pytest.raises(Rejection, match=r"below the settlement floor of 0\.1000"):
            decide(PLAIN, binary_outcome("no"))
    assert engine.markets.listing(PLAIN).status is MarketStatus.ACTIVE
    engine.results.determine(PLAIN, scalar_outcome(1_000))
    with pytest.raises(Rejection, match="below the settlement floor"):
        engine.results.amend_result(PLAIN, scalar_outcome(999))
    before = available(engine, "ann"), available(engine, "bob")
    engine.results.settle(PLAIN)
    assert available(engine, "ann") == before[0]
    assert available(engine, "bob") == before[1] + parse_money("9")


def test_an_outcome_by_the_clock_is_raised_to_the_floor() -> None:
    clock = Clock()
    engine = exchange(clock, outcomes=lambda *_: binary_outcome("no"))
    place(engine, "bob", ASK, "0.40", "10")
    place(engine, "ann", BID, "0.40", "10")
    engine.settlement_floors.raise_floor(PLAIN, 1_000)
    before = available(engine, "ann"), available(engine, "bob")
    clock.pass_(24 * HOUR)
    engine.clock.advance()
    assert engine.markets.listing(PLAIN).settlement_value == 1_000
    assert available(engine, "ann") == before[0]
    assert available(engine, "bob") == before[1] + parse_money("9")
