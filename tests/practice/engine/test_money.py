import json
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, strategies as st

from kalshi_tui.domain.fees import FeeSchedule
from kalshi_tui.domain.order import BookSide
from kalshi_tui.domain.position import Position
from kalshi_tui.domain.price import parse_count, parse_money, parse_price
from kalshi_tui.practice.engine.events import BalanceChanged, PositionSettled
from kalshi_tui.practice.engine.exchange import Exchange
from kalshi_tui.practice.engine.list_filter import ListFilter
from kalshi_tui.practice.engine.market_outcome import binary_outcome, scalar_outcome
from kalshi_tui.practice.engine.model import EngineAccount, Holding, ListedMarket, side_index
from kalshi_tui.practice.engine.rejection import Rejection
from kalshi_tui.practice.engine.terms import DECI_CENT
from tests.support.engine import (
    ASK,
    BID,
    CRYPTO,
    FINE,
    FOK,
    HOUR,
    IOC,
    PLAIN,
    Clock,
    catalog,
    exchange,
    market,
    move_cash,
    place,
)

CAPTURES = Path(__file__).resolve().parents[3] / ".." / "shared" / "captures" / "portfolio_fills.json"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def engine(clock: Clock) -> Exchange:
    return exchange(clock)


def captured() -> list[Any]:
    if not CAPTURES.exists():
        return []
    fills: list[Any] = json.loads(CAPTURES.read_text(), parse_float=Decimal)["fills"]
    return fills


@pytest.mark.skipif(not CAPTURES.exists(), reason="the captured fills are not here")
@pytest.mark.parametrize("fill", captured(), ids=lambda fill: f"{fill['count_fp']}@{fill['yes_price_dollars']}")
def test_captured_taker_fees_come_out_to_the_last_digit(fill: Any, clock: Clock) -> None:
    charged = set()
    for multiplier in (Decimal(1), Decimal("0.5")):
        terms = market("KXCAP", DECI_CENT, FeeSchedule.of("quadratic", multiplier))
        engine = Exchange(catalog(terms), clock, 1)
        engine.open_account("ann", {0: parse_money("100000")})
        flow = engine.open_account("flow", {0: 10**15}, keeps_history=False, margined=False)
        side = BookSide(fill["book_side"])
        price, count = parse_price(fill["yes_price_dollars"]), parse_count(fill["count_fp"])
        index = side_index(side)
        engine.participant_orders.place(
            flow, engine.markets.listing("KXCAP"), 1 - index, price if index else 10_000 - price, count, clock.now
        )
        place(engine, "ann", side, fill["yes_price_dollars"], fill["count_fp"], ticker="KXCAP", tif=FOK)
        (made,) = engine.queries.fills("ann")
        charged.add(made.fee)
    # They are of August 18; since the 26th the step is finer, which only one of them shows.
    reported = "0.064680" if (fill["count_fp"], fill["yes_price_dollars"]) == ("71.94", "0.0130") else fill["fee_cost"]
    assert parse_money(str(reported)) in charged


def test_a_resting_bid_holds_its_cost_and_gives_it_back(engine: Exchange) -> None:
    order = place(engine, "ann", BID, "0.42", "10").order_id
    assert engine.queries.balance("ann").available[0] == parse_money("995.80")
    assert engine.queries.balance("ann").held[0] == parse_money("4.20")
    assert sum(engine.queries.resting_order_value("ann").values()) == parse_money("4.20")
    engine.order_entry.decrease("ann", order, reduce_by=500)
    assert engine.queries.balance("ann").available[0] == parse_money("997.90")
    engine.order_entry.cancel("ann", order)
    assert engine.queries.balance("ann").available[0] == parse_money("1000")


def test_an_ask_that_opens_no_holds_the_no_price(engine: Exchange) -> None:
    place(engine, "ann", ASK, "0.42", "10")
    assert engine.queries.balance("ann").held[0] == parse_money("5.80")


def test_makers_fees_are_held_where_makers_pay(engine: Exchange) -> None:
    place(engine, "ann", BID, "0.50", "10", ticker=FINE)
    assert engine.queries.balance("ann").held[0] == parse_money("5") + parse_money("0.0438")


