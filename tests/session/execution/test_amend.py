"""Changing orders at rest, on the real exchange in simulated time."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from kalshi_tui.domain.book import Side
from kalshi_tui.domain.limits import RiskLimits
from kalshi_tui.domain.order import Action, BookSide, Order, OrderState, OrderTerms, TimeInForce
from kalshi_tui.practice.engine.records import AmendRequest, OrderRequest
from kalshi_tui.session.execution.risk_checks import Risk, RiskReason
from kalshi_tui.session.interface import OrderResult
from kalshi_tui.session.options import SessionOptions
from tests.support.session_rig import (
    THEM,
    US,
    Rig,
    Trouble,
)

AGREED = frozenset({Risk(RiskReason.STALE_BOOK)})


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    made = Rig(tmp_path)
    await made.start()
    await made.pass_time(1)
    yield made
    await made.close()


async def resting(rig: Rig, side: Side = Side.YES) -> Order:
    """Have an order rest, and another one of somebody else's behind it."""
    order = (await rig.submit(OrderTerms(rig.ticker, side, Action.BUY, 4_000, 1_000))).order
    book_side = BookSide.BID if side is Side.YES else BookSide.ASK
    price = 4_000 if side is Side.YES else 6_000
    rig.exchange.order_entry.create(THEM, OrderRequest(rig.ticker, book_side, 700, price, TimeInForce.GTC))
    rig.server.commit()
    rig.deliver()
    return order


async def changed(rig: Rig, order: Order, price: int, left: int, *troubles: Trouble) -> OrderResult:
    rig.line.troubles.extend(troubles)
    outcome = await rig.session.amend(order, price, left, AGREED)
    rig.deliver()
    return outcome


async def test_an_expiry_is_set_moved_and_cleared_where_the_order_rests(rig: Rig) -> None:
    order = await resting(rig)
    ends_s = rig.exchange.clock.now // 1000 + 600
    outcome = await rig.session.amend(order, 4_000, 1_000, expires_s=ends_s)
    rig.deliver()
    assert outcome.sentence.startswith(f"Changed: buy YES 10 at 0.40 in {rig.ticker} -> 10 at 0.40, good till ")
    assert outcome.sentence.endswith("keeps its place in the queue.")
    assert rig.exchange.queries.order(US, order.order_id).expires_ms == ends_s * 1000
    assert rig.session.store.orders[order.order_id].expires_ms == ends_s * 1000
    assert rig.exchange.queries.queue_position(US, order.order_id).count_ahead == 0
    cleared = await rig.session.amend(order, 4_000, 600, expires_s=0)
    rig.deliver()
    assert f"10 at 0.40 in {rig.ticker} -> 6 at 0.40, good till canceled" in cleared.sentence
    record = rig.exchange.queries.order(US, order.order_id)
    assert (record.expires_ms, record.remaining) == (0, 600)
    assert rig.session.store.orders[order.order_id].expires_ms == 0
    past = await rig.session.amend(order, 4_000, 600, expires_s=ends_s - 700)
    assert past.refused
    assert rig.session.store.orders[order.order_id].state is OrderState.RESTING


@pytest.mark.parametrize(
    ("price", "left", "ahead", "words"),
    [
        (4_000, 400, 0, "-> 4 at 0.40, keeps its place in the queue."),
        (4_000, 1_500, 700, "-> 15 at 0.40, at the end of the queue."),
        (3_900, 1_000, 700, "-> 10 at 0.39, at the end of the queue."),
    ],
)
async def test_what_happens_to_the_queue_place(rig: Rig, price: int, left: int, ahead: int, words: str) -> None:
    order = await resting(rig)
    outcome = await changed(rig, order, price, left)
    assert outcome.sentence == f"Changed: buy YES 10 at 0.40 in {rig.ticker} {words}"
    (record,) = rig.theirs()
    assert (record.price, record.remaining) == (price, left)
    await rig.pass_time(4)
    assert rig.session.store.queue_positions == {order.order_id: ahead}


async def test_a_smaller_count_goes_out_as_a_decrease(rig: Rig) -> None:
    order = await resting(rig)
    await changed(rig, order, 4_000, 400)
    assert rig.line.commands[-1][1].endswith("/decrease")
    await changed(rig, order, 3_900, 400)
    assert rig.line.commands[-1][1].endswith("/amend")


