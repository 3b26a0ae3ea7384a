"""Why an order ended, as the exchange says it: on the real exchange, in the store, in the journal."""

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from kalshi_tui.domain.book import Side
from kalshi_tui.domain.order import Action, BookSide, Order, OrderState, OrderTerms, SelfTrade, TimeInForce
from kalshi_tui.domain.update_reason import UpdateReason
from kalshi_tui.kalshi import translate, wire
from kalshi_tui.kalshi.environments import practice_on_port
from kalshi_tui.kalshi.feed.stream import Stream
from kalshi_tui.practice.engine.market_outcome import binary_outcome
from kalshi_tui.session.account.order_merge import merge_orders
from kalshi_tui.session.execution.journal import Journal
from tests.support.book_handler import BookHandler
from tests.support.journal_orders import TERMS, an_order
from tests.support.practice_server import lasting_markets, serving
from tests.support.session_rig import Rig
from tests.support.waiting import until

EXPIRES_S = 1_800_000_060


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    made = Rig(tmp_path)
    await made.start()
    await made.pass_time(1)
    yield made
    await made.close()


def bid(rig: Rig, price: int = 1_000, **more: Any) -> OrderTerms:
    return replace(OrderTerms(rig.ticker, Side.YES, Action.BUY, price, 100), **more)


async def placed(rig: Rig, terms: OrderTerms) -> str:
    """Send an order, wait for its answer, and return its client order id."""
    sending = rig.submit(terms)
    await rig.spin()
    assert sending.done()
    return list(rig.intents)[-1]


async def meet_itself(rig: Rig) -> None:
    taking = OrderTerms(rig.ticker, Side.YES, Action.SELL, 1_000, 100, self_trade=SelfTrade.MAKER)
    rig.submit(taking)
    await rig.spin()


async def expire(rig: Rig) -> None:
    await rig.pass_time(70, 5_000)


async def close(rig: Rig) -> None:
    rig.exchange.results.determine(rig.ticker, binary_outcome("yes"))


async def pause(rig: Rig) -> None:
    rig.exchange.pauses.pause_trading()


async def reopen(rig: Rig) -> None:
    rig.exchange.lifecycle.deactivate(rig.ticker)
    rig.exchange.lifecycle.activate(rig.ticker)


async def cancel(rig: Rig) -> None:
    (order,) = rig.session.store.orders.values()
    rig.begin(rig.session.cancel(order))
    await rig.spin()


@pytest.mark.parametrize(
    ("befall", "more", "state", "reason", "word"),
    [
        (meet_itself, {}, OrderState.CANCELED, "self-trade: it met an order of your own", UpdateReason.SELF_TRADE),
        (expire, {"expires_s": EXPIRES_S}, OrderState.EXPIRED, "", UpdateReason.EXPIRY),
        (close, {}, OrderState.CANCELED, "the market closed", UpdateReason.CLOSE),
        (pause, {"cancel_on_pause": True}, OrderState.CANCELED, "trading was paused", UpdateReason.HALT),
        (reopen, {}, OrderState.CANCELED, "trading was paused", UpdateReason.HALT),
        (cancel, {}, OrderState.CANCELED, "by you", UpdateReason.DECREASE),
    ],
)
async def test_what_the_exchange_says_is_shown_told_and_kept(
    rig: Rig, befall: Callable[[Rig], object], more: dict[str, Any], state: OrderState, reason: str,
    word: UpdateReason,
) -> None:  # fmt: skip
    name = await placed(rig, bid(rig, **more))
    rig.deliver()
    rig.session.store.notices.clear()
    done = befall(rig)
    assert asyncio.iscoroutine(done)
    await done
    rig.server.commit()
    rig.deliver()
    await rig.spin()
    (order,) = [each for each in rig.session.store.orders.values() if each.client_order_id == name]
    assert (order.state, order.reason, order.update_reason) == (state, reason, word.value)
    if reason and reason != "by you":
        assert any(reason in notice.text for notice in rig.session.store.notices)
    with closing(sqlite3.connect(rig.journal_path)) as file:
        row = file.execute("SELECT state, reason, update_reason FROM intents WHERE client_order_id = ?", (name,))
        assert row.fetchone() == (state.value, reason, word.value)


async def test_an_order_that_fills_or_may_not_rest_keeps_the_words_of_this_program(rig: Rig) -> None:
    rig.trade(BookSide.ASK, 2_000, 50)
    name = await placed(rig, bid(rig, 2_000, tif=TimeInForce.IOC))
    rig.deliver()
    (order,) = [each for each in rig.session.store.orders.values() if each.client_order_id == name]
    assert (order.state, order.filled, order.update_reason) == (OrderState.CANCELED, 50, "Trade")
    assert order.reason == "IOC: what could not fill at once was canceled"


def frame(reason: str | None, *, status: str = "canceled", updated_ms: int, expires_ms: int) -> Order:
    msg = wire.UserOrderMsg(
        order_id="o", ticker="T", status=status, book_side="bid", yes_price_dollars="0.4200", fill_count_fp="0.00",
        remaining_count_fp="0.00", initial_count_fp="1.00", last_updated_ts_ms=updated_ms, expiration_ts_ms=expires_ms,
        last_update_reason=reason, taker_fill_cost_dollars="0.00", maker_fill_cost_dollars="0.00",
        taker_fees_dollars="0.00", maker_fees_dollars="0.00",
    )  # fmt: skip
    return translate.user_order(msg)


