"""Orders under every trouble of line, exchange and machine: never two for one intent, none unaccounted for."""

import asyncio
import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from kalshi_tui.domain.book import Side
from kalshi_tui.domain.order import Action, BookSide, OrderState, OrderTerms, TimeInForce
from tests.support.budget import examples
from tests.support.order_machine import Life
from tests.support.session_rig import Rig, Trouble

TURNS = 12
"""A send is over within so many turns of the loop."""


def terms(rig: Rig, tif: TimeInForce = TimeInForce.GTC, price: int = 4_000, count: int = 1_000) -> OrderTerms:
    return OrderTerms(rig.ticker, Side.YES, Action.BUY, price, count, tif)


@pytest.mark.quick_cases("*-all-0")
@pytest.mark.parametrize("lag_ms", [0, 10_000])
@pytest.mark.parametrize("frames", ["all", "none", "twice", "reversed"])
@pytest.mark.parametrize("trouble", Trouble)
async def test_each_trouble_ends_in_the_truth(tmp_path: Path, trouble: Trouble, frames: str, lag_ms: int) -> None:
    rig = Rig(tmp_path)
    await rig.start()
    await rig.pass_time(1)
    rig.lag(lag_ms)
    rig.trade(BookSide.ASK, 4_000, 400)
    rig.submit(terms(rig), trouble)
    await rig.pass_time(1)
    rig.deliver(frames)
    await rig.heal()
    rig.check()
    await rig.close()


@pytest.mark.parametrize("frames", ["all", "none"])
async def test_one_that_arrives_when_it_was_taken_for_lost_is_known_all_the_same(tmp_path: Path, frames: str) -> None:
    rig = Rig(tmp_path)
    await rig.start()
    await rig.pass_time(1)
    rig.line.late_s = 100
    rig.submit(terms(rig), Trouble.LATE)
    await rig.pass_time(90)
    (order,) = rig.session.store.orders.values()
    assert order.state is OrderState.NOT_SENT
    await rig.pass_time(20)
    rig.deliver(frames)
    await rig.heal()
    rig.check()
    (order,) = rig.session.store.orders.values()
    assert order.state is OrderState.RESTING
    await rig.close()


@pytest.mark.quick_cases("Trouble.LOST")
@pytest.mark.parametrize("trouble", [Trouble.NONE, Trouble.REPLY_LOST, Trouble.LATE, Trouble.LOST])
async def test_the_program_killed_at_any_await_of_a_send_knows_the_truth_at_its_next_start(
    tmp_path: Path, trouble: Trouble
) -> None:
    reached = set()
    over = False
    for turns in range(TURNS):
        folder = tmp_path / str(turns)
        folder.mkdir()
        rig = Rig(folder)
        await rig.start()
        await rig.spin()
        rig.trade(BookSide.ASK, 4_000, 400)
        sending = rig.submit(terms(rig), trouble)
        for _ in range(turns):
            await asyncio.sleep(0)
        over = sending.done()
        await rig.kill()
        await rig.spin()
        rig.deliver("none")
        await rig.start()
        await rig.heal()
        rig.check()
        (order,) = rig.session.store.orders.values() or [None]
        reached.add(order.state if order is not None else None)
        await rig.close()
    # The last kill came when there was nothing more to wait for but the time of one that is late.
    assert over or trouble is Trouble.LATE
    # Killed before it was sent there is nothing to know; later it is found, or proved not to be there.
    assert reached == {None, OrderState.NOT_SENT if trouble is Trouble.LOST else OrderState.RESTING}


@pytest.mark.parametrize("killed", [False, True])
@pytest.mark.parametrize("lag_ms", [0, 4_000])
async def test_the_wait_for_tokens_and_for_an_answer_counts_as_on_its_way(
    tmp_path: Path, lag_ms: int, killed: bool
) -> None:
    """What leaves late and is carried out late was not "never there" before."""
    rig = Rig(tmp_path)
    await rig.start()
    await rig.pass_time(1)
    rig.lag(lag_ms)
    rig.write_budget.set_limits(20, 40)
    rig.begin(rig.write_budget.acquire(40, urgent=True))
    rig.line.late_s = 9
    rig.submit(terms(rig), Trouble.LATE)
    await rig.pass_time(8)
    if killed:
        await rig.kill()
        await rig.start()
    await rig.heal()
    rig.deliver("none")
    rig.check()
    (order,) = rig.session.store.orders.values()
    assert order.state is OrderState.RESTING
    await rig.close()


