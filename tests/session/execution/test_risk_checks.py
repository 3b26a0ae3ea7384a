"""What speaks against an order, and that nothing goes past it: the exchange is looked at, not the screen."""

from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from kalshi_tui.domain.book import Side
from kalshi_tui.domain.limits import DailyVolume, RiskLimits
from kalshi_tui.domain.order import Action, BookSide, Order, OrderState, OrderTerms, TimeInForce
from kalshi_tui.domain.position import Position
from kalshi_tui.session.account.list_reads import AccountList
from kalshi_tui.session.execution.journal import JournalError
from kalshi_tui.session.execution.risk_checks import (
    OverrideMethod,
    Risk,
    RiskChecks,
    RiskReason,
    describe_unacknowledged,
)
from kalshi_tui.session.options import READ_ONLY, SessionOptions
from kalshi_tui.session.store import Store
from kalshi_tui.session.venue import Venue
from tests.support.session_rig import Rig, Trouble

NOON_MS = 1_800_000_000_000
T = "T-1"
STALE = Risk(RiskReason.STALE_BOOK)


def a_store() -> Store:
    store = Store(lambda: NOON_MS)
    store.snapshot(T, [(4_600, 10_000)], [(5_200, 10_000)])
    store.account.mark_read(*AccountList)
    return store


def checks_on(
    store: Store, limits: RiskLimits | None = None, venue: Venue = Venue.PRACTICE, *, read_only: bool = False
) -> RiskChecks:
    return RiskChecks(store, venue, limits, read_only_reason=READ_ONLY if read_only else "", clock_ms=lambda: NOON_MS)


def buy(price: int = 4_700, count: int = 1_000) -> OrderTerms:
    return OrderTerms(T, Side.YES, Action.BUY, price, count)


def an_order(state: OrderState, **changes: object) -> Order:
    terms = buy()
    order = Order("", "c9", T, terms.book_side, 4_700, 1_000, 0, 1_000, state)
    return replace(order, **changes)  # type: ignore[arg-type]  # named fields of one dataclass


def test_nothing_speaks_against_a_plain_order() -> None:
    assert checks_on(a_store()).check(buy()) == []


def test_a_book_that_is_not_trusted_needs_a_word() -> None:
    store = a_store()
    store.stale([T], "A frame is missing.")
    (violation,) = checks_on(store).check(buy())
    assert (violation.risk, violation.override, violation.word) == (STALE, OverrideMethod.WORD, "blind")
    assert "STALE" in violation.sentence
    assert "A frame is missing." in violation.sentence


def test_live_needs_its_word_once() -> None:
    risk_checks = checks_on(a_store(), venue=Venue.LIVE)
    (violation,) = risk_checks.check(buy())
    assert (violation.risk, violation.word) == (Risk(RiskReason.LIVE), "LIVE")
    risk_checks.record_acknowledged({violation.risk})
    assert risk_checks.check(buy()) == []


def test_read_only_cannot_be_passed_and_comes_first() -> None:
    store = a_store()
    store.stale([T], "why")
    violations = checks_on(store, read_only=True).check(buy())
    assert violations[0].override is OverrideMethod.NEVER
    assert READ_ONLY in describe_unacknowledged(violations, {each.risk for each in violations})


@pytest.mark.parametrize("state", [OrderState.UNKNOWN, OrderState.SENDING])
def test_a_lookalike_of_an_order_that_may_be_live_is_asked_about(state: OrderState) -> None:
    store = a_store()
    store.order(an_order(state))
    (violation,) = checks_on(store).check(buy(price=4_000, count=1))
    assert violation.override is OverrideMethod.YES
    assert f"is {state.name}" in violation.sentence
    other_side = OrderTerms(T, Side.NO, Action.BUY, 4_000, 100)
    assert checks_on(store).check(other_side) == []
    assert checks_on(store).check(buy(), replacing=an_order(state)) == []


LIMITED: list[tuple[RiskLimits, OrderTerms, str]] = [
    (RiskLimits(order_contracts=999), buy(), "For an order that makes 10 contracts, your limit is 9.99."),
    (RiskLimits(order_dollars=4_699_999), buy(), "For an order that makes $4.70, your limit is $4.699999."),
    (RiskLimits(market_contracts=2_999), buy(), "For this market that makes 30 contracts, your limit is 29.99."),
    (RiskLimits(market_dollars=13_299_999), buy(), "For this market that makes $13.30, your limit is $13.299999."),
    (RiskLimits(distance=499), buy(price=5_300), "The price is 0.05 away from the market, your limit is 0.0499."),
    (RiskLimits(distance=499), buy(price=4_100), "The price is 0.05 away from the market, your limit is 0.0499."),
]