async def test_a_no_order_is_told_in_its_own_price(rig: Rig) -> None:
    order = await resting(rig, Side.NO)
    sentence = (await changed(rig, order, 6_100, 1_000)).sentence
    assert sentence.startswith(f"Changed: buy NO 10 at 0.40 in {rig.ticker} -> 10 at 0.39")


async def test_a_change_that_crosses_fills_at_once(rig: Rig) -> None:
    order = await resting(rig)
    rig.trade(BookSide.ASK, 4_200, 300)
    outcome = await changed(rig, order, 4_200, 1_000)
    assert (outcome.order.filled, outcome.order.remaining) == (300, 700)
    assert outcome.order.state is OrderState.RESTING


async def test_after_a_part_was_filled_the_count_is_what_shall_rest(rig: Rig) -> None:
    order = await resting(rig)
    rig.trade(BookSide.ASK, 4_000, 300)
    rig.deliver()
    await changed(rig, order, 3_900, 500)
    (record,) = rig.theirs()
    assert (record.filled, record.remaining) == (300, 500)


async def test_what_is_gone_is_not_changed(rig: Rig) -> None:
    order = await resting(rig)
    rig.trade(BookSide.ASK, 4_000, 1_000)
    rig.deliver("none")
    outcome = await changed(rig, order, 3_900, 500)
    assert outcome.sentence == f"Filled before the change came: buy YES 10 at 0.40 in {rig.ticker}."
    assert outcome.order.state is OrderState.FILLED


async def test_a_refused_change_leaves_the_order_as_it_is(rig: Rig) -> None:
    order = await resting(rig)
    outcome = await changed(rig, order, 3_900, 500, Trouble.TOO_MANY)
    assert outcome.sentence.startswith(f"Not changed: buy YES 10 at 0.40 in {rig.ticker}.")
    assert outcome.order.state is OrderState.RESTING


@pytest.mark.parametrize("trouble", [Trouble.REPLY_LOST, Trouble.LOST, Trouble.FAILED_AFTER])
@pytest.mark.parametrize("lag_ms", [0, 8_000])
async def test_a_change_that_nobody_answered_for_is_unknown_until_the_exchange_has_said(
    rig: Rig, trouble: Trouble, lag_ms: int
) -> None:
    order = await resting(rig)
    rig.lag(lag_ms)
    rig.line.troubles.append(trouble)
    outcome = await rig.session.amend(order, 3_900, 500, AGREED)
    assert outcome.order.state is OrderState.UNKNOWN
    assert "It is not known whether it was changed to 5 at 0.39" in outcome.sentence
    rig.deliver("none")
    await rig.pass_time(3)
    # A read from before the change is no answer.
    assert rig.session.store.known_order(order).state is OrderState.UNKNOWN
    await rig.heal()
    rig.check()


async def test_an_order_that_is_over_is_not_changed(rig: Rig) -> None:
    order = await resting(rig)
    await rig.session.cancel(order)
    rig.deliver()
    before = len(rig.line.commands)
    assert "the order is canceled" in (await changed(rig, order, 3_900, 500)).sentence
    assert len(rig.line.commands) == before


async def test_a_larger_order_whose_change_was_not_heard_is_not_filled_by_its_old_count(rig: Rig) -> None:
    order = (await rig.submit(OrderTerms(rig.ticker, Side.YES, Action.BUY, 4_000, 100))).order
    rig.deliver()
    rig.line.troubles.append(Trouble.REPLY_LOST)
    await rig.session.amend(order, 4_000, 1_000, AGREED)
    rig.deliver("none")
    rig.trade(BookSide.ASK, 4_000, 100)
    rig.deliver()
    await rig.heal()
    rig.check()
    known = rig.session.store.known_order(order)
    assert (known.state, known.filled, known.remaining) == (OrderState.RESTING, 100, 900)


async def test_one_changed_elsewhere_that_sums_up_to_filled_here_rests_on(rig: Rig) -> None:
    order = (await rig.submit(OrderTerms(rig.ticker, Side.YES, Action.BUY, 4_000, 100))).order
    rig.deliver()
    request = AmendRequest(rig.ticker, BookSide.BID, 4_000, 1_000)
    rig.exchange.order_entry.amend(US, order.order_id, request)
    rig.server.commit()
    rig.untold.clear()
    rig.trade(BookSide.ASK, 4_000, 100)
    rig.deliver()
    await rig.heal()
    rig.check()