def test_an_ask_against_a_position_holds_nothing_until_it_goes_beyond(engine: Exchange) -> None:
    place(engine, "ann", BID, "0.42", "10")
    place(engine, "bob", ASK, "0.42", "10")
    assert engine.queries.balance("ann").held[0] == 0
    place(engine, "ann", ASK, "0.60", "6")
    assert engine.queries.balance("ann").held[0] == 0
    place(engine, "ann", ASK, "0.70", "6")
    assert engine.queries.balance("ann").held[0] == parse_money("0.60")  # two of them open a NO at 0.30
    place(engine, "ann", BID, "0.30", "10")
    assert engine.queries.balance("ann").held[0] == parse_money("3.60")


def test_an_order_that_cannot_be_paid_is_refused_on_its_own_shard(engine: Exchange) -> None:
    move_cash(engine, "ann", 2, 0, parse_money("995"))
    with pytest.raises(Rejection) as caught:
        place(engine, "ann", BID, "0.50", "11", ticker=CRYPTO)
    assert (caught.value.status, caught.value.code) == (400, "insufficient_balance")
    assert place(engine, "ann", BID, "0.50", "10", ticker=CRYPTO).remaining == 1_000
    assert place(engine, "ann", BID, "0.50", "3000").remaining == 300_000


def test_the_takers_fee_must_be_there_too(engine: Exchange) -> None:
    place(engine, "bob", ASK, "0.50", "2000")
    with pytest.raises(Rejection):
        place(engine, "ann", BID, "0.50", "2000")
    assert place(engine, "ann", BID, "0.50", "1900").filled == 190_000