@pytest.mark.parametrize(("limits", "terms", "sentence"), LIMITED)
@pytest.mark.parametrize("hard", [False, True])
def test_each_limit_stops_what_is_past_it_and_nothing_else(
    limits: RiskLimits, terms: OrderTerms, sentence: str, hard: bool
) -> None:
    store = a_store()
    # 10 held at 0.40, and 10 that may be live at 0.46.
    store.position(Position(T, count=1_000, cost=4_000_000))
    store.order(an_order(OrderState.RESTING, order_id="o9", yes_price=4_600))
    (violation,) = checks_on(store, replace(limits, hard=hard)).check(terms)
    assert violation.sentence == sentence
    assert violation.override is (OverrideMethod.NEVER if hard else OverrideMethod.WORD)
    by_one = {
        name: getattr(limits, name) + 1 for name in RiskLimits.__slots__ if isinstance(getattr(limits, name), int)
    }
    by_one.pop("hard", None)
    assert checks_on(store, RiskLimits(**by_one)).check(terms) == []


def test_an_unknown_order_counts_against_the_limit_of_the_market() -> None:
    store = a_store()
    risk_checks = checks_on(store, RiskLimits(market_contracts=1_500))
    assert risk_checks.check(buy()) == []
    store.order(an_order(OrderState.UNKNOWN))
    assert Risk(RiskReason.LIMIT, "contracts this market") in [each.risk for each in risk_checks.check(buy())]


def test_closing_is_never_over_the_limit_of_the_market() -> None:
    store = a_store()
    store.position(Position(T, count=5_000, cost=20_000_000))
    sell = OrderTerms(T, Side.YES, Action.SELL, 4_600, 5_000)
    assert checks_on(store, RiskLimits(market_contracts=100, market_dollars=1, order_dollars=1)).check(sell) == []


def test_a_market_that_nobody_quotes_has_no_distance() -> None:
    store = a_store()
    store.snapshot(T, [], [])
    (violation,) = checks_on(store, RiskLimits(distance=100)).check(buy())
    assert "cannot be measured" in violation.sentence


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Callable[[SessionOptions], Rig]]:
    made = []

    def make(options: SessionOptions) -> Rig:
        made.append(Rig(tmp_path, options=options))
        return made[-1]

    yield make
    for each in made:
        await each.close()


def sent(rig: Rig) -> list[tuple[str, str, bytes]]:
    return rig.line.commands


async def test_read_only_sends_nothing_at_all(rig: Callable[[SessionOptions], Rig]) -> None:
    made = rig(SessionOptions(read_only=True))
    await made.start()
    await made.pass_time(1)
    terms = OrderTerms(made.ticker, Side.YES, Action.BUY, 4_000, 100)
    outcome = await made.submit(terms)
    assert outcome.order.state is OrderState.NOT_SENT
    assert READ_ONLY in outcome.sentence
    resting = replace(outcome.order, order_id="o1", state=OrderState.RESTING)
    made.session.store.order(resting)
    for each in (
        await made.session.cancel(resting),
        await made.session.amend(resting, 3_000, 50, frozenset({STALE})),
    ):
        assert READ_ONLY in each.sentence
    assert READ_ONLY in (await made.session.cancel_all()).sentence
    assert sent(made) == []


async def test_what_nobody_agreed_to_stays_here(rig: Callable[[SessionOptions], Rig]) -> None:
    made = rig(SessionOptions(limits=RiskLimits(order_contracts=100)))
    await made.start()
    await made.pass_time(1)
    terms = OrderTerms(made.ticker, Side.YES, Action.BUY, 4_000, 200)
    outcome = await made.session.submit(terms, made.session.draft(terms), frozenset({STALE}))
    assert outcome.order.state is OrderState.NOT_SENT
    assert "your limit is 1" in outcome.sentence
    assert sent(made) == []
    agreed = frozenset({STALE, Risk(RiskReason.LIMIT, "contracts an order")})
    assert (await made.session.submit(terms, made.session.draft(terms), agreed)).order.state is OrderState.RESTING