async def test_the_day_does_not_lose_what_is_reserved_for_orders_at_rest(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    await rig.start()
    await rig.pass_time(1)
    rig.session.set_shown_markets([rig.ticker])
    await rig.pass_time(1)
    rig.submit(terms(rig))
    await rig.pass_time(10)
    day = rig.session.store.valuation.day()
    assert day is not None
    assert day.gain == 0
    await rig.close()


async def test_half_an_hour_without_names_with_ten_orders_at_rest(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    await rig.start()
    await rig.pass_time(1)
    for number in range(10):
        rig.submit(terms(rig, price=3_000 + 100 * number))
        await rig.pass_time(0.5)
        rig.deliver()
    assert len(rig.session.store.working_orders()) == 10
    rig.line.down_until_ms = rig.clock.now_ms + 30 * 60_000
    during = rig.submit(terms(rig))
    await rig.pass_time(600, 5_000)
    assert during.result().order.state is OrderState.NOT_SENT
    rig.trade(BookSide.ASK, 3_700, 2_500)
    cancel = rig.begin(rig.session.cancel(rig.session.store.working_orders()[0]))
    await rig.pass_time(600, 5_000)
    assert "no connection" in cancel.result().sentence
    rig.deliver("none")
    states = {order.state for order in rig.session.store.working_orders()}
    assert states == {OrderState.RESTING}, "nothing is concluded from a line that is down"
    await rig.pass_time(600, 5_000)
    await rig.heal()
    rig.check()
    ended = [order.state for order in rig.session.store.orders.values() if order.order_id and order.state.final]
    assert ended == [OrderState.FILLED] * 2
    await rig.close()


# A rejection names no order, so that one of another command cannot be told from one of this command, and a client takes
# it at its word: a 4xx is definite (docs/kalshi-api.md, section 10). Answers come in order on a connection, and one on
# which an answer was given up is closed: only a fault of the exchange, or of something in between, could mix them up.
# Even then an order is known again as soon as a read or a frame tells of it, and nothing is sent twice. So the line
# replays rejections like any other answer. Left out is only an order that ended, and went into the archive before any
# read: nobody asks there about what was rejected, and nothing of it rests.


@pytest.mark.parametrize("frames", ["all", "none"])
@pytest.mark.parametrize("tif", [TimeInForce.GTC, TimeInForce.IOC])
@pytest.mark.parametrize("killed", [False, True])
async def test_an_order_that_is_answered_with_the_rejection_of_another_is_known_all_the_same(
    tmp_path: Path, frames: str, tif: TimeInForce, *, killed: bool
) -> None:
    rig = Rig(tmp_path)
    await rig.start()
    await rig.pass_time(1)
    rejected = rig.submit(terms(rig, count=100_000_000))
    await rig.pass_time(1)
    assert rejected.result().order.state is OrderState.REFUSED
    rig.trade(BookSide.ASK, 3_900, 400)
    sending = rig.submit(terms(rig, tif, price=3_900), Trouble.OF_ANOTHER)
    await rig.spin()
    assert sending.result().order.state is OrderState.REFUSED
    if killed:
        await rig.kill()
        rig.deliver("none")
        await rig.start()
    rig.deliver(frames)
    await rig.heal()
    rig.check()
    (theirs,) = rig.theirs()
    known = rig.session.store.orders[theirs.order_id]
    assert (known.state, known.filled) == (
        OrderState.RESTING if tif is TimeInForce.GTC else OrderState.CANCELED,
        400,
    )
    assert len([each for each in rig.line.commands if each[0] == "POST"]) == 2
    await rig.close()


@pytest.mark.parametrize("what", ["cancel", "amend", "decrease"])
async def test_a_change_that_is_answered_with_the_rejection_of_another_is_seen_all_the_same(
    tmp_path: Path, what: str
) -> None:
    rig = Rig(tmp_path)
    await rig.start()
    await rig.pass_time(1)
    placed = rig.submit(terms(rig))
    await rig.pass_time(1)
    rig.submit(terms(rig, count=100_000_000))
    await rig.pass_time(1)
    rig.deliver("none")
    rig.line.troubles.append(Trouble.OF_ANOTHER)
    order, price = placed.result().order, 3_900 if what == "amend" else 4_000
    agreed = frozenset(each.risk for each in rig.session.check_risks(terms(rig, price=price)))
    changing = rig.begin(
        rig.session.cancel(order) if what == "cancel" else rig.session.amend(order, price, 500, agreed)
    )
    await rig.spin()
    assert changing.result().sentence.startswith("Not ")
    rig.deliver("none")
    await rig.heal()
    rig.check()
    known = rig.session.store.orders[order.order_id]
    assert (known.state, known.yes_price, known.remaining) == (
        (OrderState.CANCELED, 4_000, 0) if what == "cancel" else (OrderState.RESTING, price, 500)
    )
    await rig.close()


async def test_what_was_called_rejected_and_lies_in_the_archive_is_not_asked_about(tmp_path: Path) -> None:
    """The one case in which another's rejection stays: whoever closes it makes this test fail."""
    rig = Rig(tmp_path)
    await rig.start()
    await rig.pass_time(1)
    rig.submit(terms(rig, count=100_000_000))
    await rig.pass_time(1)
    rig.lag(3_600_000)
    rig.submit(terms(rig), Trouble.OF_ANOTHER)
    await rig.spin()
    await rig.kill()
    rig.lag(0)
    rig.trade(BookSide.ASK, 4_000, 1_000)
    rig.clock.advance(16 * 86_400_000)
    rig.world.step()
    rig.server.commit()
    rig.deliver("none")
    await rig.start()
    await rig.heal()
    rig.check()
    assert not rig.session.store.orders
    await rig.close()


def lives(number: int) -> settings:
    return settings(max_examples=number, stateful_step_count=18, deadline=None, suppress_health_check=list(HealthCheck))


def test_lives_that_hypothesis_draws() -> None:
    run_state_machine_as_test(Life, settings=lives(examples(60)))


@pytest.mark.nightly
def test_many_lives() -> None:
    run_state_machine_as_test(Life, settings=lives(int(os.environ.get("LIVES", "5000"))))
