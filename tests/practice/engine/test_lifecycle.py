import pytest

from kalshi_tui.domain.market import MarketStatus
from kalshi_tui.practice.engine.events import EngineEvent, LifecycleChanged, OrderChanged
from kalshi_tui.practice.engine.exchange import Exchange
from kalshi_tui.practice.engine.list_filter import ListFilter
from kalshi_tui.practice.engine.market_outcome import MarketOutcome, binary_outcome, scalar_outcome
from kalshi_tui.practice.engine.records import AmendRequest, OrderStatus
from kalshi_tui.practice.engine.rejection import Rejection
from kalshi_tui.practice.engine.terms import MarketDefinition
from tests.support.engine import (
    ASK,
    BID,
    FINE,
    HOUR,
    NOON,
    PLAIN,
    Clock,
    exchange,
    market,
    place,
)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def engine(clock: Clock) -> Exchange:
    return exchange(clock, outcomes=always_yes)


def always_yes(market: MarketDefinition, now: int) -> MarketOutcome | None:
    return binary_outcome("yes") if now >= market.expected_expiration_ms else None


def announced(events: list[EngineEvent]) -> list[str]:
    return [each.event_type.value for each in events if isinstance(each, LifecycleChanged) and each.ticker == PLAIN]


def status(engine: Exchange) -> str:
    return engine.markets.listings[PLAIN].status.value


def test_a_market_lives_by_the_clock(engine: Exchange, clock: Clock) -> None:
    place(engine, "ann", BID, "0.42", "10")
    place(engine, "bob", ASK, "0.42", "4")
    engine.drain_events()
    clock.now = NOON + HOUR
    with pytest.raises(Rejection, match="MARKET_INACTIVE"):
        place(engine, "ann", BID, "0.42", "1")
    assert status(engine) == "closed"
    (order,) = engine.queries.orders("ann", ListFilter(status=OrderStatus.RESTING))
    for operation in (
        lambda: engine.order_entry.cancel("ann", order.order_id),
        lambda: engine.order_entry.decrease("ann", order.order_id, reduce_by=1),
        lambda: engine.order_entry.amend("ann", order.order_id, AmendRequest(PLAIN, BID, 4_100, 1_000)),
    ):
        with pytest.raises(Rejection, match="MARKET_INACTIVE"):
            operation()
    assert engine.order_entry.cancel_all("ann") == []
    assert announced(engine.drain_events()) == []  # closing by the clock is silent

    clock.pass_(1_000)
    engine.advance()
    told = [each.order.status for each in engine.drain_events() if isinstance(each, OrderChanged)]
    assert told == [OrderStatus.CANCELED]
    assert engine.queries.balance("ann").held[0] == 0

    clock.pass_(59_000)
    engine.advance()
    assert status(engine) == "determined"
    assert engine.markets.listing(PLAIN).result == "yes"
    assert announced(engine.drain_events()) == ["determined"]
    clock.pass_(299_999)
    engine.advance()
    assert status(engine) == "determined"
    clock.pass_(1)
    engine.advance()
    assert status(engine) == "finalized"
    assert announced(engine.drain_events()) == ["settled"]
    assert next(engine.queries.settlements("ann")).ts_ms == clock.now


def test_a_clock_that_jumps_leaves_the_same_history(engine: Exchange, clock: Clock) -> None:
    place(engine, "ann", BID, "0.42", "10")
    place(engine, "bob", ASK, "0.42", "4")
    clock.pass_(24 * HOUR)
    engine.advance()
    assert status(engine) == "finalized"
    assert next(engine.queries.settlements("ann")).ts_ms == NOON + HOUR + 360_000


def test_an_outcome_that_is_not_known_yet_is_asked_for_again(clock: Clock) -> None:
    known: list[MarketOutcome] = []
    engine = exchange(clock, outcomes=lambda _market, _now: known[0] if known else None)
    clock.pass_(2 * HOUR)
    engine.advance()
    assert status(engine) == "closed"
    known.append(scalar_outcome(2_500))
    clock.pass_(5_000)
    engine.advance()
    assert status(engine) == "determined"
    assert engine.markets.listing(PLAIN).settlement_value == 2_500


def test_without_anybody_who_knows_a_market_stays_closed(clock: Clock) -> None:
    engine = exchange(clock)
    clock.pass_(48 * HOUR)
    engine.advance()
    assert status(engine) == "closed"
    engine.results.determine(PLAIN, binary_outcome("no"))
    assert status(engine) == "determined"


def test_a_market_opens_silently_and_cannot_be_seen_at_first(engine: Exchange, clock: Clock) -> None:
    from dataclasses import replace  # noqa: PLC0415  # used by this test alone

    terms = replace(market("KXNEW"), event_ticker=f"E-{PLAIN}", open_ms=NOON + 60_000)
    engine.lifecycle.add_market(terms)
    assert [each.event_type.value for each in engine.drain_events() if isinstance(each, LifecycleChanged)] == [
        "created"
    ]
    with pytest.raises(Rejection) as caught:
        engine.markets.listing("KXNEW")
    assert (caught.value.status, caught.value.code) == (404, "market_not_found")
    assert "KXNEW" not in [each.ticker for each in engine.markets.visible()]
    clock.pass_(2_000)
    assert engine.markets.listing("KXNEW").status is MarketStatus.INITIALIZED
    with pytest.raises(Rejection, match="MARKET_INACTIVE"):
        place(engine, "ann", BID, "0.42", "1", ticker="KXNEW")
    clock.pass_(58_000)
    assert place(engine, "ann", BID, "0.42", "1", ticker="KXNEW").remaining == 100
    assert not [each for each in engine.drain_events() if isinstance(each, LifecycleChanged)]
    with pytest.raises(ValueError, match="listed already"):
        engine.lifecycle.add_market(terms)