def test_closing_needs_no_money(engine: Exchange) -> None:
    place(engine, "bob", ASK, "0.50", "1900")
    place(engine, "ann", BID, "0.50", "1900")
    move_cash(engine, "ann", 0, 2, engine.queries.balance("ann").available[0] // 100 * 100)
    assert engine.queries.balance("ann").available[0] == 0
    place(engine, "bob", BID, "0.40", "1000")
    assert place(engine, "ann", ASK, "0.40", "1000", tif=IOC).filled == 100_000
    assert engine.queries.balance("ann").available[0] > parse_money("380")


def test_a_round_trip_realizes_its_loss_and_its_fees(engine: Exchange) -> None:
    place(engine, "bob", ASK, "0.50", "10")
    place(engine, "ann", BID, "0.50", "10")
    place(engine, "bob", BID, "0.40", "10")
    place(engine, "ann", ASK, "0.40", "10")
    (position,) = engine.queries.positions("ann")
    assert (position.count, position.exposure, position.realized_pnl) == (0, 0, -parse_money("1"))
    assert position.fees_paid == parse_money("0.175") + parse_money("0.168")
    assert engine.queries.balance("ann").total == parse_money("2000") - parse_money("1") - position.fees_paid
    assert engine.ledger.collected_fees[0] == position.fees_paid


def test_no_held_against_yes_nets(engine: Exchange) -> None:
    place(engine, "bob", BID, "0.50", "10")
    place(engine, "ann", ASK, "0.50", "10")
    assert engine.queries.positions("ann")[0].count == -1_000
    place(engine, "bob", ASK, "0.45", "4")
    place(engine, "ann", BID, "0.45", "4")
    (position,) = engine.queries.positions("ann")
    assert (position.count, position.exposure, position.realized_pnl) == (-600, 3_000_000, 200_000)
    assert engine.markets.listing(PLAIN).open_interest == 600


@given(
    fills=st.lists(
        st.tuples(st.sampled_from(list(BookSide)), st.integers(1, 9_999), st.integers(1, 2_000)), max_size=20
    )
)
def test_a_holding_does_the_arithmetic_of_the_domains_position(fills: list[tuple[BookSide, int, int]]) -> None:
    listing = ListedMarket(market("KXH"), "id")
    holding = Holding(EngineAccount("ann", {0: 0}), listing)
    model, cash = Position("KXH"), 0
    for side, price, count in fills:
        index = side_index(side)
        cash += holding.apply_fill(index, 10_000 - price if index else price, count, 7)
        holding.fees_paid += 0
        model = model.after(side, price, count, 7)
    record = holding.to_record()
    found = Position("KXH", record.count, record.exposure, record.realized_pnl, record.fees_paid, record.total_traded)
    assert found == replace(model)
    # What the account paid in is what its contracts cost, less what closing realized.
    assert -cash == record.exposure - record.realized_pnl


@pytest.mark.parametrize(("result", "winner", "loser"), [("yes", "ann", "bob"), ("no", "bob", "ann")])
def test_a_settled_market_pays_a_dollar_to_who_was_right(
    engine: Exchange, result: str, winner: str, loser: str
) -> None:
    place(engine, "ann", BID, "0.42", "10")
    place(engine, "bob", ASK, "0.42", "10")
    before = {name: engine.queries.balance(name).available[0] for name in ("ann", "bob")}
    engine.drain_events()
    engine.results.settle(PLAIN, binary_outcome(result))
    assert engine.queries.balance(winner).available[0] == before[winner] + parse_money("10")
    assert engine.queries.balance(loser).available[0] == before[loser]
    assert engine.queries.positions("ann") == []
    events = engine.drain_events()
    paid = {each.settlement.account_id: each.settlement for each in events if isinstance(each, PositionSettled)}
    assert paid[winner].revenue == parse_money("10")
    assert paid[loser].revenue == 0
    assert (paid["ann"].yes_count, paid["ann"].yes_cost) == (1_000, parse_money("4.2"))
    assert (paid["bob"].no_count, paid["bob"].no_cost) == (1_000, parse_money("5.8"))
    assert [each.account_id for each in events if isinstance(each, BalanceChanged)].count(winner) == 1
    assert engine.ledger.escrow[0] == 0
    assert next(engine.queries.settlements("ann")).result == result


def test_a_scalar_result_is_shared_and_rounded_down(engine: Exchange) -> None:
    place(engine, "ann", BID, "0.42", "10.61")
    place(engine, "bob", ASK, "0.42", "10.61")
    engine.results.settle(PLAIN, scalar_outcome(5_973))
    ann, bob = next(engine.queries.settlements("ann")), next(engine.queries.settlements("bob"))
    assert (ann.result, ann.value) == ("scalar", 5_973)
    assert ann.revenue == 6_337_300  # 10.61 x 0.5973 = 6.337353
    assert bob.revenue == 4_272_600  # 10.61 x 0.4027 = 4.272647
    assert engine.ledger.total_money(0) == engine.ledger.deposited[0]


def test_the_portfolio_is_valued_at_the_last_price(engine: Exchange) -> None:
    place(engine, "ann", BID, "0.42", "10")
    place(engine, "bob", ASK, "0.42", "10")
    assert engine.queries.balance("ann").portfolio_value == parse_money("4.2")
    assert engine.queries.balance("bob").portfolio_value == parse_money("5.8")
    assert engine.queries.balance("bob").portfolio_by_index == {0: parse_money("5.8"), 1: 0, 2: 0, 3: 0}


@pytest.mark.parametrize(
    ("source", "target", "amount"), [(0, 0, "1"), (0, 4, "1"), (1, 0, "1"), (0, 2, "0"), (0, 2, "1000.0001")]
)
def test_transfers_that_cannot_be(engine: Exchange, source: int, target: int, amount: str) -> None:
    with pytest.raises(Rejection) as caught:
        move_cash(engine, "ann", source, target, parse_money(amount))
    assert caught.value.status == 400


def test_held_money_cannot_be_moved(engine: Exchange) -> None:
    place(engine, "ann", BID, "0.50", "1000")
    with pytest.raises(Rejection, match="insufficient_balance"):
        move_cash(engine, "ann", 0, 2, parse_money("501"))
    move_cash(engine, "ann", 0, 2, parse_money("500"))
    assert engine.queries.balance("ann").available == {0: 0, 1: 0, 2: parse_money("1500"), 3: 0}


def test_fills_have_their_filters(engine: Exchange, clock: Clock) -> None:
    place(engine, "ann", BID, "0.42", "10")
    order = place(engine, "bob", ASK, "0.42", "10").order_id
    clock.pass_(HOUR // 2)
    place(engine, "ann", BID, "0.42", "1", ticker=CRYPTO)
    place(engine, "bob", ASK, "0.42", "1", ticker=CRYPTO)
    assert [fill.ticker for fill in engine.queries.fills("bob")] == [CRYPTO, PLAIN]
    assert [fill.ticker for fill in engine.queries.fills("bob", ListFilter(order_id=order))] == [PLAIN]
    assert [fill.ticker for fill in engine.queries.fills("bob", ListFilter(tickers=(CRYPTO,)))] == [CRYPTO]
    assert [fill.ticker for fill in engine.queries.fills("bob", ListFilter(min_ms=clock.now))] == [CRYPTO]
    assert [fill.ticker for fill in engine.queries.fills("bob", ListFilter(max_ms=clock.now - 1))] == [PLAIN]
    assert [fill.is_taker for fill in engine.queries.fills("ann", ListFilter(exchange_index=0))] == [False]