@pytest.mark.parametrize("frames_first", [False, True])
async def test_a_change_that_meets_an_order_of_ones_own_is_canceled_and_not_filled(
    rig: Rig, frames_first: bool
) -> None:
    order = await resting(rig)
    await rig.submit(OrderTerms(rig.ticker, Side.NO, Action.BUY, 5_800, 1_000))
    rig.deliver()
    amending = rig.begin(rig.session.amend(order, 4_300, 1_000, AGREED))
    if frames_first:
        rig.line.troubles.append(Trouble.REPLY_LATE)
        await rig.spin()
        rig.deliver()
        await rig.pass_time(4)
    await amending
    rig.deliver()
    assert amending.result().order.state is OrderState.CANCELED
    await rig.heal()
    rig.check()


async def test_a_change_to_what_had_filled_unheard_cancels_and_is_no_self_trade(rig: Rig) -> None:
    order = await resting(rig)
    rig.trade(BookSide.ASK, 4_000, 600)
    rig.untold.clear()
    outcome = await rig.session.amend(order, 4_100, 600, AGREED)
    assert (outcome.order.state, outcome.order.reason) == (
        OrderState.CANCELED,
        "by the change: it left nothing to rest",
    )
    rig.deliver()
    await rig.heal()
    rig.check()
    known = rig.session.store.known_order(order)
    assert (known.state, known.filled) == (OrderState.CANCELED, 600)


async def test_a_fill_that_came_before_the_reply_is_taken_off_what_rests(rig: Rig) -> None:
    order = await resting(rig)
    amending = rig.begin(rig.session.amend(order, 4_100, 1_000, AGREED))
    rig.line.troubles.append(Trouble.REPLY_LATE)
    await rig.spin()
    rig.trade(BookSide.ASK, 4_100, 400)
    rig.deliver()
    await rig.pass_time(4)
    known = rig.session.store.known_order(order)
    assert (known.filled, known.remaining) == (400, 600)
    assert amending.done()


async def test_a_stale_read_after_a_lost_cancel_does_not_end_the_doubt_about_a_change(rig: Rig) -> None:
    order = await resting(rig)
    await rig.pass_time(12)
    rig.lag(10_000)
    rig.line.troubles.extend([Trouble.REPLY_LOST, Trouble.LOST])
    await rig.session.amend(order, 4_100, 1_000, AGREED)
    rig.deliver("none")
    cancel = await rig.session.cancel(rig.session.store.known_order(order))
    assert cancel.order.state is OrderState.UNKNOWN
    assert "is UNKNOWN" in cancel.sentence
    await rig.heal()
    rig.check()


async def test_a_smaller_count_passes_every_limit(tmp_path: Path) -> None:
    rig = Rig(tmp_path / "limited", options=SessionOptions(limits=RiskLimits(order_contracts=500, hard=True)))
    await rig.start()
    await rig.pass_time(1)
    request = OrderRequest(rig.ticker, BookSide.BID, 1_000, 4_000, client_order_id="from the website")
    rig.intents["from the website"] = OrderTerms(rig.ticker, Side.YES, Action.BUY, 4_000, 1_000)
    rig.exchange.order_entry.create(US, request)
    rig.server.commit()
    rig.deliver()
    (order,) = rig.session.store.working_orders()
    assert (await rig.session.amend(order, 4_000, 900)).sentence.startswith("Changed")
    assert (await rig.session.amend(order, 4_000, 950)).sentence.startswith("Not changed")
    await rig.close()


async def test_canceling_what_has_expired_says_so(rig: Rig) -> None:
    terms = OrderTerms(rig.ticker, Side.YES, Action.BUY, 4_000, 100, expires_s=rig.clock.now_ms // 1000 + 5)
    order = (await rig.submit(terms)).order
    await rig.pass_time(10)
    outcome = await rig.session.cancel(order)
    assert outcome.sentence == f"Expired: buy YES 1 at 0.40 in {rig.ticker}, 0 filled."