def test_deactivation_keeps_the_orders_and_reactivation_cancels_them(engine: Exchange) -> None:
    order = place(engine, "ann", BID, "0.42", "10").order_id
    other = place(engine, "ann", BID, "0.42", "10").order_id
    engine.lifecycle.deactivate(PLAIN)
    with pytest.raises(Rejection, match="MARKET_INACTIVE"):
        place(engine, "ann", BID, "0.42", "1")
    assert engine.order_entry.cancel("ann", other).reduced_by == 1_000
    assert engine.queries.order("ann", order).status is OrderStatus.RESTING
    with pytest.raises(Rejection):
        engine.lifecycle.deactivate(PLAIN)
    engine.lifecycle.activate(PLAIN)
    assert engine.queries.order("ann", order).status is OrderStatus.CANCELED
    assert announced(engine.drain_events()) == ["deactivated", "activated"]
    with pytest.raises(Rejection):
        engine.lifecycle.activate(PLAIN)


def test_a_result_closes_an_open_market_early(engine: Exchange, clock: Clock) -> None:
    order = place(engine, "ann", BID, "0.42", "10").order_id
    engine.results.determine(PLAIN, binary_outcome("no"))
    assert announced(engine.drain_events()) == ["close_date_updated", "determined"]
    assert engine.markets.listing(PLAIN).close_ms == clock.now
    assert engine.queries.order("ann", order).status is OrderStatus.CANCELED
    with pytest.raises(Rejection):
        engine.results.determine(PLAIN, binary_outcome("no"))


def test_a_dispute_stops_the_timer_and_an_amendment_starts_it_again(engine: Exchange, clock: Clock) -> None:
    place(engine, "ann", BID, "0.42", "10")
    place(engine, "bob", ASK, "0.42", "10")
    engine.results.determine(PLAIN, binary_outcome("yes"))
    clock.pass_(100_000)
    engine.results.dispute(PLAIN)
    clock.pass_(HOUR)
    engine.advance()
    assert status(engine) == "disputed"
    engine.results.amend_result(PLAIN, binary_outcome("no"))
    assert status(engine) == "amended"
    clock.pass_(300_000)
    engine.advance()
    assert status(engine) == "finalized"
    assert next(engine.queries.settlements("ann")).revenue == 0
    for late in (engine.results.dispute, lambda ticker: engine.results.amend_result(ticker, binary_outcome("no"))):
        with pytest.raises(Rejection):
            late(PLAIN)


def test_settling_at_once(engine: Exchange) -> None:
    with pytest.raises(Rejection, match="no result yet"):
        engine.results.settle(PLAIN)
    engine.results.settle(PLAIN, binary_outcome("yes"))
    assert announced(engine.drain_events()) == ["close_date_updated", "determined", "settled"]
    with pytest.raises(Rejection) as caught:
        engine.results.settle(PLAIN)
    assert caught.value.status == 409
    engine.results.determine(FINE, binary_outcome("yes"))
    engine.results.settle(FINE)
    assert engine.markets.listing(FINE).status is MarketStatus.FINALIZED
    with pytest.raises(Rejection):
        binary_outcome("maybe")
    with pytest.raises(Rejection):
        scalar_outcome(10_001)


def test_a_moved_close(engine: Exchange, clock: Clock) -> None:
    engine.lifecycle.change_close_time(PLAIN, NOON + 2 * HOUR)
    clock.pass_(HOUR + 1)
    assert place(engine, "ann", BID, "0.42", "1").remaining == 100
    engine.lifecycle.change_close_time(PLAIN, clock.now)
    assert status(engine) == "closed"
    engine.drain_events()
    engine.lifecycle.change_close_time(PLAIN, clock.now + HOUR)
    assert announced(engine.drain_events()) == ["close_date_updated", "activated"]
    assert status(engine) == "active"
    assert list(engine.queries.orders("ann", ListFilter(status=OrderStatus.RESTING))) == []


def test_a_new_grid_holds_from_then_on(engine: Exchange) -> None:
    engine.lifecycle.change_grid(PLAIN, "deci_cent")
    assert announced(engine.drain_events()) == ["price_level_structure_updated"]
    order = place(engine, "ann", BID, "0.425", "1").order_id
    engine.lifecycle.change_grid(PLAIN, "linear_cent")
    with pytest.raises(Rejection):
        place(engine, "ann", BID, "0.425", "1")
    assert engine.queries.order("ann", order).status is OrderStatus.RESTING
    assert place(engine, "bob", ASK, "0.42", "1").average_fill_price == 425_000
    with pytest.raises(Rejection):
        engine.lifecycle.change_grid(PLAIN, "octal_cent")