async def test_a_hard_limit_holds_whatever_was_agreed(rig: Callable[[SessionOptions], Rig]) -> None:
    made = rig(SessionOptions(limits=RiskLimits(order_contracts=100, hard=True)))
    await made.start()
    await made.pass_time(1)
    outcome = await made.submit(OrderTerms(made.ticker, Side.YES, Action.BUY, 4_000, 200))
    assert outcome.order.state is OrderState.NOT_SENT
    assert sent(made) == []


async def test_the_limit_of_the_day_counts_over_a_restart(rig: Callable[[SessionOptions], Rig]) -> None:
    made = rig(SessionOptions(limits=RiskLimits(day_contracts=250)))
    await made.start()
    await made.pass_time(1)
    terms = OrderTerms(made.ticker, Side.YES, Action.BUY, 4_000, 100)
    for _ in range(2):
        assert made.session.check_risks(terms)[0].risk == STALE
        await made.submit(terms)
    await made.kill()
    await made.start()
    await made.pass_time(1)
    assert Risk(RiskReason.LIMIT, "contracts today") in [each.risk for each in made.session.check_risks(terms)]
    # What never left does not count.
    canceling = made.begin(made.session.cancel_all())
    await made.pass_time(8)
    assert canceling.result().proved
    assert Risk(RiskReason.LIMIT, "contracts today") not in [each.risk for each in made.session.check_risks(terms)]


async def test_a_change_is_measured_as_the_order_that_it_makes(rig: Callable[[SessionOptions], Rig]) -> None:
    made = rig(SessionOptions(limits=RiskLimits(order_contracts=100, market_contracts=100)))
    await made.start()
    await made.pass_time(1)
    order = (await made.submit(OrderTerms(made.ticker, Side.YES, Action.BUY, 4_000, 100))).order
    same = await made.session.amend(order, 4_100, 100, frozenset({STALE}))
    assert same.sentence.startswith("Changed")
    more = await made.session.amend(order, 4_100, 200, frozenset({STALE}))
    assert more.sentence.startswith("Not changed")
    assert made.theirs()[0].remaining == 100


async def test_an_unknown_order_is_a_question_before_the_next(rig: Callable[[SessionOptions], Rig]) -> None:
    made = rig(SessionOptions())
    await made.start()
    await made.pass_time(1)
    terms = OrderTerms(made.ticker, Side.YES, Action.BUY, 4_000, 100)
    first = await made.submit(terms, Trouble.LOST)
    assert first.order.state is OrderState.UNKNOWN
    second = await made.session.submit(terms, made.session.draft(terms), frozenset({STALE}))
    assert second.order.state is OrderState.NOT_SENT
    assert "this would be a second" in second.sentence


async def test_a_hard_limit_of_the_day_holds_at_the_moment_of_sending(rig: Callable[[SessionOptions], Rig]) -> None:
    made = rig(SessionOptions(limits=RiskLimits(day_contracts=1_000, hard=True)))
    await made.start()
    await made.pass_time(1)
    assert (await made.submit(OrderTerms(made.ticker, Side.YES, Action.BUY, 4_000, 1_000))).order.order_id
    outcome = await made.submit(OrderTerms(made.ticker, Side.YES, Action.BUY, 4_000, 200))
    assert outcome.order.state is OrderState.NOT_SENT


async def test_what_was_filled_counts_before_any_position_tells_of_it(rig: Callable[[SessionOptions], Rig]) -> None:
    made = rig(SessionOptions(limits=RiskLimits(market_contracts=1_000, hard=True)))
    await made.start()
    await made.pass_time(1)
    made.trade(BookSide.ASK, 4_000, 5_000)
    terms = OrderTerms(made.ticker, Side.YES, Action.BUY, 4_000, 1_000, TimeInForce.IOC)
    assert (await made.submit(terms)).order.state is OrderState.FILLED
    assert (await made.submit(terms)).order.state is OrderState.NOT_SENT
    made.deliver()
    assert (await made.submit(terms)).order.state is OrderState.NOT_SENT
    await made.pass_time(8)
    assert (await made.submit(terms)).order.state is OrderState.NOT_SENT


async def test_a_change_that_may_have_been_made_counts(rig: Callable[[SessionOptions], Rig]) -> None:
    made = rig(SessionOptions(limits=RiskLimits(market_contracts=1_500, hard=True)))
    await made.start()
    await made.pass_time(1)
    order = (await made.submit(OrderTerms(made.ticker, Side.YES, Action.BUY, 4_000, 100))).order
    made.line.troubles.append(Trouble.LOST)
    assert (await made.session.amend(order, 4_000, 1_000, frozenset({STALE}))).order.state is OrderState.UNKNOWN
    terms = OrderTerms(made.ticker, Side.YES, Action.BUY, 3_900, 600)
    assert (await made.submit(terms)).order.state is OrderState.NOT_SENT
    await made.heal()
    assert (await made.submit(terms)).order.state is OrderState.RESTING


