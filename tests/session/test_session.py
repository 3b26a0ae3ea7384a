"""The session against the real practice exchange, over real sockets."""

import asyncio
import contextlib
import os
import signal
import time
from pathlib import Path

import pytest

from kalshi_tui.domain.book import Side
from kalshi_tui.domain.link import BookTrust, LinkState
from kalshi_tui.domain.order import Action, OrderState, OrderTerms
from kalshi_tui.runtime.compose import build_session, practice_access
from kalshi_tui.runtime.launch import PracticeProcess
from kalshi_tui.session.session import Session
from tests.support.order_sender import sent
from tests.support.real_session import a_two_sided_market
from tests.support.waiting import until


def clock_ms() -> int:
    return time.time_ns() // 1_000_000


async def test_it_says_when_the_list_of_markets_is_whole(exchange: PracticeProcess) -> None:
    made = build_session(practice_access(exchange.wait_until_ready()))
    at_the_end: list[tuple[int, int | None]] = []
    made.call_when_listed(lambda: at_the_end.append((len(made.store.markets), made.store.listing_progress)))
    await made.start()
    try:
        await until(lambda: at_the_end)
    finally:
        await made.stop()
    assert at_the_end == [(len(made.store.markets), None)]
    assert len(made.store.markets) > 200


def test_what_a_screen_kept_is_wanted_before_anything_runs(exchange: PracticeProcess) -> None:
    connected = practice_access(exchange.wait_until_ready())
    made = build_session(connected)
    # As the program does it: the screen is made, with its watch lists, before there is a loop.
    made.set_watch_list_markets(["KXNOSUCHMARKET-1"])

    async def listed(session: Session) -> list[str]:
        await session.start()
        await until(lambda: len(session.store.markets) > 100 and session.store.listing_progress is None)
        tickers = list(session.store.markets)
        await session.stop()
        return tickers

    before = asyncio.run(listed(made))
    again = build_session(connected)
    again.set_watch_list_markets([before[-1]])
    after = asyncio.run(listed(again))
    # It is read first, and stands where it always does.
    assert [ticker for ticker in after if ticker in before] == [ticker for ticker in before if ticker in after]


async def test_an_order_that_takes_is_filled_and_shows_in_position_fills_and_cash(session: Session) -> None:
    ticker = await a_two_sided_market(session)
    store = session.store
    assert store.balance is not None
    cash = store.balance.cash
    outcome = await sent(session, OrderTerms(ticker, Side.YES, Action.BUY, 9_900, 1_000))
    assert outcome.order.state is OrderState.FILLED
    assert outcome.order.filled == 1_000
    await until(lambda: sum(fill.count for fill in store.fills) == 1_000)
    await until(lambda: ticker in store.positions and store.positions[ticker].count == 1_000)
    paid = sum(fill.count * fill.yes_price + fill.fee for fill in store.fills)
    await until(lambda: store.balance is not None and store.balance.cash == cash - paid)


async def test_an_order_that_rests_stands_in_the_book_and_goes_when_canceled(session: Session) -> None:
    ticker = await a_two_sided_market(session)
    store = session.store
    outcome = await sent(session, OrderTerms(ticker, Side.YES, Action.BUY, 100, 77))
    order = outcome.order
    assert order.state is OrderState.RESTING
    await until(lambda: store.book(ticker).book.yes.count_at(100) >= 77)
    assert [each.order_id for each in store.working_orders()] == [order.order_id]
    canceled = await session.cancel(order)
    assert canceled.order.state is OrderState.CANCELED
    await until(lambda: not store.working_orders())


async def test_a_refusal_is_told_in_words(session: Session) -> None:
    ticker = await a_two_sided_market(session)
    outcome = await sent(session, OrderTerms(ticker, Side.YES, Action.BUY, 5_000, 100_000_000))
    assert outcome.order.state is OrderState.REFUSED
    assert "cash" in outcome.sentence


async def test_books_follow_what_is_looked_at(session: Session) -> None:
    first = await a_two_sided_market(session)
    second = next(ticker for ticker in session.store.markets if ticker != first)
    session.set_shown_markets([second])
    await until(lambda: session.store.book(second).is_good)
    before = session.store.book(first).book.version
    moved = session.store.book(second).book.version
    await until(lambda: session.store.frame_count > 0 and session.store.tapes.get(second) is not None)
    await until(lambda: session.store.book(second).trust is BookTrust.GOOD)
    assert session.store.book(first).book.version == before
    assert session.store.book(second).book.version >= moved


async def test_the_exchange_killed_and_started_again_is_healed_from(data: Path) -> None:
    first = PracticeProcess(["--data", str(data), "--seed", "7"])
    ready = first.wait_until_ready()
    port = ready.rest_url.split(":")[2].split("/")[0]
    session = build_session(practice_access(ready))
    again = None
    try:
        await session.start()
        await until(lambda: session.store.connection.state is LinkState.LIVE and session.store.markets)
        ticker = await a_two_sided_market(session)
        terms = OrderTerms(ticker, Side.YES, Action.BUY, 100, 500)
        resting = (await sent(session, terms)).order
        assert resting.state is OrderState.RESTING
        with contextlib.suppress(ProcessLookupError):
            os.kill(ready.pid, signal.SIGKILL)
        first.stop()
        await until(lambda: session.store.book(ticker).trust is BookTrust.STALE)
        assert session.store.connection.state is not LinkState.LIVE
        again = await asyncio.to_thread(PracticeProcess, ["--data", str(data), "--seed", "7", "--port", port])
        await asyncio.to_thread(again.wait_until_ready)
        await until(lambda: session.store.connection.state is LinkState.LIVE, within_s=40)
        await until(lambda: session.store.book(ticker).is_good)
        assert [order.order_id for order in session.store.working_orders()] == [resting.order_id]
    finally:
        await session.stop()
        first.stop()
        if again is not None:
            again.stop()


def open_sockets() -> int:
    """Return how many sockets this process has."""
    links = Path("/proc/self/fd").iterdir()
    return sum(str(link.readlink()).startswith("socket:") for link in links if link.is_symlink())


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="counts open sockets in /proc")
async def test_the_end_closes_every_connection_though_the_exchange_has_stopped(exchange: PracticeProcess) -> None:
    ready = await asyncio.to_thread(exchange.wait_until_ready)
    before = open_sockets()
    session = build_session(practice_access(ready))
    await session.start()
    await until(lambda: session.store.connection.state is LinkState.LIVE and session.store.markets)
    assert open_sockets() >= before + 2
    os.kill(ready.pid, signal.SIGSTOP)
    await session.stop()
    # Left to themselves they would go too, but later: with the answers that do not come.
    await until(lambda: open_sockets() == before, within_s=8)
