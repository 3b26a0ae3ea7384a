"""Expiries that are renewed while the program lives, on the real exchange in simulated time."""

import copy
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from kalshi_tui.domain.book import Side
from kalshi_tui.domain.order import Action, BookSide, Order, OrderState, OrderTerms, TimeInForce
from kalshi_tui.domain.trading_pause import next_trading_pause
from kalshi_tui.practice.engine.records import AmendRequest, OrderRecord, OrderStatus
from kalshi_tui.session.execution.risk_checks import Risk, RiskReason
from kalshi_tui.session.execution.rolling_expiry import EARLIER_RUN_S, RollingExpiry
from kalshi_tui.session.options import DeadManOptions, SessionOptions
from tests.support.session_rig import US, Rig, Trouble

LENGTH_S = 60
ROLLING = SessionOptions(dead_man=DeadManOptions(rolling_expiry_s=LENGTH_S))
AGREED = frozenset({Risk(RiskReason.STALE_BOOK)})


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    made = Rig(tmp_path, options=ROLLING)
    await made.start()
    await made.pass_time(1)
    yield made
    await made.close()


async def resting(rig: Rig, price: int = 4_000, expires_s: int | None = None) -> Order:
    order = (await rig.submit(OrderTerms(rig.ticker, Side.YES, Action.BUY, price, 1_000, expires_s=expires_s))).order
    rig.deliver()
    assert order.state is OrderState.RESTING
    return order


async def run(rig: Rig, seconds: float) -> None:
    """Let time pass, with the frames of the account delivered each second."""
    for _ in range(int(seconds)):
        await rig.pass_time(1)
        rig.deliver()


def theirs(rig: Rig, order: Order) -> OrderRecord:
    return rig.exchange.queries.order(US, order.order_id)


def left_s(rig: Rig, order: Order) -> float:
    return (theirs(rig, order).expires_ms - rig.clock.now_ms) / 1000


def amend_elsewhere(rig: Rig, order: Order, ends_ms: int) -> None:
    request = AmendRequest(rig.ticker, BookSide.BID, 4_000, 1_000, expires_ms=ends_ms)
    rig.exchange.order_entry.amend(US, order.order_id, request)
    rig.server.commit()


async def test_an_order_outlives_its_expiry_while_the_program_lives_and_ends_when_it_is_killed(rig: Rig) -> None:
    order = await resting(rig)
    assert 0 < left_s(rig, order) <= LENGTH_S
    for _ in range(20):
        await run(rig, 15)
        assert theirs(rig, order).status is OrderStatus.RESTING
        assert 0 < left_s(rig, order) <= LENGTH_S
    await rig.kill()
    await rig.pass_time(LENGTH_S + 1)
    record = theirs(rig, order)
    assert (record.status, record.remaining) == (OrderStatus.CANCELED, 0)
    await rig.start()


async def test_a_restart_goes_on_renewing_and_one_without_the_setting_lets_it_end(rig: Rig) -> None:
    order = await resting(rig)
    await rig.kill()
    await rig.pass_time(20)
    await rig.start()
    await run(rig, 200)
    assert theirs(rig, order).status is OrderStatus.RESTING
    await rig.kill()
    await rig.start(SessionOptions())
    await run(rig, LENGTH_S + 5)
    assert theirs(rig, order).status is OrderStatus.CANCELED
    assert rig.session.store.known_order(order).state is OrderState.EXPIRED


async def test_the_place_in_the_queue_price_and_count_stay(rig: Rig) -> None:
    order = await resting(rig)
    rig.trade(BookSide.BID, 4_000, 700)
    await run(rig, 100)
    record = theirs(rig, order)
    assert (record.price, record.remaining, record.initial) == (4_000, 1_000, 1_000)
    assert rig.exchange.queries.queue_position(US, order.order_id).count_ahead == 0


async def test_the_trader_s_own_expiry_is_never_passed(rig: Rig) -> None:
    ends_s = rig.clock.now_ms // 1000 + 150
    order = await resting(rig, expires_s=ends_s)
    assert theirs(rig, order).expires_ms < ends_s * 1000
    await run(rig, 120)
    assert theirs(rig, order).expires_ms == ends_s * 1000
    await run(rig, 40)
    assert theirs(rig, order).status is OrderStatus.CANCELED