async def test_orders_that_close_the_same_holding_are_not_each_free(rig: Callable[[SessionOptions], Rig]) -> None:
    made = rig(SessionOptions(limits=RiskLimits(market_dollars=5_000_000, hard=True)))
    await made.start()
    await made.pass_time(1)
    made.trade(BookSide.ASK, 4_000, 1_000)
    await made.submit(OrderTerms(made.ticker, Side.YES, Action.BUY, 4_000, 1_000))
    made.deliver()
    sell = OrderTerms(made.ticker, Side.YES, Action.SELL, 4_500, 1_000)
    assert (await made.submit(sell)).order.state is OrderState.RESTING
    made.deliver()
    assert (await made.submit(sell)).order.state is OrderState.NOT_SENT


def test_a_sale_that_turns_a_holding_round_is_no_closing() -> None:
    store = a_store()
    store.position(Position(T, count=100_000, cost=470_000_000))
    sell = OrderTerms(T, Side.YES, Action.SELL, 4_600, 190_000)
    (violation,) = checks_on(store, RiskLimits(market_contracts=5_000)).check(sell)
    assert violation.sentence == "For this market that makes 900 contracts, your limit is 50."


THROUGH: list[tuple[OrderTerms, str]] = [
    (buy(price=5_900), "This buys at up to 0.59, 0.11 above the best ask of 0.48."),
    (buy(price=5_801), "This buys at up to 0.5801, 0.1001 above the best ask of 0.48."),
    (buy(price=5_800), ""),
    (buy(price=100), ""),
    (OrderTerms(T, Side.YES, Action.SELL, 3_500, 100), "This sells down to 0.35, 0.11 below the best bid of 0.46."),
    (OrderTerms(T, Side.YES, Action.SELL, 3_600, 100), ""),
    (OrderTerms(T, Side.YES, Action.SELL, 9_900, 100), ""),
    (OrderTerms(T, Side.NO, Action.BUY, 9_900, 100), "This buys at up to 0.99, 0.45 above the best ask of 0.54."),
    (OrderTerms(T, Side.NO, Action.BUY, 100, 100), ""),
    (OrderTerms(T, Side.NO, Action.SELL, 3_000, 100), "This sells down to 0.30, 0.22 below the best bid of 0.52."),
]


@pytest.mark.parametrize(("terms", "sentence"), THROUGH)
@pytest.mark.parametrize("hard", [False, True])
def test_a_limit_far_through_the_market_asks_for_a_word_and_a_passive_price_does_not(
    terms: OrderTerms, sentence: str, hard: bool
) -> None:
    found = checks_on(a_store(), RiskLimits(hard=hard)).check(terms)
    assert [(each.sentence, each.override, each.word) for each in found] == (
        [(sentence, OverrideMethod.WORD, "over")] if sentence else []
    )


def test_an_empty_side_has_nothing_to_go_through() -> None:
    store = a_store()
    store.snapshot(T, [(4_600, 10_000)], [])
    assert checks_on(store).check(buy(price=9_900)) == []
    store.snapshot(T, [], [(5_200, 10_000)])
    assert checks_on(store).check(OrderTerms(T, Side.YES, Action.SELL, 100, 100)) == []


def test_on_a_book_that_is_not_trusted_no_distance_can_be_measured() -> None:
    store = a_store()
    store.stale([T], "why")
    violations = checks_on(store, RiskLimits(distance=500, hard=True)).check(buy(price=9_900))
    assert [(each.risk, each.override) for each in violations] == [
        (Risk(RiskReason.LIMIT, "distance"), OverrideMethod.NEVER),
        (STALE, OverrideMethod.WORD),
    ]


def test_a_journal_that_cannot_be_read_stops_orders_that_have_a_limit_of_the_day() -> None:
    def unreadable(_: int) -> DailyVolume:
        raise JournalError("The order journal cannot be read.")

    risk_checks = RiskChecks(
        a_store(), Venue.PRACTICE, RiskLimits(day_contracts=1), clock_ms=lambda: NOON_MS, sent_since=unreadable
    )
    (violation,) = risk_checks.check(buy())
    assert violation.override is OverrideMethod.NEVER
    assert violation.sentence.startswith("The order journal cannot be read.")
