"""Fees that change while the exchange runs."""

from decimal import Decimal

import pytest

from kalshi_tui.domain.price import parse_money
from kalshi_tui.practice.engine.events import FeeOverridesChanged
from kalshi_tui.practice.engine.exchange import Exchange
from kalshi_tui.practice.engine.rejection import Rejection
from tests.support.engine import ASK, BID, HOUR, PLAIN, Clock, exchange, place

EVENT = f"E-{PLAIN}"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def engine(clock: Clock) -> Exchange:
    return exchange(clock)


def taken_fee(engine: Exchange) -> int:
    """Return the fee of a taker of ten contracts at 50 cents."""
    place(engine, "bob", ASK, "0.50", "10")
    place(engine, "ann", BID, "0.50", "10")
    return next(iter(engine.queries.fills("ann"))).fee


def test_a_series_change_takes_effect_at_its_time_and_tells_nobody(engine: Exchange, clock: Clock) -> None:
    engine.scheduled_fees.schedule_for_series("KXS", "quadratic", Decimal("0.5"), clock.now + HOUR // 2)
    assert taken_fee(engine) == parse_money("0.175")
    clock.pass_(HOUR // 2)
    engine.drain_events()
    assert taken_fee(engine) == parse_money("0.0875")
    assert not [each for each in engine.drain_events() if isinstance(each, FeeOverridesChanged)]
    assert engine.markets.series["KXS"].fee_multiplier == Decimal("0.5")


def test_an_event_change_is_announced_when_it_takes_effect_and_can_be_cleared(engine: Exchange, clock: Clock) -> None:
    engine.scheduled_fees.schedule_for_event(EVENT, "quadratic", Decimal(2), clock.now + 1_000)
    engine.drain_events()
    clock.pass_(1_000)
    engine.advance()
    (announced,) = (each for each in engine.drain_events() if isinstance(each, FeeOverridesChanged))
    assert (announced.event.ticker, announced.event.fee_multiplier_override) == (EVENT, Decimal(2))
    assert taken_fee(engine) == parse_money("0.35")
    # What the event says wins over its series.
    engine.scheduled_fees.schedule_for_series("KXS", "quadratic", Decimal(0), clock.now)
    assert taken_fee(engine) == parse_money("0.35")
    engine.scheduled_fees.schedule_for_event(EVENT, None, None, clock.now)
    assert taken_fee(engine) == 0


@pytest.mark.parametrize(("kind", "fee"), [("flat", "0.10"), ("tiered", "0.10"), ("quadratic", "0.175")])
def test_fees_without_a_published_figure_are_not_free(engine: Exchange, clock: Clock, kind: str, fee: str) -> None:
    engine.scheduled_fees.schedule_for_series("KXS", kind, Decimal(1), clock.now)
    assert taken_fee(engine) == parse_money(fee)


def test_half_of_the_takers_fee_is_a_combo_makers(engine: Exchange, clock: Clock) -> None:
    engine.scheduled_fees.schedule_for_series("KXS", "quadratic_with_combo_maker_fees", Decimal(1), clock.now)
    assert taken_fee(engine) == parse_money("0.175")
    assert next(iter(engine.queries.fills("bob"))).fee == parse_money("0.0875")


def test_what_is_not_listed_cannot_change(engine: Exchange, clock: Clock) -> None:
    with pytest.raises(Rejection):
        engine.scheduled_fees.schedule_for_series("KXNONE", "quadratic", Decimal(1), clock.now)
    with pytest.raises(Rejection):
        engine.scheduled_fees.schedule_for_event("KXNONE-26", None, None, clock.now)
