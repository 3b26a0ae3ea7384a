"""What the exchange takes now, against the real practice exchange."""

from typing import Any

import httpx

from kalshi_tui.domain.book import Side
from kalshi_tui.domain.link import TradingStatus
from kalshi_tui.domain.order import Action, OrderState, OrderTerms
from kalshi_tui.kalshi.environments import practice_on_port
from kalshi_tui.kalshi.rest import RestClient, Retry
from kalshi_tui.kalshi.transport.clock import ExchangeClock
from kalshi_tui.kalshi.wire.times import time_text
from kalshi_tui.session.account.exchange_hours import ExchangeHours
from kalshi_tui.session.practice_faults import FAULTS_BY_ID
from kalshi_tui.session.session import Session
from kalshi_tui.session.store import Store
from tests.support.order_sender import sent
from tests.support.real_session import a_two_sided_market, rehearsed
from tests.support.waiting import until


async def test_a_pause_is_known_from_the_first_answer_on_and_cancels_go_through(session: Session) -> None:
    ticker = await a_two_sided_market(session)
    store = session.store
    resting = (await sent(session, OrderTerms(ticker, Side.YES, Action.BUY, 100, 500))).order
    await rehearsed(session, FAULTS_BY_ID["pause-trading"], ticker)
    refused = await sent(session, OrderTerms(ticker, Side.YES, Action.BUY, 200, 500))
    # A 503 tells nothing for sure: the order is asked about, and found not to be there.
    assert refused.order.state is OrderState.UNKNOWN
    await until(lambda: store.hours is TradingStatus.TRADING_PAUSED)
    assert (await session.cancel(resting)).order.state is OrderState.CANCELED
    await rehearsed(session, FAULTS_BY_ID["resume-trading"], ticker)
    session.parts.readers.hours.check_now()
    await until(lambda: store.hours is TradingStatus.OPEN)
    assert [notice.text for notice in store.notices if "trades again" in notice.text]


async def test_a_pause_of_the_whole_exchange_is_known_too(session: Session) -> None:
    ticker = await a_two_sided_market(session)
    await rehearsed(session, FAULTS_BY_ID["pause-exchange"], ticker)
    session.parts.readers.hours.check_now()
    await until(lambda: session.store.hours is TradingStatus.PAUSED)
    await rehearsed(session, FAULTS_BY_ID["resume-exchange"], ticker)
    session.parts.readers.hours.check_now()
    await until(lambda: session.store.hours is TradingStatus.OPEN)
    assert session.store.notices[0].text == "The exchange trades again."


async def test_a_503_from_the_status_itself_is_a_pause_and_any_other_failure_tells_nothing() -> None:
    replies = [503, 200, 500, 404]
    told = {"exchange_active": True, "trading_active": False}
    transport = httpx.MockTransport(lambda _: httpx.Response(replies[0], json=told))
    store = Store(lambda: 0)

    async def never(_: float) -> None:
        raise AssertionError

    async with RestClient(practice_on_port(1), transport=transport, retry=Retry(attempts=1)) as rest:
        exchange_hours = ExchangeHours(rest, store, never)
        seen = []
        while replies:
            await exchange_hours._check()
            seen.append(store.hours)
            replies.pop(0)
    assert seen == [
        TradingStatus.PAUSED,
        TradingStatus.TRADING_PAUSED,
        TradingStatus.TRADING_PAUSED,
        TradingStatus.TRADING_PAUSED,
    ]


async def test_a_pause_of_one_part_is_told_for_its_markets_and_no_others(session: Session) -> None:
    near = await a_two_sided_market(session)
    store = session.store
    far = next(each.ticker for each in store.markets.values() if each.exchange_index == 2 and each.status.tradable)
    assert session.parts.practice is not None
    control = session.parts.practice.control
    await control.inject_fault("pause_trading", {"exchange_index": 2})
    session.parts.readers.hours.check_now()
    await until(lambda: store.hours_of(far) is TradingStatus.TRADING_PAUSED)
    assert store.hours is TradingStatus.OPEN
    assert store.hours_of(near) is TradingStatus.OPEN
    assert store.paused_parts == ("crypto and commodities",)
    assert store.notices[0].text == (
        "Paused: crypto and commodities. Orders there are rejected now; all other markets trade."
    )
    # Orders elsewhere still go; one there does not, and the program itself keeps none back.
    assert (await sent(session, OrderTerms(near, Side.YES, Action.BUY, 100, 500))).order.state is OrderState.RESTING
    assert (await sent(session, OrderTerms(far, Side.YES, Action.BUY, 100, 500))).order.state is OrderState.UNKNOWN
    await control.inject_fault("resume_trading", {})
    session.parts.readers.hours.check_now()
    await until(lambda: not store.paused_parts)
    assert store.hours_of(far) is TradingStatus.OPEN
    assert [each.text for each in store.notices if each.text == "Trading resumed: crypto and commodities."]
    await control.inject_fault("pause_exchange", {"exchange_index": 2})
    session.parts.readers.hours.check_now()
    await until(lambda: store.hours_of(far) is TradingStatus.PAUSED)
    assert "Orders there are rejected now, and cancels too; all other markets trade." in store.notices[0].text


async def test_planned_pauses_are_read_and_odd_ones_cost_themselves() -> None:
    start, far = 1_800_000_000, 1_800_000_000 + 30 * 86_400

    def window(start_s: int, end_s: int) -> dict[str, str]:
        return {"start_datetime": time_text(start_s * 1000), "end_datetime": time_text(end_s * 1000)}

    odd = [window(start + 60, start), {"start_datetime": "soon", "end_datetime": ""}]
    odd.append({"start_datetime": time_text(start * 1000), "end_datetime": "9999-12-31T23:59:59Z"})
    windows = [*odd, window(start, start + 600), window(far, far + 600)]
    replies: list[Any] = [{"schedule": {"maintenance_windows": windows}}, {"schedule": 1}, [], {"schedule": {}}]
    now_ms = [(start - 3_600) * 1000]

    async def never(_: float) -> None:
        raise AssertionError

    store = Store(lambda: 0)
    transport = httpx.MockTransport(lambda _: httpx.Response(200, json=replies[0]))
    clock = ExchangeClock(lambda: now_ms[0])
    async with RestClient(practice_on_port(1), transport=transport, retry=Retry(attempts=1), clock=clock) as rest:
        exchange_hours = ExchangeHours(rest, store, never)
        # What cannot be read is as it was.
        for known in (2, 2, 2, 0):
            await exchange_hours._check_schedule()
            assert len(store.announced_pauses) == known
            replies.pop(0)
            now_ms[0] += 600_000
    (told,) = [notice.text for notice in store.notices]
    assert "announced a pause" in told
