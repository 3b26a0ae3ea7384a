"""Canceling all, and the dead-man's switch, on the real exchange in simulated time."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Coroutine
from pathlib import Path
from typing import Any

import httpx
import pytest

from kalshi_tui.domain.book import Side
from kalshi_tui.domain.link import LinkState
from kalshi_tui.domain.order import Action, BookSide, OrderState, OrderTerms
from kalshi_tui.practice.engine.records import OrderRequest, OrderStatus
from kalshi_tui.session.execution.dead_man import DeadManSwitch
from kalshi_tui.session.execution.risk_checks import OverrideMethod, RiskReason
from kalshi_tui.session.interface import CancelAllResult
from kalshi_tui.session.options import DeadManOptions, SessionOptions
from kalshi_tui.session.store import Store
from tests.support.session_rig import US, Rig, Trouble

Make = Callable[..., Rig]


@pytest.fixture
async def make(tmp_path: Path) -> AsyncIterator[Make]:
    made = []

    def making(**options: object) -> Rig:
        made.append(Rig(tmp_path, **options))  # type: ignore[arg-type]  # handed on
        return made[-1]

    yield making
    for each in made:
        await each.close()


async def resting(rig: Rig, number: int = 3) -> None:
    """Have so many orders rest in one market, and one in a market of another shard."""
    await rig.start()
    await rig.pass_time(1)
    other = next(e for e in rig.exchange.markets.visible() if e.status.tradable and e.terms.exchange_index != 0)
    for price in range(1_000, 1_000 + 100 * number, 100):
        await rig.submit(OrderTerms(rig.ticker, Side.YES, Action.BUY, price, 100))
    await rig.submit(OrderTerms(other.ticker, Side.YES, Action.BUY, 1_000, 100))
    rig.deliver()


async def swept(rig: Rig, ticker: str = "", *troubles: Trouble, seconds: int = 10) -> CancelAllResult:
    rig.line.troubles.extend(troubles)
    canceling = rig.begin(rig.session.cancel_all(ticker))
    await rig.pass_time(seconds)
    assert canceling.done(), "it takes too long"
    result: CancelAllResult = canceling.result()
    return result


def still_resting(rig: Rig) -> list[str]:
    return [record.ticker for record in rig.theirs() if record.status is OrderStatus.RESTING]


async def test_everywhere_means_on_every_shard(make: Make) -> None:
    rig = make()
    await resting(rig)
    result = await swept(rig)
    assert still_resting(rig) == []
    assert (result.canceled, result.still_resting, result.proved) == (4, (), True)
    assert result.sentence == "Canceled 4 orders. The exchange has none resting."
    assert {order.state for order in rig.session.store.orders.values()} == {OrderState.CANCELED}
    assert {order.reason for order in rig.session.store.orders.values()} == {"by you"}


async def test_in_one_market_the_others_stay(make: Make) -> None:
    rig = make()
    await resting(rig)
    result = await swept(rig, rig.ticker)
    assert result.canceled == 3
    assert result.sentence == f"Canceled 3 orders in {rig.ticker}. The exchange has none resting there."
    (left,) = still_resting(rig)
    assert left != rig.ticker


async def test_orders_that_this_program_has_not_heard_of_go_too(make: Make) -> None:
    rig = make()
    await resting(rig)
    request = OrderRequest(rig.ticker, BookSide.BID, 100, 500, client_order_id="from the website")
    rig.exchange.order_entry.create(US, request)
    rig.server.commit()
    rig.deliver("none")
    assert (await swept(rig)).canceled == 5
    assert still_resting(rig) == []


async def test_a_deployment_without_the_call_is_served_by_batches(make: Make) -> None:
    rig = make(cancel_all=False)
    await resting(rig, number=45)
    result = await swept(rig)
    assert (result.canceled, result.proved) == (46, True)
    batches = [path for method, path, _ in rig.line.commands if path.endswith("/batched")]
    assert len(batches) == 3


@pytest.mark.quick_cases(
    "Trouble.LOST", "Trouble.REPLY_LOST", "Trouble.LATE", "Trouble.FAILED_AFTER", "Trouble.GARBAGE"
)
@pytest.mark.parametrize("trouble", [each for each in Trouble if each is not Trouble.NONE])
async def test_no_trouble_of_the_line_keeps_it_from_the_proof(make: Make, trouble: Trouble) -> None:
    rig = make()
    await resting(rig)
    rig.lag(4_000)
    result = await swept(rig, "", trouble, trouble, seconds=40)
    assert still_resting(rig) == []
    assert result.proved


@pytest.mark.parametrize("everything", [False, True])
async def test_one_empty_list_proves_nothing(make: Make, monkeypatch: pytest.MonkeyPatch, *, everything: bool) -> None:
    rig = make(cancel_all=False)
    await rig.start()
    await rig.pass_time(1)
    order = OrderRequest(rig.ticker, BookSide.BID, 100, 500, client_order_id="from the website")
    rig.exchange.order_entry.create(US, order)
    rig.server.commit()
    rig.deliver("none")
    # A replica that is behind its own timestamp: the data are said to be new, and the list is empty.
    behind_until_ms = rig.clock.now_ms + 5_600
    process = rig.line.process_request

    async def behind(request: httpx.Request) -> httpx.Response:
        reply = await process(request)
        is_list = request.method == "GET" and request.url.path.endswith("/portfolio/orders")
        if is_list and rig.clock.now_ms < behind_until_ms:
            return httpx.Response(200, json={"orders": [], "cursor": ""})
        return reply

    monkeypatch.setattr(rig.line, "process_request", behind)
    result = await swept(rig, "" if everything else rig.ticker, seconds=20)
    assert result.proved
    assert still_resting(rig) == []
    assert result.canceled == 1


async def test_it_works_in_a_pause_of_trading(make: Make) -> None:
    rig = make()
    await resting(rig)
    rig.exchange.pauses.pause_trading()
    assert (await swept(rig)).proved
    assert still_resting(rig) == []


async def test_what_was_not_canceled_is_named(make: Make) -> None:
    rig = make()
    await resting(rig)
    rig.exchange.pauses.pause_exchange()
    result = await swept(rig, seconds=90)
    assert len(still_resting(rig)) == 4
    assert not result.proved
    assert len(result.still_resting) == 4
    assert "NOT CANCELED: buy YES 1 at 0.10 in" in result.sentence
    assert "It is not proved that none rests." in result.sentence


async def test_an_order_of_unknown_outcome_keeps_it_looking_until_that_is_known(make: Make) -> None:
    rig = make()
    await rig.start()
    await rig.pass_time(1)
    rig.line.late_s = 3
    rig.submit(OrderTerms(rig.ticker, Side.YES, Action.BUY, 1_000, 100), Trouble.LATER)
    await rig.pass_time(11)
    assert [order.state for order in rig.session.store.working_orders()] == [OrderState.UNKNOWN]
    result = await swept(rig, seconds=40)
    assert still_resting(rig) == []
    assert [record.status for record in rig.theirs()] == [OrderStatus.CANCELED]
    assert (result.unknown, result.proved) == ((), True)


async def test_one_that_was_filled_before_is_told_as_filled(make: Make) -> None:
    rig = make()
    await resting(rig, number=1)
    rig.trade(BookSide.ASK, 1_000, 100)
    rig.deliver("none")
    result = await swept(rig)
    assert result.sentence == "Canceled 1 order. Filled before: 1. The exchange has none resting."


async def test_the_switch_cancels_all_when_the_program_ends(make: Make) -> None:
    rig = make(options=SessionOptions(dead_man=DeadManOptions(on_quit=True)))
    await resting(rig)
    assert rig.session.cancels_on_quit
    ending = rig.begin(rig.session.stop())
    await rig.pass_time(8)
    assert ending.done()
    assert still_resting(rig) == []
    await rig.start(SessionOptions())


async def test_without_the_switch_they_stay(make: Make) -> None:
    rig = make()
    await resting(rig)
    await rig.session.stop()
    assert len(still_resting(rig)) == 4
    await rig.start()


@pytest.mark.parametrize(("away_s", "left"), [(29, 4), (30, 0)])
async def test_the_switch_cancels_all_when_the_link_was_lost_for_too_long(make: Make, away_s: int, left: int) -> None:
    rig = make(options=SessionOptions(dead_man=DeadManOptions(link_lost_s=30)))
    await resting(rig)
    rig.session.store.link(LinkState.WAITING, "lost")
    await rig.pass_time(away_s)
    rig.session.store.link(LinkState.LIVE, "")
    await rig.pass_time(10)
    assert len(still_resting(rig)) == left


async def test_an_expiry_ends_what_a_dead_machine_left(make: Make) -> None:
    rig = make()
    await rig.start()
    await rig.pass_time(1)
    expires_s = rig.clock.now_ms // 1000 + 20
    await rig.submit(OrderTerms(rig.ticker, Side.YES, Action.BUY, 1_000, 100, expires_s=expires_s))
    await rig.kill()
    await rig.pass_time(30)
    assert still_resting(rig) == []
    await rig.start()
    await rig.pass_time(10)
    (order,) = rig.session.store.orders.values()
    assert order.state is OrderState.EXPIRED


async def test_the_switch_goes_on_until_it_is_proved(make: Make) -> None:
    rig = make(options=SessionOptions(dead_man=DeadManOptions(link_lost_s=30)))
    await resting(rig)
    rig.session.store.link(LinkState.WAITING, "lost")
    await rig.pass_time(40)
    rig.exchange.pauses.pause_exchange()
    rig.session.store.link(LinkState.LIVE, "")
    await rig.pass_time(120)
    assert len(still_resting(rig)) == 4
    rig.exchange.pauses.resume_exchange()
    await rig.pass_time(30)
    assert still_resting(rig) == []


async def test_the_switch_cancels_at_the_end_what_this_program_has_never_read(make: Make) -> None:
    rig = make(options=SessionOptions(dead_man=DeadManOptions(on_quit=True)))
    request = OrderRequest(rig.ticker, BookSide.BID, 100, 500, client_order_id="of an earlier run")
    rig.exchange.order_entry.create(US, request)
    rig.server.commit()
    rig.line.down_until_ms = rig.clock.now_ms + 5_000
    await rig.start()
    await rig.spin()
    rig.line.down_until_ms = 0
    ending = rig.begin(rig.session.stop())
    await rig.pass_time(8)
    assert ending.done()
    assert still_resting(rig) == []
    # The proof takes some seven seconds, and the end no more than five.
    assert rig.session.quit_message.startswith("Canceled 1 order.")
    assert not rig.session.may_leave_orders
    await rig.start(SessionOptions())


def a_switch(seconds: list[float], begun: list[str]) -> DeadManSwitch:
    async def canceling(_: object) -> CancelAllResult:
        await asyncio.sleep(0)
        return CancelAllResult(0, (), (), proved=True, sentence="")

    def spawn(work: Coroutine[Any, Any, None], name: str) -> None:
        begun.append(name)
        work.close()

    return DeadManSwitch(
        DeadManOptions(link_lost_s=30), Store(lambda: 0), lambda: seconds[-1], canceling, asyncio.sleep, spawn
    )


def test_a_loss_is_measured_from_the_last_word_of_the_exchange() -> None:
    now, begun = [0.0], list[str]()
    switch = a_switch(now, begun)
    switch.check(100)
    for second in range(1, 26):
        # Nothing more comes; the loss is noticed only after 25 s.
        now.append(float(second))
        switch.check(100 + second * 1_000)
    switch.handle_link(LinkState.WAITING)
    now.append(31.0)
    switch.handle_link(LinkState.LIVE)
    assert begun == ["dead-man's switch"]


def test_a_machine_that_slept_was_away() -> None:
    now, begun = [0.0], list[str]()
    switch = a_switch(now, begun)
    for tenth in range(0, 50, 5):
        now.append(tenth / 10)
        switch.check(100)
    now.append(3_600.0)
    # By the clock that slept too, the last frame is but a moment old.
    switch.check(200)
    now.append(3_600.5)
    switch.check(700)
    switch.handle_link(LinkState.WAITING)
    now.append(3_602.0)
    switch.handle_link(LinkState.LIVE)
    assert begun == ["dead-man's switch"]


def test_a_short_loss_is_none_for_the_switch() -> None:
    now, begun = [0.0], list[str]()
    switch = a_switch(now, begun)
    switch.check(0)
    switch.handle_link(LinkState.WAITING)
    now.append(29.0)
    switch.handle_link(LinkState.LIVE)
    assert begun == []


async def test_what_is_not_known_to_be_gone_is_not_called_canceled(make: Make) -> None:
    rig = make()
    await resting(rig)
    await rig.pass_time(12)
    rig.lag(10_000)
    result = await swept(rig, "", *[Trouble.FAILED_BEFORE] * 60, seconds=80)
    assert len(still_resting(rig)) == 4
    assert (result.canceled, len(result.still_resting), result.proved) == (0, 4, False)
    rig.line.troubles.clear()


async def test_while_orders_are_canceled_a_new_one_there_is_asked_about(make: Make) -> None:
    rig = make()
    await resting(rig)

    def why(ticker: str, subaccount: int | None = None) -> list[str]:
        terms = OrderTerms(ticker, Side.YES, Action.BUY, 1_100, 100, subaccount=subaccount)
        found = [each for each in rig.session.check_risks(terms) if each.risk.reason is RiskReason.AFTER_CANCEL_ALL]
        assert all((each.override, each.word) == (OverrideMethod.WORD, "after") for each in found)
        return [each.sentence for each in found]

    waits = ["Orders are still being canceled here: a new order would be canceled with them."]
    canceling = rig.begin(rig.session.cancel_all(rig.ticker))
    await rig.spin()
    assert (why(rig.ticker), why("ELSEWHERE-1")) == (waits, [])
    await rig.pass_time(10)
    assert canceling.result().proved
    assert why(rig.ticker) == []
    canceling = rig.begin(rig.session.cancel_all(subaccount=3))
    await rig.spin()
    assert (why(rig.ticker), why(rig.ticker, 3), why("ELSEWHERE-1", 3)) == ([], waits, waits)
    # There is no such subaccount: nothing can be proved, and it ends by its time.
    await rig.pass_time(70)
    assert not canceling.result().proved
    assert why(rig.ticker, 3) == []


# The minute after the one call.

MANY = SessionOptions(max_canceled_by_name=2)


def one_calls(rig: Rig) -> int:
    return sum(method == "DELETE" and path.endswith("/events/orders") for method, path, _ in rig.line.commands)


def asks_about_the_minute(rig: Rig) -> bool:
    found = rig.session.check_risks(OrderTerms(rig.ticker, Side.YES, Action.BUY, 1_100, 100))
    return any(each.risk.reason is RiskReason.AFTER_CANCEL_ALL for each in found)


async def test_few_orders_are_canceled_by_name_and_new_ones_may_follow(make: Make) -> None:
    rig = make()
    rig.exchange.order_entry.has_cancel_all_minute = True
    await resting(rig)
    result = await swept(rig)
    assert (result.canceled, result.proved, result.one_call, one_calls(rig)) == (4, True, False, 0)
    assert not asks_about_the_minute(rig)
    rig.submit(OrderTerms(rig.ticker, Side.YES, Action.BUY, 1_000, 100))
    await rig.pass_time(70, 5_000)
    assert still_resting(rig) == [rig.ticker]


async def test_orders_of_an_earlier_run_are_canceled_by_name_too(make: Make) -> None:
    rig = make()
    await resting(rig)
    rig.submit(OrderTerms(rig.ticker, Side.YES, Action.BUY, 1_000, 100))
    await rig.spin()
    await rig.kill()
    await rig.start()
    # At once: the exchange has not been asked yet about what the journal has.
    result = await swept(rig)
    assert (result.canceled, result.proved, result.one_call, one_calls(rig)) == (5, True, False, 0)


async def test_many_take_one_call_and_the_minute_after_it_is_told_and_asked_about(make: Make) -> None:
    rig = make(options=MANY)
    rig.exchange.order_entry.has_cancel_all_minute = True
    await resting(rig)
    result = await swept(rig, seconds=12)
    assert (result.canceled, result.proved, result.one_call, one_calls(rig)) == (4, True, True, 1)
    assert result.sentence.endswith("orders placed within a minute after it may be canceled too.")
    terms = OrderTerms(rig.ticker, Side.YES, Action.BUY, 1_100, 100)
    (asked,) = [each for each in rig.session.check_risks(terms) if each.risk.reason is RiskReason.AFTER_CANCEL_ALL]
    assert (asked.override, asked.word) == (OverrideMethod.WORD, "after")
    assert re.search(r"the exchange may cancel a new order too, for 4[89] s from now\.$", asked.sentence)
    # Without the word it stays here.
    sending = rig.begin(
        rig.session.submit(
            terms,
            rig.session.draft(terms),
            frozenset(each.risk for each in rig.session.check_risks(terms) if each.risk != asked.risk),
        )
    )
    await rig.spin()
    assert sending.result().order.state is OrderState.NOT_SENT
    assert asked.sentence in sending.result().sentence
    # With it the exchange cancels it, as it said it may.
    rig.submit(terms)
    await rig.pass_time(3)
    assert still_resting(rig) == []
    # A program that starts within the minute knows of it too.
    await rig.kill()
    await rig.start()
    await rig.pass_time(1)
    assert asks_about_the_minute(rig)
    await rig.pass_time(46, 1_000)
    assert not asks_about_the_minute(rig)
    rig.submit(terms)
    await rig.pass_time(5)
    assert still_resting(rig) == [rig.ticker]


async def test_a_list_that_cannot_be_read_takes_the_one_call(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    rig = make()
    await resting(rig, number=1)
    request = OrderRequest(rig.ticker, BookSide.BID, 100, 500, client_order_id="from the website")
    rig.exchange.order_entry.create(US, request)
    rig.server.commit()
    rig.deliver("none")
    process = rig.line.process_request
    broken_until_ms = rig.clock.now_ms + 3_000

    async def broken(request: httpx.Request) -> httpx.Response:
        is_list = request.method == "GET" and request.url.path.endswith("/portfolio/orders")
        if is_list and rig.clock.now_ms < broken_until_ms:
            return httpx.Response(500, text="no list")
        return await process(request)

    monkeypatch.setattr(rig.line, "process_request", broken)
    result = await swept(rig, seconds=15)
    assert still_resting(rig) == []
    assert (result.proved, result.one_call, one_calls(rig)) == (True, True, 1)


async def test_an_order_in_doubt_takes_the_one_call_at_once(make: Make) -> None:
    rig = make()
    await rig.start()
    await rig.pass_time(1)
    rig.line.late_s = 3
    rig.submit(OrderTerms(rig.ticker, Side.YES, Action.BUY, 1_000, 100), Trouble.LATER)
    await rig.pass_time(11)
    assert (await swept(rig, seconds=40)).one_call
    assert one_calls(rig) == 1


@pytest.mark.parametrize(
    ("trouble", "minute"),
    [(Trouble.NO_CONNECTION, False), (Trouble.TOO_MANY, False), (Trouble.LOST, True), (Trouble.REPLY_LOST, True)],
)
async def test_the_minute_begins_if_the_call_may_have_arrived(make: Make, trouble: Trouble, *, minute: bool) -> None:
    rig = make(options=SessionOptions(max_canceled_by_name=0))
    await resting(rig, number=1)
    result = await swept(rig, "", trouble, seconds=12)
    assert (result.proved, result.one_call) == (True, minute)
    assert asks_about_the_minute(rig) is minute


async def test_a_call_that_arrives_when_it_was_given_up_has_its_minute_from_then_on(make: Make) -> None:
    rig = make(options=SessionOptions(max_canceled_by_name=0))
    rig.exchange.order_entry.has_cancel_all_minute = True
    await resting(rig, number=1)
    rig.line.late_s = 5
    await swept(rig, "", Trouble.LATER, seconds=73)
    # The call came 15 s after it was sent, 58 s ago.
    assert asks_about_the_minute(rig)
    await rig.pass_time(8)
    assert not asks_about_the_minute(rig)
    rig.submit(OrderTerms(rig.ticker, Side.YES, Action.BUY, 1_000, 100))
    await rig.pass_time(5)
    assert still_resting(rig) == [rig.ticker]


async def test_a_change_of_a_resting_order_needs_no_word(make: Make) -> None:
    rig = make(options=MANY)
    await resting(rig)
    await swept(rig, seconds=12)
    terms = OrderTerms(rig.ticker, Side.YES, Action.BUY, 1_100, 100)
    rig.submit(terms)
    await rig.spin()
    rig.deliver()
    (order,) = rig.session.store.working_orders()
    reasons = {each.risk.reason for each in rig.session.check_risks(terms, replacing=order)}
    assert RiskReason.AFTER_CANCEL_ALL not in reasons


async def test_the_switch_warns_of_the_minute(make: Make) -> None:
    rig = make(options=SessionOptions(max_canceled_by_name=2, dead_man=DeadManOptions(on_quit=True)))
    await resting(rig)
    ending = rig.begin(rig.session.stop())
    await rig.pass_time(10)
    assert ending.done()
    assert rig.session.quit_message.endswith("orders placed within a minute after it may be canceled too.")
    await rig.start(SessionOptions())
    await rig.pass_time(1)
    assert asks_about_the_minute(rig)