async def test_an_amended_expiry_is_kept_also_after_a_restart(rig: Rig) -> None:
    order = await resting(rig)
    ends_s = rig.clock.now_ms // 1000 + 200
    outcome = await rig.session.amend(order, 4_000, 1_000, AGREED, expires_s=ends_s)
    assert "good till" in outcome.sentence
    rig.deliver()
    assert theirs(rig, order).expires_ms < ends_s * 1000
    await run(rig, 50)
    await rig.kill()
    await rig.start()
    await run(rig, 120)
    assert theirs(rig, order).expires_ms == ends_s * 1000
    await run(rig, 40)
    assert theirs(rig, order).status is OrderStatus.CANCELED


async def test_an_expiry_from_elsewhere_is_taken_as_the_trader_s(rig: Rig) -> None:
    order = await resting(rig)
    ends_ms = (rig.clock.now_ms // 1000 + 100) * 1000
    amend_elsewhere(rig, order, ends_ms)
    await run(rig, 20)
    assert [each for each in rig.session.store.notices if "This expiry comes from elsewhere" in each.text]
    # A restart does not forget it.
    await rig.kill()
    await rig.start()
    await run(rig, 70)
    assert theirs(rig, order).expires_ms == ends_ms
    await run(rig, 20)
    assert theirs(rig, order).status is OrderStatus.CANCELED


async def test_each_expiry_from_elsewhere_is_kept_also_an_earlier_one(rig: Rig) -> None:
    order = await resting(rig)
    amend_elsewhere(rig, order, (rig.clock.now_ms // 1000 + 300) * 1000)
    await run(rig, 5)
    ends_ms = (rig.clock.now_ms // 1000 + 40) * 1000
    amend_elsewhere(rig, order, ends_ms)
    await run(rig, 35)
    assert theirs(rig, order).expires_ms == ends_ms


async def test_an_expiry_given_while_the_program_was_not_there_is_not_passed(rig: Rig) -> None:
    order = await resting(rig)
    await rig.kill()
    ends_ms = (rig.clock.now_ms // 1000 + 150) * 1000
    amend_elsewhere(rig, order, ends_ms)
    await rig.start()
    await run(rig, 140)
    assert theirs(rig, order).expires_ms == ends_ms


async def test_a_change_of_the_expiry_that_was_broken_off_is_not_passed(rig: Rig) -> None:
    order = await resting(rig)
    ends_s = rig.clock.now_ms // 1000 + 100
    rig.line.troubles.append(Trouble.REPLY_LATE)
    changing = rig.begin(rig.session.amend(order, 4_000, 1_000, AGREED, expires_s=ends_s))
    await rig.spin()
    changing.cancel()
    await rig.spin()
    await rig.kill()
    await rig.start()
    await run(rig, 95)
    assert theirs(rig, order).expires_ms == ends_s * 1000


async def test_one_that_only_watches_renews_nothing_and_no_order_ends_with_it(rig: Rig) -> None:
    order = await resting(rig)
    await rig.kill()
    await rig.start(replace(ROLLING, read_only=True))
    await run(rig, 40)
    assert not rig.session.parts.execution.expiry_renewer.list_renewed()
    await rig.session.stop()
    assert not rig.session.quit_message
    assert theirs(rig, order).status is OrderStatus.RESTING
    await rig.start(ROLLING)


async def test_orders_without_a_short_expiry_are_left_alone(rig: Rig) -> None:
    await rig.kill()
    await rig.start(SessionOptions())
    await rig.pass_time(1)
    order = await resting(rig)
    await rig.kill()
    await rig.start(ROLLING)
    await run(rig, 100)
    assert theirs(rig, order).expires_ms == 0
    assert theirs(rig, order).status is OrderStatus.RESTING


async def test_what_may_not_rest_is_sent_as_it_was(rig: Rig) -> None:
    await rig.submit(OrderTerms(rig.ticker, Side.YES, Action.BUY, 4_000, 100, TimeInForce.IOC))
    assert [record.expires_ms for record in rig.theirs()] == [0]


@pytest.mark.parametrize("trouble", [Trouble.LATE, Trouble.LATER, Trouble.REPLY_LATE, Trouble.REPLY_LOST])
async def test_a_renewal_under_way_never_brings_back_an_older_price_or_count(rig: Rig, trouble: Trouble) -> None:
    order = await resting(rig)
    await run(rig, 25)
    rig.line.troubles.append(trouble)
    for _ in range(20):
        await rig.pass_time(0.5)
        if not rig.line.troubles:
            break
    assert not rig.line.troubles, "no renewal went out"
    # The trader changes it while the renewal has no answer.
    changing = rig.begin(rig.session.amend(order, 3_800, 1_500, AGREED))
    canceled = await resting(rig, 3_500)
    await rig.session.cancel(canceled)
    assert theirs(rig, canceled).status is OrderStatus.CANCELED, "a cancel waits for nothing"
    await run(rig, 40)
    outcome = await changing
    record = theirs(rig, order)
    assert record.status is OrderStatus.RESTING
    if outcome.refused:
        assert "no answer yet" in outcome.sentence
        assert (record.price, record.remaining) == (4_000, 1_000)
    else:
        assert (record.price, record.remaining) == (3_800, 1_500)
    await run(rig, 120)
    assert theirs(rig, order).status is OrderStatus.RESTING


async def test_a_renewal_without_an_answer_lets_no_other_order_end(rig: Rig) -> None:
    first, second, third = [await resting(rig, 3_000 + 100 * number) for number in range(3)]
    await run(rig, 25)
    rig.line.troubles.extend([Trouble.LATE, Trouble.LATE])
    for _ in range(20):
        await rig.pass_time(0.5)
        rig.deliver()
        if not rig.line.troubles:
            break
    # Two have no answer for ten seconds and are then looked at for as long; the third is renewed meanwhile.
    await run(rig, 4)
    assert left_s(rig, third) > LENGTH_S / 2 or left_s(rig, second) > LENGTH_S / 2 or left_s(rig, first) > LENGTH_S / 2
    await run(rig, 200)
    assert {theirs(rig, each).status for each in (first, second, third)} == {OrderStatus.RESTING}


async def test_an_expiry_from_elsewhere_is_kept_over_a_restart(rig: Rig) -> None:
    order = await resting(rig)
    await run(rig, LENGTH_S * 2)
    ends_ms = (rig.clock.now_ms // 1000 + 200) * 1000
    rig.exchange.order_entry.amend(
        US, order.order_id, AmendRequest(rig.ticker, BookSide.BID, 4_000, 1_000, expires_ms=ends_ms)
    )
    rig.server.commit()
    rig.deliver()
    await run(rig, 30)
    await rig.kill()
    await rig.start()
    await run(rig, 160)
    assert theirs(rig, order).expires_ms == ends_ms
    await run(rig, 20)
    assert theirs(rig, order).status is OrderStatus.CANCELED


async def test_a_quarter_of_the_writes_is_enough_for_so_many_and_the_others_are_named(rig: Rig) -> None:
    orders = [await resting(rig, 3_000 + 100 * number) for number in range(10)]
    rig.write_budget.set_limits(10, 100)
    before = len(rig.line.commands)
    await run(rig, 300)
    # 10 tokens a second: 2.5 of them for renewals, a renewal costs 10, an order needs one in 30 s.
    alive = [order for order in orders if theirs(rig, order).status is OrderStatus.RESTING]
    assert len(alive) == 7
    amends = [path for _, path, _ in rig.line.commands[before:] if path.endswith("/amend")]
    assert len(amends) * 10 <= 300 * 2.5 + 20
    (told,) = [each.text for each in rig.session.store.notices if "end by themselves" in each.text]
    assert told.count("YES 10 at") == 3
    assert "Your limit of writes is enough to renew 7 orders." in told


async def test_renewals_leave_the_tokens_to_new_orders_and_what_is_starved_is_named(rig: Rig) -> None:
    order = await resting(rig)
    rig.write_budget.set_limits(20, 40)
    for _ in range(LENGTH_S + 1):
        # What the trader sends takes more than comes back.
        rig.begin(rig.write_budget.acquire(25, urgent=True))
        await rig.pass_time(1)
        rig.deliver()
    amends = [path for _, _, path in rig.line.handed if path.endswith("/amend")]
    assert not amends, "a renewal took what the trader's requests need"
    assert theirs(rig, order).status is OrderStatus.CANCELED
    told = [each.text for each in rig.session.store.notices if "end by themselves" in each.text]
    assert [text.partition(": ")[2] for text in told] == [
        "buy YES 10 at 0.40 in " + rig.ticker + ". Your own requests take the writes that a renewal needs."
    ]


async def test_a_renewal_that_found_no_connection_is_tried_again_and_forgets_no_expiry(rig: Rig) -> None:
    order = await resting(rig)
    await run(rig, 28)
    rig.line.troubles.extend([Trouble.NO_CONNECTION] * 12)
    await run(rig, 60)
    assert not rig.line.troubles
    assert theirs(rig, order).status is OrderStatus.RESTING
    assert not [each for each in rig.session.store.notices if "comes from elsewhere" in each.text]


async def test_the_quarter_is_counted_by_what_the_exchange_says_an_amendment_costs(rig: Rig) -> None:
    orders = [await resting(rig, 3_000 + 100 * number) for number in range(10)]
    rig.write_budget.set_limits(10, 100)
    rig.session.parts.rest.token_costs.set_costs(10, [("POST", "/portfolio/events/orders/{order_id}/amend", 25)])
    await run(rig, 150)
    # Three renewals of 25 tokens each in 30 s, of 2.5 tokens a second.
    alive = [order for order in orders if theirs(rig, order).status is OrderStatus.RESTING]
    assert len(alive) == 3
    (told,) = [each.text for each in rig.session.store.notices if "end by themselves" in each.text]
    assert "Your limit of writes is enough to renew 3 orders." in told


@pytest.mark.slow
async def test_before_the_weekly_pause_expiries_are_prolonged_past_its_end(rig: Rig) -> None:
    pause = next_trading_pause(rig.clock.now_ms // 1000)
    await rig.kill()
    rig.clock.advance((pause.start_s - 300) * 1000 - rig.clock.now_ms)
    rig.world.step()
    rig.server.commit()
    after_ms = (pause.end_s + 3_600) * 1000
    open_markets = (each for each in rig.exchange.markets.visible() if each.status.tradable)
    rig.ticker = next(each.ticker for each in open_markets if each.close_ms > after_ms)
    await rig.start()
    await rig.pass_time(1)
    order = await resting(rig)
    await run(rig, 200)
    assert theirs(rig, order).expires_ms < pause.start_s * 1000
    await run(rig, 95)
    assert theirs(rig, order).expires_ms == (pause.end_s + LENGTH_S) * 1000
    rig.exchange.pauses.pause_trading()
    rig.server.commit()
    await rig.pass_time(pause.end_s - rig.clock.now_ms // 1000, 120_000)
    assert theirs(rig, order).status is OrderStatus.RESTING
    assert not [each for each in rig.session.store.notices if "end by themselves" in each.text]
    rig.exchange.pauses.resume_trading()
    rig.server.commit()
    await run(rig, 200)
    assert theirs(rig, order).status is OrderStatus.RESTING


@pytest.mark.slow
async def test_before_an_announced_pause_expiries_are_prolonged_past_its_end(rig: Rig) -> None:
    start_ms = rig.clock.now_ms + 700_000
    rig.exchange.pauses.announce(start_ms, start_ms + 900_000)
    order = await resting(rig)
    # The schedule is read every ten minutes, and its pauses of the day are told.
    await run(rig, 640)
    (told,) = [each.text for each in rig.session.store.notices if "announced a pause" in each.text]
    assert "neither orders nor cancels" in told
    await run(rig, 55)
    assert theirs(rig, order).expires_ms == start_ms + (900 + LENGTH_S) * 1000
    await rig.pass_time(902, 5_000)
    assert theirs(rig, order).status is OrderStatus.RESTING
    assert not [each for each in rig.session.store.notices if "end by themselves" in each.text]
    await run(rig, 200)
    assert theirs(rig, order).status is OrderStatus.RESTING
    assert left_s(rig, order) <= LENGTH_S


async def test_before_an_announced_pause_that_is_too_long_the_orders_that_end_are_named(rig: Rig) -> None:
    now_s = rig.clock.now_ms // 1000
    rig.exchange.pauses.announce((now_s + 700) * 1000, (now_s + 700 + 7 * 3_600) * 1000)
    order = await resting(rig)
    await run(rig, 640)
    (told,) = [each.text for each in rig.session.store.notices if "end by themselves" in each.text]
    assert "buy YES 10 at 0.40" in told
    assert "is announced, and no expiry can be renewed in it." in told
    await run(rig, 140)
    assert theirs(rig, order).status is OrderStatus.CANCELED, "it does not rest for hours with nobody there"


async def test_in_a_pause_that_nobody_announced_the_orders_that_end_are_named(rig: Rig) -> None:
    order = await resting(rig)
    rig.exchange.pauses.pause_trading()
    rig.server.commit()
    await run(rig, LENGTH_S + 5)
    assert theirs(rig, order).status is OrderStatus.CANCELED
    (told,) = [each.text for each in rig.session.store.notices if "end by themselves" in each.text]
    assert "YES 10 at 0.40" in told
    assert "No expiry can be renewed while trading is paused." in told


async def test_a_pause_of_one_part_keeps_back_the_renewals_there_and_no_others(rig: Rig) -> None:
    await rig.pass_time(5)
    ticker = next(each.ticker for each in rig.exchange.markets.visible() if each.shard == 2 and each.status.tradable)
    rig.session.set_shown_markets([ticker])
    await rig.pass_time(5)
    here = await resting(rig)
    there = (await rig.submit(OrderTerms(ticker, Side.YES, Action.BUY, 4_000, 100))).order
    rig.deliver()
    rig.exchange.pauses.pause_trading(shard=2)
    rig.server.commit()
    await run(rig, 20)
    before = len(rig.line.commands)
    await run(rig, LENGTH_S + 5)
    paths = [path for _, path, _ in rig.line.commands[before:]]
    assert paths
    assert not [path for path in paths if there.order_id in path], "it is known that they would be rejected"
    assert theirs(rig, here).status is OrderStatus.RESTING
    assert theirs(rig, there).status is OrderStatus.CANCELED
    (told,) = [each.text for each in rig.session.store.notices if "end by themselves" in each.text]
    assert "No expiry can be renewed while trading is paused." in told


async def test_at_the_end_it_is_told_which_orders_end_by_themselves(rig: Rig) -> None:
    await resting(rig)
    await resting(rig, 3_900)
    await rig.session.stop()
    assert "2 resting orders end by themselves, by " in rig.session.quit_message
    await rig.start()


async def test_a_renewal_that_outlives_its_program_brings_nothing_back(rig: Rig) -> None:
    order = await resting(rig)
    await run(rig, 25)
    rig.line.troubles.append(Trouble.LATER)
    await rig.pass_time(8)
    assert not rig.line.troubles, "no renewal went out"
    before = len(rig.line.commands)
    await rig.kill()
    await rig.start()
    await rig.pass_time(1)
    order = rig.session.store.known_order(order)
    outcome = await rig.session.amend(order, 3_800, 1_500, AGREED)
    assert outcome.refused
    assert "Before this start its expiry may have been renewed, and that may still arrive" in outcome.sentence
    await rig.pass_time(EARLIER_RUN_S)
    assert len(rig.line.commands) > before, "it has arrived"
    outcome = await rig.session.amend(order, 3_800, 1_500, AGREED)
    assert "Changed" in outcome.sentence
    await rig.pass_time(LENGTH_S * 2)
    record = theirs(rig, order)
    assert (record.status, record.price, record.remaining) == (OrderStatus.RESTING, 3_800, 1_500)


async def test_an_expiry_of_an_earlier_run_that_comes_late_is_not_the_trader_s(rig: Rig) -> None:
    order = await resting(rig)
    await run(rig, 25)
    rig.line.troubles.append(Trouble.LATER)
    await rig.pass_time(8)
    assert not rig.line.troubles, "no renewal went out"
    await rig.kill()
    await rig.start()
    await run(rig, LENGTH_S * 3)
    assert theirs(rig, order).status is OrderStatus.RESTING


async def test_frames_that_are_lost_are_made_up_for_while_expiries_are_renewed(tmp_path: Path) -> None:
    """Each renewal is news of the account: the lists are read every half minute all the same."""
    rig = Rig(tmp_path, options=SessionOptions(dead_man=DeadManOptions(rolling_expiry_s=30)))
    await rig.start()
    await rig.pass_time(1)
    kept = await resting(rig)
    ending = await resting(rig, 3_900, rig.clock.now_ms // 1000 + 20)
    for _ in range(75):
        await rig.pass_time(1)
        rig.deliver("none")
    assert theirs(rig, kept).status is OrderStatus.RESTING
    assert theirs(rig, ending).status is OrderStatus.CANCELED
    assert rig.session.store.known_order(ending).state is OrderState.EXPIRED
    await rig.close()


def test_a_clock_that_is_set_back_keeps_no_change_waiting() -> None:
    clock_ms, timer_s = [1_800_003_600_000], [5.0]
    rolling = RollingExpiry(LENGTH_S, lambda: clock_ms[0], lambda: timer_s[0])
    # An hour ahead, until the first reply tells the exchange's time.
    clock_ms[0] -= 3_600_000
    timer_s[0] += 4
    assert rolling.seconds_unsettled() == EARLIER_RUN_S - 4
    timer_s[0] += EARLIER_RUN_S
    assert rolling.seconds_unsettled() == 0


async def test_a_near_expiry_from_elsewhere_is_the_trader_s_once_an_earlier_run_can_have_sent_none(rig: Rig) -> None:
    await rig.kill()
    hour = SessionOptions(dead_man=DeadManOptions(rolling_expiry_s=3_600))
    await rig.start(hour)
    await rig.pass_time(1)
    order = await resting(rig)
    await rig.kill()
    await rig.start(hour)
    await rig.pass_time(95, 5_000)
    rig.deliver()
    renewer = rig.session.parts.execution.expiry_renewer
    assert [each.order_id for each in renewer.list_renewed()] == [order.order_id]
    amend_elsewhere(rig, order, (rig.clock.now_ms // 1000 + 1_200) * 1000)
    rig.deliver()
    assert not renewer.list_renewed()


async def beside(rig: Rig, options: SessionOptions) -> Rig:
    """Start another program on the same journal."""
    other = copy.copy(rig)
    other.doing = set()
    await other.start(options)
    return other


async def run_both(rig: Rig, other: Rig, seconds: float) -> None:
    """Let time pass, with the frames of the account delivered to both programs each second."""
    for _ in range(int(seconds)):
        await rig.pass_time(1)
        told = list(rig.untold)
        rig.untold.clear()
        for frame in told:
            frame(rig.session.store)
            frame(other.session.store)


@pytest.mark.slow
async def test_two_desks_on_one_journal_keep_an_order_alive_and_so_does_the_one_that_is_left(rig: Rig) -> None:
    order = await resting(rig)
    other = await beside(rig, ROLLING)
    await run_both(rig, other, 300)
    assert theirs(rig, order).status is OrderStatus.RESTING
    notices = [*rig.session.store.notices, *other.session.store.notices]
    assert [each.text for each in notices if "comes from elsewhere" in each.text] == []
    await rig.kill()
    await run(other, 150)
    assert theirs(rig, order).status is OrderStatus.RESTING
    # What the trader asks of the one is what the other keeps to.
    await rig.start()
    await run_both(rig, other, 100)
    ends_s = rig.clock.now_ms // 1000 + 150
    changing = other.begin(other.session.amend(order, 4_000, 1_000, AGREED, expires_s=ends_s))
    await run_both(rig, other, 10)
    assert "good till" in (await changing).sentence
    await run_both(rig, other, 120)
    assert theirs(rig, order).expires_ms == ends_s * 1000
    await run_both(rig, other, 30)
    assert theirs(rig, order).status is OrderStatus.CANCELED
    await other.kill()


@pytest.mark.parametrize("trouble", [Trouble.LATE, Trouble.REPLY_LATE, Trouble.REPLY_LOST])
async def test_a_change_by_another_program_meets_no_renewal_under_way(rig: Rig, trouble: Trouble) -> None:
    order = await resting(rig)
    command = await beside(rig, SessionOptions())
    await run_both(rig, command, 25)
    rig.line.troubles.append(trouble)
    for _ in range(20):
        await rig.pass_time(0.5)
        if not rig.line.troubles:
            break
    assert not rig.line.troubles, "no renewal went out"
    changing = command.begin(command.session.amend(order, 3_800, 1_500, AGREED))
    await run_both(rig, command, 6)
    refused = await changing
    if trouble is not Trouble.REPLY_LATE:
        assert "Another program changes it or renews its expiry" in refused.sentence
        await run_both(rig, command, 30)
        changing = command.begin(command.session.amend(order, 3_800, 1_500, AGREED))
        await run_both(rig, command, 6)
        await changing
    assert (theirs(rig, order).price, theirs(rig, order).remaining) == (3_800, 1_500)
    await run_both(rig, command, 120)
    record = theirs(rig, order)
    assert (record.status, record.price, record.remaining) == (OrderStatus.RESTING, 3_800, 1_500)
    await command.kill()


async def test_a_change_that_another_program_sent_is_not_undone_by_who_has_not_heard_of_it(rig: Rig) -> None:
    order = await resting(rig)
    command = await beside(rig, SessionOptions())
    await run_both(rig, command, 29)
    await command.session.amend(order, 3_800, 1_500, AGREED)
    # Its renewal is due now, and the frame of the change comes later.
    await rig.pass_time(6)
    assert (theirs(rig, order).price, theirs(rig, order).remaining) == (3_800, 1_500)
    await run_both(rig, command, 100)
    record = theirs(rig, order)
    assert (record.status, record.price, record.remaining) == (OrderStatus.RESTING, 3_800, 1_500)
    await command.kill()