@pytest.mark.parametrize(
    ("reason", "updated_ms", "state"),
    [
        # The exchange's clocks need not agree with each other: where it says what it was, no time is looked at.
        ("ExpiryCancel", 999, OrderState.EXPIRED),
        ("CloseCancel", 1_000, OrderState.CANCELED),
        ("Decrease", 2_000, OrderState.CANCELED),
        ("SomethingNew", 2_000, OrderState.CANCELED),
        # Where it does not, the times have to say it.
        (None, 1_000, OrderState.EXPIRED),
        ("", 999, OrderState.CANCELED),
        ("Trade", 1_000, OrderState.EXPIRED),
    ],
)
def test_expired_is_guessed_from_times_only_where_the_exchange_does_not_say_it(
    reason: str | None, updated_ms: int, state: OrderState
) -> None:
    told = frame(reason, updated_ms=updated_ms, expires_ms=1_000)
    assert told.state is state
    # A read has no reason. Before or after the frame, it changes nothing about what the exchange has said.
    read = frame(None, updated_ms=updated_ms, expires_ms=1_000)
    if reason not in {None, "", "Trade"}:
        assert merge_orders(told, read) == told
        assert merge_orders(read, told) == told


@pytest.mark.parametrize("each", UpdateReason)
def test_every_known_reason_of_a_cancel_is_a_state_or_a_sentence(each: UpdateReason) -> None:
    told = frame(each.value, updated_ms=10, expires_ms=0)
    said = bool(told.reason) or told.state is OrderState.EXPIRED
    assert said is (each not in {UpdateReason.DECREASE, UpdateReason.AMEND, UpdateReason.TRADE})
    assert each.value not in told.reason


async def test_odd_words_of_a_frame_are_shown_as_they_are_and_do_no_harm() -> None:
    async with serving() as exchange:
        ticker = lasting_markets(exchange)[0].ticker
        feed_handler = BookHandler()
        stream = Stream(practice_on_port(exchange.port), exchange.signers["alice"], feed_handler)
        running = asyncio.create_task(stream.run())
        try:
            await until(lambda: stream.protocol.ready)
            made = (await exchange.order(ticker, "bid", "0.0100", "3.00")).json()
            await exchange.control("order_words", count=1, reason="Made\x1b[31mUp\u202eCancel" + "x" * 100)
            path = f"/portfolio/events/orders/{made['order_id']}"
            await exchange.call("DELETE", path, market_ticker=ticker)
            await until(lambda: feed_handler.orders and feed_handler.orders[-1].state is OrderState.CANCELED)
            await exchange.control("order_words", count=1, order_status="unknown")
            await exchange.order(ticker, "bid", "0.0100", "3.00")
            await until(lambda: feed_handler.orders[-1].state is OrderState.UNKNOWN)
            # When the frames were sent is the lag, even where only the account's own frames come.
            assert abs(stream.protocol.last_sent_ms - time.time_ns() // 1_000_000) < 60_000
        finally:
            await stream.close()
            await running
    *_, odd, unknown = feed_handler.orders
    assert odd.reason.startswith("the exchange's reason: Made\ufffd[31mUp\ufffdCancelxxx")
    assert odd.reason.isprintable()
    assert len(odd.update_reason) == 60
    assert unknown.reason == "The exchange says that it does not know this order's state."


def an_older_journal(path: Path) -> None:
    """Write a journal as the version before this one has left it."""
    with closing(Journal.open(path, "key")) as journal:
        journal.record_sending("c1", TERMS, 20)
    with closing(sqlite3.connect(path, isolation_level=None)) as file:
        file.execute("ALTER TABLE intents DROP COLUMN update_reason")


def test_a_journal_of_an_earlier_version_opens_and_takes_reasons(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite3"
    an_older_journal(path)
    with closing(Journal.open(path, "key")) as journal:
        (entry,) = journal.open_entries()
        assert (entry.terms, entry.order.update_reason) == (TERMS, "")
        journal.record_update(an_order(filled=0, remaining=1_000, update_reason="Amend"), 30)
        assert journal.examine() == []
    with closing(Journal.open(path, "key")) as journal:
        (entry,) = journal.open_entries()
        assert entry.order.update_reason == "Amend"


def test_a_journal_of_an_earlier_version_that_cannot_be_written_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "journal.sqlite3"
    an_older_journal(path)

    def refuse(connection: sqlite3.Connection) -> None:
        raise sqlite3.OperationalError("attempt to write a readonly database")

    monkeypatch.setattr("kalshi_tui.session.execution.journal._initialize_database", refuse)
    with closing(Journal.open_anyway(path, "key")) as journal:
        assert journal.trouble
        (entry,) = journal.open_entries()
        assert (entry.order.client_order_id, entry.order.state) == ("c1", OrderState.SENDING)
